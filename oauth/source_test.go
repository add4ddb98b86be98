package oauth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// shaky is a store that can be made to fail.
type shaky struct {
	*oauth.MemoryStore
	mu      sync.Mutex
	save    error // what saving ends with
	lock    error // what an update ends with before it begins
	load    error
	updates int
	loads   int
}

func newShaky() *shaky { return &shaky{MemoryStore: oauth.NewMemoryStore()} }

func (s *shaky) breaks(save, load error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.save, s.load = save, load
}

func (s *shaky) locks(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lock = err
}

func (s *shaky) Load(ctx context.Context, key string) (*ghl.Token, error) {
	s.mu.Lock()
	s.loads++
	err := s.load
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.MemoryStore.Load(ctx, key)
}

func (s *shaky) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	s.mu.Lock()
	s.updates++
	lock := s.lock
	s.mu.Unlock()
	if lock != nil {
		return nil, lock
	}
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
		before := ""
		if current != nil {
			before = current.AccessToken
		}
		next, err := fn(ctx, current)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil && s.save != nil && next.AccessToken != before {
			return nil, fmt.Errorf("%w: %s %s", s.save, next.AccessToken, next.RefreshToken)
		}
		return next, err
	})
}

// hooked collects the calls of OnTrouble.
type hooked struct {
	mu   sync.Mutex
	told []error
	keys []string
}

func (h *hooked) hook(key string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told, h.keys = append(h.told, err), append(h.keys, key)
}

func (h *hooked) list() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.told)
}

// syncBuffer is a buffer that many goroutines write to.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// together calls a function in n goroutines at once and returns their errors.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errs
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// slow is a transport that delays each request.
type slow struct {
	next  http.RoundTripper
	delay time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.delay):
		return s.next.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func TestManyGoroutinesOneRefresh(t *testing.T) {
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		for _, of := range []string{"expired", "refused"} {
			t.Run(string(version)+" "+of, func(t *testing.T) {
				server, store := newAuthServer(), newShaky()
				if of == "expired" {
					server.stored(t, store, "k", oneLocation, -time.Hour)
				} else {
					server.stored(t, store, "k", oneLocation, time.Hour)
					server.revoke()
				}
				// The delay lets all callers find the token unusable. It is real time, because the race detector of
				// Go 1.26 fails with the many zero timers of go-retryablehttp in one bubble of synctest.
				app := server.app(t, func(c *oauth.Config) {
					c.Version, c.HTTPClient = version, &http.Client{Transport: slow{server, 200 * time.Millisecond}}
				})
				client := server.client(t, app.TokenSource(store, "k"))
				for _, err := range together(200, func(int) error {
					_, err := client.Contacts.Get(t.Context(), "c1")
					return err
				}) {
					require.NoError(t, err)
				}
				require.Equal(t, 1, server.refreshes)
				require.Zero(t, server.reused)
				saved, err := store.Load(t.Context(), "k")
				require.NoError(t, err)
				require.Equal(t, "secret-refresh-2", saved.RefreshToken)
				require.Equal(t, "loc1", saved.LocationID)

				loads := store.loads
				for range 100 {
					_, err := client.Contacts.Get(t.Context(), "c1")
					require.NoError(t, err)
				}
				require.Equal(t, loads, store.loads, "while the token is good it comes from memory")
			})
		}
	}
}

// TestTwoAppsOneStore: apps that share only the store, as processes do, refresh once.
func TestTwoAppsOneStore(t *testing.T) {
	server, store := newAuthServer(), newShaky()
	server.stored(t, store, "k", oneLocation, -time.Hour)
	slowly := func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: slow{server, 100 * time.Millisecond}} }
	var clients []*ghl.Client
	for range 5 {
		clients = append(clients, server.client(t, server.app(t, slowly).TokenSource(store, "k")))
	}
	get := func(i int) error { _, err := clients[i%5].Contacts.Get(t.Context(), "c1"); return err }
	require.NoError(t, errors.Join(together(50, get)...))
	require.Equal(t, 1, server.refreshes)
	server.revoke()
	require.NoError(t, errors.Join(together(50, get)...), "a refused token")
	require.Equal(t, 2, server.refreshes)
	require.Zero(t, server.reused)
}

func TestRefreshBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		token := server.stored(t, store, "k", oneLocation, 10*time.Minute)
		app := server.app(t, func(c *oauth.Config) {
			c.HTTPClient = &http.Client{Transport: slow{server, 5 * time.Second}}
		})
		source := app.TokenSource(store, "k")
		get := func() string {
			got, err := source.Token(t.Context())
			require.NoError(t, err)
			return got.AccessToken
		}
		require.Equal(t, token.AccessToken, get())
		time.Sleep(4 * time.Minute)
		require.Equal(t, token.AccessToken, get(), "six minutes before the end there is nothing to do")
		require.Zero(t, server.refreshed())
		time.Sleep(time.Minute)

		first := make(chan string)
		go func() { first <- get() }()
		synctest.Wait()
		start := time.Now()
		require.Equal(t, token.AccessToken, get(), "the others use the token, which is still valid")
		require.Zero(t, time.Since(start))
		require.Equal(t, "secret-access-2", <-first, "one has waited for the new one")
		require.Equal(t, "secret-access-2", get())
		require.Equal(t, 1, server.refreshed())
	})
}

func TestShortLivedTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.life = time.Minute
		server.stored(t, store, "k", oneLocation, -time.Hour)
		client := server.client(t, server.app(t).TokenSource(store, "k"))
		for range 240 { // four minutes
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.InDelta(t, 5, server.refreshed(), 1, "a token is not renewed in the first nine tenths of its life")
	})
}

func TestEarlyRefreshMayFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, time.Minute)
		server.before = func(url.Values) (int, string) { return 500, server500 }
		client := server.client(t, server.app(t).TokenSource(store, "k"))
		for range 50 {
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err, "the token is good for a minute yet")
			time.Sleep(time.Second)
		}
		require.InDelta(t, 6, server.count("/oauth/token"), 1, "the pauses grow")
		server.before = nil
		time.Sleep(time.Minute)
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, 1, server.refreshed())
	})
}

// TestCancelledCallerAbandonsTheWait: the end of a caller's context ends the wait and not the refresh.
func TestCancelledCallerAbandonsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, -time.Hour)
		app := server.app(t, func(c *oauth.Config) {
			c.HTTPClient = &http.Client{Transport: slow{server, 5 * time.Second}}
		})
		source := app.TokenSource(store, "k")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := source.Token(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		require.Zero(t, server.refreshed())

		require.NoError(t, app.Flush(t.Context()))
		require.Equal(t, 5*time.Second, time.Since(start), "Flush waits for the refresh")
		saved, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "secret-access-2", saved.AccessToken)

		_, err = source.Token(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "an ended context gets nothing")
		token, err := source.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, "secret-access-2", token.AccessToken)
		require.Equal(t, 1, server.refreshed())
	})
}

// TestCancelledCallerOfANaiveStore: the refresh continues even with a store that stops when its context ends.
func TestCancelledCallerOfANaiveStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), &naive{oauth.NewMemoryStore()}
		server.stored(t, store, "k", oneLocation, -time.Hour)
		app := server.app(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := app.TokenSource(store, "k").Token(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, app.Flush(t.Context()))
		require.Equal(t, 1, server.refreshed())
		saved, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "secret-access-2", saved.AccessToken)
	})
}

// naive is a slow store that stops when its context ends.
type naive struct{ *oauth.MemoryStore }

func (s *naive) Load(ctx context.Context, key string) (*ghl.Token, error) {
	select {
	case <-time.After(5 * time.Second):
		return s.MemoryStore.Load(ctx, key)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestPermanent401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, time.Hour)
		server.refuse401 = true
		client := server.client(t, server.app(t).TokenSource(store, "k"))
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
		require.NotErrorIs(t, err, ghl.ErrReauthRequired)
		require.Equal(t, 2, asError(t, err).Attempts)
		require.Equal(t, 2, server.count("/contacts/c1"), "one repeat")
		require.Equal(t, 1, server.refreshed(), "one refresh")

		for range 600 { // ten minutes
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrUnauthorized)
			time.Sleep(time.Second)
		}
		require.Less(t, server.refreshed(), 20, "a server that refuses every token is asked less and less often")

		server.refuse401 = false
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	})
}

