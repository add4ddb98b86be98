package oauth

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/redact"
)

// Installations are the locations and agencies that have installed an app, according to a [Store]. They return a
// client for each location, with a token source and a limiter of its own; all clients share one transport.
// Installations are safe for concurrent use, and several processes can share the store. A store holds the tokens of
// one app.
//
// A location's token comes in one of two ways. When the location itself installed the app, [Installations.Add]
// saves its token under [LocationKey], with its refresh token. When its agency did, the location's token is derived
// from the agency's token ([CompanyKey]) and has no refresh token: Add derives the tokens of the locations that the
// agency chose, [Installations.AddLocation] that of one location, such as after a webhook of type INSTALL, and
// [Installations.AddInstalled] those of all locations.
type Installations struct {
	app     *App
	store   Store
	base    *ghl.Client
	clients *sync.Map // key → *ghl.Client
}

// NewInstallations returns the installations of an app. The options, such as a logger, limiters or retries, apply
// to every client. Server, version, HTTP client and user agent default to the app's. The token source and the
// location of a client are always its own.
func NewInstallations(app *App, store Store, opts ...ghl.Option) (*Installations, error) {
	switch {
	case app == nil || app.client == nil:
		return nil, badInput("app", "the app is nil")
	case store == nil:
		return nil, badInput("store", "the token store is nil")
	}
	base, err := app.client.With(opts...)
	if err != nil {
		return nil, err
	}
	return &Installations{app: app, store: store, base: base, clients: new(sync.Map)}, nil
}

// Format prints the app's client id for every verb.
func (i Installations) Format(f fmt.State, _ rune) {
	if i.app == nil {
		fmt.Fprint(f, "oauth.Installations{}")
		return
	}
	fmt.Fprintf(f, "oauth.Installations{%q}", i.app.config.ClientID)
}

// Add exchanges the code of the consent screen for a token ([App.Exchange]) and saves the token. The end of ctx
// ends only the wait for that, because a code works once. For an agency that installed the app in its locations,
// Add then adds those locations.
//
// Add returns the token together with an error when a step after the exchange failed. A token that could not be
// saved is used from memory, and its save is retried ([Config.OnTrouble]). Locations that could not be added can be
// added with [Installations.AddInstalled].
func (i *Installations) Add(ctx context.Context, code string) (*ghl.Token, error) {
	token, err := i.exchange(ctx, code)
	if err != nil || token.LocationID != "" {
		return token, err
	}
	switch {
	case len(token.ApprovedLocations) > 0:
		var failed []error
		for _, id := range token.ApprovedLocations {
			if _, err := i.AddLocation(ctx, token.CompanyID, id); err != nil {
				failed = append(failed, fmt.Errorf("location %.40q: %w", id, err))
			}
		}
		return token, errors.Join(failed...)
	case token.AllLocations || token.BulkInstallation:
		_, err := i.AddInstalled(ctx, token.CompanyID)
		return token, err
	}
	return token, nil
}

