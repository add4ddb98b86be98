package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Note maps a note from GHL to Pluvo. ContactID is the GHL id of its contact; it may be "" if the note names its
// contact. AppointmentID is the GHL id of the appointment that the note belongs to; "" if it is unknown, because GHL
// does not say. The body of a note that was written in HighLevel's editor is HTML; the field body is its text.
func (m *Mapper) Note(n *ghl.Note, contactID, appointmentID string) (*pluvo.Note, *Report, error) {
	if n == nil {
		return nil, &Report{}, noRecord(pluvo.KindNote)
	}
	s, out := newSink(pluvo.KindNote, n.ID), new(pluvo.Note)
	if err := m.note(out, n, contactID, &scope{m, appointmentID}, s); err != nil {
		return nil, s.report, err
	}
	return out, s.report, nil
}

func (m *Mapper) note(out *pluvo.Note, n *ghl.Note, contactID string, sc *scope, s *sink) error {
	if err := m.checkGHL(pluvo.KindNote, n.ID, ""); err != nil {
		return err
	}
	contactID, err := owner(pluvo.KindNote, n.ID, contactID, n.ContactID)
	if err != nil {
		return err
	}
	out.ID, out.ContactID, out.Origin = m.id(pluvo.KindNote, n.ID), m.id(pluvo.KindContact, contactID), m.origin(n.ID)
	s.mapped("id", "origin.id")
	s.mapped("contactId", "contactId")
	if err := m.rules.note.toPluvo(out, n, sc, s); err != nil {
		return err
	}
	return settle(&noteFields, out, out, s)
}

// NoteCreate maps a note of Pluvo to one that GHL creates. It fails unless the result has a body.
func (m *Mapper) NoteCreate(n *pluvo.Note) (*ghl.NoteCreate, *Report, error) {
	if n == nil {
		return nil, &Report{}, noRecord(pluvo.KindNote)
	}
	s, out := newSink(pluvo.KindNote, n.ID), new(ghl.NoteCreate)
	if err := m.rules.note.create(out, n, m, s); err != nil {
		return nil, s.report, err
	}
	if strings.TrimSpace(out.Body) == "" {
		return nil, s.report, s.missing("content", "body", "")
	}
	return out, s.report, nil
}

// NoteUpdate maps the difference between a note of Pluvo and the last state of it that GHL is known to have; see
// [Mapper.ContactUpdate]. It returns nil if there is nothing to send.
func (m *Mapper) NoteUpdate(now, last *pluvo.Note) (*ghl.NoteUpdate, *Report, error) {
	last, known, err := samePair(pluvo.KindNote, now, last, (*pluvo.Note).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindNote, now.ID), new(ghl.NoteUpdate)
	if err := m.rules.note.change(out, now, last, known, m, s); err != nil || *out == (ghl.NoteUpdate{}) {
		return nil, s.report, err
	}
	return out, s.report, nil
}

type (
	noteField = ghlField[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate]
	noteRules = compiled[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate, pluvo.Note]
)

var noteFields = table[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate, pluvo.Note]{
	ghl: []*noteField{
		ownText[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate]("id", func(n *ghl.Note) string { return n.ID }),
		{
			name: "body", typ: textType, stored: asNoteText,
			get:    func(n *ghl.Note, _ *scope) value { return noteText(n) },
			create: func(c *ghl.NoteCreate, v value) { c.Body = v.text },
			change: func(u *ghl.NoteUpdate, _, now value) { u.Body = opt(now.text) },
		},
		ownText[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate]("bodyText", func(n *ghl.Note) string { return n.BodyText }),
		textField("title",
			func(n *ghl.Note) string { return n.Title },
			func(c *ghl.NoteCreate) *string { return &c.Title },
			func(u *ghl.NoteUpdate) *ghl.Opt[string] { return &u.Title }),
		textField("color",
			func(n *ghl.Note) string { return n.Color },
			func(c *ghl.NoteCreate) *string { return &c.Color },
			func(u *ghl.NoteUpdate) *ghl.Opt[string] { return &u.Color }),
		userID(textField("userId",
			func(n *ghl.Note) string { return n.UserID },
			func(c *ghl.NoteCreate) *string { return &c.UserID },
			func(u *ghl.NoteUpdate) *ghl.Opt[string] { return &u.UserID })),
		{
			name: "pinned", typ: flagType, get: func(n *ghl.Note, _ *scope) value { return flagValue(n.Pinned) },
			create: func(c *ghl.NoteCreate, v value) { c.Pinned = v.flag },
			change: func(u *ghl.NoteUpdate, _, now value) { u.Pinned = ghl.Some(now.flag) },
		},
		readOnlyTime[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate]("dateAdded",
			func(n *ghl.Note) ghl.Time { return n.DateAdded }),
		{name: "appointmentId", typ: textType, get: func(_ *ghl.Note, s *scope) value {
			return textValue(s.m.id(pluvo.KindAppointment, s.appointmentID))
		}},
	},
	pluvo: []*pluvoField[pluvo.Note]{
		pluvoID("noteId", func(n *pluvo.Note) string { return n.ID }),
		needed(pluvoText("content", func(n *pluvo.Note) *string { return &n.Content })),
		unwrittenBecause(whyOwn, pluvoTime("createdAt", func(n *pluvo.Note) *time.Time { return &n.CreatedAt })),
		unwrittenBecause(whyNoBack, pluvoText("appointmentId",
			func(n *pluvo.Note) *string { return &n.AppointmentID })),
	},
	others: func(s *sink, n *ghl.Note, _ map[string]bool) {
		reportPresent(s, []presence{{"createdBy", n.CreatedBy.ID != "" || n.CreatedBy.Name != ""}})
		reportExtra(s, n.Extra)
	},
}
