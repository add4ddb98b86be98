package queue

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// maintain releases late locks and deletes old rows, until ctx ends.
func (q *Queue) maintain(ctx context.Context) {
	n := 0
	q.every(ctx, 2*time.Second, "queue maintenance failed", func(ctx context.Context) error {
		n++
		err := q.giveBackLate(ctx)
		if err == nil && n%150 == 10 { // every five minutes
			err = q.prune(ctx)
		}
		return err
	})
}

// jobless is a location with work, without an owner, and with a job that does not wait for a process.
type jobless struct {
	location string
	job      int64
}

// revive gives a new job to locations without an owner that will run, if their job does not wait for a process: it was
// cancelled in River's UI, or it was given to a process that did not learn of it. A job that was given to a living
// process just now is left alone until the next call.
func (q *Queue) revive(ctx context.Context, live map[string]int64) error {
	var list []jobless
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (w jobless, err error) { return w, r.Scan(&w.location, &w.job) },
			`SELECT id, job FROM ghlsync_location l WHERE owner = '' AND paused = 0 AND (job <> 0 OR due = 0) AND EXISTS
				(SELECT 1 FROM ghlsync_unit WHERE location = l.id AND number > synced AND stopped = 0)`)
		return err
	})
	if err != nil {
		return err
	}
	jobs := make([]int64, 0, len(list))
	for _, w := range list {
		if w.job != 0 {
			jobs = append(jobs, w.job)
		}
	}
	waiting, given, err := q.jobs.waiting(ctx, jobs)
	if err != nil {
		return err
	}
	before := q.given
	q.given = map[int64]bool{}
	for _, w := range list {
		process, is := given[w.job]
		_, lives := live[process]
		refusedBy, waits := waiting[w.job]
		switch {
		case waits:
			if refusedBy != "" && refusedBy != q.process {
				err = errors.Join(err, q.workRefused(ctx, w))
			}
			continue
		case is && lives && !before[w.job]:
			q.given[w.job] = true
			continue
		}
		err = errors.Join(err, q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			p, err := lockLocation(ctx, tx, w.location)
			if errors.Is(err, ErrLocation) || err == nil && (p.owner != "" || p.job != w.job) {
				return nil
			}
			if err != nil {
				return err
			}
			p.job = 0
			if err := p.store(ctx, tx); err != nil {
				return err
			}
			return q.ensureJob(ctx, tx, w.location)
		}))
	}
	return err
}

// workRefused works on a location whose job another process has got and put back, because it has no lease or has not
// left the location yet. River may give the job to that process again and again.
func (q *Queue) workRefused(ctx context.Context, w jobless) error {
	life, ok := q.alive.context()
	if !ok || !q.sessions.reserve(w.location) {
		return nil
	}
	s, err := q.claim(context.WithoutCancel(ctx), life, w.location, w.job, nil)
	if err != nil || s == nil {
		q.sessions.leave(w.location)
		if errors.Is(err, errOwned) || errors.Is(err, ErrNotRunning) {
			return nil
		}
		return err
	}
	go func() { _ = s.work() }()
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
