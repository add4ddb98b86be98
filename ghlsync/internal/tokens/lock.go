package tokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/oauth"
)

// lockTimeout is the longest time for which an update holds a lock.
const lockTimeout = oauth.UpdateTimeout + oauth.SaveTimeout

// lockedRow runs a change while it holds the lock of a row of PostgreSQL. It waits for a free connection until ctx
// ends.
func (s *Store) lockedRow(ctx context.Context, key string, fn change) error {
	conn, err := s.db.Postgres().Acquire(ctx)
	if err != nil {
		return waitError(ctx, err)
	}
	defer conn.Release()
	// Only a row that exists can be locked.
	if _, err := conn.Exec(ctx, `INSERT INTO ghlsync_token (key) VALUES ($1) ON CONFLICT DO NOTHING`,
		[]byte(key)); err != nil {
		return waitError(ctx, err)
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return waitError(ctx, err)
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockTimeout)
	defer cancel()
	defer func() { _ = tx.Rollback(detached) }() // does nothing after the commit
	// A process that dies closes its connections. For a machine that loses its network the server does.
	timeout := fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = %d`, lockTimeout.Milliseconds())
	if _, err := tx.Exec(ctx, timeout); err != nil {
		return waitError(ctx, err)
	}
	var body []byte
	if err := tx.QueryRow(ctx, `SELECT body FROM ghlsync_token WHERE key = $1 FOR UPDATE`,
		[]byte(key)).Scan(&body); err != nil {
		return waitError(ctx, err)
	}
	next, err := fn(body)
	if err != nil || next == nil {
		return err
	}
	if err := s.commit(detached, tx, key, next); err != nil {
		// The connection is lost, and the lock with it. The token must be saved nevertheless.
		return s.save(ctx, key, next)
	}
	return nil
}

func (s *Store) commit(ctx context.Context, tx pgx.Tx, key string, body []byte) error {
	if len(body) == 0 {
		body = nil
	}
	if _, err := tx.Exec(ctx, `UPDATE ghlsync_token SET body = $2, changed_at = $3 WHERE key = $1`,
		[]byte(key), body, db.Micros(s.db.Now())); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// waitError returns the error of ctx if ctx has ended, else err.
func waitError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("token store: %w", err)
}

// lockedLease runs a change while it holds the lease of a row of SQLite.
func (s *Store) lockedLease(ctx context.Context, key string, fn change) (err error) {
	body, err := s.take(ctx, key)
	if err != nil {
		return err
	}
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
	next, err := fn(body)
	if err != nil || next == nil {
		return err
	}
	return s.save(ctx, key, next)
}

// take waits for the lease of a key and returns the stored body.
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
			return nil, waitError(ctx, err)
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

// renew extends the lease until ctx ends.
func (s *Store) renew(ctx context.Context, key string) {
	tick := time.NewTicker(s.lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// A failure is retried at the next tick.
			_ = s.setLease(ctx, key, s.name, s.db.Now().Add(s.lease))
		}
	}
}

// free gives the lease back. If that fails, the lease expires.
func (s *Store) free(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lease)
	defer cancel()
	_ = s.setLease(ctx, key, "", time.Time{})
}

var errNotHeld = errors.New("another store holds the lease")

// setLease changes the lease of a key that this store holds.
func (s *Store) setLease(ctx context.Context, key, holder string, until time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE ghlsync_token SET holder = $3, lease_until = $4 WHERE key = $1 AND holder = $2`,
			[]byte(key), s.name, holder, db.Micros(until))
		if err == nil && n == 0 {
			err = errNotHeld
		}
		return err
	})
}
