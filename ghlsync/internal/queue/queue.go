// Package queue stores which units are dirty, and runs the work on each unit once at a time: units, the sessions that
// work on the units of a location, the processes that run the sessions, and the failures.
//
// A location is worked by one process at a time. The location's row names the process, and an epoch that is raised when
// the process changes. Every transaction of a run checks the epoch, so that a process which was treated as dead changes
// nothing. River distributes the locations over the processes, with one job for each location that has work: a job that
// the location's row does not name has no effect.
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

// Unit is a unit of work: a contact with the records that belong to it. Only one run at a time works on a unit.
type Unit struct {
	// Location is the HighLevel location that the unit belongs to.
	Location string
	// ID identifies the unit within the location. The caller that marks units chooses its form.
	ID string
}

// Priority orders the waiting units of a location. Lower values run first.
type Priority int64

const (
	// Live is for changes that just happened.
	Live Priority = 1
	// Background is for changes that a schedule or a backfill finds.
	Background Priority = 3
)

// Work syncs a unit. Its context ends when the process stops, loses the location, or the run takes longer than
// [Config.Timeout]. Nil means that the unit is synced; [Classify] decides what an error means.
type Work func(ctx context.Context, run *Run) error

// MaxSingle is the number of waiting units up to which each is read by itself.
const MaxSingle = 20

// maxShared is the number of units that are read at once.
const maxShared = 500

// Config are the settings of a queue.
type Config struct {
	// DB is the database; it must be migrated.
	DB *db.DB
	// Work syncs one unit.
	Work Work
	// Share reads what many units of a location need at once, and returns the work that syncs one of them with it. It
	// is called if more than [MaxSingle] units wait for what HighLevel has. It may be nil.
	Share func(ctx context.Context, runs []*Run) (Work, error)
	// Workers is how many units of one location are worked on at once; 0 means 4.
	Workers int
	// Lease is how long a process may be silent before other processes treat it as dead; 0 means 10 s.
	Lease time.Duration
	// Timeout limits the duration of a run; 0 means 10 minutes.
	Timeout time.Duration
	// Slice is how long a process works on a location that has work for longer, before the location gets a new job; 0
	// means 10 s.
	Slice time.Duration
	// Retries configures when failed units are retried.
	Retries Retry
	// Incident is called once for each failure that needs a person: a unit has stopped, or a location is paused.
	// After a crash it may be called again. It may be nil.
	Incident func(Failure)
	// Alert is called in the transaction that stores such a failure, so that what Alert stores becomes durable with
	// it, exactly once. It may be nil.
	Alert func(ctx context.Context, tx *db.Tx, f Failure) error
	// Observe is called at the end of each run of this process. It may be nil.
	Observe func(Outcome)
	// Poll is how often the database is asked for new work; 0 means 50 ms.
	Poll time.Duration
	// Logger is the logger; nil means slog.Default.
	Logger *slog.Logger
}

// Queue stores the units of all locations and, once started, works on them.
type Queue struct {
	Config
	process  string // of this run of the program
	jobs     jobs
	alive    lifeline
	pulses   pulses
	sessions sessions
	unshared sync.Map       // location → until when its units are read by themselves
	late     sync.Map       // tokens of locks that could not be released yet
	given    map[int64]bool // jobs that the last revive saw given to a living process that does not own the location

	mu      sync.Mutex
	stop    context.CancelFunc // ends the loops; nil before the start
	loops   sync.WaitGroup
	unlock  func() // releases the lock on the SQLite file
	started bool
}

// ErrInUse means that another process uses the SQLite file, which only one may use at a time.
var ErrInUse = errors.New("another process uses this SQLite file")

// New returns a queue that accepts marks and deliveries. It works on no unit before [Queue.Start].
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
	}{
		{"Workers", c.Workers < 0 || c.Workers > 1000},
		{"Lease", c.Lease < 0},
		{"Timeout", c.Timeout < 0},
		{"Slice", c.Slice < 0},
		{"Poll", c.Poll < 0},
		{"Retries", !c.Retries.valid()},
	} {
		if setting.wrong {
			return nil, fmt.Errorf("queue: %s is out of its range", setting.name)
		}
	}
	if c.Workers == 0 {
		c.Workers = 4
	}
	for _, d := range []struct {
		setting *time.Duration
		value   time.Duration
	}{
		{&c.Lease, 10 * time.Second}, {&c.Timeout, 10 * time.Minute}, {&c.Slice, 10 * time.Second},
		{&c.Poll, 50 * time.Millisecond},
	} {
		if *d.setting == 0 {
			*d.setting = d.value
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Retries = c.Retries.withDefaults()
	q := &Queue{Config: c, process: strings.ToLower(rand.Text())}
	q.sessions.of, q.sessions.stopping = map[string]*session{}, make(chan struct{})
	var err error
	q.jobs, err = newJobs(q)
	return q, err
}

// Start begins the work, after it has taken over the locations of dead processes. It can be called once.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.started {
		return errors.New("queue: started before")
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
	if err != nil {
		stop()
		q.release(ctx)
		return err
	}
	q.stop = stop
	q.loops.Go(func() { q.beats(running) })
	q.loops.Go(func() { q.wakeDue(running) })
	q.loops.Go(func() { q.maintain(running) })
	return nil
}

// Stop ends the work. No new runs begin, and current runs may finish until ctx ends. After that they are cancelled,
// and their units are left to other processes. Stop returns after this process has left all its locations.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stop == nil {
		return nil
	}
	q.sessions.stop(ctx)
	err := q.jobs.stop(ctx)
	q.stop()
	q.loops.Wait()
	q.stop = nil
	q.release(ctx)
	return err
}

// release frees the locations and locks of this process.
func (q *Queue) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	q.alive.end()
	if err := q.takeOver(ctx, q.process); err != nil {
		q.Logger.LogAttrs(ctx, slog.LevelWarn, "unregistering the process failed; other processes take over its work",
			slog.Any("err", err))
	}
	if q.unlock != nil {
		q.unlock()
		q.unlock = nil
	}
}
