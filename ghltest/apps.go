package ghltest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// App is a registered marketplace app. A user installs it at [Server.AuthorizeURL], and the app exchanges the code
// for tokens; [Server.Install] and [Server.InstallCompany] do both at once.
type App struct {
	// ClientID and ClientSecret are generated for "".
	ClientID, ClientSecret string
	// AppID is the id for the list of installed locations; "" means the part of ClientID before the "-".
	AppID string
	// VersionID is generated for "".
	VersionID string
	// PlanID is the plan of every installation of a paid app; "" means a free app.
	PlanID string
	// RedirectURLs are the redirect URLs that the consent screen accepts. They must match exactly.
	RedirectURLs []string
	// Scopes are the scopes that the app can request; nil means all.
	Scopes []ghl.Scope
	// UserTypes are the types of users that can install the app; nil means both.
	UserTypes []ghl.UserType
}

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

// OAuthCounts are the numbers of requests for tokens since the start of the server.
type OAuthCounts struct {
	// Exchanges is the number of codes that were exchanged for tokens.
	Exchanges int
	// Refreshes is the number of refresh tokens that were exchanged for a new pair.
	Refreshes int
	// Reuses is the number of refreshes that were refused because their refresh token was already used.
	Reuses int
	// Refusals is the number of all other refused requests for a token.
	Refusals int
	// LocationTokens is the number of locations' tokens that were derived from a company's token.
	LocationTokens int
}

// app is an App with its installations.
type app struct {
	App
	companies map[string]*companyInstall // by company
	locations map[string]*installation   // by location
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

// oauthState has the apps, codes and refresh tokens. Access tokens are in the grants of state.
type oauthState struct {
	apps      map[string]*app // by client id
	codes     map[string]*code
	refreshes map[string]*refreshToken
	consent   Consent
	counts    OAuthCounts
}

func newOAuth() oauthState {
	return oauthState{apps: map[string]*app{}, codes: map[string]*code{}, refreshes: map[string]*refreshToken{}}
}

// code is an authorization code with the choice at the consent screen.
type code struct {
	app      *app
	redirect string
	location *location       // nil for a company
	company  *CompanyInstall // nil for a location
	scopes   []ghl.Scope
	expires  time.Time
}

func (c *code) userType() ghl.UserType {
	if c.location == nil {
		return ghl.UserTypeCompany
	}
	return ghl.UserTypeLocation
}

// refreshToken is stored after its use, so that a second use is detected.
type refreshToken struct {
	grant
	used bool
}

// AddApp registers an app and returns it with its generated ids. An invalid app fails the test, or panics without a
// test.
func (s *Server) AddApp(in App) App {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.state.addApp(in)
	if err != nil {
		s.fail("AddApp: %v", err)
	}
	return out
}

// AppConfig returns what [oauth.NewApp] needs to reach the fake as an app: its credentials and first redirect URL,
// its scopes, and the addresses of the fake, or its [Server.Transport] where it does not listen. Change the config as
// you like before it is used.
func (s *Server) AppConfig(app App) oauth.Config {
	config := oauth.Config{
		ClientID: app.ClientID, ClientSecret: app.ClientSecret, AppID: app.AppID, Scopes: slices.Clone(app.Scopes),
		AuthURL: s.AuthorizeURL(), BaseURL: s.URL(),
	}
	if s.url == "" {
		config.HTTPClient = &http.Client{Transport: s.Transport()}
	}
	if len(app.RedirectURLs) > 0 {
		config.RedirectURL = app.RedirectURLs[0]
	}
	if config.Scopes == nil {
		config.Scopes = ghl.ScopesFor(ghl.Operations()...)
	}
	return config
}

func (s *state) addApp(in App) (App, error) {
	in = in.clone()
	if in.ClientID == "" {
		in.ClientID = strings.ToLower(s.ids.id() + "f00d-" + s.ids.id()[:8])
	}
	setDefault(&in.ClientSecret, s.ids.uuid())
	setDefault(&in.VersionID, s.ids.id())
	if in.AppID == "" {
		in.AppID, _, _ = strings.Cut(in.ClientID, "-")
	}
	switch {
	case s.oauth.apps[in.ClientID] != nil:
		return App{}, fmt.Errorf("app %s already exists", in.ClientID)
	case strings.ContainsAny(in.ClientID+in.ClientSecret, " \t\r\n"):
		return App{}, fmt.Errorf("the ClientID or ClientSecret has white space")
	}
	for _, redirect := range in.RedirectURLs {
		if u, err := url.Parse(redirect); err != nil || u.Scheme == "" || u.Host == "" || u.Fragment != "" {
			return App{}, fmt.Errorf("the redirect URL %q must have a scheme and a host", redirect)
		}
	}
	for _, userType := range in.UserTypes {
		if userType != ghl.UserTypeCompany && userType != ghl.UserTypeLocation {
			return App{}, fmt.Errorf("unknown user type %q", userType)
		}
	}
	s.oauth.apps[in.ClientID] = &app{
		App: in.clone(), companies: map[string]*companyInstall{}, locations: map[string]*installation{},
	}
	return in, nil
}

func (a App) clone() App {
	a.RedirectURLs, a.Scopes = slices.Clone(a.RedirectURLs), slices.Clone(a.Scopes)
	a.UserTypes = slices.Clone(a.UserTypes)
	return a
}

func (a *app) accepts(userType ghl.UserType) bool {
	return len(a.UserTypes) == 0 || slices.Contains(a.UserTypes, userType)
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

func (s *state) appOf(in App) (*app, error) {
	if a := s.oauth.apps[in.ClientID]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("unknown app %q; register it with AddApp", in.ClientID)
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

// OAuthCounts returns the numbers of requests for tokens.
func (s *Server) OAuthCounts() OAuthCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.oauth.counts
}

// pair is an access token with its refresh token.
type pair struct {
	grant
	access, refresh string
}

const (
	tokenLife   = 86399 * time.Second  // of an access token
	refreshLife = 365 * 24 * time.Hour // of an unused refresh token
	codeLife    = 10 * time.Minute     // of a code: OAuth's recommendation, HighLevel documents none
)

// issue returns a new pair of tokens. Earlier pairs stay valid.
func (s *state) issue(g grant, now time.Time) pair {
	p := pair{grant: g, access: s.ids.uuid(), refresh: s.ids.uuid()}
	p.scopes = slices.Clone(g.scopes)
	p.expires = now.Add(tokenLife)
	access, refresh := p.grant, p.grant
	refresh.expires = now.Add(refreshLife)
	s.grants[p.access] = &access
	s.oauth.refreshes[p.refresh] = &refreshToken{grant: refresh}
	return p
}

// pair returns a pair of tokens with the property names of the version.
func (c *call) pair(p pair) map[string]any {
	scopes := p.scopes
	if scopes == nil {
		scopes = ghl.ScopesFor(ghl.Operations()...)
	}
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	answer := map[string]any{
		"scope": strings.Join(names, " "), "userType": p.userType(), "companyId": p.company, "userId": p.user,
		"traceId": c.ids.uuid(),
	}
	keys := [...]string{"access_token", "refresh_token", "token_type", "expires_in"}
	if c.v3 {
		keys = [...]string{"accessToken", "refreshToken", "tokenType", "expiresIn"}
	}
	for i, value := range [...]any{p.access, p.refresh, "Bearer", int(tokenLife.Seconds())} {
		answer[keys[i]] = value
	}
	if p.location != nil {
		answer["locationId"] = p.location.ID
	}
	if p.app != nil && p.app.PlanID != "" {
		answer["planId"] = p.app.PlanID
	}
	return answer
}
