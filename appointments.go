package ghl

import (
	"context"
	"time"
)

// AppointmentsService reaches appointments: the events of calendars that a contact has.
type AppointmentsService service

// Appointment is an event of a calendar: an appointment of a contact or, in [CalendarsService.BlockedSlots], a blocked slot.
//
// Read through the contact its times have no zone and are local to the location; read through the calendar they have one.
// [Time.In] with the location's zone is right for both.
type Appointment struct {
	ID         string `json:"id"`
	CalendarID string `json:"calendarId,omitempty"`
	LocationID string `json:"locationId,omitempty"`
	ContactID  string `json:"contactId,omitempty"`
	GroupID    string `json:"groupId,omitempty"`
	Title      string `json:"title,omitempty"`
	StartTime  Time   `json:"startTime,omitzero"`
	EndTime    Time   `json:"endTime,omitzero"`
	// AppointmentStatus is what became of it. Status is an older field with other words, such as "booked".
	AppointmentStatus AppointmentStatus `json:"appointmentStatus,omitempty"`
	Status            string            `json:"status,omitempty"`
	// AssignedUserID is whose appointment it is; Users are all who take part.
	AssignedUserID      string     `json:"assignedUserId,omitempty"`
	Users               []string   `json:"users,omitempty"`
	AssignedResources   []string   `json:"assignedResources,omitempty"`
	Address             string     `json:"address,omitempty"`
	Notes               string     `json:"notes,omitempty"`
	Description         string     `json:"description,omitempty"`
	MeetingLocationType string     `json:"meetingLocationType,omitempty"`
	MeetingLocationID   string     `json:"meetingLocationId,omitempty"`
	IsRecurring         bool       `json:"isRecurring,omitempty"`
	RRule               string     `json:"rrule,omitempty"` // RFC 5545
	MasterEventID       string     `json:"masterEventId,omitempty"`
	CreatedBy           *ChangedBy `json:"createdBy,omitempty"`
	DateAdded           Time       `json:"dateAdded,omitzero"`
	DateUpdated         Time       `json:"dateUpdated,omitzero"`
	Deleted             bool       `json:"deleted,omitempty"`
	Extra               Extra      `json:"-"`
}

// CalendarEvent is what calendars call an appointment.
type CalendarEvent = Appointment

// ChangedBy says who made an event.
type ChangedBy struct {
	UserID string `json:"userId,omitempty"`
	Source string `json:"source,omitempty"`
}

// AppointmentStatus is what became of an appointment.
type AppointmentStatus string

// The states of an appointment.
const (
	AppointmentNew       AppointmentStatus = "new"
	AppointmentConfirmed AppointmentStatus = "confirmed"
	AppointmentCancelled AppointmentStatus = "cancelled"
	AppointmentShowed    AppointmentStatus = "showed"
	AppointmentNoShow    AppointmentStatus = "noshow"
	AppointmentInvalid   AppointmentStatus = "invalid"
	AppointmentCompleted AppointmentStatus = "completed" // may be set with VersionV3 only
	AppointmentActive    AppointmentStatus = "active"    // may be set with VersionV3 only
)

// ListForContact reads all appointments of a contact: GET /contacts/{contactId}/appointments, scope contacts.readonly. Their
// times have no zone, see [Appointment].
func (s *AppointmentsService) ListForContact(ctx context.Context, contactID string, opts ...CallOption) ([]*Appointment, error) {
	return many[Appointment](ctx, s.client, request{op: opAppointmentsListForContact, path: []string{contactID}}, opts)
}

// Get reads an appointment: GET /calendars/events/appointments/{eventId}, scope calendars/events.readonly.
func (s *AppointmentsService) Get(ctx context.Context, eventID string, opts ...CallOption) (*Appointment, error) {
	return one[Appointment](ctx, s.client, request{op: opAppointmentsGet, path: []string{eventID}}, opts)
}

