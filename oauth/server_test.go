package oauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

const clientSecret = "the-client-secret"

// account is the account of a token of authServer.
type account struct {
	userType  ghl.UserType
	company   string
	location  string
	locations []string // of a bulk installation
	expires   time.Time
	refresh   string // the refresh token that is being used
}

// authServer is the part of HighLevel that grants and checks tokens. Codes and refresh tokens work once.
type authServer struct {
	mu        sync.Mutex
	life      time.Duration
	codes     map[string]account
	refresh   map[string]account // those that can be used
	used      map[string]bool
	access    map[string]account
	next      int
	refreshes int            // that went well
	reused    int            // of a refresh token that was used
	exchanges int            // a location's token from its company's
	calls     map[string]int // requests by path
	forms     []url.Values   // of /oauth/token
	headers   []http.Header  // of /oauth/token
	installed []string       // the company's locations

	grace   time.Duration     // in which a repeated refresh gets the same answer
	granted map[string][]byte // those answers, by refresh token
	usedAt  map[string]time.Time

	refuse401 bool                                            // refuses every access token
	before    func(form url.Values) (status int, body string) // a request for a token; 0 lets the server answer
	// has its answer; false means that it wrote something else
	after func(w http.ResponseWriter, body []byte) (ok bool)
}

func newAuthServer() *authServer {
	return &authServer{
		life: 86399 * time.Second, codes: map[string]account{}, refresh: map[string]account{}, used: map[string]bool{},
		access: map[string]account{}, calls: map[string]int{},
		granted: map[string][]byte{}, usedAt: map[string]time.Time{},
	}
}

// RoundTrip makes the server a transport, without a network.
func (s *authServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	var lost error
	func() {
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler {
					panic(v)
				}
				lost = errReset
			}
		}()
		s.ServeHTTP(w, r)
	}()
	if lost != nil {
		return nil, lost
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (s *authServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[r.URL.Path]++
	switch r.URL.Path {
	case "/oauth/token":
		s.token(w, r)
	case "/oauth/locationToken", "/oauth/location-token":
		s.locationToken(w, r)
	case "/oauth/installedLocations", "/oauth/installed-locations":
		s.installedLocations(w, r)
	default:
		if _, ok := s.bearer(r); !ok {
			writeJSON(w, 401, `{"statusCode":401,"message":"Invalid JWT"}`)
			return
		}
		writeJSON(w, 200, okContact)
	}
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func (s *authServer) bearer(r *http.Request) (account, bool) {
	a, ok := s.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	return a, ok && !s.refuse401 && time.Now().Before(a.expires)
}

func (s *authServer) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	form := r.PostForm
	s.forms, s.headers = append(s.forms, form), append(s.headers, r.Header.Clone())
	v3 := r.Header.Get("Version") == "v3"
	name := func(old, v3Name string) string {
		if v3 {
			return form.Get(v3Name)
		}
		return form.Get(old)
	}
	if s.before != nil {
		if status, body := s.before(form); status != 0 {
			writeJSON(w, status, body)
			return
		}
	}
	if name("client_id", "clientId") != "app1-x" || name("client_secret", "clientSecret") != clientSecret {
		writeJSON(w, 401, `{"error":"UnAuthorized!","error_description":"Invalid client credentials"}`)
		return
	}
	var who account
	switch name("grant_type", "grantType") {
	case "authorization_code":
		code := form.Get("code")
		a, ok := s.codes[code]
		if !ok {
			writeJSON(w, 401, `{"error":"UnAuthorized!","error_description":"Authorization code not found"}`)
			return
		}
		delete(s.codes, code)
		who = a
	case "refresh_token":
		token := name("refresh_token", "refreshToken")
		a, ok := s.refresh[token]
		if at, used := s.usedAt[token]; used && time.Since(at) < s.grace {
			writeJSON(w, 200, string(s.granted[token]))
			return
		}
		if !ok {
			if s.used[token] {
				s.reused++
			}
			writeJSON(w, 400, `{"statusCode":400,"message":"Invalid grant: refresh token is invalid"}`)
			return
		}
		delete(s.refresh, token)
		s.used[token], s.usedAt[token] = true, time.Now()
		s.refreshes++
		a.refresh = token
		who = a
	default:
		writeJSON(w, 400, `{"statusCode":400,"message":"Invalid parameter: grantType"}`)
		return
	}
	s.answer(w, v3, who)
}

func (s *authServer) issue(who account) (access, refresh string) {
	s.next++
	who.refresh = ""
	access, refresh = fmt.Sprintf("secret-access-%d", s.next), fmt.Sprintf("secret-refresh-%d", s.next)
	who.expires = time.Now().Add(s.life)
	s.access[access], s.refresh[refresh] = who, who
	return access, refresh
}

func (s *authServer) answer(w http.ResponseWriter, v3 bool, who account) {
	access, refresh := s.issue(who)
	body := map[string]any{"userType": who.userType, "companyId": who.company, "userId": "u1",
		"scope": "contacts.readonly contacts.write"}
	if who.location != "" {
		body["locationId"] = who.location
	}
	if who.locations != nil {
		body["isBulkInstallation"], body["approvedLocations"] = true, who.locations
	}
	names := []string{"access_token", "refresh_token", "expires_in", "token_type"}
	if v3 {
		names = []string{"accessToken", "refreshToken", "expiresIn", "tokenType"}
	}
	for i, value := range []any{access, refresh, s.life.Seconds(), "Bearer"} {
		body[names[i]] = value
	}
	data, _ := json.Marshal(body)
	s.granted[who.refresh] = data
	if s.after != nil && !s.after(w, data) {
		return
	}
	writeJSON(w, 200, string(data))
}

func (s *authServer) locationToken(w http.ResponseWriter, r *http.Request) {
	who, ok := s.bearer(r)
	if !ok || who.userType != ghl.UserTypeCompany {
		writeJSON(w, 401, `{"statusCode":401,"message":"Invalid JWT"}`)
		return
	}
	_ = r.ParseForm()
	s.exchanges++
	location := r.PostForm.Get("locationId")
	if len(s.installed) > 0 && !slices.Contains(s.installed, location) {
		writeJSON(w, 400, `{"statusCode":400,"message":"Location not found"}`)
		return
	}
	s.answer(w, r.Header.Get("Version") == "v3",
		account{userType: ghl.UserTypeLocation, company: who.company, location: location})
}

func (s *authServer) installedLocations(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.bearer(r); !ok || who.company != r.URL.Query().Get("companyId") ||
		r.URL.Query().Get("appId") != "app1" {
		writeJSON(w, 401, `{"statusCode":401,"message":"Invalid JWT"}`)
		return
	}
	list := []string{}
	if skip := r.URL.Query().Get("skip"); skip == "" || skip == "0" {
		for _, id := range s.installed {
			list = append(list, fmt.Sprintf(`{"_id":%q,"name":"n","address":"a","isInstalled":true}`, id))
		}
	}
	if r.Header.Get("Version") == "v3" {
		writeJSON(w, 200, fmt.Sprintf(`{"items":[%s],"pagination":{"totalRecords":%d,"hasNextPage":false}}`,
			strings.Join(list, ","), len(s.installed)))
		return
	}
	writeJSON(w, 200, fmt.Sprintf(`{"locations":[%s],"count":%d}`, strings.Join(list, ","), len(s.installed)))
}

// revoke ends every access token.
func (s *authServer) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

func (s *authServer) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

func (s *authServer) refreshed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshes
}

