package queue

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Outcome is how a run ended, for metrics.
type Outcome struct {
	Unit     Unit
	Priority Priority
	Result   Result
	// Operation and Category are of a failure; Operation is "" if it was none of HighLevel's.
	Operation string
	Category  Category
	// Took is how long the run took.
	Took time.Duration
	// Lag is for how long the unit had not been in step; zero unless the result is Synced.
	Lag time.Duration
}

// Result is how a run ended.
type Result string

// The results.
const (
	Synced  Result = "synced"
	Retried Result = "retried" // it failed, and is tried again
	GaveUp  Result = "stopped" // it failed, and waits for a person or a change
	Waited  Result = "waits"   // it has to wait for something
	Paused  Result = "paused"  // its location had to be paused
	PutBack Result = "put back"
	Taken   Result = "taken" // by another process, for this one was thought dead
)

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

// enter stores an alert of a failure that needs a person.
func (q *Queue) enter(ctx context.Context, tx *db.Tx, f *Failure) error {
	if q.Alert == nil || f == nil {
		return nil
	}
	return q.Alert(ctx, tx, *f)
}

// Alive reports whether this process has been started, and has a lease: else it works on nothing.
func (q *Queue) Alive() bool {
	_, alive := q.alive.context()
	return alive
}
