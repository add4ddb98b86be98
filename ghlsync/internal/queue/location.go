package queue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Location is a location that is synced.
type Location struct {
	ID string
	// Paused is when the location was paused; zero if it is not paused.
	Paused time.Time
	// Reason is why it is paused: a [Category], or the words of the person who paused it.
	Reason string
}

// Category returns the category of the error that paused the location. It returns "" if a person paused the location,
// or if it is not paused.
func (l Location) Category() Category {
	if c := Category(l.Reason); c.Pauses() {
		return c
	}
	return ""
}

// AddLocation adds a location, which all processes work on. It does nothing if the location exists.
func (q *Queue) AddLocation(ctx context.Context, id string) error {
	if err := checkID("location", id); err != nil {
		return err
	}
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		// The epoch is higher than all epochs of a location that was removed, whose runs may still be under way.
		n, err := tx.Exec(ctx, `INSERT INTO ghlsync_location (id, epoch) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`,
			id, db.Micros(q.DB.Now()))
		if err != nil || n == 0 {
			return err
		}
		return q.wakeTx(ctx, tx, id) // units of a location that was removed
	})
}

// Locations lists the locations, ordered by id.
func (q *Queue) Locations(ctx context.Context) ([]Location, error) { return Locations(ctx, q.DB) }

// Locations lists the locations of a database without a Queue, ordered by id.
func Locations(ctx context.Context, d *db.DB) ([]Location, error) {
	var list []Location
	err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (l Location, err error) {
			var paused int64
			err = r.Scan(&l.ID, &paused, &l.Reason)
			l.Paused = db.Time(paused)
			return l, err
		}, `SELECT id, paused, reason FROM ghlsync_location ORDER BY id`)
		return err
	})
	return list, err
}

// place is the row of a location, locked by the transaction that read it.
type place struct {
	id     string
	paused bool
	owner  string
	epoch  int64
	job    int64
	due    time.Time
	wanted string
}

// lockLocation reads and locks the row of a location. It returns [ErrLocation] if there is none. A transaction locks
// the location before its units.
func lockLocation(ctx context.Context, tx *db.Tx, id string) (p place, err error) {
	var paused, due int64
	err = tx.Row(ctx, `SELECT id, paused, owner, epoch, job, due, wanted
		FROM ghlsync_location WHERE id = $1 FOR UPDATE`, id).
		Scan(&p.id, &paused, &p.owner, &p.epoch, &p.job, &due, &p.wanted)
	if errors.Is(err, db.ErrNoRows) {
		return p, ErrLocation
	}
	p.paused, p.due = paused > 0, db.Time(due)
	return p, err
}

func (p place) store(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE ghlsync_location SET owner = $2, epoch = $3, job = $4, due = $5, wanted = $6
		WHERE id = $1`, p.id, p.owner, p.epoch, p.job, db.Micros(p.due), p.wanted)
	return err
}

// ensureJob has a location worked: it locks the location's row, and adds a job if the location has neither a job nor an
// owner, which looks for more work before it leaves. It does nothing within a run of the location.
func (q *Queue) ensureJob(ctx context.Context, tx *db.Tx, location string) error {
	if db.FencedLocation(ctx) == location {
		return nil
	}
	p, err := lockLocation(ctx, tx, location)
	if err != nil || p.paused || p.owner != "" || p.job != 0 {
		return err
	}
	if p.job, err = q.jobs.insert(ctx, tx, location); err != nil {
		return err
	}
	p.due = time.Time{}
	return p.store(ctx, tx)
}

// Pause stops the work on a location because a person wants it. Current runs end; new work waits. If the location is
// already paused, its reason does not change.
func (q *Queue) Pause(ctx context.Context, location, reason string) error {
	if Category(reason).Pauses() { // must not look like a pause because of an error
		reason = "by hand: " + reason
	}
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := lockLocation(ctx, tx, location); err != nil {
			return err
		}
		_, err := q.pauseTx(ctx, tx, location, reason)
		return err
	})
}

// pauseTx pauses a location, and reports whether it was not paused before. Its session or job ends because of it.
func (q *Queue) pauseTx(ctx context.Context, tx *db.Tx, location, reason string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ghlsync_location SET paused = $2, reason = $3 WHERE id = $1 AND paused = 0`,
		location, db.Micros(q.DB.Now()), reason)
	return n > 0, err
}

// Refused pauses a location because of an error outside of a run, and reports it like an error in a run.
func (q *Queue) Refused(ctx context.Context, location string, failed error) error {
	now := q.DB.Now()
	f := Failure{
		Unit: Unit{Location: location}, State: Stopped, Category: Classify(failed).Category,
		Message: messageOf(failed), First: now, Last: now, Paused: true,
	}
	first := false
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if first, err = q.pauseTx(ctx, tx, location, string(f.Category)); err != nil || !first {
			return err
		}
		return q.enter(ctx, tx, &f)
	})
	if err == nil && first {
		q.alert(ctx, f)
	}
	return err
}

// Resume resumes the work on a paused location.
func (q *Queue) Resume(ctx context.Context, location string) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := lockLocation(ctx, tx, location); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE ghlsync_location SET paused = 0, reason = '' WHERE id = $1`,
			location); err != nil {
			return err
		}
		return q.wakeTx(ctx, tx, location)
	})
}

// Wake runs the units of a location now that were delayed by up to a minute because no process could work on the
// location.
func (q *Queue) Wake(ctx context.Context, location string) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return q.wakeTx(ctx, tx, location) })
}

// longestDelay is the longest time for which a unit waits because its location is closed.
const longestDelay = time.Minute

func (q *Queue) wakeTx(ctx context.Context, tx *db.Tx, location string) error {
	if err := q.ensureJob(ctx, tx, location); err != nil {
		return err
	}
	now := q.DB.Now()
	_, err := tx.Exec(ctx, `UPDATE ghlsync_unit SET due = 0
		WHERE location = $1 AND number > synced AND stopped = 0 AND attempts = 0 AND due > $2 AND due <= $3`,
		location, db.Micros(now), db.Micros(now.Add(longestDelay)))
	return err
}

// RemoveLocation ends the work on a location. Its other data is not deleted, and it can be added again.
func (q *Queue) RemoveLocation(ctx context.Context, id string) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_location WHERE id = $1`, id)
		return err
	})
}

// wakeDue adds jobs for locations that are due, until ctx ends. River's own scheduler looks every few seconds only.
func (q *Queue) wakeDue(ctx context.Context) {
	q.every(ctx, q.Poll, "waking the locations that are due failed", func(ctx context.Context) error {
		var due []string
		err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			due, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) },
				`SELECT id FROM ghlsync_location
				WHERE owner = '' AND job = 0 AND due > 0 AND due <= $1 AND paused = 0 ORDER BY due LIMIT 500`,
				db.Micros(q.DB.Now()))
			return err
		})
		for _, id := range due {
			err = errors.Join(err, q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
				return q.ensureJob(ctx, tx, id)
			}))
		}
		return err
	})
}

// every calls do at an interval until ctx ends.
func (q *Queue) every(ctx context.Context, interval time.Duration, failed string, do func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrLocation) {
			q.Logger.LogAttrs(ctx, slog.LevelWarn, failed, slog.Any("err", err))
		}
	}
}
