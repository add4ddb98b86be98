package ghl

import (
	"math"
	"time"
)

// What HighLevel publishes. The server's headers overrule it.
const (
	publishedLimit    = 100
	publishedInterval = 10 * time.Second
)

const (
	// fastest is the fastest pace, in even paces.
	fastest = 3
	// haste is how much faster than evenly what remains is used, so that the last
	// of it is not left to the last moment.
	haste = 1.3
	// fairness draws programs that share a limit towards equal shares: each uses
	// its share to the power of it, so the small ones want more than they had. 1
	// keeps all shares as they are; less makes everybody rush.
	fairness = 0.5
	// foresight is how much of what others are expected to use is left for them.
	// They slow down as well when the window runs out, so not all of it.
	foresight = 0.6
	// rush is how much faster than on average others may be when a window begins.
	rush = 4
	// reorder is how much later than another an attempt must have been let go to
	// be sure that it reached the server after it.
	reorder = 500 * time.Millisecond
	// What remains never grows by a little in a fixed window. When it has done so
	// this often, the server's window is taken to slide for the next intervals.
	slipsToSlide = 4
	slideFor     = 6
)

// window is what is known of the server's current window: when it ends, what
// remains in it, and who uses it. Its times are on the client's clock.
type window struct {
	limit    int // requests granted in each interval
	interval time.Duration
	limitAt  time.Time // when the attempt was sent whose answer told them

	// The window began in (lo, hi]: after the sending of an attempt that still
	// belonged to the one before, and before the answer to one that did not.
	// Both are zero while nothing is known of it.
	lo, hi time.Time
	begin  time.Time     // attempts sent from here on are taken to belong to it
	probes bool          // begun before hi, to find out whether it has begun
	grow   time.Duration // how far the end was put off when it did not come
	slips  int           // signs in a row that the server's window slides
	slides time.Time     // until then it is taken to slide

	known    bool      // an answer of this window told what remains:
	left     int       // this, when
	leftSent time.Time // an attempt sent then reached the server
	leftRecv time.Time // and was answered then.
	dark     int       // answers since that told nothing

	old     int       // left at the end of the window before; -1 when unknown
	oldRecv time.Time // its leftRecv

	own    int     // permits given in this window
	busy   bool    // somebody had to wait in this window
	share  float64 // of what all use, when busy
	weight float64 // of what remains, to be used by us
	others float64 // requests a second that others send

	flights flights
}

func newWindow(now time.Time) window {
	return window{
		limit:    publishedLimit,
		interval: publishedInterval,
		old:      -1,
		share:    1,
		weight:   1,
		flights:  flights{epoch: now},
	}
}

// even is the pace, in requests a second, that uses the limit up exactly.
func (w *window) even() float64 { return float64(w.limit) / w.interval.Seconds() }

// wide tells whether it is rather unknown when the window ends.
func (w *window) wide() bool { return w.hi.Sub(w.lo) > w.interval/16 }

func (w *window) sliding(now time.Time) bool { return now.Before(w.slides) }

// ends is when the window is over for certain.
func (w *window) ends() time.Time { return w.hi.Add(w.interval) }

// room is how many attempts may go without overdrawing.
func (w *window) room(now time.Time) float64 {
	switch {
	case !w.known && w.hi.IsZero():
		return math.Inf(1) // the blind pace has to do
	case w.probing(now):
		return float64(1 - w.flights.since(w.begin))
	case !w.known:
		return float64(w.limit - w.flights.since(w.begin))
	}
	left := float64(w.left - w.dark - w.flights.since(w.leftSent))
	age := now.Sub(w.leftSent).Seconds()
	if w.sliding(now) {
		return left + age*w.even()/2
	}
	// Those who share the last few must not all take them.
	spare := math.Round(min(1/w.share-1, 6) / 4)
	return left - math.Round(foresight*w.others*age) - spare
}

// probing: only one may go, since the window has perhaps not begun yet.
func (w *window) probing(now time.Time) bool { return w.probes && now.Before(w.hi) }

// opens is when there may be room again.
func (w *window) opens(now time.Time) time.Time {
	switch {
	case w.sliding(now):
		return now.Add(w.interval / time.Duration(min(w.limit, 50)))
	case w.probing(now):
		return w.hi
	case w.wide() && w.known:
		return w.probeAt()
	}
	return w.ends()
}

// probeAt halves what is unknown of the window's end.
func (w *window) probeAt() time.Time { return w.lo.Add(w.hi.Sub(w.lo)/2 + w.interval) }

// pace is how many attempts a second should go.
func (w *window) pace(now time.Time) float64 {
	even := w.even()
	if w.sliding(now) {
		return 0.95 * even * w.weight
	}
	if w.hi.IsZero() {
		return even
	}
	end := w.lo.Add(w.interval)
	if w.wide() {
		end = w.ends()
	}
	rest := max(end.Sub(now).Seconds(), 0.01)
	return min(max(haste*w.weight*w.room(now)/rest, even/10), fastest*even)
}

