package ghl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// setFields are the fields of the tests of Set, by the short key.
var setFields = ghl.NewCustomFieldResolver([]*ghl.CustomFieldDefinition{
	{ID: "f1", FieldKey: "contact.text", DataType: "TEXT", Model: "contact"},
	{ID: "f2", FieldKey: "contact.remarks", DataType: "LARGE_TEXT"},
	{ID: "f3", FieldKey: "contact.size", DataType: "NUMERICAL"},
	{ID: "f4", FieldKey: "contact.budget", DataType: "MONETORY"},
	{ID: "f5", FieldKey: "contact.weight", DataType: "FLOAT"},
	{ID: "f6", FieldKey: "contact.since", DataType: "DATE"},
	{ID: "f7", FieldKey: "contact.stage", DataType: "SINGLE_OPTIONS", PicklistOptions: []string{"New lead", "Won", "5"}},
	{ID: "f8", FieldKey: "contact.gender", DataType: "RADIO", PicklistOptions: []string{"Female", "Male"}},
	{ID: "f9", FieldKey: "contact.hobbies", DataType: "MULTIPLE_OPTIONS", PicklistOptions: []string{"Chess", "Golf"}},
	{ID: "f10", FieldKey: "contact.consent", DataType: "CHECKBOX", PicklistOptions: []string{"Yes, please"}},
	{ID: "f11", FieldKey: "contact.free", DataType: "RADIO", PicklistOptions: []string{"A"}, IsAllowedCustomOption: true},
	{ID: "f12", FieldKey: "contact.open", DataType: "SINGLE_OPTIONS"},
	{ID: "f13", FieldKey: "contact.second_phone", DataType: "PHONE"},
	{ID: "f14", FieldKey: "contact.second_email", DataType: "EMAIL"},
	{ID: "f15", FieldKey: "contact.files", DataType: "FILE_UPLOAD", MaxFileLimit: 1},
	{ID: "f16", FieldKey: "contact.list", DataType: "TEXTBOX_LIST"},
	{ID: "f17", FieldKey: "contact.untyped"},
	{ID: "f18", FieldKey: "opportunity.value", DataType: "MONETORY"},
	{ID: "f19", FieldKey: "contact.odd", DataType: "TEXT", Model: "opportunity"},
	{ID: "f20", FieldKey: "contact.opens_at", DataType: "TIME"},
	{FieldKey: "contact.without_id", DataType: "TEXT"},
})

func raw(text string) ghl.CustomFieldValue { return ghl.ValueOf(json.RawMessage(text)) }

func TestSetAccepts(t *testing.T) {
	file := map[string]ghl.CustomFieldFile{"a": {URL: "u"}}
	for _, tc := range []struct {
		key   string
		value ghl.CustomFieldValue
		want  string
	}{
		{"text", ghl.ValueOf("Ada"), `"Ada"`},
		{"text", ghl.ValueOf(38), `"38"`},
		{"remarks", ghl.ValueOf("a\nb"), `"a\nb"`},
		{"size", ghl.ValueOf(38), `38`},
		{"size", ghl.ValueOf("38"), `38`},
		{"size", ghl.ValueOf(-0.5), `-0.5`},
		{"size", raw(`12345678901234567890`), `12345678901234567890`},
		{"size", ghl.ValueOf(" 007 "), `7`},
		{"size", raw(`["5"]`), `5`},
		{"budget", ghl.ValueOf("1,234.50"), `1234.5`},
		{"weight", ghl.ValueOf(70.5), `70.5`},
		{"since", ghl.ValueOf(time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)), `"2026-01-31"`},
		{"since", ghl.ValueOf("2026-01-31T10:00:00Z"), `"2026-01-31T10:00:00Z"`},
		{"since", ghl.ValueOf("1815-12-10"), `"1815-12-10"`},
		{"since", ghl.ValueOf(1626435570564), `1626435570564`},
		{"since", ghl.ValueOf(-157766400000), `-157766400000`},
		{"since", ghl.ValueOf(0), `0`},
		{"since", ghl.ValueOf(20 * 86_400_000), `1728000000`}, // 1970-01-21
		{"since", ghl.ValueOf(-86_400_000), `-86400000`},
		{"since", ghl.ValueOf(31*86_400_000 + 1), `2678400001`},
		{"stage", ghl.ValueOf("New lead"), `"New lead"`},
		{"stage", ghl.ValueOf(5), `"5"`},
		{"stage", ghl.ValueOf([]string{"Won"}), `"Won"`},
		{"gender", ghl.ValueOf("Female"), `"Female"`},
		{"hobbies", ghl.ValueOf([]string{"Golf", "Chess"}), `["Golf","Chess"]`},
		{"hobbies", ghl.ValueOf("Golf"), `["Golf"]`},
		{"consent", ghl.ValueOf([]string{"Yes, please"}), `["Yes, please"]`},
		{"free", ghl.ValueOf("B"), `"B"`},
		{"open", ghl.ValueOf("anything"), `"anything"`},
		{"second_phone", ghl.ValueOf("+1 (555) 010-0199 ext. 12"), `"+1 (555) 010-0199 ext. 12"`},
		{"second_phone", ghl.ValueOf("0171/1234567"), `"0171/1234567"`},
		{"second_phone", ghl.ValueOf(15550100), `"15550100"`},
		{"second_email", ghl.ValueOf("ada@example.com"), `"ada@example.com"`},
		{"files", ghl.ValueOf(file), `{"a":{"url":"u"}}`},
		{"list", raw(`{"a":"b"}`), `{"a":"b"}`},
		{"untyped", raw(`[{"a":1}]`), `[{"a":1}]`},
		{"opens_at", ghl.ValueOf("09:00"), `"09:00"`},
		{"without_id", ghl.ValueOf("x"), `"x"`},
	} {
		t.Run(tc.key+"/"+tc.value.String(), func(t *testing.T) {
			set, err := setFields.Set(tc.key, tc.value)
			require.NoError(t, err)
			require.JSONEq(t, tc.want, string(set.Value.Raw()))
			require.NotEmpty(t, set.ID+set.Key)
		})
	}
}

