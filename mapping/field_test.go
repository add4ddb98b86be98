package mapping_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

func names(fields []*mapping.Field) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Name()
		if !f.ToGHL() {
			list[i] += " (from GHL)"
		}
		if !f.ToPluvo() {
			list[i] += " (to GHL)"
		}
	}
	return list
}

func TestFields(t *testing.T) {
	m := newMapper(t, nil)
	require.Equal(t, []string{"firstName", "lastName", "email", "phone", "tags"}, names(m.Fields(pluvo.KindContact)))
	require.Equal(t, []string{"title", "dueDate", "completed", "status (from GHL)"}, names(m.Fields(pluvo.KindTask)))
	require.Equal(t, []string{"content", "createdAt (from GHL)", "appointmentId (from GHL)"},
		names(m.Fields(pluvo.KindNote)))
	require.Equal(t, []string{"title", "start", "end", "status", "assignedUserId"},
		names(m.Fields(pluvo.KindAppointment)))
	require.Empty(t, m.Fields("stage"))
	ruled := withRules(t, rulesFor("contact", "{ghl: custom.nickname, pluvo: fields.nick}",
		"{ghl: source, pluvo: stage, direction: toPluvo}", "{ghl: custom.cf2, pluvo: stage, direction: toGHL}",
		"{ghl: custom.cf7, pluvo: id, direction: toGHL}"), definitions...)
	require.Equal(t, []string{"fields.nick", "stage"}, names(ruled.Fields(pluvo.KindContact)))
	require.Equal(t, []string{"title", "dueDate", "completed", "status (from GHL)"},
		names(ruled.Fields(pluvo.KindTask)))
}

func field(t *testing.T, m *mapping.Mapper, kind pluvo.Kind, name string) *mapping.Field {
	t.Helper()
	fields := m.Fields(kind)
	i := slices.IndexFunc(fields, func(f *mapping.Field) bool { return f.Name() == name })
	require.GreaterOrEqual(t, i, 0, name)
	require.Equal(t, kind, fields[i].Kind())
	return fields[i]
}

// TestEchoesAreKnownByContent: a value is the same in the form in which GHL stores it.
func TestEchoesAreKnownByContent(t *testing.T) {
	phone := mapping.PhoneNormalizerFunc(func(s string) (string, bool) { return "+18005550100", s == "(800) 555-0100" })
	plain := newMapper(t, func(o *mapping.Options) { o.Phone = phone })
	ruled := newMapper(t, func(o *mapping.Options) {
		o.Phone, o.Rules = phone, load(t,
			rulesFor("contact", "{ghl: phone, pluvo: phone}",
				"{ghl: firstName, pluvo: firstName, transform: [trim, {case: upper}]}",
				"{ghl: custom.cf1, pluvo: fields.size}",
				"{ghl: custom.cf3, pluvo: fields.speaks, transform: {join: ', '}}", "{ghl: custom.cf4, pluvo: fields.visit, default: {pluvo: never}}")+
				"appointment:\n  - {ghl: startTime, pluvo: start}\n  - {ghl: appointmentStatus, pluvo: status, default: {pluvo: unknown}}\n", definitions...)
	})
	for _, test := range []struct {
		m    *mapping.Mapper
		a, b pluvo.Record
		name string
		same bool
	}{
		{plain, &pluvo.Contact{Phone: "(800) 555-0100"}, &pluvo.Contact{Phone: "+18005550100"}, "phone", true},
		// the normaliser rejects it
		{plain, &pluvo.Contact{Phone: "(800) 555-0101"}, &pluvo.Contact{Phone: "+18005550101"}, "phone", false},
		{plain, &pluvo.Contact{Email: "Ada@Example.com"}, &pluvo.Contact{Email: "ada@example.com"}, "email", true},
		{plain, &pluvo.Contact{Tags: []string{"VIP", "new"}}, &pluvo.Contact{Tags: []string{"new", "vip"}},
			"tags", true},
		{plain, &pluvo.Contact{Tags: []string{"VIP"}}, &pluvo.Contact{Tags: []string{"new", "vip"}}, "tags", false},
		{plain, &pluvo.Contact{FirstName: "ada"}, &pluvo.Contact{FirstName: "Ada"}, "firstName", false},
		{plain, &pluvo.Task{DueDate: noon.Add(time.Microsecond)}, &pluvo.Task{DueDate: noon.In(time.Local)},
			"dueDate", true},
		{plain, &pluvo.Task{DueDate: noon.Add(time.Millisecond)}, &pluvo.Task{DueDate: noon}, "dueDate", false},
		{plain, &pluvo.Task{Completed: true}, &pluvo.Task{}, "completed", false},
		{plain, &pluvo.Appointment{Start: noon.Add(time.Millisecond)}, &pluvo.Appointment{Start: noon}, "start", true},
		{plain, &pluvo.Appointment{Status: "waiting"}, &pluvo.Appointment{Status: pluvo.AppointmentNew},
			"status", false},
		// no rule writes it to GHL
		{plain, &pluvo.Note{CreatedAt: noon.Add(1)}, &pluvo.Note{CreatedAt: noon}, "createdAt", false},
		{ruled, &pluvo.Contact{Phone: "(800) 555-0100"}, &pluvo.Contact{Phone: "+18005550100"}, "phone", true},
		{ruled, &pluvo.Contact{FirstName: " ada"}, &pluvo.Contact{FirstName: "ADA"}, "firstName", true},
		{ruled, &pluvo.Contact{Fields: map[string]string{"size": "38.50"}},
			&pluvo.Contact{Fields: map[string]string{"size": "38.5"}}, "fields.size", true},
		{ruled, &pluvo.Contact{Fields: map[string]string{"size": "big"}}, &pluvo.Contact{}, "fields.size", false},
		{ruled, &pluvo.Contact{Fields: map[string]string{"speaks": "English, French"}},
			&pluvo.Contact{Fields: map[string]string{"speaks": "English, , French"}}, "fields.speaks", true},
		{ruled, &pluvo.Contact{}, &pluvo.Contact{Fields: map[string]string{"visit": "never"}}, "fields.visit", true},
		{ruled, &pluvo.Appointment{}, &pluvo.Appointment{Status: "unknown"}, "status", false}, // GHL does not clear it
	} {
		require.Equal(t, test.same, field(t, test.m, test.a.Kind(), test.name).Same(test.a, test.b),
			"%s of %+v and %+v", test.name, test.a, test.b)
	}
}

