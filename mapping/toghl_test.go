package mapping_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

func TestContactCreate(t *testing.T) {
	m := newMapper(t, nil)
	got, report, err := m.ContactCreate(&pluvo.Contact{
		ID: "p1", Email: "Ada@Example.com", FirstName: "Ada", Phone: "800 555", Stage: "lead",
		Tags: []string{"VIP", "vip"}, Fields: map[string]string{"b": "1", "a": "2"},
	})
	require.NoError(t, err)
	require.Equal(t, &ghl.ContactCreate{FirstName: "Ada", Email: "Ada@Example.com", Phone: "800 555",
		Tags: []string{"vip"}}, got)
	require.Equal(t, []string{
		"contact p1 firstName>firstName mapped", "contact p1 email>email mapped", "contact p1 phone>phone changed", "contact p1 tags>tags changed",
		"contact p1 stage> left out", "contact p1 fields.a> left out", "contact p1 fields.b> left out",
	}, outcomes(report))

	got, report, err = m.ContactCreate(&pluvo.Contact{ID: "p1", Email: "a@b.c", Phone: "---"})
	require.NoError(t, err)
	require.Empty(t, got.Phone)
	require.Equal(t, mapping.LeftOut, entry(report, "phone").Outcome)
	_, report, err = m.ContactCreate(&pluvo.Contact{ID: "p1", FirstName: " ", Tags: []string{"vip"}})
	require.ErrorContains(t, err, "HighLevel needs an e-mail, a phone or a name")
	require.Len(t, report.Only(mapping.Missing), 1)
}

