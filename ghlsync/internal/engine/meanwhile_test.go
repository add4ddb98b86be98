package engine_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

// around does something once before and after the first request of a method to a path that ends so, if it is told what.
type around struct {
	method, suffix string
	before, after  atomic.Pointer[func()]
	next           http.RoundTripper
}

func (a *around) RoundTrip(r *http.Request) (*http.Response, error) {
	hit := r.Method == a.method && strings.HasSuffix(r.URL.Path, a.suffix)
	call := func(do *atomic.Pointer[func()]) {
		if f := do.Swap(nil); f != nil {
			(*f)()
		}
	}
	if hit {
		call(&a.before)
	}
	resp, err := a.next.RoundTrip(r)
	if hit {
		call(&a.after)
	}
	return resp, err
}

func (a *around) use(t *testing.T, l *engine.Location) {
	client, err := l.Client.With(ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		a.next = next
		return a
	}))
	require.NoError(t, err)
	l.Client = client
}

// TestAnEditDuringAWriteIsSeen: what a person edits in HighLevel between the reading and the writing is in the write's
// answer, and arrives all the same.
func TestAnEditDuringAWriteIsSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		put := &around{method: http.MethodPut}
		w := newWorld(t, address, func(l *engine.Location) { put.use(t, l) })
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com",
			Tags: []string{"a"}})
		task := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.settle()

		edit := func() {
			w.theirName(ada.ID, "King")
			_, err := w.client.Tags.Add(t.Context(), ada.ID, []string{"theirs"})
			require.NoError(t, err)
		}
		put.before.Store(&edit)
		w.edit(ada.ID, func(c *pluvo.Contact) { c.FirstName, c.Tags = "Augusta", []string{"a", "ours"} })
		w.settle()
		w.touch(ada.ID) // as the edit's delivery does
		w.settle()
		ours := w.full(ada.ID).Contact
		require.Equal(t, "King", ours.LastName)
		require.ElementsMatch(t, []string{"a", "ours", "theirs"}, ours.Tags)
		require.ElementsMatch(t, []string{"a", "ours", "theirs"}, w.contact(ada.ID).Tags)
		require.Equal(t, "Augusta", w.contact(ada.ID).FirstName)

		edit = func() {
			_, err := w.client.Tasks.SetCompleted(t.Context(), ada.ID, task.ID, true)
			require.NoError(t, err)
		}
		put.before.Store(&edit)
		r := w.full(ada.ID).Tasks[0]
		r.Title = "One, changed"
		w.put(&r)
		w.settle()
		w.touch(ada.ID)
		w.settle()
		require.True(t, w.full(ada.ID).Tasks[0].Completed)
		require.Equal(t, "One, changed", w.server.Tasks(ada.ID)[0].Title)
		require.Empty(t, w.conflicts())
	})
}

// TestAnEditAfterACreateIsSeen: what Pluvo changes while its contact is being made in HighLevel is an edit, not a
// conflict with what was made, though the answer is lost.
func TestAnEditAfterACreateIsSeen(t *testing.T) {
	for name, lost := range map[string]bool{"answered": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				post := &around{method: http.MethodPost, suffix: "/contacts/"}
				w := newWorld(t, address, func(l *engine.Location) { post.use(t, l) })
				if lost {
					w.server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
				}
				edit := func() {
					w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", LastName: "Hopper", Email: "grace@example.com"})
				}
				post.after.Store(&edit)
				w.put(&pluvo.Contact{ID: "p1", FirstName: "Gr", LastName: "Hopper", Email: "grace@example.com"})
				w.settle()
				require.Equal(t, "Grace", w.full("p1").Contact.FirstName)
				require.Len(t, w.server.Contacts(), 1)
				require.Equal(t, "Grace", w.server.Contacts()[0].FirstName)
				require.Empty(t, w.conflicts())
			})
		})
	}
}

// TestWhatIsNotThereYetIsNotDeleted: HighLevel may not know for a moment what it has just made.
func TestWhatIsNotThereYetIsNotDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.server.Fail(ghltest.Fault{Operation: "contacts.get", Kind: fault.ContactNotFound(), Times: 1})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", Email: "grace@example.com"})
		w.settle()
		require.Equal(t, "Grace", w.full("p1").Contact.FirstName)
		require.Len(t, w.server.Contacts(), 1)
	})
}

