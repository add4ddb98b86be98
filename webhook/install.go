package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
)

// Installations is what [FeedInstallations] changes. A *ghl.Installations is one.
type Installations interface {
	// AddLocation adds a location, whose token comes by exchange from its company's.
	AddLocation(ctx context.Context, companyID, locationID string) (*ghl.Client, error)
	// AddInstalled adds all locations of a company that have the app.
	AddInstalled(ctx context.Context, companyID string) ([]string, error)
	// Remove removes a location.
	Remove(ctx context.Context, locationID string) error
	// RemoveCompany removes a company, and the locations whose tokens come from its own.
	RemoveCompany(ctx context.Context, companyID string) error
}

// FeedInstallations adds to in where the app was installed, and removes where it was uninstalled. An install carries no code,
// so a location's token can appear only by exchange from its company's. Where the company is not connected
// ([ghl.ErrReauthRequired]) there is nothing to do: the tokens come when a person goes through the consent screen.
//
// Only events of the app with this id count. HighLevel signs the deliveries of all apps with one key, so a signature says
// that HighLevel wrote it, not that it was meant for you.
//
// Events come in no order. One that is older than another that this route has seen of the same location or company is left
// out, so that an uninstall that comes late does not remove what was installed again since. What happened before the process
// began it does not know.
func FeedInstallations(appID string, in Installations) Route {
	route := Route{name: "FeedInstallations", wants: func(e Event) bool {
		switch e.(type) {
		case *InstallEvent, *UninstallEvent:
			return e.Meta().AppID == appID
		}
		return false
	}}
	if appID != "" && in != nil {
		route.call = (&feed{in: in, turn: make(chan struct{}, 1), latest: map[string]time.Time{}}).call
	}
	return route
}

// feed hands installs and uninstalls on, one at a time.
type feed struct {
	in     Installations
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
		err = f.uninstall(ctx, meta)
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

func (f *feed) uninstall(ctx context.Context, meta *Envelope) error {
	switch {
	case meta.LocationID != "":
		return f.in.Remove(ctx, meta.LocationID)
	case meta.CompanyID != "":
		return f.in.RemoveCompany(ctx, meta.CompanyID)
	}
	return nil
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
