package ghl

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Time is a time as HighLevel sent it. The API has many forms: RFC 3339 with a zone, the same without one,
// "2021-07-16 11:00:00" local to the location, a bare date, and milliseconds since 1970 as a number or as text.
//
// A time without a zone is no instant until somebody says which zone is meant, so there is no way to read one by
// mistake: [Time.In] takes the zone, [Time.Instant] refuses. The zero value is "no time".
type Time struct {
	wall  time.Time // the instant, or for a time without a zone its wall clock in UTC
	raw   string
	zoned bool
}

// NewTime returns the Time of an instant.
func NewTime(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{wall: t, raw: t.Format(time.RFC3339Nano), zoned: true}
}

// ParseTime reads any of the forms that HighLevel uses. A text that is none of them is kept in [Time.Raw], and the
// Time is zero.
func ParseTime(s string) Time {
	t := Time{raw: s}
	if wall, zoned, ok := parseTime(strings.TrimSpace(s)); ok {
		t.wall, t.zoned = wall, zoned
	}
	return t
}

// IsZero reports whether there is no readable time. [Time.Raw] may still hold what the server sent.
func (t Time) IsZero() bool { return t.wall.IsZero() }

// HasZone reports whether the time says by itself which instant it is.
func (t Time) HasZone() bool { return t.zoned }

// Instant returns the instant. It is false for a time without a zone and for none at all: use [Time.In] there, with
// the zone of the location ([Location.TimeLocation]).
func (t Time) Instant() (time.Time, bool) { return t.wall, t.zoned && !t.wall.IsZero() }

// In returns the time in loc. A time without a zone is read as a wall clock in loc; a time with one keeps its instant.
// No time at all gives the zero time.Time. A nil loc means UTC.
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
	return time.Date(y, mo, d, h, mi, s, t.wall.Nanosecond(), loc)
}

// Raw returns the text as the server sent it, readable or not; "" when there was none.
func (t Time) Raw() string { return t.raw }

// String returns the raw text.
func (t Time) String() string { return t.raw }

// Equal reports whether both are the same instant, or both without a zone and the same wall clock.
func (t Time) Equal(u Time) bool { return t.zoned == u.zoned && t.wall.Equal(u.wall) }

// MarshalJSON writes the raw text, or null when there is none.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.raw == "" {
		return []byte("null"), nil
	}
	return json.Marshal(t.raw)
}

// UnmarshalJSON reads any form and never fails on valid JSON: what is no time is kept in [Time.Raw].
func (t *Time) UnmarshalJSON(data []byte) error {
	switch {
	case len(data) == 0 || string(data) == "null":
		*t = Time{}
	case data[0] == '"':
		text, _ := scalar(data)
		*t = ParseTime(text)
	case data[0] == '{':
		*t = parseTimeObject(data)
	default:
		*t = ParseTime(string(data))
	}
	return nil
}

// parseTimeObject reads the two object forms of document databases that reach the API's records: {"_seconds": …} and
// {"$date": …}.
func parseTimeObject(data []byte) Time {
	var o struct {
		Seconds *int64          `json:"_seconds"`
		Nanos   int64           `json:"_nanoseconds"`
		Date    json.RawMessage `json:"$date"`
	}
	t := Time{raw: string(data)}
	if json.Unmarshal(data, &o) != nil {
		return t
	}
	switch {
	case o.Seconds != nil:
		t.wall, t.zoned = time.Unix(*o.Seconds, o.Nanos).UTC(), true
	case len(o.Date) > 0 && o.Date[0] != '{':
		var inner Time
		if inner.UnmarshalJSON(o.Date) == nil {
			t.wall, t.zoned = inner.wall, inner.zoned
		}
	}
	return t
}

// zonedLayouts and wallLayouts are every textual form seen; the most frequent come first.
var (
	zonedLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700", time.RFC1123, time.RFC1123Z}
	wallLayouts  = []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "01/02/2006"}
)

// parseTime tries every form. A number is milliseconds since 1970, never seconds: a birthday early in 1970 is a small one.
func parseTime(s string) (wall time.Time, zoned, ok bool) {
	if s == "" {
		return time.Time{}, false, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		const year9999 = 253402300799
		if n != n || n > year9999*1000 || n < -year9999*1000 {
			return time.Time{}, false, false
		}
		return time.UnixMilli(int64(n)).UTC(), true, true
	}
	if s[len(s)-1] != 'Z' && len(s) <= len(time.DateTime) {
		for _, layout := range wallLayouts {
			if t, err := time.Parse(layout, s); err == nil {
				return t, false, !t.IsZero()
			}
		}
	}
	for _, layout := range zonedLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true, !t.IsZero()
		}
	}
	for _, layout := range wallLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, false, !t.IsZero()
		}
	}
	return time.Time{}, false, false
}
