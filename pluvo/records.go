package pluvo

import "time"

// Kind is the kind of a record.
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
	// Kind returns the kind of the record.
	Kind() Kind
	// Key returns the record's id in Pluvo, which is unique among the records of its kind.
	Key() string
	// Owner returns the id of the contact that the record belongs to. The owner of a contact is the contact itself.
	Owner() string
	// From returns the origin of the record.
	From() Origin
	// Validate returns all mistakes in the record, joined, or nil. Each mistake is a [*FieldError], for errors.As.
	Validate() error

	clone() Record
	equal(Record) bool
}

// Origin identifies a record in the other system that it came from. It is zero for a record that was created in Pluvo
// and was not synced to another system.
type Origin struct {
	// System is the other system, such as "highlevel".
	System string `json:"system,omitempty"`
	// Location is the account within that system.
	Location string `json:"location,omitempty"`
	// ID is the record's id in that system.
	ID string `json:"id,omitempty"`
}

// IsZero reports whether the record has no origin in another system.
func (o Origin) IsZero() bool { return o == Origin{} }

// Contact is a person.
type Contact struct {
	ID        string `json:"id"`
	Email     string `json:"email,omitempty"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	// Phone should be in E.164, such as "+18005550100". Any other text is stored unchanged.
	Phone string `json:"phone,omitempty"`
	// Stage is the contact's stage in the sales process, by Pluvo's own names.
	Stage string `json:"stage,omitempty"`
	// Tags are a set: their order has no meaning.
	Tags []string `json:"tags,omitempty"`
	// Fields are the values of extra fields by their names. A value must not be empty.
	Fields map[string]string `json:"fields,omitempty"`
	Origin Origin            `json:"origin,omitzero"`
}

// TaskStatus is the status of a task. Mapping rules compare it as text.
type TaskStatus string

// The task statuses that are derived from the due date and from Completed. Other values are allowed.
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
	// AppointmentID is the appointment that the note is about; empty when unknown.
	AppointmentID string `json:"appointmentId,omitempty"`
	Origin        Origin `json:"origin,omitzero"`
}

// AppointmentStatus is the status of an appointment.
type AppointmentStatus string

// The known appointment statuses. Other values are allowed.
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
	// Start and End are instants; a zero End is unknown.
	Start          time.Time         `json:"start"`
	End            time.Time         `json:"end,omitzero"`
	Status         AppointmentStatus `json:"status,omitempty"`
	AssignedUserID string            `json:"assignedUserId,omitempty"`
	Origin         Origin            `json:"origin,omitzero"`
}

// FullContact is a contact with the records that belong to it.
type FullContact struct {
	Contact      Contact       `json:"contact"`
	Tasks        []Task        `json:"tasks,omitempty"`
	Notes        []Note        `json:"notes,omitempty"`
	Appointments []Appointment `json:"appointments,omitempty"`
}

// Records returns the contact followed by the records that belong to it. They are not copied.
func (f *FullContact) Records() []Record {
	all := make([]Record, 0, 1+len(f.Tasks)+len(f.Notes)+len(f.Appointments))
	all = append(all, &f.Contact)
	for i := range f.Tasks {
		all = append(all, &f.Tasks[i])
	}
	for i := range f.Appointments { // before the notes, which may refer to appointments
		all = append(all, &f.Appointments[i])
	}
	for i := range f.Notes {
		all = append(all, &f.Notes[i])
	}
	return all
}
