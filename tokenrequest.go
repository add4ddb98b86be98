package ghl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// opOAuthToken is not in the catalog: it is reached with the client's secret and never with a token.
var opOAuthToken = &Operation{Name: "oauth.token", Method: post, Path: "/oauth/token", answer: "."}

// grant is what a token is asked for with.
type grant struct {
	kind         string
	code         string
	refreshToken string
	redirectURL  string
	userType     UserType
	hidden       secrets // what is not sent and not to be printed either
}

// form writes the grant as the version of the API has its names.
func (g grant) form(c *AppConfig) url.Values {
	form := url.Values{}
	for _, p := range []struct{ old, v3, value string }{
		{"client_id", "clientId", c.ClientID}, {"client_secret", "clientSecret", c.ClientSecret}, {"grant_type", "grantType", g.kind},
		{"code", "code", g.code}, {"refresh_token", "refreshToken", g.refreshToken},
		{"redirect_uri", "redirectUri", g.redirectURL}, {"user_type", "userType", string(g.userType)},
	} {
		if c.Version == VersionV3 {
			setIf(form, p.v3, p.value)
		} else {
			setIf(form, p.old, p.value)
		}
	}
	return form
}

// token asks for a token: POST /oauth/token.
//
// Codes and refresh tokens work once. So the request is repeated only where the server can't have used them: after a 429,
// and when no connection was opened. After a lost answer nobody knows, and the error says so ([ErrAmbiguous]).
func (a *app) token(ctx context.Context, g grant) (*Token, *Error) {
	body := []byte(g.form(&a.AppConfig).Encode())
	hidden := append(secrets{a.ClientSecret, g.code, g.refreshToken}, g.hidden...)
	ctx = context.WithValue(ctx, operationKey{}, &call{op: opOAuthToken}) // for a middleware of the HTTP client
	failures := 0
	for attempt := 1; ; attempt++ {
		token, pause, e := a.askToken(ctx, body, hidden)
		if e == nil {
			return token, nil
		}
		e.Attempts = attempt
		if pause == 0 {
			if failures++; e.neverSent && failures < defaultRetry.MaxAttempts {
				pause = defaultRetry.backoff(failures) + time.Millisecond
			}
		}
		if pause == 0 || !sleep(ctx, pause) {
			return nil, e.Error
		}
	}
}

