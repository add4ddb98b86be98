package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/check"
)

const (
	// DefaultAuthURL is HighLevel's consent screen, where a person chooses the location or agency to connect.
	DefaultAuthURL = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
	// WhiteLabelAuthURL is the consent screen without HighLevel's name, for [Config.AuthURL].
	WhiteLabelAuthURL = "https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation"

	defaultRefreshBefore = 5 * time.Minute
)

// Config holds the settings of an [App]. It prints without its secret with every verb of fmt and in slog, and the
// encodings of JSON, XML, YAML, text and gob hold no secret. A printer that reads fields by reflection and calls no
// methods prints ClientSecret, and so does fmt for a Config in a private field.
type Config struct {
	// ClientID and ClientSecret are those of the app's page in the marketplace.
	ClientID     string
	ClientSecret string `json:"-"`
	// RedirectURL is the URL to which the consent screen sends the person back, exactly as on the app's page.
	RedirectURL string
	// Scopes are the permissions to ask for; at least one. [ghl.ScopesFor] returns what operations need.
	Scopes []ghl.Scope

	// AppID is the app's id, by which [Installations] lists an agency's locations; "" means the part of ClientID
	// before the "-".
	AppID string
	// UserType is the kind of token that [App.Exchange] asks for: an agency's or a location's. "" leaves the kind
	// to the server, which decides by what the person chose.
	UserType ghl.UserType
	// Version is the generation of the API; "" is [ghl.Version20210728].
	Version ghl.Version
	// AuthURL is the consent screen: "" is [DefaultAuthURL]. Others are [WhiteLabelAuthURL] and that of package
	// ghltest.
	AuthURL string
	// BaseURL is the API server; "" is the default of [ghl.WithBaseURL].
	BaseURL string
	// HTTPClient sends the app's requests for tokens; nil is a client with a timeout of 60 s. It is copied, never
	// changed. Redirects are not followed, because the requests carry the client's secret. Set a timeout on it.
	HTTPClient *http.Client `json:"-"`
	// UserAgent is the User-Agent header; "" is that of package ghl.
	UserAgent string
	// RefreshBefore is how long before its end a token is renewed; 0 is 5 minutes. A short-lived token is not
	// renewed in the first nine tenths of its life.
	RefreshBefore time.Duration

	// Logger receives a record at level Info when a token was renewed, Warn when a renewal failed and will be
	// retried, and Error when a person must act. Records name the store's key and hold no secret. nil logs nothing.
	Logger *slog.Logger `json:"-"`
	// OnTrouble is called when a person must act, by one goroutine at a time for a key. It must not wait for a
	// token. An err that is [ghl.ErrReauthRequired] means that the account must be connected again; it is reported
	// once. Any other error means that HighLevel has rotated the refresh token and the store could not save the new
	// one, which exists only in the memory of this process: it is reported after each failed attempt to save, and
	// nil when the token is saved.
	OnTrouble func(key string, err error) `json:"-"`
}

// String returns the app's client id.
func (c Config) String() string { return fmt.Sprintf("oauth.Config{%q}", c.ClientID) }

// GoString returns the same as String.
func (c Config) GoString() string { return c.String() }

// Format prints the app's client id for every verb.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue returns the app's client id for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns the app's client id, which XML, YAML and other text formats use.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalJSON returns the settings without the secret and without those that JSON cannot hold.
func (c Config) MarshalJSON() ([]byte, error) {
	type fields Config // without the methods
	return json.Marshal(fields(c))
}

// MarshalBinary returns the same as MarshalJSON, for gob and other binary formats.
func (c Config) MarshalBinary() ([]byte, error) { return c.MarshalJSON() }

// UnmarshalBinary reads what MarshalBinary returned. The settings then have no secret.
func (c *Config) UnmarshalBinary(data []byte) error { return json.Unmarshal(data, c) }

// App is a marketplace app: it gets tokens for the accounts that install it, and renews them. It is safe for
// concurrent use and prints without its secret. Make one with [NewApp].
type App struct {
	config    *Config // without the secret
	authURL   *url.URL
	client    *ghl.Client // without a token
	tokens    *ghl.Client // for POST /oauth/token: without a limiter
	exchanges *pending    // codes that are being exchanged

	// What holds secrets is behind functions, which reflection prints as addresses.
	secret  func() string
	sources func() *tokenSources
}

