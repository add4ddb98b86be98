package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Run is one run of the work on a unit.
type Run struct {
	Unit
	// Number is the dirty number when the run began: what was changed until then is what this run is about.
	Number int64
	// Attempt counts the runs since the last success, from 1.
	Attempt int
	// Priority is how urgent it is.
	Priority Priority
	// LastRead is when the last run that succeeded read what it read, at the earliest; zero if none has.
	LastRead time.Time

	queue    *Queue
	job      int64
	finally  []func(ctx context.Context, tx *db.Tx) error
	recorder *Recorder
	asOf     time.Time // how old what it reads is at the most
}

// newRun is the run of a unit that was taken for this process. What it reads is not older than asOf.
func (q *Queue) newRun(u row, asOf time.Time) *Run {
	return &Run{Unit: u.Unit, Number: u.number, Attempt: int(u.attempts) + 1, Priority: u.priority, LastRead: u.read,
		queue: q, job: u.job, recorder: &Recorder{}, asOf: asOf}
}

// Finally adds to the transaction in which the run ends, if it succeeds: what it learned and the end of its job become
// durable together. If the process dies before, the unit is worked on again.
func (r *Run) Finally(do func(ctx context.Context, tx *db.Tx) error) {
	r.finally = append(r.finally, do)
}

// Free reports whether nobody works on another unit of the location, and keeps it so until the transaction ends. A run that
// wants to join two units asks before it does, and waits (see [WaitError]) if the other is not free.
func (r *Run) Free(ctx context.Context, tx *db.Tx, unit string) (bool, error) {
	u, err := lock(ctx, tx, Unit{r.Location, unit})
	if errors.Is(err, db.ErrNoRows) {
		return true, nil
	}
	return u.process == "", err
}

var (
	errStopped   = errors.New("the process stops")
	errLeaseLost = errors.New("the process has lost its lease")
)

// work is what River calls. An error is what the database answered; River calls again then.
func (q *Queue) work(ctx context.Context, job *rivertype.JobRow, id Unit) error {
	life, ok := q.alive.context()
	if !ok {
		return river.JobSnooze(time.Second)
	}
	if !q.active.begin(job.ID) { // River runs it a second time
		return river.JobSnooze(30 * time.Second)
	}
	defer q.active.end(job.ID)
	run, err := q.begin(ctx, job.ID, id)
	if err != nil || run == nil {
		return err
	}
	return q.perform(ctx, life, run, q.Work)
}

// perform does the work of a run that has begun, and ends it.
func (q *Queue) perform(ctx, life context.Context, run *Run, work Work) error {
	working, cancel := context.WithTimeoutCause(ctx, q.Timeout, context.DeadlineExceeded)
	defer cancel()
	working, lost := context.WithCancelCause(working)
	defer lost(nil)
	defer context.AfterFunc(life, func() { lost(errLeaseLost) })()
	started := time.Now()
	err := q.call(withRecorder(working, run.recorder), run, work)
	if err != nil && working.Err() != nil && !errors.Is(context.Cause(working), context.DeadlineExceeded) {
		err = errStopped
	}
	return q.finish(ctx, life, run, err, time.Since(started))
}

// call calls the work. A panic is a failure like any other.
func (q *Queue) call(ctx context.Context, run *Run, work Work) (err error) {
	defer func() {
		if v := recover(); v != nil {
			q.Logger.LogAttrs(ctx, slog.LevelError, "the work on a unit panicked", slog.String("location", run.Location),
				slog.String("unit", run.ID), slog.String("stack", string(debug.Stack())))
			err = &panicError{fmt.Sprintf("panic: %v", v)}
		}
	}()
	return work(ctx, run)
}

type panicError struct{ text string }

func (e *panicError) Error() string { return e.text }

