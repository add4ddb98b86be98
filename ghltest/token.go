package ghltest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// POST /oauth/token takes the app's secret and no bearer token. The old version takes a form in snake case and needs
// no Version header; v3 takes a form or JSON in camel case. A refusal has OAuth's two properties in the old version
// and the usual form in v3.

// tokenOperation is not in the catalog of package ghl, whose methods all send a token.
var tokenOperation = ghl.Operation{Name: "oauth.token", Method: http.MethodPost, Path: "/oauth/token"}

var tokenRow = row{tokenOperation.Name, ok, open, nil, (*call).token}

// parameter is the name of a parameter in both versions.
type parameter struct{ old, v3 string }

var (
	clientID     = parameter{"client_id", "clientId"}
	clientSecret = parameter{"client_secret", "clientSecret"}
	grantType    = parameter{"grant_type", "grantType"}
	codeGiven    = parameter{"code", "code"}
	refreshGiven = parameter{"refresh_token", "refreshToken"}
	userType     = parameter{"user_type", "userType"}
	redirectURI  = parameter{"redirect_uri", "redirectUri"}
)

func (c *call) spelled(p parameter) string {
	if c.v3 {
		return p.v3
	}
	return p.old
}

// refuseOAuth returns a refusal in the form of the version.
func (c *call) refuseOAuth(status int, code, message string) error {
	if c.v3 {
		return &refusal{status, answer.Error{StatusCode: status, Message: message}}
	}
	return &refusal{status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, message}}
}

func (c *call) unauthorized(message string) error {
	return c.refuseOAuth(http.StatusUnauthorized, "UnAuthorized!", message)
}

func (c *call) missing(p parameter) error {
	return c.refuseOAuth(http.StatusBadRequest, "invalid_request", "Missing parameter: "+c.spelled(p))
}

func (c *call) wrong(p parameter) error {
	return c.refuseOAuth(http.StatusBadRequest, "invalid_request", "Invalid parameter: "+c.spelled(p))
}

// form returns the parameters of the request, none for an invalid body or another Content-Type.
func (c *call) form() url.Values {
	if c.v3 && c.media == jsonMedia {
		values, all := url.Values{}, map[string]any{}
		if json.Unmarshal(c.body, &all) == nil {
			for name, value := range all {
				if s, ok := value.(string); ok {
					values.Set(name, s)
				}
			}
		}
		return values
	}
	values, err := url.ParseQuery(string(c.body))
	if err != nil || c.media != formMedia {
		return url.Values{}
	}
	return values
}

// token exchanges a code or a refresh token for a pair of tokens. Each works once.
func (c *call) token() (any, error) {
	answer, err := c.grantToken(c.form())
	if err != nil {
		if errors.Is(err, errReused) {
			c.oauth.counts.Reuses++
			return nil, c.invalidRefreshToken()
		}
		c.oauth.counts.Refusals++
		return nil, err
	}
	return answer, nil
}

func (c *call) grantToken(in url.Values) (any, error) {
	get := func(p parameter) string { return in.Get(c.spelled(p)) }
	for _, p := range []parameter{clientID, clientSecret, grantType} {
		if get(p) == "" {
			return nil, c.missing(p)
		}
	}
	switch get(grantType) {
	case "authorization_code", "refresh_token", "client_credentials":
	default:
		return nil, c.wrong(grantType)
	}
	if t := get(userType); t != "" && t != string(ghl.UserTypeCompany) && t != string(ghl.UserTypeLocation) {
		return nil, c.wrong(userType)
	}
	a := c.oauth.apps[get(clientID)]
	if a == nil || a.ClientSecret != get(clientSecret) {
		return nil, c.unauthorized("Invalid client: client is invalid")
	}
	switch get(grantType) {
	case "authorization_code":
		return c.exchangeCode(a, get(codeGiven), get(redirectURI), get(userType))
	case "refresh_token":
		return c.refresh(a, get(refreshGiven), get(userType))
	}
	return nil, c.refuseOAuth(http.StatusBadRequest, "unauthorized_client",
		"Unauthorized client: "+c.spelled(grantType)+" is invalid")
}

