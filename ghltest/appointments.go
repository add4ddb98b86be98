package ghltest

import (
	"net/http"
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

var appointmentUpdateProperties = properties{
	"title": optional(text), "meetingLocationId": optional(text),
	"overrideLocationConfig": optional(flag), "appointmentStatus": optional(text), "assignedUserId": optional(text),
	"description": optional(text), "address": optional(text), "ignoreDateRange": optional(flag),
	"toNotify":                 optional(flag),
	"ignoreFreeSlotValidation": optional(flag), "rrule": optional(text), "calendarId": optional(text),
	"startTime": optional(instant), "endTime": optional(instant),
	"meetingLocationType": optional(text).in("custom", "zoom", "gmeet", "phone", "address", "ms_teams", "google"),
}

var appointmentCreateProperties = appointmentUpdateProperties.with(properties{
	"calendarId": required(text), "locationId": required(text), "contactId": required(text),
	"startTime": required(instant),
})

type appointmentBody struct {
	ContactID                string                         `json:"contactId"`
	CalendarID               ghl.Opt[string]                `json:"calendarId"`
	Title                    ghl.Opt[string]                `json:"title"`
	MeetingLocationType      ghl.Opt[string]                `json:"meetingLocationType"`
	MeetingLocationID        ghl.Opt[string]                `json:"meetingLocationId"`
	AppointmentStatus        ghl.Opt[ghl.AppointmentStatus] `json:"appointmentStatus"`
	AssignedUserID           ghl.Opt[string]                `json:"assignedUserId"`
	Description              ghl.Opt[string]                `json:"description"`
	Address                  ghl.Opt[string]                `json:"address"`
	RRule                    ghl.Opt[string]                `json:"rrule"`
	StartTime                ghl.Opt[time.Time]             `json:"startTime"`
	EndTime                  ghl.Opt[time.Time]             `json:"endTime"`
	IgnoreDateRange          bool                           `json:"ignoreDateRange"`
	IgnoreFreeSlotValidation bool                           `json:"ignoreFreeSlotValidation"`
}

// storeEvent stores an event and inserts it into its location's events, which are sorted by start.
func (s *state) storeEvent(e *event, now time.Time) {
	setDefault(&e.ID, s.ids.id())
	e.LocationID = e.location.ID
	if e.AppointmentStatus == "" {
		e.AppointmentStatus = ghl.AppointmentConfirmed // also for a blocked slot
	}
	if e.DateAdded.IsZero() {
		e.DateAdded = timestamp(now)
	}
	if e.DateUpdated.IsZero() {
		e.DateUpdated = timestamp(now)
	}
	if len(e.Users) == 0 && e.AssignedUserID != "" {
		e.Users = []string{e.AssignedUserID}
	}
	e.StartTime, e.EndTime = ghl.ParseTime(e.inZone(e.start)), ghl.ParseTime(e.inZone(e.end))
	s.events[e.ID] = e
	l := e.location
	l.indexLater(e.ContactID)
	l.events = slices.DeleteFunc(l.events, func(other *event) bool { return other == e })
	at, _ := slices.BinarySearchFunc(l.events, e, func(a, b *event) int {
		if a.start.Equal(b.start) {
			return -1 // after the stored ones
		}
		return a.start.Compare(b.start)
	})
	l.events = slices.Insert(l.events, at, e)
}

func (c *call) deleteEvents(which func(*event) bool) {
	c.location.events = slices.DeleteFunc(c.location.events, func(e *event) bool {
		gone := which(e)
		if gone {
			delete(c.state.events, e.ID)
			c.location.indexLater(e.ContactID)
		}
		return gone
	})
}

// An appointment has four forms: in a calendar, in a contact's list, in the answer to a change, and as a blocked
// slot. Each form has the properties of the vendor's documents.

// plainEvent has the properties that all forms have, even when they are empty.
type plainEvent struct {
	ID             string `json:"id"`
	CalendarID     string `json:"calendarId"`
	LocationID     string `json:"locationId"`
	AssignedUserID string `json:"assignedUserId"`
	Title          string `json:"title"`
	StartTime      string `json:"startTime"`
	EndTime        string `json:"endTime"`
}

func (e *event) plain(layout func(time.Time) string) plainEvent {
	return plainEvent{
		ID: e.ID, CalendarID: e.CalendarID, LocationID: e.LocationID, AssignedUserID: e.AssignedUserID, Title: e.Title,
		StartTime: layout(e.start), EndTime: layout(e.end),
	}
}

// listedEvent has the properties that the lists of calendars and of contacts share.
type listedEvent struct {
	plainEvent
	ContactID         string                `json:"contactId"`
	GroupID           string                `json:"groupId"`
	AppointmentStatus ghl.AppointmentStatus `json:"appointmentStatus"`
	MisspelledStatus  ghl.AppointmentStatus `json:"appoinmentStatus"` // sent beside the other
	Users             []string              `json:"users"`
	AssignedResources []string              `json:"assignedResources,omitempty"`
	Address           string                `json:"address,omitempty"`
	Notes             string                `json:"notes,omitempty"`
	DateAdded         string                `json:"dateAdded"`
	DateUpdated       string                `json:"dateUpdated"`
}

func (e *event) listed(layout func(time.Time) string) listedEvent {
	return listedEvent{
		plainEvent: e.plain(layout), ContactID: e.ContactID, GroupID: e.GroupID,
		AppointmentStatus: e.AppointmentStatus, MisspelledStatus: e.AppointmentStatus, Users: orEmpty(e.Users),
		AssignedResources: e.AssignedResources, Address: e.Address, Notes: e.Notes,
		DateAdded: layout(e.DateAdded.In(e.location.zone)), DateUpdated: layout(e.DateUpdated.In(e.location.zone)),
	}
}

// inZone formats a time with its offset in the location's zone.
func (e *event) inZone(t time.Time) string { return t.In(e.location.zone).Format(time.RFC3339) }

// inCalendar returns an event in the form of the calendar endpoints. Its times have an offset.
func (c *call) inCalendar(e *event) any {
	form := struct {
		listedEvent
		Description   string `json:"description,omitempty"`
		IsRecurring   bool   `json:"isRecurring"`
		RRule         string `json:"rrule,omitempty"`
		MasterEventID string `json:"masterEventId,omitempty"`
		CreatedBy     any    `json:"createdBy,omitempty"`
		Deleted       *bool  `json:"deleted,omitempty"` // in v3
	}{e.listed(e.inZone), e.Description, e.IsRecurring, e.RRule, e.MasterEventID, nil, nil}
	if e.CreatedBy.UserID != "" || e.CreatedBy.Source != "" {
		form.CreatedBy = e.CreatedBy
	}
	if c.v3 {
		form.Deleted = &e.Deleted
	}
	return extend(form, e.Extra)
}

// inContact returns an event in the form of the contact endpoint. Its times are local, without an offset.
func inContact(e *event) any {
	form := struct {
		listedEvent
		Status string `json:"status"`
	}{e.listed(func(t time.Time) string { return t.In(e.location.zone).Format(time.DateTime) }), e.Status}
	setDefault(&form.Status, "booked")
	return extend(form, e.Extra)
}

// asBooked returns an event in the form of the answer to a create and to an update.
func (c *call) asBooked(e *event) any {
	form := struct {
		plainEvent
		ContactID           string                `json:"contactId"`
		AppointmentStatus   ghl.AppointmentStatus `json:"appointmentStatus"`
		MisspelledStatus    ghl.AppointmentStatus `json:"appoinmentStatus"` // sent beside the other
		MeetingLocationType string                `json:"meetingLocationType,omitempty"`
		Address             string                `json:"address,omitempty"`
		IsRecurring         bool                  `json:"isRecurring"`
		RRule               string                `json:"rrule,omitempty"`
		DateAdded           string                `json:"dateAdded,omitempty"` // in v3, as is DateUpdated
		DateUpdated         string                `json:"dateUpdated,omitempty"`
	}{
		plainEvent: e.plain(e.inZone), ContactID: e.ContactID,
		AppointmentStatus: e.AppointmentStatus, MisspelledStatus: e.AppointmentStatus,
		MeetingLocationType: e.MeetingLocationType, Address: e.Address, IsRecurring: e.IsRecurring, RRule: e.RRule,
	}
	if c.v3 {
		form.DateAdded = e.inZone(e.DateAdded.In(e.location.zone))
		form.DateUpdated = e.inZone(e.DateUpdated.In(e.location.zone))
	}
	return extend(form, e.Extra)
}

// asBlocked returns an event in the form of the answer to blocking a slot.
func asBlocked(e *event) any { return extend(e.plain(e.inZone), e.Extra) }

func (c *call) listAppointments() (any, error) {
	of, err := c.contact()
	if err != nil {
		return nil, err
	}
	list := []*event{}
	for _, e := range c.location.events {
		if !e.blocked && e.ContactID == of.ID {
			list = append(list, e)
		}
	}
	return map[string]any{"events": answers(list, inContact), "traceId": c.ids.uuid()}, nil
}

// event returns the event in the path.
func (c *call) event() (*event, error) {
	e := c.state.events[c.param("eventId")]
	switch {
	case e == nil:
		return nil, notFound("Event")
	case e.location != c.location:
		return nil, wrongLocation()
	}
	return e, nil
}

func (c *call) appointment() (*event, error) {
	e, err := c.event()
	if err == nil && e.blocked {
		return nil, notFound("Appointment")
	}
	return e, err
}

func (c *call) getAppointment() (any, error) {
	e, err := c.appointment()
	if err != nil {
		return nil, err
	}
	return map[string]any{"event": c.inCalendar(e), "traceId": c.ids.uuid()}, nil
}

func (c *call) createAppointment() (any, error) {
	in, err := read[appointmentBody](c)
	if err != nil {
		return nil, err
	}
	of := c.contacts[in.ContactID]
	switch {
	case of == nil:
		return nil, contactNotFound(in.ContactID)
	case of.location != c.location:
		return nil, wrongLocation()
	}
	e := &event{location: c.location}
	e.ContactID, e.Title, e.AppointmentStatus = of.ID, of.fullName(), ghl.AppointmentConfirmed
	if err := c.book(e, nil, in); err != nil {
		return nil, err
	}
	c.storeEvent(e, c.now)
	c.emitAppointment(AppointmentCreate, e)
	return c.asBooked(e), nil
}

func (c *call) updateAppointment() (any, error) {
	e, err := c.appointment()
	if err != nil {
		return nil, err
	}
	in, err := read[appointmentBody](c)
	if err != nil {
		return nil, err
	}
	changed := *e
	changed.DateUpdated = timestamp(c.now)
	if err := c.book(&changed, e, in); err != nil {
		return nil, err
	}
	if status, _ := in.AppointmentStatus.Get(); status == "" { // measured live, and not documented
		changed.AppointmentStatus = ghl.AppointmentConfirmed
	}
	*e = changed
	c.storeEvent(e, c.now)
	c.emitAppointment(AppointmentUpdate, e)
	return c.asBooked(e), nil
}

// book fills an event from a request and refuses it when its slot is taken. was is the event before an update, nil
// for a create; it does not occupy its own slot.
func (c *call) book(e, was *event, in *appointmentBody) error {
	set(&e.CalendarID, in.CalendarID)
	cal, err := c.calendar(e.CalendarID)
	if err != nil {
		return err
	}
	if err := c.checkStatus(in.AppointmentStatus); err != nil {
		return err
	}
	set(&e.AppointmentStatus, in.AppointmentStatus)
	set(&e.Title, in.Title)
	set(&e.MeetingLocationType, in.MeetingLocationType)
	set(&e.MeetingLocationID, in.MeetingLocationID)
	set(&e.Description, in.Description)
	set(&e.Address, in.Address)
	set(&e.RRule, in.RRule)
	e.IsRecurring = e.RRule != ""
	if user, ok := in.AssignedUserID.Get(); ok {
		e.AssignedUserID, e.Users = user, []string{user}
	}
	moved := was == nil || e.CalendarID != was.CalendarID
	length := e.end.Sub(e.start)
	if start, ok := in.StartTime.Get(); ok {
		moved = moved || !start.Equal(e.start)
		e.start, e.end = start, start.Add(length)
	}
	if was == nil {
		e.end = e.start.Add(cal.length())
	}
	if end, ok := in.EndTime.Get(); ok {
		moved = moved || !end.Equal(e.end)
		e.end = end
	}
	reopened := was != nil && !was.takesTime()
	var users []string
	if e.AssignedUserID != "" {
		users = []string{e.AssignedUserID}
	}
	switch {
	case !e.end.After(e.start):
		return refuse(http.StatusBadRequest, "The end time must be after the start time")
	case in.IgnoreFreeSlotValidation || !e.takesTime() || !moved && !reopened:
		return nil
	case !cal.hasSlot(e.start, c.location.zone), !in.IgnoreDateRange && !cal.offers(e.start, c.now),
		!c.free(cal, e.start, e.end, was, users):
		return refuse(http.StatusBadRequest, "The slot you have selected is no longer available.")
	}
	return nil
}

var statuses = []ghl.AppointmentStatus{
	ghl.AppointmentNew, ghl.AppointmentConfirmed, ghl.AppointmentCancelled, ghl.AppointmentShowed,
	ghl.AppointmentNoShow, ghl.AppointmentInvalid,
}

func (c *call) checkStatus(in ghl.Opt[ghl.AppointmentStatus]) error {
	status, ok := in.Get()
	inV3 := status == ghl.AppointmentCompleted || status == ghl.AppointmentActive
	if !ok || slices.Contains(statuses, status) || c.v3 && inV3 {
		return nil
	}
	return invalid("appointmentStatus must be one of the following values: " +
		"new, confirmed, cancelled, showed, noshow, invalid")
}

func (c *call) deleteAppointment() (any, error) {
	e, err := c.event()
	if err != nil {
		return nil, err
	}
	c.deleteEvents(func(other *event) bool { return other == e })
	if !e.blocked {
		c.emitAppointment(AppointmentDelete, e)
	}
	return map[string]bool{"succeeded": true}, nil
}
