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
	// Number is the dirty number at the start of the run. The run syncs all changes up to it.
	Number int64
	// Attempt is the number of this run since the last success, from 1.
	Attempt int
	// Priority is the priority of the unit.
	Priority Priority
	// Aspects are the aspects to sync that were marked.
	Aspects Aspects
	// Events are the deliveries since the last successful run, whose aspects are not in Aspects.
	Events []Event
	// LastRead is the earliest time at which the last successful run that read everything read its data; zero if there
	// was none.
	LastRead time.Time

	queue    *Queue
	job      int64
	finally  []func(ctx context.Context, tx *db.Tx) error
	recorder *Recorder
	asOf     time.Time // the data that the run reads is not older
	readAll  bool
}

// ReadEverything says that the run reads all aspects of the unit.
func (r *Run) ReadEverything() { r.readAll = true }

// newRun returns a run of a unit that this process has taken. The data that it reads is not older than asOf.
func (q *Queue) newRun(u row, asOf time.Time) *Run {
	return &Run{Unit: u.Unit, Number: u.number, Attempt: int(u.attempts) + 1, Priority: u.priority, LastRead: u.read,
		Aspects: u.taken, queue: q, job: u.job, recorder: &Recorder{}, asOf: asOf}
}

// Finally adds a function to the transaction that ends the run if it succeeds, so that the results of the run and the
// end of its job become durable together. If the process dies before that, the unit runs again.
func (r *Run) Finally(do func(ctx context.Context, tx *db.Tx) error) {
	r.finally = append(r.finally, do)
}

// Free locks another unit of the location until the transaction ends, and reports whether no process works on it. A
// run that links two units calls Free first, and waits (see [WaitError]) if the other unit is not free.
func (r *Run) Free(ctx context.Context, tx *db.Tx, unit string) (bool, error) {
	u, err := lock(ctx, tx, Unit{r.Location, unit})
	if errors.Is(err, db.ErrNoRows) {
		return true, nil
	}
	return u.process == "", err
}

var (
	errStopped   = errors.New("the process is stopping")
	errLeaseLost = errors.New("the process has lost its lease")
)

// work runs a job of River. It returns errors of the database only; River then runs the job again.
func (q *Queue) work(ctx context.Context, job *rivertype.JobRow, id Unit) error {
	life, ok := q.alive.context()
	if !ok {
		return river.JobSnooze(time.Second)
	}
	if !q.active.begin(job.ID) { // River runs the same job a second time
		return river.JobSnooze(30 * time.Second)
	}
	defer q.active.end(job.ID)
	run, err := q.begin(ctx, job.ID, id)
	if err != nil || run == nil {
		return err
	}
	return q.perform(ctx, life, run, q.Work)
}

// perform does the work of a run that has begun, and ends the run.
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

// call calls the work, and returns a panic as an error.
func (q *Queue) call(ctx context.Context, run *Run, work Work) (err error) {
	defer func() {
		if v := recover(); v != nil {
			q.Logger.LogAttrs(ctx, slog.LevelError, "work on a unit panicked", slog.String("location", run.Location),
				slog.String("unit", run.ID), slog.String("stack", string(debug.Stack())))
			err = &panicError{fmt.Sprintf("panic: %v", v)}
		}
	}()
	return work(ctx, run)
}

type panicError struct{ text string }

func (e *panicError) Error() string { return e.text }

// begin takes a unit for this process. It returns no run and no error if there is nothing to do.
func (q *Queue) begin(ctx context.Context, job int64, id Unit) (*Run, error) {
	var u row
	var news []Event
	var void, paused bool
	now := q.DB.Now()
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		void, paused = false, false
		u, err = scanRow(tx.Row(ctx, `UPDATE ghlsync_unit SET process = $1, taken = taken | dirty, dirty = 0
			WHERE location = $2 AND unit = $3 AND job = $4 AND process IN ('', $5)
				AND EXISTS (SELECT 1 FROM ghlsync_process WHERE id = $6)
				AND EXISTS (SELECT 1 FROM ghlsync_location WHERE id = $7 AND paused = 0)
			RETURNING `+rowColumns, q.process, id.Location, id.ID, job, q.process, q.process, id.Location))
		if err == nil {
			news, err = events(ctx, tx, u)
			return err
		}
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
		since := int64(1) // a removed location is treated as paused
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
	case u.process != q.process: // another process works on it, or this one has lost its lease
		return nil, river.JobSnooze(5 * time.Second)
	}
	run := q.newRun(u, now)
	run.Events = news
	return run, nil
}

