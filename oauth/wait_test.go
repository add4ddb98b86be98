package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// stuck is a store that heeds no context: each method waits until the store is released.
type stuck struct {
	*oauth.MemoryStore
	release chan struct{}
}

func (s *stuck) Load(_ context.Context, key string) (*ghl.Token, error) {
	<-s.release
	return s.MemoryStore.Load(context.Background(), key)
}

func (s *stuck) Update(
	_ context.Context, key string, fn func(context.Context, *ghl.Token) (*ghl.Token, error),
) (*ghl.Token, error) {
	<-s.release
	return s.MemoryStore.Update(context.Background(), key, fn)
}

func (s *stuck) Delete(_ context.Context, key string) error {
	<-s.release
	return s.MemoryStore.Delete(context.Background(), key)
}

// TestEachWaitEndsWithTheContext: a call returns when its context ends, wherever it waits.
func TestEachWaitEndsWithTheContext(t *testing.T) {
	const patience = 3 * time.Second
	type world struct {
		app   *oauth.App
		other *oauth.App // as of another process
		all   *oauth.Installations
		store oauth.Store
	}
	token := func(ctx context.Context, w world, key string) error {
		_, err := w.app.TokenSource(w.store, key).Token(ctx)
		return err
	}
	for name, tc := range map[string]struct {
		stuck bool // the store, else the server
		call  func(ctx context.Context, w world) error
	}{
		"a refresh": {call: func(ctx context.Context, w world) error { return token(ctx, w, "location/expired") }},
		"a refresh of another caller": {call: func(ctx context.Context, w world) error {
			go func() { _ = token(context.WithoutCancel(ctx), w, "location/expired") }()
			time.Sleep(time.Second)
			return token(ctx, w, "location/expired")
		}},
		"a refresh of another app": {call: func(ctx context.Context, w world) error {
			other := w.other.TokenSource(w.store, "location/expired")
			go func() { _, _ = other.Token(context.WithoutCancel(ctx)) }()
			time.Sleep(time.Second)
			return token(ctx, w, "location/expired")
		}},
		"a refused token": {call: func(ctx context.Context, w world) error {
			source := w.app.TokenSource(w.store, "location/valid")
			valid, err := source.Token(ctx)
			if err != nil {
				return err
			}
			_, err = source.(ghl.TokenRefresher).Refresh(ctx, valid)
			return err
		}},
		"a company's refresh": {call: func(ctx context.Context, w world) error {
			_, err := w.app.LocationTokenSource(w.store, "company/comp1", "comp1", "loc2").Token(ctx)
			return err
		}},
		"Exchange": {call: func(ctx context.Context, w world) error {
			_, err := w.app.Exchange(ctx, "code-1")
			return err
		}},
		"Add": {call: func(ctx context.Context, w world) error { _, err := w.all.Add(ctx, "code-1"); return err }},
		"AddLocation": {call: func(ctx context.Context, w world) error {
			_, err := w.all.AddLocation(ctx, "comp1", "loc2")
			return err
		}},
		"Flush": {call: func(ctx context.Context, w world) error {
			go func() { _ = token(context.WithoutCancel(ctx), w, "location/expired") }()
			time.Sleep(time.Second)
			return w.app.Flush(ctx)
		}},
		"Remove during a refresh": {call: func(ctx context.Context, w world) error {
			go func() { _ = token(context.WithoutCancel(ctx), w, "location/expired") }()
			time.Sleep(time.Second)
			return w.all.Remove(ctx, "expired")
		}},
		"a source of a stuck store": {stuck: true, call: func(ctx context.Context, w world) error {
			return token(ctx, w, "location/valid")
		}},
		"Client": {stuck: true, call: func(ctx context.Context, w world) error {
			_, err := w.all.Client(ctx, "valid")
			return err
		}},
		"Company": {stuck: true, call: func(ctx context.Context, w world) error {
			_, err := w.all.Company(ctx, "comp1")
			return err
		}},
		"Clients": {stuck: true, call: func(ctx context.Context, w world) error {
			for _, err := range w.all.Clients(ctx) {
				return err
			}
			return errors.New("no client")
		}},
		"AddLocation of a stuck store": {stuck: true, call: func(ctx context.Context, w world) error {
			_, err := w.all.AddLocation(ctx, "comp1", "loc2")
			return err
		}},
		"Remove": {stuck: true, call: func(ctx context.Context, w world) error { return w.all.Remove(ctx, "valid") }},
		"RemoveIssuedBefore": {stuck: true, call: func(ctx context.Context, w world) error {
			_, err := w.all.RemoveIssuedBefore(ctx, "valid", time.Now())
			return err
		}},
		"MarkConnected": {stuck: true, call: func(ctx context.Context, w world) error {
			return w.all.MarkConnected(ctx, "valid", time.Now())
		}},
		"RemoveCompany": {stuck: true, call: func(ctx context.Context, w world) error {
			return w.all.RemoveCompany(ctx, "comp1")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, memory := newAuthServer(), oauth.NewMemoryStore()
				release := make(chan struct{})
				server.stored(t, memory, "location/valid", oneLocation, time.Hour)
				server.stored(t, memory, "location/expired", oneLocation, -time.Hour)
				server.stored(t, memory, "company/comp1", oneCompany, -time.Hour)
				server.codes["code-1"] = oneLocation
				transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if !tc.stuck {
						select {
						case <-release:
						case <-r.Context().Done():
							return nil, r.Context().Err()
						}
					}
					return server.RoundTrip(r)
				})
				slow := func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: transport} }
				w := world{store: memory, app: server.app(t, slow), other: server.app(t, slow)}
				if tc.stuck {
					w.store = &stuck{memory, release}
				}
				var err error
				w.all, err = oauth.NewInstallations(w.app, w.store)
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				start := time.Now()
				require.ErrorIs(t, tc.call(ctx, w), context.DeadlineExceeded)
				require.Equal(t, patience, time.Since(start))
				close(release)
			})
		})
	}
}

