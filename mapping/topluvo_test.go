package mapping_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

func TestContact(t *testing.T) {
	got, report, err := newMapper(t, nil).Contact(contact())
	require.NoError(t, err)
	require.Equal(t, &pluvo.Contact{
		ID: "c1", Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Phone: "+18005550100",
		Tags: []string{"vip", "customer"}, Origin: origin("c1"),
	}, got)
	require.Equal(t, []string{
		"contact c1 id>origin.id mapped", "contact c1 firstName>firstName mapped", "contact c1 lastName>lastName mapped", "contact c1 email>email mapped",
		"contact c1 phone>phone mapped", "contact c1 tags>tags mapped", "contact c1 city> left out", "contact c1 dateAdded> left out", "contact c1 custom.cf1> left out",
	}, outcomes(report))
}

func TestNamesAreSplitOnlyWhereThereIsOne(t *testing.T) {
	m := newMapper(t, nil)
	for _, test := range []struct {
		in          ghl.Contact
		first, last string
		outcome     mapping.Outcome
	}{
		{ghl.Contact{FirstName: "Ada", LastName: "Lovelace"}, "Ada", "Lovelace", mapping.Mapped},
		{ghl.Contact{FirstName: "Anna Maria", Name: "Anna Maria Rossi"}, "Anna Maria", "", mapping.Mapped},
		{ghl.Contact{LastName: "de la Cruz", Name: "Juan de la Cruz"}, "", "de la Cruz", 0},
		{ghl.Contact{Name: "Juan de la Cruz"}, "Juan", "de la Cruz", mapping.Changed},
		{ghl.Contact{ContactName: " Cher "}, "Cher", "", mapping.Changed},
		{ghl.Contact{}, "", "", 0},
	} {
		test.in.ID = "c1"
		got, report, err := m.Contact(&test.in)
		require.NoError(t, err)
		require.Equal(t, [2]string{test.first, test.last}, [2]string{got.FirstName, got.LastName})
		require.Equal(t, test.outcome, entry(report, "firstName").Outcome)
		require.Empty(t, entry(report, "name"), "the parts have the name")
	}
}

func TestPhones(t *testing.T) {
	place := func(to string) mapping.PhoneNormalizer {
		return mapping.PhoneNormalizerFunc(func(string) (string, bool) { return to, to != "" })
	}
	for _, test := range []struct {
		written string
		with    mapping.PhoneNormalizer
		want    string
		outcome mapping.Outcome
	}{
		{"+18005550100", place("+49301234"), "+18005550100", mapping.Mapped},
		{"(800) 555-0100", nil, "(800) 555-0100", mapping.Changed},
		{"(800) 555-0100", place(""), "(800) 555-0100", mapping.Changed},
		{"(800) 555-0100", place("+18005550100"), "+18005550100", mapping.Changed},
		// not E.164
		{"(800) 555-0100", place("8005550100"), "(800) 555-0100", mapping.Changed},
		// the end is cut
		{"(800) 555-0100", place("+1800555010"), "(800) 555-0100", mapping.Changed},
		// an extension
		{"800 555 0100 ext. 7", place("+18005550100"), "800 555 0100 ext. 7", mapping.Changed},
		// most is cut
		{"12345678901234567890", place("+4567890"), "12345678901234567890", mapping.Changed},
		// two numbers
		{"800-555-0100 / 800-555-0101", place("+18005550101"), "800-555-0100 / 800-555-0101", mapping.Changed},
		{"+5555555 x5555", place("+5555555"), "+5555555 x5555", mapping.Changed},
		{"020 7946 0018", place("+442079460018"), "+442079460018", mapping.Changed},
		// Argentina writes mobile numbers in another form at home
		{"011 15-2345-6789", place("+5491123456789"), "+5491123456789", mapping.Changed},
		{"٠٢٠٧٩٤٦٠٠١٨", place("+442079460018"), "+442079460018", mapping.Changed},
		{"𝟎𝟐𝟎 𝟕𝟗𝟒𝟔 𝟎𝟎𝟏𝟖", place("+442079460018"), "+442079460018", mapping.Changed},
		{"ask at the desk", place("+442079460018"), "ask at the desk", mapping.Changed},
		{"+0123", place(""), "+0123", mapping.Changed},
		{"+1234567890123456", place(""), "+1234567890123456", mapping.Changed}, // 16 digits
	} {
		m := newMapper(t, func(o *mapping.Options) { o.Phone = test.with })
		got, report, err := m.Contact(&ghl.Contact{ID: "c1", Phone: test.written})
		require.NoError(t, err)
		require.Equal(t, test.want, got.Phone)
		require.Equal(t, test.outcome, entry(report, "phone").Outcome, test.written)
	}
}

