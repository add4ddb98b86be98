package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// lifeline is a context that ends unless the beat of this process is stored again, measured by its own monotonic
// clock. It ends before other processes treat this one as dead.
type lifeline struct {
	mu     sync.Mutex
	life   context.Context // nil before the first beat
	cancel context.CancelFunc
	timer  *time.Timer
	until  time.Time // when the timer ends life; a process that was frozen may run before its timer
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
	l.timer, l.until = time.AfterFunc(left, l.cancel), until
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
	return l.life, l.life != nil && l.life.Err() == nil && time.Now().Before(l.until)
}

// stopsBy returns when a process whose beat was last stored at a time must stop: before other processes treat it as
// dead.
func (q *Queue) stopsBy(stored time.Time) time.Time { return stored.Add(q.Lease * 3 / 4) }

// beatInterval is the time between two beats, and between two looks at the beats of the other processes.
func (q *Queue) beatInterval() time.Duration { return q.Lease / silentLooks }

// register takes over the locations of processes that are surely dead, and adds this process.
func (q *Queue) register(ctx context.Context) error {
	if q.unlock != nil { // no other process can have the file open
		beats, err := q.readBeats(ctx)
		for id := range beats {
			err = errors.Join(err, q.takeOver(ctx, id))
		}
		if err != nil {
			return err
		}
	}
	before := time.Now()
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ghlsync_process (id, started_at) VALUES ($1, $2)`,
			q.process, db.Micros(q.DB.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("queue: registering the process: %w", err)
	}
	q.alive.renew(q.stopsBy(before))
	live, err := q.readBeats(ctx)
	if err != nil {
		return err
	}
	return q.revive(ctx, live)
}

// beats stores the beat of this process, and takes over the locations of processes whose beat does not move, until ctx
// ends.
func (q *Queue) beats(ctx context.Context) {
	q.every(ctx, q.beatInterval(), "storing the beat failed", q.beat)
}

func (q *Queue) beat(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, q.Lease/2)
	defer cancel()
	if err := q.DB.SyncClock(limited); err != nil {
		return err
	}
	before := time.Now()
	var stored int64
	err := q.DB.Write(limited, func(ctx context.Context, tx *db.Tx) (err error) {
		stored, err = tx.Exec(ctx, `UPDATE ghlsync_process SET beat = beat + 1 WHERE id = $1`, q.process)
		return err
	})
	if err != nil {
		return err
	}
	if stored == 0 {
		q.Logger.LogAttrs(ctx, slog.LevelWarn,
			"another process treated this one as dead; its runs are cancelled, and it registers again")
		q.alive.end()
		q.sessions.none(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return q.register(ctx)
	}
	q.alive.renew(q.stopsBy(before))
	beats, err := q.readBeats(limited)
	if err != nil {
		return err
	}
	live := maps.Clone(beats)
	delete(beats, q.process)
	err = q.leaveUnserved(limited)
	for _, id := range q.pulses.look(beats, q.beatInterval()*9/10) {
		q.Logger.LogAttrs(ctx, slog.LevelWarn, "a process is dead; its locations are taken over",
			slog.String("process", id))
		err = errors.Join(err, q.takeOver(limited, id))
		delete(live, id)
	}
	return errors.Join(err, q.revive(limited, live))
}

// leaveUnserved gives a new job to the locations of this process that have no session, because the session could not
// store its end.
func (q *Queue) leaveUnserved(ctx context.Context) error {
	owned, err := q.owned(ctx, q.process)
	for _, id := range owned {
		if !q.sessions.has(id) {
			err = errors.Join(err, q.takeOverLocation(ctx, id, q.process))
		}
	}
	return err
}

// owned lists the locations of a process.
func (q *Queue) owned(ctx context.Context, process string) (list []string, err error) {
	err = q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) },
			`SELECT id FROM ghlsync_location WHERE owner = $1`, process)
		return err
	})
	return list, err
}

func (q *Queue) readBeats(ctx context.Context) (map[string]int64, error) {
	beats := map[string]int64{}
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		clear(beats)
		return tx.Each(ctx, func(r db.Row) error {
			var id string
			var beat int64
			err := r.Scan(&id, &beat)
			beats[id] = beat
			return err
		}, `SELECT id, beat FROM ghlsync_process`)
	})
	return beats, err
}

// takeOver ends the ownership of a process that is dead or stops, and has its locations worked by others. The
// process is removed last, so that an interrupted call is repeated. Several processes may call it at once.
func (q *Queue) takeOver(ctx context.Context, process string) error {
	owned, err := q.owned(ctx, process)
	if err != nil {
		return fmt.Errorf("queue: taking over the locations of a process: %w", err)
	}
	for _, id := range owned {
		err = errors.Join(err, q.takeOverLocation(ctx, id, process))
	}
	if err != nil {
		return fmt.Errorf("queue: taking over the locations of a process: %w", err)
	}
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_process WHERE id = $1
			AND NOT EXISTS (SELECT 1 FROM ghlsync_location WHERE owner = $2)`, process, process)
		return err
	})
}

// takeOverLocation raises the epoch of a location, so that transactions of its owner fail, and adds a job. It waits only
// briefly for a transaction of the owner: one that is frozen must not prevent the beat and other take-overs.
func (q *Queue) takeOverLocation(ctx context.Context, id, process string) error {
	limited, cancel := context.WithTimeout(ctx, max(q.beatInterval()/2, 500*time.Millisecond))
	defer cancel()
	var incidents []Failure
	err := q.DB.Write(limited, func(ctx context.Context, tx *db.Tx) error {
		incidents = nil
		p, err := lockLocation(ctx, tx, id)
		if errors.Is(err, ErrLocation) {
			return nil
		}
		if err != nil || p.owner != process {
			return err
		}
		p.owner, p.job = "", 0
		p.epoch++
		if err := p.store(ctx, tx); err != nil {
			return err
		}
		units, err := db.List(ctx, tx, scanRow, `SELECT `+rowColumns+` FROM ghlsync_unit
			WHERE location = $1 AND epoch > 0 AND epoch < $2 ORDER BY unit FOR UPDATE`, id, p.epoch)
		if err != nil {
			return err
		}
		for _, u := range units {
			incident, err := q.killed(ctx, tx, u)
			if err != nil {
				return err
			}
			if incident != nil {
				incidents = append(incidents, *incident)
			}
		}
		return q.ensureJob(ctx, tx, id)
	})
	if err != nil {
		return err
	}
	for _, f := range incidents {
		q.alert(ctx, f)
	}
	return nil
}

// killed puts back a unit whose process died during its run. Units that often do are delayed, and then stopped.
func (q *Queue) killed(ctx context.Context, tx *db.Tx, u row) (incident *Failure, err error) {
	u.kills++
	u.epoch, u.due = 0, time.Time{}
	switch over := int(u.kills) - q.Retries.Kills/2; {
	case int(u.kills) >= q.Retries.Kills:
		incident, err = q.storeAttempt(ctx, tx, u, Attempt{At: q.DB.Now(), Category: CategoryKilled,
			Message: fmt.Sprintf("%d processes died during runs of this unit", u.kills)})
		if err != nil {
			return nil, err
		}
		u.stopped = true
	case over > 0:
		u.due = q.DB.Now().Add(time.Duration(over) * time.Second)
	}
	return incident, u.store(ctx, tx)
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
