package ghl

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CalendarsService reaches the calendars of a location.
type CalendarsService service

// List reads the location's calendars; there are no pages: GET /calendars/, scope calendars.readonly. o may be nil.
func (s *CalendarsService) List(ctx context.Context, o *ListCalendarsOptions, opts ...CallOption) ([]*Calendar, error) {
	q := url.Values{}
	if o != nil {
		setIf(q, "groupId", o.GroupID)
		if o.ShowDrafted != nil {
			q.Set("showDrafted", strconv.FormatBool(*o.ShowDrafted))
		}
	}
	return many[Calendar](ctx, s.client, request{op: opCalendarsList, query: q}, append([]CallOption{checked(o)}, opts...))
}

// ListCalendarsOptions chooses calendars. The zero value is all of them.
type ListCalendarsOptions struct {
	GroupID string
	// ShowDrafted is nil for the server's default, true.
	ShowDrafted *bool
}

func (o *ListCalendarsOptions) check() error { return checkGiven("GroupID", orZero(o).GroupID) }

// DaySlots are the free slots of a day.
type DaySlots struct {
	Date  string // YYYY-MM-DD
	Slots []Time
}

// FreeSlotsQuery says which free slots to look for.
type FreeSlotsQuery struct {
	// From and To are at most 31 days apart.
	From, To time.Time
	// Timezone is the IANA name of the zone in which slots and days are given; "" is the calendar's.
	Timezone string
	// UserIDs limits the slots to those of some users.
	UserIDs []string
}

func (q *FreeSlotsQuery) check() error {
	switch {
	case q == nil || q.From.IsZero():
		return badInputf("From", "free slots need a start")
	case q.To.Sub(q.From) > 31*24*time.Hour:
		return badInputf("To", "free slots are given for 31 days at most")
	}
	if len(q.UserIDs) > 0 {
		if err := checkIDs("UserIDs", q.UserIDs); err != nil {
			return err
		}
	}
	return checkSpan("To", q.From, q.To, false)
}

// FreeSlots reads the slots of a calendar that can be booked, by day in order: GET /calendars/{calendarId}/free-slots, scope
// calendars.readonly.
func (s *CalendarsService) FreeSlots(ctx context.Context, calendarID string, in *FreeSlotsQuery, opts ...CallOption) ([]DaySlots, error) {
	q := url.Values{}
	if in != nil {
		q.Set("startDate", millis(in.From))
		q.Set("endDate", millis(in.To))
		setIf(q, "timezone", in.Timezone)
		switch len(in.UserIDs) {
		case 0:
		case 1:
			q.Set("userId", in.UserIDs[0])
		default:
			q["userIds"] = in.UserIDs
		}
	}
	var days []DaySlots
	err := s.client.do(ctx, request{op: opCalendarsFreeSlots, path: []string{calendarID}, query: q}, func(k *call, body []byte) error {
		if err := checkObject(body); err != nil {
			return err
		}
		return eachField(body, func(key, value []byte) error { // days, and beside them a traceId
			if _, err := time.Parse(time.DateOnly, string(key)); err != nil {
				return nil
			}
			day := DaySlots{Date: string(key)}
			for _, slot := range texts(field(value, "slots")) {
				day.Slots = append(day.Slots, ParseTime(slot))
			}
			days = append(days, day)
			return nil
		})
	}, append([]CallOption{checked(in)}, opts...))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(days, func(a, b DaySlots) int { return strings.Compare(a.Date, b.Date) })
	return days, nil
}

// EventsQuery says which events to look for: in a time, and of a calendar, a user or a group, of which one is needed.
type EventsQuery struct {
	StartTime, EndTime time.Time
	CalendarID         string
	UserID             string
	GroupID            string
}

func (q *EventsQuery) check() error {
	switch {
	case q == nil || q.StartTime.IsZero():
		return badInputf("StartTime", "events need a start")
	case q.CalendarID == "" && q.UserID == "" && q.GroupID == "":
		return badInputf("CalendarID", "events are those of a calendar, a user or a group")
	}
	for _, id := range [][2]string{{"CalendarID", q.CalendarID}, {"UserID", q.UserID}, {"GroupID", q.GroupID}} {
		if err := checkGiven(id[0], id[1]); err != nil {
			return err
		}
	}
	return checkSpan("EndTime", q.StartTime, q.EndTime, false)
}

func (q *EventsQuery) values() url.Values {
	v := url.Values{}
	if q != nil {
		v.Set("startTime", millis(q.StartTime))
		v.Set("endTime", millis(q.EndTime))
		setIf(v, "calendarId", q.CalendarID)
		setIf(v, "userId", q.UserID)
		setIf(v, "groupId", q.GroupID)
	}
	return v
}

// Events reads the events in a time: GET /calendars/events, scope calendars/events.readonly. There are no pages, so keep the
// time short for a busy calendar.
func (s *CalendarsService) Events(ctx context.Context, q *EventsQuery, opts ...CallOption) ([]*CalendarEvent, error) {
	return many[CalendarEvent](ctx, s.client, request{op: opCalendarsEvents, query: q.values()}, append([]CallOption{checked(q)}, opts...))
}

// BlockedSlots reads the blocked slots in a time: GET /calendars/blocked-slots, scope calendars/events.readonly.
func (s *CalendarsService) BlockedSlots(ctx context.Context, q *EventsQuery, opts ...CallOption) ([]*CalendarEvent, error) {
	return many[CalendarEvent](ctx, s.client, request{op: opCalendarsBlockedSlots, query: q.values()}, append([]CallOption{checked(q)}, opts...))
}

// BlockSlot is a time in which nothing can be booked, in a calendar or with a user: CalendarID or AssignedUserID is needed,
// and the API takes one of them only.
type BlockSlot struct {
	CalendarID     string
	AssignedUserID string
	Title          string
	StartTime      time.Time
	EndTime        time.Time
}

func (in *BlockSlot) check() error {
	switch {
	case in == nil:
		return badInputf("BlockSlot", "there is no slot to block")
	case in.StartTime.IsZero():
		return badInputf("StartTime", "a blocked slot needs a start")
	case in.CalendarID == "" && in.AssignedUserID == "":
		return badInputf("CalendarID", "a slot is blocked in a calendar or with a user")
	case in.CalendarID != "" && in.AssignedUserID != "":
		return badInputf("AssignedUserID", "CalendarID and AssignedUserID exclude each other")
	}
	if err := checkGiven("CalendarID", in.CalendarID); err != nil {
		return err
	}
	if err := checkGiven("AssignedUserID", in.AssignedUserID); err != nil {
		return err
	}
	return checkSpan("EndTime", in.StartTime, in.EndTime, false)
}

func (in *BlockSlot) wire(to target) any {
	return struct {
		CalendarID     string `json:"calendarId,omitempty"`
		LocationID     string `json:"locationId"`
		AssignedUserID string `json:"assignedUserId,omitempty"`
		Title          string `json:"title,omitempty"`
		StartTime      string `json:"startTime"`
		EndTime        string `json:"endTime"`
	}{in.CalendarID, to.location, in.AssignedUserID, in.Title, calendarTime(in.StartTime), calendarTime(in.EndTime)}
}

// Block blocks a slot: POST /calendars/events/block-slots, scope calendars/events.write. [AppointmentsService.Delete] frees
// it again. It is not repeated when its outcome is unknown ([ErrAmbiguous]).
func (s *CalendarsService) Block(ctx context.Context, in *BlockSlot, opts ...CallOption) (*CalendarEvent, error) {
	return one[CalendarEvent](ctx, s.client, request{op: opCalendarsBlock, in: in}, opts)
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
