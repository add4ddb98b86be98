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

// often sets short intervals for the reconciliation and the full comparison.
func often(c ghlsync.Config) ghlsync.Config {
	c.ReconcileInterval, c.CompareInterval = 100*time.Millisecond, 300*time.Millisecond
	return c
}

// shape returns the names of a contact's records in Pluvo; nil if the contact is not found.
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
	return server.AddAppointment(ghl.Appointment{ContactID: contact, CalendarID: calendar.ID, Title: "visit",
		StartTime: timeOf(time.Now().Add(48 * time.Hour).Truncate(time.Hour))})
}

// TestAllDeliveriesLost: without any delivery both sides become equal, edits of tasks and deletions included. Then
// nothing is written any more.
func TestAllDeliveriesLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		s := start(t, often(config(t, address, server)))
		client := clientOf(t, server)
		ctx := t.Context()
		time.Sleep(50 * time.Millisecond) // until the schedules have started

		ada, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com"})
		require.NoError(t, err)
		bea, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bea", Email: "bea@example.com"})
		require.NoError(t, err)
		call, err := client.Tasks.Create(ctx, ada.ID,
			&ghl.TaskCreate{Title: "Call", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		drop, err := client.Tasks.Create(ctx, ada.ID,
			&ghl.TaskCreate{Title: "Drop", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		note, err := client.Notes.Create(ctx, ada.ID, &ghl.NoteCreate{Body: "hello"})
		require.NoError(t, err)
		visit := addVisit(server, ada.ID)
		same := func(id string, want ...string) func() bool {
			return func() bool { return assert.ObjectsAreEqual(names(want...), shape(t, s, id)) }
		}
		eventually(t, "Ada", same(ada.ID, "first Ada", "task Call", "task Drop", "note hello", "appointment visit"))
		eventually(t, "Bea", same(bea.ID, "first Bea"))

		// HighLevel has no event for it
		_, err = client.Tasks.Update(ctx, ada.ID, call.ID, &ghl.TaskUpdate{Title: ghl.Some("Call again")})
		require.NoError(t, err)
		require.NoError(t, client.Tasks.Delete(ctx, ada.ID, drop.ID))
		_, err = client.Notes.Update(ctx, ada.ID, note.ID, &ghl.NoteUpdate{Body: ghl.Some("bye")})
		require.NoError(t, err)
		require.NoError(t, client.Contacts.Delete(ctx, bea.ID))
		eventually(t, "Ada's task and note",
			same(ada.ID, "first Ada", "task Call again", "note bye", "appointment visit"))
		eventually(t, "Bea is gone", func() bool { return shape(t, s, bea.ID) == nil })

		require.NoError(t, client.Appointments.Delete(ctx, visit.ID))
		require.NoError(t, client.Notes.Delete(ctx, ada.ID, note.ID))
		_, err = client.Contacts.Update(ctx, ada.ID, &ghl.ContactUpdate{FirstName: ghl.Some("Adele")})
		require.NoError(t, err)
		_, err = s.Pluvo().Put(ctx, &pluvo.Contact{ID: "p1", FirstName: "Cleo", Email: "cleo@example.com"},
			pluvo.NoVersion)
		require.NoError(t, err)
		eventually(t, "Adele", same(ada.ID, "first Adele", "task Call again"))
		eventually(t, "Cleo", func() bool { return len(server.Contacts()) == 2 })

		eventually(t, "after the sync, lists are still read, but no contact is read and nothing is written",
			func() bool {
				server.ResetRequests()
				time.Sleep(time.Second)
				seen := operations(server)
				lists := seen["contacts.search"] > 0 && seen["tasks.search"] > 0
				for op := range seen {
					lists = lists && slices.Contains([]string{"contacts.search", "tasks.search", "calendars.list",
						"calendars.events", "notes.list"}, op)
				}
				return lists
			})
		failures, err := s.Failures(ctx, ghlsync.FailureFilter{})
		require.NoError(t, err)
		require.Empty(t, failures)
	})
}

// TestReconcileRepeatsTies: a change at the time of the cursor, or shortly before, is found although the index shows
// it later.
func TestReconcileRepeatsTies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		at := time.Now()
		add := func(name string, updated time.Time) string {
			return server.AddContact(ghl.Contact{FirstName: name, Email: name + "@example.com",
				DateAdded: timeOf(at.Add(-time.Hour)), DateUpdated: timeOf(updated)}).ID
		}
		for _, id := range []string{
			add("first", at),
			add("tie", at),
		} {
			eventually(t, "found", func() bool { return shape(t, s, id) != nil })
		}
		late := add("late", at)
		later := add("later", at.Add(-4*time.Minute))
		never := add("never", at.Add(-7*time.Minute)) // older than the overlap
		eventually(t, "the change at the time of the cursor", func() bool { return shape(t, s, late) != nil })
		eventually(t, "the change some minutes before", func() bool { return shape(t, s, later) != nil })
		require.Nil(t, shape(t, s, never), "older changes are found by the full comparison only")
	})
}

