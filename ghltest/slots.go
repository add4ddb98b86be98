package ghltest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

// A calendar is booked in slots. Its open hours, in the location's zone, are divided into slots.

func units(n float64, unit string) time.Duration {
	length := time.Minute
	switch unit {
	case "hours":
		length = time.Hour
	case "days":
		length = 24 * time.Hour
	case "weeks":
		length = 7 * 24 * time.Hour
	case "months":
		length = 30 * 24 * time.Hour
	}
	return time.Duration(n * float64(length))
}

func (c *calendar) length() time.Duration   { return units(c.SlotDuration, c.SlotDurationUnit) }
func (c *calendar) interval() time.Duration { return units(c.SlotInterval, c.SlotIntervalUnit) }

// check refuses impossible slots and hours.
func (c *calendar) check() error {
	if err := c.checkSlots(); err != nil {
		return err
	}
	return c.checkHours()
}

func (c *calendar) checkSlots() error {
	const century = 100 * 365 * 24 * 60 // minutes
	for _, n := range []float64{
		c.SlotDuration, c.SlotInterval, c.SlotBuffer, c.PreBuffer, c.AllowBookingAfter, c.AllowBookingFor,
		c.AppointmentPerSlot, c.AppointmentPerDay,
	} {
		if math.IsNaN(n) || n < 0 || n > century {
			return errors.New("a number of the calendar is negative or too large")
		}
	}
	for _, unit := range []string{
		c.SlotDurationUnit, c.SlotIntervalUnit, c.SlotBufferUnit, c.PreBufferUnit, c.AllowBookingAfterUnit,
		c.AllowBookingForUnit,
	} {
		if !slices.Contains([]string{"", "mins", "hours", "days", "weeks", "months"}, unit) {
			return fmt.Errorf("unknown unit %q; use mins, hours, days, weeks or months", unit)
		}
	}
	if c.length() < time.Minute || c.interval() < time.Minute {
		return errors.New("the calendar's slots are shorter than a minute")
	}
	return nil
}

func (c *calendar) checkHours() error {
	var hours []hour
	for _, open := range c.OpenHours {
		if slices.ContainsFunc(open.DaysOfTheWeek, func(day int) bool { return day < 0 || day > 6 }) {
			return errors.New("a day of the calendar is not between 0 (Sunday) and 6")
		}
		hours = append(hours, open.Hours...)
	}
	for _, date := range c.Availabilities {
		if date.Date.IsZero() {
			return errors.New("an availability of the calendar has no date")
		}
		hours = append(hours, date.Hours...)
	}
	for _, h := range hours {
		if h.OpenHour < 0 || h.CloseHour > 24 || h.OpenMinute < 0 || h.OpenMinute > 59 ||
			h.CloseMinute < 0 || h.CloseMinute > 59 || h.OpenHour*60+h.OpenMinute >= h.CloseHour*60+h.CloseMinute {
			return errors.New("the calendar's hours are not within a day, or end before they begin")
		}
	}
	return nil
}

// slots returns the starts of a day's slots. day is any time of the day, in the location's zone.
func (c *calendar) slots(day time.Time) []time.Time {
	var starts []time.Time
	y, m, d := day.Date()
	at := func(hour, minute int) time.Time { return time.Date(y, m, d, hour, minute, 0, 0, day.Location()) }
	for _, h := range c.hours(day) {
		closes := at(h.CloseHour, h.CloseMinute)
		for t := at(h.OpenHour, h.OpenMinute); !t.Add(c.length()).After(closes); t = t.Add(c.interval()) {
			starts = append(starts, t)
		}
	}
	return starts
}

// hour is the element of the two Hours in [ghl.Calendar].
type hour = struct {
	OpenHour    int `json:"openHour"`
	OpenMinute  int `json:"openMinute"`
	CloseHour   int `json:"closeHour"`
	CloseMinute int `json:"closeMinute"`
}

// hours returns the open hours of a date, or of its day of the week when the date has no hours of its own.
func (c *calendar) hours(day time.Time) []hour {
	if c.AvailabilityType == nil || *c.AvailabilityType == 1 {
		for _, a := range c.Availabilities {
			if !a.Deleted && a.Date.In(time.UTC).Format(time.DateOnly) == day.Format(time.DateOnly) {
				return a.Hours
			}
		}
	}
	var hours []hour
	if c.AvailabilityType == nil || *c.AvailabilityType == 0 {
		for _, open := range c.OpenHours {
			for _, weekday := range open.DaysOfTheWeek {
				if weekday == int(day.Weekday()) {
					hours = append(hours, open.Hours...)
				}
			}
		}
	}
	return hours
}

// hasSlot reports whether a slot starts at a time.
func (c *calendar) hasSlot(start time.Time, zone *time.Location) bool {
	for _, slot := range c.slots(start.In(zone)) {
		if slot.Equal(start) {
			return true
		}
	}
	return false
}

// offers reports whether a time is within the dates that can be booked now.
func (c *calendar) offers(start, now time.Time) bool {
	if start.Before(now.Add(units(c.AllowBookingAfter, c.AllowBookingAfterUnit))) {
		return false
	}
	return c.AllowBookingFor == 0 || !start.After(now.Add(units(c.AllowBookingFor, c.AllowBookingForUnit)))
}

// free reports whether the calendar has room for another appointment, ignoring the event except. At least one of the
// users, or of the calendar's team when users is empty, must not be blocked.
func (s *state) free(cal *calendar, start, end time.Time, except *event, users []string) bool {
	if len(users) == 0 {
		for _, member := range cal.TeamMembers {
			users = append(users, member.UserID)
		}
	}
	users = slices.Clone(users)
	needed := len(users) > 0
	before, after := units(cal.PreBuffer, cal.PreBufferUnit), units(cal.SlotBuffer, cal.SlotBufferUnit)
	inSlot, inDay := 0, 0
	for _, e := range s.locations[cal.LocationID].events {
		if e == except || !e.takesTime() || e.CalendarID != cal.ID && e.CalendarID != "" {
			continue
		}
		if e.blocked {
			switch {
			case !e.start.Before(end) || !e.end.After(start):
			case e.CalendarID != "":
				return false
			default:
				users = slices.DeleteFunc(users, func(user string) bool { return user == e.AssignedUserID })
			}
			continue
		}
		if e.start.Add(-before).Before(end) && e.end.Add(after).After(start) {
			inSlot++
		}
		if midnight(e.start.In(e.location.zone)).Equal(midnight(start.In(e.location.zone))) {
			inDay++
		}
	}
	if needed && len(users) == 0 {
		return false
	}
	return inSlot < int(cal.AppointmentPerSlot) && (cal.AppointmentPerDay == 0 || inDay < int(cal.AppointmentPerDay))
}

func (e *event) takesTime() bool {
	return e.AppointmentStatus != ghl.AppointmentCancelled && e.AppointmentStatus != ghl.AppointmentInvalid
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}
