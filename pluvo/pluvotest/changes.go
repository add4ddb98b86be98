package pluvotest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/pluvo/ghl/pluvo"
)

func changes(ctx context.Context, s pluvo.Store) error {
	empty, err := s.Changes(ctx, "", 0)
	if err != nil {
		return err
	}
	if len(empty.Changes) != 0 || empty.More {
		return errors.New("an empty store has changes")
	}
	if err := putAll(ctx, s, oneOfEach()...); err != nil {
		return err
	}
	changed := contact("c1")
	changed.Stage = "customer"
	version, err := s.Put(ctx, changed, pluvo.AnyVersion)
	if err != nil {
		return err
	}
	list, err := read(ctx, s, empty.Next, 100)
	if err != nil {
		return err
	}
	last := latest(list)
	order := []string{"appointment/a1", "task/t1", "note/n1", "contact/c1"}
	if err := sameNames("the last change of each record", ids(last), order); err != nil {
		return err
	}
	expected := append(oneOfEach()[1:], changed)
	for i, c := range last {
		if err := same("a change", c.Record, expected[i]); err != nil {
			return err
		}
		if c.Owner != "c1" || c.Origin != expected[i].From() {
			return fmt.Errorf("a change has the owner %q and the origin %+v", c.Owner, c.Origin)
		}
	}
	if last[3].Version != version {
		return fmt.Errorf("the change has the version %q instead of %q", last[3].Version, version)
	}
	return nil
}

// latest returns the last change of each record.
func latest(list []pluvo.Change) []pluvo.Change {
	var last []pluvo.Change
	for i, c := range list {
		same := func(later pluvo.Change) bool { return later.Kind == c.Kind && later.ID == c.ID }
		if !slices.ContainsFunc(list[i+1:], same) {
			last = append(last, c)
		}
	}
	return last
}

// read returns all changes after a cursor, read page by page.
func read(ctx context.Context, s pluvo.Store, after pluvo.Cursor, limit int) ([]pluvo.Change, error) {
	var list []pluvo.Change
	for range 10000 {
		page, err := s.Changes(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		if len(page.Changes) > limit {
			return nil, fmt.Errorf("a page of at most %d has %d changes", limit, len(page.Changes))
		}
		list = append(list, page.Changes...)
		if !page.More {
			return list, nil
		}
		if len(page.Changes) == 0 || page.Next == after {
			return nil, errors.New("the page reports further changes, but is empty or has an unchanged cursor")
		}
		after = page.Next
	}
	return nil, errors.New("the changes do not end")
}

func pages(ctx context.Context, s pluvo.Store) error {
	var expected []string
	for i := range 7 {
		id := "c" + strconv.Itoa(i)
		if err := putAll(ctx, s, contact(id)); err != nil {
			return err
		}
		expected = append(expected, "contact/"+id)
	}
	for _, limit := range []int{1, 2, 3, 7, 100} {
		list, err := read(ctx, s, "", limit)
		if err != nil {
			return err
		}
		if err := sameNames(fmt.Sprintf("in pages of %d", limit), ids(list), expected); err != nil {
			return err
		}
	}
	list, err := read(ctx, s, "", 100)
	if err != nil {
		return err
	}
	for i, c := range list {
		rest, err := read(ctx, s, c.Cursor, 100)
		if err != nil {
			return err
		}
		if err := sameNames("after one change", ids(rest), expected[i+1:]); err != nil {
			return err
		}
	}
	return nil
}

func deletionIsChange(ctx context.Context, s pluvo.Store) error {
	if err := putAll(ctx, s, oneOfEach()...); err != nil {
		return err
	}
	before, err := s.Changes(ctx, "", 100)
	if err != nil {
		return err
	}
	if err := s.Delete(ctx, pluvo.KindContact, "c1", pluvo.AnyVersion); err != nil {
		return err
	}
	list, err := read(ctx, s, before.Next, 100)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Owner != "c1" || c.Origin != origin(c.ID) {
			return fmt.Errorf("a deletion has the owner %q and the origin %+v", c.Owner, c.Origin)
		}
	}
	got := ids(list)
	slices.Sort(got)
	deleted := []string{"-appointment/a1", "-contact/c1", "-note/n1", "-task/t1"}
	if err := sameNames("after the contact was deleted", got, deleted); err != nil {
		return err
	}
	// From the beginning, the records may be reported as deleted or not at all.
	list, err = read(ctx, s, "", 100)
	if err != nil {
		return err
	}
	for _, c := range latest(list) {
		if !c.Deleted() {
			return fmt.Errorf("%s %s was deleted, but its last change is not a deletion", c.Kind, c.ID)
		}
	}
	if err := putAll(ctx, s, contact("c1")); err != nil {
		return fmt.Errorf("created again: %w", err)
	}
	if list, err = read(ctx, s, "", 100); err != nil {
		return err
	}
	got = ids(latest(list))
	if len(got) == 0 || got[len(got)-1] != "contact/c1" {
		return fmt.Errorf("after the contact was created again the changes are %v", got)
	}
	return nil
}

