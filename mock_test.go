package ghl_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
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

// step answers one request.
type step = httpmock.Responder

// inTurn answers with one step after the other. The last step repeats.
func inTurn(steps ...step) step {
	var mu sync.Mutex
	next := 0
	return func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		do := steps[min(next, len(steps)-1)]
		next++
		mu.Unlock()
		return do(r)
	}
}

// answers returns a step that answers with a status and JSON. Headers are pairs of name and value.
func answers(status int, body string, headers ...string) step {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return httpmock.NewStringResponder(status, body).HeaderSet(h)
}

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
	body := io.MultiReader(strings.NewReader(`{"contact":{"id":`), failing{})
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errReset }

// hangs waits until the request's context ends.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
