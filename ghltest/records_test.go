package ghltest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func versions(t *testing.T, test func(t *testing.T, s *ghltest.Server, c *ghl.Client, contactID string)) {
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		t.Run(string(version), func(t *testing.T) {
			s, _ := start(t)
			ada := s.AddContact(ghl.Contact{FirstName: "Ada", LastName: "Lovelace", Tags: []string{"Old"}})
			test(t, s, clientOf(t, s, ghl.WithVersion(version)), ada.ID)
		})
	}
}

func TestTasks(t *testing.T) {
	versions(t, func(t *testing.T, s *ghltest.Server, c *ghl.Client, contactID string) {
		due := noon.Add(48 * time.Hour)
		made, err := c.Tasks.Create(t.Context(), contactID, &ghl.TaskCreate{
			Title: "Call", Body: "Soon", DueDate: due, AssignedTo: "user1",
		})
		require.NoError(t, err)
		second := s.AddTask(ghl.Task{ContactID: contactID, Title: "Write"})
		list, err := c.Tasks.List(t.Context(), contactID)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, made, list[0])
		at, ok := list[0].DueDate.Instant()
		require.True(t, ok)
		require.True(t, due.Equal(at))

		done, err := c.Tasks.SetCompleted(t.Context(), contactID, made.ID, true)
		require.NoError(t, err)
		require.True(t, done.Completed)
		changed, err := c.Tasks.Update(t.Context(), contactID, made.ID, &ghl.TaskUpdate{
			Title: ghl.Some("Ring"), AssignedTo: ghl.Null[string](),
		})
		require.NoError(t, err)
		require.Equal(t, "Ring", changed.Title)
		require.Equal(t, "Soon", changed.Body)
		require.Empty(t, changed.AssignedTo)
		got, err := c.Tasks.Get(t.Context(), contactID, made.ID)
		require.NoError(t, err)
		require.Equal(t, changed, got)

		yes := true
		found, err := c.Tasks.Search(t.Context(), &ghl.TaskSearch{Completed: &yes, ContactIDs: []string{contactID}})
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, made.ID, found[0].ID, "the search sends _id")
		require.NotContains(t, found[0].Extra, "id")
		n := 0
		for _, err := range c.Tasks.SearchAll(t.Context(), &ghl.TaskSearch{Limit: 1}) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 2, n)

		require.NoError(t, c.Tasks.Delete(t.Context(), contactID, made.ID))
		_, err = c.Tasks.Get(t.Context(), contactID, made.ID)
		require.ErrorIs(t, err, ghl.ErrNotFound)
		require.Len(t, s.Tasks(contactID), 1)
		require.Equal(t, second.ID, s.Tasks(contactID)[0].ID)
		_, err = c.Tasks.List(t.Context(), "nobody")
		require.ErrorIs(t, err, ghl.ErrNotFound)
	})
}

func TestNotes(t *testing.T) {
	versions(t, func(t *testing.T, s *ghltest.Server, c *ghl.Client, contactID string) {
		s.AddNote(ghl.Note{ContactID: contactID, Body: "older", DateAdded: ghl.NewTime(noon.Add(-time.Hour))})
		made, err := c.Notes.Create(t.Context(), contactID, &ghl.NoteCreate{
			Body: "<p>Hello &lt;</p>", Title: "T", Color: "#FFAA00", Pinned: true, UserID: "user1",
		})
		require.NoError(t, err)
		require.Equal(t, "Hello &lt;", made.BodyText)
		list, err := c.Notes.List(t.Context(), contactID)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, made, list[0], "the newest note is first")

		changed, err := c.Notes.Update(t.Context(), contactID, made.ID, &ghl.NoteUpdate{
			Body: ghl.Some("Bye"), Pinned: ghl.Some(false),
		})
		require.NoError(t, err)
		require.Equal(t, "Bye", changed.Body)
		require.Equal(t, "T", changed.Title)
		require.False(t, changed.Pinned)
		got, err := c.Notes.Get(t.Context(), contactID, made.ID)
		require.NoError(t, err)
		require.Equal(t, changed, got)
		require.NoError(t, c.Notes.Delete(t.Context(), contactID, made.ID))
		require.ErrorIs(t, c.Notes.Delete(t.Context(), contactID, made.ID), ghl.ErrNotFound)
		require.Len(t, s.Notes(contactID), 1)
	})
}