// secrets returns the client's secret and all tokens that the server has granted.
func (s *authServer) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat([]string{clientSecret}, slices.Collect(maps.Keys(s.access)),
		slices.Collect(maps.Keys(s.refresh)), slices.Collect(maps.Keys(s.used)))
}

// stored issues a token with a lifetime and saves it.
func (s *authServer) stored(t testing.TB, store oauth.Store, key string, who account, life time.Duration) *ghl.Token {
	t.Helper()
	s.mu.Lock()
	usual := s.life
	s.life = life
	access, refresh := s.issue(who)
	s.life = usual
	s.mu.Unlock()
	token := &ghl.Token{
		AccessToken: access, RefreshToken: refresh, ExpiresAt: time.Now().Add(life),
		IssuedAt: time.Now().Add(life - 24*time.Hour),
		UserType: who.userType, CompanyID: who.company, LocationID: who.location,
	}
	save(t, store, key, token)
	return token
}

func save(t testing.TB, store oauth.Store, key string, token *ghl.Token) {
	t.Helper()
	_, err := store.Update(t.Context(), key,
		func(context.Context, *ghl.Token) (*ghl.Token, error) { return token, nil })
	require.NoError(t, err)
}

// appConfig returns the settings of an app of the server, without a network.
func (s *authServer) appConfig() oauth.Config {
	return oauth.Config{
		ClientID: "app1-x", ClientSecret: clientSecret, RedirectURL: "https://app.example.com/callback",
		Scopes: []ghl.Scope{ghl.ScopeContactsReadonly}, HTTPClient: &http.Client{Transport: s},
	}
}

func (s *authServer) app(t testing.TB, change ...func(*oauth.Config)) *oauth.App {
	t.Helper()
	c := s.appConfig()
	for _, f := range change {
		f(&c)
	}
	app, err := oauth.NewApp(c)
	require.NoError(t, err)
	return app
}

// client returns a client of the server.
func (s *authServer) client(t testing.TB, source ghl.TokenSource) *ghl.Client {
	t.Helper()
	c, err := ghl.New(ghl.WithTokenSource(source), ghl.WithLocation("loc1"),
		ghl.WithHTTPClient(&http.Client{Transport: s}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))
	require.NoError(t, err)
	return c
}

var (
	oneLocation = account{userType: ghl.UserTypeLocation, company: "comp1", location: "loc1"}
	oneCompany  = account{userType: ghl.UserTypeCompany, company: "comp1"}
)