func TestContactUpdate(t *testing.T) {
	phones := func(o *mapping.Options) {
		o.Phone = mapping.PhoneNormalizerFunc(func(s string) (string, bool) {
			return "+1800555" + s[len(s)-4:], strings.HasPrefix(s, "(800) 555-")
		})
	}
	m := newMapper(t, phones)
	ruled := newMapper(t, func(o *mapping.Options) {
		phones(o)
		o.Rules = load(t, string(mapping.Template()))
	})
	last := func() *pluvo.Contact {
		return &pluvo.Contact{ID: "c1", Email: "ada@example.com", FirstName: "Ada", LastName: "L",
			Phone: "+18005550100", Stage: "lead", Tags: []string{"a", "b"}, Fields: map[string]string{"f": "1"}}
	}
	for _, test := range []struct {
		name        string
		change      func(*pluvo.Contact)
		body        string // "null" for no update
		add, remove []string
		leftOut     string
	}{
		{"nothing", func(*pluvo.Contact) {}, "null", nil, nil, ""},
		{"one field", func(c *pluvo.Contact) { c.LastName = "Lovelace" }, `{"lastName":"Lovelace"}`, nil, nil, ""},
		{"cleared", func(c *pluvo.Contact) { c.Email, c.Phone, c.LastName = "", "", "" }, `{"lastName":null,"email":null,"phone":null}`, nil, nil, ""},
		{"the same in the form that GHL stores", func(c *pluvo.Contact) {
			c.Email, c.Phone, c.Tags = "ADA@example.com", "(800) 555-0100", []string{"B", " a "}
		}, "null", nil, nil, ""},
		{"another phone", func(c *pluvo.Contact) { c.Phone = "(800) 555-0199" }, `{"phone":"+18005550199"}`, nil, nil, ""},
		{"no phone number", func(c *pluvo.Contact) { c.Phone = "ask at the desk" }, "null", nil, nil, "phone"},
		{"an extension", func(c *pluvo.Contact) { c.Phone = "+1 800 555 0100 ext. 7" }, "null", nil, nil, "phone"},
		{"an extension behind a sign", func(c *pluvo.Contact) { c.Phone = "800 555 0100 #7" }, "null", nil, nil, "phone"},
		{"an extension behind pauses", func(c *pluvo.Contact) { c.Phone = "800 555 0100,,7" }, "null", nil, nil, "phone"},
		{"a number that is not normalised", func(c *pluvo.Contact) { c.Phone = "555-0100" }, `{"phone":"555-0100"}`, nil, nil, ""},
		{"tags", func(c *pluvo.Contact) { c.Tags = []string{"a", "New"} }, "null", []string{"new"}, []string{"b"}, ""},
		{"all tags", func(c *pluvo.Contact) { c.Tags = nil }, "null", nil, []string{"a", "b"}, ""},
		{"stage", func(c *pluvo.Contact) { c.Stage = "customer" }, "null", nil, nil, "stage"},
		{"further field", func(c *pluvo.Contact) { delete(c.Fields, "f") }, "null", nil, nil, "fields.f"},
	} {
		now := last()
		test.change(now)
		got, report, err := m.ContactUpdate(now, last())
		require.NoError(t, err, test.name)
		require.Equal(t, test.body, body(t, got.Update), test.name)
		require.Equal(t, test.add, got.AddTags, test.name)
		require.Equal(t, test.remove, got.RemoveTags, test.name)
		require.Equal(t, test.body == "null" && test.add == nil && test.remove == nil, got.IsEmpty(), test.name)
		if test.leftOut != "" {
			require.Equal(t, mapping.LeftOut, entry(report, test.leftOut).Outcome, test.name)
		} else {
			require.Empty(t, report.Only(mapping.LeftOut), test.name)
		}
		same, ruledReport, err := ruled.ContactUpdate(now, last())
		require.NoError(t, err, test.name)
		require.Equal(t, got, same, test.name)
		require.ElementsMatch(t, outcomes(report), outcomes(ruledReport), test.name)
	}

	for _, m := range []*mapping.Mapper{m, ruled} {
		got, _, err := m.ContactUpdate(last(), nil)
		require.NoError(t, err)
		require.Equal(t, `{"firstName":"Ada","lastName":"L","email":"ada@example.com","phone":"+18005550100"}`,
			body(t, got.Update))
		require.Equal(t, []string{"a", "b"}, got.AddTags)
		got, _, err = m.ContactUpdate(&pluvo.Contact{ID: "c1"}, nil)
		require.NoError(t, err)
		require.True(t, got.IsEmpty(), "nothing is cleared without a last state")

		kept := last() // a value that GHL cannot store is reported only when it changes
		kept.Phone = "ask at the desk"
		got, report, err := m.ContactUpdate(kept, kept)
		require.NoError(t, err)
		require.True(t, got.IsEmpty())
		require.Empty(t, report.Entries)
		got, _, err = m.ContactUpdate(last(), kept)
		require.NoError(t, err)
		require.Equal(t, `{"phone":"+18005550100"}`, body(t, got.Update))
		kept.Phone = ""
		other := last()
		other.Phone = "ask at the door"
		got, _, err = m.ContactUpdate(kept, other)
		require.NoError(t, err)
		require.Equal(t, `{"phone":null}`, body(t, got.Update), "the last value in GHL is unknown")
	}
	_, _, err := m.ContactUpdate(last(), &pluvo.Contact{ID: "c2"})
	require.ErrorContains(t, err, "another record")
	_, _, err = m.ContactUpdate(nil, last())
	require.Error(t, err)
}

