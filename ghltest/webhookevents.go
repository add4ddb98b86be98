package ghltest

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

// EventType is the type of a webhook event, the property "type" of a delivery.
type EventType string

// The events that the fake sends. HighLevel has no event for an edited task.
const (
	ContactCreate     EventType = "ContactCreate"
	ContactUpdate     EventType = "ContactUpdate"
	ContactDelete     EventType = "ContactDelete"
	ContactTagUpdate  EventType = "ContactTagUpdate"
	ContactDndUpdate  EventType = "ContactDndUpdate"
	TaskCreate        EventType = "TaskCreate"
	TaskComplete      EventType = "TaskComplete"
	TaskDelete        EventType = "TaskDelete"
	NoteCreate        EventType = "NoteCreate"
	NoteUpdate        EventType = "NoteUpdate"
	NoteDelete        EventType = "NoteDelete"
	AppointmentCreate EventType = "AppointmentCreate"
	AppointmentUpdate EventType = "AppointmentUpdate"
	AppointmentDelete EventType = "AppointmentDelete"
	AppInstall        EventType = "INSTALL"
	AppUninstall      EventType = "UNINSTALL"
)

var eventTypes = []EventType{
	ContactCreate, ContactUpdate, ContactDelete, ContactTagUpdate, ContactDndUpdate, TaskCreate, TaskComplete,
	TaskDelete,
	NoteCreate, NoteUpdate, NoteDelete, AppointmentCreate, AppointmentUpdate, AppointmentDelete, AppInstall,
	AppUninstall,
}

// change is a change that is sent to subscribers.
type change struct {
	kind       EventType
	locationID string // "" for a whole company
	appID      string // of an installed app; "" means the subscriber's app
	at         time.Time
	record     any // encoded before emit returns, so it may change later
}

// emit sends a change to the subscribers. Without subscribers it does not call record.
func (s *state) emit(kind EventType, of *location, at time.Time, record func() any) {
	if s.hooks != nil && s.hooks.active.Load() {
		s.hooks.emit(change{kind: kind, locationID: of.ID, at: at, record: record()})
	}
}

// installEvent has the properties of INSTALL and UNINSTALL.
type installEvent struct {
	CompanyID string `json:"companyId,omitempty"`
	UserID    string `json:"userId,omitempty"`
	PlanID    string `json:"planId,omitempty"`
	// An UNINSTALL omits the rest.
	InstallType         string            `json:"installType,omitempty"`
	IsWhitelabelCompany *bool             `json:"isWhitelabelCompany,omitempty"`
	WhitelabelDetails   map[string]string `json:"whitelabelDetails,omitzero"`
	CompanyName         string            `json:"companyName,omitempty"`
}

// emitInstall sends an AppInstall or AppUninstall to the subscribers. locationID is "" for a whole company; appID ""
// means the subscriber's app.
func (s *state) emitInstall(kind EventType, appID, locationID string, in installEvent, at time.Time) {
	if s.hooks != nil && s.hooks.active.Load() {
		if kind == AppInstall {
			setDefault(&in.CompanyName, "Test Company") // the fake stores no names of companies
		}
		s.hooks.emit(change{kind: kind, locationID: locationID, appID: appID, at: at, record: in})
	}
}

func (c *call) emit(kind EventType, record func() any) { c.state.emit(kind, c.location, c.now, record) }

type contactEvent struct {
	ID           string            `json:"id"`
	Address1     string            `json:"address1,omitempty"`
	City         string            `json:"city,omitempty"`
	State        string            `json:"state,omitempty"`
	CompanyName  string            `json:"companyName,omitempty"`
	Country      string            `json:"country,omitempty"`
	Source       string            `json:"source,omitempty"`
	DateAdded    ghl.Time          `json:"dateAdded,omitzero"`
	DateOfBirth  any               `json:"dateOfBirth,omitempty"`
	DND          bool              `json:"dnd"`
	DNDSettings  *ghl.DNDSettings  `json:"dndSettings,omitempty"` // in ContactDndUpdate
	Email        string            `json:"email,omitempty"`
	Name         string            `json:"name,omitempty"`
	FirstName    string            `json:"firstName,omitempty"`
	LastName     string            `json:"lastName,omitempty"`
	Phone        string            `json:"phone,omitempty"`
	PostalCode   string            `json:"postalCode,omitempty"`
	Tags         []string          `json:"tags"`
	Website      string            `json:"website,omitempty"`
	Attachments  []string          `json:"attachments"`
	AssignedTo   string            `json:"assignedTo,omitempty"`
	CustomFields []ghl.CustomField `json:"customFields"`
}

