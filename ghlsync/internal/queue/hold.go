package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// ErrHeld means that the work runs already, in this process or another.
var ErrHeld = errors.New("it runs already")

// Hold takes a named lock that only one run in all processes can hold. The returned context ends with release, with
// ctx, and when this process is treated as dead. The locks of a dead process are free. Hold
// returns [ErrHeld] if another run holds the lock.
func (q *Queue) Hold(ctx context.Context, name string) (held context.Context, release func(), err error) {
	life, ok := q.alive.context()
	if !ok {
		return nil, nil, ErrNotRunning
	}
	token := rand.Text()
	var n int64
	err = q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		n, err = tx.Exec(ctx, `INSERT INTO ghlsync_hold (name, process, token) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET process = excluded.process, token = excluded.token
			WHERE NOT EXISTS (SELECT 1 FROM ghlsync_process p WHERE p.id = ghlsync_hold.process)`,
			name, q.process, token)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if n == 0 {
		return nil, nil, ErrHeld
	}
	held, cancel := context.WithCancelCause(db.WithHold(ctx, token))
	stop := context.AfterFunc(life, func() { cancel(db.ErrFenced) })
	return held, func() {
		stop()
		cancel(context.Canceled)
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer done()
		if err := q.giveBack(ctx, token); err != nil {
			q.late.Store(token, name)
			q.Logger.LogAttrs(ctx, slog.LevelWarn, "releasing a lock failed; retrying", slog.String("name", name),
				slog.Any("err", err))
		}
	}, nil
}

func (q *Queue) giveBack(ctx context.Context, token string) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_hold WHERE token = $1`, token)
		return err
	})
}

// giveBackLate releases the locks whose release failed before.
func (q *Queue) giveBackLate(ctx context.Context) (err error) {
	q.late.Range(func(token, _ any) bool {
		if err = q.giveBack(ctx, token.(string)); err == nil {
			q.late.Delete(token)
		}
		return err == nil
	})
	return err
}

// Held reports whether a run holds the lock.
func (q *Queue) Held(ctx context.Context, name string) (bool, error) {
	var n int64
	err := q.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.Row(ctx, `SELECT count(*) FROM ghlsync_hold h JOIN ghlsync_process p ON p.id = h.process
			WHERE h.name = $1`, name).Scan(&n)
	})
	return n > 0, err
}
