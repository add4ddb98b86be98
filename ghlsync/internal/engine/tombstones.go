package engine

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// unlink drops a link, with those of all that belongs to its record, and remembers which side has deleted that; by is
// [Nobody] if neither has. Kept says that Pluvo's stays all the same.
func (e *Engine) unlink(ctx context.Context, location string, k *link, by Side, kept bool) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		doomed := []*link{k}
		if k.kind == pluvo.KindContact {
			links, err := linksTx(ctx, tx, location, k.ghlID)
			if err != nil {
				return err
			}
			_, children := split(links)
			doomed = append(doomed, children...)
			if err := forgetIntent(ctx, tx, location, goneName(k.ghlID)); err != nil {
				return err
			}
		}
		for _, k := range doomed {
			if by != Nobody {
				if err := tombstone(ctx, tx, e.now(), location, k.kind, by, k.ghlID); err != nil {
					return err
				}
			}
			if kept {
				if err := tombstone(ctx, tx, e.now(), location, k.kind, keptInPluvo, k.pluvoID); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_link`+byGHL, location, string(k.kind), k.ghlID); err != nil {
				return err
			}
		}
		return nil
	})
}

// keptInPluvo stands in a tombstone for the side: HighLevel's record was deleted, and Pluvo's, whose id it names, is
// kept in step no longer.
const keptInPluvo Side = "kept"

// tombstone remembers that a side has deleted a record. The id is HighLevel's, unless it is keptInPluvo.
func tombstone(ctx context.Context, tx *db.Tx, now time.Time, location string, kind pluvo.Kind, by Side,
	id string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_tombstone (location, kind, side, id, deleted_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (location, kind, side, id) DO UPDATE SET deleted_at = excluded.deleted_at`,
		location, string(kind), string(by), id, db.Micros(now))
	return err
}

// deleted says which side has deleted a record of HighLevel last, and when; [Nobody] if none has.
func (e *Engine) deleted(ctx context.Context, location string, kind pluvo.Kind,
	ghlID string) (by Side, at time.Time, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var micros int64
		err := tx.Row(ctx, `SELECT side, deleted_at FROM ghlsync_tombstone
			WHERE location = $1 AND kind = $2 AND side IN ($3, $4) AND id = $5
			ORDER BY deleted_at DESC LIMIT 1`,
			location, string(kind), string(GHL), string(Pluvo), ghlID).Scan(&by, &micros)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		at = db.Time(micros)
		return err
	})
	return by, at, err
}

// stale reports whether a record of HighLevel that is there and not linked is to be passed over, and has one removed
// that was deleted in Pluvo, if HighLevel has not followed yet. What is there long after was restored by somebody, as
// is what HighLevel had deleted itself, or it was moved to another contact: that is a record like any other.
func (e *Engine) stale(ctx context.Context, l *Location, kind pluvo.Kind, ghlID string,
	remove func() error) (bool, error) {
	by, at, err := e.deleted(ctx, l.ID, kind, ghlID)
	switch {
	case err != nil || by == Nobody:
		return false, err
	case by == Pluvo && l.Deletes == DeleteKeeps:
		return true, nil
	}
	if err := l.from.writable(); err != nil || by == GHL { // what is known of the record may be older than its deletion
		return false, err
	}
	if e.now().Sub(at) >= longestWait {
		return false, nil
	}
	return true, remove()
}

// kept reports whether a record of Pluvo has lost its record in HighLevel, and was left all the same.
func (e *Engine) kept(ctx context.Context, location string, kind pluvo.Kind, pluvoID string) (kept bool, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var n int64
		err := tx.Row(ctx,
			`SELECT count(*) FROM ghlsync_tombstone WHERE location = $1 AND kind = $2 AND side = $3 AND id = $4`,
			location, string(kind), string(keptInPluvo), pluvoID).Scan(&n)
		kept = n > 0
		return err
	})
	return kept, err
}