func TestTags(t *testing.T) {
	versions(t, func(t *testing.T, s *ghltest.Server, c *ghl.Client, contactID string) {
		tags, err := c.Tags.Add(t.Context(), contactID, []string{"VIP", "old"})
		require.NoError(t, err)
		require.Equal(t, []string{"old", "vip"}, tags)
		tags, err = c.Tags.Remove(t.Context(), contactID, []string{"Old", "never"})
		require.NoError(t, err)
		require.Equal(t, []string{"vip"}, tags)

		result, err := c.Tags.BulkUpdate(t.Context(), &ghl.BulkTags{
			Type: ghl.BulkAdd, ContactIDs: []string{contactID, "nobody"}, Tags: []string{"Bulk"},
		})
		require.NoError(t, err)
		require.True(t, result.Succeeded)
		require.Equal(t, 1, result.ErrorCount)
		require.Equal(t, []string{"bulk"}, result.Responses[0].TagsAdded)
		require.Equal(t, "error", result.Responses[1].Type)
		_, err = c.Tags.BulkUpdate(t.Context(), &ghl.BulkTags{
			Type: ghl.BulkRemove, ContactIDs: []string{contactID}, RemoveAllTags: true,
		})
		require.NoError(t, err)
		left, _ := s.Contact(contactID)
		require.Empty(t, left.Tags)

		known, err := c.Locations.Tags(t.Context(), c.Location())
		require.NoError(t, err)
		var names []string
		for _, tag := range known {
			names = append(names, tag.Name)
		}
		require.Equal(t, []string{"old", "vip", "bulk"}, names)
	})
}

func TestFollowersCampaignsWorkflows(t *testing.T) {
	versions(t, func(t *testing.T, s *ghltest.Server, c *ghl.Client, contactID string) {
		result, err := c.Followers.Add(t.Context(), contactID, []string{"user1", "user2"})
		require.NoError(t, err)
		require.Equal(t, []string{"user1", "user2"}, result.FollowersAdded)
		result, err = c.Followers.Remove(t.Context(), contactID, []string{"user1", "user3"})
		require.NoError(t, err)
		require.Equal(t, []string{"user2"}, result.Followers)
		require.Equal(t, []string{"user1"}, result.FollowersRemoved)

		require.NoError(t, c.Campaigns.Add(t.Context(), contactID, "spring"))
		require.NoError(t, c.Campaigns.Add(t.Context(), contactID, "summer"))
		require.NoError(t, c.Campaigns.Remove(t.Context(), contactID, "spring"))
		require.Equal(t, []string{"summer"}, s.Campaigns(contactID))
		require.NoError(t, c.Campaigns.RemoveAll(t.Context(), contactID))
		require.Empty(t, s.Campaigns(contactID))

		require.NoError(t, c.Workflows.Add(t.Context(), contactID, "welcome", &ghl.WorkflowStart{EventStartTime: noon}))
		require.Equal(t, []string{"welcome"}, s.Workflows(contactID))
		require.NoError(t, c.Workflows.Remove(t.Context(), contactID, "welcome"))
		require.Empty(t, s.Workflows(contactID))
	})
}

