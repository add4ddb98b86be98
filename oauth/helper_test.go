package oauth_test

import (
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

// step is how a scripted transport answers one request.
type step func(r *http.Request) (*http.Response, error)

// script is a transport that takes one step for each request and repeats the last step.
type script struct {
	mu       sync.Mutex
	steps    []step
	requests int
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	do := s.steps[min(s.requests, len(s.steps)-1)]
	s.requests++
	s.mu.Unlock()
	return do(r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// answers returns a step that answers. Headers are pairs of name and value.
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

// cutsBody answers 200 and loses the connection in the middle of the body.
func cutsBody(r *http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"contact":{"id":`), failing{})
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
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
	server500 = `{"statusCode":500,"message":"Internal server error","traceId":"trace-500"}`
	tooMany   = `{"statusCode":429,"message":"Too Many Requests"}`
)

// asError returns the *ghl.Error in err.
func asError(t testing.TB, err error) *ghl.Error {
	t.Helper()
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	return e
}

// onFake starts a HighLevel in this process, for what needs state.
func onFake(t testing.TB, opts ...ghltest.Option) *ghltest.Server {
	t.Helper()
	s, err := ghltest.NewHandler(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
