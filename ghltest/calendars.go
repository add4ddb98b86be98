package ghltest

import (
	"net/http"
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

var blockProperties = properties{
	"calendarId": optional(text), "locationId": required(text), "title": optional(text),
	"assignedUserId": optional(text),
	"startTime":      required(instant), "endTime": required(instant),
}

func (s *state) calendarOf(l *location, id string) *calendar {
	for _, cal := range l.calendars {
		if cal.ID == id {
			return cal
		}
	}
	return nil
}

// calendar returns a calendar of the token's location.
func (c *call) calendar(id string) (*calendar, error) {
	if cal := c.calendarOf(c.location, id); cal != nil {
		return cal, nil
	}
	for _, l := range c.locations {
		if c.calendarOf(l, id) != nil {
			return nil, wrongLocation()
		}
	}
	return nil, refuse(http.StatusBadRequest, "Calendar not found")
}

func (c *call) listCalendars() (any, error) {
	drafted, err := c.flag("showDrafted", true)
	if err != nil {
		return nil, err
	}
	list := []ghl.Calendar{}
	for _, cal := range c.location.calendars {
		group := c.query.Get("groupId")
		if (group == "" || group == cal.GroupID) && (cal.IsActive || drafted) {
			list = append(list, cal.Calendar)
		}
	}
	return map[string]any{"calendars": list, "traceId": c.ids.uuid()}, nil
}

func (c *call) listEvents() (any, error)       { return c.events(false) }
func (c *call) listBlockedSlots() (any, error) { return c.events(true) }

// events answers the events or the blocked slots in a time range, sorted by start.
func (c *call) events(blocked bool) (any, error) {
	from, to, err := c.span("startTime", "endTime")
	if err != nil {
		return nil, err
	}
	calendarID, user, group := c.query.Get("calendarId"), c.query.Get("userId"), c.query.Get("groupId")
	if calendarID == "" && user == "" && group == "" {
		return nil, invalid("Either of userId, calendarId or groupId is required")
	}
	list := []*event{}
	for _, e := range c.location.events {
		if e.blocked == blocked && e.start.Before(to) && e.end.After(from) &&
			(calendarID == "" || calendarID == e.CalendarID) && (group == "" || group == e.GroupID) &&
			(user == "" || user == e.AssignedUserID || slices.Contains(e.Users, user)) {
			list = append(list, e)
		}
	}
	return map[string]any{"events": answers(list, c.inCalendar), "traceId": c.ids.uuid()}, nil
}

// span returns two times of the query, which has them in milliseconds since 1970.
func (c *call) span(first, last string) (from, to time.Time, err error) {
	var at [2]time.Time
	for i, name := range []string{first, last} {
		if c.query.Get(name) == "" {
			return from, to, invalid(name+" should not be empty", name+reasons[number])
		}
		millis, err := c.number64(name, 0, 0, 1<<53)
		if err != nil {
			return from, to, err
		}
		at[i] = time.UnixMilli(millis)
	}
	if !at[1].After(at[0]) {
		return from, to, invalid(last + " must be after " + first)
	}
	return at[0], at[1], nil
}

// freeSlots answers the slots that can be booked, grouped by day.
func (c *call) freeSlots() (any, error) {
	cal, err := c.calendar(c.param("calendarId"))
	if err != nil {
		return nil, err
	}
	from, to, err := c.span("startDate", "endDate")
	if err != nil {
		return nil, err
	}
	if to.Sub(from) > 31*24*time.Hour {
		return nil, refuse(http.StatusBadRequest, "Date range cannot be more than 31 days")
	}
	zone := c.location.zone
	if name := c.query.Get("timezone"); name != "" {
		if zone, err = time.LoadLocation(name); err != nil {
			return nil, invalid("timezone must be a valid IANA time-zone")
		}
	}
	users := c.query["userIds"]
	if user := c.query.Get("userId"); user != "" {
		users = append(users, user)
	}
	type day struct {
		Slots []string `json:"slots"`
	}
	answer, days := map[string]any{"traceId": c.ids.uuid()}, map[string]*day{}
	last := to.In(c.location.zone)
	for d := from.In(c.location.zone); !midnight(d).After(last); d = d.AddDate(0, 0, 1) {
		for _, slot := range cal.slots(d) {
			if slot.Before(from) || !slot.Before(to) || !cal.offers(slot, c.now) ||
				!c.free(cal, slot, slot.Add(cal.length()), nil, users) {
				continue
			}
			local := slot.In(zone)
			date := local.Format(time.DateOnly)
			if days[date] == nil {
				days[date] = new(day)
				answer[date] = days[date]
			}
			days[date].Slots = append(days[date].Slots, local.Format(time.RFC3339))
		}
	}
	return answer, nil
}

// blockSlot blocks a time range of one calendar, or of one user in every calendar.
func (c *call) blockSlot() (any, error) {
	in, err := read[struct {
		CalendarID     string    `json:"calendarId"`
		AssignedUserID string    `json:"assignedUserId"`
		Title          string    `json:"title"`
		StartTime      time.Time `json:"startTime"`
		EndTime        time.Time `json:"endTime"`
	}](c)
	if err != nil {
		return nil, err
	}
	switch {
	case in.CalendarID != "" && in.AssignedUserID != "":
		return nil, invalid("calendarId and assignedUserId cannot be used together")
	case in.CalendarID == "" && in.AssignedUserID == "":
		return nil, invalid("Either of calendarId or assignedUserId is required")
	case in.CalendarID != "":
		if _, err := c.calendar(in.CalendarID); err != nil {
			return nil, err
		}
	}
	if !in.EndTime.After(in.StartTime) {
		return nil, refuse(http.StatusBadRequest, "The end time must be after the start time")
	}
	e := &event{location: c.location, start: in.StartTime, end: in.EndTime, blocked: true}
	e.CalendarID, e.Title, e.AssignedUserID = in.CalendarID, in.Title, in.AssignedUserID
	setDefault(&e.Title, "Blocked")
	c.storeEvent(e, c.now)
	return asBlocked(e), nil
}
