// Package queue says what is to be done and does it once at a time: dirty units of work, the jobs that work on them, the
// processes that run the jobs, and the failures.
//
// See the documentation of package ghlsync for the idea. The tables are the truth, River carries the jobs: a job that a unit
// does not name is void, so it does no harm if River runs one twice, late, or after it was replaced.
package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Unit is a unit of work: a contact with all that belongs to it. One job at a time works on it.
type Unit struct {
	// Location is the HighLevel location that it belongs to.
	Location string
	// ID names it within the location. What it looks like is up to whoever marks units.
	ID string
}

// Priority says which of a location's waiting units come first. Lower comes first.
type Priority int64

const (
	// Live is for changes that just happened.
	Live Priority = 1
	// Background is for what a schedule or a backfill finds.
	Background Priority = 3
)

// Work works on a unit. Its context ends when the process stops, loses its lease, or the run takes longer than
// [Config.Timeout]. Nil means that the unit is in step; what an error means, [Classify] says.
type Work func(ctx context.Context, run *Run) error

// Config are the settings of a queue.
type Config struct {
	// DB is the database; it must be migrated.
	DB *db.DB
	// Work is what is done.
	Work Work
	// Workers is how many units of one location this process works on at once; 0 is 4. All processes together work on no more
	// than that many each.
	Workers int
	// Lease is after how long a process that gives no sign of life is taken to be dead; 0 is 15 s.
	Lease time.Duration
	// Timeout bounds one run; 0 is 10 minutes.
	Timeout time.Duration
	// Retries says when what failed is tried again.
	Retries Retry
	// Incident is told when a failure begins to need a person, once for each: it has stopped, or a location is paused. It may
	// be told again after a crash. Nil tells nobody.
	Incident func(Failure)
	// Alert is called in the transaction that finds such a failure, so that what it stores is durable with it, and so once. Nil
	// stores nothing.
	Alert func(ctx context.Context, tx *db.Tx, f Failure) error
	// Observe is told how each run of this process ended; nil tells nobody.
	Observe func(Outcome)
	// Poll is how often each location's queue is looked at beside being told of new jobs; 0 is 1 s, longer with many locations.
	Poll time.Duration
	// Logger is told what happens; nil is slog.Default.
	Logger *slog.Logger
}

// Queue holds the units of all locations and, once started, works on them.
type Queue struct {
	Config
	process string // of this run of the program
	jobs    jobs
	alive   lifeline
	active  activeRuns
	late    sync.Map // tokens of what was held and could not be given back yet

	mu      sync.Mutex
	stop    context.CancelFunc // ends the loops; nil before the start
	loops   sync.WaitGroup
	unlock  func()          // of the SQLite file's lock
	queues  map[string]bool // locations whose queues this process works
	started bool
}

// ErrInUse: another process works on the SQLite file. It is for one at a time.
var ErrInUse = errors.New("another process works with this SQLite file")

// New returns a queue that marks units and takes deliveries. It works on none before [Queue.Start].
func New(c Config) (*Queue, error) {
	switch {
	case c.DB == nil:
		return nil, errors.New("queue: DB is missing")
	case c.Work == nil:
		return nil, errors.New("queue: Work is missing")
	}
	for _, setting := range []struct {
		name  string
		wrong bool
	}{{"Workers", c.Workers < 0 || c.Workers > 1000}, {"Lease", c.Lease < 0}, {"Timeout", c.Timeout < 0}, {"Poll", c.Poll < 0}, {"Retries", !c.Retries.valid()}} {
		if setting.wrong {
			return nil, fmt.Errorf("queue: %s is out of its range", setting.name)
		}
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Lease == 0 {
		c.Lease = 15 * time.Second
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Retries = c.Retries.withDefaults()
	q := &Queue{Config: c, process: strings.ToLower(rand.Text()), queues: map[string]bool{}}
	q.active.runs = map[int64]bool{}
	var err error
	q.jobs, err = newJobs(q)
	return q, err
}

// Start begins to work. What a process that is dead held is freed first. It can be started once.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started {
		return errors.New("queue: it was started before")
	}
	if q.DB.SQLite() != nil {
		unlock, err := lockFile(ctx, q.DB.Path()+"-lock")
		if err != nil {
			return err
		}
		q.unlock = unlock
	}
	q.started = true
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	err := q.register(ctx)
	if err == nil {
		err = q.jobs.start(running)
	}
	if err == nil {
		err = q.openQueues(ctx)
	}
	if err != nil {
		stop()
		q.release(ctx)
		return err
	}
	q.stop = stop
	q.loops.Go(func() { q.beat(running) })
	q.loops.Go(func() { q.maintain(running) })
	return nil
}

// Stop ends the work: no new runs begin, and those under way may finish until ctx ends. Then they are cancelled, and put back
// to be done by the next process. Stop gives everything back before it returns.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stop == nil {
		return nil
	}
	err := q.jobs.stop(ctx)
	q.stop()
	q.loops.Wait()
	q.stop = nil
	q.release(ctx)
	return err
}

// release gives back what this process holds.
func (q *Queue) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	q.alive.end()
	if err := q.unregister(ctx); err != nil {
		q.Logger.LogAttrs(ctx, slog.LevelWarn, "process not signed off; others free what it held", slog.Any("err", err))
	}
	if q.unlock != nil {
		q.unlock()
		q.unlock = nil
	}
}