// exchange gets and saves a token. The end of ctx ends only the wait for it.
func (i *Installations) exchange(ctx context.Context, code string) (*ghl.Token, error) {
	if ctx == nil {
		return nil, badInput("ctx", "the context is nil")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	detached, cancel := detach(ctx, flightTimeout)
	i.app.exchanges.begin()
	return await(ctx, func() (*ghl.Token, error) {
		defer cancel()
		defer i.app.exchanges.end()
		token, err := i.app.Exchange(detached, code)
		if err == nil {
			err = i.save(detached, token)
		}
		return token, err
	})
}

func (i *Installations) save(ctx context.Context, token *ghl.Token) error {
	key := ""
	switch {
	case token.LocationID != "":
		key = LocationKey(token.LocationID)
	case token.CompanyID != "":
		key = CompanyKey(token.CompanyID)
	default:
		return (&ghl.Error{
			Operation: opToken.Name, Message: "the token names neither a location nor a company, so it is not saved",
		}).With(ghl.ErrBadResponse)
	}
	if err := CheckKey(key); err != nil {
		return err
	}
	_, err := i.store.Update(ctx, key, func(context.Context, *ghl.Token) (*ghl.Token, error) { return token, nil })
	i.drop(key, false)
	if err != nil {
		err = redact.Secrets{token.AccessToken, token.RefreshToken}.HideIn(err)
		i.app.source(i.store, sourceID{key: key}).adopt(ctx, token, err)
		return fmt.Errorf("oauth: the new token of key %q is not saved: %w", key, err)
	}
	return nil
}

// drop drops the client and the token of a key from memory. With gone, the token was removed: clients that are
// still in use fail and do not bring it back.
func (i *Installations) drop(key string, gone bool) {
	i.clients.Delete(key)
	if !reflect.ValueOf(i.store).Comparable() {
		return
	}
	for _, s := range i.app.sources().list() {
		if s.store == i.store && s.key == key {
			s.forget(gone)
		}
	}
}

// AddLocation adds a location in which an agency has installed the app, such as after a webhook of type INSTALL,
// and returns its client. The location's token is derived from the agency's token, which must be stored: POST
// /oauth/locationToken, scope oauth.write. A location that is already stored keeps its token; if the agency was
// connected again since, the location counts as connected again too.
func (i *Installations) AddLocation(ctx context.Context, companyID, locationID string) (*ghl.Client, error) {
	for _, id := range [][2]string{{"companyID", companyID}, {"locationID", locationID}} {
		if err := checkID(id[0], id[1]); err != nil {
			return nil, err
		}
	}
	key := LocationKey(locationID)
	for _, key := range []string{key, CompanyKey(companyID)} {
		if err := CheckKey(key); err != nil {
			return nil, err
		}
	}
	s := i.app.source(i.store, sourceID{key: key})
	if !s.hasUnsaved() {
		// Read the store instead of the client in memory, because another process may have removed the location.
		token, err := i.load(ctx, key)
		switch {
		case err == nil:
			if err := i.reconnectedWith(ctx, companyID, token); err != nil {
				return nil, err
			}
			return i.Client(ctx, locationID)
		case !errors.Is(err, ErrNoToken):
			return nil, err
		}
		s.forget(false)
		s.deriveFirst(derivedFrom(companyID, locationID))
	}
	if _, err := s.get(ctx, ""); err != nil {
		s.deriveFirst(sourceID{})
		return nil, err
	}
	return i.Client(ctx, locationID)
}

// AddInstalled adds every location of an agency in which the app is installed: GET /oauth/installedLocations, scope
// oauth.readonly, and POST /oauth/locationToken, scope oauth.write, for each location. It returns the ids of the
// locations that are then stored. It continues after a location that cannot be added; the error joins the errors of
// those.
func (i *Installations) AddInstalled(ctx context.Context, companyID string) ([]string, error) {
	company, err := i.Company(ctx, companyID)
	if err != nil {
		return nil, err
	}
	installed := true
	query := &ghl.InstalledLocationsQuery{CompanyID: companyID, AppID: i.app.config.AppID,
		IsInstalled: &installed, Limit: 100}
	var added []string
	var failed []error
	for location, err := range company.OAuth.AllInstalledLocations(ctx, query) {
		if err != nil {
			failed = append(failed, err)
			break
		}
		if !location.IsInstalled {
			continue
		}
		if _, err := i.AddLocation(ctx, companyID, location.ID); err != nil {
			failed = append(failed, fmt.Errorf("location %.40q: %w", location.ID, err))
			continue
		}
		added = append(added, location.ID)
	}
	return added, errors.Join(failed...)
}

// Client returns the client of a location, the same one each time. The error is [ErrNoToken] when the store holds
// no token of the location.
func (i *Installations) Client(ctx context.Context, locationID string) (*ghl.Client, error) {
	if err := checkID("locationID", locationID); err != nil {
		return nil, err
	}
	return i.client(ctx, LocationKey(locationID), ghl.WithLocation(locationID))
}

// Company returns the client of an agency, for the methods that need its token: those of [ghl.Client.OAuth]. The
// error is [ErrNoToken] when the store holds no token of the agency.
func (i *Installations) Company(ctx context.Context, companyID string) (*ghl.Client, error) {
	if err := checkID("companyID", companyID); err != nil {
		return nil, err
	}
	return i.client(ctx, CompanyKey(companyID), nil)
}

func (i *Installations) client(ctx context.Context, key string, location ghl.Option) (*ghl.Client, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	if client, ok := i.clients.Load(key); ok {
		return client.(*ghl.Client), nil
	}
	s := i.app.source(i.store, sourceID{key: key})
	if !s.hasUnsaved() {
		if _, err := i.load(ctx, key); err != nil {
			if errors.Is(err, ErrNoToken) {
				return nil, notConnected(key)
			}
			return nil, err
		}
		s.restored()
	}
	client, err := i.base.With(ghl.WithTokenSource(s.public), location)
	if err != nil {
		return nil, err
	}
	kept, _ := i.clients.LoadOrStore(key, client)
	return kept.(*ghl.Client), nil
}

// load reads a token. It returns when ctx ends, whatever the store does.
func (i *Installations) load(ctx context.Context, key string) (*ghl.Token, error) {
	return await(ctx, func() (*ghl.Token, error) { return i.store.Load(ctx, key) })
}

// Clients yields the client of every location in the store. It yields an error for a location whose token cannot be
// read and continues with the next one. It yields an error and ends when the store cannot be listed.
func (i *Installations) Clients(ctx context.Context) iter.Seq2[*ghl.Client, error] {
	return func(yield func(*ghl.Client, error) bool) {
		for id, err := range i.Locations(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			client, err := i.Client(ctx, id)
			if errors.Is(err, ErrNoToken) { // removed meanwhile
				continue
			}
			if !yield(client, err) {
				return
			}
		}
	}
}

// Locations yields the ids of the locations in the store. A failure is yielded once, with an empty id, and ends the
// sequence.
func (i *Installations) Locations(ctx context.Context) iter.Seq2[string, error] {
	return i.ids(ctx, locationPrefix)
}

// Companies yields the ids of the agencies in the store. A failure is yielded once, with an empty id, and ends the
// sequence.
func (i *Installations) Companies(ctx context.Context) iter.Seq2[string, error] {
	return i.ids(ctx, companyPrefix)
}

func (i *Installations) ids(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range i.store.Keys(ctx) {
			if err != nil {
				yield("", err)
				return
			}
			if id, ok := strings.CutPrefix(key, prefix); ok && !yield(id, nil) {
				return
			}
		}
	}
}

