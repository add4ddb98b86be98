package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// trip maps a contact from HighLevel to Pluvo and back.
type trip struct {
	out         io.Writer
	client      *ghl.Client
	definitions *ghl.CustomFieldResolver
	mapper      *mapping.Mapper
	store       pluvo.Store
	contactID   string
	last        *pluvo.FullContact // the last known state of HighLevel
}

// read reads the contact with its tasks, notes and appointments from HighLevel.
func (t *trip) read(ctx context.Context) (*mapping.FullContact, error) {
	var (
		in  mapping.FullContact
		err error
	)
	if in.Contact, err = t.client.Contacts.Get(ctx, t.contactID); err != nil {
		return nil, err
	}
	if in.Tasks, err = t.client.Tasks.List(ctx, t.contactID); err != nil {
		return nil, err
	}
	if in.Notes, err = t.client.Notes.List(ctx, t.contactID); err != nil {
		return nil, err
	}
	if in.Appointments, err = t.client.Appointments.ListForContact(ctx, t.contactID); err != nil {
		return nil, err
	}
	return &in, nil
}

// toPluvo maps the contact and writes it to Pluvo.
func (t *trip) toPluvo(ctx context.Context) error {
	in, err := t.read(ctx)
	if err != nil {
		return err
	}
	full, report, err := t.mapper.FullContact(in)
	if err != nil {
		return err
	}
	for _, r := range full.Records() {
		if _, err := t.store.Put(ctx, r, pluvo.NoVersion); err != nil {
			return err
		}
	}
	t.last = full
	writeToPluvo(t.out, report, in, full, t.definitions)
	return nil
}

// toHighLevel sends the changes that were made in Pluvo since the last known state of HighLevel.
func (t *trip) toHighLevel(ctx context.Context) error {
	now, err := t.store.Full(ctx, t.contactID)
	if err != nil {
		return err
	}
	change, all, err := t.mapper.ContactUpdate(&now.Contact, &t.last.Contact)
	if err != nil {
		return err
	}
	if change.Update != nil {
		if _, err := t.client.Contacts.Update(ctx, t.contactID, change.Update); err != nil {
			return err
		}
	}
	if len(change.AddTags) > 0 {
		if _, err := t.client.Tags.Add(ctx, t.contactID, change.AddTags); err != nil {
			return err
		}
	}
	if len(change.RemoveTags) > 0 {
		if _, err := t.client.Tags.Remove(ctx, t.contactID, change.RemoveTags); err != nil {
			return err
		}
	}

	task, report, err := t.mapper.TaskUpdate(&now.Tasks[0], &t.last.Tasks[0])
	if err != nil {
		return err
	}
	all.Entries = append(all.Entries, report.Entries...)
	if task != nil {
		if _, err := t.client.Tasks.Update(ctx, t.contactID, now.Tasks[0].Origin.ID, task); err != nil {
			return err
		}
	}
	note, report, err := t.mapper.NoteUpdate(&now.Notes[0], &t.last.Notes[0])
	if err != nil {
		return err
	}
	all.Entries = append(all.Entries, report.Entries...)
	if note != nil {
		if _, err := t.client.Notes.Update(ctx, t.contactID, now.Notes[0].Origin.ID, note); err != nil {
			return err
		}
	}
	appointment, report, err := t.mapper.AppointmentUpdate(&now.Appointments[0], &t.last.Appointments[0])
	if err != nil {
		return err
	}
	all.Entries = append(all.Entries, report.Entries...)
	if appointment != nil {
		if _, err := t.client.Appointments.Update(ctx, now.Appointments[0].Origin.ID, appointment); err != nil {
			return err
		}
	}
	writeToHighLevel(t.out, all, t.last, now, change)
	return nil
}

// compare reads the contact again and compares it with Pluvo's records field by field.
func (t *trip) compare(ctx context.Context) error {
	in, err := t.read(ctx)
	if err != nil {
		return err
	}
	theirs, _, err := t.mapper.FullContact(in)
	if err != nil {
		return err
	}
	ours, err := t.store.Full(ctx, t.contactID)
	if err != nil {
		return err
	}
	writeComparison(t.out, t.mapper, ours, theirs)
	change, _, err := t.mapper.ContactUpdate(&ours.Contact, &theirs.Contact)
	if err != nil {
		return err
	}
	if change.IsEmpty() {
		fmt.Fprintln(t.out, "\nNothing is left to send.")
	} else {
		fmt.Fprintln(t.out, "\nSomething is left to send: HighLevel returned other values than the rules sent.")
	}
	return nil
}
