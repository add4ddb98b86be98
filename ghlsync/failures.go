package ghlsync

import (
	"context"

	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

type (
	// Failure is a series of failed syncs of a contact, from the first one until a sync succeeds or a person ends the
	// failure.
	Failure = queue.Failure
	// FailureState is the state of a failure.
	FailureState = queue.State
	// FailureFilter selects failures.
	FailureFilter = queue.FailureFilter
	// Attempt is one failed attempt: what was sent, what was answered, and when it is retried, without secrets and
	// personal data.
	Attempt = queue.Attempt
	// Conflict is a decision that was made against one side, or that a person must make.
	Conflict = engine.Conflict
	// Side is one of the two systems.
	Side = engine.Side
)

// States of failures, and sides.
const (
	// Retrying means that the contact is retried automatically.
	Retrying = queue.Retrying
	// Stopped means that the contact is not retried until a person retries it or it changes.
	Stopped = queue.Stopped
	// Resolved means that a later sync succeeded, or that a person resolved the failure.
	Resolved = queue.Resolved
	// Skipped means that a person gave up the change.
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
	// ErrNoFailure means that the failure does not exist.
	ErrNoFailure = queue.ErrNotFound
	// ErrNoConflict means that the conflict does not exist or is already resolved.
	ErrNoConflict = engine.ErrNoConflict
	// ErrUnknownLocation means that the location is not one of [Config.Locations].
	ErrUnknownLocation = queue.ErrLocation
	// ErrInUse means that another process has the SQLite file open.
	ErrInUse = queue.ErrInUse
)

// conflict counts a conflict and passes it to Config.OnConflict.
func (s *Syncer) conflict(c Conflict) {
	s.metrics.conflict(c)
	if s.config.OnConflict != nil {
		s.config.OnConflict(c)
	}
}

// incident sends the stored alerts and passes a failure to Config.OnIncident.
func (s *Syncer) incident(f queue.Failure) {
	s.alertNow()
	if s.config.OnIncident != nil {
		s.config.OnIncident(f)
	}
}

// Failures lists failures, latest first.
func (s *Syncer) Failures(ctx context.Context, filter FailureFilter) ([]Failure, error) {
	return s.queue.Failures(ctx, filter)
}

// Attempts lists the failed attempts of a failure, in order.
func (s *Syncer) Attempts(ctx context.Context, failureID string) ([]Attempt, error) {
	return s.queue.Attempts(ctx, failureID)
}

// Retry retries the contact of an open failure now. A second call before the retry has no effect. It returns
// [ErrNoFailure] if the failure does not exist.
func (s *Syncer) Retry(ctx context.Context, failureID string) error {
	return s.queue.Retry(ctx, failureID)
}

// Skip ends an open failure without a retry: its contact is not synced until it changes again.
func (s *Syncer) Skip(ctx context.Context, failureID string) error {
	return s.queue.Skip(ctx, failureID)
}

// Resolve ends an open failure that a person has fixed by hand. Its contact is not synced until it changes again.
func (s *Syncer) Resolve(ctx context.Context, failureID string) error {
	return s.queue.Resolve(ctx, failureID)
}

// Conflicts lists open conflicts, latest first, and with resolved also the resolved ones. It returns at most limit
// conflicts; 0 means 100.
func (s *Syncer) Conflicts(ctx context.Context, resolved bool, limit int) ([]Conflict, error) {
	return s.engine.Conflicts(ctx, resolved, limit)
}

// ResolveConflict marks a conflict as resolved, and syncs its contact again. It returns [ErrNoConflict] if the
// conflict does not exist or is already resolved.
func (s *Syncer) ResolveConflict(ctx context.Context, id string) error {
	c, err := s.engine.Resolve(ctx, id)
	if err != nil {
		return err
	}
	return s.queue.Mark(ctx, queue.Unit{Location: c.Location, ID: c.Unit}, queue.Everything, queue.Live)
}

// Link links a contact of HighLevel to a contact of Pluvo, by a person's decision. The Syncer need not be started.
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

// Pause stops the sync of a location until [Syncer.Resume]. Reason is for other people to read.
func (s *Syncer) Pause(ctx context.Context, location, reason string) error {
	return s.queue.Pause(ctx, location, reason)
}

// Resume resumes the sync of a paused location.
func (s *Syncer) Resume(ctx context.Context, location string) error {
	if err := s.alerts.Over(ctx, locationIncident(location)); err != nil { // before the location can be paused again
		return err
	}
	return s.queue.Resume(ctx, location)
}

// LocationState reports whether a location is paused, since when and why.
type LocationState = queue.Location

// Locations lists the state of all locations, ordered by id.
func (s *Syncer) Locations(ctx context.Context) ([]LocationState, error) {
	return s.queue.Locations(ctx)
}
