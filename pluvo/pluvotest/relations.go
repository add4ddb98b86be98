package pluvotest

import (
	"context"
	"errors"
	"fmt"

	"github.com/pluvo/ghl/pluvo"
)

// putAll creates records.
func putAll(ctx context.Context, s pluvo.Store, records ...pluvo.Record) error {
	for _, r := range records {
		if _, err := s.Put(ctx, r, pluvo.NoVersion); err != nil {
			return err
		}
	}
	return nil
}

func origins(ctx context.Context, s pluvo.Store) error {
	records := oneOfEach()
	if err := putAll(ctx, s, records...); err != nil {
		return err
	}
	for _, r := range records {
		got, version, err := s.Find(ctx, r.Kind(), r.From())
		if err != nil {
			return err
		}
		if err := same("found", got, r); err != nil {
			return err
		}
		if _, read, err := s.Get(ctx, r.Kind(), r.Key()); err != nil || read != version {
			return fmt.Errorf("found at version %q, read at %q (error %v)", version, read, err)
		}
	}
	otherLocation := origin("c1")
	otherLocation.Location = "loc-2"
	_, _, otherErr := s.Find(ctx, pluvo.KindContact, otherLocation)
	second := contact("c2")
	second.Origin = origin("c1")
	_, takenErr := s.Put(ctx, second, pluvo.NoVersion)
	if err := errors.Join(
		want("Find in another location", otherErr, pluvo.ErrNotFound),
		want("Put of a second record with the same origin", takenErr, pluvo.ErrOriginTaken),
	); err != nil {
		return err
	}
	second.Origin = otherLocation
	local := &pluvo.Contact{ID: "without origin 1"}
	another := &pluvo.Contact{ID: "without origin 2"}
	if err := putAll(ctx, s, second, local, another); err != nil {
		return fmt.Errorf("the same id in another location, and two without an origin: %w", err)
	}
	if _, _, err := s.Find(ctx, pluvo.KindContact, pluvo.Origin{}); !errors.Is(err, pluvo.ErrNotFound) {
		return want("Find of the zero origin", err, pluvo.ErrNotFound)
	}
	moved := contact("c1")
	moved.Origin = origin("moved")
	if _, err := s.Put(ctx, moved, pluvo.AnyVersion); err != nil {
		return err
	}
	_, _, oldErr := s.Find(ctx, pluvo.KindContact, origin("c1"))
	got, _, err := s.Find(ctx, pluvo.KindContact, origin("moved"))
	if err := errors.Join(want("Find of a record's former origin", oldErr, pluvo.ErrNotFound), err); err != nil {
		return err
	}
	if err := same("with a new origin", got, moved); err != nil {
		return err
	}
	heir := contact("c3") // the former origin may be used again
	heir.Origin = origin("c1")
	if err := putAll(ctx, s, heir); err != nil {
		return fmt.Errorf("with the former origin of another record: %w", err)
	}
	if err := s.Delete(ctx, pluvo.KindContact, "c3", pluvo.AnyVersion); err != nil {
		return err
	}
	heir.ID = "c4"
	if err := putAll(ctx, s, heir); err != nil {
		return fmt.Errorf("with the origin of a deleted record: %w", err)
	}
	return nil
}

func owners(ctx context.Context, s pluvo.Store) error {
	var errs []error
	for _, r := range oneOfEach()[1:] {
		_, err := s.Put(ctx, r, pluvo.NoVersion)
		errs = append(errs, want("Put of a "+string(r.Kind()), err, pluvo.ErrNoOwner))
	}
	return errors.Join(append(errs, putAll(ctx, s, oneOfEach()...))...)
}

