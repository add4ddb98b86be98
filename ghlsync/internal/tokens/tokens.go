// Package tokens is an oauth.Store in the database, shared by all processes.
package tokens

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/oauth"
)

// Store is an [oauth.Store] in a database.
//
// On PostgreSQL the lock of a key is the lock of its row, held by a transaction during an update. It ends with the
// connection of a process that dies. On SQLite, where such a transaction would block all other writers, it is a
// lease in the row, which its holder renews and which expires when the holder dies.
type Store struct {
	db    *db.DB
	ring  *oauth.KeyRing
	name  string // identifies this store among all that share the database
	lease time.Duration
	local oauth.KeyLocks
}

var _ oauth.Store = (*Store)(nil)

// Lease is how long a key stays locked on SQLite after its holder died.
const Lease = 10 * time.Second

// Options are settings of a store. The zero value stores tokens without encryption.
type Options struct {
	// Keys encrypt the tokens, see [oauth.NewKeyRing].
	Keys [][]byte
}

// Format prints the number of keys alone, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "tokens.Options{%d keys}", len(o.Keys)) }

// New returns the store in a database.
func New(d *db.DB, o Options) (*Store, error) {
	ring, err := oauth.NewKeyRing(o.Keys...)
	if err != nil {
		return nil, err
	}
	return &Store{db: d, ring: ring, name: rand.Text(), lease: Lease}, nil
}

// Format prints the type alone, whatever the verb.
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, "tokens.Store") }

// Load reads a token, see [oauth.Store].
func (s *Store) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if err := oauth.CheckKey(key); err != nil {
		return nil, err
	}
	var body []byte
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.Row(ctx, `SELECT body FROM ghlsync_token WHERE key = $1`, []byte(key)).Scan(&body)
	})
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return nil, fmt.Errorf("token store: %w", err)
	}
	if body == nil {
		return nil, fmt.Errorf("key %q: %w", key, oauth.ErrNoToken)
	}
	return s.open(key, body)
}

// Keys yields the keys that have a token, see [oauth.Store].
func (s *Store) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var keys []string
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			keys, err = db.List(ctx, tx, func(r db.Row) (string, error) {
				var key []byte
				err := r.Scan(&key)
				return string(key), err
			}, `SELECT key FROM ghlsync_token WHERE body IS NOT NULL ORDER BY key`)
			return err
		})
		if err != nil {
			yield("", fmt.Errorf("token store: %w", err))
			return
		}
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// Update changes a token while its key is locked, see [oauth.Store].
func (s *Store) Update(
	ctx context.Context, key string, fn func(context.Context, *ghl.Token) (*ghl.Token, error),
) (*ghl.Token, error) {
	var next *ghl.Token
	err := s.locked(ctx, key, func(body []byte) ([]byte, error) {
		current, err := s.open(key, body)
		if err != nil {
			return nil, err
		}
		var changed bool
		if next, changed, err = oauth.Update(ctx, current, fn); err != nil || !changed {
			return nil, err
		}
		return s.ring.Seal(key, next)
	})
	if err != nil {
		return nil, err
	}
	return next, nil
}

// Delete removes a token, see [oauth.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.locked(ctx, key, func(body []byte) ([]byte, error) {
		if body == nil {
			return nil, nil
		}
		return removed, nil
	})
}

// change returns the body to store in place of another: nil leaves the row as it is, [removed] clears it.
type change = func(body []byte) ([]byte, error)

var removed = []byte{}

// locked calls fn with the stored body while the key is locked, and stores what fn returns. The end of ctx ends
// only the wait for the lock.
func (s *Store) locked(ctx context.Context, key string, fn change) error {
	if err := oauth.CheckKey(key); err != nil {
		return err
	}
	unlock, err := s.local.Lock(ctx, key) // so that many callers of one process do not use up its connections
	if err != nil {
		return err
	}
	defer unlock()
	if s.db.Postgres() != nil {
		return s.lockedRow(ctx, key, fn)
	}
	return s.lockedLease(ctx, key, fn)
}

func (s *Store) open(key string, body []byte) (*ghl.Token, error) {
	if body == nil {
		return nil, nil
	}
	t, err := s.ring.Open(key, body)
	if err != nil {
		return nil, fmt.Errorf("token store: key %q: %w", key, err)
	}
	return t, nil
}

// save stores a body, or clears it if it is empty. It reconnects and retries, see [oauth.Save].
func (s *Store) save(ctx context.Context, key string, body []byte) error {
	if len(body) == 0 {
		body = nil
	}
	return oauth.Save(ctx, func(ctx context.Context) error {
		return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO ghlsync_token (key, body, changed_at) VALUES ($1, $2, $3)
				ON CONFLICT (key) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at`,
				[]byte(key), body, db.Micros(s.db.Now()))
			return err
		})
	})
}
