package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// State is the state of a failure.
type State string

const (
	// Retrying means that the unit is retried automatically.
	Retrying State = "retrying"
	// Stopped means that the unit is not retried until a person retries it or it changes.
	Stopped State = "stopped"
	// Resolved means that a later run succeeded, or that a person resolved the failure.
	Resolved State = "resolved"
	// Skipped means that a person gave up the unit's change.
	Skipped State = "skipped"
)

// Failure is a series of failed runs of a unit, from the first one until a run succeeds or a person ends the failure.
type Failure struct {
	ID    string
	Unit  Unit
	State State
	// Category and Message are those of the latest failed attempt.
	Category Category
	Message  string
	// Attempts is the number of failed attempts.
	Attempts int
	// First and Last are when the first and the latest attempt failed. Next is when the next attempt is due; zero if
	// none is.
	First, Last, Next time.Time
	// Paused reports that the location was paused, not the unit stopped. Such a failure is not stored.
	Paused bool
}

// Attempt is one failed attempt. It contains no secret and no personal data.
type Attempt struct {
	Number int
	At     time.Time
	// Next is when the unit is retried; zero if it is not.
	Next time.Time
	// Operation is the operation of the SDK that failed; "" if the error is from elsewhere.
	Operation string
	Category  Category
	// Status is the HTTP status; 0 if no answer arrived.
	Status  int
	Message string
	TraceID string
	// Sent and Received are the redacted bodies of the request and the answer.
	Sent, Received string
}

// ErrNotFound means that the failure does not exist.
var ErrNotFound = errors.New("no such failure")

