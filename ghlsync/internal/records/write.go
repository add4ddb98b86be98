package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// Put writes a record; see [pluvo.Store].
func (s *Store) Put(ctx context.Context, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if r == nil || reflect.ValueOf(r).IsNil() {
		return "", fmt.Errorf("pluvo: record is nil: %w", pluvo.ErrInvalid)
	}
	if err := r.Validate(); err != nil {
		return "", fmt.Errorf("pluvo: %w", err)
	}
	next := state{kind: r.Kind(), id: r.Key(), owner: r.Owner()}
	body, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("pluvo: %w", err)
	}
	text := string(body)
	next.body = &text
	if next.origin, err = originText(r.From()); err != nil {
		return "", err
	}
	var version pluvo.Version
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Fence(ctx); err != nil {
			return err
		}
		version, err = put(ctx, tx, next, r, expect)
		return err
	})
	if db.Unique(err) { // the locks exclude every other duplicate
		err = fmt.Errorf("pluvo: %s: %w", next.kind, pluvo.ErrOriginTaken)
	}
	return version, err
}

// put writes next, the state of r, unless the stored record equals r. It returns the version of the stored record.
func put(ctx context.Context, tx *db.Tx, next state, r pluvo.Record, expect pluvo.Version) (pluvo.Version, error) {
	if err := tx.Lock(ctx, lockOf(next.kind, next.id), lockOf(pluvo.KindContact, next.owner)); err != nil {
		return "", err
	}
	current, err := load(ctx, tx, next.kind, next.id)
	if err != nil {
		return "", err
	}
	if err := checkVersion(current, expect); err != nil {
		return "", err
	}
	if next.kind != pluvo.KindContact {
		owner, err := load(ctx, tx, pluvo.KindContact, next.owner)
		if err != nil {
			return "", err
		}
		if !owner.exists() {
			return "", fmt.Errorf("pluvo: %s: %w", next.kind, pluvo.ErrNoOwner)
		}
	}
	if current.exists() {
		was, err := current.record()
		if err != nil {
			return "", err
		}
		if pluvo.Equal(was, r) {
			return current.version(), nil
		}
	}
	if next.origin != "" {
		var other string
		err := tx.Row(ctx, `SELECT id FROM ghlsync_record WHERE `+byOrigin, string(next.kind), next.origin).Scan(&other)
		if err == nil && other != next.id {
			return "", fmt.Errorf("pluvo: %s: %w", next.kind, pluvo.ErrOriginTaken)
		}
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return "", err
		}
	}
	if next.sequence, err = sequence(ctx, tx); err != nil {
		return "", err
	}
	return next.version(), store(ctx, tx, next)
}

// Delete deletes a record; see [pluvo.Store].
func (s *Store) Delete(ctx context.Context, kind pluvo.Kind, id string, expect pluvo.Version) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !db.Storable(string(kind), id) {
		return notFound(kind)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Fence(ctx); err != nil {
			return err
		}
		if err := tx.Lock(ctx, lockOf(kind, id)); err != nil {
			return err
		}
		current, err := load(ctx, tx, kind, id)
		if err != nil {
			return err
		}
		if !current.exists() {
			return notFound(kind)
		}
		if err := checkVersion(current, expect); err != nil {
			return err
		}
		var owned []state
		if kind == pluvo.KindContact { // its records are deleted first; the lock prevents new ones
			owned, err = db.List(ctx, tx, scan, `SELECT `+columns+` FROM ghlsync_record
				WHERE owner = $1 AND kind <> 'contact' AND body IS NOT NULL ORDER BY kind, id FOR UPDATE`, id)
			if err != nil {
				return err
			}
		}
		for _, row := range append(owned, current) {
			row.body = nil
			if row.sequence, err = sequence(ctx, tx); err != nil {
				return err
			}
			if err := store(ctx, tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func lockOf(kind pluvo.Kind, id string) string { return "record\x00" + string(kind) + "\x00" + id }

// load reads a record in order to change it. A record that never existed is a state without a body.
func load(ctx context.Context, tx *db.Tx, kind pluvo.Kind, id string) (state, error) {
	found, err := scan(tx.Row(ctx, `SELECT `+columns+` FROM ghlsync_record WHERE kind = $1 AND id = $2`, string(kind),
		id))
	if errors.Is(err, db.ErrNoRows) {
		return state{kind: kind, id: id}, nil
	}
	return found, err
}

// checkVersion returns [pluvo.ErrConflict] unless the record has the expected version.
func checkVersion(current state, expect pluvo.Version) error {
	switch {
	case expect == pluvo.AnyVersion,
		expect == pluvo.NoVersion && !current.exists(),
		current.exists() && expect == current.version():
		return nil
	}
	return fmt.Errorf("pluvo: %w", pluvo.ErrConflict)
}

// sequence returns the next number. From here to the commit all other writers wait, so that a reader who sees a
// number also sees all lower numbers.
func sequence(ctx context.Context, tx *db.Tx) (n int64, err error) {
	err = tx.Row(ctx, `UPDATE ghlsync_sequence SET last = last + 1 WHERE name = 'record' RETURNING last`).Scan(&n)
	return n, err
}

func store(ctx context.Context, tx *db.Tx, s state) error {
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_record (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner, origin = excluded.origin, body = excluded.body,
			sequence = excluded.sequence`,
		string(s.kind), s.id, s.owner, s.origin, s.body, s.sequence)
	return err
}
