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

// renewal is the work of one flight.
type renewal struct {
	*storedSource
	rejected string
	removed  int
	first    sourceID

	current *ghl.Token // what can be used as it is, should the renewal fail
	made    bool       // a new token was had
	asked   string     // the refresh token that was sent
	refused string     // the refresh token that the server does not take
	failed  error      // what ended the update from within
	fetch   error      // why there is no new token, although the update went well
	waiting bool       // that is an error of before

	// For a location's token that is derived from its company's:
	from           sourceID // whose the company's token is
	company        *ghl.Token
	companyErr     error
	companyWanted  bool // it is to be had before the next try
	companyRefused *ghl.Token
}

// run returns the token that the store holds when that is good, and else renews it while the key is locked.
func (r *renewal) run(ctx context.Context) (*ghl.Token, error) {
	if token, err := r.stored(ctx); token != nil || err != nil {
		return token, err
	}
	for {
		token, err := r.store.Update(ctx, r.key, r.update)
		if !r.companyWanted {
			return token, err
		}
		// Outside of the update, for a store need not hold two locks at once.
		r.companyWanted, r.failed, r.fetch = false, nil, nil
		company := r.app.source(r.store, sourceID{key: r.from.companyKey})
		if refresher, ok := company.(ghl.TokenRefresher); ok && r.companyRefused != nil {
			r.company, r.companyErr = refresher.Refresh(ctx, r.companyRefused)
		} else {
			r.company, r.companyErr = company.Token(ctx)
		}
	}
}

// parent says what a token is derived from: nothing, when it has a refresh token of its own. What the store holds decides,
// for a location that its agency had connected may since have connected itself, and the other way round.
func (r *renewal) parent(base *ghl.Token) sourceID {
	switch {
	case r.companyKey != "":
		return r.sourceID
	case base == nil:
		return r.first
	case base.RefreshToken == "" && base.CompanyID != "" && base.LocationID != "" && r.key == LocationKey(base.LocationID):
		return derivedFrom(base.CompanyID, base.LocationID)
	}
	return sourceID{}
}

// derivedFrom is where [Installations] keep what a location's token is derived from.
func derivedFrom(companyID, locationID string) sourceID {
	return sourceID{LocationKey(locationID), CompanyKey(companyID), companyID, locationID}
}

// stored answers without a lock where that is possible: nil and nil means that it is not.
func (r *renewal) stored(ctx context.Context) (*ghl.Token, error) {
	r.mu.Lock()
	unsaved := r.unsaved.token != nil
	r.mu.Unlock()
	if unsaved {
		return nil, nil
	}
	current, err := r.store.Load(ctx, r.key)
	switch {
	case errors.Is(err, ErrNoToken) && r.parent(nil).companyKey != "":
		return nil, nil
	case errors.Is(err, ErrNoToken):
		return nil, unconnected(r.key)
	case err != nil:
		return nil, err
	case current == nil:
		return nil, fmt.Errorf("oauth: the store gave no token of key %q and no error", r.key)
	}
	r.note(current)
	if r.good(current, r.rejected) {
		return current, nil
	}
	return nil, r.known(current)
}

// update is what happens while the key is locked.
func (r *renewal) update(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
	base, kept := r.base(current)
	r.note(base)
	from := r.parent(base)
	switch {
	case base == nil && from.companyKey == "", r.isGone():
		r.failed = unconnected(r.key)
		return nil, r.failed
	case base != nil && r.good(base, r.rejected):
		return base, nil
	}
	next, err := (*ghl.Token)(nil), r.known(base)
	if err == nil {
		next, err = r.next(ctx, base, from)
	}
	switch {
	case err == nil:
		r.made = true
		r.hold(next, current)
		return next, nil
	case kept: // there is no newer one, but this one is to be saved
		r.fetch = err
		return base, nil
	}
	r.failed = err
	return nil, err
}

// isGone: the token was removed while this renewal was on its way to the lock.
func (r *renewal) isGone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// known returns the error that asking the server would end in, as far as that is known: its refresh token was refused, or
// something has failed so lately that it is not yet to be tried again.
func (r *renewal) known(base *ghl.Token) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.trouble
	switch {
	case base != nil && base.RefreshToken != "" && base.RefreshToken == t.refused:
		r.refused = t.refused
		return t.refusal
	case t.err != nil && !t.elsewhere && time.Now().Before(t.until):
		r.waiting = true
		return t.err
	}
	return nil
}

