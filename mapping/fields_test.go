package mapping

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// samples are values of each type, in GHL's JSON and in a rule.
var samples = map[typ]struct {
	json string
	v    value
}{
	textType:    {`"confirmed"`, value{text: "confirmed"}}, // also a valid state of an appointment
	listType:    {`["a","b"]`, value{list: []string{"a", "b"}}},
	flagType:    {`true`, value{flag: true}},
	dayType:     {`"2026-05-01"`, value{at: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}},
	instantType: {`"2026-05-01T12:00:00.000Z"`, value{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}},
}

// TestEveryFieldHasItsName: each field of GHL is read from and written to the property of its name.
func TestEveryFieldHasItsName(t *testing.T) {
	m, err := New(Options{Location: "loc"})
	require.NoError(t, err)
	testFields(t, m, &contactFields)
	testFields(t, m, &taskFields)
	testFields(t, m, &noteFields)
	testFields(t, m, &appointmentFields)
}

func testFields[R, C, U, P any](t *testing.T, m *Mapper, table *table[R, C, U, P]) {
	for _, f := range table.ghl {
		sample := samples[f.typ]
		if f.name == "status" || f.name == "appointmentId" { // derived, or given by the caller
			require.True(t, f.create == nil && f.change == nil)
			continue
		}
		record := new(R)
		require.NoError(t, json.Unmarshal([]byte(`{"`+f.name+`":`+sample.json+`}`), record))
		got := f.get(record, &scope{m: m})
		if f.name == "firstName" || f.name == "name" {
			got.note = ""
		}
		require.Equal(t, sample.v, got, f.name)
		require.True(t, f.has == nil || f.has(record), f.name)
		got = f.get(new(R), &scope{m: m})
		require.False(t, got.has(f.typ), f.name)
		require.True(t, f.has == nil || !f.has(new(R)), f.name)

		if f.create != nil {
			in := new(C)
			f.create(in, sample.v)
			require.Equal(t, []string{strings.ToLower(f.name)}, set(in), f.name)
		}
		if f.change != nil {
			in := new(U)
			f.change(in, value{}, sample.v)
			require.Equal(t, []string{strings.ToLower(f.name)}, set(in), f.name)
		}
		if f.clears && f.change != nil && f.typ != listType {
			in := new(U)
			f.change(in, sample.v, value{})
			var null bool
			for _, v := range fieldsSet(reflect.ValueOf(in).Elem()) {
				null = null || v.MethodByName("IsNull").Call(nil)[0].Bool()
			}
			require.True(t, null, "%s is cleared by null", f.name)
		}
	}
	for _, f := range table.pluvo {
		if f.set == nil {
			continue
		}
		record := new(P)
		f.set(record, samples[f.typ].v)
		require.Equal(t, samples[f.typ].v, f.get(record), f.name)
		data, err := json.Marshal(record)
		require.NoError(t, err)
		require.Contains(t, string(data), `"`+f.name+`":`)
		f.set(record, value{})
		require.Zero(t, *record, f.name)
	}
}

// set returns the names of the fields that are set, in lower case.
func set(in any) []string {
	var names []string
	for name := range fieldsSet(reflect.ValueOf(in).Elem()) {
		names = append(names, strings.ToLower(name))
	}
	return names
}

func fieldsSet(v reflect.Value) map[string]reflect.Value {
	list := map[string]reflect.Value{}
	for i := range v.NumField() {
		switch f, name := v.Field(i), v.Type().Field(i).Name; {
		case f.IsZero():
		case name == "Update":
			return fieldsSet(f.Elem())
		case name == "AddTags", name == "RemoveTags":
			list["tags"] = f
		default:
			list[name] = f
		}
	}
	return list
}

// TestEveryFieldOfARecordIsKnown: each field of GHL's models is mapped, reported as left out, or listed here as
// redundant.
func TestEveryFieldOfARecordIsKnown(t *testing.T) {
	m, err := New(Options{Location: "loc"})
	require.NoError(t, err)
	quiet := map[string]bool{ // ids, pagination, and values that repeat other fields
		"LocationID": true, "ContactID": true, "Name": true, "ContactName": true, "FirstNameLowerCase": true, "LastNameLowerCase": true,
		"FullNameLowerCase": true, "EmailLowerCase": true, "BirthMonth": true, "BirthDay": true, "Cursor": true, "BodyText": true,
	}
	check := func(model any, f func(record any) *Report) {
		of := reflect.TypeOf(model).Elem()
		for i := range of.NumField() {
			record := reflect.New(of)
			field, name := record.Elem().Field(i), of.Field(i).Name
			if quiet[name] {
				continue
			}
			fill(field)
			record.Elem().FieldByName("ID").SetString("id")
			want := strings.ToLower(name)
			if name == "Extra" {
				want = "novelty"
			}
			var found bool
			for _, e := range f(record.Interface()).Entries {
				from, _, _ := strings.Cut(strings.ToLower(e.From), ".") // the name of a custom field is custom.ID
				found = found || from == want || name == "CustomFields" && from == "custom" ||
					name == "Status" && from == "appointmentstatus"
			}
			require.True(t, found, "%s: %s", of, name)
		}
	}
	check(&ghl.Contact{}, func(r any) *Report {
		_, report, err := m.Contact(r.(*ghl.Contact))
		require.NoError(t, err)
		return report
	})
	check(&ghl.Task{}, func(r any) *Report {
		r.(*ghl.Task).Title += "T"
		_, report, err := m.Task(r.(*ghl.Task), "c1")
		require.NoError(t, err)
		return report
	})
	check(&ghl.Note{}, func(r any) *Report {
		r.(*ghl.Note).Body += "B"
		_, report, err := m.Note(r.(*ghl.Note), "c1", "")
		require.NoError(t, err)
		return report
	})
	check(&ghl.Appointment{}, func(r any) *Report {
		r.(*ghl.Appointment).StartTime = ghl.ParseTime("2020-05-01T12:00:00Z")
		_, report, err := m.Appointment(r.(*ghl.Appointment), "c1")
		require.NoError(t, err)
		return report
	})
}

// fill gives a field a value.
func fill(v reflect.Value) {
	switch at := v.Addr().Interface().(type) {
	case *ghl.Time:
		*at = ghl.ParseTime("2026-05-01T12:00:00Z")
		return
	case *ghl.Extra:
		*at = ghl.Extra{"novelty": json.RawMessage("1")}
		return
	case *[]ghl.CustomField:
		*at = []ghl.CustomField{{ID: "x", Value: ghl.ValueOf("y")}}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("a@b.c")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Struct:
		fill(v.Field(0))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if v.Type().Elem().Kind() == reflect.String {
			v.Index(0).SetString("x")
		}
	}
}

// TestWordsOfOutcomesAndTypes fixes the words that operators read.
func TestWordsOfOutcomesAndTypes(t *testing.T) {
	require.Equal(t, []string{"mapped", "changed", "left out", "missing", "outcome 9"},
		[]string{Mapped.String(), Changed.String(), LeftOut.String(), Missing.String(), Outcome(9).String()})
	for i := typ(0); i <= filesType; i++ {
		require.NotEmpty(t, i.String())
	}
	var none *Report
	require.Empty(t, none.String())
	require.Empty(t, none.Only(Mapped))
}
