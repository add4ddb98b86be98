package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"maps"
	"slices"
	"sync"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// table imitates a table of a database with the columns key and body. In SQL, lock is a SELECT … FOR UPDATE
// inside a transaction, or a row with a holder and an expiry.
type table struct {
	mu   sync.Mutex
	rows map[string][]byte
}

func (t *table) lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func (t *table) selectBody(_ context.Context, key string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows[key], nil
}

func (t *table) upsert(_ context.Context, key string, body []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows[key] = body
	return nil
}

func (t *table) remove(_ context.Context, key string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows, key)
	return nil
}

func (t *table) selectKeys(context.Context) ([]string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.rows)), nil
}

// tableStore is an oauth.Store on a table.
type tableStore struct {
	table *table
	ring  *oauth.KeyRing
	local oauth.KeyLocks
}

func (s *tableStore) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if err := oauth.CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	token, err := s.read(ctx, key)
	if err == nil && token == nil {
		return nil, fmt.Errorf("key %q: %w", key, oauth.ErrNoToken)
	}
	return token, err
}

// read returns nil when no token is stored.
func (s *tableStore) read(ctx context.Context, key string) (*ghl.Token, error) {
	body, err := s.table.selectBody(ctx, key)
	if err != nil || body == nil {
		return nil, err
	}
	return s.ring.Open(key, body)
}

func (s *tableStore) Update(
	ctx context.Context, key string, fn func(context.Context, *ghl.Token) (*ghl.Token, error),
) (*ghl.Token, error) {
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	current, err := s.read(ctx, key)
	if err != nil {
		return nil, err
	}
	next, changed, err := oauth.Update(ctx, current, fn)
	if err != nil || !changed {
		return next, err
	}
	body, err := s.ring.Seal(key, next)
	if err != nil {
		return nil, err
	}
	err = oauth.Save(ctx, func(ctx context.Context) error { return s.table.upsert(ctx, key, body) })
	if err != nil {
		return nil, err
	}
	return next, nil
}

func (s *tableStore) Delete(ctx context.Context, key string) error {
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	return s.table.remove(ctx, key)
}

func (s *tableStore) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		keys, err := s.table.selectKeys(ctx)
		if err != nil {
			yield("", err)
			return
		}
		for _, key := range keys {
			if !yield(key, ctx.Err()) {
				return
			}
		}
	}
}

// lock locks a key, first among the goroutines of this process and then among all processes.
func (s *tableStore) lock(ctx context.Context, key string) (unlock func(), err error) {
	if err := oauth.CheckKey(key); err != nil {
		return nil, err
	}
	leave, err := s.local.Lock(ctx, key)
	if err != nil {
		return nil, err
	}
	free, err := s.table.lock(ctx, key)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { free(); leave() }, nil
}

// A store on a database: locking, reading and writing a row is yours, all else comes from this package. Run the
// checks of package storetest against it.
func ExampleUpdate() {
	ring, err := oauth.NewKeyRing([]byte("an example key, not random bytes"))
	if err != nil {
		log.Fatal(err)
	}
	var store oauth.Store = &tableStore{table: &table{rows: map[string][]byte{}}, ring: ring}

	ctx := context.Background()
	key := oauth.LocationKey("ve9EPM428h8vShlRW1KT")
	_, err = store.Load(ctx, key)
	fmt.Println("stored:", !errors.Is(err, oauth.ErrNoToken))

	_, err = store.Update(ctx, key, func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		return &ghl.Token{AccessToken: "access", RefreshToken: "refresh"}, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	token, err := store.Load(ctx, key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored:", token.RefreshToken)
	// Output:
	// stored: false
	// stored: refresh
}
