package pluvo

import (
	"context"
	"errors"
)

// Errors of a [Store], for errors.Is. An invalid record is [ErrInvalid].
var (
	// ErrNotFound: there is no such record, or it was deleted.
	ErrNotFound = errors.New("no such record")
	// ErrConflict: the record is not at the expected version. Read it again and decide anew.
	ErrConflict = errors.New("the record has changed")
	// ErrNoOwner: the contact that the record belongs to is not there. Write it first.
	ErrNoOwner = errors.New("the record's contact is missing")
	// ErrOriginTaken: another record of the kind has the same origin.
	ErrOriginTaken = errors.New("another record has this origin")
	// ErrBadCursor: the cursor is none of this store's.
	ErrBadCursor = errors.New("no cursor of this store")
)

// Version is a state of a record. It changes with each write that changes the record. Its text means something to the store
// only.
type Version string

// What a write may expect instead of a version that was read.
const (
	// NoVersion: the record is not there.
	NoVersion Version = ""
	// AnyVersion: whatever is there, or nothing.
	AnyVersion Version = "*"
)

// Cursor is a place in a store's changes. Its text means something to the store only; keep it as it is. The zero value is
// the beginning.
type Cursor string

// Change is a record that was written or deleted.
type Change struct {
	Kind Kind
	ID   string
	// Record is the record as it was when the change was read, at its Version; nil if it was deleted.
	Record  Record
	Version Version
	// Owner and Origin are those of the record, also of one that was deleted.
	Owner  string
	Origin Origin
	// Cursor is the place behind this change: reading on from there does not repeat it.
	Cursor Cursor
}

// Deleted reports whether the record was deleted.
func (c *Change) Deleted() bool { return c.Record == nil }

// ChangePage is a part of the changes.
type ChangePage struct {
	Changes []Change
	// Next is the place behind the page. On an empty page it is the place that was asked for, or one that is as good.
	Next Cursor
	// More reports whether there were further changes when the page was read.
	More bool
}

// Store keeps the records of one Pluvo. The Pluvo side implements it; package pluvotest checks an implementation.
//
// A store is safe for concurrent use. What it takes and gives are copies. Its writes are durable when they return, and each
// happens wholly or not at all. It keeps any text as it is, and times to the microsecond at least.
type Store interface {
	// Get reads a record and its version. If it is not there, the error is [ErrNotFound].
	Get(ctx context.Context, kind Kind, id string) (Record, Version, error)

	// Find reads the record of a kind that came from a place: [ErrNotFound] if there is none. It is how a record is found
	// again whose write was answered by nobody.
	Find(ctx context.Context, kind Kind, origin Origin) (Record, Version, error)

	// Full reads a contact with all that belongs to it; [ErrNotFound] if there is no such contact.
	Full(ctx context.Context, contactID string) (*FullContact, error)

	// Put writes a record as a whole and returns its version. Expect says what must be there, else nothing is written and
	// the error is [ErrConflict]: [NoVersion] makes a new record, a version that was read changes just that, [AnyVersion]
	// writes in any case. A record that does not pass [Record.Validate] is [ErrInvalid]; one whose contact is not there is
	// [ErrNoOwner]; a second one of the same origin is [ErrOriginTaken].
	//
	// A write that changes nothing (see [Equal]) keeps the version and is no change.
	Put(ctx context.Context, r Record, expect Version) (Version, error)

	// Delete deletes a record, and with a contact all that belongs to it. Expect as in Put; a record that is not there is
	// [ErrNotFound] whatever is expected. A record may be made anew under the id of a deleted one.
	Delete(ctx context.Context, kind Kind, id string, expect Version) error

	// Changes reads what was written and deleted behind a cursor, oldest first, at most limit changes (0 leaves it to the
	// store). A record that changed several times may come once, at its last change. Whoever reads page by page, each from
	// the Next of the one before, misses nothing, also while others write: no change ever appears before a cursor that was
	// given out. A cursor stays good; one that is none of the store's is [ErrBadCursor].
	Changes(ctx context.Context, after Cursor, limit int) (*ChangePage, error)
}
