package oauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

func TestAppIsChecked(t *testing.T) {
	good := newAuthServer().appConfig()
	for field, spoil := range map[string]func(*oauth.Config){
		"ClientID":      func(c *oauth.Config) { c.ClientID = "" },
		"ClientSecret":  func(c *oauth.Config) { c.ClientSecret = clientSecret + "\n" },
		"RedirectURL":   func(c *oauth.Config) { c.RedirectURL = "/callback" },
		"Scopes":        func(c *oauth.Config) { c.Scopes = nil },
		"UserType":      func(c *oauth.Config) { c.UserType = "Agency" },
		"Version":       func(c *oauth.Config) { c.Version = "2020-01-01" },
		"AuthURL":       func(c *oauth.Config) { c.AuthURL = "marketplace.gohighlevel.com" },
		"BaseURL":       func(c *oauth.Config) { c.BaseURL = "ftp://x" },
		"UserAgent":     func(c *oauth.Config) { c.UserAgent = "a\r\nb" },
		"RefreshBefore": func(c *oauth.Config) { c.RefreshBefore = -1 },
	} {
		c := good
		spoil(&c)
		_, err := oauth.NewApp(c)
		require.ErrorIs(t, err, ghl.ErrBadInput, field)
		require.Equal(t, field, asError(t, err).Field)
		require.NotContains(t, err.Error(), clientSecret)
	}
	for _, spoil := range []func(*oauth.Config){
		func(c *oauth.Config) { c.Scopes = []ghl.Scope{"contacts.readonly contacts.write"} },
		func(c *oauth.Config) { c.RedirectURL = "https://user@host/x" },
		func(c *oauth.Config) { c.RedirectURL = "https://host/x#f" },
		func(c *oauth.Config) { c.AuthURL = "https://" },
	} {
		c := good
		spoil(&c)
		_, err := oauth.NewApp(c)
		require.ErrorIs(t, err, ghl.ErrBadInput)
	}
	scopes := []ghl.Scope{"a", "b"}
	good.Scopes = scopes
	app, err := oauth.NewApp(good)
	require.NoError(t, err)
	scopes[0] = "changed"
	consent, err := app.AuthCodeURL("s")
	require.NoError(t, err)
	require.Contains(t, consent, "scope=a+b", "the app has its own copy")
}

func TestConsentURL(t *testing.T) {
	server := newAuthServer()
	for _, tc := range []struct{ name, authURL, start string }{
		{"default", "", "https://marketplace.gohighlevel.com/v2/oauth/chooselocation?"},
		{"white label", oauth.WhiteLabelAuthURL, "https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation?"},
		{"of a test", "http://127.0.0.1:1234/consent?theme=dark", "http://127.0.0.1:1234/consent?"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			app := server.app(t, func(c *oauth.Config) {
				c.AuthURL, c.Scopes = tc.authURL, []ghl.Scope{ghl.ScopeContactsReadonly, "locations/tags.readonly"}
			})
			got, err := app.AuthCodeURL("a state & more", nil, oauth.AuthCodeParam("loginWindowOpenMode", "self"),
				oauth.AuthCodeParam("version_id", "v1"))
			require.NoError(t, err)
			require.Contains(t, got, tc.start)
			u, err := url.Parse(got)
			require.NoError(t, err)
			want := url.Values{
				"response_type": {"code"}, "client_id": {"app1-x"}, "redirect_uri": {"https://app.example.com/callback"},
				"scope": {"contacts.readonly locations/tags.readonly"}, "state": {"a state & more"}, "loginWindowOpenMode": {"self"}, "version_id": {"v1"},
			}
			if tc.name == "of a test" {
				want.Set("theme", "dark")
			}
			require.Equal(t, want, u.Query())
			require.NotContains(t, got, clientSecret)
		})
	}
	app := server.app(t)
	_, err := app.AuthCodeURL("")
	require.Equal(t, "state", asError(t, err).Field)
	for _, name := range []string{"", "state", "redirect_uri"} {
		_, err = app.AuthCodeURL("s", oauth.AuthCodeParam(name, "x"))
		require.ErrorIs(t, err, ghl.ErrBadInput, name)
	}
}

