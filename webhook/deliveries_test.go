package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/webhook"
)

// These tests hold the handler against the deliveries of ghltest, which have the shapes that HighLevel's were seen to
// have.

// desk collects what a handler is given.
type desk struct {
	mu      sync.Mutex
	events  []webhook.Event
	results []webhook.Result
	fail    func(webhook.Event) error // nil for never
}

func (d *desk) take(_ context.Context, e webhook.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		if err := d.fail(e); err != nil {
			return err
		}
	}
	d.events = append(d.events, e)
	return nil
}

func (d *desk) list() []webhook.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]webhook.Event(nil), d.events...)
}

func (d *desk) count(result webhook.Result) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, r := range d.results {
		if r == result {
			n++
		}
	}
	return n
}

// handler returns a handler of what the server signs.
func (d *desk) handler(t *testing.T, s *ghltest.Server, opts ...webhook.Option) *webhook.Handler {
	key, err := webhook.ParsePublicKey(s.WebhookPublicKeyPEM())
	require.NoError(t, err)
	v, err := webhook.NewVerifier(webhook.WithOnlyKeys(key), webhook.WithLegacyRSA(s.LegacyWebhookPublicKey()))
	require.NoError(t, err)
	h, err := webhook.NewHandler(v, append(opts, webhook.OnAny(d.take), webhook.WithObserver(func(o webhook.Outcome) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.results = append(d.results, o.Result)
	}))...)
	require.NoError(t, err)
	return h
}

func startServer(t *testing.T, opts ...ghltest.Option) (*ghltest.Server, *ghl.Client) {
	s := ghltest.Start(t, opts...)
	client, err := ghl.New(s.ClientOptions()...)
	require.NoError(t, err)
	return s, client
}

func flush(t *testing.T, s *ghltest.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Flush(ctx))
}

func TestEveryEventOfTheFakeIsDecoded(t *testing.T) {
	for name, shape := range map[string][]ghltest.SubscribeOption{
		"as delivered":         nil,
		"nested under data":    {ghltest.NestedRecords()},
		"appointments flat":    {ghltest.FlatAppointments()},
		"by the legacy header": {ghltest.Signatures(ghltest.NotAvailable, ghltest.Signed)},
	} {
		t.Run(name, func(t *testing.T) { everyEvent(t, shape) })
	}
}

