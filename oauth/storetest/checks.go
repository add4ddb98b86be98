package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

var checks = []check{
	{"an empty store has nothing", emptyStore},
	{"a token is stored whole", storedWhole},
	{"fn gets the stored token", storedToken},
	{"fn is called once", calledOnce},
	{"an error of fn writes nothing", errorWritesNothing},
	{"returning current writes nothing", currentWritesNothing},
	{"no token and no error is an error", noTokenNoError},
	{"tokens are not shared", notShared},
	{"one update of a key at a time", oneAtATime},
	{"keys do not wait for each other", keysAreApart},
	{"Load does not wait for an update", loadDoesNotWait},
	{"a cancelled context ends the wait", cancelledWait},
	{"an ended context starts nothing", endedContext},
	{"a cancelled context does not end fn or the save", cancelledSave},
	{"Delete removes", deleteRemoves},
	{"Delete waits for an update", deleteWaits},
	{"Keys lists the stored keys", keysAreListed},
	{"any key is a key", anyKey},
	{"a panic of fn unlocks the key", panicUnlocks},
}

func emptyStore(ctx context.Context, first, second oauth.Store) error {
	for key, err := range first.Keys(ctx) {
		return fmt.Errorf("its Keys yields %q, %v", key, err)
	}
	if err := first.Delete(ctx, "k"); err != nil {
		return fmt.Errorf("its Delete of a key without a token: %w", err)
	}
	return errors.Join(holds(ctx, first, "k", nil), holds(ctx, second, "k", nil))
}

func storedWhole(ctx context.Context, first, second oauth.Store) error {
	least := &ghl.Token{AccessToken: "a"}
	for i, t := range []*ghl.Token{token(1), token(2), least} {
		if err := put(ctx, first, "k", t); err != nil {
			return err
		}
		if err := holds(ctx, second, "k", t); err != nil {
			return fmt.Errorf("of token %d: %w", i, err)
		}
	}
	return holds(ctx, first, "k", least)
}

func storedToken(ctx context.Context, first, second oauth.Store) error {
	var seen error
	_, err := first.Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		seen = same(current, nil)
		return token(1), nil
	})
	if err = errors.Join(err, seen); err != nil {
		return fmt.Errorf("the first update: %w", err)
	}
	_, err = second.Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		seen = same(current, token(1))
		return token(2), nil
	})
	if err = errors.Join(err, seen); err != nil {
		return fmt.Errorf("the second update: %w", err)
	}
	return holds(ctx, first, "k", token(2))
}

// calledOnce: a second call of fn would send a refresh token that the first call has used up.
func calledOnce(ctx context.Context, first, second oauth.Store) error {
	for i, store := range []oauth.Store{first, second, first} {
		calls := 0
		_, err := store.Update(ctx, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
			calls++
			return token(i), nil
		})
		if err != nil {
			return fmt.Errorf("its Update: %w", err)
		}
		if calls != 1 {
			return fmt.Errorf("its Update calls fn %d times", calls)
		}
	}
	calls := 0
	_, _ = first.Update(ctx, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
		calls++
		return nil, errors.New("no")
	})
	if calls != 1 {
		return fmt.Errorf("its Update calls fn %d times when fn returns an error", calls)
	}
	return nil
}

func errorWritesNothing(ctx context.Context, first, second oauth.Store) error {
	mine := errors.New("mine")
	fail := func(context.Context, *ghl.Token) (*ghl.Token, error) { return token(9), mine }
	for _, want := range []*ghl.Token{nil, token(1)} {
		if want != nil {
			if err := put(ctx, first, "k", want); err != nil {
				return err
			}
		}
		if _, err := first.Update(ctx, "k", fail); !errors.Is(err, mine) {
			return fmt.Errorf("its Update does not return fn's error but %v", err)
		}
		if err := holds(ctx, second, "k", want); err != nil {
			return err
		}
	}
	return nil
}

func currentWritesNothing(ctx context.Context, first, second oauth.Store) error {
	unchanged := func(_ context.Context, current *ghl.Token) (*ghl.Token, error) { return current, nil }
	got, err := first.Update(ctx, "k", unchanged)
	if err != nil || got != nil {
		return fmt.Errorf("without a stored token its Update returns %v, %v", got, err)
	}
	if err := holds(ctx, second, "k", nil); err != nil {
		return err
	}
	if err := put(ctx, first, "k", token(1)); err != nil {
		return err
	}
	if got, err = first.Update(ctx, "k", unchanged); err != nil {
		return err
	}
	return errors.Join(same(got, token(1)), holds(ctx, second, "k", token(1)))
}

func noTokenNoError(ctx context.Context, first, second oauth.Store) error {
	if err := put(ctx, first, "k", token(1)); err != nil {
		return err
	}
	_, err := first.Update(ctx, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) { return nil, nil })
	if err == nil {
		return errors.New("its Update returns no error")
	}
	return holds(ctx, second, "k", token(1))
}

