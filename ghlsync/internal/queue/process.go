package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// lifeline is the lease of this process, measured by its own monotonic clock. It ends before other processes treat
// this one as dead.
type lifeline struct {
	mu     sync.Mutex
	life   context.Context // nil before the first lease
	cancel context.CancelFunc
	timer  *time.Timer
}

func (l *lifeline) renew(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := time.Until(until)
	if left <= 0 {
		return
	}
	if l.life == nil || l.life.Err() != nil {
		l.life, l.cancel = context.WithCancel(context.Background())
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer = time.AfterFunc(left, l.cancel)
}

func (l *lifeline) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
	}
}

func (l *lifeline) context() (context.Context, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.life, l.life != nil && l.life.Err() == nil
}

// stopsBy returns when a process that last renewed its lease at a time must stop: before the lease expires.
func (q *Queue) stopsBy(renewed time.Time) time.Time { return renewed.Add(q.Lease * 3 / 4) }

// register frees the units and jobs of dead processes, and adds this process.
func (q *Queue) register(ctx context.Context) error {
	if err := q.rescue(ctx); err != nil {
		return err
	}
	before := time.Now()
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		now := q.DB.Now()
		_, err := tx.Exec(ctx, `INSERT INTO ghlsync_process (id, started_at, lease_until) VALUES ($1, $2, $3)`,
			q.process, db.Micros(now), db.Micros(now.Add(q.Lease)))
		return err
	})
	if err != nil {
		return fmt.Errorf("queue: registering the process: %w", err)
	}
	q.alive.renew(q.stopsBy(before))
	return nil
}

// unregister removes this process, and frees its units and jobs.
func (q *Queue) unregister(ctx context.Context) error {
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_process WHERE id = $1`, q.process)
		return err
	})
	if err != nil {
		return err
	}
	return q.rescue(ctx)
}

// beat renews the lease, and frees the units and jobs of processes that did not renew theirs.
func (q *Queue) beat(ctx context.Context) {
	tick := time.NewTicker(q.Lease / 5)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.beatOnce(ctx, n%10 == 0); err != nil && ctx.Err() == nil {
			q.Logger.LogAttrs(ctx, slog.LevelWarn, "renewing the lease failed", slog.Any("err", err))
		}
	}
}

func (q *Queue) beatOnce(ctx context.Context, thorough bool) error {
	limited, cancel := context.WithTimeout(ctx, q.Lease/2)
	defer cancel()
	if err := q.DB.SyncClock(limited); err != nil {
		return err
	}
	before := time.Now()
	var renewed, dead int64
	err := q.DB.Write(limited, func(ctx context.Context, tx *db.Tx) (err error) {
		now := q.DB.Now()
		if renewed, err = tx.Exec(ctx, `UPDATE ghlsync_process SET lease_until = $2 WHERE id = $1`, q.process,
			db.Micros(now.Add(q.Lease))); err != nil {
			return err
		}
		return tx.Row(ctx, `SELECT count(*) FROM ghlsync_process WHERE lease_until < $1`, db.Micros(now)).Scan(&dead)
	})
	if err != nil {
		return err
	}
	if renewed == 0 {
		q.Logger.LogAttrs(ctx, slog.LevelWarn,
			"another process treated this one as dead; its runs are cancelled, and it registers again")
		q.alive.end()
		q.active.none(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return q.register(ctx)
	}
	q.alive.renew(q.stopsBy(before))
	if dead > 0 || thorough {
		return q.rescue(ctx)
	}
	return nil
}

// rescue frees the units and the running jobs of dead processes. Several processes may run it at the same time, and
// it may be interrupted anywhere.
func (q *Queue) rescue(ctx context.Context) error {
	// Read the jobs first: a process that has a job now was registered before.
	running, err := q.jobs.running(ctx)
	if err != nil {
		return fmt.Errorf("queue: freeing the units of dead processes: %w", err)
	}
	live := map[string]bool{}
	var held []row
	err = q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		clear(live)
		now := db.Micros(q.DB.Now())
		if q.unlock != nil { // no other process can have the file open
			now = 1 << 62
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_process WHERE id <> $1 AND lease_until < $2`, q.process,
			now); err != nil {
			return err
		}
		ids, err := db.List(ctx, tx, func(r db.Row) (id string, err error) { err = r.Scan(&id); return },
			`SELECT id FROM ghlsync_process`)
		if err != nil {
			return err
		}
		for _, id := range ids {
			live[id] = true
		}
		held, err = db.List(ctx, tx, scanRow, `SELECT `+rowColumns+` FROM ghlsync_unit
			WHERE process <> '' AND process NOT IN (SELECT id FROM ghlsync_process)`)
		return err
	})
	if err != nil {
		return fmt.Errorf("queue: freeing the units of dead processes: %w", err)
	}
	for _, u := range held {
		err = errors.Join(err, q.free(ctx, u.Unit, u.job, u.process))
	}
	for _, job := range running {
		process := ""
		if len(job.AttemptedBy) > 0 {
			process = job.AttemptedBy[len(job.AttemptedBy)-1]
		}
		// A job of this process that is not active: its end could not be stored.
		lost := process == q.process && live[process] && !q.active.has(job.ID) && job.AttemptedAt != nil &&
			time.Since(*job.AttemptedAt) > time.Minute
		if live[process] && !lost {
			continue
		}
		var a args
		if json.Unmarshal(job.EncodedArgs, &a) == nil {
			err = errors.Join(err, q.free(ctx, Unit{a.Location, a.Unit}, job.ID, process))
		}
	}
	return err
}

