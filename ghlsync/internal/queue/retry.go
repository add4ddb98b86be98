package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/pluvo"
)

// Retry configures when a failed unit is retried, and when it stops until a person or a change retries it. Zero
// values mean the defaults.
type Retry struct {
	// First is the delay of the first retry; 0 means 10 s. Each further delay is twice as long. All have jitter.
	First time.Duration
	// Max is the longest delay; 0 means 1 hour.
	Max time.Duration
	// Attempts is how many consecutive failed runs stop a unit; 0 means 15, which takes about a working day.
	Attempts int
	// Kills is how many consecutive runs may end because their process died; 0 means 100. After half of them, runs
	// are delayed.
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

// after returns the delay of the retry after a number of failed runs. Jitter makes it three quarters to five quarters
// of the nominal delay, so that units that failed together are not retried together.
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

// Action is the reaction to a failed run.
type Action int

const (
	// TryAgain retries the unit after a delay, up to [Retry.Attempts].
	TryAgain Action = iota
	// GiveUp stops the unit: a retry would fail for the same reason.
	GiveUp
	// Wait runs the unit again after a delay, and does not count a failed run.
	Wait
	// PauseLocation stops all work on the location until a person resumes it.
	PauseLocation
)

// Verdict is the classification of an error.
type Verdict struct {
	Action Action
	// After is the delay of Wait; 0 means 10 s.
	After time.Duration
	// Category is the kind of the error.
	Category Category
}

// WaitError is returned by work that has to wait for something, such as for the contact that a record belongs to. It
// does not count as a failure.
type WaitError struct {
	// After is how long to wait; 0 means 10 s.
	After time.Duration
	// Reason is what the work waits for.
	Reason WaitReason
}

// WaitReason is what work waits for, in words.
type WaitReason string

func (e *WaitError) Error() string { return string(e.Reason) }

// Classify returns the verdict on an error of the SDK or of a pluvo.Store.
//
// Of several joined errors the one counts that is most likely to succeed later: a permanent error does not prevent the
// retry of the others.
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
		return Verdict{Wait, wait.After, CategoryWaits}
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return Verdict{c.action, after, c.category}
		}
	}
	return Verdict{TryAgain, 0, CategoryFailed}
}

// classifyAll returns the verdict on joined errors.
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

// classes are the verdicts on known errors. The first match counts, since an error may match several.
var classes = []struct {
	err      error
	action   Action
	category Category
}{
	{ghl.ErrAmbiguous, TryAgain, CategoryAmbiguous}, // the retry looks for the result first
	{ghl.ErrReauthRequired, PauseLocation, CategoryReauthRequired},
	{ghl.ErrMissingScope, PauseLocation, CategoryMissingScope},
	{ghl.ErrUnauthorized, PauseLocation, CategoryUnauthorized},
	{ghl.ErrDailyLimit, Wait, CategoryDailyLimit},
	{ghl.ErrRateLimited, Wait, CategoryRateLimited},
	{ghl.ErrBadInput, GiveUp, CategoryBadInput},
	{ghl.ErrValidation, GiveUp, CategoryValidation},
	{ghl.ErrForbidden, GiveUp, CategoryForbidden},
	{ghl.ErrDuplicateContact, GiveUp, CategoryDuplicateContact},
	{ghl.ErrSlotTaken, GiveUp, CategorySlotTaken},
	{ghl.ErrNotFound, GiveUp, CategoryNotFound},
	{ghl.ErrServer, TryAgain, CategoryServer},
	{ghl.ErrBadResponse, TryAgain, CategoryBadResponse},
	{pluvo.ErrInvalid, GiveUp, CategoryInvalidRecord},
	{pluvo.ErrOriginTaken, GiveUp, CategoryOriginTaken},
	{pluvo.ErrConflict, TryAgain, CategoryConflict},
	{pluvo.ErrNoOwner, TryAgain, CategoryNoOwner},
	{context.DeadlineExceeded, TryAgain, CategoryTimeout},
}
