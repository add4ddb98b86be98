package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pluvo/ghl"
)

// renewal is the work of one flight: it returns the stored token, renewed where that is due.
type renewal struct {
	*storedSource
	rejected string   // as in flight
	removals int      // storedSource.removals at the start of the flight
	first    sourceID // storedSource.first at the start of the flight

	current   *ghl.Token // a token that is usable even if the renewal fails
	renewed   bool       // the server gave a new token
	sent      string     // the refresh token that was sent
	refused   string     // the refresh token that the server refused
	unmarked  bool       // the store did not save that it was refused
	lost      bool       // the answer to the first request was lost
	replaced  bool       // the stored token was replaced although the key was locked
	updateErr error      // why the update failed, other than because of the store
	renewErr  error      // why there is no new token, although the update succeeded
	paused    bool       // the error is that of an earlier renewal

	// For a location's token that is derived from its company's token:
	from           sourceID // which company's token
	company        *ghl.Token
	companyErr     error
	companyWanted  bool // get the company's token, then update again
	companyRefused *ghl.Token
}

// run returns the stored token if it is fresh. Otherwise it renews the token while the key is locked.
func (r *renewal) run(ctx context.Context) (*ghl.Token, error) {
	if token, err := r.stored(ctx); token != nil || err != nil {
		return token, err
	}
	for {
		token, err := r.store.Update(ctx, r.key, r.update)
		r.unmarked = err != nil && r.refused != "" && r.updateErr == nil
		if r.replaced {
			r.replaced, r.updateErr = false, nil
			if token, err := r.stored(ctx); token != nil || err != nil {
				return token, err
			}
			continue
		}
		if !r.companyWanted {
			return token, err
		}
		// Outside of the update, because a store need not hold two locks at once.
		r.companyWanted, r.updateErr, r.renewErr = false, nil, nil
		company := r.app.source(r.store, sourceID{key: r.from.companyKey})
		r.company, r.companyErr = company.get(ctx, accessOf(r.companyRefused))
	}
}

// parent returns what a token is derived from, the zero value if it has a refresh token of its own. The stored
// token decides, because a location that its agency had connected may since have connected itself, and the other
// way round.
func (r *renewal) parent(base *ghl.Token) sourceID {
	switch {
	case r.companyKey != "":
		return r.sourceID
	case base == nil:
		return r.first
	case base.RefreshToken == "" && base.CompanyID != "" && base.LocationID != "" &&
		r.key == LocationKey(base.LocationID):
		return derivedFrom(base.CompanyID, base.LocationID)
	}
	return sourceID{}
}

// derivedFrom returns the keys of a location and of its company as [Installations] use them.
func derivedFrom(companyID, locationID string) sourceID {
	return sourceID{LocationKey(locationID), CompanyKey(companyID), companyID, locationID}
}

// stored returns a fresh token from the store, without a lock. It returns nil and no error if the token must be
// renewed.
func (r *renewal) stored(ctx context.Context) (*ghl.Token, error) {
	if r.hasUnsaved() {
		return nil, nil
	}
	current, err := r.store.Load(ctx, r.key)
	switch {
	case errors.Is(err, ErrNoToken) && r.parent(nil).companyKey != "":
		return nil, nil
	case errors.Is(err, ErrNoToken):
		return nil, notConnected(r.key)
	case err != nil:
		return nil, err
	case current == nil:
		return nil, fmt.Errorf("oauth: the store returned neither a token of key %q nor an error", r.key)
	}
	r.noteUsable(current)
	if r.fresh(current, r.rejected) {
		return current, nil
	}
	err = r.recentError(current)
	if r.refused != "" && r.markDue() {
		return nil, nil
	}
	return nil, err
}

// markDue reports whether the store could not save that the refresh token was refused.
func (r *renewal) markDue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trouble.unmarked
}

// update renews the token. It runs while the key is locked.
func (r *renewal) update(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
	base, unsaved := r.newest(current)
	r.noteUsable(base)
	from := r.parent(base)
	switch {
	case base == nil && from.companyKey == "", r.wasRemoved():
		r.updateErr = notConnected(r.key)
		return nil, r.updateErr
	case base != nil && r.fresh(base, r.rejected):
		return base, nil
	}
	next, err := (*ghl.Token)(nil), r.recentError(base)
	if err == nil {
		next, err = r.request(ctx, base, from)
	}
	switch {
	case err == nil:
		r.renewed = true
		r.holdUnsaved(next, current)
		return next, nil
	case r.refused != "" && r.sent == r.refused && r.wasReplaced(ctx, current):
		r.refused, r.replaced, r.updateErr = "", true, err
		return nil, err
	case r.refused != "" && !r.app.refused(base): // save that it was refused
		r.renewErr = err
		marked := clone(base) // a store may compare the pointer with that of current
		marked.RefusedRefresh = r.app.refusal(r.refused)
		return marked, nil
	case unsaved: // save at least this token
		r.renewErr = err
		return base, nil
	}
	r.updateErr = err
	return nil, err
}

// wasReplaced reports whether the store holds another token than current. That is possible when another process lost
// its lock, such as an expired lease, and saved its new token nevertheless. That token must not be overwritten.
func (r *renewal) wasReplaced(ctx context.Context, current *ghl.Token) bool {
	now, err := r.store.Load(ctx, r.key)
	return err == nil && now != nil && current != nil && now.RefreshToken != current.RefreshToken
}