func TestRefusedRefreshToken(t *testing.T) {
	for _, body := range []string{
		`{"statusCode":400,"message":"Invalid grant: refresh token is invalid"}`,
		`{"error":"invalid_grant","error_description":"This token has ended"}`,
		`{"error":"UnAuthorized!","error_description":"Refresh token not found"}`,
		`{"statusCode":400,"message":"Invalid parameter: refreshToken"}`,
		`{"error":{"code":"INVALID","message":"The refresh_token has expired."}}`,
		`401{"error":"UnAuthorized!","error_description":"Invalid refresh token"}`,
	} {
		status := 400
		if rest, ok := strings.CutPrefix(body, "401"); ok {
			status, body = 401, rest
		}
		synctest.Test(t, func(t *testing.T) {
			server, store, log := newAuthServer(), newShaky(), new(syncBuffer)
			var told hooked
			server.stored(t, store, "account-7", oneLocation, -time.Hour)
			server.before = func(url.Values) (int, string) { return status, body }
			app := server.app(t, func(c *oauth.Config) {
				c.OnTrouble, c.Logger = told.hook, slog.New(slog.NewTextHandler(log, nil))
			})
			client := server.client(t, app.TokenSource(store, "account-7"))
			get := func(int) error { _, err := client.Contacts.Get(t.Context(), "c1"); return err }
			for range 100 {
				for _, err := range together(20, get) {
					require.ErrorIs(t, err, ghl.ErrReauthRequired, body)
					require.Contains(t, err.Error(), `the account of key "account-7" must be connected again`)
				}
				time.Sleep(500 * time.Millisecond)
			}
			require.Equal(t, 1, server.count("/oauth/token"), "the server is asked once")
			require.Equal(t, 1, bytes.Count([]byte(log.String()), []byte("must be connected again\"")),
				"reported once: %s", log)
			require.Len(t, told.list(), 1)
			require.ErrorIs(t, told.list()[0], ghl.ErrReauthRequired)
			require.Equal(t, "account-7", told.keys[0])
			require.LessOrEqual(t, store.loads, 60, "the store is looked at once a second")
			for _, secret := range server.secrets() {
				require.NotContains(t, log.String(), secret)
			}

			server.before = nil
			server.stored(t, store, "account-7", oneLocation, time.Hour) // by another process
			time.Sleep(time.Second)
			require.NoError(t, get(0), "connected again")
			require.Zero(t, server.refreshed())
		})
	}
}

func TestWhatDoesNotBurnTheToken(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		is     error
	}{
		"inactive location": {400, `{"statusCode":400,"message":"Location is not active"}`, nil},
		"wrong secret":      {401, `{"error":"UnAuthorized!","error_description":"Invalid client credentials"}`, ghl.ErrUnauthorized},
		"inactive, in full": {400, `{"statusCode":400,"message":"Invalid grant: Location is not active"}`, nil},
		"server error":      {500, `{"statusCode":500,"message":"refresh token is invalid"}`, ghl.ErrServer},
		"gateway":           {502, "<html>bad gateway</html>", ghl.ErrServer},
		"forbidden":         {403, "<html>Attention Required</html>", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, store := newAuthServer(), newShaky()
				var told hooked
				server.stored(t, store, "k", oneLocation, -time.Hour)
				server.before = func(url.Values) (int, string) { return tc.status, tc.body }
				client := server.client(t, server.app(t,
					func(c *oauth.Config) { c.OnTrouble = told.hook }).TokenSource(store, "k"))
				for range 300 {
					_, err := client.Contacts.Get(t.Context(), "c1")
					require.Error(t, err)
					require.NotErrorIs(t, err, ghl.ErrReauthRequired)
					if tc.is != nil {
						require.ErrorIs(t, err, tc.is)
					}
					time.Sleep(time.Second)
				}
				require.Less(t, server.count("/oauth/token"), 15, "without hammering the server")
				require.Empty(t, told.list())
				server.before = nil
				time.Sleep(time.Minute)
				_, err := client.Contacts.Get(t.Context(), "c1")
				require.NoError(t, err, "the same refresh token works later")
				require.Equal(t, 1, server.refreshed())
			})
		})
	}
}