// TestEachCallEnds: a request for a token that the server answers with 429 for ever ends without a deadline of the
// caller, after few requests.
func TestEachCallEnds(t *testing.T) {
	for name, headers := range map[string][]string{
		"no headers":       nil,
		"a tiny interval":  {"X-RateLimit-Interval-Milliseconds", "1", "X-RateLimit-Max", "100"},
		"a wait of zero":   {"Retry-After", "0"},
		"the usual":        {"X-RateLimit-Interval-Milliseconds", "10000", "X-RateLimit-Max", "100"},
		"a wait of a day":  {"Retry-After", "86400"},
		"a wait of an age": {"Retry-After", "99999999999999999999"},
	} {
		for _, call := range []string{"Exchange", "Add", "Token"} {
			t.Run(call+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server, store := newAuthServer(), oauth.NewMemoryStore()
					server.stored(t, store, "k", oneLocation, -time.Hour)
					requests := 0
					app := server.app(t, func(c *oauth.Config) {
						c.HTTPClient = &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
							requests++
							return answers(429, tooMany, headers...)(r)
						})}
					})
					all, err := oauth.NewInstallations(app, store)
					require.NoError(t, err)
					start := time.Now()
					switch call {
					case "Exchange":
						_, err = app.Exchange(context.Background(), "code-1")
					case "Add":
						_, err = all.Add(context.Background(), "code-1")
					case "Token":
						_, err = app.TokenSource(store, "k").Token(context.Background())
					}
					require.ErrorIs(t, err, ghl.ErrRateLimited)
					require.LessOrEqual(t, time.Since(start), 6*time.Minute)
					require.LessOrEqual(t, requests, 400)
					t.Logf("%d requests in %s", requests, time.Since(start))
				})
			})
		}
	}
}
