package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/redact"
)

const (
	// flightTimeout bounds a renewal with its wait for the lock.
	flightTimeout = 2 * UpdateTimeout
	// A store without a usable token is looked at again at most so often.
	recheckStore = time.Second
	// A token that could not be saved is tried again so often by itself; a call tries sooner.
	saveAgain     = 10 * time.Second
	saveOnCall    = time.Second
	firstCooldown = time.Second
	maxCooldown   = time.Minute
)

// TokenSource returns the source of the token that the store holds under the key, such as one saved after [App.Exchange].
// It answers from memory while the token is good and renews it shortly before its end ([Config.RefreshBefore]) and when
// the server refuses it, with one refresh for all callers, goroutines and processes, that share the store. The new token is
// saved before anybody gets it. The context of a caller ends that caller's wait, never the refresh. The same store and key
// give the same source.
//
// Errors are of category [ghl.ErrReauthRequired], naming the key, when the store holds no token or the server calls the refresh
// token used or invalid. That is remembered: the server is not asked again until the store holds another token, which is
// seen within a second. Other failures, also "Location is not active", leave the token as it is and are tried again after a
// pause of at first a second and at most a minute, or as long as the server asks for; the store is looked at each second,
// so a token that another process has saved is seen.
//
// A token under its [LocationKey] that has no refresh token but names a company, as [Installations] keep it, is renewed as
// that of [App.LocationTokenSource] is, with the company's token under [CompanyKey].
//
// Two things cannot be saved. When the server has rotated and its answer is lost, or the process dies between the answer
// and the save, the stored refresh token is used and its successor known to nobody: the next refresh shows whether it is
// so, and ends in [ghl.ErrReauthRequired] then. And when the store cannot save, the new token lives in memory alone: calls go
// on with it, saving is tried again every few seconds, and [Config.OnTrouble] and the log tell. Call [App.Flush] before
// the process ends, so that it does not end in the middle of either.
func (a *App) TokenSource(store Store, key string) ghl.TokenSource {
	if err := CheckKey(key); err != nil {
		return failingSource{err}
	}
	return a.source(store, sourceID{key: key})
}

// LocationTokenSource returns the source of a location's token that is derived from its company's: POST
// /oauth/locationToken, scope oauth.write. The company's token is under companyKey in the same store, and renewed like any
// other; the location's is kept under [LocationKey]. It is renewed by another exchange, so its own refresh token is not
// kept. The company's token is taken before the location's key is locked: no store has to hold two locks at once.
//
// All else is as with [App.TokenSource].
func (a *App) LocationTokenSource(store Store, companyKey, companyID, locationID string) ghl.TokenSource {
	for field, id := range map[string]string{"companyID": companyID, "locationID": locationID} {
		if err := checkID(field, id); err != nil {
			return failingSource{err}
		}
	}
	if err := CheckKey(companyKey); err != nil {
		return failingSource{err}
	}
	return a.source(store, sourceID{LocationKey(locationID), companyKey, companyID, locationID})
}

// Flush waits until no token is being renewed, and tries once more to save what could not be saved. Call it before the
// process ends: a refresh that is cut off can cost the account. An error names the keys whose new token is in memory alone,
// or is the context's.
func (a *App) Flush(ctx context.Context) error {
	var all []error
	if err := a.exchanges.wait(ctx); err != nil {
		all = append(all, fmt.Errorf("oauth: a code is still being exchanged: %w", err))
	}
	for _, s := range a.sources.list() {
		all = append(all, s.flush(ctx))
	}
	return errors.Join(all...)
}

// pending counts what must not be cut off.
type pending struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n falls to 0
}

func (p *pending) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n++; p.n == 1 {
		p.none = make(chan struct{})
	}
}

func (p *pending) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n--; p.n == 0 {
		close(p.none)
	}
}

