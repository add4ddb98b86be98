package ghltest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// SubscribeOption configures a [Subscription]. An invalid option fails the test at the line of the subscription, or
// panics without a test.
type SubscribeOption func(*subscriber) error

type subscriber struct {
	events           []EventType // empty means all
	appID, versionID string
	current, legacy  Signature
	timeout          time.Duration
	schedule         []time.Duration
	only429          bool
	bareTasks        bool
	nested           bool
	flat             bool
	mistyped         bool
	faults           DeliveryFaults
}

func defaultSubscriber() subscriber {
	return subscriber{
		current: Signed, legacy: Absent, timeout: 10 * time.Second,
		schedule: slices.Repeat([]time.Duration{10 * time.Minute}, 6),
	}
}

// Events sends only these events. Without it all events are sent.
func Events(types ...EventType) SubscribeOption {
	return func(s *subscriber) error {
		for _, t := range types {
			if !slices.Contains(eventTypes, t) {
				return fmt.Errorf("Events: unknown event %q", t)
			}
		}
		s.events = append(s.events, types...)
		return nil
	}
}

// ForApp sets appId and versionId of the deliveries. For "" a generated one is sent.
func ForApp(appID, versionID string) SubscribeOption {
	return func(s *subscriber) error {
		s.appID, s.versionID = appID, versionID
		return nil
	}
}

// Signature is the content of a signature header of a delivery.
type Signature uint8

const (
	// Signed is a valid signature with the server's key.
	Signed Signature = iota
	// Absent omits the header.
	Absent
	// NotAvailable is the literal "N/A", which HighLevel sends in place of a missing signature.
	NotAvailable
	// Forged is a well-formed signature with another key.
	Forged
)

// Signatures sets X-GHL-Signature and the legacy X-WH-Signature. The default is Signatures(Signed, Absent).
func Signatures(current, legacy Signature) SubscribeOption {
	return func(s *subscriber) error {
		if current > Forged || legacy > Forged {
			return errors.New("Signatures: unknown Signature")
		}
		s.current, s.legacy = current, legacy
		return nil
	}
}

// DeliveryTimeout sets the time in which a subscriber must answer. It must be positive; the default is 10 seconds.
func DeliveryTimeout(d time.Duration) SubscribeOption {
	return func(s *subscriber) error {
		if d <= 0 {
			return errors.New("DeliveryTimeout: the timeout must be positive")
		}
		s.timeout = d
		return nil
	}
}

// Redelivery sets the waits between the attempts of a refused delivery, by the server's clock. After the last one the
// delivery is given up; without arguments no delivery is repeated. The default is six waits of ten minutes, as in
// HighLevel's older documentation; a newer page has up to twelve attempts with growing waits. [Server.Redeliver] ends
// the waits.
func Redelivery(waits ...time.Duration) SubscribeOption {
	return func(s *subscriber) error {
		for _, wait := range waits {
			if wait < 0 {
				return errors.New("Redelivery: a wait must not be negative")
			}
		}
		s.schedule = slices.Clone(waits)
		return nil
	}
}

// RedeliverOnly429 repeats a delivery only after a 429, as in HighLevel's older documentation. By default any answer
// other than a 2xx, and a timeout, is a refusal.
func RedeliverOnly429() SubscribeOption {
	return func(s *subscriber) error {
		s.only429 = true
		return nil
	}
}

// BareTaskCreate omits contactId and body from TaskCreate, as was reported for HighLevel.
func BareTaskCreate() SubscribeOption {
	return func(s *subscriber) error {
		s.bareTasks = true
		return nil
	}
}

// NestedRecords puts the record of every event under "data", as in HighLevel's guide. HighLevel's deliveries are flat.
func NestedRecords() SubscribeOption {
	return func(s *subscriber) error {
		s.nested = true
		return nil
	}
}

// FlatAppointments puts the properties of an appointment next to the type in place of under "appointment".
func FlatAppointments() SubscribeOption {
	return func(s *subscriber) error {
		s.flat = true
		return nil
	}
}

// MistypedAppointments sends updates and deletions of appointments with the type AppointmentCreate, as in HighLevel's
// samples. [Delivery.Type] has the real type.
func MistypedAppointments() SubscribeOption {
	return func(s *subscriber) error {
		s.mistyped = true
		return nil
	}
}

// WithDeliveryFaults makes deliveries fail.
func WithDeliveryFaults(f DeliveryFaults) SubscribeOption {
	return func(s *subscriber) error {
		if err := f.check(); err != nil {
			return err
		}
		s.faults = f
		return nil
	}
}

// DeliveryFaults are the odds that a subscriber's deliveries fail. Several faults can hit one delivery. They hit the
// first attempt only, except that a forged or missing signature applies to every attempt.
type DeliveryFaults struct {
	// Seed seeds the odds. The same seed and events give the same faults.
	Seed uint64
	// Lose are the odds that a delivery is never sent.
	Lose Odds
	// Duplicate are the odds that a delivery is sent twice.
	Duplicate Odds
	// Reorder are the odds that a delivery is sent after its successor. It waits for a successor or for [Server.Flush].
	Reorder Odds
	// Delay are the odds that a delivery is sent DelayBy later by the server's clock, or by [Server.Redeliver], after
	// its successors.
	Delay Odds
	// DelayBy must be positive with Delay, and 0 without it.
	DelayBy time.Duration
	// Forge are the odds that X-GHL-Signature is well formed, but signed with another key.
	Forge Odds
	// Unsign are the odds that a delivery has no signature.
	Unsign Odds
}

func (f *DeliveryFaults) check() error {
	for name, o := range map[string]Odds{
		"Lose": f.Lose, "Duplicate": f.Duplicate, "Reorder": f.Reorder, "Delay": f.Delay, "Forge": f.Forge,
		"Unsign": f.Unsign,
	} {
		if o.first < 0 || math.IsNaN(o.chance) || o.chance < 0 || o.chance > 1 {
			return fmt.Errorf("WithDeliveryFaults: %s must be a count of at least 0 or a chance between 0 and 1", name)
		}
	}
	if f.Delay != (Odds{}) && f.DelayBy <= 0 {
		return errors.New("WithDeliveryFaults: Delay needs DelayBy")
	}
	if f.Delay == (Odds{}) && f.DelayBy != 0 {
		return errors.New("WithDeliveryFaults: DelayBy needs Delay")
	}
	return nil
}

// Odds are the odds that a fault hits a delivery. The zero value never hits. See [First], [Chance] and [Always].
type Odds struct {
	first  int
	chance float64
}

// First hits the next n deliveries.
func First(n int) Odds { return Odds{first: n} }

// Chance hits each delivery with a probability between 0 and 1.
func Chance(p float64) Odds { return Odds{chance: p} }

// Always hits every delivery.
func Always() Odds { return Odds{chance: 1} }

func (o *Odds) hit(random *rand.Rand) bool {
	if o.first > 0 {
		o.first--
		return true
	}
	return o.chance > 0 && random.Float64() < o.chance
}
