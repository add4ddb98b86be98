package ghl

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/pluvo/ghl/internal/pace"
)

var (
	_ Limiter       = (*AdaptiveLimiter)(nil)
	_ limitObserver = (*AdaptiveLimiter)(nil)
	_ Limiter       = (*rate.Limiter)(nil)
)

func rateLimitHeaders(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestParseRateLimit(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	missing := RateLimit{Remaining: -1, DailyRemaining: -1}
	with := func(change func(*RateLimit)) RateLimit {
		r := missing
		change(&r)
		return r
	}
	pausing := func(d time.Duration) RateLimit { return with(func(r *RateLimit) { r.RetryAfter = d }) }
	tests := []struct {
		name   string
		header http.Header
		want   RateLimit
	}{
		{"nil", nil, missing},
		{"none", http.Header{}, missing},
		{"all", rateLimitHeaders(
			"X-RateLimit-Max", "25",
			"X-RateLimit-Remaining", "0",
			"X-RateLimit-Interval-Milliseconds", "10000",
			"X-RateLimit-Limit-Daily", "10000",
			"X-RateLimit-Daily-Remaining", "9976",
			"X-RateLimit-Daily-Reset", "55555",
			"Retry-After", "7",
		), RateLimit{
			Limit: 25, Remaining: 0, Interval: 10 * time.Second,
			DailyLimit: 10000, DailyRemaining: 9976, DailyReset: 55555 * time.Millisecond,
			RetryAfter: 7 * time.Second,
		}},
		{"spaces", rateLimitHeaders("X-RateLimit-Remaining", " 12 "), with(func(r *RateLimit) { r.Remaining = 12 })},
		{"negative", rateLimitHeaders(
			"X-RateLimit-Max", "-1", "X-RateLimit-Remaining", "-5", "X-RateLimit-Interval-Milliseconds", "-10000",
			"X-RateLimit-Limit-Daily", "-1", "X-RateLimit-Daily-Remaining", "-2", "X-RateLimit-Daily-Reset", "-3",
			"Retry-After", "-4"), missing},
		{"not numbers", rateLimitHeaders(
			"X-RateLimit-Max", "NaN", "X-RateLimit-Remaining", "1e3", "X-RateLimit-Interval-Milliseconds", "10s",
			"X-RateLimit-Limit-Daily", "0x10", "X-RateLimit-Daily-Remaining", "1.5", "X-RateLimit-Daily-Reset", "٣",
			"Retry-After", "soon"), missing},
		{"signs", rateLimitHeaders("X-RateLimit-Max", "+5", "Retry-After", "+5"), missing},
		{"overflow", rateLimitHeaders(
			"X-RateLimit-Max", "99999999999999999999", "X-RateLimit-Remaining", "18446744073709551617",
			"X-RateLimit-Interval-Milliseconds", "9223372036854775807",
			"X-RateLimit-Limit-Daily", "9223372036854775808", "X-RateLimit-Daily-Remaining", "4294967296",
			"X-RateLimit-Daily-Reset", "9223372036854775807",
			"Retry-After", "9223372036854775807"), pausing(maxRetryAfter)},
		{"a Retry-After of more than 64 bits", rateLimitHeaders("Retry-After", "99999999999999999999"), pausing(maxRetryAfter)},
		{"a Retry-After of many digits", rateLimitHeaders("Retry-After", strings.Repeat("9", 400)), pausing(maxRetryAfter)},
		{"zeros", rateLimitHeaders(
			"X-RateLimit-Max", "0", "X-RateLimit-Remaining", "0", "X-RateLimit-Interval-Milliseconds", "0",
			"X-RateLimit-Limit-Daily", "0", "X-RateLimit-Daily-Remaining", "0", "X-RateLimit-Daily-Reset", "0",
			"Retry-After", "0"), missing},
		{"limits of zero", rateLimitHeaders("X-RateLimit-Max", "0", "X-RateLimit-Remaining", "7",
			"X-RateLimit-Limit-Daily", "0", "X-RateLimit-Daily-Remaining", "8"), missing},
		{"nothing left", rateLimitHeaders("X-RateLimit-Max", "100", "X-RateLimit-Remaining", "0",
			"X-RateLimit-Limit-Daily", "200", "X-RateLimit-Daily-Remaining", "0"),
			RateLimit{Limit: 100, DailyLimit: 200}},
		{"a time in place of a duration", rateLimitHeaders("X-RateLimit-Daily-Reset", "1772366400000"), missing},
		{"empty", rateLimitHeaders("X-RateLimit-Max", "", "X-RateLimit-Remaining", "", "Retry-After", ""), missing},
		{"Retry-After date", rateLimitHeaders("Retry-After", "Sun, 01 Mar 2026 12:00:30 GMT"), pausing(30 * time.Second)},
		{"Retry-After in the past", rateLimitHeaders("Retry-After", "Sun, 01 Mar 2026 11:59:00 GMT"), missing},
		{"Retry-After in a century", rateLimitHeaders("Retry-After", "Mon, 01 Mar 2126 12:00:00 GMT"), pausing(maxRetryAfter)},
		{"Retry-After of a day", rateLimitHeaders("Retry-After", "86400"), pausing(24 * time.Hour)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, parseRateLimit(test.header, now))
		})
	}
}

