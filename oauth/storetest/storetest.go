// Package storetest checks that an [oauth.Store] does what its documentation requires. A store that does not can
// lose an account, because HighLevel's refresh tokens work once.
//
//	func TestMyStore(t *testing.T) {
//		storetest.Run(t, func() (first, second oauth.Store) {
//			db := newEmptyDatabase(t)
//			return mystore.New(db), mystore.New(db) // as two processes would open it
//		})
//	}
//
// The package does not import package testing, so that a program can also check its store when it starts.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// T is the part of [*testing.T] that [Run] uses.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// Opener makes a new, empty store and opens it twice, as two processes do. For a store within one process it
// returns the same store twice. A store with a Close method is closed after its check.
type Opener func() (first, second oauth.Store)

// Run checks each rule on a new store and reports every rule that the store breaks. It takes about a second.
func Run(t T, open Opener) {
	t.Helper()
	for _, c := range checks {
		if err := c.run(open); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Names returns the names of the rules. [Run] reports a broken rule as its name, a colon and the problem.
func Names() []string {
	var names []string
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}

// patience is how long a check may take before the store is reported as stuck. Only a test changes it.
var patience = 20 * time.Second

// moment is how long a check waits to see that nothing happens.
const moment = 50 * time.Millisecond

// check is one rule.
type check struct {
	name string
	do   func(ctx context.Context, first, second oauth.Store) error
}

func (c check) run(open Opener) error {
	first, second := open()
	if first == nil || second == nil {
		return errors.New("the opener returned no store")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("the store panics: %v", v)
			}
		}()
		done <- c.do(ctx, first, second)
	}()
	select {
	case err := <-done:
		for _, store := range []oauth.Store{first, second} {
			if closer, ok := store.(interface{ Close() error }); ok {
				_ = closer.Close() // a store may be closed twice
			}
		}
		return err
	case <-time.After(patience + time.Second):
		return errors.New("the store is stuck")
	}
}

// token returns a token that differs from those of other numbers.
func token(n int) *ghl.Token {
	start := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return &ghl.Token{
		AccessToken: fmt.Sprintf("access-%d", n), RefreshToken: fmt.Sprintf("refresh-%d", n),
		RefusedRefresh: fmt.Sprintf("refused-%d", n),
		IssuedAt:       start, ConnectedAt: start.Add(-time.Hour), ExpiresAt: start.Add(24 * time.Hour),
		Scopes:   []ghl.Scope{"contacts.readonly", "contacts.write"},
		UserType: ghl.UserTypeCompany, CompanyID: "company", LocationID: "location", UserID: "user",
		BulkInstallation: true, ApprovedLocations: []string{"a", "b"}, AllLocations: true, FutureLocations: true,
	}
}

// same returns an error that describes how two tokens differ, nil if they do not.
func same(got, want *ghl.Token) error {
	switch {
	case got == nil && want == nil:
		return nil
	case got == nil:
		return errors.New("no token, want one")
	case want == nil:
		return errors.New("a token, want none")
	}
	a, errA := oauth.EncodeToken(inUTC(got))
	b, errB := oauth.EncodeToken(inUTC(want))
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if string(a) != string(b) {
		return fmt.Errorf("the token is %s, want %s", a, b) // tokens of this test alone
	}
	return nil
}

func inUTC(t *ghl.Token) *ghl.Token {
	c := *t
	c.IssuedAt, c.ConnectedAt, c.ExpiresAt = t.IssuedAt.UTC(), t.ConnectedAt.UTC(), t.ExpiresAt.UTC()
	return &c
}

// put saves a token over any other.
func put(ctx context.Context, store oauth.Store, key string, t *ghl.Token) error {
	got, err := store.Update(ctx, key, func(context.Context, *ghl.Token) (*ghl.Token, error) { return t, nil })
	if err != nil {
		return fmt.Errorf("its Update: %w", err)
	}
	if err := same(got, t); err != nil {
		return fmt.Errorf("its Update does not return the saved token: %w", err)
	}
	return nil
}

// holds checks which token is stored under a key; nil means none.
func holds(ctx context.Context, store oauth.Store, key string, want *ghl.Token) error {
	got, err := store.Load(ctx, key)
	if want == nil {
		if err == nil {
			return fmt.Errorf("its Load of %q returns a token, want oauth.ErrNoToken", key)
		}
		if !errors.Is(err, oauth.ErrNoToken) {
			return fmt.Errorf("its Load of %q, which has no token, returns an error that is not oauth.ErrNoToken: %w",
				key, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("its Load of %q: %w", key, err)
	}
	if err := same(got, want); err != nil {
		return fmt.Errorf("its Load of %q: %w", key, err)
	}
	return nil
}
