package mapping_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// The tests below check properties of generated records, which go through the client and a HighLevel server (ghltest)
// without a network. A failure names its seed; set onlySeed to run that seed alone.
const (
	runs     = 250
	onlySeed = 0
)

type transportOf struct{ handler http.Handler }

func (t transportOf) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// trip is one run: a client, a server with state, a mapper and a source of random records.
type trip struct {
	*testing.T
	*rand.Rand
	server *ghltest.Server
	client *ghl.Client
	m      *mapping.Mapper
	owner  string // a contact in GHL
}

// forEachRun calls f with a new source of records for each run, with the template's rules and with the given ones.
func forEachRun(t *testing.T, rules string, f func(t *trip)) {
	location := ghl.Location{ID: "loc", Timezone: "America/New_York"}
	location.Settings.AllowDuplicateContact = true
	server, err := ghltest.NewHandler(ghltest.WithLocation(location),
		ghltest.WithClock(func() time.Time { return noon }))
	require.NoError(t, err)
	for _, d := range definitions {
		named := *d
		named.Name = d.FieldKey
		server.AddCustomField(named)
	}
	client, err := ghl.New(ghl.WithToken(server.Token()), ghl.WithLocation("loc"),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
		ghl.WithHTTPClient(&http.Client{Transport: transportOf{server.Handler()}}))
	require.NoError(t, err)
	owner := server.AddContact(ghl.Contact{FirstName: "Owner"}).ID
	for by, m := range map[string]*mapping.Mapper{
		"template": newMapper(t, usPhones), "rules": newMapper(t, func(o *mapping.Options) {
			usPhones(o)
			o.Rules = load(t, rules, definitions...)
		}),
	} {
		t.Run(by, func(t *testing.T) {
			for seed := range uint64(runs) {
				if onlySeed != 0 && seed != onlySeed {
					continue
				}
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					f(&trip{t, rand.New(rand.NewPCG(seed, 1)), server, client, m, owner})
				})
			}
		})
	}
}

// usPhones normalises numbers as they are written in the United States.
func usPhones(o *mapping.Options) {
	o.Phone = mapping.PhoneNormalizerFunc(func(s string) (string, bool) {
		digits := strings.Map(func(r rune) rune {
			if strings.ContainsRune("0123456789", r) {
				return r
			}
			return -1
		}, s)
		return "+1" + digits, len(digits) == 10
	})
}

// one returns one of the values.
func one[T any](t *trip, list ...T) T { return list[t.IntN(len(list))] }

// maybe returns the value, or the zero value in three of ten cases.
func maybe[T any](t *trip, v T) T {
	if t.IntN(10) < 3 {
		var none T
		return none
	}
	return v
}

