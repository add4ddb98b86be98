package ghltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl"
)

// Server is a fake of the HighLevel API. [Start], [New] and [NewHandler] return one. It is safe for concurrent use.
// Servers share nothing, so tests with a server each can run in parallel.
type Server struct {
	now    func() time.Time
	ahead  atomic.Int64 // the sum of Advance
	date   dateHeader
	routes *routes
	limits Limits
	fail   func(format string, args ...any) // reports an invalid seed
	helper func()                           // t.Helper, so that the test fails at the line of its call
	token  string                           // of the first location

	mu       sync.Mutex
	state    *state
	faults   []*ActiveFault
	windows  map[string]*window
	requests requestLog

	hooks   *hooks
	closing context.CancelFunc // ends slow answers
	open    context.Context
	http    *http.Server
	running sync.WaitGroup // the goroutines of http
	url     string

	connections sync.Mutex
	unused      map[net.Conn]struct{} // connections without a request so far
}

// TB has the methods of [*testing.T] and [*testing.B] that [Start] calls.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Start starts a server that is closed at the end of the test. An invalid option, and later an invalid seed, fails
// the test at the line of the call.
func Start(t TB, opts ...Option) *Server {
	t.Helper()
	s, err := New(opts...)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	s.helper = t.Helper
	s.fail = func(format string, args ...any) {
		t.Helper()
		t.Fatalf("ghltest: "+format, args...)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatalf("%v", err)
		}
	})
	return s
}

// New starts a server on a free port of 127.0.0.1. The caller must close it. An invalid option is an error; an
// invalid seed panics.
func New(opts ...Option) (*Server, error) {
	s, err := NewHandler(opts...)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("ghltest: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.http = &http.Server{Handler: s.Handler(), ConnState: s.connection, ReadHeaderTimeout: time.Minute}
	s.running.Add(1)
	go func() { // ends with Close
		defer s.running.Done()
		_ = s.http.Serve(listener)
	}()
	return s, nil
}

// NewHandler returns a server that does not listen: call it through [Server.Transport], or serve its
// [Server.Handler]. The caller must close a server with subscribers. An invalid option is an error; an invalid seed
// panics.
func NewHandler(opts ...Option) (*Server, error) {
	c := config{now: time.Now, limits: generousLimits}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&c); err != nil {
			return nil, err
		}
	}
	s := &Server{
		limits: c.limits,
		fail:   func(format string, args ...any) { panic("ghltest: " + fmt.Sprintf(format, args...)) },
		helper: func() {},
		state:  newState(), windows: map[string]*window{}, unused: map[net.Conn]struct{}{},
	}
	s.routes = newRoutes(rows, s.serveEndpoint)
	s.now = func() time.Time { return c.now().Add(time.Duration(s.ahead.Load())) }
	s.open, s.closing = context.WithCancel(context.Background())
	s.hooks = newHooks(s.now)
	s.state.hooks, s.state.lag, s.state.refuses = s.hooks, c.lag, c.refuses
	if err := s.seed(&c); err != nil {
		return nil, fmt.Errorf("ghltest: %w", err)
	}
	return s, nil
}

// seed adds the records of the options.
func (s *Server) seed(c *config) error {
	if err := s.state.addLocations(c); err != nil {
		return err
	}
	s.token = c.token
	if s.token == "" {
		s.token = "pit-" + s.state.ids.uuid()
	}
	s.state.grants[s.token] = &grant{location: s.state.first}
	if err := s.state.setConsent(c.consent); err != nil {
		return fmt.Errorf("WithConsent: %w", err)
	}
	if c.demo {
		s.state.addDemoData(s.now())
	}
	for _, seed := range c.seeds {
		if err := s.state.addSeed(seed, "", s.now()); err != nil {
			return fmt.Errorf("WithSeed: %w", err)
		}
	}
	s.state.reindex(time.Time{})
	return nil
}

// addLocations adds the locations of the options, or a default one.
func (s *state) addLocations(c *config) error {
	for _, l := range c.locations {
		if _, err := s.addLocation(l); err != nil {
			return fmt.Errorf("WithLocation: %w", err)
		}
	}
	for _, seed := range c.seeds {
		for i, l := range seed.locations {
			if _, err := s.addLocation(l); err != nil {
				return fmt.Errorf("WithSeed: locations[%d]: %w", i, err)
			}
		}
	}
	if s.first != nil {
		return nil
	}
	_, err := s.addLocation(defaultLocation())
	return err
}

// Handler returns the server as an http.Handler.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// URL returns the base URL, such as "http://127.0.0.1:41234", or "" for a server of [NewHandler].
func (s *Server) URL() string { return s.url }

// Token returns the bearer token of the first location, which [WithToken] sets.
func (s *Server) Token() string { return s.token }

// LocationID returns the id of the first location.
func (s *Server) LocationID() string { return s.state.first.ID }

// ClientOptions returns the options of a client for this server: its URL, or its [Server.Transport] for a server of
// [NewHandler], its token and its first location. Later options of ghl.New override them.
func (s *Server) ClientOptions() []ghl.Option {
	address := ghl.WithBaseURL(s.URL())
	if s.url == "" {
		address = ghl.WithHTTPClient(&http.Client{Transport: s.Transport()})
	}
	return []ghl.Option{address, ghl.WithToken(s.Token()), ghl.WithLocation(s.LocationID())}
}

// Close waits for the running requests, for a few seconds at most, and closes every connection. It ends answers that
// a [Fault] delays, and running deliveries of webhooks. It may be called more than once.
func (s *Server) Close() error {
	s.closing()
	ended := s.hooks.close()
	if s.http == nil {
		return ended
	}
	s.connections.Lock()
	for conn := range s.unused { // Shutdown would wait for them
		_ = conn.Close()
	}
	s.connections.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if err != nil {
		return fmt.Errorf("ghltest: %w", err)
	}
	if !waitFor(&s.running, closeWait) && ended == nil {
		ended = errors.New("ghltest: a request did not end after its connection was closed")
	}
	return ended
}

// waitFor waits for goroutines and reports whether they ended within the limit.
func waitFor(group *sync.WaitGroup, limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

func (s *Server) connection(conn net.Conn, state http.ConnState) {
	s.connections.Lock()
	defer s.connections.Unlock()
	switch state {
	case http.StateNew:
		s.unused[conn] = struct{}{}
		s.running.Add(1)
		return
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	}
	delete(s.unused, conn)
}
