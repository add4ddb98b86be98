package ghltest

import (
	"fmt"
	"sync"
	"time"
)

// Clock is a clock that stands still until the test moves it:
//
//	clock := ghltest.NewClock(time.Date(2026, time.March, 2, 13, 0, 0, 0, time.UTC))
//	server := ghltest.Start(t, ghltest.WithClock(clock.Now))
//	clock.Advance(24 * time.Hour) // tokens have expired, the day's requests count from 0
//
// It is safe for concurrent use, and one clock may serve several fakes. [Server.Advance] moves a single fake, whatever its
// clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows a time.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns the time that the clock shows.
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

// Advance moves the fake's time forward, whatever its clock is: tokens expire, windows of the rate limit end and the search
// index catches up as if the time had passed, and webhooks that wait for their time are sent.
func (s *Server) Advance(d time.Duration) {
	s.helper()
	if d < 0 {
		s.fail("Advance: %v is negative", d)
		return
	}
	s.ahead.Add(int64(d))
	s.hooks.clockMoved()
}