// sleep waits, unless the context ends before or too soon afterwards for a request: one that is cut off can cost the
// refresh token.
func sleep(ctx context.Context, pause time.Duration) bool {
	const forRequest = 10 * time.Second
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause+forRequest {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// tokenFailure is the failure of one request for a token.
type tokenFailure struct {
	*Error
	neverSent bool
}

// maxTokenAnswer leaves room for an agency's list of locations: an answer that is cut has lost the refresh token.
const maxTokenAnswer = 8 << 20

// askToken sends one request for a token. pause is how long to wait before another one, 0 for none.
func (a *app) askToken(ctx context.Context, form []byte, hidden secrets) (_ *Token, pause time.Duration, _ *tokenFailure) {
	var asked, connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	if err := ctx.Err(); err != nil { // nothing is sent, so nothing is lost
		return nil, 0, &tokenFailure{Error: asError(err, opOAuthToken)}
	}
	base := a.client.base
	req, err := http.NewRequestWithContext(traced, opOAuthToken.Method, base.String()+opOAuthToken.Path, bytes.NewReader(form))
	if err != nil {
		return nil, 0, &tokenFailure{Error: asError(err, opOAuthToken)}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Version", string(a.Version))
	req.Header.Set("User-Agent", a.UserAgent)
	now := time.Now().Round(0)
	resp, err := a.http.Do(req)
	if err != nil {
		// A transport that reports no connections is believed only when it says that it could not dial.
		never := neverDialled(err)
		if asked.Load() {
			never = !connected.Load()
		}
		return nil, 0, lostToken(withoutURL(err), never, hidden)
	}
	success := resp.StatusCode >= 200 && resp.StatusCode < 300
	limit := int64(maxErrorRead)
	if success {
		limit = maxTokenAnswer
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	_ = resp.Body.Close()
	if success {
		if err != nil {
			return nil, 0, lostToken(err, false, hidden)
		}
		token, err := readGrant(body, now)
		if err != nil {
			// No body: it could hold the half of a pair.
			return nil, 0, &tokenFailure{Error: &Error{Operation: opOAuthToken.Name, Status: resp.StatusCode,
				Message: "the answer holds no token", categories: badResponse}}
		}
		return token, 0, nil
	}
	e := newError(opOAuthToken, resp.StatusCode, body)
	e.hide(hidden)
	rates := parseRateLimit(resp.Header, time.Now())
	e.RetryAfter = rates.RetryAfter
	switch {
	case e.categories&rateLimited != 0:
		pause = pauseOf(rates)
	case e.categories&serverError != 0:
		e.categories |= ambiguous
	}
	return nil, pause, &tokenFailure{Error: e}
}

// pauseOf is how long to wait after a 429; 0 when that is too long to wait at all.
func pauseOf(limit RateLimit) time.Duration {
	pause := limit.RetryAfter
	if pause == 0 {
		pause = limit.Interval
	}
	if pause == 0 {
		pause = 10 * time.Second
	}
	if pause > defaultRetry.MaxRetryAfter {
		return 0
	}
	return pause
}

func neverDialled(err error) bool { return new(call).neverSent(err) }

// lostToken is the error of a request without an answer.
func lostToken(err error, never bool, hidden secrets) *tokenFailure {
	e := &Error{Operation: opOAuthToken.Name, Message: "no connection", cause: hidden.hideIn(err)}
	if !never {
		e.Message = "the answer was lost"
		e.categories = ambiguous
	}
	return &tokenFailure{e, never && !distrusted(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)}
}

// readGrant reads the answer to a request for a token.
func readGrant(body []byte, asked time.Time) (*Token, error) {
	token, err := readToken(body, asked)
	if err != nil {
		return nil, err
	}
	var more struct {
		Bulk     bool     `json:"isBulkInstallation"`
		Approved []string `json:"approvedLocations"`
		All      bool     `json:"approveAllLocations"`
		Future   bool     `json:"installToFutureLocations"`
	}
	if err := decodeHead(body, &more); err != nil {
		return nil, err
	}
	token.IssuedAt = asked
	token.BulkInstallation, token.AllLocations, token.FutureLocations = more.Bulk, more.All, more.Future
	token.ApprovedLocations = more.Approved
	if token.RefreshToken != "" && checkBearer(token.RefreshToken) != nil {
		return nil, &badAnswerError{"the refresh token cannot be sent again"}
	}
	return token, nil
}

// hide takes secrets out of all that the server said, in case it repeats the request.
func (e *Error) hide(hidden secrets) {
	for _, secret := range hidden {
		for _, form := range spellings(secret) {
			e.redact(form)
		}
	}
	if e.body != nil {
		kept := []byte(hidden.hide(string(*e.body)))
		e.body = &kept
	}
}

// spellings are the forms in which a secret can come back: as it is, in a URL, in JSON, and its pieces, for a server that
// puts a backslash or a quote into JSON as it is makes another text of it. One too short to be a secret would only make
// holes in words.
func spellings(secret string) []string {
	if len(secret) < 8 {
		return nil
	}
	forms := []string{secret}
	quoted, _ := json.Marshal(secret)
	for _, form := range []string{url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`)} {
		if form != secret {
			forms = append(forms, form)
		}
	}
	for _, piece := range strings.FieldsFunc(secret, func(r rune) bool { return r == '\\' || r == '"' }) {
		if len(piece) >= 8 && piece != secret {
			forms = append(forms, piece)
		}
	}
	return forms
}

// refusesRefresh reports whether the server calls the refresh token used, unknown or expired, so that only a person can
// help.
func (e *Error) refusesRefresh() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity:
	default:
		return false
	}
	text := strings.ToLower(e.Message)
	if code, ok := scalar(field(e.Body(), "error")); ok {
		text += " " + strings.ToLower(code)
	}
	if strings.Contains(text, "not active") || strings.Contains(text, "command timed out") {
		return false
	}
	if strings.Contains(text, "invalid grant") || strings.Contains(text, "invalid_grant") {
		return true
	}
	if !strings.Contains(strings.NewReplacer(" ", "", "_", "").Replace(text), "refreshtoken") {
		return false
	}
	for _, word := range []string{"invalid", "not valid", "expired", "used", "revoked", "not found", "unknown", "does not exist"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
