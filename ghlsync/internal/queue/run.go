package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

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
	// Changed is when the first change was marked that is not synced.
	Changed time.Time
	// Events are the deliveries since the last successful run, whose aspects are not in Aspects.
	Events []Event
	// LastRead is the earliest time at which the last successful run that read everything read its data; zero if there
	// was none.
	LastRead time.Time

	session  *session
	stop     context.CancelCauseFunc
	ctx      context.Context
	finally  []func(ctx context.Context, tx *db.Tx) error
	recorder *Recorder
	asOf     time.Time // the data that the run reads is not older
	readAll  bool
}

// ReadEverything says that the run reads all aspects of the unit.
func (r *Run) ReadEverything() { r.readAll = true }

// newRun returns a run of a unit that the session has taken. The data that it reads is not older than asOf.
func (s *session) newRun(u row, asOf time.Time) *Run {
	run := &Run{Unit: u.Unit, Number: u.number, Attempt: int(u.attempts) + 1, Priority: u.priority, LastRead: u.read,
		Aspects: u.taken, Changed: u.changed, session: s, recorder: &Recorder{alive: s.q.Alive}, asOf: asOf}
	run.ctx, run.stop = context.WithCancelCause(s.ctx)
	return run
}

// Finally adds a function to the transaction that ends the run if it succeeds, so that the results of the run and the
// end of its job become durable together. If the process dies before that, the unit runs again.
func (r *Run) Finally(do func(ctx context.Context, tx *db.Tx) error) {
	r.finally = append(r.finally, do)
}

// Reserve keeps other runs from a unit of the location until release is called. It returns nil if a run works on the
// unit now. A run that links two units reserves the other one first, and waits (see [WaitError]) if it can't.
func (r *Run) Reserve(unit string) (release func()) {
	release, _ = r.session.tryEnter(unit)
	return release
}

var errStopped = errors.New("the process is stopping")

// perform does the work of a run that has begun, and ends the run.
func (s *session) perform(run *Run, work Work) error {
	defer run.stop(context.Canceled)
	working, cancel := context.WithTimeoutCause(run.ctx, s.q.Timeout, context.DeadlineExceeded)
	defer cancel()
	started := time.Now()
	err := s.q.call(withRecorder(working, run.recorder), run, work)
	if err != nil && working.Err() != nil && !errors.Is(context.Cause(working), context.DeadlineExceeded) {
		err = errStopped
	}
	return s.finish(run, err, time.Since(started))
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

// finish ends a run. It retries until that is stored, since the unit cannot run again before, unless this process dies.
func (s *session) finish(run *Run, failed error, took time.Duration) error {
	ctx := context.WithoutCancel(run.ctx)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := s.finishOnce(ctx, run, failed, took)
		if err == nil {
			return nil
		}
		var own *finallyError
		if errors.As(err, &own) && failed == nil { // an error of a Finally function, not of the database
			failed = own.error
			continue
		}
		s.q.Logger.LogAttrs(ctx, slog.LevelWarn, "storing the end of a run failed; retrying",
			slog.String("location", run.Location), slog.String("unit", run.ID), slog.Any("err", err))
		life, alive := s.q.alive.context()
		if !alive {
			return err // the process that takes over the location puts back the unit
		}
		select {
		case <-time.After(pause):
		case <-life.Done():
			return err
		}
	}
}

type finallyError struct{ error }

func (e *finallyError) Unwrap() error { return e.error }

// finishOnce stores the end of a run, and reports it.
func (s *session) finishOnce(ctx context.Context, run *Run, failed error, took time.Duration) error {
	q := s.q
	var incident *Failure
	var verdict Verdict
	var outcome Outcome
	pauses := failed != nil && failed != errStopped && Classify(failed).Action == PauseLocation
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		incident, verdict, outcome = nil, Verdict{}, Outcome{Unit: run.Unit, Result: Taken}
		if pauses { // which several runs may do at once: the lock of the fence would deadlock
			if _, err := lockLocation(ctx, tx, run.Location); err != nil && !errors.Is(err, ErrLocation) {
				return err
			}
		}
		if err := tx.Fence(ctx); errors.Is(err, db.ErrFenced) {
			s.cancel(err)
			return nil
		} else if err != nil {
			return err
		}
		u, err := lock(ctx, tx, run.Unit)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil || u.epoch != s.epoch || u.synced >= run.Number || int(u.attempts) >= run.Attempt {
			return err // the last two: it is stored, only the answer was lost, and the unit may be claimed again
		}
		if failed == nil {
			for _, do := range run.finally {
				if err := do(ctx, tx); err != nil {
					return &finallyError{err}
				}
			}
			if len(run.finally) > 0 { // which may have marked the unit
				if u, err = lock(ctx, tx, run.Unit); err != nil {
					return err
				}
			}
		}
		u.epoch = 0
		outcome.Priority = u.priority
		if failed == nil {
			outcome.Result, outcome.Lag = Synced, q.DB.Now().Sub(u.changed)
			return q.succeeded(ctx, tx, u, run)
		}
		if failed == errStopped {
			outcome.Result = PutBack
			u.due = time.Time{}
			return u.store(ctx, tx)
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

// succeeded marks a unit as synced up to the number of the run. It runs again if it has changed since.
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
		u.changed = q.DB.Now()
	}
	u.due = time.Time{}
	return u.store(ctx, tx)
}

// failed delays a failed unit, or stops it, and stores the attempt.
func (q *Queue) failed(ctx context.Context, tx *db.Tx, u row, run *Run, v Verdict,
	failed error) (Result, *Failure, error) {
	now := q.DB.Now()
	switch v.Action {
	case Wait:
		if v.After <= 0 {
			v.After = 10 * time.Second
		}
		u.kills, u.due = 0, now.Add(v.After)
		return Waited, nil, u.store(ctx, tx)
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
		return Paused, incident, u.store(ctx, tx)
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
	u.due = next
	if next.IsZero() {
		u.stopped = true
		return GaveUp, f, u.store(ctx, tx)
	}
	return Retried, f, u.store(ctx, tx)
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
