package engine_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// impatient is a client that does not repeat a request itself.
func impatient(t *testing.T, l *engine.Location) {
	client, err := l.Client.With(ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	l.Client = client
}

// TestAnEditAfterALostWrite: a run whose write arrived came to no end, and then the side that it came from is edited
// once more. The written value is known as an own one, whoever owns the field: the edit wins, and there is no conflict.
func TestAnEditAfterALostWrite(t *testing.T) {
	for _, owner := range []engine.Owner{engine.OwnerGHL, engine.OwnerPluvo} {
		for _, tc := range []struct{ name, last string }{{"once more", "Lovelace"}, {"back", "Byron"}} {
			t.Run("for Pluvo, "+tc.name+", owner "+string(owner), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, address string) {
					put := &around{method: http.MethodPut}
					w := newWorld(t, address, func(l *engine.Location) {
						l.Owner = func(pluvo.Kind, string) engine.Owner { return owner }
						impatient(t, l)
						put.use(t, l)
					})
					ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
					w.server.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault.CutAfterWork(), Times: 1})
					edit := func() {
						require.Equal(t, "King", w.contact(ada.ID).LastName)
						w.put(&pluvo.Contact{ID: ada.ID, FirstName: "Ada", LastName: tc.last, Email: "ada@example.com",
							Origin: w.full(ada.ID).Contact.Origin})
					}
					put.after.Store(&edit)
					w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName = "King" })
					w.settle()
					require.Equal(t, tc.last, w.contact(ada.ID).LastName)
					require.Equal(t, tc.last, w.full(ada.ID).Contact.LastName)
					require.Empty(t, w.conflicts())
				})
			})
			t.Run("for HighLevel, "+tc.name+", owner "+string(owner), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, address string) {
					w := newWorld(t, address, func(l *engine.Location) {
						l.Owner = func(pluvo.Kind, string) engine.Owner { return owner }
					})
					ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
					edit := func() error {
						require.Equal(t, "King", w.full(ada.ID).Contact.LastName)
						w.theirName(ada.ID, tc.last)
						return errors.New("the answer is lost")
					}
					w.pluvo.after.Store(&edit)
					w.theirName(ada.ID, "King")
					w.touch(ada.ID)
					w.settle()
					require.Equal(t, tc.last, w.contact(ada.ID).LastName)
					require.Equal(t, tc.last, w.full(ada.ID).Contact.LastName)
					require.Empty(t, w.conflicts())
				})
			})
		}
	}
}

// TestATagAfterALostWrite: the same for tags. What Pluvo takes away again does not come back from HighLevel, nor does
// what it gives again go.
func TestATagAfterALostWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		tags := &around{method: http.MethodDelete, suffix: "/tags"}
		w := newWorld(t, address, func(l *engine.Location) { impatient(t, l); tags.use(t, l) })
		ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com", Tags: []string{"a", "b"}})
		w.server.Fail(ghltest.Fault{Operation: "tags.remove", Kind: fault.CutAfterWork(), Times: 1})
		back := func() {
			require.ElementsMatch(t, []string{"b", "c"}, w.contact(ada.ID).Tags)
			w.edit(ada.ID, func(c *pluvo.Contact) { c.Tags = []string{"a", "b"} })
		}
		tags.after.Store(&back)
		w.edit(ada.ID, func(c *pluvo.Contact) { c.Tags = []string{"b", "c"} })
		w.settle()
		require.ElementsMatch(t, []string{"a", "b"}, w.full(ada.ID).Contact.Tags)
		require.ElementsMatch(t, []string{"a", "b"}, w.contact(ada.ID).Tags)
		require.Empty(t, w.conflicts())
	})
}

