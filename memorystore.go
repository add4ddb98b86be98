package ghl

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
)

// MemoryTokenStore is a [TokenStore] for tests and for programs that connect anew each time they start: its tokens end with
// the process, and so do the accounts' refresh tokens. It prints redacted.
type MemoryTokenStore struct{ memory *memoryTokens }

type memoryTokens struct {
	locks  keyLocks
	mu     sync.Mutex
	tokens map[string]*Token
}

// NewMemoryTokenStore makes an empty store.
func NewMemoryTokenStore() *MemoryTokenStore {
	return &MemoryTokenStore{&memoryTokens{tokens: map[string]*Token{}}}
}

// Format prints none of what is stored, whatever the verb.
func (s MemoryTokenStore) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "ghl.MemoryTokenStore(redacted)")
}

// Load returns a copy of the token.
func (s *MemoryTokenStore) Load(ctx context.Context, key string) (*Token, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t := s.current(key); t != nil {
		return t.clone(), nil
	}
	return nil, noToken(key)
}

func (s *MemoryTokenStore) current(key string) *Token {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return s.memory.tokens[key]
}

// Update is described at [TokenStore].
func (s *MemoryTokenStore) Update(ctx context.Context, key string, fn func(context.Context, *Token) (*Token, error)) (*Token, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	unlock, err := s.memory.locks.lock(ctx, key)
	if err != nil {
		return nil, err
	}
	defer unlock()
	next, changed, err := change(ctx, s.current(key), fn)
	if err != nil || !changed {
		return next, err
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	s.memory.tokens[key] = next.clone()
	return next, nil
}

// Delete is described at [TokenStore].
func (s *MemoryTokenStore) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	unlock, err := s.memory.locks.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	delete(s.memory.tokens, key)
	return nil
}

// Keys yields the keys as they are at its start, sorted.
func (s *MemoryTokenStore) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		s.memory.mu.Lock()
		keys := slices.Sorted(maps.Keys(s.memory.tokens))
		s.memory.mu.Unlock()
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

// keyLocks are locks by key within the process, whose wait ends with a context. The zero value is ready.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]*keyLock
}

type keyLock struct {
	free  chan struct{} // holds one element while nobody has the lock
	users int           // who have it or wait for it
}

func (l *keyLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	if err := ctx.Err(); err != nil { // a free lock must not hide it
		return nil, err
	}
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*keyLock{}
	}
	k := l.held[key]
	if k == nil {
		k = &keyLock{free: make(chan struct{}, 1)}
		k.free <- struct{}{}
		l.held[key] = k
	}
	k.users++
	l.mu.Unlock()
	select {
	case <-k.free:
		return func() {
			k.free <- struct{}{}
			l.leave(key, k)
		}, nil
	case <-ctx.Done():
		l.leave(key, k)
		return nil, ctx.Err()
	}
}

func (l *keyLocks) leave(key string, k *keyLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, key)
	}
}
