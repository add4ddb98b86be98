package ghl_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/pluvo/ghl"
)

// TestOneAttemptIsOneRequest: with MaxAttempts 1 nothing is sent twice.
func TestOneAttemptIsOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		once := ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1})
		for _, first := range []step{answers(429, tooMany), answers(500, server500), loses, refuses,
			answers(400, `{"message":"Request Timeout after 30000ms"}`), answers(403, "error code: 1010"),
			answers(401, badJWT), answers(200, badJWT)} {
			source := &refreshing{current: "old-token", next: []string{"new-token"}}
			c, m := mocked(t, inTurn(first, answers(200, okContact)), once, ghl.WithTokenSource(source))
			start := time.Now()
			require.Error(t, getContact(t.Context(), c))
			require.Equal(t, 1, m.count())
			require.Zero(t, time.Since(start))
			require.NoError(t, getContact(t.Context(), c), "a refused token is refreshed for the next call")
		}
		c, _ := mocked(t, answers(429, tooMany, "X-RateLimit-Interval-Milliseconds", "10000"), once)
		err := getContact(t.Context(), c)
		require.ErrorIs(t, err, ghl.ErrRateLimited)
		require.Equal(t, 10*time.Second, asError(t, err).RetryAfter)
	})
}

// TestWaitsForTheRateLimitEnd: after MaxRateLimitWait, with each kind of limiter, without a deadline.
func TestWaitsForTheRateLimitEnd(t *testing.T) {
	for name, limiter := range map[string]func() ghl.Limiter{
		"no limiter":      func() ghl.Limiter { return &watching{} },
		"default limiter": func() ghl.Limiter { return ghl.NewLimiter() },
		"another limiter": func() ghl.Limiter { return rate.NewLimiter(rate.Every(time.Second), 1) },
		"a slow limiter":  func() ghl.Limiter { return rate.NewLimiter(rate.Every(2*time.Minute), 1) },
	} {
		for _, header := range [][]string{nil, {"Retry-After", "45"}, {"X-RateLimit-Interval-Milliseconds", "1"}} {
			for most, policy := range map[time.Duration]ghl.RetryPolicy{
				5 * time.Minute: {}, 40 * time.Second: {MaxRateLimitWait: 40 * time.Second},
			} {
				synctest.Test(t, func(t *testing.T) {
					c, m := mocked(t, answers(429, tooMany, header...), ghl.WithLimiter(limiter()), ghl.WithRetry(policy))
					start := time.Now()
					err := createTask(context.Background(), c)
					require.ErrorIs(t, err, ghl.ErrRateLimited, name)
					require.NotErrorIs(t, err, context.DeadlineExceeded)
					require.Equal(t, 429, asError(t, err).Status)
					require.Positive(t, asError(t, err).RetryAfter)
					require.LessOrEqual(t, time.Since(start), most, name)
					require.Less(t, m.count(), 400, "%s %v", name, header)
				})
			}
		}
	}
}

// TestAShortIntervalIsNoFlood: the wait after a 429 has a floor that grows.
func TestAShortIntervalIsNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, opt := range []ghl.Option{ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
			ghl.WithLimiter(ghl.NewLimiter())} {
			for _, op := range []ghl.Operation{opGrant, {Name: "any", Method: http.MethodGet, Path: "/any", Form: true}} {
				c, m := mocked(t, answers(429, tooMany, "X-RateLimit-Interval-Milliseconds", "1"), opt)
				ctx, cancel := context.WithTimeout(t.Context(), 13*time.Second)
				require.Error(t, c.Call(ctx, op, grantForm(), nil))
				cancel()
				require.Less(t, m.count(), 20)
			}
		}
	})
}

func TestMaxRateLimitWaitFollowsMaxRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, m := mocked(t, inTurn(answers(429, tooMany, "Retry-After", "7200"), answers(200, okContact)))
		_, err := c.Contacts.Get(t.Context(), "c1", ghl.CallRetry(ghl.RetryPolicy{MaxRetryAfter: 3 * time.Hour}))
		require.NoError(t, err, "a call with a longer MaxRetryAfter waits")
		require.Equal(t, 2, m.count())
	})
	_, err := ghl.New(ghl.WithToken("t"), ghl.WithRetry(ghl.RetryPolicy{MaxRateLimitWait: -1}))
	require.ErrorIs(t, err, ghl.ErrBadInput)
}

