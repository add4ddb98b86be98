package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// strayed begins the id of the unit of a record that was delivered without the contact that it belongs to. What follows is its
// kind, a colon, and its id.
const strayed = "stray:"

// UnitOf returns the unit that an event of HighLevel is about: the contact, if it names one or if its record is known, else the
// stray record. "" means that nothing can be done: not even the record is named.
func (e *Engine) UnitOf(ctx context.Context, location string, kind pluvo.Kind, recordID, contactID string) (string, error) {
	if contactID != "" {
		return contactID, nil
	}
	if recordID == "" {
		return "", nil
	}
	known, err := e.linkFrom(ctx, location, kind, recordID)
	switch {
	case err != nil:
		return "", err
	case known != nil:
		return known.contact, nil
	}
	return strayed + string(kind) + ":" + recordID, nil
}

// find looks for the contact that a stray record belongs to, and has that worked on.
func (e *Engine) find(ctx context.Context, run *queue.Run, l *Location, name string) error {
	kind, id, _ := strings.Cut(name, ":")
	contact, err := e.UnitOf(ctx, l.ID, pluvo.Kind(kind), id, "")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(contact, strayed) { // it is known by now
		e.markAfter(run, contact)
		return nil
	}
	contact = ""
	switch pluvo.Kind(kind) {
	case pluvo.KindTask: // HighLevel has no call for one task without its contact
		for t, err := range l.Client.Tasks.SearchAll(ctx, nil) {
			if err != nil {
				return err
			}
			if t.ID == id {
				contact = t.ContactID
				break
			}
		}
	case pluvo.KindAppointment:
		a, err := l.Client.Appointments.Get(ctx, id)
		if err != nil && !errors.Is(err, ghl.ErrNotFound) {
			return err
		}
		if err == nil {
			contact = a.ContactID
		}
	}
	if contact == "" {
		if by, _, err := e.deleted(ctx, l.ID, pluvo.Kind(kind), id); err != nil || by != Nobody {
			return err
		}
		return e.await(ctx, l, run.ID)
	}
	e.markAfter(run, contact)
	return e.forget(ctx, l.ID, awaitName(run.ID))
}
