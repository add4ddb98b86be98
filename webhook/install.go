package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// clockSkew is how far HighLevel's clock and the one of this machine may be apart.
const clockSkew = time.Minute

// FeedInstallations keeps in as HighLevel tells where the app is installed:
//
//   - An install in a location adds it. The event carries no code, so the token can only be derived from that of the
//     location's company. Where the company is not connected ([ghl.ErrReauthRequired]) there is nothing to do: the tokens
//     come when a person goes through the consent screen, and [oauth.Installations.Add].
//   - An install in a whole company adds all locations that have the app. That can take longer than the handler's time; the
//     event comes again then, and goes on where it was.
//   - An uninstall from a location removes the location, and nothing else.
//   - An uninstall from a whole company removes the company, with the locations whose tokens are derived from its own.
//
// An event that can't be followed, because the store or HighLevel fails, comes again.
//
// Only events of the app with this id count. HighLevel signs the deliveries of all apps with one key, so a signature says
// that HighLevel wrote it, not that it was meant for you.
//
// Events come in no order, and old ones can be played back. An event that is older than another that this route has seen of
// the same location or company is left out. And an uninstall removes no token that was issued more than a minute after it,
// such as by installing the app anew; so this holds also when the process was started since. An uninstall without a
// timestamp removes what there is: [RequireTimestamp] refuses those.
//
// Events are followed one at a time.
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

// feed hands installs and uninstalls on, one at a time.
type feed struct {
	in     *oauth.Installations
	turn   chan struct{}
	latest map[string]time.Time // when what was last done for a location or company happened
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
		var before time.Time // zero spares nothing
		if timed {
			before = at.Add(clockSkew)
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
	case meta.CompanyID == "": // nothing to exchange from
	case meta.LocationID == "":
		_, err = f.in.AddInstalled(ctx, meta.CompanyID)
	default:
		_, err = f.in.AddLocation(ctx, meta.CompanyID, meta.LocationID)
	}
	if errors.Is(err, ghl.ErrReauthRequired) {
		return nil // no redelivery mends that
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
