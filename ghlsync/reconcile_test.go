package ghlsync_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
)

// often reconciles and compares all the time.
func often(c ghlsync.Config) ghlsync.Config {
	c.ReconcileInterval, c.CompareInterval = 100*time.Millisecond, 300*time.Millisecond
	return c
}

// eventually waits until a comparison of both sides succeeds.
func eventually(t testing.TB, what string, equal func() bool) {
	t.Helper()
	require.Eventually(t, equal, 20*time.Second, 50*time.Millisecond, what)
}

// shape is what a contact has, as names; nil when it is not there.
func shape(t testing.TB, s *ghlsync.Syncer, id string) map[string]bool {
	t.Helper()
	full, err := s.Pluvo().Full(context.Background(), id)
	if err != nil {
		require.ErrorIs(t, err, pluvo.ErrNotFound)
		return nil
	}
	has := map[string]bool{"first " + full.Contact.FirstName: true}
	for _, x := range full.Tasks {
		has["task "+x.Title] = true
	}
	for _, x := range full.Notes {
		has["note "+x.Content] = true
	}
	for _, x := range full.Appointments {
		has["appointment "+x.Title] = true
	}
	return has
}

func names(list ...string) map[string]bool {
	has := map[string]bool{}
	for _, s := range list {
		has[s] = true
	}
	return has
}

// TestAllDeliveriesLost: without a single delivery both sides become equal, edits of tasks and deletions included, and then
// nothing more is written.
func TestAllDeliveriesLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		calendar := server.AddCalendar(ghl.Calendar{Name: "Talk", IsActive: true}).ID
		s := start(t, often(config(t, address, server)))
		client, err := ghl.New(server.ClientOptions()...)
		require.NoError(t, err)
		ctx := t.Context()
		time.Sleep(50 * time.Millisecond) // the schedules begin

		ada, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com"})
		require.NoError(t, err)
		bea, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bea", Email: "bea@example.com"})
		require.NoError(t, err)
		call, err := client.Tasks.Create(ctx, ada.ID, &ghl.TaskCreate{Title: "Call", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		drop, err := client.Tasks.Create(ctx, ada.ID, &ghl.TaskCreate{Title: "Drop", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		note, err := client.Notes.Create(ctx, ada.ID, &ghl.NoteCreate{Body: "hello"})
		require.NoError(t, err)
		visit := server.AddAppointment(ghl.Appointment{ContactID: ada.ID, CalendarID: calendar, Title: "visit", StartTime: timeOf(time.Now().Add(48 * time.Hour).Truncate(time.Hour))})
		same := func(id string, want ...string) func() bool {
			return func() bool { return assert.ObjectsAreEqual(names(want...), shape(t, s, id)) }
		}
		eventually(t, "Ada", same(ada.ID, "first Ada", "task Call", "task Drop", "note hello", "appointment visit"))
		eventually(t, "Bea", same(bea.ID, "first Bea"))

		_, err = client.Tasks.Update(ctx, ada.ID, call.ID, &ghl.TaskUpdate{Title: ghl.Some("Call again")}) // HighLevel has no event for it
		require.NoError(t, err)
		require.NoError(t, client.Tasks.Delete(ctx, ada.ID, drop.ID))
		_, err = client.Notes.Update(ctx, ada.ID, note.ID, &ghl.NoteUpdate{Body: ghl.Some("bye")})
		require.NoError(t, err)
		require.NoError(t, client.Contacts.Delete(ctx, bea.ID))
		eventually(t, "Ada's task and note", same(ada.ID, "first Ada", "task Call again", "note bye", "appointment visit"))
		eventually(t, "Bea is gone", func() bool { return shape(t, s, bea.ID) == nil })

		require.NoError(t, client.Appointments.Delete(ctx, visit.ID))
		require.NoError(t, client.Notes.Delete(ctx, ada.ID, note.ID))
		_, err = client.Contacts.Update(ctx, ada.ID, &ghl.ContactUpdate{FirstName: ghl.Some("Adele")})
		require.NoError(t, err)
		_, err = s.Pluvo().Put(ctx, &pluvo.Contact{ID: "p1", FirstName: "Cleo", Email: "cleo@example.com"}, pluvo.NoVersion)
		require.NoError(t, err)
		eventually(t, "Adele", same(ada.ID, "first Adele", "task Call again"))
		eventually(t, "Cleo", func() bool { return len(server.Contacts()) == 2 })

		time.Sleep(time.Second)
		server.ResetRequests()
		time.Sleep(time.Second)
		seen := operations(server)
		require.NotZero(t, seen["contacts.search"], "it goes on")
		require.NotZero(t, seen["tasks.search"])
		for op := range seen {
			require.Contains(t, []string{"contacts.search", "tasks.search", "calendars.list", "calendars.events", "notes.list"}, op,
				"when all is in step, no contact is read and nothing is written: %v", seen)
		}
		failures, err := s.Failures(ctx, ghlsync.FailureFilter{})
		require.NoError(t, err)
		require.Empty(t, failures)
	})
}
