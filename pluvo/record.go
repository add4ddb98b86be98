package pluvo

import (
	"maps"
	"slices"
)

// Kind returns [KindContact].
func (c *Contact) Kind() Kind { return KindContact }

// Key returns the contact's id.
func (c *Contact) Key() string { return c.ID }

// Owner returns the contact's own id.
func (c *Contact) Owner() string { return c.ID }

// From returns the contact's origin.
func (c *Contact) From() Origin { return c.Origin }

// Kind returns [KindTask].
func (t *Task) Kind() Kind { return KindTask }

// Key returns the task's id.
func (t *Task) Key() string { return t.ID }

// Owner returns the id of the contact that the task belongs to.
func (t *Task) Owner() string { return t.ContactID }

// From returns the task's origin.
func (t *Task) From() Origin { return t.Origin }

// Kind returns [KindNote].
func (n *Note) Kind() Kind { return KindNote }

// Key returns the note's id.
func (n *Note) Key() string { return n.ID }

// Owner returns the id of the contact that the note belongs to.
func (n *Note) Owner() string { return n.ContactID }

// From returns the note's origin.
func (n *Note) From() Origin { return n.Origin }

// Kind returns [KindAppointment].
func (a *Appointment) Kind() Kind { return KindAppointment }

// Key returns the appointment's id.
func (a *Appointment) Key() string { return a.ID }

// Owner returns the id of the contact that the appointment belongs to.
func (a *Appointment) Owner() string { return a.ContactID }

// From returns the appointment's origin.
func (a *Appointment) From() Origin { return a.Origin }

// Clone returns a deep copy of the record. The copy of nil is nil.
func Clone[R Record](r R) R {
	if isNil(r) {
		return r
	}
	return r.clone().(R)
}

// Equal reports whether two records have the same content. The order of tags, the location of times, and the difference
// between nil and empty lists and maps are ignored. Two nils are equal.
func Equal(a, b Record) bool {
	if isNil(a) || isNil(b) {
		return isNil(a) && isNil(b)
	}
	return a.equal(b)
}

// isNil reports whether a record is nil, or a nil pointer to one.
func isNil(r Record) bool {
	switch r := r.(type) {
	case *Contact:
		return r == nil
	case *Task:
		return r == nil
	case *Note:
		return r == nil
	case *Appointment:
		return r == nil
	}
	return true
}

func (c *Contact) clone() Record {
	copied := *c
	copied.Tags, copied.Fields = slices.Clone(c.Tags), maps.Clone(c.Fields)
	return &copied
}

func (t *Task) clone() Record        { copied := *t; return &copied }
func (n *Note) clone() Record        { copied := *n; return &copied }
func (a *Appointment) clone() Record { copied := *a; return &copied }

func (c *Contact) equal(other Record) bool {
	d, ok := other.(*Contact)
	return ok && c.ID == d.ID && c.Email == d.Email && c.FirstName == d.FirstName && c.LastName == d.LastName &&
		c.Phone == d.Phone && c.Stage == d.Stage && c.Origin == d.Origin &&
		sameSet(c.Tags, d.Tags) && maps.Equal(c.Fields, d.Fields)
}

func (t *Task) equal(other Record) bool {
	u, ok := other.(*Task)
	return ok && t.ID == u.ID && t.ContactID == u.ContactID && t.Title == u.Title && t.Status == u.Status &&
		t.DueDate.Equal(u.DueDate) && t.Completed == u.Completed && t.Origin == u.Origin
}

func (n *Note) equal(other Record) bool {
	o, ok := other.(*Note)
	return ok && n.ID == o.ID && n.ContactID == o.ContactID && n.Content == o.Content &&
		n.CreatedAt.Equal(o.CreatedAt) && n.AppointmentID == o.AppointmentID && n.Origin == o.Origin
}

func (a *Appointment) equal(other Record) bool {
	b, ok := other.(*Appointment)
	return ok && a.ID == b.ID && a.ContactID == b.ContactID && a.Title == b.Title && a.Start.Equal(b.Start) &&
		a.End.Equal(b.End) && a.Status == b.Status && a.AssignedUserID == b.AssignedUserID && a.Origin == b.Origin
}

// sameSet reports whether two lists have the same elements, ignoring order and repetition.
func sameSet(a, b []string) bool {
	if slices.Equal(a, b) {
		return true
	}
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	for _, s := range b {
		if !slices.Contains(a, s) {
			return false
		}
	}
	return true
}
