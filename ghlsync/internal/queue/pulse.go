package queue

import (
	"sync"
	"time"
)

// silentLooks is how many looks in a row a beat must not move until its process is dead.
const silentLooks = 5

// pulses is what this process has seen of the beats of the others. A beat is a counter. How long it has not moved is
// measured in looks, with this process's own monotonic clock: wall clocks are never compared, and a time in which
// this process could not look, because it or the database stood still, does not count.
type pulses struct {
	mu   sync.Mutex
	last time.Time // of the latest look
	of   map[string]pulse
}

type pulse struct {
	beat   int64
	silent int // looks in a row that saw the same beat
}

// look compares the beats with those of the looks before, and returns the processes that are dead. A look sooner than
// interval after the previous one does not count as silent.
func (p *pulses) look(beats map[string]int64, interval time.Duration) (dead []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	counts := now.Sub(p.last) >= interval
	if counts {
		p.last = now
	}
	of := make(map[string]pulse, len(beats))
	for id, beat := range beats {
		seen, known := p.of[id]
		switch {
		case !known || seen.beat != beat:
			seen = pulse{beat: beat}
		case counts:
			seen.silent++
		}
		if seen.silent >= silentLooks {
			dead = append(dead, id)
		}
		of[id] = seen
	}
	p.of = of
	return dead
}
