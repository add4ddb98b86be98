package ghlsync_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
)

// sizes of the backfill that TestBackfillCalls counts: GHLSYNC_BACKFILL contacts, or a thousand, and half as many tasks.
func backfillSize() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_BACKFILL")); err == nil {
		return n
	}
	return 1000
}

// populate fills HighLevel with contacts, tasks for every second and appointments in three calendars for every tenth.
func populate(t testing.TB, server *ghltest.Server, contacts int) (ids []string) {
	t.Helper()
	calendars := make([]string, 3)
	for i := range calendars {
		calendars[i] = server.AddCalendar(ghl.Calendar{Name: fmt.Sprint("Calendar ", i), IsActive: true}).ID
	}
	at := time.Now().Truncate(time.Hour)
	for i := range contacts {
		c := server.AddContact(ghl.Contact{FirstName: fmt.Sprint("First", i), LastName: "Last", Email: fmt.Sprintf("c%d@example.com", i), Tags: []string{"a", "b"}})
		ids = append(ids, c.ID)
		if i%2 == 0 {
			server.AddTask(ghl.Task{ContactID: c.ID, Title: fmt.Sprint("task", i)})
		}
		if i%10 == 0 {
			start := at.Add(time.Duration(i%200-100) * 24 * time.Hour)
			server.AddAppointment(ghl.Appointment{ContactID: c.ID, CalendarID: calendars[i/10%3], Title: fmt.Sprint("visit", i),
				StartTime: timeOf(start), EndTime: timeOf(start.Add(time.Hour))})
		}
		if i%20 == 0 {
			server.AddNote(ghl.Note{ContactID: c.ID, Body: fmt.Sprint("note", i)})
		}
	}
	return ids
}

func timeOf(at time.Time) (t ghl.Time) {
	_ = t.UnmarshalJSON([]byte(strconv.Quote(at.UTC().Format(time.RFC3339))))
	return t
}

// TestBackfillCalls: a backfill costs what its lists cost, and with notes one call more for each contact.
func TestBackfillCalls(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		contacts := backfillSize()
		server := ghltest.Start(t)
		ids := populate(t, server, contacts)
		s := start(t, config(t, address, server))
		const windows = 24
		lists := contacts/500 + contacts/2/100 + 3*windows + 100

		server.ResetRequests()
		began := time.Now()
		var last ghlsync.Progress
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{Progress: func(p ghlsync.Progress) { last = p }}))
		took := time.Since(began)
		quiet(t, s, server)
		calls := len(server.Requests())
		require.LessOrEqual(t, calls, lists)
		require.Equal(t, ghlsync.StageDone, last.Stage)
		require.Equal(t, contacts, last.Done)
		require.Equal(t, contacts, last.Total)
		require.Zero(t, last.Left)
		require.Equal(t, contacts/2, last.Tasks)
		require.Equal(t, contacts/10, last.Appointments)
		require.Positive(t, last.Rate)
		t.Logf("%d contacts in %s with %d calls (%v)", contacts, took.Round(time.Millisecond), calls, operations(server))
		same(t, s, server, ids, false)

		server.ResetRequests()
		began = time.Now()
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{Notes: true}))
		took = time.Since(began)
		quiet(t, s, server)
		calls = len(server.Requests())
		require.LessOrEqual(t, calls, lists+contacts)
		t.Logf("with notes in %s with %d calls (%v)", took.Round(time.Millisecond), calls, operations(server))
		same(t, s, server, ids, true)
	})
}

func operations(server *ghltest.Server) map[string]int {
	n := map[string]int{}
	for _, r := range server.Requests() {
		n[r.Operation]++
	}
	return n
}

// same compares both sides of contacts.
func same(t testing.TB, s *ghlsync.Syncer, server *ghltest.Server, ids []string, notes bool) {
	t.Helper()
	for _, id := range ids {
		theirs, ok := server.Contact(id)
		require.True(t, ok)
		ours, err := s.Pluvo().Full(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, theirs.FirstName, ours.Contact.FirstName)
		require.Equal(t, theirs.LastName, ours.Contact.LastName)
		require.ElementsMatch(t, theirs.Tags, ours.Contact.Tags)
		var want, have []string
		for _, x := range server.Tasks(id) {
			want = append(want, "task "+x.Title)
		}
		for _, x := range server.Appointments(id) {
			want = append(want, "appointment "+x.Title)
		}
		for _, x := range server.Notes(id) {
			if notes {
				want = append(want, "note "+x.Body)
			}
		}
		for _, x := range ours.Tasks {
			have = append(have, "task "+x.Title)
		}
		for _, x := range ours.Appointments {
			have = append(have, "appointment "+x.Title)
		}
		for _, x := range ours.Notes {
			have = append(have, "note "+x.Content)
		}
		require.ElementsMatch(t, want, have, id)
	}
}