func TestTask(t *testing.T) {
	m := newMapper(t, nil)
	got, report, err := m.Task(&ghl.Task{ID: "t1", Title: "Call", Body: "about it",
		DueDate: ghl.ParseTime("2026-05-01T14:00:00+02:00")}, "c1")
	require.NoError(t, err)
	require.Equal(t, &pluvo.Task{ID: "t1", ContactID: "c1", Title: "Call", Status: pluvo.TaskOpen, DueDate: noon,
		Origin: origin("t1")}, got)
	require.Equal(t, mapping.LeftOut, entry(report, "body").Outcome)

	for _, test := range []struct {
		due       string
		completed bool
		want      pluvo.TaskStatus
	}{
		{"2026-05-01T11:59:59Z", false, pluvo.TaskOverdue}, {"2026-05-01T12:00:00Z", false, pluvo.TaskOpen}, {"", false, pluvo.TaskOpen},
		{"2026-05-01T11:59:59Z", true, pluvo.TaskCompleted}, {"2027-01-01T00:00:00Z", true, pluvo.TaskCompleted},
	} {
		got, _, err := m.Task(&ghl.Task{ID: "t1", Title: "Call", DueDate: ghl.ParseTime(test.due),
			Completed: test.completed}, "c1")
		require.NoError(t, err)
		require.Equal(t, test.want, got.Status)
	}

	own := newMapper(t, func(o *mapping.Options) {
		o.TaskStatus = func(completed bool, due, now time.Time) pluvo.TaskStatus {
			if !completed && due.Sub(now) < time.Hour {
				return "urgent"
			}
			return mapping.DefaultTaskStatus(completed, due, now)
		}
	})
	got, _, err = own.Task(&ghl.Task{ID: "t1", Title: "Call", DueDate: ghl.ParseTime("2026-05-01T12:30:00Z")}, "c1")
	require.NoError(t, err)
	require.Equal(t, pluvo.TaskStatus("urgent"), got.Status)
}

func TestNote(t *testing.T) {
	m := newMapper(t, func(o *mapping.Options) {
		o.IDs = func(kind pluvo.Kind, origin pluvo.Origin) string {
			if kind == pluvo.KindNote {
				return ""
			}
			return string(kind) + "/" + origin.Location + "/" + origin.ID
		}
	})
	got, report, err := m.Note(&ghl.Note{ID: "n1", Body: "<p>Hello</p>", BodyText: "Hello",
		DateAdded: ghl.ParseTime("2026-05-01T12:00:00Z"), ContactID: "c1", Pinned: true}, "", "a1")
	require.NoError(t, err)
	require.Equal(t, &pluvo.Note{ID: "n1", ContactID: "contact/loc/c1", Content: "Hello", CreatedAt: noon,
		AppointmentID: "appointment/loc/a1", Origin: origin("n1")}, got)
	require.Equal(t, mapping.LeftOut, entry(report, "pinned").Outcome)
	require.Empty(t, entry(report, "bodyText"), "it repeats the body")

	got, report, err = m.Note(&ghl.Note{ID: "n1", Body: "Hello"}, "c1", "")
	require.NoError(t, err)
	require.Empty(t, got.AppointmentID)
	require.Empty(t, entry(report, "appointmentId"))
}

