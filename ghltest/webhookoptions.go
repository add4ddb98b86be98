package ghltest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// SubscribeOption says what a subscriber gets. A wrong one fails the test at the line of the subscription, or panics.
type SubscribeOption func(*subscriber) error

type subscriber struct {
	events           []EventType // none for all
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
	return subscriber{current: Signed, legacy: Absent, timeout: 10 * time.Second, schedule: slices.Repeat([]time.Duration{10 * time.Minute}, 6)}
}

// Events lets only these events through; without it all of them come.
func Events(types ...EventType) SubscribeOption {
	return func(s *subscriber) error {
		for _, t := range types {
			if !slices.Contains(eventTypes, t) {
				return fmt.Errorf("Events: there is no event %q", t)
			}
		}
		s.events = append(s.events, types...)
		return nil
	}
}

// ForApp sets appId and versionId of the deliveries; an empty one stays as it is made up.
func ForApp(appID, versionID string) SubscribeOption {
	return func(s *subscriber) error {
		s.appID, s.versionID = appID, versionID
		return nil
	}
}

// Signature is what a signature header of a delivery holds.
type Signature uint8

const (
	// Signed is a valid signature by the server's key.
	Signed Signature = iota
	// Absent leaves the header out.
	Absent
	// NotAvailable is the literal "N/A", which HighLevel sends where it has no signature.
	NotAvailable
	// Forged is a well-formed signature by another key.
	Forged
)

// Signatures sets what X-GHL-Signature and the legacy X-WH-Signature hold. The default is Signatures(Signed, Absent).
func Signatures(current, legacy Signature) SubscribeOption {
	return func(s *subscriber) error {
		if current > Forged || legacy > Forged {
			return errors.New("Signatures: unknown kind of signature")
		}
		s.current, s.legacy = current, legacy
		return nil
	}
}

// DeliveryTimeout sets how long a subscriber may take to answer; 10 seconds without it.
func DeliveryTimeout(d time.Duration) SubscribeOption {
	return func(s *subscriber) error {
		if d <= 0 {
			return errors.New("DeliveryTimeout: the time is not positive")
		}
		s.timeout = d
		return nil
	}
}

// Redelivery sets how long after each refusal a delivery is repeated, by the server's clock; when the list is used up it is
// given up. The default is six times, ten minutes apart, which is what HighLevel has documented longest; its newer page
// speaks of up to twelve times with growing pauses. Without arguments nothing is repeated. [Server.Redeliver] does not wait
// for the time.
func Redelivery(waits ...time.Duration) SubscribeOption {
	return func(s *subscriber) error {
		for _, wait := range waits {
			if wait < 0 {
				return errors.New("Redelivery: a wait is negative")
			}
		}
		s.schedule = slices.Clone(waits)
		return nil
	}
}

// RedeliverOnly429 repeats a delivery only when it was answered 429, as HighLevel's older documentation has it. Without it
// any answer but a 2xx, and none in time, count as refusals.
func RedeliverOnly429() SubscribeOption {
	return func(s *subscriber) error {
		s.only429 = true
		return nil
	}
}

// BareTaskCreate leaves contactId and body out of TaskCreate, as was reported of the real API.
func BareTaskCreate() SubscribeOption {
	return func(s *subscriber) error {
		s.bareTasks = true
		return nil
	}
}

// NestedRecords puts the record of every event under "data", as HighLevel's guide shows it. Real deliveries are flat.
func NestedRecords() SubscribeOption {
	return func(s *subscriber) error {
		s.nested = true
		return nil
	}
}

// FlatAppointments puts the properties of an appointment beside the type instead of under "appointment".
func FlatAppointments() SubscribeOption {
	return func(s *subscriber) error {
		s.flat = true
		return nil
	}
}

// MistypedAppointments sends updates and deletions of appointments with the type AppointmentCreate, as HighLevel's samples
// have it. [Delivery.Type] keeps what it was.
func MistypedAppointments() SubscribeOption {
	return func(s *subscriber) error {
		s.mistyped = true
		return nil
	}
}

// WithDeliveryFaults makes deliveries go wrong.
func WithDeliveryFaults(f DeliveryFaults) SubscribeOption {
	return func(s *subscriber) error {
		if err := f.check(); err != nil {
			return err
		}
		s.faults = f
		return nil
	}
}

// DeliveryFaults says how many of a subscriber's deliveries go wrong, and how. Several may befall one delivery. Redeliveries
// are left alone, but for a signature, which stays what it was.
type DeliveryFaults struct {
	// Seed of the chances; the same seed and events give the same faults.
	Seed uint64
	// Lose: it is never sent.
	Lose Odds
	// Duplicate: it is sent twice.
	Duplicate Odds
	// Reorder: the one behind it is sent first. Where there is none behind it, it waits for one, or for [Server.Flush].
	Reorder Odds
	// Delay: it is sent DelayBy later by the server's clock, or by [Server.Redeliver]; later ones pass it.
	Delay   Odds
	DelayBy time.Duration
	// Forge: X-GHL-Signature is well formed, but by another key.
	Forge Odds
	// Unsign: there is no signature.
	Unsign Odds
}

func (f *DeliveryFaults) check() error {
	for name, o := range map[string]Odds{
		"Lose": f.Lose, "Duplicate": f.Duplicate, "Reorder": f.Reorder, "Delay": f.Delay, "Forge": f.Forge, "Unsign": f.Unsign,
	} {
		if o.first < 0 || math.IsNaN(o.chance) || o.chance < 0 || o.chance > 1 {
			return fmt.Errorf("WithDeliveryFaults: %s is neither a count nor a chance of 0 to 1", name)
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

// Odds is how many of something are hit; the zero value is none. See [First], [Chance] and [Always].
type Odds struct {
	first  int
	chance float64
}

// First hits the next n.
func First(n int) Odds { return Odds{first: n} }

// Chance hits each with a probability of 0 to 1.
func Chance(p float64) Odds { return Odds{chance: p} }

// Always hits every one.
func Always() Odds { return Odds{chance: 1} }

func (o *Odds) hit(random *rand.Rand) bool {
	if o.first > 0 {
		o.first--
		return true
	}
	return o.chance > 0 && random.Float64() < o.chance
}
