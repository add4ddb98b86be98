package ghl

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// scouts is how many attempts may go at once while nothing tells what
	// remains. The first of their answers does.
	scouts = 5
	// blindShare of the published pace is kept for as long as nothing tells.
	blindShare = 0.9
	// burstShare of the limit may go at once as long as quietShare of it remains,
	// trickleShare otherwise.
	burstShare   = 0.35
	quietShare   = 0.75
	trickleShare = 0.1
	// reserveShare of what an even pace would have left over at this point of the
	// window is kept from background calls.
	reserveShare = 0.25
	// dailyProbe is how often one call is let through when the daily quota is
	// gone and nothing tells until when.
	dailyProbe = time.Minute
	// doubtEvery is how often one call is let through although the server said to
	// stay away for longer than that: it may have been wrong, or the quota been
	// raised, and the program that holds this limiter runs for weeks.
	doubtEvery = 5 * time.Minute
)

const (
	foreground = iota
	background
	classes
)

// AdaptiveLimiter is the default [Limiter]. It learns the limit, what remains of
// it and when it is granted anew from the answers that it observes, and spreads
// what remains over the rest of the window. Programs that share a location need
// not know of each other: what remains shrinks for all of them.
//
// Use one for each location or company, since that is what HighLevel counts by,
// and make it with [NewLimiter]. It is safe for concurrent use.
type AdaptiveLimiter struct {
	mu     sync.Mutex
	window window
	pace   *rate.Limiter // carries the window's pace, and bursts after quiet times
	blind  *rate.Limiter // holds back as well while nothing tells what remains
	credit int           // permits given back, which take nothing from the two
	closed time.Time     // until then a Retry-After forbids all calls
	shut   time.Time     // when an answer said so last
	doubt  time.Time     // when one call is let through although all are refused
	daily  daily
	queue  [classes]list.List // of *waiter
	timer  *time.Timer        // calls wake when the next waiter may go
}

type waiter struct {
	ready    chan error    // buffered: receives once when the waiter has left the queue
	patience time.Duration // the longest Retry-After that it waits for
}

// NewLimiter returns a limiter that starts from the published limit of 100
// requests in 10 seconds and then follows what the server says.
func NewLimiter() *AdaptiveLimiter {
	l := &AdaptiveLimiter{window: newWindow(time.Now()), daily: daily{left: -1}}
	l.pace = rate.NewLimiter(rate.Limit(l.window.even()), l.burst())
	l.blind = rate.NewLimiter(rate.Limit(blindShare*l.window.even()), scouts)
	return l
}

// Wait returns nil when the next attempt may be sent, and then expects one call
// of [AdaptiveLimiter.Observe]. It returns the context's own error as soon as the
// context ends, and an error of the category [ErrDailyLimit] at once when the
// daily quota is used up. Where the server asks for a longer pause than
// [RetryPolicy.MaxRetryAfter], it is an error of the category [ErrRateLimited] at
// once, rather than hours of silence. Every five minutes one call is let through
// all the same, to find out whether that still holds.
//
// Calls go first come, first served, except that those marked as background let
// all others go first and leave them some room when the limit gets short.
func (l *AdaptiveLimiter) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	class, patience := foreground, patienceOf(ctx)
	if IsBackground(ctx) {
		class = background
	}

	l.mu.Lock()
	now := time.Now()
	l.window.roll(now)
	if err := l.refusal(now, patience); err != nil {
		defer l.mu.Unlock()
		if l.doubt.IsZero() {
			l.doubt = now.Add(doubtEvery)
		}
		if now.Before(l.doubt) {
			return err
		}
		l.doubt = now.Add(doubtEvery)
		l.take(now)
		return nil
	}
	l.doubt = time.Time{}
	if !l.queued(class) && l.delay(now, class) == 0 {
		l.take(now)
		l.mu.Unlock()
		return nil
	}
	w := &waiter{ready: make(chan error, 1), patience: patience}
	place := l.queue[class].PushBack(w)
	l.window.busy = true
	l.pump(now)
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
	case err := <-w.ready: // let go in the same moment
		if err == nil {
			l.giveBack(now)
		}
	default:
		l.queue[class].Remove(place)
	}
	l.pump(now)
	return ctx.Err()
}

// Observe tells the limiter how an attempt ended. See [LimitObserver].
func (l *AdaptiveLimiter) Observe(r RateLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.window.roll(now)
	if r.Sent.IsZero() {
		l.giveBack(now)
	} else {
		l.learn(r, now)
	}
	l.pump(now)
}

func (l *AdaptiveLimiter) learn(r RateLimit, now time.Time) {
	// Only the age of Sent is used. It is a difference of monotonic times, unless
	// Sent came without one and the wall clock has jumped since.
	sent := now.Add(-max(now.Sub(r.Sent), 0))
	l.daily.inflight = max(l.daily.inflight-1, 0)
	l.window.flights.land(sent)
	if r.Status == 0 {
		l.window.learnNothing(sent)
		return
	}
	if l.window.setLimit(r.Limit, r.Interval, sent) {
		l.blind.SetLimitAt(now, rate.Limit(blindShare*l.window.even()))
		l.blind.SetBurstAt(now, min(scouts, l.window.limit))
	}
	l.daily.learn(r, sent, now)
	refused := r.Status == http.StatusTooManyRequests
	switch {
	case refused:
		l.window.learn(0, true, sent, now)
	case r.Remaining >= 0:
		l.window.learn(min(r.Remaining, l.window.limit), false, sent, now)
	default:
		l.window.learnNothing(sent)
	}
	switch {
	case refused && r.RetryAfter > 0:
		l.closed, l.shut = later(l.closed, now.Add(r.RetryAfter)), now
		l.window.endsBy(l.closed)
	case r.Remaining > 0 && sent.After(l.shut):
		l.closed = time.Time{} // open earlier than it said
	}
}