// begin takes the unit for this process. No run and no error means that there is nothing to do.
func (q *Queue) begin(ctx context.Context, job int64, id Unit) (*Run, error) {
	var u row
	var void, paused bool
	now := q.DB.Now()
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		void, paused = false, false
		u, err = scanRow(tx.Row(ctx, `UPDATE ghlsync_unit SET process = $1
			WHERE location = $2 AND unit = $3 AND job = $4 AND process IN ('', $5)
				AND EXISTS (SELECT 1 FROM ghlsync_process WHERE id = $6)
				AND EXISTS (SELECT 1 FROM ghlsync_location WHERE id = $7 AND paused = 0)
			RETURNING `+rowColumns, q.process, id.Location, id.ID, job, q.process, q.process, id.Location))
		if !errors.Is(err, db.ErrNoRows) {
			return err
		}
		if u, err = lock(ctx, tx, id); errors.Is(err, db.ErrNoRows) || err == nil && u.job != job {
			void = true
			return nil
		}
		if err != nil {
			return err
		}
		since := int64(1) // a location that was removed is as good as paused
		err = tx.Row(ctx, `SELECT paused FROM ghlsync_location WHERE id = $1 FOR UPDATE`, id.Location).Scan(&since)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		if since > 0 && u.process == "" {
			paused = true
			if err := q.jobs.complete(ctx, tx, job); err != nil {
				return err
			}
			return q.schedule(ctx, tx, u, u.priority, q.DB.Now().Add(pausedFor))
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case void || paused:
		return nil, nil
	case u.process != q.process: // another process is at it, or this one has lost its lease
		return nil, river.JobSnooze(5 * time.Second)
	}
	return q.newRun(u, now), nil
}

// pausedFor is how often a unit of a paused location is looked at again.
const pausedFor = time.Minute

// finish ends a run, whatever it takes: the unit is not worked on again before, unless this process dies.
func (q *Queue) finish(ctx, life context.Context, run *Run, failed error, took time.Duration) error {
	ctx = context.WithoutCancel(ctx)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := q.finishOnce(ctx, run, failed, took)
		if err == nil {
			return nil
		}
		var own *finallyError
		if errors.As(err, &own) && failed == nil { // not the database's fault, but what the work wanted to store
			failed = own.error
			continue
		}
		q.Logger.LogAttrs(ctx, slog.LevelWarn, "the end of a run can't be stored yet", slog.String("location", run.Location),
			slog.String("unit", run.ID), slog.Any("err", err))
		select {
		case <-time.After(pause):
		case <-life.Done():
			return err // whoever frees what this process held frees this too
		}
	}
}

type finallyError struct{ error }

func (e *finallyError) Unwrap() error { return e.error }

func (q *Queue) finishOnce(ctx context.Context, run *Run, failed error, took time.Duration) error {
	var incident *Failure
	var verdict Verdict
	var outcome Outcome
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		incident, verdict, outcome = nil, Verdict{}, Outcome{Unit: run.Unit, Result: Taken}
		u, err := lock(ctx, tx, run.Unit)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return err
		}
		if err != nil || u.job != run.job || u.process != q.process {
			return nil // it was taken from this process, which was thought dead
		}
		if failed == nil {
			for _, do := range run.finally {
				if err := do(ctx, tx); err != nil {
					return &finallyError{err}
				}
			}
		}
		if run.job > 0 {
			if err := q.jobs.complete(ctx, tx, run.job); err != nil {
				return err
			}
		}
		u.process, u.job = "", 0
		outcome.Priority = u.priority
		if failed == nil {
			outcome.Result, outcome.Lag = Synced, q.DB.Now().Sub(u.changed)
			return q.succeeded(ctx, tx, u, run)
		}
		if failed == errStopped {
			outcome.Result = PutBack
			return q.schedule(ctx, tx, u, u.priority, time.Time{})
		}
		verdict = Classify(failed)
		outcome.Result, incident, err = q.failed(ctx, tx, u, run, verdict, failed)
		return err
	})
	if err != nil {
		return err
	}
	q.observe(outcome, verdict, failed, took)
	q.tell(ctx, run, verdict, failed, incident, took)
	return nil
}

