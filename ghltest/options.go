package ghltest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// Option configures a [Server]. [New] returns the error of an invalid option; [Start] fails the test.
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
	refuses   contactRules
}

// WithToken sets the bearer token of the first location. It acts as a private integration token with every scope.
// [Server.AddToken] adds other tokens.
func WithToken(token string) Option {
	return func(c *config) error {
		if token == "" || strings.ContainsAny(token, " \t\r\n") {
			return errors.New("ghltest: WithToken: the token is empty or has white space")
		}
		c.token = token
		return nil
	}
}

// WithLocation adds a location (sub-account). The first location is the default of seeds and of [WithToken]; without
// this option the server has one location in the zone America/New_York. An empty ID is generated, Timezone defaults
// to America/New_York and Country to US. Duplicate contacts are refused unless Settings allow them.
func WithLocation(location ghl.Location) Option {
	return func(c *config) error {
		c.locations = append(c.locations, location)
		return nil
	}
}

// WithClock sets the clock. Dates of records, expiry of tokens, free slots and windows of the rate limit follow it.
// Many goroutines call now at once. A test can move a [Clock].
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("ghltest: WithClock: the clock is nil")
		}
		c.now = now
		return nil
	}
}

// WithLimits sets the rate limits; the server answers 429 to a request over a limit. [Server.SetLimits] changes them
// later. The default is higher than any test needs. [PublishedLimits] are HighLevel's.
func WithLimits(limits Limits) Option {
	return func(c *config) error {
		if err := limits.check(); err != nil {
			return fmt.Errorf("ghltest: WithLimits: %w", err)
		}
		c.limits = limits
		return nil
	}
}

// WithIndexLag makes searches of contacts lag behind changes by this much of the server's clock, as HighLevel's do by
// some seconds. Reads by id, lists and the search for a duplicate do not lag, and seeds are searchable at once. The
// default is 0.
func WithIndexLag(lag time.Duration) Option {
	return func(c *config) error {
		if lag < 0 {
			return fmt.Errorf("ghltest: WithIndexLag: %v is negative", lag)
		}
		c.lag = lag
		return nil
	}
}

// WithDemoData fills the first location with a small set of fictional people, their tasks, notes, appointments, tags
// and custom fields. The data is always the same, except that its dates are around the clock's time.
func WithDemoData() Option {
	return func(c *config) error {
		c.demo = true
		return nil
	}
}

// contactRules are the contacts that only some accounts refuse.
type contactRules struct{ unreachable, malformedPhone bool }

// WithEmailOrPhoneRequired refuses a contact with neither an e-mail nor a phone with 400 "Please provide at least one
// of email, phone", also an update that removes the last of them. A sync reports this answer; the vendor's documents
// do not have it. Without the option a name is enough.
func WithEmailOrPhoneRequired() Option {
	return func(c *config) error {
		c.refuses.unreachable = true
		return nil
	}
}

// WithMalformedPhonesRefused refuses a create, update or upsert with a phone that is not a phone number, such as
// "call me", with 400. One project reports it; the text of HighLevel's message is unknown. Without the option a phone
// without digits is stored as "".
func WithMalformedPhonesRefused() Option {
	return func(c *config) error {
		c.refuses.malformedPhone = true
		return nil
	}
}