// TestALostWriteOfATask: the same for what belongs to a contact.
func TestALostWriteOfATask(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		put := &around{method: http.MethodPut}
		w := newWorld(t, address, func(l *engine.Location) { impatient(t, l); put.use(t, l) })
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.settle()
		w.server.Fail(ghltest.Fault{Operation: "tasks.update", Kind: fault.CutAfterWork(), Times: 1})
		task := w.full(ada.ID).Tasks[0]
		edit := func() {
			require.Equal(t, "Two", w.server.Tasks(ada.ID)[0].Title)
			task.Title = "Three"
			w.put(&task)
		}
		put.after.Store(&edit)
		two := task
		two.Title = "Two"
		w.put(&two)
		w.settle()
		require.Equal(t, "Three", w.server.Tasks(ada.ID)[0].Title)
		require.Equal(t, "Three", w.full(ada.ID).Tasks[0].Title)
		require.Empty(t, w.conflicts())
	})
}

// TestALostWriteOfWhatOnlyGoesThere: HighLevel does not tell what it has, so it is written whatever has become of the
// first write.
func TestALostWriteOfWhatOnlyGoesThere(t *testing.T) {
	for _, last := range []string{"lead", "won", "lost", ""} {
		for kind, fault := range map[string]fault.Kind{"written": fault.CutAfterWork(),
			"not written": fault.CutBeforeWork()} {
			t.Run(last+" "+kind, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, address string) {
					put := &around{method: http.MethodPut}
					w := newWorld(t, address, func(l *engine.Location) {
						onlyThere(t, l)
						impatient(t, l)
						put.use(t, l)
					})
					w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com", Stage: "lead"})
					w.settle()
					id := w.linked("p1")[0]
					w.server.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault, Times: 1})
					edit := func() {
						w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com", Stage: last})
					}
					put.after.Store(&edit)
					w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Email: "ada@example.com", Stage: "won"})
					w.settle()
					require.Equal(t, last, w.contact(id).Source)
					require.Equal(t, last, w.full("p1").Contact.Stage)
					require.Empty(t, w.conflicts())
				})
			})
		}
	}
}

// TestAnEditAfterARefusal: an edit that HighLevel refused is taken back, and made once more. Each is an edit, though
// Pluvo then holds what was last in step, or what was being written.
func TestAnEditAfterARefusal(t *testing.T) {
	for name, skip := range map[string]bool{"stopped": false, "skipped": true} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				w := newWorld(t, address, nil)
				ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
				edit := func(last string) {
					w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName = last })
					w.settle()
				}
				w.server.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault.ValidationString("no"), Times: 1})
				edit("King")
				open, err := w.queue.Failures(t.Context(), queue.FailureFilter{})
				require.NoError(t, err)
				require.Len(t, open, 1)
				require.Equal(t, queue.Stopped, open[0].State)
				if skip {
					require.NoError(t, w.queue.Skip(t.Context(), open[0].ID))
				}
				edit("Byron")
				open, err = w.queue.Failures(t.Context(), queue.FailureFilter{})
				require.NoError(t, err)
				require.Empty(t, open, "both sides are the same again")
				edit("King")
				require.Equal(t, "King", w.contact(ada.ID).LastName)
			})
		})
	}
}

// TestAnEditAfterARefusalOnceMore: the same edit is made twice, without the step back being seen.
func TestAnEditAfterARefusalOnceMore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
		w.server.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault.ValidationString("no"), Times: 1})
		w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName = "King" })
		w.settle()
		require.Equal(t, "Byron", w.contact(ada.ID).LastName)
		for _, last := range []string{"Byron", "King"} {
			w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName = last })
		}
		w.settle()
		require.Equal(t, "King", w.contact(ada.ID).LastName)
	})
}

