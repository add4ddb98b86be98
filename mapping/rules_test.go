package mapping_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// definitions has a custom field of each type.
var definitions = []*ghl.CustomFieldDefinition{
	{ID: "cf1", FieldKey: "contact.shoe_size", DataType: "NUMERICAL", Model: "contact"},
	{ID: "cf2", FieldKey: "contact.stage", DataType: "SINGLE_OPTIONS", PicklistOptions: []string{"New lead", "Won"}},
	{ID: "cf3", FieldKey: "contact.languages", DataType: "MULTIPLE_OPTIONS",
		PicklistOptions: []string{"English", "French"}},
	{ID: "cf4", FieldKey: "contact.first_visit", DataType: "DATE"},
	{ID: "cf5", FieldKey: "contact.passport", DataType: "FILE_UPLOAD"},
	{ID: "cf6", FieldKey: "contact.nickname", DataType: "TEXT"},
	{ID: "cf7", FieldKey: "contact.second_phone", DataType: "PHONE"},
	{ID: "cf8", FieldKey: "opportunity.value", DataType: "MONETORY", Model: "opportunity"},
	{ID: "cf9", FieldKey: "contact.free_choice", DataType: "RADIO", PicklistOptions: []string{"A"},
		IsAllowedCustomOption: true},
	{ID: "cf10", FieldKey: "contact.list", DataType: "TEXTBOX_LIST"},
}