// wasRemoved reports whether the token was removed while this renewal waited for the lock.
func (r *renewal) wasRemoved() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// recentError returns the error that a request would end in, if an earlier one shows it: the server has refused the
// refresh token, of this process or of another one, or the pause after a failure is not over.
func (r *renewal) recentError(base *ghl.Token) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.trouble
	switch {
	case base != nil && base.RefreshToken != "" && base.RefreshToken == t.refused:
		r.refused = t.refused
		return t.refusedErr
	case r.app.refused(base):
		r.refused = base.RefreshToken
		return r.reauth("the server refused its refresh token before", nil)
	case t.err != nil && !t.notServer && time.Now().Before(t.retryAt):
		r.paused = true
		return t.err
	}
	return nil
}

// noteUsable remembers a token that can be used although it could not be renewed early.
func (r *renewal) noteUsable(t *ghl.Token) {
	if r.usable(t, r.rejected, time.Now()) {
		r.current = clone(t)
	}
}

// newest returns the newest token: the unsaved one, if it replaces the stored one, or else the stored one.
func (r *renewal) newest(current *ghl.Token) (base *ghl.Token, unsaved bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := &r.unsaved
	switch {
	case u.token == nil || r.storedSource.removals != r.removals:
		return current, false
	case u.token.AccessToken == accessOf(current): // the store reported a failure, but has saved the token
		return current, false
	case u.replacesAny || u.replaces == accessOf(current):
		return clone(u.token), true
	}
	u.token = nil // the account was connected anew or removed meanwhile
	return current, false
}

// holdUnsaved holds a new token in memory until the store has saved it.
func (r *renewal) holdUnsaved(next, current *ghl.Token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.storedSource.removals == r.removals {
		r.unsaved = unsavedToken{token: clone(next), replaces: accessOf(current), reported: r.unsaved.reported}
	}
}

// request gets a new token from the server.
func (r *renewal) request(ctx context.Context, base *ghl.Token, from sourceID) (*ghl.Token, error) {
	if from.companyKey != "" {
		return r.exchange(ctx, base, from)
	}
	if base.RefreshToken == "" {
		return nil, r.reauth("its token has ended and has no refresh token", nil)
	}
	r.sent = base.RefreshToken
	g := grant{
		kind: "refresh_token", refreshToken: base.RefreshToken, redirectURL: r.app.config.RedirectURL,
		userType: cmp.Or(base.UserType, r.app.config.UserType),
	}
	token, err := r.app.requestToken(ctx, g, ghl.CallRedact(base.AccessToken))
	if lostAnswer(err) && ctx.Err() == nil {
		// HighLevel is said to answer a repeat within 30 s with the same new token (an unconfirmed claim). If it does
		// not, the first request has used the refresh token, and a later request would be refused as well.
		r.lost = true
		token, err = r.app.requestToken(ctx, g, ghl.CallRedact(base.AccessToken))
	}
	switch {
	case err != nil && refusesRefreshToken(err):
		return nil, r.refusedError(err)
	case err != nil:
		return nil, err
	}
	inherit(token, base)
	return token, nil
}

var errCompanyFirst = errors.New("oauth: the company's token is needed first")

// exchange derives the location's token from the company's token. base is the location's token before, or nil.
func (r *renewal) exchange(ctx context.Context, base *ghl.Token, from sourceID) (*ghl.Token, error) {
	switch {
	case r.from != from:
		r.from, r.companyRefused, r.companyWanted = from, nil, true
		return nil, errCompanyFirst
	case r.companyErr != nil:
		return nil, r.companyErr
	}
	source := &onlyToken{token: r.company}
	client, err := r.app.client.With(ghl.WithTokenSource(source))
	if err != nil {
		return nil, err
	}
	var response ghl.Response
	token, err := client.OAuth.LocationToken(ctx, from.companyID, from.locationID, ghl.CallResponse(&response))
	if err != nil {
		if source.refused && r.companyRefused == nil {
			r.companyRefused, r.companyWanted = r.company, true
		}
		return nil, err
	}
	if token.LocationID != from.locationID {
		return nil, (&ghl.Error{
			Operation: "oauth.locationToken", Message: "the answer is the token of another location",
		}).With(ghl.ErrBadResponse)
	}
	token.RefreshToken = ""
	if token.ConnectedAt = answeredAt(&response, token); base != nil {
		token.ConnectedAt = base.ConnectedAt
	}
	return token, nil
}

// onlyToken is the source of a token that it does not refresh. It records whether the server refused the token.
type onlyToken struct {
	token   *ghl.Token
	refused bool
}

func (s *onlyToken) Token(context.Context) (*ghl.Token, error) { return s.token, nil }

// Refresh returns the rejected token, so that the call ends with the server's refusal.
func (s *onlyToken) Refresh(_ context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	s.refused = true
	return rejected, nil
}

// refusedError returns the error for a refresh token that the server refused with err.
func (r *renewal) refusedError(err error) error {
	why := "; it may have been used outside of this store, or by a process that ended before it could save the next one"
	r.mu.Lock()
	if r.lost || r.trouble.lost == r.sent {
		why = "; it was used before, and the answer with the next one was lost"
	}
	r.mu.Unlock()
	r.refused = r.sent
	var e *ghl.Error
	errors.As(err, &e)
	return r.reauth("the server refused its refresh token ("+cmp.Or(e.Message, http.StatusText(e.Status))+")"+why, e)
}

// notConnected returns the error for a key without a token.
func notConnected(key string) error {
	message := fmt.Sprintf("the account of key %q is not connected", key)
	return (&ghl.Error{Message: message}).With(ghl.ErrReauthRequired, ErrNoToken)
}

// reauth returns the error that a person must connect the account again. from is the server's answer, or nil.
func (r *renewal) reauth(why string, from *ghl.Error) error {
	var e ghl.Error
	if from != nil {
		e = *from
	}
	e.Message, e.Details = fmt.Sprintf("the account of key %q must be connected again: %s", r.key, why), nil
	return e.With(ghl.ErrReauthRequired)
}
