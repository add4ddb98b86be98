package ghl_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

const (
	okContact = `{"contact":{"id":"c1","firstName":"Ada"}}`
	okTask    = `{"task":{"id":"t1","title":"Call"}}`
	server500 = `{"statusCode":500,"message":"Internal server error","traceId":"trace-500"}`
	badJWT    = `{"statusCode":401,"message":"Invalid JWT"}`
	tooMany   = `{"statusCode":429,"message":"Too Many Requests"}`
)

// onFake returns a client of a fake HighLevel in this process. The client retries without waiting and has no limiter.
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

// asError returns the *ghl.Error in an error.
func asError(t testing.TB, err error) *ghl.Error {
	t.Helper()
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	return e
}

// refreshing is a token source that replaces a refused token with the next one.
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