// TestMistakesAreNamedByLine: each mistake of a file is reported with its line.
func TestMistakesAreNamedByLine(t *testing.T) {
	for _, test := range []struct {
		name, file string
		want       []string // "line: part of the problem"
	}{
		{"several at once", `version: 2
contact:
  - {ghl: frstName, pluvo: firstName}
  - {ghl: tags, pluvo: stage}
  - {ghl: email, pluvo: email, requird: true}
task:
  - {ghl: dueDate, pluvo: completed}
foo: 1
`, []string{`1: version must be 1, got "2"`, `3: a contact in HighLevel has no field "frstName"; did you mean firstName?`, `4: a list cannot become text`, `5: a rule has no property "requird"; did you mean required?`, `7: a time cannot become true or false`, `8: the file has no property "foo"; it may have version, contact`}},
		{"JSON", "{\n\"version\": 1,\n\"contact\": [\n{\"ghl\": \"email\",\n\"pluvo\": \"emial\"},\n{\"ghl\": \"phone\"}]}", []string{`5: a contact in Pluvo has no field "emial"; did you mean email?`, `6: a rule for a contact must name a field on both sides; pluvo is missing`}},
		{"a line break before JSON", "\n\n{\"version\":\n7}", []string{`4: version must be 1`, `3: the file has no rules`}},
		{"unknown Pluvo field", "version: 1\nnote:\n  - {ghl: body, pluvo: content}\n  - {ghl: title, pluvo: title}\n", []string{`4: a note in Pluvo has no field "title"; it has noteId, content`}},
		{"two rules for one target in Pluvo", rulesFor("contact", "{ghl: email, pluvo: email}", "{ghl: source, pluvo: email, direction: toPluvo}"), []string{"4: email in Pluvo is already written by the rule in line 3"}},
		{"two rules for one target in GHL", rulesFor("contact", "{ghl: email, pluvo: email}", "{ghl: email, pluvo: fields.x, direction: toGHL}"), []string{"4: email in HighLevel is already written by the rule in line 3"}},
		{"by key and by id", rulesFor("contact", "{ghl: custom.contact.nickname, pluvo: fields.a}", "{ghl: custom.cf6, pluvo: fields.b}"), []string{"4: custom.cf6 in HighLevel is already written by the rule in line 3"}},
		{"the name and its parts", rulesFor("contact", "{ghl: name, pluvo: fields.name}", "{ghl: lastName, pluvo: lastName}"), []string{"4: lastName in HighLevel is already written by the rule in line 3"}},
		{"a one-way field backwards", rulesFor("contact", "{ghl: dateAdded, pluvo: fields.added}", "{ghl: gender, pluvo: fields.g, direction: toGHL}"), []string{"3: HighLevel does not accept dateAdded, so the rule cannot be used backwards", "4: HighLevel does not accept gender"}},
		{"a one-way table backwards", rulesFor("contact", "{ghl: source, pluvo: stage, transform: {options: {web: lead, phone: lead}}}"), []string{`3: Pluvo's "lead" is the word for two of HighLevel's options, so the rule cannot be used backwards`}},
		{"a one-way date backwards", rulesFor("task", "{ghl: title, pluvo: title}", "{ghl: dueDate, pluvo: status, transform: {date: YYYY-MM-DD}}"), []string{`4: "YYYY-MM-DD" omits the time of the day, so the rule cannot be used backwards`}},
		{"an id as target", rulesFor("contact", "{ghl: source, pluvo: id}"), []string{"3: id in Pluvo is set by the mapper"}},
		{"types that cannot convert", rulesFor("contact", "{ghl: email, pluvo: tags}", "{ghl: custom.cf3, pluvo: stage}", "{ghl: custom.cf5, pluvo: fields.p}", "{ghl: dnd, pluvo: tags, direction: toPluvo}"),
			[]string{"3: text cannot become a list", "4: a list cannot become text", "5: files cannot become text",
				"6: true or false cannot become a list", "6: tags in Pluvo is already written by the rule in line 3"}},
		{"custom fields", rulesFor("contact", "{ghl: custom.contact.hat_size, pluvo: fields.hat}", "{ghl: custom.cf8, pluvo: fields.v}", "{ghl: custom., pluvo: fields.x}", "{ghl: email, pluvo: fields.}"),
			[]string{`3: "custom.contact.hat_size": the location has no custom field "contact.hat_size"`,
				`4: "custom.cf8": it belongs to opportunity, not to contacts`,
				`5: a contact in HighLevel has no field "custom."`, `6: a contact in Pluvo has no field "fields."`}},
		{"transforms", rulesFor("contact", "{ghl: email, pluvo: email, transform: [trim, shout, {case: title}, {case: lower, trim: 1}, case, {trim: 1}, 3, {split: ''}, {join: ','}, {options: 3}, {options: {}}]}"),
			[]string{`3: unknown transform "shout"`, `3: case must be lower or upper, got "title"`,
				"3: a transform must be one name", "3: case needs a setting, such as case: lower",
				"3: trim must not have a setting", `3: unknown transform "3"`,
				"3: split must be the text between the items, got \"\"", "3: join must be used on a list, got text",
				"3: options must be a table", "3: options must be a table"}},
		{"transforms for other types", rulesFor("contact", "{ghl: dateOfBirth, pluvo: fields.x, transform: [trim]}", "{ghl: tags, pluvo: fields.y, direction: toPluvo, transform: {date: YYYY-MM-DD}}",
			"{ghl: dateAdded, pluvo: fields.z, direction: toPluvo, transform: {options: {a: b}}}", "{ghl: tags, pluvo: tags, transform: {split: ','}}"),
			[]string{"3: trim must be used on a text or a list, got a day",
				"4: date must be used on a day, a time or a text, got a list",
				"5: options must be used on a text or a list, got a time",
				"6: split must be used on a text, got a list"}},
		{"date forms", rulesFor("contact", "{ghl: dateOfBirth, pluvo: fields.a, transform: {date: DD.MM}}", "{ghl: dateOfBirth, pluvo: fields.b, direction: toPluvo, transform: {date: 'DD Jan YYYY'}}", "{ghl: dateOfBirth, pluvo: fields.c, direction: toPluvo, transform: {date: 'YYYY-MM-DD HH'}}",
			"{ghl: dateOfBirth, pluvo: fields.d, direction: toPluvo, transform: {date: 'YYYY-MM-DD HH:mm'}}", "{ghl: source, pluvo: fields.e, transform: {date: YYYY-MM-DD}}", "{ghl: source, pluvo: fields.f, direction: toPluvo, transform: {date: {us: YYYY-MM-DD}}}", "{ghl: source, pluvo: fields.g, direction: toPluvo, transform: {date: {ghl: 'YYYY-MM-DD DD'}}}", "{ghl: source, pluvo: fields.h, direction: toPluvo, transform: {date: {ghl: }}}"),
			[]string{"3: date: the form must have YYYY, MM and DD", "4: date: the form must consist of",
				"5: date: a time of the day must have HH and mm", `6: a day has no time of the day`,
				"7: both sides are texts", `8: date has no property "us"`, "9: date: the form has DD twice",
				"10: date: the form is missing"}},
		{"options that the field lacks", rulesFor("contact", "{ghl: custom.cf2, pluvo: stage, transform: {options: {New lead: lead, Lost: lost, Won: won}}}", "{ghl: custom.cf3, pluvo: tags, default: {ghl: [Latin]}}", "{ghl: custom.cf9, pluvo: fields.a, transform: {options: {Z: z, Z: y, x: ''}}}"),
			[]string{`3: the field in HighLevel has no option "Lost"; it has New lead, Won`,
				`4: default for HighLevel: the field in HighLevel has no such option`, `5: options has "Z" twice`,
				"5: an option must be a text on both sides"}},
		{"defaults", rulesFor("contact", "{ghl: email, pluvo: email, default: x}", "{ghl: source, pluvo: fields.a, direction: toPluvo, default: {ghl: x}}", "{ghl: custom.cf1, pluvo: fields.b, default: {ghl: many, pluvo: ''}}", "{ghl: tags, pluvo: tags, default: {ghl: [{}], us: x}}", "{ghl: dnd, pluvo: fields.c, direction: toGHL, default: maybe}"),
			[]string{"3: a rule of both directions must have a default for each side",
				"4: default for ghl: the rule does not write that side", "5: default for HighLevel: it is not a number",
				"5: default for Pluvo: the value is empty", `6: default for HighLevel: it must be a list of texts`,
				`6: default has no property "us"`, "7: default for HighLevel: it is neither true nor false"}},
		{"values of the wrong kind", rulesFor("contact", "{ghl: email, pluvo: email, direction: up, required: yes please}", "3", "{ghl: [email], pluvo: {}}", "{ghl: email, ghl: phone, pluvo: phone}", "{}"),
			[]string{`3: direction must be both, toPluvo or toGHL, got "up"`,
				`3: required must be true or false, got "yes please"`,
				"4: a rule must be an object such as {ghl: email, pluvo: email}, got \"3\"",
				"5: ghl must be the name of a field, got a list", "5: pluvo must be the name of a field, got an object",
				`6: a rule has "ghl" twice, first in line 6`,
				"6: email in HighLevel is already written by the rule in line 3",
				"7: a rule for a contact must name a field on both sides; ghl is missing",
				"7: a rule for a contact must name a field on both sides; pluvo is missing"}},
		{"a list as a key", rulesFor("contact", "{[a]: b}"), []string{"3: not valid YAML or JSON: found an invalid key for this map"}},
		{"what a record needs", rulesFor("task", "{ghl: dueDate, pluvo: dueDate}"), []string{"3: no rule writes title, and a task in Pluvo needs it"}},
		{"no rules", "version: 1\ncontact: []\ntask: {}\nnote:\n", []string{"2: contact must be a list of rules, got an empty list", "3: task must be a list of rules, got an object", "4: note must be a list of rules, got nothing"}},
		{"no version", "contact:\n  - {ghl: email, pluvo: email}\n", []string{"1: version: 1 is missing"}},
		{"nothing", "", []string{"1: the file is empty"}},
		{"a comment", "# nothing\n", []string{"1: the file is empty"}},
		{"a list", "- 1\n", []string{"1: the file must be an object, got a list"}},
		{"neither JSON nor YAML", "version: 1\ncontact: [\n", []string{"2: not valid YAML or JSON"}},
		{"an object that does not end", "version: 1\ncontact:\n  - {ghl: email, pluvo: email\n  - {ghl: tags, pluvo: tags}\n", []string{"3: not valid YAML or JSON: ',' or '}' must be specified"}},
		{"a list that begins with another indent", "version: 1\ncontact:\n  - ghl: email\n   pluvo: email\n", []string{"4: not valid YAML or JSON: value is not allowed in this context"}},
		{"a tab", "version: 1\ncontact:\n\t- {ghl: email, pluvo: email}\n", []string{"3: not valid YAML or JSON: found character '\t' that cannot start any token"}},
		{"JSON without a comma", "\n{\n\"version\": 1,\n\"contact\": [\n{\"ghl\": \"email\" \"pluvo\": \"email\"}\n]}", []string{"5: not valid YAML or JSON: ',' or '}' must be specified"}},
		{"a mistake behind the document", "version: 1\n---\na: 1\nfoo\n", []string{"4: not valid YAML or JSON: non-map value is specified"}},
		{"two documents", "version: 1\n---\nversion: 1\n", []string{"2: the file must hold one document"}},
		{"aliases", "version: 1\ncontact:\n  - &a {ghl: email, pluvo: email}\n  - *a\n", []string{"4: anchors and aliases of YAML are not supported"}},
		{"tags of YAML", "version: !!int 1\n", []string{"1: tags of YAML are not supported"}},
		{"tags of an object", "version: 1\ncontact:\n  - !!map {ghl: email, pluvo: email}\n", []string{"3: tags of YAML are not supported"}},
		{"no way back to an option", rulesFor("contact", "{ghl: custom.cf2, pluvo: stage, transform: {case: upper}}", "{ghl: dnd, pluvo: fields.quiet, transform: {case: upper}}"),
			[]string{`3: case changes "New lead", which is an option of the field in HighLevel, so the rule cannot be used backwards`, `3: case changes "Won"`, `4: case changes "true"`, `4: case changes "false"`}},
		{"options of a switch", rulesFor("contact", "{ghl: dnd, pluvo: fields.quiet, transform: {options: {yes: quiet}}}"), []string{`3: the field in HighLevel has no option "yes"; it has true, false`}},
		{"a default of nothing", rulesFor("contact", "{ghl: dnd, pluvo: fields.quiet, default: {ghl: }}"), []string{"3: default for HighLevel: the value is empty"}},
		{"no UTF-8", "version: 1\n# \xff\n", []string{"2: the file must be UTF-8"}},
		{"too large", "#" + strings.Repeat("x", 1<<20), []string{"1: the file must have at most 1 MiB"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules, err := mapping.LoadRules("rules.yaml", []byte(test.file), ghl.NewCustomFieldResolver(definitions))
			require.Nil(t, rules)
			var wrong *mapping.RulesError
			require.True(t, errors.As(err, &wrong), "%v", err)
			require.Equal(t, "rules.yaml", wrong.Name)
			got := make([]string, len(wrong.Mistakes))
			for i, m := range wrong.Mistakes {
				got[i] = fmt.Sprintf("%d: %s", m.Line, m.Text)
			}
			require.Len(t, got, len(test.want), strings.Join(got, "\n"))
			for _, want := range test.want {
				require.True(t, containsPrefix(got, want), "%q is not among\n%s", want, strings.Join(got, "\n"))
			}
			for _, m := range wrong.Mistakes {
				require.Contains(t, err.Error(), fmt.Sprintf("rules.yaml:%d:%d: %s", m.Line, m.Column, m.Text))
			}
		})
	}
	_, err := mapping.LoadRules("rules.yaml", []byte(rulesFor("contact", "{ghl: custom.cf1, pluvo: stage}")), nil)
	require.ErrorContains(t, err, "definitions of custom fields are needed")
}

