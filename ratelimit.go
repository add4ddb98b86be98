package ghl

import (
	"context"
	"net/http"
	"time"
)

type Limiter interface {
	Wait(ctx context.Context) error
}
type LimitObserver interface{ Observe(RateLimit) }
type RateLimit struct {
	Limit, Remaining           int
	Interval                   time.Duration
	DailyLimit, DailyRemaining int
	DailyReset, RetryAfter     time.Duration
	Status                     int
	Sent                       time.Time
}

func parseRateLimit(h http.Header, now time.Time) RateLimit {
	return RateLimit{Remaining: -1, DailyRemaining: -1}
}
func NewLimiter() Limiter { return noLimit{} }