func (c *call) emitContact(kind EventType, of *contact) {
	c.emit(kind, func() any {
		_, form := of.form(c.v3)
		e := contactEvent{
			ID: of.ID, Address1: of.Address1, City: of.City, State: of.State, CompanyName: of.CompanyName,
			Country: of.Country, Source: of.Source,
			DateAdded: of.DateAdded, DateOfBirth: form.DateOfBirth, DND: of.DND, Email: of.Email,
			Name: of.fullName(), FirstName: of.FirstName,
			LastName: of.LastName, Phone: of.Phone, PostalCode: of.PostalCode, Tags: form.Tags, Website: of.Website,
			Attachments: orEmpty(of.Attachments), AssignedTo: of.AssignedTo, CustomFields: form.CustomFields,
		}
		if kind == ContactDndUpdate {
			e.DNDSettings = of.DNDSettings
		}
		return e
	})
}

// emitContactChange emits ContactUpdate, also ContactTagUpdate for changed tags and ContactDndUpdate for a changed
// "do not disturb".
func (c *call) emitContactChange(was, is *contact) {
	c.emitContact(ContactUpdate, is)
	if !sameTags(was.Tags, is.Tags) {
		c.emitContact(ContactTagUpdate, is)
	}
	if was.DND != is.DND || !reflect.DeepEqual(was.DNDSettings, is.DNDSettings) {
		c.emitContact(ContactDndUpdate, is)
	}
}

func sameTags(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

type taskEvent struct {
	ID         string   `json:"id"`
	AssignedTo string   `json:"assignedTo,omitempty"`
	Body       string   `json:"body"`
	ContactID  string   `json:"contactId"`
	Title      string   `json:"title"`
	DateAdded  ghl.Time `json:"dateAdded,omitzero"`
	DueDate    ghl.Time `json:"dueDate,omitzero"`
}

func (c *call) emitTask(kind EventType, t *ghl.Task) {
	c.emit(kind, func() any {
		return taskEvent{t.ID, t.AssignedTo, t.Body, t.ContactID, t.Title, t.DateAdded, t.DueDate}
	})
}

// noteEvent has no userId, as in HighLevel's event.
type noteEvent struct {
	ID        string   `json:"id"`
	Body      string   `json:"body"`
	ContactID string   `json:"contactId"`
	DateAdded ghl.Time `json:"dateAdded,omitzero"`
}

func (c *call) emitNote(kind EventType, n *ghl.Note) {
	c.emit(kind, func() any { return noteEvent{n.ID, n.Body, n.ContactID, n.DateAdded} })
}

type appointmentEvent struct {
	ID                string                `json:"id"`
	Address           string                `json:"address,omitempty"`
	Title             string                `json:"title"`
	CalendarID        string                `json:"calendarId"`
	ContactID         string                `json:"contactId"`
	GroupID           string                `json:"groupId,omitempty"`
	AppointmentStatus ghl.AppointmentStatus `json:"appointmentStatus"`
	AssignedUserID    string                `json:"assignedUserId,omitempty"`
	Users             []string              `json:"users"`
	Notes             string                `json:"notes,omitempty"`
	Source            json.RawMessage       `json:"source,omitempty"`
	StartTime         string                `json:"startTime"`
	EndTime           string                `json:"endTime"`
	DateAdded         string                `json:"dateAdded"`
	DateUpdated       string                `json:"dateUpdated"`
}

func (c *call) emitAppointment(kind EventType, of *event) {
	c.emit(kind, func() any {
		f := of.listed(of.inZone)
		return appointmentEvent{
			ID: of.ID, Address: of.Address, Title: of.Title, CalendarID: of.CalendarID, ContactID: of.ContactID,
			GroupID:           of.GroupID,
			AppointmentStatus: of.AppointmentStatus, AssignedUserID: of.AssignedUserID, Users: f.Users, Notes: of.Notes,
			Source: of.Extra["source"], StartTime: f.StartTime, EndTime: f.EndTime, DateAdded: f.DateAdded,
			DateUpdated: f.DateUpdated,
		}
	})
}
