package rate_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/rate"
)

func observe(l ghl.Limiter, r ghl.RateLimit) {
	r.Status, r.Sent = http.StatusOK, time.Now()
	l.(interface{ Observe(ghl.RateLimit) }).Observe(r)
}

// TestReserve: a tenth of the daily quota is reserved for calls that are not in the background. Background calls fail
// with the time until the reset.
func TestReserve(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit-Daily", "100")
		w.Header().Set("X-RateLimit-Daily-Remaining", "9")
		w.Header().Set("X-RateLimit-Daily-Reset", "3600000")
		_, _ = w.Write([]byte(`{"contact":{"id":"c1"}}`))
	}))
	defer server.Close()
	limits := rate.New()
	client, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc"), ghl.WithBaseURL(server.URL),
		ghl.WithLimiterFor(limits.For))
	require.NoError(t, err)
	_, err = client.Contacts.Get(t.Context(), "c1", ghl.CallBackground())
	require.NoError(t, err)
	_, err = client.Contacts.Get(t.Context(), "c1", ghl.CallBackground())
	require.ErrorIs(t, err, ghl.ErrDailyLimit)
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.InDelta(t, 3600, e.RetryAfter.Seconds(), 60)
	_, err = client.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
}

// TestBudgets: what the answers have reported is stored, and counts until the interval or the day is over.
func TestBudgets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		budgets := func(now time.Time) (all map[string]rate.Budget) {
			require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
				all, err = rate.Budgets(ctx, tx, now)
				return err
			}))
			return all
		}
		limits := rate.New()
		require.NoError(t, limits.Store(t.Context(), d))
		require.Empty(t, budgets(time.Now()))
		observe(limits.For("a"), ghl.RateLimit{Limit: 100, Remaining: 40, Interval: 10 * time.Second,
			DailyLimit: 1000, DailyRemaining: 70, DailyReset: time.Hour})
		observe(limits.For("b"), ghl.RateLimit{Remaining: -1, DailyRemaining: -1})
		require.NoError(t, limits.Store(t.Context(), d))
		require.Equal(t, map[string]rate.Budget{"a": {Left: 40, Daily: 70}, "b": {Left: -1, Daily: -1}},
			budgets(time.Now()))
		require.Equal(t, rate.Budget{Left: 70, Daily: 70}, budgets(time.Now().Add(11 * time.Second))["a"])
		require.Equal(t, rate.Budget{Left: 100, Daily: -1}, budgets(time.Now().Add(2 * time.Hour))["a"])
	})
}

// TestWaitEnds: a wait ends with its context, and the next caller takes its place.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := rate.New().For("loc")
		require.NoError(t, l.Wait(t.Context()))
		l.(interface{ Observe(ghl.RateLimit) }).Observe(ghl.RateLimit{
			Remaining: -1, DailyRemaining: -1, Status: 429, RetryAfter: 5 * time.Second, Sent: time.Now(),
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.Wait(ctx), context.DeadlineExceeded)
		require.NoError(t, l.Wait(t.Context()))
	})
}
