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

// State is how a failure stands.
type State string

const (
	// Retrying is tried again by itself.
	Retrying State = "retrying"
	// Stopped waits for a person, or for a change of the unit.
	Stopped State = "stopped"
	// Resolved is over: a later run succeeded, or a person said so.
	Resolved State = "resolved"
	// Skipped was given up by a person.
	Skipped State = "skipped"
)

// Failure is a unit whose work fails: from its first failed attempt until it succeeds or a person ends it.
type Failure struct {
	ID    string
	Unit  Unit
	State State
	// Category and Message are those of the latest attempt.
	Category Category
	Message  string
	// Attempts is how many attempts failed.
	Attempts int
	// First and Last are when the first and the latest attempt failed; Next is when the next is due, zero if none is.
	First, Last, Next time.Time
	// Paused says that it is not the unit but its location that is stopped. It is not among the stored ones.
	Paused bool
}

// Attempt is one failed attempt. It holds no secret and no personal data.
type Attempt struct {
	Number int
	At     time.Time
	// Next is when it is tried again; zero if it is not.
	Next time.Time
	// Operation is that of the SDK's catalog which failed, "" if another thing did.
	Operation string
	Category  Category
	// Status is the HTTP status, 0 if there was no answer.
	Status  int
	Message string
	TraceID string
	// Sent and Received are the bodies, redacted.
	Sent, Received string
}

// ErrNotFound: there is no such failure.
var ErrNotFound = errors.New("no such failure")

// keepAttempt adds an attempt to the unit's failure, and opens one if there is none. It returns the failure if it needs a
// person's attention and nobody was told.
func (q *Queue) keepAttempt(ctx context.Context, tx *db.Tx, u row, a Attempt) (*Failure, error) {
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
		rand.Text(), u.Location, u.ID, string(state), string(a.Category), a.Message, db.Micros(a.At), db.Micros(a.At), db.Micros(a.Next)))
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO ghlsync_attempt
		(failure, number, happened_at, next_at, operation, category, status, message, trace_id, sent, received)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, f.ID, int64(f.Attempts), db.Micros(a.At), db.Micros(a.Next),
		a.Operation, string(a.Category), int64(a.Status), a.Message, a.TraceID, a.Sent, a.Received)
	if err != nil || state != Stopped || alerted {
		return nil, err
	}
	if _, err = tx.Exec(ctx, `UPDATE ghlsync_failure SET alerted_at = $2 WHERE id = $1`, f.ID, db.Micros(a.At)); err != nil {
		return nil, err
	}
	return &f, q.enter(ctx, tx, &f)
}

const failureColumns = `id, location, unit, state, category, message, attempts, first_at, last_at, next_at, alerted_at`

func scanFailure(r db.Row) (f Failure, alerted bool, err error) {
	var attempts, first, last, next, told int64
	err = r.Scan(&f.ID, &f.Unit.Location, &f.Unit.ID, &f.State, &f.Category, &f.Message, &attempts, &first, &last, &next, &told)
	f.Attempts, f.First, f.Last, f.Next = int(attempts), db.Time(first), db.Time(last), db.Time(next)
	return f, told != 0, err
}

// closeFailure ends a unit's failure, if it has one.
func (q *Queue) closeFailure(ctx context.Context, tx *db.Tx, u Unit, state State) error {
	_, err := tx.Exec(ctx, `UPDATE ghlsync_failure SET state = $3, next_at = 0
		WHERE location = $1 AND unit = $2 AND state IN ('retrying', 'stopped')`, u.Location, u.ID, string(state))
	return err
}

func (q *Queue) alert(ctx context.Context, f Failure) {
	q.Logger.LogAttrs(ctx, slog.LevelError, "a person is needed", slog.String("location", f.Unit.Location), slog.String("unit", f.Unit.ID),
		slog.String("category", string(f.Category)), slog.String("err", f.Message), slog.Bool("location_paused", f.Paused))
	if q.Incident != nil {
		q.Incident(f)
	}
}

