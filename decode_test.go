package ghl_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// models are the zero values of everything that is read from the API. TestModelsAreListed checks that the list is
// complete.
var models = generatedModels

// oddValues are values that an answer may have in place of a documented type.
var oddValues = []string{
	`null`, `""`, `"text"`, `"5"`, `"5.5"`, `"1e400"`, `"NaN"`, `"-Infinity"`, `"0x10"`, `"true"`, `" "`, `"\ud800\u0000"`,
	`0`, `-1`, `1.5`, `1e3`, `1e400`, `-1e400`, `1e-400`, `9007199254740993`, `9223372036854775807`, `9223372036854775808`, `123456789012345678901234567890`,
	`0.12345678901234567890`, `true`, `false`,
	`[]`, `[null]`, `[""]`, `["a"]`, `["5"]`, `[1]`, `[1,"a",{}]`, `[null,{"a":1},"b"]`, `[[]]`, `[{}]`, `[1e400]`, `[true]`,
	`{}`, `{"a":1}`, `{"id":"x","status":{},"url":5}`, `{"a":123456789012345678901234567890}`,
	`{"status":"active","new":true}`, `{"userId":"u","new":{}}`, `[{"openHour":9,"new":1}]`, `[{"openHour":"9","closeHour":"late"}]`,
	strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100),
	strings.Repeat(`{"a":`, 100) + `null` + strings.Repeat(`}`, 100),
}

// modelFields are the fields of a model with their names on the wire.
func modelFields(model reflect.Type) map[string]reflect.StructField {
	if fields, ok := fieldsSeen[model]; ok {
		return fields
	}
	fields := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(model) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = f
		}
	}
	fieldsSeen[model] = fields
	return fields
}

var fieldsSeen = map[reflect.Type]map[string]reflect.StructField{}

// usual returns JSON that fits a type, different for each name.
func usual(t reflect.Type, name string) string {
	switch reflect.New(t).Interface().(type) {
	case *ghl.Time:
		return `"2021-07-16T11:39:30.564Z"`
	case *ghl.CustomFieldValue:
		return `"value of ` + name + `"`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return usual(t.Elem(), name)
	case reflect.Slice:
		return "[" + usual(t.Elem(), name) + "]"
	case reflect.Map:
		return `{"a":{"b":[1,"x"]}}`
	case reflect.Struct:
		var parts []string
		for field, f := range modelFields(t) {
			parts = append(parts, fmt.Sprintf("%q:%s", field, usual(f.Type, field)))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case reflect.Bool:
		return "true"
	case reflect.Int, reflect.Int64:
		return "7"
	case reflect.Float64:
		return "7.5"
	}
	return `"` + name + `"`
}

// record returns the JSON of a model with usual values, of all fields or only of some, some of them replaced.
func record(model reflect.Type, replace map[string]string, only ...map[string]bool) string {
	parts, ok := usualParts[model]
	if !ok {
		parts = map[string]string{}
		for name, f := range modelFields(model) {
			parts[name] = usual(f.Type, name)
		}
		usualParts[model] = parts
	}
	var b strings.Builder
	add := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(name) + ":" + value)
	}
	for name, value := range parts {
		if _, replaced := replace[name]; !replaced && (len(only) == 0 || only[0][name]) {
			add(name, value)
		}
	}
	for name, value := range replace {
		add(name, value)
	}
	return "{" + b.String() + "}"
}

var usualParts = map[reflect.Type]map[string]string{}

func read(t *testing.T, model reflect.Type, data string) reflect.Value {
	t.Helper()
	v := reflect.New(model)
	require.NoError(t, json.Unmarshal([]byte(data), v.Interface()), "%s", data)
	return v.Elem()
}

func extraOf(v reflect.Value) ghl.Extra { return v.FieldByName("Extra").Interface().(ghl.Extra) }