func TestNoteText(t *testing.T) {
	for _, test := range []struct{ body, bodyText, want string }{
		{"<p>Tom &amp; Jerry</p><p>second</p>", "Tom & Jerry\nsecond", "Tom & Jerry\nsecond"},
		{"<p>Tom &amp; Jerry</p><p>second</p>", "", "Tom & Jerry\nsecond"},
		{"<p>Tom</p>", "Tom\n", "Tom"},
		{"<p>Tom</p>", "  ", "Tom"},
		{"<p class=\"a>b\">first</p>\n<p><br></p><p>third</p>", "", "first\n\nthird"},
		{"<div>one<br/>two<BR />three</div>", "", "one\ntwo\nthree"},
		{"one<br>two", "", "one\ntwo"},
		{"<div><p>nested</p></div><p></p><p>next</p>", "", "nested\nnext"},
		{"<ul><li>a</li><li><b>b</b> c</li></ul>", "", "a\nb c"},
		{"<h2>Plan</h2>then<p>text</p>", "", "Plan\nthen\ntext"},
		{"<p>a\n   b&nbsp;&lt;c&gt;</p>", "", "a b <c>"},
		{"<p>a<!-- hidden --><style>p{}</style></p><script>x('</p>')</script>", "", "a"},
		{`<p>see <a href="https://example.com/?a=1&amp;b=2">the page</a> &#39;now&#39;</p>`, "", "see the page 'now'"},
		{"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "", "a b\nc"},
		{"<p>1 < 2 & 3</p>", "", "1 < 2 & 3"},
		{"<b>bold</b>", "bold", "bold"},
		// Not HTML.
		{"Tom & Jerry", "", "Tom & Jerry"},
		{"Tom &amp; Jerry", "Tom & Jerry", "Tom &amp; Jerry"},
		{"1 < 2 > 0", "1  0", "1 < 2 > 0"},
		{"a <b and c> d", "a  d", "a <b and c> d"},
		{"write to <ada@example.com>", "write to ", "write to <ada@example.com>"},
		{"<p> is a paragraph", " is a paragraph", "<p> is a paragraph"},
		{"</p>", "", "</p>"},
		{"if x</a>y", "", "if x</a>y"},
		{"<name> of the <thing></thing>", "", "<name> of the <thing></thing>"},
		{"line\n\n  indented ", "", "line\n\n  indented "},
		{"", "only a text", ""},
	} {
		got, report, err := newMapper(t, nil).Note(&ghl.Note{ID: "n1", Body: test.body, BodyText: test.bodyText}, "c1", "")
		if test.want == "" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, test.want, got.Content, test.body)
		want := mapping.Mapped
		if test.want != test.body {
			want = mapping.Changed
		}
		require.Equal(t, want, entry(report, "body").Outcome, test.body)
	}
}

// TestNoteEditOfHTML: what HighLevel's editor makes of a text is the text that was sent.
func TestNoteEditOfHTML(t *testing.T) {
	m := newMapper(t, nil)
	read := func(body, text string) *pluvo.Note {
		got, _, err := m.Note(&ghl.Note{ID: "n1", Body: body, BodyText: text}, "c1", "")
		require.NoError(t, err)
		return got
	}
	before := read("<p>Tom &amp; Jerry</p>", "Tom & Jerry")
	edited := *before
	edited.Content = "Tom & Jerry\nsecond"
	update, _, err := m.NoteUpdate(&edited, before)
	require.NoError(t, err)
	require.JSONEq(t, `{"body":"Tom & Jerry\nsecond"}`, body(t, update))
	for _, stored := range []string{"Tom & Jerry\nsecond", "<p>Tom &amp; Jerry</p><p>second</p>",
		"<div>Tom &amp; Jerry<br>second</div>"} {
		after := read(stored, "")
		for _, f := range m.Fields(pluvo.KindNote) {
			require.True(t, f.Same(&edited, after), stored)
		}
		update, _, err = m.NoteUpdate(&edited, after)
		require.NoError(t, err)
		require.Nil(t, update)
	}
	// A content that was HTML before is not sent again, and differs from no text of it.
	old := *before
	old.Content = "<p>Tom &amp; Jerry</p>"
	update, _, err = m.NoteUpdate(&old, before)
	require.NoError(t, err)
	require.Nil(t, update)
}