func notShared(ctx context.Context, first, second oauth.Store) error {
	spoil := func(t *ghl.Token) {
		t.AccessToken, t.RefreshToken, t.Scopes[0], t.ApprovedLocations[0] = "spoiled", "spoiled", "spoiled", "spoiled"
	}
	given := token(1)
	if err := put(ctx, first, "k", given); err != nil {
		return err
	}
	spoil(given)
	if err := holds(ctx, first, "k", token(1)); err != nil {
		return fmt.Errorf("after a change of the token that was saved: %w", err)
	}
	loaded, err := first.Load(ctx, "k")
	if err != nil {
		return err
	}
	spoil(loaded)
	if err := holds(ctx, first, "k", token(1)); err != nil {
		return fmt.Errorf("after a change of the token that Load returned: %w", err)
	}
	_, _ = first.Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		spoil(current)
		return nil, errors.New("no")
	})
	if err := holds(ctx, second, "k", token(1)); err != nil {
		return fmt.Errorf("after a change of the token that fn got: %w", err)
	}
	updated, err := first.Update(ctx, "k",
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return token(2), nil })
	if err != nil {
		return err
	}
	spoil(updated)
	return holds(ctx, first, "k", token(2))
}

func oneAtATime(ctx context.Context, first, second oauth.Store) error {
	const rounds, callers = 5, 8
	var inside, overlaps atomic.Int32
	stores := []oauth.Store{first, second}
	errs := make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range rounds {
				_, err := stores[i%2].Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
					if inside.Add(1) > 1 {
						overlaps.Add(1)
					}
					defer inside.Add(-1)
					time.Sleep(time.Millisecond)
					return token(number(current) + 1), nil
				})
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if n := overlaps.Load(); n > 0 {
		return fmt.Errorf("%d updates of one key ran while another did", n)
	}
	last, err := second.Load(ctx, "k")
	if err != nil {
		return err
	}
	if lost := rounds*callers - number(last); lost != 0 {
		return fmt.Errorf("%d of %d updates are lost", lost, rounds*callers)
	}
	return nil
}

// number returns the number that a token was made with, 0 of nil.
func number(t *ghl.Token) (n int) {
	if t != nil {
		_, _ = fmt.Sscanf(t.AccessToken, "access-%d", &n)
	}
	return n
}

// during calls do while an update of the key "busy" is under way. The update then saves token 2.
func during(ctx, updating context.Context, store oauth.Store, do func() error) error {
	inside, leave := make(chan struct{}), make(chan struct{})
	enter := sync.OnceFunc(func() { close(inside) }) // a broken store may call fn twice
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				ended <- fmt.Errorf("its Update panics: %v", v)
			}
		}()
		_, err := store.Update(updating, "busy", func(context.Context, *ghl.Token) (*ghl.Token, error) {
			enter()
			select {
			case <-leave:
			case <-ctx.Done():
			}
			return token(2), nil
		})
		ended <- err
	}()
	select {
	case <-inside:
	case err := <-ended:
		return fmt.Errorf("its Update ends before fn was called: %w", err)
	}
	err := do()
	close(leave)
	return errors.Join(err, <-ended)
}

func keysAreApart(ctx context.Context, first, second oauth.Store) error {
	err := during(ctx, ctx, first, func() error {
		short, cancel := context.WithTimeout(ctx, patience/2)
		defer cancel()
		return errors.Join(put(short, first, "other", token(3)), put(short, second, "third", token(4)))
	})
	return errors.Join(err, holds(ctx, second, "busy", token(2)), holds(ctx, second, "other", token(3)))
}

func loadDoesNotWait(ctx context.Context, first, second oauth.Store) error {
	if err := put(ctx, first, "busy", token(1)); err != nil {
		return err
	}
	err := during(ctx, ctx, first, func() error {
		short, cancel := context.WithTimeout(ctx, patience/2)
		defer cancel()
		return errors.Join(holds(short, first, "busy", token(1)), holds(short, second, "busy", token(1)))
	})
	return errors.Join(err, holds(ctx, second, "busy", token(2)))
}

