package ghlsync_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

// sizes returns the sizes of the backfill in TestBackfillCalls: GHLSYNC_BACKFILL contacts or a default, and half as
// many tasks.
func backfillSize() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_BACKFILL")); err == nil {
		return n
	}
	return 200
}

// populate fills HighLevel with contacts. Every second contact has a task, every tenth appointments in three calendars.
func populate(t testing.TB, server *ghltest.Server, contacts int) (ids []string) {
	t.Helper()
	calendars := make([]string, 3)
	for i := range calendars {
		calendars[i] = server.AddCalendar(ghl.Calendar{Name: fmt.Sprint("Calendar ", i), IsActive: true}).ID
	}
	at := time.Now().Truncate(time.Hour)
	for i := range contacts {
		c := server.AddContact(ghl.Contact{FirstName: fmt.Sprint("First", i), LastName: "Last",
			Email: fmt.Sprintf("c%d@example.com", i), Tags: []string{"a", "b"}})
		ids = append(ids, c.ID)
		if i%2 == 0 {
			server.AddTask(ghl.Task{ContactID: c.ID, Title: fmt.Sprint("task", i)})
		}
		if i%10 == 0 {
			start := at.Add(time.Duration(i%200-100) * 24 * time.Hour)
			server.AddAppointment(ghl.Appointment{ContactID: c.ID, CalendarID: calendars[i/10%3],
				Title:     fmt.Sprint("visit", i),
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

// TestBackfillCalls: a backfill makes only the calls of its lists, and with notes one more call for each contact.
func TestBackfillCalls(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		contacts := backfillSize()
		server := ghltest.Start(t)
		ids := populate(t, server, contacts)
		var asked atomic.Int64 // the server's log of requests holds at most 10,000
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			server.Handler().ServeHTTP(w, r)
		}))
		defer front.Close()
		c := config(t, address, server)
		c.Locations[0].ClientOptions = []ghl.Option{ghl.WithBaseURL(front.URL)}
		s := start(t, c)
		const windows = 24
		lists := contacts/500 + contacts/2/100 + 3*windows + 100

		asked.Store(0)
		server.ResetRequests()
		began := time.Now()
		var last ghlsync.Progress
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(),
			ghlsync.BackfillOptions{Progress: func(p ghlsync.Progress) {
				last = p
				if p.Stage == ghlsync.StageContacts {
					assert.Equal(t, p.Total-p.Done, p.Left)
					assert.Equal(t, p.Done > 0, p.Rate > 0)
					assert.Equal(t, p.Done > 0 && p.Left > 0, p.Remaining > 0)
				}
			}}))
		took := time.Since(began)
		quiet(t, s, server)
		calls := int(asked.Load())
		require.LessOrEqual(t, calls, lists)
		of := operations(server)
		require.LessOrEqual(t, of["contacts.search"], contacts/500+1)
		require.LessOrEqual(t, of["tasks.search"], contacts/2/100+2)
		require.LessOrEqual(t, of["calendars.events"], 3*windows)
		require.Zero(t, of["contacts.get"]+of["tasks.list"]+of["appointments.listForContact"]+of["notes.list"])
		require.Equal(t, ghlsync.StageDone, last.Stage)
		require.Equal(t, contacts, last.Done)
		require.Equal(t, contacts, last.Total)
		require.Zero(t, last.Left)
		require.Equal(t, contacts/2, last.Tasks)
		require.Equal(t, contacts/10, last.Appointments)
		require.Positive(t, last.Rate)
		t.Logf("%d contacts in %s with %d calls of at most %d (%v)", contacts, took.Round(time.Millisecond),
			calls, lists,
			operations(server))
		same(t, s, server, ids, false)

		asked.Store(0)
		server.ResetRequests()
		began = time.Now()
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{Notes: true}))
		took = time.Since(began)
		quiet(t, s, server)
		calls = int(asked.Load())
		require.LessOrEqual(t, calls, lists+contacts)
		t.Logf("with notes in %s with %d calls of at most %d (%v)", took.Round(time.Millisecond), calls, lists+contacts,
			operations(server))
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

// same asserts that contacts are equal on both sides, with or without their notes.
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
			if notes {
				have = append(have, "note "+x.Content)
			}
		}
		require.ElementsMatch(t, want, have, id)
	}
}

