package ghl_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/pluvo/ghl"
)

var newTask = &ghl.TaskCreate{Title: "Call", DueDate: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}

func TestWhatIsTriedAgain(t *testing.T) {
	read := func(ctx context.Context, c *ghl.Client) error { _, err := c.Contacts.Get(ctx, "c1"); return err }
	search := func(ctx context.Context, c *ghl.Client) error { _, err := c.Contacts.Search(ctx, nil); return err }
	addTags := func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Tags.Add(ctx, "c1", []string{"vip"})
		return err
	}
	create := func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Tasks.Create(ctx, "c1", newTask)
		return err
	}
	upsert := func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Contacts.Upsert(ctx, &ghl.ContactUpsert{Email: ghl.Some("a@example.com")})
		return err
	}
	removeTags := func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Tags.Remove(ctx, "c1", []string{"vip"})
		return err
	}
	campaign := func(ctx context.Context, c *ghl.Client) error { return c.Campaigns.Add(ctx, "c1", "k1") }
	remove := func(ctx context.Context, c *ghl.Client) error { return c.Contacts.Delete(ctx, "c1") }
	timedOut := answers(401, `{"statusCode":401,"message":"Command timed out"}`)
	for _, tc := range []struct {
		name  string
		call  func(context.Context, *ghl.Client) error
		steps []step
		want  []error // nil means success
		sent  int
	}{
		{"read after 500", read, []step{answers(500, server500), answers(200, okContact)}, nil, 2},
		{"read after HTML of a gateway", read, []step{answers(502, "<html>bad gateway</html>"), answers(200, okContact)}, nil, 2},
		{"read after a lost connection", read, []step{loses, answers(200, okContact)}, nil, 2},
		{"read after half a body", read, []step{cutsBody, answers(200, okContact)}, nil, 2},
		{"read after the gateway's 401", read, []step{timedOut, answers(200, okContact)}, nil, 2},
		{"read gives up after four", read, []step{answers(503, "upstream connect error")}, []error{ghl.ErrServer}, 4},
		{"read gives up on lost connections", read, []step{loses}, []error{errReset}, 4},
		{"read of a wrong thing is final", read, []step{answers(422, `{"message":["x must be a string"]}`)}, []error{ghl.ErrValidation}, 1},
		{"search after 500, though POST", search, []step{answers(500, server500), answers(200, `{"contacts":[]}`)}, nil, 2},
		{"tags after 500, though POST", addTags, []step{answers(500, server500), answers(201, `{"tags":["vip"]}`)}, nil, 2},
		{"create after 500 is not repeated", create, []step{answers(500, server500)}, []error{ghl.ErrAmbiguous, ghl.ErrServer}, 1},
		{"create after a lost connection is not repeated", create, []step{loses}, []error{ghl.ErrAmbiguous, errReset}, 1},
		{"create after half a body is not repeated", create, []step{cutsBody}, []error{ghl.ErrAmbiguous, errReset}, 1},
		{"create after the gateway's 401 is not repeated", create, []step{timedOut}, []error{ghl.ErrAmbiguous, ghl.ErrServer}, 1},
		{"create after 408 is not repeated", create, []step{answers(408, "")}, []error{ghl.ErrAmbiguous, ghl.ErrServer}, 1},
		{"create where no connection opened", create, []step{refuses, answers(201, okTask)}, nil, 2},
		{"create where the name does not resolve", create, []step{unresolved, answers(201, okTask)}, nil, 2},
		{"create where the proxy does not answer", create, []step{proxyGone, answers(201, okTask)}, nil, 2},
		{"create where none ever opens", create, []step{refuses}, []error{}, 4},
		{"create after 429", create, []step{answers(429, tooMany), answers(201, okTask)}, nil, 2},
		{"upsert after 500 is not repeated", upsert, []step{answers(500, server500)}, []error{ghl.ErrAmbiguous}, 1},
		{"campaign after 500 is not repeated", campaign, []step{answers(500, server500)}, []error{ghl.ErrAmbiguous}, 1},
		{"a delete that finds nothing", remove, []step{answers(400, `{"error":"Contact with id c1 not found","status":400}`)}, []error{ghl.ErrNotFound}, 1},
		{"a delete whose second attempt finds nothing", remove, []step{loses, answers(400, `{"error":"Contact with id c1 not found","status":400}`)}, nil, 2},
		{"a delete after 500 that finds nothing", remove, []step{answers(500, server500), answers(404, `{"message":"not found"}`)}, nil, 2},
		{"a delete after 429 that finds nothing", remove, []step{answers(429, tooMany), answers(404, `{"message":"not found"}`)}, []error{ghl.ErrNotFound}, 2},
		{"a delete with an answer whose contact is gone", removeTags, []step{loses, answers(400, `{"error":"Contact with id c1 not found","status":400}`)}, []error{ghl.ErrNotFound}, 2},
		{"a delete whose endpoint is gone", remove, []step{answers(500, server500), answers(404, "")}, []error{}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := mocked(t, inTurn(tc.steps...))
				err := tc.call(t.Context(), c)
				require.Equal(t, tc.sent, s.count())
				if tc.want == nil {
					require.NoError(t, err)
					return
				}
				e := asError(t, err)
				require.Equal(t, tc.sent, e.Attempts)
				for _, want := range tc.want {
					require.ErrorIs(t, err, want)
				}
				if len(tc.want) == 0 || tc.want[0] != ghl.ErrAmbiguous {
					require.NotErrorIs(t, err, ghl.ErrAmbiguous)
				}
			})
		})
	}
}

func TestARepeatedRequestIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := mocked(t, inTurn(answers(429, tooMany), answers(201, okTask)))
		_, err := c.Tasks.Create(t.Context(), "c1", newTask)
		require.NoError(t, err)
		require.Equal(t, s.bodies[0], s.bodies[1])
		require.NotEmpty(t, s.bodies[0])
		require.Equal(t, s.requests[0].Header, s.requests[1].Header)
		require.NotSame(t, &s.requests[0].Header, &s.requests[1].Header)
	})
}

// TestCancelledInFlight: a create that is cancelled in flight returns ErrAmbiguous.
func TestCancelledInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, s := mocked(t, hangs)
		time.AfterFunc(time.Second, cancel)
		_, err := c.Tasks.Create(ctx, "c1", newTask)
		require.ErrorIs(t, err, ghl.ErrAmbiguous)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, s.count())

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c, s = mocked(t, hangs)
		_, err = c.Contacts.Get(ctx, "c1")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ghl.ErrAmbiguous)
		require.Equal(t, 1, s.count(), "a call is not retried after its deadline")

		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		c, s = mocked(t, hangs)
		_, err = c.Tasks.Create(ctx, "c1", newTask)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ghl.ErrAmbiguous)
		require.Zero(t, s.count())
	})
}

// TestContextEndsAPause: the end of the context ends a wait for the next attempt at once.
func TestContextEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, s := mocked(t, answers(503, "", "Retry-After", "50"))
		time.AfterFunc(2*time.Second, cancel)
		start := time.Now()
		_, err := c.Contacts.Get(ctx, "c1")
		require.Equal(t, 2*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, ghl.ErrServer, "the error also has the failure before the wait")
		require.Equal(t, 1, s.count())
		require.Equal(t, 503, asError(t, err).Status)
	})
}

func TestA429CostsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := []step{}
		for range 30 {
			steps = append(steps, answers(429, tooMany))
		}
		c, s := mocked(t, inTurn(append(steps, answers(500, server500), answers(429, tooMany),
			answers(200, okContact))...))
		var resp ghl.Response
		_, err := c.Contacts.Get(t.Context(), "c1", ghl.CallRetry(ghl.RetryPolicy{MaxAttempts: 2}),
			ghl.CallResponse(&resp))
		require.NoError(t, err)
		require.Equal(t, 33, s.count())
		require.Equal(t, 33, resp.Attempts)

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		c, _ = mocked(t, answers(429, tooMany))
		_, err = c.Contacts.Get(ctx, "c1")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ghl.ErrRateLimited)
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{429, 503} {
			c, s := mocked(t, inTurn(answers(status, tooMany, "Retry-After", "17"), answers(200, okContact)))
			start := time.Now()
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err)
			require.GreaterOrEqual(t, time.Since(start), 17*time.Second, "the wait is not shorter than Retry-After")
			require.Less(t, time.Since(start), 50*time.Second)
			require.Equal(t, 2, s.count())

			c, s = mocked(t, answers(status, tooMany, "Retry-After", "86400"))
			start = time.Now()
			_, err = c.Contacts.Get(t.Context(), "c1")
			require.Zero(t, time.Since(start), "the call does not wait a day")
			require.Equal(t, 24*time.Hour, asError(t, err).RetryAfter)
			require.Equal(t, 1, s.count())
			if status == 429 {
				require.ErrorIs(t, err, ghl.ErrRateLimited)
			}
		}
	})
}

func TestDailyLimitIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := mocked(t, answers(429, tooMany, "X-RateLimit-Limit-Daily", "10000", "X-RateLimit-Daily-Remaining", "0",
			"X-RateLimit-Daily-Reset", "7200000"))
		start := time.Now()
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.Zero(t, time.Since(start))
		require.ErrorIs(t, err, ghl.ErrDailyLimit)
		require.ErrorIs(t, err, ghl.ErrRateLimited)
		require.Equal(t, 2*time.Hour, asError(t, err).RetryAfter)
		require.Equal(t, 1, s.count())
	})
}

// TestBackoffIsJittered: the waits differ between calls, double, and stay within their bounds.
func TestBackoffIsJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := ghl.RetryPolicy{MaxAttempts: 5, MinBackoff: time.Second, MaxBackoff: 4 * time.Second}
		seen := map[time.Duration]bool{}
		smallest, largest := [4]time.Duration{}, [4]time.Duration{}
		for i := range smallest {
			smallest[i] = time.Hour
		}
		for range 50 {
			var at []time.Time
			c, _ := mocked(t, func(r *http.Request) (*http.Response, error) {
				at = append(at, time.Now())
				return loses(r)
			}, ghl.WithRetry(policy))
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.Error(t, err)
			require.Len(t, at, 5)
			for i, ceiling := range []time.Duration{1, 2, 4, 4} {
				wait := at[i+1].Sub(at[i])
				require.LessOrEqual(t, wait, ceiling*time.Second)
				smallest[i], largest[i] = min(smallest[i], wait), max(largest[i], wait)
			}
			seen[at[1].Sub(at[0])] = true
		}
		require.Greater(t, len(seen), 40)
		// each misses with a chance of 0.75^50, under one in a million
		for i, ceiling := range []time.Duration{1, 2, 4, 4} {
			require.Less(t, smallest[i], ceiling*time.Second/4, "full jitter starts at zero")
			require.Greater(t, largest[i], ceiling*time.Second*3/4, "and the ceiling doubles")
		}
	})
}

func TestARefusedTokenIsRefreshedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &refreshing{current: "old", next: []string{"new", "newer"}}
		c, s := mocked(t, inTurn(answers(401, badJWT), answers(201, okTask)), ghl.WithTokenSource(source))
		_, err := c.Tasks.Create(t.Context(), "c1", newTask)
		require.NoError(t, err, "the server did not act on a refused token, so a create is retried")
		require.Equal(t, []string{"Bearer old"}, s.requests[0].Header["Authorization"])
		require.Equal(t, []string{"Bearer new"}, s.requests[1].Header["Authorization"])

		source = &refreshing{current: "old", next: []string{"new", "newer"}}
		c, s = mocked(t, answers(401, badJWT), ghl.WithTokenSource(source))
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
		require.Equal(t, 1, source.refreshed, "a permanent 401 does not loop")
		require.Equal(t, 2, s.count())

		source = &refreshing{current: "old"} // the source has no newer token
		c, s = mocked(t, answers(401, badJWT), ghl.WithTokenSource(source))
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
		require.Equal(t, 1, s.count(), "the same token is not tried again")

		gone := errors.New("the vault is sealed")
		source = &refreshing{current: "old", err: gone}
		c, _ = mocked(t, answers(401, badJWT), ghl.WithTokenSource(source))
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, gone)
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
		require.Equal(t, 401, asError(t, err).Status)
	})
}

// rotating is a source with a Token that lags behind its Refresh, as with a replicated store.
type rotating struct{}

func (rotating) Token(context.Context) (*ghl.Token, error) {
	return &ghl.Token{AccessToken: "old"}, nil
}
func (rotating) Refresh(context.Context, *ghl.Token) (*ghl.Token, error) {
	return &ghl.Token{AccessToken: "new"}, nil
}

func TestTheRefreshedTokenIsTheOneSent(t *testing.T) {
	c, s := mocked(t, inTurn(answers(401, badJWT), answers(200, okContact)), ghl.WithTokenSource(rotating{}))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer new"}, s.requests[1].Header["Authorization"])
}

