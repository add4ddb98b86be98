package ghlsync_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

// often reconciles and compares all the time.
func often(c ghlsync.Config) ghlsync.Config {
	c.ReconcileInterval, c.CompareInterval = 100*time.Millisecond, 300*time.Millisecond
	return c
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

// addVisit adds an appointment of the day after tomorrow, in a calendar of its own.
func addVisit(server *ghltest.Server, contact string) ghl.Appointment {
	calendar := server.AddCalendar(ghl.Calendar{Name: "Talk", IsActive: true})
	return server.AddAppointment(ghl.Appointment{ContactID: contact, CalendarID: calendar.ID, Title: "visit", StartTime: timeOf(time.Now().Add(48 * time.Hour).Truncate(time.Hour))})
}

// TestAllDeliveriesLost: without a single delivery both sides become equal, edits of tasks and deletions included, and then
// nothing more is written.
func TestAllDeliveriesLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		s := start(t, often(config(t, address, server)))
		client := clientOf(t, server)
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
		visit := addVisit(server, ada.ID)
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

		eventually(t, "when all is in step, lists go on, but no contact is read and nothing is written", func() bool {
			server.ResetRequests()
			time.Sleep(time.Second)
			seen := operations(server)
			lists := seen["contacts.search"] > 0 && seen["tasks.search"] > 0
			for op := range seen {
				lists = lists && slices.Contains([]string{"contacts.search", "tasks.search", "calendars.list", "calendars.events", "notes.list"}, op)
			}
			return lists
		})
		failures, err := s.Failures(ctx, ghlsync.FailureFilter{})
		require.NoError(t, err)
		require.Empty(t, failures)
	})
}

// TestReconcileRepeatsTies: what was changed at the moment up to which changes were followed, or shortly before, and comes into
// the index later, is found.
func TestReconcileRepeatsTies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		at := time.Now()
		add := func(name string, updated time.Time) string {
			return server.AddContact(ghl.Contact{FirstName: name, Email: name + "@example.com", DateAdded: timeOf(at.Add(-time.Hour)), DateUpdated: timeOf(updated)}).ID
		}
		for _, id := range []string{
			add("first", at),
			add("tie", at),
		} {
			eventually(t, "found", func() bool { return shape(t, s, id) != nil })
		}
		late := add("late", at)
		later := add("later", at.Add(-4*time.Minute))
		never := add("never", at.Add(-7*time.Minute)) // it would have been found at first
		eventually(t, "the tie is repeated", func() bool { return shape(t, s, late) != nil })
		eventually(t, "and some minutes before", func() bool { return shape(t, s, later) != nil })
		require.Nil(t, shape(t, s, never), "but not all that ever was: that is for the full comparison")
	})
}

// TestBrokenListDeletesNothing: lists that break off, have elements which can't be read, or lag behind, are no proof of a
// deletion.
func TestBrokenListDeletesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t, ghltest.WithIndexLag(time.Hour))
		c := often(config(t, address, server))
		c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions, ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
		s := start(t, c)
		client := clientOf(t, server)
		ctx := t.Context()

		// No search finds this one for an hour, and no list of tasks is without it.
		young, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Young", Email: "young@example.com"})
		require.NoError(t, err)
		old := server.AddContact(ghl.Contact{FirstName: "Old", Email: "old@example.com"})
		for _, id := range []string{young.ID, old.ID} {
			server.AddTask(ghl.Task{ContactID: id, Title: "Call"})
			require.NoError(t, s.Touch(ctx, server.LocationID(), id))
		}
		whole := func() {
			t.Helper()
			for _, id := range []string{young.ID, old.ID} {
				require.Len(t, shape(t, s, id), 2, "nothing was deleted")
			}
		}
		eventually(t, "both are there", func() bool { return len(shape(t, s, young.ID)) == 2 && len(shape(t, s, old.ID)) == 2 })
		asked := func(what string, ops ...string) {
			t.Helper()
			server.ResetRequests()
			eventually(t, what, func() bool {
				for _, op := range ops {
					if operations(server)[op] < 6 {
						return false
					}
				}
				return true
			})
		}
		asked("the index lags", "contacts.search", "contacts.get")
		whole()

		unreadable := func(name string) fault.Kind {
			return fault.EditedAnswer(func(answer any) any {
				if body, ok := answer.(map[string]any); ok && body[name] != nil {
					if list, ok := body[name].([]any); ok && len(list) > 0 {
						body[name] = []any{"no record"}
					}
				}
				return answer
			})
		}
		for _, broken := range []struct {
			what string
			op   string
			kind fault.Kind
		}{
			{"contacts fail", "contacts.search", fault.BadGatewayHTML()},
			{"contacts are cut", "contacts.search", fault.CutBody()},
			{"contacts can't be read", "contacts.search", unreadable("contacts")},
			{"tasks fail", "tasks.search", fault.InternalServerError()},
			{"calendars fail", "calendars.list", fault.Forbidden()},
		} {
			server.Fail(ghltest.Fault{Operation: broken.op, Kind: broken.kind})
			asked(broken.what, broken.op)
			server.ResetRequests()
			time.Sleep(300 * time.Millisecond)
			if broken.op == "contacts.search" {
				require.Zero(t, operations(server)["contacts.get"], "%s: no contact is even suspected", broken.what)
			}
			whole()
			server.ClearFaults()
		}

		require.NoError(t, client.Contacts.Delete(ctx, young.ID))
		eventually(t, "what was deleted is found in the end", func() bool { return shape(t, s, young.ID) == nil })
		require.Len(t, shape(t, s, old.ID), 2)
	})
}

