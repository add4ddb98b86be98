package ghl_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// windowServer grants a number of requests in each fixed window, and a daily quota, and reports both in its headers.
type windowServer struct {
	mu       sync.Mutex
	grant    int
	interval time.Duration
	phase    time.Duration
	window   int64
	used     int
	daily    int
	refused  int
	granted  int
	rng      *rand.Rand
}

func (s *windowServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	if s.rng == nil {
		s.rng = rand.New(rand.NewPCG(7, 7))
	}
	latency := 50*time.Millisecond + time.Duration(s.rng.Int64N(int64(250*time.Millisecond)))
	s.mu.Unlock()
	time.Sleep(latency / 2) // in a synctest bubble
	s.mu.Lock()
	if w := time.Now().Add(s.phase).UnixNano() / int64(s.interval); w != s.window {
		s.window, s.used = w, 0
	}
	status, body := http.StatusOK, okContact
	switch {
	case s.used >= s.grant || s.daily <= 0:
		status, body = http.StatusTooManyRequests, tooMany
		s.refused++
	default:
		s.used++
		s.granted++
		s.daily--
	}
	left, daily := s.grant-s.used, s.daily
	s.mu.Unlock()
	time.Sleep(latency / 2)
	return answers(status, body, "X-RateLimit-Max", strconv.Itoa(s.grant), "X-RateLimit-Remaining", strconv.Itoa(left),
		"X-RateLimit-Interval-Milliseconds", strconv.FormatInt(s.interval.Milliseconds(), 10),
		"X-RateLimit-Limit-Daily", "10000", "X-RateLimit-Daily-Remaining", strconv.Itoa(daily),
		"X-RateLimit-Daily-Reset", "3600000")(r)
}

// limitedClient returns a client with the default limiter that sends to a transport.
func limitedClient(t *testing.T, transport http.RoundTripper) *ghl.Client {
	t.Helper()
	client := &http.Client{Transport: transport}
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithHTTPClient(client))
	require.NoError(t, err)
	return c
}

// TestNoCallFailsBecauseOfA429: two clients that do not know of each other, with 50 callers each, share the limit of
// a trial account.
func TestNoCallFailsBecauseOfA429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &windowServer{grant: 25, interval: 10 * time.Second, phase: 3 * time.Second, daily: 10_000}
		start := time.Now()
		var wg sync.WaitGroup
		for range 2 {
			c := limitedClient(t, server)
			for range 50 {
				wg.Go(func() {
					for range 10 {
						if _, err := c.Contacts.Get(t.Context(), "c1"); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		require.Equal(t, 1000, server.granted)
		windows := time.Since(start).Seconds()/10 + 1
		t.Logf("1000 calls in %.0f windows of 25, %d answered 429", windows, server.refused)
		require.Less(t, windows, 44.0, "at least 40 windows are needed")
		require.Less(t, server.refused, 40)
	})
}

// TestTheDailyQuotaEndsCallsAtOnce: calls fail at once when the quota is used up, and succeed again after its reset.
func TestTheDailyQuotaEndsCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &windowServer{grant: 100, interval: 10 * time.Second, daily: 3}
		c := limitedClient(t, server)
		for range 3 {
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err)
		}
		start := time.Now()
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrDailyLimit)
		require.Zero(t, time.Since(start))
		e := asError(t, err)
		require.Equal(t, "contacts.get", e.Operation)
		require.Zero(t, e.Attempts)
		require.Greater(t, e.RetryAfter, 59*time.Minute)
		require.LessOrEqual(t, e.RetryAfter, time.Hour)

		time.Sleep(e.RetryAfter)
		server.daily = 100
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	})
}

// TestBackgroundCallsYield: when the limit is short, other calls overtake background calls.
func TestBackgroundCallsYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &windowServer{grant: 25, interval: 10 * time.Second, daily: 10_000}
		c := limitedClient(t, server)
		var mu sync.Mutex
		longest := map[bool]time.Duration{}
		var wg sync.WaitGroup
		call := func(background bool) {
			wg.Go(func() {
				opts := []ghl.CallOption{nil}
				if background {
					opts[0] = ghl.CallBackground()
				}
				start := time.Now()
				if _, err := c.Contacts.Get(t.Context(), "c1", opts...); err != nil {
					t.Error(err)
				}
				mu.Lock()
				longest[background] = max(longest[background], time.Since(start))
				mu.Unlock()
			})
		}
		for range 100 {
			call(true)
		}
		time.Sleep(15 * time.Second)
		for range 5 {
			call(false)
		}
		wg.Wait()
		require.Less(t, longest[false], 6*time.Second)
		require.Greater(t, longest[true], 30*time.Second)
	})
}