func containsPrefix(list []string, prefix string) bool {
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// rulesFor returns a file with rules of one kind; the first rule is in line 3.
func rulesFor(kind string, rules ...string) string {
	return "version: 1\n" + kind + ":\n  - " + strings.Join(rules, "\n  - ") + "\n"
}

// TestTransforms maps a value to Pluvo and back by one rule.
func TestTransforms(t *testing.T) {
	text := func(s string) ghl.CustomFieldValue { return ghl.ValueOf(s) }
	for _, test := range []struct {
		rule  string // for the custom field and fields.x
		given ghl.CustomFieldValue
		pluvo string // "" for left out
		back  string // the JSON that an update sends; "" for none
	}{
		{"{ghl: custom.cf6, pluvo: fields.x}", text(" Ada "), " Ada ", `" Ada "`},
		{"{ghl: custom.cf6, pluvo: fields.x, transform: trim}", text(" Ada "), "Ada", `"Ada"`},
		{"{ghl: custom.cf6, pluvo: fields.x, transform: [trim, {case: upper}]}", text(" Ada "), "ADA", `"ADA"`},
		{"{ghl: custom.cf7, pluvo: fields.x, transform: phone}", text("(800) 555-0100"), "+18005550100", `"+18005550100"`},
		{"{ghl: custom.cf1, pluvo: fields.x}", ghl.ValueOf(38.5), "38.5", `38.5`},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("1,234.50"), "1234.5", `1234.5`},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("about 38"), "", ""},
		// a float64 does not hold it
		{"{ghl: custom.cf1, pluvo: fields.x}", ghl.ValueOf(json.RawMessage("12345678901234567")), "12345678901234567",
			"12345678901234567"},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("-12,345,678,901,234,567.10"), "-12345678901234567.1", "-12345678901234567.1"},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("+007"), "7", "7"},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("-00.50"), "-0.5", "-0.5"},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("-0.0"), "0", "0"},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("1.5e3"), "1500", "1500"},
		{"{ghl: custom.cf1, pluvo: fields.x}", text("100"), "100", "100"},
		// another type: left out and reported
		{"{ghl: custom.cf1, pluvo: fields.x}", ghl.ValueOf(json.RawMessage(`{"amount":38}`)), "", ""},
		{"{ghl: custom.cf6, pluvo: fields.x}", ghl.ValueOf(json.RawMessage(`{"line":"1"}`)), "", ""},
		{"{ghl: custom.cf10, pluvo: fields.x, transform: {join: ','}}", ghl.ValueOf(json.RawMessage(`{"u1":"a"}`)), "", ""},
		{"{ghl: custom.cf4, pluvo: fields.x}", text("2026-05-01T23:59:00Z"), "2026-05-01", `"2026-05-01"`},
		{"{ghl: custom.cf1, pluvo: fields.x, transform: {options: {'38': small, '44': large}}}", ghl.ValueOf(44), "large", `44`},
		{"{ghl: custom.cf4, pluvo: fields.x}", text("2026-05-01"), "2026-05-01", `"2026-05-01"`},
		{"{ghl: custom.cf4, pluvo: fields.x, transform: {date: DD.MM.YYYY}}", ghl.ValueOf(json.RawMessage("1777593600000")), "01.05.2026", `"2026-05-01"`},
		{"{ghl: custom.cf4, pluvo: fields.x, transform: {date: DD.MM.YYYY}}", text("someday"), "", ""},
		{"{ghl: custom.cf6, pluvo: fields.x, transform: {date: {ghl: MM/DD/YYYY, pluvo: YYYY-MM-DD}}}", text("05/01/2026"), "2026-05-01", `"05/01/2026"`},
		{"{ghl: custom.cf6, pluvo: fields.x, transform: {date: {ghl: MM/DD/YYYY}}}", text("13/01/2026"), "", ""},
		{"{ghl: custom.cf6, pluvo: fields.x, transform: {date: {ghl: 'YYYY-MM-DD HH:mm', pluvo: 'DD.MM.YYYY HH:mmZ'}}}", text("2026-05-01 08:00"), "01.05.2026 12:00Z", `"2026-05-01 08:00"`},
		{"{ghl: custom.cf3, pluvo: fields.x, transform: {join: ' + '}}", ghl.ValueOf([]string{"English", "French"}), "English + French", `["English","French"]`},
		{"{ghl: custom.cf10, pluvo: fields.x, transform: {join: ','}}", ghl.ValueOf([]string{"a,b"}), "", ""},
		{"{ghl: custom.cf10, pluvo: fields.x, transform: {join: '--'}}", ghl.ValueOf([]string{"a-", "b"}), "", ""},
		{"{ghl: custom.cf9, pluvo: fields.x, transform: {options: {True: Yes, no: No, 007: Bond}}}", text("True"), "Yes", `"True"`},
		{"{ghl: custom.cf9, pluvo: fields.x, transform: {options: {True: Yes, no: No, 007: Bond}}}", text("007"), "Bond", `"007"`},
		{"{ghl: custom.cf10, pluvo: fields.x, transform: [{case: lower}, trim, {join: ','}]}", ghl.ValueOf([]string{" A ", " ", "B"}), "a,b", `["a","b"]`},
		{"{ghl: custom.cf2, pluvo: fields.x, transform: {options: {New lead: lead, Won: customer}}}", text("Won"), "customer", `"Won"`},
		{"{ghl: custom.cf2, pluvo: fields.x, transform: {options: {New lead: lead}}}", text("Won"), "", ""},
		{"{ghl: custom.cf3, pluvo: fields.x, transform: [{options: {English: en, French: fr}}, {join: ','}]}", ghl.ValueOf([]string{"French"}), "fr", `["French"]`},
	} {
		m := newMapper(t, func(o *mapping.Options) {
			o.Rules = load(t, rulesFor("contact", "{ghl: email, pluvo: email}", test.rule), definitions...)
			o.Phone = mapping.PhoneNormalizerFunc(func(string) (string, bool) { return "+18005550100", true })
		})
		_, id, _ := strings.Cut(test.rule, "custom.")
		id, _, _ = strings.Cut(id, ",")
		got, report, err := m.Contact(&ghl.Contact{ID: "c1",
			CustomFields: []ghl.CustomField{{ID: id, Value: test.given}}})
		require.NoError(t, err)
		require.Equal(t, test.pluvo, got.Fields["x"], test.rule)
		if test.pluvo == "" {
			require.Equal(t, mapping.LeftOut, entry(report, "custom."+id).Outcome, test.rule)
			continue
		}
		update, _, err := m.ContactUpdate(got, &pluvo.Contact{ID: "c1"})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf(`{"customFields":[{"id":%q,"value":%s}]}`, id, test.back),
			body(t, update.Update), test.rule)
		cleared, _, err := m.ContactUpdate(&pluvo.Contact{ID: "c1"}, got)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf(`{"customFields":[{"id":%q,"value":null}]}`, id),
			body(t, cleared.Update), test.rule)
		same, _, err := m.ContactUpdate(got, got)
		require.NoError(t, err)
		require.True(t, same.IsEmpty())
	}
}

