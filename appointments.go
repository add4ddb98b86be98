package ghl

import (
	"context"
	"strings"
	"time"
)

// AppointmentsService reads and books appointments: calendar events with a contact.
type AppointmentsService service

// Appointment is an event of a calendar: an appointment with a contact or, from [CalendarsService.BlockedSlots], a
// blocked slot.
//
// Times from [AppointmentsService.ListForContact] have no zone and are local to the location; times from the other
// methods have a zone. [Time.In] with the location's zone is correct for both.
type Appointment struct {
	ID         string `json:"id"`
	CalendarID string `json:"calendarId,omitempty"`
	LocationID string `json:"locationId,omitempty"`
	ContactID  string `json:"contactId,omitempty"`
	GroupID    string `json:"groupId,omitempty"`
	Title      string `json:"title,omitempty"`
	StartTime  Time   `json:"startTime,omitzero"`
	EndTime    Time   `json:"endTime,omitzero"`
	// AppointmentStatus is the state of the appointment. Status is an older field with other values, such as "booked".
	// The API also sends AppointmentStatus under a misspelled name.
	AppointmentStatus AppointmentStatus `json:"appointmentStatus,omitempty" also:"appoinmentStatus"`
	Status            string            `json:"status,omitempty"`
	// AssignedUserID is the user who holds the appointment; Users are all users who take part.
	AssignedUserID      string   `json:"assignedUserId,omitempty"`
	Users               []string `json:"users,omitempty"`
	AssignedResources   []string `json:"assignedResources,omitempty"`
	Address             string   `json:"address,omitempty"`
	Notes               string   `json:"notes,omitempty"`
	Description         string   `json:"description,omitempty"`
	MeetingLocationType string   `json:"meetingLocationType,omitempty"`
	MeetingLocationID   string   `json:"meetingLocationId,omitempty"`
	IsRecurring         bool     `json:"isRecurring,omitempty"`
	RRule               string   `json:"rrule,omitempty"` // RFC 5545
	MasterEventID       string   `json:"masterEventId,omitempty"`
	CreatedBy           struct {
		UserID string `json:"userId,omitempty"`
		Source string `json:"source,omitempty"` // such as "calendar_page"
	} `json:"createdBy,omitzero"`
	DateAdded   Time  `json:"dateAdded,omitzero"`
	DateUpdated Time  `json:"dateUpdated,omitzero"`
	Deleted     bool  `json:"deleted,omitempty"`
	Extra       Extra `json:"-"`
}

// AppointmentStatus is the state of an appointment.
type AppointmentStatus string

// The states of an appointment. With Version20210728 the API refuses to set AppointmentCompleted and AppointmentActive.
const (
	AppointmentNew       AppointmentStatus = "new"
	AppointmentConfirmed AppointmentStatus = "confirmed"
	AppointmentCancelled AppointmentStatus = "cancelled"
	AppointmentShowed    AppointmentStatus = "showed"
	AppointmentNoShow    AppointmentStatus = "noshow"
	AppointmentInvalid   AppointmentStatus = "invalid"
	AppointmentCompleted AppointmentStatus = "completed"
	AppointmentActive    AppointmentStatus = "active"
)

// ListForContact returns all appointments of a contact: GET /contacts/{contactId}/appointments, scope
// contacts.readonly. Their times have no zone, see [Appointment].
func (s *AppointmentsService) ListForContact(
	ctx context.Context, contactID string, opts ...CallOption,
) ([]*Appointment, error) {
	return many[Appointment](ctx, s.client, request{op: opAppointmentsListForContact, path: []string{contactID}}, opts)
}

// Get returns an appointment: GET /calendars/events/appointments/{eventId}, scope calendars/events.readonly.
func (s *AppointmentsService) Get(ctx context.Context, eventID string, opts ...CallOption) (*Appointment, error) {
	return one[Appointment](ctx, s.client, request{op: opAppointmentsGet, path: []string{eventID}}, opts)
}

