package tokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// change is what is done under the lock of a key; see [Store.locked].
type change = func(ctx context.Context, body []byte) ([]byte, error)

// lockedRow holds the lock of a row of PostgreSQL. Who can't get a connection waits for one until ctx ends.
func (s *Store) lockedRow(ctx context.Context, key string, fn change) error {
	conn, err := s.db.Postgres().Acquire(ctx)
	if err != nil {
		return wrap(ctx, err)
	}
	defer conn.Release()
	// The row must be there to be locked.
	if _, err := conn.Exec(ctx, `INSERT INTO ghlsync_token (key) VALUES ($1) ON CONFLICT DO NOTHING`, []byte(key)); err != nil {
		return wrap(ctx, err)
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return wrap(ctx, err)
	}
	free, cancel := context.WithTimeout(context.WithoutCancel(ctx), updateTimeout+saveTimeout)
	defer cancel()
	defer func() { _ = tx.Rollback(free) }() // does nothing after the commit
	// A process ends its connections, a machine that is cut off does not: then the server does.
	if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = %d`, (updateTimeout+saveTimeout).Milliseconds())); err != nil {
		return wrap(ctx, err)
	}
	var body []byte
	if err := tx.QueryRow(ctx, `SELECT body FROM ghlsync_token WHERE key = $1 FOR UPDATE`, []byte(key)).Scan(&body); err != nil {
		return wrap(ctx, err)
	}
	working, done := detach(ctx)
	defer done()
	next, err := fn(working, body)
	if err != nil || next == nil {
		return err
	}
	if err := s.saveIn(free, tx, key, next); err != nil {
		// The connection is gone, and the lock with it. The token is saved all the same.
		return s.save(ctx, key, next)
	}
	return nil
}

func (s *Store) saveIn(ctx context.Context, tx pgx.Tx, key string, body []byte) error {
	if len(body) == 0 {
		body = nil
	}
	if _, err := tx.Exec(ctx, `UPDATE ghlsync_token SET body = $2, changed_at = $3 WHERE key = $1`,
		[]byte(key), body, db.Micros(s.db.Now())); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// wrap lets the end of a context be seen as what it is.
func wrap(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("token store: %w", err)
}

// lockedLease holds a lease on a row of SQLite.
func (s *Store) lockedLease(ctx context.Context, key string, fn change) (err error) {
	body, err := s.take(ctx, key)
	if err != nil {
		return err
	}
	working, done := detach(ctx)
	defer done()
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(renewing, key)
	}()
	defer func() { // also after a panic of fn
		stop()
		<-renewed
		s.free(ctx, key)
	}()
	next, err := fn(working, body)
	if err != nil || next == nil {
		return err
	}
	return s.save(ctx, key, next)
}

// take waits for the lease of a key and reads what is stored.
func (s *Store) take(ctx context.Context, key string) (body []byte, err error) {
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		taken := false
		err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			now := s.db.Now()
			n, err := tx.Exec(ctx, `INSERT INTO ghlsync_token (key, holder, lease_until) VALUES ($1, $2, $3)
				ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
				WHERE ghlsync_token.holder = '' OR ghlsync_token.lease_until < $4`,
				[]byte(key), s.name, db.Micros(now.Add(s.lease)), db.Micros(now))
			if err != nil || n == 0 {
				taken = false
				return err
			}
			taken = true
			return tx.Row(ctx, `SELECT body FROM ghlsync_token WHERE key = $1`, []byte(key)).Scan(&body)
		})
		if err != nil {
			return nil, wrap(ctx, err)
		}
		if taken {
			return body, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// renew keeps the lease from running out until ctx ends.
func (s *Store) renew(ctx context.Context, key string) {
	tick := time.NewTicker(s.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// What fails is tried again at the next tick.
			_ = s.set(ctx, key, s.name, s.db.Now().Add(s.lease))
		}
	}
}

// free gives the lease back. If that fails it runs out.
func (s *Store) free(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lease)
	defer cancel()
	_ = s.set(ctx, key, "", time.Time{})
}

var errNotHeld = errors.New("the lease is another's")

// set changes a lease that is ours.
func (s *Store) set(ctx context.Context, key, holder string, until time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE ghlsync_token SET holder = $3, lease_until = $4 WHERE key = $1 AND holder = $2`,
			[]byte(key), s.name, holder, db.Micros(until))
		if err == nil && n == 0 {
			err = errNotHeld
		}
		return err
	})
}