// note remembers a token that has not ended: when it can't be renewed early, there is time yet.
func (r *renewal) note(t *ghl.Token) {
	if r.usable(t, r.rejected, time.Now()) {
		r.current = clone(t)
	}
}

// base returns the newest token there is: what could not be saved before, or else what the store holds.
func (r *renewal) base(current *ghl.Token) (base *ghl.Token, kept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := &r.unsaved
	switch {
	case u.token == nil || r.storedSource.removed != r.removed:
		return current, false
	case u.token.AccessToken == accessOf(current): // the store has said that it failed, but it has saved
		return current, false
	case u.any || u.over == accessOf(current):
		return clone(u.token), true
	}
	u.token = nil // somebody else has connected the account anew, or removed it
	return current, false
}

// hold keeps a new token, for it is the only one there is until it is saved.
func (r *renewal) hold(next, current *ghl.Token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.storedSource.removed == r.removed {
		r.unsaved = unsavedToken{token: clone(next), over: accessOf(current), reported: r.unsaved.reported}
	}
}

// next gets a new token from the server.
func (r *renewal) next(ctx context.Context, base *ghl.Token, from sourceID) (*ghl.Token, error) {
	if from.companyKey != "" {
		return r.exchange(ctx, from)
	}
	if base.RefreshToken == "" {
		return nil, r.reauth("its token has ended and has no refresh token", nil)
	}
	userType := base.UserType
	if userType == "" {
		userType = r.app.config.UserType
	}
	r.asked = base.RefreshToken
	token, err := r.app.requestToken(ctx, grant{
		kind: "refresh_token", refreshToken: base.RefreshToken, redirectURL: r.app.config.RedirectURL, userType: userType,
	}, ghl.CallRedact(base.AccessToken))
	if err != nil {
		if refusesRefreshToken(err) {
			return nil, r.refuse(err)
		}
		return nil, err
	}
	inherit(token, base)
	return token, nil
}

var errCompanyFirst = errors.New("oauth: the company's token is needed first")

// exchange derives the location's token from the company's.
func (r *renewal) exchange(ctx context.Context, from sourceID) (*ghl.Token, error) {
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
	token, err := client.OAuth.LocationToken(ctx, from.companyID, from.locationID)
	if err != nil {
		if source.refused && r.companyRefused == nil {
			r.companyRefused, r.companyWanted = r.company, true
		}
		return nil, err
	}
	if token.LocationID != from.locationID {
		return nil, ghl.NewError(ghl.Error{
			Operation: "oauth.locationToken", Message: "the answer is the token of another location",
		}, ghl.ErrBadResponse)
	}
	token.RefreshToken = ""
	return token, nil
}

// onlyToken is a token source that cannot refresh. It records that the server refused the token.
type onlyToken struct {
	token   *ghl.Token
	refused bool
}

func (s *onlyToken) Token(context.Context) (*ghl.Token, error) { return s.token, nil }

// Refresh returns the rejected token, which ends the call with the server's refusal.
func (s *onlyToken) Refresh(_ context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	s.refused = true
	return rejected, nil
}

// refuse returns the error for a refresh token that the server does not accept. err is the server's answer.
func (r *renewal) refuse(err error) error {
	why := "; it may have been used outside of this store, or by a process that ended before it could save the next one"
	r.mu.Lock()
	if r.trouble.lost == r.asked {
		why = "; it was used before, and the answer with the next one was lost"
	}
	r.mu.Unlock()
	r.refused = r.asked
	var e *ghl.Error
	errors.As(err, &e)
	return r.reauth("the server refused its refresh token ("+cmp.Or(e.Message, http.StatusText(e.Status))+")"+why, e)
}

func unconnected(key string) error {
	return ghl.NewError(ghl.Error{Message: fmt.Sprintf("the account of key %q is not connected", key)}, ghl.ErrReauthRequired, ErrNoToken)
}

// reauth returns the error that a person must connect the account again. from is the server's answer, or nil.
func (r *renewal) reauth(why string, from *ghl.Error) error {
	var e ghl.Error
	if from != nil {
		e = *from
	}
	e.Message, e.Details = fmt.Sprintf("the account of key %q must be connected again: %s", r.key, why), nil
	return ghl.NewError(e, ghl.ErrReauthRequired)
}