// TestEmptyCustomFieldsAreNotReported: no report names a custom field without a value.
func TestEmptyCustomFieldsAreNotReported(t *testing.T) {
	for rule, empty := range map[string][]string{
		"{ghl: custom.cf1, pluvo: fields.x}": {`""`, `null`}, "{ghl: custom.cf6, pluvo: fields.x}": {`""`, `[]`, `{}`},
		"{ghl: custom.cf10, pluvo: fields.x, transform: {join: ','}}": {`[]`, `[""]`, `["",""]`, `{}`},
	} {
		m := withRules(t, rulesFor("contact", "{ghl: email, pluvo: email}", rule), definitions...)
		_, id, _ := strings.Cut(rule, "custom.")
		id, _, _ = strings.Cut(id, ",")
		for _, raw := range empty {
			_, report, err := m.Contact(&ghl.Contact{ID: "c1",
				CustomFields: []ghl.CustomField{{ID: id, Value: ghl.ValueOf(json.RawMessage(raw))}}})
			require.NoError(t, err)
			require.Empty(t, entry(report, "custom."+id), "%s: %s", rule, raw)
		}
	}
}

// TestADayLosesItsTime: a day that comes with a time of the day is reported as changed.
func TestADayLosesItsTime(t *testing.T) {
	m := withRules(t, rulesFor("contact", "{ghl: dateOfBirth, pluvo: fields.born}"))
	const written, cut = "written as YYYY-MM-DD", "the day in UTC, without the time"
	for raw, reason := range map[string]string{"1990-05-01": written, "1990-05-01T00:00:00.000Z": written,
		"641520000000": written, "1990-05-01T20:15:00Z": cut} {
		got, report, err := m.Contact(&ghl.Contact{ID: "c1", DateOfBirth: ghl.ParseTime(raw)})
		require.NoError(t, err)
		require.Equal(t, "1990-05-01", got.Fields["born"])
		require.Equal(t, reason, entry(report, "dateOfBirth").Reason, raw)
	}
}