// storeAttempt adds an attempt to the unit's open failure, or opens a new one. It returns the failure if it needs a
// person and no alert was stored for it yet.
func (q *Queue) storeAttempt(ctx context.Context, tx *db.Tx, u row, a Attempt) (*Failure, error) {
	state := Retrying
	if a.Next.IsZero() {
		state = Stopped
	}
	f, alerted, err := scanFailure(tx.Row(ctx, `INSERT INTO ghlsync_failure (`+failureColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, 0)
		ON CONFLICT (location, unit) WHERE state IN ('retrying', 'stopped') DO UPDATE SET state = excluded.state,
			category = excluded.category, message = excluded.message, attempts = ghlsync_failure.attempts + 1,
			last_at = excluded.last_at, next_at = excluded.next_at
		RETURNING `+failureColumns,
		rand.Text(), u.Location, u.ID, string(state), string(a.Category), a.Message,
		db.Micros(a.At), db.Micros(a.At), db.Micros(a.Next)))
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ghlsync_attempt
		(failure, number, happened_at, next_at, operation, category, status, message, trace_id, sent, received)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		f.ID, int64(f.Attempts), db.Micros(a.At), db.Micros(a.Next),
		a.Operation, string(a.Category), int64(a.Status), a.Message, a.TraceID, a.Sent, a.Received)
	if err != nil || state != Stopped || alerted {
		return nil, err
	}
	if _, err = tx.Exec(ctx, `UPDATE ghlsync_failure SET alerted_at = $2 WHERE id = $1`, f.ID,
		db.Micros(a.At)); err != nil {
		return nil, err
	}
	return &f, q.enter(ctx, tx, &f)
}

const failureColumns = `id, location, unit, state, category, message, attempts, first_at, last_at, next_at, alerted_at`

func scanFailure(r db.Row) (f Failure, alerted bool, err error) {
	var attempts, first, last, next, alertedAt int64
	err = r.Scan(&f.ID, &f.Unit.Location, &f.Unit.ID, &f.State, &f.Category, &f.Message, &attempts, &first, &last,
		&next, &alertedAt)
	f.Attempts, f.First, f.Last, f.Next = int(attempts), db.Time(first), db.Time(last), db.Time(next)
	return f, alertedAt != 0, err
}

// closeFailure ends the open failure of a unit, if it has one.
func (q *Queue) closeFailure(ctx context.Context, tx *db.Tx, u Unit, state State) error {
	_, err := tx.Exec(ctx, `UPDATE ghlsync_failure SET state = $3, next_at = 0
		WHERE location = $1 AND unit = $2 AND state IN ('retrying', 'stopped')`, u.Location, u.ID, string(state))
	return err
}

// alert logs an incident and passes it to Config.Incident.
func (q *Queue) alert(ctx context.Context, f Failure) {
	q.Logger.LogAttrs(ctx, slog.LevelError, "sync needs attention", slog.String("location", f.Unit.Location),
		slog.String("unit", f.Unit.ID), slog.String("category", string(f.Category)), slog.String("err", f.Message),
		slog.Bool("location_paused", f.Paused))
	if q.Incident != nil {
		q.Incident(f)
	}
}

// FailureFilter selects failures. The zero value selects all open ones.
type FailureFilter struct {
	// States are the states to list; none means Retrying and Stopped.
	States []State
	// Location lists the failures of one location only; "" means all.
	Location string
	// Limit is the maximum number of failures; 0 means 100.
	Limit int
	// After is the last failure of the previous page; nil begins with the latest failure.
	After *Failure
}

// Failures lists failures, latest first.
func (q *Queue) Failures(ctx context.Context, filter FailureFilter) ([]Failure, error) {
	wanted := map[State]bool{}
	for _, s := range filter.States {
		wanted[s] = true
	}
	if len(wanted) == 0 {
		wanted = map[State]bool{Retrying: true, Stopped: true}
	}
	state := func(s State) string {
		if wanted[s] {
			return string(s)
		}
		return ""
	}
	if filter.Limit <= 0 {
		filter.Limit = 100
	}
	last, id := int64(1)<<62, ""
	if filter.After != nil {
		last, id = db.Micros(filter.After.Last), filter.After.ID
	}
	var list []Failure
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (Failure, error) { f, _, err := scanFailure(r); return f, err },
			`SELECT `+failureColumns+` FROM ghlsync_failure
			WHERE state IN ($1, $2, $3, $4) AND (location = $5 OR $6 = '')
				AND (last_at < $7 OR last_at = $8 AND id > $9)
			ORDER BY last_at DESC, id LIMIT $10`, state(Retrying), state(Stopped), state(Resolved), state(Skipped),
			filter.Location, filter.Location, last, last, id, int64(filter.Limit))
		return err
	})
	return list, err
}

// Attempts lists the failed attempts of a failure, in order.
func (q *Queue) Attempts(ctx context.Context, failure string) ([]Attempt, error) {
	var list []Attempt
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (a Attempt, err error) {
			var number, at, next, status int64
			err = r.Scan(&number, &at, &next, &a.Operation, &a.Category, &status, &a.Message, &a.TraceID, &a.Sent,
				&a.Received)
			a.Number, a.At, a.Next, a.Status = int(number), db.Time(at), db.Time(next), int(status)
			return a, err
		}, `SELECT number, happened_at, next_at, operation, category, status, message, trace_id, sent, received
			FROM ghlsync_attempt WHERE failure = $1 ORDER BY number`, failure)
		return err
	})
	return list, err
}

// Retry retries the unit of an open failure now. A second call before the run has no effect, and neither has a call
// for a failure that has ended.
func (q *Queue) Retry(ctx context.Context, failure string) error {
	return q.decide(ctx, failure, func(ctx context.Context, tx *db.Tx, f Failure, u row) error {
		now := q.DB.Now()
		if u.epoch != 0 || !u.stopped && !u.due.After(now) {
			return nil // the unit is running, or about to
		}
		if _, err := tx.Exec(ctx, `UPDATE ghlsync_failure SET state = $2, next_at = $3 WHERE id = $1`,
			f.ID, string(Retrying), db.Micros(now)); err != nil {
			return err
		}
		if u.stopped { // count the attempts from the start
			u.attempts, u.kills, u.stopped = 1, 0, false
		}
		u.priority, u.due = Live, time.Time{}
		if err := u.store(ctx, tx); err != nil {
			return err
		}
		err := q.ensureJob(ctx, tx, u.Location)
		if errors.Is(err, ErrLocation) { // it was removed
			err = nil
		}
		return err
	})
}

// Skip ends an open failure without a retry: the unit counts as synced until it changes again.
func (q *Queue) Skip(ctx context.Context, failure string) error {
	return q.drop(ctx, failure, Skipped)
}

// Resolve ends an open failure that a person has fixed by hand: the unit counts as synced until it changes again.
func (q *Queue) Resolve(ctx context.Context, failure string) error {
	return q.drop(ctx, failure, Resolved)
}

// drop ends an open failure in a state, and marks its unit as synced.
func (q *Queue) drop(ctx context.Context, failure string, state State) error {
	return q.decide(ctx, failure, func(ctx context.Context, tx *db.Tx, f Failure, u row) error {
		if err := q.closeFailure(ctx, tx, u.Unit, state); err != nil {
			return err
		}
		if u.epoch != 0 { // the result of the current run counts
			return nil
		}
		if err := dropEvents(ctx, tx, u.Unit, u.number); err != nil {
			return err
		}
		u.synced, u.due, u.stopped, u.attempts, u.kills, u.dirty, u.taken = u.number, time.Time{}, false, 0, 0, 0, 0
		return u.store(ctx, tx)
	})
}

// decide applies a person's decision to an open failure. It does nothing to a failure that has ended.
func (q *Queue) decide(ctx context.Context, failure string,
	do func(context.Context, *db.Tx, Failure, row) error) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		find := func() (Failure, error) {
			f, _, err := scanFailure(
				tx.Row(ctx, `SELECT `+failureColumns+` FROM ghlsync_failure WHERE id = $1`, failure))
			if errors.Is(err, db.ErrNoRows) {
				err = fmt.Errorf("%q: %w", failure, ErrNotFound)
			}
			return f, err
		}
		f, err := find()
		if err != nil {
			return err
		}
		// Lock the location and the unit before the failure, in the same order as the end of a run does.
		if _, err := lockLocation(ctx, tx, f.Unit.Location); err != nil && !errors.Is(err, ErrLocation) {
			return err
		}
		u, err := lock(ctx, tx, f.Unit)
		if err != nil {
			return err
		}
		if f, err = find(); err != nil || f.State != Retrying && f.State != Stopped {
			return err
		}
		return do(ctx, tx, f, u)
	})
}