// Remove removes the token of a location, such as after a webhook of type UNINSTALL. A renewal under way does not
// bring the token back. Clients that are still in use fail with [ghl.ErrReauthRequired]: at once in this process,
// and in other processes when they next renew the token.
func (i *Installations) Remove(ctx context.Context, locationID string) error {
	_, err := i.RemoveIssuedBefore(ctx, locationID, time.Time{})
	return err
}

// RemoveIssuedBefore is Remove for events that may arrive late. It removes nothing and returns false when the
// location was connected at that time or later ([ghl.Token.ConnectedAt]), because the app was then installed again. For
// a token without ConnectedAt the time of its last renewal counts (IssuedAt), and a token without either is always
// removed. The zero time removes any token.
func (i *Installations) RemoveIssuedBefore(ctx context.Context, locationID string, at time.Time) (bool, error) {
	if err := checkID("locationID", locationID); err != nil {
		return false, err
	}
	key := LocationKey(locationID)
	if spared, err := i.connectedSince(ctx, key, at); spared || err != nil {
		return false, err
	}
	return true, i.remove(ctx, key)
}

// RemoveCompany removes the token of an agency, and those of the locations that are derived from it.
func (i *Installations) RemoveCompany(ctx context.Context, companyID string) error {
	_, err := i.RemoveCompanyIssuedBefore(ctx, companyID, time.Time{})
	return err
}

