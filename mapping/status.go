package mapping

import (
	"time"

	"github.com/pluvo/ghl/pluvo"
)

// TaskStatusRule derives the status of a task. Due is zero for a task without a due date. The same task must give the same
// status at the same time.
type TaskStatusRule func(completed bool, due, now time.Time) pluvo.TaskStatus

// DefaultTaskStatus is [pluvo.TaskCompleted] for a task that is completed, [pluvo.TaskOverdue] for one whose due date is
// past, and else [pluvo.TaskOpen].
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
