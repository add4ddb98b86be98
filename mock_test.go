package ghl_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/httpstep"
)

// mockTransport is an httpmock transport of one test. It records the requests that it receives.
type mockTransport struct {
	*httpmock.MockTransport
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

// newMock returns a transport on which answer serves every request that no registered route matches.
func newMock(answer step) *mockTransport {
	m := &mockTransport{MockTransport: httpmock.NewMockTransport()}
	m.RegisterNoResponder(answer)
	return m
}

// mocked returns a client of location loc1 without a limiter, and its transport. answer is that of newMock.
func mocked(t testing.TB, answer step, opts ...ghl.Option) (*ghl.Client, *mockTransport) {
	t.Helper()
	m := newMock(answer)
	c, err := ghl.New(append([]ghl.Option{
		ghl.WithToken("pit-secret-token"), ghl.WithLocation("loc1"), ghl.WithHTTPClient(&http.Client{Transport: m}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
	}, opts...)...)
	require.NoError(t, err)
	return c, m
}

func (m *mockTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	m.mu.Lock()
	m.requests, m.bodies = append(m.requests, r), append(m.bodies, string(body))
	m.mu.Unlock()
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return m.MockTransport.RoundTrip(again)
}

func (m *mockTransport) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.requests)
}

// sent is a request as it was received.
type sent struct {
	Method, Path, RawQuery, Body string
	Host                         string // with the scheme
	Header                       http.Header
}

func (m *mockTransport) sent() []sent {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []sent
	for i, r := range m.requests {
		list = append(list, sent{
			Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, Body: m.bodies[i],
			Host: r.URL.Scheme + "://" + r.URL.Host, Header: r.Header.Clone(),
		})
	}
	return list
}

// The steps of package httpstep, of which a transport is scripted.
type step = httpstep.Step

var (
	inTurn   = httpstep.InTurn
	answers  = httpstep.Answer
	errReset = httpstep.ErrReset
	loses    = httpstep.Lose
	refuses  = httpstep.Refuse
	cutsBody = httpstep.CutBody
	hangs    = httpstep.Hang
)

// replies answers with status 200 and one body after the other. Any request after the last body fails the test.
func replies(t testing.TB, bodies ...string) step {
	var steps []step
	for _, body := range bodies {
		steps = append(steps, answers(200, body))
	}
	return inTurn(append(steps, unexpected(t))...)
}

// unexpected fails the test. Status 418 ends the call without a retry.
func unexpected(t testing.TB) step {
	return func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("unexpected request: %s %s %s", r.Method, r.URL, body)
		return answers(418, `{"message":"unexpected request"}`)(r)
	}
}

func unresolved(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp",
		Err: &net.DNSError{Err: "no such host", Name: "services.leadconnectorhq.com"}}
}

func proxyGone(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("connection refused")}
}
