package ghl

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pluvo/ghl/internal/check"
)

const (
	// DefaultBaseURL is HighLevel's API server.
	DefaultBaseURL = "https://services.leadconnectorhq.com"

	sdkVersion       = "0.1.0"
	defaultUserAgent = "pluvo-ghl/" + sdkVersion + " (+https://github.com/pluvo/ghl)"
	defaultTimeout   = 60 * time.Second
)

// Client calls the API. It is safe for concurrent use and never changes after [New]; [Client.With] makes variants.
type Client struct {
	// The resources of the API.
	Contacts     *ContactsService
	Tasks        *TasksService
	Notes        *NotesService
	Appointments *AppointmentsService
	Calendars    *CalendarsService
	Tags         *TagsService
	Followers    *FollowersService
	Campaigns    *CampaignsService
	Workflows    *WorkflowsService
	Locations    *LocationsService
	OAuth        *OAuthService

	config
	http *http.Client // the user's client with this package's redirect rule around it
}

// config is what options set. A copy is made for each variant, so that nothing shared is written.
type config struct {
	tokens     TokenSource // nil with WithoutToken
	tokenless  bool        // a client without a token source is wanted
	location   string
	base       *url.URL
	version    Version
	client     *http.Client
	middleware []func(http.RoundTripper) http.RoundTripper
	userAgent  string
	logger     *slog.Logger
	limiters   *limiters
	retry      RetryPolicy
}

// service is what every resource is made of.
type service struct{ client *Client }

// New makes a client. It needs a token source ([WithTokenSource] or [WithToken]); almost every use also needs
// [WithLocation]. The first option that is wrong is the error, an [*Error] of category [ErrBadInput].
func New(opts ...Option) (*Client, error) {
	base, err := parseBaseURL(DefaultBaseURL)
	if err != nil {
		return nil, err
	}
	return newClient(config{
		base:      base,
		version:   Version20210728,
		userAgent: defaultUserAgent,
		logger:    slog.New(slog.DiscardHandler),
		limiters:  newLimiters(func(string) Limiter { return NewLimiter() }),
		retry:     defaultRetry,
	}, opts)
}

// With returns a variant of the client, such as for another location or with another token source. It shares the
// transport and, unless an option replaces them, the limiters: two clients of one location keep to one budget.
func (c *Client) With(opts ...Option) (*Client, error) {
	return newClient(c.config, opts)
}

func newClient(cfg config, opts []Option) (*Client, error) {
	cfg.middleware = slices.Clone(cfg.middleware)
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&cfg); err != nil {
			return nil, err
		}
	}
	if cfg.tokens == nil && !cfg.tokenless {
		return nil, badInputf("TokenSource", "a client needs WithTokenSource or WithToken")
	}
	httpClient, err := cfg.httpClient()
	if err != nil {
		return nil, err
	}
	c := &Client{config: cfg, http: httpClient}
	c.setServices()
	return c, nil
}

// setServices fills every field of the client that is a service, so that a new service needs its field alone.
func (c *Client) setServices() {
	s, fields := reflect.ValueOf(&service{c}), reflect.ValueOf(c).Elem()
	for i := range fields.NumField() {
		if field := fields.Field(i); s.CanConvert(field.Type()) {
			field.Set(s.Convert(field.Type()))
		}
	}
}

// Format prints which client it is, and nothing of its settings, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "ghl.Client{location: %q}", c.location) }

// Location returns the id given with [WithLocation].
func (c *Client) Location() string { return c.location }

// Version is the generation of the API that the client speaks.
func (c *Client) Version() Version { return c.version }

// Call sends any operation, one of the catalog or your own, with the limits, token, retries and errors of every other call.
// in is sent as JSON, or as a form if it is url.Values; nil sends no body. out receives the JSON of a successful answer; nil
// ignores it. Placeholders of the path are filled with [CallPath], {locationId} also from the client's location; a query
// is set with [CallQuery].
func (c *Client) Call(ctx context.Context, op Operation, in, out any, opts ...CallOption) error {
	op = op.clone()
	if err := op.check(); err != nil {
		err.Operation = op.Name
		return err
	}
	return c.do(ctx, request{op: &op, in: in}, into(out), opts)
}

// Option configures a client. Options are checked when they are applied.
type Option func(*config) error

// WithTokenSource sets where tokens come from.
func WithTokenSource(source TokenSource) Option {
	return func(c *config) error {
		if source == nil {
			return badInputf("TokenSource", "the token source is nil")
		}
		c.tokens = source
		return nil
	}
}

// WithToken sets a private integration token or any other fixed bearer.
func WithToken(token string) Option {
	return func(c *config) error {
		if err := checkBearer(token); err != nil {
			return err
		}
		c.tokens = StaticTokenSource(token)
		return nil
	}
}

// WithoutToken makes a client without a token source, for operations with [Operation.NoBearer]. Any other call is refused
// with [ErrBadInput] before it is sent. A later [WithTokenSource] or [WithToken], also of [Client.With], takes precedence.
func WithoutToken() Option {
	return func(c *config) error {
		c.tokens, c.tokenless = nil, true
		return nil
	}
}