// survivesStorage encodes a model and decodes it again, and requires an equal model.
func survivesStorage(t *testing.T, v reflect.Value) {
	t.Helper()
	data, err := json.Marshal(v.Interface())
	require.NoError(t, err)
	again := read(t, v.Type(), string(data))
	if !reflect.DeepEqual(v.Interface(), again.Interface()) { // the slower comparison ignores how the JSON is spelled
		require.Equal(t, normal(t, v.Interface()), normal(t, again.Interface()), "%s", data)
	}
}

// TestModelsAreListed follows the fields of the models: each type with an Extra is in the list.
func TestModelsAreListed(t *testing.T) {
	listed := map[reflect.Type]bool{}
	for _, m := range models {
		listed[reflect.TypeOf(m)] = true
	}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			visit(typ.Elem())
		case reflect.Struct:
			// a struct without a name belongs to its model
			if _, ok := typ.FieldByName("Extra"); ok && typ.Name() != "" {
				require.True(t, listed[typ], "%s", typ)
			}
			for _, f := range modelFields(typ) {
				visit(f.Type)
			}
		}
	}
	for typ := range listed {
		_, ok := typ.FieldByName("Extra")
		require.True(t, ok, "%s has no Extra", typ)
		visit(typ)
	}
	for _, service := range reflect.VisibleFields(reflect.TypeFor[ghl.Client]()) {
		if service.Type.Kind() != reflect.Pointer || !strings.HasSuffix(service.Type.Elem().Name(), "Service") {
			continue
		}
		for i := range service.Type.NumMethod() { // the results of the methods
			visit(service.Type.Method(i).Type.Out(0))
		}
	}
}

// TestUsualRecords: every field of every model is decoded and encoded, and an unknown one is in Extra.
func TestUsualRecords(t *testing.T) {
	for _, m := range models {
		typ := reflect.TypeOf(m)
		t.Run(typ.Name(), func(t *testing.T) {
			v := read(t, typ, record(typ, nil))
			require.Nil(t, extraOf(v))
			for _, f := range modelFields(typ) {
				require.False(t, v.FieldByIndex(f.Index).IsZero(), "%s is not read", f.Name)
			}
			survivesStorage(t, v)

			v = read(t, typ, record(typ, map[string]string{"surprise": `{"a":[1,null]}`, "": `"x"`}))
			require.Equal(t, ghl.Extra{"surprise": json.RawMessage(`{"a":[1,null]}`),
				"": json.RawMessage(`"x"`)}, extraOf(v))
			survivesStorage(t, v)
		})
	}
}

// TestOddValues decodes each odd value in each field of each model: without an error, a loss, or an effect on others.
func TestOddValues(t *testing.T) {
	for _, m := range models {
		typ := reflect.TypeOf(m)
		t.Run(typ.Name(), func(t *testing.T) {
			base, fields := read(t, typ, record(typ, nil)), modelFields(typ)
			names := slices.Sorted(maps.Keys(fields))
			for i, name := range names {
				if typ == reflect.TypeFor[ghl.UpsertResult]() && name == "contact" {
					continue // without its contact, the result is an error by design
				}
				// Each value is decoded with two other fields, and one value in a whole record, which is slow.
				few := map[string]bool{name: true, "contact": true, names[(i+1)%len(names)]: true,
					names[(i+2)%len(names)]: true}
				for _, odd := range oddValues {
					data := record(typ, map[string]string{name: odd}, few)
					if odd == `{"a":1}` {
						data = record(typ, map[string]string{name: odd})
					}
					v := read(t, typ, data)
					field := v.FieldByIndex(fields[name].Index)
					extra := extraOf(v)
					if raw, kept := extra[name]; kept {
						require.Equal(t, odd, string(raw), "%s", name)
						require.Len(t, extra, 1)
					} else {
						require.True(t, holds(t, v, name, odd), "%s.%s lost %s: it is %#v", typ, name, clipText(odd),
							field.Interface())
						require.Empty(t, extra)
					}
					for other, f := range fields {
						if other == name || !few[other] && odd != `{"a":1}` {
							continue
						}
						was, is := base.FieldByIndex(f.Index).Interface(), v.FieldByIndex(f.Index).Interface()
						if !reflect.DeepEqual(was, is) {
							require.Equal(t, was, is, "%s suffered from %s in %s", other, odd, name)
						}
					}
					noNil(t, field)
					survivesStorage(t, v)
				}
			}
		})
	}
}

