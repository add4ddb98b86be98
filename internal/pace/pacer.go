// Package pace is the arithmetic of the client's adaptive rate limiter. From the rate limit headers of the answers it
// estimates when the server's current window ends and what remains in it, and computes when the next attempt may be
// sent.
//
// The package has no lock, no timer and no clock. The limiter serializes its calls and passes the time to each of them.
package pace

import (
	"time"

	"golang.org/x/time/rate"
)

// Scouts is how many attempts may be sent at once while the remaining grant is unknown. The first answer reports it.
const Scouts = 5

const (
	// unlearnedShare of the published rate is used while the remaining grant is unknown.
	unlearnedShare = 0.9
	// A burst may take burstShare of the limit while at least quietShare of the limit remains, and trickleShare
	// otherwise.
	burstShare   = 0.35
	quietShare   = 0.75
	trickleShare = 0.1
	// reserveShare of what an even rate would leave at this point of the window is reserved for foreground calls.
	reserveShare = 0.25
)

// Answer is what the answer to one attempt said about the limits.
type Answer struct {
	// Limit is the number of requests granted in each Interval; 0 when missing.
	Limit int
	// Remaining is what remains of Limit; -1 when missing.
	Remaining int
	// Interval is the length of a window; 0 when missing.
	Interval time.Duration
	// DailyRemaining is what remains of the daily quota; -1 when missing.
	DailyRemaining int
	// DailyReset is how long it takes until the daily quota is granted again; 0 when missing.
	DailyReset time.Duration
	// RetryAfter is how long the server asks to wait; 0 when missing.
	RetryAfter time.Duration
	// Lost reports that no answer arrived. All fields but Sent are ignored.
	Lost bool
	// Refused reports that the server refused the attempt because of a limit.
	Refused bool
	// Sent is when the attempt was sent.
	Sent time.Time
}

// Pacer decides when attempts may be sent. It is not safe for concurrent use. The times passed to its methods must
// not go backwards.
type Pacer struct {
	window    window
	daily     daily
	bucket    *rate.Limiter // holds the window's rate, and allows bursts after quiet times
	unlearned *rate.Limiter // also applies while the remaining grant is unknown
	credit    int           // permits given back; they are used before the buckets are
	closed    time.Time     // a Retry-After forbids all attempts until then
	closedAt  time.Time     // when the latest Retry-After arrived
}

// New returns a Pacer that starts from the published limit of 100 requests in 10 seconds.
func New(now time.Time) *Pacer {
	p := &Pacer{window: newWindow(now), daily: daily{remaining: -1}}
	p.bucket = rate.NewLimiter(rate.Limit(p.window.evenRate()), p.burst(now))
	p.unlearned = rate.NewLimiter(rate.Limit(unlearnedShare*p.window.evenRate()), Scouts)
	return p
}

// Advance moves on to the window that now is in. Call it before other methods with the same now.
func (p *Pacer) Advance(now time.Time) { p.window.advance(now) }

// Delay returns how long to wait before asking again for the next attempt; 0 when that attempt may be sent. A
// background attempt leaves room for others when little remains.
func (p *Pacer) Delay(now time.Time, background bool) time.Duration {
	if d := p.Pause(now); d > 0 {
		return d
	}
	room := p.window.room(now)
	if room < 1 {
		if !p.window.sliding(now) && !p.window.hi.IsZero() {
			p.bucket.SetLimitAt(now, 0) // the bucket must not fill up until the window opens
		}
		return max(p.window.opens(now).Sub(now), time.Millisecond)
	}
	p.bucket.SetLimitAt(now, rate.Limit(p.window.rate(now)))
	p.bucket.SetBurstAt(now, p.burst(now))
	if background && room < 1+reserveShare*p.window.evenRest(now) {
		return p.window.interval / 20
	}
	if p.credit > 0 {
		return 0
	}
	d := untilToken(p.bucket, now)
	if !p.window.known {
		p.unlearned.SetLimitAt(now, rate.Limit(p.window.unlearnedRate()))
		d = max(d, untilToken(p.unlearned, now))
	}
	if p.window.probing(now) {
		d = min(d, p.window.hi.Sub(now)) // the rate changes then
	}
	return min(d, p.window.interval/4) // the rate may have changed by then
}

