package ghl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestBearerWordIsRefused passes the value of an Authorization header instead of a token.
func TestBearerWordIsRefused(t *testing.T) {
	const words = "pass the token without the word Bearer"
	for _, token := range []string{
		"Bearer pit-secret", "bearer pit-secret", "BEARER  pit-secret", " Bearer pit-secret", "Bearer\tpit-secret",
		"Bearer: pit-secret", "Bearer:pit-secret", "Bearer%20pit-secret", `"Bearer pit-secret"`,
		"Authorization: Bearer pit-secret", "authorization:bearer pit-secret", "Bearer ", "Bearer",
	} {
		_, err := ghl.New(ghl.WithToken(token))
		requireBadInput(t, err, "token")
		require.ErrorContains(t, err, words, token)

		for _, source := range []ghl.TokenSource{ghl.StaticTokenSource(token), tokenFunc(token)} {
			_, err = unreached(t, ghl.WithTokenSource(source)).Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrBadInput)
			require.ErrorContains(t, err, words, token)
			require.NotContains(t, err.Error(), "pit-secret")
		}
	}
	for _, token := range []string{"bearer-of-news", "pit-Bearer", "bearerabc", "authorization:x"} {
		_, err := ghl.New(ghl.WithToken(token))
		require.NoError(t, err, token)
	}
}

// tokenFunc is a source of a caller that returns a fixed text.
type tokenFunc string

func (f tokenFunc) Token(context.Context) (*ghl.Token, error) {
	return &ghl.Token{AccessToken: string(f)}, nil
}

// TestOwnLocation calls each method of Locations with an empty id, with and without CallLocation.
func TestOwnLocation(t *testing.T) {
	for _, tc := range []struct {
		name, argument string
		opts           []ghl.CallOption
		want           string
	}{
		{"the client's", "", nil, "/locations/loc1"},
		{"the call's", "", []ghl.CallOption{ghl.CallLocation("loc2")}, "/locations/loc2"},
		{"the argument's", "loc3", nil, "/locations/loc3"},
		{"the argument's before the call's", "loc3", []ghl.CallOption{ghl.CallLocation("loc2")}, "/locations/loc3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var paths []string
			c, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
				paths = append(paths, r.URL.Path)
				return answers(200, `{"location":{"id":"l"},"customFields":[],"tags":[]}`)(r)
			})
			_, err := c.Locations.Get(t.Context(), tc.argument, tc.opts...)
			require.NoError(t, err)
			_, err = c.Locations.Tags(t.Context(), tc.argument, tc.opts...)
			require.NoError(t, err)
			_, err = c.Locations.CustomFields(t.Context(), tc.argument, tc.opts...)
			require.NoError(t, err)
			_, err = c.Locations.CustomFieldResolver(t.Context(), tc.argument, tc.opts...)
			require.NoError(t, err)
			require.Equal(t, []string{tc.want, tc.want + "/tags", tc.want + "/customFields", tc.want + "/customFields"},
				paths)
		})
	}
}

// requireNamesLocationOptions checks that the refusal of a missing location says how to set one.
func requireNamesLocationOptions(t testing.TB, err error) {
	t.Helper()
	requireBadInput(t, err, "locationId")
	require.ErrorContains(t, err, "WithLocation")
	require.ErrorContains(t, err, "CallLocation")
}

func TestMissingLocationNamesTheOptions(t *testing.T) {
	c, err := ghl.New(ghl.WithToken("pit-secret"))
	require.NoError(t, err)
	for _, call := range []func() error{
		func() error { _, err := c.Contacts.List(t.Context(), nil); return err },
		func() error { _, err := c.Contacts.Search(t.Context(), nil); return err },
		func() error {
			_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "a@example.com"})
			return err
		},
		func() error { _, err := c.Tasks.Search(t.Context(), nil); return err },
		func() error { _, err := c.Locations.Get(t.Context(), ""); return err },
		func() error { _, err := c.Locations.CustomFieldResolver(t.Context(), ""); return err },
		func() error { _, err := c.Contacts.List(t.Context(), nil, ghl.CallLocation("")); return err },
		func() error { _, err := c.With(ghl.WithLocation("")); return err },
		func() error {
			op := ghl.Operation{Name: "x", Method: "GET", Path: "/locations/{locationId}/x"}
			return c.Call(t.Context(), op, nil, nil)
		},
		func() error {
			op := ghl.Operation{Name: "x", Method: "GET", Path: "/locations/{locationId}/x"}
			return c.Call(t.Context(), op, nil, nil, ghl.CallPath("locationId", ""))
		},
	} {
		requireNamesLocationOptions(t, call())
	}
}