func TestTaskCreateAndUpdate(t *testing.T) {
	m := newMapper(t, nil)
	task := func() *pluvo.Task {
		return &pluvo.Task{ID: "t1", ContactID: "c1", Title: "Call", Status: pluvo.TaskOpen,
			DueDate: noon.Add(time.Hour)}
	}
	made, report, err := m.TaskCreate(task())
	require.NoError(t, err)
	require.Equal(t, &ghl.TaskCreate{Title: "Call", DueDate: noon.Add(time.Hour)}, made)
	require.Empty(t, report.Only(mapping.LeftOut), "the status is derived from GHL's fields")

	odd := task()
	odd.Status, odd.DueDate = "waiting", noon.Add(time.Hour+time.Nanosecond)
	made, report, err = m.TaskCreate(odd)
	require.NoError(t, err)
	require.Equal(t, noon.Add(time.Hour), made.DueDate)
	require.Equal(t, mapping.Changed, entry(report, "dueDate").Outcome)
	require.Equal(t, mapping.LeftOut, entry(report, "status").Outcome)

	for field, spoil := range map[string]func(*pluvo.Task){
		"dueDate": func(x *pluvo.Task) { x.DueDate = time.Time{} }, "title": func(x *pluvo.Task) { x.Title = " " },
	} {
		x := task()
		spoil(x)
		_, report, err := m.TaskCreate(x)
		require.ErrorContains(t, err, `task "t1": `+field+": it is required")
		require.Equal(t, field, report.Only(mapping.Missing)[0].From)
	}

	for _, test := range []struct {
		name    string
		change  func(*pluvo.Task)
		body    string
		leftOut string
	}{
		{"nothing", func(*pluvo.Task) {}, "null", ""},
		{"less than GHL holds", func(x *pluvo.Task) { x.DueDate = x.DueDate.Add(time.Microsecond) }, "null", ""},
		{"completed", func(x *pluvo.Task) { x.Completed, x.Status = true, pluvo.TaskCompleted }, `{"completed":true}`, ""},
		{"moved", func(x *pluvo.Task) { x.DueDate = noon.Add(time.Minute) }, `{"dueDate":"2026-05-01T12:01:00Z"}`, ""},
		{"renamed", func(x *pluvo.Task) { x.Title = "Call back" }, `{"title":"Call back"}`, ""},
		{"without a title", func(x *pluvo.Task) { x.Title = " " }, "null", "title"},
		{"without a due date", func(x *pluvo.Task) { x.DueDate = time.Time{} }, "null", "dueDate"},
		{"a status of its own", func(x *pluvo.Task) { x.Status = "waiting" }, "null", "status"},
	} {
		now := task()
		test.change(now)
		got, report, err := m.TaskUpdate(now, task())
		require.NoError(t, err, test.name)
		require.Equal(t, test.body, body(t, got), test.name)
		require.Equal(t, test.body == "null", got == nil, test.name)
		if test.leftOut == "" {
			require.Empty(t, report.Only(mapping.LeftOut), test.name)
		} else {
			require.Equal(t, mapping.LeftOut, entry(report, test.leftOut).Outcome, test.name)
		}
	}
	early := task()
	early.DueDate = time.Time{}.Add(1) // the zero time in GHL's precision
	_, report, err = m.TaskUpdate(early, task())
	require.NoError(t, err)
	require.Equal(t, "the year is not in 1 to 9999", entry(report, "dueDate").Reason)
	got, _, err := m.TaskUpdate(task(), nil)
	require.NoError(t, err)
	require.Equal(t, `{"title":"Call","dueDate":"2026-05-01T13:00:00Z","completed":false}`, body(t, got),
		"the task may be completed in GHL")
}

func TestNoteCreateAndUpdate(t *testing.T) {
	m := newMapper(t, nil)
	note := func() *pluvo.Note {
		return &pluvo.Note{ID: "n1", ContactID: "c1", Content: "Hello", CreatedAt: noon, AppointmentID: "a1"}
	}
	made, report, err := m.NoteCreate(note())
	require.NoError(t, err)
	require.Equal(t, &ghl.NoteCreate{Body: "Hello"}, made)
	require.Equal(t, []string{"note n1 content>body mapped", "note n1 createdAt> left out",
		"note n1 appointmentId> left out"}, outcomes(report))
	_, _, err = m.NoteCreate(&pluvo.Note{ID: "n1"})
	require.ErrorContains(t, err, "content")

	now := note()
	got, report, err := m.NoteUpdate(now, note())
	require.NoError(t, err)
	require.Nil(t, got)
	require.Empty(t, report.Entries)
	now.Content, now.AppointmentID, now.CreatedAt = "Bye", "", noon.Add(time.Hour)
	got, report, err = m.NoteUpdate(now, note())
	require.NoError(t, err)
	require.Equal(t, `{"body":"Bye"}`, body(t, got))
	require.Len(t, report.Only(mapping.LeftOut), 2)
	now.Content = ""
	got, report, err = m.NoteUpdate(now, note())
	require.NoError(t, err)
	require.Nil(t, got)
	require.Equal(t, mapping.LeftOut, entry(report, "content").Outcome)
}

