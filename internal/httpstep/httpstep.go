// Package httpstep has the answers of a scripted HTTP server, as responders of httpmock. Only tests use it.
package httpstep

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/jarcoal/httpmock"
)

// Step answers one request.
type Step = httpmock.Responder

// InTurn answers with one step after the other. The last step repeats.
func InTurn(steps ...Step) Step {
	var mu sync.Mutex
	next := 0
	return func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		step := steps[min(next, len(steps)-1)]
		next++
		mu.Unlock()
		return step(r)
	}
}

// Answer returns a step that answers with a status and JSON. Headers are pairs of name and value.
func Answer(status int, body string, headers ...string) Step {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return httpmock.NewStringResponder(status, body).HeaderSet(h)
}

// ErrReset is the error of a lost connection.
var ErrReset = errors.New("read: connection reset by peer")

// Lose fails with ErrReset.
func Lose(*http.Request) (*http.Response, error) { return nil, ErrReset }

// Refuse fails before a connection is opened.
func Refuse(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}

// CutBody answers with status 200 and fails with ErrReset in the middle of the body.
func CutBody(r *http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"contact":{"id":`), failing{})
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, ErrReset }

// Hang waits until the context of the request ends.
func Hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
