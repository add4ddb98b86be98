package oauth

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/pluvo/ghl"
)

// TokenSource returns the source of the token that the store holds under key, such as one that was saved after
// [App.Exchange]. The source returns the token from memory while it is valid. It renews the token shortly before
// its end ([Config.RefreshBefore]) and when the server refuses it, with one refresh for all goroutines and
// processes that share the store, and saves the new token before any caller gets it. The context of a caller ends
// that caller's wait, never the refresh. The same store and key return the same source.
//
// The source fails with [ghl.ErrReauthRequired], naming the key, when the store holds no token, or when the server
// says that the refresh token is used or invalid. It then stores that with the token ([ghl.Token.RefusedRefresh]), and
// no process that shares the store asks the server again until the store holds another token, which the source sees
// within a second. Other failures, such as "Location is not active", leave the token
// as it is: the source retries after a pause of first a second and at most a minute, or as long as the server asks
// for. During the pause it reads the store each second, to find a token that another process has saved.
//
// A token under its [LocationKey] that has no refresh token but names a company, as [Installations] store it, is
// renewed as by [App.LocationTokenSource], with the company's token under [CompanyKey].
//
// Two failures can lose a token. When the server has rotated the refresh token and its answer is lost, or the
// process dies between the answer and the save, the stored refresh token is used up: the next refresh ends in
// [ghl.ErrReauthRequired]. After a lost answer the source repeats the request immediately, once: HighLevel is said
// to grant the same new token again within 30 s, which is an unconfirmed claim of one source. When the store cannot
// save, the new token exists only in memory: calls use it, the source retries the save every few seconds and reports
// it to [Config.OnTrouble] and the log. Call [App.Flush] before the process ends, to prevent both.
func (a *App) TokenSource(store Store, key string) ghl.TokenSource {
	if err := CheckKey(key); err != nil {
		return failingSource{err}
	}
	return a.tokenSource(store, sourceID{key: key})
}

// LocationTokenSource returns the source of a location's token that is derived from its company's: POST
// /oauth/locationToken, scope oauth.write. The company's token is stored under companyKey in the same store and
// renewed like any other. The location's token is stored under [LocationKey], without its refresh token, because it
// is renewed by another exchange. The source gets the company's token before it locks the location's key, so that
// no store has to hold two locks at once.
//
// In all else the source is like that of [App.TokenSource].
func (a *App) LocationTokenSource(store Store, companyKey, companyID, locationID string) ghl.TokenSource {
	for field, id := range map[string]string{"companyID": companyID, "locationID": locationID} {
		if err := checkID(field, id); err != nil {
			return failingSource{err}
		}
	}
	if err := CheckKey(companyKey); err != nil {
		return failingSource{err}
	}
	return a.tokenSource(store, sourceID{LocationKey(locationID), companyKey, companyID, locationID})
}

// failingSource is the source that wrong arguments return.
type failingSource struct{ err error }

func (s failingSource) Token(context.Context) (*ghl.Token, error) { return nil, s.err }

// sourceID identifies a source within a store. All but key are empty for a token with a refresh token of its own.
type sourceID struct{ key, companyKey, companyID, locationID string }

// tokenSources holds one source for each store and key, because two sources would not see each other's unsaved
// tokens.
type tokenSources struct {
	mu      sync.Mutex
	sources map[storeSource]*storedSource
}

type storeSource struct {
	store Store
	id    sourceID
}

func (l *tokenSources) list() []*storedSource {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*storedSource, 0, len(l.sources))
	for _, s := range l.sources {
		all = append(all, s)
	}
	return all
}

func (a *App) tokenSource(store Store, id sourceID) ghl.TokenSource {
	if store == nil {
		return failingSource{badInput("store", "the token store is nil")}
	}
	return a.source(store, id).public
}

// source returns the source of a store and key, the same one each time if the store is comparable.
func (a *App) source(store Store, id sourceID) *storedSource {
	s := &storedSource{app: a, store: store, sourceID: id}
	s.public = &tokenSource{sealed(s)}
	if !reflect.ValueOf(store).Comparable() { // it cannot be a key of the map
		return s
	}
	l := a.sources()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sources == nil {
		l.sources = map[storeSource]*storedSource{}
	}
	if known := l.sources[storeSource{store, id}]; known != nil {
		return known
	}
	l.sources[storeSource{store, id}] = s
	return s
}

// tokenSource is a storedSource as callers get it: reflection reaches no token in it.
type tokenSource struct{ stored func() *storedSource }

// Format prints the key for every verb.
func (s *tokenSource) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "oauth.TokenSource{%q}", s.stored().key)
}