func everyEvent(t *testing.T, shape []ghltest.SubscribeOption) {
	s, c := startServer(t)
	ctx, d := t.Context(), &desk{}
	s.SubscribeHandler(d.handler(t, s, webhook.RequireTimestamp()), shape...)
	calendar := s.AddCalendar(ghl.Calendar{IsActive: true, Name: "Visits"})
	size := s.AddCustomField(ghl.CustomFieldDefinition{Name: "Size", DataType: "TEXT", FieldKey: "contact.size"})
	app := s.AddApp(ghltest.App{AppID: "app1"})

	// next flushes and returns the new events, by their types.
	seen := 0
	next := func(types ...webhook.Type) []webhook.Event {
		t.Helper()
		flush(t, s)
		events := d.list()[seen:]
		seen += len(events)
		var got []webhook.Type
		for _, e := range events {
			m := e.Meta()
			got = append(got, m.Type)
			require.Len(t, m.WebhookID, 36)
			require.NotEmpty(t, m.AppID)
			require.NotEmpty(t, m.VersionID)
			_, ok := m.Timestamp.Instant()
			require.True(t, ok)
			require.NotEmpty(t, m.Raw)
		}
		require.Equal(t, types, got)
		return events
	}

	// A contact.
	made, err := c.Contacts.Create(ctx, &ghl.ContactCreate{
		FirstName: "Ada", LastName: "Øst", Email: "ada@example.com", Phone: "+12025550101", Address1: "1 Main St",
		City: "Portland",
		Tags: []string{"vip"}, Source: "web",
		CustomFields: []ghl.CustomField{{ID: size.ID, Value: ghl.ValueOf("large")}},
	})
	require.NoError(t, err)
	contact := next(webhook.ContactCreate)[0].(*webhook.ContactEvent)
	require.Equal(t, made.ID, contact.RecordID())
	require.Equal(t, made.ID, contact.ContactID())
	require.Equal(t, s.LocationID(), contact.LocationID)
	require.Equal(t, []any{s.LocationID(), "Ada", "Øst", "ada@example.com", "+12025550101", "1 Main St", "Portland",
		"web", []string{"vip"}, made.DateAdded},
		[]any{contact.Contact.LocationID, contact.Contact.FirstName, contact.Contact.LastName, contact.Contact.Email,
			contact.Contact.Phone,
			contact.Contact.Address1, contact.Contact.City, contact.Contact.Source, contact.Contact.Tags,
			contact.Contact.DateAdded})
	require.Len(t, contact.Contact.CustomFields, 1)
	require.Equal(t, "large", contact.Contact.CustomFields[0].Value.Text())
	require.Empty(t, contact.Contact.Extra)

	_, err = c.Contacts.Update(ctx, made.ID, &ghl.ContactUpdate{
		FirstName: ghl.Some("Eda"), Tags: ghl.Some([]string{"vip", "new"}), DND: ghl.Some(true),
		DNDSettings: ghl.Some(&ghl.DNDSettings{SMS: &ghl.DNDSetting{Status: "active"}}),
	})
	require.NoError(t, err)
	changes := next(webhook.ContactUpdate, webhook.ContactTagUpdate, webhook.ContactDndUpdate)
	for _, e := range changes {
		is := e.(*webhook.ContactEvent).Contact
		require.Equal(t, "Eda", is.FirstName)
		require.True(t, is.DND)
		require.ElementsMatch(t, []string{"vip", "new"}, is.Tags)
	}
	require.Equal(t, "active", string(changes[2].(*webhook.ContactEvent).Contact.DNDSettings.SMS.Status))
	now, err := c.Contacts.Get(ctx, made.ID)
	require.NoError(t, err)
	again, err := contact.Refetch(ctx, c)
	require.NoError(t, err)
	require.Equal(t, now, again, "not what the event said, but what is so")
	require.Equal(t, "Eda", again.FirstName)

	// Its tasks.
	due := time.Date(2031, time.May, 2, 9, 0, 0, 0, time.UTC)
	work, err := c.Tasks.Create(ctx, made.ID,
		&ghl.TaskCreate{Title: "Call", Body: "about the order", DueDate: due, AssignedTo: "user1"})
	require.NoError(t, err)
	task := next(webhook.TaskCreate)[0].(*webhook.TaskEvent)
	require.Equal(t, []string{work.ID, work.ID, made.ID, made.ID, "Call", "about the order", "user1", s.LocationID()},
		[]string{task.Task.ID, task.RecordID(), task.Task.ContactID, task.ContactID(), task.Task.Title, task.Task.Body,
			task.Task.AssignedTo, task.Task.LocationID})
	require.True(t, due.Equal(task.Task.DueDate.In(nil)))
	require.False(t, task.Task.Completed)
	_, err = c.Tasks.Update(ctx, made.ID, work.ID, &ghl.TaskUpdate{Title: ghl.Some("Call twice")})
	require.NoError(t, err)
	next() // an edited task has no event
	_, err = c.Tasks.SetCompleted(ctx, made.ID, work.ID, true)
	require.NoError(t, err)
	require.True(t, next(webhook.TaskComplete)[0].(*webhook.TaskEvent).Task.Completed)
	taskNow, err := task.Refetch(ctx, c)
	require.NoError(t, err)
	require.Equal(t, "Call twice", taskNow.Title)
	require.True(t, taskNow.Completed)
	require.NoError(t, c.Tasks.Delete(ctx, made.ID, work.ID))
	_, err = next(webhook.TaskDelete)[0].(*webhook.TaskEvent).Refetch(ctx, c)
	require.ErrorIs(t, err, ghl.ErrNotFound)

	// Its notes.
	written, err := c.Notes.Create(ctx, made.ID, &ghl.NoteCreate{Body: "was friendly", UserID: "user1"})
	require.NoError(t, err)
	note := next(webhook.NoteCreate)[0].(*webhook.NoteEvent)
	require.Equal(t, ghl.Note{ID: written.ID, ContactID: made.ID, Body: "was friendly",
		DateAdded: note.Note.DateAdded}, note.Note)
	_, err = c.Notes.Update(ctx, made.ID, written.ID, &ghl.NoteUpdate{Body: ghl.Some("was late")})
	require.NoError(t, err)
	require.Equal(t, "was late", next(webhook.NoteUpdate)[0].(*webhook.NoteEvent).Note.Body)
	noteNow, err := note.Refetch(ctx, c)
	require.NoError(t, err)
	require.Equal(t, "was late", noteNow.Body)
	require.Equal(t, "user1", noteNow.UserID, "which the event lacks")
	require.NoError(t, c.Notes.Delete(ctx, made.ID, written.ID))
	_, err = next(webhook.NoteDelete)[0].(*webhook.NoteEvent).Refetch(ctx, c)
	require.ErrorIs(t, err, ghl.ErrNotFound)

	// Its appointments.
	start := time.Date(2031, time.May, 5, 15, 0, 0, 0, time.UTC)
	booked, err := c.Appointments.Create(ctx, &ghl.AppointmentCreate{
		CalendarID: calendar.ID, ContactID: made.ID, StartTime: start, EndTime: start.Add(time.Hour), Title: "Visit",
		IgnoreFreeSlotValidation: true,
	})
	require.NoError(t, err)
	visit := next(webhook.AppointmentCreate)[0].(*webhook.AppointmentEvent)
	require.Equal(t, []string{booked.ID, made.ID, calendar.ID, "Visit", s.LocationID()},
		[]string{visit.RecordID(), visit.ContactID(), visit.Appointment.CalendarID, visit.Appointment.Title,
			visit.Appointment.LocationID})
	at, ok := visit.Appointment.StartTime.Instant()
	require.True(t, ok)
	require.True(t, start.Equal(at))
	_, err = c.Appointments.Update(ctx, booked.ID, &ghl.AppointmentUpdate{Title: ghl.Some("Second visit")})
	require.NoError(t, err)
	require.Equal(t, "Second visit", next(webhook.AppointmentUpdate)[0].(*webhook.AppointmentEvent).Appointment.Title)
	visitNow, err := visit.Refetch(ctx, c)
	require.NoError(t, err)
	require.Equal(t, "Second visit", visitNow.Title)
	require.NoError(t, c.Appointments.Delete(ctx, booked.ID))
	gone, err := next(webhook.AppointmentDelete)[0].(*webhook.AppointmentEvent).Refetch(ctx, c)
	require.True(t, errors.Is(err, ghl.ErrNotFound) || gone.Deleted, "%v", err)

	require.NoError(t, c.Contacts.Delete(ctx, made.ID))
	last := next(webhook.ContactDelete)[0].(*webhook.ContactEvent)
	require.Equal(t, "Eda", last.Contact.FirstName, "the last that is known of it")
	_, err = last.Refetch(ctx, c)
	require.ErrorIs(t, err, ghl.ErrNotFound)

	// The app itself.
	s.Install(app, "")
	install := next(webhook.AppInstall)[0].(*webhook.InstallEvent)
	require.Equal(t, []string{s.LocationID(), "app1", "Location"},
		[]string{install.LocationID, install.AppID, install.InstallType})
	require.NotEmpty(t, install.CompanyID)
	require.NotEmpty(t, install.CompanyName)
	require.NotEmpty(t, install.UserID)
	require.Empty(t, install.Extra)
	s.Uninstall(app, "")
	uninstall := next(webhook.AppUninstall)[0].(*webhook.UninstallEvent)
	require.Equal(t, []string{s.LocationID(), "app1"}, []string{uninstall.LocationID, uninstall.AppID})
	require.Empty(t, uninstall.Extra)

	require.Equal(t, seen, d.count(webhook.Kept))
	require.Len(t, d.results, seen)
}