// TestOneAnswerDeletesNothing: HighLevel says once, by mistake, that a contact it has is not there.
func TestOneAnswerDeletesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.settle()
		// it was not written just now
		require.Eventually(t, func() bool { return w.age(ada.ID) > settle }, waiting, tick)
		// nor do two, with a right one between them
		for range 2 {
			w.server.Fail(ghltest.Fault{Operation: "contacts.get", Kind: fault.ContactNotFound(), Times: 1})
			w.touch(ada.ID)
			w.settle()
			require.Len(t, w.full(ada.ID).Tasks, 1)
		}

		require.NoError(t, w.client.Contacts.Delete(t.Context(), ada.ID))
		w.touch(ada.ID)
		w.settle()
		_, err := w.pluvo.Full(t.Context(), ada.ID)
		require.ErrorIs(t, err, pluvo.ErrNotFound)
	})
}

// TestWhatHighLevelRestoresOrMovesStays: a record that is there again after HighLevel had deleted it is no late event.
func TestWhatHighLevelRestoresOrMovesStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		eve := w.server.AddContact(ghl.Contact{FirstName: "Eve", Email: "eve@example.com"})
		task := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.touch(eve.ID)
		w.settle()

		// Two contacts are merged: one is gone, and what belonged to it belongs to the other.
		require.NoError(t, w.client.Contacts.Delete(t.Context(), ada.ID))
		w.touch(ada.ID)
		w.settle()
		task.ContactID = eve.ID
		w.server.AddTask(task)
		w.touch(eve.ID)
		w.settle()
		require.Len(t, w.server.Tasks(eve.ID), 1)
		require.Len(t, w.full(eve.ID).Tasks, 1)

		ada.Tags = []string{"back"}
		w.server.AddContact(ada)
		w.touch(ada.ID)
		w.settle()
		require.Equal(t, []string{"back"}, w.contact(ada.ID).Tags)
		require.Equal(t, []string{"back"}, w.full(ada.ID).Contact.Tags)
		require.Empty(t, w.failures())
	})
}

// TestARecordOfAnotherContact is moved, on whichever side that was done; nothing of it is lost.
func TestARecordOfAnotherContact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		eve := w.server.AddContact(ghl.Contact{FirstName: "Eve", Email: "eve@example.com"})
		task := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.touch(eve.ID)
		w.settle()
		t.Log("in HighLevel")
		require.NoError(t, w.client.Tasks.Delete(t.Context(), ada.ID, task.ID))
		w.writes()
		task.ContactID = eve.ID
		w.server.AddTask(task)
		w.touch(eve.ID)
		w.settle()
		w.touch(ada.ID)
		w.settle()
		require.Empty(t, w.writes())
		require.Empty(t, w.full(ada.ID).Tasks)
		require.Len(t, w.full(eve.ID).Tasks, 1)
		require.Equal(t, task.ID, w.full(eve.ID).Tasks[0].ID, "it is the same")

		t.Log("in Pluvo")
		r := w.full(eve.ID).Tasks[0]
		r.ContactID = ada.ID
		w.put(&r)
		w.settle()
		require.Empty(t, w.server.Tasks(eve.ID))
		require.Equal(t, []string{"One"}, titles(w.server.Tasks(ada.ID)))
		require.Len(t, w.full(ada.ID).Tasks, 1)
		require.Empty(t, w.conflicts())
	})
}

// TestKeptIsKept: what was made in Pluvo and deleted in HighLevel stays in Pluvo, and is not made in HighLevel once
// more.
func TestKeptIsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) { l.Deletes = engine.DeleteKeeps })
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Contact{ID: "p2", FirstName: "Eve", Email: "eve@example.com"})
		w.put(&pluvo.Task{ID: "t1", ContactID: "p1", Title: "Call", DueDate: due})
		w.settle()
		for _, c := range w.server.Contacts() {
			if tasks := w.server.Tasks(c.ID); len(tasks) > 0 {
				require.NoError(t, w.client.Tasks.Delete(t.Context(), c.ID, tasks[0].ID))
			} else {
				require.NoError(t, w.client.Contacts.Delete(t.Context(), c.ID))
			}
			w.touch(c.ID)
		}
		w.settle()
		w.writes()
		for _, id := range []string{"p1", "p2"} {
			w.edit(id, func(c *pluvo.Contact) { c.Stage = "lead" })
		}
		w.settle()
		require.Len(t, w.full("p1").Tasks, 1)
		require.Empty(t, w.writes())
		require.Len(t, w.server.Contacts(), 1)
	})
}

// TestALostStoreEmptiesNothing: a contact that Pluvo does not have, and never said it had deleted, stays in HighLevel.
func TestALostStoreEmptiesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		lose(t, w)
		w.touch(ada.ID)
		require.Eventually(t, func() bool { return len(w.failures()) == 1 }, waiting, tick)
		require.Len(t, w.server.Contacts(), 1)
		require.Empty(t, w.writes())
	})
}

