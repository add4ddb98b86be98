package queue

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// ErrPaused means that the location is paused.
var ErrPaused = errors.New("the location is paused")

// ErrNotRunning means that the queue is not started, is stopped, or is treated as dead for the moment.
var ErrNotRunning = errors.New("the queue is not running")

// Own makes this process the one that works on a location until release is called, and meanwhile also works on its
// units. It waits while another process works on the location, which then leaves it soon. [Queue.Do] is faster within.
func (q *Queue) Own(ctx context.Context, location string) (release func(), err error) {
	if err := checkID("location", location); err != nil {
		return nil, err
	}
	_, leave, err := q.own(ctx, location)
	return leave, err
}

// Do runs work on a unit at once instead of [Config.Work]. The work may use data that was read from HighLevel at asOf
// or later. Otherwise the run is like that of a marked unit: no other run works on the unit meanwhile, changes that are
// marked meanwhile are synced afterwards, and a failure is retried with [Config.Work].
//
// Do returns false without an error if the unit is dirty or running, since its data will be read again, or if it is
// synced with data that was read after asOf.
func (q *Queue) Do(ctx context.Context, id Unit, asOf time.Time, work Work) (done bool, err error) {
	if err := id.check(); err != nil {
		return false, err
	}
	s, leave, err := q.own(ctx, id.Location)
	if err != nil {
		return false, err
	}
	defer leave()
	exit, err := s.enterIdle(ctx, id)
	if err != nil || exit == nil {
		return false, err
	}
	defer exit()
	run, err := s.take(ctx, id, asOf)
	if err != nil || run == nil {
		return false, err
	}
	defer context.AfterFunc(ctx, func() { run.stop(errStopped) })()
	return true, s.perform(run, work)
}

// enterIdle is enter for a unit that is not running. It returns nil if the unit is dirty or running.
func (s *session) enterIdle(ctx context.Context, id Unit) (leave func(), err error) {
	for {
		leave, busy := s.tryEnter(id.ID)
		if leave != nil {
			return leave, nil
		}
		var idle int64 // the end of the run may be stored, though the run has not left the unit yet
		err := s.q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			return tx.Row(ctx, `SELECT count(*) FROM ghlsync_unit
				WHERE location = $1 AND unit = $2 AND epoch = 0 AND number = synced`, id.Location, id.ID).Scan(&idle)
		})
		if err != nil || idle == 0 {
			return nil, err
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// take takes a unit that is not dirty for a run. It returns no run and no error if there is nothing to do.
func (s *session) take(ctx context.Context, id Unit, asOf time.Time) (*Run, error) {
	q := s.q
	var u row
	var idle bool
	err := q.DB.Write(db.WithFence(ctx, s.location, s.epoch), func(ctx context.Context, tx *db.Tx) error {
		idle = false
		if err := tx.Fence(ctx); err != nil {
			return err
		}
		var paused int64
		err := tx.Row(ctx, `SELECT paused FROM ghlsync_location WHERE id = $1`, id.Location).Scan(&paused)
		switch {
		case err != nil:
			return err
		case paused > 0:
			return ErrPaused
		}
		if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_unit (location, unit, number, changed_at, priority)
			VALUES ($1, $2, 0, 0, $3)
			ON CONFLICT (location, unit) DO NOTHING`, id.Location, id.ID, int64(Background)); err != nil {
			return err
		}
		if u, err = lock(ctx, tx, id); err != nil {
			return err
		}
		switch {
		case u.epoch != 0 || u.number > u.synced && !u.stopped:
			return nil
		case u.number > u.synced: // the unit has stopped; this run may succeed
			_, err := q.mark(ctx, tx, id, Everything, Background)
			return err
		case u.read.After(asOf):
			return nil
		}
		idle = true
		u.number++
		u.epoch, u.priority, u.due, u.changed = s.epoch, Background, time.Time{}, q.DB.Now()
		u.dirty, u.taken = 0, Everything
		return u.store(ctx, tx)
	})
	if err != nil || !idle {
		return nil, err
	}
	run := s.newRun(u, asOf)
	run.ReadEverything()
	return run, nil
}

// HasStopped reports whether a unit is dirty and has stopped, so that it does not run until it is marked.
func (q *Queue) HasStopped(ctx context.Context, tx *db.Tx, id Unit) (bool, error) {
	var n int64
	err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_unit
		WHERE location = $1 AND unit = $2 AND number > synced AND stopped = 1`, id.Location, id.ID).
		Scan(&n)
	return n > 0, err
}