func cancelledWait(ctx context.Context, first, second oauth.Store) error {
	err := during(ctx, ctx, first, func() error {
		for _, store := range []oauth.Store{first, second} {
			short, cancel := context.WithTimeout(ctx, moment)
			called := false
			start := time.Now()
			_, err := store.Update(short, "busy", func(context.Context, *ghl.Token) (*ghl.Token, error) {
				called = true
				return token(9), nil
			})
			cancel()
			switch {
			case called:
				return errors.New("fn runs while another update has the lock")
			case !errors.Is(err, context.DeadlineExceeded):
				return fmt.Errorf("the error is not the context's: %v", err)
			case time.Since(start) > patience/2:
				return fmt.Errorf("the wait ended after %s, and the context after %s", time.Since(start), moment)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The caller that stopped waiting must not have the lock.
	return errors.Join(holds(ctx, second, "busy", token(2)), put(ctx, second, "busy", token(3)))
}

func endedContext(ctx context.Context, first, _ oauth.Store) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	called := false
	_, err := first.Update(ended, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) {
		called = true
		return token(1), nil
	})
	if called || !errors.Is(err, context.Canceled) {
		return fmt.Errorf("its Update calls fn: %t; its error: %v", called, err)
	}
	return holds(ctx, first, "k", nil)
}

func cancelledSave(ctx context.Context, first, second oauth.Store) error {
	if err := put(ctx, first, "k", token(1)); err != nil {
		return err
	}
	type value struct{}
	updating, cancel := context.WithCancel(context.WithValue(ctx, value{}, "of the caller"))
	defer cancel()
	var inside error
	_, err := first.Update(updating, "k", func(ctx context.Context, _ *ghl.Token) (*ghl.Token, error) {
		cancel()
		time.Sleep(moment)
		if err := ctx.Err(); err != nil {
			inside = fmt.Errorf("the end of the caller's context reaches fn: %w", err)
		}
		if ctx.Value(value{}) != "of the caller" {
			inside = errors.New("fn's context has lost the caller's values")
		}
		if _, ok := ctx.Deadline(); !ok {
			inside = errors.New("fn's context has no timeout")
		}
		return token(2), nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(inside, holds(ctx, second, "k", token(2)))
}

func deleteRemoves(ctx context.Context, first, second oauth.Store) error {
	err := errors.Join(put(ctx, first, "k", token(1)), put(ctx, first, "other", token(2)),
		second.Delete(ctx, "k"), second.Delete(ctx, "k"))
	if err != nil {
		return err
	}
	if err := errors.Join(holds(ctx, first, "k", nil), holds(ctx, first, "other", token(2))); err != nil {
		return err
	}
	var seen error
	_, err = first.Update(ctx, "k", func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		seen = same(current, nil)
		return token(3), nil
	})
	return errors.Join(err, seen, holds(ctx, second, "k", token(3)))
}

func deleteWaits(ctx context.Context, first, second oauth.Store) error {
	deleted := make(chan error, 1)
	err := during(ctx, ctx, first, func() error {
		go func() { deleted <- second.Delete(ctx, "busy") }()
		select {
		case err := <-deleted:
			return fmt.Errorf("its Delete does not wait for the update, which then saves the token again: %w",
				errors.Join(err, errors.New("it has returned")))
		case <-time.After(moment):
			return nil
		}
	})
	if err != nil {
		return err
	}
	if err := <-deleted; err != nil {
		return err
	}
	return errors.Join(holds(ctx, first, "busy", nil), put(ctx, first, "busy", token(5)),
		holds(ctx, second, "busy", token(5)))
}

func keysAreListed(ctx context.Context, first, second oauth.Store) error {
	want := []string{"company/a", "location/1", "location/2", "location/3"}
	for i, key := range append(slices.Clone(want), "gone") {
		if err := put(ctx, first, key, token(i)); err != nil {
			return err
		}
	}
	if err := first.Delete(ctx, "gone"); err != nil {
		return err
	}
	_, _ = first.Update(ctx, "never",
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return nil, errors.New("no") })
	for _, store := range []oauth.Store{first, second} {
		var got []string
		for key, err := range store.Keys(ctx) {
			if err != nil {
				return err
			}
			got = append(got, key)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("its Keys yields %q, want %q", got, want)
		}
		for range store.Keys(ctx) {
			break // must not panic
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range first.Keys(ended) {
		if err == nil {
			return errors.New("its Keys yields keys after the end of its context")
		}
		return nil
	}
	return errors.New("its Keys yields no error after the end of its context")
}

func anyKey(ctx context.Context, first, second oauth.Store) error {
	keys := []string{
		"a", "A", "location/0IHuJvc2ofPAAA8GzTRi", "location/0ihujvc2ofpaaa8gztri", "..", ".", "/", "../a", "a/../a",
		`a\b`, "a\x00b", "con", "é", "e\u0301",
		" a", "a ", "%61", "a?b=c", "'; DROP TABLE tokens; --", "a%", "_", "\n", strings.Repeat("k", 100),
		strings.Repeat("k", 99) + "K",
	}
	for i, key := range keys {
		if err := put(ctx, first, key, token(i)); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	for i, key := range keys {
		if err := holds(ctx, second, key, token(i)); err != nil {
			return err
		}
	}
	n := 0
	for key, err := range second.Keys(ctx) {
		if err != nil || !slices.Contains(keys, key) {
			return fmt.Errorf("its Keys yields %q, %v", key, err)
		}
		n++
	}
	if n != len(keys) {
		return fmt.Errorf("its Keys yields %d of %d", n, len(keys))
	}
	if _, err := first.Load(ctx, ""); err == nil || errors.Is(err, oauth.ErrNoToken) {
		return fmt.Errorf("an empty key is not refused: %v", err)
	}
	if err := put(ctx, first, "", token(1)); err == nil {
		return errors.New("an empty key is not refused")
	}
	return nil
}

func panicUnlocks(ctx context.Context, first, second oauth.Store) error {
	if err := put(ctx, first, "k", token(1)); err != nil {
		return err
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = first.Update(ctx, "k", func(context.Context, *ghl.Token) (*ghl.Token, error) { panic("of fn") })
	}()
	short, cancel := context.WithTimeout(ctx, patience/2)
	defer cancel()
	return errors.Join(holds(short, second, "k", token(1)), put(short, second, "k", token(2)),
		put(short, first, "k", token(3)))
}
