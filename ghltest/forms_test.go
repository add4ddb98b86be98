package ghltest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// Each version answers its own names, regardless of the version of the write and of earlier reads.
func TestVersionsNameChannelsDifferently(t *testing.T) {
	s, _ := start(t)
	ada := s.AddContact(ghl.Contact{
		FirstName: "Ada", DNDSettings: &ghl.DNDSettings{WhatsApp: &ghl.DNDSetting{Status: ghl.DNDActive}},
	})
	for range 2 {
		for version, name := range map[string]string{"2021-07-28": "WhatsApp", "v3": "whatsApp"} {
			_, answer, _ := send(t, s, http.MethodGet, "/contacts/"+ada.ID, "", "Version", version)
			require.Equal(t, map[string]any{name: map[string]any{"status": "active"}},
				answer["contact"].(map[string]any)["dndSettings"])
		}
	}
	_, answer, _ := send(t, s, http.MethodGet, "/contacts/?locationId="+s.LocationID(), "", "Version", "v3")
	require.Contains(t, answer["contacts"].([]any)[0].(map[string]any)["dndSettings"], "whatsApp")
	status, _, _ := send(t, s, http.MethodPut, "/contacts/"+ada.ID,
		`{"dndSettings":{"whatsApp":{"status":"inactive"}}}`, "Version", "v3")
	require.Equal(t, 200, status)
	_, answer, _ = send(t, s, http.MethodGet, "/contacts/"+ada.ID, "")
	require.Equal(t, map[string]any{"WhatsApp": map[string]any{"status": "inactive"}},
		answer["contact"].(map[string]any)["dndSettings"])
}

// Some properties are only in the answer to a read by id, not in lists and searches.
func TestListsHaveLessThanAContact(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{
		FirstName: "Ada", SSN: "1", VisitorID: "v", Attributions: []*ghl.Attribution{{URL: "https://example.com"}},
	})
	got, err := c.Contacts.Get(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, "1", got.SSN)
	require.Empty(t, got.Attributions)
	page, err := c.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, page.Contacts[0].SSN)
	require.Len(t, page.Contacts[0].Attributions, 1)
	found, err := c.Contacts.Search(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, found.Contacts[0].VisitorID)
	require.Equal(t, "1", s.Contacts()[0].SSN, "an answer does not change the stored contact")
}

func TestFormsOfABirthday(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	for _, text := range []string{
		"1990/09/25", "09/25/1990", "1990-09-25", "09-25-1990", "1990.09.25", "09.25.1990", "1990_09_25",
		"09_25_1990", "1990-09-25T00:00:00.000Z",
	} {
		status, _, _ := send(t, s, http.MethodPut, "/contacts/"+ada.ID, `{"dateOfBirth":"`+text+`"}`)
		require.Equal(t, 200, status, text)
		got, err := c.Contacts.Get(t.Context(), ada.ID)
		require.NoError(t, err)
		require.Equal(t, "1990-09-25T00:00:00.000Z", got.DateOfBirth.Raw(), text)
		require.Equal(t, []int{9, 25}, []int{got.BirthMonth, got.BirthDay})
		_, err = c.Contacts.Update(t.Context(), ada.ID, &ghl.ContactUpdate{DateOfBirth: ghl.Null[string]()})
		require.NoError(t, err)
	}
	status, _, _ := send(t, s, http.MethodPut, "/contacts/"+ada.ID, `{"dateOfBirth":"soon"}`)
	require.Equal(t, 422, status)
}

// A time that is blocked for a user is blocked in every calendar with that user as its only member.
func TestBlockingAUser(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	team := func(users ...string) (cal ghl.Calendar) {
		cal.TeamMembers = slices.Grow(cal.TeamMembers, len(users))[:len(users)]
		for i, user := range users {
			cal.TeamMembers[i].UserID = user
		}
		return s.AddCalendar(cal)
	}
	alone, both, nobody := team("u1"), team("u1", "u2"), team()
	at := noon.AddDate(0, 0, 1).Add(3 * time.Hour)
	blocked, err := c.Calendars.Block(t.Context(), &ghl.BlockSlot{
		AssignedUserID: "u1", StartTime: at, EndTime: at.Add(time.Hour),
	})
	require.NoError(t, err)
	require.Equal(t, "u1", blocked.AssignedUserID)
	list, err := c.Calendars.BlockedSlots(t.Context(), &ghl.EventsQuery{
		UserID: "u1", StartTime: at, EndTime: at.Add(time.Hour),
	})
	require.NoError(t, err)
	require.Len(t, list, 1)

	for _, test := range []struct {
		calendar ghl.Calendar
		user     string // in the query
		free     int
	}{{alone, "", 0}, {both, "", 1}, {both, "u1", 0}, {both, "u2", 1}, {nobody, "", 1}} {
		q := &ghl.FreeSlotsQuery{From: at, To: at.Add(30 * time.Minute)}
		if test.user != "" {
			q.UserIDs = []string{test.user}
		}
		days, err := c.Calendars.FreeSlots(t.Context(), test.calendar.ID, q)
		require.NoError(t, err)
		n := 0
		for _, day := range days {
			n += len(day.Slots)
		}
		require.Equal(t, test.free, n, "%v %s", test.calendar.TeamMembers, test.user)
		_, err = c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: test.calendar.ID, ContactID: ada.ID, StartTime: at, AssignedUserID: test.user,
		})
		if test.free == 0 {
			require.ErrorIs(t, err, ghl.ErrSlotTaken)
		} else {
			require.NoError(t, err)
			for _, a := range s.Appointments(ada.ID) {
				require.NoError(t, c.Appointments.Delete(t.Context(), a.ID))
			}
		}
	}

	status, _, _ := send(t, s, http.MethodPost, "/calendars/events/block-slots",
		string(must(json.Marshal(map[string]string{
			"locationId": s.LocationID(), "calendarId": both.ID, "assignedUserId": "u1",
			"startTime": at.Format(time.RFC3339), "endTime": at.Add(1e9).Format(time.RFC3339),
		}))))
	require.Equal(t, 422, status, "a calendar or a user is required")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The plan of a paid app is in the answers about its installations.
func TestPaidApps(t *testing.T) {
	s, _, _ := appServer(t)
	app := s.AddApp(ghltest.App{RedirectURLs: []string{callback}, PlanID: "gold"})
	in := &inbox{}
	s.SubscribeHandler(in)
	token := s.Install(app, "")
	_, answer := refresh(t, s, app, token.RefreshToken)
	require.Equal(t, "gold", answer["planId"])
	flush(t, s)
	require.Equal(t, "gold", in.events(t)[0]["planId"])

	agency := s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true})
	c := clientOf(t, s, ghl.WithToken(agency.AccessToken))
	for plan, n := range map[string]int{"gold": 1, "silver": 0} {
		page, err := c.OAuth.InstalledLocations(t.Context(), &ghl.InstalledLocationsQuery{
			CompanyID: agency.CompanyID, AppID: app.AppID, PlanID: plan,
		})
		require.NoError(t, err)
		require.Len(t, page.Locations, n, plan)
	}
}