// Token returns a valid token, see [App.TokenSource].
func (s *tokenSource) Token(ctx context.Context) (*ghl.Token, error) { return s.stored().get(ctx, "") }

// Refresh returns another token than the rejected one, see [ghl.TokenRefresher].
func (s *tokenSource) Refresh(ctx context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	return s.stored().get(ctx, accessOf(rejected))
}

// storedSource is the source of the token that a store holds under a key.
type storedSource struct {
	app    *App
	store  Store
	public *tokenSource
	sourceID

	mu       sync.Mutex
	token    *ghl.Token // what callers get; nil before the first one
	flight   *flight    // the look at the store that is under way
	unsaved  unsavedToken
	trouble  trouble
	removals int      // counts removals, so that a flight under way does not bring a removed token back
	gone     bool     // the token was removed: the source fails
	first    sourceID // what the first token is derived from, while the store holds none
}

// unsavedToken is a new token that the store could not save.
type unsavedToken struct {
	token       *ghl.Token
	replaces    string // the access token in the store that it replaces; "" for none
	replacesAny bool   // it replaces any token in the store
	triedAt     time.Time
	reported    bool
}

// get returns a token other than the rejected one. If there cannot be another, it returns the rejected one again.
func (s *storedSource) get(ctx context.Context, rejected string) (*ghl.Token, error) {
	if ctx == nil {
		return nil, badInput("ctx", "the context is nil")
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		token, f, err := s.fromMemory(ctx, rejected)
		if f == nil {
			return token, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case f.stale:
		case f.err != nil && token != nil: // an early renewal has failed, and the token is still valid
			return token, nil
		case f.err != nil:
			return nil, f.err
		case f.token.AccessToken != rejected || f.rejected == rejected:
			return f.token, nil
		}
	}
}

// fromMemory returns a token or an error from memory, or a flight to wait for, together with the token to use if it
// fails.
func (s *storedSource) fromMemory(ctx context.Context, rejected string) (*ghl.Token, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, nil, notConnected(s.key)
	}
	now := time.Now()
	if s.unsaved.token != nil && s.flight == nil && now.Sub(s.unsaved.triedAt) >= saveOnCall {
		s.start(ctx, "")
	}
	if s.usable(s.token, rejected, now) {
		if !renewalDue(s.token, now, s.app.config.RefreshBefore) || s.flight != nil || now.Before(s.trouble.retryAt) {
			return s.token, nil, nil
		}
		// The first caller waits, so that a short program does not end during the renewal.
		return s.token, s.start(ctx, ""), nil
	}
	switch {
	case s.flight != nil:
		return nil, s.flight, nil
	case s.trouble.err != nil && now.Before(s.trouble.retryAt) && now.Before(s.trouble.lookedAt.Add(recheckStore)):
		return nil, nil, s.trouble.err
	case rejected != "" && accessOf(s.token) == rejected && now.Before(s.trouble.rejectedUntil):
		return s.token, nil, nil // a renewal did not help just now
	}
	return nil, s.start(ctx, rejected), nil
}

// usable reports whether a token is valid and not the rejected one.
func (s *storedSource) usable(t *ghl.Token, rejected string, now time.Time) bool {
	return t != nil && t.AccessToken != rejected && !expired(t, now)
}

// fresh reports whether a token is usable and does not need to be renewed yet.
func (s *storedSource) fresh(t *ghl.Token, rejected string) bool {
	now := time.Now()
	return s.usable(t, rejected, now) && !renewalDue(t, now, s.app.config.RefreshBefore)
}

// forget drops what is in memory, because the token was replaced in the store or, if gone is set, removed from it.
func (s *storedSource) forget(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removals++
	s.gone = gone
	s.token, s.unsaved, s.trouble, s.first = nil, unsavedToken{}, trouble{}, sourceID{}
}

// deriveFirst sets what the first token is derived from while the store holds none. The zero value is nothing.
func (s *storedSource) deriveFirst(from sourceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = from
}

// restored ends forget(true), because the store holds a token again.
func (s *storedSource) restored() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = false
}

// adopt uses a token that the store could not save, and retries the save. err is the store's error.
func (s *storedSource) adopt(ctx context.Context, token *ghl.Token, err error) {
	s.forget(false)
	s.mu.Lock()
	s.token = clone(token)
	s.unsaved = unsavedToken{token: s.token, replacesAny: true, triedAt: time.Now(), reported: true}
	s.mu.Unlock()
	s.reportUnsaved(ctx, err)
	time.AfterFunc(saveAgain, s.retrySave)
}

func (s *storedSource) hasUnsaved() bool { return s.unsavedCopy() != nil }

func (s *storedSource) unsavedCopy() *ghl.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clone(s.unsaved.token)
}