// TestWhatFits: Fits reports which values an update can write to GHL.
func TestWhatFits(t *testing.T) {
	plain := newMapper(t, nil)
	ruled := withRules(t, rulesFor("contact", "{ghl: email, pluvo: email, required: true}",
		"{ghl: custom.cf1, pluvo: fields.size}", "{ghl: companyName, pluvo: fields.company}",
		"{ghl: custom.cf2, pluvo: stage}", "{ghl: dnd, pluvo: fields.quiet}"), definitions...)
	for _, test := range []struct {
		m    *mapping.Mapper
		r    pluvo.Record
		name string
		fits bool
	}{
		{plain, &pluvo.Contact{}, "firstName", true},
		{plain, &pluvo.Contact{Phone: "(800) 555-0100"}, "phone", true},
		{plain, &pluvo.Contact{Phone: "ask at the desk"}, "phone", false},
		{plain, &pluvo.Contact{}, "phone", true},
		{plain, &pluvo.Contact{}, "tags", true},
		{plain, &pluvo.Task{Title: " "}, "title", false},
		{plain, &pluvo.Task{}, "dueDate", false},
		{plain, &pluvo.Task{}, "completed", true},
		{plain, &pluvo.Task{Status: pluvo.TaskOpen}, "status", false},
		{plain, &pluvo.Appointment{Status: "waiting"}, "status", false},
		{plain, &pluvo.Appointment{Status: pluvo.AppointmentNoShow}, "status", true},
		{plain, &pluvo.Appointment{}, "assignedUserId", false},
		{plain, &pluvo.Note{CreatedAt: noon}, "createdAt", false},
		{ruled, &pluvo.Contact{}, "email", false},
		{ruled, &pluvo.Contact{Fields: map[string]string{"size": "38"}}, "fields.size", true},
		{ruled, &pluvo.Contact{Fields: map[string]string{"size": "big"}}, "fields.size", false},
		{ruled, &pluvo.Contact{}, "fields.size", true},
		{ruled, &pluvo.Contact{Fields: map[string]string{"company": "ACME"}}, "fields.company", false},
		{ruled, &pluvo.Contact{Stage: "Won"}, "stage", true},
		{ruled, &pluvo.Contact{Stage: "Lost"}, "stage", false},
		{ruled, &pluvo.Contact{}, "fields.quiet", false},
	} {
		f := field(t, test.m, test.r.Kind(), test.name)
		require.Equal(t, test.fits, f.Fits(f.Get(test.r)), "%s of %+v", test.name, test.r)
	}
	require.True(t, field(t, plain, pluvo.KindContact, "email").Fits(mapping.Value{}))
	require.False(t, field(t, plain, pluvo.KindContact, "email").Fits(mapping.SetOf([]string{"a"})))
}