// Create books an appointment: POST /calendars/events/appointments, scope calendars/events.write. It needs a calendar, a
// contact and a start. A slot that somebody else has is [ErrSlotTaken].
//
// It is not repeated when its outcome is unknown ([ErrAmbiguous]); [CallReadBack] looks for the booking then.
func (s *AppointmentsService) Create(ctx context.Context, in *AppointmentCreate, opts ...CallOption) (*Appointment, error) {
	appointment, err := one[Appointment](ctx, s.client, request{op: opAppointmentsCreate, in: in}, opts)
	if err != nil {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Appointment, error) {
			return s.findCreated(ctx, in, opts)
		})
	}
	return appointment, nil
}

// AppointmentCreate is a new appointment.
type AppointmentCreate struct {
	CalendarID string    `json:"calendarId"`
	ContactID  string    `json:"contactId"`
	StartTime  time.Time `json:"-"`
	// EndTime zero leaves the length to the calendar.
	EndTime             time.Time         `json:"-"`
	Title               string            `json:"title,omitempty"`
	AppointmentStatus   AppointmentStatus `json:"appointmentStatus,omitempty"`
	AssignedUserID      string            `json:"assignedUserId,omitempty"`
	Description         string            `json:"description,omitempty"`
	Address             string            `json:"address,omitempty"`
	MeetingLocationType string            `json:"meetingLocationType,omitempty"` // custom, zoom, gmeet, phone, address, ms_teams or google
	MeetingLocationID   string            `json:"meetingLocationId,omitempty"`
	// OverrideLocationConfig takes the meeting place from here instead of the calendar.
	OverrideLocationConfig bool `json:"overrideLocationConfig,omitempty"`
	// IgnoreDateRange books outside the days that the calendar offers.
	IgnoreDateRange bool `json:"ignoreDateRange,omitempty"`
	// IgnoreFreeSlotValidation switches the guard against double booking off. Only to mirror a booking that exists elsewhere.
	IgnoreFreeSlotValidation bool `json:"ignoreFreeSlotValidation,omitempty"`
	// ToNotify Some(false) starts no automations; absent leaves it to the server, which does.
	ToNotify Opt[bool] `json:"toNotify,omitzero"`
	RRule    string    `json:"rrule,omitempty"` // RFC 5545
}

type plainAppointmentCreate AppointmentCreate

func (in *AppointmentCreate) check() error {
	if in == nil {
		return badInputf("AppointmentCreate", "there is no appointment to create")
	}
	if err := checkID("CalendarID", in.CalendarID); err != nil {
		return err
	}
	if err := checkID("ContactID", in.ContactID); err != nil {
		return err
	}
	if err := checkGiven("AssignedUserID", in.AssignedUserID); err != nil {
		return err
	}
	if in.StartTime.IsZero() {
		return badInputf("StartTime", "an appointment needs a start")
	}
	return checkSpan("EndTime", in.StartTime, in.EndTime, true)
}

func (in *AppointmentCreate) wire(to target) any {
	return struct {
		*plainAppointmentCreate
		LocationID string `json:"locationId"`
		StartTime  string `json:"startTime"`
		EndTime    string `json:"endTime,omitempty"`
	}{(*plainAppointmentCreate)(in), to.location, calendarTime(in.StartTime), calendarTime(in.EndTime)}
}

// Update changes or moves an appointment: PUT /calendars/events/appointments/{eventId}, scope calendars/events.write. Only
// the fields that are set are sent.
//
// It is not repeated when its outcome is unknown ([ErrAmbiguous]): people would be told twice, and a slot that is one's own
// by then is answered as taken.
func (s *AppointmentsService) Update(ctx context.Context, eventID string, in *AppointmentUpdate, opts ...CallOption) (*Appointment, error) {
	return one[Appointment](ctx, s.client, request{op: opAppointmentsUpdate, path: []string{eventID}, in: in}, opts)
}

