package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// Snapshot is what lists of a location have said of a contact. It is a moment old and may lack records, so it is only
// good for taking over into Pluvo what is there: nothing is deleted or written to HighLevel because of it.
type Snapshot struct {
	Contact      *ghl.Contact
	Tasks        []*ghl.Task
	Appointments []*ghl.Appointment
	// Notes has the notes read, by one call: no list of the location has them.
	Notes bool
}

// SyncSnapshot brings a contact in step with as few calls as its snapshot allows. Where the snapshot is not enough,
// because something is to be written to HighLevel or the snapshot may be older than what is known, the contact is read
// as by [Engine.Sync].
func (e *Engine) SyncSnapshot(ctx context.Context, run *queue.Run, s Snapshot) error {
	l := e.location(run.Location)
	if l == nil {
		return &queue.WaitError{After: time.Minute, Reason: "this process does not serve the location"}
	}
	for try := 1; ; try++ {
		err := e.syncContact(ctx, run, l.reading(s), run.ID, queue.Everything)
		if errors.Is(err, errStale) || errors.Is(err, errChanged) { // reading again finds what else is wrong
			return e.Sync(ctx, run)
		}
		var wait *queue.WaitError
		if !errors.As(err, &wait) || wait.Reason != joining || try == 20 {
			return err
		}
		select { // what it waits for is short, and a later run would have no snapshot
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s Snapshot) contact(context.Context, *Location, string) (*ghl.Contact, error) {
	return s.Contact, nil
}

func (s Snapshot) children(ctx context.Context, l *Location, f *family, contact string) ([]child, coverage, error) {
	switch {
	case f.kind == pluvo.KindTask:
		return children(l, s.Tasks, contact, taskChild), some, nil
	case f.kind == pluvo.KindAppointment:
		return children(l, s.Appointments, contact, appointmentChild), some, nil
	case !s.Notes:
		return nil, unknown, nil
	}
	list, err := f.list(ctx, l, contact, ghl.CallBackground())
	return list, all, err
}

func (Snapshot) writable() error { return errStale }

// errDoubt means that what a list shows may be older than what is known.
var errDoubt = fmt.Errorf("a list may be older than the last reading: %w", errStale)

func (Snapshot) fresh(string, time.Time) bool { return false }

// doubt is errDoubt if a record in a list may be older than what is known of it: it differs from what was last seen,
// and does not say that it was changed after that. Clocks differ, so a change soon after is in doubt too.
func (e *Engine) doubt(l *Location, k *link, is pluvo.Record, updated time.Time) error {
	if k.ghl == nil || l.from.fresh(k.contact, k.at) || updated.After(k.at.Add(clockSkew)) ||
		!e.edited(l, GHL, k.ghl, is) {
		return nil
	}
	return errDoubt
}