func TestAppointment(t *testing.T) {
	m := newMapper(t, nil)
	want := &pluvo.Appointment{
		ID: "a1", ContactID: "c1", Title: "Visit", Start: noon, End: noon.Add(time.Hour),
		Status: pluvo.AppointmentConfirmed, AssignedUserID: "u1", Origin: origin("a1"),
	}
	calendar := &ghl.Appointment{
		ID: "a1", ContactID: "c1", Title: "Visit", StartTime: ghl.ParseTime("2026-05-01T08:00:00-04:00"),
		EndTime:           ghl.ParseTime("2026-05-01T09:00:00-04:00"),
		AppointmentStatus: ghl.AppointmentConfirmed, AssignedUserID: "u1", Users: []string{"u1"},
	}
	got, report, err := m.Appointment(calendar, "")
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, mapping.Mapped, entry(report, "startTime").Outcome)

	local := *calendar // the contact returns times without a zone
	local.StartTime, local.EndTime, local.Status = ghl.ParseTime("2026-05-01 08:00:00"), ghl.ParseTime("2026-05-01 09:00:00"), "booked"
	got, report, err = m.Appointment(&local, "c1")
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, mapping.Changed, entry(report, "startTime").Outcome)
	require.Equal(t, mapping.LeftOut, entry(report, "status").Outcome)

	_, report, err = newMapper(t, func(o *mapping.Options) { o.TimeZone = nil }).Appointment(&local, "c1")
	require.ErrorContains(t, err, `appointment "a1": startTime: the time has no zone`)
	require.Equal(t, mapping.Missing, entry(report, "startTime").Outcome)

	local.AppointmentStatus, local.EndTime = "", ghl.ParseTime("2026-05-01 07:00:00")
	got, report, err = m.Appointment(&local, "c1")
	require.NoError(t, err)
	require.Equal(t, pluvo.AppointmentStatus("booked"), got.Status)
	require.Zero(t, got.End)
	require.Equal(t, mapping.Entry{Kind: pluvo.KindAppointment, ID: "a1", From: "endTime", Outcome: mapping.LeftOut,
		Reason: "is before the start"}, entry(report, "endTime"))
}

func TestMisspelledAppointmentStatus(t *testing.T) {
	for name, want := range map[string]pluvo.AppointmentStatus{
		`"appoinmentStatus":"cancelled","status":"booked"`:                           pluvo.AppointmentCancelled,
		`"appointmentStatus":null,"appoinmentStatus":"cancelled","status":"booked"`:  pluvo.AppointmentCancelled,
		`"appointmentStatus":"","appoinmentStatus":"noshow","status":"booked"`:       pluvo.AppointmentNoShow,
		`"appointmentStatus":"showed","appoinmentStatus":"noshow","status":"booked"`: pluvo.AppointmentShowed,
		`"appointmentStatus":"","appoinmentStatus":"","status":"booked"`:             "booked",
	} {
		var a ghl.Appointment
		require.NoError(t, json.Unmarshal([]byte(`{"id":"a1",`+name+`,"startTime":"2026-03-02 13:00:00"}`), &a))
		got, _, err := newMapper(t, nil).Appointment(&a, "c1")
		require.NoError(t, err)
		require.Equal(t, want, got.Status, name)
	}
}

func TestTags(t *testing.T) {
	require.Equal(t, []string{"VIP", "new"}, mapping.Tags([]string{"VIP", "", " ", "new", "VIP"}))
	require.Nil(t, mapping.Tags(nil))
	require.Equal(t, []string{"vip", "new"}, mapping.TagsToGHL([]string{" VIP ", "vip", "", "New"}))
	add, remove := mapping.TagChanges([]string{"VIP", "new"}, []string{"vip", "old"})
	require.Equal(t, []string{"new"}, add)
	require.Equal(t, []string{"old"}, remove)
	add, remove = mapping.TagChanges([]string{"b", "A"}, []string{"a", "B"})
	require.Empty(t, add)
	require.Empty(t, remove)
}

func TestFullContact(t *testing.T) {
	in := fullContact()
	in.Tasks = append(in.Tasks, nil, &ghl.Task{Title: "no id"}, &ghl.Task{ID: "t7"},
		&ghl.Task{ID: "t8", Title: "another's", ContactID: "c2"})
	in.Appointments = append(in.Appointments, &ghl.Appointment{ID: "a3", Deleted: true},
		&ghl.Appointment{ID: "a4", StartTime: ghl.ParseTime("soon")})
	got, report, err := newMapper(t, nil).FullContact(in)
	require.NoError(t, err)
	require.NoError(t, got.Validate())
	require.Len(t, got.Tasks, 5)
	require.Len(t, got.Notes, 5)
	require.Len(t, got.Appointments, 2)
	require.Equal(t, "a1", got.Notes[0].AppointmentID)
	require.Empty(t, got.Notes[1].AppointmentID)
	for _, r := range got.Records() {
		require.Equal(t, "c1", r.Owner())
		require.Equal(t, origin(r.Key()), r.From())
	}
	var refused []string
	require.Len(t, slices.DeleteFunc(slices.Clone(report.Entries), func(e mapping.Entry) bool { return e.ID != "t7" }),
		1, "a record that was left out has one entry")
	for _, e := range report.Only(mapping.LeftOut) {
		if e.From == "" {
			refused = append(refused, string(e.Kind)+" "+e.ID+": "+e.Reason)
		}
	}
	require.Equal(t, []string{
		"task : there is no record", "task : id: is missing", "task t7: title: it is required", "task t8: contactId: is another contact",
		"appointment a3: it is deleted in HighLevel", "appointment a4: startTime: it is not a time",
	}, refused)
	require.Regexp(t, `(?m)^appointment a1 +startTime +start +changed +a time without a zone, read in the location's$`,
		report.String())

	_, _, err = newMapper(t, nil).FullContact(&mapping.FullContact{Contact: &ghl.Contact{ID: "c1",
		LocationID: "elsewhere"}})
	require.ErrorContains(t, err, "locationId: is another location")
}

