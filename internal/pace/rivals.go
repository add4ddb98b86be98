package pace

import "time"

const (
	// stubbornAt is how fast, in parts of their rate before, others must be in the second half of the limit to be
	// treated as clients that do not slow down. Two clients with this limiter fall to 0.6, five to 0.5.
	stubbornAt = 0.8
	// fewOthers requests of others are too few to measure their rate.
	fewOthers = 10
)

// rivals measures whether other clients slow down as what remains shrinks.
type rivals struct {
	half, low     time.Time // when a half and an eighth of the limit remained
	atHalf, atLow float64   // requests of others until then
	yieldNot      float64   // part of the latest windows in which others did not slow down
}

// watch takes over what an answer of this window reported.
func (r *rivals) watch(w *window, now time.Time) {
	others := float64(w.limit-w.remaining-w.own) + w.uncounted()
	switch {
	case w.remaining <= w.limit/2 && r.half.IsZero():
		r.half, r.atHalf = now, others
	case w.remaining <= w.limit/8 && r.low.IsZero() && !r.half.IsZero():
		r.low, r.atLow = now, others
	}
}

// judge compares the rates of others in the window that began at begin, and ends it.
func (r *rivals) judge(begin time.Time) {
	if late := r.atLow - r.atHalf; late >= fewOthers && r.low.After(r.half) && r.half.After(begin) {
		stubborn := 0.0
		if late/r.low.Sub(r.half).Seconds() >= stubbornAt*r.atHalf/r.half.Sub(begin).Seconds() {
			stubborn = 1
		}
		r.yieldNot += (stubborn - r.yieldNot) / 3
	}
	r.half, r.low = time.Time{}, time.Time{}
}
