package mapping

import (
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Task maps a task from GHL to Pluvo. ContactID is the GHL id of its contact; it may be "" where the task names it.
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
	if rules := m.o.Rules.task; rules != nil {
		err = rules.toPluvo(out, t, sc, s)
	} else {
		err = m.plainTask(out, t, sc, s)
	}
	if err != nil {
		return err
	}
	return settle(&taskFields, out, out, s)
}

func (m *Mapper) plainTask(out *pluvo.Task, t *ghl.Task, sc *scope, s *sink) error {
	if out.Title = t.Title; t.Title == "" {
		return s.missing("title", "title", "")
	}
	s.mapped("title", "title")
	due, note, problem := m.instant(t.DueDate)
	switch {
	case problem != "":
		s.leftOut("dueDate", problem)
	case !due.IsZero():
		out.DueDate = due
		s.went("dueDate", "dueDate", note)
	}
	out.Completed, out.Status = t.Completed, m.taskStatus(t.Completed, due)
	s.mapped("completed", "completed")
	s.mapped("status", "status")
	reportLeftOut(s, t, sc, taskLeftOut, whyNoField)
	taskFields.others(s, t, nil, whyNoField)
	return nil
}

// TaskCreate maps a task of Pluvo to one that is to be made in GHL. It needs a title and a due date.
func (m *Mapper) TaskCreate(t *pluvo.Task) (*ghl.TaskCreate, *Report, error) {
	if t == nil {
		return nil, &Report{}, noRecord(pluvo.KindTask)
	}
	s, out := newSink(pluvo.KindTask, t.ID), new(ghl.TaskCreate)
	if rules := m.o.Rules.task; rules != nil {
		if err := rules.create(out, t, m, s); err != nil {
			return nil, s.report, err
		}
	} else {
		m.taskCreate(out, t, s)
	}
	switch {
	case strings.TrimSpace(out.Title) == "":
		return nil, s.report, s.missing("title", "title", "")
	case out.DueDate.IsZero():
		return nil, s.report, s.missing("dueDate", "dueDate", "")
	}
	return out, s.report, nil
}

func (m *Mapper) taskCreate(out *ghl.TaskCreate, t *pluvo.Task, s *sink) {
	if out.Title = t.Title; t.Title != "" {
		s.mapped("title", "title")
	}
	due, note, problem := millis(t.DueDate)
	switch {
	case problem != "":
		s.leftOut("dueDate", problem)
	case !due.IsZero():
		out.DueDate = due
		s.went("dueDate", "dueDate", note)
	}
	out.Completed = t.Completed
	s.mapped("completed", "completed")
	m.reportStatus(t, s)
}

// reportStatus says that a status is left out which GHL's own fields do not say.
func (m *Mapper) reportStatus(t *pluvo.Task, s *sink) {
	if !statusImplied(m, t) {
		s.leftOut("status", whyDerived)
	}
}

func statusImplied(m *Mapper, t *pluvo.Task) bool {
	return t.Status == "" || t.Status == m.taskStatus(t.Completed, t.DueDate)
}

// TaskUpdate maps what differs between a task of Pluvo and the last state of it that GHL is known to have; see
// [Mapper.ContactUpdate]. The update is nil when nothing is to be sent.
func (m *Mapper) TaskUpdate(now, last *pluvo.Task) (*ghl.TaskUpdate, *Report, error) {
	last, known, err := samePair(pluvo.KindTask, now, last, (*pluvo.Task).Key)
	if err != nil {
		return nil, &Report{}, err
	}
	s, out := newSink(pluvo.KindTask, now.ID), new(ghl.TaskUpdate)
	if rules := m.o.Rules.task; rules != nil {
		err = rules.change(out, now, last, known, m, s)
	} else {
		m.taskChange(out, now, last, known, s)
	}
	if err != nil || *out == (ghl.TaskUpdate{}) {
		return nil, s.report, err
	}
	return out, s.report, nil
}

