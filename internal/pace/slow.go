package pace

import "time"

// When answers take seconds, many attempts are in flight, and to treat each of them as not counted yet would waste what
// they take: with answers after 2 seconds 12 % of the grant. So their expected number is used.

// slowRate is the least rate, as a multiple of the even rate, while answers are slow. What remains was reported too
// long ago to pace by it closely.
const slowRate = 1.1

// slowDoubt is by how much more attempts are treated as not counted when the time to an answer varies by all of it.
const slowDoubt = 0.2

// took is how long the answer that reported what remains took.
func (w *window) took() time.Duration { return w.remainingRecv.Sub(w.remainingSent) }

// slow reports whether answers are slow.
func (w *window) slow() bool { return w.took() > reorder }

// uncounted returns how many attempts in flight the server had not counted when it reported what remains.
func (w *window) uncounted() float64 {
	if !w.slow() {
		return float64(w.flights.since(w.remainingSent))
	}
	doubt := 1 + slowDoubt*w.spread.Seconds()/w.mean.Seconds()
	return doubt * w.flights.after(w.remainingSent.Add(w.took()/2), w.took())
}

// late returns how many attempts in flight are expected to reach the server after the window has ended.
func (w *window) late() float64 {
	if !w.slow() || w.vague() {
		return 0
	}
	return w.flights.after(w.ends(), w.took())
}