// What is known to be odd in the real deliveries.
func TestOddDeliveries(t *testing.T) {
	s, c := startServer(t)
	d := &desk{}
	s.SubscribeHandler(d.handler(t, s), ghltest.BareTaskCreate(), ghltest.MistypedAppointments())
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	booked := s.AddAppointment(ghl.Appointment{ContactID: ada.ID,
		StartTime: ghl.NewTime(time.Date(2031, 5, 5, 15, 0, 0, 0, time.UTC))})
	work, err := c.Tasks.Create(t.Context(), ada.ID, &ghl.TaskCreate{Title: "Call", Body: "b", DueDate: time.Now()})
	require.NoError(t, err)
	require.NoError(t, c.Appointments.Delete(t.Context(), booked.ID))
	flush(t, s)
	events := d.list()
	require.Len(t, events, 2)

	task := events[0].(*webhook.TaskEvent)
	require.Equal(t, work.ID, task.RecordID())
	require.Empty(t, task.ContactID())
	_, err = task.Refetch(t.Context(), c)
	require.ErrorIs(t, err, webhook.ErrNoContactID)
	found := ""
	for other, err := range c.Tasks.SearchAll(t.Context(), nil) {
		require.NoError(t, err)
		if other.ID == task.RecordID() {
			found = other.ContactID
		}
	}
	require.Equal(t, ada.ID, found, "the way that ErrNoContactID advises")

	mistyped := events[1].(*webhook.AppointmentEvent)
	require.Equal(t, webhook.AppointmentCreate, mistyped.Type)
	gone, err := mistyped.Refetch(t.Context(), c)
	require.True(t, errors.Is(err, ghl.ErrNotFound) || gone.Deleted, "Refetch shows what is so")
}