func full(ctx context.Context, s pluvo.Store) error {
	if err := putAll(ctx, s, append(oneOfEach(), contact("c2"), task("t2", "c2"), task("t3", "c1"))...); err != nil {
		return err
	}
	got, err := s.Full(ctx, "c1")
	if err != nil {
		return err
	}
	if len(got.Tasks) != 2 || len(got.Notes) != 1 || len(got.Appointments) != 1 {
		return fmt.Errorf("got %d tasks, %d notes and %d appointments instead of 2, 1 and 1",
			len(got.Tasks), len(got.Notes), len(got.Appointments))
	}
	expected := map[string]pluvo.Record{
		"c1": contact("c1"),
		"a1": appointment("a1", "c1"),
		"t1": task("t1", "c1"),
		"t3": task("t3", "c1"),
		"n1": note("n1", "c1"),
	}
	for _, r := range got.Records() {
		if err := same("Full", r, expected[r.Key()]); err != nil {
			return err
		}
		delete(expected, r.Key())
	}
	if len(expected) != 0 {
		return fmt.Errorf("%d records are missing", len(expected))
	}
	return nil
}

func deletes(ctx context.Context, s pluvo.Store) error {
	if err := putAll(ctx, s, append(oneOfEach(), task("t2", "c1"), contact("c2"), task("t3", "c2"))...); err != nil {
		return err
	}
	_, version, err := s.Get(ctx, pluvo.KindTask, "t2")
	if err != nil {
		return err
	}
	if err := s.Delete(ctx, pluvo.KindTask, "t2", version); err != nil {
		return err
	}
	_, _, err = s.Get(ctx, pluvo.KindTask, "t2")
	_, _, findErr := s.Find(ctx, pluvo.KindTask, origin("t2"))
	if err := errors.Join(
		want("Get of a deleted record", err, pluvo.ErrNotFound),
		want("Find of a deleted record", findErr, pluvo.ErrNotFound),
		want("a second Delete", s.Delete(ctx, pluvo.KindTask, "t2", pluvo.AnyVersion), pluvo.ErrNotFound),
	); err != nil {
		return err
	}
	again := task("t2", "c1")
	if _, err := s.Put(ctx, again, version); !errors.Is(err, pluvo.ErrConflict) {
		return want("Put at the version before the deletion", err, pluvo.ErrConflict)
	}
	if _, err := s.Put(ctx, again, pluvo.NoVersion); err != nil {
		return fmt.Errorf("created again: %w", err)
	}
	again.Title = "Changed"
	if _, err := s.Put(ctx, again, version); !errors.Is(err, pluvo.ErrConflict) {
		return want("Put of a record that was created again, at a version before its deletion", err, pluvo.ErrConflict)
	}
	if err := s.Delete(ctx, pluvo.KindContact, "c1", pluvo.AnyVersion); err != nil {
		return err
	}
	for _, r := range append(oneOfEach(), again) {
		if _, _, err := s.Get(ctx, r.Kind(), r.Key()); !errors.Is(err, pluvo.ErrNotFound) {
			return want("Get of a "+string(r.Kind())+" of a deleted contact", err, pluvo.ErrNotFound)
		}
	}
	_, _, err = s.Get(ctx, pluvo.KindTask, "t3")
	return err
}

func moves(ctx context.Context, s pluvo.Store) error {
	if err := putAll(ctx, s, contact("c1"), contact("c2"), task("t1", "c1")); err != nil {
		return err
	}
	before, err := s.Changes(ctx, "", 10)
	if err != nil {
		return err
	}
	moved := task("t1", "c2")
	if _, err := s.Put(ctx, moved, pluvo.AnyVersion); err != nil {
		return err
	}
	for id, expected := range map[string]int{"c1": 0, "c2": 1} {
		full, err := s.Full(ctx, id)
		if err != nil {
			return err
		}
		if len(full.Tasks) != expected {
			return fmt.Errorf("contact %s has %d tasks instead of %d after a task moved from c1 to c2",
				id, len(full.Tasks), expected)
		}
	}
	page, err := s.Changes(ctx, before.Next, 10)
	if err != nil {
		return err
	}
	if len(page.Changes) != 1 || page.Changes[0].Owner != "c2" {
		return fmt.Errorf("after a task moved to contact c2 the changes are %v instead of one with the owner c2",
			ids(page.Changes))
	}
	if err := s.Delete(ctx, pluvo.KindContact, "c1", pluvo.AnyVersion); err != nil {
		return err
	}
	got, _, err := s.Get(ctx, pluvo.KindTask, "t1")
	if err != nil {
		return fmt.Errorf("a task that had moved was deleted with its former contact: %w", err)
	}
	return same("after its former contact was deleted", got, moved)
}