// TestLostAnswer: the server has rotated the refresh token, and its answer is lost. The request is repeated once.
func TestLostAnswer(t *testing.T) {
	const used = "it was used before, and the answer with the next one was lost"
	breaks := func(http.ResponseWriter, []byte) bool { panic(http.ErrAbortHandler) }
	// losing returns a transport that loses the first n requests, before the server gets them.
	losing := func(server *authServer, n int) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if n--; n >= 0 {
				return nil, errReset
			}
			return server.RoundTrip(r)
		})
	}
	// cutting returns a transport that loses the end of the first answer.
	cutting := func(server *authServer) http.RoundTripper {
		first := true
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := server.RoundTrip(r)
			if first {
				first = false
				resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 20),
					iotest.ErrReader(io.ErrUnexpectedEOF))), -1
			}
			return resp, err
		})
	}
	for _, tc := range []struct {
		name      string
		grace     time.Duration
		after     func(w http.ResponseWriter, body []byte) bool
		transport func(*authServer) http.RoundTripper
		requests  int
		err       string // of the first call, "" for none
		later     string // of a call a second later
		reauth    bool   // the first call's error
	}{
		{name: "the repeat is refused", after: breaks, requests: 2, err: used, later: used, reauth: true},
		{name: "the repeat gets the same token", after: breaks, grace: 30 * time.Second, requests: 2},
		{name: "an answer is cut", transport: cutting, grace: 30 * time.Second, requests: 2},
		{name: "an answer is cut, and the repeat is refused", transport: cutting, requests: 2, err: used, later: used,
			reauth: true},
		{name: "the request was lost", requests: 1,
			transport: func(s *authServer) http.RoundTripper { return losing(s, 1) }},
		{name: "the repeat was lost too", requests: 0, err: "the answer was lost",
			transport: func(s *authServer) http.RoundTripper { return losing(s, 2) }},
		{name: "an answer that cannot be read", requests: 1, err: "the answer holds no token", later: used,
			after: func(w http.ResponseWriter, _ []byte) bool { writeJSON(w, 200, `{}`); return false }},
		{name: "the server's own failure is not repeated at once", requests: 1, err: "502", later: used,
			after: func(w http.ResponseWriter, _ []byte) bool { writeJSON(w, 502, `upstream error`); return false }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, store := newAuthServer(), newShaky()
				server.grace, server.after = tc.grace, tc.after
				var told hooked
				server.stored(t, store, "k", oneLocation, -time.Hour)
				client := server.client(t, server.app(t, func(c *oauth.Config) {
					c.OnTrouble = told.hook
					if tc.transport != nil {
						c.HTTPClient = &http.Client{Transport: tc.transport(server)}
					}
				}).TokenSource(store, "k"))
				start := time.Now()
				_, err := client.Contacts.Get(t.Context(), "c1")
				require.Zero(t, time.Since(start), "at once")
				require.Equal(t, tc.requests, server.count("/oauth/token"))
				require.NotErrorIs(t, err, ghl.ErrAmbiguous, "the call itself was not sent")
				require.Equal(t, tc.reauth, errors.Is(err, ghl.ErrReauthRequired))
				if tc.err != "" {
					require.ErrorContains(t, err, tc.err)
				} else {
					require.NoError(t, err)
					require.Empty(t, told.list())
				}
				server.after = nil
				time.Sleep(time.Second)
				_, err = client.Contacts.Get(t.Context(), "c1")
				if tc.later == "" {
					require.NoError(t, err)
					require.Equal(t, 1, server.refreshed())
					return
				}
				require.ErrorIs(t, err, ghl.ErrReauthRequired)
				require.ErrorContains(t, err, tc.later)
				require.Len(t, told.list(), 1)
			})
		})
	}
}

// TestProcessThatDiedBeforeSaving: the next process finds a used refresh token.
func TestProcessThatDiedBeforeSaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		token := server.stored(t, store, "k", oneLocation, -time.Hour)
		form := url.Values{"client_id": {"app1-x"}, "client_secret": {clientSecret}, "grant_type": {"refresh_token"},
			"refresh_token": {token.RefreshToken}}
		resp, err := (&http.Client{Transport: server}).PostForm("http://ghl/oauth/token", form)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)

		client := server.client(t, server.app(t).TokenSource(store, "k"))
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired)
		require.ErrorContains(t, err, `key "k"`)
		require.ErrorContains(t, err, "by a process that ended before it could save the next one")
	})
}

func TestStoreThatCannotSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store, log := newAuthServer(), newShaky(), new(syncBuffer)
		var told hooked
		server.stored(t, store, "k", oneLocation, -time.Hour)
		app := server.app(t, func(c *oauth.Config) {
			c.OnTrouble, c.Logger = told.hook, slog.New(slog.NewTextHandler(log, nil))
		})
		client := server.client(t, app.TokenSource(store, "k"))
		diskFull := errors.New("disk full")
		store.breaks(diskFull, nil)
		get := func(int) error { _, err := client.Contacts.Get(t.Context(), "c1"); return err }
		require.NoError(t, errors.Join(together(50, get)...), "calls use the new pair, which exists only in memory")
		require.Equal(t, 1, server.refreshed())
		require.Len(t, told.list(), 1)
		require.ErrorIs(t, told.list()[0], diskFull)
		require.NotErrorIs(t, told.list()[0], ghl.ErrReauthRequired)
		require.ErrorContains(t, app.Flush(t.Context()), `key "k" is not saved`)

		for range 60 {
			require.NoError(t, get(0))
			time.Sleep(time.Second)
		}
		require.GreaterOrEqual(t, len(told.list()), 50, "every call is an opportunity")
		synctest.Wait()
		require.Equal(t, len(told.list()), bytes.Count([]byte(log.String()), []byte("level=ERROR")))
		tries := len(told.list())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.InDelta(t, tries+6, len(told.list()), 1, "and it is tried without a call as well")
		require.Equal(t, 1, server.refreshed())

		time.Sleep(24 * time.Hour) // the pair in memory is refreshed, because no other process has it
		require.NoError(t, get(0))
		require.Equal(t, 2, server.refreshed())
		require.Zero(t, server.reused)
		server.revoke()
		require.NoError(t, get(0), "also after a refused token")
		require.Equal(t, 3, server.refreshed())

		store.breaks(nil, nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.NoError(t, told.list()[len(told.list())-1], "the end of the trouble is reported")
		saved, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "secret-refresh-4", saved.RefreshToken)
		require.NoError(t, app.Flush(t.Context()))
		require.NoError(t, get(0))
		require.Equal(t, 3, server.refreshed())
		require.Zero(t, server.reused)
		for _, text := range append([]string{log.String()}, texts(told.list())...) {
			for _, secret := range server.secrets() {
				require.NotContains(t, text, secret)
			}
		}
	})
}

func texts(errs []error) []string {
	var all []string
	for _, err := range errs {
		all = append(all, fmt.Sprintf("%v %+v %#v", err, err, err))
	}
	return all
}

// TestUnsavedIsSavedAlthoughTheServerFails: an unsaved token is saved even if it cannot be renewed.
func TestUnsavedIsSavedAlthoughTheServerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		var told hooked
		server.stored(t, store, "k", oneLocation, -time.Hour)
		source := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook }).TokenSource(store, "k")
		store.breaks(errors.New("disk full"), nil)
		_, err := source.Token(t.Context())
		require.NoError(t, err)
		server.before = func(url.Values) (int, string) { return 500, server500 }
		time.Sleep(24 * time.Hour) // the token in memory has ended, too
		_, err = source.Token(t.Context())
		require.ErrorIs(t, err, ghl.ErrServer)
		asked := server.count("/oauth/token")
		time.Sleep(10 * time.Minute)
		require.Less(t, server.count("/oauth/token")-asked, 20, "saving is tried more often than the server is asked")
		store.breaks(nil, nil)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		saved, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "secret-refresh-2", saved.RefreshToken)
		list := told.list()
		require.NoError(t, list[len(list)-1])
		server.before = nil
		time.Sleep(2 * time.Minute)
		_, err = source.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, server.refreshed())
		require.Zero(t, server.reused)
	})
}

// TestUnsavedAfterARefusal: an unsaved token replaces the stored one, although that has not expired.
func TestUnsavedAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, time.Hour)
		server.revoke()
		var told hooked
		app := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook })
		client := server.client(t, app.TokenSource(store, "k"))
		store.breaks(errors.New("disk full"), nil)
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		store.breaks(nil, nil)
		require.NoError(t, app.Flush(t.Context()), "Flush tries once more")
		require.NoError(t, told.list()[1])
		saved, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "secret-refresh-2", saved.RefreshToken)
	})
}

// TestUnsavedThatHasEnded: an expired unsaved token is not returned, and its renewal and save are reported.
func TestUnsavedThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, -time.Hour)
		var told hooked
		source := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook }).TokenSource(store, "k")
		store.breaks(errors.New("disk full"), nil)
		_, err := source.Token(t.Context())
		require.NoError(t, err)
		gone := errors.New("the database does not answer")
		store.locks(gone)
		time.Sleep(25 * time.Hour)
		_, err = source.Token(t.Context())
		require.ErrorIs(t, err, gone)
		store.locks(nil)
		store.breaks(nil, nil)
		time.Sleep(11 * time.Second)
		_, err = source.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, server.refreshed())
		list := told.list()
		require.NoError(t, list[len(list)-1])
	})
}

// TestLongRetryAfter: the server is not asked before a Retry-After is over.
func TestLongRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, -time.Hour)
		asked := 0
		transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			asked++
			return answers(429, tooMany, "Retry-After", "7200")(r)
		})
		source := server.app(t, func(c *oauth.Config) {
			c.HTTPClient = &http.Client{Transport: transport}
		}).TokenSource(store, "k")
		for range 60 {
			_, err := source.Token(t.Context())
			require.ErrorIs(t, err, ghl.ErrRateLimited)
			time.Sleep(time.Minute)
		}
		require.Equal(t, 1, asked)
	})
}