func TestParseRateLimitDoesNotAllocate(t *testing.T) {
	h := rateLimitHeaders(
		"X-RateLimit-Max", "100", "X-RateLimit-Remaining", "12", "X-RateLimit-Interval-Milliseconds", "10000",
		"X-RateLimit-Limit-Daily", "200000", "X-RateLimit-Daily-Remaining", "150000",
		"X-RateLimit-Daily-Reset", "3600000")
	now := time.Now()
	require.Zero(t, testing.AllocsPerRun(100, func() { parseRateLimit(h, now) }))
}

// answerLeft returns an answer that reports what remains of the published limit.
func answerLeft(status, remaining int, sent time.Time) RateLimit {
	return RateLimit{
		Limit: 100, Interval: 10 * time.Second, Remaining: remaining, DailyRemaining: -1, Status: status, Sent: sent,
	}
}

// answerRefused returns a 429 without rate limit headers. retryAfter may be 0.
func answerRefused(retryAfter time.Duration, sent time.Time) RateLimit {
	return RateLimit{
		Remaining: -1, DailyRemaining: -1, Status: http.StatusTooManyRequests, RetryAfter: retryAfter, Sent: sent,
	}
}

// answerDaily returns an answer that also reports what remains of the daily quota.
func answerDaily(status, daily int, reset time.Duration, sent time.Time) RateLimit {
	r := answerLeft(status, 90, sent)
	r.DailyLimit, r.DailyRemaining, r.DailyReset = 10000, daily, reset
	return r
}

func backgroundContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, operationKey{}, &call{opts: callOptions{background: true}})
}

// answered waits for l and sends an attempt that is answered at once.
func answered(t *testing.T, l *AdaptiveLimiter, answer func(sent time.Time) RateLimit) {
	t.Helper()
	require.NoError(t, l.Wait(t.Context()))
	l.Observe(answer(time.Now()))
}

// exhaustedLimiter returns a limiter whose first answer reported that nothing remains.
func exhaustedLimiter(t *testing.T) *AdaptiveLimiter {
	t.Helper()
	l := NewLimiter()
	answered(t, l, func(sent time.Time) RateLimit { return answerLeft(http.StatusOK, 0, sent) })
	return l
}

// waitTime returns how long Wait took.
func waitTime(t *testing.T, l *AdaptiveLimiter, ctx context.Context) time.Duration {
	t.Helper()
	start := time.Now()
	require.NoError(t, l.Wait(ctx))
	return time.Since(start)
}

// requireIdleLimiter checks that no attempt is in flight and no call waits.
func requireIdleLimiter(t *testing.T, l *AdaptiveLimiter) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	window, day := l.pacer.InFlight()
	require.Zero(t, day, "in flight")
	require.Zero(t, window, "in flight")
	require.Zero(t, l.queue[foreground].Len()+l.queue[background].Len(), "waiting")
}

func TestLimiterLetsBurstsThroughWhenIdle(t *testing.T) {
	tests := []struct {
		name string
		used int           // by others before
		idle time.Duration // between a first call and the burst; 0 means no first call
	}{
		{"as the very first calls", 0, 0},
		{"as the very first calls while others use some", 19, 0},
		{"soon after a call", 18, time.Second},
		{"in the next window", 0, 12 * time.Second},
		{"long after", 0, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(20) {
				synctest.Test(t, func(t *testing.T) {
					srv := newSimServer(limiterSim{clients: 1, grant: 100}, seed)
					srv.used = test.used
					if srv.phase > 9*time.Second { // the burst must not span the window's end
						srv.begun = srv.start
					}
					l := NewLimiter()
					call := func() time.Duration {
						d := waitTime(t, l, t.Context())
						sent := time.Now()
						there, back := srv.latency()
						time.Sleep(there)
						r := srv.answer(0)
						time.Sleep(back)
						r.Sent = sent
						l.Observe(r)
						return d
					}
					if test.idle > 0 {
						call()
						time.Sleep(test.idle)
					}
					var callers sync.WaitGroup
					for range 30 {
						callers.Go(func() {
							if d := call(); d >= 300*time.Millisecond {
								t.Errorf("seed %d: waited %v", seed, d)
							}
						})
					}
					callers.Wait()
					require.Zero(t, srv.refused)
					requireIdleLimiter(t, l)
				})
			}
		})
	}
}

func TestLimiterWaitObeysTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := exhaustedLimiter(t)

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, l.Wait(ended), context.Canceled)

		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, l.Wait(ctx), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(start), 700*time.Millisecond)

		start = time.Now()
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		require.ErrorIs(t, l.Wait(ctx), context.Canceled)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
		requireIdleLimiter(t, l)
	})
}

func TestLimiterCancelledWaitersLeaveNoHole(t *testing.T) {
	order := func(t *testing.T, cancelled int) (at []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			for range pace.Scouts { // without an answer, the rest has to queue
				require.NoError(t, l.Wait(t.Context()))
			}
			start := time.Now()
			ctx, cancel := context.WithCancel(t.Context())
			var mu sync.Mutex
			var callers sync.WaitGroup
			for i := range cancelled + 4 {
				callers.Go(func() {
					if i < cancelled {
						if l.Wait(ctx) == nil {
							t.Error("a cancelled waiter was let go")
						}
						return
					}
					if err := l.Wait(t.Context()); err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					at = append(at, time.Since(start))
				})
				synctest.Wait()
			}
			cancel()
			callers.Wait()
		})
		return at
	}
	require.Equal(t, order(t, 0), order(t, 3))
}

// servedOrder returns the names of calls in the order in which the limiter lets them go. The calls arrive in the order
// given, and the limiter has room for one at a time.
func servedOrder(t *testing.T, names ...string) (order []string) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter()
		for range pace.Scouts { // without an answer, the rest goes one by one
			require.NoError(t, l.Wait(t.Context()))
		}
		var mu sync.Mutex
		var callers sync.WaitGroup
		for _, name := range names {
			ctx := t.Context()
			if name[0] == 'b' {
				ctx = backgroundContext(ctx)
			}
			callers.Go(func() {
				if l.Wait(ctx) == nil {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, name)
				}
			})
			synctest.Wait()
		}
		callers.Wait()
	})
	return order
}

// TestLimiterLetGoWhenTheContextEnds: a waiter that is released at the moment when its context ends uses the permit
// or gives it back.
func TestLimiterLetGoWhenTheContextEnds(t *testing.T) {
	var after time.Duration // how long the sixth call waits
	outcomes := map[error]int{}
	for i := range 200 {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			for range pace.Scouts {
				require.NoError(t, l.Wait(t.Context()))
			}
			unsent := RateLimit{Remaining: -1, DailyRemaining: -1}
			if i == 0 {
				after = waitTime(t, l, t.Context())
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			err := l.Wait(ctx)
			outcomes[err]++
			if err == nil {
				l.Observe(unsent)
			}
			for range pace.Scouts {
				l.Observe(unsent)
			}
			requireIdleLimiter(t, l)
		})
	}
	require.NotZero(t, outcomes[nil])
	require.Equal(t, 199, outcomes[nil]+outcomes[context.DeadlineExceeded])
}

func TestLimiterIsFirstComeFirstServed(t *testing.T) {
	require.Equal(t, []string{"f1", "f2", "f3", "f4", "f5"}, servedOrder(t, "f1", "f2", "f3", "f4", "f5"))
	require.Equal(t, []string{"b1", "b2", "b3"}, servedOrder(t, "b1", "b2", "b3"))
}

func TestLimiterBackgroundYields(t *testing.T) {
	require.Equal(t, []string{"f1", "f2", "b1", "b2"}, servedOrder(t, "b1", "f1", "b2", "f2"))
}

func TestLimiterTakesUnsentPermitsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter()
		for range 500 {
			require.Zero(t, waitTime(t, l, t.Context()))
			l.Observe(RateLimit{Remaining: -1, DailyRemaining: -1})
		}
		requireIdleLimiter(t, l)
	})
}

// TestLimiterBackgroundLeavesRoom: background calls may not use the last part of a window, even when no other call
// waits.
func TestLimiterBackgroundLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter()
		answered(t, l, func(sent time.Time) RateLimit { return answerLeft(http.StatusOK, 10, sent) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, l.Wait(backgroundContext(ctx)), context.DeadlineExceeded)
		require.NoError(t, l.Wait(t.Context()))
	})
}

