package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"
)

type config struct {
	routes        []Route
	keeper        Keeper
	dedup         Deduplicator
	noDedup       bool
	apps          []string
	maxBody       int64
	readTimeout   time.Duration
	keepTimeout   time.Duration
	maxKeeping    int
	past, future  time.Duration
	needTimestamp bool
	now           func() time.Time
	logger        *slog.Logger
	observe       func(Outcome)
}

// Option configures a [Handler]. A [Route] is one.
type Option interface{ apply(*config) error }

type optionFunc func(*config) error

func (f optionFunc) apply(c *config) error { return f(c) }

func (r Route) apply(c *config) error {
	c.routes = append(c.routes, r)
	return nil
}

// WithKeeper keeps deliveries elsewhere, such as in a queue, instead of calling routes before the answer.
func WithKeeper(k Keeper) Option {
	return optionFunc(func(c *config) error {
		if f, ok := k.(KeeperFunc); k == nil || ok && f == nil {
			return errors.New("webhook: WithKeeper: the keeper is nil")
		}
		c.keeper = k
		return nil
	})
}

// WithDeduplicator remembers kept deliveries elsewhere than in a [Memory] of [DefaultRemembered]. nil remembers none, for a
// keeper that takes [Delivery.ID] as a unique key. Copies that come while the first is being kept are still no work of
// their own.
func WithDeduplicator(d Deduplicator) Option {
	return optionFunc(func(c *config) error {
		c.dedup, c.noDedup = d, d == nil
		return nil
	})
}

// WithApp accepts only deliveries for the apps with these ids. HighLevel signs the deliveries of all apps with one key:
// without this option whoever has an app of their own can forward to you what theirs got. A delivery that names no app is
// refused then.
func WithApp(ids ...string) Option {
	return optionFunc(func(c *config) error {
		if len(ids) == 0 || slices.Contains(ids, "") {
			return errors.New("webhook: WithApp: an id is missing")
		}
		c.apps = append(c.apps, ids...)
		return nil
	})
}

// WithReplayWindow sets how far the timestamp of a delivery may lie in the past and in the future, instead of [DefaultPast]
// and [DefaultFuture]; 0 past lets any age pass. A redelivery carries the time of the first one, so a past of minutes
// refuses what honestly comes again. What lies in the future is told to come again.
//
// A delivery without a timestamp passes, see [RequireTimestamp].
func WithReplayWindow(past, future time.Duration) Option {
	return optionFunc(func(c *config) error {
		if past < 0 || future < 0 {
			return errors.New("webhook: WithReplayWindow: a time is negative")
		}
		c.past, c.future = past, future
		return nil
	})
}

// RequireTimestamp refuses a delivery whose timestamp is missing or names no instant. The signature is over the timestamp
// too, so nobody can take it out; but the samples of HighLevel's guide have none, and without this option those pass.
func RequireTimestamp() Option {
	return optionFunc(func(c *config) error {
		c.needTimestamp = true
		return nil
	})
}

// WithMaxBody sets the largest body in bytes, instead of [DefaultMaxBody]. So much memory can one request take before its
// signature is looked at.
func WithMaxBody(bytes int64) Option {
	return optionFunc(func(c *config) error {
		c.maxBody = min(bytes, math.MaxInt64-1) // one byte more is read, to see the end
		return positive("WithMaxBody", bytes)
	})
}

// WithReadTimeout sets how long the body may take to come, instead of [DefaultReadTimeout].
func WithReadTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		c.readTimeout = d
		return positive("WithReadTimeout", d)
	})
}

// WithKeepTimeout sets how long keeping a delivery may take, with the deduplicator's part, instead of [DefaultKeepTimeout].
// At its end the keeper's context ends and the answer is 429. A keeper that goes on all the same is not stopped, and copies
// of its delivery are answered 429 until it returns. But whatever it returns then, the delivery does not count as kept: it
// comes again and is handled again. The end of the request's connection does not end the time.
func WithKeepTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		c.keepTimeout = d
		return positive("WithKeepTimeout", d)
	})
}

// WithMaxKeeping sets how many deliveries may be on their way through the keeper at once, instead of [DefaultMaxKeeping];
// those that have outlived their time count until they return. What is above it comes again.
func WithMaxKeeping(n int) Option {
	return optionFunc(func(c *config) error {
		c.maxKeeping = n
		return positive("WithMaxKeeping", n)
	})
}

// WithClock sets the clock of the replay window, for a fake one.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c *config) error {
		if now == nil {
			return errors.New("webhook: WithClock: the clock is nil")
		}
		c.now = now
		return nil
	})
}

// WithLogger logs each request: Debug when the delivery was kept or is a duplicate, and Warn when it is not or there is an
// error all the same. A record has the result, the status, how long it took, and of a signed delivery type, webhookId and
// location; of a failed keeper its error, of a panic its value and where it happened. Never a body or a header.
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(c *config) error {
		if l == nil {
			return errors.New("webhook: WithLogger: the logger is nil")
		}
		c.logger = l
		return nil
	})
}

// WithObserver calls f for each request once its answer is decided, for metrics. The answer leaves when f has returned, so it
// must be quick and not panic. It is called by many goroutines at once.
func WithObserver(f func(Outcome)) Option {
	return optionFunc(func(c *config) error {
		if f == nil {
			return errors.New("webhook: WithObserver: the function is nil")
		}
		c.observe = f
		return nil
	})
}

func positive[N ~int | ~int64](option string, n N) error {
	if n <= 0 {
		return fmt.Errorf("webhook: %s: the value is not positive", option)
	}
	return nil
}