func (p *pending) wait(ctx context.Context) error {
	p.mu.Lock()
	n, none := p.n, p.none
	p.mu.Unlock()
	if n == 0 {
		return nil
	}
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failingSource is what wrong arguments give.
type failingSource struct{ err error }

func (s failingSource) Token(context.Context) (*ghl.Token, error) { return nil, s.err }

// sourceID says what a source is for.
type sourceID struct{ key, companyKey, companyID, locationID string }

// tokenSources holds one source for each store and key: two would not know of each other's unsaved tokens.
type tokenSources struct {
	mu   sync.Mutex
	held map[sourceIn]*storedSource
}

type sourceIn struct {
	store Store
	id    sourceID
}

func (l *tokenSources) list() []*storedSource {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*storedSource, 0, len(l.held))
	for _, s := range l.held {
		all = append(all, s)
	}
	return all
}

func (a *App) source(store Store, id sourceID) ghl.TokenSource {
	if store == nil {
		return failingSource{badInput("store", "the token store is nil")}
	}
	s := &storedSource{app: a, store: store, sourceID: id}
	if reflect.ValueOf(store).Comparable() { // what is not can't be found again
		a.sources.mu.Lock()
		defer a.sources.mu.Unlock()
		if a.sources.held == nil {
			a.sources.held = map[sourceIn]*storedSource{}
		}
		if known := a.sources.held[sourceIn{store, id}]; known != nil {
			return known
		}
		a.sources.held[sourceIn{store, id}] = s
	}
	return s
}

// storedSource gives the token that a store holds under a key, and renews it.
type storedSource struct {
	app   *App
	store Store
	sourceID

	mu      sync.Mutex
	token   *ghl.Token // what callers get; nil before the first
	flight  *flight    // the renewal under way
	unsaved unsavedToken
	trouble trouble
	removed int      // rises when the token is removed, so that a renewal under way does not bring it back
	gone    bool     // the token was removed, and is not to be had again
	first   sourceID // what the first token is derived from, while the store has none
}

// unsavedToken is a token that the store does not hold yet.
type unsavedToken struct {
	token    *ghl.Token
	over     string // the access token in the store that it comes after; "" for none
	any      bool   // it comes after whatever the store holds
	tried    time.Time
	reported bool
}

// trouble is what keeps a source from a new token.
type trouble struct {
	err    error
	until  time.Time // before that the server is not asked
	looked time.Time // when the store was last looked at
	count  int
	// It was the store, or the company's source, which makes pauses of its own: once they are well, nothing is waited for.
	elsewhere bool

	refused string // the refresh token that the server does not take
	refusal error  // the error of that
	lost    string // the refresh token whose use was not answered

	rejections int // refreshes in a row after a refused token
	rejected   time.Time
}

// flight is one look at the store, and at the server where that is due, for all who wait for it.
type flight struct {
	rejected string // the access token that the server refused; "" for none
	done     chan struct{}
	token    *ghl.Token
	err      error
	stale    bool // the token was removed or replaced meanwhile, so that what has come of it says nothing
}

// Format prints which token it gives, whatever the verb.
func (s *storedSource) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "oauth.TokenSource{%q}", s.key) }

// Token is described at [App.TokenSource].
func (s *storedSource) Token(ctx context.Context) (*ghl.Token, error) { return s.get(ctx, "") }

// Refresh is described at [ghl.TokenRefresher].
func (s *storedSource) Refresh(ctx context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	return s.get(ctx, accessOf(rejected))
}

// get returns a token other than the rejected one. When there can be no other, it returns the rejected one again.
func (s *storedSource) get(ctx context.Context, rejected string) (*ghl.Token, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		token, f, err := s.look(ctx, rejected)
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
		case f.err != nil && token != nil: // renewing early has failed; there is time yet
			return token, nil
		case f.err != nil:
			return nil, f.err
		case f.token.AccessToken != rejected || f.rejected == rejected:
			return f.token, nil
		}
	}
}

// look answers from memory, or returns a flight to wait for, with the token to use if it fails.
func (s *storedSource) look(ctx context.Context, rejected string) (*ghl.Token, *flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, nil, unconnected(s.key)
	}
	now := time.Now()
	if s.unsaved.token != nil && s.flight == nil && now.Sub(s.unsaved.tried) >= saveOnCall {
		s.start(ctx, "")
	}
	if s.usable(s.token, rejected, now) {
		if !renewalDue(s.token, now, s.app.config.RefreshBefore) || s.flight != nil || now.Before(s.trouble.until) {
			return s.token, nil, nil
		}
		return s.token, s.start(ctx, ""), nil // who comes first waits, so that no program ends in the middle of it
	}
	switch {
	case s.flight != nil:
		return nil, s.flight, nil
	case s.trouble.err != nil && now.Before(s.trouble.until) && now.Before(s.trouble.looked.Add(recheckStore)):
		return nil, nil, s.trouble.err
	case rejected != "" && accessOf(s.token) == rejected && now.Before(s.trouble.rejected):
		return s.token, nil, nil // renewing has just not helped
	}
	return nil, s.start(ctx, rejected), nil
}

