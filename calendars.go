package ghl

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// CalendarsService reads a location's calendars, their free slots and their events, and blocks slots.
type CalendarsService service

// List returns all calendars of the location: GET /calendars/, scope calendars.readonly. o may be nil.
func (s *CalendarsService) List(ctx context.Context, o *ListCalendarsOptions, opts ...CallOption) ([]*Calendar, error) {
	q := url.Values{}
	if o != nil {
		setIf(q, "groupId", o.GroupID)
		if o.ShowDrafted != nil {
			q.Set("showDrafted", strconv.FormatBool(*o.ShowDrafted))
		}
	}
	r := request{op: opCalendarsList, query: q}
	return many[Calendar](ctx, s.client, r, append([]CallOption{checked(o)}, opts...))
}

// ListCalendarsOptions filters [CalendarsService.List]. The zero value means all calendars.
type ListCalendarsOptions struct {
	GroupID string
	// ShowDrafted is whether to include drafts; nil means the server's default, true.
	ShowDrafted *bool
}

func (o *ListCalendarsOptions) check() error { return checkGiven("GroupID", orZero(o).GroupID) }

// EventsQuery is the input of [CalendarsService.Events] and [CalendarsService.BlockedSlots]. StartTime, EndTime and
// one of CalendarID, UserID and GroupID are required.
type EventsQuery struct {
	StartTime, EndTime time.Time
	CalendarID         string
	UserID             string
	GroupID            string
}

func (q *EventsQuery) check() error {
	switch {
	case q == nil || q.StartTime.IsZero():
		return badInputf("StartTime", "StartTime is required")
	case q.CalendarID == "" && q.UserID == "" && q.GroupID == "":
		return badInputf("CalendarID", "CalendarID, UserID or GroupID is required")
	}
	for _, id := range [][2]string{{"CalendarID", q.CalendarID}, {"UserID", q.UserID}, {"GroupID", q.GroupID}} {
		if err := checkGiven(id[0], id[1]); err != nil {
			return err
		}
	}
	return checkSpan("EndTime", q.StartTime, q.EndTime)
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

// Events returns the events between two times: GET /calendars/events, scope calendars/events.readonly. The answer
// is not paged, so query short spans of a busy calendar.
func (s *CalendarsService) Events(ctx context.Context, q *EventsQuery, opts ...CallOption) ([]*Appointment, error) {
	r := request{op: opCalendarsEvents, query: q.values()}
	return many[Appointment](ctx, s.client, r, append([]CallOption{checked(q)}, opts...))
}

// BlockedSlots returns the blocked slots between two times: GET /calendars/blocked-slots, scope
// calendars/events.readonly.
func (s *CalendarsService) BlockedSlots(
	ctx context.Context, q *EventsQuery, opts ...CallOption,
) ([]*Appointment, error) {
	r := request{op: opCalendarsBlockedSlots, query: q.values()}
	return many[Appointment](ctx, s.client, r, append([]CallOption{checked(q)}, opts...))
}

// BlockSlot is the input of [CalendarsService.Block]: a span in which a calendar or a user cannot be booked.
// StartTime, EndTime and either CalendarID or AssignedUserID are required; the API refuses both together. Times are
// sent to the second.
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
		return badInputf("BlockSlot", "the input is nil")
	case in.StartTime.IsZero():
		return badInputf("StartTime", "StartTime is required")
	case in.CalendarID == "" && in.AssignedUserID == "":
		return badInputf("CalendarID", "CalendarID or AssignedUserID is required")
	case in.CalendarID != "" && in.AssignedUserID != "":
		return badInputf("AssignedUserID", "CalendarID and AssignedUserID cannot be combined")
	}
	if err := checkGiven("CalendarID", in.CalendarID); err != nil {
		return err
	}
	if err := checkGiven("AssignedUserID", in.AssignedUserID); err != nil {
		return err
	}
	return checkSpan("EndTime", in.StartTime, in.EndTime)
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

// Block blocks a slot: POST /calendars/events/block-slots, scope calendars/events.write. [AppointmentsService.Delete]
// unblocks it. Block is not retried when its outcome is unknown ([ErrAmbiguous]).
func (s *CalendarsService) Block(ctx context.Context, in *BlockSlot, opts ...CallOption) (*Appointment, error) {
	return one[Appointment](ctx, s.client, request{op: opCalendarsBlock, in: in}, opts)
}

// millis formats t as milliseconds since 1970.
func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
