package engine_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/pluvo"
)

// TestNewsOfLists: which contacts a list makes one look at, and which it does not.
func TestNewsOfLists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		w := newWorld(t, address, func(l *engine.Location) { l.Deletes = engine.DeleteKeeps })
		ctx, location := t.Context(), w.client.Location()
		calendar := w.server.AddCalendar(ghl.Calendar{Name: "Talk", IsActive: true}).ID
		ada := w.server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		bea := w.server.AddContact(ghl.Contact{FirstName: "Bea", Email: "bea@example.com"})
		stranger := w.server.AddContact(ghl.Contact{FirstName: "Cleo", Email: "cleo@example.com"})
		task := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Call", DueDate: ghl.NewTime(due)})
		kept := w.server.AddTask(ghl.Task{ContactID: ada.ID, Title: "Kept", DueDate: ghl.NewTime(due)})
		at := time.Now().Add(24 * time.Hour).Truncate(time.Hour)
		visit := w.server.AddAppointment(ghl.Appointment{ContactID: ada.ID, CalendarID: calendar, Title: "visit",
			StartTime: ghl.NewTime(at), EndTime: ghl.NewTime(at.Add(time.Hour))})
		w.touch(ada.ID)
		w.touch(bea.ID)
		w.settle()
		require.NoError(t, w.pluvo.Delete(ctx, pluvo.KindTask, kept.ID, pluvo.AnyVersion))
		w.settle()
		require.Len(t, w.server.Tasks(ada.ID), 2)

		tasks := func(whole bool, lists map[string][]*ghl.Task) engine.News {
			t.Helper()
			news, err := w.engine.TaskNews(ctx, location, lists, whole)
			require.NoError(t, err)
			return news
		}
		of := func(n engine.News) []string { return slices.Sorted(maps.Keys(n)) }
		both := []string{ada.ID, bea.ID}
		slices.Sort(both)
		edited := func(title string) *ghl.Task {
			changed := task
			changed.Title = title
			return &changed
		}
		other := ghl.Task{ID: "other", Title: "Other", DueDate: ghl.NewTime(due)}
		require.Empty(t, tasks(true, map[string][]*ghl.Task{ada.ID: {&task, &kept}}),
			"nothing new, and what Pluvo has deleted is kept")
		require.Equal(t, []string{ada.ID}, of(tasks(true, nil)), "missing")
		require.Empty(t, tasks(false, nil), "but the list is not complete")
		require.Equal(t, []string{ada.ID}, of(tasks(false, map[string][]*ghl.Task{ada.ID: {edited("Call again")}})))
		require.Equal(t, both, of(tasks(true, map[string][]*ghl.Task{bea.ID: {&task}})), "moved")
		require.Empty(t, tasks(true, map[string][]*ghl.Task{"": {&task}}), "of no contact")
		require.Equal(t, []string{bea.ID}, of(tasks(false, map[string][]*ghl.Task{bea.ID: {&other}})), "new")
		require.Empty(t, tasks(false, map[string][]*ghl.Task{stranger.ID: {&other}}),
			"of a contact that is not linked yet")
		again := func(title string) engine.News { return tasks(true, map[string][]*ghl.Task{ada.ID: {edited(title)}}) }
		require.Equal(t, again("Two"), again("Two"))
		require.NotEqual(t, again("Two"), again("Three"), "something else is told")
		require.NotEqual(t, again("Two"), tasks(true, nil))

		appointments := func(since, until time.Time, lists map[string][]*ghl.Appointment) []string {
			t.Helper()
			news, err := w.engine.AppointmentNews(ctx, location, lists, true, since, until)
			require.NoError(t, err)
			return of(news)
		}
		day := 24 * time.Hour
		require.Empty(t, appointments(at.Add(-day), at.Add(day), map[string][]*ghl.Appointment{ada.ID: {&visit}}))
		require.Equal(t, []string{ada.ID}, appointments(at.Add(-day), at.Add(day), nil))
		require.Empty(t, appointments(at.Add(time.Hour), at.Add(day), nil), "it was before that")
		require.Empty(t, appointments(at.Add(-day), at.Add(-time.Hour), nil), "it is after that")

		missing, err := w.engine.MissingContacts(ctx, location, map[string]bool{ada.ID: true})
		require.NoError(t, err)
		require.Equal(t, []string{bea.ID}, missing)
		for _, tc := range []struct {
			c    ghl.Contact
			news bool
		}{{ada, false}, {stranger, true}, {ghl.Contact{ID: bea.ID, FirstName: "Beatrice", Email: bea.Email}, true}} {
			is, err := w.engine.News(ctx, location, &tc.c)
			require.NoError(t, err)
			require.Equal(t, tc.news, is, tc.c.FirstName)
		}
	})
}
