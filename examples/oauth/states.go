package main

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"
)

// states are the journeys to the consent screen that have not come back. Each may come back once, within ten minutes.
type states struct {
	mu   sync.Mutex
	open map[string]time.Time // until when
}

const (
	stateLife = 10 * time.Minute
	maxStates = 10_000
)

func newStates() *states { return &states{open: map[string]time.Time{}} }

// begin makes a state, which nobody can guess. ok is false when too many are open.
func (s *states) begin() (state string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if len(s.open) >= maxStates {
		maps.DeleteFunc(s.open, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	if len(s.open) >= maxStates {
		return "", false
	}
	state = rand.Text()
	s.open[state] = now.Add(stateLife)
	return state, true
}

// end reports whether a state is open, and closes it: a callback that comes again is refused.
func (s *states) end(state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.open[state]
	delete(s.open, state)
	return ok && time.Now().Before(until)
}
