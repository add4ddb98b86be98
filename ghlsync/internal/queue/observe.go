package queue

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Outcome describes how a run ended, for metrics.
type Outcome struct {
	Unit     Unit
	Priority Priority
	Result   Result
	// Operation and Category are those of a failed run. Operation is "" if the error is not from HighLevel.
	Operation string
	Category  Category
	// Took is how long the run took.
	Took time.Duration
	// Lag is how long the unit was dirty; zero unless the result is Synced.
	Lag time.Duration
}

// Result is the result of a run.
type Result string

// The results of runs.
const (
	Synced  Result = "synced"
	Retried Result = "retried"  // the run failed and is retried
	GaveUp  Result = "stopped"  // the run failed and is not retried until a person or a change does
	Waited  Result = "waits"    // the run has to wait for something
	Paused  Result = "paused"   // the run paused its location
	PutBack Result = "put back" // the process stops
	Taken   Result = "taken"    // another process took over because this one looked dead
)

// observe completes an outcome and passes it to Config.Observe.
func (q *Queue) observe(o Outcome, v Verdict, failed error, took time.Duration) {
	if q.Observe == nil {
		return
	}
	o.Category, o.Took = v.Category, took
	var api *ghl.Error
	if errors.As(failed, &api) && o.Category != "" {
		o.Operation = api.Operation
	}
	q.Observe(o)
}

// enter stores the alert of a failure that needs a person; f may be nil.
func (q *Queue) enter(ctx context.Context, tx *db.Tx, f *Failure) error {
	if q.Alert == nil || f == nil {
		return nil
	}
	return q.Alert(ctx, tx, *f)
}

// Alive reports whether this process is started and has a lease. Without a lease it works on nothing.
func (q *Queue) Alive() bool {
	_, alive := q.alive.context()
	return alive
}