// backfillRole is a process that runs a backfill in small pages and prints its progress.
func backfillRole(args []string) {
	address, server, token, location := args[0], args[1], args[2], args[3]
	ghlsync.SmallSteps(25)
	s, err := ghlsync.New(context.Background(), ghlsync.Config{
		Database: address, Logger: slog.New(slog.DiscardHandler), Lease: time.Second,
		Locations: []ghlsync.Location{{
			ID: location, TokenSource: ghl.StaticTokenSource(token), TimeZone: "America/Chicago",
			ClientOptions: []ghl.Option{ghl.WithBaseURL(server), unlimited},
		}},
	})
	exitOn(err)
	exitOn(s.Start(context.Background()))
	for {
		err := s.Backfill(context.Background(), location,
			ghlsync.BackfillOptions{Notes: true, Since: time.Now().AddDate(0, 0, -110),
				Until: time.Now().AddDate(0, 0, 110), Progress: func(p ghlsync.Progress) {
					fmt.Println(p.Stage, p.Resumed, p.Done)
				}})
		// the lock of a killed process is free after its lease has expired
		if !errors.Is(err, ghlsync.ErrBackfillRuns) {
			exitOn(err)
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	exitOn(s.Stop(context.Background()))
}

// TestBackfillResumes: a process that runs a backfill is killed again and again. The next process resumes after the
// last complete page, and at the end each contact exists once.
func TestBackfillResumes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		server := ghltest.Start(t)
		ids := populate(t, server, 80)
		random := rand.New(rand.NewPCG(1, 2))
		resumed := 0
		for end := false; !end; {
			p := dbtest.Start(t, "backfill", address, server.URL(), server.Token(), server.LocationID())
			killAt := resumed + 26 + random.IntN(40)
			last := ""
			for line := range p.Lines() {
				last = line
				var stage string
				var before, done int
				_, err := fmt.Sscan(line, &stage, &before, &done)
				require.NoError(t, err)
				require.GreaterOrEqual(t, before, resumed, "it never repeats a complete page")
				require.Zero(t, before%25, "it starts at the beginning of a page")
				resumed = before
				if stage == string(ghlsync.StageContacts) && done >= killAt {
					p.Kill()
					break
				}
			}
			end = strings.HasPrefix(last, string(ghlsync.StageDone))
		}
		require.Positive(t, resumed)
		s := start(t, config(t, address, server)) // the queue has the interrupted runs
		quiet(t, s, server)
		same(t, s, server, ids, true)
		all := (&people{t: t, store: records.New(d)}).contacts()
		require.Len(t, all, len(ids))
		require.Len(t, server.Contacts(), len(ids))
		failures, err := s.Failures(t.Context(), ghlsync.FailureFilter{})
		require.NoError(t, err)
		require.Empty(t, failures)
	})
}

// betweenPages returns the address of a proxy before HighLevel. It calls do once, after HighLevel has answered with a
// page of contacts and before the answer is sent on.
func betweenPages(t testing.TB, server *ghltest.Server, do *atomic.Pointer[func()]) string {
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/contacts/search" || do.Load() == nil {
			server.Handler().ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		server.Handler().ServeHTTP(answer, r)
		if f := do.Swap(nil); f != nil {
			(*f)()
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// TestBackfillLosesToLiveChange: a contact is changed, and the change is synced, after HighLevel has built the page
// and before the page arrives. The older version in the page does not overwrite the change.
func TestBackfillLosesToLiveChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		ids := populate(t, server, 20)
		var between atomic.Pointer[func()]
		c := config(t, address, server)
		c.Locations[0].ClientOptions = []ghl.Option{ghl.WithBaseURL(betweenPages(t, server, &between))}
		s := start(t, c)
		subscribe(t, s, server)
		client := clientOf(t, server)
		ctx := t.Context()

		require.NoError(t, s.Touch(ctx, server.LocationID(), ids[2]))
		quiet(t, s, server)
		meanwhile := func() {
			_, err := client.Contacts.Update(ctx, ids[0], &ghl.ContactUpdate{LastName: ghl.Some("Changed")})
			require.NoError(t, err)
			require.NoError(t, client.Tasks.Delete(ctx, ids[0], server.Tasks(ids[0])[0].ID))
			_, err = client.Contacts.Update(ctx, ids[1], &ghl.ContactUpdate{LastName: ghl.Some("Changed")})
			require.NoError(t, err)
			require.NoError(t, client.Contacts.Delete(ctx, ids[2]))
			// only the task differs between the versions
			require.NoError(t, client.Tasks.Delete(ctx, ids[4], server.Tasks(ids[4])[0].ID))
			quiet(t, s, server)
			full, err := s.Pluvo().Full(ctx, ids[1])
			require.NoError(t, err)
			full.Contact.LastName = "Changed here" // this change is not followed yet
			_, err = s.Pluvo().Put(ctx, &full.Contact, pluvo.AnyVersion)
			require.NoError(t, err)
		}
		between.Store(&meanwhile)
		require.NoError(t, s.Backfill(ctx, server.LocationID(), ghlsync.BackfillOptions{Notes: true}))
		s.PluvoChanged()
		quiet(t, s, server)
		same(t, s, server, append(ids[:2:2], ids[3:]...), true)
		theirs, _ := server.Contact(ids[0])
		require.Equal(t, "Changed", theirs.LastName)
		theirs, _ = server.Contact(ids[1])
		require.Equal(t, "Changed here", theirs.LastName)
		_, err := s.Pluvo().Full(ctx, ids[2])
		require.ErrorIs(t, err, pluvo.ErrNotFound, "a deleted contact does not come back")
	})
}