// TestRefusedTokenThatCannotBeRenewed: the call's error also says why the refused token was not renewed.
func TestRefusedTokenThatCannotBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, time.Hour)
		server.revoke()
		server.before = func(url.Values) (int, string) { return 502, "<html>bad gateway</html>" }
		_, err := server.client(t, server.app(t).TokenSource(store, "k")).Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
		require.ErrorIs(t, err, ghl.ErrServer)
		require.ErrorContains(t, err, "oauth.token: 502")
	})
}

// TestSparseAnswer: what the answer to a refresh leaves out is inherited, including a refresh token that does not
// rotate.
func TestSparseAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store, log := newAuthServer(), newShaky(), new(syncBuffer)
		old := &ghl.Token{
			AccessToken: "secret-access-0", RefreshToken: "secret-refresh-0", ExpiresAt: time.Now(),
			Scopes: []ghl.Scope{"a"}, CompanyID: "comp1",
			LocationID: "loc1", UserID: "u1", BulkInstallation: true, ApprovedLocations: []string{"l"},
			AllLocations: true, FutureLocations: true,
		}
		save(t, store, "k", old)
		server.before = func(url.Values) (int, string) { return 200, `{"access_token":"secret-access-1"}` }
		app := server.app(t, func(c *oauth.Config) {
			c.UserType, c.Logger = ghl.UserTypeLocation, slog.New(slog.NewTextHandler(log, nil))
		})
		got, err := app.TokenSource(store, "k").Token(t.Context())
		require.NoError(t, err)
		want := *old
		want.AccessToken, want.ExpiresAt, want.IssuedAt = "secret-access-1", time.Time{}, got.IssuedAt
		require.Equal(t, want, *got)
		require.Equal(t, url.Values{
			"client_id": {"app1-x"}, "client_secret": {clientSecret}, "grant_type": {"refresh_token"}, "refresh_token": {"secret-refresh-0"},
			"redirect_uri": {"https://app.example.com/callback"}, "user_type": {"Location"},
		}, server.forms[0])
		require.Contains(t, log.String(), `level=INFO msg="ghl token renewed" key=k`)
	})
}

// TestUnsavedGivesWay: an unsaved token does not replace that of an account that was connected anew.
func TestUnsavedGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, -time.Hour)
		source := server.app(t).TokenSource(store, "k")
		store.breaks(errors.New("disk full"), nil)
		_, err := source.Token(t.Context())
		require.NoError(t, err)
		store.breaks(nil, nil)
		anew := server.stored(t, store, "k", oneLocation, time.Hour)
		time.Sleep(11 * time.Second)
		token, err := source.Token(t.Context())
		require.NoError(t, err)
		require.Equal(t, anew.AccessToken, token.AccessToken)

		server.stored(t, store, "k2", oneLocation, -time.Hour)
		source = server.app(t).TokenSource(store, "k2")
		store.breaks(errors.New("disk full"), nil)
		_, err = source.Token(t.Context())
		require.NoError(t, err)
		store.breaks(nil, nil)
		require.NoError(t, store.Delete(t.Context(), "k2"))
		time.Sleep(11 * time.Second)
		_, err = source.Token(t.Context())
		_ = err // it may live on in memory until it ends
		_, err = store.Load(t.Context(), "k2")
		require.ErrorIs(t, err, oauth.ErrNoToken, "a token that was removed does not come back")
	})
}

// TestSavedAllTheSame: a store may save the token and report a failure, such as when the answer to a commit is lost.
func TestSavedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		lying := &lyingStore{MemoryStore: store, lies: 1}
		server.stored(t, store, "k", oneLocation, -time.Hour)
		var told hooked
		source := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook }).TokenSource(lying, "k")
		_, err := source.Token(t.Context())
		require.NoError(t, err)
		require.Len(t, told.list(), 1)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Len(t, told.list(), 2)
		require.NoError(t, told.list()[1])
		require.Equal(t, 1, server.refreshed())
	})
}

type lyingStore struct {
	*oauth.MemoryStore
	lies int
}

func (s *lyingStore) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	token, err := s.MemoryStore.Update(ctx, key, fn)
	if s.lies--; s.lies >= 0 {
		return nil, errors.New("the commit was not answered")
	}
	return token, err
}

func TestStoreThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, -time.Hour)
		broken := errors.New("wrong key")
		store.breaks(nil, broken)
		client := server.client(t, server.app(t).TokenSource(store, "k"))
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, broken)
		require.Zero(t, server.count("/oauth/token"), "what can't be read is not renewed")
		store.breaks(nil, nil)
		time.Sleep(time.Second)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	})
}

