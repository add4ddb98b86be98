package db

import (
	"context"
	"time"
)

// Cursor returns the value of a cursor and the time at which it was stored. It returns [ErrNoRows] if the cursor does
// not exist.
func (t *Tx) Cursor(ctx context.Context, name string) (at string, moved time.Time, err error) {
	var micros int64
	err = t.Row(ctx, `SELECT value, moved_at FROM ghlsync_cursor WHERE name = $1`, name).Scan(&at, &micros)
	return at, Time(micros), err
}

// MoveCursor stores the value of a cursor. It fails if the process has lost what ctx is for ([Tx.Fence]).
func (t *Tx) MoveCursor(ctx context.Context, name, to string, moved time.Time) error {
	if err := t.Fence(ctx); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, moved_at = excluded.moved_at`, name, to, Micros(moved))
	return err
}

// DropCursor deletes a cursor. It fails if the process has lost what ctx is for ([Tx.Fence]).
func (t *Tx) DropCursor(ctx context.Context, name string) error {
	if err := t.Fence(ctx); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `DELETE FROM ghlsync_cursor WHERE name = $1`, name)
	return err
}
