package queue

import (
	"context"
	"time"
)

// Process returns the id of this process in the database.
func (q *Queue) Process() string { return q.process }

// Rescue, Revive and Prune run the periodic work of the loops.
func (q *Queue) Rescue(ctx context.Context) error { return q.rescue(ctx) }
func (q *Queue) Revive(ctx context.Context) error { return q.revive(ctx) }
func (q *Queue) Prune(ctx context.Context) error  { return q.prune(ctx) }

// SetLockPatience changes how long a start waits for another process of a SQLite file.
func SetLockPatience(d time.Duration) (undo func()) {
	before := lockPatience
	lockPatience = d
	return func() { lockPatience = before }
}