// changesOfOneWrite reads changes that a single write makes. A store may give them the same time or number.
func changesOfOneWrite(ctx context.Context, s pluvo.Store) error {
	if err := putAll(ctx, s, contact("c1")); err != nil {
		return err
	}
	expected := []string{"-contact/c1"}
	for i := range 9 {
		id := strconv.Itoa(i)
		if err := putAll(ctx, s, task(id, "c1")); err != nil {
			return err
		}
		expected = append(expected, "-task/"+id)
	}
	before, err := s.Changes(ctx, "", 1000)
	if err != nil {
		return err
	}
	if err := s.Delete(ctx, pluvo.KindContact, "c1", pluvo.AnyVersion); err != nil {
		return err
	}
	slices.Sort(expected)
	for _, limit := range []int{1, 2, 3, 4} {
		list, err := read(ctx, s, before.Next, limit)
		if err != nil {
			return err
		}
		names := ids(list)
		slices.Sort(names)
		what := fmt.Sprintf("a contact deleted with its records, in pages of %d", limit)
		if err := sameNames(what, names, expected); err != nil {
			return err
		}
		for i, c := range list {
			rest, err := read(ctx, s, c.Cursor, 100)
			if err != nil {
				return err
			}
			if err := sameNames("after one of several changes of one write", ids(rest), ids(list[i+1:])); err != nil {
				return err
			}
		}
	}
	return nil
}

func cursors(ctx context.Context, s pluvo.Store) error {
	if err := putAll(ctx, s, contact("c1"), contact("c2")); err != nil {
		return err
	}
	page, err := s.Changes(ctx, "", 1)
	if err != nil {
		return err
	}
	if len(page.Changes) != 1 || !page.More || page.Next != page.Changes[0].Cursor {
		return errors.New("the first page with a limit of 1 must have one change, More, and its cursor as Next")
	}
	early := page.Next
	for i := range 200 { // many changes meanwhile
		c := contact("c3")
		c.Stage = strconv.Itoa(i)
		if _, err := s.Put(ctx, c, pluvo.AnyVersion); err != nil {
			return err
		}
	}
	for range 2 { // a cursor can be used again
		list, err := read(ctx, s, early, 50)
		if err != nil {
			return err
		}
		later := []string{"contact/c2", "contact/c3"}
		if err := sameNames("after an old cursor", ids(latest(list)), later); err != nil {
			return err
		}
	}
	end, err := s.Changes(ctx, early, 1000)
	if err != nil {
		return err
	}
	for range 2 {
		rest, err := s.Changes(ctx, end.Next, 10)
		if err != nil {
			return err
		}
		if len(rest.Changes) != 0 || rest.More {
			return errors.New("there are changes after the last one")
		}
		end = rest
	}
	_, err = s.Changes(ctx, "not a cursor", 10)
	return want("Changes after a wrong cursor", err, pluvo.ErrBadCursor)
}