// free schedules a unit again whose job belonged to a dead process.
func (q *Queue) free(ctx context.Context, id Unit, job int64, process string) error {
	var incident *Failure
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		incident = nil
		u, err := lock(ctx, tx, id)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		ours := err == nil && u.job == job && (u.process == "" || u.process == process)
		if err == nil && u.job == job && !ours {
			return nil // another process works on it
		}
		if err := q.jobs.complete(ctx, tx, job); err != nil {
			return err
		}
		if !ours {
			return nil // the unit has another job
		}
		if u.process == "" { // the job was fetched but the run had not begun
			return q.schedule(ctx, tx, u, u.priority, time.Time{})
		}
		u.kills++
		u.process, u.job = "", 0
		if int(u.kills) >= q.Retries.Kills {
			if incident, err = q.storeAttempt(ctx, tx, u, Attempt{At: q.DB.Now(), Category: CategoryKilled,
				Message: fmt.Sprintf("%d processes died during runs of this unit", u.kills)}); err != nil {
				return err
			}
			u.due = time.Time{}
			return u.store(ctx, tx)
		}
		var at time.Time
		if over := int(u.kills) - q.Retries.Kills/2; over > 0 {
			at = q.DB.Now().Add(time.Duration(over) * time.Second)
		}
		return q.schedule(ctx, tx, u, u.priority, at)
	})
	if err == nil && incident != nil {
		q.alert(ctx, *incident)
	}
	return err
}

// lockFile locks a SQLite file against other processes. The operating system releases the lock when the process ends,
// so that the holder knows that all other processes are dead.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	address := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path),
		RawQuery: "_pragma=busy_timeout(0)&_txlock=exclusive"}).String()
	pool, err := sql.Open("sqlite", address)
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	pool.SetMaxOpenConns(1)
	deadline := time.Now().Add(lockPatience)
	for {
		tx, err := pool.BeginTx(context.WithoutCancel(ctx), nil)
		if err == nil {
			return func() {
				_ = tx.Rollback()
				_ = pool.Close()
			}, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			_ = pool.Close()
			return nil, fmt.Errorf("queue: %w (%v)", ErrInUse, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// lockPatience is how long a start waits for the previous process to end. Only a test changes it.
var lockPatience = 10 * time.Second
