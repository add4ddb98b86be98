package ghlsync

import (
	"context"
	"time"

	"github.com/pluvo/ghl"
)

// lists holds the tasks and appointments of a location by contact.
type lists struct {
	tasksOf             map[string][]*ghl.Task
	appointmentsOf      map[string][]*ghl.Appointment
	tasks, appointments int
	incomplete          bool            // an element could not be decoded
	seen                map[string]bool // ids with their kind
}

func newLists() *lists {
	return &lists{
		tasksOf: map[string][]*ghl.Task{}, appointmentsOf: map[string][]*ghl.Appointment{}, seen: map[string]bool{},
	}
}

// readTasks reads all tasks of the location, in pages of 100 until one is empty.
func (l *lists) readTasks(ctx context.Context, client *ghl.Client, count func()) error {
	var resp ghl.Response
	for t, err := range client.Tasks.SearchAll(ctx, nil, ghl.CallBackground(), ghl.CallResponse(&resp)) {
		if err != nil {
			return err
		}
		l.incomplete = l.incomplete || len(resp.Skipped) > 0
		if key := "task/" + t.ID; !l.seen[key] { // pages shift when a task is created or deleted meanwhile
			l.seen[key] = true
			l.tasksOf[t.ContactID] = append(l.tasksOf[t.ContactID], t)
			l.tasks++
			count()
		}
	}
	l.incomplete = l.incomplete || len(resp.Skipped) > 0
	return nil
}

// readAppointments reads the appointments of all calendars from since to until, window by window.
func (l *lists) readAppointments(
	ctx context.Context, client *ghl.Client, since, until time.Time, window time.Duration, count func(),
) error {
	var resp ghl.Response
	calendars, err := client.Calendars.List(ctx, nil, ghl.CallBackground(), ghl.CallResponse(&resp))
	if err != nil {
		return err
	}
	l.incomplete = l.incomplete || len(resp.Skipped) > 0
	for _, calendar := range calendars {
		for from := since; from.Before(until); from = from.Add(window) {
			to := from.Add(window)
			if to.After(until) {
				to = until
			}
			query := &ghl.EventsQuery{CalendarID: calendar.ID, StartTime: from, EndTime: to}
			events, err := client.Calendars.Events(ctx, query, ghl.CallBackground(), ghl.CallResponse(&resp))
			if err != nil {
				return err
			}
			l.incomplete = l.incomplete || len(resp.Skipped) > 0
			for _, a := range events {
				// An appointment may be in two windows.
				if key := "appointment/" + a.ID; a.ContactID != "" && !a.Deleted && !l.seen[key] {
					l.seen[key] = true
					l.appointmentsOf[a.ContactID] = append(l.appointmentsOf[a.ContactID], a)
					l.appointments++
				}
			}
			count()
		}
	}
	return nil
}
