package pace

import "time"

const (
	// Others are stubborn when their rate, while what remains falls from a half to an eighth of the limit, is at least
	// stubbornAt of their rate before. The rate of two clients with this limiter falls to 0.6, of five to 0.5.
	stubbornAt = 0.8
	// fewOthers requests of others are too few to measure their rate.
	fewOthers = 10
	// boldness is how much more a client takes beside stubborn others: with 1, its weight no longer depends on its
	// share, and with more, a smaller share makes it faster. With 0 it gets 0.6 of an equal share beside a client that
	// sends 10 requests a second of a limit of 100, with 1 it gets 0.8, with 1.5 it gets 0.88.
	boldness = 1.5
)

// rivals measures whether other clients slow down as what remains shrinks. Beside clients that do not, a client that
// slows down would leave them more and more.
type rivals struct {
	half, low     time.Time // when a half and an eighth of the limit remained
	atHalf, atLow float64   // requests of others until then
	stubborn      float64   // part of the latest windows in which others did not slow down
}

// watch takes over what the latest answer of the window reported.
func (r *rivals) watch(w *window) {
	others := float64(w.limit-w.remaining-w.own) + w.uncounted()
	switch {
	case w.remaining <= w.limit/2 && r.half.IsZero():
		r.half, r.atHalf = w.remainingRecv, others
	case w.remaining <= w.limit/8 && r.low.IsZero() && !r.half.IsZero():
		r.low, r.atLow = w.remainingRecv, others
	}
}

// judge compares the rates of others in the window that began at begin, and prepares for the next window.
func (r *rivals) judge(begin time.Time) {
	late := r.atLow - r.atHalf
	if late >= fewOthers && r.low.After(r.half) && r.half.After(begin) {
		stubborn := 0.0
		if late/r.low.Sub(r.half).Seconds() >= stubbornAt*r.atHalf/r.half.Sub(begin).Seconds() {
			stubborn = 1
		}
		r.stubborn += (stubborn - r.stubborn) / 3
	}
	r.half, r.low = time.Time{}, time.Time{}
}
