package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

// TestAStageMakesItsTasksOnce, and their completion comes back.
func TestAStageMakesItsTasksOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) {
			l.Stages = map[string][]engine.StageTask{"won": {{Title: "Send the contract", Due: 48 * time.Hour},
				{Title: "Say thanks"}}}
		})
		ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		for range 2 { // reached, left, and reached again
			for _, stage := range []string{"won", "lost"} {
				w.edit(ada.ID, func(c *pluvo.Contact) { c.Stage = stage })
				w.settle()
			}
		}
		made := w.server.Tasks(ada.ID)
		require.Len(t, made, 2)
		_, err := w.client.Tasks.SetCompleted(t.Context(), ada.ID, made[0].ID, true)
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		completed := 0
		for _, task := range w.full(ada.ID).Tasks {
			if task.Completed {
				completed++
				require.Equal(t, pluvo.TaskCompleted, task.Status)
			}
		}
		require.Equal(t, 1, completed)

		require.NoError(t, w.client.Tasks.Delete(t.Context(), ada.ID, made[1].ID))
		w.touch(ada.ID)
		w.settle()
		w.edit(ada.ID, func(c *pluvo.Contact) { c.Stage = "won" })
		w.settle()
		require.Len(t, w.server.Tasks(ada.ID), 1, "what was deleted is not made again")
	})
}

// TestDeleteAgainstUpdate goes by the policy.
func TestDeleteAgainstUpdate(t *testing.T) {
	for _, policy := range []engine.DeletePolicy{engine.DeleteWins, engine.UpdateWins, engine.DeleteKeeps} {
		t.Run(string(policy), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				w := newWorld(t, address, func(l *engine.Location) { l.Deletes = policy })
				ctx := t.Context()
				ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
				eve := w.server.AddContact(ghl.Contact{FirstName: "Eve", Email: "eve@example.com"})
				task := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
				other := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Two", DueDate: ghl.NewTime(due)})
				w.touch(ada.ID)
				w.touch(eve.ID)
				w.settle()

				// Deleted in HighLevel, changed in Pluvo; and the other way round.
				require.NoError(t, w.client.Tasks.Delete(ctx, ada.ID, task.ID))
				require.NoError(t, w.client.Contacts.Delete(ctx, eve.ID))
				changed := w.full(eve.ID).Contact
				changed.LastName = "Changed"
				w.put(&changed)
				for _, r := range w.full(ada.ID).Tasks {
					if r.ID == task.ID {
						r.Title = "One, changed"
						w.put(&r)
					}
				}
				require.NoError(t, w.pluvo.Delete(ctx, pluvo.KindTask, other.ID, pluvo.AnyVersion))
				_, err := w.client.Tasks.Update(ctx, ada.ID, other.ID, &ghl.TaskUpdate{Title: ghl.Some("Two, changed")})
				require.NoError(t, err)
				w.touch(ada.ID)
				w.touch(eve.ID)
				w.settle()
				theirs, ours := titles(w.server.Tasks(ada.ID)), []string{}
				for _, r := range w.full(ada.ID).Tasks {
					ours = append(ours, r.Title)
				}
				_, _, eveErr := w.pluvo.Get(ctx, pluvo.KindContact, eve.ID)
				switch policy {
				case engine.DeleteWins:
					require.Empty(t, theirs)
					require.Empty(t, ours)
					require.ErrorIs(t, eveErr, pluvo.ErrNotFound)
				case engine.UpdateWins:
					require.ElementsMatch(t, []string{"One, changed", "Two, changed"}, theirs)
					require.ElementsMatch(t, []string{"One, changed", "Two, changed"}, ours)
					require.NoError(t, eveErr)
					require.Len(t, w.server.Contacts(), 2, "Eve is there anew")
				case engine.DeleteKeeps:
					require.Equal(t, []string{"Two, changed"}, theirs)
					require.Equal(t, []string{"One, changed"}, ours)
					require.NoError(t, eveErr)
					require.Len(t, w.server.Contacts(), 1)
				}
				w.writes()
				w.touch(ada.ID)
				w.touch(eve.ID)
				w.settle()
				require.Empty(t, w.writes(), "and it is quiet")
				require.Empty(t, w.failures())
			})
		})
	}
}

func titles(list []ghl.Task) []string {
	out := []string{}
	for _, t := range list {
		out = append(out, t.Title)
	}
	return out
}

// TestWhatFailsHoldsUpNothingElse: neither the rest of a contact nor other contacts.
func TestWhatFailsHoldsUpNothingElse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.server.Fail(ghltest.Fault{Operation: "tasks.create", Kind: fault.ValidationArray()})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Task{ID: "t1", ContactID: "p1", Title: "Call", DueDate: due})
		w.put(&pluvo.Note{ID: "n1", ContactID: "p1", Content: "Hello"})
		w.put(&pluvo.Contact{ID: "p2", FirstName: "Grace", Email: "grace@example.com"})
		require.Eventually(t, func() bool {
			require.NoError(t, w.engine.Follow(t.Context()))
			notes := 0
			for _, c := range w.server.Contacts() {
				notes += len(w.server.Notes(c.ID))
			}
			return len(w.server.Contacts()) == 2 && notes == 1 && len(w.failures()) == 1
		}, 10*time.Second, 20*time.Millisecond)
		require.Contains(t, w.failures()[0], "stopped")
		w.server.ClearFaults()
		for range 2 {
			w.retryAll()
			w.settle()
		}
		for _, c := range w.server.Contacts() {
			if len(w.server.Notes(c.ID)) > 0 {
				require.Len(t, w.server.Tasks(c.ID), 1)
			}
		}
	})
}

// TestAnEventBeforeItsContact waits, and the task arrives with the contact.
func TestAnEventBeforeItsContact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call", DueDate: ghl.NewTime(due)})
		w.server.Fail(ghltest.Fault{Operation: "contacts.get", Kind: fault.ContactNotFound(), Times: 1})
		w.touch(ada.ID)
		w.settle()
		require.Len(t, w.full(ada.ID).Tasks, 1)
	})
}

// TestAnUnmappedFieldIsNeverTouched, in neither system: absent, null and empty stay three things.
func TestAnUnmappedFieldIsNeverTouched(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com", City: "London",
			Website: "https://example.com"})
		w.edit(ada.ID, func(c *pluvo.Contact) {
			c.Stage, c.Fields = "lead", map[string]string{"shoe": "42"}
			c.LastName = "" // cleared
		})
		w.settle()
		theirs := w.contact(ada.ID)
		require.Equal(t, "London", theirs.City)
		require.Equal(t, "https://example.com", theirs.Website)
		require.Empty(t, theirs.LastName)
		_, err := w.client.Contacts.Update(t.Context(), ada.ID,
			&ghl.ContactUpdate{City: ghl.Null[string](), FirstName: ghl.Some("Augusta")})
		require.NoError(t, err)
		w.touch(ada.ID)
		w.settle()
		ours := w.full(ada.ID).Contact
		require.Equal(t, "lead", ours.Stage)
		require.Equal(t, "42", ours.Fields["shoe"])
		require.Equal(t, "Augusta", ours.FirstName)
		require.Empty(t, ours.LastName)
	})
}