// evenRest is what would remain now if all had been used evenly.
func (w *window) evenRest(now time.Time) float64 {
	if w.hi.IsZero() || w.sliding(now) {
		return float64(w.limit) / 2
	}
	return w.even() * max(w.ends().Sub(now).Seconds(), 0)
}

// roll moves on to the window in which now lies.
func (w *window) roll(now time.Time) {
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
			w.old = -1
		}
		return
	}
	if w.known && w.wide() && !now.Before(w.probeAt()) && w.room(now) < 1 {
		w.shift(1)
		w.next(now)
		w.probes = true
	}
}

// shift moves the estimate by n intervals, and makes it less certain, as clocks
// drift.
func (w *window) shift(n time.Duration) {
	drift := n * w.interval / 4000
	w.lo = w.lo.Add(n*w.interval - drift)
	w.hi = w.hi.Add(n*w.interval + drift)
}

// forget starts from nothing.
func (w *window) forget() {
	w.lo, w.hi, w.begin = time.Time{}, time.Time{}, time.Time{}
	w.known, w.probes, w.old, w.grow = false, false, -1, 0
	w.slides, w.slips = time.Time{}, 0
}

// next closes the books of one window and opens those of the next.
func (w *window) next(begin time.Time) {
	w.old = -1
	if w.known {
		w.old, w.oldRecv = w.left, w.leftRecv
		own := max(w.own-w.flights.since(w.leftSent), 0)
		others := max(w.limit-w.left-own, 0)
		w.others += (float64(others)/w.interval.Seconds() - w.others) / 3
		if w.busy && own > 0 {
			w.share += (float64(own)/float64(own+others) - w.share) / 3
			w.weight = math.Pow(max(w.share, 0.1), fairness)
		}
	}
	w.known, w.probes, w.busy, w.dark = false, false, false, 0
	w.begin = begin
	w.own = w.flights.since(begin)
}

// setLimit follows the announced limit, and tells whether it changed.
func (w *window) setLimit(limit int, interval time.Duration, sent time.Time) bool {
	if sent.Before(w.limitAt) {
		return false
	}
	w.limitAt = sent
	newLimit := limit > 0 && limit != w.limit
	newInterval := interval >= 100*time.Millisecond && interval != w.interval
	if newLimit {
		w.limit = limit
		w.known, w.old = false, -1
	}
	if newInterval {
		w.interval = interval
		w.forget()
	}
	return newLimit || newInterval
}

// learnNothing: the attempt has been granted, for all we know.
func (w *window) learnNothing(sent time.Time) {
	if w.known && !sent.Before(w.begin) {
		w.dark++
	}
}

// endsBy: the server said when it will grant again.
func (w *window) endsBy(end time.Time) {
	if begin := end.Add(-w.interval); !w.hi.IsZero() && begin.Before(w.hi) {
		w.hi = begin
		w.lo = earlier(w.lo, w.hi)
	}
}

// learn takes in that the attempt sent then was answered now that left remain.
func (w *window) learn(left int, refused bool, sent, now time.Time) {
	switch {
	case now.Sub(sent) > w.interval:
		// It may have reached the server in any window.
	case w.sliding(now):
		w.learnSliding(left, sent, now)
	case w.hi.IsZero():
		// It began no later than now, and ends no earlier than sent.
		w.lo, w.hi, w.begin = sent.Add(-w.interval), now, sent
		w.own = w.flights.since(sent) + 1
		w.setLeft(left, sent, now)
	case sent.Before(w.begin):
		w.learnStraggler(left, sent, now)
	case w.known:
		w.learnMore(left, sent, now)
	default:
		w.learnFirst(left, refused, sent, now)
	}
}

func (w *window) setLeft(left int, sent, now time.Time) {
	w.known, w.probes, w.dark = true, false, 0
	w.left, w.leftSent, w.leftRecv = left, sent, now
}

// learnStraggler learns from an attempt that was sent before the window is taken
// to have begun. It may have reached the server in this window all the same.
func (w *window) learnStraggler(left int, sent, now time.Time) {
	switch {
	case w.old < 0 || sent.Before(w.lo):
	case w.jumped(left, w.old, sent, w.oldRecv):
		w.hi = earlier(w.hi, now)
		if !w.known || left < w.left {
			w.setLeft(left, sent, now)
		}
	default:
		w.old = min(w.old, left)
		if left < w.limit/4 && sent.Before(w.hi) {
			w.lo = later(w.lo, sent)
		}
	}
}