func clipText(s string) string { return s[:min(len(s), 60)] }

// noNil fails on a nil pointer in a list, which callers would dereference.
func noNil(t *testing.T, v reflect.Value) {
	if v.Kind() != reflect.Slice {
		return
	}
	for i := range v.Len() {
		require.False(t, v.Index(i).Kind() == reflect.Pointer && v.Index(i).IsNil())
	}
}

// holds reports whether a decoded record still has a value: the property of that name has the same leaves when the
// record is encoded. Empty values and null have no leaves; a list of one element has the leaves of the element.
func holds(t *testing.T, record reflect.Value, name, value string) bool {
	t.Helper()
	data, err := json.Marshal(record.Interface())
	require.NoError(t, err)
	written := map[string]json.RawMessage{name: json.RawMessage("null")}
	require.NoError(t, json.Unmarshal(data, &written))
	want, got := leaves(meaning(t, []byte(value))), leaves(meaning(t, written[name]))
	for leaf := range want {
		if !got[leaf] && (leaf != "1" || !got["true"]) {
			return false
		}
	}
	return true
}

// leaves collects the strings, numbers and booleans in a value as text, each with the name of its property.
func leaves(v any) map[string]bool {
	out := map[string]bool{}
	var walk func(string, any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case nil:
		case []any:
			for _, e := range v {
				walk(name, e)
			}
		case map[string]any:
			for key, e := range v {
				walk(key, e)
			}
		default:
			text := strings.ToLower(fmt.Sprint(v))
			if text == "" || text == "false" || text == "0" {
				return // the zero value of a field, which is not written
			}
			switch text {
			case "5.0":
				text = "5"
			case "1e3":
				text = "1000"
			}
			out[text] = true
		}
	}
	walk("", v)
	return out
}

// TestManyOddValuesAtOnce: all fields of a record have odd values at once, as after a change of the API.
func TestManyOddValuesAtOnce(t *testing.T) {
	for _, m := range models {
		typ := reflect.TypeOf(m)
		for _, odd := range oddValues {
			replace := map[string]string{}
			for name := range modelFields(typ) {
				if name != "contact" {
					replace[name] = odd
				}
			}
			survivesStorage(t, read(t, typ, record(typ, replace)))
		}
	}
}