// TestInputsThatOnlyFail lists inputs that the API refuses or that change nothing.
func TestInputsThatOnlyFail(t *testing.T) {
	c := unreached(t)
	ctx := t.Context()
	upsert := func(in ghl.ContactUpsert) error { return second(c.Contacts.Upsert(ctx, &in)) }
	for _, tc := range []struct {
		name, field string
		err         error
	}{
		{"upsert by name", "Email", upsert(ghl.ContactUpsert{Name: ghl.Some("Ada")})},
		{"upsert with first and last name", "Email",
			upsert(ghl.ContactUpsert{FirstName: ghl.Some("Ada"), LastName: ghl.Some("Lovelace")})},
		{"upsert with empty texts", "Email",
			upsert(ghl.ContactUpsert{Name: ghl.Some("Ada"), Email: ghl.Some(""), Phone: ghl.Some("")})},
		{"upsert with nulls", "Email",
			upsert(ghl.ContactUpsert{Name: ghl.Some("A"), Email: ghl.Null[string](), Phone: ghl.Null[string]()})},
		{"upsert with blanks", "Email",
			upsert(ghl.ContactUpsert{Name: ghl.Some("A"), Email: ghl.Some(" \t"), Phone: ghl.Some("\u00a0\n")})},
		{"upsert that may create a duplicate", "Email",
			upsert(ghl.ContactUpsert{Name: ghl.Some("A"), CreateNewIfDuplicateAllowed: true})},
		{"empty contact update", "ContactUpdate", second(c.Contacts.Update(ctx, "c1", &ghl.ContactUpdate{}))},
		{"contact update without custom fields", "ContactUpdate",
			second(c.Contacts.Update(ctx, "c1", &ghl.ContactUpdate{CustomFields: ghl.Some([]ghl.CustomField(nil))}))},
		{"contact update without channels", "ContactUpdate",
			second(c.Contacts.Update(ctx, "c1", &ghl.ContactUpdate{DNDSettings: ghl.Some(&ghl.DNDSettings{})}))},
		{"contact update without an inbound setting", "ContactUpdate", second(c.Contacts.Update(ctx, "c1",
			&ghl.ContactUpdate{InboundDNDSettings: ghl.Some(&ghl.DNDSettings{}),
				CustomFields: ghl.Some([]ghl.CustomField{})}))},
		{"empty task update", "TaskUpdate", second(c.Tasks.Update(ctx, "c1", "t1", &ghl.TaskUpdate{}))},
		{"empty note update", "NoteUpdate", second(c.Notes.Update(ctx, "c1", "n1", &ghl.NoteUpdate{}))},
		{"empty appointment update", "AppointmentUpdate",
			second(c.Appointments.Update(ctx, "e1", &ghl.AppointmentUpdate{}))},
		{"duplicate of blanks", "Email",
			second(c.Contacts.FindDuplicate(ctx, ghl.DuplicateQuery{Email: " ", Phone: "\t"}))},
	} {
		t.Run(tc.name, func(t *testing.T) { requireBadInput(t, tc.err, tc.field) })
	}
	for _, name := range []string{"email", "phone"} {
		require.ErrorContains(t, upsert(ghl.ContactUpsert{Name: ghl.Some("Ada")}), name)
	}
}