// TestOneProcessKeepsTheSchedule: of several processes one reconciles at a time, and when it is gone another one does.
func TestOneProcessKeepsTheSchedule(t *testing.T) {
	server := ghltest.Start(t)
	c := config(t, dbtest.Postgres(t), server)
	c.ReconcileInterval, c.CompareInterval, c.Lease = 500*time.Millisecond, -1, time.Second
	a, err := ghlsync.New(t.Context(), c)
	require.NoError(t, err)
	require.NoError(t, a.Start(t.Context()))
	b := start(t, c)
	_ = start(t, c)
	began := time.Now()
	server.ResetRequests()
	eventually(t, "it goes on", func() bool { return operations(server)["contacts.search"] >= 4 })
	require.LessOrEqual(t, operations(server)["contacts.search"], int(time.Since(began)/c.ReconcileInterval)+1, "three processes, one schedule")
	require.NoError(t, a.Stop(t.Context()))
	id := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"}).ID
	eventually(t, "the others go on", func() bool { return shape(t, b, id) != nil })
}

// TestReconcileWithoutScopes: a list that the token may not read is left out, and the rest goes on.
func TestReconcileWithoutScopes(t *testing.T) {
	server := ghltest.Start(t)
	server.Fail(ghltest.Fault{Operation: "tasks.search", Kind: fault.MissingScope()})
	server.Fail(ghltest.Fault{Operation: "calendars.list", Kind: fault.MissingScope()})
	s := start(t, often(config(t, dbtest.SQLite(t), server)))
	old := server.AddContact(ghl.Contact{FirstName: "Old", Email: "old@example.com", DateAdded: timeOf(time.Now().AddDate(-1, 0, 0)), DateUpdated: timeOf(time.Now().AddDate(-1, 0, 0))})
	young := server.AddContact(ghl.Contact{FirstName: "Young", Email: "young@example.com"})
	eventually(t, "by the time of its change", func() bool { return shape(t, s, young.ID) != nil })
	eventually(t, "by the full comparison", func() bool { return shape(t, s, old.ID) != nil })
	err := s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{})
	for err != nil && errors.Is(err, ghlsync.ErrBackfillRuns) { // the full comparison
		time.Sleep(20 * time.Millisecond)
		err = s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{})
	}
	require.ErrorIs(t, err, ghl.ErrMissingScope, "a person who asks for it is told")
}

// TestReconcileDuringBackfill: contacts that a backfill is about to come to are not read one by one because they are new.
func TestReconcileDuringBackfill(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		ids := populate(t, server, 100)
		var between atomic.Pointer[func()]
		c := config(t, address, server)
		c.Locations[0].ClientOptions = []ghl.Option{ghl.WithBaseURL(betweenPages(t, server, &between))}
		c.ReconcileInterval, c.CompareInterval = 300*time.Millisecond, -1
		held, goOn := make(chan struct{}), make(chan struct{})
		proceed := sync.OnceFunc(func() { close(goOn) })
		defer proceed()
		hold := func() { close(held); <-goOn }
		between.Store(&hold)
		s := start(t, c)
		backfilled := make(chan error, 1)
		go func() { backfilled <- s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{}) }()
		<-held // it has listed all, and taken over nothing

		server.ResetRequests()
		eventually(t, "reconciliation goes on", func() bool { return operations(server)["calendars.list"] >= 4 })
		require.Zero(t, operations(server)["contacts.search"], "contacts are left to the backfill")
		require.Zero(t, operations(server)["contacts.get"])
		proceed()
		require.NoError(t, <-backfilled)
		eventually(t, "and goes on after it", func() bool { return operations(server)["contacts.search"] > 2 })
		quiet(t, s, server)
		// A list that is compared while a contact is taken over may find its task and not yet its link: those few are read.
		require.Less(t, operations(server)["contacts.get"], 20)
		same(t, s, server, ids, false)
	})
}