// Create books an appointment: POST /calendars/events/appointments, scope calendars/events.write. CalendarID,
// ContactID and StartTime are required. A slot that is already booked is [ErrSlotTaken].
//
// HighLevel's answer to a booking may lack StartTime and EndTime, which are then zero in the result. The appointment
// has the times of in; [AppointmentsService.Get] returns them.
//
// Create is not retried when its outcome is unknown ([ErrAmbiguous]). With [CallReadBack] it then looks for the
// booking.
func (s *AppointmentsService) Create(
	ctx context.Context, in *AppointmentCreate, opts ...CallOption,
) (*Appointment, error) {
	appointment, err := one[Appointment](ctx, s.client, request{op: opAppointmentsCreate, in: in}, opts)
	if err != nil {
		return readBack(ctx, err, opts, func(opts []CallOption) (*Appointment, error) {
			return s.findCreated(ctx, in, opts)
		})
	}
	return appointment, nil
}

// AppointmentCreate is the input of [AppointmentsService.Create]. Times are sent to the second, with their zone.
type AppointmentCreate struct {
	CalendarID string    `json:"calendarId"`
	ContactID  string    `json:"contactId"`
	StartTime  time.Time `json:"-"`
	// EndTime is after StartTime; zero means the calendar's slot duration.
	EndTime           time.Time         `json:"-"`
	Title             string            `json:"title,omitempty"`
	AppointmentStatus AppointmentStatus `json:"appointmentStatus,omitempty"`
	AssignedUserID    string            `json:"assignedUserId,omitempty"`
	Description       string            `json:"description,omitempty"`
	Address           string            `json:"address,omitempty"`
	// custom, zoom, gmeet, phone, address, ms_teams or google
	MeetingLocationType string `json:"meetingLocationType,omitempty"`
	MeetingLocationID   string `json:"meetingLocationId,omitempty"`
	// OverrideLocationConfig uses the meeting place given here instead of the calendar's.
	OverrideLocationConfig bool `json:"overrideLocationConfig,omitempty"`
	// IgnoreDateRange allows days that the calendar does not offer.
	IgnoreDateRange bool `json:"ignoreDateRange,omitempty"`
	// IgnoreFreeSlotValidation disables the check against double booking. Use it to copy a booking from another system.
	IgnoreFreeSlotValidation bool `json:"ignoreFreeSlotValidation,omitempty"`
	// ToNotify is whether to run automations. Absent means the server's default, true.
	ToNotify Opt[bool] `json:"toNotify,omitzero"`
	RRule    string    `json:"rrule,omitempty"` // RFC 5545
}

type plainAppointmentCreate AppointmentCreate

func (in *AppointmentCreate) check() error {
	if in == nil {
		return badInputf("AppointmentCreate", "the input is nil")
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
		return badInputf("StartTime", "StartTime is required")
	}
	if in.EndTime.IsZero() {
		return nil
	}
	return checkSpan("EndTime", in.StartTime, in.EndTime)
}

func (in *AppointmentCreate) wire(to target) any {
	return struct {
		*plainAppointmentCreate
		LocationID string `json:"locationId"`
		StartTime  string `json:"startTime"`
		EndTime    string `json:"endTime,omitempty"`
	}{(*plainAppointmentCreate)(in), to.location, calendarTime(in.StartTime), calendarTime(in.EndTime)}
}

// Update changes or moves an appointment: PUT /calendars/events/appointments/{eventId}, scope
// calendars/events.write. It sends the fields that are set, and the status.
//
// The API sets the status to [AppointmentConfirmed] when an update does not name it. So Update without an
// AppointmentStatus first reads the appointment ([AppointmentsService.Get], scope calendars/events.readonly, with the
// same options) and sends the status that it read. It fails and sends nothing if the read fails or returns no status.
// A change of the status between the two requests is lost. [CallResponse] describes the PUT. Give the status, or set
// SkipRead, to send one request.
//
// Update is not retried when its outcome is unknown ([ErrAmbiguous]): a second update would notify people again,
// and the API would report the appointment's own new slot as taken.
func (s *AppointmentsService) Update(
	ctx context.Context, eventID string, in *AppointmentUpdate, opts ...CallOption,
) (*Appointment, error) {
	in, err := s.withStatus(ctx, eventID, in, opts)
	if err != nil {
		return nil, err
	}
	return one[Appointment](ctx, s.client, request{op: opAppointmentsUpdate, path: []string{eventID}, in: in}, opts)
}

