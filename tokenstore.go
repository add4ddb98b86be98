package ghl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// ErrNoToken: the store holds no token under the key.
var ErrNoToken = errors.New("no token is stored")

// TokenStore keeps tokens, each under a key. It is what lets single-use refresh tokens survive concurrent callers, several
// processes and a crash: nobody relies on a token that is not saved.
//
// [NewMemoryTokenStore] and [NewFileTokenStore] make one. For another, such as a database, keep the bytes of [EncodeToken]
// and hold it to the conformance suite, package github.com/pluvo/ghl/ghltest/tokenstoretest.
type TokenStore interface {
	// Load returns the token under the key, or an error that is [ErrNoToken]. It does not wait for an Update.
	Load(ctx context.Context, key string) (*Token, error)
	// Update is how a token changes. It holds the key's lock, across every process that shares the store; gives fn the
	// token as it stands (nil when there is none); and has saved what fn returns before it returns it. fn returning
	// current, or an error, writes nothing; the error of fn is the error of Update. No token and no error is an error too.
	//
	// The end of ctx ends the wait for the lock. It does not reach fn, whose context has its own end, and once fn has
	// returned a new token the save is not abandoned: a refresh token that was used is gone, so what it was used for must
	// be kept. fn must not use the same key again.
	Update(ctx context.Context, key string, fn func(ctx context.Context, current *Token) (*Token, error)) (*Token, error)
	// Delete removes the token under the key, after an Update that is under way. No token is no error.
	Delete(ctx context.Context, key string) error
	// Keys yields the keys that have a token, in any order. A failure is yielded once, with an empty key, and ends it.
	Keys(ctx context.Context) iter.Seq2[string, error]
}

// updateTimeout bounds what happens while a key is locked: a request and its few repetitions.
const updateTimeout = 2 * time.Minute

// detach returns a context that the end of ctx does not reach, with an end of its own.
func detach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), timeout)
}

// change runs the fn of an Update on the token as it stands, and reports whether what it returns must be saved.
func change(ctx context.Context, current *Token, fn func(context.Context, *Token) (*Token, error)) (next *Token, changed bool, err error) {
	ctx, cancel := detach(ctx, updateTimeout)
	defer cancel()
	next, err = fn(ctx, current.clone())
	switch {
	case err != nil:
		return nil, false, err
	case next == nil && current == nil:
		return nil, false, nil
	case next == nil:
		return nil, false, errors.New("ghl: the update of a token returned no token and no error")
	}
	if err := checkStorable(next); err != nil {
		return nil, false, err
	}
	return next.clone(), !next.same(current), nil
}

// maxKey keeps the name of a key's file within what file systems take.
const maxKey = 120

func checkKey(key string) error {
	switch {
	case key == "":
		return badInputf("key", "the key of a token is empty")
	case len(key) > maxKey:
		return badInputf("key", "the key of a token has more than %d bytes", maxKey)
	}
	return nil
}

// CompanyKey is the key under which [Installations] keeps the token of an agency.
func CompanyKey(companyID string) string { return companyPrefix + companyID }

// LocationKey is the key under which [Installations] and [App.LocationTokenSource] keep the token of a location.
func LocationKey(locationID string) string { return locationPrefix + locationID }

const (
	companyPrefix  = "company/"
	locationPrefix = "location/"
)

func noToken(key string) error {
	return fmt.Errorf("ghl: key %q: %w", key, ErrNoToken)
}
