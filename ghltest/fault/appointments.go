package fault

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// MisspelledStatusAlone sends the status of an appointment as appoinmentStatus only, as old lists do. Other answers
// have it beside appointmentStatus.
func MisspelledStatusAlone() Kind {
	return changedObjects("MisspelledStatusAlone", func(object map[string]any) {
		if _, ok := object["appoinmentStatus"]; ok {
			delete(object, "appointmentStatus")
		}
	})
}

// BookingWithoutTimes removes startTime and endTime from the answer to a create and to an update of an appointment. A
// published schema of live answers to a booking has neither.
func BookingWithoutTimes() Kind {
	return EditedAnswer(func(decoded any) any {
		booked, ok := decoded.(map[string]any) // lists and reads have the appointment in a property
		if _, isEvent := booked["calendarId"]; ok && isEvent {
			delete(booked, "startTime")
			delete(booked, "endTime")
		}
		return decoded
	}).named("BookingWithoutTimes")
}

// SlotsForm is the form of free slots in an answer. See [FreeSlotsAs].
type SlotsForm uint8

const (
	// SlotsByDay is {"2026-01-09": {"slots": ["…"]}}, the documented form.
	SlotsByDay SlotsForm = iota
	// SlotsUnderDates is {"_dates_": {"2026-01-09": {"slots": ["…"]}}}.
	SlotsUnderDates
	// SlotsInOneList is {"slots": ["…"]}.
	SlotsInOneList
	// SlotsInBareLists is {"2026-01-09": ["…"]}.
	SlotsInBareLists

	slotsForms // the number of forms
)

var slotsFormNames = [slotsForms]string{"SlotsByDay", "SlotsUnderDates", "SlotsInOneList", "SlotsInBareLists"}

// String returns the name of the form.
func (f SlotsForm) String() string {
	if f >= slotsForms {
		return "SlotsForm(" + strconv.Itoa(int(f)) + ")"
	}
	return slotsFormNames[f]
}

// FreeSlotsAs sends free slots in another form. Several clients handle these forms beside the documented one.
func FreeSlotsAs(form SlotsForm) Kind {
	return EditedAnswer(func(decoded any) any {
		if free, ok := decoded.(map[string]any); ok && isFreeSlots(free) {
			return form.write(free)
		}
		return decoded
	}).named("FreeSlotsAs("+form.String()+")").
		refusedIf(form >= slotsForms, "FreeSlotsAs: unknown form %s", form)
}

// isFreeSlots reports whether an answer has days and a trace id only.
func isFreeSlots(object map[string]any) bool {
	for name := range object {
		if _, err := time.Parse(time.DateOnly, name); err != nil && name != "traceId" {
			return false
		}
	}
	return object["traceId"] != nil
}

func (f SlotsForm) write(free map[string]any) map[string]any {
	out, days, all := map[string]any{"traceId": free["traceId"]}, map[string]any{}, []any{}
	for _, name := range slices.Sorted(maps.Keys(free)) {
		day, _ := free[name].(map[string]any)
		slots, ok := day["slots"].([]any)
		if !ok {
			continue
		}
		all = append(all, slots...)
		if days[name] = day; f == SlotsInBareLists {
			days[name] = slots
		}
	}
	switch f {
	case SlotsUnderDates:
		out["_dates_"] = days
	case SlotsInOneList:
		out["slots"] = all
	default:
		maps.Copy(out, days)
	}
	return out
}
