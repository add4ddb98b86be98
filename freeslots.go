package ghl

import (
	"bytes"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// DaySlots holds the free slots of one day.
type DaySlots struct {
	Date  string // YYYY-MM-DD
	Slots []Time
}

// FreeSlotsQuery is the input of [CalendarsService.FreeSlots]. From and To are required.
type FreeSlotsQuery struct {
	// From and To bound the search; they are at most 31 days apart.
	From, To time.Time
	// Timezone is the IANA name of the zone of the returned slots and days; "" means the calendar's.
	Timezone string
	// UserIDs limits the slots to those of these users; empty means all.
	UserIDs []string
}

func (q *FreeSlotsQuery) check() error {
	switch {
	case q == nil || q.From.IsZero():
		return badInputf("From", "From is required")
	case q.To.Sub(q.From) > 31*24*time.Hour:
		return badInputf("To", "To must be at most 31 days after From")
	}
	if len(q.UserIDs) > 0 {
		if err := checkIDs("UserIDs", q.UserIDs); err != nil {
			return err
		}
	}
	return checkSpan("To", q.From, q.To)
}

func (q *FreeSlotsQuery) values() url.Values {
	v := url.Values{}
	if q == nil {
		return v
	}
	v.Set("startDate", millis(q.From))
	v.Set("endDate", millis(q.To))
	setIf(v, "timezone", q.Timezone)
	switch len(q.UserIDs) {
	case 0:
	case 1:
		v.Set("userId", q.UserIDs[0])
	default:
		v["userIds"] = q.UserIDs
	}
	return v
}

// FreeSlots returns the slots of a calendar that can be booked, in order of their days: GET
// /calendars/{calendarId}/free-slots, scope calendars.readonly.
//
// The API sends the slots in several shapes. An answer in any other shape is [ErrBadResponse], so that an empty
// result always means that no slot is free. A slot that the answer lists without its day is under the day of its
// own offset, or of its day in Timezone if it is in UTC.
func (s *CalendarsService) FreeSlots(
	ctx context.Context, calendarID string, in *FreeSlotsQuery, opts ...CallOption,
) ([]DaySlots, error) {
	slots := freeSlots{days: map[string]*DaySlots{}}
	r := request{op: opCalendarsFreeSlots, path: []string{calendarID}, query: in.values()}
	err := s.client.do(ctx, r, func(_ *call, body []byte) error {
		if err := checkObject(body); err != nil {
			return err
		}
		if in.Timezone != "" {
			slots.zone, _ = time.LoadLocation(in.Timezone)
		}
		return slots.read(body, true)
	}, append([]CallOption{checked(in)}, opts...))
	if err != nil {
		return nil, err
	}
	return slots.sorted(), nil
}

// freeSlots collects the slots of an answer by day.
type freeSlots struct {
	days map[string]*DaySlots
	zone *time.Location // nil if it is unknown
}

// errSlots is the error for an answer in a shape that could hold slots unread.
var errSlots = &badAnswerError{text: "the free slots in the answer have an unknown shape"}

// read reads an object by day. wrapped allows the properties that hold all days or all slots:
//
//	{"2026-01-09":{"slots":[…]}}
//	{"2026-01-09":[…]}
//	{"_dates_":{"2026-01-09":…}}
//	{"slots":[…]}, {"slots":{"2026-01-09":…}}
func (f *freeSlots) read(object []byte, wrapped bool) error {
	var known, unknown bool
	err := lenient.EachField(object, func(key, value []byte) error {
		name := string(key)
		switch {
		case name == "traceId":
			return nil
		case wrapped && (name == "_dates_" || name == "slots"):
			known = true
			if lenient.IsObject(value) {
				return f.read(value, false)
			}
			return f.list("", value)
		case len(name) >= len(time.DateOnly) && name[4] == '-' && !ParseTime(name).IsZero():
			known = true
			return f.day(name[:len(time.DateOnly)], value)
		case value[0] == '[' || bytes.Contains(value, []byte(`"slots"`)):
			return errSlots
		}
		unknown = true
		return nil
	})
	if err == nil && unknown && !known {
		return errSlots
	}
	return err
}

// day reads the slots of a day: a list, or an object with the list.
func (f *freeSlots) day(date string, value []byte) error {
	if lenient.IsObject(value) {
		list := lenient.Field(value, "slots")
		if list == nil && len(bytes.TrimSpace(value[1:len(value)-1])) > 0 {
			return errSlots
		}
		value = list
	}
	f.of(date)
	return f.list(date, value)
}

// of returns the slots of a day.
func (f *freeSlots) of(date string) *DaySlots {
	if f.days[date] == nil {
		f.days[date] = &DaySlots{Date: date}
	}
	return f.days[date]
}

// list reads a list of slots. date is "" if the list does not belong to a day.
func (f *freeSlots) list(date string, value []byte) error {
	if len(value) == 0 || string(value) == "null" {
		return nil
	}
	if value[0] != '[' {
		return errSlots
	}
	return lenient.EachElement(value, func(element []byte) error {
		if string(element) == "null" || string(element) == `""` {
			return nil
		}
		slot, err := slotTime(element)
		if err != nil {
			return err
		}
		of := date
		switch {
		case of != "":
		case slot.IsZero():
			return errSlots
		default:
			of = f.dayOf(slot)
		}
		day := f.of(of)
		day.Slots = append(day.Slots, slot)
		return nil
	})
}

// dayOf returns the day of a slot.
func (f *freeSlots) dayOf(slot Time) string {
	at := slot.wall
	if _, offset := at.Zone(); slot.zoned && offset == 0 && f.zone != nil {
		at = at.In(f.zone)
	}
	return at.Format(time.DateOnly)
}

// slotTime reads a slot: a time, or an object with its start.
func slotTime(element []byte) (Time, error) {
	if text, ok := lenient.Scalar(element); ok {
		return ParseTime(text), nil
	}
	if !lenient.IsObject(element) {
		return Time{}, errSlots
	}
	for _, name := range []string{"startTime", "start", "time", "slot"} {
		if text, ok := lenient.Scalar(lenient.Field(element, name)); ok {
			if start := ParseTime(text); !start.IsZero() {
				return start, nil
			}
		}
	}
	return Time{}, errSlots
}

func (f *freeSlots) sorted() []DaySlots {
	var days []DaySlots
	for _, day := range f.days {
		days = append(days, *day)
	}
	slices.SortFunc(days, func(a, b DaySlots) int { return strings.Compare(a.Date, b.Date) })
	return days
}