func TestAppointments(t *testing.T) {
	versions(t, func(t *testing.T, s *ghltest.Server, c *ghl.Client, contactID string) {
		cal := s.AddCalendar(ghl.Calendar{Name: "Visits", IsActive: true})
		newYork, err := time.LoadLocation("America/New_York")
		require.NoError(t, err)
		ten := time.Date(2026, time.March, 3, 10, 0, 0, 0, newYork)

		made, err := c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: cal.ID, ContactID: contactID, StartTime: ten.UTC(), AssignedUserID: "user1",
		})
		require.NoError(t, err)
		require.Equal(t, "2026-03-03T10:00:00-05:00", made.StartTime.Raw())
		require.Equal(t, "2026-03-03T10:30:00-05:00", made.EndTime.Raw())
		require.Equal(t, "Ada Lovelace", made.Title)
		ofContact, err := c.Appointments.ListForContact(t.Context(), contactID)
		require.NoError(t, err)
		require.Len(t, ofContact, 1)
		require.Equal(t, "2026-03-03 10:00:00", ofContact[0].StartTime.Raw(), "a contact's appointments have no zone")
		require.True(t, ten.Equal(ofContact[0].StartTime.In(newYork)))

		_, err = c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: cal.ID, ContactID: contactID, StartTime: ten,
		})
		require.ErrorIs(t, err, ghl.ErrSlotTaken)
		_, err = c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: cal.ID, ContactID: contactID, StartTime: ten.Add(5 * time.Minute),
		})
		require.ErrorIs(t, err, ghl.ErrSlotTaken, "between the slots")
		_, err = c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: cal.ID, ContactID: contactID, StartTime: ten.AddDate(0, 0, -7),
		})
		require.ErrorIs(t, err, ghl.ErrSlotTaken, "in the past")
		twin, err := c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: cal.ID, ContactID: contactID, StartTime: ten, IgnoreFreeSlotValidation: true,
		})
		require.NoError(t, err)
		require.NoError(t, c.Appointments.Delete(t.Context(), twin.ID))

		_, err = c.Calendars.Block(t.Context(), &ghl.BlockSlot{
			CalendarID: cal.ID, StartTime: ten.Add(time.Hour), EndTime: ten.Add(2 * time.Hour),
		})
		require.NoError(t, err)
		days, err := c.Calendars.FreeSlots(t.Context(), cal.ID, &ghl.FreeSlotsQuery{
			From: ten.Add(-time.Hour), To: ten.Add(3 * time.Hour), Timezone: "UTC",
		})
		require.NoError(t, err)
		require.Len(t, days, 1)
		var slots []string
		for _, slot := range days[0].Slots {
			slots = append(slots, slot.In(newYork).Format("15:04"))
		}
		require.Equal(t, []string{"09:00", "09:30", "10:30", "12:00", "12:30"}, slots)
		require.Equal(t, "2026-03-03T14:00:00Z", days[0].Slots[0].Raw())

		moved, err := c.Appointments.Update(t.Context(), made.ID, &ghl.AppointmentUpdate{
			StartTime: ghl.Some(ten.Add(30 * time.Minute)), Title: ghl.Some("Visit"),
		})
		require.NoError(t, err)
		require.Equal(t, "2026-03-03T11:00:00-05:00", moved.EndTime.Raw(), "the length is unchanged")
		_, err = c.Appointments.Update(t.Context(), made.ID, &ghl.AppointmentUpdate{
			StartTime: ghl.Some(ten.Add(time.Hour)),
		})
		require.ErrorIs(t, err, ghl.ErrSlotTaken)
		got, err := c.Appointments.Get(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, "Visit", got.Title)
		require.Equal(t, []string{"user1"}, got.Users)
		cancelled, err := c.Appointments.Update(t.Context(), made.ID, &ghl.AppointmentUpdate{
			AppointmentStatus: ghl.Some(ghl.AppointmentCancelled),
		})
		require.NoError(t, err)
		require.Equal(t, ghl.AppointmentCancelled, cancelled.AppointmentStatus)
		_, err = c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
			CalendarID: cal.ID, ContactID: contactID, StartTime: ten.Add(30 * time.Minute),
		})
		require.NoError(t, err, "a cancelled appointment does not occupy its slot")

		span := &ghl.EventsQuery{CalendarID: cal.ID, StartTime: ten, EndTime: ten.Add(24 * time.Hour)}
		events, err := c.Calendars.Events(t.Context(), span)
		require.NoError(t, err)
		require.Len(t, events, 2)
		blocked, err := c.Calendars.BlockedSlots(t.Context(), span)
		require.NoError(t, err)
		require.Len(t, blocked, 1)
		_, err = c.Appointments.Get(t.Context(), blocked[0].ID)
		require.ErrorIs(t, err, ghl.ErrNotFound)
		require.NoError(t, c.Appointments.Delete(t.Context(), blocked[0].ID))
		require.ErrorIs(t, c.Appointments.Delete(t.Context(), blocked[0].ID), ghl.ErrNotFound)
		require.Len(t, s.Appointments(contactID), 2)
		require.NoError(t, c.Contacts.Delete(t.Context(), contactID))
		require.Empty(t, s.Appointments(contactID))
	})
}

