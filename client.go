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
	"github.com/pluvo/ghl/internal/redact"
)

const (
	defaultBaseURL = "https://services.leadconnectorhq.com"

	sdkVersion       = "0.1.0"
	defaultUserAgent = "pluvo-ghl/" + sdkVersion + " (+https://github.com/pluvo/ghl)"
	defaultTimeout   = 60 * time.Second
)

// Client calls the API. It is safe for concurrent use and does not change after [New]; [Client.With] returns
// variants.
type Client struct {
	// The resources of the API.
	Contacts         *ContactsService
	Tasks            *TasksService
	Notes            *NotesService
	Appointments     *AppointmentsService
	AppointmentNotes *AppointmentNotesService
	Calendars        *CalendarsService
	Tags             *TagsService
	Followers        *FollowersService
	Campaigns        *CampaignsService
	Workflows        *WorkflowsService
	Locations        *LocationsService
	OAuth            *OAuthService

	config
	http *http.Client // a copy of the user's client with the middlewares and the redirect rule
}

// config holds what options set. Each variant of a client has a copy, so that options never write shared data.
type config struct {
	tokens     TokenSource // nil with WithoutToken
	tokenless  bool        // WithoutToken
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

// service is the type behind the service of every resource.
type service struct{ client *Client }

// New returns a client. It requires a token source: [WithTokenSource], [WithToken] or [WithoutToken]. Most calls
// also need [WithLocation]. The error is an [*Error] of category [ErrBadInput] for the first wrong option; its
// Field names the option.
func New(opts ...Option) (*Client, error) {
	base, err := parseBaseURL(defaultBaseURL)
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

// With returns a variant of the client, such as for another location or with another token source. The variant
// shares the transport and, unless an option replaces them, the limiters, so that two clients of one location share
// its rate limit.
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

// Format prints the client's location and none of its other settings, with every verb.
func (c Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "ghl.Client{location: %q}", c.location) }

// Location returns the id that was set with [WithLocation].
func (c *Client) Location() string { return c.location }

// Version returns the generation of the API that the client uses.
func (c *Client) Version() Version { return c.version }

// Call sends any operation, from the catalog or your own, with the limits, token, retries and errors of every other
// call. in is sent as JSON, or as a form if it is url.Values; nil sends no body. out receives the JSON of a
// successful answer; nil ignores it. [CallPath] fills the placeholders of the path; {locationId} defaults to the
// client's location. [CallQuery] adds query parameters. The error is an [*Error].
func (c *Client) Call(ctx context.Context, op Operation, in, out any, opts ...CallOption) error {
	op = op.clone()
	if err := op.check(); err != nil {
		err.Operation = op.Name
		return err
	}
	return c.do(ctx, request{op: &op, in: in}, into(out), opts)
}

// Option configures a client. [New] and [Client.With] check it.
type Option func(*config) error

// WithTokenSource sets the source of the tokens.
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

// WithoutToken makes a client without a token source, for operations with [Operation.NoBearer]. Any other call is
// refused with [ErrBadInput] before it is sent. A later [WithTokenSource] or [WithToken], also of [Client.With],
// takes precedence.
func WithoutToken() Option {
	return func(c *config) error {
		c.tokens, c.tokenless = nil, true
		return nil
	}
}

// WithLocation sets the location (sub-account) of the client's calls. [CallLocation] sets another one for one call.
func WithLocation(id string) Option {
	return func(c *config) error {
		if err := checkID("locationId", id); err != nil {
			return err
		}
		c.location = id
		return nil
	}
}

// WithBaseURL sets another server, such as one of package ghltest. The URL has a scheme, a host and optionally a
// path. The default is https://services.leadconnectorhq.com.
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
			return badInputf("Version", "unknown version %q", redact.Clip(string(v), 40))
		}
		c.version = v
		return nil
	}
}

// WithHTTPClient sets the HTTP client that sends the requests. It is copied, never changed. Its transport, timeout
// and cookie jar apply to each attempt. Redirects are followed only for GET and only within the same origin, and
// then as its CheckRedirect decides. A call ends with the deadline of its context even if the transport ignores it; the
// transport itself must end a request whose context is canceled, as [net/http.Transport] does. The default is a client
// with a timeout of 60 s that reuses many connections.
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

// WithMiddleware wraps the transport, to trace, count or log requests. Each attempt passes through the middleware,
// and [OperationFromContext] returns the operation from the request's context. The last middleware given is the
// outermost.
func WithMiddleware(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *config) error {
		if wrap == nil {
			return badInputf("Middleware", "the middleware is nil")
		}
		c.middleware = append(c.middleware, wrap)
		return nil
	}
}

// WithUserAgent sets the User-Agent header. Name your app: HighLevel's CDN refuses the user agents of some libraries.
func WithUserAgent(agent string) Option {
	return func(c *config) error {
		if agent == "" || !headerText(agent) {
			return badInputf("UserAgent", "the user agent is empty or holds a character that no header has")
		}
		c.userAgent = agent
		return nil
	}
}

// WithLogger sets the logger of calls. A call is logged at level Debug when it succeeds and Warn when it fails. A
// record holds the operation, status, attempts, waits, trace id and number of skipped elements, and nothing else.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return badInputf("Logger", "the logger is nil")
		}
		c.logger = logger
		return nil
	}
}

// WithLimiter sets one limiter for all calls, such as a [golang.org/x/time/rate.Limiter].
func WithLimiter(limiter Limiter) Option {
	return func(c *config) error {
		if limiter == nil {
			return badInputf("Limiter", "the limiter is nil")
		}
		c.limiters = newLimiters(func(string) Limiter { return limiter })
		return nil
	}
}

// WithLimiterFor sets the function that makes the limiter of a location or company: HighLevel limits requests for
// each of them. The function is called once for each id, with "" for calls without a location or company. nil means
// no limit. The client and its variants share the limiters. The default makes a [NewLimiter] for each id.
func WithLimiterFor(limiterFor func(resource string) Limiter) Option {
	return func(c *config) error {
		if limiterFor == nil {
			return badInputf("LimiterFor", "the function is nil")
		}
		c.limiters = newLimiters(limiterFor)
		return nil
	}
}

// WithRetry sets how often calls are retried and how long they wait. A zero field has its default.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		if err := policy.check(); err != nil {
			return err
		}
		c.retry = policy.orElse(defaultRetry)
		return nil
	}
}

// limiters holds one limiter for each location or company. All variants of a client share it.
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
		return noLimit{}
	}))
	return limiter.(func() Limiter)()
}

type noLimit struct{}

func (noLimit) Wait(ctx context.Context) error { return ctx.Err() }

// checkID returns an error that names the field if a value cannot be an id, see [check.ID].
func checkID(field, id string) error {
	if field == "locationId" && id == "" {
		return badInputf(field, "the location is missing; set it with WithLocation or CallLocation")
	}
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
