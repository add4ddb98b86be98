package webhook

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/pluvo/ghl"
)

// Type is the type of an event, as a delivery names it.
type Type string

// The types with an event of their own. Other types are delivered as [UnknownEvent]. HighLevel sends no event for an
// edited task: poll for those.
const (
	ContactCreate     Type = "ContactCreate"
	ContactUpdate     Type = "ContactUpdate"
	ContactDelete     Type = "ContactDelete"
	ContactTagUpdate  Type = "ContactTagUpdate"
	ContactDndUpdate  Type = "ContactDndUpdate"
	TaskCreate        Type = "TaskCreate"
	TaskComplete      Type = "TaskComplete"
	TaskDelete        Type = "TaskDelete"
	NoteCreate        Type = "NoteCreate"
	NoteUpdate        Type = "NoteUpdate"
	NoteDelete        Type = "NoteDelete"
	AppointmentCreate Type = "AppointmentCreate"
	AppointmentUpdate Type = "AppointmentUpdate"
	AppointmentDelete Type = "AppointmentDelete"
	AppInstall        Type = "INSTALL"
	AppUninstall      Type = "UNINSTALL"
)

// Event is a decoded delivery: a [*ContactEvent], [*TaskEvent], [*NoteEvent], [*AppointmentEvent], [*InstallEvent],
// [*UninstallEvent] or [*UnknownEvent].
//
// An event is a hint. Events arrive at least once and in any order, and those of contacts, tasks and notes do not
// have the time of the change. Read the record with Refetch before acting on the event.
type Event interface {
	// Meta returns the envelope.
	Meta() *Envelope
	// RecordID returns the id of the contact, task, note or appointment; "" for other events, or if it is missing.
	RecordID() string
	// ContactID returns the id of the contact, or of the record's contact; "" for other events, or if it is missing.
	ContactID() string

	sealed()
}

// Envelope has the properties that all events share. A field is "" if the delivery does not have it.
type Envelope struct {
	Type       Type
	LocationID string
	CompanyID  string
	AppID      string
	VersionID  string
	// WebhookID is the same for each repetition of a delivery.
	WebhookID string
	// Timestamp is the time of the first attempt to deliver the event.
	Timestamp ghl.Time
	// Raw is the whole body as received. It must not be modified.
	Raw json.RawMessage
}

// Meta returns the envelope.
func (e *Envelope) Meta() *Envelope { return e }

func (*Envelope) sealed() {}

// ErrNoContactID is the error of Refetch for an event without the id of its contact, which a TaskCreate may be.
// [ghl.TasksService.SearchAll] finds the task among all tasks of the location.
var ErrNoContactID = errors.New("webhook: the event does not say which contact it belongs to")

// at makes a call for the location of the event.
func (e *Envelope) at() ghl.CallOption {
	if e.LocationID == "" {
		return nil
	}
	return ghl.CallLocation(e.LocationID)
}

// ContactEvent is of type [ContactCreate], [ContactUpdate], [ContactDelete], [ContactTagUpdate] or [ContactDndUpdate].
type ContactEvent struct {
	Envelope
	Contact ghl.Contact
}

// RecordID returns the contact's id.
func (e *ContactEvent) RecordID() string { return e.Contact.ID }

// ContactID returns the contact's id.
func (e *ContactEvent) ContactID() string { return e.Contact.ID }

// Refetch reads the current contact: GET /contacts/{contactId}, scope contacts.readonly. The error is
// [ghl.ErrNotFound] if the contact was deleted.
func (e *ContactEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Contact, error) {
	return client.Contacts.Get(ctx, e.Contact.ID, e.at())
}

// TaskEvent is of type [TaskCreate], [TaskComplete] or [TaskDelete]. A TaskCreate may lack the contact's id and the
// body. The Task of a TaskComplete is completed, although HighLevel omits that property.
type TaskEvent struct {
	Envelope
	Task ghl.Task
}

// RecordID returns the task's id.
func (e *TaskEvent) RecordID() string { return e.Task.ID }

// ContactID returns the id of the contact that the task belongs to.
func (e *TaskEvent) ContactID() string { return e.Task.ContactID }

