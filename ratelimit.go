package ghl

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limiter paces calls: Wait is asked once for each attempt, retries included,
// and returns nil when the attempt may go. A [golang.org/x/time/rate.Limiter]
// is one. [NewLimiter] makes the default one.
//
// Wait returns the context's own error when the context ends first.
type Limiter interface {
	Wait(ctx context.Context) error
}

// LimitObserver is a [Limiter] that learns from the answers. Observe is told
// the end of every attempt that Wait let go: exactly one Observe for each Wait
// that returned nil.
type LimitObserver interface {
	Observe(RateLimit)
}

// RateLimit is what one attempt's answer said about the limits. HighLevel sends
// these headers on every answer, errors included; a header that is missing or
// senseless is told apart from a zero as each field says.
type RateLimit struct {
	// Limit is the number of requests granted in each Interval
	// (X-RateLimit-Max); 0 when missing. 100 is published, less was seen.
	Limit int
	// Remaining is what is left of Limit (X-RateLimit-Remaining); -1 when missing.
	Remaining int
	// Interval is the window that Limit counts in
	// (X-RateLimit-Interval-Milliseconds); 0 when missing.
	Interval time.Duration

	// DailyLimit is the number of requests granted in a day
	// (X-RateLimit-Limit-Daily); 0 when missing.
	DailyLimit int
	// DailyRemaining is what is left of DailyLimit
	// (X-RateLimit-Daily-Remaining); -1 when missing.
	DailyRemaining int
	// DailyReset is how long it takes until the daily quota is granted anew
	// (X-RateLimit-Daily-Reset, which HighLevel does not document: a duration in
	// milliseconds, not a time); 0 when missing.
	DailyReset time.Duration

	// RetryAfter is the Retry-After header as a duration; 0 when missing.
	// HighLevel was never seen to send it.
	RetryAfter time.Duration

	// Status is the HTTP status; 0 when no answer came.
	Status int
	// Sent is when the attempt was sent. It is zero when the attempt was let go
	// but never sent, so that its permit can be given to another.
	Sent time.Time
}

const (
	// Longest times believed. Anything beyond is a garbled header.
	maxInterval   = 10 * time.Minute
	maxDailyReset = 48 * time.Hour
	// A longer Retry-After is cut to this, which nobody waits for either.
	maxRetryAfter = 24 * time.Hour
)

// parseRateLimit reads the rate limit headers. Status and Sent are left to the
// caller. Now is what a Retry-After that is a date is compared with.
func parseRateLimit(h http.Header, now time.Time) RateLimit {
	return RateLimit{
		Limit:          max(headerInt(h, "X-Ratelimit-Max", math.MaxInt32), 0),
		Remaining:      headerInt(h, "X-Ratelimit-Remaining", math.MaxInt32),
		Interval:       headerMillis(h, "X-Ratelimit-Interval-Milliseconds", maxInterval),
		DailyLimit:     max(headerInt(h, "X-Ratelimit-Limit-Daily", math.MaxInt32), 0),
		DailyRemaining: headerInt(h, "X-Ratelimit-Daily-Remaining", math.MaxInt32),
		DailyReset:     headerMillis(h, "X-Ratelimit-Daily-Reset", maxDailyReset),
		RetryAfter:     retryAfter(h, now),
	}
}

// headerValue is h.Get for a name that is in canonical form already.
func headerValue(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// headerInt returns -1 for what is not a plain number from 0 to most. It does
// not use strconv, whose errors allocate and which takes a sign.
func headerInt(h http.Header, name string, most int64) int {
	v := headerValue(h, name)
	if v == "" {
		return -1
	}
	var n int64
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return -1
		}
		if n = n*10 + int64(v[i]-'0'); n > most {
			return -1
		}
	}
	return int(n)
}

func headerMillis(h http.Header, name string, most time.Duration) time.Duration {
	return time.Duration(max(headerInt(h, name, most.Milliseconds()), 0)) * time.Millisecond
}

func retryAfter(h http.Header, now time.Time) time.Duration {
	v := headerValue(h, "Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseUint(v, 10, 64); err == nil {
		return time.Duration(min(s, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		// Wall clocks: the server's date can only be compared with ours.
		return min(max(at.Sub(now.Round(0)), 0), maxRetryAfter)
	}
	return 0
}
