package ghltest

import (
	"fmt"
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

// CompanyInstall is an installation by an agency (company).
type CompanyInstall struct {
	// CompanyID is the agency; "" means the company of the first location.
	CompanyID string
	// Locations are the locations of a bulk installation. The company's token is exchanged for theirs.
	Locations []string
	// AllLocations installs the app in every location of the agency.
	AllLocations bool
	// FutureLocations installs the app in every location that the agency adds later.
	FutureLocations bool
}

type installation struct {
	user string
	at   time.Time
}

type companyInstall struct {
	installation
	bulk, all, future bool
	approved          []string
}

// Install installs an app in a location, "" meaning the first one, and returns the location's token, as the exchange
// of a code does. ExpiresAt follows the server's clock.
func (s *Server) Install(in App, locationID string) ghl.Token {
	s.helper()
	return s.installed("Install", func(now time.Time) (ghl.Token, error) {
		l, err := s.state.locationOf(locationID)
		if err != nil {
			return ghl.Token{}, err
		}
		return s.state.install(in, &code{location: l}, now)
	})
}

// InstallCompany installs an app for an agency (company) and returns the company's token.
func (s *Server) InstallCompany(in App, company CompanyInstall) ghl.Token {
	s.helper()
	return s.installed("InstallCompany", func(now time.Time) (ghl.Token, error) {
		chosen, err := s.state.companyOf(company)
		if err != nil {
			return ghl.Token{}, err
		}
		return s.state.install(in, &code{company: chosen}, now)
	})
}

func (s *Server) installed(name string, install func(now time.Time) (ghl.Token, error)) ghl.Token {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	token, err := install(s.now())
	if err != nil {
		s.fail("%s: %v", name, err)
	}
	return token
}

func (s *state) install(in App, chosen *code, now time.Time) (ghl.Token, error) {
	a, err := s.appOf(in)
	if err != nil {
		return ghl.Token{}, err
	}
	chosen.app, chosen.scopes = a, a.Scopes
	if !a.accepts(chosen.userType()) {
		return ghl.Token{}, fmt.Errorf("the app cannot be installed for a %s", chosen.userType())
	}
	p := s.redeem(chosen, now)
	return ghl.Token{
		AccessToken: p.access, RefreshToken: p.refresh, ExpiresAt: p.expires, Scopes: slices.Clone(p.scopes),
		UserType:  p.userType(),
		CompanyID: p.company, LocationID: p.locationID(), UserID: p.user,
	}, nil
}

// companyOf completes an installation by a company, and checks that its locations belong to the company.
func (s *state) companyOf(in CompanyInstall) (*CompanyInstall, error) {
	in.Locations = slices.Clone(in.Locations)
	setDefault(&in.CompanyID, s.companyID())
	known := false
	for _, l := range s.inOrder() {
		if l.CompanyID != in.CompanyID {
			continue
		}
		known = true
		if in.AllLocations && !slices.Contains(in.Locations, l.ID) {
			in.Locations = append(in.Locations, l.ID)
		}
	}
	if !known {
		return nil, fmt.Errorf("unknown company %q", in.CompanyID)
	}
	for _, id := range in.Locations {
		if l := s.locations[id]; l == nil || l.CompanyID != in.CompanyID {
			return nil, fmt.Errorf("company %s has no location %s", in.CompanyID, id)
		}
	}
	return &in, nil
}

// redeem installs the app as chosen and returns the first pair of tokens.
func (s *state) redeem(chosen *code, now time.Time) pair {
	in := installation{user: s.ids.id(), at: now}
	g := grant{app: chosen.app, location: chosen.location, scopes: chosen.scopes, user: in.user}
	if l := chosen.location; l != nil {
		g.company = l.CompanyID
		s.installIn(chosen.app, l, in)
		return s.issue(g, now)
	}
	c := chosen.company
	g.company = c.CompanyID
	chosen.app.companies[c.CompanyID] = &companyInstall{
		installation: in, bulk: len(c.Locations) > 0 || c.AllLocations || c.FutureLocations, all: c.AllLocations,
		future:   c.FutureLocations,
		approved: slices.Clone(c.Locations),
	}
	s.emitInstall(AppInstall, chosen.app.AppID, "", installEvent{
		CompanyID: c.CompanyID, UserID: in.user, PlanID: chosen.app.PlanID, InstallType: "Company",
	}, now)
	for _, id := range c.Locations {
		if chosen.app.locations[id] == nil {
			s.installIn(chosen.app, s.locations[id], in)
		}
	}
	return s.issue(g, now)
}

// installIn installs an app in a location and sends INSTALL to its subscribers.
func (s *state) installIn(a *app, l *location, in installation) {
	a.locations[l.ID] = &in
	whitelabel := false
	s.emitInstall(AppInstall, a.AppID, l.ID, installEvent{
		CompanyID: l.CompanyID, UserID: in.user, PlanID: a.PlanID, InstallType: "Location",
		IsWhitelabelCompany: &whitelabel, WhitelabelDetails: map[string]string{},
	}, in.at)
}

// installInFuture installs the apps that the company of a new location has for its future locations.
func (s *state) installInFuture(l *location, now time.Time) {
	for _, a := range s.oauth.apps {
		if in := a.companies[l.CompanyID]; in != nil && in.future {
			in.approved = append(in.approved, l.ID)
			s.installIn(a, l, installation{user: in.user, at: now})
		}
	}
}

// Uninstall removes an app from a location, "" meaning the first one. The app's access tokens for the location are
// refused with 401 and its refresh tokens with 400, and the company's token cannot be exchanged for the location's.
func (s *Server) Uninstall(in App, locationID string) {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.state.appOf(in)
	if err != nil {
		s.fail("Uninstall: %v", err)
		return
	}
	l, err := s.state.locationOf(locationID)
	if err != nil {
		s.fail("Uninstall: %v", err)
		return
	}
	if a.locations[l.ID] == nil {
		s.fail("Uninstall: the app is not installed in location %s", l.ID)
		return
	}
	delete(a.locations, l.ID)
	s.state.emitInstall(AppUninstall, a.AppID, l.ID, installEvent{}, s.now())
	if c := a.companies[l.CompanyID]; c != nil {
		c.approved = excluding(c.approved, l.ID)
		c.all = false
	}
	s.state.revoke(func(g *grant) bool { return g.app == a && g.location == l })
}

// UninstallCompany removes an app from an agency and all its locations. All tokens of the app for them are refused.
// companyID "" means the company of the first location.
func (s *Server) UninstallCompany(in App, companyID string) {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.state.appOf(in)
	if err != nil {
		s.fail("UninstallCompany: %v", err)
		return
	}
	setDefault(&companyID, s.state.companyID())
	if a.companies[companyID] == nil {
		s.fail("UninstallCompany: the app is not installed for company %s", companyID)
		return
	}
	delete(a.companies, companyID)
	s.state.emitInstall(AppUninstall, a.AppID, "", installEvent{CompanyID: companyID}, s.now())
	for id := range a.locations {
		if s.state.locations[id].CompanyID == companyID {
			delete(a.locations, id)
		}
	}
	s.state.revoke(func(g *grant) bool { return g.app == a && g.company == companyID })
}

func (s *state) revoke(which func(*grant) bool) {
	for token, g := range s.grants {
		if which(g) {
			delete(s.grants, token)
		}
	}
	for token, r := range s.oauth.refreshes {
		if which(&r.grant) {
			delete(s.oauth.refreshes, token)
		}
	}
	for name, c := range s.oauth.codes {
		g := grant{app: c.app, location: c.location}
		if c.location != nil {
			g.company = c.location.CompanyID
		} else {
			g.company = c.company.CompanyID
		}
		if which(&g) {
			delete(s.oauth.codes, name)
		}
	}
}

// SetLocationActive pauses a location, "" meaning the first one, or activates it again. While it is paused, requests
// for a token are refused with 400 "Location is not active", without using up the refresh token. Existing access
// tokens stay valid.
func (s *Server) SetLocationActive(locationID string, active bool) {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.state.locationOf(locationID)
	if err != nil {
		s.fail("SetLocationActive: %v", err)
		return
	}
	l.paused = !active
}