// Of several bookings at once, exactly as many succeed as the slot has room for.
func TestOneOfManyGetsTheSlot(t *testing.T) {
	s, _ := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	one, two := s.AddCalendar(ghl.Calendar{}), s.AddCalendar(ghl.Calendar{AppointmentPerSlot: 2})
	const callers, slots = 4, 3
	type outcome struct {
		calendar string
		slot     int
		err      error
	}
	outcomes := make(chan outcome)
	for range callers {
		c := clientOf(t, s)
		for slot := range slots {
			for _, calendar := range []string{one.ID, two.ID} {
				go func() {
					_, err := c.Appointments.Create(t.Context(), &ghl.AppointmentCreate{
						CalendarID: calendar, ContactID: ada.ID,
						StartTime: noon.Add(27*time.Hour + time.Duration(slot)*30*time.Minute),
					})
					outcomes <- outcome{calendar, slot, err}
				}()
			}
		}
	}
	won := map[outcome]int{}
	for range callers * slots * 2 {
		o := <-outcomes
		if o.err == nil {
			won[o]++
			continue
		}
		require.ErrorIs(t, o.err, ghl.ErrSlotTaken)
	}
	for slot := range slots {
		require.Equal(t, 1, won[outcome{one.ID, slot, nil}])
		require.Equal(t, 2, won[outcome{two.ID, slot, nil}])
	}
	require.Len(t, s.Appointments(ada.ID), 3*slots)
}

func TestCalendarHours(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	var cal ghl.Calendar
	require.NoError(t, json.Unmarshal([]byte(`{
		"slotDuration":1,"slotDurationUnit":"hours","slotBuffer":30,"slotBufferUnit":"mins","allowBookingAfter":1,"allowBookingAfterUnit":"days",
		"allowBookingFor":4,"allowBookingForUnit":"days","appoinmentPerDay":2,
		"openHours":[{"daysOfTheWeek":[1,2,3,4,5],"hours":[{"openHour":9,"closeHour":12}]}],
		"availabilities":[{"date":"2026-03-05T00:00:00.000Z","hours":[{"openHour":15,"closeHour":16}]}]}`), &cal))
	cal = s.AddCalendar(cal)
	free := func() map[string][]string {
		days, err := c.Calendars.FreeSlots(t.Context(), cal.ID, &ghl.FreeSlotsQuery{
			From: noon, To: noon.AddDate(0, 0, 30),
		})
		require.NoError(t, err)
		slots := map[string][]string{}
		for _, day := range days {
			for _, slot := range day.Slots {
				slots[day.Date] = append(slots[day.Date], slot.Raw()[11:16])
			}
		}
		return slots
	}
	require.Equal(t, map[string][]string{ // a notice of a day, four days ahead, and other hours on the 5th
		"2026-03-03": {"09:00", "10:00", "11:00"},
		"2026-03-04": {"09:00", "10:00", "11:00"},
		"2026-03-05": {"15:00"},
	}, free())

	s.AddAppointment(ghl.Appointment{
		ContactID: ada.ID, CalendarID: cal.ID, StartTime: ghl.ParseTime("2026-03-03 09:00:00"),
	})
	require.Equal(t, []string{"11:00"}, free()["2026-03-03"], "the buffer of half an hour stays free")
	s.AddAppointment(ghl.Appointment{
		ContactID: ada.ID, CalendarID: cal.ID, StartTime: ghl.ParseTime("2026-03-03 14:00:00"),
	})
	require.NotContains(t, free(), "2026-03-03", "two a day")
}

func TestLocations(t *testing.T) {
	s, c := start(t, ghltest.WithLocation(ghl.Location{ID: "here", Name: "Here", Timezone: "Europe/Lisbon",
		Country: "PT"}), ghltest.WithToken("mine"))
	require.Equal(t, "here", s.LocationID())
	require.Equal(t, "mine", s.Token())
	got, err := c.Locations.Get(t.Context(), c.Location())
	require.NoError(t, err)
	require.Equal(t, "Here", got.Name)
	zone, err := got.TimeLocation()
	require.NoError(t, err)
	require.Equal(t, "Europe/Lisbon", zone.String())
	s.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size"})
	s.AddCustomField(ghl.CustomFieldDefinition{Name: "Stage", Model: "opportunity"})
	fields, err := c.Locations.CustomFields(t.Context(), c.Location())
	require.NoError(t, err)
	require.Len(t, fields, 1)
	require.Equal(t, "contact.shoe_size", fields[0].FieldKey)
	calendars, err := c.Calendars.List(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, calendars)
	s.SetCalendarActive(s.AddCalendar(ghl.Calendar{Name: "Draft"}).ID, false)
	no := false
	calendars, err = c.Calendars.List(t.Context(), &ghl.ListCalendarsOptions{ShowDrafted: &no})
	require.NoError(t, err)
	require.Empty(t, calendars)
}