// TestBrokenListDeletesNothing: a list that ends early, has elements that can't be decoded, or lags behind never
// causes a deletion.
func TestBrokenListDeletesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t, ghltest.WithIndexLag(time.Hour))
		c := often(config(t, address, server))
		c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions,
			ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
		s := start(t, c)
		client := clientOf(t, server)
		ctx := t.Context()

		// This contact is missing in searches for an hour, and a deleted task stays in lists as long.
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
		eventually(t, "both are there", func() bool {
			return len(shape(t, s, young.ID)) == 2 && len(shape(t, s, old.ID)) == 2
		})
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
		eventually(t, "the deletion is found in the end", func() bool { return shape(t, s, young.ID) == nil })
		require.Len(t, shape(t, s, old.ID), 2)
	})
}

// TestOneProcessKeepsTheSchedule: one of several processes reconciles at a time, and another one continues when it
// ends.
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
	eventually(t, "several runs", func() bool { return operations(server)["contacts.search"] >= 4 })
	require.LessOrEqual(t, operations(server)["contacts.search"], int(time.Since(began)/c.ReconcileInterval)+1,
		"three processes, one schedule")
	require.NoError(t, a.Stop(t.Context()))
	id := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"}).ID
	eventually(t, "another process continues", func() bool { return shape(t, b, id) != nil })
}

// TestReconcileWithoutScopes: a reconciliation skips a list that the token may not read, and continues with the others.
func TestReconcileWithoutScopes(t *testing.T) {
	server := ghltest.Start(t)
	server.Fail(ghltest.Fault{Operation: "tasks.search", Kind: fault.MissingScope()})
	server.Fail(ghltest.Fault{Operation: "calendars.list", Kind: fault.MissingScope()})
	s := start(t, often(config(t, dbtest.SQLite(t), server)))
	old := server.AddContact(ghl.Contact{FirstName: "Old", Email: "old@example.com",
		DateAdded: timeOf(time.Now().AddDate(-1, 0, 0)), DateUpdated: timeOf(time.Now().AddDate(-1, 0, 0))})
	young := server.AddContact(ghl.Contact{FirstName: "Young", Email: "young@example.com"})
	eventually(t, "by the time of its change", func() bool { return shape(t, s, young.ID) != nil })
	eventually(t, "by the full comparison", func() bool { return shape(t, s, old.ID) != nil })
	err := s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{})
	for err != nil && errors.Is(err, ghlsync.ErrBackfillRuns) { // the full comparison
		time.Sleep(20 * time.Millisecond)
		err = s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{})
	}
	require.ErrorIs(t, err, ghl.ErrMissingScope, "a backfill reports the missing scope")
}

// TestReconcileDuringBackfill: reconciliation does not read new contacts one by one while a backfill syncs them.
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
		<-held // the backfill has read its lists and synced nothing

		server.ResetRequests()
		eventually(t, "reconciliation continues", func() bool { return operations(server)["calendars.list"] >= 4 })
		require.Zero(t, operations(server)["contacts.search"], "contacts are left to the backfill")
		require.Zero(t, operations(server)["contacts.get"])
		proceed()
		require.NoError(t, <-backfilled)
		eventually(t, "contacts are searched after the backfill", func() bool {
			return operations(server)["contacts.search"] > 2
		})
		quiet(t, s, server)
		// A list that is compared while a contact is synced may show a task that has no link yet. These few contacts
		// are read.
		require.Less(t, operations(server)["contacts.get"], 20)
		same(t, s, server, ids, false)
	})
}

// TestReconcileWithWrongTimes: a contact with a dateUpdated in the far future does not hide later changes.
func TestReconcileWithWrongTimes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		future := server.AddContact(ghl.Contact{FirstName: "Future", Email: "future@example.com",
			DateUpdated: timeOf(time.Now().AddDate(10, 0, 0))})
		eventually(t, "found", func() bool { return shape(t, s, future.ID) != nil })
		time.Sleep(200 * time.Millisecond)
		now := server.AddContact(ghl.Contact{FirstName: "Now", Email: "now@example.com"})
		eventually(t, "found too", func() bool { return shape(t, s, now.ID) != nil })

		// A cursor in the future, from a clock that was wrong for a while, does not hide them either.
		ghlsync.Exec(t, address, `UPDATE ghlsync_cursor SET value = $1 WHERE name LIKE 'reconcile/%'`,
			`{"updated":"2099-01-01T00:00:00Z"}`)
		later := server.AddContact(ghl.Contact{FirstName: "Later", Email: "later@example.com"})
		eventually(t, "and this one", func() bool { return shape(t, s, later.ID) != nil })
	})
}

// TestReconcileWithAClockBehind: changes are found when HighLevel's clock is behind this machine's.
func TestReconcileWithAClockBehind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t, ghltest.WithClock(func() time.Time { return time.Now().Add(-time.Hour) }))
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 50*time.Millisecond, -1
		s := start(t, c)
		client := clientOf(t, server)
		for _, name := range []string{"Ada", "Bea"} {
			made, err := client.Contacts.Create(t.Context(),
				&ghl.ContactCreate{FirstName: name, Email: name + "@example.com"})
			require.NoError(t, err)
			eventually(t, "found", func() bool { return shape(t, s, made.ID) != nil })
			time.Sleep(200 * time.Millisecond)
		}
	})
}

