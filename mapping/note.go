package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Note maps a note from GHL to Pluvo. ContactID is the GHL id of its contact; it may be "" where the note names it.
// AppointmentID is the GHL id of the appointment that the note belongs to, "" where that is not known: GHL does not say.
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
	if rules := m.o.Rules.note; rules != nil {
		err = rules.toPluvo(out, n, sc, s)
	} else {
		err = m.plainNote(out, n, sc, s)
	}
	if err != nil {
		return err
	}
	return settle(&noteFields, out, out, s)
}

func (m *Mapper) plainNote(out *pluvo.Note, n *ghl.Note, sc *scope, s *sink) error {
	if out.Content = n.Body; n.Body == "" {
		return s.missing("body", "content", "")
	}
	s.mapped("body", "content")
	added, note, problem := m.instant(n.DateAdded)
	switch {
	case problem != "":
		s.leftOut("dateAdded", problem)
	case !added.IsZero():
		out.CreatedAt = added
		s.went("dateAdded", "createdAt", note)
	}
	if out.AppointmentID = m.id(pluvo.KindAppointment, sc.appointmentID); out.AppointmentID != "" {
		s.mapped("appointmentId", "appointmentId")
	}
	reportLeftOut(s, n, sc, noteLeftOut, whyNoField)
	noteFields.others(s, n, nil, whyNoField)
	return nil
}

// NoteCreate maps a note of Pluvo to one that is to be made in GHL. It needs a content.
func (m *Mapper) NoteCreate(n *pluvo.Note) (*ghl.NoteCreate, *Report, error) {
	if n == nil {
		return nil, &Report{}, noRecord(pluvo.KindNote)
	}
	s, out := newSink(pluvo.KindNote, n.ID), new(ghl.NoteCreate)
	if rules := m.o.Rules.note; rules != nil {
		if err := rules.create(out, n, m, s); err != nil {
			return nil, s.report, err
		}
	} else {
		if out.Body = n.Content; n.Content != "" {
			s.mapped("content", "body")
		}
		if !n.CreatedAt.IsZero() {
			s.leftOut("createdAt", whyOwn)
		}
		if n.AppointmentID != "" {
			s.leftOut("appointmentId", whyNoBack)
		}
	}
	if strings.TrimSpace(out.Body) == "" {
		return nil, s.report, s.missing("content", "body", "")
	}
	return out, s.report, nil
}

// NoteUpdate maps what differs between a note of Pluvo and the last state of it that GHL is known to have; see
// [Mapper.ContactUpdate]. The update is nil when nothing is to be sent.
func (m *Mapper) NoteUpdate(now, last *pluvo.Note) (*ghl.NoteUpdate, *Report, error) {
	last, known, err := samePair(pluvo.KindNote, now, last, (*pluvo.Note).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindNote, now.ID), new(ghl.NoteUpdate)
	if rules := m.o.Rules.note; rules != nil {
		err = rules.change(out, now, last, known, m, s)
	} else {
		noteChange(out, now, last, s)
	}
	if err != nil || *out == (ghl.NoteUpdate{}) {
		return nil, s.report, err
	}
	return out, s.report, nil
}

func noteChange(out *ghl.NoteUpdate, now, last *pluvo.Note, s *sink) {
	switch {
	case now.Content == last.Content:
	case strings.TrimSpace(now.Content) == "":
		s.leftOut("content", whyNotCleared)
	default:
		out.Body = ghl.Some(now.Content)
		s.mapped("content", "body")
	}
	if !now.CreatedAt.Equal(last.CreatedAt) {
		s.leftOut("createdAt", whyOwn)
	}
	if now.AppointmentID != last.AppointmentID {
		s.leftOut("appointmentId", whyNoBack)
	}
}

type noteField = ghlField[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate]

var noteFields = table[ghl.Note, ghl.NoteCreate, ghl.NoteUpdate, pluvo.Note]{
	ghl: []*noteField{
		{name: "id", typ: textType, own: true, get: func(n *ghl.Note, _ *scope) value { return textValue(n.ID) }},
		{
			name: "body", typ: textType, get: func(n *ghl.Note, _ *scope) value { return textValue(n.Body) },
			create: func(c *ghl.NoteCreate, v value) { c.Body = v.text },
			change: func(u *ghl.NoteUpdate, _, now value) { u.Body = ghl.Some(now.text) },
		},
		{name: "bodyText", typ: textType, own: true, get: func(n *ghl.Note, _ *scope) value { return textValue(n.BodyText) }},
		textField("title", func(n *ghl.Note) string { return n.Title }, func(c *ghl.NoteCreate) *string { return &c.Title }, func(u *ghl.NoteUpdate) *ghl.Opt[string] { return &u.Title }),
		textField("color", func(n *ghl.Note) string { return n.Color }, func(c *ghl.NoteCreate) *string { return &c.Color }, func(u *ghl.NoteUpdate) *ghl.Opt[string] { return &u.Color }),
		isUser(textField("userId", func(n *ghl.Note) string { return n.UserID }, func(c *ghl.NoteCreate) *string { return &c.UserID }, func(u *ghl.NoteUpdate) *ghl.Opt[string] { return &u.UserID })),
		{
			name: "pinned", typ: flagType, get: func(n *ghl.Note, _ *scope) value { return flagValue(n.Pinned) },
			create: func(c *ghl.NoteCreate, v value) { c.Pinned = v.flag },
			change: func(u *ghl.NoteUpdate, _, now value) { u.Pinned = ghl.Some(now.flag) },
		},
		{name: "dateAdded", typ: instantType, get: instantOf(func(n *ghl.Note) ghl.Time { return n.DateAdded })},
		{name: "appointmentId", typ: textType, get: func(_ *ghl.Note, s *scope) value {
			return textValue(s.m.id(pluvo.KindAppointment, s.appointmentID))
		}},
	},
	pluvo: []*pluvoField[pluvo.Note]{
		pluvoID("noteId", func(n *pluvo.Note) string { return n.ID }),
		needed(pluvoText("content", func(n *pluvo.Note) *string { return &n.Content })),
		pluvoTime("createdAt", func(n *pluvo.Note) *time.Time { return &n.CreatedAt }),
		pluvoText("appointmentId", func(n *pluvo.Note) *string { return &n.AppointmentID }),
	},
	others: func(s *sink, n *ghl.Note, _ map[string]bool, _ string) { reportExtra(s, n.Extra) },
}

// noteLeftOut are the fields that the function written by hand does not map.
var noteLeftOut = noteFields.except("body", "dateAdded", "appointmentId")
