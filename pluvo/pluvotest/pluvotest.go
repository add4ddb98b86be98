// Package pluvotest checks that an implementation of [pluvo.Store] keeps the contract:
//
//	func TestMyStore(t *testing.T) {
//		pluvotest.TestStore(t, func() pluvo.Store { return openEmptyStore(t) })
//	}
//
// It imports no test framework, so a program may run the same checks with [Run].
package pluvotest

import (
	"context"

	"github.com/pluvo/ghl/pluvo"
)

// T is what [TestStore] needs of a test; [*testing.T] and [*testing.B] have it.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
}

// TestStore fails the test with a line for each check that a store does not pass. Open is called once for each check and
// returns an empty store, or a part of one in which nobody else writes.
func TestStore(t T, open func() pluvo.Store) {
	t.Helper()
	for _, r := range Run(t.Context(), open) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
}

// Result is the outcome of a check.
type Result struct {
	// Name is what a store must do.
	Name string
	// Err is what it did instead; nil when it passed.
	Err error
}

// Run runs every check, each on a store of its own, and returns their results in a fixed order.
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
	{"every kind of record is read as it was written", readsWhatWasWritten},
	{"a record that is not there is ErrNotFound", missing},
	{"what the store takes and gives are copies", copies},
	{"times keep their instant", instants},
	{"any text comes back unchanged", anyText},
	{"what is written in another way is another record, tag or field", anyID},
	{"an invalid record is refused and not written", invalid},
	{"a write expects a version", versions},
	{"a write that changes nothing is no change", quiet},
	{"of several writers that want the same, one wins", oneWins},
	{"a record is found by its origin", origins},
	{"what belongs to a contact needs it", owners},
	{"a contact is read with all that belongs to it", full},
	{"a record that moves to another contact belongs to that one", moves},
	{"a deletion deletes, and a contact's all that belongs to it", deletes},
	{"nothing outlives its contact, also when written at the same moment", orphans},
	{"changes come in order, each record at its last state", changes},
	{"changes are read page by page", pages},
	{"a deletion is a change", deletionIsChange},
	{"changes made at one moment are read page by page", oneMoment},
	{"changes are not missed while others write", changesUnderLoad},
	{"a cursor stays good, and a wrong one is refused", cursors},
	{"an ended context is obeyed", ended},
}