// cancelling returns a token after it has cancelled the call.
type cancelling struct{ cancel context.CancelFunc }

func (s cancelling) Token(context.Context) (*ghl.Token, error) {
	s.cancel()
	return &ghl.Token{AccessToken: "t"}, nil
}

func TestNothingIsSentAfterTheContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{}
	c, s := mocked(t, answers(201, okTask), ghl.WithTokenSource(cancelling{cancel}), ghl.WithLimiter(w))
	_, err := c.Tasks.Create(ctx, "c1", newTask)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ghl.ErrAmbiguous)
	require.Zero(t, s.count())
	require.Len(t, w.seen, 1)
	require.True(t, w.seen[0].Sent.IsZero())
}

// derived is a source that requests its tokens from the API.
type derived struct{ company *ghl.Client }

func (s derived) Token(ctx context.Context) (*ghl.Token, error) {
	return s.company.OAuth.LocationToken(ctx, "company1", "loc1")
}

// TestAFailedTokenIsNotTheCallsFailure: the category of a token's error is not that of the call.
func TestAFailedTokenIsNotTheCallsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		company, _ := mocked(t, answers(400, `{"message":"Location not found","statusCode":400}`))
		c, s := mocked(t, answers(200, okContact), ghl.WithTokenSource(derived{company}))
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.NotErrorIs(t, err, ghl.ErrNotFound)
		require.Equal(t, "contacts.get", asError(t, err).Operation)
		require.Zero(t, s.count())

		company, _ = mocked(t, loses)
		c, s = mocked(t, answers(201, okTask), ghl.WithTokenSource(derived{company}))
		_, err = c.Tasks.Create(t.Context(), "c1", newTask, ghl.CallReadBack())
		require.ErrorIs(t, err, errReset)
		require.NotErrorIs(t, err, ghl.ErrAmbiguous)
		require.Zero(t, s.count(), "neither the create nor a read was sent")
	})
}

func TestWhatIsNoRefusalOfTheToken(t *testing.T) {
	for _, message := range []string{
		"Command timed out", "The token is not authorized for this scope.", "version header was not found.",
		"This authClass type is not allowed to access this scope. Please use a different token", "Token's user type mismatch!",
	} {
		synctest.Test(t, func(t *testing.T) {
			source := &refreshing{current: "old", next: []string{"new"}}
			c, _ := mocked(t, answers(401, `{"statusCode":401,"message":`+strconv.Quote(message)+`}`),
				ghl.WithTokenSource(source))
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.Error(t, err)
			require.Zero(t, source.refreshed, message)
		})
	}
}

// TestTheLimiterIsAskedForEachAttempt: each attempt waits for the limiter before http.Client.Do, so that its Timeout
// excludes the wait.
func TestTheLimiterIsAskedForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMock(inTurn(answers(500, server500), answers(500, server500), answers(200, okContact)))
		c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"),
			ghl.WithHTTPClient(&http.Client{Transport: s, Timeout: time.Second}),
			ghl.WithLimiter(rate.NewLimiter(rate.Every(10*time.Second), 1)))
		require.NoError(t, err)
		start := time.Now()
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Greater(t, time.Since(start), 19*time.Second)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Contacts.Get(ctx, "c1")
		require.ErrorIs(t, err, context.DeadlineExceeded, "rate.Limiter returns another error")
		require.Equal(t, 3, s.count())
	})
}

// watching is a limiter that counts its waits and records its observations.
type watching struct {
	waits atomic.Int32
	seen  []ghl.RateLimit
}

func (w *watching) Wait(ctx context.Context) error { w.waits.Add(1); return ctx.Err() }
func (w *watching) Observe(l ghl.RateLimit)        { w.seen = append(w.seen, l) }

func TestTheLimiterIsToldOfEachEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watching{}
		c, _ := mocked(t, inTurn(loses, answers(429, tooMany, "X-RateLimit-Max", "25", "X-RateLimit-Remaining", "0",
			"X-RateLimit-Interval-Milliseconds", "10000"), cutsBody, answers(200, okContact)), ghl.WithLimiter(w))
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.EqualValues(t, 4, w.waits.Load())
		require.Len(t, w.seen, 4)
		statuses := []int{}
		for _, l := range w.seen {
			statuses = append(statuses, l.Status)
			require.False(t, l.Sent.IsZero())
		}
		require.Equal(t, []int{0, 429, 200, 200}, statuses)
		require.Equal(t, 25, w.seen[1].Limit)

		w = &watching{}
		broken := errors.New("no token today")
		c, s := mocked(t, answers(200, okContact), ghl.WithLimiter(w), ghl.WithTokenSource(failingSource{broken}))
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, broken)
		require.Zero(t, s.count())
		require.Len(t, w.seen, 1)
		require.True(t, w.seen[0].Sent.IsZero(), "an attempt that was not sent returns its permit")
	})
}

