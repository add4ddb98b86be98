package ghltest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pluvo/ghl"
)

var appointmentNoteProperties = properties{"body": required(text), "userId": optional(text)}

type appointmentNoteBody struct {
	Body   string          `json:"body"`
	UserID ghl.Opt[string] `json:"userId"`
}

// AddAppointmentNote adds a note to an appointment. A note of a contact is another one: see [Server.AddNote].
func (s *Server) AddAppointmentNote(appointmentID string, in ghl.Note) ghl.Note {
	s.helper()
	return seed(s, "AddAppointmentNote", in, func(in ghl.Note) (*ghl.Note, error) {
		e := s.state.events[appointmentID]
		if e == nil || e.blocked {
			return nil, fmt.Errorf("unknown appointment %q", appointmentID)
		}
		if err := s.state.ids.give(&in.ID); err != nil {
			return nil, err
		}
		in.ContactID = e.ContactID
		if in.DateAdded.IsZero() {
			in.DateAdded = timestamp(s.now())
		}
		e.notes = append(e.notes, &in)
		return &in, nil
	})
}

// AppointmentNotes returns the notes of an appointment in the order of their creation.
func (s *Server) AppointmentNotes(appointmentID string) []ghl.Note {
	return inspect(s, func(st *state) []*ghl.Note {
		if e := st.events[appointmentID]; e != nil {
			return e.notes
		}
		return nil
	})
}

// writeAppointmentNote returns a note in the form of the calendar endpoints.
func writeAppointmentNote(n *ghl.Note) any {
	return map[string]any{
		"id": n.ID, "body": n.Body, "userId": n.UserID, "dateAdded": n.DateAdded, "contactId": n.ContactID,
		"createdBy": n.CreatedBy,
	}
}

// noted returns the appointment in the path of a note.
func (c *call) noted() (*event, error) {
	e := c.state.events[c.param("appointmentId")]
	switch {
	case e == nil || e.blocked:
		return nil, notFound("Appointment")
	case e.location != c.location:
		return nil, wrongLocation()
	}
	return e, nil
}

// appointmentNote returns the note in the path, and its appointment.
func (c *call) appointmentNote() (*event, *ghl.Note, error) {
	e, err := c.noted()
	if err != nil {
		return nil, nil, err
	}
	for _, n := range e.notes {
		if n.ID == c.param("noteId") {
			return e, n, nil
		}
	}
	return nil, nil, notFound("Note")
}

// listAppointmentNotes answers a page of an appointment's notes, in the order of their creation.
func (c *call) listAppointmentNotes() (any, error) {
	e, err := c.noted()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"limit", "offset"} {
		if c.query.Get(name) == "" {
			return nil, invalid(name + " should not be empty")
		}
	}
	limit, err := c.number("limit", 0, 1, 20)
	if err != nil {
		return nil, err
	}
	offset, err := c.number("offset", 0, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	rest := e.notes[min(offset, len(e.notes)):]
	page := rest[:min(limit, len(rest))]
	return map[string]any{"notes": answers(page, writeAppointmentNote), "hasMore": len(rest) > len(page)}, nil
}

func (c *call) createAppointmentNote() (any, error) {
	e, err := c.noted()
	if err != nil {
		return nil, err
	}
	n := &ghl.Note{ContactID: e.ContactID, DateAdded: timestamp(c.now)}
	n.CreatedBy.ID, n.CreatedBy.Name = "api", "API"
	if err := c.fillAppointmentNote(n); err != nil {
		return nil, err
	}
	n.ID = c.ids.id()
	e.notes = append(e.notes, n)
	return map[string]any{"note": writeAppointmentNote(n)}, nil
}

func (c *call) updateAppointmentNote() (any, error) {
	_, n, err := c.appointmentNote()
	if err != nil {
		return nil, err
	}
	if err := c.fillAppointmentNote(n); err != nil {
		return nil, err
	}
	return map[string]any{"note": writeAppointmentNote(n)}, nil
}

func (c *call) fillAppointmentNote(n *ghl.Note) error {
	in, err := read[appointmentNoteBody](c)
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(in.Body) == "":
		return invalid("body should not be empty")
	case len([]rune(in.Body)) > 5000:
		return invalid("body must be shorter than or equal to 5000 characters")
	}
	n.Body = in.Body
	set(&n.UserID, in.UserID)
	return nil
}

func (c *call) deleteAppointmentNote() (any, error) {
	e, n, err := c.appointmentNote()
	if err != nil {
		return nil, err
	}
	e.notes = slices.DeleteFunc(e.notes, func(other *ghl.Note) bool { return other == n })
	return map[string]any{"success": true}, nil
}
