package ghl_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// listedContactJSON is a contact with custom fields, as a list gives it.
const listedContactJSON = `{"id":"seD4PfOuKoVMLkEZqohJ","locationId":"ve9EPM428h8vShlRW1KT","contactName":"rubika deo","firstName":"rubika","lastName":"deo","firstNameRaw":"Rubika","lastNameRaw":"Deo","companyName":null,"email":"rubika@deos.example.com","phone":"+18832327657","dnd":false,"dndSettings":{"Call":{"status":"inactive"},"Email":{"status":"active","message":"m","code":"101"}},"type":"lead","source":"public api","assignedTo":null,"city":"Dolomite","state":"AL","postalCode":"35061","address1":"3535 1st St N","dateAdded":"2021-07-02T05:18:26.704Z","dateUpdated":"2021-07-02T05:18:26.704Z","dateOfBirth":"1990-09-25","businessId":null,"tags":["nisi sint commodo amet","consequat"],"followers":[],"country":"US","website":null,"timezone":null,"additionalEmails":[],"attributions":[{"url":"https://www.example.com/landing","utmSource":"newsletter","medium":"survey","isFirst":true}],"customFields":[{"id":"MgobCB14YMVKuE4Ka8p1","value":"name"},{"id":"Aa0bCB14YMVKuE4Ka8p2","value":["one","two"]},{"id":"Ba0bCB14YMVKuE4Ka8p3","value":12.5},{"id":"Ca0bCB14YMVKuE4Ka8p4","value":1626435570564},{"id":"Da0bCB14YMVKuE4Ka8p5","value":"some longer text of a large text field"}],"startAfter":[1700000000000,"seD4PfOuKoVMLkEZqohJ"]}`

// plainType is a type with the same fields as a model, but without methods and Extra, for encoding/json to read.
func plainType(t reflect.Type) reflect.Type {
	switch {
	case t == reflect.TypeFor[ghl.Time]():
		return reflect.TypeFor[string]()
	case t == reflect.TypeFor[ghl.CustomFieldValue]():
		return reflect.TypeFor[json.RawMessage]()
	case t.Kind() == reflect.Pointer:
		return reflect.PointerTo(plainType(t.Elem()))
	case t.Kind() == reflect.Slice:
		return reflect.SliceOf(plainType(t.Elem()))
	case t.Kind() != reflect.Struct:
		return t
	}
	var fields []reflect.StructField
	for _, f := range modelFields(t) {
		fields = append(fields, reflect.StructField{Name: f.Name, Type: plainType(f.Type), Tag: f.Tag})
	}
	slices.SortFunc(fields, func(a, b reflect.StructField) int { return strings.Compare(a.Name, b.Name) })
	return reflect.StructOf(fields)
}

// BenchmarkDecode compares reading a contact with encoding/json reading the same JSON into a plain struct, in turns
// of the same loop, so that the load of the machine affects both alike. call is the whole of Contacts.Get, with a
// transport that answers from memory.
func BenchmarkDecode(b *testing.B) {
	contact := strings.TrimSuffix(strings.TrimPrefix(contactJSON, `{"contact":`),
		`,"traceId":"0e1a9b1c-5a2f-4d38-b3a7-2f0d1c9f5a11"}`)
	client := inMemoryClient(b, contactJSON)
	for _, bm := range []struct {
		name, json string
		read       func(data []byte) error
	}{
		{"get", contact, func(data []byte) error { return new(ghl.Contact).UnmarshalJSON(data) }},
		{"listed", listedContactJSON, func(data []byte) error { return new(ghl.Contact).UnmarshalJSON(data) }},
		{"call", contact, func([]byte) error {
			_, err := client.Contacts.Get(b.Context(), "seD4PfOuKoVMLkEZqohJ")
			return err
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			data, plain := []byte(bm.json), plainType(reflect.TypeFor[ghl.Contact]())
			require.NoError(b, json.Unmarshal(data, reflect.New(plain).Interface()))
			var ours, theirs []float64
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				into := reflect.New(plain).Interface()
				if err := json.Unmarshal(data, into); err != nil {
					b.Fatal(err)
				}
				half := time.Now()
				if err := bm.read(data); err != nil {
					b.Fatal(err)
				}
				ours = append(ours, float64(time.Since(half)))
				theirs = append(theirs, float64(half.Sub(start)))
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			mid := len(ours) / 2
			b.ReportMetric(ours[mid], "ns/decode")
			b.ReportMetric(theirs[mid], "ns/encoding/json")
			b.ReportMetric(ours[mid]/theirs[mid], "x-encoding/json")
		})
	}
}