// withStatus returns in with the appointment's present status. It returns in itself if the update does not need that
// status or will refuse in.
func (s *AppointmentsService) withStatus(
	ctx context.Context, eventID string, in *AppointmentUpdate, opts []CallOption,
) (*AppointmentUpdate, error) {
	if in.check() != nil || in.SkipRead || !in.AppointmentStatus.IsZero() {
		return in, nil
	}
	const unread = "nothing was sent, because the appointment's status could not be read"
	appointment, err := s.Get(ctx, eventID, opts...)
	if err != nil {
		e := asError(err, opAppointmentsUpdate)
		e.Operation = opAppointmentsUpdate.Name
		if e.categories&badInput != 0 {
			return nil, e
		}
		text := e.Message
		if len(e.Details) > 1 { // they would replace the message
			text, e.Details = strings.Join(e.Details, "; "), nil
		}
		e.Message = unread
		if text != "" {
			e.Message += ": " + text
		}
		return nil, e
	}
	if appointment.AppointmentStatus == "" {
		return nil, &Error{Operation: opAppointmentsUpdate.Name, categories: badResponse,
			Message: unread + ": the answer has no appointmentStatus"}
	}
	update := *in
	update.AppointmentStatus = Some(appointment.AppointmentStatus)
	return &update, nil
}

// AppointmentUpdate is the input of [AppointmentsService.Update]. [AppointmentCreate] describes its fields. A field
// that is not set keeps its value, with two exceptions: AppointmentStatus, see SkipRead, and MeetingLocationType, which
// the API sets to custom when Address is set alone.
type AppointmentUpdate struct {
	// SkipRead is whether to send an update without an AppointmentStatus as it is. The API then sets the status to
	// [AppointmentConfirmed].
	SkipRead                 bool                   `json:"-"`
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
	fields := in
	if in != nil && in.SkipRead { // sets no field
		without := *in
		without.SkipRead, fields = false, &without
	}
	if err := checkUpdate("AppointmentUpdate", fields); err != nil {
		return err
	}
	if err := refuseNull(
		nullField{"CalendarID", in.CalendarID.IsNull()},
		nullField{"AppointmentStatus", in.AppointmentStatus.IsNull()},
		nullField{"MeetingLocationType", in.MeetingLocationType.IsNull()},
		nullField{"OverrideLocationConfig", in.OverrideLocationConfig.IsNull()},
		nullField{"IgnoreDateRange", in.IgnoreDateRange.IsNull()},
		nullField{"IgnoreFreeSlotValidation", in.IgnoreFreeSlotValidation.IsNull()},
		nullField{"ToNotify", in.ToNotify.IsNull()},
	); err != nil {
		return err
	}
	if status, ok := in.AppointmentStatus.Get(); ok && blank(string(status)) {
		return badInputf("AppointmentStatus", "AppointmentStatus cannot be cleared")
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
		return badInputf("StartTime", "StartTime cannot be cleared")
	case in.EndTime.IsNull() || ends && end.IsZero():
		return badInputf("EndTime", "EndTime cannot be cleared")
	case starts && ends:
		return checkSpan("EndTime", start, end)
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

// Delete deletes an appointment or a blocked slot: DELETE /calendars/events/{eventId}, scope calendars/events.write. To
// cancel an appointment without deleting its record, update its status to [AppointmentCancelled].
func (s *AppointmentsService) Delete(ctx context.Context, eventID string, opts ...CallOption) error {
	return done(ctx, s.client, request{op: opAppointmentsDelete, path: []string{eventID}, in: noInput{}}, opts)
}

// findCreated returns the contact's booking in the calendar at the start of in, or nil.
func (s *AppointmentsService) findCreated(
	ctx context.Context, in *AppointmentCreate, opts []CallOption,
) (*Appointment, error) {
	start := in.StartTime.Truncate(time.Second)
	query := &EventsQuery{CalendarID: in.CalendarID, StartTime: start.Add(-time.Minute),
		EndTime: start.Add(24 * time.Hour)}
	events, err := s.client.Calendars.Events(ctx, query, opts...)
	for _, e := range events {
		at, ok := e.StartTime.Instant()
		cancelled := e.Deleted || e.AppointmentStatus == AppointmentCancelled
		if ok && at.Equal(start) && e.ContactID == in.ContactID && !cancelled {
			return e, nil
		}
	}
	return nil, err
}

// calendarTime formats a time as the calendar endpoints expect it: to the second, with its zone. The zero time is "".
func calendarTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// checkSpan refuses an end that is not after its start.
func checkSpan(field string, start, end time.Time) error {
	if end.After(start) {
		return nil
	}
	return badInputf(field, "the end must be after the start")
}