// TestGarbage: a model's UnmarshalJSON returns an error for input that is not JSON.
func TestGarbage(t *testing.T) {
	for _, m := range models {
		typ := reflect.TypeOf(m)
		for _, garbage := range []string{``, ` `, `"`, `"abc`, `"\`, `{`, `{"`, `{"a`, `{"a"`, `{"id":`, `{"id":"x"`,
			`{"id":"x",}`, `[`, `[1`, `nul`, `}`, "\x00", "\xff"} {
			v := reflect.New(typ)
			require.NotPanics(t, func() {
				if v.Interface().(json.Unmarshaler).UnmarshalJSON([]byte(garbage)) != nil {
					require.True(t, v.Elem().IsZero(), "%s holds a part of %q", typ, garbage)
				}
			}, "%s of %q", typ, garbage)
		}
		v := reflect.New(typ)
		require.NoError(t, v.Interface().(json.Unmarshaler).UnmarshalJSON([]byte("\n\t "+record(typ, nil)+" \r\n")))
		require.Equal(t, read(t, typ, record(typ, nil)).Interface(), v.Elem().Interface(), "space around a record")
		if typ != reflect.TypeFor[ghl.UpsertResult]() {
			require.NoError(t, v.Interface().(json.Unmarshaler).UnmarshalJSON([]byte(" null ")))
			require.True(t, v.Elem().IsZero(), "%s keeps what was there", typ)
		}
	}
}

// TestModelsOwnTheirMemory: a model stays valid when the client reads the next answer into the same buffer.
func TestModelsOwnTheirMemory(t *testing.T) {
	for _, m := range models {
		typ := reflect.TypeOf(m)
		for _, value := range append([]string{``}, oddValues...) {
			replace := map[string]string{"surprise": `"kept"`}
			if fields := modelFields(typ); value != `` {
				for name := range fields {
					if name != "contact" {
						replace[name] = value
					}
				}
			}
			data := []byte(record(typ, replace))
			v := reflect.New(typ)
			require.NoError(t, v.Interface().(json.Unmarshaler).UnmarshalJSON(data))
			before := normal(t, v.Elem().Interface())
			for i := range data {
				data[i] = '#'
			}
			require.Equal(t, before, normal(t, v.Elem().Interface()))
		}
	}
}

// TestExtraGivesWayToAChange: a field that was odd and was set later is encoded with its new value.
func TestExtraGivesWayToAChange(t *testing.T) {
	var c ghl.Contact
	require.NoError(t, json.Unmarshal([]byte(`{"id":"c1","tags":["a",{}],"birthDay":"x","dndSettings":{"SMS":{"status":"active","new":1}}}`), &c))
	require.Equal(t, []string{"a"}, c.Tags)
	require.Len(t, c.Extra, 2)
	data, err := json.Marshal(c)
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"c1","tags":["a",{}],"birthDay":"x","dndSettings":{"SMS":{"status":"active","new":1}}}`,
		string(data))

	c.Tags = append(c.Tags, "b")
	c.BirthDay = 7
	c.DNDSettings.SMS.Status = ghl.DNDInactive
	data, err = json.Marshal(c)
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"c1","tags":["a","b"],"birthDay":7,"dndSettings":{"SMS":{"status":"inactive"}}}`,
		string(data))
}

// TestContactForms covers the names that each endpoint uses for the same fields.
func TestContactForms(t *testing.T) {
	for _, tc := range []struct {
		name, json string
		want       ghl.Contact
	}{
		{"list", `{"id":"c1","firstName":"ada","lastName":"lovelace","firstNameRaw":"Ada","lastNameRaw":"Lovelace","startAfter":[1700000000000,"c1"]}`,
			ghl.Contact{ID: "c1", FirstName: "Ada", LastName: "Lovelace", Cursor: `[1700000000000,"c1"]`}},
		{"list without originals", `{"id":"c1","firstName":"ada","firstNameRaw":null,"lastNameRaw":""}`,
			ghl.Contact{ID: "c1", FirstName: "ada"}},
		{"search", `{"id":"c1","firstName":"Ada","firstNameLowerCase":"ada","address":"1 Main St","searchAfter":[1700000000000,"c1"]}`,
			ghl.Contact{ID: "c1", FirstName: "Ada", FirstNameLowerCase: "ada", Address1: "1 Main St",
				Cursor: `[1700000000000,"c1"]`}},
		{"search and list", `{"id":"c1","startAfter":[1,"a"],"searchAfter":[2,"b"]}`, ghl.Contact{ID: "c1", Cursor: `[2,"b"]`}},
		{"get", `{"id":"c1","address1":"1 Main St","followers":["u1"],"attachments":[]}`,
			ghl.Contact{ID: "c1", Address1: "1 Main St", Followers: []string{"u1"}, Attachments: []string{}}},
		{"as documented, texts for lists", `{"id":"c1","followers":"u1","attachments":"https://x"}`,
			ghl.Contact{ID: "c1", Followers: []string{"u1"}, Attachments: []string{"https://x"}}},
		{"null lists", `{"id":"c1","tags":null,"followers":null,"attachments":null,"customFields":null,"additionalEmails":null,"attributions":null}`,
			ghl.Contact{ID: "c1"}},
		{"empty texts for lists", `{"id":"c1","tags":"","customFields":"","dndSettings":"","birthDay":""}`, ghl.Contact{ID: "c1"}},
		{"e-mails and phones as objects", `{"id":"c1","additionalEmails":[{"email":"a@x"},{"email":"b@x","valid":true}],"additionalPhones":[{"phone":"+1","phoneLabel":"work"}]}`,
			ghl.Contact{ID: "c1", AdditionalEmails: []ghl.AdditionalEmail{{Email: "a@x"},
				{Email: "b@x", Extra: ghl.Extra{"valid": json.RawMessage("true")}}},
				AdditionalPhones: []ghl.AdditionalPhone{{Phone: "+1", PhoneLabel: "work"}}}},
		{"e-mails and phones as texts", `{"id":"c1","additionalEmails":["a@x","b@x"],"additionalPhones":["+1",2]}`,
			ghl.Contact{ID: "c1", AdditionalEmails: []ghl.AdditionalEmail{{Email: "a@x"}, {Email: "b@x"}},
				AdditionalPhones: []ghl.AdditionalPhone{{Phone: "+1"}, {Phone: "2"}}}},
		{"e-mails and phones as one", `{"id":"c1","additionalEmails":"a@x","additionalPhones":{"phone":"+1"}}`,
			ghl.Contact{ID: "c1", AdditionalEmails: []ghl.AdditionalEmail{{Email: "a@x"}},
				AdditionalPhones: []ghl.AdditionalPhone{{Phone: "+1"}}}},
		{"do not disturb, 2021", `{"id":"c1","dnd":true,"dndSettings":{"Call":{"status":"active","message":"m","code":"101"},"WhatsApp":{"status":"inactive"},"GMB":null,"RCS":{"status":"permanent"}},"inboundDndSettings":{"all":{"status":"active"}}}`,
			ghl.Contact{ID: "c1", DND: true,
				DNDSettings: &ghl.DNDSettings{Call: &ghl.DNDSetting{Status: ghl.DNDActive, Message: "m", Code: "101"},
					WhatsApp: &ghl.DNDSetting{Status: ghl.DNDInactive}, RCS: &ghl.DNDSetting{Status: ghl.DNDPermanent}},
				InboundDNDSettings: &ghl.DNDSettings{All: &ghl.DNDSetting{Status: ghl.DNDActive}}}},
		{"do not disturb, v3", `{"id":"c1","dnd":"true","dndSettings":{"call":{"status":"active","code":101},"email":{"status":"active"},"sms":{"status":"active"},"whatsApp":{"status":"active"},"gmb":{"status":"active"},"fb":{"status":"active"}}}`,
			ghl.Contact{ID: "c1", DND: true,
				DNDSettings: &ghl.DNDSettings{Call: &ghl.DNDSetting{Status: ghl.DNDActive, Code: "101"},
					Email: &ghl.DNDSetting{Status: ghl.DNDActive}, SMS: &ghl.DNDSetting{Status: ghl.DNDActive},
					WhatsApp: &ghl.DNDSetting{Status: ghl.DNDActive}, GMB: &ghl.DNDSetting{Status: ghl.DNDActive},
					FB: &ghl.DNDSetting{Status: ghl.DNDActive}}}},
		{"a channel that is new", `{"id":"c1","dndSettings":{"Pager":{"status":"active"}}}`,
			ghl.Contact{ID: "c1",
				DNDSettings: &ghl.DNDSettings{Extra: ghl.Extra{"Pager": json.RawMessage(`{"status":"active"}`)}}}},
		{"scalars of other types", `{"id":5,"phone":18005550100,"email":["a@x"],"birthMonth":"7","birthDay":3.0,"validEmail":"false"}`,
			ghl.Contact{ID: "5", Phone: "18005550100", Email: "a@x", BirthMonth: 7, BirthDay: 3,
				ValidEmail: new(bool)}},
		{"objects for texts", `{"id":"c1","assignedTo":{"id":"u1"},"source":["a","b"]}`,
			ghl.Contact{ID: "c1", Extra: ghl.Extra{"assignedTo": json.RawMessage(`{"id":"u1"}`),
				"source": json.RawMessage(`["a","b"]`)}}},
		{"a name twice", `{"id":{},"email":"a@x","id":"c1","EMAIL":"b@x"}`, ghl.Contact{ID: "c1", Email: "b@x"}},
		{"a name twice, the odd one last", `{"id":"c1","id":{}}`, ghl.Contact{Extra: ghl.Extra{"id": json.RawMessage(`{}`)}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got ghl.Contact
			require.NoError(t, json.Unmarshal([]byte(tc.json), &got))
			require.Equal(t, tc.want, got)
			survivesStorage(t, reflect.ValueOf(got))
		})
	}
}

func TestTaskForms(t *testing.T) {
	for data, want := range map[string]ghl.Task{
		`{"id":"t1","title":"call","dueDate":"2021-07-16T11:00:00Z","completed":false}`: {ID: "t1", Title: "call", DueDate: ghl.ParseTime("2021-07-16T11:00:00Z")},
		`{"_id":"t1","title":"call","completed":"true"}`:                                {ID: "t1", Title: "call", Completed: true},
		`{"_id":"t1","id":null,"businessId":{"a":1}}`:                                   {ID: "t1", Extra: ghl.Extra{"businessId": json.RawMessage(`{"a":1}`)}},
		`{"id":"t1","_id":"t1"}`:                                                        {ID: "t1"},
		`{"_id":{"$oid":"t1"}}`:                                                         {Extra: ghl.Extra{"_id": json.RawMessage(`{"$oid":"t1"}`)}},
	} {
		var got ghl.Task
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		require.Equal(t, want, got, "%s", data)
		survivesStorage(t, reflect.ValueOf(got))
	}
}

func TestBulkTagsResultForms(t *testing.T) {
	for data, want := range map[string]bool{`{"succeded":true}`: true, `{"succeeded":true}`: true,
		`{"succeded":"true","succeeded":null}`: true, `{"succeeded":false}`: false, `{}`: false} {
		var got ghl.BulkTagsResult
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		require.Equal(t, want, got.Succeeded, "%s", data)
		survivesStorage(t, reflect.ValueOf(got))
	}
}

// TestUpsertResultNeedsItsContact: only a missing contact is an error, other odd values are not.
func TestUpsertResultNeedsItsContact(t *testing.T) {
	var r ghl.UpsertResult
	for _, data := range []string{`{}`, `{"new":true}`, `{"contact":null}`, `{"contact":{}}`, `{"contact":"x"}`,
		`{"contact":[]}`} {
		require.Error(t, json.Unmarshal([]byte(data), &r), "%s", data)
	}
	require.NoError(t, json.Unmarshal([]byte(`{"contact":{"id":5,"customFields":["x"]},"new":"true","traceId":[]}`),
		&r))
	require.Equal(t, "5", r.Contact.ID)
	require.True(t, r.New)
}

// TestListsHoldNoNulls: null in a list is skipped. It becomes neither a nil pointer nor the weekday 0.
func TestListsHoldNoNulls(t *testing.T) {
	var c ghl.Calendar
	require.NoError(t, json.Unmarshal([]byte(`{"id":"k1","teamMembers":[null,{"userId":"u1"}],"openHours":[null,{"daysOfTheWeek":[null,"","2",3],"hours":[null,{"openHour":9}]}]}`), &c))
	require.Len(t, c.TeamMembers, 1)
	require.Len(t, c.OpenHours, 1)
	require.Equal(t, []int{2, 3}, c.OpenHours[0].DaysOfTheWeek)
	require.Len(t, c.OpenHours[0].Hours, 1)
	require.Equal(t, 9, c.OpenHours[0].Hours[0].OpenHour)
	require.Nil(t, c.Extra)
}

// TestNestedStructsHaveAnExtra: a struct within a model keeps unknown properties and odd values of its own.
func TestNestedStructsHaveAnExtra(t *testing.T) {
	const calendar = `{"id":"k1","teamMembers":[{"userId":"u1","new":1,"locationConfigurations":[{"kind":"custom","new":2}]}],
		"openHours":[{"daysOfTheWeek":[1],"hours":[{"openHour":9,"openMinute":0,"closeHour":17,"closeMinute":0}],"new":3}],
		"recurring":{"freq":"DAILY","count":"many"},"lookBusyConfig":{"new":4}}`
	var c ghl.Calendar
	require.NoError(t, json.Unmarshal([]byte(calendar), &c))
	require.Nil(t, c.Extra)
	require.Equal(t, ghl.Extra{"new": json.RawMessage("1")}, c.TeamMembers[0].Extra)
	require.Equal(t, ghl.Extra{"new": json.RawMessage("2")}, c.TeamMembers[0].LocationConfigurations[0].Extra)
	require.Equal(t, ghl.Extra{"new": json.RawMessage("3")}, c.OpenHours[0].Extra)
	require.Equal(t, ghl.Extra{"count": json.RawMessage(`"many"`)}, c.Recurring.Extra)
	require.Equal(t, ghl.Extra{"new": json.RawMessage("4")}, c.LookBusyConfig.Extra)
	written, err := json.Marshal(c)
	require.NoError(t, err)
	require.JSONEq(t, calendar, string(written))

	const location = `{"id":"l1","business":{"timezone":"Europe/Berlin","new":1},"social":{"new":2},"settings":{"new":3}}`
	var l ghl.Location
	require.NoError(t, json.Unmarshal([]byte(location), &l))
	require.Equal(t, ghl.Extra{"new": json.RawMessage("1")}, l.Business.Extra)
	written, err = json.Marshal(l)
	require.NoError(t, err)
	require.JSONEq(t, location, string(written))
}

// TestAPageWithOddRecords: the valid records are returned, and the others are in Skipped of the Response.
func TestAPageWithOddRecords(t *testing.T) {
	body := `{"contacts":[{"id":"c1"},null,5,{"id":"c2","tags":{"a":1},"customFields":["x"],"dateAdded":[]},"x",[],{"id":"c3"}],"meta":{"total":"7","startAfter":null,"startAfterId":""},"traceId":"t1"}`
	client, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("loc1"),
		ghl.WithHTTPClient(&http.Client{Transport: wireAnswer{http.StatusOK, http.Header{}, []byte(body)}}))
	require.NoError(t, err)
	check := func(t *testing.T, contacts []*ghl.Contact, resp ghl.Response) {
		require.Len(t, contacts, 3)
		for i, id := range []string{"c1", "c2", "c3"} {
			require.Equal(t, id, contacts[i].ID)
		}
		require.Equal(t, json.RawMessage(`{"a":1}`), contacts[1].Extra["tags"])
		require.Equal(t, json.RawMessage(`["x"]`), contacts[1].Extra["customFields"])
		var skipped []string
		for _, odd := range resp.Skipped {
			skipped = append(skipped, string(odd))
		}
		require.Equal(t, []string{`null`, `5`, `"x"`, `[]`}, skipped)
		require.Equal(t, "t1", resp.TraceID)
	}
	t.Run("list", func(t *testing.T) {
		var resp ghl.Response
		page, err := client.Contacts.List(t.Context(), nil, ghl.CallResponse(&resp))
		require.NoError(t, err)
		require.Equal(t, 7, page.Total)
		check(t, page.Contacts, resp)
	})
	t.Run("search", func(t *testing.T) {
		var resp ghl.Response
		page, err := client.Contacts.Search(t.Context(), nil, ghl.CallResponse(&resp))
		require.NoError(t, err)
		check(t, page.Contacts, resp)
	})
	t.Run("all", func(t *testing.T) {
		var resp ghl.Response
		var contacts []*ghl.Contact
		for c, err := range client.Contacts.All(t.Context(), nil, ghl.CallResponse(&resp)) {
			require.NoError(t, err)
			contacts = append(contacts, c)
		}
		check(t, contacts, resp)
	})
}