// deaf ignores the context in each of its roles, until its channel is closed.
type deaf struct{ stop chan struct{} }

func (d deaf) Wait(context.Context) error { <-d.stop; return nil }

func (d deaf) Token(context.Context) (*ghl.Token, error) {
	<-d.stop
	return &ghl.Token{AccessToken: "late-token"}, nil
}

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	<-d.stop
	return answers(200, okContact)(r)
}

func (d deaf) Read([]byte) (int, error) { <-d.stop; return 0, io.EOF }
func (d deaf) Close() error             { return nil }

// deafRefresher ignores the context in Refresh.
type deafRefresher struct{ deaf }

func (deafRefresher) Token(context.Context) (*ghl.Token, error) {
	return &ghl.Token{AccessToken: "old-token"}, nil
}

func (d deafRefresher) Refresh(ctx context.Context, _ *ghl.Token) (*ghl.Token, error) {
	return d.deaf.Token(ctx)
}

// TestACallEndsWithItsContext: within 50 ms, also in code that ignores the context.
func TestACallEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deaf{make(chan struct{})}
		body := func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: d, Request: r}, nil
		}
		long := []string{"Retry-After", "50"}
		for name, tc := range map[string]struct {
			answer     step
			opt        ghl.Option
			noCancel   bool // only the deadline ends it
			unknownEnd bool // the server may have acted
		}{
			"limiter":       {answers(200, okContact), ghl.WithLimiter(d), false, false},
			"token source":  {answers(200, okContact), ghl.WithTokenSource(d), false, false},
			"refresh":       {answers(401, badJWT), ghl.WithTokenSource(deafRefresher{d}), false, false},
			"transport":     {nil, ghl.WithHTTPClient(&http.Client{Transport: d}), true, true},
			"body":          {body, ghl.WithToken("pit-a"), true, true},
			"an answer":     {hangs, ghl.WithToken("pit-a"), false, true},
			"pause":         {answers(429, tooMany, long...), ghl.WithToken("pit-a"), false, false},
			"a slow server": {answers(429, tooMany, long...), ghl.WithLimiter(ghl.NewLimiter()), false, false},
		} {
			for _, cancelled := range []bool{false, true} {
				if cancelled && tc.noCancel {
					continue
				}
				c, _ := mocked(t, tc.answer, tc.opt)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if cancelled {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(time.Second, cancel)
				}
				start := time.Now()
				err := createTask(ctx, c)
				require.ErrorIs(t, err, ctx.Err(), name)
				require.LessOrEqual(t, time.Since(start), time.Second+50*time.Millisecond, name)
				if tc.unknownEnd {
					require.ErrorIs(t, err, ghl.ErrAmbiguous, name)
				} else {
					require.NotErrorIs(t, err, ghl.ErrAmbiguous, name)
				}
				cancel()
			}
		}
		close(d.stop) // what was given up ends too
		synctest.Wait()
	})
}

// lateLimiter grants its permit after the call has ended.
type lateLimiter struct {
	deaf
	seen chan ghl.RateLimit
}

func (l lateLimiter) Observe(r ghl.RateLimit) { l.seen <- r }

// TestALatePermitIsGivenBack: a limiter gets one Observe for each Wait that returned nil.
func TestALatePermitIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lateLimiter{deaf{make(chan struct{})}, make(chan ghl.RateLimit, 2)}
		c, m := mocked(t, answers(200, okContact), ghl.WithLimiter(l))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, getContact(ctx, c), context.DeadlineExceeded)
		require.Empty(t, l.seen)
		close(l.stop)
		synctest.Wait()
		require.Len(t, l.seen, 1)
		require.True(t, (<-l.seen).Sent.IsZero())
		require.Zero(t, m.count())
	})
}