// pausedFor is the interval at which a unit of a paused location is checked.
const pausedFor = time.Minute

// finish ends a run. It retries until that is stored, since the unit cannot run again before, unless this process dies.
func (q *Queue) finish(ctx, life context.Context, run *Run, failed error, took time.Duration) error {
	ctx = context.WithoutCancel(ctx)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := q.finishOnce(ctx, run, failed, took)
		if err == nil {
			return nil
		}
		var own *finallyError
		if errors.As(err, &own) && failed == nil { // an error of a Finally function, not of the database
			failed = own.error
			continue
		}
		q.Logger.LogAttrs(ctx, slog.LevelWarn, "storing the end of a run failed; retrying",
			slog.String("location", run.Location), slog.String("unit", run.ID), slog.Any("err", err))
		select {
		case <-time.After(pause):
		case <-life.Done():
			return err // the process that frees the units of this one frees this unit
		}
	}
}

type finallyError struct{ error }

func (e *finallyError) Unwrap() error { return e.error }

// finishOnce stores the end of a run, and reports it.
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
			return nil // another process took over because this one looked dead
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
	q.report(ctx, run, verdict, failed, incident, took)
	return nil
}

// succeeded marks a unit as synced up to the number of the run, and schedules it again if it has changed since.
func (q *Queue) succeeded(ctx context.Context, tx *db.Tx, u row, run *Run) error {
	if u.attempts > 0 || u.kills > 0 {
		if err := q.closeFailure(ctx, tx, u.Unit, Resolved); err != nil {
			return err
		}
	}
	if len(run.Events) > 0 {
		if err := dropEvents(ctx, tx, u.Unit, run.Number); err != nil {
			return err
		}
	}
	u.synced, u.attempts, u.kills, u.taken = run.Number, 0, 0, 0
	if run.readAll {
		u.read = run.asOf
	}
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

// failed schedules a failed unit again, or stops it, and stores the attempt.
func (q *Queue) failed(ctx context.Context, tx *db.Tx, u row, run *Run, v Verdict,
	failed error) (Result, *Failure, error) {
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
			incident = &Failure{
				Unit: u.Unit, State: Stopped, Category: v.Category, Message: messageOf(failed), First: now, Last: now,
				Paused: true,
			}
		}
		if err := q.enter(ctx, tx, incident); err != nil {
			return "", nil, err
		}
		return Paused, incident, q.schedule(ctx, tx, u, u.priority, now.Add(pausedFor))
	}
	u.attempts++
	u.kills = 0
	if err := u.foldEvents(ctx, tx, run); err != nil {
		return "", nil, err
	}
	next := now.Add(q.Retries.after(u.attempts))
	if v.Action == GiveUp || int(u.attempts) >= q.Retries.Attempts {
		next = time.Time{}
		if u.number > run.Number { // a change during the run may have removed the cause
			next = now
		}
	}
	f, err := q.storeAttempt(ctx, tx, u, Attempt{At: now, Next: next, Category: v.Category}.of(failed, run.recorder))
	if err != nil {
		return "", nil, err
	}
	if next.IsZero() {
		u.due = time.Time{}
		return GaveUp, f, u.store(ctx, tx)
	}
	return Retried, f, q.schedule(ctx, tx, u, u.priority, next)
}

// report logs how a run ended, and passes on an incident.
func (q *Queue) report(ctx context.Context, run *Run, v Verdict, failed error, incident *Failure, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("location", run.Location), slog.String("unit", run.ID), slog.Int64("number", run.Number),
		slog.Duration("took", took),
	}
	switch {
	case failed == nil:
		q.Logger.LogAttrs(ctx, slog.LevelDebug, "unit synced", attrs...)
	case failed == errStopped:
		q.Logger.LogAttrs(ctx, slog.LevelInfo, "unit put back because the process is stopping", attrs...)
	default:
		level := slog.LevelWarn
		if wait := (*WaitError)(nil); errors.As(failed, &wait) { // not an error
			level = slog.LevelDebug
		}
		attrs = append(attrs, slog.String("category", string(v.Category)), slog.String("err", messageOf(failed)))
		q.Logger.LogAttrs(ctx, level, "unit not synced", attrs...)
	}
	if incident != nil {
		q.alert(ctx, *incident)
	}
}

// activeRuns is the set of jobs that this process runs.
type activeRuns struct {
	mu   sync.Mutex
	runs map[int64]bool
	idle chan struct{} // closed when the last run ends; nil while no caller waits
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

// none waits until no run is left or ctx ends.
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