// All records can be inspected, and the caller may change the returned records.
func TestInspection(t *testing.T) {
	s, c := start(t, ghltest.WithLocation(ghl.Location{ID: "here", Name: "Here"}))
	s.AddLocation(ghl.Location{ID: "there", Name: "There"})
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", Tags: []string{"vip"}})
	cal := s.AddCalendar(ghl.Calendar{Name: "Talks"})
	field := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Shoe size", LocationID: "there"})
	deal := s.AddOpportunity(ghltest.Opportunity{ContactID: ada.ID, Name: "Deal"})
	blocked, err := c.Calendars.Block(t.Context(), &ghl.BlockSlot{
		CalendarID: cal.ID, StartTime: noon, EndTime: noon.Add(time.Hour),
	})
	require.NoError(t, err)

	locations := s.Locations()
	require.Equal(t, []string{"Here", "There"}, []string{locations[0].Name, locations[1].Name})
	locations[0].Settings.AllowDuplicateContact = true
	require.False(t, s.Locations()[0].Settings.AllowDuplicateContact)
	require.Equal(t, cal.ID, s.Calendars()[0].ID)
	require.Equal(t, blocked.ID, s.BlockedSlots()[0].ID)
	require.Equal(t, field.ID, s.CustomFields()[0].ID)
	require.Equal(t, "vip", s.Tags()[0].Name)
	require.Equal(t, []ghltest.Opportunity{deal}, s.Opportunities(ada.ID))
	require.Empty(t, s.Opportunities("nobody"))
}

func TestCompanyTokens(t *testing.T) {
	s, _ := start(t)
	for range 3 {
		s.AddLocation(ghl.Location{Name: "Branch"})
	}
	agency := s.AddToken(ghl.Token{UserType: ghl.UserTypeCompany})
	require.NotEmpty(t, agency.AccessToken)
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		c := clientOf(t, s, ghl.WithToken(agency.AccessToken), ghl.WithVersion(version))
		var branches []string
		for l, err := range c.OAuth.AllInstalledLocations(t.Context(),
			&ghl.InstalledLocationsQuery{CompanyID: agency.CompanyID, AppID: "app", Limit: 2}) {
			require.NoError(t, err)
			branches = append(branches, l.ID)
		}
		require.Len(t, branches, 4)
		token, err := c.OAuth.LocationToken(t.Context(), agency.CompanyID, branches[1])
		require.NoError(t, err)
		require.Equal(t, branches[1], token.LocationID)
		require.NotEmpty(t, token.RefreshToken)
		branch := clientOf(t, s, ghl.WithToken(token.AccessToken), ghl.WithLocation(branches[1]))
		_, err = branch.Contacts.Create(t.Context(), &ghl.ContactCreate{
			FirstName: "Branch", Email: string(version) + "@example.com",
		})
		require.NoError(t, err)
		_, err = c.OAuth.LocationToken(t.Context(), agency.CompanyID, "nowhere")
		require.ErrorIs(t, err, ghl.ErrNotFound)
		_, err = c.Contacts.List(t.Context(), nil)
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
	}
}

func TestDemoData(t *testing.T) {
	s, c := start(t, ghltest.WithDemoData())
	same, _ := start(t, ghltest.WithDemoData())
	require.Len(t, s.Contacts(), 12)
	require.Equal(t, s.Contacts(), same.Contacts())
	for _, contact := range s.Contacts() {
		require.Regexp(t, `@example\.com$`, contact.Email)
		require.Regexp(t, `^\+12025550\d{3}$`, contact.Phone)
		require.NotEmpty(t, contact.Tags)
		require.NotEmpty(t, contact.CustomFields)
		require.NotEmpty(t, s.Tasks(contact.ID))
		require.NotEmpty(t, s.Notes(contact.ID))
	}
	first := s.Contacts()[0]
	require.Equal(t, "Amelia", first.FirstName)
	appointments, err := c.Appointments.ListForContact(t.Context(), first.ID)
	require.NoError(t, err)
	require.Len(t, appointments, 2)
}

func TestExtraIsStored(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", Extra: ghl.Extra{"invented": []byte(`{"a":1}`)}})
	got, err := c.Contacts.Get(t.Context(), ada.ID)
	require.NoError(t, err)
	require.JSONEq(t, `{"a":1}`, string(got.Extra["invented"]))
}

func TestBareHandler(t *testing.T) {
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	handler := s.Handler()
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	c, err := ghl.New(ghl.WithBaseURL("http://fake.test"), ghl.WithToken(s.Token()), ghl.WithLocation(s.LocationID()),
		ghl.WithHTTPClient(&http.Client{Transport: transportOf{handler}}))
	require.NoError(t, err)
	got, err := c.Contacts.Get(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, "Ada", got.FirstName)
}
