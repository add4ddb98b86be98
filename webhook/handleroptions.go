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
	maxUnverified int64
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

// WithKeeper passes deliveries to k, such as a queue, instead of calling routes before the response.
func WithKeeper(k Keeper) Option {
	return optionFunc(func(c *config) error {
		if f, ok := k.(KeeperFunc); k == nil || ok && f == nil {
			return errors.New("webhook: WithKeeper: the keeper is nil")
		}
		c.keeper = k
		return nil
	})
}

// WithDeduplicator replaces the default, a [Memory] of [DefaultRemembered] deliveries. nil remembers none, for a
// keeper that uses [Delivery.ID] as a unique key. A copy that arrives while the first is being handled still waits
// for its result.
func WithDeduplicator(d Deduplicator) Option {
	return optionFunc(func(c *config) error {
		c.dedup, c.noDedup = d, d == nil
		return nil
	})
}

// WithApp accepts only deliveries for the apps with these ids, and refuses a delivery without an app id. HighLevel
// signs the deliveries of all apps with one key: without this option the owner of another app can forward its
// deliveries to you.
func WithApp(ids ...string) Option {
	return optionFunc(func(c *config) error {
		if len(ids) == 0 || slices.Contains(ids, "") {
			return errors.New("webhook: WithApp: an id is missing")
		}
		c.apps = append(c.apps, ids...)
		return nil
	})
}

// WithReplayWindow limits how far the timestamp of a delivery may be in the past and in the future, instead of
// [DefaultPast] and [DefaultFuture]. A past of 0 accepts any age. A redelivery has the time of the first attempt, so
// a past of minutes refuses legitimate redeliveries. The response to a timestamp too far in the future asks for
// redelivery.
//
// A delivery without a timestamp is accepted, see [RequireTimestamp].
func WithReplayWindow(past, future time.Duration) Option {
	return optionFunc(func(c *config) error {
		if past < 0 || future < 0 {
			return errors.New("webhook: WithReplayWindow: a time is negative")
		}
		c.past, c.future = past, future
		return nil
	})
}

// RequireTimestamp refuses a delivery with a timestamp that is missing or does not name an instant. The signature
// covers the timestamp, so an attacker cannot remove it; but the samples in HighLevel's guide do not have one.
func RequireTimestamp() Option {
	return optionFunc(func(c *config) error {
		c.needTimestamp = true
		return nil
	})
}

// WithMaxBody sets the largest body in bytes, instead of [DefaultMaxBody].
func WithMaxBody(bytes int64) Option {
	return optionFunc(func(c *config) error {
		c.maxBody = min(bytes, math.MaxInt64/8) // multiples of it do not overflow
		return positive("WithMaxBody", bytes)
	})
}

// WithMaxUnverified limits the memory in bytes for the bodies of all requests until their signatures are verified. The
// default is [DefaultMaxUnverified], or twice [WithMaxBody] if that is more, which is also the minimum. The response to
// a body for which no memory is left is 429. Bodies of more than 4 KB can use three quarters of the memory, so that
// large bodies with wrong signatures do not displace ordinary deliveries. A slow sender uses memory in proportion to
// what it has sent, no longer than [WithReadTimeout]. A body without a signature of the right form is not read.
func WithMaxUnverified(bytes int64) Option {
	return optionFunc(func(c *config) error {
		c.maxUnverified = bytes
		return positive("WithMaxUnverified", bytes)
	})
}

// WithReadTimeout limits the time to read the body, instead of [DefaultReadTimeout].
func WithReadTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		c.readTimeout = d
		return positive("WithReadTimeout", d)
	})
}

// WithKeepTimeout limits the time of the keeper and the deduplicator for a delivery, instead of [DefaultKeepTimeout].
// When the time is over, the context of the keeper ends and the response is 429. A keeper that continues is not
// stopped, and copies of its delivery get 429 until it returns. Its result no longer counts: the delivery is
// redelivered and handled again. The context does not end with the connection of the request.
func WithKeepTimeout(d time.Duration) Option {
	return optionFunc(func(c *config) error {
		c.keepTimeout = d
		return positive("WithKeepTimeout", d)
	})
}

// WithMaxKeeping limits the number of deliveries in the keeper at the same time, instead of [DefaultMaxKeeping]. A
// keeper that timed out counts until it returns. Deliveries above the limit are redelivered.
func WithMaxKeeping(n int) Option {
	return optionFunc(func(c *config) error {
		c.maxKeeping = n
		return positive("WithMaxKeeping", n)
	})
}

// WithClock sets the clock of the replay window, for tests.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c *config) error {
		if now == nil {
			return errors.New("webhook: WithClock: the clock is nil")
		}
		c.now = now
		return nil
	})
}

// WithLogger logs each request, at level Debug if the delivery was kept or is a duplicate and there is no error, and
// otherwise at level Warn. A record has the result, the status and the duration; for a signed delivery its type,
// webhookId and location; for a failed keeper its error; for a panic its value and place. It never has a body or a
// header.
func WithLogger(l *slog.Logger) Option {
	return optionFunc(func(c *config) error {
		if l == nil {
			return errors.New("webhook: WithLogger: the logger is nil")
		}
		c.logger = l
		return nil
	})
}

// WithObserver calls f for each request when its response is decided, for metrics. The response is complete after f
// returns, so f must be fast and must not panic. f is called concurrently.
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
