package pluvo

import (
	"context"
	"errors"
)

// Errors of a [Store], for errors.Is. An invalid record is [ErrInvalid].
var (
	// ErrNotFound means that the record does not exist or was deleted.
	ErrNotFound = errors.New("record not found")
	// ErrConflict means that the record is not at the expected version. Read the record again before writing it.
	ErrConflict = errors.New("the record is not at the expected version")
	// ErrNoOwner means that the contact that the record belongs to does not exist. Write the contact first.
	ErrNoOwner = errors.New("the record's contact does not exist")
	// ErrOriginTaken means that another record of the same kind has the same origin.
	ErrOriginTaken = errors.New("another record has the same origin")
	// ErrBadCursor means that the store did not issue the cursor.
	ErrBadCursor = errors.New("the cursor is not from this store")
)

// Version identifies a state of a record. Each write that changes the record changes its version. The text of a version
// has a meaning only to the store.
type Version string

// Special versions that a write may expect.
const (
	// NoVersion expects that the record does not exist.
	NoVersion Version = ""
	// AnyVersion expects nothing: the record may exist or not.
	AnyVersion Version = "*"
)

// Cursor is a position in a store's changes. Its text has a meaning only to the store and must be stored unchanged. The
// zero value is the beginning.
type Cursor string

// Change is a write or a deletion of a record.
type Change struct {
	Kind Kind
	ID   string
	// Record is the record as it was when the change was read, at its Version; nil if it was deleted.
	Record  Record
	Version Version
	// Owner and Origin are those of the record, or of the deleted record.
	Owner  string
	Origin Origin
	// Cursor is the position after this change. Reading from there does not repeat the change.
	Cursor Cursor
}

// Deleted reports whether the record was deleted.
func (c *Change) Deleted() bool { return c.Record == nil }

// ChangePage is one page of changes.
type ChangePage struct {
	Changes []Change
	// Next is the position after the page. On an empty page it is the position that was requested, or an equivalent
	// one.
	Next Cursor
	// More reports whether there were further changes when the page was read.
	More bool
}

// Store holds the records of one Pluvo. The Pluvo side implements it; package pluvotest tests an implementation.
//
// A store is safe for concurrent use. It copies the records that it receives and returns. Each write is atomic, and
// durable when it returns. A store preserves any text unchanged, and times at least to the microsecond.
type Store interface {
	// Get reads a record and its version. It returns [ErrNotFound] if the record does not exist.
	Get(ctx context.Context, kind Kind, id string) (Record, Version, error)

	// Find reads the record of a kind that has an origin. It returns [ErrNotFound] if no record has it. A caller uses
	// Find to look for a record after a write whose result is unknown.
	Find(ctx context.Context, kind Kind, origin Origin) (Record, Version, error)

	// Full reads a contact and the records that belong to it. It returns [ErrNotFound] if the contact does not exist.
	Full(ctx context.Context, contactID string) (*FullContact, error)

	// Put writes a whole record and returns its new version. It writes only if the record is at the expected version:
	// [NoVersion] creates a record, a version that was read replaces that version, and [AnyVersion] always writes.
	//
	// Put returns [ErrConflict] if the record is at another version, [ErrInvalid] if [Record.Validate] fails,
	// [ErrNoOwner] if the contact of the record does not exist, and [ErrOriginTaken] if another record has the same
	// origin.
	//
	// A write that changes nothing (see [Equal]) returns the current version and is not reported as a change.
	Put(ctx context.Context, r Record, expect Version) (Version, error)

	// Delete deletes a record; with a contact, it also deletes the records that belong to it. It returns
	// [ErrNotFound] if the record does not exist, whatever version is expected, and [ErrConflict] if it is at another
	// version (see Put). A new record may be created with the id of a deleted one.
	Delete(ctx context.Context, kind Kind, id string, expect Version) error

	// Changes reads the writes and deletions after a cursor, oldest first. It returns at most limit changes; with a
	// limit of 0 the store chooses. A record that changed several times may be reported once, at its last change.
	//
	// A caller that reads page by page, each from the Next of the previous page, misses no change, even while others
	// write: a store must not insert a change before a cursor that it has returned. A cursor does not expire. Changes
	// returns [ErrBadCursor] for a cursor that the store did not issue.
	Changes(ctx context.Context, after Cursor, limit int) (*ChangePage, error)
}
