package engine

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// bury drops a link and remembers which side has deleted its record. Kept says that Pluvo's stays all the same.
func (e *Engine) bury(ctx context.Context, location string, l *link, by Side, kept bool) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		doomed := []*link{l}
		if l.kind == pluvo.KindContact { // and all that belonged to it
			all, err := db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND contact = $2 AND kind <> $3`,
				location, l.ghlID, string(pluvo.KindContact))
			if err != nil {
				return err
			}
			doomed = append(doomed, all...)
		}
		if err := forgetIntent(ctx, tx, location, goneName(l.ghlID)); err != nil {
			return err
		}
		for _, l := range doomed {
			if err := tombstone(ctx, tx, e.now(), location, l.kind, by, l.ghlID, l.pluvoID); err != nil {
				return err
			}
			if kept {
				if err := tombstone(ctx, tx, e.now(), location, l.kind, keptInPluvo, l.pluvoID, l.ghlID); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_link WHERE location = $1 AND kind = $2 AND ghl_id = $3`, location, string(l.kind), l.ghlID); err != nil {
				return err
			}
		}
		return nil
	})
}

// keptInPluvo stands in a tombstone for the side: HighLevel's record was deleted, and Pluvo's, whose id it names, is kept in step
// no longer.
const keptInPluvo Side = "kept"

// tombstone remembers that a side has deleted a record. The id is HighLevel's, unless it is keptInPluvo.
func tombstone(ctx context.Context, tx *db.Tx, now time.Time, location string, kind pluvo.Kind, by Side, id, other string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_tombstone (location, kind, side, id, other_id, deleted_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (location, kind, side, id) DO UPDATE SET other_id = excluded.other_id, deleted_at = excluded.deleted_at`,
		location, string(kind), string(by), id, other, db.Micros(now))
	return err
}

// unlinkAll drops the links of a contact and of all that belongs to it. With gone, HighLevel's records are remembered as deleted.
func (e *Engine) unlinkAll(ctx context.Context, location string, pair *link, gone bool) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := forgetIntent(ctx, tx, location, goneName(pair.ghlID)); err != nil {
			return err
		}
		all, err := db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND contact = $2`, location, pair.contact)
		if err != nil {
			return err
		}
		for _, l := range all {
			if gone {
				if err := tombstone(ctx, tx, e.now(), location, l.kind, GHL, l.ghlID, ""); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_link WHERE location = $1 AND kind = $2 AND ghl_id = $3`, location, string(l.kind), l.ghlID); err != nil {
				return err
			}
		}
		return nil
	})
}

// deleted says which side has deleted a record of HighLevel last, and when; [Nobody] if none has.
func (e *Engine) deleted(ctx context.Context, location string, kind pluvo.Kind, ghlID string) (by Side, at time.Time, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var micros int64
		err := tx.Row(ctx, `SELECT side, deleted_at FROM ghlsync_tombstone WHERE location = $1 AND kind = $2 AND side IN ($3, $4) AND id = $5
			ORDER BY deleted_at DESC LIMIT 1`, location, string(kind), string(GHL), string(Pluvo), ghlID).Scan(&by, &micros)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		at = db.Time(micros)
		return err
	})
	return by, at, err
}

// stale says what to do with a record of HighLevel that is there and not linked. One that was deleted in Pluvo is deleted once more
// if HighLevel has not followed yet. What is there long after was restored by somebody, as is what HighLevel had deleted itself,
// or it was moved to another contact: that is a record like any other.
func (e *Engine) stale(ctx context.Context, l *Location, kind pluvo.Kind, ghlID string) (ignore, remove bool, err error) {
	by, at, err := e.deleted(ctx, l.ID, kind, ghlID)
	switch {
	case err != nil || by == Nobody:
		return false, false, err
	case by == Pluvo && l.Deletes == DeleteKeeps:
		return true, false, nil
	}
	if err := l.from.writable(); err != nil || by == GHL { // what is known of the record may be older than its deletion
		return false, false, err
	}
	remove = e.now().Sub(at) < longestWait
	return remove, remove, nil
}

// kept reports whether a record of Pluvo has lost its record in HighLevel, and was left all the same.
func (e *Engine) kept(ctx context.Context, location string, kind pluvo.Kind, pluvoID string) (kept bool, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var n int64
		err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_tombstone WHERE location = $1 AND kind = $2 AND side = $3 AND id = $4`,
			location, string(kind), string(keptInPluvo), pluvoID).Scan(&n)
		kept = n > 0
		return err
	})
	return kept, err
}