// learnFirst learns from the first answer of what is taken to be a new window.
func (w *window) learnFirst(left int, refused bool, sent, now time.Time) {
	if w.old >= 0 && w.old < w.limit/4 && (refused || left < w.old) {
		// The old one goes on: the end was expected too early.
		w.lo = sent.Add(-w.interval)
		if w.hi.After(sent) {
			w.hi = w.hi.Add(-w.interval)
		} else {
			w.grow = min(max(2*w.grow, w.interval/64), w.interval)
			w.hi = now.Add(w.grow - w.interval)
		}
		w.begin = w.lo
		w.setLeft(min(left, w.old), sent, now)
		return
	}
	w.hi = earlier(w.hi, now)
	w.grow = 0
	// When others have used more than they can have since hi, even in the rush at
	// the start, the window began earlier. Without this, whoever believes in too
	// late an end would never see what others are granted before it, and get less
	// than them for ever.
	excess := float64(w.limit-left-w.own) - rush*w.others*now.Sub(w.hi).Seconds()
	if excess > 1 && !w.wide() {
		by := excess / max(w.others, w.even()/10) * float64(time.Second)
		w.lo = w.lo.Add(-time.Duration(min(by, float64(w.interval/4))))
	}
	w.setLeft(left, sent, now)
}

// learnMore learns from a further answer of the window, which may turn out to
// belong to the next.
func (w *window) learnMore(left int, sent, now time.Time) {
	switch {
	case w.slipped(left, sent, now):
		w.setLeft(left, sent, now)
		if w.slips++; w.slips >= slipsToSlide {
			w.slides = now.Add(slideFor * w.interval)
		}
		return
	case w.jumped(left, w.left, sent, w.leftRecv):
		lo, hi := later(w.lo.Add(w.interval), w.leftSent), earlier(w.ends(), now)
		if !lo.Before(hi) { // the estimate was wrong
			lo, hi = w.leftSent, now
		}
		w.next(hi)
		w.lo, w.hi, w.slips = lo, hi, 0
		w.setLeft(left, sent, now)
		return
	}
	if left <= w.left || !sent.Before(w.leftRecv) {
		w.setLeft(left, sent, now)
	}
	// Too little for a fresh window: this one goes on. With more it could be
	// another one, of which others have used some.
	if at := sent.Add(-w.interval); left < w.limit/4 && at.Before(w.hi) {
		w.lo = later(w.lo, at)
	}
}

// learnSliding learns while the server's window is taken to slide, and whether
// it still does.
func (w *window) learnSliding(left int, sent, now time.Time) {
	if sent.Before(w.leftSent) {
		return
	}
	switch {
	case left-w.left >= max(w.limit/2, 1):
		w.forget()
		return
	case w.slipped(left, sent, now):
		w.slides = now.Add(slideFor * w.interval)
	}
	w.setLeft(left, sent, now)
}

// slipped tells whether what remains has grown by too little for a fixed window,
// in which nearly all remains just after it was granted anew.
func (w *window) slipped(left int, sent, now time.Time) bool {
	return left > w.left && left < w.limit/2 && !sent.Before(w.leftRecv) && now.Sub(w.leftSent) < w.interval/4
}

// jumped tells whether what remains has been granted anew between two answers.
// The order of answers is not that in which the server counted, unless one was
// sent after the other had come, or the difference is too large for it.
func (w *window) jumped(left, before int, sent, beforeRecv time.Time) bool {
	rise := left - before
	return rise > w.limit/8 && !sent.Before(beforeRecv) || rise >= max(w.limit/2, 1)
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

const (
	flightSlot  = 100 * time.Millisecond
	flightSlots = 128
)

// flights counts the attempts in flight by when they were let go. One that is
// older than the ring is long forgotten, so a lost one blocks nothing for long.
type flights struct {
	epoch time.Time
	last  int64 // the latest slot used
	slots [flightSlots]int32
}

func (f *flights) slot(t time.Time) int64 { return max(int64(t.Sub(f.epoch)/flightSlot), 0) }

func (f *flights) start(now time.Time) {
	slot := f.slot(now)
	f.last = max(f.last, slot-flightSlots)
	for f.last < slot {
		f.last++
		f.slots[f.last%flightSlots] = 0
	}
	f.slots[f.last%flightSlots]++
}

// land removes one let go at t or, as sending takes time, somewhat before.
func (f *flights) land(t time.Time) {
	for s := min(f.slot(t), f.last); s >= max(f.last-flightSlots+1, 0); s-- {
		if n := &f.slots[s%flightSlots]; *n > 0 {
			*n--
			return
		}
	}
}

// since counts those in flight that the server may not have counted yet when
// one sent at t reached it.
func (f *flights) since(t time.Time) int {
	n := 0
	for s := max(f.slot(t.Add(-reorder)), f.last-flightSlots+1); s <= f.last; s++ {
		n += int(f.slots[s%flightSlots])
	}
	return n
}