func (c *call) exchangeCode(a *app, name, redirect, userType string) (any, error) {
	if name == "" {
		return nil, c.missing(codeGiven)
	}
	chosen := c.oauth.codes[name]
	switch {
	case chosen == nil || chosen.app != a || !c.now.Before(chosen.expires):
		return nil, c.unauthorized("Authorization code not found")
	case redirect != "" && redirect != chosen.redirect:
		return nil, c.wrong(redirectURI)
	case userType != "" && userType != string(chosen.userType()):
		return nil, c.unauthorized("Token's user type mismatch!")
	case chosen.location != nil && chosen.location.paused:
		return nil, c.notActive()
	}
	delete(c.oauth.codes, name)
	c.oauth.counts.Exchanges++
	return c.tokenAnswer(c.redeem(chosen, c.now)), nil
}

func (c *call) refresh(a *app, name, userType string) (any, error) {
	if name == "" {
		return nil, c.missing(refreshGiven)
	}
	r := c.oauth.refreshes[name]
	switch {
	case r == nil || r.app != a || !c.now.Before(r.expires):
		return nil, c.invalidRefreshToken()
	case r.used:
		return nil, errReused
	case userType != "" && userType != string(r.userType()):
		return nil, c.unauthorized("Token's user type mismatch!")
	case r.location != nil && r.location.paused:
		return nil, c.notActive()
	}
	r.used = true
	c.oauth.counts.Refreshes++
	return c.tokenAnswer(c.issue(r.grant, c.now)), nil
}

// errReused is the second use of a refresh token. Its answer is that of any invalid refresh token.
var errReused = refuse(http.StatusBadRequest, "Invalid grant: refresh token is invalid")

func (c *call) invalidRefreshToken() error {
	return c.refuseOAuth(http.StatusBadRequest, "invalid_grant", "Invalid grant: refresh token is invalid")
}

func (c *call) notActive() error {
	return c.refuseOAuth(http.StatusBadRequest, "invalid_request", "Location is not active")
}

func (c *call) tokenAnswer(p pair) any {
	answer := c.pair(p)
	answer["refreshTokenId"] = c.ids.id()
	answer["isBulkInstallation"] = false
	if in := p.app.companies[p.company]; p.location == nil && in != nil {
		answer["isBulkInstallation"] = in.bulk
		answer["approvedLocations"] = orEmpty(in.approved)
		answer["approveAllLocations"] = in.all
		answer["installToFutureLocations"] = in.future
	}
	return answer
}

// refreshToken is stored after its use, so that a second use is detected.
type refreshToken struct {
	grant
	used bool
}

// pair is an access token with its refresh token.
type pair struct {
	grant
	access, refresh string
}

const (
	tokenLife   = 86399 * time.Second  // of an access token
	refreshLife = 365 * 24 * time.Hour // of an unused refresh token
	codeLife    = 10 * time.Minute     // of a code: OAuth's recommendation, HighLevel documents none
)

// issue returns a new pair of tokens. Earlier pairs stay valid.
func (s *state) issue(g grant, now time.Time) pair {
	p := pair{grant: g, access: s.ids.uuid(), refresh: s.ids.uuid()}
	p.scopes = slices.Clone(g.scopes)
	p.expires = now.Add(tokenLife)
	access, refresh := p.grant, p.grant
	refresh.expires = now.Add(refreshLife)
	s.grants[p.access] = &access
	s.oauth.refreshes[p.refresh] = &refreshToken{grant: refresh}
	return p
}

// pair returns a pair of tokens with the property names of the version.
func (c *call) pair(p pair) map[string]any {
	scopes := p.scopes
	if scopes == nil {
		scopes = ghl.ScopesFor(ghl.Operations()...)
	}
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	answer := map[string]any{
		"scope": strings.Join(names, " "), "userType": p.userType(), "companyId": p.company, "userId": p.user,
		"traceId": c.ids.uuid(),
	}
	keys := [...]string{"access_token", "refresh_token", "token_type", "expires_in"}
	if c.v3 {
		keys = [...]string{"accessToken", "refreshToken", "tokenType", "expiresIn"}
	}
	for i, value := range [...]any{p.access, p.refresh, "Bearer", int(tokenLife.Seconds())} {
		answer[keys[i]] = value
	}
	if p.location != nil {
		answer["locationId"] = p.location.ID
	}
	if p.app != nil && p.app.PlanID != "" {
		answer["planId"] = p.app.PlanID
	}
	return answer
}
