package ghl

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/pluvo/ghl/internal/pace"
)

// doubtEvery is the interval at which one call is sent during a longer pause that the server announced. The
// announcement may have been wrong, or the quota may have been raised, and a limiter can be in use for weeks.
const doubtEvery = 5 * time.Minute

const (
	foreground = iota
	background
	classes
)

// AdaptiveLimiter is the default [Limiter]. It learns the limit, what remains of it and when it is granted again from
// the answers that it observes, and spreads what remains over the rest of the window. Programs that share a location
// need no coordination, because the server reports to each of them what remains for all.
//
// HighLevel counts requests by location or company, so each of these needs a limiter of its own. Create it with
// [NewLimiter]. It is safe for concurrent use.
type AdaptiveLimiter struct {
	mu    sync.Mutex
	pacer *pace.Pacer
	doubt time.Time          // when one call is sent while the others are refused
	queue [classes]list.List // of *waiter
	timer *time.Timer        // calls wake when the next waiter may go
}

type waiter struct {
	ready    chan error    // buffered; receives once, when the waiter has left the queue
	patience time.Duration // the longest Retry-After that the call waits for
}

// NewLimiter returns a limiter that starts from the published limit of 100 requests in 10 seconds and then follows the
// server's rate limit headers.
func NewLimiter() *AdaptiveLimiter {
	return &AdaptiveLimiter{pacer: pace.New(time.Now())}
}

// Wait returns nil when the next attempt may be sent, and then expects one call of [AdaptiveLimiter.Observe]. It
// returns the context's own error as soon as the context ends, and an error of the category [ErrDailyLimit] at once
// when the daily quota is used up. Where the server asks for a longer pause than [RetryPolicy.MaxRetryAfter], it
// returns an error of the category [ErrRateLimited] at once. While it refuses calls, it lets one through every five
// minutes, to find out whether the server still refuses them.
//
// Calls are sent in the order in which they arrive, except that background calls (see [CallBackground]) yield to all
// others and leave room for others when little remains.
func (l *AdaptiveLimiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	class, patience := foreground, patienceOf(ctx)
	if isBackground(ctx) {
		class = background
	}

	l.mu.Lock()
	now := time.Now()
	l.pacer.Advance(now)
	if err := l.refusal(now, patience); err != nil {
		defer l.mu.Unlock()
		if l.doubt.IsZero() {
			l.doubt = now.Add(doubtEvery)
		}
		if now.Before(l.doubt) {
			return err
		}
		l.doubt = now.Add(doubtEvery)
		l.pacer.Take(now)
		return nil
	}
	l.doubt = time.Time{}
	if !l.mustQueue(class) && l.pacer.Delay(now, class == background) == 0 {
		l.pacer.Take(now)
		l.mu.Unlock()
		return nil
	}
	w := &waiter{ready: make(chan error, 1), patience: patience}
	place := l.queue[class].PushBack(w)
	l.pacer.Queued()
	l.releaseWaiters(now)
	l.mu.Unlock()

	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now = time.Now()
	select {
	case err := <-w.ready: // released at the same moment
		if err == nil {
			l.pacer.GiveBack(now)
		}
	default:
		l.queue[class].Remove(place)
	}
	l.releaseWaiters(now)
	return ctx.Err()
}

// Observe reports how an attempt ended. See [Limiter].
func (l *AdaptiveLimiter) Observe(r RateLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.pacer.Advance(now)
	if r.Sent.IsZero() {
		l.pacer.GiveBack(now)
	} else {
		l.pacer.Learn(r.answer(), now)
	}
	l.releaseWaiters(now)
}

// answer returns what the pacer learns from. An answer other than a 429 shows that there is quota, so a remainder of 0
// without a limit says nothing.
func (r *RateLimit) answer() pace.Answer {
	a := pace.Answer{
		Limit:          r.Limit,
		Remaining:      r.Remaining,
		Interval:       r.Interval,
		DailyRemaining: r.DailyRemaining,
		DailyReset:     r.DailyReset,
		RetryAfter:     r.RetryAfter,
		Lost:           r.Status == 0,
		Refused:        r.Status == http.StatusTooManyRequests,
		Sent:           r.Sent,
	}
	if !a.Refused && r.Limit == 0 && r.Remaining == 0 {
		a.Remaining = -1
	}
	if !a.Refused && r.DailyLimit == 0 && r.DailyRemaining == 0 {
		a.DailyRemaining = -1
	}
	return a
}

// refusal returns an error if waiting does not help, or takes longer than the call's patience.
func (l *AdaptiveLimiter) refusal(now time.Time, patience time.Duration) error {
	if exhausted, reset := l.pacer.DailyExhausted(now); exhausted {
		return dailyLimitError(reset)
	}
	if pause := l.pacer.Pause(now); pause > patience {
		return pauseError(pause)
	}
	return nil
}

// mustQueue reports whether a new call of the class must queue because others wait already.
func (l *AdaptiveLimiter) mustQueue(class int) bool {
	return l.queue[foreground].Len() > 0 || class == background && l.queue[background].Len() > 0
}

// releaseWaiters releases all waiters that may go now, and sets the timer for the next one.
func (l *AdaptiveLimiter) releaseWaiters(now time.Time) {
	l.pacer.Advance(now)
	for {
		class := foreground
		if l.queue[foreground].Len() == 0 {
			class = background
		}
		next := l.queue[class].Front()
		if next == nil {
			if l.timer != nil {
				l.timer.Stop()
			}
			return
		}
		w := next.Value.(*waiter)
		err := l.refusal(now, w.patience)
		if err == nil {
			if d := l.pacer.Delay(now, class == background); d > 0 {
				l.wakeIn(d)
				return
			}
			l.pacer.Take(now)
		}
		l.queue[class].Remove(next)
		w.ready <- err
	}
}

func (l *AdaptiveLimiter) wakeIn(d time.Duration) {
	if l.timer == nil {
		l.timer = time.AfterFunc(d, l.wake)
		return
	}
	l.timer.Reset(d)
}

func (l *AdaptiveLimiter) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.releaseWaiters(time.Now())
}
