package ghltest_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// rich adds a contact with a value of every type.
func rich(s *ghltest.Server) ghl.Contact {
	field := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", DataType: "NUMERICAL"})
	return s.AddContact(ghl.Contact{
		FirstName: "Ada", LastName: "Love", PostalCode: "10115", CompanyName: "Engines", Source: "form", DND: true,
		BirthDay: 6, Followers: []string{"u1"},
		DateOfBirth: ghl.ParseTime("1990-05-06T00:00:00.000Z"), LastActivity: ghl.ParseTime("2026-03-01T10:00:00.000Z"),
		AdditionalEmails: []ghl.AdditionalEmail{{Email: "other@example.com"}},
		AdditionalPhones: []ghl.AdditionalPhone{{Phone: "+18005550100"}},
		CustomFields:     []ghl.CustomField{{ID: field.ID, Value: ghl.ValueOf(json.RawMessage(`42`))}},
	})
}

// raw returns the JSON of a contact's answer.
func raw(t *testing.T, s *ghltest.Server, id string) map[string]any {
	t.Helper()
	status, answer, _ := send(t, s, "GET", "/contacts/"+id, "")
	require.Equal(t, 200, status)
	return answer["contact"].(map[string]any)
}

// Each quirk changes the JSON as documented, and the client still reads the record.
func TestQuirksOfAContact(t *testing.T) {
	for _, test := range []struct {
		kind     fault.Kind
		property string
		want     any                            // the property's value in the JSON
		read     func(*testing.T, *ghl.Contact) // checks the client's record
	}{
		{fault.NumbersAsStrings(), "birthDay", "6",
			func(t *testing.T, c *ghl.Contact) { require.Equal(t, 6, c.BirthDay) }},
		{fault.BooleansAsStrings(), "dnd", "true", func(t *testing.T, c *ghl.Contact) { require.True(t, c.DND) }},
		{fault.StringsAsNumbers(), "postalCode", 10115.0,
			func(t *testing.T, c *ghl.Contact) { require.Equal(t, "10115", c.PostalCode) }},
		{fault.NullLists(), "tags", nil, func(t *testing.T, c *ghl.Contact) { require.Empty(t, c.Tags) }},
		{fault.NullLists("followers"), "followers", nil,
			func(t *testing.T, c *ghl.Contact) { require.Empty(t, c.Followers) }},
		{fault.ObjectsForStrings(), "companyName", map[string]any{"name": "Engines"},
			func(t *testing.T, c *ghl.Contact) {
				require.Empty(t, c.CompanyName)
				require.JSONEq(t, `{"name":"Engines"}`, string(c.Extra["companyName"]),
					"a value of another type is in Extra")
			}},
		{fault.ObjectsForStrings("firstName"), "firstName", map[string]any{"name": "Ada"},
			func(t *testing.T, c *ghl.Contact) { require.Equal(t, "Love", c.LastName) }},
		{fault.StringsForLists(), "followers", "u1",
			func(t *testing.T, c *ghl.Contact) { require.Equal(t, []string{"u1"}, c.Followers) }},
		{fault.StringsForLists("tags"), "tags", nil, func(t *testing.T, c *ghl.Contact) { require.Empty(t, c.Tags) }},
		{fault.AdditionalEmailsAsStrings(), "additionalEmails", []any{"other@example.com"},
			func(t *testing.T, c *ghl.Contact) {
				require.Equal(t, "other@example.com", c.AdditionalEmails[0].Email)
				require.Equal(t, "+18005550100", c.AdditionalPhones[0].Phone)
			}},
		{fault.AdditionalEmailsAsObjects(), "additionalEmails", []any{map[string]any{"email": "other@example.com"}},
			func(t *testing.T, c *ghl.Contact) {
				require.Equal(t, "other@example.com", c.AdditionalEmails[0].Email)
			}},
		{fault.DatesAs(fault.DateISO), "dateAdded", "2026-03-02T13:00:00.000Z", sameDate},
		{fault.DatesAs(fault.DateOffset), "dateAdded", "2026-03-02T18:30:00+05:30", sameDate},
		{fault.DatesAs(fault.DateLocal), "dateAdded", "2026-03-02 13:00:00", sameDate},
		{fault.DatesAs(fault.DateDay), "dateOfBirth", "1990-05-06", sameBirthday},
		{fault.DatesAs(fault.DateMillis), "lastActivity", 1772359200000.0, sameDate},
		{fault.DatesAs(fault.DateMillisText), "lastActivity", "1772359200000", sameDate},
		{fault.DatesAs(fault.DateNull), "dateOfBirth", nil, noDate},
		{fault.DatesAs(fault.DateEmpty), "dateOfBirth", "", noDate},
		{fault.DatesAs(fault.DateSeconds), "lastActivity",
			map[string]any{"_seconds": 1772359200.0, "_nanoseconds": 0.0}, sameDate},
		{fault.DatesAs(fault.DateMongo), "lastActivity", map[string]any{"$date": "2026-03-01T10:00:00.000Z"}, sameDate},
		{fault.DatesAs(fault.DateNull, "dateAdded"), "dateAdded", nil, func(t *testing.T, c *ghl.Contact) {
			require.True(t, c.DateAdded.IsZero())
			sameBirthday(t, c)
		}},
		{fault.CustomFieldValues(nil), "customFields", nil,
			func(t *testing.T, c *ghl.Contact) { require.True(t, c.CustomFields[0].Value.IsNull()) }},
		{fault.MissingProperties("tags", "lastName"), "tags", nil,
			func(t *testing.T, c *ghl.Contact) { require.Empty(t, c.LastName) }},
		{fault.RenamedProperty("companyName", "company"), "company", "Engines",
			func(t *testing.T, c *ghl.Contact) { require.Equal(t, `"Engines"`, string(c.Extra["company"])) }},
		{fault.UnknownProperties(), "newText", "x",
			func(t *testing.T, c *ghl.Contact) { require.JSONEq(t, `[1,null]`, string(c.Extra["newList"])) }},
		{fault.WrongContentType("text/html"), "firstName", "Ada", func(*testing.T, *ghl.Contact) {}},
		{fault.WrongContentType(""), "firstName", "Ada", func(*testing.T, *ghl.Contact) {}},
		{fault.EditedAnswer(func(answer any) any {
			answer.(map[string]any)["contact"].(map[string]any)["firstName"] = "Eda"
			return answer
		}), "firstName", "Eda", func(t *testing.T, c *ghl.Contact) { require.Equal(t, "Eda", c.FirstName) }},
	} {
		t.Run(test.kind.String(), func(t *testing.T) {
			s, c := start(t)
			contact := rich(s)
			s.Fail(ghltest.Fault{Kind: test.kind, Operation: "contacts.get"})
			if test.property != "customFields" {
				require.Equal(t, test.want, raw(t, s, contact.ID)[test.property])
			}
			got, err := c.Contacts.Get(t.Context(), contact.ID)
			require.NoError(t, err)
			require.Equal(t, contact.ID, got.ID)
			test.read(t, got)

			s.ResetRequests()
			_, err = c.Contacts.Get(t.Context(), "nobody")
			require.ErrorIs(t, err, ghl.ErrNotFound, "a refusal is unchanged")
			require.Equal(t, test.kind.String(), s.Requests()[0].Fault)
		})
	}
}

