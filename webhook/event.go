package webhook

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/pluvo/ghl"
)

// Type is the type of an event, as it stands in a delivery.
type Type string

// The types that have an event of their own. There is none for a task that was edited: HighLevel does not tell, so that
// needs a look from time to time. Others are delivered as [UnknownEvent].
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

// Event is what happened: a [*ContactEvent], [*TaskEvent], [*NoteEvent], [*AppointmentEvent], [*InstallEvent],
// [*UninstallEvent] or [*UnknownEvent].
//
// It is a hint. Events come at least once and in no order, and those of contacts, tasks and notes do not say when the
// record was changed: read it again with Refetch before you act on what it says.
type Event interface {
	// Meta returns what every event has.
	Meta() *Envelope
	// RecordID is the id of the contact, task, note or appointment; "" for other events, and where it is missing.
	RecordID() string
	// ContactID is the id of the contact that the record belongs to, or which it is; "" where it is missing.
	ContactID() string

	sealed()
}

// Envelope is what every event has. A field is "" when the delivery lacks it.
type Envelope struct {
	Type       Type
	LocationID string
	CompanyID  string
	AppID      string
	VersionID  string
	// WebhookID is the same for each repetition of a delivery.
	WebhookID string
	// Timestamp is when the event was sent for the first time.
	Timestamp ghl.Time
	// Raw is the whole delivery as it came. It must not be changed.
	Raw json.RawMessage
}

// Meta returns the envelope.
func (e *Envelope) Meta() *Envelope { return e }

func (*Envelope) sealed() {}

// ErrNoContactID: the record cannot be read again because the event does not say whose it is. A TaskCreate is known to come
// so; [ghl.TasksService.SearchAll] finds the task among those of the location.
var ErrNoContactID = errors.New("webhook: the event does not say which contact it belongs to")

// at makes a call about the event's location.
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

// Refetch reads the contact as it stands: GET /contacts/{contactId}, scope contacts.readonly. The error is
// [ghl.ErrNotFound] when it was deleted.
func (e *ContactEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Contact, error) {
	return client.Contacts.Get(ctx, e.Contact.ID, e.at())
}

// TaskEvent is of type [TaskCreate], [TaskComplete] or [TaskDelete]. A TaskCreate may lack the contact's id and the body.
// The Task of a TaskComplete is completed, although HighLevel leaves that out.
type TaskEvent struct {
	Envelope
	Task ghl.Task
}

// RecordID returns the task's id.
func (e *TaskEvent) RecordID() string { return e.Task.ID }

// ContactID returns the id of the contact that the task belongs to.
func (e *TaskEvent) ContactID() string { return e.Task.ContactID }

// Refetch reads the task as it stands: GET /contacts/{contactId}/tasks/{taskId}, scope contacts.readonly. The error is
// [ghl.ErrNotFound] when it was deleted, and [ErrNoContactID] when the event does not say whose it is.
func (e *TaskEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Task, error) {
	if e.Task.ContactID == "" {
		return nil, ErrNoContactID
	}
	return client.Tasks.Get(ctx, e.Task.ContactID, e.Task.ID, e.at())
}

// NoteEvent is of type [NoteCreate], [NoteUpdate] or [NoteDelete]. It does not say who wrote the note.
type NoteEvent struct {
	Envelope
	Note ghl.Note
}

// RecordID returns the note's id.
func (e *NoteEvent) RecordID() string { return e.Note.ID }

// ContactID returns the id of the contact that the note is about.
func (e *NoteEvent) ContactID() string { return e.Note.ContactID }

// Refetch reads the note as it stands: GET /contacts/{contactId}/notes/{noteId}, scope contacts.readonly. The error is
// [ghl.ErrNotFound] when it was deleted, and [ErrNoContactID] when the event does not say whose it is.
func (e *NoteEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Note, error) {
	if e.Note.ContactID == "" {
		return nil, ErrNoContactID
	}
	return client.Notes.Get(ctx, e.Note.ContactID, e.Note.ID, e.at())
}

// AppointmentEvent is of type [AppointmentCreate], [AppointmentUpdate] or [AppointmentDelete]. In HighLevel's own samples
// updates and deletions call themselves AppointmentCreate, so take every type for "something happened to it", and
// see with Refetch what is so.
type AppointmentEvent struct {
	Envelope
	Appointment ghl.Appointment
}

// RecordID returns the appointment's id.
func (e *AppointmentEvent) RecordID() string { return e.Appointment.ID }

// ContactID returns the id of the contact whose appointment it is.
func (e *AppointmentEvent) ContactID() string { return e.Appointment.ContactID }

// Refetch reads the appointment as it stands: GET /calendars/events/appointments/{eventId}, scope
// calendars/events.readonly. When it was deleted, the error is [ghl.ErrNotFound], or Deleted is set.
func (e *AppointmentEvent) Refetch(ctx context.Context, client *ghl.Client) (*ghl.Appointment, error) {
	return client.Appointments.Get(ctx, e.Appointment.ID, e.at())
}

// InstallEvent is of type [AppInstall]: the app was installed in a location, or where LocationID is "" in a whole company.
// It carries no code, so the token of a location can only come from its company's.
type InstallEvent struct {
	Envelope
	UserID, PlanID, CompanyName string
	// InstallType is such as "Location".
	InstallType         string
	IsWhitelabelCompany bool
	WhitelabelDetails   WhitelabelDetails
	// Trial is nil when the delivery has none.
	Trial *Trial
	// Extra holds the properties without a field, and values of another type than their field's.
	Extra ghl.Extra
}

// WhitelabelDetails are those of a company that sells HighLevel under its own name.
type WhitelabelDetails struct {
	Domain  string `json:"domain"`
	LogoURL string `json:"logoUrl"`
}

// Trial is the time in which an app may be tried.
type Trial struct {
	OnTrial        bool     `json:"onTrial"`
	TrialDuration  int      `json:"trialDuration"`
	TrialStartDate ghl.Time `json:"trialStartDate,omitzero"`
}

// RecordID returns "".
func (e *InstallEvent) RecordID() string { return "" }

// ContactID returns "".
func (e *InstallEvent) ContactID() string { return "" }

// UninstallEvent is of type [AppUninstall]: the app was removed from a location, or where LocationID is "" from a whole
// company.
type UninstallEvent struct {
	Envelope
	// Extra holds the properties without a field.
	Extra ghl.Extra
}

// RecordID returns "".
func (e *UninstallEvent) RecordID() string { return "" }

// ContactID returns "".
func (e *UninstallEvent) ContactID() string { return "" }

// UnknownEvent is of a type that this package has no event for. Its Raw holds all of it.
type UnknownEvent struct{ Envelope }

// RecordID returns "".
func (e *UnknownEvent) RecordID() string { return "" }

// ContactID returns "".
func (e *UnknownEvent) ContactID() string { return "" }
