package ghl

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// DefaultAuthURL is HighLevel's consent screen, where a person chooses the location or agency to connect.
	DefaultAuthURL = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
	// WhiteLabelAuthURL is the consent screen without HighLevel's name, for [AppConfig.AuthURL].
	WhiteLabelAuthURL = "https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation"

	defaultRefreshBefore = 5 * time.Minute
)

// AppConfig is what [NewApp] needs. It prints without its secret, and JSON leaves the secret out.
type AppConfig struct {
	// ClientID and ClientSecret are those of the app's page in the marketplace.
	ClientID     string
	ClientSecret string `json:"-"`
	// RedirectURL is where the consent screen sends the person back to, exactly as the app's page has it.
	RedirectURL string
	// Scopes are what is asked for; at least one. [ScopesFor] names what operations need.
	Scopes []Scope

	// AppID is the app's id, which [Installations] lists an agency's locations by; "" takes it from ClientID, the part
	// before the "-".
	AppID string
	// UserType is whose token [App.Exchange] asks for: an agency's or a location's. "" leaves it to the server, which goes
	// by what the person chose.
	UserType UserType
	// Version is the generation of the API; "" is [Version20210728].
	Version Version
	// AuthURL is the consent screen: "" is [DefaultAuthURL]; [WhiteLabelAuthURL], or one of package ghltest.
	AuthURL string
	// BaseURL is the API server; "" is [DefaultBaseURL].
	BaseURL string
	// HTTPClient sends the app's requests for tokens; nil is a client of its own with a timeout of 60 s. It is copied.
	// Redirects are never followed, for the requests carry the client's secret. Give it a timeout.
	HTTPClient *http.Client
	// UserAgent is the User-Agent header; "" is the package's.
	UserAgent string
	// RefreshBefore is how long before its end a token is renewed; 0 is 5 minutes. A token with a short life is not
	// renewed in the first nine tenths of it.
	RefreshBefore time.Duration

	// Logger is told what happens to the tokens: Info when one was renewed, Warn when that failed and is tried again, Error
	// when a person is needed. Records name the store's key and hold no secret. nil is silent.
	Logger *slog.Logger `json:"-"`
	// OnTrouble is called when a person is needed, by one goroutine at a time for a key. It must not wait for a token. An
	// err that is [ErrReauthRequired] means that the account must be connected again; it comes once. Any other means that
	// HighLevel has rotated the refresh token and the store could not save the new one, which is now in the memory of this
	// process alone: it comes with each failed try, and nil when the token is saved.
	OnTrouble func(key string, err error) `json:"-"`
}

// Format prints which app it is, whatever the verb.
func (c AppConfig) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "ghl.AppConfig{%q}", c.ClientID) }

// LogValue prints which app it is in slog.
func (c AppConfig) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// App is a marketplace app: it gets tokens for those who install it, and renews them. It is safe for concurrent use and
// prints without its secret.
type App struct{ app *app }

type app struct {
	AppConfig
	authURL *url.URL
	http    *http.Client // for tokens
	client  *Client      // for the exchange of a company's token; its own token source is never asked
	sources tokenSources
	work    pending // exchanges of codes
}

