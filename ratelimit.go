package ghl

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limiter paces calls. Wait is called once for each attempt, retries included, and returns nil when the attempt may be
// sent. A [golang.org/x/time/rate.Limiter] is a Limiter. The default is made by [NewLimiter].
//
// Wait returns the context's own error when the context ends first.
//
// A Limiter that learns from the answers also has the method Observe(RateLimit). It is called at the end of every
// attempt: exactly once for each Wait that returned nil.
type Limiter interface {
	Wait(ctx context.Context) error
}

// limitObserver is the optional part of a Limiter.
type limitObserver interface {
	Observe(RateLimit)
}

// RateLimit is what the answer to one attempt said about the limits. HighLevel sends these headers on every answer,
// errors included. Each field documents its value for a header that is missing or malformed.
type RateLimit struct {
	// Limit is the number of requests granted in each Interval (X-RateLimit-Max); 0 when missing. HighLevel publishes
	// 100; lower values have been seen.
	Limit int
	// Remaining is what remains of Limit (X-RateLimit-Remaining); -1 when missing, or when the header with the limit is
	// 0.
	Remaining int
	// Interval is the window that Limit applies to (X-RateLimit-Interval-Milliseconds); 0 when missing.
	Interval time.Duration

	// DailyLimit is the number of requests granted in a day (X-RateLimit-Limit-Daily); 0 when missing.
	DailyLimit int
	// DailyRemaining is what remains of DailyLimit (X-RateLimit-Daily-Remaining); -1 when missing, or when the header
	// with the daily limit is 0.
	DailyRemaining int
	// DailyReset is how long it takes until the daily quota is granted again; 0 when missing. The header,
	// X-RateLimit-Daily-Reset, is not documented by HighLevel: it holds a duration in milliseconds, not a time.
	DailyReset time.Duration

	// RetryAfter is the Retry-After header as a duration; 0 when missing. HighLevel has not been seen to send it.
	RetryAfter time.Duration

	// Status is the HTTP status; 0 when no answer arrived.
	Status int
	// Sent is when the attempt was sent. It is zero when the limiter let the attempt go but the attempt was not sent;
	// the limiter can then give the permit to another attempt.
	Sent time.Time
}

const (
	// A header with a longer duration is malformed.
	maxInterval   = 10 * time.Minute
	maxDailyReset = 48 * time.Hour
	// A longer Retry-After is cut to this, which is also longer than any call waits.
	maxRetryAfter = 24 * time.Hour
)

// parseRateLimit reads the rate limit headers. The caller sets Status and Sent. A Retry-After with a date is relative
// to now. A limit of 0 means that the server knows no limit, so what remains of it is missing too.
func parseRateLimit(h http.Header, now time.Time) RateLimit {
	r := RateLimit{
		Limit:          max(headerInt(h, "X-Ratelimit-Max", math.MaxInt32), 0),
		Remaining:      headerInt(h, "X-Ratelimit-Remaining", math.MaxInt32),
		Interval:       headerMillis(h, "X-Ratelimit-Interval-Milliseconds", maxInterval),
		DailyLimit:     max(headerInt(h, "X-Ratelimit-Limit-Daily", math.MaxInt32), 0),
		DailyRemaining: headerInt(h, "X-Ratelimit-Daily-Remaining", math.MaxInt32),
		DailyReset:     headerMillis(h, "X-Ratelimit-Daily-Reset", maxDailyReset),
		RetryAfter:     retryAfter(h, now),
	}
	if headerInt(h, "X-Ratelimit-Max", 0) == 0 {
		r.Remaining = -1
	}
	if headerInt(h, "X-Ratelimit-Limit-Daily", 0) == 0 {
		r.DailyRemaining = -1
	}
	return r
}

// headerValue returns the first value of a header without spaces around it. The name must be in canonical form.
func headerValue(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

// headerInt returns the value of a header, or -1 unless it is an unsigned decimal number up to most. strconv is not
// used: it accepts a sign, and its errors allocate.
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

// headerMillis returns the value of a header in milliseconds, or 0 unless it is a duration up to most.
func headerMillis(h http.Header, name string, most time.Duration) time.Duration {
	return time.Duration(max(headerInt(h, name, most.Milliseconds()), 0)) * time.Millisecond
}

// retryAfter returns the Retry-After header, given in seconds or as a date, or 0 if it is missing or malformed. It
// returns maxRetryAfter for a longer time, also for a number of seconds that overflows.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := headerValue(h, "Retry-After")
	if v == "" {
		return 0
	}
	// ParseUint returns the largest number together with ErrRange.
	if s, err := strconv.ParseUint(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(s, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		// The server's date is compared with the wall clock.
		return min(max(at.Sub(now.Round(0)), 0), maxRetryAfter)
	}
	return 0
}