func sameDate(t *testing.T, c *ghl.Contact) {
	t.Helper()
	require.True(t, c.DateAdded.In(time.UTC).Equal(noon), "%v", c.DateAdded)
	require.True(t, c.LastActivity.In(time.UTC).Equal(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)), "%v",
		c.LastActivity)
	sameBirthday(t, c)
}

func sameBirthday(t *testing.T, c *ghl.Contact) {
	t.Helper()
	require.Equal(t, "1990-05-06", c.DateOfBirth.In(time.UTC).Format(time.DateOnly))
}

func noDate(t *testing.T, c *ghl.Contact) {
	t.Helper()
	require.True(t, c.DateOfBirth.IsZero())
}

func TestCustomFieldValues(t *testing.T) {
	s, c := start(t)
	var fields []ghl.CustomField
	for range 6 {
		fields = append(fields, ghl.CustomField{ID: string(rune('a' + len(fields)))})
	}
	contact := s.AddContact(ghl.Contact{FirstName: "Ada", CustomFields: fields})
	s.Fail(ghltest.Fault{Kind: fault.CustomFieldValues()})
	got, err := c.Contacts.Get(t.Context(), contact.ID)
	require.NoError(t, err)
	require.Equal(t, "text", got.CustomFields[0].Value.Text())
	number, ok := got.CustomFields[1].Value.Number()
	require.True(t, ok)
	require.InDelta(t, 4.5, number, 0)
	require.True(t, got.CustomFields[5].Value.IsNull())
	wire := raw(t, s, contact.ID)["customFields"].([]any)
	require.IsType(t, 0.0, wire[2].(map[string]any)["value"])
	require.IsType(t, []any{}, wire[3].(map[string]any)["value"])
	require.IsType(t, map[string]any{}, wire[4].(map[string]any)["value"])
}

