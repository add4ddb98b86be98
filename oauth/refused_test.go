package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

const invalidGrant = `{"statusCode":400,"message":"Invalid grant: refresh token is invalid"}`

// TestRefusedOnce: after a refusal no process that shares the store sends the refresh token again, until the account is
// connected anew.
func TestRefusedOnce(t *testing.T) {
	stores := map[string]func(t *testing.T) func() oauth.Store{
		"memory": func(*testing.T) func() oauth.Store {
			s := oauth.NewMemoryStore()
			return func() oauth.Store { return s }
		},
		"files": func(t *testing.T) func() oauth.Store {
			dir := filepath.Join(t.TempDir(), "tokens")
			return func() oauth.Store { return openStore(t, dir, oauth.Encrypt(storeKey(1))) }
		},
		"of an author": func(*testing.T) func() oauth.Store {
			rows := &table{rows: map[string][]byte{}}
			return func() oauth.Store { return &tableStore{table: rows, ring: new(oauth.KeyRing)} }
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			again := open(t)
			server := newAuthServer()
			key := oauth.LocationKey("loc1")
			before := server.stored(t, again(), key, oneLocation, -time.Hour)
			server.before = func(url.Values) (int, string) { return 400, invalidGrant }
			for process := range 5 {
				_, err := server.app(t).TokenSource(again(), key).Token(t.Context())
				require.ErrorIs(t, err, ghl.ErrReauthRequired)
				require.ErrorContains(t, err, "the server refused its refresh token", process)
				require.Equal(t, 1, server.count("/oauth/token"), process)
			}
			stored, err := again().Load(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, before.RefreshToken, stored.RefreshToken)
			require.NotEmpty(t, stored.RefusedRefresh)
			require.NotContains(t, stored.RefusedRefresh, before.RefreshToken)

			// Another app's refusal says nothing of this app's token.
			server.before = nil
			_, err = server.app(t, func(c *oauth.Config) { c.ClientID = "app2-x" }).TokenSource(again(), key).Token(t.Context())
			require.NotErrorIs(t, err, ghl.ErrReauthRequired)
			require.Equal(t, 2, server.count("/oauth/token"))

			server.codes["code-1"] = oneLocation
			all, err := oauth.NewInstallations(server.app(t), again())
			require.NoError(t, err)
			_, err = all.Add(t.Context(), "code-1")
			require.NoError(t, err)
			stored, err = again().Load(t.Context(), key)
			require.NoError(t, err)
			require.Empty(t, stored.RefusedRefresh)
			_, err = server.app(t).TokenSource(again(), key).Token(t.Context())
			require.NoError(t, err)
		})
	}
}

// TestRefusedEarly: a refusal before the end of the access token leaves that token in use, in each process.
func TestRefusedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, store := newAuthServer(), oauth.NewMemoryStore()
		server.stored(t, store, "k", oneLocation, 4*time.Minute)
		server.before = func(url.Values) (int, string) { return 400, invalidGrant }
		for range 3 {
			var told hooked
			source := server.app(t, func(c *oauth.Config) { c.OnTrouble = told.hook }).TokenSource(store, "k")
			for range 3 {
				token, err := source.Token(t.Context())
				require.NoError(t, err)
				require.Equal(t, "secret-access-1", token.AccessToken)
				time.Sleep(2 * time.Second)
			}
			require.Len(t, told.list(), 1)
			require.ErrorIs(t, told.list()[0], ghl.ErrReauthRequired)
		}
		require.Equal(t, 1, server.count("/oauth/token"))
	})
}

// TestRefusedWithoutTheLock: a process with an expired lock saves its new token while another one is refused with the
// old token. The new token stays.
func TestRefusedWithoutTheLock(t *testing.T) {
	server, rows := newAuthServer(), &table{rows: map[string][]byte{}}
	one, two := &tableStore{table: rows, ring: new(oauth.KeyRing)}, &tableStore{table: rows, ring: new(oauth.KeyRing)}
	server.stored(t, one, "k", oneLocation, -time.Hour)
	access, refresh := server.issue(oneLocation)
	server.before = func(url.Values) (int, string) {
		save(t, one, "k", &ghl.Token{AccessToken: access, RefreshToken: refresh})
		return 400, invalidGrant
	}
	token, err := server.app(t).TokenSource(two, "k").Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, access, token.AccessToken)
	token, err = one.Load(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, refresh, token.RefreshToken)
	require.Empty(t, token.RefusedRefresh)
}

// TestRefusalThatCannotBeSaved: the save is retried without another request.
func TestRefusalThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, broken := newAuthServer(), &unmarking{MemoryStore: oauth.NewMemoryStore()}
		server.stored(t, broken, "k", oneLocation, -time.Hour)
		server.before = func(url.Values) (int, string) { return 400, invalidGrant }
		source := server.app(t).TokenSource(broken, "k")
		broken.fails = true
		for range 3 {
			_, err := source.Token(t.Context())
			require.ErrorIs(t, err, ghl.ErrReauthRequired)
			time.Sleep(time.Second)
		}
		broken.fails = false
		_, err := source.Token(t.Context())
		require.ErrorIs(t, err, ghl.ErrReauthRequired)
		token, err := broken.Load(t.Context(), "k")
		require.NoError(t, err)
		require.NotEmpty(t, token.RefusedRefresh)
		updates := broken.updates
		for range 3 {
			time.Sleep(time.Second)
			_, err = source.Token(t.Context())
			require.ErrorIs(t, err, ghl.ErrReauthRequired)
		}
		require.Equal(t, updates, broken.updates, "the token is saved")
		require.Equal(t, 1, server.count("/oauth/token"))
	})
}

// unmarking is a store that can fail to save.
type unmarking struct {
	*oauth.MemoryStore
	fails   bool
	updates int
}

