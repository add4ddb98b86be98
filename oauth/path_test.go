package oauth_test

import (
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// pathRecorder records the functions that a request passes before (*http.Client).Do.
type pathRecorder struct {
	paths map[string][]string // by path of the URL
}

func (p *pathRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	var ours []string
	beforeDo := false
	for {
		frame, more := frames.Next()
		name, inside := strings.CutPrefix(frame.Function, "github.com/pluvo/ghl.")
		switch {
		case frame.Function == "net/http.(*Client).Do":
			beforeDo = true
		case beforeDo && inside:
			ours = append(ours, strings.TrimSuffix(name, "[...]"))
		}
		if !more {
			break
		}
	}
	slices.Reverse(ours)
	p.paths[r.URL.Path] = ours
	return nil, errors.New("no network")
}

// TestOnePath: a method passes at most six functions of package ghl before http.Client.Do, and a refresh of a token
// passes the same ones from Client.Call on.
func TestOnePath(t *testing.T) {
	recorder := &pathRecorder{paths: map[string][]string{}}
	transport := &http.Client{Transport: recorder}
	once := ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1})
	client, err := ghl.New(ghl.WithToken("pit-token"), ghl.WithLocation("loc1"), ghl.WithHTTPClient(transport), once)
	require.NoError(t, err)
	_, err = client.Notes.Get(t.Context(), "c1", "n1")
	require.Error(t, err)
	note := recorder.paths["/contacts/c1/notes/n1"]
	require.NotEmpty(t, note)
	require.LessOrEqual(t, len(note), 6, note)

	err = client.Call(t.Context(), ghl.Operation{Name: "any", Method: http.MethodPost, Path: "/any"}, nil, nil)
	require.Error(t, err)
	call := recorder.paths["/any"]
	require.Equal(t, "(*Client).Call", call[0])

	store := oauth.NewMemoryStore()
	save(t, store, "k", &ghl.Token{AccessToken: "access", RefreshToken: "refresh",
		ExpiresAt: time.Now().Add(-time.Hour)})
	app := newAuthServer().app(t, func(c *oauth.Config) { c.HTTPClient = transport })
	_, err = app.TokenSource(store, "k").Token(t.Context())
	require.Error(t, err)
	require.Equal(t, call, recorder.paths["/oauth/token"])
	require.Equal(t, call[1:], note[len(note)-len(call)+1:], "what a method passes after its own functions")
}