func TestQuirksOfOtherAnswers(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	task := s.AddTask(ghl.Task{ContactID: ada.ID, Title: "T"})
	booked := s.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.NewTime(noon)})

	s.Fail(ghltest.Fault{Operation: "tasks.get", Kind: fault.UnderscoreIDs()})
	got, err := c.Tasks.Get(t.Context(), ada.ID, task.ID)
	require.NoError(t, err)
	require.Equal(t, task.ID, got.ID)

	s.Fail(ghltest.Fault{Operation: "appointments.get", Kind: fault.RenamedProperty("event", "appointment")})
	found, err := c.Appointments.Get(t.Context(), booked.ID)
	require.NoError(t, err)
	require.Equal(t, booked.ID, found.ID)

	s.Fail(ghltest.Fault{Operation: "appointments.listForContact", Kind: fault.RenamedProperty("events", "things")})
	_, err = c.Appointments.ListForContact(t.Context(), ada.ID)
	require.ErrorIs(t, err, ghl.ErrBadResponse)

	s.Fail(ghltest.Fault{Operation: "notes.list", Kind: fault.NullLists()})
	notes, err := c.Notes.List(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Empty(t, notes)

	s.Fail(ghltest.Fault{Operation: "contacts.delete", Kind: fault.RenamedProperty("succeded", "success")})
	require.NoError(t, c.Contacts.Delete(t.Context(), ada.ID))
}