func (s *unmarking) Update(ctx context.Context, key string,
	fn func(context.Context, *ghl.Token) (*ghl.Token, error)) (*ghl.Token, error) {
	s.updates++
	return s.MemoryStore.Update(ctx, key, func(ctx context.Context, current *ghl.Token) (*ghl.Token, error) {
		next, err := fn(ctx, current)
		if s.fails && err == nil {
			return nil, errors.New("disk full")
		}
		return next, err
	})
}

// TestRefusedInTheStoredForm: an earlier version reads a token with a refusal, and this one reads tokens of earlier
// versions.
func TestRefusedInTheStoredForm(t *testing.T) {
	token := someToken(1)
	token.RefusedRefresh, token.ConnectedAt = "a-hash", token.IssuedAt
	data, err := oauth.EncodeToken(token)
	require.NoError(t, err)
	got, err := oauth.DecodeToken(data)
	require.NoError(t, err)
	require.Equal(t, token.RefusedRefresh, got.RefusedRefresh)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	require.EqualValues(t, 1, fields["version"])
	delete(fields, "refusedRefresh")
	delete(fields, "connectedAt")
	data, err = json.Marshal(fields)
	require.NoError(t, err)
	got, err = oauth.DecodeToken(data)
	require.NoError(t, err)
	require.Equal(t, token.RefreshToken, got.RefreshToken)
	require.Empty(t, got.RefusedRefresh)
	require.True(t, got.ConnectedAt.IsZero())
}

// renewingChild asks for a token once and writes how that ended.
func renewingChild() error {
	store, err := childStore()
	if err != nil {
		return err
	}
	config := newAuthServer().appConfig()
	config.BaseURL, config.HTTPClient = os.Getenv("GHL_TEST_URL"), http.DefaultClient
	app, err := oauth.NewApp(config)
	if err != nil {
		return err
	}
	_, err = app.TokenSource(store, "k").Token(context.Background())
	fmt.Println("reauth", errors.Is(err, ghl.ErrReauthRequired))
	return nil
}

// TestKilledBeforeTheSave: a process is killed between the server's answer and the save. One of the next processes
// sends the used refresh token, and none after it.
func TestKilledBeforeTheSave(t *testing.T) {
	const accounts, later = 3, 4
	for range accounts {
		server, dir := newAuthServer(), filepath.Join(t.TempDir(), "tokens")
		granted, killed := make(chan bool, 1), make(chan bool)
		server.after = func(http.ResponseWriter, []byte) bool {
			granted <- true
			<-killed
			panic(http.ErrAbortHandler)
		}
		network := httptest.NewServer(server)
		defer network.Close()
		server.stored(t, openStore(t, dir, oauth.Encrypt(storeKey(1))), "k", oneLocation, -time.Hour)
		env := []string{"GHL_TEST_DIR=" + dir, "GHL_TEST_URL=" + network.URL}
		p := startChild(t, "renew", env...)
		<-granted
		p.kill(t)
		close(killed)
		var children []*process
		for range later {
			children = append(children, startChild(t, "renew", env...))
		}
		for _, p := range children {
			require.Equal(t, "reauth true", p.line(t))
			require.NoError(t, p.cmd.Wait())
		}
		require.Equal(t, 1, server.reused, "a used refresh token was sent again")
	}
}

// TestRefusalsOfARefreshToken: in each shape of an error, and what is none.
func TestRefusalsOfARefreshToken(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   bool
	}{
		{400, `{"error":"invalid_grant"}`, true},
		{400, `{"message":"Invalid Grant"}`, true},
		{400, `{"message":["InvalidGrant","no"]}`, true},
		{400, `{"errors":[{"message":"Invalid grant"}]}`, true},
		{400, `{"error":{"code":"invalid_grant","message":"Refresh failed"}}`, true},
		{400, `{"canonicalCode":"INVALID_GRANT","message":"no"}`, true},
		{400, `{"code":"invalid_grant","message":"no"}`, true},
		{400, "\ufeff" + invalidGrant, true},
		{401, `{"error":"UnAuthorized!","error_description":"Invalid grant: refresh token is invalid"}`, true},
		{404, `{"message":"Refresh token not found"}`, true},
		{410, `{"message":"Refresh token has expired"}`, true},
		{200, invalidGrant, true},
		{200, `{"error":"invalid_grant","error_description":"The refresh token is invalid"}`, true},
		{400, `{"message":"Location is not active"}`, false},
		{400, `{"message":"Invalid grant: the location is not active"}`, false},
		{400, `{"message":"Invalid parameter: grantType"}`, false},
		{400, `{"message":"Invalid grant type"}`, false},
		{400, `{"message":"Invalid grant_type: refresh_tokens"}`, false},
		{400, `{"error":"invalid_grant_type","message":"no"}`, false},
		{400, `{"message":"Missing parameter: refreshToken"}`, false},
		{400, `{"message":"Request Timeout after 30000ms"}`, false},
		{401, `{"error":"invalid_client","error_description":"Client authentication failed"}`, false},
		{403, `<html>invalid grant</html>`, false},
		{500, invalidGrant, false},
		{400, "", false},
		{401, "", false},
	} {
		store, server, key := oauth.NewMemoryStore(), newAuthServer(), oauth.LocationKey("loc1")
		server.stored(t, store, key, oneLocation, -time.Hour)
		server.before = func(url.Values) (int, string) { return tc.status, tc.body }
		_, err := server.app(t).TokenSource(store, key).Token(t.Context())
		require.Error(t, err)
		require.Equal(t, tc.want, errors.Is(err, ghl.ErrReauthRequired), "%d %s: %v", tc.status, tc.body, err)
	}
}
