package ghltest

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// Consent is the outcome of the consent screen. The zero value consents without a page and chooses the first
// location, or all locations of its company for an app that only companies can install.
//
// A parameter of the URL overrides the outcome for one visit, as the buttons of the page do: ghltest_location with a
// location's id, ghltest_company with a company's id, or ghltest_deny.
type Consent struct {
	// Ask shows a page with a button for each location and each company.
	Ask bool
	// Deny redirects without a code.
	Deny bool
	// LocationID is the chosen location.
	LocationID string
	// Company is the chosen installation by an agency.
	Company *CompanyInstall
}

// WithConsent sets the outcome of the consent screen. [Server.SetConsent] changes it later.
func WithConsent(consent Consent) Option {
	return func(c *config) error {
		c.consent = consent
		return nil
	}
}

// SetConsent sets the outcome of the consent screen.
func (s *Server) SetConsent(consent Consent) {
	s.helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.state.setConsent(consent); err != nil {
		s.fail("SetConsent: %v", err)
	}
}

func (s *state) setConsent(consent Consent) error {
	chosen := 0
	for _, is := range []bool{consent.Ask, consent.Deny, consent.LocationID != "", consent.Company != nil} {
		if is {
			chosen++
		}
	}
	if chosen > 1 {
		return errors.New("only one of Ask, Deny, LocationID and Company can be chosen")
	}
	if consent.Company != nil {
		company, err := s.companyOf(*consent.Company)
		if err != nil {
			return err
		}
		consent.Company = company
	}
	if _, err := s.locationOf(consent.LocationID); err != nil {
		return err
	}
	s.oauth.consent = consent
	return nil
}

// The paths of the consent screen: consentPath opens it from the vendor's Python client and from package oauth,
// nodeConsentPath from the vendor's Node client.
const (
	consentPath     = "/v2/oauth/chooselocation"
	nodeConsentPath = "/oauth/chooselocation"
)

// AuthorizeURL returns the URL of the consent screen, without parameters: the replacement for
// https://marketplace.gohighlevel.com/v2/oauth/chooselocation. A server of [NewHandler] returns the latter. The path
// without "/v2", which the vendor's Node client opens, is the same screen.
func (s *Server) AuthorizeURL() string {
	if s.url == "" {
		return oauth.DefaultAuthURL
	}
	return s.url + consentPath
}

// serveConsent answers the consent screen with a redirect or a page.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	status, target, page := s.consented(r, now)
	switch {
	case target != "":
		w.Header().Set("Location", target)
		w.WriteHeader(status)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_ = consentTemplate.Execute(w, page)
	}
}

// consentPage is the content of the page: a mistake, or the choices.
type consentPage struct {
	Mistake    string
	Parameters url.Values
	Locations  []ghl.Location
	Companies  []string
}

var consentTemplate = template.Must(template.New("consent").Parse(`<!doctype html>
<meta charset="utf-8">
<title>ghltest</title>
{{if .Mistake}}<p>{{.Mistake}}</p>{{else}}<h1>Choose a location</h1>
<form method="get">
{{range $name, $values := .Parameters}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}{{range .Locations}}<p><button name="ghltest_location" value="{{.ID}}">{{.Name}}</button></p>
{{end}}{{range .Companies}}<p><button name="ghltest_company" value="{{.}}">All locations of {{.}}</button></p>
{{end}}<p><button name="ghltest_deny" value="1">Deny</button></p>
</form>{{end}}
`))

// consented returns the outcome under the lock: the target of a redirect, or a page when target is "".
func (s *Server) consented(r *http.Request, now time.Time) (status int, target string, page consentPage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, target, page = s.state.consentTo(r, now)
	entry := s.logged(r, nil, now)
	entry.Operation, entry.Path, entry.Status = "oauth.consent", r.URL.Path, status
	s.requests.add(entry)
	return status, target, page
}