// Refetch reads the current task: GET /contacts/{contactId}/tasks/{taskId}, scope contacts.readonly. The error is
// [ghl.ErrNotFound] if the task was deleted, and [ErrNoContactID] if the event does not have the id of the contact.
func (e *TaskEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Task, error) {
	if e.Task.ContactID == "" {
		return nil, ErrNoContactID
	}
	return client.Tasks.Get(ctx, e.Task.ContactID, e.Task.ID, e.at())
}

// NoteEvent is of type [NoteCreate], [NoteUpdate] or [NoteDelete]. It does not have the author of the
// note.
type NoteEvent struct {
	Envelope
	Note ghl.Note
}

// RecordID returns the note's id.
func (e *NoteEvent) RecordID() string { return e.Note.ID }

// ContactID returns the id of the contact that the note belongs to.
func (e *NoteEvent) ContactID() string { return e.Note.ContactID }

// Refetch reads the current note: GET /contacts/{contactId}/notes/{noteId}, scope contacts.readonly. The error is
// [ghl.ErrNotFound] if the note was deleted, and [ErrNoContactID] if the event does not have the id of the contact.
func (e *NoteEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Note, error) {
	if e.Note.ContactID == "" {
		return nil, ErrNoContactID
	}
	return client.Notes.Get(ctx, e.Note.ContactID, e.Note.ID, e.at())
}

// AppointmentEvent is of type [AppointmentCreate], [AppointmentUpdate] or [AppointmentDelete]. In HighLevel's samples
// the deliveries of updates and deletions have the type AppointmentCreate. Treat all three types alike, and use
// Refetch.
type AppointmentEvent struct {
	Envelope
	Appointment ghl.Appointment
}

// RecordID returns the appointment's id.
func (e *AppointmentEvent) RecordID() string { return e.Appointment.ID }

// ContactID returns the id of the contact that the appointment belongs to.
func (e *AppointmentEvent) ContactID() string { return e.Appointment.ContactID }

// Refetch reads the current appointment: GET /calendars/events/appointments/{eventId}, scope
// calendars/events.readonly. If the appointment was deleted, the error is [ghl.ErrNotFound], or Deleted is set.
func (e *AppointmentEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Appointment, error) {
	return client.Appointments.Get(ctx, e.Appointment.ID, e.at())
}

// InstallEvent is of type [AppInstall]: the app was installed in a location, or in a whole company if LocationID is
// "". It has no authorization code: a location's token must be requested with the token of its company.
type InstallEvent struct {
	Envelope
	UserID, PlanID, CompanyName string
	// InstallType is such as "Location".
	InstallType         string
	IsWhitelabelCompany bool
	WhitelabelDetails   WhitelabelDetails
	// Trial is nil if the delivery does not have it.
	Trial *Trial
	// Extra holds the properties without a field, and values of another type than their field's.
	Extra ghl.Extra
}

// WhitelabelDetails describe a company that sells HighLevel under its own name.
type WhitelabelDetails struct {
	Domain  string `json:"domain"`
	LogoURL string `json:"logoUrl"`
}

// Trial describes the trial period of an app.
type Trial struct {
	OnTrial        bool     `json:"onTrial"`
	TrialDuration  int      `json:"trialDuration"`
	TrialStartDate ghl.Time `json:"trialStartDate,omitzero"`
}

// RecordID returns "".
func (e *InstallEvent) RecordID() string { return "" }

// ContactID returns "".
func (e *InstallEvent) ContactID() string { return "" }

// UninstallEvent is of type [AppUninstall]: the app was removed from a location, or from a whole company if
// LocationID is "".
type UninstallEvent struct {
	Envelope
	// Extra holds the properties without a field.
	Extra ghl.Extra
}

// RecordID returns "".
func (e *UninstallEvent) RecordID() string { return "" }

// ContactID returns "".
func (e *UninstallEvent) ContactID() string { return "" }

// UnknownEvent is an event of any other type. Its Raw holds the whole delivery.
type UnknownEvent struct{ Envelope }

// RecordID returns "".
func (e *UnknownEvent) RecordID() string { return "" }

// ContactID returns "".
func (e *UnknownEvent) ContactID() string { return "" }
