// Package rate holds the rate limiters of a process, one for each location. One process at a time works on a location,
// so its limiter is that of the SDK. What a limiter has seen is stored for reports.
package rate

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/pluvo/ghl"
)

// Limits holds the limiters of a process.
type Limits struct {
	mu  sync.Mutex
	all map[string]*Limiter
}

// New returns limits without limiters.
func New() *Limits { return &Limits{all: map[string]*Limiter{}} }

// For returns the limiter of a location or company, the same one in every call. Pass it to [ghl.WithLimiterFor].
func (l *Limits) For(resource string) ghl.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.all[resource]
	if found == nil {
		found = &Limiter{local: ghl.NewLimiter()}
		l.all[resource] = found
	}
	return found
}

// Limiter is the limiter of the SDK, which follows the server's headers and lets background calls yield. In addition,
// it reserves a tenth of the daily quota for calls that are not in the background.
type Limiter struct {
	local *ghl.AdaptiveLimiter

	mu       sync.Mutex
	seen     budget
	reported budget // as it was stored
}

var (
	_ ghl.Limiter                         = (*Limiter)(nil)
	_ interface{ Observe(ghl.RateLimit) } = (*Limiter)(nil)
)

// Wait returns nil when the next attempt may be sent; see [ghl.Limiter]. It returns the errors of
// [ghl.AdaptiveLimiter.Wait].
func (l *Limiter) Wait(ctx context.Context) error {
	if op, _ := ghl.OperationFromContext(ctx); op.Background() {
		if left := l.reserved(); left > 0 {
			spent := ghl.NewLimiter() // returns the error of a used up daily quota
			spent.Observe(ghl.RateLimit{Remaining: -1, DailyReset: left, DailyLimit: 1,
				Status: http.StatusTooManyRequests, Sent: time.Now()})
			return spent.Wait(ctx)
		}
	}
	return l.local.Wait(ctx)
}

// reserveShare reserves one part in reserveShare of the daily quota for calls that are not in the background.
const reserveShare = 10

// dailyProbe is how long the daily quota counts as used up when the server did not report until when.
const dailyProbe = time.Minute

// reserved returns how long background calls must wait because only the reserve of the daily quota remains; 0 or less
// if more remains or nothing is known.
func (l *Limiter) reserved() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen.DailyLimit == 0 || l.seen.DailyLeft >= l.seen.DailyLimit/reserveShare {
		return 0
	}
	return time.Until(l.seen.DailyReset)
}

// Observe learns from an answer; see [ghl.Limiter].
func (l *Limiter) Observe(r ghl.RateLimit) {
	l.local.Observe(r)
	if r.Sent.IsZero() || r.Status == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Sent.Before(l.seen.Sent) {
		return // a later request was answered earlier
	}
	l.seen.Sent = r.Sent
	if r.Limit > 0 && r.Remaining >= 0 {
		l.seen.Limit, l.seen.Left, l.seen.Interval = r.Limit, r.Remaining, r.Interval
	}
	if r.DailyLimit > 0 && r.DailyRemaining >= 0 {
		l.seen.DailyLimit, l.seen.DailyLeft = r.DailyLimit, r.DailyRemaining
		l.seen.DailyReset = time.Now().Add(dailyProbe)
		if r.DailyReset > 0 {
			l.seen.DailyReset = time.Now().Add(r.DailyReset)
		}
	}
}
