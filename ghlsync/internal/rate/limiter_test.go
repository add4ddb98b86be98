package rate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/rate"
)

var quiet = slog.New(slog.DiscardHandler)

// server grants a number of requests in each fixed window, and a number in a day.
type server struct {
	mu               sync.Mutex
	limit, day       int
	interval         time.Duration
	phase            time.Time
	window           int64
	used, dayUsed    int
	granted, refused int
	arrivals         []time.Time
	silent           bool // sends no rate limit headers
	others           int  // requests of other programs in each window
}

func (s *server) answer(sent time.Time) ghl.RateLimit {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.arrivals = append(s.arrivals, now)
	if w := int64(now.Sub(s.phase) / s.interval); w != s.window {
		s.window, s.used = w, s.others
	}
	r := ghl.RateLimit{Limit: s.limit, Interval: s.interval, DailyRemaining: -1, Status: http.StatusOK, Sent: sent}
	if s.day > 0 {
		r.DailyLimit, r.DailyRemaining, r.DailyReset = s.day, max(s.day-s.dayUsed, 0), 3*time.Hour
	}
	if s.used >= s.limit || s.day > 0 && s.dayUsed >= s.day {
		s.refused++
		r.Status, r.Remaining = http.StatusTooManyRequests, max(s.limit-s.used, 0)
	} else {
		s.used++
		s.dayUsed++
		s.granted++
		r.Remaining = s.limit - s.used
		if s.day > 0 {
			r.DailyRemaining = s.day - s.dayUsed
		}
	}
	if s.silent {
		r.Limit, r.Interval, r.Remaining, r.DailyRemaining = 0, 0, -1, -1
	}
	return r
}

// most returns the largest number of arrivals in any interval.
func (s *server) most() int {
	slices.SortFunc(s.arrivals, time.Time.Compare)
	most, first := 0, 0
	for i, at := range s.arrivals {
		for at.Sub(s.arrivals[first]) >= s.interval {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// call sends a request, with a random latency in each direction.
func (s *server) call(ctx context.Context, l ghl.Limiter) error {
	if err := l.Wait(ctx); err != nil {
		return err
	}
	sent := time.Now()
	time.Sleep(time.Duration(10+rand.IntN(150)) * time.Millisecond)
	r := s.answer(sent)
	time.Sleep(time.Duration(10+rand.IntN(150)) * time.Millisecond)
	l.(interface{ Observe(ghl.RateLimit) }).Observe(r)
	return nil
}

// run simulates several processes, each with several callers, for some time.
func (s *server) run(t *testing.T, address string, processes, callers int, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var all sync.WaitGroup
	for range processes {
		limits := rate.New(dbtest.Open(t, address), quiet)
		for range callers {
			all.Go(func() {
				for {
					err := s.call(ctx, limits.For("loc"))
					if ctx.Err() != nil {
						return
					}
					if err != nil {
						t.Errorf("call: %v", err)
						return
					}
				}
			})
		}
	}
	all.Wait()
}

// TestSharedLimit: with any number of processes, no more requests arrive in any interval than are granted, hardly any
// is refused, and most of the grant is used.
func TestSharedLimit(t *testing.T) {
	for _, test := range []struct {
		limit, processes, callers int
		least                     float64 // share of the grant
	}{
		{100, 1, 20, 0.65}, {100, 4, 10, 0.65}, {25, 4, 10, 0.55}, {25, 8, 3, 0.55}, // more on an idle machine
	} {
		t.Run(fmt.Sprintf("%d for %d processes", test.limit, test.processes), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				dbtest.Open(t, address).Close() // migrated
				synctest.Test(t, func(t *testing.T) {
					const d = 100 * time.Second
					s := &server{
						limit: test.limit, interval: 10 * time.Second,
						phase: time.Now().Add(-3700 * time.Millisecond),
					}
					s.run(t, address, test.processes, test.callers, d)
					share := float64(s.granted) / (float64(test.limit) * d.Seconds() / 10)
					t.Logf("%.0f %% of the grant, %d of %d refused, at most %d in any interval",
						100*share, s.refused, s.granted+s.refused, s.most())
					require.LessOrEqual(t, s.most(), test.limit)
					require.LessOrEqual(t, float64(s.refused), 0.01*float64(s.granted))
					require.GreaterOrEqual(t, share, test.least)
				})
			})
		})
	}
}

// TestOtherPrograms: the limiter leaves room for programs that do not share this database.
func TestOtherPrograms(t *testing.T) {
	address := dbtest.SQLite(t)
	dbtest.Open(t, address).Close()
	synctest.Test(t, func(t *testing.T) {
		s := &server{limit: 100, interval: 10 * time.Second, phase: time.Now().Add(-2 * time.Second), others: 50}
		s.run(t, address, 4, 10, 500*time.Second) // long enough to even out random latencies
		t.Logf("%d granted, %d refused", s.granted, s.refused)
		require.LessOrEqual(t, float64(s.refused), 0.03*float64(s.granted))
		require.GreaterOrEqual(t, s.granted, 5*350)
	})
}

