package pace

import "time"

// While no answer reports what remains, attempts are sent at an even rate, which is right for each kind of server, and
// the limit is learned from refusals: it is what this client was granted in the interval before. A lower limit than the
// published one costs some refusals at first, and one or two each time when a higher limit is tried. For a limit of 25
// these are 0.4 % of the requests in ten minutes.

const (
	// blindShare of the estimated limit is used.
	blindShare = 0.98
	// A refusal after fewer than blindFew own requests in an interval does not show the limit: other clients have used
	// it.
	blindFew = 5
	// A higher limit is tried blindTrial intervals after a refusal, then twice as long after each that was refused.
	blindTrial = 12
	// The first trial raises the limit by twice blindStep of it. Each further one raises it by twice as much as the
	// one before, up to half of it.
	blindStep = 0.02
)

// blind is the estimate of the limit while no answer reports what remains.
type blind struct {
	answers  int       // that did not report what remains
	limit    float64   // as estimated; 0 while no attempt was refused
	closed   time.Time // no attempt is sent until then
	refused  time.Time // when the latest refusal arrived
	trial    time.Time // when to try a higher limit
	patience int       // intervals from a refusal to the next trial
	step     float64   // part of the limit by which it was last raised
}

// blindLimit is how many attempts may be sent in an interval while no answer reports what remains.
func (w *window) blindLimit() float64 {
	if w.blind.limit > 0 {
		return min(w.blind.limit, float64(w.limit))
	}
	return float64(w.limit)
}

// unlearnedRate is the rate while the remaining grant is unknown.
func (w *window) unlearnedRate() float64 {
	if w.hi.IsZero() && w.blind.answers > 0 {
		return blindShare * w.blindLimit() / w.interval.Seconds()
	}
	return unlearnedShare * w.evenRate()
}

// blindRoom returns how many attempts may be sent while no answer reports what remains. The attempts of a little more
// than an interval count, because the time to the server varies.
func (w *window) blindRoom(now time.Time) float64 {
	if now.Before(w.blind.closed) {
		return 0
	}
	return w.blindLimit() - float64(w.sends.between(now.Add(-w.interval-w.interval/50), now))
}

// learnBlind counts an answer that does not report what remains, and tries a higher limit long after a refusal.
func (w *window) learnBlind(now time.Time) {
	b := &w.blind
	b.answers++
	if b.limit > 0 && now.After(b.trial) {
		b.step = min(2*b.step, 0.5)
		b.limit = min(b.limit*(1+b.step)+1, float64(w.limit))
		b.trial = now.Add(2 * w.interval)
	}
}

// learnBlindRefusal learns the limit from a refusal that does not report it. What was sent before the latest refusal
// could be learned from is refused too, and shows nothing.
func (w *window) learnBlindRefusal(sent, now time.Time) {
	b := &w.blind
	b.answers++
	if sent.Before(b.refused) {
		return
	}
	b.refused = now
	own := w.sends.between(sent.Add(-w.interval), sent)
	if own < blindFew {
		b.closed = now.Add(w.interval / 4)
		return
	}
	b.closed = now.Add(w.interval / 10)
	b.limit = min(float64(own), w.blindLimit())
	if b.step > blindStep { // a higher limit was tried
		b.patience *= 2
	}
	b.patience, b.step = max(b.patience, blindTrial), blindStep
	b.trial = now.Add(time.Duration(b.patience) * w.interval)
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