func (s *state) consentTo(r *http.Request, now time.Time) (int, string, consentPage) {
	query := r.URL.Query()
	a := s.oauth.apps[query.Get("client_id")]
	redirect := query.Get("redirect_uri")
	if r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, "", consentPage{Mistake: "Method Not Allowed"}
	}
	if mistake := a.mistakeIn(query); mistake != "" {
		return http.StatusBadRequest, "", consentPage{Mistake: mistake}
	}
	back, err := url.Parse(redirect)
	if err != nil {
		return http.StatusBadRequest, "", consentPage{Mistake: "Invalid redirect_uri: it is not a URL."}
	}
	scopes, unknown := a.asked(query.Get("scope"))
	if unknown != "" {
		return http.StatusBadRequest, "", consentPage{Mistake: "Invalid scope: the app does not have " + unknown + "."}
	}
	consent := s.consentOf(query)
	if consent.Ask {
		return http.StatusOK, "", s.choices(a, query)
	}
	answer := back.Query()
	if state := query.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if consent.Deny {
		answer.Set("error", "access_denied")
		back.RawQuery = answer.Encode()
		return http.StatusFound, back.String(), consentPage{}
	}
	chosen, err := s.chosen(a, consent)
	if err != nil {
		return http.StatusBadRequest, "", consentPage{Mistake: err.Error()}
	}
	chosen.redirect, chosen.scopes, chosen.expires = redirect, scopes, now.Add(codeLife)
	name := strings.ReplaceAll(s.ids.uuid(), "-", "")
	s.oauth.codes[name] = chosen
	answer.Set("code", name)
	back.RawQuery = answer.Encode()
	return http.StatusFound, back.String(), consentPage{}
}

// mistakeIn returns what is wrong with the parameters of the consent screen, or "". The app is nil if it is unknown.
func (a *app) mistakeIn(query url.Values) string {
	switch {
	case a == nil:
		return "Invalid client: no app has this client_id."
	case !slices.Contains(a.RedirectURLs, query.Get("redirect_uri")):
		return "Invalid redirect_uri: the app does not have this redirect URL."
	case query.Get("response_type") != "code":
		return "Invalid response_type: it must be code."
	case query.Get("version_id") != "" && query.Get("version_id") != a.VersionID:
		return "Invalid version_id: the app has no such version."
	}
	return ""
}

// consentOf returns the consent in the parameters of a visit, or the server's.
func (s *state) consentOf(query url.Values) Consent {
	if id := query.Get("ghltest_location"); id != "" {
		return Consent{LocationID: id}
	}
	if id := query.Get("ghltest_company"); id != "" {
		return Consent{Company: &CompanyInstall{CompanyID: id, AllLocations: true}}
	}
	if query.Get("ghltest_deny") != "" {
		return Consent{Deny: true}
	}
	return s.oauth.consent
}

// asked returns the requested scopes, all scopes of the app by default, or the first scope that the app does not have.
func (a *app) asked(text string) (scopes []ghl.Scope, unknown string) {
	for name := range strings.FieldsSeq(text) {
		if a.Scopes != nil && !slices.Contains(a.Scopes, ghl.Scope(name)) {
			return nil, name
		}
		scopes = append(scopes, ghl.Scope(name))
	}
	if scopes == nil {
		scopes = a.Scopes
	}
	return scopes, ""
}

// choices returns a page with the locations and companies that can install an app.
func (s *state) choices(a *app, query url.Values) consentPage {
	page := consentPage{Parameters: query}
	for _, l := range s.inOrder() {
		if a.accepts(ghl.UserTypeLocation) {
			page.Locations = append(page.Locations, l.Location)
		}
		if a.accepts(ghl.UserTypeCompany) && !slices.Contains(page.Companies, l.CompanyID) {
			page.Companies = append(page.Companies, l.CompanyID)
		}
	}
	return page
}

// chosen returns the code for a consent.
func (s *state) chosen(a *app, consent Consent) (*code, error) {
	company := consent.Company
	if company == nil && consent.LocationID == "" && !a.accepts(ghl.UserTypeLocation) {
		company = &CompanyInstall{AllLocations: true}
	}
	out := &code{app: a}
	var err error
	if company != nil {
		out.company, err = s.companyOf(*company)
	} else {
		out.location, err = s.locationOf(consent.LocationID)
	}
	if err == nil && !a.accepts(out.userType()) {
		err = fmt.Errorf("the app cannot be installed for a %s", out.userType())
	}
	return out, err
}
