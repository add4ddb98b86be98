package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
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

// How a record of HighLevel becomes a child of a contact.
type asChild[T any] func(l *Location, r *T, contact string) child

func children[T any](l *Location, list []*T, contact string, as asChild[T]) []child {
	out := make([]child, 0, len(list))
	for _, r := range list {
		out = append(out, as(l, r, contact))
	}
	return out
}

// listWith is what the lists of all kinds have in common, around their call.
func listWith[T any](l *Location, contact string, options []ghl.CallOption,
	call func(options ...ghl.CallOption) ([]*T, error), as asChild[T]) ([]child, error) {
	var resp ghl.Response
	list, err := call(append(options, ghl.CallResponse(&resp))...)
	if err != nil {
		return nil, err
	}
	if len(resp.Skipped) > 0 {
		return nil, errIncomplete
	}
	return children(l, list, contact, as), nil
}

// createWith is the same for creates. What the mapping finds unfit is not sent.
func createWith[In, T any](l *Location, contact string, in *In, unfit error,
	call func(*In) (*T, error), as asChild[T]) (child, error) {
	if unfit != nil {
		return child{}, &refusal{unfit}
	}
	made, err := call(in)
	if err != nil {
		return child{}, err
	}
	return as(l, made, contact), nil
}

// updateWith is the same for updates. Where nothing differs the mapping gives no input.
func updateWith[In, T any](l *Location, contact string, in *In, err error,
	call func(*In) (*T, error), as asChild[T]) (pluvo.Record, error) {
	if err != nil || in == nil {
		return nil, err
	}
	if err := l.from.writable(); err != nil {
		return nil, err
	}
	after, err := call(in)
	if err != nil {
		return nil, err
	}
	return as(l, after, contact).record, nil
}

