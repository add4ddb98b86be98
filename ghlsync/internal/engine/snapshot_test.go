package engine_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// snapshot works on a contact with what lists have said of it, however old that is, and returns how many requests it
// took.
func (w *world) snapshot(s engine.Snapshot) int {
	w.t.Helper()
	w.settle()
	w.server.ResetRequests()
	w.do(s.Contact.ID, func(ctx context.Context, run *queue.Run) error { return w.engine.SyncSnapshot(ctx, run, s) })
	n := len(w.server.Requests())
	w.settle()
	require.Empty(w.t, w.failures())
	return n
}

// listed is a contact as a search has it, and the tasks of the location.
func (w *world) listed(id string) engine.Snapshot {
	w.t.Helper()
	found, err := w.client.Contacts.Search(w.t.Context(), &ghl.SearchRequest{Filters: []ghl.Filter{ghl.FieldID.Eq(id)}})
	require.NoError(w.t, err)
	require.Len(w.t, found.Contacts, 1)
	tasks, err := w.client.Tasks.Search(w.t.Context(), nil)
	require.NoError(w.t, err)
	return engine.Snapshot{Contact: found.Contacts[0], Tasks: tasks}
}

func eachSnapshot(t *testing.T, test func(t *testing.T, w *world, ada *ghl.Contact, task *ghl.Task)) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada, err := w.client.Contacts.Create(t.Context(), &ghl.ContactCreate{FirstName: "Ada", LastName: "First",
			Email: "ada@example.com", Phone: "415-555-0100", Tags: []string{"One"}})
		require.NoError(t, err)
		task, err := w.client.Tasks.Create(t.Context(), ada.ID,
			&ghl.TaskCreate{Title: "Call", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		test(t, w, ada, task)
	})
}

// TestSnapshotTakesOver: a contact is taken over without a request; once more, nothing happens.
func TestSnapshotTakesOver(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		s := w.listed(ada.ID)
		require.Zero(t, w.snapshot(s))
		full := w.full(ada.ID)
		require.Equal(t, "Ada", full.Contact.FirstName)
		require.Len(t, full.Tasks, 1)
		require.Zero(t, w.snapshot(s))
		require.Empty(t, w.writes(), "and its own writes to Pluvo are known as such")
	})
}

// TestSnapshotDeletesNothing: what a list lacks is not deleted.
func TestSnapshotDeletesNothing(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		_, err := w.client.Notes.Create(t.Context(), ada.ID, &ghl.NoteCreate{Body: "hello"})
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		s := w.listed(ada.ID)
		s.Tasks = nil
		require.Zero(t, w.snapshot(s))
		require.Len(t, w.full(ada.ID).Tasks, 1)
		require.Len(t, w.full(ada.ID).Notes, 1)
		require.Len(t, w.server.Tasks(ada.ID), 1)
	})
}

// TestSnapshotOlderThanKnown: an old version overwrites nothing, brings no deleted task back, and deletes none in
// HighLevel.
func TestSnapshotOlderThanKnown(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, task *ghl.Task) {
		w.touch(ada.ID)
		w.settle()
		old := w.listed(ada.ID)
		w.theirName(ada.ID, "Second")
		require.NoError(t, w.client.Tasks.Delete(t.Context(), ada.ID, task.ID))
		_, err := w.client.Tasks.Create(t.Context(), ada.ID,
			&ghl.TaskCreate{Title: "Other", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		w.writes()
		w.snapshot(engine.Snapshot{Contact: old.Contact})
		require.Equal(t, "Second", w.full(ada.ID).Contact.LastName)
		w.snapshot(engine.Snapshot{Contact: w.listed(ada.ID).Contact, Tasks: old.Tasks})
		require.Empty(t, w.writes())
		full := w.full(ada.ID)
		require.Equal(t, "Second", full.Contact.LastName)
		require.Len(t, full.Tasks, 1)
		require.Equal(t, "Other", full.Tasks[0].Title)
		require.Len(t, w.server.Tasks(ada.ID), 1)
	})
}

// TestSnapshotNewerThanKnown: what has surely changed since is taken over without a request.
func TestSnapshotNewerThanKnown(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		w.touch(ada.ID)
		w.settle()
		w.server.Advance(time.Hour)
		w.theirName(ada.ID, "Second")
		require.Zero(t, w.snapshot(w.listed(ada.ID)))
		require.Equal(t, "Second", w.full(ada.ID).Contact.LastName)
	})
}

// TestSnapshotNeverWritesToHighLevel: a change in Pluvo goes to HighLevel after a look at what is there now, not at
// what a list said: the edit of a person that the list has not got is seen.
func TestSnapshotNeverWritesToHighLevel(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		w.touch(ada.ID)
		w.settle()
		old := w.listed(ada.ID)
		w.theirName(ada.ID, "Theirs")
		w.do(ada.ID, func(ctx context.Context, run *queue.Run) error {
			w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName, c.FirstName = "Ours", "Adele" })
			w.put(&pluvo.Task{ID: "t1", ContactID: ada.ID, Title: "New", DueDate: time.Now().Add(time.Hour)})
			return w.engine.SyncSnapshot(ctx, run, old)
		})
		w.settle()
		require.Equal(t, "Theirs", w.contact(ada.ID).LastName)
		require.Equal(t, "Adele", w.contact(ada.ID).FirstName)
		require.Equal(t, "Theirs", w.full(ada.ID).Contact.LastName)
		require.Len(t, w.conflicts(), 1)
		require.Len(t, w.server.Tasks(ada.ID), 2)
	})
}