func (s *storedSource) usable(t *ghl.Token, rejected string, now time.Time) bool {
	return t != nil && t.AccessToken != rejected && !expired(t, now)
}

// good reports whether a token needs no renewal.
func (s *storedSource) good(t *ghl.Token, rejected string) bool {
	now := time.Now()
	return s.usable(t, rejected, now) && !renewalDue(t, now, s.app.config.RefreshBefore)
}

// start begins a flight. It belongs to no caller: none of their contexts ends it.
func (s *storedSource) start(ctx context.Context, rejected string) *flight {
	f := &flight{rejected: rejected, done: make(chan struct{})}
	s.flight = f
	r := &renewal{storedSource: s, rejected: rejected, removed: s.removed, first: s.first}
	ctx, cancel := detach(ctx, flightTimeout)
	go func() {
		defer cancel()
		token, err := r.run(ctx)
		if token == nil && err == nil {
			err = fmt.Errorf("oauth: the store gave no token of key %q and no error", s.key)
		}
		s.land(ctx, f, r, token, err)
	}()
	return f
}

// land keeps what a flight has brought, and tells those who wait.
func (s *storedSource) land(ctx context.Context, f *flight, r *renewal, token *ghl.Token, err error) {
	s.mu.Lock()
	if s.removed != r.removed {
		f.stale = true
		s.flight = nil
		close(f.done)
		s.mu.Unlock()
		return
	}
	var tell []func()
	switch u := &s.unsaved; {
	case err == nil:
		if u.reported {
			tell = append(tell, func() { s.saved(ctx) })
		}
		s.token, s.unsaved, s.first = token, unsavedToken{}, sourceID{}
	case u.token != nil && r.failed == nil: // the store's fault
		u.tried, u.reported = time.Now(), true
		s.token, token = u.token, u.token
		unsaved := redact.Secrets{u.token.AccessToken, u.token.RefreshToken}.HideIn(err)
		tell = append(tell, func() { s.notSaved(ctx, unsaved) })
		time.AfterFunc(saveAgain, s.saveAgain)
		if err = r.fetch; err == nil && !s.usable(token, f.rejected, time.Now()) {
			err = unsaved
		}
	}
	if r.fetch != nil {
		err = r.fetch
	}
	if err == nil {
		s.settle(f, r.made)
		if r.made {
			tell = append(tell, func() { s.log(ctx, slog.LevelInfo, "ghl token renewed") })
		}
	} else if known := r.waiting || s.fail(err, r); !known && r.companyErr == nil { // the company's own source has told
		err := s.trouble.err
		tell = append(tell, func() { s.failed(ctx, err) })
	}
	s.trouble.looked = time.Now()
	switch {
	case err == nil:
		f.token = token
	case r.current != nil:
		s.token, f.token = r.current, r.current
	default:
		f.err = s.trouble.err
	}
	s.mu.Unlock()
	for _, do := range tell { // before those who wait go on, and in the order of the flights
		do()
	}
	s.mu.Lock()
	s.flight = nil
	s.mu.Unlock()
	close(f.done)
}

// settle ends the trouble. Refreshes after refused tokens are counted: a server that refuses whatever it gives is not asked
// for more and more.
func (s *storedSource) settle(f *flight, made bool) {
	t := trouble{rejections: s.trouble.rejections, rejected: s.trouble.rejected}
	if now := time.Now(); made && f.rejected != "" {
		if now.Sub(t.rejected) > maxCooldown {
			t.rejections, t.rejected = 0, now
		}
		if t.rejections > 0 {
			t.rejected = now.Add(cooldown(t.rejections - 1))
		}
		t.rejections++
	}
	s.trouble = t
}

