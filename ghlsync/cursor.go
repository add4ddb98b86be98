package ghlsync

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// cursor reads the value of a cursor and the time at which it was stored.
func (s *Syncer) cursor(ctx context.Context, name string, into any) (moved time.Time, found bool, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		moved, found, err = s.cursorTx(ctx, tx, name, into)
		return err
	})
	return moved, found, err
}

func (s *Syncer) cursorTx(
	ctx context.Context, tx *db.Tx, name string, into any,
) (moved time.Time, found bool, err error) {
	text, moved, err := tx.Cursor(ctx, name)
	if errors.Is(err, db.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, err
	}
	return moved, true, json.Unmarshal([]byte(text), into)
}

func (s *Syncer) moveCursor(ctx context.Context, tx *db.Tx, name string, to any) error {
	return s.moveCursorAt(ctx, tx, name, to, s.db.Now())
}

func (s *Syncer) moveCursorAt(ctx context.Context, tx *db.Tx, name string, to any, at time.Time) error {
	text, err := json.Marshal(to)
	if err != nil {
		return err
	}
	return tx.MoveCursor(ctx, name, string(text), at)
}
