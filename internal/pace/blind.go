package pace

import "time"

const (
	// blindShare of the estimated limit is used while no answer reports what remains.
	blindShare = 0.98
	// blindFew is how many own requests of the last interval a refusal must follow to show the limit. After fewer,
	// other clients have used most of it.
	blindFew = 5
	// blindTrial is how long after a refusal the estimated limit is raised.
	blindTrial = 12
	blindStep  = 0.02
)

// blind estimates the limit from refusals while no answer reports what remains.
type blind struct {
	answers  int       // that did not report what remains
	limit    float64   // as estimated; 0 while no attempt was refused
	closed   time.Time // after a refusal, no attempt is sent until then
	refused  time.Time // when the latest refusal arrived
	raise    time.Time // when the limit is raised
	patience int       // intervals until the next raise
	step     float64   // part of the limit by which it was last raised
}

// blindLimit is the number of requests to send in an interval while no answer reports what remains.
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

// blindRoom returns how many attempts may be sent while no answer reports what remains: as many as keep those of the
// last interval, and a little longer because the time to the server varies, within the estimated limit.
func (w *window) blindRoom(now time.Time) float64 {
	if now.Before(w.blind.closed) {
		return 0
	}
	return w.blindLimit() - float64(w.sends.between(now.Add(-w.interval-w.interval/50), now))
}

// learnBlind learns from an answer that does not report what remains. Long after a refusal it raises the limit.
func (w *window) learnBlind(now time.Time) {
	b := &w.blind
	b.answers++
	if b.limit > 0 && now.After(b.raise) {
		b.step = min(2*b.step, 0.5)
		b.limit = min(b.limit*(1+b.step)+1, float64(w.limit))
		b.raise = now.Add(2 * w.interval)
	}
}

// learnBlindRefusal learns the limit from a refusal: it is what this client was granted in the interval before.
func (w *window) learnBlindRefusal(sent, now time.Time) {
	b := &w.blind
	b.answers++
	if sent.Before(b.refused) {
		return // sent before the last refusal could be learned from
	}
	b.refused = now
	b.closed = now.Add(w.interval / 10)
	own := w.sends.between(sent.Add(-w.interval), sent)
	if own < blindFew {
		b.closed = now.Add(w.interval / 4)
		return
	}
	b.limit = min(float64(own), w.blindLimit())
	if b.step > blindStep {
		b.patience *= 2
	}
	b.patience, b.step = max(b.patience, blindTrial), blindStep
	b.raise = now.Add(time.Duration(b.patience) * w.interval)
}
