package oauth

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/pluvo/ghl"
)

// MemoryStore is a [Store] in memory, for tests and for programs that connect their accounts anew at each start:
// its tokens, and with them the refresh tokens, are lost when the process ends. It prints without its tokens. Make
// one with [NewMemoryStore].
type MemoryStore struct {
	memory func() *memory // a function, which reflection prints as an address
}

type memory struct {
	locks  KeyLocks
	mu     sync.Mutex
	tokens map[string]*ghl.Token
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{sealed(&memory{tokens: map[string]*ghl.Token{}})}
}

// Format prints the type alone for every verb.
func (s MemoryStore) Format(f fmt.State, _ rune) { fmt.Fprint(f, "oauth.MemoryStore(redacted)") }

// Load returns a copy of the token, see [Store].
func (s *MemoryStore) Load(ctx context.Context, key string) (*ghl.Token, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t := s.current(key); t != nil {
		return clone(t), nil
	}
	return nil, noToken(key)
}

func (s *MemoryStore) current(key string) *ghl.Token {
	m := s.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens[key]
}

// Update changes a token, see [Store].
func (s *MemoryStore) Update(
	ctx context.Context, key string, fn func(context.Context, *ghl.Token) (*ghl.Token, error),
) (*ghl.Token, error) {
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	next, changed, err := Update(ctx, s.current(key), fn)
	if err != nil || !changed {
		return next, err
	}
	m := s.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[key] = clone(next)
	return next, nil
}

// Delete removes a token, see [Store].
func (s *MemoryStore) Delete(ctx context.Context, key string) error {
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	m := s.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tokens, key)
	return nil
}

func (s *MemoryStore) lock(ctx context.Context, key string) (unlock func(), err error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	return s.memory().locks.Lock(ctx, key)
}

// Keys yields the keys that have a token when the sequence starts, sorted.
func (s *MemoryStore) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		m := s.memory()
		m.mu.Lock()
		keys := slices.Sorted(maps.Keys(m.tokens))
		m.mu.Unlock()
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
