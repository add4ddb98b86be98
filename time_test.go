package ghl_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// timeForm is a form of a time in JSON.
type timeForm struct {
	name string
	json string
	raw  string // "" means the string of json
	utc  string // the instant, or the wall clock of a time without a zone; "" means no time
	wall bool   // without a zone
}

func (f timeForm) text() string {
	if f.raw != "" {
		return f.raw
	}
	var s string
	if json.Unmarshal([]byte(f.json), &s) == nil {
		return s
	}
	return f.json
}

// timeForms has every form of the vendor's documents and of live answers, and some values that are not times.
var timeForms = []timeForm{
	{name: "ISO", json: `"2021-07-16T11:39:30.564Z"`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "ISO to the second", json: `"2020-10-25T11:00:00Z"`, utc: "2020-10-25T11:00:00Z"},
	{name: "ISO with an offset", json: `"2021-06-23T03:30:00+05:30"`, utc: "2021-06-22T22:00:00Z"},
	{name: "ISO with an offset without colon", json: `"2021-06-23T03:30:00+0530"`, utc: "2021-06-22T22:00:00Z"},
	{name: "ISO with an offset behind UTC", json: `"2020-10-28T10:00:00-05:00"`, utc: "2020-10-28T15:00:00Z"},
	{name: "ISO to the minute", json: `"2021-07-16T11:39Z"`, utc: "2021-07-16T11:39:00Z"},
	{name: "ISO to the nanosecond", json: `"2021-07-16T11:39:30.123456789Z"`, utc: "2021-07-16T11:39:30.123456789Z"},
	{name: "with escapes", json: `"2021-07-16T11:39:30\u005a"`, utc: "2021-07-16T11:39:30Z"},
	{name: "with space around", json: `" 2021-07-16T11:39:30Z "`, utc: "2021-07-16T11:39:30Z"},
	{name: "blank and offset", json: `"2021-07-16 11:00:00 -0700"`, utc: "2021-07-16T18:00:00Z"},
	{name: "HTTP date", json: `"Fri, 16 Jul 2021 11:00:00 GMT"`, utc: "2021-07-16T11:00:00Z"},
	{name: "mail date", json: `"Fri, 16 Jul 2021 11:00:00 -0700"`, utc: "2021-07-16T18:00:00Z"},
	{name: "milliseconds", json: `1626435570564`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "milliseconds as text", json: `"1626435570564"`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "milliseconds with an exponent", json: `1.626435570564e12`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "milliseconds before 1970", json: `-86400000`, utc: "1969-12-31T00:00:00Z"},
	{name: "the first milliseconds of 1970", json: `0`, utc: "1970-01-01T00:00:00Z"},
	{name: "an object of seconds", json: `{"_seconds":1626435570,"_nanoseconds":564000000}`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "an object of a date", json: `{"$date":"2021-07-16T11:39:30.564Z"}`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "an object of milliseconds", json: `{"$date":1626435570564}`, utc: "2021-07-16T11:39:30.564Z"},
	{name: "a list of one", json: `["2021-07-16T11:39:30.564Z"]`, raw: "2021-07-16T11:39:30.564Z", utc: "2021-07-16T11:39:30.564Z"},

	{name: "an appointment's, local", json: `"2021-07-16 11:00:00"`, utc: "2021-07-16T11:00:00Z", wall: true},
	{name: "ISO without a zone", json: `"2021-07-16T11:00:00"`, utc: "2021-07-16T11:00:00Z", wall: true},
	{name: "ISO without a zone, milliseconds", json: `"2021-07-16T11:39:30.564"`, utc: "2021-07-16T11:39:30.564Z", wall: true},
	{name: "to the minute, local", json: `"2021-07-16 11:00"`, utc: "2021-07-16T11:00:00Z", wall: true},
	{name: "a date", json: `"1990-09-25"`, utc: "1990-09-25T00:00:00Z", wall: true},
	{name: "an American date", json: `"09/25/1990"`, utc: "1990-09-25T00:00:00Z", wall: true},

	{name: "words", json: `"tomorrow"`},
	{name: "no such day", json: `"2021-02-30"`},
	{name: "a made-up zone", json: `"Fri, 16 Jul 2021 11:00:00 PST"`},
	{name: "not a number", json: `"NaN"`},
	{name: "infinite", json: `"-Infinity"`},
	{name: "hexadecimal", json: `"0x17a"`},
	{name: "too large a number", json: `1e400`},
	{name: "a number after the year 9999", json: `253402300800000`},
	{name: "true", json: `true`},
	{name: "an empty object", json: `{}`},
	{name: "an object of another kind", json: `{"_seconds":"x"}`},
	{name: "an object with too many seconds", json: `{"_seconds":9223372036854775807}`},
	{name: "a nested object", json: `{"$date":{"$numberLong":"1626435570564"}}`},
	{name: "an empty list", json: `[]`},
	{name: "a list of many", json: `["2021-07-16","2021-07-17"]`},
	{name: "the zero time", json: `"0001-01-01T00:00:00Z"`},
}