// refusal is the error for calls that waiting will not help.
func (l *AdaptiveLimiter) refusal(now time.Time, patience time.Duration) error {
	if gone, reset := l.daily.gone(now); gone {
		return dailyLimitError(reset)
	}
	if pause := l.closed.Sub(now); pause > patience {
		return pauseError(pause)
	}
	return nil
}

// queued tells whether somebody waits whom a new call of the class must not pass.
func (l *AdaptiveLimiter) queued(class int) bool {
	return l.queue[foreground].Len() > 0 || class == background && l.queue[background].Len() > 0
}

// delay returns how long the next call of the class has to wait before it can be
// looked at again; 0 when it may go. It brings the pace up to date.
func (l *AdaptiveLimiter) delay(now time.Time, class int) time.Duration {
	if d := l.closed.Sub(now); d > 0 {
		return d
	}
	room := l.window.room(now)
	if room < 1 {
		l.pace.SetLimitAt(now, 0) // or a burst would have gathered when it opens
		return max(l.window.opens(now).Sub(now), time.Millisecond)
	}
	l.pace.SetLimitAt(now, rate.Limit(l.window.pace(now)))
	l.pace.SetBurstAt(now, l.burst())
	if class == background && room < 1+reserveShare*l.window.evenRest(now) {
		return l.window.interval / 20
	}
	if l.credit > 0 {
		return 0
	}
	d := untilToken(l.pace, now)
	if !l.window.known {
		d = max(d, untilToken(l.blind, now))
	}
	return min(d, l.window.interval/4) // the pace may be another by then
}

func (l *AdaptiveLimiter) burst() int {
	limit, share := float64(l.window.limit), trickleShare
	if !l.window.known || float64(l.window.left) >= quietShare*limit {
		share = burstShare
	}
	return max(int(share*limit), 1)
}

func untilToken(lim *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - lim.TokensAt(now)
	if missing < 1e-6 { // what rounding leaves
		return 0
	}
	return time.Duration(missing/float64(lim.Limit())*float64(time.Second)) + time.Microsecond
}

// take gives out a permit.
func (l *AdaptiveLimiter) take(now time.Time) {
	if l.credit > 0 {
		l.credit--
	} else {
		l.pace.AllowN(now, 1)
		if !l.window.known {
			l.blind.AllowN(now, 1)
		}
	}
	l.window.own++
	l.window.flights.start(now)
	l.daily.take(now)
}

// giveBack takes back a permit that was not used.
func (l *AdaptiveLimiter) giveBack(now time.Time) {
	l.credit = min(l.credit+1, l.window.limit)
	l.window.own = max(l.window.own-1, 0)
	l.window.flights.land(now)
	l.daily.giveBack(now)
}

// pump lets go all who may go now, and sets the timer for the next.
func (l *AdaptiveLimiter) pump(now time.Time) {
	l.window.roll(now)
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
			if d := l.delay(now, class); d > 0 {
				l.wakeIn(d)
				return
			}
			l.take(now)
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
	l.pump(time.Now())
}

// daily keeps the books of the daily quota.
type daily struct {
	left     int       // as last told; -1 when unknown
	sent     time.Time // when the attempt was sent whose answer told
	reset    time.Time // when the quota is granted anew, or when to probe
	told     bool      // reset is the server's word
	inflight int       // permits given that were not observed yet
}

// gone tells whether nothing is left, and for how long; 0 when that is unknown.
func (d *daily) gone(now time.Time) (gone bool, wait time.Duration) {
	if d.left < 0 || d.left > d.inflight {
		return false, 0
	}
	wait = d.reset.Sub(now)
	switch {
	case wait > 0 && d.told:
		return true, wait
	case wait > 0:
		return true, 0
	case d.told:
		d.left = -1
	}
	return false, 0
}

func (d *daily) take(now time.Time) {
	d.inflight++
	if d.left >= 0 && !d.told && !now.Before(d.reset) {
		d.reset = now.Add(dailyProbe) // this is the probe; the next one goes then
	}
}

func (d *daily) giveBack(now time.Time) {
	d.inflight = max(d.inflight-1, 0)
	if d.left == 0 && !d.told {
		d.reset = now // the probe was not sent
	}
}

func (d *daily) learn(r RateLimit, sent, now time.Time) {
	if r.DailyRemaining < 0 || sent.Before(d.sent) && r.DailyRemaining >= d.left {
		return
	}
	d.left, d.sent = r.DailyRemaining, sent
	d.told = r.DailyReset > 0
	d.reset = now.Add(dailyProbe)
	if d.told {
		d.reset = now.Add(r.DailyReset)
	}
}
