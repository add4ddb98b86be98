package engine

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// source is where a run has HighLevel's side of a contact from.
type source interface {
	// contact gives the contact itself; an error of ghl.ErrNotFound says that there is none.
	contact(ctx context.Context, l *Location, id string) (*ghl.Contact, error)
	// children gives the records of one kind that belong to a contact.
	children(ctx context.Context, l *Location, f *family, contact string) ([]child, coverage, error)
	// writable is nil, or [errStale] if what the source gives is too old to write to HighLevel, or to delete, because
	// of it.
	writable() error
	// fresh reports whether what the source gives of a contact is surely not older than a time at which it was last
	// seen or written.
	fresh(contact string, seen time.Time) bool
}

// coverage says what a missing record means.
type coverage uint8

const (
	// unknown: nothing is said of this kind.
	unknown coverage = iota
	// some: what is there is there; of what is missing nothing is known.
	some
	// all: what is missing is not there.
	all
)

// errStale: HighLevel's side must be read before this is done.
var errStale = errors.New("what is known of HighLevel's side is too old for this")

// live reads HighLevel's records one contact at a time.
type live struct{ options []ghl.CallOption }

func liveFor(run *queue.Run) live {
	if run.Priority == queue.Background {
		return live{[]ghl.CallOption{ghl.CallBackground()}}
	}
	return live{}
}

func (s live) contact(ctx context.Context, l *Location, id string) (*ghl.Contact, error) {
	return l.Client.Contacts.Get(ctx, id, s.options...)
}

func (s live) children(ctx context.Context, l *Location, f *family, contact string) ([]child, coverage, error) {
	list, err := f.list(ctx, l, contact, s.options...)
	return list, all, err
}

func (live) writable() error { return nil }

func (live) fresh(string, time.Time) bool { return true }

// reading returns the location as a run sees it, whose records come from a source.
func (l *Location) reading(from source) *Location {
	view := *l
	view.from = from
	return &view
}