func (m *Mapper) taskChange(out *ghl.TaskUpdate, now, last *pluvo.Task, known bool, s *sink) {
	switch {
	case now.Title == last.Title:
	case strings.TrimSpace(now.Title) == "":
		s.leftOut("title", whyNotCleared)
	default:
		out.Title = ghl.Some(now.Title)
		s.mapped("title", "title")
	}
	due, note, problem := millis(now.DueDate)
	before, _, _ := millis(last.DueDate)
	switch {
	case known && now.DueDate.Equal(last.DueDate):
	case problem != "":
		s.leftOut("dueDate", problem)
	case due.Equal(before):
	case due.IsZero():
		s.leftOut("dueDate", whyNotCleared)
	default:
		out.DueDate = ghl.Some(due)
		s.went("dueDate", "dueDate", note)
	}
	if now.Completed != last.Completed || !known {
		out.Completed = ghl.Some(now.Completed)
		s.mapped("completed", "completed")
	}
	if now.Status != last.Status {
		m.reportStatus(now, s)
	}
}

type taskField = ghlField[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]

var taskFields = table[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate, pluvo.Task]{
	ghl: []*taskField{
		{name: "id", typ: textType, own: true, get: func(t *ghl.Task, _ *scope) value { return textValue(t.ID) }},
		{
			name: "title", typ: textType, get: func(t *ghl.Task, _ *scope) value { return textValue(t.Title) },
			create: func(c *ghl.TaskCreate, v value) { c.Title = v.text },
			change: func(u *ghl.TaskUpdate, _, now value) { u.Title = ghl.Some(now.text) },
		},
		textField("body", func(t *ghl.Task) string { return t.Body }, func(c *ghl.TaskCreate) *string { return &c.Body }, func(u *ghl.TaskUpdate) *ghl.Opt[string] { return &u.Body }),
		{
			name: "dueDate", typ: instantType, get: instantOf(func(t *ghl.Task) ghl.Time { return t.DueDate }),
			create:  func(c *ghl.TaskCreate, v value) { c.DueDate = v.at },
			change:  func(u *ghl.TaskUpdate, _, now value) { u.DueDate = ghl.Some(now.at) },
			precise: millis,
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
		isUser(textField("assignedTo", func(t *ghl.Task) string { return t.AssignedTo }, func(c *ghl.TaskCreate) *string { return &c.AssignedTo }, func(u *ghl.TaskUpdate) *ghl.Opt[string] { return &u.AssignedTo })),
		readOnly[ghl.Task, ghl.TaskCreate, ghl.TaskUpdate]("businessId", func(t *ghl.Task) string { return t.BusinessID }),
		{name: "dateAdded", typ: instantType, get: instantOf(func(t *ghl.Task) ghl.Time { return t.DateAdded })},
		{name: "dateUpdated", typ: instantType, get: instantOf(func(t *ghl.Task) ghl.Time { return t.DateUpdated })},
	},
	pluvo: []*pluvoField[pluvo.Task]{
		pluvoID("taskId", func(t *pluvo.Task) string { return t.ID }),
		needed(pluvoText("title", func(t *pluvo.Task) *string { return &t.Title })),
		{
			name: "status", typ: textType, get: func(t *pluvo.Task) value { return textValue(string(t.Status)) },
			set:     func(t *pluvo.Task, v value) { t.Status = pluvo.TaskStatus(v.text) },
			implied: statusImplied,
		},
		pluvoTime("dueDate", func(t *pluvo.Task) *time.Time { return &t.DueDate }),
		{
			name: "completed", typ: flagType, get: func(t *pluvo.Task) value { return flagValue(t.Completed) },
			set: func(t *pluvo.Task, v value) { t.Completed = v.flag },
		},
	},
	others: func(s *sink, t *ghl.Task, _ map[string]bool, _ string) { reportExtra(s, t.Extra) },
}

// taskLeftOut are the fields that the function written by hand does not map.
var taskLeftOut = taskFields.except("title", "dueDate", "completed")
