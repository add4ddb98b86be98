package ghltest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// Option configures a fake. A wrong one is the error of [New], or fails the test of [Start].
type Option func(*config) error

type config struct {
	now       func() time.Time
	locations []ghl.Location
	token     string
	limits    Limits
	demo      bool
	consent   Consent
	lag       time.Duration
	seeds     []*seedDocument
}

// WithToken sets the bearer that reaches the first location. It is taken for a private integration token with every scope;
// [Server.AddToken] adds others.
func WithToken(token string) Option {
	return func(c *config) error {
		if token == "" || strings.ContainsAny(token, " \t\r\n") {
			return errors.New("ghltest: WithToken: the token is empty or has white space")
		}
		c.token = token
		return nil
	}
}

// WithLocation adds a location (sub-account); the first one given is the one that seeds go to and [WithToken] reaches.
// Without this option there is one, in the zone America/New_York. ID is made up where it is empty, Timezone defaults to
// America/New_York and Country to US. Settings decide about duplicate contacts, which are refused by default.
func WithLocation(location ghl.Location) Option {
	return func(c *config) error {
		c.locations = append(c.locations, location)
		return nil
	}
}

// WithClock sets the clock: dates of records, expiry of tokens, free slots and the windows of the rate limit follow it. It
// is called by many goroutines at once. A [Clock] is one that the test moves.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("ghltest: WithClock: the clock is nil")
		}
		c.now = now
		return nil
	}
}

// WithLimits sets how many requests are let through before the answer is 429; [Server.SetLimits] changes it later. The default is more than any test needs, so
// that tests do not wait; [PublishedLimits] are HighLevel's.
func WithLimits(limits Limits) Option {
	return func(c *config) error {
		if err := limits.check(); err != nil {
			return fmt.Errorf("ghltest: WithLimits: %w", err)
		}
		c.limits = limits
		return nil
	}
}

// WithIndexLag makes searches of contacts lag behind changes, as HighLevel's do by some seconds: what a request has changed is
// found, or no longer found, when the fake's clock has moved on by so much. Records that are read by their id, lists and the
// search for a duplicate are never behind, and seeds are searchable at once. The default is no lag.
func WithIndexLag(lag time.Duration) Option {
	return func(c *config) error {
		if lag < 0 {
			return fmt.Errorf("ghltest: WithIndexLag: %v is negative", lag)
		}
		c.lag = lag
		return nil
	}
}

// WithDemoData fills the first location with a small set of invented people, their tasks, notes, appointments, tags and
// custom fields. It is always the same but for its dates, which lie around the clock's.
func WithDemoData() Option {
	return func(c *config) error {
		c.demo = true
		return nil
	}
}
