package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/pluvo"
)

var due = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

func TestAContactOfHighLevelArrives(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com",
			Phone: "+14155550100", Tags: []string{"vip"}})
		w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call", DueDate: ghl.NewTime(due)})
		w.server.AddNote(ghl.Note{ContactID: ada.ID, Body: "Hello"})
		w.touch(ada.ID)
		w.settle()
		full := w.full(ada.ID)
		require.Equal(t, "Ada", full.Contact.FirstName)
		require.Equal(t, []string{"vip"}, full.Contact.Tags)
		require.Len(t, full.Tasks, 1)
		require.Len(t, full.Notes, 1)
		require.Empty(t, w.writes(), "nothing is written to where it came from")
		require.Empty(t, w.conflicts())
		require.Empty(t, w.failures())
	})
}

func TestAContactOfPluvoArrives(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", Email: "Grace@Example.com", Phone: "(415) 555-0101",
			Tags: []string{"VIP", "new"}})
		w.put(&pluvo.Task{ID: "t1", ContactID: "p1", Title: "Call", DueDate: due})
		w.put(&pluvo.Note{ID: "n1", ContactID: "p1", Content: "Hello"})
		w.settle()
		contacts := w.server.Contacts()
		require.Len(t, contacts, 1)
		require.Equal(t, "grace@example.com", strings.ToLower(contacts[0].Email))
		require.Len(t, w.server.Tasks(contacts[0].ID), 1)
		require.Len(t, w.server.Notes(contacts[0].ID), 1)
		require.Len(t, w.writes(), 3)
		w.touch(contacts[0].ID)
		w.settle()
		require.Empty(t, w.writes(), "quiet, though HighLevel wrote the phone, e-mail and tags in its own way")
		require.Equal(t, "(415) 555-0101", w.full("p1").Contact.Phone)
		require.Empty(t, w.conflicts())
	})
}

func TestEditsOnBothSides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) {
			l.Owner = func(_ pluvo.Kind, field string) engine.Owner {
				if field == "lastName" {
					return engine.OwnerPluvo
				}
				return engine.OwnerGHL
			}
		})
		ada := w.known(ghl.Contact{FirstName: "Ada", LastName: "Byron", Email: "ada@example.com",
			Tags: []string{"a", "b"}, City: "London"})

		ctx := t.Context()
		_, err := w.client.Contacts.Update(ctx, ada.ID, &ghl.ContactUpdate{FirstName: ghl.Some("Augusta"),
			Email: ghl.Some("augusta@example.com"), LastName: ghl.Some("King")})
		require.NoError(t, err)
		_, err = w.client.Tags.Remove(ctx, ada.ID, []string{"a"})
		require.NoError(t, err)
		_, err = w.client.Tags.Add(ctx, ada.ID, []string{"c"})
		require.NoError(t, err)
		w.edit(ada.ID, func(c *pluvo.Contact) {
			c.Phone, c.LastName, c.Tags, c.FirstName = "+14155550199", "Lovelace", []string{"a", "d"}, "Adele"
		})
		w.touch(ada.ID)
		w.settle()
		theirs, ours := w.contact(ada.ID), w.full(ada.ID).Contact
		require.Equal(t, "Augusta", theirs.FirstName)
		require.Equal(t, "Augusta", ours.FirstName, "HighLevel owns it")
		require.Equal(t, "Lovelace", theirs.LastName, "Pluvo owns it")
		require.Equal(t, "Lovelace", ours.LastName)
		require.Equal(t, "augusta@example.com", ours.Email)
		require.Equal(t, "+14155550199", theirs.Phone)
		require.ElementsMatch(t, []string{"c", "d"}, theirs.Tags)
		require.ElementsMatch(t, []string{"c", "d"}, ours.Tags)
		require.Equal(t, "London", theirs.City, "what is not mapped stays")
		fields := map[string]engine.Side{}
		for _, k := range w.conflicts() {
			fields[k.Field] = k.Winner
		}
		require.Equal(t, map[string]engine.Side{"firstName": engine.GHL, "lastName": engine.Pluvo}, fields)

		w.writes()
		w.touch(ada.ID)
		w.settle()
		require.Empty(t, w.writes())
	})
}

func TestDeletions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, nil)
		ctx := t.Context()
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		theirs := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "One", DueDate: ghl.NewTime(due)})
		ours := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Two", DueDate: ghl.NewTime(due)})
		w.touch(ada.ID)
		w.settle()
		require.NoError(t, w.client.Tasks.Delete(ctx, ada.ID, theirs.ID))
		require.NoError(t, w.pluvo.Delete(ctx, pluvo.KindTask, ours.ID, pluvo.AnyVersion))
		w.touch(ada.ID)
		w.settle()
		require.Empty(t, w.server.Tasks(ada.ID))
		require.Empty(t, w.full(ada.ID).Tasks)
		w.touch(ada.ID) // late
		w.settle()
		require.Empty(t, w.server.Tasks(ada.ID))

		require.NoError(t, w.client.Contacts.Delete(ctx, ada.ID))
		w.touch(ada.ID)
		w.settle()
		_, _, err := w.pluvo.Get(ctx, pluvo.KindContact, ada.ID)
		require.ErrorIs(t, err, pluvo.ErrNotFound)
		w.touch(ada.ID)
		w.settle()
		require.Empty(t, w.server.Contacts())

		w.put(&pluvo.Contact{ID: "p1", FirstName: "Grace", Email: "grace@example.com"})
		w.settle()
		require.Len(t, w.server.Contacts(), 1)
		require.NoError(t, w.pluvo.Delete(ctx, pluvo.KindContact, "p1", pluvo.AnyVersion))
		w.settle()
		require.Empty(t, w.server.Contacts())
		require.Empty(t, w.conflicts())
		require.Empty(t, w.failures())
	})
}
