package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// opToken is not part of the catalog of package ghl: it authenticates with the client's secret instead of a bearer.
var opToken = ghl.Operation{
	Name: "oauth.token", Method: http.MethodPost, Path: "/oauth/token", NoBearer: true, Form: true,
}

// grant is the content of a request for a token.
type grant struct {
	kind         string
	code         string
	refreshToken string
	redirectURL  string
	userType     ghl.UserType
}

// form returns a grant under the field names of the app's version of the API.
func (a *App) form(g grant) url.Values {
	c, form := a.config, url.Values{}
	for _, p := range []struct{ name, v3, value string }{
		{"client_id", "clientId", c.ClientID}, {"client_secret", "clientSecret", a.secret()},
		{"grant_type", "grantType", g.kind},
		{"code", "code", g.code}, {"refresh_token", "refreshToken", g.refreshToken},
		{"redirect_uri", "redirectUri", g.redirectURL}, {"user_type", "userType", string(g.userType)},
	} {
		if p.value == "" {
			continue
		}
		if c.Version == ghl.VersionV3 {
			p.name = p.v3
		}
		form.Set(p.name, p.value)
	}
	return form
}

// requestToken sends a request for a token: POST /oauth/token. The error is an [*ghl.Error].
//
// Codes and refresh tokens work once. opToken is therefore not repeatable: a call of it is sent again only after a
// 429 or when no connection was opened. After a lost answer the error is [ghl.ErrAmbiguous]; renewal.request then
// repeats a refresh once.
func (a *App) requestToken(ctx context.Context, g grant, opts ...ghl.CallOption) (*ghl.Token, error) {
	var answer json.RawMessage
	var response ghl.Response
	err := a.tokens.Call(ctx, opToken, a.form(g), &answer, append(opts, ghl.CallResponse(&response))...)
	if err != nil {
		return nil, err
	}
	token := new(ghl.Token)
	// without the answer, which could hold half of a pair of tokens
	if err := token.ReadAnswer(answer, response.RateLimit.Sent); err != nil {
		return nil, (&ghl.Error{
			Operation: opToken.Name, Status: response.Status, Attempts: response.Attempts,
			Message: "the answer holds no token",
		}).With(ghl.ErrBadResponse)
	}
	token.ConnectedAt = answeredAt(&response, token)
	return token, nil
}

// answeredAt returns when the server issued a token, by the server's clock if the answer has a Date.
func answeredAt(response *ghl.Response, token *ghl.Token) time.Time {
	if at, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		return at
	}
	return token.IssuedAt
}

// lostAnswer reports whether a request was sent and the connection ended before its answer was complete.
func lostAnswer(err error) bool {
	var e *ghl.Error
	return errors.As(err, &e) && e.Is(ghl.ErrAmbiguous) && (e.Status == 0 || e.Status/100 == 2)
}

// invalidGrant matches the code and the text of a refused refresh token, and those of a refused grant type.
var invalidGrant = regexp.MustCompile(`invalid[ _-]?grant(?:[ _-]?(type))?`)

// refusesRefreshToken reports whether the server says that the refresh token was used, is unknown or has expired,
// so that a person must connect the account again.
func refusesRefreshToken(err error) bool {
	var e *ghl.Error
	if !errors.As(err, &e) || e.Is(ghl.ErrServer) || e.Is(ghl.ErrRateLimited) || e.Status < 200 || e.Status >= 500 {
		return false
	}
	text := strings.ToLower(e.Message)
	if strings.Contains(text, "not active") {
		return false
	}
	all := text
	if body := e.Body(); json.Valid(body) { // HighLevel's answer, which can have the code in one of several properties
		all += " " + strings.ToLower(string(body))
	}
	if found := invalidGrant.FindStringSubmatch(all); found != nil {
		return found[1] == ""
	}
	if !strings.Contains(strings.NewReplacer(" ", "", "_", "").Replace(text), "refreshtoken") {
		return false
	}
	for _, word := range []string{"invalid", "not valid", "expired", "used", "revoked", "not found", "unknown",
		"does not exist"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