func TestLimiterDailyQuota(t *testing.T) {
	gone := func(t *testing.T, l *AdaptiveLimiter, reset time.Duration) {
		t.Helper()
		start := time.Now()
		err := l.Wait(t.Context())
		require.ErrorIs(t, err, ErrDailyLimit)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, reset, e.RetryAfter)
		require.Zero(t, time.Since(start), "it must fail at once")
	}

	t.Run("exhausted until the reset", func(t *testing.T) {
		for _, status := range []int{http.StatusOK, http.StatusTooManyRequests} {
			synctest.Test(t, func(t *testing.T) {
				l := NewLimiter()
				answered(t, l, func(sent time.Time) RateLimit { return answerDaily(status, 0, time.Hour, sent) })
				gone(t, l, time.Hour)
				time.Sleep(4 * time.Minute)
				gone(t, l, 56*time.Minute)
				time.Sleep(56 * time.Minute)
				answered(t, l, func(sent time.Time) RateLimit {
					return answerDaily(http.StatusOK, 9999, 24*time.Hour, sent)
				})
				require.NoError(t, l.Wait(t.Context()))
			})
		}
	})
	t.Run("one call every five minutes is sent all the same", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			exhausted := func(sent time.Time) RateLimit {
				return answerDaily(http.StatusTooManyRequests, 0, 40*time.Hour, sent)
			}
			answered(t, l, exhausted)
			gone(t, l, 40*time.Hour)
			for range 3 {
				time.Sleep(doubtEvery)
				answered(t, l, exhausted)
				gone(t, l, 40*time.Hour)
			}
			time.Sleep(doubtEvery)
			answered(t, l, func(sent time.Time) RateLimit {
				return answerDaily(http.StatusOK, 500, 40*time.Hour, sent)
			})
			require.NoError(t, l.Wait(t.Context()), "the quota was raised")
		})
	})
	t.Run("attempts in flight count", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			answered(t, l, func(sent time.Time) RateLimit { return answerDaily(http.StatusOK, 2, time.Hour, sent) })
			require.NoError(t, l.Wait(t.Context()))
			require.NoError(t, l.Wait(t.Context()))
			gone(t, l, time.Hour)
			l.Observe(RateLimit{Remaining: -1, DailyRemaining: -1}) // never sent
			require.NoError(t, l.Wait(t.Context()))
		})
	})
	t.Run("waiting calls fail at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			require.NoError(t, l.Wait(t.Context()))
			sent := time.Now()
			errs := make(chan error, 20)
			for range cap(errs) {
				go func() { errs <- l.Wait(t.Context()) }()
			}
			synctest.Wait()
			l.Observe(answerDaily(http.StatusOK, 0, time.Hour, sent))
			synctest.Wait()
			require.Len(t, errs, cap(errs))
			for range pace.Scouts - 1 { // released before
				require.NoError(t, <-errs)
			}
			for range cap(errs) - pace.Scouts + 1 {
				require.ErrorIs(t, <-errs, ErrDailyLimit)
			}
		})
	})
	t.Run("probes when the reset is unknown", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			none := func(sent time.Time) RateLimit { return answerDaily(http.StatusTooManyRequests, 0, 0, sent) }
			answered(t, l, none)
			for range 3 {
				gone(t, l, 0)
				time.Sleep(pace.DailyProbe)
				require.NoError(t, l.Wait(t.Context()))
				sent := time.Now()
				gone(t, l, 0)
				l.Observe(none(sent))
			}
			time.Sleep(pace.DailyProbe)
			require.NoError(t, l.Wait(t.Context()))
			l.Observe(RateLimit{Remaining: -1, DailyRemaining: -1}) // the probe was not sent: another may be
			answered(t, l, func(sent time.Time) RateLimit { return answerDaily(http.StatusOK, 100, 0, sent) })
			require.NoError(t, l.Wait(t.Context()))
		})
	})
}