// NewApp checks the settings. The first that is wrong is the error, an [*Error] of category [ErrBadInput].
func NewApp(c AppConfig) (*App, error) {
	c.Scopes = slices.Clone(c.Scopes)
	for field, value := range map[string]string{"ClientID": c.ClientID, "ClientSecret": c.ClientSecret} {
		if err := checkBearer(value); err != nil {
			return nil, badInputf(field, "%s is empty or holds a character that none has (a space or line break at its end?)", field)
		}
	}
	if len(c.Scopes) == 0 {
		return nil, badInputf("Scopes", "an app asks for at least one scope")
	}
	for _, s := range c.Scopes {
		if checkBearer(string(s)) != nil {
			return nil, badInputf("Scopes", "a scope is empty or has white space")
		}
	}
	if c.UserType != "" && c.UserType != UserTypeCompany && c.UserType != UserTypeLocation {
		return nil, badInputf("UserType", "unknown user type %q", clip(string(c.UserType), 40))
	}
	if c.RefreshBefore < 0 {
		return nil, badInputf("RefreshBefore", "RefreshBefore is not negative")
	}
	if err := checkWebURL("RedirectURL", c.RedirectURL); err != nil {
		return nil, err
	}
	setDefault(&c.AuthURL, DefaultAuthURL)
	if err := checkWebURL("AuthURL", c.AuthURL); err != nil {
		return nil, err
	}
	setDefault(&c.BaseURL, DefaultBaseURL)
	setDefault(&c.UserAgent, defaultUserAgent)
	if c.Version == "" {
		c.Version = Version20210728
	}
	if c.AppID == "" {
		c.AppID, _, _ = strings.Cut(c.ClientID, "-")
	}
	if c.RefreshBefore == 0 {
		c.RefreshBefore = defaultRefreshBefore
	}
	if c.HTTPClient == nil {
		c.HTTPClient = defaultHTTPClient()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	a := &app{AppConfig: c}
	var err error
	if a.authURL, err = url.Parse(c.AuthURL); err != nil {
		return nil, badInputf("AuthURL", "AuthURL cannot be read")
	}
	a.client, err = New(WithTokenSource(failingSource{ErrNoToken}), WithBaseURL(c.BaseURL), WithVersion(c.Version),
		WithHTTPClient(c.HTTPClient), WithUserAgent(c.UserAgent))
	if err != nil {
		return nil, err
	}
	h := *c.HTTPClient
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a.http = &h
	return &App{a}, nil
}

func setDefault(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func checkWebURL(field, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return badInputf(field, "%s is no URL with http or https and a host", field)
	case u.User != nil || u.Fragment != "":
		return badInputf(field, "%s has a user or a fragment", field)
	}
	return nil
}

// Format prints which app it is, whatever the verb.
func (a App) Format(f fmt.State, _ rune) {
	if a.app == nil {
		fmt.Fprint(f, "ghl.App{}")
		return
	}
	fmt.Fprintf(f, "ghl.App{%q}", a.app.ClientID)
}

// LogValue prints which app it is in slog.
func (a App) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }

// ID is the app's id: [AppConfig.AppID], or what it was taken from. Webhooks name it.
func (a *App) ID() string { return a.app.AppID }

// AuthCodeOption adds to the URL of the consent screen.
type AuthCodeOption func(url.Values) error

// AuthCodeParam sets a parameter of the consent screen: "loginWindowOpenMode" to "self" keeps it in the same window,
// "version_id" names a version of the app.
func AuthCodeParam(name, value string) AuthCodeOption {
	return func(query url.Values) error {
		if name == "" || query.Has(name) {
			return badInputf("AuthCodeParam", "the parameter %q is empty or set already", clip(name, 40))
		}
		query.Set(name, value)
		return nil
	}
}

// AuthCodeURL returns the URL of the consent screen to send a person to. It comes back to the RedirectURL with a code for
// [App.Exchange], and with state. The state is needed: without it anybody could make your app connect an account of theirs.
// Make a new one each time (crypto/rand.Text), keep it in the person's session, and at the callback accept only that one,
// and only once. HighLevel has no PKCE, so the state is all there is.
func (a *App) AuthCodeURL(state string, opts ...AuthCodeOption) (string, error) {
	if state == "" {
		return "", badInputf("state", "the state is empty: make a new random one for each person")
	}
	scopes := make([]string, len(a.app.Scopes))
	for i, s := range a.app.Scopes {
		scopes[i] = string(s)
	}
	u := *a.app.authURL
	query := u.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": a.app.ClientID, "redirect_uri": a.app.RedirectURL,
		"scope": strings.Join(scopes, " "), "state": state,
	} {
		query.Set(name, value)
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(query); err != nil {
			return "", err
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// Exchange turns the code of the consent screen into a token: POST /oauth/token. A code works once, and so does the token's
// refresh token: save the token before anything else, with [TokenStore.Update] or by calling [Installations.Add] instead.
//
// The token is a location's, or a company's when an agency installed the app for its locations ([Token.BulkInstallation]).
func (a *App) Exchange(ctx context.Context, code string) (*Token, error) {
	if checkBearer(code) != nil {
		return nil, badInputf("code", "the code is empty or holds a character that no code has")
	}
	g := grant{kind: "authorization_code", code: code, redirectURL: a.app.RedirectURL, userType: a.app.UserType}
	token, err := a.app.token(ctx, g)
	if err != nil {
		return nil, err
	}
	return token, nil
}