// TestDefaultsThatGHLRefuses: a default that GHL does not accept is left out.
func TestDefaultsThatGHLRefuses(t *testing.T) {
	const rules = "version: 1\nappointment:\n  - {ghl: startTime, pluvo: start}\n  - {ghl: appointmentStatus, pluvo: status, default: {ghl: active}}\n"
	a := &pluvo.Appointment{ID: "a1", ContactID: "c1", Start: noon}
	got, report, err := withRules(t, rules).AppointmentCreate(a, "c1", "cal")
	require.NoError(t, err)
	require.Empty(t, got.AppointmentStatus)
	require.Equal(t, mapping.LeftOut, entry(report, "status").Outcome)
	v3 := newMapper(t, func(o *mapping.Options) { o.Version, o.Rules = ghl.VersionV3, load(t, rules) })
	got, report, err = v3.AppointmentCreate(a, "c1", "cal")
	require.NoError(t, err)
	require.Equal(t, ghl.AppointmentActive, got.AppointmentStatus)
	require.Equal(t, "the rule's default", entry(report, "status").Reason)
}

func TestSplitIntoTags(t *testing.T) {
	m := withRules(t, rulesFor("contact",
		"{ghl: custom.contact.nickname, pluvo: tags, transform: [{split: ','}, trim]}"), definitions...)
	got, _, err := m.Contact(&ghl.Contact{ID: "c1",
		CustomFields: []ghl.CustomField{{ID: "cf6", Value: ghl.ValueOf("vip, new,,")}}})
	require.NoError(t, err)
	require.Equal(t, []string{"vip", "new"}, got.Tags)
	update, _, err := m.ContactUpdate(&pluvo.Contact{ID: "c1", Tags: []string{"vip"}}, got)
	require.NoError(t, err)
	require.Equal(t, `{"customFields":[{"id":"cf6","value":"vip"}]}`, body(t, update.Update))
	require.Empty(t, update.AddTags)
	_, report, err := m.ContactUpdate(&pluvo.Contact{ID: "c1", Tags: []string{"a,b"}}, got)
	require.NoError(t, err)
	require.Equal(t, mapping.LeftOut, entry(report, "tags").Outcome)
}

