package ghl

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// Time is a time as HighLevel sends it. The API uses many forms: RFC 3339 with and without a zone, "2021-07-16
// 11:00:00" local to the location, a date, and milliseconds since 1970 as a number or as text.
//
// A time without a zone is not an instant until it is given a zone: [Time.In] takes the zone of the location;
// [Time.Instant] reports false. The zero value means "no time".
type Time struct {
	wall  time.Time // the instant, or the wall clock of a time without a zone as if it were in UTC
	raw   string
	zoned bool
}

// NewTime returns the Time of an instant.
func NewTime(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	if _, offset := t.Zone(); offset%60 != 0 { // a historical offset with seconds, which RFC 3339 cannot express
		t = t.UTC()
	}
	return Time{wall: t.Round(0), raw: t.Format(time.RFC3339Nano), zoned: true}
}

// ParseTime parses any of the forms that HighLevel uses. For any other text it returns a Time whose [Time.IsZero]
// is true and whose [Time.Raw] is the text.
func ParseTime(s string) Time {
	t := Time{raw: s}
	text := strings.TrimSpace(s)
	if strings.HasPrefix(text, "{") {
		t.wall, t.zoned = parseTimeObject(text)
	} else if wall, zoned, ok := parseTime(text); ok {
		t.wall, t.zoned = wall, zoned
	}
	return t
}

// IsZero reports whether t holds no time. If the server sent a text that is not a time, [Time.Raw] and the record's
// [Extra] hold it.
func (t Time) IsZero() bool { return t.wall.IsZero() }

// HasZone reports whether t has a zone and is therefore an instant.
func (t Time) HasZone() bool { return t.zoned }

// Instant returns the instant of t, and whether t is one. It is false for the zero Time and for a time without a
// zone: for the latter use [Time.In] with the zone of the location ([Location.TimeLocation]).
func (t Time) Instant() (time.Time, bool) { return t.wall, t.zoned && !t.wall.IsZero() }

// In returns t in loc. The instant of a time with a zone does not change; a time without a zone is a wall clock in
// loc. The result for the zero Time is the zero time.Time. A nil loc means UTC.
//
// A wall clock that is skipped when clocks are set forward is moved forward by the same amount: 02:30 becomes
// 03:30, and a date whose midnight is skipped begins at 01:00. A wall clock that occurs twice when clocks are set
// back means the first occurrence. Both rules are those of RFC 5545, section 3.3.5.
func (t Time) In(loc *time.Location) time.Time {
	if loc == nil {
		loc = time.UTC
	}
	switch {
	case t.wall.IsZero():
		return time.Time{}
	case t.zoned:
		return t.wall.In(loc)
	}
	y, mo, d := t.wall.Date()
	h, mi, s := t.wall.Clock()
	at := time.Date(y, mo, d, h, mi, s, t.wall.Nanosecond(), loc) // near a change it may take either offset
	if short := t.wall.Sub(wallOf(at)); short > 0 {
		return at.Add(short)
	}
	if change, _ := at.ZoneBounds(); !change.IsZero() {
		_, before := change.Add(-1).Zone()
		_, after := at.Zone()
		if first := at.Add(time.Duration(after-before) * time.Second); first.Before(change) &&
			wallOf(first).Equal(t.wall) {
			return first
		}
	}
	return at
}

// wallOf returns the wall clock of t as if it were in UTC.
func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// Raw returns the text that the server sent, or "" for none.
func (t Time) Raw() string { return t.raw }

// String returns the raw text.
func (t Time) String() string { return t.raw }

// Equal reports whether t and u are the same instant, or have no zone and the same wall clock.
func (t Time) Equal(u Time) bool { return t.zoned == u.zoned && t.wall.Equal(u.wall) }

// MarshalJSON writes the raw text, or null if it is "".
func (t Time) MarshalJSON() ([]byte, error) {
	if t.raw == "" {
		return []byte("null"), nil
	}
	return json.Marshal(t.raw)
}

// UnmarshalJSON reads any JSON value and never fails on valid JSON. [Time.Raw] holds a value that is not a time.
func (t *Time) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "null" {
		*t = Time{}
		return nil
	}
	if text, ok := lenient.Scalar(data); ok {
		*t = ParseTime(text)
	} else {
		*t = ParseTime(strings.ToValidUTF8(string(data), "\uFFFD"))
	}
	return nil
}

// parseTimeObject parses the two object forms that occur in records, {"_seconds": …} and {"$date": …}. It returns
// the zero time for any other object.
func parseTimeObject(text string) (wall time.Time, zoned bool) {
	var o struct {
		Seconds *int64          `json:"_seconds"`
		Nanos   int64           `json:"_nanoseconds"`
		Date    json.RawMessage `json:"$date"`
	}
	if json.Unmarshal([]byte(text), &o) != nil {
		return time.Time{}, false
	}
	switch {
	case o.Seconds != nil && *o.Seconds >= -lastSecond && *o.Seconds <= lastSecond && o.Nanos >= 0 && o.Nanos < 1e9:
		wall, zoned = time.Unix(*o.Seconds, o.Nanos).UTC(), true
	case len(o.Date) > 0 && o.Date[0] != '{':
		if text, ok := lenient.Scalar(o.Date); ok {
			wall, zoned, _ = parseTime(text)
		}
	}
	return wall, zoned && !wall.IsZero()
}

// lastSecond is the end of the year 9999, in seconds since 1970.
const lastSecond = 253402300799

// zonedLayouts and wallLayouts are all observed textual forms, the most frequent first. UTC is the only zone with a
// name: time.Parse would invent an offset for others.
var (
	zonedLayouts = []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700", time.RFC1123Z,
		"Mon, 02 Jan 2006 15:04:05 GMT", "Mon, 02 Jan 2006 15:04:05 UTC",
	}
	wallLayouts = []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
		"2006-01-02 15:04", "01/02/2006"}
)

// parseTime parses every textual form. A number is milliseconds since 1970, never seconds: a small number can be a
// birthday in 1970.
func parseTime(s string) (wall time.Time, zoned, ok bool) {
	if len(s) == len(time.DateOnly) && s[4] == '-' { // the most frequent form without a zone
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			return t, false, !t.IsZero()
		}
	}
	if n, isNumber := lenient.ParseNumber(s); isNumber {
		if n > lastSecond*1000 || n < -lastSecond*1000 {
			return time.Time{}, false, false
		}
		t := time.UnixMilli(int64(n)).UTC()
		return t, true, !t.IsZero()
	}
	if s == "" || !strings.ContainsAny(s[:1], "0123456789MTWFS") { // a digit or a day of the week
		return time.Time{}, false, false
	}
	if s[len(s)-1] != 'Z' && len(s) <= len(time.DateTime) {
		if t, ok := parseLayouts(wallLayouts, s); ok {
			return t, false, !t.IsZero()
		}
	}
	if t, ok := parseLayouts(zonedLayouts, s); ok {
		return t, true, !t.IsZero()
	}
	t, ok := parseLayouts(wallLayouts, s)
	return t, false, ok && !t.IsZero()
}

// parseLayouts parses s in the first layout that fits.
func parseLayouts(layouts []string, s string) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
