package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// queueName returns the unique and readable name of a location's queue in River, which allows lower case letters only.
func queueName(location string) string {
	readable := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, location), "-")
	sum := sha256.Sum256([]byte(location))
	return "loc" + readable[:min(len(readable), 40)] + "-" + hex.EncodeToString(sum[:6])
}

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

// AddLocation adds a location, in this process at once and in other processes within seconds. It does nothing if the
// location exists.
func (q *Queue) AddLocation(ctx context.Context, id string) error {
	if err := checkID("location", id); err != nil {
		return err
	}
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ghlsync_location (id, queue) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`,
			id, queueName(id))
		return err
	})
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stop == nil {
		return nil
	}
	return q.openQueues(ctx)
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

// Pause stops the work on a location because a person wants it. Current runs end; new work waits. If the location is
// already paused, its reason does not change.
func (q *Queue) Pause(ctx context.Context, location, reason string) error {
	if Category(reason).Pauses() { // must not look like a pause because of an error
		reason = "by hand: " + reason
	}
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := known(ctx, tx, location); err != nil {
			return err
		}
		_, err := q.pauseTx(ctx, tx, location, reason)
		return err
	})
}

// pauseTx pauses a location, and reports whether it was not paused before.
func (q *Queue) pauseTx(ctx context.Context, tx *db.Tx, location, reason string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE ghlsync_location SET paused = $2, reason = $3 WHERE id = $1 AND paused = 0`,
		location, db.Micros(q.DB.Now()), reason)
	if err != nil || n == 0 {
		return false, err
	}
	return true, q.jobs.pause(ctx, tx, queueName(location), true)
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
		if err := known(ctx, tx, location); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE ghlsync_location SET paused = 0, reason = '' WHERE id = $1`,
			location); err != nil {
			return err
		}
		if err := q.jobs.pause(ctx, tx, queueName(location), false); err != nil {
			return err
		}
		return q.wake(ctx, tx, location)
	})
}

// Wake runs the units of a location now that were delayed by up to a minute because no process could work on the
// location.
func (q *Queue) Wake(ctx context.Context, location string) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return q.wake(ctx, tx, location) })
}

func (q *Queue) wake(ctx context.Context, tx *db.Tx, location string) error {
	now := q.DB.Now()
	waiting, err := db.List(ctx, tx, scanRow, `SELECT `+rowColumns+` FROM ghlsync_unit
			WHERE location = $1 AND job > 0 AND process = '' AND attempts = 0 AND due > $2 AND due <= $3
			ORDER BY unit FOR UPDATE`,
		location, db.Micros(now), db.Micros(now.Add(pausedFor)))
	if err != nil {
		return err
	}
	for _, u := range waiting {
		if err := q.schedule(ctx, tx, u, u.priority, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// openQueues starts the queue of every location, and stops those of removed ones. It is called with q.mu held.
func (q *Queue) openQueues(ctx context.Context) error {
	list, err := q.Locations(ctx)
	if err != nil {
		return err
	}
	poll := q.Poll
	if poll == 0 { // at most about 200 polls a second
		poll = time.Second * time.Duration(1+len(list)/200)
	}
	current := map[string]bool{}
	for _, l := range list {
		current[l.ID] = true
		if q.queues[l.ID] {
			continue
		}
		if err := q.jobs.addQueue(queueName(l.ID), q.Workers, poll); err != nil {
			return fmt.Errorf("queue: location %s: %w", l.ID, err)
		}
		q.queues[l.ID] = true
		if !l.Paused.IsZero() {
			err := q.DB.Write(ctx,
				func(ctx context.Context, tx *db.Tx) error { return q.jobs.pause(ctx, tx, queueName(l.ID), true) })
			if err != nil {
				return err
			}
		}
	}
	for id := range q.queues {
		if !current[id] {
			delete(q.queues, id)
			q.loops.Go(func() {
				if err := q.jobs.removeQueue(context.WithoutCancel(ctx), queueName(id)); err != nil {
					q.Logger.LogAttrs(ctx, slog.LevelWarn, "closing the queue of a location failed",
						slog.String("location", id), slog.Any("err", err))
				}
			})
		}
	}
	return nil
}

// RemoveLocation ends the work on a location. Its other data is not deleted, and it can be added again.
func (q *Queue) RemoveLocation(ctx context.Context, id string) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_location WHERE id = $1`, id)
		return err
	})
}

// maintain opens the queues of locations that other processes added, gives back late units, revives units without a
// job, and deletes old rows.
func (q *Queue) maintain(ctx context.Context) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if q.mu.TryLock() { // only a stop holds it for long
			err = q.openQueues(ctx)
			q.mu.Unlock()
		}
		if err == nil {
			err = q.giveBackLate(ctx)
		}
		if err == nil && n%150 == 10 { // every five minutes
			if err = q.revive(ctx); err == nil {
				err = q.prune(ctx)
			}
		}
		if err != nil && ctx.Err() == nil {
			q.Logger.LogAttrs(ctx, slog.LevelWarn, "queue maintenance failed", slog.Any("err", err))
		}
	}
}

// revive schedules a new job for units without one, for example after a job was cancelled in River's UI.
func (q *Queue) revive(ctx context.Context) error {
	var waiting []row
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		waiting, err = db.List(ctx, tx, scanRow, `SELECT `+rowColumns+` FROM ghlsync_unit
			WHERE number > synced AND job > 0 AND process = '' AND due < $1 ORDER BY changed_at LIMIT 200`,
			db.Micros(q.DB.Now().Add(-time.Minute)))
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range waiting {
		waits, err := q.jobs.waits(ctx, w.job)
		if err != nil {
			return err
		}
		if waits {
			continue
		}
		err = q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			u, err := lock(ctx, tx, w.Unit)
			if err != nil || u.job != w.job || u.process != "" {
				return err
			}
			return q.schedule(ctx, tx, u, u.priority, time.Time{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// How long rows are stored that are no longer needed.
const (
	deliveryRetention = 30 * 24 * time.Hour // HighLevel repeats a delivery for some hours at most
	failureRetention  = 90 * 24 * time.Hour
)

// prune deletes old deliveries and ended failures.
func (q *Queue) prune(ctx context.Context) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		now := q.DB.Now()
		for _, d := range []struct {
			query     string
			retention time.Duration
		}{
			{`DELETE FROM ghlsync_delivery WHERE received_at < $1`, deliveryRetention},
			{`DELETE FROM ghlsync_attempt WHERE failure IN
				(SELECT id FROM ghlsync_failure WHERE last_at < $1 AND state NOT IN ('retrying', 'stopped'))`,
				failureRetention},
			{`DELETE FROM ghlsync_failure WHERE last_at < $1 AND state NOT IN ('retrying', 'stopped')`,
				failureRetention},
		} {
			if _, err := tx.Exec(ctx, d.query, db.Micros(now.Add(-d.retention))); err != nil {
				return err
			}
		}
		return nil
	})
}