func TestBackfillRefuses(t *testing.T) {
	server := ghltest.Start(t)
	s, err := ghlsync.New(t.Context(), config(t, dbtest.SQLite(t), server))
	require.NoError(t, err)
	require.ErrorContains(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{}), "not started")
	require.NoError(t, s.Start(t.Context()))
	require.ErrorContains(t, s.Backfill(t.Context(), "other", ghlsync.BackfillOptions{}), "location other")
	var wrong *ghlsync.ConfigError
	require.ErrorAs(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{Window: -1}), &wrong)
	require.Equal(t, "BackfillOptions.Window", wrong.Setting)

	// A second backfill is refused, and Stop ends the first.
	began, first := make(chan bool), make(chan error)
	go func() {
		var once sync.Once
		first <- s.Backfill(context.Background(), server.LocationID(),
			ghlsync.BackfillOptions{Progress: func(ghlsync.Progress) {
				once.Do(func() { began <- true; <-s.Stopping() })
			}})
	}()
	<-began
	require.ErrorIs(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{}), ghlsync.ErrBackfillRuns)
	go func() { _ = s.Stop(context.Background()) }()
	require.ErrorIs(t, <-first, context.Canceled)
	require.NoError(t, s.Stop(context.Background()))
}

// TestScheduleLeavesQuota: a backfill or a comparison leaves some of the daily quota, and live changes are still
// synced.
func TestScheduleLeavesQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		ids := populate(t, server, 200)
		server.SetLimits(ghltest.Limits{Requests: 10_000, Interval: 10 * time.Second, Daily: 250})
		c := config(t, address, server)
		c.ReconcileInterval, c.CompareInterval = -1, -1
		s := start(t, c)
		err := s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{Notes: true})
		if err == nil { // contacts that it left for later
			err = s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{Notes: true})
		}
		require.ErrorIs(t, err, ghl.ErrDailyLimit)
		require.Less(t, len(server.Requests()), 240)
		require.Greater(t, len(server.Requests()), 200)
		require.NotZero(t, s.Health(t.Context()).Locations[0].DailyLeft)
		waits := s.Units()
		i := slices.IndexFunc(waits, func(id string) bool { return slices.Contains(ids, id) })
		require.GreaterOrEqual(t, i, 0, "some of its contacts wait for the next day: %v", waits)
		for _, id := range []string{waits[i], ids[0]} {
			client := clientOf(t, server)
			_, err = client.Contacts.Update(t.Context(), id, &ghl.ContactUpdate{FirstName: ghl.Some("Live")})
			require.NoError(t, err)
			require.NoError(t, s.Touch(t.Context(), server.LocationID(), id))
			eventually(t, "a live change", func() bool { return shape(t, s, id)["first Live"] })
		}
	})
}

// cutPages is a fault that shortens a list to size elements. In pages from number empty on, counted from 1, it leaves
// none; 0 means no such page.
func cutPages(list string, size, empty int) fault.Kind {
	page := 0
	return fault.EditedAnswer(func(answer any) any {
		if body, ok := answer.(map[string]any); ok {
			if elements, ok := body[list].([]any); ok {
				page++
				if body[list] = elements[:min(len(elements), size)]; empty > 0 && page >= empty {
					body[list] = []any{}
				}
			}
		}
		return answer
	})
}

// TestBackfillWithShortPages: a backfill takes all contacts and tasks from pages that are shorter than requested. It
// fails if the list of contacts ends before its total, and the next backfill starts from the beginning.
func TestBackfillWithShortPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		ids := populate(t, server, 6)
		s := start(t, config(t, address, server))
		server.Fail(ghltest.Fault{Operation: "tasks.search", Kind: cutPages("tasks", 2, 0)})
		early := server.Fail(ghltest.Fault{Operation: "contacts.search", Kind: cutPages("contacts", 2, 3)})
		err := s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{})
		require.ErrorContains(t, err, "the list of contacts ended before its total of 6")
		early.Remove()

		server.Fail(ghltest.Fault{Operation: "contacts.search", Kind: cutPages("contacts", 2, 0)})
		var last ghlsync.Progress
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(), ghlsync.BackfillOptions{
			Progress: func(p ghlsync.Progress) { last = p }}))
		require.Equal(t, []int{6, 6, 0, 3}, []int{last.Done, last.Total, last.Resumed, last.Tasks})
		quiet(t, s, server)
		same(t, s, server, ids, false)
	})
}

// TestBackfillWithOtherOptions: an interrupted backfill resumes with the same options, and starts again with others.
func TestBackfillWithOtherOptions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		ids := populate(t, server, 510) // more than a page
		s := start(t, config(t, address, server))
		since, until := time.Now().Truncate(time.Hour), time.Now().AddDate(0, 4, 0)
		o := ghlsync.BackfillOptions{Since: since, Until: until}
		server.Fail(ghltest.Fault{Operation: "contacts.search", Kind: fault.Forbidden(), After: 1, Times: 1})
		require.ErrorIs(t, s.Backfill(t.Context(), server.LocationID(), o), ghl.ErrForbidden)
		resumed := -1
		o.Progress = func(p ghlsync.Progress) { resumed = p.Resumed }
		o.Since = time.Now().AddDate(0, -4, 0) // more
		require.NoError(t, s.Backfill(t.Context(), server.LocationID(), o))
		require.Zero(t, resumed)
		quiet(t, s, server)
		same(t, s, server, ids, false)
	})
}