// fail remembers why there is no token, and reports whether it is known already.
func (s *storedSource) fail(err error, r *renewal) (known bool) {
	t := &s.trouble
	var e *ghl.Error
	if errors.As(err, &e) && (e.Is(ghl.ErrAmbiguous) || e.Is(ghl.ErrBadResponse)) && r.asked != "" {
		t.lost = r.asked
	}
	if errors.Is(err, ghl.ErrReauthRequired) {
		known = errors.Is(t.err, ghl.ErrReauthRequired) && t.err.Error() == err.Error()
		if !known {
			t.err = err
		}
		t.refused, t.refusal, t.until = r.refused, t.err, time.Now().Add(recheckStore)
		return known
	}
	t.elsewhere = r.companyErr != nil || r.failed == nil && r.fetch == nil
	pause := cooldown(t.count)
	if e != nil {
		pause = max(pause, e.RetryAfter)
	}
	t.err, t.until = err, time.Now().Add(pause)
	t.count++
	return false
}

// cooldown is the pause after so many failures before this one.
func cooldown(before int) time.Duration { return min(firstCooldown<<min(before, 10), maxCooldown) }

func (s *storedSource) saveAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsaved.token == nil || time.Since(s.unsaved.tried) < saveAgain {
		return
	}
	if s.flight == nil {
		s.start(context.Background(), "")
	}
}

func (s *storedSource) flush(ctx context.Context) error {
	tried := false
	for {
		s.mu.Lock()
		f := s.flight
		if f == nil && s.unsaved.token != nil && !tried {
			f, tried = s.start(ctx, ""), true
		}
		unsaved := s.unsaved.token != nil
		s.mu.Unlock()
		switch {
		case f == nil && unsaved:
			return fmt.Errorf("oauth: the new token of key %q is not saved", s.key)
		case f == nil:
			return nil
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return fmt.Errorf("oauth: the token of key %q is still being renewed: %w", s.key, ctx.Err())
		}
	}
}

// forget drops what is in memory, when the token was replaced in the store, or is gone from it for good.
func (s *storedSource) forget(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed++
	s.gone = gone
	s.token, s.unsaved, s.trouble, s.first = nil, unsavedToken{}, trouble{}, sourceID{}
}

// derive has the first token derived from a company's. The zero value ends that.
func (s *storedSource) derive(from sourceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first = from
}

// back: the store holds a token again.
func (s *storedSource) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = false
}

// adopt keeps a token that could not be saved, whatever the store holds.
func (s *storedSource) adopt(ctx context.Context, token *ghl.Token, err error) {
	s.forget(false)
	s.mu.Lock()
	s.token = clone(token)
	s.unsaved = unsavedToken{token: s.token, any: true, tried: time.Now(), reported: true}
	s.mu.Unlock()
	s.notSaved(ctx, err)
	time.AfterFunc(saveAgain, s.saveAgain)
}

func (s *storedSource) unsavedToken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unsaved.token != nil
}

func (s *storedSource) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	s.app.config.Logger.LogAttrs(ctx, level, message, append([]slog.Attr{slog.String("key", s.key)}, attrs...)...)
}

func (s *storedSource) notSaved(ctx context.Context, err error) {
	s.log(ctx, slog.LevelError, "ghl token not saved: it is in the memory of this process alone", slog.Any("error", err))
	s.app.troubled(s.key, fmt.Errorf("oauth: the new token of key %q is not saved: %w", s.key, err))
}

func (s *storedSource) saved(ctx context.Context) {
	s.log(ctx, slog.LevelInfo, "ghl token saved at last")
	s.app.troubled(s.key, nil)
}

func (s *storedSource) failed(ctx context.Context, err error) {
	if errors.Is(err, ghl.ErrReauthRequired) {
		s.log(ctx, slog.LevelError, "ghl account must be connected again", slog.Any("error", err))
		s.app.troubled(s.key, err)
		return
	}
	s.log(ctx, slog.LevelWarn, "ghl token not renewed", slog.Any("error", err))
}

func (a *App) troubled(key string, err error) {
	if a.config.OnTrouble != nil {
		a.config.OnTrouble(key, err)
	}
}
