package pluvotest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/pluvo/ghl/pluvo"
)

func oneWins(ctx context.Context, s pluvo.Store) error {
	for round := range 8 {
		if err := race(ctx, s, strconv.Itoa(round)); err != nil {
			return err
		}
	}
	return nil
}

// race has several writers update a record at one version, create one record, and use one origin, all at the same time.
func race(ctx context.Context, s pluvo.Store, id string) error {
	version, err := s.Put(ctx, contact("old"+id), pluvo.NoVersion)
	if err != nil {
		return err
	}
	const writers = 6
	var updates, creations, origins [writers]error
	var group sync.WaitGroup
	for i := range writers {
		name := strconv.Itoa(i)
		group.Go(func() {
			c := contact("old" + id)
			c.FirstName = name
			_, updates[i] = s.Put(ctx, c, version)
		})
		group.Go(func() {
			c := contact("new" + id)
			c.FirstName = name
			_, creations[i] = s.Put(ctx, c, pluvo.NoVersion)
		})
		group.Go(func() {
			c := contact("one-of-many-" + id + "-" + name)
			c.Origin = origin("the same " + id)
			_, origins[i] = s.Put(ctx, c, pluvo.NoVersion)
		})
	}
	group.Wait()
	return errors.Join(
		oneWinner("update a record at one version", updates[:], pluvo.ErrConflict),
		oneWinner("create one record", creations[:], pluvo.ErrConflict),
		oneWinner("use one origin", origins[:], pluvo.ErrOriginTaken),
	)
}

// oneWinner returns an error unless exactly one of the writers succeeded and all others failed with the error lost.
func oneWinner(what string, errs []error, lost error) error {
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, lost):
			return fmt.Errorf("writers that %s: %w", what, err)
		}
	}
	if won != 1 {
		return fmt.Errorf("of %d writers that %s, %d succeeded", len(errs), what, won)
	}
	return nil
}

// orphans deletes a contact while others write records that belong to it.
func orphans(ctx context.Context, s pluvo.Store) error {
	const writers = 4
	for round := range 8 {
		owner := "c" + strconv.Itoa(round)
		if err := putAll(ctx, s, contact(owner)); err != nil {
			return err
		}
		var errs [writers + 1]error
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				for n := range 3 {
					_, err := s.Put(ctx, task(taskOf(owner, i, n), owner), pluvo.NoVersion)
					if err != nil && !errors.Is(err, pluvo.ErrNoOwner) {
						errs[i] = err
					}
				}
			})
		}
		group.Go(func() { errs[writers] = s.Delete(ctx, pluvo.KindContact, owner, pluvo.AnyVersion) })
		group.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		for i := range writers {
			for n := range 3 {
				if _, _, err := s.Get(ctx, pluvo.KindTask, taskOf(owner, i, n)); !errors.Is(err, pluvo.ErrNotFound) {
					return want("Get of a task whose contact was deleted at the same time", err, pluvo.ErrNotFound)
				}
			}
		}
	}
	list, err := read(ctx, s, "", 50)
	if err != nil {
		return err
	}
	for _, c := range latest(list) {
		if !c.Deleted() {
			return fmt.Errorf("%s %s was deleted, but its last change is not a deletion", c.Kind, c.ID)
		}
	}
	return nil
}

func taskOf(owner string, writer, n int) string { return fmt.Sprintf("%s/%d/%d", owner, writer, n) }

// changesUnderLoad runs short and long writes concurrently, so that they end in another order than they began, while
// readers follow the changes.
func changesUnderLoad(ctx context.Context, s pluvo.Store) error {
	const writers = 5
	var group sync.WaitGroup
	errs := make([]error, writers+2)
	written := make(chan struct{})
	for w := range writers {
		group.Go(func() { errs[w] = writeRecords(ctx, s, strconv.Itoa(w)) })
	}
	go func() { group.Wait(); close(written) }()

	var readers sync.WaitGroup
	var seen [2]map[string]pluvo.Change
	readers.Go(func() {
		seen[0], errs[writers] = follow(ctx, s, written, func(p *pluvo.ChangePage) pluvo.Cursor { return p.Next })
	})
	readers.Go(func() { // continues from the middle of each page
		seen[1], errs[writers+1] = follow(ctx, s, written, func(p *pluvo.ChangePage) pluvo.Cursor {
			if len(p.Changes) == 0 {
				return p.Next
			}
			return p.Changes[len(p.Changes)/2].Cursor
		})
	})
	readers.Wait()
	<-written // a reader that failed has not waited for it
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, last := range seen {
		for w := range writers {
			for _, k := range idsOf(strconv.Itoa(w)) {
				stored, _, err := s.Get(ctx, k.kind, k.id)
				change, ok := last[string(k.kind)+"/"+k.id]
				switch {
				case !ok:
					return fmt.Errorf("%s %s was written, but no change reported it", k.kind, k.id)
				case errors.Is(err, pluvo.ErrNotFound):
					if !change.Deleted() {
						return fmt.Errorf("%s %s was deleted, but its last change is not a deletion", k.kind, k.id)
					}
				case err != nil:
					return err
				default:
					if err := same("the last change that was read", change.Record, stored); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

type recordID struct {
	kind pluvo.Kind
	id   string
}

// idsOf returns the ids of the records that writeRecords writes.
func idsOf(writer string) []recordID {
	list := []recordID{{pluvo.KindContact, "big" + writer}}
	for i := range 5 {
		list = append(list, recordID{pluvo.KindTask, "t" + writer + strconv.Itoa(i)})
		for round := range 3 {
			list = append(list, recordID{pluvo.KindContact, small(writer, round, i)})
		}
	}
	return list
}

// small returns the id of a contact that is written only once, so that no later change hides a missed one.
func small(writer string, round, i int) string { return fmt.Sprintf("small%s-%d-%d", writer, round, i) }

// writeRecords writes and deletes records of its own.
func writeRecords(ctx context.Context, s pluvo.Store, writer string) error {
	for round := range 3 {
		big := "big" + writer
		if _, err := s.Put(ctx, &pluvo.Contact{ID: big, FirstName: strconv.Itoa(round)}, pluvo.AnyVersion); err != nil {
			return err
		}
		for i := range 5 {
			n := strconv.Itoa(i)
			t := &pluvo.Task{ID: "t" + writer + n, ContactID: big, Title: strconv.Itoa(round)}
			if _, err := s.Put(ctx, t, pluvo.AnyVersion); err != nil {
				return err
			}
			if _, err := s.Put(ctx, &pluvo.Contact{ID: small(writer, round, i)}, pluvo.NoVersion); err != nil {
				return err
			}
		}
		if round < 2 { // the records of the last round are not deleted
			if err := s.Delete(ctx, pluvo.KindContact, big, pluvo.AnyVersion); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow reads the changes until all records are written and no change is left, and returns the last change of each
// record. Next returns the cursor to continue from after a page.
func follow(
	ctx context.Context,
	s pluvo.Store,
	written <-chan struct{},
	next func(*pluvo.ChangePage) pluvo.Cursor,
) (map[string]pluvo.Change, error) {
	last, at := map[string]pluvo.Change{}, pluvo.Cursor("")
	for {
		done := false
		select {
		case <-written:
			done = true
		default:
		}
		page, err := s.Changes(ctx, at, 3)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Changes {
			last[string(c.Kind)+"/"+c.ID] = c
		}
		if len(page.Changes) == 0 && !page.More {
			if done {
				return last, nil
			}
			runtime.Gosched()
		}
		at = next(page)
	}
}