// text returns a text of words, spaces, controls, characters of any plane, combining characters, quotes and markup.
func (t *trip) text() string {
	var b strings.Builder
	for range 1 + t.IntN(12) {
		switch t.IntN(8) {
		case 0:
			b.WriteString(one(t, " ", "  ", "\t", "\n", "\u00a0", "\u2028", "\ufeff"))
		case 1:
			b.WriteString(one(t, `"`, `\`, "'", "<p>", "&amp;", "{{x}}", "%s", "null", "\x00", "\x1f", "\x7f"))
		case 2:
			b.WriteString(one(t, "e\u0301", "é", "ß", "İ", "ǅ", "Σς", "שלום", "\u202e", "👩‍👩‍👧", "漢字", "ﬁ"))
		case 3:
			r := rune(t.IntN(utf8.MaxRune + 1))
			if !utf8.ValidRune(r) {
				r = utf8.RuneError
			}
			b.WriteRune(r)
		default:
			b.WriteString(one(t, "Ada", "lovelace", "X", "7", "-", "ok"))
		}
	}
	return b.String()
}

// word returns a text that is not blank.
func (t *trip) word() string { return "w" + t.text() }

func (t *trip) email() string {
	return fmt.Sprintf("%s%d@%s", one(t, "ada", "Ada.L", "é", "a+b", `"x"`), t.IntN(1000),
		one(t, "example.com", "EXAMPLE.org", "münchen.example"))
}

func (t *trip) phone() string {
	number := fmt.Sprintf("%010d", 2000000000+t.IntN(7999999999))
	return one(t, "+1"+number, "+1"+number, "("+number[:3]+") "+number[3:6]+"-"+number[6:], number)
}

func (t *trip) tags() []string {
	var list []string
	for range t.IntN(5) {
		if tag := one(t, "vip", "VIP ", "new", t.text(), t.text()); strings.TrimSpace(tag) != "" &&
			!slices.Contains(list, tag) {
			list = append(list, tag)
		}
	}
	return list
}

// instant returns a time of the next 20 years, never within the hour in which clocks in New York are set back.
func (t *trip) instant(precision time.Duration) time.Time {
	at := noon.Add(time.Duration(t.Int64N(int64(20 * 365 * 24 * time.Hour)))).Truncate(precision)
	if at.Month() == time.November && at.Hour() >= 5 && at.Hour() < 7 {
		at = at.Add(3 * time.Hour)
	}
	return at
}

func (t *trip) contact() *pluvo.Contact {
	c := &pluvo.Contact{
		ID: "c1", FirstName: maybe(t, t.text()), LastName: maybe(t, t.text()), Email: maybe(t, t.email()),
		Phone: maybe(t, t.phone()), Tags: t.tags(),
		Stage: maybe(t, one(t, "lead", "customer")), Fields: map[string]string{},
	}
	for name, text := range map[string]string{"city": t.text(), "shoe size": one(t, "38", "38.5", "-1", "1000000"),
		"languages": one(t, "English", "English, French"), "first visit": t.instant(time.Hour).Format("02.01.2006"),
		"birthday": t.instant(time.Hour).Format(time.DateOnly), "kept here": t.text()} {
		if text = maybe(t, text); text != "" {
			c.Fields[name] = text
		}
	}
	if len(c.Fields) == 0 {
		c.Fields = nil
	}
	require.NoError(t, c.Validate())
	return c
}

// held returns the values of a contact that both sides store: with the template's rules its names, e-mail, phone and
// tags; with other rules the fields that they name.
func held(c *pluvo.Contact, ruled bool) *pluvo.Contact {
	h := &pluvo.Contact{ID: c.ID, FirstName: c.FirstName, LastName: c.LastName, Email: c.Email, Phone: inE164(c.Phone),
		Tags: lowered(c.Tags), Origin: c.Origin}
	if ruled {
		h.FirstName, h.LastName, h.Email, h.Stage = strings.TrimSpace(c.FirstName), strings.TrimSpace(c.LastName), strings.ToLower(c.Email), c.Stage
		for name, text := range c.Fields {
			if name == "kept here" {
				continue
			}
			if h.Fields == nil {
				h.Fields = map[string]string{}
			}
			h.Fields[name] = text
		}
	}
	return h
}

func inE164(phone string) string {
	if phone == "" || phone[0] == '+' {
		return phone
	}
	return "+1" + strings.NewReplacer("(", "", ")", "", " ", "", "-", "").Replace(phone)
}

func lowered(tags []string) []string {
	var list []string
	for _, tag := range tags {
		if tag = strings.ToLower(strings.TrimSpace(tag)); !slices.Contains(list, tag) {
			list = append(list, tag)
		}
	}
	return list
}

func (t *trip) ruled() bool { return strings.Contains(t.Name(), "/rules/") }

// readContact reads a contact from GHL and maps it, with Pluvo's id.
func (t *trip) readContact(id string) *pluvo.Contact {
	from, err := t.client.Contacts.Get(t.Context(), id)
	require.NoError(t, err)
	back, _, err := t.m.Contact(from)
	require.NoError(t, err)
	require.Equal(t, origin(id), back.Origin)
	back.ID, back.Origin = "c1", pluvo.Origin{}
	return back
}

func (t *trip) apply(id string, change *mapping.ContactChange) {
	if change.Update != nil {
		_, err := t.client.Contacts.Update(t.Context(), id, change.Update)
		require.NoError(t, err)
	}
	if len(change.AddTags) > 0 {
		_, err := t.client.Tags.Add(t.Context(), id, change.AddTags)
		require.NoError(t, err)
	}
	if len(change.RemoveTags) > 0 {
		_, err := t.client.Tags.Remove(t.Context(), id, change.RemoveTags)
		require.NoError(t, err)
	}
}

func (t *trip) same(want, got pluvo.Record) {
	t.Helper()
	require.True(t, pluvo.Equal(want, got), "want %+v\ngot  %+v", want, got)
}

// TestContactsGoThereAndBack: a contact is the same after Pluvo → GHL → Pluvo by create and by update, and then there
// is no difference to send.
func TestContactsGoThereAndBack(t *testing.T) {
	forEachRun(t, customRules, func(t *trip) {
		first := t.contact()
		if strings.TrimSpace(first.FirstName+first.LastName+first.Email+first.Phone) == "" {
			first.Email = t.email()
		}
		create, _, err := t.m.ContactCreate(first)
		require.NoError(t, err)
		made, err := t.client.Contacts.Create(t.Context(), create)
		require.NoError(t, err)
		back := t.readContact(made.ID)
		t.same(held(first, t.ruled()), back)

		second := t.contact() // any field may differ, be cleared or be new
		change, _, err := t.m.ContactUpdate(second, first)
		require.NoError(t, err)
		t.apply(made.ID, change)
		back = t.readContact(made.ID)
		want := held(second, t.ruled())
		if strings.EqualFold(first.Email, second.Email) {
			want.Email = held(first, t.ruled()).Email // a change of the case is not sent
		}
		t.same(want, back)
		for _, f := range t.m.Fields(pluvo.KindContact) {
			require.True(t, f.Same(second, back), f.Name())
		}

		back.Stage, back.Fields = second.Stage, second.Fields // GHL does not store these
		change, report, err := t.m.ContactUpdate(second, back)
		require.NoError(t, err)
		require.True(t, change.IsEmpty(), "%s", body(t, change))
		require.Empty(t, report.Entries)
	})
}

// TestOneFieldChangesOneField: GHL → Pluvo → GHL changes only the field that was changed in Pluvo.
func TestOneFieldChangesOneField(t *testing.T) {
	forEachRun(t, customRules, func(t *trip) {
		seed := ghl.Contact{
			FirstName: maybe(t, t.text()), LastName: maybe(t, t.text()), Email: maybe(t, t.email()),
			Phone: maybe(t, inE164(t.phone())), Tags: lowered(t.tags()),
			City: maybe(t, t.text()), CompanyName: maybe(t, t.text()), Source: maybe(t, t.text()),
			DND: one(t, true, false), AssignedTo: maybe(t, "u1"),
			DateOfBirth: ghl.ParseTime(maybe(t, "1990-02-03")), CustomFields: []ghl.CustomField{{ID: "cf6",
				Value: ghl.ValueOf(t.text())}, {ID: "cf1", Value: ghl.ValueOf(float64(t.IntN(99)))}},
		}
		id := t.server.AddContact(seed).ID
		before, _ := t.server.Contact(id)
		was := t.readContact(id)
		now := pluvo.Clone(was)
		change, _, err := t.m.ContactUpdate(now, was)
		require.NoError(t, err)
		require.True(t, change.IsEmpty())

		now.LastName = "n" + t.text()
		if t.ruled() {
			now.LastName = strings.TrimSpace(now.LastName)
		}
		change, _, err = t.m.ContactUpdate(now, was)
		require.NoError(t, err)
		t.apply(id, change)
		after, _ := t.server.Contact(id)
		require.Equal(t, now.LastName, after.LastName)
		after.LastName, after.LastNameLowerCase, after.FullNameLowerCase, after.Name, after.ContactName = before.LastName, before.LastNameLowerCase, before.FullNameLowerCase, before.Name, before.ContactName
		after.DateUpdated = before.DateUpdated
		require.Equal(t, body(t, before), body(t, after))
	})
}

func TestTasksGoThereAndBack(t *testing.T) {
	forEachRun(t, string(mapping.Template()), func(t *trip) {
		task := func(id string) *pluvo.Task {
			x := &pluvo.Task{ID: id, ContactID: t.owner, Title: t.word(), DueDate: t.instant(one(t, time.Millisecond,
				time.Microsecond, time.Hour)), Completed: one(t, true, false)}
			x.Status = mapping.DefaultTaskStatus(x.Completed, x.DueDate.Truncate(time.Millisecond), noon)
			return x
		}
		held := func(x *pluvo.Task) *pluvo.Task {
			h := *x
			h.DueDate, h.Origin = h.DueDate.Truncate(time.Millisecond), origin(h.ID)
			return &h
		}
		first := task("")
		create, _, err := t.m.TaskCreate(first)
		require.NoError(t, err)
		made, err := t.client.Tasks.Create(t.Context(), t.owner, create)
		require.NoError(t, err)
		first.ID = made.ID
		read := func() *pluvo.Task {
			from, err := t.client.Tasks.Get(t.Context(), t.owner, made.ID)
			require.NoError(t, err)
			back, _, err := t.m.Task(from, t.owner)
			require.NoError(t, err)
			return back
		}
		t.same(held(first), read())
		second := task(made.ID)
		update, _, err := t.m.TaskUpdate(second, first)
		require.NoError(t, err)
		if update != nil {
			_, err = t.client.Tasks.Update(t.Context(), t.owner, made.ID, update)
			require.NoError(t, err)
		}
		back := read()
		t.same(held(second), back)
		update, report, err := t.m.TaskUpdate(second, back)
		require.NoError(t, err)
		require.Nil(t, update)
		require.Empty(t, report.Entries)
	})
}

func TestNotesGoThereAndBack(t *testing.T) {
	forEachRun(t, string(mapping.Template()), func(t *trip) {
		first := &pluvo.Note{ContactID: t.owner, Content: t.word(), CreatedAt: t.instant(time.Hour),
			AppointmentID: maybe(t, "a1")}
		create, _, err := t.m.NoteCreate(first)
		require.NoError(t, err)
		made, err := t.client.Notes.Create(t.Context(), t.owner, create)
		require.NoError(t, err)
		first.ID = made.ID
		read := func() *pluvo.Note {
			from, err := t.client.Notes.Get(t.Context(), t.owner, made.ID)
			require.NoError(t, err)
			back, _, err := t.m.Note(from, t.owner, first.AppointmentID)
			require.NoError(t, err)
			require.Equal(t, first.AppointmentID, back.AppointmentID)
			require.True(t, back.CreatedAt.Equal(noon), "HighLevel sets the time")
			return back
		}
		require.Equal(t, first.Content, read().Content)
		second := pluvo.Clone(first)
		second.Content = t.word()
		update, _, err := t.m.NoteUpdate(second, first)
		require.NoError(t, err)
		if update != nil {
			_, err = t.client.Notes.Update(t.Context(), t.owner, made.ID, update)
			require.NoError(t, err)
		}
		back := read()
		require.Equal(t, second.Content, back.Content)
		update, report, err := t.m.NoteUpdate(back, back)
		require.NoError(t, err)
		require.Nil(t, update)
		require.Empty(t, report.Entries)
	})
}

func TestAppointmentsGoThereAndBack(t *testing.T) {
	forEachRun(t, string(mapping.Template()), func(t *trip) {
		calendar := t.server.AddCalendar(ghl.Calendar{Name: "C"}).ID
		appointment := func(id string) *pluvo.Appointment {
			a := &pluvo.Appointment{ID: id, ContactID: t.owner, Title: t.word(),
				Start: t.instant(one(t, time.Second, time.Millisecond)), AssignedUserID: maybe(t, one(t, "u1", "u2")),
				Status: one(t, pluvo.AppointmentNew, pluvo.AppointmentConfirmed, pluvo.AppointmentShowed,
					pluvo.AppointmentNoShow, pluvo.AppointmentCancelled)}
			a.End = a.Start.Add(time.Duration(1+t.IntN(4)) * 15 * time.Minute)
			return a
		}
		held := func(a *pluvo.Appointment) *pluvo.Appointment {
			h := *a
			h.Start, h.End, h.Origin = h.Start.Truncate(time.Second), h.End.Truncate(time.Second), origin(h.ID)
			return &h
		}
		first := appointment("")
		create, _, err := t.m.AppointmentCreate(first, t.owner, calendar)
		require.NoError(t, err)
		create.IgnoreFreeSlotValidation = true // at any time of the day
		made, err := t.client.Appointments.Create(t.Context(), create)
		require.NoError(t, err)
		first.ID = made.ID
		read := func() *pluvo.Appointment {
			from, err := t.client.Appointments.Get(t.Context(), made.ID)
			require.NoError(t, err)
			back, _, err := t.m.Appointment(from, t.owner)
			require.NoError(t, err)
			all, err := t.client.Appointments.ListForContact(t.Context(), t.owner) // the same times without zones
			require.NoError(t, err)
			i := slices.IndexFunc(all, func(a *ghl.Appointment) bool { return a.ID == made.ID })
			local, _, err := t.m.Appointment(all[i], t.owner)
			require.NoError(t, err)
			t.same(back, local)
			return back
		}
		t.same(held(first), read())
		second := appointment(made.ID)
		update, _, err := t.m.AppointmentUpdate(second, first)
		require.NoError(t, err)
		if update != nil {
			update.IgnoreFreeSlotValidation = ghl.Some(true)
			_, err = t.client.Appointments.Update(t.Context(), made.ID, update)
			require.NoError(t, err)
		}
		back := read()
		if second.AssignedUserID == "" { // GHL does not clear it
			second.AssignedUserID = first.AssignedUserID
		}
		t.same(held(second), back)
		update, report, err := t.m.AppointmentUpdate(second, back)
		require.NoError(t, err)
		require.Nil(t, update)
		require.Empty(t, report.Entries)
		require.NoError(t, t.client.Appointments.Delete(t.Context(), made.ID))
	})
}
