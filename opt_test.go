package ghl_test

import (
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestOptSaysThreeThings encodes and decodes the three states: absent, null and a value.
func TestOptSaysThreeThings(t *testing.T) {
	type update struct {
		Name ghl.Opt[string]   `json:"name,omitzero"`
		Tags ghl.Opt[[]string] `json:"tags,omitzero"`
	}
	for _, tc := range []struct {
		name string
		in   update
		want string
	}{
		{"absent", update{}, `{}`},
		{"null", update{ghl.Null[string](), ghl.Null[[]string]()}, `{"name":null,"tags":null}`},
		{"a value", update{ghl.Some("Ada"), ghl.Some([]string{"vip"})}, `{"name":"Ada","tags":["vip"]}`},
		{"the empty value", update{ghl.Some(""), ghl.Some([]string{})}, `{"name":"","tags":[]}`},
		{"a nil slice", update{ghl.Some(""), ghl.Some[[]string](nil)}, `{"name":"","tags":[]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(tc.in)
			require.NoError(t, err)
			require.Equal(t, tc.want, string(data))
			var back update
			require.NoError(t, json.Unmarshal(data, &back))
			require.Equal(t, tc.in.Name, back.Name)
			require.Equal(t, tc.in.Tags.IsZero(), back.Tags.IsZero())
			require.Equal(t, tc.in.Tags.IsNull(), back.Tags.IsNull())
		})
	}
}

func TestOptReaders(t *testing.T) {
	var absent ghl.Opt[int]
	null, zero, some := ghl.Null[int](), ghl.Some(0), ghl.Some(5)
	for _, tc := range []struct {
		name           string
		o              ghl.Opt[int]
		absent, null   bool
		value          int
		has            bool
		withoutOmitted string
	}{
		{"absent", absent, true, false, 0, false, "null"},
		{"null", null, false, true, 0, false, "null"},
		{"zero", zero, false, false, 0, true, "0"},
		{"five", some, false, false, 5, true, "5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value, has := tc.o.Get()
			require.Equal(t, tc.value, value)
			require.Equal(t, tc.has, has)
			require.Equal(t, tc.absent, tc.o.IsZero())
			require.Equal(t, tc.null, tc.o.IsNull())
			data, err := json.Marshal(tc.o)
			require.NoError(t, err)
			require.Equal(t, tc.withoutOmitted, string(data))
		})
	}
}

// TestOptOfAnyType: the JSON of Some depends only on the value.
func TestOptOfAnyType(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    any
		want string
	}{
		{"nil map", ghl.Some[map[string]int](nil), `{}`},
		{"nil slice in an interface", ghl.Some[any]([]int(nil)), `[]`},
		{"nil interface", ghl.Some[any](nil), `null`},
		{"nil pointer", ghl.Some[*int](nil), `null`},
		{"nil bytes are a text", ghl.Some[[]byte](nil), `""`},
		{"a json.Marshaler", ghl.Some[json.RawMessage](nil), `null`},
		{"a text marshaler", ghl.Some[net.IP](nil), `""`},
		{"time", ghl.Some(time.Date(2021, 7, 16, 11, 0, 0, 0, time.UTC)), `"2021-07-16T11:00:00Z"`},
		{"false", ghl.Some(false), `false`},
		{"a model", ghl.Some(&ghl.DNDSettings{SMS: &ghl.DNDSetting{Status: ghl.DNDActive}}), `{"SMS":{"status":"active"}}`},
		{"an Opt in an Opt", ghl.Some(ghl.Null[string]()), `null`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(tc.o)
			require.NoError(t, err)
			require.Equal(t, tc.want, string(data))
		})
	}
}

// TestOptReadsOrRefuses: unlike a record, an Opt decodes only its exact type. An error leaves the Opt unchanged.
func TestOptReadsOrRefuses(t *testing.T) {
	for _, data := range []string{`"x"`, `{}`, `[`, `"`, ``, ` `, `5.5`} {
		o := ghl.Some(7)
		require.Error(t, o.UnmarshalJSON([]byte(data)), "%q", data)
		require.Equal(t, ghl.Some(7), o)
	}
	o := ghl.Some(7)
	require.NoError(t, o.UnmarshalJSON([]byte(" null\n")))
	require.True(t, o.IsNull())
	require.NoError(t, o.UnmarshalJSON([]byte(" 5 ")))
	require.Equal(t, ghl.Some(5), o)
}

// TestContactUpdateSendsThreeThings checks the three states in the body of a request.
func TestContactUpdateSendsThreeThings(t *testing.T) {
	for _, tc := range []struct {
		name    string
		version ghl.Version
		in      ghl.ContactUpdate
		want    string
	}{
		{"one value", ghl.Version20210728, ghl.ContactUpdate{City: ghl.Some("Rome")}, `{"city":"Rome"}`},
		{"values", ghl.Version20210728, ghl.ContactUpdate{FirstName: ghl.Some("Ada"), DND: ghl.Some(false), Tags: ghl.Some([]string{"vip"})}, `{"firstName":"Ada","dnd":false,"tags":["vip"]}`},
		{"null", ghl.Version20210728, ghl.ContactUpdate{LastName: ghl.Null[string](), Tags: ghl.Null[[]string](), DNDSettings: ghl.Null[*ghl.DNDSettings](), CustomFields: ghl.Null[[]ghl.CustomField]()}, `{"lastName":null,"tags":null,"dndSettings":null,"customFields":null}`},
		{"null in v3", ghl.VersionV3, ghl.ContactUpdate{DNDSettings: ghl.Null[*ghl.DNDSettings](), CustomFields: ghl.Null[[]ghl.CustomField]()}, `{"dndSettings":null,"customFields":null}`},
		{"empty", ghl.Version20210728, ghl.ContactUpdate{Website: ghl.Some(""), Tags: ghl.Some[[]string](nil), CustomFields: ghl.Some[[]ghl.CustomField](nil)}, `{"website":"","tags":[],"customFields":[]}`},
		{"names of 2021", ghl.Version20210728, ghl.ContactUpdate{DNDSettings: ghl.Some(&ghl.DNDSettings{WhatsApp: &ghl.DNDSetting{Status: ghl.DNDActive}}), CustomFields: ghl.Some([]ghl.CustomField{{ID: "f1", Value: ghl.ValueOf("x")}, {Key: "contact.k", Value: ghl.CustomFieldValue{}}})},
			`{"dndSettings":{"WhatsApp":{"status":"active"}},"customFields":[{"id":"f1","field_value":"x"},{"key":"contact.k","field_value":null}]}`},
		{"names of v3", ghl.VersionV3, ghl.ContactUpdate{DNDSettings: ghl.Some(&ghl.DNDSettings{WhatsApp: &ghl.DNDSetting{Status: ghl.DNDActive}}), CustomFields: ghl.Some([]ghl.CustomField{{ID: "f1", Value: ghl.ValueOf("x")}})},
			`{"dndSettings":{"whatsApp":{"status":"active"}},"customFields":[{"id":"f1","fieldValue":"x"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sent := &wireRecorder{}
			client, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("loc1"), ghl.WithVersion(tc.version),
				ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
				ghl.WithHTTPClient(&http.Client{Transport: sent}))
			require.NoError(t, err)
			_, err = client.Contacts.Update(t.Context(), "c1", &tc.in)
			require.ErrorIs(t, err, ghl.ErrBadResponse) // the recorder answers with a list
			require.JSONEq(t, tc.want, string(sent.body))
		})
	}
}