// TestInputsThatChangeSomething shows that the refusal of empty updates refuses no update that does something.
func TestInputsThatChangeSomething(t *testing.T) {
	sent := 0
	c, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
		sent++
		return answers(200, `{"contact":{"id":"c1"},"task":{"id":"t1"},"note":{"id":"n1"},"new":true}`)(r)
	})
	ctx := t.Context()
	for _, in := range []ghl.ContactUpdate{
		{Website: ghl.Null[string]()}, {City: ghl.Some("")}, {DND: ghl.Some(false)}, {Tags: ghl.Some([]string(nil))},
		{DNDSettings: ghl.Null[*ghl.DNDSettings]()}, {CustomFields: ghl.Null[[]ghl.CustomField]()},
		{CustomFields: ghl.Some([]ghl.CustomField{}), City: ghl.Some("Rome")},
	} {
		_, err := c.Contacts.Update(ctx, "c1", &in)
		require.NoError(t, err)
	}
	_, err := c.Tasks.Update(ctx, "c1", "t1", &ghl.TaskUpdate{Completed: ghl.Some(false)})
	require.NoError(t, err)
	_, err = c.Notes.Update(ctx, "c1", "n1", &ghl.NoteUpdate{Title: ghl.Null[string]()})
	require.NoError(t, err)
	for _, in := range []ghl.ContactUpsert{
		{Email: ghl.Some("a@example.com")}, {Phone: ghl.Some("+15550100")},
		{Email: ghl.Null[string](), Phone: ghl.Some("+15550100")},
	} {
		_, err = c.Contacts.Upsert(ctx, &in)
		require.NoError(t, err)
	}
	_, err = c.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	require.Equal(t, 13, sent)
}

