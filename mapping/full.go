package mapping

import (
	"errors"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// FullContact is a contact of GHL with all that belongs to it.
type FullContact struct {
	Contact      *ghl.Contact
	Tasks        []*ghl.Task
	Notes        []*ghl.Note
	Appointments []*ghl.Appointment
	// NoteAppointments gives, by the id of a note, the id of the appointment that it belongs to, where that is known.
	NoteAppointments map[string]string
}

// FullContact maps a contact with all that belongs to it. What cannot be mapped of it, such as a task without an id or an
// appointment that was deleted, is left out and reported; only a contact that cannot be mapped is an error.
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
	out.Tasks = mapEach(in.Tasks, s, pluvo.KindTask, func(t *pluvo.Task, from *ghl.Task) error {
		s.of(pluvo.KindTask, from.ID)
		return m.task(t, from, id, sc, s)
	})
	out.Appointments = mapEach(in.Appointments, s, pluvo.KindAppointment, func(a *pluvo.Appointment, from *ghl.Appointment) error {
		s.of(pluvo.KindAppointment, from.ID)
		if from.Deleted {
			return &Error{Problem: whyDeleted}
		}
		return m.appointment(a, from, id, sc, s)
	})
	out.Notes = mapEach(in.Notes, s, pluvo.KindNote, func(n *pluvo.Note, from *ghl.Note) error {
		s.of(pluvo.KindNote, from.ID)
		sc.appointmentID = in.NoteAppointments[from.ID]
		return m.note(n, from, id, sc, s)
	})
	return out, s.report, nil
}

// of makes a record the one that entries are about.
func (s *sink) of(kind pluvo.Kind, id string) { s.kind, s.id = kind, id }

// mapEach maps the records of a list, without those that cannot be.
func mapEach[R, P any](list []*R, s *sink, kind pluvo.Kind, one func(*P, *R) error) []P {
	if len(list) == 0 {
		return nil
	}
	out := make([]P, 0, len(list))
	for _, from := range list {
		if from == nil {
			s.of(kind, "")
			s.leftOut("", "there is no record")
			continue
		}
		out = out[:len(out)+1]
		before := len(s.report.Entries)
		if err := one(&out[len(out)-1], from); err != nil {
			clear(out[len(out)-1:])
			out = out[:len(out)-1]
			s.report.Entries = s.report.Entries[:before]
			s.leftOut("", whyNot(err))
		}
	}
	return out
}

// whyNot returns what is wrong with a record, without what the entry says by itself.
func whyNot(err error) string {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.Field == "":
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}
