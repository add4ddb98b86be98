package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/webhook"
)

// receiver prints events.
type receiver struct {
	client *ghl.Client               // reads the current records; may be nil
	keep   func(webhook.Event) error // stores an event; may be nil

	mu  sync.Mutex // deliveries may arrive at the same time
	out io.Writer
}

// handler returns a handler that passes events to the receiver.
func (r *receiver) handler(verifier *webhook.Verifier, opts ...webhook.Option) (http.Handler, error) {
	return webhook.NewHandler(verifier, append(opts,
		webhook.OnContactCreatedOrUpdated(r.contact),
		webhook.OnTask(r.task),
		webhook.OnNoteOrAppointment(r.noteOrAppointment),
		webhook.On(webhook.ContactDelete, func(_ context.Context, e webhook.Event) error {
			return r.event(e, "contact %s", e.RecordID())
		}),
		webhook.OnInstall(func(_ context.Context, e *webhook.InstallEvent) error {
			return r.event(e, "the app, in location %s of %s", e.LocationID, e.CompanyName)
		}),
		webhook.OnUninstall(func(_ context.Context, e *webhook.UninstallEvent) error {
			return r.event(e, "the app, from location %s", e.LocationID)
		}),
		webhook.OnUnknown(func(_ context.Context, e *webhook.UnknownEvent) error {
			return r.event(e, "%d bytes", len(e.Raw))
		}),
		webhook.WithObserver(r.outcome),
	)...)
}

func (r *receiver) contact(ctx context.Context, e *webhook.ContactEvent) error {
	tags := strings.Join(e.Contact.Tags, ", ")
	if err := r.event(e, "contact %s, %s, tags [%s]", e.RecordID(), e.Contact.Name, tags); err != nil {
		return err
	}
	now, err := refetched(ctx, r, e.Refetch)
	if err == nil && now != nil {
		r.print("    current: %s %s, tags [%s]", now.FirstName, now.LastName, strings.Join(now.Tags, ", "))
	}
	return err
}

func (r *receiver) task(ctx context.Context, e *webhook.TaskEvent) error {
	if err := r.event(e, "task %s, %q, of contact %s", e.RecordID(), e.Task.Title, e.ContactID()); err != nil {
		return err
	}
	now, err := refetched(ctx, r, e.Refetch)
	if err == nil && now != nil {
		r.print("    current: %q, completed: %t", now.Title, now.Completed)
	}
	return err
}

func (r *receiver) noteOrAppointment(ctx context.Context, event webhook.Event) error {
	switch e := event.(type) {
	case *webhook.NoteEvent:
		if err := r.event(e, "note %s, %q, of contact %s", e.RecordID(), e.Note.Body, e.ContactID()); err != nil {
			return err
		}
		now, err := refetched(ctx, r, e.Refetch)
		if err == nil && now != nil {
			r.print("    current: %q, by user %s", now.Body, now.UserID)
		}
		return err
	case *webhook.AppointmentEvent:
		if err := r.event(e, "appointment %s, %q, of contact %s", e.RecordID(), e.Appointment.Title,
			e.ContactID()); err != nil {
			return err
		}
		now, err := refetched(ctx, r, e.Refetch)
		if err == nil && now != nil {
			r.print("    current: %q, %s", now.Title, now.AppointmentStatus)
		}
		return err
	}
	return nil
}

// refetched reads the current record of an event, since the event may be old. It returns nil if the record is deleted
// or can't be read. With any other error HighLevel delivers the event again.
func refetched[T any](
	ctx context.Context, r *receiver, refetch func(context.Context, *ghl.Client) (*T, error),
) (*T, error) {
	if r.client == nil {
		return nil, nil
	}
	record, err := refetch(ctx, r.client)
	switch {
	case errors.Is(err, ghl.ErrNotFound):
		r.print("    current: deleted")
		return nil, nil
	case errors.Is(err, webhook.ErrNoContactID):
		r.print("    the event has no contact id, so the record can't be read")
		return nil, nil
	}
	return record, err
}

// event stores and prints an event.
func (r *receiver) event(e webhook.Event, format string, args ...any) error {
	if r.keep != nil {
		if err := r.keep(e); err != nil {
			return err
		}
	}
	r.print("%-18s "+format, append([]any{e.Meta().Type}, args...)...)
	return nil
}

// outcome prints the outcome of a request, unless it was kept.
func (r *receiver) outcome(o webhook.Outcome) {
	if o.Result == webhook.Kept {
		return
	}
	what := "a request"
	if o.Meta != nil {
		what = string(o.Meta.Type)
	}
	r.print("(%s: %s, answered %d)", what, o.Result, o.Status)
}

func (r *receiver) print(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, format+"\n", args...)
}
