package pace

import "time"

// DailyProbe is how often one attempt is sent when the daily quota is used up and the server did not say until when.
const DailyProbe = time.Minute

// daily tracks the daily quota.
type daily struct {
	remaining int       // as last reported; -1 when unknown
	sent      time.Time // when the attempt that reported remaining was sent
	reset     time.Time // when the quota is granted again, or when to probe
	announced bool      // whether reset was reported by the server
	inFlight  int       // permits given out and not returned yet
}

// exhausted reports whether nothing remains, and for how long; 0 when that is unknown.
func (d *daily) exhausted(now time.Time) (exhausted bool, wait time.Duration) {
	if d.remaining < 0 || d.remaining > d.inFlight {
		return false, 0
	}
	wait = d.reset.Sub(now)
	switch {
	case wait > 0 && d.announced:
		return true, wait
	case wait > 0:
		return true, 0
	case d.announced:
		d.remaining = -1
	}
	return false, 0
}

// take counts a permit.
func (d *daily) take(now time.Time) {
	d.inFlight++
	if d.remaining >= 0 && !d.announced && !now.Before(d.reset) {
		d.reset = now.Add(DailyProbe) // this attempt is the probe; the next one is due then
	}
}

// giveBack uncounts a permit whose attempt was not sent.
func (d *daily) giveBack(now time.Time) {
	d.inFlight = max(d.inFlight-1, 0)
	if d.remaining == 0 && !d.announced {
		d.reset = now // the probe was not sent; another may be
	}
}

// learn takes over what an answer reports. Answers overtake each other: that of an earlier attempt counts only if it
// reports less.
func (d *daily) learn(a Answer, sent, now time.Time) {
	if a.DailyRemaining < 0 || sent.Before(d.sent) && a.DailyRemaining >= d.remaining {
		return
	}
	d.remaining, d.sent = a.DailyRemaining, sent
	d.announced = a.DailyReset > 0
	d.reset = now.Add(DailyProbe)
	if d.announced {
		d.reset = now.Add(a.DailyReset)
	}
}
