package ghltest

import (
	"fmt"
	"sync"
	"time"
)

// Clock is a clock that a test moves:
//
//	clock := ghltest.NewClock(time.Date(2026, time.March, 2, 13, 0, 0, 0, time.UTC))
//	server := ghltest.Start(t, ghltest.WithClock(clock.Now))
//	clock.Advance(24 * time.Hour) // tokens have expired, and a new day of the rate limit has begun
//
// It is safe for concurrent use by several servers. [Server.Advance] moves the time of one server with any clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that is set to a time.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward. It panics when d is negative.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("ghltest: Clock.Advance: %v is negative", d))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Advance moves the server's time forward, with any clock: tokens expire, windows of the rate limit end, the search
// index catches up, and due webhooks are sent. d must not be negative.
func (s *Server) Advance(d time.Duration) {
	s.helper()
	if d < 0 {
		s.fail("Advance: %v is negative", d)
		return
	}
	s.ahead.Add(int64(d))
	s.hooks.clockMoved()
}
