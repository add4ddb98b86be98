package queue

import (
	"context"
	"time"
)

// Process is the id of this process among those that share the database.
func (q *Queue) Process() string { return q.process }

// Rescue, Revive and Prune are what the loops do now and then.
func (q *Queue) Rescue(ctx context.Context) error { return q.rescue(ctx) }
func (q *Queue) Revive(ctx context.Context) error { return q.revive(ctx) }
func (q *Queue) Prune(ctx context.Context) error  { return q.prune(ctx) }

// SetLockPatience changes how long a start waits for another process of a SQLite file.
func SetLockPatience(d time.Duration) (undo func()) {
	before := lockPatience
	lockPatience = d
	return func() { lockPatience = before }
}
