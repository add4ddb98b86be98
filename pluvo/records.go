package pluvo

import "time"

// Kind is which kind of record one is.
type Kind string

// The kinds of records.
const (
	KindContact     Kind = "contact"
	KindTask        Kind = "task"
	KindNote        Kind = "note"
	KindAppointment Kind = "appointment"
)

// Record is a *[Contact], *[Task], *[Note] or *[Appointment], and nothing else.
type Record interface {
	// Kind says which of them it is.
	Kind() Kind
	// Key is the record's id in Pluvo, unique among those of its kind.
	Key() string
	// Owner is the id of the contact that the record belongs to. A contact belongs to itself.
	Owner() string
	// From is where the record came from.
	From() Origin
	// Validate says what is wrong with the record, all of it: each mistake is a [*FieldError] within reach of errors.As.
	Validate() error

	clone() Record
	equal(Record) bool
}

// Origin is where a record came from. It is zero for one that was made in Pluvo and has not been anywhere else.
type Origin struct {
	// System is the other system, such as "highlevel".
	System string `json:"system,omitempty"`
	// Location is the account within that system.
	Location string `json:"location,omitempty"`
	// ID is the record's id there.
	ID string `json:"id,omitempty"`
}

// IsZero reports whether the record came from nowhere else.
func (o Origin) IsZero() bool { return o == Origin{} }

// Contact is a person.
type Contact struct {
	ID        string `json:"id"`
	Email     string `json:"email,omitempty"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	// Phone is best in E.164, such as "+18005550100"; anything else is kept as it was written.
	Phone string `json:"phone,omitempty"`
	// Stage is where the contact stands on its way, in Pluvo's own words.
	Stage string `json:"stage,omitempty"`
	// Tags are a set: their order means nothing.
	Tags []string `json:"tags,omitempty"`
	// Fields are further values by their names, which Pluvo keeps as extra fields of a person. None is empty.
	Fields map[string]string `json:"fields,omitempty"`
	Origin Origin            `json:"origin,omitzero"`
}

// TaskStatus is how a task stands, in words that both people and rules use.
type TaskStatus string

// The states of a task that are derived from its due date and whether it is completed. Others are allowed.
const (
	TaskOpen      TaskStatus = "open"
	TaskOverdue   TaskStatus = "overdue"
	TaskCompleted TaskStatus = "completed"
)

// Task is something to do for a contact.
type Task struct {
	ID        string     `json:"taskId"`
	ContactID string     `json:"contactId"`
	Title     string     `json:"title"`
	Status    TaskStatus `json:"status,omitempty"`
	// DueDate is an instant; zero means none.
	DueDate   time.Time `json:"dueDate,omitzero"`
	Completed bool      `json:"completed"`
	Origin    Origin    `json:"origin,omitzero"`
}

// Note is a text about a contact.
type Note struct {
	ID        string `json:"noteId"`
	ContactID string `json:"contactId"`
	// Content may be HTML.
	Content string `json:"content"`
	// CreatedAt is an instant; zero means unknown.
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// AppointmentID is the appointment that the note is about, where that is known.
	AppointmentID string `json:"appointmentId,omitempty"`
	Origin        Origin `json:"origin,omitzero"`
}

// AppointmentStatus is what became of an appointment.
type AppointmentStatus string

// The states of an appointment. Others are allowed.
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

// Appointment is a meeting with a contact.
type Appointment struct {
	ID        string `json:"id"`
	ContactID string `json:"contactId"`
	Title     string `json:"title,omitempty"`
	// Start and End are instants; an End of zero is unknown.
	Start          time.Time         `json:"start"`
	End            time.Time         `json:"end,omitzero"`
	Status         AppointmentStatus `json:"status,omitempty"`
	AssignedUserID string            `json:"assignedUserId,omitempty"`
	Origin         Origin            `json:"origin,omitzero"`
}

// FullContact is a contact with all that belongs to it.
type FullContact struct {
	Contact      Contact       `json:"contact"`
	Tasks        []Task        `json:"tasks,omitempty"`
	Notes        []Note        `json:"notes,omitempty"`
	Appointments []Appointment `json:"appointments,omitempty"`
}

// Records returns the contact and then all that belongs to it. They are not copied.
func (f *FullContact) Records() []Record {
	all := make([]Record, 0, 1+len(f.Tasks)+len(f.Notes)+len(f.Appointments))
	all = append(all, &f.Contact)
	for i := range f.Tasks {
		all = append(all, &f.Tasks[i])
	}
	for i := range f.Appointments { // before the notes, which may be about one
		all = append(all, &f.Appointments[i])
	}
	for i := range f.Notes {
		all = append(all, &f.Notes[i])
	}
	return all
}