// RemoveCompanyIssuedBefore is RemoveCompany for events that may arrive late. It removes nothing and returns false
// when the agency was connected at that time or later. Otherwise it removes the agency's token, and the derived tokens
// of locations that were connected before that time.
func (i *Installations) RemoveCompanyIssuedBefore(ctx context.Context, companyID string, at time.Time) (bool, error) {
	if err := checkID("companyID", companyID); err != nil {
		return false, err
	}
	if spared, err := i.connectedSince(ctx, CompanyKey(companyID), at); spared || err != nil {
		return false, err
	}
	failed := []error{i.remove(ctx, CompanyKey(companyID))} // first, so that no location's token is derived again
	for id, err := range i.Locations(ctx) {
		if err != nil {
			failed = append(failed, err)
			break
		}
		token, err := i.load(ctx, LocationKey(id))
		switch {
		case errors.Is(err, ErrNoToken):
		case err != nil:
			failed = append(failed, err)
		case token.CompanyID == companyID && token.RefreshToken == "" && !connectedSince(token, at):
			failed = append(failed, i.remove(ctx, LocationKey(id)))
		}
	}
	return true, errors.Join(failed...)
}

func (i *Installations) connectedSince(ctx context.Context, key string, at time.Time) (bool, error) {
	if at.IsZero() {
		return false, nil
	}
	// a token that could not be saved yet
	if connectedSince(i.app.source(i.store, sourceID{key: key}).unsavedCopy(), at) {
		return true, nil
	}
	token, err := i.load(ctx, key)
	if errors.Is(err, ErrNoToken) {
		return false, nil
	}
	return err == nil && connectedSince(token, at), err
}

// MarkConnected records that a location was connected again at a time by HighLevel's clock, such as that of a webhook
// of type INSTALL: [Installations.RemoveIssuedBefore] then ignores an earlier uninstall that arrives late. It sets
// [ghl.Token.ConnectedAt] of the stored token if that is earlier. It does nothing for the zero time and when no token
// is stored.
func (i *Installations) MarkConnected(ctx context.Context, locationID string, at time.Time) error {
	if err := checkID("locationID", locationID); err != nil {
		return err
	}
	key := LocationKey(locationID)
	if err := CheckKey(key); err != nil {
		return err
	}
	if at.IsZero() {
		return nil
	}
	token, err := i.load(ctx, key)
	switch {
	case errors.Is(err, ErrNoToken):
		return nil
	case err != nil:
		return err
	case connectedSince(token, at):
		return nil
	}
	mark := func(_ context.Context, current *ghl.Token) (*ghl.Token, error) {
		if current == nil || connectedSince(current, at) {
			return current, nil
		}
		next := clone(current) // a store may compare the pointer with that of current
		next.ConnectedAt = at
		return next, nil
	}
	_, err = await(ctx, func() (*ghl.Token, error) { return i.store.Update(ctx, key, mark) })
	return err
}

// reconnectedWith marks a location with a derived token as connected when its agency was.
func (i *Installations) reconnectedWith(ctx context.Context, companyID string, token *ghl.Token) error {
	if token.RefreshToken != "" || token.CompanyID != companyID {
		return nil
	}
	company, err := i.load(ctx, CompanyKey(companyID))
	if errors.Is(err, ErrNoToken) {
		return nil
	}
	if err != nil || company.ConnectedAt.IsZero() {
		return err
	}
	return i.MarkConnected(ctx, token.LocationID, company.ConnectedAt)
}

func (i *Installations) remove(ctx context.Context, key string) error {
	i.drop(key, true) // before, so that a renewal does not save afterwards what it holds in memory
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, i.store.Delete(ctx, key) })
	if err != nil {
		return err
	}
	i.drop(key, true)
	return nil
}