func TestExchange(t *testing.T) {
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		for _, who := range []account{oneLocation, oneCompany,
			{userType: ghl.UserTypeCompany, company: "comp1", locations: []string{"l1", "l2"}}} {
			server := newAuthServer()
			server.codes["code-1"] = who
			app := server.app(t, func(c *oauth.Config) { c.Version, c.UserType = version, who.userType })
			start := time.Now()
			token, err := app.Exchange(t.Context(), "code-1")
			require.NoError(t, err)
			require.Equal(t, "secret-access-1", token.AccessToken)
			require.Equal(t, "secret-refresh-1", token.RefreshToken)
			require.Equal(t, who.userType, token.UserType)
			require.Equal(t, "comp1", token.CompanyID)
			require.Equal(t, who.location, token.LocationID)
			require.Equal(t, who.locations, token.ApprovedLocations)
			require.Equal(t, who.locations != nil, token.BulkInstallation)
			require.WithinRange(t, token.ExpiresAt, start.Add(86398*time.Second), time.Now().Add(86399*time.Second))
			require.Equal(t, 86399*time.Second, token.ExpiresAt.Sub(token.IssuedAt))

			want := url.Values{
				"client_id": {"app1-x"}, "client_secret": {clientSecret}, "grant_type": {"authorization_code"}, "code": {"code-1"},
				"redirect_uri": {"https://app.example.com/callback"}, "user_type": {string(who.userType)},
			}
			if version == ghl.VersionV3 {
				want = url.Values{
					"clientId": {"app1-x"}, "clientSecret": {clientSecret}, "grantType": {"authorization_code"}, "code": {"code-1"},
					"redirectUri": {"https://app.example.com/callback"}, "userType": {string(who.userType)},
				}
			}
			require.Equal(t, want, server.forms[0])
			require.Equal(t, string(version), server.headers[0].Get("Version"))
			require.Equal(t, "application/x-www-form-urlencoded", server.headers[0].Get("Content-Type"))
			require.Empty(t, server.headers[0].Get("Authorization"))

			_, err = app.Exchange(t.Context(), "code-1")
			require.ErrorIs(t, err, ghl.ErrUnauthorized, "a code works once")
			require.NotErrorIs(t, err, ghl.ErrReauthRequired)
			require.Equal(t, "oauth.token", asError(t, err).Operation)
		}
	}
	_, err := newAuthServer().app(t).Exchange(t.Context(), "")
	require.Equal(t, "code", asError(t, err).Field)
}

// TestTokenRequestIsRepeated: a request is retried only if the server cannot have used the code or refresh token.
func TestTokenRequestIsRepeated(t *testing.T) {
	const okToken = `{"access_token":"a","refresh_token":"b","expires_in":60}`
	for _, tc := range []struct {
		name     string
		steps    []step
		requests int
		is       []error
	}{
		{"429", []step{answers(429, tooMany), answers(429, tooMany, "Retry-After", "3"), answers(200, okToken)}, 3, nil},
		{"429 for a day", []step{answers(429, tooMany, "Retry-After", "86400")}, 1, []error{ghl.ErrRateLimited}},
		{"no connection", []step{refuses, refuses, answers(200, okToken)}, 3, nil},
		{"name not found", []step{func(*http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "services.example.com"}
		}, answers(200, okToken)}, 2, nil},
		{"no connection at all", []step{refuses}, 4, nil},
		{"lost answer", []step{loses}, 1, []error{ghl.ErrAmbiguous, errReset}},
		{"half an answer", []step{cutsBody}, 1, []error{ghl.ErrAmbiguous, errReset}},
		{"500", []step{answers(500, server500)}, 1, []error{ghl.ErrAmbiguous, ghl.ErrServer}},
		{"gateway", []step{answers(401, `{"message":"Command timed out"}`)}, 1, []error{ghl.ErrAmbiguous, ghl.ErrServer}},
		{"408", []step{answers(408, "")}, 1, []error{ghl.ErrAmbiguous, ghl.ErrServer}},
		{"page of a gateway", []step{answers(502, "<html>the-client-secret code-123</html>", "Retry-After", "1")}, 1, []error{ghl.ErrAmbiguous}},
		{"a page", []step{answers(200, "<html>the-client-secret</html>")}, 1, []error{ghl.ErrBadResponse}},
		{"tokens in an error", []step{answers(400, `{"message":"half done","refresh_token":"half-a-pair"}`)}, 1, []error{}},
		{"redirect", []step{answers(307, "", "Location", "https://evil.example.com/")}, 1, []error{}},
		{"redirect to the same", []step{answers(302, "", "Location", "https://services.leadconnectorhq.com/other")}, 1, []error{}},
		{"empty", []step{answers(200, "")}, 1, []error{ghl.ErrBadResponse}},
		{"no token", []step{answers(200, `{"refresh_token":"half-a-pair"}`)}, 1, []error{ghl.ErrBadResponse}},
		{"a token that can't be sent", []step{answers(200, `{"access_token":"a b","refresh_token":"half-a-pair"}`)}, 1, []error{ghl.ErrBadResponse}},
		{"half a pair that can't be sent again", []step{answers(200, `{"access_token":"good","refresh_token":"half-a-pair\n"}`)}, 1, []error{ghl.ErrBadResponse}},
		{"a certificate that is not trusted", []step{func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: errors.New("unknown authority")}
		}}, 1, nil},
		{"wrong secret", []step{answers(401, `{"error":"UnAuthorized!","error_description":"Invalid client: the-client-secret"}`)}, 1, []error{ghl.ErrUnauthorized}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMock(inTurn(tc.steps...))
				app := newAuthServer().app(t, func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: s} })
				token, err := app.Exchange(t.Context(), "code-123")
				require.Equal(t, tc.requests, s.count())
				if tc.is == nil && err == nil {
					require.Equal(t, "a", token.AccessToken)
					return
				}
				require.Error(t, err)
				require.Equal(t, tc.requests, asError(t, err).Attempts)
				for _, category := range tc.is {
					require.ErrorIs(t, err, category)
				}
				for _, secret := range []string{clientSecret, "code-123", "half-a-pair"} {
					require.NotContains(t, err.Error(), secret)
					require.NotContains(t, string(asError(t, err).Body()), secret)
				}
			})
		})
	}
}

func TestTokenRequestEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMock(inTurn(answers(429, tooMany)))
		app := newAuthServer().app(t, func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: s} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := app.Exchange(ctx, "code-123")
		require.ErrorIs(t, err, ghl.ErrRateLimited)
		require.NoError(t, ctx.Err(), "it ends before a request would be cut off")
		before := s.count()
		ended, end := context.WithCancel(ctx)
		end()
		_, err = app.Exchange(ended, "code-123")
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, ghl.ErrAmbiguous, "nothing was sent")
		require.Equal(t, before, s.count())

		s = newMock(inTurn(hangs))
		app = newAuthServer().app(t, func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: s} })
		_, err = app.Exchange(ctx, "code-123")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, ghl.ErrAmbiguous)
		require.Equal(t, 1, s.count())
	})
}

// TestPauseAfter429: the pause is the Retry-After, else the interval of the limit, else ten seconds.
func TestPauseAfter429(t *testing.T) {
	for want, header := range map[time.Duration][]string{
		3 * time.Second: {"Retry-After", "3"}, 2 * time.Second: {"X-RateLimit-Interval-Milliseconds", "2000"},
		10 * time.Second: nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newMock(inTurn(answers(429, tooMany, header...),
				answers(200, `{"access_token":"a","refresh_token":"b"}`)))
			app := newAuthServer().app(t, func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: s} })
			start := time.Now()
			_, err := app.Exchange(t.Context(), "code-123")
			require.NoError(t, err)
			require.Equal(t, want, time.Since(start))
		})
	}
}

// TestTokenRequestForMiddlewares: a transport gets the operation of the request.
func TestTokenRequestForMiddlewares(t *testing.T) {
	server := newAuthServer()
	server.codes["code-1"] = oneLocation
	var operation, agent string
	transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		op, _ := ghl.OperationFromContext(r.Context())
		operation, agent = op.Name, r.Header.Get("User-Agent")
		return server.RoundTrip(r)
	})
	app := server.app(t, func(c *oauth.Config) {
		c.HTTPClient, c.UserAgent = &http.Client{Transport: transport}, "my-app/1"
	})
	_, err := app.Exchange(t.Context(), "code-1")
	require.NoError(t, err)
	require.Equal(t, "oauth.token", operation)
	require.Equal(t, "my-app/1", agent)
}

func TestAllLocations(t *testing.T) {
	s := newMock(inTurn(answers(200,
		`{"access_token":"a","refresh_token":"b","approveAllLocations":true,"installToFutureLocations":true}`)))
	token, err := newAuthServer().app(t,
		func(c *oauth.Config) { c.HTTPClient = &http.Client{Transport: s} }).Exchange(t.Context(), "code-1")
	require.NoError(t, err)
	require.True(t, token.AllLocations)
	require.True(t, token.FutureLocations)
	require.False(t, token.BulkInstallation)
}
