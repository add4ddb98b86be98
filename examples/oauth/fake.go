package main

import (
	"crypto/rand"
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

const consentPath = "/v2/oauth/chooselocation"

// fake is a HighLevel inside this program: the API of package ghltest, and before it a consent screen and the place where
// codes and refresh tokens become tokens.
type fake struct {
	url                    string
	clientID, clientSecret string

	api         *ghltest.Server
	redirectURL string
	server      *http.Server

	mu     sync.Mutex
	grants map[string]ghl.Token // what a code or refresh token is for; each works once
}

func newFake(redirectURL string) (*fake, error) {
	api, err := ghltest.NewHandler(ghltest.WithDemoData())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &fake{
		url: "http://" + listener.Addr().String(), clientID: "demo-app", clientSecret: rand.Text(),
		api: api, redirectURL: redirectURL, grants: map[string]ghl.Token{},
	}
	mux := http.NewServeMux()
	mux.Handle("/", api.Handler())
	mux.HandleFunc("GET "+consentPath, f.consent)
	mux.HandleFunc("POST /oauth/token", f.token)
	f.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(listener) }() // ends with close
	return f, nil
}

func (f *fake) close() { _ = f.server.Close() }

// consent shows the one location there is. Its link leads back to the app with a code.
func (f *fake) consent(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	known := query.Get("client_id") == f.clientID && query.Get("redirect_uri") == f.redirectURL
	if !known || query.Get("response_type") != "code" || query.Get("scope") == "" {
		http.Error(w, "This app is not known here.", http.StatusBadRequest)
		return
	}
	var scopes []ghl.Scope
	for scope := range strings.FieldsSeq(query.Get("scope")) {
		scopes = append(scopes, ghl.Scope(scope))
	}
	code := f.grant(ghl.Token{LocationID: f.api.LocationID(), Scopes: scopes})
	back := f.redirectURL + "?" + url.Values{"code": {code}, "state": {query.Get("state")}}.Encode()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = consentPage.Execute(w, struct {
		Back     template.URL
		Location string
	}{template.URL(back), f.api.LocationID()})
}

var consentPage = template.Must(template.New("consent").Parse(`<!doctype html>
<title>Choose a location</title>
<h1>Which location do you want to connect?</h1>
<p><a href="{{.Back}}">Demo location {{.Location}}</a></p>
`))

// grant makes a code or refresh token.
func (f *fake) grant(token ghl.Token) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	secret := rand.Text()
	f.grants[secret] = token
	return secret
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || r.PostForm.Get("client_id") != f.clientID || r.PostForm.Get("client_secret") != f.clientSecret {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "UnAuthorized!", "error_description": "Invalid client credentials"})
		return
	}
	secret := r.PostForm.Get("code") + r.PostForm.Get("refresh_token")
	f.mu.Lock()
	granted, ok := f.grants[secret]
	delete(f.grants, secret)
	f.mu.Unlock()
	switch {
	case !ok && r.PostForm.Get("grant_type") == "refresh_token":
		answer(w, http.StatusBadRequest, map[string]any{"statusCode": 400, "message": "Invalid grant: refresh token is invalid"})
		return
	case !ok:
		answer(w, http.StatusUnauthorized, map[string]any{"error": "UnAuthorized!", "error_description": "Authorization code not found"})
		return
	}
	const life = 86399
	granted.AccessToken, granted.ExpiresAt = rand.Text(), time.Now().Add(life*time.Second)
	granted = f.api.AddToken(granted)
	scopes := make([]string, len(granted.Scopes))
	for i, scope := range granted.Scopes {
		scopes[i] = string(scope)
	}
	answer(w, http.StatusOK, map[string]any{
		"access_token": granted.AccessToken, "refresh_token": f.grant(ghl.Token{LocationID: granted.LocationID, Scopes: granted.Scopes}),
		"token_type": "Bearer", "expires_in": life, "scope": strings.Join(scopes, " "),
		"userType": granted.UserType, "companyId": granted.CompanyID, "locationId": granted.LocationID, "userId": "demo",
	})
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
