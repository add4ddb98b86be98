package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pluvo/ghl"
)

const (
	// UpdateTimeout is the time that [Update] gives fn: enough for a request and its retries. A lock that expires
	// must last at least UpdateTimeout and [SaveTimeout] together, or be renewed meanwhile.
	UpdateTimeout = 2 * time.Minute
	// SaveTimeout is how long [Save] retries.
	SaveTimeout = time.Minute
)

// Update is the part of [Store.Update] that is the same for every store: it calls fn with a copy of the current
// token, nil when none is stored, and checks what fn returns. Call it while the key is locked, then save next if
// changed is true, and return next. next is nil when fn returned an error, or left a key without a token as it is.
// fn gets a context that the end of ctx does not reach, with a timeout of [UpdateTimeout].
func Update(
	ctx context.Context, current *ghl.Token, fn func(ctx context.Context, current *ghl.Token) (*ghl.Token, error),
) (next *ghl.Token, changed bool, err error) {
	ctx, cancel := detach(ctx, UpdateTimeout)
	defer cancel()
	next, err = fn(ctx, clone(current))
	switch {
	case err != nil:
		return nil, false, err
	case next == nil && current == nil:
		return nil, false, nil
	case next == nil:
		return nil, false, errors.New("oauth: the update of a token returned neither a token nor an error")
	}
	if err := checkStorable(next); err != nil {
		return nil, false, err
	}
	return clone(next), !sameStored(next, current), nil
}

// Save calls save until it returns nil, for at most [SaveTimeout], with a growing pause between the attempts. The
// end of ctx does not end it: a new token must not be lost because a caller stopped waiting. The error wraps the
// last one of save.
func Save(ctx context.Context, save func(ctx context.Context) error) error {
	const first, longest = 10 * time.Millisecond, 2 * time.Second
	ctx, cancel := detach(ctx, SaveTimeout)
	defer cancel()
	for pause := first; ; pause = min(2*pause, longest) {
		err := save(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("oauth: a new token is not saved: %w", err)
		case <-time.After(pause):
		}
	}
}

// await returns the result of do, or the error of ctx if ctx ends first, also when do does not heed its context. Then
// do ends by itself.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if ctx == nil {
		return none, badInput("ctx", "the context is nil")
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// detach returns a context that the end of ctx does not reach, with a timeout of its own.
func detach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), timeout)
}

// KeyLocks are locks by key among the goroutines of one process. Use them in front of the lock of a database or
// file, so that only one goroutine of a process at a time waits there. The zero value is ready to use. KeyLocks
// must not be copied after first use.
type KeyLocks struct {
	mu    sync.Mutex
	locks map[string]*keyLock // those that are held or waited for
}

type keyLock struct {
	free  chan struct{} // holds one element while the lock is free
	users int           // goroutines that hold the lock or wait for it
}

// Lock locks a key and returns the function that unlocks it. The error is that of ctx, when ctx ends before the key
// is free or has already ended.
func (l *KeyLocks) Lock(ctx context.Context, key string) (unlock func(), err error) {
	if err := ctx.Err(); err != nil { // select below could choose a free lock
		return nil, err
	}
	l.mu.Lock()
	if l.locks == nil {
		l.locks = map[string]*keyLock{}
	}
	k := l.locks[key]
	if k == nil {
		k = &keyLock{free: make(chan struct{}, 1)}
		k.free <- struct{}{}
		l.locks[key] = k
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

func (l *KeyLocks) leave(key string, k *keyLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.locks, key)
	}
}
