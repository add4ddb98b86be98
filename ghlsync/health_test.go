package ghlsync_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

func codes(h ghlsync.Health) []string {
	list := []string{}
	for _, p := range h.Problems {
		list = append(list, p.Code)
	}
	return list
}

// becomes waits until the health of the first location satisfies a condition.
func becomes(t testing.TB, s *ghlsync.Syncer, wanted func(l ghlsync.LocationHealth) bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		h := s.Health(context.Background())
		return len(h.Locations) == 1 && wanted(h.Locations[0])
	}, 30*time.Second, 20*time.Millisecond)
}

func stopped(n int) func(ghlsync.LocationHealth) bool {
	return func(l ghlsync.LocationHealth) bool { return l.Stopped == n && l.Waiting == 0 }
}

// TestHealth: Health reports each problem until it is solved.
func TestHealth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		s := start(t, c)
		ctx := t.Context()
		get := func(method string) (int, ghlsync.Health) {
			w := httptest.NewRecorder()
			s.HealthHandler().ServeHTTP(w, httptest.NewRequest(method, "/health", nil))
			var h ghlsync.Health
			if method == http.MethodGet {
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &h))
			}
			return w.Code, h
		}
		status, h := get(http.MethodGet)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, ghlsync.Healthy, h.State, h.Problems)
		require.Equal(t, 1, h.Processes)
		require.Less(t, h.HighLevelClock.Abs(), 2*time.Second)
		require.NotZero(t, h.HighLevelClock, "opening the location made a call")
		require.Equal(t, ghlsync.TokenOK, h.Locations[0].Token.State)
		require.Positive(t, h.Locations[0].BudgetLeft)
		require.Zero(t, h.Locations[0].LastDelivery)
		status, _ = get(http.MethodPost)
		require.Equal(t, http.StatusMethodNotAllowed, status)

		// A stopped failure, and a match that a person must decide.
		server.Fail(ghltest.Fault{Kind: fault.ValidationString("no: ada@example.com"), Operation: "contacts.create"})
		put := func(id, phone, email string) {
			_, err := s.Pluvo().Put(ctx, &pluvo.Contact{ID: id, FirstName: "Somebody", Phone: phone, Email: email},
				pluvo.NoVersion)
			require.NoError(t, err)
			s.PluvoChanged()
		}
		put("p1", "", "grace@example.com")
		put("p2", "", "eve@example.com")
		becomes(t, s, stopped(2))
		server.ClearFaults()
		one := server.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+14155550100"})
		two := server.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
		put("p3", "+14155550100", "ada@example.com")
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.Undecided == 1 && l.Waiting == 0 })
		h = s.Health(ctx)
		require.Equal(t, ghlsync.Degraded, h.State)
		require.Equal(t, []string{"failures stopped", "conflicts undecided"}, codes(h))
		require.Contains(t, h.Problems[0].Text, "2 contacts that wait")
		require.Equal(t, 2, h.Locations[0].Stopped)
		require.Equal(t, 1, h.Locations[0].Undecided)
		for _, p := range h.Problems {
			require.NotEmpty(t, p.Do)
			require.NotContains(t, p.Text, "ada@")
		}
		failures, err := s.Failures(ctx, ghlsync.FailureFilter{})
		require.NoError(t, err)
		for _, f := range failures {
			require.NoError(t, s.Skip(ctx, f.ID))
		}
		client := clientOf(t, server)
		conflicts, err := s.Conflicts(ctx, false, 0)
		require.NoError(t, err)
		for _, conflict := range conflicts {
			require.NoError(t, client.Contacts.Delete(ctx, two.ID))
			require.NoError(t, s.Link(ctx, conflict.Location, one.ID, "p3"))
			require.NoError(t, s.ResolveConflict(ctx, conflict.ID))
		}
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.State == ghlsync.Healthy && l.Waiting == 0 })
		require.Empty(t, codes(s.Health(ctx)))
		subscribe(t, s, server)
		_, err = client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Bob", Email: "bob@example.com"})
		require.NoError(t, err)
		require.NoError(t, server.Flush(ctx))
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.Waiting == 0 })
		require.WithinDuration(t, time.Now(), s.Health(ctx).Locations[0].LastDelivery, time.Minute)

		// A location that a person has paused, and the contacts that wait for it.
		require.NoError(t, s.Pause(ctx, server.LocationID(), "moving house, ask ada@example.com"))
		require.NoError(t, s.Touch(ctx, server.LocationID(), one.ID))
		h = s.Health(ctx)
		require.Equal(t, []string{"location paused"}, codes(h))
		require.Contains(t, h.Problems[0].Text, "moving house")
		require.NotContains(t, h.Problems[0].Text, "ada@")
		require.Equal(t, 1, h.Locations[0].Waiting)
		require.Positive(t, h.Locations[0].Lag)
		require.NoError(t, s.Resume(ctx, server.LocationID()))
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.Waiting == 0 })

		// Limits that are always exceeded.
		stop(t, s)
		status, h = get(http.MethodGet)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, []string{"stopped"}, codes(h))
		c.HealthLimits = ghlsync.HealthLimits{Lag: 1, Silence: 1, Clock: 1}
		s = start(t, c)
		require.NoError(t, s.Pause(ctx, server.LocationID(), "a moment"))
		require.NoError(t, s.Touch(ctx, server.LocationID(), one.ID))
		server.Fail(ghltest.Fault{Kind: fault.Delay(time.Second)})
		require.NoError(t, s.Resume(ctx, server.LocationID()))
		found := codes(s.Health(ctx))
		for _, code := range []string{"lag", "webhook silence", "clock"} {
			require.Contains(t, found, code)
		}
		server.ClearFaults()
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.Waiting == 0 })
	})
}

// TestHealthWithoutDatabase: Health reports a database that does not answer, within its time limit.
func TestHealthWithoutDatabase(t *testing.T) {
	server := ghltest.Start(t)
	s, err := ghlsync.New(t.Context(), config(t, dbtest.Postgres(t), server))
	require.NoError(t, err)
	ghlsync.CloseDatabase(s)
	h := s.Health(t.Context())
	require.Equal(t, ghlsync.Failing, h.State)
	require.Equal(t, []string{"database"}, codes(h))
	require.Contains(t, h.Problems[0].Do, "429")
	w := httptest.NewRecorder()
	s.HealthHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, gather(t, s), "ghlsync_database_up 0")
}

// TestHealthOfAWrongSetting: a mistake in the rules that is found only after the start is reported as a wrong setting.
func TestHealthOfAWrongSetting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server, pager := ghltest.Start(t), newPager(t)
		server.Fail(ghltest.Fault{Operation: "locations.get", Kind: fault.Forbidden(), Times: 1})
		c := pager.config(t, address, server)
		c.Locations[0].Rules = []byte("version: 1\ncontact:\n  - {ghl: firstName, pluvo: firstName}\n  - {ghl: custom.none, pluvo: fields.none}\n")
		s := start(t, c)
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return !l.Paused.IsZero() })
		h := s.Health(t.Context())
		require.Equal(t, []string{"location paused"}, codes(h))
		require.Contains(t, h.Problems[0].Text, "Rules")
		require.Contains(t, h.Problems[0].Do, "Correct the setting")
		require.Contains(t, h.Problems[0].Do, "Then resume")
		eventually(t, "1 alert", func() bool { return len(pager.alerts()) == 1 })
		require.Equal(t, ghlsync.CategoryWrongSetting, pager.alerts()[0].Category)
	})
}