// TestFiltersInLowerCase filters by fields that HighLevel stores in lower case.
func TestFiltersInLowerCase(t *testing.T) {
	type tag string
	for _, tc := range []struct {
		name   string
		filter ghl.Filter
		want   string
	}{
		{"eq", ghl.FieldTags.Eq("VIP"), `{"field":"tags","operator":"eq","value":"vip"}`},
		{"eq of a list", ghl.FieldTags.Eq([]string{"VIP", "Gold Member"}),
			`{"field":"tags","operator":"eq","value":["vip","gold member"]}`},
		{"not_eq", ghl.FieldTags.NotEq("VIP"), `{"field":"tags","operator":"not_eq","value":"vip"}`},
		{"contains", ghl.FieldTags.Contains([]any{"VIP", 1}),
			`{"field":"tags","operator":"contains","value":["vip",1]}`},
		{"not_contains", ghl.FieldTags.NotContains("Straße & <ÄÖ>"),
			`{"field":"tags","operator":"not_contains","value":"straße \u0026 \u003cäö\u003e"}`},
		{"a type of one's own", ghl.FieldTags.Contains([]tag{"VIP"}),
			`{"field":"tags","operator":"contains","value":["vip"]}`},
		{"JSON with escapes", ghl.FieldTags.Eq(json.RawMessage(`"\u00c9T\u00c9"`)),
			`{"field":"tags","operator":"eq","value":"été"}`},
		{"a pointer", ghl.FieldTags.Eq(pointer("VIP")), `{"field":"tags","operator":"eq","value":"vip"}`},
		{"in a group", ghl.AnyOf(ghl.FieldTags.Eq("A"), ghl.AllOf(ghl.SearchField("tags").Eq("B"))),
			`{"group":"OR","filters":[{"field":"tags","operator":"eq","value":"a"},` +
				`{"group":"AND","filters":[{"field":"tags","operator":"eq","value":"b"}]}]}`},
		{"first name", ghl.FieldFirstName.Contains("Ada"),
			`{"field":"firstNameLowerCase","operator":"contains","value":"ada"}`},
		{"last name in a range", ghl.FieldLastName.GTE("M"),
			`{"field":"lastNameLowerCase","operator":"range","value":{"gte":"m"}}`},
		{"another field", ghl.FieldCity.Eq("Rome"), `{"field":"city","operator":"eq","value":"Rome"}`},
		{"a custom field", ghl.FieldCustom("f1").Eq("Gold"),
			`{"field":"customFields.f1","operator":"eq","value":"Gold"}`},
		{"a field without a value", ghl.FieldTags.Exists(), `{"field":"tags","operator":"exists"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(tc.filter)
			require.NoError(t, err)
			require.JSONEq(t, tc.want, string(data))
		})
	}
	require.Error(t, second(json.Marshal(ghl.FieldTags.Eq(func() {}))))
	page := func(in *ghl.SearchRequest) error { return second(unreached(t).Contacts.Search(t.Context(), in)) }
	requireBadInput(t, page(&ghl.SearchRequest{Filters: []ghl.Filter{ghl.FieldTags.Eq(nil)}}), "Filters")
	requireBadInput(t, page(&ghl.SearchRequest{Filters: []ghl.Filter{ghl.FieldTags.Eq(func() {})}}), "Filters")
}

func pointer[T any](v T) *T { return &v }

func second[T any](_ T, err error) error { return err }

// TestPrinting prints values as a log line or a failed test does.
func TestPrinting(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		value any
		want  string
	}{
		{ghl.Opt[string]{}, "(absent)"},
		{ghl.Null[string](), "null"},
		{ghl.Some("Ada"), "Ada"},
		{ghl.Some(false), "false"},
		{ghl.Some(38), "38"},
		{ghl.Some([]string{"a", "b"}), "[a b]"},
		{ghl.Some([]string(nil)), "[]"},
		{ghl.Some(day), "2026-01-02 03:04:05 +0000 UTC"},
		{ghl.Some(ghl.DNDActive), "active"},
		{ghl.Some(&ghl.DNDSettings{SMS: &ghl.DNDSetting{Status: ghl.DNDActive}}), `{"SMS":{"status":"active"}}`},
		{ghl.Some[*ghl.DNDSettings](nil), "<nil>"},
		{ghl.Some([]ghl.CustomField{{ID: "f1", Value: ghl.ValueOf(38)}}), "[{f1  38 map[]}]"},
		{ghl.Some(ghl.Some("twice")), "twice"},
		{ghl.CustomFieldValue{}, "null"},
		{ghl.ValueOf("Ada"), "Ada"},
		{ghl.ValueOf(38), "38"},
		{ghl.ValueOf([]string{"a", "b"}), `["a","b"]`},
		{ghl.ValueOf(day), "2026-01-02"},
		{ghl.ValueOf(json.RawMessage("{")), "{"},
		{ghl.FieldEmail.Eq("ada@example.com"), `email eq "ada@example.com"`},
		{ghl.FieldTags.Contains([]string{"vip"}), `tags contains ["vip"]`},
		{ghl.FieldEmail.NotExists(), "email not_exists"},
		{ghl.FieldDateAdded.GTE(day).LT(day.AddDate(0, 0, 1)),
			`dateAdded range {"gte":"2026-01-02T03:04:05.000Z","lt":"2026-01-03T03:04:05.000Z"}`},
		{ghl.AnyOf(ghl.FieldCity.Eq("Rome"), ghl.AllOf(ghl.FieldDND.Eq(true), ghl.FieldTags.Exists())),
			`(city eq "Rome" OR (dnd eq true AND tags exists))`},
		{ghl.FieldOpportunities.Nested(ghl.SearchField("pipelineId").Eq("p1"), ghl.SearchField("status").Eq("open")),
			`opportunities nested (pipelineId eq "p1" AND status eq "open")`},
		{ghl.FieldCity.Eq(func() {}), "city eq (invalid)"},
		{ghl.FieldCity.Eq("Rome").GT("A"), "city eq (invalid)"},
		{ghl.Filter{}, "(empty filter)"},
		{ghl.AllOf(), "()"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			require.Equal(t, tc.want, fmt.Sprint(tc.value))
			require.Equal(t, tc.want, fmt.Sprintf("%s", tc.value))
			require.Contains(t, fmt.Sprintf("%+v", struct{ Field any }{tc.value}), "{Field:"+tc.want+"}")
		})
	}
	update := fmt.Sprintf("%+v", ghl.ContactUpdate{FirstName: ghl.Some("Ada"), Website: ghl.Null[string]()})
	require.True(t, strings.HasPrefix(update, "{FirstName:Ada LastName:(absent)"), update)
	require.Contains(t, update, "Website:null")
	require.Contains(t, fmt.Sprintf("%+v", &ghl.SearchRequest{Filters: []ghl.Filter{ghl.FieldTags.Eq("vip")}}),
		`Filters:[tags eq "vip"]`)
}
