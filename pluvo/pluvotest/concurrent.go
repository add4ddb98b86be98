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

// race lets several writers want the same: to change a record from one version, to make a record, to take an origin.
func race(ctx context.Context, s pluvo.Store, id string) error {
	version, err := s.Put(ctx, contact("old"+id), pluvo.NoVersion)
	if err != nil {
		return err
	}
	const writers = 6
	var changing, making, taking [writers]error
	var group sync.WaitGroup
	for i := range writers {
		name := strconv.Itoa(i)
		group.Go(func() {
			c := contact("old" + id)
			c.FirstName = name
			_, changing[i] = s.Put(ctx, c, version)
		})
		group.Go(func() {
			c := contact("new" + id)
			c.FirstName = name
			_, making[i] = s.Put(ctx, c, pluvo.NoVersion)
		})
		group.Go(func() {
			c := contact("one-of-many-" + id + "-" + name)
			c.Origin = origin("the same " + id)
			_, taking[i] = s.Put(ctx, c, pluvo.NoVersion)
		})
	}
	group.Wait()
	return errors.Join(winner("change a record from one version", changing[:], pluvo.ErrConflict),
		winner("make one record", making[:], pluvo.ErrConflict), winner("take one origin", taking[:], pluvo.ErrOriginTaken))
}

// winner says that not exactly one has won, or that another lost for another reason.
func winner(what string, errs []error, lost error) error {
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, lost):
			return fmt.Errorf("to %s: %w", what, err)
		}
	}
	if won != 1 {
		return fmt.Errorf("of %d writers that want to %s, %d won", len(errs), what, won)
	}
	return nil
}

// orphans deletes a contact while others write what belongs to it.
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
					return want("Get of a task whose contact was deleted meanwhile", err, pluvo.ErrNotFound)
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
			return fmt.Errorf("the last change of %s %s does not say that it is deleted", c.Kind, c.ID)
		}
	}
	return nil
}

func taskOf(owner string, writer, n int) string { return fmt.Sprintf("%s/%d/%d", owner, writer, n) }

// changesUnderLoad has short writes and long ones go on side by side, so that they end in another order than they began,
// while readers follow the changes all the time.
func changesUnderLoad(ctx context.Context, s pluvo.Store) error {
	const writers = 5
	var group sync.WaitGroup
	errs := make([]error, writers+2)
	written := make(chan struct{})
	for w := range writers {
		group.Go(func() { errs[w] = writeMuch(ctx, s, strconv.Itoa(w)) })
	}
	go func() { group.Wait(); close(written) }()

	var readers sync.WaitGroup
	var seen [2]map[string]pluvo.Change
	readers.Go(func() {
		seen[0], errs[writers] = follow(ctx, s, written, func(p *pluvo.ChangePage) pluvo.Cursor { return p.Next })
	})
	readers.Go(func() { // each page is read up to its middle only
		seen[1], errs[writers+1] = follow(ctx, s, written, func(p *pluvo.ChangePage) pluvo.Cursor {
			if len(p.Changes) == 0 {
				return p.Next
			}
			return p.Changes[len(p.Changes)/2].Cursor
		})
	})
	readers.Wait()
	<-written // a reader that failed did not wait
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
					return fmt.Errorf("%s %s was written, and no change said so", k.kind, k.id)
				case errors.Is(err, pluvo.ErrNotFound):
					if !change.Deleted() {
						return fmt.Errorf("%s %s was deleted, and the last change did not say so", k.kind, k.id)
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

// idsOf returns what writeMuch writes.
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

// small is the id of a contact that is written once, so that nothing makes up for a change that was missed.
func small(writer string, round, i int) string { return fmt.Sprintf("small%s-%d-%d", writer, round, i) }

// writeMuch writes and deletes, its own records only.
func writeMuch(ctx context.Context, s pluvo.Store, writer string) error {
	for round := range 3 {
		big := "big" + writer
		if _, err := s.Put(ctx, &pluvo.Contact{ID: big, FirstName: strconv.Itoa(round)}, pluvo.AnyVersion); err != nil {
			return err
		}
		for i := range 5 {
			n := strconv.Itoa(i)
			if _, err := s.Put(ctx, &pluvo.Task{ID: "t" + writer + n, ContactID: big, Title: strconv.Itoa(round)}, pluvo.AnyVersion); err != nil {
				return err
			}
			if _, err := s.Put(ctx, &pluvo.Contact{ID: small(writer, round, i)}, pluvo.NoVersion); err != nil {
				return err
			}
		}
		if round < 2 { // the last ones stay
			if err := s.Delete(ctx, pluvo.KindContact, big, pluvo.AnyVersion); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow reads the changes until there are no more after all was written, and returns the last of each record. To says where
// to read on behind a page.
func follow(ctx context.Context, s pluvo.Store, written <-chan struct{}, to func(*pluvo.ChangePage) pluvo.Cursor) (map[string]pluvo.Change, error) {
	last, at := map[string]pluvo.Change{}, pluvo.Cursor("")
	for {
		over := false
		select {
		case <-written:
			over = true
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
			if over {
				return last, nil
			}
			runtime.Gosched()
		}
		at = to(page)
	}
}
