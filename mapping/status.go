package mapping

import (
	"time"

	"github.com/pluvo/ghl/pluvo"
)

// TaskStatusRule derives the status of a task. Due is zero for a task without a due date. The result must depend on
// nothing but the arguments.
type TaskStatusRule func(completed bool, due, now time.Time) pluvo.TaskStatus

// DefaultTaskStatus returns [pluvo.TaskCompleted] for a completed task, [pluvo.TaskOverdue] for a task with a due
// date in the past, and [pluvo.TaskOpen] for any other.
func DefaultTaskStatus(completed bool, due, now time.Time) pluvo.TaskStatus {
	switch {
	case completed:
		return pluvo.TaskCompleted
	case !due.IsZero() && due.Before(now):
		return pluvo.TaskOverdue
	}
	return pluvo.TaskOpen
}

func (m *Mapper) taskStatus(completed bool, due time.Time) pluvo.TaskStatus {
	return m.o.TaskStatus(completed, due, m.o.Now())
}
