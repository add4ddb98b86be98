package pace

import "time"

const (
	flightSlot  = 100 * time.Millisecond
	flightSlots = 128
	// reorder is how much later than another an attempt must start to be sure that it reaches the server after that
	// one.
	reorder = 500 * time.Millisecond
)

// flights counts the attempts in flight by their start, in a ring of slots. An attempt that is never answered leaves
// the ring after 12.8 seconds and no longer counts.
type flights struct {
	epoch time.Time
	last  int64 // the latest slot used
	slots [flightSlots]int32
}

func (f *flights) slot(t time.Time) int64 { return max(int64(t.Sub(f.epoch)/flightSlot), 0) }

// start counts an attempt.
func (f *flights) start(now time.Time) {
	slot := f.slot(now)
	f.last = max(f.last, slot-flightSlots)
	for f.last < slot {
		f.last++
		f.slots[f.last%flightSlots] = 0
	}
	f.slots[f.last%flightSlots]++
}

// land removes an attempt that was sent at t. It started at t or shortly before.
func (f *flights) land(t time.Time) {
	for s := min(f.slot(t), f.last); s >= max(f.last-flightSlots+1, 0); s-- {
		if n := &f.slots[s%flightSlots]; *n > 0 {
			*n--
			return
		}
	}
}

// since returns how many attempts in flight the server may not have counted yet when one sent at t reached it.
func (f *flights) since(t time.Time) int {
	n := 0
	for s := max(f.slot(t.Add(-reorder)), f.last-flightSlots+1); s <= f.last; s++ {
		n += int(f.slots[s%flightSlots])
	}
	return n
}

// after returns how many attempts in flight are expected to reach the server after end, when an answer takes as long as
// took and an attempt reaches the server at any time in between.
func (f *flights) after(end time.Time, took time.Duration) float64 {
	sum := 0.0
	for s := max(f.slot(end.Add(-took)), f.last-flightSlots+1); s <= f.last; s++ {
		beyond := f.epoch.Add(time.Duration(s)*flightSlot + took).Sub(end)
		sum += float64(f.slots[s%flightSlots]) * min(max(beyond.Seconds()/took.Seconds(), 0), 1)
	}
	return sum
}

// total returns how many attempts are in flight.
func (f *flights) total() int {
	n := 0
	for _, count := range f.slots {
		n += int(count)
	}
	return n
}
