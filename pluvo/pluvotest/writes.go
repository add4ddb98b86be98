package pluvotest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/pluvo"
)

func readsWhatWasWritten(ctx context.Context, s pluvo.Store) error {
	for _, r := range oneOfEach() {
		version, err := s.Put(ctx, r, pluvo.NoVersion)
		if err != nil {
			return err
		}
		got, readVersion, err := s.Get(ctx, r.Kind(), r.Key())
		if err != nil {
			return err
		}
		if version != readVersion || version == pluvo.NoVersion || version == pluvo.AnyVersion {
			return fmt.Errorf("%s: written as version %q, read as %q", r.Kind(), version, readVersion)
		}
		if err := same(string(r.Kind()), got, r); err != nil {
			return err
		}
	}
	bare := []pluvo.Record{
		&pluvo.Contact{ID: "bare"},
		&pluvo.Task{ID: "bare", ContactID: "bare", Title: "t", Completed: true},
		&pluvo.Note{ID: "bare", ContactID: "bare", Content: "c"},
		&pluvo.Appointment{ID: "bare", ContactID: "bare", Start: noon},
	}
	for _, r := range bare {
		if _, err := s.Put(ctx, r, pluvo.NoVersion); err != nil {
			return fmt.Errorf("a %s with its required fields only: %w", r.Kind(), err)
		}
		got, _, err := s.Get(ctx, r.Kind(), "bare")
		if err != nil {
			return err
		}
		if err := same("with its required fields only", got, r); err != nil {
			return err
		}
	}
	return nil
}

func missing(ctx context.Context, s pluvo.Store) error {
	_, _, getErr := s.Get(ctx, pluvo.KindContact, "missing")
	_, fullErr := s.Full(ctx, "missing")
	_, _, findErr := s.Find(ctx, pluvo.KindContact, origin("missing"))
	if _, err := s.Put(ctx, contact("c1"), pluvo.NoVersion); err != nil {
		return err
	}
	_, _, kindErr := s.Get(ctx, pluvo.KindTask, "c1")
	return errors.Join(
		want("Get", getErr, pluvo.ErrNotFound),
		want("Full", fullErr, pluvo.ErrNotFound),
		want("Find", findErr, pluvo.ErrNotFound),
		want("Get of another kind", kindErr, pluvo.ErrNotFound),
		want("Delete", s.Delete(ctx, pluvo.KindTask, "missing", pluvo.AnyVersion), pluvo.ErrNotFound),
		want("Delete with NoVersion", s.Delete(ctx, pluvo.KindTask, "missing", pluvo.NoVersion), pluvo.ErrNotFound),
	)
}

func copies(ctx context.Context, s pluvo.Store) error {
	mine := contact("c1")
	if _, err := s.Put(ctx, mine, pluvo.NoVersion); err != nil {
		return err
	}
	spoil := func(c *pluvo.Contact) {
		c.FirstName, c.Tags[0], c.Fields["shoe size"] = "changed", "changed", "changed"
	}
	spoil(mine)
	for range 2 { // the second time after a record that was returned has changed
		got, _, err := s.Get(ctx, pluvo.KindContact, "c1")
		if err != nil {
			return err
		}
		if err := same("after the caller changed the record", got, contact("c1")); err != nil {
			return err
		}
		spoil(got.(*pluvo.Contact))
	}
	page, err := s.Changes(ctx, "", 0)
	if err != nil || len(page.Changes) != 1 {
		return fmt.Errorf("expected one change (error %v)", err)
	}
	if err := same("a change", page.Changes[0].Record, contact("c1")); err != nil {
		return err
	}
	spoil(page.Changes[0].Record.(*pluvo.Contact))
	full, err := s.Full(ctx, "c1")
	if err != nil {
		return err
	}
	if err := same("after the caller changed the record of a change", &full.Contact, contact("c1")); err != nil {
		return err
	}
	spoil(&full.Contact)
	found, _, err := s.Find(ctx, pluvo.KindContact, origin("c1"))
	if err != nil {
		return err
	}
	if err := same("after the caller changed the result of Full", found, contact("c1")); err != nil {
		return err
	}
	spoil(found.(*pluvo.Contact))
	if err := reads(ctx, s, "after the caller changed the result of Find", contact("c1")); err != nil {
		return err
	}
	t, n, a := task("t1", "c1"), note("n1", "c1"), appointment("a1", "c1")
	if err := putAll(ctx, s, t, n, a); err != nil {
		return err
	}
	t.Title, n.Content, a.Title = "changed", "changed", "changed"
	for _, r := range oneOfEach()[1:] {
		if err := reads(ctx, s, "after the caller changed the record", r); err != nil {
			return err
		}
	}
	return nil
}

