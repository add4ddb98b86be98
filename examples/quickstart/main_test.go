package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestWithoutSettings(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), env(nil), &out))
	text := out.String()
	for _, part := range []string{
		"inside this program", "12 of 12 contacts (times in America/New_York)", "NAME", "Amelia Ortega", "Liam Doherty",
		"customer, newsletter", "Tasks\n", "Call Amelia", "Notes\n", "Found us by website.", "Appointments\n",
		"Consultation with Amelia", "confirmed",
	} {
		require.Contains(t, text, part)
	}
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 100, line)
		require.NotContains(t, line, "\t")
	}
}

func TestWithSettings(t *testing.T) {
	server := ghltest.Start(t, ghltest.WithLocation(ghl.Location{ID: "lisbon", Name: "Lisbon",
		Timezone: "Europe/Lisbon"}), ghltest.WithToken("pit-mine"))
	settings := map[string]string{"GHL_TOKEN": "pit-mine", "GHL_LOCATION_ID": "lisbon", "GHL_BASE_URL": server.URL()}

	var out bytes.Buffer
	require.NoError(t, run(t.Context(), env(settings), &out))
	require.Contains(t, out.String(), "Lisbon: 0 of 0 contacts")

	ada := server.AddContact(ghl.Contact{FirstName: "Ada", LastName: "Lovelace of a family with a long name",
		Tags: []string{"vip"}})
	server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call\nher", DueDate: ghl.ParseTime("2026-07-01T12:00:00Z")})
	server.AddAppointment(ghl.Appointment{ContactID: ada.ID, StartTime: ghl.ParseTime("2026-07-02 09:00:00"),
		EndTime: ghl.ParseTime("2026-07-02 10:00:00")})
	out.Reset()
	require.NoError(t, run(t.Context(), env(settings), &out))
	require.NotContains(t, out.String(), "inside this program")
	require.Contains(t, out.String(), "Ada Lovelace of a f…")
	require.Contains(t, out.String(), "  Wed 1 Jul 2026 13:00  no    Call her",
		"the due date is shown in the location's zone")
	require.Contains(t, out.String(), "  Thu 2 Jul 2026 09:00  10:00  confirmed")
	require.Contains(t, out.String(), "Notes: none")
}

func TestWrongSettings(t *testing.T) {
	server := ghltest.Start(t)
	narrow := server.AddToken(ghl.Token{AccessToken: "narrow-secret", Scopes: []ghl.Scope{ghl.ScopeLocationsReadonly}})
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, test := range []struct{ name, token, location, base, want string }{
		{"no location", "secret", "", "", "GHL_LOCATION_ID is missing"},
		{"no token", "", "loc", "", "GHL_TOKEN is missing"},
		{"base URL alone", "", "", "http://127.0.0.1", "GHL_TOKEN is missing"},
		{"base URL without scheme", "secret", "loc", "127.0.0.1:80", "GHL_BASE_URL is not a base URL"},
		{"token with a line break", "secret\n", "loc", "", "GHL_TOKEN is not a token"},
		{"location that is not an id", "secret", "a/b", "", "GHL_LOCATION_ID is not an id"},
		{"wrong token", "secret", server.LocationID(), server.URL(), "GHL_TOKEN was refused: Invalid JWT"},
		{"missing scope", narrow.AccessToken, server.LocationID(), server.URL(),
			"GHL_TOKEN lacks a scope: contacts.list needs [contacts.readonly]"},
		{"wrong location", server.Token(), "elsewhere", server.URL(), "GHL_TOKEN may not access GHL_LOCATION_ID"},
		{"no server", "secret", "loc", gone.URL, "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), env(map[string]string{"GHL_TOKEN": test.token, "GHL_LOCATION_ID": test.location,
				"GHL_BASE_URL": test.base}), &out)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "\n", "one line")
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), server.Token())
			require.Empty(t, out.String())
		})
	}
}
