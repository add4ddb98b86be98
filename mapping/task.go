package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Task maps a task from GHL to Pluvo. ContactID is the GHL id of its contact; it may be "" if the task names its
// contact.
func (m *Mapper) Task(t *ghl.Task, contactID string) (*pluvo.Task, *Report, error) {
	if t == nil {
		return nil, &Report{}, noRecord(pluvo.KindTask)
	}
	s, out := newSink(pluvo.KindTask, t.ID), new(pluvo.Task)
	if err := m.task(out, t, contactID, &scope{m: m}, s); err != nil {
		return nil, s.report, err
	}
	return out, s.report, nil
}

func (m *Mapper) task(out *pluvo.Task, t *ghl.Task, contactID string, sc *scope, s *sink) error {
	if err := m.checkGHL(pluvo.KindTask, t.ID, t.LocationID); err != nil {
		return err
	}
	contactID, err := owner(pluvo.KindTask, t.ID, contactID, t.ContactID)
	if err != nil {
		return err
	}
	out.ID, out.ContactID, out.Origin = m.id(pluvo.KindTask, t.ID), m.id(pluvo.KindContact, contactID), m.origin(t.ID)
	s.mapped("id", "origin.id")
	s.mapped("contactId", "contactId")
	if err := m.rules.task.toPluvo(out, t, sc, s); err != nil {
		return err
	}
	return settle(&taskFields, out, out, s)
}

// TaskCreate maps a task of Pluvo to one that GHL creates. It fails unless the result has a title and a due date.
func (m *Mapper) TaskCreate(t *pluvo.Task) (*ghl.TaskCreate, *Report, error) {
	if t == nil {
		return nil, &Report{}, noRecord(pluvo.KindTask)
	}
	s, out := newSink(pluvo.KindTask, t.ID), new(ghl.TaskCreate)
	if err := m.rules.task.create(out, t, m, s); err != nil {
		return nil, s.report, err
	}
	switch {
	case strings.TrimSpace(out.Title) == "":
		return nil, s.report, s.missing("title", "title", "")
	case out.DueDate.IsZero():
		return nil, s.report, s.missing("dueDate", "dueDate", "")
	}
	return out, s.report, nil
}

// TaskUpdate maps the difference between a task of Pluvo and the last state of it that GHL is known to have; see
// [Mapper.ContactUpdate]. It returns nil if there is nothing to send.
func (m *Mapper) TaskUpdate(now, last *pluvo.Task) (*ghl.TaskUpdate, *Report, error) {
	last, known, err := samePair(pluvo.KindTask, now, last, (*pluvo.Task).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindTask, now.ID), new(ghl.TaskUpdate)
	if err := m.rules.task.change(out, now, last, known, m, s); err != nil || *out == (ghl.TaskUpdate{}) {
		return nil, s.report, err
	}
	return out, s.report, nil
}

type (
	taskField = ghlField[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]
	taskRules = compiled[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate, pluvo.Task]
)

var taskFields = table[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate, pluvo.Task]{
	ghl: []*taskField{
		ownText[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]("id", func(t *ghl.Task) string { return t.ID }),
		notCleared(textField("title",
			func(t *ghl.Task) string { return t.Title },
			func(c *ghl.TaskCreate) *string { return &c.Title },
			func(u *ghl.TaskUpdate) *ghl.Opt[string] { return &u.Title })),
		textField("body",
			func(t *ghl.Task) string { return t.Body },
			func(c *ghl.TaskCreate) *string { return &c.Body },
			func(u *ghl.TaskUpdate) *ghl.Opt[string] { return &u.Body }),
		{
			name: "dueDate", typ: instantType, sends: inMillis,
			get:    instantOf(func(t *ghl.Task) ghl.Time { return t.DueDate }),
			create: func(c *ghl.TaskCreate, v value) { c.DueDate = v.at },
			change: func(u *ghl.TaskUpdate, _, now value) { u.DueDate = ghl.Some(now.at) },
		},
		{
			name: "completed", typ: flagType, get: func(t *ghl.Task, _ *scope) value { return flagValue(t.Completed) },
			create: func(c *ghl.TaskCreate, v value) { c.Completed = v.flag },
			change: func(u *ghl.TaskUpdate, _, now value) { u.Completed = ghl.Some(now.flag) },
		},
		{name: "status", typ: textType, own: true, get: func(t *ghl.Task, s *scope) value { // derived
			due, _, _ := s.m.instant(t.DueDate)
			return textValue(string(s.m.taskStatus(t.Completed, due)))
		}},
		userID(textField("assignedTo",
			func(t *ghl.Task) string { return t.AssignedTo },
			func(c *ghl.TaskCreate) *string { return &c.AssignedTo },
			func(u *ghl.TaskUpdate) *ghl.Opt[string] { return &u.AssignedTo })),
		readOnly[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]("businessId",
			func(t *ghl.Task) string { return t.BusinessID }),
		readOnlyTime[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]("dateAdded",
			func(t *ghl.Task) ghl.Time { return t.DateAdded }),
		readOnlyTime[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]("dateUpdated",
			func(t *ghl.Task) ghl.Time { return t.DateUpdated }),
	},
	pluvo: []*pluvoField[pluvo.Task]{
		pluvoID("taskId", func(t *pluvo.Task) string { return t.ID }),
		needed(pluvoText("title", func(t *pluvo.Task) *string { return &t.Title })),
		{
			name: "status", typ: textType, get: func(t *pluvo.Task) value { return textValue(string(t.Status)) },
			set:     func(t *pluvo.Task, v value) { t.Status = pluvo.TaskStatus(v.text) },
			implied: statusImplied, unwritten: whyDerived,
		},
		pluvoTime("dueDate", func(t *pluvo.Task) *time.Time { return &t.DueDate }),
		{
			name: "completed", typ: flagType, get: func(t *pluvo.Task) value { return flagValue(t.Completed) },
			set: func(t *pluvo.Task, v value) { t.Completed = v.flag },
		},
	},
	others: func(s *sink, t *ghl.Task, _ map[string]bool) { reportExtra(s, t.Extra) },
}

// statusImplied reports whether the task's other fields imply its status.
func statusImplied(m *Mapper, t *pluvo.Task) bool {
	return t.Status == "" || t.Status == m.taskStatus(t.Completed, t.DueDate)
}