func instants(ctx context.Context, s pluvo.Store) error {
	if _, err := s.Put(ctx, contact("c1"), pluvo.NoVersion); err != nil {
		return err
	}
	east := time.FixedZone("", 5*3600+1800)
	for i, at := range []time.Time{
		noon.In(east), noon.Add(time.Microsecond), time.Unix(0, 0),
		time.Date(1969, 12, 31, 23, 59, 59, 999e6, time.UTC), time.Date(2100, 2, 28, 0, 0, 0, 0, east),
		time.Date(1, 1, 1, 0, 0, 0, 1e6, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	} {
		r := task("t"+strconv.Itoa(i), "c1")
		r.DueDate = at
		if _, err := s.Put(ctx, r, pluvo.NoVersion); err != nil {
			return err
		}
		n := note("n"+strconv.Itoa(i), "c1")
		n.CreatedAt = at
		a := appointment("a"+strconv.Itoa(i), "c1")
		a.Start, a.End = at, at
		if err := putAll(ctx, s, n, a); err != nil {
			return err
		}
		for _, r := range []pluvo.Record{r, n, a} {
			if err := reads(ctx, s, "a time", r); err != nil {
				return err
			}
		}
	}
	return nil
}

// reads returns an error unless Get returns the record as it was written.
func reads(ctx context.Context, s pluvo.Store, what string, r pluvo.Record) error {
	got, _, err := s.Get(ctx, r.Kind(), r.Key())
	if err != nil {
		return err
	}
	return same(what, got, r)
}

func anyText(ctx context.Context, s pluvo.Store) error {
	for i, text := range []string{
		" spaces around ", "line\nbreak\ttab", `quotes " ' \ and %s $1`,
		"naïve ŽLUŤOUČKÝ 漢字 👩‍👩‍👧 \u202e", "e\u0301 is not é", "a\x00b",
		"'; drop table contacts; --", strings.Repeat("long ", 2000), "\ufeff",
	} {
		id := "c" + strconv.Itoa(i)
		full := text + "x" + text // for fields that must not be blank
		records := []pluvo.Record{
			&pluvo.Contact{
				ID:        id,
				FirstName: text,
				LastName:  text,
				Phone:     text,
				Stage:     text,
				Tags:      []string{text + "x", "X" + text},
				Fields:    map[string]string{"x" + text: text},
			},
			&pluvo.Task{ID: id, ContactID: id, Title: full, Status: pluvo.TaskStatus(text)},
			&pluvo.Note{ID: id, ContactID: id, Content: full},
			&pluvo.Appointment{
				ID:             id,
				ContactID:      id,
				Title:          text,
				Start:          noon,
				Status:         pluvo.AppointmentStatus(text),
				AssignedUserID: text,
			},
		}
		if err := putAll(ctx, s, records...); err != nil {
			return err
		}
		for _, r := range records {
			if err := reads(ctx, s, "a text", r); err != nil {
				return err
			}
		}
	}
	return nil
}

// anyID writes ids, origins, tags and names that a database may treat as equal.
func anyID(ctx context.Context, s pluvo.Store) error {
	var records []pluvo.Record
	for _, id := range []string{"c", "C", "c ", " c", "\u00e9", "e\u0301", "c/1", "c%", "c_", "'", "0", "00"} {
		records = append(records,
			&pluvo.Contact{
				ID:     id,
				Origin: origin(id),
				Tags:   []string{"vip", "VIP", "vip "},
				Fields: map[string]string{"size": "1", "Size": "2"},
			},
			&pluvo.Task{ID: id, ContactID: id, Title: "t", Origin: origin(id)},
		)
	}
	if err := putAll(ctx, s, records...); err != nil {
		return err
	}
	for _, r := range records {
		if err := reads(ctx, s, "by its id", r); err != nil {
			return err
		}
		found, _, err := s.Find(ctx, r.Kind(), r.From())
		if err != nil {
			return err
		}
		if err := same("by its origin", found, r); err != nil {
			return err
		}
		full, err := s.Full(ctx, r.Owner())
		if err != nil {
			return err
		}
		if len(full.Tasks) != 1 || full.Tasks[0].ID != r.Owner() {
			return fmt.Errorf("the contact %q does not have exactly its own task", r.Owner())
		}
	}
	return nil
}

func invalid(ctx context.Context, s pluvo.Store) error {
	if _, err := s.Put(ctx, contact("c1"), pluvo.NoVersion); err != nil {
		return err
	}
	var errs []error
	for _, r := range []pluvo.Record{
		&pluvo.Contact{},
		&pluvo.Contact{ID: "bad", Email: "missing"},
		&pluvo.Contact{ID: "bad", Tags: []string{"a", "a"}},
		&pluvo.Contact{ID: "bad", Origin: pluvo.Origin{System: "highlevel"}},
		&pluvo.Contact{ID: "bad", FirstName: "\xff"},
		&pluvo.Task{ID: "bad", ContactID: "c1"},
		&pluvo.Task{ID: "bad", Title: "t"},
		&pluvo.Note{ID: "bad", ContactID: "c1"},
		&pluvo.Appointment{ID: "bad", ContactID: "c1"},
		&pluvo.Appointment{ID: "bad", ContactID: "c1", Start: noon, End: noon.Add(-1)},
	} {
		_, err := s.Put(ctx, r, pluvo.AnyVersion)
		errs = append(errs, want(fmt.Sprintf("Put of %+v", r), err, pluvo.ErrInvalid))
		var field *pluvo.FieldError
		if err != nil && !errors.As(err, &field) {
			errs = append(errs, fmt.Errorf("the error does not name a field: %w", err))
		}
		_, _, err = s.Get(ctx, r.Kind(), "bad")
		errs = append(errs, want("Get of a record that was refused", err, pluvo.ErrNotFound))
	}
	_, err := s.Put(ctx, nil, pluvo.AnyVersion)
	return errors.Join(append(errs, want("Put of nil", err, pluvo.ErrInvalid))...)
}

func versions(ctx context.Context, s pluvo.Store) error {
	c := contact("c1")
	if _, err := s.Put(ctx, c, "some version"); !errors.Is(err, pluvo.ErrConflict) {
		return want("Put of a new record at a version", err, pluvo.ErrConflict)
	}
	first, err := s.Put(ctx, c, pluvo.NoVersion)
	if err != nil {
		return err
	}
	if _, err := s.Put(ctx, contact("c1"), pluvo.NoVersion); !errors.Is(err, pluvo.ErrConflict) {
		return want("Put of an existing record with NoVersion", err, pluvo.ErrConflict)
	}
	c.FirstName = "Augusta"
	second, err := s.Put(ctx, c, first)
	if err != nil {
		return err
	}
	if second == first {
		return errors.New("a write that changed the record did not change its version")
	}
	before, err := s.Changes(ctx, "", 10)
	if err != nil {
		return err
	}
	old := contact("c1")
	_, stale := s.Put(ctx, old, first)
	deleteErr := s.Delete(ctx, pluvo.KindContact, "c1", first)
	noVersionErr := s.Delete(ctx, pluvo.KindContact, "c1", pluvo.NoVersion)
	if err := errors.Join(
		want("Put at an old version", stale, pluvo.ErrConflict),
		want("Delete at an old version", deleteErr, pluvo.ErrConflict),
		want("Delete with NoVersion", noVersionErr, pluvo.ErrConflict),
	); err != nil {
		return err
	}
	got, _, err := s.Get(ctx, pluvo.KindContact, "c1")
	if err != nil {
		return err
	}
	if err := same("after refused writes", got, c); err != nil {
		return err
	}
	after, err := s.Changes(ctx, before.Next, 10)
	if err != nil {
		return err
	}
	if err := sameNames("changes after refused writes", ids(after.Changes), []string{}); err != nil {
		return err
	}
	if _, err := s.Put(ctx, old, pluvo.AnyVersion); err != nil {
		return err
	}
	// The record equals its first state, but was written twice since.
	if _, err := s.Put(ctx, c, first); !errors.Is(err, pluvo.ErrConflict) {
		return want("Put at the version before a change and its reversal", err, pluvo.ErrConflict)
	}
	if got, _, err = s.Get(ctx, pluvo.KindContact, "c1"); err != nil {
		return err
	}
	return same("with AnyVersion", got, old)
}

func quiet(ctx context.Context, s pluvo.Store) error {
	records := oneOfEach()
	read := map[pluvo.Kind]pluvo.Version{}
	for _, r := range records {
		version, err := s.Put(ctx, r, pluvo.NoVersion)
		if err != nil {
			return err
		}
		read[r.Kind()] = version
	}
	before, err := s.Changes(ctx, "", 0)
	if err != nil {
		return err
	}
	records[0].(*pluvo.Contact).Tags = []string{"new", "vip"} // in another order
	records[1].(*pluvo.Appointment).Start = noon.In(time.FixedZone("", 3600))
	for _, expect := range []func(pluvo.Kind) pluvo.Version{
		func(pluvo.Kind) pluvo.Version { return pluvo.AnyVersion }, func(k pluvo.Kind) pluvo.Version { return read[k] },
	} {
		for _, r := range records {
			version, err := s.Put(ctx, r, expect(r.Kind()))
			if err != nil {
				return err
			}
			if version != read[r.Kind()] {
				return fmt.Errorf("%s: the version changed from %q to %q", r.Kind(), read[r.Kind()], version)
			}
		}
	}
	after, err := s.Changes(ctx, before.Next, 0)
	if err != nil {
		return err
	}
	return sameNames("changes after writing the same again", ids(after.Changes), []string{})
}

func ended(ctx context.Context, s pluvo.Store) error {
	if _, err := s.Put(ctx, contact("c1"), pluvo.NoVersion); err != nil {
		return err
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, putErr := s.Put(over, contact("c2"), pluvo.NoVersion)
	_, _, getErr := s.Get(over, pluvo.KindContact, "c1")
	_, _, findErr := s.Find(over, pluvo.KindContact, origin("c1"))
	_, fullErr := s.Full(over, "c1")
	_, changesErr := s.Changes(over, "", 0)
	deleteErr := s.Delete(over, pluvo.KindContact, "c1", pluvo.AnyVersion)
	_, _, err := s.Get(ctx, pluvo.KindContact, "c2")
	return errors.Join(
		want("Put", putErr, context.Canceled),
		want("Get", getErr, context.Canceled),
		want("Find", findErr, context.Canceled),
		want("Full", fullErr, context.Canceled),
		want("Changes", changesErr, context.Canceled),
		want("Delete", deleteErr, context.Canceled),
		want("Get of a record whose write failed", err, pluvo.ErrNotFound),
	)
}