// TestNoPersonLinksWhatIsNotThere: a mistyped id deletes nothing.
func TestNoPersonLinksWhatIsNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) { l.Takes = func(*pluvo.Contact) bool { return false } })
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace"})
		require.ErrorIs(t, w.engine.Link(t.Context(), ada.LocationID, ada.ID, "p2"), pluvo.ErrNotFound)
		require.ErrorIs(t, w.engine.Link(t.Context(), ada.LocationID, "nobody", "p1"), ghl.ErrNotFound)
	})
}

// notOpen is another process's engine, in which the location is not open yet.
func notOpen(t *testing.T, w *world) *engine.Engine {
	other, err := engine.New(engine.Config{DB: w.db, Store: w.pluvo, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	other.Bind(w.queue)
	other.Expect(w.client.Location())
	return other
}

// TestALocationThatIsNotOpenYet misses no change of Pluvo's.
func TestALocationThatIsNotOpenYet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com"})
		w.settle()
		other := notOpen(t, w)
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Augusta", Email: "ada@example.com"})
		w.put(&pluvo.Contact{ID: "p2", FirstName: "Grace", Email: "grace@example.com"})
		require.NoError(t, other.Follow(t.Context()))
		w.settle()
		names := []string{}
		for _, c := range w.server.Contacts() {
			names = append(names, c.FirstName)
		}
		require.ElementsMatch(t, []string{"Augusta", "Grace"}, names)
	})
}

// TestAPhoneNumberIsFound though a process has followed it that knows of no region, and as one of many that end the
// same.
func TestAPhoneNumberIsFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		get := &around{method: http.MethodGet}
		w := newWorld(t, address, func(l *engine.Location) { get.use(t, l) })
		other := notOpen(t, w)
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+14155550100"})
		get.suffix = "/contacts/" + ada.ID
		meanwhile := func() { // so that the contact of HighLevel looks for its match, not the other way round
			w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", Phone: "(212) 555-0100", Email: "grace@example.com"})
			w.put(&pluvo.Contact{ID: "p2", FirstName: "Ada", LastName: "King", Phone: "(415) 555-0100"})
			require.NoError(t, other.Follow(t.Context()))
		}
		get.before.Store(&meanwhile)
		w.touch(ada.ID)
		w.settle()
		require.Equal(t, []string{ada.ID}, w.linked("p2"))
		require.Equal(t, "King", w.contact(ada.ID).LastName)
		require.Len(t, w.server.Contacts(), 2)
		require.Empty(t, w.conflicts())
	})
}

// TestOneOddRecordHoldsUpNoOther: one that can't be named in the queue, and one whose phone number no database takes.
func TestOneOddRecordHoldsUpNoOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.put(&pluvo.Contact{ID: strings.Repeat("p", 300), FirstName: "Long"})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Phone: "\x00", Email: "ada@example.com"})
		w.put(&pluvo.Contact{ID: "p2", FirstName: "Grace", Email: "grace@example.com"})
		w.settle()
		require.NotEmpty(t, w.linked("p2"))
	})
}

// TestAFieldThatOnlyGoesThere is written and cleared, and nothing is held against HighLevel.
func TestAFieldThatOnlyGoesThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) { onlyThere(t, l) })
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com", Stage: "lead"})
		w.settle()
		id := w.linked("p1")[0]
		require.Equal(t, "lead", w.contact(id).Source)
		for _, stage := range []string{"won", ""} {
			w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com", Stage: stage})
			w.settle()
			require.Equal(t, stage, w.contact(id).Source)
		}
		w.writes()
		w.touch(id)
		w.settle()
		require.Empty(t, w.writes())
		require.Empty(t, w.conflicts())
	})
}

// TestALostCreateOfAnOddContact: a value that HighLevel can't hold does not hide that the create was done.
func TestALostCreateOfAnOddContact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", LastName: "Hopper", Phone: "ask her"})
		w.settle()
		require.Len(t, w.server.Contacts(), 1)
		require.Len(t, w.linked("p1"), 1)
		require.Equal(t, "ask her", w.full("p1").Contact.Phone)
		require.Empty(t, w.conflicts())
	})
}

const (
	waiting = 10 * time.Second
	tick    = 20 * time.Millisecond
)

// lose has Pluvo's store forget all that it holds, without a word.
func lose(t *testing.T, w *world) {
	require.NoError(t, w.db.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_record`)
		return err
	}))
}
