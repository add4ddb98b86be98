package pace

import "time"

// sendSlots is how many slots the log has. An interval is sendsPerInterval of them.
const (
	sendSlots        = 256
	sendsPerInterval = 100
)

// sendLog counts the attempts of the last two intervals and a half by the time at which they were sent, in a ring of
// slots of a hundredth of an interval.
type sendLog struct {
	epoch time.Time
	slot  time.Duration
	last  int64 // the latest slot used
	slots [sendSlots]int32
}

func newSendLog(now time.Time, interval time.Duration) sendLog {
	return sendLog{epoch: now, slot: interval / sendsPerInterval}
}

func (l *sendLog) at(t time.Time) int64 {
	d := t.Sub(l.epoch)
	if d < 0 {
		return -1
	}
	return int64(d / l.slot)
}

// add counts an attempt.
func (l *sendLog) add(now time.Time) {
	slot := l.at(now)
	l.last = max(l.last, slot-sendSlots)
	for l.last < slot {
		l.last++
		l.slots[l.last%sendSlots] = 0
	}
	l.slots[l.last%sendSlots]++
}

// remove removes an attempt that was sent at t and that the server did not count.
func (l *sendLog) remove(t time.Time) {
	for s := min(l.at(t), l.last); s >= max(l.last-sendSlots+1, 0); s-- {
		if n := &l.slots[s%sendSlots]; *n > 0 {
			*n--
			return
		}
	}
}

// between returns how many attempts were sent after from, until to.
func (l *sendLog) between(from, to time.Time) int {
	n := 0
	for s := max(l.at(from)+1, l.last-sendSlots+1, 0); s <= min(l.at(to), l.last); s++ {
		n += int(l.slots[s%sendSlots])
	}
	return n
}
