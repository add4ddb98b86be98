package ghltest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Limits are the rate limits of each app in each location or company: a number of requests in each window, and in
// each day. All tokens of an app for a location share one limit, and so do all tokens without an app.
type Limits struct {
	// Requests is the number of requests in a window of length Interval.
	Requests int
	Interval time.Duration
	// Daily is the number of requests in a day. Days begin at midnight UTC.
	Daily int
}

// PublishedLimits are HighLevel's published limits: 100 requests in 10 s and 200,000 a day.
var PublishedLimits = Limits{Requests: 100, Interval: 10 * time.Second, Daily: 200_000}

var generousLimits = Limits{Requests: 1_000_000, Interval: 10 * time.Second, Daily: 1_000_000_000}

// SetLimits changes the limits. Requests of the current window and day still count.
func (s *Server) SetLimits(limits Limits) {
	s.helper()
	if err := limits.check(); err != nil {
		s.fail("SetLimits: %v", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = limits
}

func (l Limits) check() error {
	if l.Requests < 1 || l.Daily < 1 || l.Interval < time.Millisecond {
		return fmt.Errorf("%+v has a limit that is not positive, or an interval below a millisecond", l)
	}
	return nil
}

// window counts the requests of an app in a location or company.
type window struct {
	began time.Time
	used  int
	day   time.Time
	today int
}

var rateHeaders = [...]string{
	"X-Ratelimit-Max", "X-Ratelimit-Remaining", "X-Ratelimit-Interval-Milliseconds",
	"X-Ratelimit-Limit-Daily", "X-Ratelimit-Daily-Remaining", "X-Ratelimit-Daily-Reset",
}

// admit counts a request, writes the rate headers and reports whether the limits admit it.
func (w *window) admit(l Limits, now time.Time, h http.Header) bool {
	if now.Sub(w.began) >= l.Interval || now.Before(w.began) {
		w.began, w.used = now.Truncate(l.Interval), 0
	}
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(w.day) {
		w.day, w.today = day, 0
	}
	ok := w.used < l.Requests && w.today < l.Daily
	if ok {
		w.used++
		w.today++
	}
	values := new([6]string) // one allocation for all headers
	for i, n := range [...]int64{
		int64(l.Requests), int64(max(0, l.Requests-w.used)), l.Interval.Milliseconds(),
		int64(l.Daily), int64(max(0, l.Daily-w.today)), w.day.Add(24 * time.Hour).Sub(now).Milliseconds(),
	} {
		values[i] = strconv.FormatInt(n, 10)
		h[rateHeaders[i]] = values[i : i+1 : i+1]
	}
	return ok
}