func TestTimeForms(t *testing.T) {
	chicago := mustZone(t, "America/Chicago")
	for _, tc := range timeForms {
		t.Run(tc.name, func(t *testing.T) {
			var read ghl.Time
			require.NoError(t, json.Unmarshal([]byte(tc.json), &read))
			require.Equal(t, tc.text(), read.Raw())
			require.Equal(t, tc.text(), read.String())
			require.True(t, read.Equal(ghl.ParseTime(tc.text())))
			require.Equal(t, tc.utc == "", read.IsZero())

			instant, ok := read.Instant()
			require.Equal(t, tc.utc != "" && !tc.wall, ok)
			require.Equal(t, ok, read.HasZone())
			switch {
			case tc.utc == "":
				require.True(t, read.In(chicago).IsZero())
			case tc.wall:
				require.Equal(t, tc.utc, read.In(nil).Format(time.RFC3339Nano))
				require.Equal(t, tc.utc[:19], read.In(chicago).Format("2006-01-02T15:04:05"),
					"the same clock in another zone")
				require.Equal(t, chicago, read.In(chicago).Location())
			default:
				want, err := time.Parse(time.RFC3339Nano, tc.utc)
				require.NoError(t, err)
				require.True(t, want.Equal(instant), "%s", instant)
				require.True(t, want.Equal(read.In(chicago)))
			}

			data, err := json.Marshal(read)
			require.NoError(t, err)
			var again ghl.Time
			require.NoError(t, json.Unmarshal(data, &again))
			require.True(t, read.Equal(again))
			require.Equal(t, read.Raw(), again.Raw())
		})
	}
}

// TestTimeOfNothing: null and an empty string set the zero Time.
func TestTimeOfNothing(t *testing.T) {
	for _, data := range []string{`null`, `""`, ` null `, ``, ` `} {
		at := ghl.ParseTime("1990-09-25")
		require.NoError(t, at.UnmarshalJSON([]byte(data)))
		require.Equal(t, ghl.Time{}, at, "%q", data)
	}
	data, err := json.Marshal(ghl.Time{})
	require.NoError(t, err)
	require.Equal(t, "null", string(data))
}

// TestTimeReadDirectly: UnmarshalJSON does not panic on input that json.Unmarshal would have refused.
func TestTimeReadDirectly(t *testing.T) {
	var at ghl.Time
	require.NoError(t, at.UnmarshalJSON([]byte("\t \"2021-07-16T11:00:00Z\" ")))
	require.True(t, at.HasZone())
	for _, garbage := range []string{`"`, `"\`, `"2021`, `{`, `[`, `[,`, "\xff", `{"$date":`} {
		require.NotPanics(t, func() { _ = at.UnmarshalJSON([]byte(garbage)) })
		require.True(t, at.IsZero(), "%q", garbage)
		require.Equal(t, at.IsZero(), !at.HasZone())
	}
}

