package main

import (
	"crypto/rand"
	"maps"
	"sync"
	"time"
)

// states holds the states of browsers that were sent to the consent screen. Each is valid once, for ten minutes.
type states struct {
	mu   sync.Mutex
	open map[string]time.Time // state → expiry
}

const (
	stateLife = 10 * time.Minute
	maxStates = 10_000
)

func newStates() *states { return &states{open: map[string]time.Time{}} }

// begin returns a new random state. ok is false if too many states are open.
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

// end reports whether a state is open, and closes it, so that a repeated callback is refused.
func (s *states) end(state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.open[state]
	delete(s.open, state)
	return ok && time.Now().Before(until)
}