// TestSilentServer: without rate limit headers the published limit applies.
func TestSilentServer(t *testing.T) {
	address := dbtest.SQLite(t)
	dbtest.Open(t, address).Close()
	synctest.Test(t, func(t *testing.T) {
		s := &server{limit: 100, interval: 10 * time.Second, phase: time.Now().Add(-2 * time.Second), silent: true}
		s.run(t, address, 4, 10, 60*time.Second)
		require.Zero(t, s.refused)
		require.LessOrEqual(t, s.most(), 100)
		require.GreaterOrEqual(t, s.granted, 400)
	})
}

// TestDailyQuota: the processes count the daily quota together. When it is used up, every process fails at once with
// the time until the reset. After the reset calls succeed again.
func TestDailyQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		dbtest.Open(t, address).Close()
		synctest.Test(t, func(t *testing.T) {
			s := &server{limit: 100, interval: 10 * time.Second, phase: time.Now(), day: 60}
			var limiters []ghl.Limiter
			for range 3 {
				limiters = append(limiters, rate.New(dbtest.Open(t, address), quiet).For("loc"))
			}
			fresh := rate.New(dbtest.Open(t, address), quiet).For("loc") // of a process that has sent no call
			require.NoError(t, s.call(t.Context(), limiters[0]))
			var all sync.WaitGroup
			for _, l := range limiters {
				all.Go(func() {
					for {
						if err := s.call(t.Context(), l); err != nil {
							require.ErrorIs(t, err, ghl.ErrDailyLimit)
							return
						}
					}
				})
			}
			all.Wait()
			t.Logf("%d of 60 granted, %d refused", s.granted, s.refused)
			require.GreaterOrEqual(t, s.granted, 54) // the last few count as in transit
			require.LessOrEqual(t, s.refused, 3)
			start := time.Now()
			err := fresh.Wait(t.Context())
			require.ErrorIs(t, err, ghl.ErrDailyLimit)
			var e *ghl.Error
			require.ErrorAs(t, err, &e)
			require.InDelta(t, (3 * time.Hour).Seconds(), e.RetryAfter.Seconds(), 60)
			require.WithinDuration(t, start, time.Now(), time.Second)
			time.Sleep(3*time.Hour + time.Minute)
			s.day = 0
			for _, l := range append(limiters, fresh) {
				require.NoError(t, s.call(t.Context(), l))
			}
		})
	})
}

// refuse reports a 429 that asks to wait for five seconds.
func refuse(l ghl.Limiter) {
	l.(interface{ Observe(ghl.RateLimit) }).Observe(ghl.RateLimit{
		Remaining: -1, DailyRemaining: -1, Status: 429, RetryAfter: 5 * time.Second, Sent: time.Now(),
	})
}

// TestRetryAfter: when the server asks one process to wait, all processes wait.
func TestRetryAfter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		dbtest.Open(t, address).Close()
		synctest.Test(t, func(t *testing.T) {
			one := rate.New(dbtest.Open(t, address), quiet).For("loc")
			two := rate.New(dbtest.Open(t, address), quiet).For("loc")
			elsewhere := rate.New(dbtest.Open(t, address), quiet).For("other")
			require.NoError(t, one.Wait(t.Context()))
			refuse(one)
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			start := time.Now()
			require.NoError(t, elsewhere.Wait(t.Context()))
			require.Less(t, time.Since(start), time.Second)
			require.NoError(t, two.Wait(t.Context()))
			require.GreaterOrEqual(t, time.Since(start), 4*time.Second)
		})
	})
}

// TestWaitEnds: a wait ends with its context, and the next caller takes its place.
func TestWaitEnds(t *testing.T) {
	address := dbtest.SQLite(t)
	dbtest.Open(t, address).Close()
	synctest.Test(t, func(t *testing.T) {
		l := rate.New(dbtest.Open(t, address), quiet).For("loc")
		require.NoError(t, l.Wait(t.Context()))
		refuse(l)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		next := make(chan error, 1)
		ended := l.Wait(ctx)
		require.True(t, errors.Is(ended, context.DeadlineExceeded), "%v", ended)
		go func() { next <- l.Wait(t.Context()) }()
		require.NoError(t, <-next)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, l.Wait(done), context.Canceled)
	})
}

// BenchmarkPermits measures the cost of a shared limit that is never reached.
func BenchmarkPermits(b *testing.B) {
	address := dbtest.SQLite(b)
	d := dbtest.Open(b, address)
	require.NoError(b, d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ghlsync_rate (location, body)
			VALUES ('loc', '{"limit":100000000,"interval":10000000,"dailyLeft":-1}')`)
		return err
	}))
	limits := rate.New(d, quiet)
	l := limits.For("loc")
	for b.Loop() {
		if err := l.Wait(context.Background()); err != nil {
			b.Fatal(err)
		}
		l.(interface{ Observe(ghl.RateLimit) }).Observe(ghl.RateLimit{
			Limit: 100000000, Remaining: 99999999, Interval: 10 * time.Second, DailyRemaining: -1,
			Status: 200, Sent: time.Now(),
		})
	}
}
