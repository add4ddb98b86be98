package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// FeedInstallations returns a route that adds installs to in and removes uninstalls from it:
//
//   - An install in a location adds the location. The event has no code, so the token is derived from the token of
//     the location's company, which needs the scope oauth.write. If the company is not connected
//     ([ghl.ErrReauthRequired]), the event is ignored: the tokens come when a person consents, see
//     [oauth.Installations.Add].
//   - An install in a whole company adds all locations that have the app, which also needs the scope oauth.readonly.
//     That can exceed the handler's time; then the event is redelivered and continues where it stopped.
//   - An uninstall from a location removes that location only.
//   - An uninstall from a whole company removes the company and the locations whose tokens are derived from its token.
//
// An event that fails, because of the store or HighLevel, is redelivered.
//
// Only events of the app with this id count, because HighLevel signs the deliveries of all apps with one key: a
// signature proves that HighLevel sent the event, not that it was sent for your app.
//
// Events arrive in no particular order, late, and several times. The route ignores an event that is older than the last
// event of the same location or company. Neither does an uninstall remove the token of an account that was connected
// after it, or in the same second ([ghl.Token.ConnectedAt], [oauth.Installations.RemoveIssuedBefore]), which holds in
// other processes and after a restart too. Both times are HighLevel's, so this machine's clock may be wrong. When in
// doubt a token stays: calls with a token that HighLevel no longer accepts fail with [ghl.ErrReauthRequired], but a
// removed token comes back only when a person connects the account again. An uninstall without a timestamp removes any
// token: [RequireTimestamp] refuses those. A late install brings back only what HighLevel still grants to the token of
// the company.
//
// The route handles one event at a time.
func FeedInstallations(appID string, in *oauth.Installations) Route {
	route := Route{name: "FeedInstallations", wants: func(e Event) bool {
		switch e.(type) {
		case *InstallEvent, *UninstallEvent:
			return e.Meta().AppID == appID
		}
		return false
	}}
	if appID != "" && in != nil {
		route.call = newFeed(in).call
	}
	return route
}

func newFeed(in *oauth.Installations) *feed {
	return &feed{in: in, turn: make(chan struct{}, 1), latest: map[string]time.Time{}}
}

// feed applies installs and uninstalls, one at a time.
type feed struct {
	in     *oauth.Installations
	turn   chan struct{}
	latest map[string]time.Time // the timestamp of the last event of a location or company
}

const maxLatest = 10_000

func (f *feed) call(ctx context.Context, e Event) error {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	meta := e.Meta()
	key := "location:" + meta.LocationID
	if meta.LocationID == "" {
		key = "company:" + meta.CompanyID
	}
	at, timed := meta.Timestamp.Instant()
	if timed && at.Before(f.latest[key]) {
		return nil
	}
	var err error
	if _, ok := e.(*InstallEvent); ok {
		err = f.install(ctx, meta)
	} else {
		var before time.Time // the zero time removes any token
		if timed {
			before = at.Add(1 - time.Second) // ConnectedAt may be up to a second earlier than the account was connected
		}
		err = f.uninstall(ctx, meta, before)
	}
	if err == nil && timed {
		if len(f.latest) >= maxLatest {
			f.forgetOldest()
		}
		f.latest[key] = at
	}
	return err
}

func (f *feed) install(ctx context.Context, meta *Envelope) (err error) {
	switch {
	case meta.CompanyID == "": // a token is derived only from a company
	case meta.LocationID == "":
		_, err = f.in.AddInstalled(ctx, meta.CompanyID)
	default:
		if _, err = f.in.AddLocation(ctx, meta.CompanyID, meta.LocationID); err == nil {
			at, _ := meta.Timestamp.Instant()
			err = f.in.MarkConnected(ctx, meta.LocationID, at)
		}
	}
	if errors.Is(err, ghl.ErrReauthRequired) {
		return nil // a redelivery would fail too
	}
	return err
}

func (f *feed) uninstall(ctx context.Context, meta *Envelope, before time.Time) (err error) {
	switch {
	case meta.LocationID != "":
		_, err = f.in.RemoveIssuedBefore(ctx, meta.LocationID, before)
	case meta.CompanyID != "":
		_, err = f.in.RemoveCompanyIssuedBefore(ctx, meta.CompanyID, before)
	}
	return err
}

func (f *feed) forgetOldest() {
	oldest := ""
	for key, at := range f.latest {
		if oldest == "" || at.Before(f.latest[oldest]) {
			oldest = key
		}
	}
	delete(f.latest, oldest)
}