// WithLocation sets the location (sub-account) that calls are about. [CallLocation] sets another one for a call.
func WithLocation(id string) Option {
	return func(c *config) error {
		if err := checkID("locationId", id); err != nil {
			return err
		}
		c.location = id
		return nil
	}
}

// WithBaseURL sets another server, such as one of package ghltest. It needs a scheme and a host; the default is
// [DefaultBaseURL].
func WithBaseURL(base string) Option {
	return func(c *config) error {
		u, err := parseBaseURL(base)
		if err != nil {
			return err
		}
		c.base = u
		return nil
	}
}

func parseBaseURL(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, badInputf("BaseURL", "the base URL cannot be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, badInputf("BaseURL", "the base URL needs the scheme http or https")
	case u.Host == "" || u.Hostname() == "":
		return nil, badInputf("BaseURL", "the base URL needs a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.RawPath != "":
		return nil, badInputf("BaseURL", "the base URL takes a scheme, a host and a path only")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// WithVersion sets the generation of the API: [Version20210728], which is the default, or [VersionV3].
func WithVersion(v Version) Option {
	return func(c *config) error {
		if v != Version20210728 && v != VersionV3 {
			return badInputf("Version", "unknown version %q", clip(string(v), 40))
		}
		c.version = v
		return nil
	}
}

// WithHTTPClient sets the client that requests go through. It is copied, never changed: its transport, timeout and cookie
// jar apply to each attempt. Redirects are followed only for GET and only to the same origin, then by its own
// CheckRedirect. Without this option a client with a timeout of 60 s and keep-alive for many connections is used.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) error {
		if client == nil {
			return badInputf("HTTPClient", "the HTTP client is nil")
		}
		copied := *client
		c.client = &copied
		return nil
	}
}

// WithMiddleware wraps the transport, to trace, count or log requests. Each attempt passes through it, and
// [OperationFromContext] names the operation of the request's context. The middleware given last is the outermost.
func WithMiddleware(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) error {
		if wrap == nil {
			return badInputf("Middleware", "the middleware is nil")
		}
		c.middleware = append(c.middleware, wrap)
		return nil
	}
}

// WithUserAgent sets the User-Agent header. HighLevel's CDN refuses those of some libraries, so name your app.
func WithUserAgent(agent string) Option {
	return func(c *config) error {
		if agent == "" || !headerText(agent) {
			return badInputf("UserAgent", "the user agent is empty or holds a character that no header has")
		}
		c.userAgent = agent
		return nil
	}
}

// WithLogger sets where each call is logged: at level Debug when it succeeds, Warn when it fails. A record holds the
// operation, status, attempts, waits and trace id, and nothing else.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return badInputf("Logger", "the logger is nil")
		}
		c.logger = logger
		return nil
	}
}

// WithLimiter sets one limiter for every call. [golang.org/x/time/rate.Limiter] is one.
func WithLimiter(limiter Limiter) Option {
	return func(c *config) error {
		if limiter == nil {
			return badInputf("Limiter", "the limiter is nil")
		}
		c.limiters = newLimiters(func(string) Limiter { return limiter })
		return nil
	}
}

// WithLimiterFor sets how to make the limiter of a location or company, for HighLevel counts requests by these. It is
// called once for each, with its id, or "" for calls of a client without one; nil means no limit. The limiters are kept as long
// as the client and its variants. The default makes a [NewLimiter].
func WithLimiterFor(limiterFor func(resource string) Limiter) Option {
	return func(c *config) error {
		if limiterFor == nil {
			return badInputf("LimiterFor", "the function is nil")
		}
		c.limiters = newLimiters(limiterFor)
		return nil
	}
}

// WithRetry sets how often and how patiently calls are repeated. Zero fields keep their default.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		if err := policy.check(); err != nil {
			return err
		}
		c.retry = policy.orElse(defaultRetry)
		return nil
	}
}

// limiters holds one limiter for each location or company. It is shared by all variants of a client.
type limiters struct {
	make func(resource string) Limiter
	held sync.Map // resource → func() Limiter
}

func newLimiters(limiterFor func(string) Limiter) *limiters {
	return &limiters{make: limiterFor}
}

func (l *limiters) of(resource string) Limiter {
	if limiter, ok := l.held.Load(resource); ok {
		return limiter.(func() Limiter)()
	}
	limiter, _ := l.held.LoadOrStore(resource, sync.OnceValue(func() Limiter {
		if limiter := l.make(resource); limiter != nil {
			return limiter
		}
		return noLimit{} // none is wanted for this one
	}))
	return limiter.(func() Limiter)()
}

type noLimit struct{}

func (noLimit) Wait(ctx context.Context) error { return ctx.Err() }

// checkID refuses an id that HighLevel cannot have given out, see [check.ID].
func checkID(field, id string) error {
	if problem := check.ID(id); problem != "" {
		return badInputf(field, "%s %s", field, problem)
	}
	return nil
}

func checkIDs(field string, ids []string) error {
	if len(ids) == 0 {
		return badInputf(field, "%s is empty", field)
	}
	for _, id := range ids {
		if err := checkID(field, id); err != nil {
			return err
		}
	}
	return nil
}