// TestAnEditBackToALostWrite: what a run wrote in vain was replaced in Pluvo, and comes back while the next run, which
// has seen the other value, is at it. It is an edit, and no echo.
func TestAnEditBackToALostWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		get := &around{method: http.MethodGet, suffix: "/tasks"}
		w := newWorld(t, address, func(l *engine.Location) { impatient(t, l); get.use(t, l) })
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
		w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.settle()
		task := w.full(ada.ID).Tasks[0]
		edit := func(title string) {
			changed := task
			changed.Title = title
			w.put(&changed)
		}
		w.server.Fail(ghltest.Fault{Operation: "tasks.update", Kind: fault.ValidationString("no"), Times: 1})
		edit("Two")
		w.settle()
		require.Equal(t, "One", w.server.Tasks(ada.ID)[0].Title)
		back := func() { // the run has read Pluvo, and not yet HighLevel's tasks
			edit("Two")
			require.NoError(t, w.engine.Follow(t.Context()))
		}
		get.before.Store(&back)
		edit("Three")
		w.settle()
		require.Equal(t, "Two", w.full(ada.ID).Tasks[0].Title)
		require.Equal(t, "Two", w.server.Tasks(ada.ID)[0].Title)
	})
}

// TestALostWriteOfTheFirstMerge: two records that were never in step differ in something that is on or off. Who owns it
// decides, also when the first run came to no end.
func TestALostWriteOfTheFirstMerge(t *testing.T) {
	for _, owner := range []engine.Owner{engine.OwnerGHL, engine.OwnerPluvo} {
		t.Run(string(owner), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				w := newWorld(t, address, func(l *engine.Location) {
					impatient(t, l)
					l.Owner = func(_ pluvo.Kind, field string) engine.Owner {
						if field == "title" {
							return engine.OwnerPluvo
						}
						return owner
					}
				})
				ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
				task := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Theirs", DueDate: ghl.NewTime(due)})
				w.server.Fail(ghltest.Fault{Operation: "tasks.update", Kind: fault.CutBeforeWork(), Times: 1})
				w.put(&pluvo.Task{ID: "t1", ContactID: ada.ID, Title: "Ours", DueDate: due, Status: pluvo.TaskCompleted,
					Completed: true,
					Origin:    pluvo.Origin{System: mapping.System, Location: w.client.Location(), ID: task.ID}})
				w.settle()
				done := owner == engine.OwnerPluvo
				require.Equal(t, "Ours", w.server.Tasks(ada.ID)[0].Title)
				require.Equal(t, "Ours", w.full(ada.ID).Tasks[0].Title)
				require.Equal(t, done, w.server.Tasks(ada.ID)[0].Completed)
				require.Equal(t, done, w.full(ada.ID).Tasks[0].Completed)
			})
		})
	}
}

