package ghl_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestCustomFieldValueByType reads every type of value with every accessor.
func TestCustomFieldValueByType(t *testing.T) {
	number := func(n float64) *float64 { return &n }
	for _, tc := range []struct {
		name    string
		json    string
		text    string
		number  *float64
		options []string
		date    string // UTC or wall clock; "" means no date
		files   []string
		null    bool
	}{
		{name: "null", json: `null`, null: true},
		{name: "text", json: `"name"`, text: "name", options: []string{"name"}},
		{name: "empty text", json: `""`},
		{name: "text with escapes", json: `"a\"\u00e4"`, text: `a"ä`, options: []string{`a"ä`}},
		{name: "number", json: `-42.5`, text: "-42.5", number: number(-42.5), options: []string{"-42.5"},
			date: "1969-12-31T23:59:59Z"},
		{name: "number in a text", json: `" 42 "`, text: " 42 ", number: number(42), options: []string{" 42 "},
			date: "1970-01-01T00:00:00Z"},
		{name: "money", json: `"1,234,567.50"`, text: "1,234,567.50", number: number(1234567.5),
			options: []string{"1,234,567.50"}},
		{name: "negative money", json: `"-12,345"`, text: "-12,345", number: number(-12345),
			options: []string{"-12,345"}},
		{name: "a European decimal", json: `"12,50"`, text: "12,50", options: []string{"12,50"}},
		{name: "commas in wrong places", json: `"1,23,456"`, text: "1,23,456", options: []string{"1,23,456"}},
		{name: "a comma first", json: `",123"`, text: ",123", options: []string{",123"}},
		{name: "money with a sign of currency", json: `"$12.50"`, text: "$12.50", options: []string{"$12.50"}},
		{name: "a name that strconv parses as a number", json: `"Infinity"`, text: "Infinity",
			options: []string{"Infinity"}},
		{name: "another", json: `"nan"`, text: "nan", options: []string{"nan"}},
		{name: "a code that strconv parses as a number", json: `"0x1p4"`, text: "0x1p4", options: []string{"0x1p4"}},
		{name: "too large a number", json: `1e400`, text: "1e400", options: []string{"1e400"}},
		{name: "date in milliseconds", json: `1626435570564`, text: "1626435570564", number: number(1626435570564),
			options: []string{"1626435570564"}, date: "2021-07-16T11:39:30Z"},
		{name: "date as text", json: `"2021-07-16"`, text: "2021-07-16", options: []string{"2021-07-16"},
			date: "2021-07-16T00:00:00Z"},
		{name: "one option in a list", json: `["5"]`, text: "5", number: number(5), options: []string{"5"},
			date: "1970-01-01T00:00:00Z"},
		{name: "many options", json: `["one","two"]`, text: "one, two", options: []string{"one", "two"}},
		{name: "odd options", json: `["one",null,2,true,{},[],"",{"message":"m"}]`, text: "one, 2, true",
			options: []string{"one", "2", "true"}},
		{name: "no options", json: `[]`},
		{name: "true", json: `true`, text: "true", options: []string{"true"}},
		{name: "files",
			json: `{"5f":{"url":"https://x/1","documentId":"d1","meta":{"size":"12","originalname":"a.pdf"}},"6a":{"url":"https://x/2"}}`, files: []string{"https://x/1", "https://x/2"}},
		{name: "no files", json: `{}`},
		{name: "texts by id", json: `{"a":"b"}`},
		{name: "unknown", json: `[[{"a":[1]}]]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c ghl.Contact
			require.NoError(t,
				json.Unmarshal([]byte(`{"id":"c1","customFields":[{"id":"f1","value":`+tc.json+`}]}`), &c))
			require.Len(t, c.CustomFields, 1)
			v := c.CustomFields[0].Value
			require.Equal(t, tc.json, string(v.Raw()))
			require.Equal(t, tc.null, v.IsNull())
			require.Equal(t, tc.text, v.Text())
			require.Equal(t, tc.options, v.Options())
			n, ok := v.Number()
			require.Equal(t, tc.number != nil, ok)
			if ok {
				require.InDelta(t, *tc.number, n, 0)
			}
			require.Equal(t, tc.date == "", v.Date().IsZero())
			if tc.date != "" {
				require.Equal(t, tc.date, v.Date().In(nil).Format("2006-01-02T15:04:05Z07:00"))
			}
			require.Len(t, v.Files(), len(tc.files))
			for _, f := range v.Files() {
				require.Contains(t, tc.files, f.URL)
			}
			again, err := json.Marshal(c)
			require.NoError(t, err)
			var back ghl.Contact
			require.NoError(t, json.Unmarshal(again, &back))
			require.Equal(t, normal(t, c), normal(t, back))
		})
	}
}

// TestCustomFieldForms decodes the JSON of a field, with the property names of both versions and with unusual values.
func TestCustomFieldForms(t *testing.T) {
	for _, tc := range []struct {
		name, json   string
		id, key, raw string
		extra        map[string]string
	}{
		{"read", `{"id":"f1","value":"x"}`, "f1", "", `"x"`, nil},
		{"written, 2021", `{"id":"f1","field_value":"x"}`, "f1", "", `"x"`, nil},
		{"written, v3", `{"key":"contact.k","fieldValue":5}`, "", "contact.k", `5`, nil},
		{"the null one does not count", `{"id":"f1","value":null,"fieldValue":5}`, "f1", "", `5`, nil},
		{"twice the same", `{"id":"f1","value":5,"field_value":5,"fieldValue":null}`, "f1", "", `5`, nil},
		{"two that differ", `{"id":"f1","value":5,"fieldValue":6}`, "f1", "", `5`,
			map[string]string{"fieldValue": "6"}},
		{"two that differ, in another order", `{"fieldValue":6,"field_value":7,"value":5}`, "", "", `5`,
			map[string]string{"fieldValue": "6", "field_value": "7"}},
		{"a name twice", `{"id":{},"value":5,"id":"f1","value":6}`, "f1", "", `6`, nil},
		{"a number as id", `{"id":5,"value":"x"}`, "5", "", `"x"`, nil},
		{"null as id", `{"id":null,"value":"x"}`, "", "", `"x"`, nil},
		{"an object as id", `{"id":{},"key":[1,2]}`, "", "", `null`, map[string]string{"id": "{}", "key": "[1,2]"}},
		{"unknown properties", `{"id":"f1","name":"n","value":"x"}`, "f1", "", `"x"`, map[string]string{"name": `"n"`}},
		{"null", `null`, "", "", `null`, nil},
		{"with space", ` { "id" : "f1" } `, "f1", "", `null`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := ghl.CustomField{ID: "before"}
			require.NoError(t, f.UnmarshalJSON([]byte(tc.json)))
			require.Equal(t, tc.id, f.ID)
			require.Equal(t, tc.key, f.Key)
			require.Equal(t, tc.raw, string(f.Value.Raw()))
			require.Len(t, f.Extra, len(tc.extra))
			for name, raw := range tc.extra {
				require.Equal(t, raw, string(f.Extra[name]))
			}
		})
	}
}

// TestCustomFieldValuesMade encodes the value of each constructor.
func TestCustomFieldValuesMade(t *testing.T) {
	for _, tc := range []struct {
		name  string
		value ghl.CustomFieldValue
		want  string
	}{
		{"text", ghl.ValueOf("a"), `"a"`},
		{"empty text", ghl.ValueOf(""), `""`},
		{"number", ghl.ValueOf(12.5), `12.5`},
		{"date", ghl.ValueOf(time.Date(2021, time.July, 6, 0, 0, 0, 0, time.UTC)), `"2021-07-06"`},
		{"options", ghl.ValueOf([]string{"a", "b"}), `["a","b"]`},
		{"no options", ghl.ValueOf([]string(nil)), `[]`},
		{"files", ghl.ValueOf(map[string]ghl.CustomFieldFile{"5f": {URL: "u"}}), `{"5f":{"url":"u"}}`},
		{"raw", ghl.ValueOf(json.RawMessage(` {"a":1} `)), `{"a":1}`},
		{"nothing raw", ghl.ValueOf(json.RawMessage(nil)), `null`},
		{"zero", ghl.CustomFieldValue{}, `null`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(tc.value)
			require.NoError(t, err)
			require.Equal(t, tc.want, string(data))
		})
	}
	for _, wrong := range []ghl.CustomFieldValue{ghl.ValueOf(math.NaN()), ghl.ValueOf(math.Inf(1)),
		ghl.ValueOf(json.RawMessage("{")), ghl.ValueOf(json.RawMessage(`"`))} {
		_, err := json.Marshal(wrong)
		require.Error(t, err)
		require.NotPanics(t, func() {
			wrong.Text()
			wrong.Number()
			wrong.Date()
			wrong.Files()
			_ = wrong.UnmarshalJSON(wrong.Raw())
		})
	}
}

func TestCustomFieldValueIsACopy(t *testing.T) {
	data := []byte(`"abc"`)
	v := ghl.ValueOf(json.RawMessage(data))
	data[1] = 'X'
	raw := v.Raw()
	raw[2] = 'X'
	require.Equal(t, "abc", v.Text())
}

func TestCustomFieldResolver(t *testing.T) {
	r := ghl.NewCustomFieldResolver([]*ghl.CustomFieldDefinition{
		nil,
		{ID: "f1", FieldKey: "contact.shoe_size"},
		{ID: "f2", FieldKey: "contact.color"},
		{ID: "f3", FieldKey: "opportunity.color"},
		{FieldKey: "contact.without_id"},
		{ID: "color", FieldKey: "contact.named_like_a_key"},
	})
	for name, want := range map[string]string{
		"f1": "f1", "contact.shoe_size": "f1", "shoe_size": "f1", "{{contact.shoe_size}}": "f1", "{{ contact.shoe_size }}": "f1",
		"opportunity.color": "f3", "color": "color", "named_like_a_key": "color", "nothing": "", "": "",
	} {
		require.Equal(t, want, r.ID(name), "%q", name)
	}
	require.Equal(t, "contact.color", r.Key("f2"))
	require.Empty(t, r.Key("f9"))
	require.Len(t, r.Definitions(), 5)

	c := &ghl.Contact{CustomFields: []ghl.CustomField{{ID: "f1", Value: ghl.ValueOf(42)},
		{Key: "contact.color", Value: ghl.ValueOf("red")}}}
	size, ok := r.Value(c, "shoe_size")
	require.True(t, ok)
	require.Equal(t, "42", size.Text())
	color, ok := r.Value(c, "f2")
	require.True(t, ok)
	require.Equal(t, "red", color.Text())
	_, ok = r.Value(c, "f3")
	require.False(t, ok)
	_, ok = r.Value(c, "nothing")
	require.False(t, ok)
	_, ok = r.Value(nil, "f1")
	require.False(t, ok)

	set, err := r.Set("shoe_size", ghl.ValueOf(43))
	require.NoError(t, err)
	require.Equal(t, "f1", set.ID)
	_, err = r.Set("nothing", ghl.ValueOf(43))
	require.ErrorIs(t, err, ghl.ErrBadInput)
}
