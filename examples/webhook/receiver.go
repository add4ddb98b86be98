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
	client *ghl.Client               // reads records again; nil for no reading
	keep   func(webhook.Event) error // fails to try what happens then; nil for never

	mu  sync.Mutex // several deliveries can come at once
	out io.Writer
}

// handler calls the receiver for three kinds of changes, and for whatever else comes.
func (r *receiver) handler(verifier *webhook.Verifier, opts ...webhook.Option) (http.Handler, error) {
	return webhook.NewHandler(verifier, append(opts,
		webhook.OnContactCreatedOrUpdated(r.contact),
		webhook.OnTask(r.task),
		webhook.OnNoteOrAppointment(r.noteOrAppointment),
		webhook.On(webhook.ContactDelete, func(_ context.Context, e webhook.Event) error { return r.event(e, "contact %s", e.RecordID()) }),
		webhook.OnInstall(func(_ context.Context, e *webhook.InstallEvent) error {
			return r.event(e, "the app, in location %s of %s", e.LocationID, e.CompanyName)
		}),
		webhook.OnUninstall(func(_ context.Context, e *webhook.UninstallEvent) error {
			return r.event(e, "the app, from location %s", e.LocationID)
		}),
		webhook.OnUnknown(func(_ context.Context, e *webhook.UnknownEvent) error { return r.event(e, "%d bytes", len(e.Raw)) }),
		webhook.WithObserver(r.outcome),
	)...)
}

func (r *receiver) contact(ctx context.Context, e *webhook.ContactEvent) error {
	if err := r.event(e, "contact %s, %s, tags [%s]", e.RecordID(), e.Contact.Name, strings.Join(e.Contact.Tags, ", ")); err != nil {
		return err
	}
	now, err := readAgain(ctx, r, e.Refetch)
	if err == nil && now != nil {
		r.print("    as it stands: %s %s, tags [%s]", now.FirstName, now.LastName, strings.Join(now.Tags, ", "))
	}
	return err
}

func (r *receiver) task(ctx context.Context, e *webhook.TaskEvent) error {
	if err := r.event(e, "task %s, %q, of contact %s", e.RecordID(), e.Task.Title, e.ContactID()); err != nil {
		return err
	}
	now, err := readAgain(ctx, r, e.Refetch)
	if err == nil && now != nil {
		r.print("    as it stands: %q, completed: %t", now.Title, now.Completed)
	}
	return err
}

func (r *receiver) noteOrAppointment(ctx context.Context, event webhook.Event) error {
	switch e := event.(type) {
	case *webhook.NoteEvent:
		if err := r.event(e, "note %s, %q, of contact %s", e.RecordID(), e.Note.Body, e.ContactID()); err != nil {
			return err
		}
		now, err := readAgain(ctx, r, e.Refetch)
		if err == nil && now != nil {
			r.print("    as it stands: %q, by user %s", now.Body, now.UserID)
		}
		return err
	case *webhook.AppointmentEvent:
		if err := r.event(e, "appointment %s, %q, of contact %s", e.RecordID(), e.Appointment.Title, e.ContactID()); err != nil {
			return err
		}
		now, err := readAgain(ctx, r, e.Refetch)
		if err == nil && now != nil {
			r.print("    as it stands: %q, %s", now.Title, now.AppointmentStatus)
		}
		return err
	}
	return nil
}

// readAgain reads the record of an event, for the event is only a hint. nil says that there is none any more, or nothing to
// read it with. Another error makes the delivery come again.
func readAgain[T any](ctx context.Context, r *receiver, refetch func(context.Context, *ghl.Client) (*T, error)) (*T, error) {
	if r.client == nil {
		return nil, nil
	}
	record, err := refetch(ctx, r.client)
	switch {
	case errors.Is(err, ghl.ErrNotFound):
		r.print("    as it stands: deleted")
		return nil, nil
	case errors.Is(err, webhook.ErrNoContactID):
		r.print("    cannot be read again: whose it is was not said")
		return nil, nil
	}
	return record, err
}

// event prints one, unless it can't be kept now.
func (r *receiver) event(e webhook.Event, format string, args ...any) error {
	if r.keep != nil {
		if err := r.keep(e); err != nil {
			return err
		}
	}
	r.print("%-18s "+format, append([]any{e.Meta().Type}, args...)...)
	return nil
}

// outcome prints what became of a request, unless it was simply kept.
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
