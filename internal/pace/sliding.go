package pace

import (
	"math"
	"time"
)

// Besides fixed windows there are servers that grant little by little: with a sliding window, a request is granted when
// one of an interval ago leaves the window, and a token bucket fills steadily. Both are treated alike, as sliding: at
// an even rate each grants the whole limit, and what remains may stay near 0. The rule for fixed windows, which waits
// for a window's end when little remains, used 51 % of a sliding window of 25, and 81 % of a bucket.

const (
	// What remains rises at most once in a fixed window, when it begins. After slipsToSlide rises in two intervals the
	// server's window is treated as sliding for slideFor intervals.
	slipsToSlide = 4
	slideFor     = 6

	// slidingShare of the even rate is used, so that what remains does not fall to 0 by chance.
	slidingShare = 0.985
	// What remains beyond slidingSpare of the limit is used slidingGain times in an interval. A bucket is so emptied
	// down to the spare, and one that fills faster than reported is used in full.
	slidingSpare = 0.03
	slidingGain  = 6
	// slidingFairness is what fairness is for fixed windows. It is nearer to 1, because clients that rush take from
	// each other what leaves the window.
	slidingFairness = 0.8
)

// rises counts how often what remains has risen, between attempts of which one was sent after the other was answered.
type rises struct {
	remaining int       // as reported by the answer to compare with
	recv      time.Time // when that answer arrived
	first     time.Time // when the rises began to be counted
	n         int
}

// count takes over what an answer reported, and returns the number of rises if this is one. An attempt takes one of
// what remains, so the same remainder again is a rise too. A time sent that is not in the past is not usable.
func (r *rises) count(remaining int, sent, now time.Time, interval time.Duration) int {
	if sent.Before(r.recv) || !sent.Before(now) {
		return 0
	}
	rose := !r.recv.IsZero() && remaining > 0 && remaining >= r.remaining
	r.remaining, r.recv = remaining, now
	if !rose {
		return 0
	}
	if now.Sub(r.first) > interval*5/2 {
		r.first, r.n = now, 0
	}
	r.n++
	return r.n
}

// slidingRate returns how many attempts should be sent in a second.
func (w *window) slidingRate() float64 {
	excess := float64(w.remaining) - max(slidingSpare*float64(w.limit), 2)
	return w.weight * (slidingShare*w.evenRate() + slidingGain*max(excess, 0)/w.interval.Seconds())
}

// leaving returns how many of this client's attempts have left the sliding window since what remains was reported. An
// attempt leaves the window an interval after it reached the server, which was at most w.took() after it was sent.
func (w *window) leaving(now time.Time) int {
	return w.sends.between(w.remainingSent.Add(-w.interval), now.Add(-w.interval-w.took()))
}

// learnSliding learns while the server's window is treated as sliding, and checks whether it still slides.
func (w *window) learnSliding(remaining int, sent, now time.Time) {
	if sent.Before(w.remainingSent) {
		return
	}
	if remaining-w.remaining >= max(w.limit/2, 1) {
		w.forget()
		return
	}
	if remaining <= w.remaining || !sent.Before(w.remainingRecv) {
		w.setRemaining(remaining, sent, now)
	}
	own := float64(w.sends.between(sent.Add(-w.interval), sent))
	if own > 0 {
		others := max(float64(w.limit-w.remaining)-own-1, 0)
		w.share += (own/(own+others) - w.share) / float64(w.limit)
		w.weight = math.Pow(max(w.share, 0.1), slidingFairness)
	}
}
