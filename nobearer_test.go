package ghl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// opGrant is an operation without a bearer.
var opGrant = ghl.Operation{Name: "grant", Method: http.MethodPost, Path: "/grant", NoBearer: true, Form: true}

func grantForm() url.Values {
	return url.Values{"client_secret": {"s3cret-of-client"}, "refreshToken": {"s3cret-refresh"},
		"code": {"s3cret-code"}, "client_id": {"public-client"}}
}

// unwanted is a token source that must not be asked.
type unwanted struct{ t *testing.T }

func (u unwanted) Token(context.Context) (*ghl.Token, error) {
	u.t.Error("the token source is asked")
	return nil, errors.New("no token")
}

func TestNoBearer(t *testing.T) {
	for name, opt := range map[string]ghl.Option{"WithoutToken": ghl.WithoutToken(),
		"a token source": ghl.WithTokenSource(unwanted{t})} {
		t.Run(name, func(t *testing.T) {
			c, m := mocked(t, answers(200, `{"ok":true}`), opt)
			var out struct{ OK bool }
			require.NoError(t, c.Call(t.Context(), opGrant, grantForm(), &out))
			require.True(t, out.OK)
			sent := m.sent()[0]
			require.NotContains(t, sent.Header, "Authorization")
			require.Equal(t, "application/x-www-form-urlencoded", sent.Header.Get("Content-Type"))
			require.Equal(t, grantForm().Encode(), sent.Body)
		})
	}
}

// TestNoBearerIsNotRefreshed: a refused operation without a bearer does not refresh the token of the client.
func TestNoBearerIsNotRefreshed(t *testing.T) {
	source := &refreshing{current: "access-token", next: []string{"next-token"}}
	c, m := mocked(t, answers(401, badJWT), ghl.WithTokenSource(source))
	err := c.Call(t.Context(), opGrant, grantForm(), nil)
	require.ErrorIs(t, err, ghl.ErrUnauthorized)
	require.Equal(t, 1, m.count())
	require.Zero(t, source.asked+source.refreshed)
}

func TestWithoutToken(t *testing.T) {
	c, m := mocked(t, answers(200, okContact), ghl.WithoutToken())
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.ErrorIs(t, err, ghl.ErrBadInput)
	require.Equal(t, "TokenSource", asError(t, err).Field)
	require.Zero(t, m.count())

	withToken, err := c.With(ghl.WithToken("pit-token"))
	require.NoError(t, err)
	_, err = withToken.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, "Bearer pit-token", m.sent()[0].Header.Get("Authorization"))
	without, err := withToken.With(ghl.WithoutToken())
	require.NoError(t, err)
	_, err = without.Contacts.Get(t.Context(), "c1")
	require.Equal(t, "TokenSource", asError(t, err).Field)
	require.Equal(t, 1, m.count())
}

func TestForm(t *testing.T) {
	c, m := mocked(t, answers(200, `{}`))
	for _, in := range []any{nil, map[string]string{"a": "b"}, struct{ A string }{"b"}} {
		err := c.Call(t.Context(), opGrant, in, nil)
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.Equal(t, "body", asError(t, err).Field)
	}
	require.Zero(t, m.count())
}

// TestNoBearerTellsNoSecret: whatever the server repeats of the form, no error and no log record holds its secrets.
func TestNoBearerTellsNoSecret(t *testing.T) {
	echo := `{"message":"refused s3cret-of-client, s3cret-refresh and s3cret-code of public-client","traceId":"s3cret-refresh"}`
	for name, answer := range map[string]step{
		"an error":            answers(400, echo),
		"an unreadable grant": answers(200, `{"traceId":"s3cret-code","token":"s3cret-new-token"`),
		"a lost answer":       func(*http.Request) (*http.Response, error) { return nil, errors.New("lost s3cret-code") },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c, _ := mocked(t, answer, ghl.WithoutToken(),
				ghl.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			err := c.Call(t.Context(), opGrant, grantForm(), new(map[string]any))
			require.Error(t, err)
			e := asError(t, err)
			for _, text := range []string{fmt.Sprintf("%v %+v %#v", err, *e, e), string(e.Body()), e.TraceID,
				log.String()} {
				require.NotContains(t, text, "s3cret")
			}
			if name == "an error" {
				require.Contains(t, err.Error(), "public-client")
			}
		})
	}
	c, _ := mocked(t, answers(200, `{"a":"b"`))
	err := c.Call(t.Context(), ghl.Operation{Name: "any", Method: http.MethodGet, Path: "/any"}, nil,
		new(map[string]any))
	require.Equal(t, `{"a":"b"`, string(asError(t, err).Body()), "other operations have the body in the error")
}

// TestErrorsHoldNoToken: an error's body holds neither the token of the request nor tokens that the server granted.
func TestErrorsHoldNoToken(t *testing.T) {
	for name, answer := range map[string]string{
		"cut": `{"traceId":"pit-secret-token","access_token":"s3cret new","message":"at pit-secret-token","refreshToken":"s3cret-new`,
		"bad": `{"traceId":"pit-secret-token","access_token":"s3cret new","refreshToken":"s3cret-new-refresh"}`,
	} {
		for _, status := range []int{200, 302, 400, 500} {
			c, _ := mocked(t, answers(status, answer), ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}))
			_, err := c.OAuth.LocationToken(t.Context(), "comp1", "loc1")
			e := asError(t, err)
			for _, secret := range []string{"pit-secret", "s3cret"} {
				require.NotContains(t, err.Error()+e.TraceID+string(e.Body()), secret, "%s, status %d", name, status)
			}
		}
	}
}

