package main

import (
	"crypto/subtle"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// site serves the pages.
type site struct {
	app      *oauth.App
	accounts *oauth.Installations
	states   *states
	log      *slog.Logger
}

func newSite(app *oauth.App, accounts *oauth.Installations, log *slog.Logger) http.Handler {
	s := &site{app: app, accounts: accounts, states: newStates(), log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("POST /connect", s.connect)
	mux.HandleFunc("GET /callback", s.callback)
	mux.HandleFunc("GET /locations/{id}", s.contacts)
	return http.NewCrossOriginProtection().Handler(headers(mux))
}

// headers adds headers to every page, so that browsers do not cache it, do not show it in a frame, and do not send
// its address, which may contain a code, to other sites.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

const stateCookie = "ghl-oauth-state"

// connect sends the browser to the consent screen, with a state that only this browser has.
func (s *site) connect(w http.ResponseWriter, r *http.Request) {
	state, ok := s.states.begin()
	if !ok {
		s.fail(w, http.StatusServiceUnavailable,
			"Too many people are connecting. Please try again in a few minutes.", nil)
		return
	}
	consent, err := s.app.AuthCodeURL(state)
	if err != nil {
		s.fail(w, http.StatusInternalServerError, "The account could not be connected.", err)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: stateCookie, Value: state, Path: "/callback", MaxAge: int(stateLife.Seconds()),
		// Lax: the browser must send the cookie when the consent screen redirects back.
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, consent, http.StatusSeeOther)
}

// callback handles the redirect from the consent screen. It accepts a code only with the state of this browser, and
// only once.
func (s *site) callback(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: stateCookie, Path: "/callback", MaxAge: -1})
	state := r.URL.Query().Get("state")
	cookie, err := r.Cookie(stateCookie)
	if err != nil || state == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(state)) != 1 ||
		!s.states.end(state) {
		s.fail(w, http.StatusForbidden, "This link is invalid or was used before. Please start again.", nil)
		return
	}
	code := r.URL.Query().Get("code")
	if code == "" {
		s.fail(w, http.StatusBadRequest, "HighLevel did not connect the account.", nil)
		return
	}
	token, err := s.accounts.Add(r.Context(), code)
	if token == nil {
		s.fail(w, http.StatusBadGateway, "The account could not be connected. Please start again.", err)
		return
	}
	if err != nil { // connected, but a location or the former token failed
		s.log.Warn("connecting", "error", err)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther) // an address without the code
}

// home lists the connected locations.
func (s *site) home(w http.ResponseWriter, r *http.Request) {
	var ids []string
	for id, err := range s.accounts.Locations(r.Context()) {
		if err != nil {
			s.fail(w, http.StatusInternalServerError, "The accounts could not be read.", err)
			return
		}
		ids = append(ids, id)
	}
	s.show(w, homePage, ids)
}

// contacts lists the contacts of a location.
func (s *site) contacts(w http.ResponseWriter, r *http.Request) {
	client, err := s.accounts.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, http.StatusNotFound, "This location is not connected.", err)
		return
	}
	page, err := client.Contacts.List(r.Context(), &ghl.ListContactsOptions{Limit: 20})
	switch {
	case errors.Is(err, ghl.ErrReauthRequired):
		s.fail(w, http.StatusConflict, "This location must be connected again.", err)
	case err != nil:
		s.fail(w, http.StatusBadGateway, "HighLevel returned an error.", err)
	default:
		s.show(w, contactsPage, struct {
			Location string
			Page     *ghl.ContactPage
		}{client.Location(), page})
	}
}

func (s *site) show(w http.ResponseWriter, page *template.Template, data any) {
	var text strings.Builder
	if err := page.Execute(&text, data); err != nil {
		s.fail(w, http.StatusInternalServerError, "The page could not be rendered.", err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(text.String()))
}

// fail sends message to the browser and logs err. Errors of packages ghl and oauth contain no token, code or secret.
func (s *site) fail(w http.ResponseWriter, status int, message string, err error) {
	s.log.Warn(message, "status", status, "error", err)
	http.Error(w, message, status)
}

var homePage = template.Must(template.New("home").Parse(`<!doctype html>
<title>Connected accounts</title>
<h1>Connected accounts</h1>
<ul>{{range .}}<li><a href="/locations/{{.}}">{{.}}</a></li>{{else}}<li>none yet</li>{{end}}</ul>
<form method="post" action="/connect"><button>Connect a HighLevel account</button></form>
`))

var contactsPage = template.Must(template.New("contacts").Parse(`<!doctype html>
<title>Contacts</title>
<h1>{{len .Page.Contacts}} of {{.Page.Total}} contacts of {{.Location}}</h1>
<table>
<tr><th>Name</th><th>E-mail</th><th>Phone</th></tr>
{{range .Page.Contacts}}<tr><td>{{.FirstName}} {{.LastName}}</td><td>{{.Email}}</td><td>{{.Phone}}</td></tr>
{{end}}</table>
<p><a href="/">Back</a></p>
`))