// TestSetClears clears a field of each type.
func TestSetClears(t *testing.T) {
	for _, d := range setFields.Definitions() {
		for _, value := range []ghl.CustomFieldValue{
			{}, raw("null"), ghl.ValueOf(""), ghl.ValueOf(" "), ghl.ValueOf([]string{}), raw("{}"), raw("[ ]"),
		} {
			set, err := setFields.Set(d.FieldKey, value)
			if d.Model == "opportunity" || strings.HasPrefix(d.FieldKey, "opportunity.") {
				requireBadInput(t, err, "CustomFields")
				continue
			}
			require.NoError(t, err, "%s %s", d.FieldKey, value)
			require.Equal(t, value.Raw(), set.Value.Raw())
		}
	}
}

// TestSetConvertsAllDigits: also those that a float64 does not hold.
func TestSetConvertsAllDigits(t *testing.T) {
	for text, want := range map[string]string{
		"9007199254740993": "9007199254740993", " 12,345,678,901,234,567,891 ": "12345678901234567891", "1.50": "1.50",
	} {
		set, err := setFields.Set("size", ghl.ValueOf(text))
		require.NoError(t, err)
		require.Equal(t, want, string(set.Value.Raw()))
	}
}

func TestSetRefuses(t *testing.T) {
	files := map[string]ghl.CustomFieldFile{"a": {URL: "u"}, "b": {URL: "v"}}
	for _, tc := range []struct {
		key   string
		value ghl.CustomFieldValue
		words []string
	}{
		{"since", ghl.ValueOf(1769853600), []string{"needs a date"}}, // seconds since 1970
		{"since", ghl.ValueOf("1769853600"), []string{"needs a date"}},
		{"contact.txt", ghl.ValueOf("x"), []string{`"contact.txt"`, "did you mean contact.text?"}},
		{"hobies", ghl.ValueOf("x"), []string{`"hobies"`, "did you mean hobbies?"}},
		{"nothing_like_it", ghl.ValueOf("x"), []string{`"nothing_like_it"`}},
		{"", ghl.ValueOf("x"), []string{`""`}},
		{"opportunity.value", ghl.ValueOf(1), []string{"opportunity.value", "contacts"}},
		{"odd", ghl.ValueOf("x"), []string{"contact.odd", "contacts"}},
		{"text", ghl.ValueOf([]string{"a", "b"}), []string{"contact.text", "one text"}},
		{"text", ghl.ValueOf(files), []string{"contact.text"}},
		{"size", ghl.ValueOf("big"), []string{"contact.size", "number"}},
		{"size", ghl.ValueOf("38 EU"), []string{"contact.size"}},
		{"size", ghl.ValueOf("1,5"), []string{"contact.size"}},
		{"size", raw("true"), []string{"contact.size"}},
		{"size", raw("1e400"), []string{"contact.size"}},
		{"size", ghl.ValueOf([]string{"1", "2"}), []string{"contact.size"}},
		{"size", ghl.ValueOf(math.NaN()), []string{"contact.size", "JSON"}},
		{"budget", ghl.ValueOf(math.Inf(-1)), []string{"contact.budget"}},
		{"budget", ghl.ValueOf("$12.50"), []string{"contact.budget"}},
		{"untyped", raw("{"), []string{"contact.untyped", "JSON"}},
		{"since", ghl.ValueOf("31.01.2026"), []string{"contact.since", "date"}},
		{"since", ghl.ValueOf("2025-02-29"), []string{"contact.since"}},
		{"since", ghl.ValueOf("soon"), []string{"contact.since"}},
		{"since", ghl.ValueOf(38), []string{"contact.since"}},
		{"since", ghl.ValueOf(20260131), []string{"contact.since"}},
		{"since", ghl.ValueOf(time.Time{}), []string{"contact.since"}},
		{"since", raw("true"), []string{"contact.since"}},
		{"stage", ghl.ValueOf("new lead"), []string{"contact.stage", `"New lead"`, `"Won"`, `did you mean "New lead"?`}},
		{"stage", ghl.ValueOf("Won "), []string{`did you mean "Won"?`}},
		{"stage", ghl.ValueOf("unrelated words"), []string{"contact.stage", `"New lead", "Won"`}},
		{"stage", ghl.ValueOf([]string{"New lead", "Won"}), []string{"contact.stage", "one option"}},
		{"gender", ghl.ValueOf("female"), []string{"contact.gender", `did you mean "Female"?`}},
		{"gender", raw("true"), []string{"contact.gender"}},
		{"hobbies", ghl.ValueOf([]string{"Chess", "golf"}), []string{"contact.hobbies", `did you mean "Golf"?`}},
		{"hobbies", ghl.ValueOf("Chess, Golf"), []string{"contact.hobbies"}},
		{"hobbies", ghl.ValueOf([]string{"Chess", ""}), []string{"contact.hobbies"}},
		{"hobbies", raw(`["Chess",null]`), []string{"contact.hobbies"}},
		{"hobbies", raw(`{"a":"Chess"}`), []string{"contact.hobbies"}},
		{"consent", raw("true"), []string{"contact.consent", `"Yes, please"`}},
		{"open", ghl.ValueOf([]string{"a", "b"}), []string{"contact.open"}},
		{"second_phone", ghl.ValueOf("call me"), []string{"contact.second_phone", "phone"}},
		{"second_phone", ghl.ValueOf("12"), []string{"contact.second_phone"}},
		{"second_phone", ghl.ValueOf("1234567890123456"), []string{"contact.second_phone"}},
		{"second_phone", ghl.ValueOf("1-800-FLOWERS"), []string{"contact.second_phone"}},
		{"second_email", ghl.ValueOf("ada"), []string{"contact.second_email", "e-mail"}},
		{"second_email", ghl.ValueOf("Ada <ada@example.com>"), []string{"contact.second_email"}},
		{"second_email", ghl.ValueOf("@example.com"), []string{"contact.second_email"}},
		{"files", ghl.ValueOf(files), []string{"contact.files", "1"}},
	} {
		t.Run(tc.key+"/"+tc.value.String(), func(t *testing.T) {
			set, err := setFields.Set(tc.key, tc.value)
			requireBadInput(t, err, "CustomFields")
			require.Zero(t, set)
			for _, word := range tc.words {
				require.ErrorContains(t, err, word)
			}
		})
	}
}

// TestSetHidesTheValue looks for the caller's value, which may be personal, in the errors.
func TestSetHidesTheValue(t *testing.T) {
	for _, d := range setFields.Definitions() {
		if _, err := setFields.Set(d.FieldKey, ghl.ValueOf("personal")); err != nil {
			require.NotContains(t, err.Error(), "personal", d.FieldKey)
		}
	}
}

func TestSetListsSomeOfManyOptions(t *testing.T) {
	var options []string
	for i := range 300 {
		options = append(options, fmt.Sprint("country ", i, strings.Repeat("x", 100)))
	}
	r := ghl.NewCustomFieldResolver([]*ghl.CustomFieldDefinition{
		{ID: "f1", FieldKey: "contact.country", DataType: "SINGLE_OPTIONS", PicklistOptions: options},
	})
	_, err := r.Set("country", ghl.ValueOf("elsewhere"))
	require.ErrorContains(t, err, "and 280 more")
	require.Less(t, len(err.Error()), 2001)
}