// An iterator over broken pages fails instead of looping.
func TestBrokenPaging(t *testing.T) {
	list := func(s *ghltest.Server, c *ghl.Client, search bool) (int, error) {
		n := 0
		all := c.Contacts.All(t.Context(), &ghl.ListContactsOptions{Limit: 2})
		if search {
			all = c.Contacts.SearchAll(t.Context(), &ghl.SearchRequest{PageLimit: 2})
		}
		for _, err := range all {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	for _, search := range []bool{false, true} {
		for _, kind := range []fault.Kind{fault.IgnoredPaging(), fault.RepeatedCursor()} {
			s, c := start(t)
			for range 5 {
				s.AddContact(ghl.Contact{FirstName: "A"})
			}
			active := s.Fail(ghltest.Fault{Kind: kind})
			n, err := list(s, c, search)
			require.ErrorIs(t, err, ghl.ErrBadResponse, "%v", kind)
			require.LessOrEqual(t, n, 4)
			require.LessOrEqual(t, len(s.Requests()), 3)
			active.Remove()
			n, err = list(s, c, search)
			require.NoError(t, err)
			require.Equal(t, 5, n)

			s.Fail(ghltest.Fault{Kind: fault.NullCursors()})
			n, err = list(s, c, search)
			require.NoError(t, err)
			require.Equal(t, 5, n)
		}
	}
	s, c := start(t)
	s.AddContact(ghl.Contact{FirstName: "Ada"})
	s.Fail(ghltest.Fault{Kind: fault.NullCursors()})
	_, answer, _ := send(t, s, "GET", "/contacts/?locationId="+s.LocationID(), "")
	require.Equal(t, []any{nil, nil, nil}, []any{
		answer["meta"].(map[string]any)["startAfter"], answer["meta"].(map[string]any)["startAfterId"],
		answer["meta"].(map[string]any)["nextPageUrl"],
	})
	_, err := c.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
}

// The client reads the same records with every quirk.
func TestTheClientReadsEveryQuirk(t *testing.T) {
	names := map[string]bool{}
	for _, quirk := range fault.Quirks() {
		require.False(t, names[quirk.String()], "%v is listed twice", quirk)
		names[quirk.String()] = true
		t.Run(quirk.String(), func(t *testing.T) {
			s, c := start(t, ghltest.WithLocation(duplicatesAllowed()))
			ctx, ada := t.Context(), rich(s)
			cal := s.AddCalendar(ghl.Calendar{Name: "Talks", IsActive: true})
			task := s.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call"})
			note := s.AddNote(ghl.Note{ContactID: ada.ID, Body: "Hello"})
			booked := s.AddAppointment(ghl.Appointment{
				ContactID: ada.ID, StartTime: ghl.NewTime(noon.Add(24 * time.Hour)),
			})
			s.Fail(ghltest.Fault{Kind: quirk})
			span := &ghl.EventsQuery{CalendarID: cal.ID, StartTime: noon, EndTime: noon.AddDate(0, 0, 7)}

			contact, err := c.Contacts.Get(ctx, ada.ID)
			require.NoError(t, err)
			require.Equal(t, ada.ID, contact.ID)
			page, err := c.Contacts.List(ctx, nil)
			require.NoError(t, err)
			require.Equal(t, []string{ada.ID}, idsOf(page.Contacts))
			found, err := c.Contacts.Search(ctx, nil)
			require.NoError(t, err)
			require.Equal(t, []string{ada.ID}, idsOf(found.Contacts))
			tasks, err := c.Tasks.List(ctx, ada.ID)
			require.NoError(t, err)
			require.Equal(t, task.ID, tasks[0].ID)
			notes, err := c.Notes.List(ctx, ada.ID)
			require.NoError(t, err)
			require.Equal(t, note.ID, notes[0].ID)
			events, err := c.Calendars.Events(ctx, span)
			require.NoError(t, err)
			require.Equal(t, booked.ID, events[0].ID)
			appointment, err := c.Appointments.Get(ctx, booked.ID)
			require.NoError(t, err)
			require.Equal(t, booked.ID, appointment.ID)
			calendars, err := c.Calendars.List(ctx, nil)
			require.NoError(t, err)
			require.Equal(t, cal.ID, calendars[0].ID)
			location, err := c.Locations.Get(ctx, s.LocationID())
			require.NoError(t, err)
			require.Equal(t, s.LocationID(), location.ID)
			made, err := c.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bo"})
			require.NoError(t, err)
			require.NoError(t, c.Contacts.Delete(ctx, made.ID))
		})
	}
}

func idsOf(contacts []*ghl.Contact) (ids []string) {
	for _, c := range contacts {
		ids = append(ids, c.ID)
	}
	return ids
}

// The documentation of package fault lists every kind, and a test uses it.
func TestEveryKindIsListedAndTested(t *testing.T) {
	files, err := filepath.Glob("fault/*.go")
	require.NoError(t, err)
	documentation := ""
	var kinds []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		if file.Doc != nil {
			documentation += file.Doc.Text()
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv == nil && f.Name.IsExported() && f.Type.Results != nil &&
				types(f.Type.Results.List[0].Type) == "Kind" {
				kinds = append(kinds, f.Name.Name)
			}
		}
	}
	require.Greater(t, len(kinds), 50)
	tests := ""
	for _, name := range []string{"faults_test.go", "quirks_test.go", "livefaults_test.go"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		tests += string(data)
	}
	for _, kind := range kinds {
		require.Contains(t, documentation, "["+kind+"]")
		require.Contains(t, tests, "fault."+kind+"(")
	}
	for _, kind := range fault.Quirks() {
		name, _, _ := strings.Cut(kind.String(), "(")
		require.Contains(t, kinds, name)
	}
}

func types(e ast.Expr) string {
	if name, ok := e.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func TestAnEditMustBeJSON(t *testing.T) {
	s, client := start(t)
	s.Fail(ghltest.Fault{Kind: fault.EditedAnswer(func(any) any { return func() {} })})
	_, err := client.Locations.Get(t.Context(), s.LocationID())
	require.ErrorIs(t, err, ghl.ErrBadResponse)
}