func TestAppointmentCreate(t *testing.T) {
	m := newMapper(t, nil)
	a := &pluvo.Appointment{ID: "a1", ContactID: "p1", Title: "Visit", Start: noon.Add(999), End: noon.Add(time.Hour),
		Status: pluvo.AppointmentCompleted, AssignedUserID: "ada@pluvo"}
	got, report, err := m.AppointmentCreate(a, "c1", "cal")
	require.NoError(t, err)
	require.Equal(t, &ghl.AppointmentCreate{CalendarID: "cal", ContactID: "c1", Title: "Visit", StartTime: noon,
		EndTime: noon.Add(time.Hour)}, got)
	require.False(t, got.IgnoreFreeSlotValidation)
	require.Equal(t, mapping.Changed, entry(report, "start").Outcome)
	require.Equal(t, mapping.LeftOut, entry(report, "status").Outcome)
	require.Equal(t, mapping.LeftOut, entry(report, "assignedUserId").Outcome)

	v3 := newMapper(t, func(o *mapping.Options) { o.Version = ghl.VersionV3 })
	a.End, a.AssignedUserID = a.Start, "u1"
	got, report, err = v3.AppointmentCreate(a, "c1", "cal")
	require.NoError(t, err)
	require.Equal(t, ghl.AppointmentCompleted, got.AppointmentStatus)
	require.Equal(t, "u1", got.AssignedUserID)
	require.Zero(t, got.EndTime)
	require.Equal(t, mapping.LeftOut, entry(report, "end").Outcome)

	for field, f := range map[string]func() error{
		"contactId":  func() error { _, _, err := m.AppointmentCreate(a, "", "cal"); return err },
		"calendarId": func() error { _, _, err := m.AppointmentCreate(a, "c1", ""); return err },
		"start":      func() error { _, _, err := m.AppointmentCreate(&pluvo.Appointment{ID: "a1"}, "c1", "cal"); return err },
		"id":         func() error { _, _, err := m.AppointmentCreate(nil, "c1", "cal"); return err },
	} {
		require.ErrorContains(t, f(), field+": ")
	}
}

func TestAppointmentUpdate(t *testing.T) {
	a := func() *pluvo.Appointment {
		return &pluvo.Appointment{ID: "a1", ContactID: "c1", Title: "Visit", Start: noon, End: noon.Add(time.Hour),
			Status: pluvo.AppointmentNew, AssignedUserID: "u1"}
	}
	const template = "version: 1\nappointment:\n  - {ghl: title, pluvo: title}\n  - {ghl: startTime, pluvo: start}\n  - {ghl: endTime, pluvo: end}\n" +
		"  - {ghl: appointmentStatus, pluvo: status}\n  - {ghl: assignedUserId, pluvo: assignedUserId}\n"
	for _, m := range []*mapping.Mapper{newMapper(t, nil), withRules(t, template)} {
		for _, test := range []struct {
			name    string
			change  func(*pluvo.Appointment)
			want    ghl.AppointmentUpdate
			leftOut string
		}{
			{"nothing", func(*pluvo.Appointment) {}, ghl.AppointmentUpdate{}, ""},
			{"less than GHL holds", func(x *pluvo.Appointment) { x.Start = x.Start.Add(time.Millisecond) }, ghl.AppointmentUpdate{}, ""},
			{"a new start, and so the end", func(x *pluvo.Appointment) { x.Start = noon.Add(time.Minute) }, ghl.AppointmentUpdate{StartTime: ghl.Some(noon.Add(time.Minute)), EndTime: ghl.Some(noon.Add(time.Hour))}, ""},
			{"a new end", func(x *pluvo.Appointment) { x.End = noon.Add(time.Minute) }, ghl.AppointmentUpdate{EndTime: ghl.Some(noon.Add(time.Minute))}, ""},
			{"a start without an end", func(x *pluvo.Appointment) { x.Start, x.End = noon.Add(time.Minute), time.Time{} }, ghl.AppointmentUpdate{StartTime: ghl.Some(noon.Add(time.Minute))}, "end"},
			{"an end at the start", func(x *pluvo.Appointment) { x.Start = x.End }, ghl.AppointmentUpdate{StartTime: ghl.Some(noon.Add(time.Hour))}, "end"},
			{"a new end at the start", func(x *pluvo.Appointment) { x.End = x.Start }, ghl.AppointmentUpdate{}, "end"},
			{"no start", func(x *pluvo.Appointment) { x.Start = time.Time{} }, ghl.AppointmentUpdate{}, "start"},
			{"cancelled", func(x *pluvo.Appointment) { x.Status = pluvo.AppointmentCancelled }, ghl.AppointmentUpdate{AppointmentStatus: ghl.Some(ghl.AppointmentCancelled)}, ""},
			{"no status", func(x *pluvo.Appointment) { x.Status = "" }, ghl.AppointmentUpdate{}, "status"},
			{"a status that v3 alone sets", func(x *pluvo.Appointment) { x.Status = pluvo.AppointmentActive }, ghl.AppointmentUpdate{}, "status"},
			{"a status of its own", func(x *pluvo.Appointment) { x.Status = "waiting" }, ghl.AppointmentUpdate{}, "status"},
			{"no title", func(x *pluvo.Appointment) { x.Title = "" }, ghl.AppointmentUpdate{Title: ghl.Null[string]()}, ""},
			{"no assigned user", func(x *pluvo.Appointment) { x.AssignedUserID = "" }, ghl.AppointmentUpdate{}, "assignedUserId"},
			{"no id of a user", func(x *pluvo.Appointment) { x.AssignedUserID = "a b" }, ghl.AppointmentUpdate{}, "assignedUserId"},
		} {
			now := a()
			test.change(now)
			got, report, err := m.AppointmentUpdate(now, a())
			require.NoError(t, err, test.name)
			if test.want == (ghl.AppointmentUpdate{}) {
				require.Nil(t, got, test.name)
			} else {
				require.Equal(t, &test.want, got, test.name)
			}
			if test.leftOut == "" {
				require.Empty(t, report.Only(mapping.LeftOut), test.name)
			} else {
				require.Equal(t, mapping.LeftOut, entry(report, test.leftOut).Outcome, test.name)
			}
		}
	}
}

