package pace

import (
	"math"
	"time"
)

const (
	// slipsToSlide rises of what remains in one interval show that the server grants little by little.
	slipsToSlide    = 4
	slideFor        = 6
	slidingShare    = 0.985
	slidingSpare    = 0.03
	slidingGain     = 6
	slidingFairness = 0.5
)

// rises counts how often what remains has risen in an interval.
type rises struct {
	remaining int
	recv      time.Time
	first     time.Time
	n         int
}

func (r *rises) count(remaining int, sent, now time.Time, interval time.Duration) int {
	if sent.Before(r.recv) || !sent.Before(now) {
		return 0
	}
	rose := !r.recv.IsZero() && remaining > 0 && remaining >= r.remaining
	r.remaining, r.recv = remaining, now
	if !rose {
		return 0
	}
	if now.Sub(r.first) > interval {
		r.first, r.n = now, 0
	}
	r.n++
	return r.n
}

func (w *window) slidingRate(even float64) float64 {
	excess := float64(w.remaining) - max(slidingSpare*float64(w.limit), 2)
	return w.weight * (slidingShare*even + slidingGain*max(excess, 0)/w.interval.Seconds())
}

// leaving returns how many attempts have left the sliding window since what remains was reported.
func (w *window) leaving(now time.Time) int {
	took := w.remainingRecv.Sub(w.remainingSent)
	return w.sends.between(w.remainingSent.Add(-w.interval), now.Add(-w.interval-took))
}

// shareSliding measures this client's part of the requests of the last interval.
func (w *window) shareSliding(sent time.Time) {
	own := float64(w.sends.between(sent.Add(-w.interval), sent))
	others := max(float64(w.limit-w.remaining)-own-1, 0)
	if own > 0 {
		w.share += (own/(own+others) - w.share) / float64(w.limit)
		w.weight = math.Pow(max(w.share, 0.1), slidingFairness)
	}
}