// TestReconcileWithWrongTimes: one contact that says it was changed in the far future does not hide all later changes.
func TestReconcileWithWrongTimes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		future := server.AddContact(ghl.Contact{FirstName: "Future", Email: "future@example.com", DateUpdated: timeOf(time.Now().AddDate(10, 0, 0))})
		eventually(t, "found", func() bool { return shape(t, s, future.ID) != nil })
		time.Sleep(200 * time.Millisecond)
		now := server.AddContact(ghl.Contact{FirstName: "Now", Email: "now@example.com"})
		eventually(t, "found too", func() bool { return shape(t, s, now.ID) != nil })

		// Nor does a time of the database's clock that was wrong for a while.
		ghlsync.Exec(t, address, `UPDATE ghlsync_cursor SET value = $1 WHERE name LIKE 'reconcile/%'`, `{"updated":"2099-01-01T00:00:00Z"}`)
		later := server.AddContact(ghl.Contact{FirstName: "Later", Email: "later@example.com"})
		eventually(t, "and this one", func() bool { return shape(t, s, later.ID) != nil })
	})
}

// TestReconcileWithAClockBehind: HighLevel's clock says less than ours.
func TestReconcileWithAClockBehind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t, ghltest.WithClock(func() time.Time { return time.Now().Add(-time.Hour) }))
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		client := clientOf(t, server)
		for _, name := range []string{"Ada", "Bea"} {
			made, err := client.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: name, Email: name + "@example.com"})
			require.NoError(t, err)
			eventually(t, "found", func() bool { return shape(t, s, made.ID) != nil })
			time.Sleep(200 * time.Millisecond)
		}
	})
}

// TestReconcileComesToAnEnd: what looks wrong in a list each time, and is right when the contact is read, is looked at again and
// again at longer and longer times. So is a contact that can't be kept in step.
func TestReconcileComesToAnEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 20*time.Millisecond, -1
		s := start(t, c)
		ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com", DateUpdated: timeOf(time.Now().Add(-time.Hour))})
		addVisit(server, ada.ID)
		require.NoError(t, s.Touch(t.Context(), server.LocationID(), ada.ID))
		eventually(t, "it is there", func() bool { return len(shape(t, s, ada.ID)) == 2 })
		server.Fail(ghltest.Fault{Operation: "calendars.list", Kind: fault.EditedAnswer(func(answer any) any {
			if body, ok := answer.(map[string]any); ok && body["calendars"] != nil {
				body["calendars"] = []any{} // the appointment's calendar is not told
			}
			return answer
		})})
		server.ResetRequests()
		eventually(t, "many rounds", func() bool { return operations(server)["calendars.list"] >= 40 })
		reads := operations(server)["contacts.get"]
		require.Positive(t, reads, "it is looked at")
		require.LessOrEqual(t, reads, 10, "but not each time")
		require.Len(t, shape(t, s, ada.ID), 2)

		// Something new is looked at at once.
		task := server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call"})
		eventually(t, "the task", func() bool { return len(shape(t, s, ada.ID)) == 3 })
		client := clientOf(t, server)
		for _, title := range []string{"Call again", "Call", "Call again"} {
			_, err := client.Tasks.Update(t.Context(), ada.ID, task.ID, &ghl.TaskUpdate{Title: ghl.Some(title)})
			require.NoError(t, err)
			eventually(t, title, func() bool { return shape(t, s, ada.ID)["task "+title] })
		}
	})
}

// TestShortListDeletesNothing: a list of contacts that ends before it should, and says that there are more, is not complete.
func TestShortListDeletesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = -1, 200*time.Millisecond
		s := start(t, c)
		ids := populate(t, server, 20)
		eventually(t, "all are there", func() bool { return shape(t, s, ids[19]) != nil && shape(t, s, ids[0]) != nil })
		quiet(t, s, server)
		server.Fail(ghltest.Fault{Operation: "contacts.search", Kind: fault.EditedAnswer(func(answer any) any {
			if body, ok := answer.(map[string]any); ok {
				if list, ok := body["contacts"].([]any); ok && len(list) > 5 {
					body["contacts"] = list[:5]
				}
			}
			return answer
		})})
		server.ResetRequests()
		eventually(t, "some rounds", func() bool { return operations(server)["contacts.search"] >= 6 })
		require.Zero(t, operations(server)["contacts.get"], "no contact is even suspected")
		same(t, s, server, ids, true)
	})
}