// AppointmentUpdate is a change of an appointment. See [AppointmentCreate] for what the fields mean.
type AppointmentUpdate struct {
	CalendarID               Opt[string]            `json:"calendarId,omitzero"`
	StartTime                Opt[time.Time]         `json:"-"`
	EndTime                  Opt[time.Time]         `json:"-"`
	Title                    Opt[string]            `json:"title,omitzero"`
	AppointmentStatus        Opt[AppointmentStatus] `json:"appointmentStatus,omitzero"`
	AssignedUserID           Opt[string]            `json:"assignedUserId,omitzero"`
	Description              Opt[string]            `json:"description,omitzero"`
	Address                  Opt[string]            `json:"address,omitzero"`
	MeetingLocationType      Opt[string]            `json:"meetingLocationType,omitzero"`
	MeetingLocationID        Opt[string]            `json:"meetingLocationId,omitzero"`
	OverrideLocationConfig   Opt[bool]              `json:"overrideLocationConfig,omitzero"`
	IgnoreDateRange          Opt[bool]              `json:"ignoreDateRange,omitzero"`
	IgnoreFreeSlotValidation Opt[bool]              `json:"ignoreFreeSlotValidation,omitzero"`
	ToNotify                 Opt[bool]              `json:"toNotify,omitzero"`
	RRule                    Opt[string]            `json:"rrule,omitzero"`
}

type plainAppointmentUpdate AppointmentUpdate

func (in *AppointmentUpdate) check() error {
	if in == nil {
		return badInputf("AppointmentUpdate", "there is nothing to update")
	}
	if err := refuseNull(nullField{"CalendarID", in.CalendarID.IsNull()}, nullField{"AppointmentStatus", in.AppointmentStatus.IsNull()},
		nullField{"MeetingLocationType", in.MeetingLocationType.IsNull()}, nullField{"OverrideLocationConfig", in.OverrideLocationConfig.IsNull()},
		nullField{"IgnoreDateRange", in.IgnoreDateRange.IsNull()}, nullField{"IgnoreFreeSlotValidation", in.IgnoreFreeSlotValidation.IsNull()},
		nullField{"ToNotify", in.ToNotify.IsNull()}); err != nil {
		return err
	}
	if calendar, ok := in.CalendarID.Get(); ok {
		if err := checkID("CalendarID", calendar); err != nil {
			return err
		}
	}
	if err := checkGiven("AssignedUserID", valueOf(in.AssignedUserID)); err != nil {
		return err
	}
	start, starts := in.StartTime.Get()
	end, ends := in.EndTime.Get()
	switch {
	case in.StartTime.IsNull() || starts && start.IsZero():
		return badInputf("StartTime", "an appointment needs a start")
	case in.EndTime.IsNull() || ends && end.IsZero():
		return badInputf("EndTime", "an appointment needs an end")
	case starts && ends:
		return checkSpan("EndTime", start, end, false)
	}
	return nil
}

func (in *AppointmentUpdate) wire(target) any {
	start, _ := in.StartTime.Get()
	end, _ := in.EndTime.Get()
	return struct {
		*plainAppointmentUpdate
		StartTime string `json:"startTime,omitempty"`
		EndTime   string `json:"endTime,omitempty"`
	}{(*plainAppointmentUpdate)(in), calendarTime(start), calendarTime(end)}
}

// Delete deletes an appointment or a blocked slot: DELETE /calendars/events/{eventId}, scope calendars/events.write. To keep
// a record of it, update its status to [AppointmentCancelled] instead.
func (s *AppointmentsService) Delete(ctx context.Context, eventID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opAppointmentsDelete, path: []string{eventID}, in: noInput{}}, opts)
}

// findCreated looks for a booking of the contact in the calendar at that start.
func (s *AppointmentsService) findCreated(ctx context.Context, in *AppointmentCreate, opts []CallOption) (*Appointment, error) {
	start := in.StartTime.Truncate(time.Second)
	events, err := s.client.Calendars.Events(ctx, &EventsQuery{CalendarID: in.CalendarID, StartTime: start.Add(-time.Minute), EndTime: start.Add(24 * time.Hour)}, opts...)
	for _, e := range events {
		if at, ok := e.StartTime.Instant(); ok && at.Equal(start) && e.ContactID == in.ContactID && !e.Deleted && e.AppointmentStatus != AppointmentCancelled {
			return e, nil
		}
	}
	return nil, err
}

// calendarTime writes a time as calendars read it, to the second and with its zone.
func calendarTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// checkSpan refuses an end that is not after its start.
func checkSpan(field string, start, end time.Time, openEnd bool) error {
	if openEnd && end.IsZero() || end.After(start) {
		return nil
	}
	return badInputf(field, "the end is not after the start")
}
