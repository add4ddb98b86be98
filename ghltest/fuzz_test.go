package ghltest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// FuzzRequest checks that every request is answered with JSON and without a 5xx, and that the server works afterwards.
func FuzzRequest(f *testing.F) {
	for _, op := range ghl.Operations() {
		f.Add(op.Method, op.Path, "locationId=here&limit=1", `{"locationId":"here","pageLimit":1}`, "2021-07-28")
	}
	f.Add("POST", "/contacts/search", "", `{"locationId":"here","pageLimit":2,"filters":[{"group":"OR","filters":[{"field":"dateAdded","operator":"range","value":{"gte":"2026-01-01"}}]}],"sort":[{"field":"email","direction":"asc"}]}`, "v3")
	f.Add("POST", "/contacts/", "", `{"locationId":"here","email":"a@example.com","dndSettings":{"SMS":{"status":"active"}},"customFields":[{"key":"x","field_value":{"a":1}}],"dateOfBirth":"1990/01/02"}`, "2021-07-28")
	f.Add("PUT", "/contacts/ada", "", `{"tags":["a"],"inboundDndSettings":{"all":{"status":"active"}}}`, "2021-07-28")
	f.Add("POST", "/calendars/events/appointments", "",
		`{"locationId":"here","calendarId":"cal","contactId":"ada","startTime":"2026-03-03T15:00:00Z","rrule":"x"}`,
		"2021-04-15")
	f.Add("POST", "/calendars/events/block-slots", "", `{"locationId":"here","assignedUserId":"u","startTime":"2026-03-03T15:00:00Z","endTime":"2026-03-03T16:00:00Z"}`, "v3")
	f.Add("GET", "/calendars/cal/free-slots",
		"startDate=1772500000000&endDate=1772600000000&timezone=Asia/Tokyo&userIds=u", "", "v3")
	f.Add("POST", "/oauth/token", "", "client_id=a&client_secret=b&grant_type=refresh_token&refresh_token=c", "")
	f.Add("GET", "/v2/oauth/chooselocation",
		"client_id=app&redirect_uri=https://x.example.com&response_type=code&ghltest_company=c", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, body, version string) {
		s, err := ghltest.NewHandler(ghltest.WithLocation(ghl.Location{ID: "here"}),
			ghltest.WithIndexLag(time.Second), ghltest.WithClock(func() time.Time { return noon }))
		require.NoError(t, err)
		s.AddContact(ghl.Contact{ID: "ada", FirstName: "Ada", Email: "ada@example.com"})
		s.AddCalendar(ghl.Calendar{ID: "cal"})
		s.AddApp(ghltest.App{ClientID: "app", ClientSecret: "b", RedirectURLs: []string{"https://x.example.com"}})
		agency := s.AddToken(ghl.Token{UserType: ghl.UserTypeCompany})
		s.Fail(ghltest.Fault{Kind: fault.UnknownProperties(), Chance: 0.5})
		for _, token := range []string{s.Token(), agency.AccessToken} {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://fake.test", strings.NewReader(body))
			if err != nil {
				return // an invalid method
			}
			r.URL.Path, r.URL.RawQuery = path, query
			r.Header.Set("Version", version)
			r.Header.Set("Content-Type", mediaOf(body))
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			require.Less(t, w.Code, 500)
			if path != "/v2/oauth/chooselocation" {
				require.True(t, json.Valid(w.Body.Bytes()), "%q", w.Body)
			}
		}
		require.Len(t, s.Requests(), 2)
		s.ClearFaults()
		s.Contacts()
		s.Appointments("ada")
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet,
			"/contacts/?locationId=here", nil)
		r.Header.Set("Version", "v3")
		r.Header.Set("Authorization", "Bearer "+s.Token())
		s.Handler().ServeHTTP(w, r)
		require.Equal(t, 200, w.Code)
	})
}

// FuzzSeed checks that a document is an error or seeds the server, and that seeded records can be read.
func FuzzSeed(f *testing.F) {
	f.Add(`{"contacts":[{"firstName":"Ada","tags":["a"],"dateAdded":"2026-01-01T00:00:00Z","tasks":[{"title":"T"}],"notes":[{"body":"N"}]}]}`)
	f.Add(`{"locations":[{"id":"l","timezone":"Europe/Lisbon"}],"customFields":[{"id":"s","name":"Shoe size"}],"tags":["vip",{"name":"x"}]}`)
	f.Add(`{"calendars":[{"id":"c","slotDuration":1e99,"openHours":[{"daysOfTheWeek":[9],"hours":[{"openHour":-5,"closeHour":99}]}]}],"blockedSlots":[{"calendarId":"c","startTime":0}]}`)
	f.Add(`{"opportunities":[{"contactId":"x"}]}`)
	f.Fuzz(func(t *testing.T, document string) {
		s, err := ghltest.NewHandler(ghltest.WithSeed(strings.NewReader(document)))
		if err != nil {
			require.Nil(t, s)
			require.Contains(t, err.Error(), "ghltest: WithSeed: ")
			return
		}
		c, err := ghl.New(append(s.ClientOptions(), ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))...)
		require.NoError(t, err)
		for contact, err := range c.Contacts.All(t.Context(), nil) {
			require.NoError(t, err)
			require.NotEmpty(t, contact.ID)
		}
		calendars, err := c.Calendars.List(t.Context(), nil)
		require.NoError(t, err)
		for _, calendar := range calendars {
			_, _ = c.Calendars.FreeSlots(t.Context(), calendar.ID, &ghl.FreeSlotsQuery{
				From: noon, To: noon.AddDate(0, 0, 7),
			})
		}
	})
}