// TestTimeWhereClocksChange documents the instant of a time without a zone on days when clocks change.
func TestTimeWhereClocksChange(t *testing.T) {
	for _, tc := range []struct{ name, zone, wall, want string }{
		{"gap, ahead of UTC", "Europe/Berlin", "2021-03-28 02:30:00", "2021-03-28T03:30:00+02:00"},
		{"gap, behind UTC", "America/New_York", "2021-03-14 02:30:00", "2021-03-14T03:30:00-04:00"},
		{"gap, its first moment", "America/Chicago", "2021-03-14 02:00:00", "2021-03-14T03:00:00-05:00"},
		{"after the gap", "America/Chicago", "2021-03-14 03:00:00", "2021-03-14T03:00:00-05:00"},
		{"before the gap", "America/Chicago", "2021-03-14 01:59:59", "2021-03-14T01:59:59-06:00"},
		{"gap of half an hour", "Australia/Lord_Howe", "2021-10-03 02:15:00", "2021-10-03T02:45:00+11:00"},
		{"gap at midnight, a date", "America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"},
		{"gap at midnight, a date, ahead of UTC", "Africa/Cairo", "2023-04-28", "2023-04-28T01:00:00+03:00"},
		{"gap of a day", "Pacific/Apia", "2011-12-30 10:00:00", "2011-12-31T10:00:00+14:00"},

		{"overlap, ahead of UTC: the first", "Europe/Berlin", "2021-10-31 02:30:00", "2021-10-31T02:30:00+02:00"},
		{"overlap, behind UTC: the first", "America/New_York", "2021-11-07 01:30:00", "2021-11-07T01:30:00-04:00"},
		{"overlap, its first moment", "Europe/Berlin", "2021-10-31 02:00:00", "2021-10-31T02:00:00+02:00"},
		{"after the overlap", "Europe/Berlin", "2021-10-31 03:00:00", "2021-10-31T03:00:00+01:00"},
		{"before the overlap", "America/New_York", "2021-11-07 00:59:59", "2021-11-07T00:59:59-04:00"},
		{"overlap of half an hour", "Australia/Lord_Howe", "2021-04-04 01:45:00", "2021-04-04T01:45:00+11:00"},

		{"no change", "America/Chicago", "2021-07-16 11:00:00", "2021-07-16T11:00:00-05:00"},
		{"a zone without changes", "Asia/Kolkata", "2021-07-16 11:00:00", "2021-07-16T11:00:00+05:30"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ghl.ParseTime(tc.wall).In(mustZone(t, tc.zone))
			require.Equal(t, tc.want, got.Format(time.RFC3339))
		})
	}
}

// TestTimeEqual: a wall clock does not equal an instant, not even the same clock in UTC.
func TestTimeEqual(t *testing.T) {
	iso, millis := ghl.ParseTime("2021-07-16T11:39:30.564Z"), ghl.ParseTime("1626435570564")
	require.True(t, iso.Equal(millis))
	require.False(t, iso.Equal(ghl.ParseTime("2021-07-16T11:39:30.564")))
	require.True(t, ghl.ParseTime("2021-07-16 11:00:00").Equal(ghl.ParseTime("2021-07-16T11:00")))
	require.True(t, ghl.Time{}.Equal(ghl.ParseTime("tomorrow")))
}

// TestNewTime: an instant survives encoding and decoding, whatever its zone and clock.
func TestNewTime(t *testing.T) {
	require.Equal(t, ghl.Time{}, ghl.NewTime(time.Time{}))
	for _, at := range []time.Time{
		time.Now(), // with a monotonic clock
		time.Date(2021, 7, 16, 11, 0, 0, 1, mustZone(t, "Asia/Kolkata")),
		time.Date(1930, 1, 1, 0, 0, 0, 0, mustZone(t, "Africa/Monrovia")), // an offset with seconds
	} {
		made := ghl.NewTime(at)
		require.True(t, made.HasZone())
		data, err := json.Marshal(made)
		require.NoError(t, err)
		var again ghl.Time
		require.NoError(t, json.Unmarshal(data, &again))
		instant, ok := again.Instant()
		require.True(t, ok)
		require.True(t, at.Equal(instant), "%s became %s", at, instant)
		require.Equal(t, made.Raw(), again.Raw())
	}
}

// TestTimeInTheLocationsZone converts the time of an appointment with the zone of its location.
func TestTimeInTheLocationsZone(t *testing.T) {
	var location ghl.Location
	require.NoError(t, json.Unmarshal([]byte(`{"id":"l1","timezone":"America/Chicago"}`), &location))
	var appointment ghl.Appointment
	require.NoError(t,
		json.Unmarshal([]byte(`{"id":"a1","startTime":"2021-07-16 11:00:00","endTime":"2021-07-16T11:30:00-05:00"}`),
			&appointment))
	zone, err := location.TimeLocation()
	require.NoError(t, err)
	require.False(t, appointment.StartTime.HasZone())
	require.Equal(t, "2021-07-16T11:00:00-05:00", appointment.StartTime.In(zone).Format(time.RFC3339))
	require.True(t, appointment.EndTime.HasZone())
	require.Equal(t, "2021-07-16T11:30:00-05:00", appointment.EndTime.In(zone).Format(time.RFC3339))
}

func mustZone(t *testing.T, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}
