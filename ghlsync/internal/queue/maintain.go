package queue

import (
	"context"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// maintain releases late locks, revives locations without a job, and deletes old rows, until ctx ends.
func (q *Queue) maintain(ctx context.Context) {
	n := 0
	q.every(ctx, 2*time.Second, "queue maintenance failed", func(ctx context.Context) error {
		n++
		err := q.giveBackLate(ctx)
		if err == nil && n%30 == 5 { // every minute
			err = q.revive(ctx)
		}
		if err == nil && n%150 == 10 { // every five minutes
			err = q.prune(ctx)
		}
		return err
	})
}

// revive gives a new job to locations without one that will run: its process died before it could begin, or somebody
// cancelled it in River's UI.
func (q *Queue) revive(ctx context.Context) error {
	live, err := q.readBeats(ctx)
	if err != nil {
		return err
	}
	type waiting struct {
		id  string
		job int64
	}
	var list []waiting
	err = q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (w waiting, err error) { return w, r.Scan(&w.id, &w.job) },
			`SELECT id, job FROM ghlsync_location l WHERE owner = '' AND paused = 0 AND (job <> 0 OR due = 0) AND EXISTS
				(SELECT 1 FROM ghlsync_unit WHERE location = l.id AND number > synced AND stopped = 0)`)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range list {
		if w.job != 0 {
			waits, err := q.jobs.waits(ctx, w.job, live)
			if err != nil {
				return err
			}
			if waits {
				continue
			}
		}
		err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			p, err := lockLocation(ctx, tx, w.id)
			if err != nil || p.owner != "" || p.job != w.job {
				return err
			}
			p.job = 0
			if err := p.store(ctx, tx); err != nil {
				return err
			}
			return q.ensureJob(ctx, tx, w.id)
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
