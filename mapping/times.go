package mapping

import (
	"time"

	"github.com/pluvo/ghl"
)

// instant returns the instant of a time from GHL in UTC. If there is a time and nobody can say which instant it is, problem
// says why.
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

// toPrecision returns an instant as GHL can hold it: in UTC, cut to a precision, with a note if that loses something.
func toPrecision(t time.Time, precision time.Duration, why string) (at time.Time, note, problem string) {
	if t.IsZero() {
		return time.Time{}, "", ""
	}
	at = t.UTC().Truncate(precision)
	if y := at.Year(); y < 1 || y > 9999 || at.IsZero() {
		return time.Time{}, "", whyNoYear
	}
	if !at.Equal(t) {
		note = why
	}
	return at, note, ""
}

// millis is a task's due date, seconds the time of an appointment, as GHL holds them.
func millis(t time.Time) (at time.Time, note, problem string) {
	return toPrecision(t, time.Millisecond, whyMillis)
}

func seconds(t time.Time) (at time.Time, note, problem string) {
	return toPrecision(t, time.Second, whySeconds)
}
