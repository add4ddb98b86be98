package ghl_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// step is what a scripted transport does with one request.
type step func(r *http.Request) (*http.Response, error)

// script is a transport that takes one step after the other and keeps what came in. The last step repeats.
type script struct {
	mu       sync.Mutex
	steps    []step
	requests []*http.Request
	bodies   []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
		_ = r.Body.Close()
	}
	s.mu.Lock()
	do := s.steps[min(len(s.requests), len(s.steps)-1)]
	s.requests = append(s.requests, r)
	s.bodies = append(s.bodies, body)
	s.mu.Unlock()
	return do(r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// answers makes a step that answers. Headers are pairs of name and value.
func answers(status int, body string, headers ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i+1 < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

var errReset = errors.New("read: connection reset by peer")

func loses(*http.Request) (*http.Response, error) { return nil, errReset }

func refuses(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}

func unresolved(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "services.leadconnectorhq.com"}}
}

func proxyGone(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("connection refused")}
}

// cutsBody answers 200 and loses the connection in the middle of the body.
func cutsBody(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(strings.NewReader(`{"contact":{"id":`), failing{})), Request: r}, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errReset }

// hangs waits for the end of the request's context.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

const (
	okContact = `{"contact":{"id":"c1","firstName":"Ada"}}`
	okTask    = `{"task":{"id":"t1","title":"Call"}}`
	server500 = `{"statusCode":500,"message":"Internal server error","traceId":"trace-500"}`
	badJWT    = `{"statusCode":401,"message":"Invalid JWT"}`
	tooMany   = `{"statusCode":429,"message":"Too Many Requests"}`
)

// scripted makes a client over a script, without a limiter unless an option sets one.
func scripted(t testing.TB, opts []ghl.Option, steps ...step) (*ghl.Client, *script) {
	t.Helper()
	s := &script{steps: steps}
	all := []ghl.Option{ghl.WithToken("pit-secret-token"), ghl.WithLocation("loc1"), ghl.WithHTTPClient(&http.Client{Transport: s}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil })}
	c, err := ghl.New(append(all, opts...)...)
	require.NoError(t, err)
	return c, s
}

// onFake makes a client of a HighLevel in this process, for what needs state. It retries without waiting, and has no limiter.
func onFake(t testing.TB, opts ...ghltest.Option) (*ghl.Client, *ghltest.Server) {
	t.Helper()
	s, err := ghltest.NewHandler(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	c, err := ghl.New(append(s.ClientOptions(), ghl.WithRetry(ghl.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))...)
	require.NoError(t, err)
	return c, s
}

// asError returns the *ghl.Error that every failure of a call is.
func asError(t testing.TB, err error) *ghl.Error {
	t.Helper()
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	return e
}

// refreshing is a token source whose tokens can be refused.
type refreshing struct {
	mu        sync.Mutex
	current   string
	next      []string
	asked     int
	refreshed int
	err       error
}

func (s *refreshing) Token(context.Context) (*ghl.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return &ghl.Token{AccessToken: s.current}, nil
}

func (s *refreshing) Refresh(_ context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refreshed++
	if s.err != nil {
		return nil, s.err
	}
	if rejected.AccessToken == s.current && len(s.next) > 0 {
		s.current, s.next = s.next[0], s.next[1:]
	}
	return &ghl.Token{AccessToken: s.current}, nil
}