// The call is one of the event's location, whatever the client's, and counts against that one's limit.
func TestRefetchInTheLocationOfTheEvent(t *testing.T) {
	s, _ := startServer(t, ghltest.WithLocation(ghl.Location{ID: "locA"}),
		ghltest.WithLocation(ghl.Location{ID: "locB"}))
	token := s.AddToken(ghl.Token{LocationID: "locB"})
	client, err := ghl.New(ghl.WithBaseURL(s.URL()), ghl.WithToken(token.AccessToken), ghl.WithLocation("locB"))
	require.NoError(t, err)
	d := &desk{}
	s.SubscribeHandler(d.handler(t, s))
	made, err := client.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	flush(t, s)
	event := d.list()[0].(*webhook.ContactEvent)
	require.Equal(t, "locB", event.LocationID)
	var counted []string
	elsewhere, err := client.With(ghl.WithLocation("locA"), ghl.WithLimiterFor(func(resource string) ghl.Limiter {
		counted = append(counted, resource)
		return nil
	}))
	require.NoError(t, err)
	again, err := event.Refetch(t.Context(), elsewhere)
	require.NoError(t, err)
	require.Equal(t, made.ID, again.ID)
	require.Equal(t, []string{"locB"}, counted)
}

func TestRedeliveryAfter429(t *testing.T) {
	s, c := startServer(t)
	failures := 0
	d := &desk{fail: func(webhook.Event) error {
		if failures++; failures <= 3 {
			if failures == 2 {
				panic("the second one")
			}
			return errors.New("the database is away")
		}
		return nil
	}}
	s.SubscribeHandler(d.handler(t, s), ghltest.RedeliverOnly429())
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	for attempt := 1; attempt <= 4; attempt++ {
		flush(t, s)
		delivery := s.Deliveries()[0]
		require.Equal(t, attempt, delivery.Attempts)
		if attempt < 4 {
			require.Equal(t, http.StatusTooManyRequests, delivery.Status, "nothing is acknowledged before it is kept")
			require.Empty(t, d.list())
			require.Equal(t, 1, s.Redeliver())
		} else {
			require.Equal(t, http.StatusOK, delivery.Status)
		}
	}
	require.Len(t, d.list(), 1)
	require.Zero(t, s.Redeliver())
}

// Lost answers, duplicates, other orders and forgeries: each event is handled once, whoever sends it.
func TestDeliveriesThatGoWrong(t *testing.T) {
	s, c := startServer(t)
	d := &desk{}
	h := d.handler(t, s)
	s.SubscribeHandler(h, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{
		Seed: 7, Duplicate: ghltest.Chance(0.5), Reorder: ghltest.Chance(0.3), Delay: ghltest.Chance(0.2),
		DelayBy: time.Hour,
		Forge:   ghltest.Chance(0.2), Unsign: ghltest.Chance(0.1),
	}), ghltest.Redelivery())
	for range 100 {
		_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
		require.NoError(t, err)
	}
	flush(t, s)
	s.Redeliver()
	flush(t, s)

	honest, bad, forged := map[string]bool{}, map[string]bool{}, 0
	for _, delivery := range s.Deliveries() {
		if slices.Contains(delivery.Faults, "forged") || slices.Contains(delivery.Faults, "unsigned") {
			bad[delivery.WebhookID] = true // and its duplicate
		}
	}
	for _, delivery := range s.Deliveries() {
		if bad[delivery.WebhookID] {
			require.Equal(t, http.StatusUnauthorized, delivery.Status)
			forged++
		} else {
			require.Equal(t, http.StatusOK, delivery.Status)
			honest[delivery.WebhookID] = true
		}
	}
	require.Greater(t, forged, 10)
	require.Greater(t, len(honest), 50)
	handled := map[string]bool{}
	for _, e := range d.list() {
		require.False(t, handled[e.Meta().WebhookID], "handled twice")
		handled[e.Meta().WebhookID] = true
	}
	require.Equal(t, honest, handled)
	require.Equal(t, forged, d.count(webhook.Forged))
	require.Greater(t, d.count(webhook.Duplicate), 20)
	require.Equal(t, len(honest), d.count(webhook.Kept))
}

// The same over a real connection.
func TestDeliveryOverLoopback(t *testing.T) {
	s, c := startServer(t)
	d := &desk{}
	receiver := httptest.NewServer(d.handler(t, s))
	t.Cleanup(receiver.Close)
	s.Subscribe(receiver.URL+"/webhook",
		ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Duplicate: ghltest.Always()}))
	_, err := c.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada"})
	require.NoError(t, err)
	flush(t, s)
	require.Len(t, d.list(), 1)
	require.Equal(t, 1, d.count(webhook.Kept))
	require.Equal(t, 1, d.count(webhook.Duplicate))
}
