package pace

import "time"

const (
	// rush is how much faster than on average other clients may be when a window begins.
	rush = 4
)

// setLimit takes over the reported limit and interval, and reports whether one of them changed.
func (w *window) setLimit(limit int, interval time.Duration, sent time.Time) bool {
	if sent.Before(w.limitAt) {
		return false
	}
	w.limitAt = sent
	newLimit := limit > 0 && limit != w.limit
	newInterval := interval >= 100*time.Millisecond && interval != w.interval
	if newLimit {
		w.limit = limit
		w.known, w.previous = false, -1
	}
	if newInterval {
		w.interval = interval
		w.sends = newSendLog(sent, interval)
		w.forget()
	}
	return newLimit || newInterval
}

// implyLimit returns the reported limit. As long as no answer has reported one, it returns the largest limit that what
// remains has implied, up to the published limit.
func (w *window) implyLimit(a Answer) int {
	if a.Limit > 0 {
		w.implied = -1
	}
	if w.implied < 0 || a.Refused || a.Remaining < 0 {
		return a.Limit
	}
	w.implied = max(w.implied, min(a.Remaining+1, publishedLimit))
	return w.implied
}

// learnNothing counts an attempt whose answer did not report what remains. It may have been granted.
func (w *window) learnNothing(sent time.Time) {
	if w.known && !sent.Before(w.begin) {
		w.unreported++
	}
}

// endsBy takes over the server's announcement that it grants again at end.
func (w *window) endsBy(end time.Time) {
	if begin := end.Add(-w.interval); !w.hi.IsZero() && begin.Before(w.hi) {
		w.hi = begin
		w.lo = earlier(w.lo, w.hi)
	}
}

// learn updates the estimate: the answer that arrived now, to an attempt sent at sent, reported what remains.
func (w *window) learn(remaining int, refused bool, sent, now time.Time) {
	if !refused && w.rises.count(remaining, sent, now, w.interval) >= slipsToSlide {
		w.slides = now.Add(slideFor * w.interval)
	}
	switch {
	case now.Sub(sent) > w.interval:
		// The attempt may have reached the server in any window.
	case w.sliding(now):
		w.learnSliding(remaining, sent, now)
	case w.hi.IsZero():
		// The window began no later than now, and ends no earlier than sent.
		w.lo, w.hi, w.begin = sent.Add(-w.interval), now, sent
		w.own = w.flights.since(sent) + 1
		w.setRemaining(remaining, sent, now)
	case sent.Before(w.begin):
		w.learnStraggler(remaining, sent, now)
	case w.known:
		w.learnFurther(remaining, sent, now)
	default:
		w.learnFirst(remaining, refused, sent, now)
	}
}

func (w *window) setRemaining(remaining int, sent, now time.Time) {
	w.known, w.probes, w.unreported = true, false, 0
	w.remaining, w.remainingSent, w.remainingRecv = remaining, sent, now
}

// learnStraggler learns from an attempt that was sent before the estimated beginning of the window. The attempt may
// still have reached the server in this window.
func (w *window) learnStraggler(remaining int, sent, now time.Time) {
	switch {
	case w.previous < 0 || sent.Before(w.lo):
	case w.jumped(remaining, w.previous, sent, w.previousRecv):
		w.hi = earlier(w.hi, now)
		if !w.known || remaining < w.remaining {
			w.setRemaining(remaining, sent, now)
		}
	default:
		w.previous = min(w.previous, remaining)
		if remaining < w.limit/4 && sent.Before(w.hi) {
			w.lo = later(w.lo, sent)
		}
	}
}

// learnFirst learns from the first answer of what is estimated to be a new window.
func (w *window) learnFirst(remaining int, refused bool, sent, now time.Time) {
	if w.previous >= 0 && w.previous < w.limit/4 && (refused || remaining < w.previous) {
		// The previous window has not ended: its end was estimated too early.
		w.lo = sent.Add(-w.interval)
		if w.hi.After(sent) {
			w.hi = w.hi.Add(-w.interval)
		} else {
			w.grow = min(max(2*w.grow, w.interval/64), w.interval)
			w.hi = now.Add(w.grow - w.interval)
		}
		w.begin = w.lo
		w.setRemaining(min(remaining, w.previous), sent, now)
		return
	}
	w.hi = earlier(w.hi, now)
	w.grow = 0
	// When other clients have used more than they can have since hi, even in the rush at the beginning, the window
	// began earlier. Without this correction a client that estimates the end too late would never see what the others
	// are granted before it, and would always get less than they do.
	excess := float64(w.limit-remaining-w.own) - rush*w.others*now.Sub(w.hi).Seconds()
	if excess > 1 && !w.uncertain() {
		by := excess / max(w.others, w.evenRate()/10) * float64(time.Second)
		w.lo = w.lo.Add(-time.Duration(min(by, float64(w.interval/4))))
	}
	w.setRemaining(remaining, sent, now)
}

// learnFurther learns from a further answer of the window. The answer may show that the next window has begun.
func (w *window) learnFurther(remaining int, sent, now time.Time) {
	switch {
	case w.slipped(remaining, sent, now):
		w.setRemaining(remaining, sent, now)
		return
	case w.jumped(remaining, w.remaining, sent, w.remainingRecv):
		lo, hi := later(w.lo.Add(w.interval), w.remainingSent), earlier(w.ends(), now)
		if !lo.Before(hi) { // the estimate was wrong
			lo, hi = w.remainingSent, now
		}
		w.next(hi)
		w.lo, w.hi = lo, hi
		w.setRemaining(remaining, sent, now)
		return
	}
	if remaining <= w.remaining || !sent.Before(w.remainingRecv) {
		w.setRemaining(remaining, sent, now)
	}
	// Too little remains for a new window, so this one has not ended. If more remained, it could be a new window of
	// which other clients have used a part.
	if at := sent.Add(-w.interval); remaining < w.limit/4 && at.Before(w.hi) {
		w.lo = later(w.lo, at)
	}
}

// learnSliding learns while the server's window is treated as sliding, and checks whether it still slides.
func (w *window) learnSliding(remaining int, sent, now time.Time) {
	if sent.Before(w.remainingSent) {
		return
	}
	switch {
	case remaining-w.remaining >= max(w.limit/2, 1):
		w.forget()
		return
	}
	if remaining <= w.remaining || !sent.Before(w.remainingRecv) {
		w.setRemaining(remaining, sent, now)
	}
	w.shareSliding(sent)
}

// slipped reports whether what remains has grown by too little for a fixed window, of which nearly all remains just
// after it began.
func (w *window) slipped(remaining int, sent, now time.Time) bool {
	return remaining > w.remaining && remaining < w.limit/2 &&
		!sent.Before(w.remainingRecv) && now.Sub(w.remainingSent) < w.interval/4
}

// jumped reports whether a new window began between two answers. Answers arrive in another order than the server
// counted the attempts in, unless one attempt was sent after the answer to the other had arrived, or the difference
// is too large.
func (w *window) jumped(remaining, before int, sent, beforeRecv time.Time) bool {
	rise := remaining - before
	return rise > w.limit/8 && !sent.Before(beforeRecv) || rise >= max(w.limit/2, 1)
}