// TestTagsAreReportedInGHLsForm: a tag that GHL stores in another form is reported as changed, by any rules. A list of
// empty tags is left out and removes nothing.
func TestTagsAreReportedInGHLsForm(t *testing.T) {
	for _, m := range []*mapping.Mapper{newMapper(t, nil), withRules(t, customRules, definitions...)} {
		last := &pluvo.Contact{ID: "c1", Email: "a@b.c", Tags: []string{"new"}}
		for _, test := range []struct {
			tags, want []string
			outcome    mapping.Outcome
		}{
			{[]string{"vip"}, []string{"vip"}, mapping.Mapped},
			{[]string{"VIP "}, []string{"vip"}, mapping.Changed},
			{[]string{"vip", "Vip"}, []string{"vip"}, mapping.Changed},
			{[]string{" "}, nil, mapping.LeftOut},
		} {
			now := &pluvo.Contact{ID: "c1", Email: "a@b.c", Tags: test.tags}
			created, report, err := m.ContactCreate(now)
			require.NoError(t, err)
			require.Equal(t, test.want, created.Tags)
			require.Equal(t, test.outcome, entry(report, "tags").Outcome, "%q", test.tags)
			change, report, err := m.ContactUpdate(now, last)
			require.NoError(t, err)
			require.Equal(t, test.want, change.AddTags)
			require.Equal(t, test.want != nil, len(change.RemoveTags) == 1)
			require.Equal(t, test.outcome, entry(report, "tags").Outcome, "%q", test.tags)
		}
	}
}

// TestARequiredValueHasOneEntry: a required value that cannot be mapped is reported as missing, with the problem.
func TestARequiredValueHasOneEntry(t *testing.T) {
	m := withRules(t, rulesFor("contact", "{ghl: email, pluvo: email}",
		"{ghl: custom.cf1, pluvo: fields.size, required: true}"), definitions...)
	_, report, err := m.ContactCreate(&pluvo.Contact{ID: "p1", Email: "a@b.c",
		Fields: map[string]string{"size": "big"}})
	require.EqualError(t, err, `mapping: contact "p1": fields.size: it is not a number`)
	require.Equal(t, []string{"contact p1 email>email mapped", "contact p1 fields.size>custom.cf1 missing"},
		outcomes(report))
	_, report, err = m.Contact(&ghl.Contact{ID: "c1",
		CustomFields: []ghl.CustomField{{ID: "cf1", Value: ghl.ValueOf("big")}}})
	require.EqualError(t, err, `mapping: contact "c1": custom.cf1: it is not a number`)
	require.Equal(t, []string{"contact c1 id>origin.id mapped", "contact c1 custom.cf1>fields.size missing"},
		outcomes(report))
}
