// Package pluvotest tests an implementation of [pluvo.Store]:
//
//	func TestMyStore(t *testing.T) {
//		pluvotest.TestStore(t, func() pluvo.Store { return openEmptyStore(t) })
//	}
//
// The package imports no test framework, so that a program can run the same checks with [Run].
package pluvotest

import (
	"context"

	"github.com/pluvo/ghl/pluvo"
)

// T is the part of a test that [TestStore] uses. [*testing.T] and [*testing.B] implement it.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
}

// TestStore runs every check and reports an error for each that fails. It calls open once for each check. Open must
// return an empty store, or an empty part of one, to which no other caller writes.
func TestStore(t T, open func() pluvo.Store) {
	t.Helper()
	for _, r := range Run(t.Context(), open) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
}

// Result is the result of one check.
type Result struct {
	// Name describes what a store must do.
	Name string
	// Err describes what the store did instead; nil when the check passed.
	Err error
}

// Run runs every check, each with its own call of open, and returns the results in a fixed order.
func Run(ctx context.Context, open func() pluvo.Store) []Result {
	results := make([]Result, len(checks))
	for i, c := range checks {
		results[i] = Result{c.name, c.run(ctx, open())}
	}
	return results
}

type check struct {
	name string
	run  func(ctx context.Context, s pluvo.Store) error
}

var checks = []check{
	{"a record of every kind is read as it was written", readsWhatWasWritten},
	{"a missing record is ErrNotFound", missing},
	{"the store copies the records that it receives and returns", copies},
	{"times are preserved to the microsecond", instants},
	{"any text is preserved unchanged", anyText},
	{"ids, tags and fields that differ in case, spaces or normalization are distinct", anyID},
	{"an invalid record is refused and not written", invalid},
	{"a write at another version is ErrConflict", versions},
	{"a write that changes nothing is not reported as a change", quiet},
	{"exactly one of several conflicting writers wins", oneWins},
	{"a record is found by its origin", origins},
	{"a record whose contact does not exist is ErrNoOwner", owners},
	{"a contact is read with the records that belong to it", full},
	{"a record can move to another contact", moves},
	{"a deletion of a contact deletes the records that belong to it", deletes},
	{"no record outlives its contact, even if both are written concurrently", orphans},
	{"changes are in order, each with the record's last state", changes},
	{"changes are read page by page", pages},
	{"a deletion is reported as a change", deletionIsChange},
	{"changes of one write are read page by page", changesOfOneWrite},
	{"no change is missed while others write", changesUnderLoad},
	{"a cursor remains valid, and a wrong one is ErrBadCursor", cursors},
	{"an ended context is an error", ended},
}