func TestOneWayJoin(t *testing.T) {
	m := withRules(t, rulesFor("contact",
		"{ghl: custom.list, pluvo: stage, direction: toPluvo, transform: {join: ','}}"), definitions...)
	got, _, err := m.Contact(&ghl.Contact{ID: "c1",
		CustomFields: []ghl.CustomField{{ID: "cf10", Value: ghl.ValueOf([]string{"a,b", "c"})}}})
	require.NoError(t, err)
	require.Equal(t, "a,b,c", got.Stage, "a rule without a way back joins any items")
}

// TestTagsByATable: tags that are not in the table are never removed.
func TestTagsByATable(t *testing.T) {
	m := withRules(t, rulesFor("contact",
		"{ghl: tags, pluvo: tags, transform: {options: {vip: important, new: fresh}}}"))
	change, report, err := m.ContactUpdate(&pluvo.Contact{ID: "c1", Tags: []string{"important"}},
		&pluvo.Contact{ID: "c1", Tags: []string{"important", "fresh"}})
	require.NoError(t, err)
	require.Empty(t, change.AddTags)
	require.Equal(t, []string{"new"}, change.RemoveTags)
	require.Empty(t, report.Only(mapping.LeftOut))
	change, _, err = m.ContactUpdate(&pluvo.Contact{ID: "c1", Tags: []string{"important"}},
		&pluvo.Contact{ID: "c1", Tags: []string{"important", "unheard of"}})
	require.NoError(t, err)
	require.Equal(t, []string{"vip"}, change.AddTags)
	require.Empty(t, change.RemoveTags)
}

// TestWhatGHLCannotTakeBack: values that a rule cannot send are reported and never sent.
func TestWhatGHLCannotTakeBack(t *testing.T) {
	rules := rulesFor("contact", "{ghl: email, pluvo: email}", "{ghl: custom.cf1, pluvo: fields.size}",
		"{ghl: custom.cf2, pluvo: stage}", "{ghl: dateOfBirth, pluvo: fields.born}",
		"{ghl: companyName, pluvo: fields.company}",
		"{ghl: dnd, pluvo: fields.quiet}", "{ghl: assignedTo, pluvo: fields.owner}", "{ghl: custom.cf4, pluvo: fields.visit, transform: {date: 'DD.MM.YYYY'}}", "{ghl: source, pluvo: fields.source, direction: toPluvo}")
	m := withRules(t, rules, definitions...)
	bad := &pluvo.Contact{ID: "c1", Email: "a@b.c", Stage: "Lost", FirstName: "Ada",
		Fields: map[string]string{"size": "big", "born": "May", "company": "ACME", "quiet": "maybe", "owner": "Ada L.",
			"visit": "31.02.2026", "source": "web", "other": "x"}}
	created, report, err := m.ContactCreate(bad)
	require.NoError(t, err)
	require.Equal(t, &ghl.ContactCreate{Email: "a@b.c", CompanyName: "ACME"}, created)
	for _, field := range []string{"stage", "fields.size", "fields.born", "fields.quiet", "fields.owner",
		"fields.visit", "fields.source", "fields.other", "firstName"} {
		require.Equal(t, mapping.LeftOut, entry(report, field).Outcome, field)
	}
	last := &pluvo.Contact{ID: "c1", Email: "a@b.c", Stage: "Won", Fields: map[string]string{"size": "38",
		"born": "2000-01-01", "company": "Widgets", "quiet": "true", "owner": "u1", "visit": "01.01.2026"}}
	update, report, err := m.ContactUpdate(bad, last)
	require.NoError(t, err)
	require.True(t, update.IsEmpty())
	require.Len(t, report.Only(mapping.LeftOut), 10, report)
	require.Equal(t, "HighLevel accepts it only when the record is created", entry(report, "fields.company").Reason)

	good := pluvo.Clone(last)
	good.Fields["quiet"], good.Fields["born"], good.Fields["size"] = "false", "", "39"
	delete(good.Fields, "born")
	update, _, err = m.ContactUpdate(good, bad) // the values in GHL are unknown
	require.NoError(t, err)
	require.Equal(t, `{"assignedTo":"u1","dateOfBirth":null,"dnd":false,"customFields":[{"id":"cf1","value":39},{"id":"cf2","value":"Won"},{"id":"cf4","value":"2026-01-01"}]}`, body(t, update.Update))

	silent := pluvo.Clone(last)
	delete(silent.Fields, "quiet")
	update, report, err = m.ContactUpdate(silent, last)
	require.NoError(t, err)
	require.True(t, update.IsEmpty(), "GHL does not clear a switch")
	require.Equal(t, mapping.LeftOut, entry(report, "fields.quiet").Outcome)
}