// TestMergeByField merges three states of a contact like a sync: field by field, and sets item by item.
func TestMergeByField(t *testing.T) {
	m := newMapper(t, nil)
	base := &pluvo.Contact{ID: "c1", FirstName: "Ada", LastName: "Byron", Email: "ada@example.com",
		Tags: []string{"vip", "new"}, Stage: "lead"}
	ours, theirs := pluvo.Clone(base), pluvo.Clone(base)
	ours.LastName, ours.Tags, ours.Stage = "Lovelace", []string{"vip", "new", "Customer"}, "customer"
	theirs.Email, theirs.Tags = "countess@example.com", []string{"new", "old"}

	merged := pluvo.Clone(ours)
	for _, f := range m.Fields(pluvo.KindContact) {
		if f.IsSet() {
			items := f.Get(ours).Items()
			for _, item := range f.Get(theirs).Items() {
				if !slices.Contains(f.Get(base).Items(), item) {
					items = append(items, item)
				}
			}
			gone := func(item string) bool {
				return slices.Contains(f.Get(base).Items(), item) && !slices.Contains(f.Get(theirs).Items(), item)
			}
			f.Set(merged, mapping.SetOf(slices.DeleteFunc(items, gone)))
		} else if !f.Same(theirs, base) {
			f.Set(merged, f.Get(theirs))
		}
	}
	require.Equal(t, &pluvo.Contact{ID: "c1", FirstName: "Ada", LastName: "Lovelace", Email: "countess@example.com",
		Tags: []string{"new", "Customer", "old"}, Stage: "customer"}, merged)
	change, _, err := m.ContactUpdate(merged, theirs)
	require.NoError(t, err)
	require.Equal(t, `{"lastName":"Lovelace"}`, body(t, change.Update))
	require.Equal(t, []string{"customer"}, change.AddTags)
	require.Empty(t, change.RemoveTags)
}

func TestValues(t *testing.T) {
	m := newMapper(t, func(o *mapping.Options) {
		o.Rules = load(t, rulesFor("contact", "{ghl: tags, pluvo: tags}", "{ghl: source, pluvo: fields.source}"))
	})
	c := &pluvo.Contact{ID: "c1", Tags: []string{"a", "b"}, Fields: map[string]string{"source": "web", "other": "x"}}
	tags, source := field(t, m, pluvo.KindContact, "tags"), field(t, m, pluvo.KindContact, "fields.source")
	v := tags.Get(c)
	require.Equal(t, "a, b", v.String())
	require.True(t, v.Equal(mapping.SetOf([]string{"b", "a"})))
	require.False(t, v.Equal(mapping.SetOf([]string{"b"})))
	require.False(t, v.Equal(source.Get(c)))
	v.Items()[0] = "changed"
	require.Equal(t, []string{"a", "b"}, c.Tags)

	source.Set(c, mapping.Value{})
	tags.Set(c, mapping.Value{})
	require.Equal(t, &pluvo.Contact{ID: "c1", Fields: map[string]string{"other": "x"}}, c)
	require.True(t, tags.Get(c).IsEmpty())
	require.True(t, tags.Get(c).Equal(mapping.Value{}))
	require.True(t, mapping.Value{}.IsEmpty())
	require.Empty(t, mapping.Value{}.String())
	require.PanicsWithValue(t, "mapping: contact tags holds a list, not text",
		func() { tags.Set(c, source.Get(&pluvo.Contact{Fields: map[string]string{"source": "x"}})) })

	task := &pluvo.Task{DueDate: noon.In(time.FixedZone("", 3600)), Completed: true}
	require.Equal(t, "2026-05-01T12:00:00Z", field(t, m, pluvo.KindTask, "dueDate").Get(task).String())
	require.Equal(t, "true", field(t, m, pluvo.KindTask, "completed").Get(task).String())
	require.Equal(t, "2026-05-01T12:00:00Z", field(t, m, pluvo.KindTask,
		"dueDate").Canonical(field(t, m, pluvo.KindTask, "dueDate").Get(&pluvo.Task{DueDate: noon.Add(1)})).String())
	require.Equal(t, v, field(t, m, pluvo.KindTask, "dueDate").Canonical(v), "another field's")
}

// TestWhatIsReadIsCanonical: a value that was read from GHL is canonical.
func TestWhatIsReadIsCanonical(t *testing.T) {
	m := withRules(t, customRules, definitions...)
	c := contact()
	c.Tags = []string{"VIP", "vip"} // an old record may have such tags
	c.CustomFields = append(c.CustomFields, ghl.CustomField{ID: "cf2", Value: ghl.ValueOf("Won")},
		ghl.CustomField{ID: "cf4", Value: ghl.ValueOf("2026-01-02")})
	got, _, err := m.Contact(c)
	require.NoError(t, err)
	copied := pluvo.Clone(got)
	for _, f := range m.Fields(pluvo.KindContact) {
		f.Set(copied, f.Canonical(f.Get(got)))
		require.True(t, f.Same(got, copied), f.Name())
		if f.Name() != "tags" {
			require.Equal(t, f.Get(got).String(), f.Get(copied).String())
		}
	}
}
