package ghl

import (
	"bytes"
	"encoding/json"
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
	if _, offset := t.Zone(); offset%60 != 0 { // of long ago; RFC 3339 has no seconds there
		t = t.UTC()
	}
	return Time{wall: t.Round(0), raw: t.Format(time.RFC3339Nano), zoned: true}
}

// ParseTime reads any of the forms that HighLevel uses. A text that is none of them is kept in [Time.Raw], and the
// Time is zero.
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

// IsZero reports whether there is no readable time. [Time.Raw] may still hold what the server sent, and the record's [Extra]
// does then.
func (t Time) IsZero() bool { return t.wall.IsZero() }

// HasZone reports whether the time says by itself which instant it is.
func (t Time) HasZone() bool { return t.zoned }

// Instant returns the instant. It is false for a time without a zone and for none at all: use [Time.In] there, with
// the zone of the location ([Location.TimeLocation]).
func (t Time) Instant() (time.Time, bool) { return t.wall, t.zoned && !t.wall.IsZero() }

// In returns the time in loc. A time without a zone is read as a wall clock in loc; a time with one keeps its instant.
// No time at all gives the zero time.Time. A nil loc means UTC.
//
// Where a wall clock is set forward and skips the time, it is what the clock would have shown had it not been set: 02:30
// becomes 03:30, and a date whose midnight is skipped begins at 01:00. Where it is set back and shows the time twice, it is
// the first. Calendars read it so too (RFC 5545, 3.3.5).
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
		if first := at.Add(time.Duration(after-before) * time.Second); first.Before(change) && wallOf(first).Equal(t.wall) {
			return first
		}
	}
	return at
}

// wallOf returns what the clock shows at t, as if in UTC.
func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
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
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "null" {
		*t = Time{}
		return nil
	}
	if text, ok := scalar(data); ok {
		*t = ParseTime(text)
	} else {
		*t = ParseTime(strings.ToValidUTF8(string(data), "\uFFFD"))
	}
	return nil
}

// parseTimeObject reads the two object forms of document databases that reach the API's records: {"_seconds": …} and
// {"$date": …}. The zero time is no time.
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
		if text, ok := scalar(o.Date); ok {
			wall, zoned, _ = parseTime(text)
		}
	}
	return wall, zoned && !wall.IsZero()
}

// lastSecond is the end of the year 9999, in seconds since 1970.
const lastSecond = 253402300799

// zonedLayouts and wallLayouts are every textual form seen; the most frequent come first. Of the zones with a name only
// those of UTC are taken, for time.Parse would make up an offset for the others.
var (
	zonedLayouts = []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700", time.RFC1123Z,
		"Mon, 02 Jan 2006 15:04:05 GMT", "Mon, 02 Jan 2006 15:04:05 UTC",
	}
	wallLayouts = []string{time.DateTime, time.DateOnly, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "01/02/2006"}
)

// parseTime tries every form. A number is milliseconds since 1970, never seconds: a birthday early in 1970 is a small one.
func parseTime(s string) (wall time.Time, zoned, ok bool) {
	if len(s) == len(time.DateOnly) && s[4] == '-' { // the most frequent form without a zone
		if t, err := time.Parse(time.DateOnly, s); err == nil {
			return t, false, !t.IsZero()
		}
	}
	if n, isNumber := parseNumber(s); isNumber {
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