func TestLimiter429ClosesTheWindow(t *testing.T) {
	// learned returns a limiter that has seen twelve windows and knows when they end.
	learned := func(t *testing.T) (l *AdaptiveLimiter, begun time.Time) {
		l = NewLimiter()
		for range 12 {
			begun = time.Now()
			for i := range 100 {
				time.Sleep(100 * time.Millisecond)
				answered(t, l, func(sent time.Time) RateLimit { return answerLeft(http.StatusOK, 99-i, sent) })
			}
		}
		return l, begun.Add(10 * time.Second)
	}
	t.Run("until its end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l, begun := learned(t)
			time.Sleep(200 * time.Millisecond)
			answered(t, l, func(sent time.Time) RateLimit { return answerLeft(http.StatusOK, 99, sent) })
			answered(t, l, func(sent time.Time) RateLimit { return answerLeft(http.StatusTooManyRequests, 0, sent) })
			waitTime(t, l, t.Context())
			require.InDelta(t, 10, time.Since(begun).Seconds(), 0.5)
		})
	})
	t.Run("as long as Retry-After says", func(t *testing.T) {
		for _, after := range []time.Duration{time.Second, 4 * time.Second, 40 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				l := NewLimiter()
				answered(t, l, func(sent time.Time) RateLimit { return answerRefused(after, sent) })
				require.InDelta(t, after.Seconds(), waitTime(t, l, t.Context()).Seconds(), 0.2)
			})
		}
	})
	t.Run("without hanging for hours", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			answered(t, l, func(sent time.Time) RateLimit { return answerRefused(24*time.Hour, sent) })
			var e *Error
			require.ErrorAs(t, l.Wait(t.Context()), &e)
			require.Equal(t, 24*time.Hour, e.RetryAfter)
			time.Sleep(24 * time.Hour)
			require.Zero(t, waitTime(t, l, t.Context()))
		})
	})
	t.Run("for at most a window when nothing else is reported", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := NewLimiter()
			answered(t, l, func(sent time.Time) RateLimit { return answerRefused(0, sent) })
			d := waitTime(t, l, t.Context())
			require.Greater(t, d, time.Second)
			require.LessOrEqual(t, d, 10*time.Second)
		})
	})
}

// TestLimiterForgetsLostAttempts: attempts that are never observed, which is a fault of the caller, delay others by
// some seconds at most.
func TestLimiterForgetsLostAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter()
		for range 300 {
			require.Less(t, waitTime(t, l, t.Context()), 5*time.Second)
		}
	})
}

// TestLimiterSurvivesNonsense: no headers may stop the limiter.
func TestLimiterSurvivesNonsense(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			l := NewLimiter()
			odd := []int{-1, 0, 1, 2, 3, 25, 100, 1000, 1<<31 - 1}
			intervals := []time.Duration{0, 1, time.Millisecond, time.Second, 10 * time.Second, maxInterval}
			statuses := []int{0, 200, 200, 200, 400, 429, 500}
			for range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), 5*maxInterval)
				require.NoError(t, l.Wait(ctx))
				cancel()
				sent := time.Now()
				time.Sleep(time.Duration(rng.Int64N(int64(time.Second))))
				l.Observe(RateLimit{
					Limit:          max(odd[rng.IntN(len(odd))], 0),
					Remaining:      odd[rng.IntN(len(odd))],
					Interval:       intervals[rng.IntN(len(intervals))],
					DailyRemaining: -1,
					Status:         statuses[rng.IntN(len(statuses))],
					Sent:           sent.Add(time.Duration(rng.Int64N(int64(4*time.Minute)) - int64(2*time.Minute))),
				})
			}
		})
	}
}

// TestLimiterConcurrentUse has callers that wait, give up and never send, all at once: for the race detector, and to
// check that no permit leaks.
func TestLimiterConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter()
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 3))
				for range 30 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.Int64N(int64(2*time.Second))))
					if i%3 == 0 {
						ctx = backgroundContext(ctx)
					}
					err := l.Wait(ctx)
					cancel()
					if err != nil {
						if err != context.DeadlineExceeded {
							t.Errorf("Wait: %v", err)
						}
						continue
					}
					r := answerLeft(http.StatusOK, rng.IntN(100), time.Now())
					if rng.IntN(10) == 0 {
						r = RateLimit{Remaining: -1, DailyRemaining: -1}
					}
					time.Sleep(time.Duration(rng.Int64N(int64(300 * time.Millisecond))))
					l.Observe(r)
				}
			})
		}
		callers.Wait()
		requireIdleLimiter(t, l)
	})
}

func TestLimiterDoesNotAllocate(t *testing.T) {
	l := NewLimiter()
	ctx := t.Context()
	allocs := testing.AllocsPerRun(1000, func() {
		if err := l.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		l.Observe(RateLimit{
			Limit: 1e6, Remaining: 999_999, Interval: 10 * time.Second,
			DailyLimit: 1e9, DailyRemaining: 1e8, DailyReset: time.Hour,
			Status: http.StatusOK, Sent: time.Now(),
		})
	})
	require.Zero(t, allocs)
}

func BenchmarkLimiterUncontended(b *testing.B) {
	l := NewLimiter()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Wait(ctx); err != nil {
			b.Fatal(err)
		}
		l.Observe(RateLimit{
			Limit: 1e9, Remaining: 1e9 - 1, Interval: 10 * time.Second, DailyRemaining: -1,
			Status: http.StatusOK, Sent: time.Now(),
		})
	}
}
