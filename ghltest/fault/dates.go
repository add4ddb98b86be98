package fault

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/pluvo/ghl"
)

// DateForm is the form of a date in an answer. See [DatesAs].
type DateForm uint8

const (
	// DateISO is 2026-03-02T13:00:00.000Z.
	DateISO DateForm = iota
	// DateOffset is 2026-03-02T18:30:00+05:30.
	DateOffset
	// DateLocal is 2026-03-02 13:00:00, without a zone.
	DateLocal
	// DateDay is 2026-03-02.
	DateDay
	// DateMillis is the number of milliseconds since 1970.
	DateMillis
	// DateMillisText is DateMillis as a string.
	DateMillisText
	// DateNull is null.
	DateNull
	// DateEmpty is "".
	DateEmpty
	// DateSeconds is the object {"_seconds": 1772456400, "_nanoseconds": 0}.
	DateSeconds
	// DateMongo is the object {"$date": "2026-03-02T13:00:00.000Z"}.
	DateMongo

	dateForms // the number of forms
)

var dateFormNames = [dateForms]string{
	"DateISO", "DateOffset", "DateLocal", "DateDay", "DateMillis", "DateMillisText", "DateNull", "DateEmpty",
	"DateSeconds", "DateMongo",
}

// String returns the name of the form.
func (f DateForm) String() string {
	if f >= dateForms {
		return "DateForm(" + strconv.Itoa(int(f)) + ")"
	}
	return dateFormNames[f]
}

var dateProperties = []string{
	"dateAdded", "dateUpdated", "dateOfBirth", "lastActivity", "lastSessionActivityAt", "dueDate", "startTime",
	"endTime", "createdAt", "updatedAt",
}

// DatesAs sends dates in another form: the properties with these names, or all dates without names.
func DatesAs(form DateForm, names ...string) Kind {
	if len(names) == 0 {
		names = dateProperties
	}
	return changed("DatesAs("+form.String()+")", func(property string, value any) (any, bool) {
		if at := instant(value); slices.Contains(names, property) && !at.IsZero() {
			return form.write(at), true
		}
		return value, true
	}).refusedIf(form >= dateForms, "DatesAs: unknown form %s", form)
}

// instant returns the time in a date of an answer, and the zero time for any other value.
func instant(value any) time.Time {
	switch v := value.(type) {
	case string:
		return ghl.ParseTime(v).In(time.UTC)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return time.UnixMilli(n).UTC()
		}
	}
	return time.Time{}
}

func (f DateForm) write(at time.Time) any {
	switch f {
	case DateOffset:
		return at.In(time.FixedZone("", 5*3600+1800)).Format(time.RFC3339)
	case DateLocal:
		return at.Format(time.DateTime)
	case DateDay:
		return at.Format(time.DateOnly)
	case DateMillis:
		return at.UnixMilli()
	case DateMillisText:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case DateNull:
		return nil
	case DateEmpty:
		return ""
	case DateSeconds:
		return map[string]any{"_seconds": at.Unix(), "_nanoseconds": at.Nanosecond()}
	case DateMongo:
		return map[string]any{"$date": DateISO.write(at)}
	default:
		return at.Format("2006-01-02T15:04:05.000Z")
	}
}