// TestBodyIsCutAfterSecretsAreHidden: the limit of the body leaves no part of a secret at its end.
func TestBodyIsCutAfterSecretsAreHidden(t *testing.T) {
	const limit = 64 << 10
	for _, before := range []int{8, 12, 16} {
		c, _ := mocked(t, answers(400, strings.Repeat("x", limit-before)+"s3cret-of-client and more"),
			ghl.WithoutToken())
		err := c.Call(t.Context(), opGrant, grantForm(), nil)
		require.NotContains(t, string(asError(t, err).Body()), "s3cret")
	}
}

func TestCallRedact(t *testing.T) {
	c, _ := mocked(t, answers(400, `{"message":"no s3cret-access here"}`))
	_, err := c.Contacts.Get(t.Context(), "c1", ghl.CallRedact("s3cret-access", "short"))
	require.ErrorContains(t, err, "no [redacted] here")
	require.NotContains(t, string(asError(t, err).Body()), "s3cret")
}

// TestNoBearerLeavesTimeForTheRequest: a single-use secret is not risked in a request that ctx would cut off.
func TestNoBearerLeavesTimeForTheRequest(t *testing.T) {
	for limit, requests := range map[time.Duration]int{25 * time.Second: 2, 19 * time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			c, m := mocked(t, answers(429, tooMany), ghl.WithoutToken())
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := c.Call(ctx, opGrant, grantForm(), nil)
			require.ErrorIs(t, err, ghl.ErrRateLimited)
			require.NoError(t, ctx.Err(), "it ends before a request would be cut off")
			require.Equal(t, requests, m.count())
		})
	}
}

func TestErrorWith(t *testing.T) {
	cause := errors.New("no such row")
	e := (&ghl.Error{Operation: "op", Message: "not connected"}).With(ghl.ErrReauthRequired, cause, nil)
	require.EqualError(t, e, "ghl: op: not connected: no such row")
	require.ErrorIs(t, e, ghl.ErrReauthRequired)
	require.ErrorIs(t, e, cause)
	require.NotErrorIs(t, e, ghl.ErrServer)

	again := e.With(ghl.ErrServer, errReset)
	for _, target := range []error{ghl.ErrReauthRequired, ghl.ErrServer, cause, errReset} {
		require.ErrorIs(t, again, target)
	}
	require.NotErrorIs(t, e, ghl.ErrServer, "the error itself does not change")
	require.NoError(t, (&ghl.Error{Message: "x"}).With().Unwrap())
}

// TestTokenSourceAsksForAPerson: a token source outside of this package can say that the account must be connected
// again.
func TestTokenSourceAsksForAPerson(t *testing.T) {
	source := &refreshing{current: "expired-token",
		err: (&ghl.Error{Message: "signed out"}).With(ghl.ErrReauthRequired)}
	c, _ := mocked(t, answers(401, badJWT), ghl.WithTokenSource(source))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.ErrorIs(t, err, ghl.ErrReauthRequired)
	require.ErrorIs(t, err, ghl.ErrUnauthorized)
}

func TestTokenReadAnswer(t *testing.T) {
	sent := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	want := &ghl.Token{
		AccessToken: "access", RefreshToken: "refresh", IssuedAt: sent, ExpiresAt: sent.Add(time.Hour),
		Scopes:   []ghl.Scope{"a", "b"},
		UserType: ghl.UserTypeCompany, CompanyID: "comp1", UserID: "u1", BulkInstallation: true,
		ApprovedLocations: []string{"l1"},
	}
	for _, answer := range []string{
		`{"access_token":"access","refresh_token":"refresh","expires_in":3600,"scope":"a b","userType":"Company","companyId":"comp1","userId":"u1",
			"isBulkInstallation":true,"approvedLocations":["l1"]}`,
		`{"accessToken":"access","refreshToken":"refresh","expiresIn":"3600","scope":"a b","userType":"Company","companyId":"comp1","userId":"u1",
			"isBulkInstallation":"true","approvedLocations":["l1"],"unknown":{}}`,
	} {
		got := &ghl.Token{CompanyID: "old"}
		require.NoError(t, got.ReadAnswer([]byte(answer), sent))
		require.Equal(t, want, got)
	}
	for _, answer := range []string{``, `null`, `[]`, `{}`, `{"access_token":"s3cret a"}`,
		`{"access_token":"a","refresh_token":"s3cret b"}`, `{"access_token":"s3cret`} {
		err := new(ghl.Token).ReadAnswer([]byte(answer), sent)
		require.ErrorIs(t, err, ghl.ErrBadResponse, answer)
		require.NotContains(t, err.Error(), "s3cret")
	}
	data, err := json.Marshal(want)
	require.NoError(t, err)
	require.NotContains(t, string(data), "access")
}
