package ghltest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// Fault selects the requests that fail, and how they fail. See [Server.Fail].
type Fault struct {
	// Kind is how they fail, such as fault.BadGatewayHTML() or fault.CutAfterWork().
	Kind fault.Kind
	// Operation is the name of an operation in the catalog ([ghl.Operations]), such as "contacts.create"; "" selects
	// every request.
	Operation string
	// After is the number of selected requests that succeed first.
	After int
	// Times is the number of requests that fail; 0 means no limit.
	Times int
	// Chance is the probability, from 0 to 1, that a selected request fails; 0 means always. Times counts the
	// requests that failed.
	Chance float64
	// Seed seeds Chance. The same seed and requests give the same failures.
	Seed uint64
}

// ActiveFault is a [Fault] that is in force.
type ActiveFault struct {
	fault  Fault
	effect answer.Effect
	server *Server
	random *rand.Rand
	seen   int // selected requests
	hits   int // selected requests that failed
}

// Fail makes requests fail until the fault has hit [Fault.Times] requests or is removed. Package fault has the kinds
// of faults.
//
// Several faults can be in force. Of those that replace the answer (by an error, by a cut connection) the first one
// in force hits; those that change an answer (odd values, a slow body) all apply. [Request.Fault] names the faults
// that hit a request.
//
// A fault takes effect before every check, so it also hits a request with a wrong token. An error of the API counts
// against the rate limit and has the rate headers; an error of a gateway does not.
func (s *Server) Fail(f Fault) *ActiveFault {
	s.helper()
	if err := f.check(); err != nil {
		s.fail("Fail: %v", err)
		return nil
	}
	a := &ActiveFault{fault: f, effect: f.Kind.Effect(), server: s, random: rand.New(rand.NewPCG(f.Seed, 3))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, a)
	return a
}

// ClearFaults removes every fault. It does not end the waits of a client that has received a Retry-After, such as that
// of fault.TooManyRequests(time.Hour): the client's limiter waits for it before the next request, whatever the server
// would answer. A test that continues after such a fault needs a short Retry-After, a fake clock (testing/synctest), or
// another client.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Remove removes the fault from its server.
func (a *ActiveFault) Remove() {
	s := a.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(other *ActiveFault) bool { return other == a })
}

// Hits returns the number of requests that the fault has hit.
func (a *ActiveFault) Hits() int {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return a.hits
}

func (f *Fault) check() error {
	effect := f.Kind.Effect()
	switch {
	case effect.Err != nil:
		return effect.Err
	case effect.Name == "":
		return errors.New("the Kind is missing")
	case f.Operation != "" && !isOperation(f.Operation):
		return fmt.Errorf("unknown operation %q", f.Operation)
	case f.After < 0 || f.Times < 0:
		return errors.New("the counts After and Times must not be negative")
	case math.IsNaN(f.Chance) || f.Chance < 0 || f.Chance > 1:
		return errors.New("the Chance must be between 0 and 1")
	}
	return nil
}

// hit counts a selected request and reports whether it fails.
func (a *ActiveFault) hit() bool {
	f := &a.fault
	a.seen++
	if a.seen <= f.After || f.Times > 0 && a.hits >= f.Times || f.Chance > 0 && a.random.Float64() >= f.Chance {
		return false
	}
	a.hits++
	return true
}

// failure returns the combined effect of the faults that hit a request, or nil if none does.
func (s *Server) failure(operation string) *failure {
	var f *failure
	for _, a := range s.faults {
		if a.fault.Operation != "" && a.fault.Operation != operation {
			continue
		}
		replaces := a.effect.Replaces()
		if replaces && f != nil && f.outcome != nil || !a.hit() {
			continue
		}
		if f == nil {
			f = new(failure)
		}
		if replaces {
			f.outcome = &a.effect
		} else {
			f.changes = append(f.changes, &a.effect)
		}
		f.names = append(f.names, a.effect.Name)
	}
	return f
}
