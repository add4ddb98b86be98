package queue

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// args are the arguments of a job. All other data is read when it runs.
type args struct {
	Location string `json:"location"`
}

func (args) Kind() string { return "ghlsync_location" }

// jobs is the part of River that the queue uses, on either database.
type jobs interface {
	insert(ctx context.Context, tx *db.Tx, location string) (int64, error)
	// waiting returns which of the jobs wait for a process, with the process that has put them back, if any, and which
	// have been given to a process that has not ended them.
	waiting(ctx context.Context, ids []int64) (waiting, given map[int64]string, err error)
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

const (
	// fetchCooldown is the minimum time between two notifications, and between two fetches of the queue.
	fetchCooldown = 10 * time.Millisecond
	// queueName is the one queue for the jobs of all locations.
	queueName = "ghlsync"
	// maxLocations is how many locations one process works on at once. A location that waits holds no worker.
	maxLocations = 200
	// maxAttempts is practically unlimited. River runs a job again only after an error of the database, and must not
	// give it up then.
	maxAttempts = 10000
	// completedRetention is short: a completed job contains nothing that is not in the row of its location.
	completedRetention = time.Hour
	// rescueAfter is when River runs the job of a dead process again, which completes it: the location has another job
	// by then. River does not do that for jobs without a time-out.
	rescueAfter = time.Hour
	// oldKind is the kind of the jobs of earlier versions, which had one for each unit.
	oldKind = "ghlsync_unit"
)

func newJobs(q *Queue) (jobs, error) {
	if q.DB.Postgres() != nil {
		return newRiver[*riverpgxv5.Driver](q, riverpgxv5.New(q.DB.Postgres()), (*db.Tx).Pgx)
	}
	return newRiver[*riversqlite.Driver](q, riversqlite.New(q.DB.SQLite()), (*db.Tx).SQL)
}

type riverJobs[T any] struct {
	client *river.Client[T]
	unwrap func(*db.Tx) T
}

func newRiver[D riverdriver.Driver[T], T any](q *Queue, driver D, unwrap func(*db.Tx) T) (jobs, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &worker[D, T]{q: q, unwrap: unwrap}); err != nil {
		return nil, err
	}
	poll := q.Poll
	if q.DB.Postgres() != nil {
		poll = max(poll, time.Second) // jobs are announced
	}
	client, err := river.NewClient(driver, &river.Config{
		ID: q.process,
		Queues: map[string]river.QueueConfig{
			queueName: {MaxWorkers: maxLocations, FetchPollInterval: max(poll, fetchCooldown)},
		},
		Workers:                     workers,
		FetchCooldown:               fetchCooldown,
		JobTimeout:                  rescueAfter, // has no effect on a session, which limits itself
		RescueStuckJobsAfter:        rescueAfter,
		MaxAttempts:                 maxAttempts,
		RetryPolicy:                 soon{},
		CompletedJobRetentionPeriod: completedRetention,
		Logger:                      slog.New(atLeast{slog.LevelWarn, q.Logger.Handler()}),
	})
	if err != nil {
		return nil, err
	}
	return &riverJobs[T]{client, unwrap}, nil
}

// soon is the delay before River runs a job again. Jobs fail in River only because of the database.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(time.Second) }

// atLeast drops log lines below a level, since River logs every few seconds.
type atLeast struct {
	level slog.Level
	slog.Handler
}

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.level, h.Handler.WithAttrs(attrs)}
}
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.level, h.Handler.WithGroup(name)}
}

func (r *riverJobs[T]) insert(ctx context.Context, tx *db.Tx, location string) (int64, error) {
	result, err := r.client.InsertTx(ctx, r.unwrap(tx), args{location}, &river.InsertOpts{Queue: queueName})
	if err != nil {
		return 0, err
	}
	return result.Job.ID, nil
}

func (r *riverJobs[T]) waiting(ctx context.Context, ids []int64) (waiting, given map[int64]string, err error) {
	waiting, given = map[int64]string{}, map[int64]string{}
	for part := range slices.Chunk(ids, 1000) {
		result, err := r.client.JobList(ctx, river.NewJobListParams().IDs(part...).First(len(part)))
		if err != nil {
			return nil, nil, err
		}
		for _, job := range result.Jobs {
			process := ""
			if n := len(job.AttemptedBy); n > 0 {
				process = job.AttemptedBy[n-1]
			}
			switch {
			case job.FinalizedAt != nil:
			case job.State == rivertype.JobStateRunning:
				given[job.ID] = process
			default:
				waiting[job.ID] = process
			}
		}
	}
	return waiting, given, nil
}

func (r *riverJobs[T]) start(ctx context.Context) error {
	old := river.NewJobDeleteManyParams().Kinds(oldKind).First(1000)
	for {
		deleted, err := r.client.JobDeleteMany(ctx, old)
		if err != nil {
			return err
		}
		if len(deleted.Jobs) == 0 {
			return r.client.Start(ctx)
		}
	}
}

func (r *riverJobs[T]) stop(ctx context.Context) error {
	if err := r.client.Stop(ctx); err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return r.client.StopAndCancel(hard)
}

type worker[D riverdriver.Driver[T], T any] struct {
	river.WorkerDefaults[args]
	q      *Queue
	unwrap func(*db.Tx) T
}

// Work runs the session of a location. The session completes its job in the transaction that leaves the location.
func (w *worker[D, T]) Work(ctx context.Context, job *river.Job[args]) error {
	uncancelled := context.WithoutCancel(ctx) // which has River's client
	complete := func(_ context.Context, tx *db.Tx) error {
		_, err := river.JobCompleteTx[D](uncancelled, w.unwrap(tx), job)
		if errors.Is(err, rivertype.ErrNotFound) { // it was deleted in River's UI
			return nil
		}
		return err
	}
	again, err := w.q.serve(ctx, job.Args.Location, job.ID, complete)
	if err == nil && again > 0 {
		return river.JobSnooze(again)
	}
	return err
}
