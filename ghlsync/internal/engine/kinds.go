package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// fingerprint tells one state of a record from another.
func fingerprint(r pluvo.Record) string {
	text, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

var tasks = family{
	kind: pluvo.KindTask,
	list: func(ctx context.Context, l *Location, contact string) ([]child, error) {
		var resp ghl.Response
		list, err := l.Client.Tasks.List(ctx, contact, ghl.CallResponse(&resp))
		if err != nil {
			return nil, err
		}
		children := make([]child, 0, len(list))
		for _, t := range list {
			children = append(children, taskChild(l, t, contact))
		}
		return children, complete(&resp)
	},
	create: func(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error) {
		in, _, err := l.Mapper.TaskCreate(r.(*pluvo.Task))
		if err != nil {
			return child{}, &refusal{err}
		}
		made, err := l.Client.Tasks.Create(ctx, contact, in)
		if err != nil {
			return child{}, err
		}
		return taskChild(l, made, contact), nil
	},
	update: func(ctx context.Context, l *Location, contact, id string, want, is pluvo.Record) (pluvo.Record, error) {
		in, _, err := l.Mapper.TaskUpdate(want.(*pluvo.Task), is.(*pluvo.Task))
		if err != nil || in == nil {
			return nil, err
		}
		after, err := l.Client.Tasks.Update(ctx, contact, id, in)
		if err != nil {
			return nil, err
		}
		return taskChild(l, after, contact).record, nil
	},
	remove: func(ctx context.Context, l *Location, contact, id string) error {
		return l.Client.Tasks.Delete(ctx, contact, id)
	},
}

func taskChild(l *Location, t *ghl.Task, contact string) child {
	c := child{id: t.ID, added: instant(t.DateAdded), updated: instant(t.DateUpdated)}
	if r, _, err := l.Mapper.Task(t, contact); err == nil {
		c.record = r
	}
	return c
}

var notes = family{
	kind: pluvo.KindNote,
	list: func(ctx context.Context, l *Location, contact string) ([]child, error) {
		var resp ghl.Response
		list, err := l.Client.Notes.List(ctx, contact, ghl.CallResponse(&resp))
		if err != nil {
			return nil, err
		}
		children := make([]child, 0, len(list))
		for _, n := range list {
			children = append(children, noteChild(l, n, contact))
		}
		return children, complete(&resp)
	},
	create: func(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error) {
		in, _, err := l.Mapper.NoteCreate(r.(*pluvo.Note))
		if err != nil {
			return child{}, &refusal{err}
		}
		made, err := l.Client.Notes.Create(ctx, contact, in)
		if err != nil {
			return child{}, err
		}
		return noteChild(l, made, contact), nil
	},
	update: func(ctx context.Context, l *Location, contact, id string, want, is pluvo.Record) (pluvo.Record, error) {
		in, _, err := l.Mapper.NoteUpdate(want.(*pluvo.Note), is.(*pluvo.Note))
		if err != nil || in == nil {
			return nil, err
		}
		after, err := l.Client.Notes.Update(ctx, contact, id, in)
		if err != nil {
			return nil, err
		}
		return noteChild(l, after, contact).record, nil
	},
	remove: func(ctx context.Context, l *Location, contact, id string) error {
		return l.Client.Notes.Delete(ctx, contact, id)
	},
}

func noteChild(l *Location, n *ghl.Note, contact string) child {
	c := child{id: n.ID, added: instant(n.DateAdded)}
	if r, _, err := l.Mapper.Note(n, contact, ""); err == nil {
		c.record = r
	}
	return c
}

var appointments = family{
	kind: pluvo.KindAppointment,
	list: func(ctx context.Context, l *Location, contact string) ([]child, error) {
		var resp ghl.Response
		list, err := l.Client.Appointments.ListForContact(ctx, contact, ghl.CallResponse(&resp))
		if err != nil {
			return nil, err
		}
		children := make([]child, 0, len(list))
		for _, a := range list {
			if !a.Deleted {
				children = append(children, appointmentChild(l, a, contact))
			}
		}
		return children, complete(&resp)
	},
	create: book,
	update: func(ctx context.Context, l *Location, contact, id string, want, is pluvo.Record) (pluvo.Record, error) {
		in, _, err := l.Mapper.AppointmentUpdate(want.(*pluvo.Appointment), is.(*pluvo.Appointment))
		if err != nil || in == nil {
			return nil, err
		}
		after, err := l.Client.Appointments.Update(ctx, id, in)
		if err != nil {
			return nil, err
		}
		return appointmentChild(l, after, contact).record, nil
	},
	remove: func(ctx context.Context, l *Location, _, id string) error {
		return l.Client.Appointments.Delete(ctx, id)
	},
}

func appointmentChild(l *Location, a *ghl.Appointment, contact string) child {
	c := child{id: a.ID, added: instant(a.DateAdded), updated: instant(a.DateUpdated)}
	if r, _, err := l.Mapper.Appointment(a, contact); err == nil {
		c.record = r
	}
	return c
}

var errNoCalendar = errors.New("no calendar is set for appointments that are made in Pluvo")

// book makes an appointment. One that was made in Pluvo asks for its slot, and HighLevel checks that it is free. One that came
// to Pluvo from a third system exists already, so it is mirrored: the slot is not asked for.
func book(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error) {
	a, calendar := r.(*pluvo.Appointment), ""
	if l.Calendar != nil {
		calendar = l.Calendar(a)
	}
	if calendar == "" {
		return child{}, &refusal{errNoCalendar}
	}
	in, _, err := l.Mapper.AppointmentCreate(a, contact, calendar)
	if err != nil {
		return child{}, &refusal{err}
	}
	in.IgnoreFreeSlotValidation = mirrored(a)
	made, err := l.Client.Appointments.Create(ctx, in)
	if err != nil {
		return child{}, err
	}
	return appointmentChild(l, made, contact), nil
}

// mirrored reports whether an appointment exists elsewhere.
func mirrored(a *pluvo.Appointment) bool {
	return a.Origin.System != "" && a.Origin.System != mapping.System
}
