// Package tokens is a oauth.Store in the database, shared by all processes.
package tokens

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/oauth"
)

// Store is a [oauth.Store] in a database.
//
// On PostgreSQL the lock of a key is its row's, held by a transaction for as long as an update takes: it ends with the
// connection of a process that dies. On SQLite, where a transaction would stop all others, it is a lease in the row, taken
// and renewed by comparing and setting: it runs out when nobody renews it.
type Store struct {
	db    *db.DB
	ring  *ring
	name  string // of this store among all that share the database
	lease time.Duration
	local keyLocks
}

var _ oauth.Store = (*Store)(nil)

// Lease is how long a key stays locked on SQLite after its holder died.
const Lease = 10 * time.Second

const (
	// updateTimeout bounds what happens while a key is locked: a request and its few repetitions.
	updateTimeout = 2 * time.Minute
	// saveTimeout bounds the tries to save a new token. Without it the account is lost, so it is long.
	saveTimeout = time.Minute
	maxKey      = 120 // as in the other stores
)

// Options are settings of a store; the zero value stores tokens as they are.
type Options struct {
	// Keys have 32 random bytes each and encrypt the tokens: the first new ones, the others those of before.
	Keys [][]byte
}

// New returns the store in a database.
func New(d *db.DB, o Options) (*Store, error) {
	ring, err := newRing(o)
	if err != nil {
		return nil, err
	}
	return &Store{db: d, ring: ring, name: rand.Text(), lease: Lease, local: keyLocks{held: map[string]chan struct{}{}}}, nil
}

// Format keeps a store that is printed by mistake from printing its keys.
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, "tokens.Store") }

func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("the key of a token is empty")
	case len(key) > maxKey:
		return fmt.Errorf("the key of a token has more than %d bytes", maxKey)
	}
	return nil
}

// Load reads a token; see [oauth.Store].
func (s *Store) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if err := checkKey(key); err != nil {
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

// Keys yields the keys that have a token; see [oauth.Store].
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

// Update changes a token under the lock of its key; see [oauth.Store].
func (s *Store) Update(ctx context.Context, key string, fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	var result *ghl.Token
	err := s.locked(ctx, key, func(ctx context.Context, body []byte) ([]byte, error) {
		current, err := s.open(key, body)
		if err != nil {
			return nil, err
		}
		given, err := s.open(key, body) // a copy, for fn may change it
		if err != nil {
			return nil, err
		}
		next, err := fn(ctx, given)
		switch {
		case err != nil:
			return nil, err
		case next == nil && current == nil:
			return nil, nil
		case next == nil:
			return nil, errors.New("the update of a token returned no token and no error")
		}
		text, err := oauth.EncodeToken(next)
		if err != nil {
			return nil, err
		}
		if result, err = oauth.DecodeToken(text); err != nil {
			return nil, err
		}
		if current != nil {
			if was, err := oauth.EncodeToken(current); err == nil && bytes.Equal(was, text) {
				return nil, nil
			}
		}
		return s.ring.seal(key, text), nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Delete removes a token; see [oauth.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.locked(ctx, key, func(_ context.Context, body []byte) ([]byte, error) {
		if body == nil {
			return nil, nil
		}
		return []byte{}, nil
	})
}

// locked runs fn under the lock of a key, with what is stored, and then stores what it returns: nil leaves everything as it
// is, something empty removes it. The end of ctx ends the wait for the lock and nothing else.
func (s *Store) locked(ctx context.Context, key string, fn change) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// One goroutine of a process at a time asks the database, so that many callers do not use up its connections.
	unlock, err := s.local.lock(ctx, key)
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
	text, err := s.ring.open(key, body)
	if err != nil {
		return nil, fmt.Errorf("token store: key %q: %w", key, err)
	}
	t, err := oauth.DecodeToken(text)
	if err != nil {
		return nil, fmt.Errorf("token store: key %q: %w", key, err)
	}
	return t, nil
}

// save stores a body, or removes it if it is empty, whatever happens to the connection meanwhile: a refresh token that was
// used is gone, so the new one must be kept.
func (s *Store) save(ctx context.Context, key string, body []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if len(body) == 0 {
		body = nil
	}
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO ghlsync_token (key, body, changed_at) VALUES ($1, $2, $3)
				ON CONFLICT (key) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at`,
				[]byte(key), body, db.Micros(s.db.Now()))
			return err
		})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("token store: a new token is not saved: %w", err)
		case <-time.After(pause):
		}
	}
}

// detach returns a context that the end of ctx does not reach, with an end of its own.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), updateTimeout)
}

// keyLocks are the locks among the goroutines of a process.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{}
}

func (l *keyLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		l.mu.Lock()
		wait, held := l.held[key]
		if !held {
			free := make(chan struct{})
			l.held[key] = free
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.held, key)
				l.mu.Unlock()
				close(free)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
