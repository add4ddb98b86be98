package ghlsync

import (
	"context"

	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

type (
	// Failure is a contact whose work fails, from its first failed attempt until it succeeds or a person ends it.
	Failure = queue.Failure
	// FailureState is how a failure stands.
	FailureState = queue.State
	// FailureFilter chooses failures.
	FailureFilter = queue.FailureFilter
	// Attempt is one failed attempt: what was sent, what came back, and when it is tried again, without secrets and personal
	// data.
	Attempt = queue.Attempt
	// Conflict is a decision that was taken against one side, or that a person must take.
	Conflict = engine.Conflict
	// Side is one of the two systems.
	Side = engine.Side
)

// States of failures, and sides.
const (
	// Retrying: it is tried again by itself.
	Retrying = queue.Retrying
	// Stopped: it waits for a person or a change.
	Stopped = queue.Stopped
	// Resolved: it is over.
	Resolved = queue.Resolved
	// Skipped: a person has given it up.
	Skipped = queue.Skipped

	// GHL is HighLevel.
	GHL = engine.GHL
	// Pluvo is Pluvo.
	Pluvo = engine.Pluvo
	// Nobody is the winner of a conflict that a person must decide.
	Nobody = engine.Nobody
)

// Errors of these methods, for errors.Is.
var (
	// ErrNoFailure: there is no such failure.
	ErrNoFailure = queue.ErrNotFound
	// ErrNoConflict: there is no such conflict, or it was resolved before.
	ErrNoConflict = engine.ErrNoConflict
	// ErrUnknownLocation: the location is none of those that are kept in step.
	ErrUnknownLocation = queue.ErrLocation
	// ErrInUse: another process works with the SQLite file.
	ErrInUse = queue.ErrInUse
)

func (s *Syncer) conflict(c Conflict) {
	s.metrics.conflict(c)
	if s.config.OnConflict != nil {
		s.config.OnConflict(c)
	}
}

func (s *Syncer) incident(f queue.Failure) {
	s.alertNow()
	if s.config.OnIncident != nil {
		s.config.OnIncident(f)
	}
}

// Failures lists failures, the latest first.
func (s *Syncer) Failures(ctx context.Context, filter FailureFilter) ([]Failure, error) {
	return s.queue.Failures(ctx, filter)
}

// Attempts lists the failed attempts of a failure.
func (s *Syncer) Attempts(ctx context.Context, failureID string) ([]Attempt, error) {
	return s.queue.Attempts(ctx, failureID)
}

// Retry tries a failure again now. Pressed twice it is tried once.
func (s *Syncer) Retry(ctx context.Context, failureID string) error {
	return s.queue.Retry(ctx, failureID)
}

// Skip gives a failure up: its contact is left until it changes again.
func (s *Syncer) Skip(ctx context.Context, failureID string) error {
	return s.queue.Skip(ctx, failureID)
}

// Resolve says that a failure was seen to otherwise.
func (s *Syncer) Resolve(ctx context.Context, failureID string) error {
	return s.queue.Resolve(ctx, failureID)
}

// Conflicts lists conflicts, the latest first: those that are open, or with resolved all. At most limit; 0 is 100.
func (s *Syncer) Conflicts(ctx context.Context, resolved bool, limit int) ([]Conflict, error) {
	return s.engine.Conflicts(ctx, resolved, limit)
}

// ResolveConflict says that a conflict was seen to, and has its contact looked at again. A second time is [ErrNoConflict].
func (s *Syncer) ResolveConflict(ctx context.Context, id string) error {
	c, err := s.engine.Resolve(ctx, id)
	if err != nil {
		return err
	}
	return s.queue.Mark(ctx, queue.Unit{Location: c.Location, ID: c.Unit}, queue.Live)
}

// Link joins a contact of HighLevel and one of Pluvo, as a person has decided. The Syncer need not be started.
func (s *Syncer) Link(ctx context.Context, location, ghlContactID, pluvoContactID string) error {
	if s.engine.Client(location) == nil {
		l := s.location(location)
		if l == nil {
			return ErrUnknownLocation
		}
		if err := s.open(ctx, l); err != nil {
			return err
		}
	}
	return s.engine.Link(ctx, location, ghlContactID, pluvoContactID)
}

// Pause stops the work on a location, with a reason for whoever asks.
func (s *Syncer) Pause(ctx context.Context, location, reason string) error {
	return s.queue.Pause(ctx, location, reason)
}

// Resume has a paused location worked on again.
func (s *Syncer) Resume(ctx context.Context, location string) error {
	if err := s.alerts.Over(ctx, locationIncident(location)); err != nil { // before it can be paused anew
		return err
	}
	return s.queue.Resume(ctx, location)
}

// LocationState is how the work on a location stands.
type LocationState = queue.Location

// Locations lists the locations, and which of them are paused.
func (s *Syncer) Locations(ctx context.Context) ([]LocationState, error) {
	return s.queue.Locations(ctx)
}
