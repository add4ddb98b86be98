package engine_test

import (
	"slices"
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

// TestTheSamePersonOnBothSides is linked by phone or e-mail, whichever side is looked at first.
func TestTheSamePersonOnBothSides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		byPhone := w.server.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+14155550100"})
		byMail := w.server.AddContact(ghl.Contact{FirstName: "Grace", Email: "grace@example.com",
			Tags: []string{"ghl"}})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", LastName: "Lovelace", Phone: "415-555-0100"})
		w.put(&pluvo.Contact{ID: "p2", FirstName: "Grace", Email: "GRACE@example.com", Tags: []string{"pluvo"}})
		w.touch(byMail.ID)
		w.settle()
		require.Len(t, w.server.Contacts(), 2, "none was made twice")
		require.Equal(t, "Lovelace", w.contact(byPhone.ID).LastName, "an empty field takes what the other side has")
		require.ElementsMatch(t, []string{"ghl", "pluvo"}, w.contact(byMail.ID).Tags)
		require.ElementsMatch(t, []string{"ghl", "pluvo"}, w.full("p2").Contact.Tags)
		require.Empty(t, w.conflicts())
	})
}

// TestTwoCandidatesAreForAPerson: nobody guesses.
func TestTwoCandidatesAreForAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		one := w.server.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+14155550100"})
		two := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Ada", Phone: "+14155550100", Email: "ada@example.com"})
		w.settle()
		w.settle()
		require.Len(t, w.server.Contacts(), 2)
		open := w.conflicts()
		require.Len(t, open, 1)
		require.Equal(t, "match", open[0].Field)
		require.Empty(t, w.writes())

		require.NoError(t, w.client.Contacts.Delete(t.Context(), two.ID)) // or its e-mail could not be the other's
		require.NoError(t, w.engine.Link(t.Context(), w.client.Location(), one.ID, "p1"))
		_, err := w.engine.Resolve(t.Context(), open[0].ID)
		require.NoError(t, err)
		_, err = w.engine.Resolve(t.Context(), open[0].ID)
		require.Error(t, err, "pressed twice")
		w.settle()
		require.Equal(t, "ada@example.com", w.contact(one.ID).Email)
	})
}

// TestALostAnswerMakesOneRecord: the record is looked for before it is made again.
func TestALostAnswerMakesOneRecord(t *testing.T) {
	for name, kind := range map[string]fault.Kind{"lost": fault.CutAfterWork(),
		"500 after the work": fault.InternalServerError().AfterWork(),
		"422 though created": fault.CreatedAllTheSame(), "cut before": fault.CutBeforeWork()} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				w := newWorld(t, address, nil)
				for _, op := range []string{"contacts.create", "tasks.create", "notes.create"} {
					w.server.Fail(ghltest.Fault{Operation: op, Kind: kind, Times: 1})
				}
				w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", Email: "grace@example.com"})
				w.put(&pluvo.Contact{ID: "p2", FirstName: "Nameonly"})
				w.put(&pluvo.Task{ID: "t1", ContactID: "p1", Title: "Call", DueDate: due})
				w.put(&pluvo.Note{ID: "n1", ContactID: "p1", Content: "Hello"})
				w.settle()
				for range 3 { // a 422 is final until somebody asks
					w.retryAll()
					w.settle()
				}
				contacts := w.server.Contacts()
				require.Len(t, contacts, 2)
				for _, c := range contacts {
					if c.Email != "" {
						require.Len(t, w.server.Tasks(c.ID), 1)
						require.Len(t, w.server.Notes(c.ID), 1)
					}
				}
				require.Len(t, w.full("p1").Tasks, 1)
				require.Empty(t, w.conflicts())
			})
		})
	}
}

// TestALostCreateThatIsEdited: what a create of unknown outcome has made is edited in HighLevel before it is looked
// for. It is known all the same, and the edit comes to Pluvo.
func TestALostCreateThatIsEdited(t *testing.T) {
	later := due.Add(24 * time.Hour)
	for name, edit := range map[string]ghl.TaskUpdate{"completed": {Completed: ghl.Some(true)},
		"retitled": {Title: ghl.Some("Call again")}, "put off": {DueDate: ghl.Some(later)}} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				w := newWorld(t, address, nil)
				ada := w.known(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
				w.server.Fail(ghltest.Fault{Operation: "tasks.create", Kind: fault.CutAfterWork(), Times: 1})
				w.put(&pluvo.Task{ID: "t1", ContactID: ada.ID, Title: "Call", DueDate: due})
				require.NoError(t, w.engine.Follow(t.Context()))
				require.Eventually(t, func() bool { return len(w.server.Tasks(ada.ID)) == 1 }, waiting,
					time.Millisecond)
				_, err := w.client.Tasks.Update(t.Context(), ada.ID, w.server.Tasks(ada.ID)[0].ID, &edit)
				require.NoError(t, err)
				_, err = w.client.Tasks.Create(t.Context(), ada.ID,
					&ghl.TaskCreate{Title: "Another", DueDate: due.Add(time.Hour)})
				require.NoError(t, err)
				w.settle()
				require.Len(t, w.server.Tasks(ada.ID), 2)
				ours := w.full(ada.ID).Tasks
				require.Len(t, ours, 2)
				n := slices.IndexFunc(ours, func(r pluvo.Task) bool { return r.ID == "t1" })
				require.NotEqual(t, -1, n)
				for _, x := range w.server.Tasks(ada.ID) {
					if x.Title == ours[n].Title {
						require.Equal(t, x.Completed, ours[n].Completed)
						require.WithinDuration(t, x.DueDate.In(time.UTC), ours[n].DueDate, 0)
					}
				}
				require.Equal(t, name == "completed", ours[n].Completed)
				require.Equal(t, name == "retitled", ours[n].Title == "Call again")
				require.Equal(t, name == "put off", ours[n].DueDate.Equal(later))
				require.Empty(t, w.conflicts())
			})
		})
	}
}

// TestALostCreateIsKnownByItsContact: what a create of unknown outcome has made is delivered before it could be looked
// for. Nothing but the stored intent tells whose it is.
func TestALostCreateIsKnownByItsContact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) { impatient(t, l) })
		w.server.Fail(ghltest.Fault{Operation: "contacts.create", Kind: fault.CutAfterWork(), Times: 1})
		w.server.Fail(ghltest.Fault{Operation: "contacts.list", Kind: fault.ValidationString("query must be a string")})
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", LastName: "Hopper"})
		require.NoError(t, w.engine.Follow(t.Context()))
		w.settle() // it has stopped, so that nobody works on it
		require.Len(t, w.server.Contacts(), 1)
		require.Empty(t, w.linked("p1"))
		made := w.server.Contacts()[0].ID
		w.touch(made)
		require.Eventually(t, func() bool { return len(w.linked("p1")) == 1 || len(w.linked(made)) == 1 },
			waiting, tick)
		require.Equal(t, []string{made}, w.linked("p1"))
		w.settle()
		w.server.ClearFaults()
		w.retryAll()
		w.settle()
		require.Len(t, w.server.Contacts(), 1)
		require.Equal(t, "Hopper", w.full("p1").Contact.LastName)
		require.Empty(t, w.conflicts())
	})
}