// TestReconcileComesToAnEnd: a contact is read less and less often if a list shows the same difference each time and
// the contact itself shows none. The same is true for a contact that can't be synced.
func TestReconcileComesToAnEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = 20*time.Millisecond, -1
		s := start(t, c)
		ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com",
			DateUpdated: timeOf(time.Now().Add(-time.Hour))})
		addVisit(server, ada.ID)
		require.NoError(t, s.Touch(t.Context(), server.LocationID(), ada.ID))
		eventually(t, "it is there", func() bool { return len(shape(t, s, ada.ID)) == 2 })
		server.Fail(ghltest.Fault{Operation: "calendars.list", Kind: fault.EditedAnswer(func(answer any) any {
			if body, ok := answer.(map[string]any); ok && body["calendars"] != nil {
				body["calendars"] = []any{} // the answer lacks the appointment's calendar
			}
			return answer
		})})
		server.ResetRequests()
		eventually(t, "many rounds", func() bool { return operations(server)["calendars.list"] >= 40 })
		reads := operations(server)["appointments.listForContact"]
		require.Positive(t, reads, "the contact's appointments are read")
		require.LessOrEqual(t, reads, 10, "but not each time")
		require.Len(t, shape(t, s, ada.ID), 2)

		// A new difference is read at once.
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

// TestShortListDeletesNothing: short pages do not end a list of contacts. A list that ends before its total is
// incomplete.
func TestShortListDeletesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = -1, 200*time.Millisecond
		s := start(t, c)
		ids := populate(t, server, 20)
		eventually(t, "all are there", func() bool { return shape(t, s, ids[19]) != nil && shape(t, s, ids[0]) != nil })
		quiet(t, s, server)
		for _, kind := range []fault.Kind{cutPages("contacts", 5, 0), cutPages("contacts", 5, 2)} {
			server.ClearFaults()
			server.Fail(ghltest.Fault{Operation: "contacts.search", Kind: kind})
			server.ResetRequests()
			eventually(t, "some rounds", func() bool { return operations(server)["contacts.search"] >= 6 })
			require.Zero(t, operations(server)["contacts.get"], "no contact is even suspected")
		}
		same(t, s, server, ids, true)
	})
}

// TestScheduleThatFails: a failed schedule is retried with growing waits up to its interval. Health reports it after
// a while.
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
		require.Empty(t, codes(s.Health(ctx)), "it has not failed for long")
		long := time.Now().Add(-3 * time.Hour)
		ghlsync.Exec(t, address,
			`UPDATE ghlsync_cursor SET moved_at = $1 WHERE name LIKE 'reconcile/%' OR name LIKE 'compare/%'`,
			long.UnixMicro())
		require.Empty(t, codes(s.Health(ctx)), "this process has not run for long")
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

// TestCompareLeavesNothingOut: a full comparison finds a note that was created just after its contact was read.
func TestCompareLeavesNothingOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = -1, 100*time.Millisecond
		c.Locations[0].ClientOptions = append(c.Locations[0].ClientOptions,
			ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
		s := start(t, c)
		ada := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		require.NoError(t, s.Touch(t.Context(), server.LocationID(), ada.ID))
		eventually(t, "the contact", func() bool { return shape(t, s, ada.ID) != nil })
		quiet(t, s, server)
		_, err := clientOf(t, server).Notes.Create(t.Context(), ada.ID, &ghl.NoteCreate{Body: "A note"})
		require.NoError(t, err)
		eventually(t, "its note", func() bool { return shape(t, s, ada.ID)["note A note"] })

		// If notes can't be listed, the comparison marks their contact and continues.
		server.Fail(ghltest.Fault{Operation: "notes.list", Kind: fault.BadGatewayHTML()})
		_, err = clientOf(t, server).Notes.Create(t.Context(), ada.ID, &ghl.NoteCreate{Body: "Another"})
		require.NoError(t, err)
		failed := time.Now()
		eventually(t, "the comparison ends", func() bool {
			return s.Health(t.Context()).Locations[0].Compared.After(failed.Add(time.Second))
		})
		server.ClearFaults()
		eventually(t, "the second note", func() bool { return shape(t, s, ada.ID)["note Another"] })
	})
}

// TestReconcileFindsDeletions: reconciliation finds the deletion of a task or an appointment that no delivery reports.
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
			eventually(t, "the same", func() bool {
				return assert.ObjectsAreEqual(names(want...), shape(t, s, ada.ID))
			})
			quiet(t, s, server)
		}
		has("first Ada", "task Call", "appointment visit")
		require.NoError(t, client.Tasks.Delete(t.Context(), ada.ID, task.ID))
		has("first Ada", "appointment visit")
		require.NoError(t, client.Appointments.Delete(t.Context(), visit.ID))
		has("first Ada")
	})
}
