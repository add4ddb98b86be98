package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// strayed begins the id of the unit of a record that was delivered without the contact that it belongs to. What follows
// is its kind, a colon, and its id.
const strayed = "stray:"

// UnitOf returns the unit that an event of HighLevel is about: the contact, if it names one or if its record is known,
// else the stray record. "" means that nothing can be done: not even the record is named.
func (e *Engine) UnitOf(ctx context.Context, location string, kind pluvo.Kind,
	recordID, contactID string) (string, error) {
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
	text, id, _ := strings.Cut(name, ":")
	kind := pluvo.Kind(text)
	contact, err := e.contactWith(ctx, l, kind, id)
	if err != nil {
		return err
	}
	if contact == "" {
		if by, _, err := e.deleted(ctx, l.ID, kind, id); err != nil || by != Nobody {
			return err
		}
		return e.await(ctx, l, run.ID)
	}
	e.markAfter(run, contact, familyOf(kind).aspect)
	return e.forget(ctx, l.ID, awaitName(run.ID))
}

// contactWith returns the contact of HighLevel that a record belongs to; "" if that can't be found out.
func (e *Engine) contactWith(ctx context.Context, l *Location, kind pluvo.Kind, id string) (string, error) {
	if known, err := e.linkFrom(ctx, l.ID, kind, id); err != nil {
		return "", err
	} else if known != nil {
		return known.contact, nil
	}
	switch kind {
	case pluvo.KindTask: // HighLevel has no call for one task without its contact
		for t, err := range l.Client.Tasks.SearchAll(ctx, nil) {
			if err != nil {
				return "", err
			}
			if t.ID == id {
				return t.ContactID, nil
			}
		}
	case pluvo.KindAppointment:
		a, err := l.Client.Appointments.Get(ctx, id)
		if errors.Is(err, ghl.ErrNotFound) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		return a.ContactID, nil
	}
	return "", nil
}
