package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// ErrPaused means that the location is paused.
var ErrPaused = errors.New("the location is paused")

// ErrNotRunning means that the queue is not started, is stopped, or has lost its lease for the moment.
var ErrNotRunning = errors.New("the queue is not running")

// Do runs work on a unit at once, without a job, instead of [Config.Work]. The work may use data that was read from
// HighLevel at asOf or later. Otherwise the run is like that of a marked unit: no other run works on the unit
// meanwhile, changes that are marked meanwhile are synced afterwards, and a failure is retried with [Config.Work].
//
// Do returns false without an error if the unit is dirty or running, since its data will be read again, or if it is
// synced with data that was read after asOf.
func (q *Queue) Do(ctx context.Context, id Unit, asOf time.Time, work Work) (done bool, err error) {
	if err := id.check(); err != nil {
		return false, err
	}
	life, ok := q.alive.context()
	if !ok {
		return false, ErrNotRunning
	}
	job := -1 - rand.Int64N(1<<62) // not a job of River
	q.active.begin(job)
	defer q.active.end(job)
	run, err := q.take(ctx, id, job, asOf)
	if err != nil || run == nil {
		return false, err
	}
	return true, q.perform(ctx, life, run, work)
}

// take takes a unit for this process. It returns no run and no error if there is nothing to do.
func (q *Queue) take(ctx context.Context, id Unit, job int64, asOf time.Time) (*Run, error) {
	var u row
	var idle bool
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		idle = false
		var paused, there int64
		err := tx.Row(ctx,
			`SELECT paused, (SELECT count(*) FROM ghlsync_process WHERE id = $2) FROM ghlsync_location WHERE id = $1`,
			id.Location, q.process).
			Scan(&paused, &there)
		switch {
		case errors.Is(err, db.ErrNoRows):
			return ErrLocation
		case err != nil:
			return err
		case paused > 0:
			return ErrPaused
		case there == 0:
			return ErrNotRunning
		}
		if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_unit (location, unit, number, changed_at, priority, dirty)
			VALUES ($1, $2, 0, 0, $3, 0)
			ON CONFLICT (location, unit) DO NOTHING`, id.Location, id.ID, int64(Background)); err != nil {
			return err
		}
		if u, err = lock(ctx, tx, id); err != nil {
			return err
		}
		switch {
		case u.process != "" || u.job != 0 && u.number > u.synced:
			return nil
		case u.number > u.synced: // the unit has stopped; this run may succeed
			_, err := q.mark(ctx, tx, id, Everything, Background)
			return err
		case u.read.After(asOf):
			return nil
		}
		idle = true
		u.number++
		u.process, u.job, u.priority, u.due = q.process, job, Background, time.Time{}
		u.dirty, u.taken = 0, Everything
		if _, err := tx.Exec(ctx,
			`UPDATE ghlsync_unit SET number = $3, changed_at = $4 WHERE location = $1 AND unit = $2`,
			id.Location, id.ID, u.number, db.Micros(q.DB.Now())); err != nil {
			return err
		}
		return u.store(ctx, tx)
	})
	if err != nil || !idle {
		return nil, err
	}
	run := q.newRun(u, asOf)
	run.ReadEverything()
	return run, nil
}

// HasStopped reports whether a unit is dirty and has no job, so that it does not run until it is marked.
func (q *Queue) HasStopped(ctx context.Context, tx *db.Tx, id Unit) (bool, error) {
	var n int64
	err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_unit
		WHERE location = $1 AND unit = $2 AND number > synced AND job = 0 AND process = ''`,
		id.Location, id.ID).
		Scan(&n)
	return n > 0, err
}

// Busy reports whether a run works on a unit now.
func (q *Queue) Busy(ctx context.Context, tx *db.Tx, id Unit) (bool, error) {
	var process string
	err := tx.Row(ctx, `SELECT process FROM ghlsync_unit WHERE location = $1 AND unit = $2`, id.Location, id.ID).
		Scan(&process)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return process != "", err
}