// TestATooLongPauseFailsAllCalls: after a Retry-After beyond the policy other calls do not hang in the limiter.
func TestATooLongPauseFailsAllCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMock(inTurn(answers(429, tooMany, "Retry-After", "7200"), answers(200, okContact)))
		c := limitedClient(t, s)
		for range 2 {
			start := time.Now()
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrRateLimited)
			require.NotErrorIs(t, err, ghl.ErrDailyLimit)
			require.Equal(t, 2*time.Hour, asError(t, err).RetryAfter)
			require.Zero(t, time.Since(start))
		}
		require.Equal(t, 1, s.count())
		_, err := c.Contacts.Get(t.Context(), "c1", ghl.CallRetry(ghl.RetryPolicy{MaxRetryAfter: 3 * time.Hour}))
		require.NoError(t, err, "a call with a longer MaxRetryAfter waits")
	})
}

// TestAPauseIsCheckedNowAndThen: a wrong Retry-After does not stop a program for days.
func TestAPauseIsCheckedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMock(inTurn(
			answers(429, tooMany, "Retry-After", "99999999999"),
			answers(200, okContact, "X-RateLimit-Max", "100", "X-RateLimit-Remaining", "99"),
		))
		c := limitedClient(t, s)
		for range 4 {
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrRateLimited)
			time.Sleep(time.Minute)
		}
		require.Equal(t, 1, s.count())
		time.Sleep(5 * time.Minute)
		for range 3 {
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err, "the first call found that the server grants again")
		}
	})
}

// TestHeadersOfZeroBesideASuccess: an answer that succeeds shows that there is quota. A limit of 0 means that none is
// known.
func TestHeadersOfZeroBesideASuccess(t *testing.T) {
	maxHeader, left, interval := "X-RateLimit-Max", "X-RateLimit-Remaining", "X-RateLimit-Interval-Milliseconds"
	daily, dailyLeft := "X-RateLimit-Limit-Daily", "X-RateLimit-Daily-Remaining"
	huge := "99999999999999999999"
	tests := map[string][]string{
		"daily limit and remainder":     {daily, "0", dailyLeft, "0"},
		"daily limit":                   {daily, "0"},
		"daily remainder":               {dailyLeft, "0"},
		"daily remainder and its reset": {dailyLeft, "0", "X-RateLimit-Daily-Reset", "3600000"},
		"all of the window":             {maxHeader, "0", left, "0", interval, "0"},
		"limit and remainder":           {maxHeader, "0", left, "0"},
		"limit":                         {maxHeader, "0"},
		"remainder":                     {left, "0"},
		"remainder and interval":        {left, "0", interval, "10000"},
		"interval":                      {maxHeader, "100", interval, "0"},
		"all":                           {maxHeader, "0", left, "0", interval, "0", daily, "0", dailyLeft, "0"},
		"negative limits":               {maxHeader, "-1", left, "0", daily, "-1", dailyLeft, "0"},
		"huge limits":                   {maxHeader, huge, left, "0", daily, huge, dailyLeft, "0"},
		"limits that are not numbers":   {maxHeader, "none", left, "0", daily, "unlimited", dailyLeft, "0"},
		"negative remainders":           {maxHeader, "100", left, "-1", daily, "200", dailyLeft, "-1"},
		"remainders not numbers":        {maxHeader, "100", left, "NaN", daily, "200", dailyLeft, ""},
	}
	for name, headers := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMock(answers(200, okContact, headers...))
				c := limitedClient(t, s)
				start := time.Now()
				for range 100 {
					_, err := c.Contacts.Get(t.Context(), "c1")
					require.NoError(t, err)
				}
				require.Equal(t, 100, s.count())
				require.Less(t, time.Since(start), 15*time.Second, "the published rate")
			})
		})
	}
}

// TestTheLastOfTheDay: nothing remains of a known daily limit, so the next call is not sent.
func TestTheLastOfTheDay(t *testing.T) {
	s := newMock(answers(200, okContact, "X-RateLimit-Limit-Daily", "200000", "X-RateLimit-Daily-Remaining", "0"))
	c := limitedClient(t, s)
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	_, err = c.Contacts.Get(t.Context(), "c1")
	require.ErrorIs(t, err, ghl.ErrDailyLimit)
	require.Equal(t, 1, s.count())
}

// TestTheLastOfTheWindow: nothing remains of a known limit, so the next call waits.
func TestTheLastOfTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMock(answers(200, okContact, "X-RateLimit-Max", "100", "X-RateLimit-Remaining", "0"))
		c := limitedClient(t, s)
		start := time.Now()
		for range 2 {
			_, err := c.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err)
		}
		require.Greater(t, time.Since(start), time.Second)
	})
}

// TestAnEndlessRetryAfter: a Retry-After that overflows is a long wait, so the call fails at once.
func TestAnEndlessRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMock(answers(429, tooMany, "Retry-After", "99999999999999999999"))
		_, err := limitedClient(t, s).Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrRateLimited)
		require.Equal(t, 24*time.Hour, asError(t, err).RetryAfter)
		require.Equal(t, 1, s.count())
	})
}