// TestADeletionAfterALostWrite: where an edit wins over a deletion, the write of a run that came to no end is no edit.
func TestADeletionAfterALostWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		put := &around{method: http.MethodPut}
		w := newWorld(t, address, func(l *engine.Location) {
			l.Deletes = engine.UpdateWins
			impatient(t, l)
			put.use(t, l)
		})
		add := func(name string) ghl.Contact {
			c := w.server.AddContact(ghl.Contact{FirstName: name, Email: name + "@example.com"})
			w.server.AddTask(ghl.Task{ContactID: c.ID, Title: "One", DueDate: ghl.NewTime(due)})
			w.touch(c.ID)
			w.settle()
			return c
		}
		gone := func(id string) {
			t.Helper()
			w.settle()
			_, there := w.server.Contact(id)
			require.False(t, there)
			_, err := w.pluvo.Full(t.Context(), id)
			require.ErrorIs(t, err, pluvo.ErrNotFound)
		}
		lost := errors.New("the answer is lost")

		t.Log("a contact that was written to HighLevel")
		ada := add("ada")
		w.server.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault.CutAfterWork(), Times: 1})
		remove := func() {
			require.NoError(t, w.pluvo.Delete(t.Context(), pluvo.KindContact, ada.ID, pluvo.AnyVersion))
		}
		put.after.Store(&remove)
		w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName = "King" })
		gone(ada.ID)

		t.Log("a contact that was written to Pluvo")
		bea := add("bea")
		removed := func() error {
			require.NoError(t, w.client.Contacts.Delete(t.Context(), bea.ID))
			return lost
		}
		w.pluvo.after.Store(&removed)
		w.theirName(bea.ID, "King")
		w.touch(bea.ID)
		gone(bea.ID)

		t.Log("a task that was written to HighLevel")
		cleo := add("cleo")
		task := w.full(cleo.ID).Tasks[0]
		w.server.Fail(ghltest.Fault{Operation: "tasks.update", Kind: fault.CutAfterWork(), Times: 1})
		remove = func() { require.NoError(t, w.pluvo.Delete(t.Context(), pluvo.KindTask, task.ID, pluvo.AnyVersion)) }
		put.after.Store(&remove)
		task.Title = "Two"
		w.put(&task)
		w.settle()
		require.Empty(t, w.server.Tasks(cleo.ID))
		require.Empty(t, w.full(cleo.ID).Tasks)

		t.Log("a task that was written to Pluvo")
		dora := add("dora")
		id := w.server.Tasks(dora.ID)[0].ID
		removed = func() error {
			require.NoError(t, w.client.Tasks.Delete(t.Context(), dora.ID, id))
			return lost
		}
		w.pluvo.after.Store(&removed)
		_, err := w.client.Tasks.Update(t.Context(), dora.ID, id, &ghl.TaskUpdate{Title: ghl.Some("Two")})
		require.NoError(t, err)
		w.touch(dora.ID)
		w.settle()
		require.Empty(t, w.server.Tasks(dora.ID))
		require.Empty(t, w.full(dora.ID).Tasks)
	})
}

// TestAnEchoBeforeTheEnd: Pluvo's changes are followed between the write of a run and its end. Nothing is read again
// for it.
func TestAnEchoBeforeTheEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
		w.theirName(ada.ID, "King")
		w.server.ResetRequests()
		follow := func() error { return w.engine.Follow(t.Context()) }
		w.pluvo.after.Store(&follow)
		w.touch(ada.ID)
		w.settle()
		require.Equal(t, "King", w.full(ada.ID).Contact.LastName)
		require.Len(t, w.server.Requests(), 4)
	})
}

// TestAnEditToWhatWasWrittenOnce: what a run has written and stored is no longer under way.
func TestAnEditToWhatWasWrittenOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com"})
		theirs := func(last string) {
			w.theirName(ada.ID, last)
			w.touch(ada.ID)
		}
		ours := func(last string) {
			w.edit(ada.ID, func(c *pluvo.Contact) { c.LastName = last })
		}
		ours("King") // is written to HighLevel
		w.settle()
		ours("Lovelace")
		theirs("Lovelace") // both have it, and nothing is written
		w.settle()
		theirs("King")
		w.settle()
		require.Equal(t, "King", w.full(ada.ID).Contact.LastName)
		require.Equal(t, "King", w.contact(ada.ID).LastName)
		require.Empty(t, w.conflicts())
	})
}

// TestATagThatDidNotArrive: a tag that a run wanted to give or take away, and did not, is not taken for one of which
// the other side thinks otherwise.
func TestATagThatDidNotArrive(t *testing.T) {
	for _, operation := range []string{"tags.add", "tags.remove"} {
		t.Run(operation, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				w := newWorld(t, address, func(l *engine.Location) { impatient(t, l) })
				ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com", Tags: []string{"a", "b"}})
				w.server.Fail(ghltest.Fault{Operation: operation, Kind: fault.CutBeforeWork(), Times: 1})
				w.edit(ada.ID, func(c *pluvo.Contact) { c.Tags = []string{"b", "c"} })
				w.settle()
				require.ElementsMatch(t, []string{"b", "c"}, w.full(ada.ID).Contact.Tags)
				require.ElementsMatch(t, []string{"b", "c"}, w.contact(ada.ID).Tags)
			})
		})
	}
}