var tasks = family{
	kind:    pluvo.KindTask,
	aspect:  queue.AspectTasks,
	telling: []string{"title", "dueDate"},
	list: func(ctx context.Context, l *Location, contact string, options ...ghl.CallOption) ([]child, error) {
		call := func(options ...ghl.CallOption) ([]*ghl.Task, error) {
			return l.Client.Tasks.List(ctx, contact, options...)
		}
		return listWith(l, contact, options, call, taskChild)
	},
	create: func(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error) {
		in, _, err := l.Mapper.TaskCreate(r.(*pluvo.Task))
		call := func(in *ghl.TaskCreate) (*ghl.Task, error) { return l.Client.Tasks.Create(ctx, contact, in) }
		return createWith(l, contact, in, err, call, taskChild)
	},
	update: func(
		ctx context.Context, l *Location, contact string, their *child, want, is pluvo.Record,
	) (pluvo.Record, error) {
		in, _, err := l.Mapper.TaskUpdate(want.(*pluvo.Task), is.(*pluvo.Task))
		call := func(in *ghl.TaskUpdate) (*ghl.Task, error) { return l.Client.Tasks.Update(ctx, contact, their.id, in) }
		return updateWith(l, contact, in, err, call, taskChild)
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
	kind:   pluvo.KindNote,
	aspect: queue.AspectNotes,
	list: func(ctx context.Context, l *Location, contact string, options ...ghl.CallOption) ([]child, error) {
		call := func(options ...ghl.CallOption) ([]*ghl.Note, error) {
			return l.Client.Notes.List(ctx, contact, options...)
		}
		return listWith(l, contact, options, call, noteChild)
	},
	create: func(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error) {
		in, _, err := l.Mapper.NoteCreate(r.(*pluvo.Note))
		call := func(in *ghl.NoteCreate) (*ghl.Note, error) { return l.Client.Notes.Create(ctx, contact, in) }
		return createWith(l, contact, in, err, call, noteChild)
	},
	update: func(
		ctx context.Context, l *Location, contact string, their *child, want, is pluvo.Record,
	) (pluvo.Record, error) {
		in, _, err := l.Mapper.NoteUpdate(want.(*pluvo.Note), is.(*pluvo.Note))
		call := func(in *ghl.NoteUpdate) (*ghl.Note, error) { return l.Client.Notes.Update(ctx, contact, their.id, in) }
		return updateWith(l, contact, in, err, call, noteChild)
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
	kind:    pluvo.KindAppointment,
	aspect:  queue.AspectAppointments,
	telling: []string{"title", "start"},
	list: func(ctx context.Context, l *Location, contact string, options ...ghl.CallOption) ([]child, error) {
		call := func(options ...ghl.CallOption) ([]*ghl.Appointment, error) {
			list, err := l.Client.Appointments.ListForContact(ctx, contact, options...)
			return slices.DeleteFunc(list, func(a *ghl.Appointment) bool { return a.Deleted }), err
		}
		return listWith(l, contact, options, call, appointmentChild)
	},
	create: book,
	update: func(
		ctx context.Context, l *Location, contact string, their *child, want, is pluvo.Record,
	) (pluvo.Record, error) {
		in, _, err := l.Mapper.AppointmentUpdate(want.(*pluvo.Appointment), is.(*pluvo.Appointment))
		call := func(in *ghl.AppointmentUpdate) (*ghl.Appointment, error) {
			return change(ctx, l, their.appointment, in)
		}
		return updateWith(l, contact, in, err, call, appointmentChild)
	},
	remove: func(ctx context.Context, l *Location, _, id string) error {
		return l.Client.Appointments.Delete(ctx, id)
	},
}

func appointmentChild(l *Location, a *ghl.Appointment, contact string) child {
	c := child{id: a.ID, added: instant(a.DateAdded), updated: instant(a.DateUpdated), appointment: a}
	if r, _, err := l.Mapper.Appointment(a, contact); err == nil {
		c.record = r
	}
	return c
}

var errNoCalendar = errors.New("no calendar is set for appointments that are made in Pluvo")

// book makes an appointment. One that was made in Pluvo asks for its slot, and HighLevel checks that it is free. One
// that came to Pluvo from a third system exists already, so it is mirrored: the slot is not asked for.
func book(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error) {
	a, calendar := r.(*pluvo.Appointment), ""
	if l.Calendar != nil {
		calendar = l.Calendar(a)
	}
	if calendar == "" {
		return child{}, &refusal{errNoCalendar}
	}
	in, _, err := l.Mapper.AppointmentCreate(a, contact, calendar)
	call := func(in *ghl.AppointmentCreate) (*ghl.Appointment, error) {
		in.IgnoreFreeSlotValidation = mirrored(a)
		made, err := l.Client.Appointments.Create(ctx, in)
		if err == nil {
			fillTimes(made, ghl.NewTime(in.StartTime), ghl.NewTime(in.EndTime))
		}
		return made, err
	}
	return createWith(l, contact, in, err, call, appointmentChild)
}

// change updates an appointment. HighLevel resets a status that an update does not name, so the update names the status
// that the appointment had when this run listed it.
func change(
	ctx context.Context, l *Location, from *ghl.Appointment, in *ghl.AppointmentUpdate,
) (*ghl.Appointment, error) {
	if in.AppointmentStatus.IsZero() && from.AppointmentStatus != "" {
		in.AppointmentStatus = ghl.Some(from.AppointmentStatus)
	}
	after, err := l.Client.Appointments.Update(ctx, from.ID, in)
	if err != nil {
		return nil, err
	}
	start, end := from.StartTime, from.EndTime
	if at, ok := in.StartTime.Get(); ok {
		start, end = ghl.NewTime(at), ghl.Time{}
	}
	if at, ok := in.EndTime.Get(); ok {
		end = ghl.NewTime(at)
	}
	fillTimes(after, start, end)
	return after, nil
}

// fillTimes sets the times of an appointment whose answer has none, which HighLevel leaves out of some answers to a
// booking.
func fillTimes(a *ghl.Appointment, start, end ghl.Time) {
	if a.StartTime.IsZero() {
		a.StartTime = start
	}
	if a.EndTime.IsZero() {
		a.EndTime = end
	}
}

// mirrored reports whether an appointment exists elsewhere.
func mirrored(a *pluvo.Appointment) bool {
	return a.Origin.System != "" && a.Origin.System != mapping.System
}