// TestOldSnapshotAfterALostWrite: a newer version was written to Pluvo by a run that came to no end. The version of
// before does not overwrite it.
func TestOldSnapshotAfterALostWrite(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		w.touch(ada.ID)
		w.settle()
		old := w.listed(ada.ID)
		w.theirName(ada.ID, "Second")
		fresh := w.listed(ada.ID)
		w.writes()
		lost := func() error { return errors.New("the answer is lost") }
		w.do(ada.ID, func(ctx context.Context, run *queue.Run) error {
			w.pluvo.after.Store(&lost)
			require.Error(t, w.engine.SyncSnapshot(ctx, run, fresh))
			require.Equal(t, "Second", w.full(ada.ID).Contact.LastName)
			return w.engine.SyncSnapshot(ctx, run, old)
		})
		w.settle()
		require.Equal(t, "Second", w.full(ada.ID).Contact.LastName)
		require.Empty(t, w.writes())
	})
}

// TestSnapshotWithoutTimes: what a list does not date may be older than what is known.
func TestSnapshotWithoutTimes(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, task *ghl.Task) {
		w.touch(ada.ID)
		w.settle()
		old := w.listed(ada.ID)
		old.Tasks[0].DateUpdated = ghl.Time{}
		_, err := w.client.Tasks.Update(t.Context(), ada.ID, task.ID, &ghl.TaskUpdate{Title: ghl.Some("Call again")})
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		w.snapshot(old)
		require.Equal(t, "Call again", w.full(ada.ID).Tasks[0].Title)
	})
}

// TestSnapshotOfWhatChangesMeanwhile: a record of Pluvo that is edited during a backfill is read again and does not fail
// it, nor does a contact that is deleted in HighLevel.
func TestSnapshotOfWhatChangesMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		notes := &around{method: http.MethodGet, suffix: "/notes"}
		w := newWorld(t, address, func(l *engine.Location) { notes.use(t, l) })
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		note := w.server.AddNote(ghl.Note{ContactID: ada.ID, Body: "one"})
		w.touch(ada.ID)
		w.settle()
		_, err := w.client.Notes.Update(t.Context(), ada.ID, note.ID, &ghl.NoteUpdate{Body: ghl.Some("two")})
		require.NoError(t, err)
		s := w.listed(ada.ID)
		s.Notes = true
		edit := func() {
			n := w.full(ada.ID).Notes[0]
			n.Content = "mine"
			w.put(&n)
		}
		notes.before.Store(&edit)
		w.snapshot(s) // which wants no failures
		require.Equal(t, "two", w.full(ada.ID).Notes[0].Content, "HighLevel owns it")
		require.Len(t, w.conflicts(), 1)

		gone := func() { require.NoError(t, w.client.Contacts.Delete(t.Context(), ada.ID)) }
		notes.before.Store(&gone)
		w.snapshot(s)
		_, err = w.pluvo.Full(t.Context(), ada.ID)
		require.ErrorIs(t, err, pluvo.ErrNotFound)
	})
}

// TestAContactDeletedWhileItIsRead: between two of its reads; nobody has to look at that.
func TestAContactDeletedWhileItIsRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		tasks := &around{method: http.MethodGet, suffix: "/tasks"}
		w := newWorld(t, address, func(l *engine.Location) { tasks.use(t, l) })
		ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		gone := func() { require.NoError(t, w.client.Contacts.Delete(t.Context(), ada.ID)) }
		tasks.before.Store(&gone)
		w.touch(ada.ID)
		w.settle()
		_, err := w.pluvo.Full(t.Context(), ada.ID)
		require.ErrorIs(t, err, pluvo.ErrNotFound)
		for _, f := range w.failures() {
			require.NotContains(t, f, "stopped")
		}
	})
}

// TestSnapshotByAnotherClock: HighLevel's clock is a minute ahead, so what was changed before it was last seen seems to
// be newer.
func TestSnapshotByAnotherClock(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		w.server.Advance(time.Minute)
		w.theirName(ada.ID, "Second")
		old := w.listed(ada.ID)
		w.theirName(ada.ID, "Third")
		w.touch(ada.ID)
		w.settle()
		w.snapshot(old)
		require.Equal(t, "Third", w.full(ada.ID).Contact.LastName)
	})
}

// TestSnapshotWaitsForAnotherRun: what the echo of its own create has begun, is waited for. A later run would read it
// all.
func TestSnapshotWaitsForAnotherRun(t *testing.T) {
	eachSnapshot(t, func(t *testing.T, w *world, ada *ghl.Contact, _ *ghl.Task) {
		began, end, ended := make(chan bool), make(chan bool), make(chan error, 1)
		echo := func() error {
			go func() {
				_, err := w.queue.Do(context.WithoutCancel(t.Context()),
					queue.Unit{Location: w.client.Location(), ID: "pluvo:" + ada.ID}, time.Now().Add(time.Hour),
					func(context.Context, *queue.Run) error { close(began); <-end; return nil })
				ended <- err
			}()
			<-began
			time.AfterFunc(100*time.Millisecond, func() { close(end) })
			return nil
		}
		s := w.listed(ada.ID)
		w.pluvo.after.Store(&echo)
		require.Zero(t, w.snapshot(s))
		require.NoError(t, <-ended)
		require.Empty(t, w.server.Requests(), "nor later")
		require.Len(t, w.full(ada.ID).Tasks, 1)
	})
}
