package engine

import (
	"context"

	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// A delivery is a hint: the record is read again, unless the delivery's own body shows nothing that differs from the
// last synced state. So the echo of an own write costs no request.

// Concerns returns the kind of the record that an event is about, and the aspects of its contact that the event says
// have changed. The kind is "" for an event that is not synced.
func Concerns(event webhook.Event) (pluvo.Kind, queue.Aspects) {
	switch event.(type) {
	case *webhook.ContactEvent:
		return pluvo.KindContact, queue.AspectContact
	case *webhook.TaskEvent:
		return pluvo.KindTask, queue.AspectTasks
	case *webhook.NoteEvent:
		return pluvo.KindNote, queue.AspectNotes
	case *webhook.AppointmentEvent:
		return pluvo.KindAppointment, queue.AspectAppointments
	}
	return "", 0
}

// needed returns the aspects that a run has to sync: those that were marked, and those of deliveries that differ from
// the last synced state.
func (e *Engine) needed(ctx context.Context, l *Location, run *queue.Run) (queue.Aspects, error) {
	need := run.Aspects
	for _, d := range run.Events {
		if need&d.Aspects == d.Aspects {
			continue
		}
		event, err := webhook.Decode(d.Body)
		if err == nil {
			echo, err := e.isEcho(ctx, l, run.ID, event)
			if err != nil {
				return 0, err
			}
			if echo {
				continue
			}
		}
		need |= d.Aspects
	}
	return need, nil
}

// isEcho reports whether an event of a contact shows only what was last synced. A property that the event lacks is
// compared as an empty one, so that an event which does not have all mapped fields is not an echo.
func (e *Engine) isEcho(ctx context.Context, l *Location, contact string, event webhook.Event) (bool, error) {
	kind, _ := Concerns(event)
	known, err := e.linkFrom(ctx, l.ID, kind, event.RecordID())
	if err != nil {
		return false, err
	}
	switch event.Meta().Type {
	case webhook.ContactDelete, webhook.TaskDelete, webhook.NoteDelete, webhook.AppointmentDelete:
		if known != nil {
			return false, nil
		}
		by, _, err := e.deleted(ctx, l.ID, kind, event.RecordID())
		return by != Nobody, err
	}
	if known == nil || known.contact != contact || !known.settled() {
		return false, nil
	}
	if event.Meta().Type == webhook.AppointmentCreate && e.now().Sub(known.at) > clockSkew {
		// HighLevel's samples name this type for changed and deleted appointments too. Only a new link makes it likely
		// that the event is about the own create.
		return false, nil
	}
	is := e.shown(l, known, event)
	return is != nil && !e.edited(l, GHL, known.ghl, is), nil
}

// shown returns the record of an event as the mapping gives it, nil if it can't be mapped. A completed task is taken
// from the last synced state, since the event says that it is completed and nothing else for certain.
func (e *Engine) shown(l *Location, known *link, event webhook.Event) pluvo.Record {
	switch event := event.(type) {
	case *webhook.ContactEvent:
		if mapped, err := e.contactOf(l, &event.Contact, known.pluvoID); err == nil {
			return mapped
		}
	case *webhook.TaskEvent:
		if event.Meta().Type == webhook.TaskComplete {
			completed := pluvo.Clone(known.ghl).(*pluvo.Task)
			completed.Completed = true
			return completed
		}
		return taskChild(l, &event.Task, known.contact).record
	case *webhook.NoteEvent:
		return noteChild(l, &event.Note, known.contact).record
	case *webhook.AppointmentEvent:
		if !event.Appointment.Deleted {
			return appointmentChild(l, &event.Appointment, known.contact).record
		}
	}
	return nil
}
