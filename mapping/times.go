package mapping

import (
	"time"

	"github.com/pluvo/ghl"
)

// instant returns the instant of a time from GHL in UTC. For a time that cannot be read, problem says why.
func (m *Mapper) instant(t ghl.Time) (at time.Time, note, problem string) {
	switch {
	case t.IsZero() && t.Raw() != "":
		return time.Time{}, "", whyNoTime
	case t.IsZero():
		return time.Time{}, "", ""
	case t.HasZone():
		at = t.In(time.UTC)
	case m.o.TimeZone == nil:
		return time.Time{}, "", whyNoZone
	default:
		at, note = t.In(m.o.TimeZone).UTC(), whyZone
	}
	if y := at.Year(); y < 1 || y > 9999 {
		return time.Time{}, "", whyNoYear
	}
	return at, note, ""
}

// inMillis and inSeconds return a time in the precision in which GHL stores it.
func inMillis(v value) value  { return v.truncated(time.Millisecond, whyMillis) }
func inSeconds(v value) value { return v.truncated(time.Second, whySeconds) }

// truncated returns an instant in UTC, cut to a precision. A note says if that changes it.
func (v value) truncated(precision time.Duration, note string) value {
	if v.at.IsZero() {
		return v
	}
	given := v.at
	v.at = given.UTC().Truncate(precision)
	if y := v.at.Year(); y < 1 || y > 9999 || v.at.IsZero() {
		v.problem = whyNoYear
		return v
	}
	if !v.at.Equal(given) {
		v.note = note
	}
	return v
}