// NewApp checks the settings and returns an app. The error is an [*ghl.Error] of category [ghl.ErrBadInput]; its
// Field names the first wrong setting.
func NewApp(c Config) (*App, error) {
	c.Scopes = slices.Clone(c.Scopes)
	if err := c.check(); err != nil {
		return nil, err
	}
	setDefault(&c.AuthURL, DefaultAuthURL)
	authURL, err := webURL("AuthURL", c.AuthURL)
	if err != nil {
		return nil, err
	}
	if c.AppID == "" {
		c.AppID, _, _ = strings.Cut(c.ClientID, "-")
	}
	if c.RefreshBefore == 0 {
		c.RefreshBefore = defaultRefreshBefore
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	secret := c.ClientSecret
	c.ClientSecret = ""
	a := &App{config: &c, secret: sealed(secret), authURL: authURL, sources: sealed(new(tokenSources)),
		exchanges: new(pending)}
	if a.client, err = ghl.New(c.clientOptions()...); err != nil {
		return nil, err
	}
	if a.tokens, err = a.client.With(ghl.WithLimiterFor(func(string) ghl.Limiter { return nil })); err != nil {
		return nil, err
	}
	return a, nil
}

func (c *Config) check() error {
	for _, part := range [...]struct{ field, value string }{
		{"ClientID", c.ClientID}, {"ClientSecret", c.ClientSecret},
	} {
		if problem := check.Bearer(part.value); problem != "" {
			return badInput(part.field, "%s %s", part.field, problem)
		}
	}
	if len(c.Scopes) == 0 {
		return badInput("Scopes", "an app asks for at least one scope")
	}
	for _, s := range c.Scopes {
		if check.Bearer(string(s)) != "" {
			return badInput("Scopes", "a scope is empty or has white space")
		}
	}
	if c.UserType != "" && c.UserType != ghl.UserTypeCompany && c.UserType != ghl.UserTypeLocation {
		return badInput("UserType", "unknown user type %.40q", string(c.UserType))
	}
	if c.RefreshBefore < 0 {
		return badInput("RefreshBefore", "RefreshBefore is negative")
	}
	_, err := webURL("RedirectURL", c.RedirectURL)
	return err
}

// clientOptions returns the options of the app's client. What is not set has the default of package ghl.
func (c *Config) clientOptions() []ghl.Option {
	opts := []ghl.Option{ghl.WithoutToken()}
	if c.BaseURL != "" {
		opts = append(opts, ghl.WithBaseURL(c.BaseURL))
	}
	if c.Version != "" {
		opts = append(opts, ghl.WithVersion(c.Version))
	}
	if c.HTTPClient != nil {
		opts = append(opts, ghl.WithHTTPClient(c.HTTPClient))
	}
	if c.UserAgent != "" {
		opts = append(opts, ghl.WithUserAgent(c.UserAgent))
	}
	return opts
}

// sealed returns a function that returns a value. Printers that use reflection print a function as an address.
func sealed[T any](value T) func() T { return func() T { return value } }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// badInput refuses an argument or a setting, which field names.
func badInput(field, format string, args ...any) *ghl.Error {
	return (&ghl.Error{Field: field, Message: fmt.Sprintf(format, args...)}).With(ghl.ErrBadInput)
}

func checkID(field, id string) error {
	if problem := check.ID(id); problem != "" {
		return badInput(field, "%s %s", field, problem)
	}
	return nil
}

func webURL(field, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, badInput(field, "%s must be a URL with a host and the scheme http or https", field)
	case u.User != nil || u.Fragment != "":
		return nil, badInput(field, "%s must not have a user or a fragment", field)
	}
	return u, nil
}

// Format prints the app's client id for every verb.
func (a App) Format(f fmt.State, _ rune) {
	if a.config == nil {
		fmt.Fprint(f, "oauth.App{}")
		return
	}
	fmt.Fprintf(f, "oauth.App{%q}", a.config.ClientID)
}

// LogValue returns the app's client id for slog.
func (a App) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(a)) }

// ID returns the app's id, see [Config.AppID]. Webhooks name it.
func (a *App) ID() string { return a.config.AppID }

// AuthCodeOption adds to the URL of the consent screen.
type AuthCodeOption func(url.Values) error

// AuthCodeParam sets a parameter of the consent screen, such as "loginWindowOpenMode" ("self" opens it in the same
// window) or "version_id" (a version of the app). A parameter that is already set is refused.
func AuthCodeParam(name, value string) AuthCodeOption {
	return func(query url.Values) error {
		if name == "" || query.Has(name) {
			return badInput("AuthCodeParam", "the parameter %.40q is empty or set already", name)
		}
		query.Set(name, value)
		return nil
	}
}

// AuthCodeURL returns the URL of the consent screen, to which to send a person. The consent screen redirects to
// RedirectURL with state and a code for [App.Exchange].
//
// state is required: it protects against a forged callback that connects an attacker's account. Make a new random
// state for each person (crypto/rand.Text), store it in the person's session, and accept only that state in the
// callback, and only once. HighLevel does not support PKCE, so the state is the only protection.
func (a *App) AuthCodeURL(state string, opts ...AuthCodeOption) (string, error) {
	if state == "" {
		return "", badInput("state", "the state is empty: make a new random one for each person")
	}
	scopes := make([]string, len(a.config.Scopes))
	for i, s := range a.config.Scopes {
		scopes[i] = string(s)
	}
	u := *a.authURL
	query := u.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": a.config.ClientID, "redirect_uri": a.config.RedirectURL,
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

// Exchange exchanges the code of the consent screen for a token: POST /oauth/token. A code works once, and so does
// the token's refresh token: save the token at once with [Store.Update], or call [Installations.Add] instead.
//
// The token is a location's, or a company's when an agency installed the app for its locations
// ([ghl.Token.BulkInstallation]).
func (a *App) Exchange(ctx context.Context, code string) (*ghl.Token, error) {
	if problem := check.Bearer(code); problem != "" {
		return nil, badInput("code", "the code %s", problem)
	}
	return a.requestToken(ctx, grant{
		kind: "authorization_code", code: code, redirectURL: a.config.RedirectURL, userType: a.config.UserType,
	})
}