func TestRequiredAndDefaults(t *testing.T) {
	m := withRules(t, rulesFor("contact", "{ghl: email, pluvo: email, required: true}", "{ghl: custom.cf2, pluvo: stage, default: {pluvo: unknown, ghl: New lead}, transform: {options: {New lead: lead, Won: won}}}",
		"{ghl: tags, pluvo: tags, default: {pluvo: [new], ghl: fresh}}", "{ghl: source, pluvo: fields.source, direction: toPluvo, default: import}"), definitions...)
	_, report, err := m.Contact(&ghl.Contact{ID: "c1"})
	require.ErrorContains(t, err, `contact "c1": email: it is required`)
	require.Len(t, report.Only(mapping.Missing), 1)

	got, report, err := m.Contact(&ghl.Contact{ID: "c1", Email: "a@b.c"})
	require.NoError(t, err)
	require.Equal(t, "unknown", got.Stage)
	require.Equal(t, []string{"new"}, got.Tags)
	require.Equal(t, "import", got.Fields["source"])
	require.Equal(t, "the rule's default", entry(report, "source").Reason)

	created, _, err := m.ContactCreate(&pluvo.Contact{ID: "p1", Email: "a@b.c"})
	require.NoError(t, err)
	require.Equal(t, `{"email":"a@b.c","tags":["fresh"],"customFields":[{"id":"cf2","value":"New lead"}]}`,
		body(t, created))
	_, _, err = m.ContactCreate(&pluvo.Contact{ID: "p1", FirstName: "Ada"})
	require.ErrorContains(t, err, "email")
	update, _, err := m.ContactUpdate(&pluvo.Contact{ID: "p1", Email: "a@b.c", Tags: []string{"fresh"}},
		&pluvo.Contact{ID: "p1", Email: "a@b.c", Stage: "won", Tags: []string{"fresh"}})
	require.NoError(t, err)
	require.Equal(t, `{"customFields":[{"id":"cf2","value":"New lead"}]}`, body(t, update.Update),
		"a cleared field has a default in GHL")
	_, _, err = m.ContactUpdate(&pluvo.Contact{ID: "p1"}, &pluvo.Contact{ID: "p1", Email: "a@b.c"})
	require.ErrorContains(t, err, "email")
}

// TestCustomFieldsAreResolved: a custom field is found by key, short key, template and id, and written by id.
func TestCustomFieldsAreResolved(t *testing.T) {
	stale := withRules(t, rulesFor("contact", "{ghl: custom.contact.nickname, pluvo: fields.nick}"), definitions...)
	_, report, err := stale.Contact(&ghl.Contact{ID: "c1",
		CustomFields: []ghl.CustomField{{ID: "made anew", Key: "contact.nickname", Value: ghl.ValueOf("Ada")}}})
	require.NoError(t, err)
	require.Equal(t, mapping.LeftOut, entry(report, "custom.made anew").Outcome,
		"another field with the key is not read, and reported")
	for _, name := range []string{"custom.contact.nickname", "custom.nickname", "'custom.{{contact.nickname}}'",
		"custom.cf6"} {
		m := withRules(t, rulesFor("contact", "{ghl: "+name+", pluvo: fields.nick}"), definitions...)
		for _, f := range []ghl.CustomField{{ID: "cf6", Value: ghl.ValueOf("Ada")},
			{Key: "contact.nickname", Value: ghl.ValueOf("Ada")}} {
			got, report, err := m.Contact(&ghl.Contact{ID: "c1",
				CustomFields: []ghl.CustomField{{ID: "cf1", Value: ghl.ValueOf(1)}, f}})
			require.NoError(t, err)
			require.Equal(t, map[string]string{"nick": "Ada"}, got.Fields)
			require.Equal(t, "there is no rule for it", entry(report, "custom.cf1").Reason)
			require.Equal(t, mapping.Mapped, entry(report, strings.Trim(name, "'")).Outcome,
				"under the name that the rule gives it")
			require.Len(t, report.Only(mapping.LeftOut), 1)
		}
		created, _, err := m.ContactCreate(&pluvo.Contact{ID: "c1", Email: "a@b.c",
			Fields: map[string]string{"nick": "Ada"}})
		require.ErrorContains(t, err, "HighLevel needs an e-mail", "no rule writes the e-mail")
		require.Nil(t, created)
	}
}

// TestTemplateIsThePlainCase: a mapper without rules maps by the template.
func TestTemplateIsThePlainCase(t *testing.T) {
	plain, ruled := newMapper(t, nil), withRules(t, string(mapping.Template()))
	in := fullContact()
	in.Contact.Email = "nobody"
	in.Tasks[0].Title = ""
	in.Notes[1].DateAdded = ghl.Time{}
	in.Appointments[1].AppointmentStatus = ""
	in.Appointments[1].Status = "booked"
	want, wantReport, err := plain.FullContact(in)
	require.NoError(t, err)
	got, report, err := ruled.FullContact(in)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.ElementsMatch(t, outcomes(wantReport), outcomes(report))

	for _, kind := range []pluvo.Kind{pluvo.KindContact, pluvo.KindTask, pluvo.KindNote, pluvo.KindAppointment} {
		a, b := plain.Fields(kind), ruled.Fields(kind)
		require.NotEmpty(t, a)
		require.Len(t, b, len(a))
		for i := range a {
			require.Equal(t, [3]any{a[i].Name(), a[i].ToPluvo(), a[i].ToGHL()},
				[3]any{b[i].Name(), b[i].ToPluvo(), b[i].ToGHL()})
		}
	}
	copied := mapping.Template()
	copied[0] = 'x'
	require.NotEqual(t, copied, mapping.Template())
}

