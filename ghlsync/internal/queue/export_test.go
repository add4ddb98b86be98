package queue

import (
	"context"
	"time"
)

// Process returns the id of this process in the database.
func (q *Queue) Process() string { return q.process }

// TakeOver, Revive and Prune do the periodic work of the loops.
func (q *Queue) TakeOver(ctx context.Context, process string) error { return q.takeOver(ctx, process) }

func (q *Queue) Revive(ctx context.Context) error { return q.revive(ctx, nil) }
func (q *Queue) Prune(ctx context.Context) error  { return q.prune(ctx) }

// SetLockPatience changes how long a start waits for another process of a SQLite file.
func SetLockPatience(d time.Duration) (undo func()) {
	before := lockPatience
	lockPatience = d
	return func() { lockPatience = before }
}