// TestScheduleThatFails: it is tried again, with longer pauses up to its interval, and Health tells if that lasts.
func TestScheduleThatFails(t *testing.T) {
	for i, want := range []time.Duration{15, 30, 60, 60, 60} {
		require.Equal(t, want*time.Minute, ghlsync.RetryAfter(time.Hour, i+1))
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 24, 24} {
		require.Equal(t, want*time.Hour, ghlsync.RetryAfter(24*time.Hour, i+1))
	}
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		server.Fail(ghltest.Fault{Operation: "tasks.search", Kind: fault.Forbidden()})
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, 50*time.Millisecond
		s := start(t, c)
		ctx := t.Context()
		eventually(t, "they are tried", func() bool { return operations(server)["tasks.search"] > 3 })
		require.Empty(t, codes(s.Health(ctx)), "it has not lasted long")
		long := time.Now().Add(-3 * time.Hour)
		ghlsync.Exec(t, address, `UPDATE ghlsync_cursor SET moved_at = $1 WHERE name LIKE 'reconcile/%' OR name LIKE 'compare/%'`, long.UnixMicro())
		require.Empty(t, codes(s.Health(ctx)), "nor has this process been there for long")
		s.StartedAt(long)
		h := s.Health(ctx)
		require.Equal(t, []string{"schedule", "schedule"}, codes(h))
		require.Equal(t, ghlsync.Degraded, h.State)
		require.Contains(t, h.Problems[0].Text, "3 hours")
		require.WithinDuration(t, long, h.Locations[0].Reconciled, time.Second)
		require.WithinDuration(t, long, h.Locations[0].Compared, time.Second)
		require.NoError(t, s.Pause(ctx, server.LocationID(), "a moment"))
		require.Equal(t, []string{"location paused"}, codes(s.Health(ctx)))
		require.NoError(t, s.Resume(ctx, server.LocationID()))
		server.ClearFaults()
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.State == ghlsync.Healthy })
	})
}

// TestCompareLeavesNothingOut: a full comparison also finds the note of a contact that was read just before the note was made.
func TestCompareLeavesNothingOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = -1, 100*time.Millisecond
		c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions, ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
		s := start(t, c)
		ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		require.NoError(t, s.Touch(t.Context(), server.LocationID(), ada.ID))
		eventually(t, "it is there", func() bool { return shape(t, s, ada.ID) != nil })
		quiet(t, s, server)
		_, err := clientOf(t, server).Notes.Create(t.Context(), ada.ID, &ghl.NoteCreate{Body: "A note"})
		require.NoError(t, err)
		eventually(t, "so is its note", func() bool { return shape(t, s, ada.ID)["note A note"] })

		// Notes that can't be listed hold up no comparison: their contact is read by itself.
		server.Fail(ghltest.Fault{Operation: "notes.list", Kind: fault.BadGatewayHTML()})
		_, err = clientOf(t, server).Notes.Create(t.Context(), ada.ID, &ghl.NoteCreate{Body: "Another"})
		require.NoError(t, err)
		failed := time.Now()
		eventually(t, "it is compared", func() bool { return s.Health(t.Context()).Locations[0].Compared.After(failed.Add(time.Second)) })
		server.ClearFaults()
		eventually(t, "that note is there too", func() bool { return shape(t, s, ada.ID)["note Another"] })
	})
}

// TestReconcileFindsDeletions: of a task or an appointment, of which nothing else tells.
func TestReconcileFindsDeletions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		client := clientOf(t, server)
		ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		task := server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call"})
		visit := addVisit(server, ada.ID)
		has := func(want ...string) {
			t.Helper()
			eventually(t, "the same", func() bool { return assert.ObjectsAreEqual(names(want...), shape(t, s, ada.ID)) })
			quiet(t, s, server)
		}
		has("first Ada", "task Call", "appointment visit")
		require.NoError(t, client.Tasks.Delete(t.Context(), ada.ID, task.ID))
		has("first Ada", "appointment visit")
		require.NoError(t, client.Appointments.Delete(t.Context(), visit.ID))
		has("first Ada")
	})
}