// TestWhatPluvoRefusesIsLeftOut: a mapping never returns a record that a store refuses.
func TestWhatPluvoRefusesIsLeftOut(t *testing.T) {
	m := newMapper(t, nil)
	got, report, err := m.Contact(&ghl.Contact{ID: "c1", Email: "nobody", FirstName: "\xff", LastName: "L",
		Tags: []string{"a", "\xff"}})
	require.NoError(t, err)
	require.NoError(t, got.Validate())
	require.Equal(t, "L", got.LastName)
	for field, reason := range map[string]string{"email": "is not an e-mail address", "firstName": "is not valid UTF-8",
		"tags": "is not valid UTF-8"} {
		require.Equal(t, mapping.Entry{Kind: pluvo.KindContact, ID: "c1", From: field, Outcome: mapping.LeftOut,
			Reason: reason}, entry(report, field))
	}
	odd := withRules(t, rulesFor("contact", "{ghl: city, pluvo: 'fields.size [cm]'}", "{ghl: email, pluvo: email}"))
	got, report, err = odd.Contact(&ghl.Contact{ID: "c1", City: "\xff", Email: "a@b.c"})
	require.NoError(t, err)
	require.Empty(t, got.Fields)
	require.Equal(t, "is not valid UTF-8", entry(report, "city").Reason)
	for what, f := range map[string]func() error{
		"task: title":            func() error { _, _, err := m.Task(&ghl.Task{ID: "t1", Title: " "}, "c1"); return err },
		"note: content":          func() error { _, _, err := m.Note(&ghl.Note{ID: "n1", Body: "\t"}, "c1", ""); return err },
		"task: taskId":           func() error { _, _, err := m.Task(&ghl.Task{ID: "t\n1", Title: "T"}, "c1"); return err },
		"note: contactId":        func() error { _, _, err := m.Note(&ghl.Note{ID: "n1", Body: "B"}, "", ""); return err },
		"appointment: startTime": func() error { _, _, err := m.Appointment(&ghl.Appointment{ID: "a1"}, "c1"); return err },
		"contact: id":            func() error { _, _, err := m.Contact(nil); return err },
	} {
		kind, field, _ := strings.Cut(what, ": ")
		var e *mapping.Error
		require.True(t, errors.As(f(), &e), what)
		require.Equal(t, kind, string(e.Kind))
		require.Equal(t, field, e.Field)
	}
}

// TestOddValuesNeverFail maps values that HighLevel has been seen to send.
func TestOddValuesNeverFail(t *testing.T) {
	var c ghl.Contact
	require.NoError(t, json.Unmarshal([]byte(`{"id":"c1","tags":null,"dateOfBirth":"someday","additionalEmails":["a@b.c"],"followers":"none",
		"customFields":[{"id":"x","value":{"u":{"url":"https://example.com"}}},{"id":"y","value":null}],"novelty":{"a":1},"lastActivity":1626436770564}`), &c))
	_, report, err := newMapper(t, nil).Contact(&c)
	require.NoError(t, err)
	for _, field := range []string{"dateOfBirth", "additionalEmails", "custom.x", "novelty", "lastActivity"} {
		require.Equal(t, mapping.LeftOut, entry(report, field).Outcome, field)
	}
	require.Empty(t, entry(report, "custom.y"))
}

func TestNew(t *testing.T) {
	_, err := mapping.New(mapping.Options{})
	require.ErrorContains(t, err, "Options.Location")
	_, err = mapping.New(mapping.Options{Location: "loc", Version: "v9"})
	require.ErrorContains(t, err, "Options.Version")
}