// Pause returns how long a Retry-After still forbids all attempts; 0 or less when none does.
func (p *Pacer) Pause(now time.Time) time.Duration { return p.closed.Sub(now) }

// DailyExhausted reports whether the daily quota is used up, counting attempts in flight, and how long until it is
// granted again; 0 when that time is unknown.
func (p *Pacer) DailyExhausted(now time.Time) (exhausted bool, wait time.Duration) {
	return p.daily.exhausted(now)
}

// Queued records that a call had to wait in this window. The share of the grant that this client uses is only
// measured in such windows.
func (p *Pacer) Queued() { p.window.busy = true }

// Take gives out a permit for one attempt. It expects one Learn or GiveBack in return.
func (p *Pacer) Take(now time.Time) {
	if p.credit > 0 {
		p.credit--
	} else {
		p.bucket.AllowN(now, 1)
		if !p.window.known {
			p.unlearned.AllowN(now, 1)
		}
	}
	p.window.own++
	p.window.flights.start(now)
	p.window.sends.add(now)
	p.daily.take(now)
}

// GiveBack takes back a permit whose attempt was not sent.
func (p *Pacer) GiveBack(now time.Time) {
	p.credit = min(p.credit+1, p.window.limit)
	p.window.own = max(p.window.own-1, 0)
	p.window.flights.land(now)
	p.window.sends.remove(now)
	p.daily.giveBack(now)
}

// Learn ends an attempt and updates the estimates from its answer.
func (p *Pacer) Learn(a Answer, now time.Time) {
	// Only the age of Sent is used. The age is a difference of monotonic times, unless Sent has no monotonic reading
	// and the wall clock has jumped since.
	sent := now.Add(-max(now.Sub(a.Sent), 0))
	p.daily.inFlight = max(p.daily.inFlight-1, 0)
	p.window.flights.land(sent)
	if a.Lost {
		p.window.learnNothing(sent)
		return
	}
	if p.window.setLimit(p.window.implyLimit(a), a.Interval, sent) {
		p.unlearned.SetLimitAt(now, rate.Limit(p.window.unlearnedRate()))
		p.unlearned.SetBurstAt(now, min(Scouts, p.window.limit))
	}
	p.daily.learn(a, sent, now)
	switch {
	case a.Refused:
		p.window.sends.remove(sent)
		if a.Remaining < 0 && p.window.hi.IsZero() {
			p.window.learnBlindRefusal(sent, now)
		} else {
			p.window.learn(0, true, sent, now)
		}
	case a.Remaining >= 0:
		p.window.learn(min(a.Remaining, p.window.limit), false, sent, now)
	default:
		p.window.learnNothing(sent)
		p.window.learnBlind(now)
	}
	switch {
	case a.Refused && a.RetryAfter > 0:
		p.closed, p.closedAt = later(p.closed, now.Add(a.RetryAfter)), now
		p.window.endsBy(p.closed)
		p.window.blind.closed = time.Time{}
	case a.Remaining > 0 && sent.After(p.closedAt):
		p.closed = time.Time{} // the server grants again, earlier than announced
	}
}

// InFlight returns how many permits were given out and not returned yet, as counted for the window and for the day.
func (p *Pacer) InFlight() (window, day int) { return p.window.flights.total(), p.daily.inFlight }

// burst is how many attempts may be sent at once.
func (p *Pacer) burst(now time.Time) int {
	limit, share := float64(p.window.limit), trickleShare
	switch {
	case !p.window.known || float64(p.window.remaining) >= quietShare*limit:
		share = burstShare
	case p.window.sliding(now):
		return 1
	}
	return max(int(share*limit), 1)
}

// untilToken returns how long it takes until the bucket holds a token.
func untilToken(bucket *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - bucket.TokensAt(now)
	if missing < 1e-6 { // a rounding error
		return 0
	}
	return time.Duration(missing/float64(bucket.Limit())*float64(time.Second)) + time.Microsecond
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