// TestAnotherProcessRefreshesDuringThePause: during a pause the source reads the store and does not ask the server.
func TestAnotherProcessRefreshesDuringThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "k", oneLocation, -time.Hour)
		server.before = func(url.Values) (int, string) { return 502, "<html>bad gateway</html>" }
		client := server.client(t, server.app(t).TokenSource(store, "k"))
		for range 180 {
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrServer)
			time.Sleep(time.Second)
		}
		asked, loads := server.count("/oauth/token"), store.loads
		require.Less(t, asked, 12)
		for range 100 {
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrServer)
		}
		require.LessOrEqual(t, store.loads, loads+1, "at most once a second")
		server.stored(t, store, "k", oneLocation, time.Hour)
		time.Sleep(time.Second)
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, asked, server.count("/oauth/token"))
	})
}

func TestNothingStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		client := server.client(t, server.app(t).TokenSource(store, "k"))
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired)
		require.ErrorIs(t, err, oauth.ErrNoToken)
		require.ErrorContains(t, err, `the account of key "k" is not connected`)

		save(t, store, "k", &ghl.Token{AccessToken: "secret-access-x", ExpiresAt: time.Now().Add(-time.Hour)})
		time.Sleep(time.Second)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired, "expired and without a refresh token")
		require.NotErrorIs(t, err, oauth.ErrNoToken)
		require.Zero(t, server.count("/oauth/token"))

		server.stored(t, store, "k", oneLocation, time.Hour)
		time.Sleep(time.Second)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	})
}

func TestLocationTokenSource(t *testing.T) {
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		synctest.Test(t, func(t *testing.T) {
			server, store := newAuthServer(), newShaky()
			server.stored(t, store, "company", oneCompany, -time.Hour)
			app := server.app(t, func(c *oauth.Config) { c.Version = version })
			client := server.client(t, app.LocationTokenSource(store, "company", "comp1", "loc1"))
			get := func(int) error { _, err := client.Contacts.Get(t.Context(), "c1"); return err }
			require.NoError(t, errors.Join(together(100, get)...))
			require.Equal(t, 1, server.refreshes, "the company's token")
			require.Equal(t, 1, server.exchanges)
			saved, err := store.Load(t.Context(), oauth.LocationKey("loc1"))
			require.NoError(t, err)
			require.Equal(t, "loc1", saved.LocationID)
			require.Equal(t, "comp1", saved.CompanyID)
			require.Empty(t, saved.RefreshToken, "it is renewed by another exchange")

			time.Sleep(24*time.Hour - 30*time.Minute)
			require.NoError(t, errors.Join(together(100, get)...))
			require.Equal(t, 1, server.exchanges, "it is good yet")
			time.Sleep(28 * time.Minute)
			require.NoError(t, errors.Join(together(100, get)...))
			require.Equal(t, 2, server.exchanges, "renewed before its end")
			require.Equal(t, 2, server.refreshes)

			server.revoke()
			require.NoError(t, get(0), "both tokens are refused")
			require.Equal(t, 3, server.refreshes)
			require.Equal(t, 3, server.exchanges)
		})
	}
}

// TestTokenErrorsSayNothingOfRecords: "Location not found" of a token request does not mean that the contact is not
// found.
func TestTokenErrorsSayNothingOfRecords(t *testing.T) {
	for _, body := range []string{`{"message":"Location not found","status":400}`, `{"statusCode":422,"message":["x"]}`,
		`{"message":"This location does not allow duplicated contacts.","meta":{"contactId":"c"}}`} {
		synctest.Test(t, func(t *testing.T) {
			server, store := newAuthServer(), oauth.NewMemoryStore()
			server.stored(t, store, "company", oneCompany, time.Hour)
			transport := roundTripFunc(func(r *http.Request) (*http.Response, error) { return answers(400, body)(r) })
			app := server.app(t, func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: transport} })
			_, err := server.client(t, app.LocationTokenSource(store, "company", "comp1",
				"loc1")).Contacts.Get(t.Context(), "c1")
			require.ErrorContains(t, err, "oauth.locationToken: 400")
			for _, category := range []error{ghl.ErrNotFound, ghl.ErrValidation, ghl.ErrDuplicateContact,
				ghl.ErrAmbiguous, ghl.ErrBadResponse} {
				require.NotErrorIs(t, err, category)
			}
			require.Nil(t, asError(t, err).Duplicate)
		})
	}
}