// FailureFilter chooses failures; zero values choose all that are open.
type FailureFilter struct {
	// States are those wanted; none are Retrying and Stopped.
	States []State
	// Location is the only one wanted; "" is all.
	Location string
	// Limit is how many at the most; 0 is 100.
	Limit int
	// After is the last failure of the page before; nil begins with the latest.
	After *Failure
}

// Failures lists failures, the latest first.
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
			WHERE state IN ($1, $2, $3, $4) AND (location = $5 OR $6 = '') AND (last_at < $7 OR last_at = $8 AND id > $9)
			ORDER BY last_at DESC, id LIMIT $10`, state(Retrying), state(Stopped), state(Resolved), state(Skipped),
			filter.Location, filter.Location, last, last, id, int64(filter.Limit))
		return err
	})
	return list, err
}

// Attempts lists the failed attempts of a failure, the first first.
func (q *Queue) Attempts(ctx context.Context, failure string) ([]Attempt, error) {
	var list []Attempt
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (a Attempt, err error) {
			var number, at, next, status int64
			err = r.Scan(&number, &at, &next, &a.Operation, &a.Category, &status, &a.Message, &a.TraceID, &a.Sent, &a.Received)
			a.Number, a.At, a.Next, a.Status = int(number), db.Time(at), db.Time(next), int(status)
			return a, err
		}, `SELECT number, happened_at, next_at, operation, category, status, message, trace_id, sent, received
			FROM ghlsync_attempt WHERE failure = $1 ORDER BY number`, failure)
		return err
	})
	return list, err
}

// Retry has the unit of an open failure tried again now. Doing so twice tries it once; a failure that is over stays so.
func (q *Queue) Retry(ctx context.Context, failure string) error {
	return q.decide(ctx, failure, func(ctx context.Context, tx *db.Tx, f Failure, u row) error {
		now := q.DB.Now()
		if u.process != "" || u.job != 0 && !u.due.After(now) {
			return nil // it is being tried, or is about to be
		}
		if _, err := tx.Exec(ctx, `UPDATE ghlsync_failure SET state = $2, next_at = $3 WHERE id = $1`,
			f.ID, string(Retrying), db.Micros(now)); err != nil {
			return err
		}
		if u.job == 0 { // it was given up: the bound counts anew
			u.attempts, u.kills = 1, 0
		}
		return q.schedule(ctx, tx, u, Live, time.Time{})
	})
}

// Skip gives a failure up: the unit counts as in step until it changes again.
func (q *Queue) Skip(ctx context.Context, failure string) error {
	return q.drop(ctx, failure, Skipped)
}

// Resolve ends a failure that a person has mended by hand: the unit counts as in step until it changes again.
func (q *Queue) Resolve(ctx context.Context, failure string) error {
	return q.drop(ctx, failure, Resolved)
}

func (q *Queue) drop(ctx context.Context, failure string, state State) error {
	return q.decide(ctx, failure, func(ctx context.Context, tx *db.Tx, f Failure, u row) error {
		if err := q.closeFailure(ctx, tx, u.Unit, state); err != nil {
			return err
		}
		if u.process != "" { // how the run under way ends counts
			return nil
		}
		u.synced, u.job, u.due, u.attempts, u.kills = u.number, 0, time.Time{}, 0, 0
		return u.store(ctx, tx)
	})
}

// decide does what a person decided about an open failure. One that is over is left as it is.
func (q *Queue) decide(ctx context.Context, failure string, do func(context.Context, *db.Tx, Failure, row) error) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		find := func() (Failure, error) {
			f, _, err := scanFailure(tx.Row(ctx, `SELECT `+failureColumns+` FROM ghlsync_failure WHERE id = $1`, failure))
			if errors.Is(err, db.ErrNoRows) {
				err = fmt.Errorf("%q: %w", failure, ErrNotFound)
			}
			return f, err
		}
		f, err := find()
		if err != nil {
			return err
		}
		// The unit is locked before the failure, as by a run that ends.
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
