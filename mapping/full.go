package mapping

import (
	"errors"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// FullContact is a contact of GHL with its tasks, notes and appointments.
type FullContact struct {
	Contact      *ghl.Contact
	Tasks        []*ghl.Task
	Notes        []*ghl.Note
	Appointments []*ghl.Appointment
	// NoteAppointments holds the id of the appointment that a note belongs to, by the id of the note. A note of an
	// unknown appointment has no entry.
	NoteAppointments map[string]string
}

// FullContact maps a contact with its tasks, notes and appointments. A record that cannot be mapped, such as a task
// without an id or a deleted appointment, is left out and reported. FullContact fails only if the contact cannot be
// mapped.
func (m *Mapper) FullContact(in *FullContact) (*pluvo.FullContact, *Report, error) {
	if in == nil || in.Contact == nil {
		return nil, &Report{}, noRecord(pluvo.KindContact)
	}
	out, sc, id := new(pluvo.FullContact), &scope{m: m}, in.Contact.ID
	s := &sink{report: &Report{Entries: make([]Entry, 0, 16+8*(len(in.Tasks)+len(in.Notes)+len(in.Appointments)))}}
	s.of(pluvo.KindContact, id)
	if err := m.contact(&out.Contact, in.Contact, sc, s); err != nil {
		return nil, s.report, err
	}
	out.Tasks = mapEach(in.Tasks, s, pluvo.KindTask, func(out *pluvo.Task, t *ghl.Task) error {
		s.of(pluvo.KindTask, t.ID)
		return m.task(out, t, id, sc, s)
	})
	appointment := func(out *pluvo.Appointment, a *ghl.Appointment) error {
		s.of(pluvo.KindAppointment, a.ID)
		if a.Deleted {
			return &Error{Problem: whyDeleted}
		}
		return m.appointment(out, a, id, sc, s)
	}
	out.Appointments = mapEach(in.Appointments, s, pluvo.KindAppointment, appointment)
	out.Notes = mapEach(in.Notes, s, pluvo.KindNote, func(out *pluvo.Note, n *ghl.Note) error {
		s.of(pluvo.KindNote, n.ID)
		sc.appointmentID = in.NoteAppointments[n.ID]
		return m.note(out, n, id, sc, s)
	})
	return out, s.report, nil
}

// of sets the record that the next entries are for.
func (s *sink) of(kind pluvo.Kind, id string) { s.kind, s.id = kind, id }

// mapEach maps the records of a list. It leaves out the records that cannot be mapped.
func mapEach[R, P any](list []*R, s *sink, kind pluvo.Kind, one func(*P, *R) error) []P {
	if len(list) == 0 {
		return nil
	}
	out := make([]P, 0, len(list))
	for _, from := range list {
		if from == nil {
			s.of(kind, "")
			s.leftOut("", whyNoRecord)
			continue
		}
		out = out[:len(out)+1]
		before := len(s.report.Entries)
		if err := one(&out[len(out)-1], from); err != nil {
			clear(out[len(out)-1:])
			out = out[:len(out)-1]
			s.report.Entries = s.report.Entries[:before]
			s.leftOut("", problemOf(err))
		}
	}
	return out
}

// problemOf returns the field and the problem of an error. Kind and id are in the entry.
func problemOf(err error) string {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.Field == "":
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}