// TestExchangeThatIsAlwaysRefused: the company's token is renewed once and the exchange retried once.
func TestExchangeThatIsAlwaysRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		server.stored(t, store, "company", oneCompany, time.Hour)
		server.refuse401 = true
		_, err := server.app(t).LocationTokenSource(store, "company", "comp1", "loc1").Token(t.Context())
		require.ErrorIs(t, err, ghl.ErrUnauthorized)
		require.NotErrorIs(t, err, ghl.ErrReauthRequired)
		require.Equal(t, 1, server.refreshed())
		require.Equal(t, 2, server.count("/oauth/locationToken"))
	})
}

// TestCompanyThatIsBack: when the company's token works again, its locations do not wait for pauses of their own.
func TestCompanyThatIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		server.stored(t, store, "company", oneCompany, -time.Hour)
		server.before = func(url.Values) (int, string) { return 502, "<html>bad gateway</html>" }
		client := server.client(t, server.app(t).LocationTokenSource(store, "company", "comp1", "loc1"))
		for range 180 {
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.ErrorIs(t, err, ghl.ErrServer)
			time.Sleep(time.Second)
		}
		require.Less(t, server.count("/oauth/token"), 12)
		require.Zero(t, server.exchanges)
		server.stored(t, store, "company", oneCompany, time.Hour)
		time.Sleep(time.Second)
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	})
}

// TestTokenOfAnotherLocation: the token of another location is not stored.
func TestTokenOfAnotherLocation(t *testing.T) {
	server, store := newAuthServer(), oauth.NewMemoryStore()
	server.stored(t, store, "company", oneCompany, time.Hour)
	server.after = func(w http.ResponseWriter, _ []byte) bool {
		writeJSON(w, 201, `{"access_token":"secret-access-x","locationId":"loc2"}`)
		return false
	}
	_, err := server.app(t).LocationTokenSource(store, "company", "comp1", "loc1").Token(t.Context())
	require.ErrorIs(t, err, ghl.ErrBadResponse)
	_, err = store.Load(t.Context(), oauth.LocationKey("loc1"))
	require.ErrorIs(t, err, oauth.ErrNoToken)
}

// TestOneLockAtATime: a source never holds two locks, which would block a store with one connection.
func TestOneLockAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), &oneLock{MemoryStore: oauth.NewMemoryStore()}
		server.stored(t, store, "company", oneCompany, -time.Hour)
		app := server.app(t)
		for i := range 3 {
			client := server.client(t, app.LocationTokenSource(store, "company", "comp1", fmt.Sprintf("loc%d", i)))
			_, err := client.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err)
			server.revoke()
			_, err = client.Contacts.Get(t.Context(), "c1")
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
		}
		require.Equal(t, 1, store.most)
	})
}

type oneLock struct {
	*oauth.MemoryStore
	mu         sync.Mutex
	held, most int
}

func (s *oneLock) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
		count := func(n int) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.held += n
			s.most = max(s.most, s.held)
		}
		count(1)
		defer count(-1)
		return fn(ctx, current)
	})
}

func TestCompanyThatMustBeConnectedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), newShaky()
		var told hooked
		app := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook })
		client := server.client(t, app.LocationTokenSource(store, "company", "comp1", "loc1"))
		_, err := client.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, ghl.ErrReauthRequired)
		require.ErrorContains(t, err, `key "company"`)
		require.Equal(t, []string{"company"}, told.keys, "the company is reported, not each location")
		server.stored(t, store, "company", oneCompany, time.Hour)
		time.Sleep(2 * time.Second)
		_, err = client.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
	})
}

func TestWrongSources(t *testing.T) {
	server, store := newAuthServer(), oauth.NewMemoryStore()
	app := server.app(t)
	for field, source := range map[string]ghl.TokenSource{
		"key":        app.TokenSource(store, ""),
		"store":      app.TokenSource(nil, "k"),
		"companyID":  app.LocationTokenSource(store, "company", "", "loc1"),
		"locationID": app.LocationTokenSource(store, "company", "comp1", "../x"),
	} {
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.Equal(t, field, asError(t, err).Field)
	}
	require.Same(t, app.TokenSource(store, "k"), app.TokenSource(store, "k"))
	require.NotSame(t, app.TokenSource(store, "k"), app.TokenSource(store, "k2"))
	require.NotSame(t, app.TokenSource(store, "k"), app.TokenSource(oauth.NewMemoryStore(), "k"))
	byValue := uncomparable{store, nil}
	require.NotPanics(t, func() { app.TokenSource(byValue, "k") })
}

type uncomparable struct {
	oauth.Store
	_ []int
}
