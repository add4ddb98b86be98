package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Retry says when a unit that failed is tried again, and when it is given up until a person or a change asks for it. Zero
// values have the defaults.
type Retry struct {
	// First is how long the first retry waits; 0 is 10 s. Each further one waits twice as long, and all with jitter.
	First time.Duration
	// Max is the longest wait; 0 is 1 hour.
	Max time.Duration
	// Attempts is how many failed runs in a row stop a unit; 0 is 15, which takes about a working day.
	Attempts int
	// Kills is how many runs in a row may end with the death of their process; 0 is 100. From half of it on there are pauses.
	Kills int
}

func (r Retry) valid() bool { return r.First >= 0 && r.Max >= 0 && r.Attempts >= 0 && r.Kills >= 0 }

func (r Retry) withDefaults() Retry {
	if r.First == 0 {
		r.First = 10 * time.Second
	}
	if r.Max == 0 {
		r.Max = time.Hour
	}
	if r.Attempts == 0 {
		r.Attempts = 15
	}
	if r.Kills == 0 {
		r.Kills = 100
	}
	return r
}

// after is how long the retry after so many failed runs waits: between three quarters and five quarters of its time, so
// that what failed together is not tried together.
func (r Retry) after(attempts int64) time.Duration {
	wait := r.First
	for range attempts - 1 {
		if wait *= 2; wait >= r.Max {
			break
		}
	}
	wait = min(wait, r.Max)
	return wait*3/4 + time.Duration(rand.Int64N(int64(wait)/2+1))
}

// Action is what is done after a run that failed.
type Action int

const (
	// TryAgain tries again after a while, up to [Retry.Attempts].
	TryAgain Action = iota
	// GiveUp stops: the same again would fail the same.
	GiveUp
	// Wait tries again after a while, and does not count as a failed run.
	Wait
	// PauseLocation stops all work on the location until a person has done something.
	PauseLocation
)

// Verdict is what an error means.
type Verdict struct {
	Action Action
	// After is how long Wait waits; 0 is 10 s.
	After time.Duration
	// Category is the error's kind in a word or two, for lists and metrics.
	Category string
}

// WaitError is returned by work that has to wait for something, such as a child for its parent. It is no failure.
type WaitError struct {
	After  time.Duration
	Reason string
}

func (e *WaitError) Error() string { return e.Reason }

// Classify is how errors of the SDK and of a pluvo.Store are understood.
//
// Of several errors that were joined the one counts that leaves most to be hoped for: what fails for good does not keep the rest
// from being tried again.
func Classify(err error) Verdict {
	if _, one := err.(*ghl.Error); !one {
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			return classifyAll(several.Unwrap())
		}
	}
	var wait *WaitError
	var api *ghl.Error
	errors.As(err, &api)
	after := time.Duration(0)
	if api != nil {
		after = api.RetryAfter
	}
	if errors.As(err, &wait) {
		return Verdict{Wait, wait.After, "waits"}
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return Verdict{c.action, after, c.category}
		}
	}
	return Verdict{TryAgain, 0, "failed"}
}

func classifyAll(errs []error) Verdict {
	rank := map[Action]int{GiveUp: 0, TryAgain: 1, Wait: 2, PauseLocation: 3}
	best := Classify(errs[0])
	for _, err := range errs[1:] {
		if v := Classify(err); rank[v.Action] > rank[best.Action] {
			best = v
		}
	}
	return best
}

// classes are tried in their order, since an error may belong to several.
var classes = []struct {
	err      error
	action   Action
	category string
}{
	{ghl.ErrAmbiguous, TryAgain, "outcome unknown"}, // it is looked for before it is done again
	{ghl.ErrReauthRequired, PauseLocation, "authorization needed again"},
	{ghl.ErrMissingScope, PauseLocation, "missing scope"},
	{ghl.ErrUnauthorized, PauseLocation, "unauthorized"},
	{ghl.ErrDailyLimit, Wait, "daily limit reached"},
	{ghl.ErrRateLimited, Wait, "rate limited"},
	{ghl.ErrBadInput, GiveUp, "bad input"},
	{ghl.ErrValidation, GiveUp, "validation failed"},
	{ghl.ErrForbidden, GiveUp, "forbidden"},
	{ghl.ErrDuplicateContact, GiveUp, "duplicate contact"},
	{ghl.ErrSlotTaken, GiveUp, "slot taken"},
	{ghl.ErrNotFound, GiveUp, "not found"},
	{ghl.ErrServer, TryAgain, "server error"},
	{ghl.ErrBadResponse, TryAgain, "bad response"},
	{pluvo.ErrInvalid, GiveUp, "invalid record"},
	{pluvo.ErrOriginTaken, GiveUp, "origin taken"},
	{pluvo.ErrConflict, TryAgain, "changed meanwhile"},
	{pluvo.ErrNoOwner, TryAgain, "contact missing"},
	{context.DeadlineExceeded, TryAgain, "timeout"},
}
