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
	Unit     string `json:"unit"`
}

func (args) Kind() string { return "ghlsync_unit" }

// jobs is the part of River that the queue uses, on either database.
type jobs interface {
	insert(ctx context.Context, tx *db.Tx, u Unit, p Priority, at time.Time) (int64, error)
	complete(ctx context.Context, tx *db.Tx, ids ...int64) error
	running(ctx context.Context) ([]*rivertype.JobRow, error)
	// waits reports whether a job is running or will run.
	waits(ctx context.Context, id int64) (bool, error)
	pause(ctx context.Context, tx *db.Tx, queue string, paused bool) error
	addQueue(name string, workers int, poll time.Duration) error
	removeQueue(ctx context.Context, name string) error
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

const (
	// fetchCooldown is the minimum time between two notifications, and between two fetches of a queue.
	fetchCooldown = 10 * time.Millisecond
	// emptyQueue stays empty. River needs at least one queue at the start.
	emptyQueue = "ghlsync"
	// maxAttempts is practically unlimited. River runs a job again only after an error of the database, and must not
	// give it up then.
	maxAttempts = 10000
	// completedRetention is short: a completed job contains nothing that is not in the row of its unit.
	completedRetention = time.Hour
)

func newJobs(q *Queue) (jobs, error) {
	if q.DB.Postgres() != nil {
		return newRiver(q, riverpgxv5.New(q.DB.Postgres()), (*db.Tx).Pgx)
	}
	return newRiver(q, riversqlite.New(q.DB.SQLite()), (*db.Tx).SQL)
}

type riverJobs[T any] struct {
	client *river.Client[T]
	driver riverdriver.Driver[T]
	unwrap func(*db.Tx) T
}

func newRiver[T any](q *Queue, driver riverdriver.Driver[T], unwrap func(*db.Tx) T) (jobs, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &worker{q: q}); err != nil {
		return nil, err
	}
	client, err := river.NewClient(driver, &river.Config{
		ID: q.process,
		Queues: map[string]river.QueueConfig{
			emptyQueue: {MaxWorkers: 1, FetchPollInterval: time.Minute},
		},
		Workers:                     workers,
		FetchCooldown:               fetchCooldown,
		JobTimeout:                  -1,             // a run limits itself, and then stores its end
		RescueStuckJobsAfter:        24 * time.Hour, // rescue is faster; this is a safety net
		MaxAttempts:                 maxAttempts,
		RetryPolicy:                 soon{},
		CompletedJobRetentionPeriod: completedRetention,
		Logger:                      slog.New(atLeast{slog.LevelWarn, q.Logger.Handler()}),
	})
	if err != nil {
		return nil, err
	}
	return &riverJobs[T]{client, driver, unwrap}, nil
}

// soon is the delay before River runs a job again. Jobs fail in River only because of the database.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(5 * time.Second) }

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

func (r *riverJobs[T]) insert(ctx context.Context, tx *db.Tx, u Unit, p Priority, at time.Time) (int64, error) {
	result, err := r.client.InsertTx(ctx, r.unwrap(tx), args{u.Location, u.ID},
		&river.InsertOpts{Queue: queueName(u.Location), Priority: int(p), ScheduledAt: at})
	if err != nil {
		return 0, err
	}
	return result.Job.ID, nil
}

// complete ends running jobs, and jobs that a dead process left running.
func (r *riverJobs[T]) complete(ctx context.Context, tx *db.Tx, ids ...int64) error {
	now, n := time.Now().UTC(), len(ids)
	params := &riverdriver.JobSetStateIfRunningManyParams{
		ID: ids, Attempt: make([]*int, n), ErrData: make([][]byte, n),
		FinalizedAt:     slices.Repeat([]*time.Time{&now}, n),
		MetadataDoMerge: make([]bool, n), MetadataUpdates: make([][]byte, n), ScheduledAt: make([]*time.Time, n),
		State: slices.Repeat([]rivertype.JobState{rivertype.JobStateCompleted}, n),
	}
	_, err := r.driver.UnwrapExecutor(r.unwrap(tx)).JobSetStateIfRunningMany(ctx, params)
	return err
}

func (r *riverJobs[T]) running(ctx context.Context) ([]*rivertype.JobRow, error) {
	var all []*rivertype.JobRow
	params := river.NewJobListParams().States(rivertype.JobStateRunning).Kinds(args{}.Kind()).First(1000)
	for {
		page, err := r.client.JobList(ctx, params)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Jobs...)
		if page.LastCursor == nil || len(page.Jobs) < 1000 {
			return all, nil
		}
		params = params.After(page.LastCursor)
	}
}

func (r *riverJobs[T]) waits(ctx context.Context, id int64) (bool, error) {
	job, err := r.client.JobGet(ctx, id)
	if errors.Is(err, rivertype.ErrNotFound) {
		return false, nil
	}
	return err == nil && job.FinalizedAt == nil, err
}

func (r *riverJobs[T]) pause(ctx context.Context, tx *db.Tx, queue string, paused bool) error {
	do := r.client.QueueResumeTx
	if paused {
		do = r.client.QueuePauseTx
	}
	err := do(ctx, r.unwrap(tx), queue, nil)
	if errors.Is(err, rivertype.ErrNotFound) { // no process has worked on the queue yet
		return nil
	}
	return err
}

func (r *riverJobs[T]) addQueue(name string, workers int, poll time.Duration) error {
	return r.client.Queues().Add(name, river.QueueConfig{MaxWorkers: workers, FetchPollInterval: poll})
}

func (r *riverJobs[T]) removeQueue(ctx context.Context, name string) error {
	return r.client.Queues().Remove(ctx, name)
}

func (r *riverJobs[T]) start(ctx context.Context) error { return r.client.Start(ctx) }

func (r *riverJobs[T]) stop(ctx context.Context) error {
	if err := r.client.Stop(ctx); err == nil {
		return nil
	}
	// Cancel the runs. Each stores that its unit is put back.
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return r.client.StopAndCancel(hard)
}

type worker struct {
	river.WorkerDefaults[args]
	q *Queue
}

func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	return w.q.work(ctx, job.JobRow, Unit{job.Args.Location, job.Args.Unit})
}
