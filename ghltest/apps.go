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

// AppConfig returns the config of an app at this server for [oauth.NewApp]: the app's credentials, first redirect URL
// and scopes, and the server's addresses, or its [Server.Transport] for a server of [NewHandler]. The caller may
// change the config.
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

func (s *state) appOf(in App) (*app, error) {
	if a := s.oauth.apps[in.ClientID]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("unknown app %q; register it with AddApp", in.ClientID)
}

// OAuthCounts returns the numbers of requests for tokens.
func (s *Server) OAuthCounts() OAuthCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.oauth.counts
}
