package oauth_test

import (
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
	"github.com/pluvo/ghl/ghltest"
)

// step answers one request.
type step = httpmock.Responder

// mock is an httpmock transport of one test.
type mock struct{ *httpmock.MockTransport }

// newMock returns a transport on which answer serves every request.
func newMock(answer step) mock {
	m := mock{httpmock.NewMockTransport()}
	m.RegisterNoResponder(answer)
	return m
}

func (m mock) count() int { return m.GetTotalCallCount() }

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
