package oauth

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/pluvo/ghl"
)

// ErrNoToken means that a store holds no token under a key.
var ErrNoToken = errors.New("no token is stored")

// Store stores tokens under keys. It makes single-use refresh tokens survive concurrent callers, several processes
// and a crash, because no caller uses a token before it is saved.
//
// [NewMemoryStore] and [NewFileStore] make one. To write another, such as one on a database, use [Update],
// [KeyLocks], [Save] and [KeyRing], and run the conformance suite of package [github.com/pluvo/ghl/oauth/storetest]
// against it.
type Store interface {
	// Load returns the token under key, or an error that is [ErrNoToken]. It does not wait for an Update.
	Load(ctx context.Context, key string) (*ghl.Token, error)
	// Update changes the token under key and returns the token that is then stored. It holds the key's lock, across
	// every process that shares the store, while it calls fn with the current token, nil when none is stored, and
	// saves what fn returns. It calls fn at most once, because fn may use up the refresh token: a transaction that is
	// retried must not include fn. It writes nothing when fn returns current or an error; the error of fn is the
	// error of Update. It is an error when fn returns neither a token nor an error although a token is stored.
	//
	// The end of ctx ends only the wait for the lock. It does not reach fn, which gets a context with a timeout of
	// its own, and does not abort the save of a token that fn has returned: the refresh token before it has been
	// used, so the new one must not be lost. fn must not use the same key again.
	Update(
		ctx context.Context, key string, fn func(ctx context.Context, current *ghl.Token) (*ghl.Token, error),
	) (*ghl.Token, error)
	// Delete removes the token under key. It waits for an Update of the key. It returns nil when no token is stored.
	Delete(ctx context.Context, key string) error
	// Keys yields the keys that have a token, in any order. A failure is yielded once, with an empty key, and ends
	// the sequence.
	Keys(ctx context.Context) iter.Seq2[string, error]
}

// CompanyKey returns the key under which [Installations] store the token of an agency.
func CompanyKey(companyID string) string { return companyPrefix + companyID }

// LocationKey returns the key under which [Installations] and [App.LocationTokenSource] store the token of a
// location.
func LocationKey(locationID string) string { return locationPrefix + locationID }

const (
	companyPrefix  = "company/"
	locationPrefix = "location/"
)

// maxKey is within the length of a file name, see [FileStore].
const maxKey = 120

// CheckKey returns an error of category [ghl.ErrBadInput] when a key is empty or has more than 120 bytes. A [Store]
// refuses such keys.
func CheckKey(key string) error {
	switch {
	case key == "":
		return badInput("key", "the key of a token is empty")
	case len(key) > maxKey:
		return badInput("key", "the key of a token has more than %d bytes", maxKey)
	}
	return nil
}

func noToken(key string) error {
	return fmt.Errorf("oauth: key %q: %w", key, ErrNoToken)
}