func (q *Queue) succeeded(ctx context.Context, tx *db.Tx, u row, run *Run) error {
	if u.attempts > 0 || u.kills > 0 {
		if err := q.closeFailure(ctx, tx, u.Unit, Resolved); err != nil {
			return err
		}
	}
	u.synced, u.attempts, u.kills, u.read = run.Number, 0, 0, run.asOf
	if u.number > run.Number {
		if _, err := tx.Exec(ctx, `UPDATE ghlsync_unit SET changed_at = $3 WHERE location = $1 AND unit = $2`,
			u.Location, u.ID, db.Micros(q.DB.Now())); err != nil {
			return err
		}
		return q.schedule(ctx, tx, u, u.priority, time.Time{})
	}
	u.due = time.Time{}
	return u.store(ctx, tx)
}

// failed puts a unit back, or stops it, and keeps the attempt.
func (q *Queue) failed(ctx context.Context, tx *db.Tx, u row, run *Run, v Verdict, failed error) (Result, *Failure, error) {
	now := q.DB.Now()
	switch v.Action {
	case Wait:
		if v.After <= 0 {
			v.After = 10 * time.Second
		}
		u.kills = 0
		return Waited, nil, q.schedule(ctx, tx, u, u.priority, now.Add(v.After))
	case PauseLocation:
		first, err := q.pauseTx(ctx, tx, u.Location, string(v.Category))
		if err != nil {
			return "", nil, err
		}
		var incident *Failure
		if first {
			incident = &Failure{Unit: u.Unit, State: Stopped, Category: v.Category, Message: messageOf(failed), First: now, Last: now, Paused: true}
		}
		if err := q.enter(ctx, tx, incident); err != nil {
			return "", nil, err
		}
		return Paused, incident, q.schedule(ctx, tx, u, u.priority, now.Add(pausedFor))
	}
	u.attempts++
	u.kills = 0
	next := now.Add(q.Retries.after(u.attempts))
	if v.Action == GiveUp || int(u.attempts) >= q.Retries.Attempts {
		next = time.Time{}
		if u.number > run.Number { // what changed meanwhile may be what was missing
			next = now
		}
	}
	f, err := q.keepAttempt(ctx, tx, u, Attempt{At: now, Next: next, Category: v.Category}.of(failed, run.recorder))
	if err != nil {
		return "", nil, err
	}
	if next.IsZero() {
		u.due = time.Time{}
		return GaveUp, f, u.store(ctx, tx)
	}
	return Retried, f, q.schedule(ctx, tx, u, u.priority, next)
}

// tell logs how a run ended, and tells of an incident.
func (q *Queue) tell(ctx context.Context, run *Run, v Verdict, failed error, incident *Failure, took time.Duration) {
	attrs := []slog.Attr{slog.String("location", run.Location), slog.String("unit", run.ID), slog.Int64("number", run.Number), slog.Duration("took", took)}
	switch {
	case failed == nil:
		q.Logger.LogAttrs(ctx, slog.LevelDebug, "unit in step", attrs...)
	case failed == errStopped:
		q.Logger.LogAttrs(ctx, slog.LevelInfo, "unit put back, since the process stops", attrs...)
	default:
		level := slog.LevelWarn
		if wait := (*WaitError)(nil); errors.As(failed, &wait) { // nothing is wrong
			level = slog.LevelDebug
		}
		q.Logger.LogAttrs(ctx, level, "unit not in step", append(attrs, slog.String("category", string(v.Category)), slog.String("err", messageOf(failed)))...)
	}
	if incident != nil {
		q.alert(ctx, *incident)
	}
}

// activeRuns are the jobs that this process runs.
type activeRuns struct {
	mu   sync.Mutex
	runs map[int64]bool
	idle chan struct{} // closed when the last ends; nil while nobody waits
}

func (a *activeRuns) begin(job int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.runs[job] {
		return false
	}
	a.runs[job] = true
	return true
}

func (a *activeRuns) end(job int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.runs, job)
	if len(a.runs) == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

func (a *activeRuns) has(job int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.runs[job]
}

// none waits until no run is left, or ctx ends.
func (a *activeRuns) none(ctx context.Context) {
	a.mu.Lock()
	if len(a.runs) == 0 {
		a.mu.Unlock()
		return
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	idle := a.idle
	a.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