// TestAPanicGivesThePermitBack: a panic in an attempt returns the permit to the limiter.
func TestAPanicGivesThePermitBack(t *testing.T) {
	w := &watching{}
	c, _ := mocked(t, unexpected(t), ghl.WithLimiter(w), ghl.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
		return transportFunc(func(*http.Request) (*http.Response, error) { panic("a bug in a middleware") })
	}))
	require.Panics(t, func() { _, _ = c.Contacts.Get(t.Context(), "c1") })
	require.EqualValues(t, 1, w.waits.Load())
	require.Len(t, w.seen, 1)
	require.Zero(t, w.seen[0].Status)
}

// TestA429IsSpreadOutWithoutTheDefaultLimiter: calls retry a 429 at random times, also with a limiter that observes
// without waiting.
func TestA429IsSpreadOutWithoutTheDefaultLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, opt := range []ghl.Option{ghl.WithLimiter(&watching{}),
			ghl.WithLimiterFor(func(string) ghl.Limiter { return nil })} {
			longest := time.Duration(0)
			for range 40 {
				c, _ := mocked(t, inTurn(answers(429, tooMany, "X-RateLimit-Interval-Milliseconds", "8000"),
					answers(200, okContact)), opt)
				start := time.Now()
				_, err := c.Contacts.Get(t.Context(), "c1")
				require.NoError(t, err)
				longest = max(longest, time.Since(start))
			}
			require.Greater(t, longest, 4*time.Second)
			require.LessOrEqual(t, longest, 9*time.Second)
		}
	})
}

// TestLimitersByCompanyAndLocation: the calls of a company and of its locations have separate limiters.
func TestLimitersByCompanyAndLocation(t *testing.T) {
	var asked []string
	c, _ := mocked(t, answers(200, `{"access_token":"a","locations":[],"contact":{"id":"c1"}}`),
		ghl.WithLimiterFor(func(resource string) ghl.Limiter {
			asked = append(asked, resource)
			return nil
		}))
	_, err := c.OAuth.LocationToken(t.Context(), "company1", "loc1")
	require.NoError(t, err)
	_, err = c.OAuth.InstalledLocations(t.Context(), &ghl.InstalledLocationsQuery{CompanyID: "company2", AppID: "a"})
	require.NoError(t, err)
	for range 2 {
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"company1", "company2", "loc1"}, asked, "each is made once")
}

type failingSource struct{ err error }

func (s failingSource) Token(context.Context) (*ghl.Token, error) { return nil, s.err }

// TestNoConnectionWasOpened uses real connections: a create is retried only if net/http reports that no connection was
// opened.
func TestNoConnectionWasOpened(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	address := server.Listener.Addr().String()
	require.NoError(t, server.Listener.Close())
	policy := ghl.RetryPolicy{MaxAttempts: 2, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL("http://"+address),
		ghl.WithRetry(policy))
	require.NoError(t, err)
	_, err = c.Tasks.Create(t.Context(), "c1", newTask)
	require.NotErrorIs(t, err, ghl.ErrAmbiguous)
	require.Equal(t, 2, asError(t, err).Attempts)

	tls := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer tls.Close()
	c, err = ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL(tls.URL), ghl.WithRetry(policy))
	require.NoError(t, err)
	_, err = c.Tasks.Create(t.Context(), "c1", newTask)
	require.NotErrorIs(t, err, ghl.ErrAmbiguous, "the certificate was not accepted, so nothing was sent")
	require.Equal(t, 1, asError(t, err).Attempts, "and a retry cannot change that")
}

// TestAConnectionThatDiesWithTheRequest: the server reads the create and closes.
func TestAConnectionThatDiesWithTheRequest(t *testing.T) {
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	defer server.Close()
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = c.Tasks.Create(t.Context(), "c1", newTask)
	require.ErrorIs(t, err, ghl.ErrAmbiguous)
	require.EqualValues(t, 1, served.Load())
}