// TestRulesLeaveOtherKindsAlone: a kind that the file does not name is mapped by the template's rules.
func TestRulesLeaveOtherKindsAlone(t *testing.T) {
	m := withRules(t, rulesFor("task", "{ghl: title, pluvo: title, transform: {case: upper}}",
		"{ghl: body, pluvo: status, direction: toPluvo}"))
	task, report, err := m.Task(&ghl.Task{ID: "t1", Title: "Call", Body: "soon",
		DueDate: ghl.ParseTime("2026-05-01T12:00:00Z"), Completed: true}, "c1")
	require.NoError(t, err)
	require.Equal(t, &pluvo.Task{ID: "t1", ContactID: "c1", Title: "CALL", Status: "soon", Origin: origin("t1")}, task)
	require.Equal(t, mapping.LeftOut, entry(report, "dueDate").Outcome)
	require.Equal(t, mapping.LeftOut, entry(report, "completed").Outcome)
	require.Equal(t, mapping.Changed, entry(report, "title").Outcome)
	note, _, err := m.Note(&ghl.Note{ID: "n1", Body: "Hello"}, "c1", "")
	require.NoError(t, err)
	require.Equal(t, "Hello", note.Content)
	_, report, err = m.TaskCreate(&pluvo.Task{ID: "t1", ContactID: "c1", Title: "Call", DueDate: noon.Add(time.Hour)})
	require.ErrorContains(t, err, "dueDate", "no rule writes it")
	require.Equal(t, mapping.LeftOut, report.Only(mapping.LeftOut)[0].Outcome)
}

// TestOtherTypesAsText: times, switches and days are converted to text, and back if the rule has a way back.
func TestOtherTypesAsText(t *testing.T) {
	// the day before in New York
	task := &ghl.Task{ID: "t1", Title: "Call", DueDate: ghl.ParseTime("2026-05-02T02:30:00Z"), Completed: true}
	for _, test := range []struct{ rule, want string }{
		{"{ghl: dueDate, pluvo: status, direction: toPluvo, transform: {date: DD.MM.YYYY}}", "01.05.2026"},
		{"{ghl: dueDate, pluvo: status, transform: {date: 'YYYY-MM-DD HH:mm:ss'}}", "2026-05-01 22:30:00"},
		{"{ghl: dueDate, pluvo: status, transform: {date: 'YYYY-MM-DDTHH:mmZ'}}", "2026-05-02T02:30Z"},
		{"{ghl: dueDate, pluvo: status}", "2026-05-02T02:30:00Z"},
		{"{ghl: completed, pluvo: status}", "true"},
		{"{ghl: completed, pluvo: status, transform: {options: {true: done, false: open}}}", "done"},
	} {
		m := withRules(t, rulesFor("task", "{ghl: title, pluvo: title}", test.rule))
		got, _, err := m.Task(task, "c1")
		require.NoError(t, err)
		require.Equal(t, test.want, string(got.Status), test.rule)
		last := pluvo.Clone(got)
		last.Status = ""
		update, report, err := m.TaskUpdate(got, last)
		require.NoError(t, err)
		if strings.Contains(test.rule, "toPluvo") {
			require.Nil(t, update, test.rule)
			continue
		}
		require.NotNil(t, update, "%s: %s", test.rule, report)
		due, moved := update.DueDate.Get()
		completed, ticked := update.Completed.Get()
		require.True(t, moved && due.Truncate(time.Minute).Equal(time.Date(2026, 5, 2, 2, 30, 0, 0, time.UTC)) ||
			ticked && completed, test.rule)
	}

	nowhere := newMapper(t, func(o *mapping.Options) {
		o.TimeZone = nil
		o.Rules = load(t, rulesFor("task", "{ghl: title, pluvo: title}",
			"{ghl: dueDate, pluvo: status, transform: {date: 'YYYY-MM-DD HH:mm'}}"))
	})
	got, report, err := nowhere.Task(task, "c1")
	require.NoError(t, err)
	require.Empty(t, got.Status)
	require.Contains(t, entry(report, "dueDate").Reason, "zone")
	got.Status = "2026-05-01 22:30"
	update, report, err := nowhere.TaskUpdate(got, &pluvo.Task{ID: "t1", Title: "Call"})
	require.NoError(t, err)
	require.Nil(t, update)
	require.Contains(t, entry(report, "status").Reason, "zone")
}

// TestUnknownTagsAreNotRemoved: no tag is removed if the last tags are not in the table, because GHL's tags are
// unknown.
func TestUnknownTagsAreNotRemoved(t *testing.T) {
	m := withRules(t, rulesFor("contact", "{ghl: tags, pluvo: tags, transform: {options: {lead: new, client: won}}}"))
	change, _, err := m.ContactUpdate(&pluvo.Contact{ID: "c1", Tags: []string{"won"}},
		&pluvo.Contact{ID: "c1", Tags: []string{"won", "odd"}})
	require.NoError(t, err)
	require.Equal(t, []string{"client"}, change.AddTags)
	require.Empty(t, change.RemoveTags)
}

// TestWrittenHereAndReadThere: a value that is written to one field and read from another is canonical as it is.
func TestWrittenHereAndReadThere(t *testing.T) {
	m := withRules(t, rulesFor("contact", "{ghl: city, pluvo: stage, direction: toGHL, transform: trim}",
		"{ghl: source, pluvo: stage, direction: toPluvo}"))
	stage := m.Fields(pluvo.KindContact)[0]
	require.Equal(t, " x ", stage.Canonical(stage.Get(&pluvo.Contact{Stage: " x "})).String())
}

// TestWhatARecordNeedsByRules: a missing field is reported by its name in GHL.
func TestWhatARecordNeedsByRules(t *testing.T) {
	_, report, err := withRules(t,
		rulesFor("note", "{ghl: title, pluvo: content}")).Note(&ghl.Note{ID: "n1", Body: "Hello"}, "c1", "")
	require.EqualError(t, err, `mapping: note "n1": title: it is required`)
	require.Len(t, report.Only(mapping.Missing), 1)
}
