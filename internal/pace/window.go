package pace

import (
	"math"
	"time"
)

// The published limit. The server's headers overrule it.
const (
	publishedLimit    = 100
	publishedInterval = 10 * time.Second
)

const (
	// fastest is the highest rate, as a multiple of the even rate.
	fastest = 3
	// haste is how much faster than evenly the remaining grant is used, so that the end of it is not left to the last
	// moment.
	haste = 1.3
	// fairness draws clients that share a limit towards equal shares: each aims at its share to the power of
	// fairness, so that a small share grows. 1 would preserve all shares; less than fairness would make every client
	// rush.
	fairness = 0.5
	// foresight is the part of what other clients are expected to use that is left for them. They also slow down when
	// the window runs out, so it is less than 1.
	foresight = 0.6
)

// window is the estimate of the server's current window: when it ends, what remains in it, and who uses it. Its times
// are on the client's clock.
type window struct {
	limit    int // requests granted in each interval
	interval time.Duration
	limitAt  time.Time // when the attempt that reported the two was sent

	// The window began in (lo, hi]: after an attempt of the previous window was sent, and before the answer to an
	// attempt of this window arrived. Both are zero while the beginning is unknown.
	lo, hi time.Time
	begin  time.Time     // attempts sent from here on are counted in this window
	probes bool          // begun before hi, to find out whether the server's window has begun
	grow   time.Duration // how far the end was last put off because the server's window had not ended
	rises  rises
	slides time.Time // the server's window is treated as sliding until then

	known         bool      // whether an answer of this window has reported what remains
	remaining     int       // what remains, as reported
	remainingSent time.Time // when the attempt that reported it was sent
	remainingRecv time.Time // when its answer arrived
	unreported    int       // answers since then that did not report what remains

	previous     int       // what remained at the end of the previous window; -1 when unknown
	previousRecv time.Time // when that was reported

	own    int     // permits given out in this window
	busy   bool    // whether a call had to wait in this window
	share  float64 // this client's part of all requests in busy windows
	weight float64 // the part of the remaining grant that this client uses
	others float64 // requests a second of other clients

	blind   blind
	implied int // limit that what remains implies while no answer reports the limit; -1 when one has

	flights flights
	sends   sendLog
}

func newWindow(now time.Time) window {
	return window{
		limit:    publishedLimit,
		interval: publishedInterval,
		previous: -1,
		share:    1,
		weight:   1,
		flights:  flights{epoch: now},
		sends:    newSendLog(now, publishedInterval),
	}
}

// evenRate is the rate, in requests a second, that uses up the limit exactly.
func (w *window) evenRate() float64 { return float64(w.limit) / w.interval.Seconds() }

// uncertain reports whether the end of the window is only roughly known.
func (w *window) uncertain() bool { return w.hi.Sub(w.lo) > w.interval/16 }

// sliding reports whether the server's window is treated as sliding.
func (w *window) sliding(now time.Time) bool { return now.Before(w.slides) }

// ends is the latest time at which the window ends.
func (w *window) ends() time.Time { return w.hi.Add(w.interval) }

// probing reports whether the window may not have begun yet, so that only one attempt may be sent.
func (w *window) probing(now time.Time) bool { return w.probes && now.Before(w.hi) }

// probeAt is the middle of the range in which the window ends. An attempt sent then halves the range.
func (w *window) probeAt() time.Time { return w.lo.Add(w.hi.Sub(w.lo)/2 + w.interval) }

// room returns how many attempts may be sent without exceeding the limit.
func (w *window) room(now time.Time) float64 {
	switch {
	case !w.known && w.hi.IsZero():
		return w.blindRoom(now)
	case w.probing(now):
		return float64(1 - w.flights.since(w.begin))
	case !w.known:
		return float64(w.limit - w.flights.since(w.begin))
	}
	left := float64(w.remaining - w.unreported - w.flights.since(w.remainingSent))
	age := now.Sub(w.remainingSent).Seconds()
	if w.sliding(now) {
		return left + float64(w.leaving(now))
	}
	// Clients that share the last few requests must not all take them.
	spare := math.Round(min(1/w.share-1, 6) / 4)
	return left - math.Round(foresight*w.others*age) - spare
}

// opens returns when there may be room again.
func (w *window) opens(now time.Time) time.Time {
	switch {
	case w.hi.IsZero():
		return later(w.blind.closed, now.Add(w.sends.slot))
	case w.sliding(now):
		return now.Add(w.sends.slot)
	case w.probing(now):
		return w.hi
	case w.uncertain() && w.known:
		return w.probeAt()
	}
	return w.ends()
}

// rate returns how many attempts should be sent in a second.
func (w *window) rate(now time.Time) float64 {
	even := w.evenRate()
	if w.sliding(now) {
		return w.slidingRate(even)
	}
	if w.hi.IsZero() {
		return even
	}
	end := w.lo.Add(w.interval)
	if w.hi.Sub(w.lo) > w.interval/4 {
		end = w.ends()
	}
	rest := max(end.Sub(now).Seconds(), 0.01)
	return min(max(haste*w.weight*w.room(now)/rest, even/10), fastest*even)
}

// evenRest returns what would remain now if all requests had been sent at the even rate.
func (w *window) evenRest(now time.Time) float64 {
	if w.hi.IsZero() || w.sliding(now) {
		return float64(w.limit) / 2
	}
	return w.evenRate() * max(w.ends().Sub(now).Seconds(), 0)
}

// advance moves on to the window that now is in.
func (w *window) advance(now time.Time) {
	if w.sliding(now) {
		return
	}
	if !w.slides.IsZero() {
		w.forget()
	}
	if w.hi.IsZero() {
		return
	}
	if !now.Before(w.ends()) {
		n := now.Sub(w.hi) / w.interval
		if n > 1000 {
			w.forget()
			return
		}
		w.shift(n)
		w.next(earlier(w.hi, now))
		if n > 1 {
			w.previous = -1
		}
		return
	}
	if w.known && w.uncertain() && !now.Before(w.probeAt()) && w.room(now) < 1 {
		w.shift(1)
		w.next(now)
		w.probes = true
	}
}

// shift moves the estimated beginning by n intervals, and widens its range because clocks drift.
func (w *window) shift(n time.Duration) {
	drift := n * w.interval / 4000
	w.lo = w.lo.Add(n*w.interval - drift)
	w.hi = w.hi.Add(n*w.interval + drift)
}

// forget discards all that is known of the current window.
func (w *window) forget() {
	w.lo, w.hi, w.begin = time.Time{}, time.Time{}, time.Time{}
	w.known, w.probes, w.previous, w.grow = false, false, -1, 0
	w.slides, w.rises = time.Time{}, rises{}
}

// next ends the current window, measures who used it, and begins the next one.
func (w *window) next(begin time.Time) {
	w.previous = -1
	if w.known {
		w.previous, w.previousRecv = w.remaining, w.remainingRecv
		own := max(w.own-w.flights.since(w.remainingSent), 0)
		others := max(w.limit-w.remaining-own, 0)
		w.others += (float64(others)/w.interval.Seconds() - w.others) / 3
		if w.busy && own > 0 {
			w.share += (float64(own)/float64(own+others) - w.share) / 3
			w.weight = math.Pow(max(w.share, 0.1), fairness)
		}
	}
	w.known, w.probes, w.busy, w.unreported = false, false, false, 0
	w.begin = begin
	w.own = w.flights.since(begin)
}
