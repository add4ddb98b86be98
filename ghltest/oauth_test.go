package ghltest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

const callback = "https://app.example.com/oauth/callback"

// appServer returns a server with an app, and its clock.
func appServer(t *testing.T, opts ...ghltest.Option) (*ghltest.Server, ghltest.App, *ghltest.Clock) {
	t.Helper()
	clock := ghltest.NewClock(noon)
	s := ghltest.Start(t, append([]ghltest.Option{ghltest.WithClock(clock.Now)}, opts...)...)
	return s, s.AddApp(ghltest.App{RedirectURLs: []string{callback, callback + "?tenant=1"}}), clock
}

// authorize opens the consent screen and returns the target of its redirect, or its page.
func authorize(t *testing.T, s *ghltest.Server, change url.Values,
	app ghltest.App) (status int, target *url.URL, page string) {
	t.Helper()
	query := url.Values{"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {callback},
		"state": {"st&te"}}
	for name, values := range change {
		query[name] = values
	}
	return open(t, s.AuthorizeURL()+"?"+query.Encode())
}

func open(t *testing.T, address string) (status int, target *url.URL, page string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := client.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	target, _ = resp.Location()
	return resp.StatusCode, target, string(data)
}

func codeOf(t *testing.T, s *ghltest.Server, app ghltest.App) string {
	t.Helper()
	status, target, page := authorize(t, s, nil, app)
	require.Equal(t, 302, status, page)
	require.NotEmpty(t, target.Query().Get("code"))
	return target.Query().Get("code")
}

// ask requests a token in the form of the version. The names of the values are in snake case.
func ask(t *testing.T, s *ghltest.Server, v3 bool, app ghltest.App, values url.Values) (int, map[string]any) {
	t.Helper()
	form, headers := url.Values{}, []string{"Version", "", "Authorization", "", "Content-Type",
		"application/x-www-form-urlencoded"}
	for name, value := range (url.Values{"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}}) {
		form[name] = value
	}
	for name, value := range values {
		form[name] = value
	}
	if v3 {
		headers[1] = "v3"
		camel := url.Values{}
		for name, value := range form {
			camel[regexp.MustCompile(`_.`).ReplaceAllStringFunc(name,
				func(s string) string { return strings.ToUpper(s[1:]) })] = value
		}
		form = camel
	}
	status, answer, header := send(t, s, http.MethodPost, "/oauth/token", form.Encode(), headers...)
	require.Empty(t, header.Get("X-RateLimit-Max"), "the token endpoint has no rate limit")
	return status, answer
}

func refresh(t *testing.T, s *ghltest.Server, app ghltest.App, token string) (int, map[string]any) {
	t.Helper()
	return ask(t, s, false, app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// reads returns the status of a read with a token.
func reads(t *testing.T, s *ghltest.Server, token any) (int, any) {
	t.Helper()
	status, answer, _ := send(t, s, http.MethodGet, "/contacts/?locationId="+s.LocationID(), "", "Authorization",
		fmt.Sprint("Bearer ", token))
	return status, answer["message"]
}

func TestConsentRedirectsWithCodeAndState(t *testing.T) {
	s, app, _ := appServer(t)
	status, target, _ := authorize(t, s, url.Values{"redirect_uri": {callback + "?tenant=1"},
		"loginWindowOpenMode": {"self"}, "version_id": {app.VersionID}}, app)
	require.Equal(t, 302, status)
	require.Equal(t, "st&te", target.Query().Get("state"))
	require.Equal(t, "1", target.Query().Get("tenant"), "the query of the redirect URL is preserved")
	require.NotEmpty(t, target.Query().Get("code"))
	require.Equal(t, "app.example.com", target.Host)

	require.Len(t, s.Requests(), 1)
	request := s.Requests()[0]
	require.Equal(t, []any{noon, "GET", "oauth.consent", "/v2/oauth/chooselocation", 302}, []any{
		request.Time, request.Method, request.Operation, request.Path, request.Status,
	})
	require.Contains(t, request.Target, "client_id="+app.ClientID)

	s.SetConsent(ghltest.Consent{Deny: true})
	status, target, _ = authorize(t, s, nil, app)
	require.Equal(t, 302, status)
	require.Equal(t, url.Values{"error": {"access_denied"}, "state": {"st&te"}}, target.Query())
}

func TestConsentMistakesDoNotRedirect(t *testing.T) {
	s, _, _ := appServer(t)
	app := s.AddApp(ghltest.App{
		RedirectURLs: []string{callback}, Scopes: []ghl.Scope{ghl.ScopeContactsReadonly},
		UserTypes: []ghl.UserType{ghl.UserTypeLocation},
	})
	for name, test := range map[string]struct {
		change url.Values
		want   string
	}{
		"unknown client":   {url.Values{"client_id": {"nobody"}}, "client_id"},
		"another redirect": {url.Values{"redirect_uri": {callback + "/"}}, "redirect_uri"},
		"no redirect":      {url.Values{"redirect_uri": nil}, "redirect_uri"},
		"no type":          {url.Values{"response_type": nil}, "response_type"},
		"unknown version":  {url.Values{"version_id": {"x"}}, "version_id"},
		"unknown scope":    {url.Values{"scope": {"contacts.readonly contacts.write"}}, "contacts.write"},
		"not a company's":  {url.Values{"ghltest_company": {s.AddLocation(ghl.Location{}).CompanyID}}, "Company"},
		"unknown location": {url.Values{"ghltest_location": {"<nowhere>"}}, "&lt;nowhere&gt;"},
	} {
		status, target, page := authorize(t, s, test.change, app)
		require.Equal(t, 400, status, name)
		require.Nil(t, target, name)
		require.Contains(t, page, test.want, name)
	}
}

func TestConsentPage(t *testing.T) {
	s, app, _ := appServer(t, ghltest.WithConsent(ghltest.Consent{Ask: true}))
	other := s.AddLocation(ghl.Location{Name: "Bo & <Sons>"})
	status, _, page := authorize(t, s, nil, app)
	require.Equal(t, 200, status)
	require.Contains(t, page, "Bo &amp; &lt;Sons&gt;")

	form := url.Values{"ghltest_location": {other.ID}}
	for _, field := range regexp.MustCompile(`name="([^"]+)" value="([^"]*)">\n`).FindAllStringSubmatch(page, -1) {
		form.Set(field[1], strings.ReplaceAll(field[2], "&amp;", "&"))
	}
	_, target, page := open(t, s.AuthorizeURL()+"?"+form.Encode())
	require.NotNil(t, target, page)
	require.Equal(t, "st&te", target.Query().Get("state"))
	_, answer := ask(t, s, false, app, url.Values{
		"grant_type": {"authorization_code"}, "code": {target.Query().Get("code")},
	})
	require.Equal(t, other.ID, answer["locationId"])

	_, target, _ = authorize(t, s, url.Values{"ghltest_deny": {"1"}}, app)
	require.Equal(t, "access_denied", target.Query().Get("error"))
	_, target, _ = authorize(t, s, url.Values{"ghltest_company": {other.CompanyID}}, app)
	_, answer = ask(t, s, true, app, url.Values{
		"grant_type": {"authorization_code"}, "code": {target.Query().Get("code")},
	})
	require.Equal(t, "Company", answer["userType"])
}

func TestCodeExchange(t *testing.T) {
	s, app, _ := appServer(t)
	for _, v3 := range []bool{false, true} {
		code := url.Values{"grant_type": {"authorization_code"}, "code": {codeOf(t, s, app)},
			"redirect_uri": {callback}, "user_type": {"Location"}}
		status, answer := ask(t, s, v3, app, code)
		require.Equal(t, 200, status, answer)
		access, refresh := answer["access_token"], answer["refresh_token"]
		names := []string{"access_token", "refresh_token", "token_type", "expires_in"}
		if v3 {
			access, refresh = answer["accessToken"], answer["refreshToken"]
			names = []string{"accessToken", "refreshToken", "tokenType", "expiresIn"}
		}
		require.NotEqual(t, access, refresh)
		require.EqualValues(t, 86399, answer[names[3]])
		require.Equal(t, "Bearer", answer[names[2]])
		want := append([]string{"scope", "userType", "companyId", "locationId", "userId", "traceId", "refreshTokenId",
			"isBulkInstallation"}, names...)
		var got []string
		for name := range answer {
			got = append(got, name)
		}
		require.ElementsMatch(t, want, got)
		require.Equal(t, s.LocationID(), answer["locationId"])
		require.Equal(t, false, answer["isBulkInstallation"])
		status, _ = reads(t, s, access)
		require.Equal(t, 200, status)

		status, answer = ask(t, s, v3, app, code)
		require.Equal(t, 401, status, "a code works once")
		want401 := map[string]any{"error": "UnAuthorized!", "error_description": "Authorization code not found"}
		if v3 {
			want401 = map[string]any{"statusCode": 401.0, "message": "Authorization code not found"}
		}
		require.Equal(t, want401, answer)
	}
	require.Equal(t, ghltest.OAuthCounts{Exchanges: 2, Refusals: 2}, s.OAuthCounts())

	body, err := json.Marshal(map[string]string{
		"clientId": app.ClientID, "clientSecret": app.ClientSecret, "grantType": "authorization_code",
		"code": codeOf(t, s, app),
	})
	require.NoError(t, err)
	status, answer, _ := send(t, s, http.MethodPost, "/oauth/token", string(body), "Version", "", "Authorization", "")
	require.Equal(t, 400, status, "the old version accepts only forms")
	require.Equal(t, "Missing parameter: client_id", answer["error_description"])
	status, answer, _ = send(t, s, http.MethodPost, "/oauth/token", string(body), "Version", "v3", "Authorization", "")
	require.Equal(t, 200, status)
	require.NotEmpty(t, answer["accessToken"])
	for _, request := range s.Requests() {
		require.NotContains(t, fmt.Sprintf("%+v", request), app.ClientSecret)
	}
}

func TestTokenRefusals(t *testing.T) {
	s, app, clock := appServer(t)
	token := s.Install(app, "")
	other := s.AddApp(ghltest.App{RedirectURLs: []string{callback}})
	code := codeOf(t, s, app)
	grant := func(values ...string) url.Values {
		v := url.Values{"grant_type": {"authorization_code"}, "code": {code}}
		for i := 0; i < len(values); i += 2 {
			v.Set(values[i], values[i+1])
		}
		return v
	}
	refresh := url.Values{"grant_type": {"refresh_token"}}
	for name, test := range map[string]struct {
		app    ghltest.App
		values url.Values
		status int
		old    string
		v3     string
	}{
		"no client":         {app, grant("client_id", ""), 400, "Missing parameter: client_id", "Missing parameter: clientId"},
		"no secret":         {app, grant("client_secret", ""), 400, "Missing parameter: client_secret", "Missing parameter: clientSecret"},
		"no grant type":     {app, grant("grant_type", ""), 400, "Missing parameter: grant_type", "Missing parameter: grantType"},
		"unknown grant":     {app, grant("grant_type", "password"), 400, "Invalid parameter: grant_type", "Invalid parameter: grantType"},
		"unknown user type": {app, grant("user_type", "Agency"), 400, "Invalid parameter: user_type", "Invalid parameter: userType"},
		"unknown client":    {app, grant("client_id", "nobody"), 401, "Invalid client: client is invalid", "Invalid client: client is invalid"},
		"wrong secret":      {app, grant("client_secret", "x"), 401, "Invalid client: client is invalid", "Invalid client: client is invalid"},
		"no code":           {app, grant("code", ""), 400, "Missing parameter: code", "Missing parameter: code"},
		"unknown code":      {app, grant("code", "x"), 401, "Authorization code not found", "Authorization code not found"},
		"another's code":    {other, grant(), 401, "Authorization code not found", "Authorization code not found"},
		"another redirect":  {app, grant("redirect_uri", "https://x.example.com"), 400, "Invalid parameter: redirect_uri", "Invalid parameter: redirectUri"},
		"another user type": {app, grant("user_type", "Company"), 401, "Token's user type mismatch!", "Token's user type mismatch!"},
		"no refresh token":  {app, refresh, 400, "Missing parameter: refresh_token", "Missing parameter: refreshToken"},
		"unknown refresh":   {app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}, 400, "Invalid grant: refresh token is invalid", "Invalid grant: refresh token is invalid"},
		"another's refresh": {other, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}}, 400, "Invalid grant: refresh token is invalid", "Invalid grant: refresh token is invalid"},
		"refresh user type": {app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}, "user_type": {"Company"}}, 401, "Token's user type mismatch!", "Token's user type mismatch!"},
		"client only":       {app, url.Values{"grant_type": {"client_credentials"}}, 400, "Unauthorized client: grant_type is invalid", "Unauthorized client: grantType is invalid"},
	} {
		status, answer := ask(t, s, false, test.app, test.values)
		require.Equal(t, test.status, status, name)
		require.Equal(t, test.old, answer["error_description"], name)
		require.NotEmpty(t, answer["error"], name)
		status, answer = ask(t, s, true, test.app, test.values)
		require.Equal(t, test.status, status, name)
		require.Equal(t, map[string]any{"statusCode": float64(test.status), "message": test.v3}, answer, name)
	}
	status, _ := ask(t, s, false, app, grant())
	require.Equal(t, 200, status, "a refusal does not use up the code")
	code = codeOf(t, s, app)
	clock.Advance(10 * time.Minute)
	status, _ = ask(t, s, false, app, grant())
	require.Equal(t, 401, status, "a code expires")
	status, _, _ = send(t, s, http.MethodPost, "/oauth/token", "", "Version", "2019-01-01", "Authorization", "")
	require.Equal(t, 401, status)
	status, _, _ = send(t, s, http.MethodGet, "/oauth/token", "", "Authorization", "")
	require.Equal(t, 404, status)
}

func TestRefreshTokensRotate(t *testing.T) {
	s, app, clock := appServer(t)
	first := s.Install(app, "")
	require.Equal(t, noon.Add(86399*time.Second), first.ExpiresAt)
	require.Equal(t, s.LocationID(), first.LocationID)

	status, second := refresh(t, s, app, first.RefreshToken)
	require.Equal(t, 200, status)
	require.NotEqual(t, first.RefreshToken, second["refresh_token"])
	status, _ = reads(t, s, first.AccessToken)
	require.Equal(t, 200, status, "the old access token stays valid")
	status, answer := refresh(t, s, app, first.RefreshToken)
	require.Equal(t, 400, status)
	require.Equal(t, map[string]any{"error": "invalid_grant",
		"error_description": "Invalid grant: refresh token is invalid"}, answer)
	require.Equal(t, ghltest.OAuthCounts{Refreshes: 1, Reuses: 1}, s.OAuthCounts())

	clock.Advance(86399 * time.Second)
	status, message := reads(t, s, first.AccessToken)
	require.Equal(t, 401, status)
	require.Equal(t, "Invalid JWT", message)
	status, third := refresh(t, s, app, second["refresh_token"].(string))
	require.Equal(t, 200, status)
	status, _ = reads(t, s, third["access_token"])
	require.Equal(t, 200, status)

	clock.Advance(365 * 24 * time.Hour)
	status, _ = refresh(t, s, app, third["refresh_token"].(string))
	require.Equal(t, 400, status, "an unused refresh token lives for a year")
}

func TestOneOfManyRefreshesWins(t *testing.T) {
	s, app, _ := appServer(t)
	token := s.Install(app, "")
	var all sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		all.Go(func() {
			resp, err := http.PostForm(s.URL()+"/oauth/token", url.Values{
				"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "grant_type": {"refresh_token"},
				"refresh_token": {token.RefreshToken},
			})
			if err == nil {
				statuses[i] = resp.StatusCode
				_ = resp.Body.Close()
			}
		})
	}
	all.Wait()
	require.ElementsMatch(t, []int{200, 400, 400, 400, 400, 400, 400, 400}, statuses)
	require.Equal(t, ghltest.OAuthCounts{Refreshes: 1, Reuses: 7}, s.OAuthCounts())
}

func TestAPausedLocationKeepsItsRefreshToken(t *testing.T) {
	s, app, _ := appServer(t)
	token, code := s.Install(app, ""), codeOf(t, s, app)
	agency := s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true})
	s.SetLocationActive("", false)
	for range 2 {
		status, answer := ask(t, s, true, app, url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken},
		})
		require.Equal(t, 400, status)
		require.Equal(t, map[string]any{"statusCode": 400.0, "message": "Location is not active"}, answer)
	}
	status, _ := ask(t, s, false, app, url.Values{"grant_type": {"authorization_code"}, "code": {code}})
	require.Equal(t, 400, status)
	_, err := clientOf(t, s, ghl.WithToken(agency.AccessToken)).OAuth.LocationToken(t.Context(), agency.CompanyID,
		s.LocationID())
	require.ErrorContains(t, err, "Location is not active")

	s.SetLocationActive("", true)
	status, _ = refresh(t, s, app, token.RefreshToken)
	require.Equal(t, 200, status, "the same token works again")
}

func TestBulkInstallation(t *testing.T) {
	clock := ghltest.NewClock(noon)
	s := ghltest.Start(t, ghltest.WithClock(clock.Now),
		ghltest.WithLocation(ghl.Location{ID: "north", CompanyID: "agency", Name: "North"}),
		ghltest.WithLocation(ghl.Location{ID: "south", CompanyID: "agency", Name: "South"}),
		ghltest.WithLocation(ghl.Location{ID: "rival", CompanyID: "other"}))
	app := s.AddApp(ghltest.App{
		ClientID: "6578278e879ad2646715ba9c-lq1", RedirectURLs: []string{callback},
		UserTypes: []ghl.UserType{ghl.UserTypeCompany},
	})
	require.Equal(t, "6578278e879ad2646715ba9c", app.AppID)

	_, answer := ask(t, s, false, app, url.Values{
		"grant_type": {"authorization_code"}, "code": {codeOf(t, s, app)}, "user_type": {"Company"},
	})
	require.Equal(t, "Company", answer["userType"])
	require.Equal(t, "agency", answer["companyId"])
	require.NotContains(t, answer, "locationId")
	require.Equal(t, true, answer["isBulkInstallation"])
	require.Equal(t, true, answer["approveAllLocations"])
	require.Equal(t, false, answer["installToFutureLocations"])
	require.Equal(t, []any{"north", "south"}, answer["approvedLocations"])

	agency := s.InstallCompany(app, ghltest.CompanyInstall{
		CompanyID: "agency", Locations: []string{"north"}, FutureLocations: true,
	})
	require.Equal(t, ghl.UserTypeCompany, agency.UserType)
	s.Uninstall(app, "south")
	clock.Advance(time.Hour)
	east := s.AddLocation(ghl.Location{ID: "east", CompanyID: "agency", Name: "East"})
	for _, version := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		c := clientOf(t, s, ghl.WithToken(agency.AccessToken), ghl.WithVersion(version))
		all := map[string]*ghl.InstalledLocation{}
		for l, err := range c.OAuth.AllInstalledLocations(t.Context(),
			&ghl.InstalledLocationsQuery{CompanyID: "agency", AppID: app.AppID, Limit: 1}) {
			require.NoError(t, err)
			all[l.ID] = l
		}
		require.Len(t, all, 3)
		require.True(t, all["north"].IsInstalled)
		require.Equal(t, app.VersionID, all["north"].VersionID)
		require.False(t, all["south"].IsInstalled)
		at, _ := all["east"].InstalledAt.Instant()
		require.Equal(t, noon.Add(time.Hour), at.UTC(), "the app is installed in future locations")

		for _, test := range []struct {
			query ghl.InstalledLocationsQuery
			want  int
		}{
			{ghl.InstalledLocationsQuery{IsInstalled: ptr(true)}, 2},
			{ghl.InstalledLocationsQuery{IsInstalled: ptr(false)}, 1},
			{ghl.InstalledLocationsQuery{Query: "EAS"}, 1}, {ghl.InstalledLocationsQuery{VersionID: app.VersionID}, 2},
			{ghl.InstalledLocationsQuery{LocationID: "south"}, 1}, {ghl.InstalledLocationsQuery{OnTrial: ptr(true)}, 0},
		} {
			test.query.CompanyID, test.query.AppID = "agency", app.AppID
			page, err := c.OAuth.InstalledLocations(t.Context(), &test.query)
			require.NoError(t, err)
			require.Equal(t, test.want, page.Total)
			require.True(t, page.InstallToFutureLocations)
		}
		_, err := c.OAuth.InstalledLocations(t.Context(), &ghl.InstalledLocationsQuery{
			CompanyID: "agency", AppID: "another",
		})
		require.ErrorIs(t, err, ghl.ErrNotFound)

		token, err := c.OAuth.LocationToken(t.Context(), "agency", east.ID)
		require.NoError(t, err)
		require.NotEmpty(t, token.RefreshToken)
		require.Equal(t, ghl.UserTypeLocation, token.UserType)
		_, err = clientOf(t, s, ghl.WithToken(token.AccessToken),
			ghl.WithLocation(east.ID)).Locations.Get(t.Context(), east.ID)
		require.NoError(t, err)
		status, refreshed := refresh(t, s, app, token.RefreshToken)
		require.Equal(t, 200, status)
		require.Equal(t, east.ID, refreshed["locationId"])

		_, err = c.OAuth.LocationToken(t.Context(), "agency", "south")
		require.ErrorContains(t, err, "not installed")
		_, err = c.OAuth.LocationToken(t.Context(), "agency", "rival")
		require.ErrorContains(t, err, "Location not found")
	}
	require.Equal(t, 2, s.OAuthCounts().LocationTokens)
	status, problem, _ := send(t, s, http.MethodGet,
		"/oauth/installed-locations?companyId=agency&appId="+app.AppID+"&pageToken=x", "", "Version", "v3",
		"Authorization", "Bearer "+agency.AccessToken)
	require.Equal(t, 400, status)
	require.Equal(t, "INVALID_ARGUMENT", problem["error"].(map[string]any)["code"])
	status, answer, _ = send(t, s, http.MethodPost, "/oauth/locationToken", "companyId=agency&locationId=north",
		"Authorization", "Bearer "+agency.AccessToken)
	require.Equal(t, 201, status)
	require.Equal(t, app.AppID, answer["appId"])

	narrow := s.AddApp(ghltest.App{Scopes: []ghl.Scope{ghl.ScopeOAuthReadonly}})
	reader := s.InstallCompany(narrow, ghltest.CompanyInstall{CompanyID: "agency", Locations: []string{"north"}})
	_, err := clientOf(t, s, ghl.WithToken(reader.AccessToken)).OAuth.LocationToken(t.Context(), "agency", "north")
	require.ErrorIs(t, err, ghl.ErrMissingScope)
}

func ptr[T any](v T) *T { return &v }

func TestUninstalling(t *testing.T) {
	s, app, _ := appServer(t)
	other := s.AddLocation(ghl.Location{})
	agency := s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true})
	here, there := s.Install(app, ""), s.Install(app, other.ID)
	private := s.Token()
	code := codeOf(t, s, app)

	s.Uninstall(app, "")
	status, message := reads(t, s, here.AccessToken)
	require.Equal(t, 401, status)
	require.Equal(t, "Invalid JWT", message)
	status, answer := refresh(t, s, app, here.RefreshToken)
	require.Equal(t, 400, status)
	require.Equal(t, "Invalid grant: refresh token is invalid", answer["error_description"])
	status, _ = ask(t, s, false, app, url.Values{"grant_type": {"authorization_code"}, "code": {code}})
	require.Equal(t, 401, status)
	status, _ = reads(t, s, private)
	require.Equal(t, 200, status, "private tokens stay valid")
	c := clientOf(t, s, ghl.WithToken(agency.AccessToken))
	_, err := c.OAuth.LocationToken(t.Context(), agency.CompanyID, s.LocationID())
	require.ErrorContains(t, err, "not installed")
	status, answer = refresh(t, s, app, agency.RefreshToken)
	require.Equal(t, 200, status)
	require.Equal(t, []any{other.ID}, answer["approvedLocations"])

	pending := codeOf(t, s, app)
	s.UninstallCompany(app, "")
	status, _ = ask(t, s, false, app, url.Values{"grant_type": {"authorization_code"}, "code": {pending}})
	require.Equal(t, 401, status)
	_, err = c.OAuth.LocationToken(t.Context(), agency.CompanyID, other.ID)
	require.ErrorIs(t, err, ghl.ErrUnauthorized)
	status, _ = refresh(t, s, app, there.RefreshToken)
	require.Equal(t, 400, status)

	again := s.Install(app, "")
	status, _ = reads(t, s, again.AccessToken)
	require.Equal(t, 200, status)
}

func TestScopesOfApps(t *testing.T) {
	s, _, _ := appServer(t)
	app := s.AddApp(ghltest.App{
		RedirectURLs: []string{callback}, Scopes: []ghl.Scope{ghl.ScopeContactsReadonly, ghl.ScopeContactsWrite},
	})
	_, target, _ := authorize(t, s, url.Values{"scope": {"contacts.readonly"}}, app)
	_, answer := ask(t, s, false, app, url.Values{
		"grant_type": {"authorization_code"}, "code": {target.Query().Get("code")},
	})
	require.Equal(t, "contacts.readonly", answer["scope"])
	c := clientOf(t, s, ghl.WithToken(answer["access_token"].(string)))
	_, err := c.Contacts.List(t.Context(), nil)
	require.NoError(t, err)
	_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{Email: "a@example.com"})
	require.ErrorIs(t, err, ghl.ErrMissingScope)
	_, answer = refresh(t, s, app, answer["refresh_token"].(string))
	require.Equal(t, "contacts.readonly", answer["scope"], "a refresh does not add scopes")
}

// An app without scopes gets all scopes, and the answer lists them.
func TestAnAppWithEveryScope(t *testing.T) {
	s, app, _ := appServer(t)
	token := s.Install(app, "")
	require.Nil(t, token.Scopes)
	_, answer := refresh(t, s, app, token.RefreshToken)
	var names []string
	for _, scope := range ghl.ScopesFor(ghl.Operations()...) {
		names = append(names, string(scope))
	}
	require.Equal(t, strings.Join(names, " "), answer["scope"])

	config := s.AppConfig(s.AddApp(ghltest.App{Scopes: []ghl.Scope{ghl.ScopeContactsReadonly}}))
	require.Equal(t, []ghl.Scope{ghl.ScopeContactsReadonly}, config.Scopes)
	require.Empty(t, config.RedirectURL)
	require.Equal(t, s.URL(), config.BaseURL)
	require.NotEmpty(t, config.AppID)
}

func TestWrongAppsFail(t *testing.T) {
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	app := s.AddApp(ghltest.App{UserTypes: []ghl.UserType{ghl.UserTypeLocation}})
	for name, wrong := range map[string]func(){
		`AddApp: app ` + app.ClientID + ` already exists`:                   func() { s.AddApp(ghltest.App{ClientID: app.ClientID}) },
		`AddApp: the redirect URL "/x" must have a scheme and a host`:       func() { s.AddApp(ghltest.App{RedirectURLs: []string{"/x"}}) },
		`AddApp: unknown user type "Agency"`:                                func() { s.AddApp(ghltest.App{UserTypes: []ghl.UserType{"Agency"}}) },
		`AddApp: the ClientID or ClientSecret has white space`:              func() { s.AddApp(ghltest.App{ClientID: "a b"}) },
		`Install: unknown app "x"; register it with AddApp`:                 func() { s.Install(ghltest.App{ClientID: "x"}, "") },
		`Install: unknown location "x"`:                                     func() { s.Install(app, "x") },
		`InstallCompany: unknown company "x"`:                               func() { s.InstallCompany(app, ghltest.CompanyInstall{CompanyID: "x"}) },
		`InstallCompany: the app cannot be installed for a Company`:         func() { s.InstallCompany(app, ghltest.CompanyInstall{}) },
		`Uninstall: the app is not installed in location ` + s.LocationID(): func() { s.Uninstall(app, "") },
		`UninstallCompany: the app is not installed for company x`:          func() { s.UninstallCompany(app, "x") },
		`SetLocationActive: unknown location "x"`:                           func() { s.SetLocationActive("x", false) },
		`SetConsent: unknown location "x"`:                                  func() { s.SetConsent(ghltest.Consent{LocationID: "x"}) },
		`AddToken: the token has white space`:                               func() { s.AddToken(ghl.Token{AccessToken: "a b"}) },
		`Advance: -1ns is negative`:                                         func() { s.Advance(-1) },
		`Clock.Advance: -1ns is negative`:                                   func() { ghltest.NewClock(noon).Advance(-1) },
		`AddOpportunity: unknown contact "x"`:                               func() { s.AddOpportunity(ghltest.Opportunity{ContactID: "x"}) },
	} {
		require.PanicsWithValue(t, "ghltest: "+name, wrong)
	}
	_, err = ghltest.New(ghltest.WithConsent(ghltest.Consent{Company: &ghltest.CompanyInstall{Locations: []string{"x"}}}))
	require.ErrorContains(t, err, "ghltest: WithConsent: company")
	_, err = ghltest.New(ghltest.WithIndexLag(-1))
	require.ErrorContains(t, err, "ghltest: WithIndexLag")
}

func TestInstallEvents(t *testing.T) {
	s, app, _ := appServer(t)
	in := &inbox{}
	s.SubscribeHandler(in)
	s.Install(app, "")
	s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true, FutureLocations: true})
	later := s.AddLocation(ghl.Location{})
	s.Uninstall(app, "")
	s.UninstallCompany(app, "")
	flush(t, s)
	var got []string
	for _, e := range in.events(t) {
		require.Equal(t, app.AppID, e["appId"])
		got = append(got, fmt.Sprintf("%v%v%v", e["type"], e["installType"], e["locationId"]))
	}
	require.ElementsMatch(t, []string{
		"INSTALLLocation" + s.LocationID(), "INSTALLCompany<nil>", "INSTALLLocation" + later.ID,
		"UNINSTALL<nil>" + s.LocationID(), "UNINSTALL<nil><nil>",
	}, got)
}

func TestALostAnswerUsesUpTheRefreshToken(t *testing.T) {
	s, app, _ := appServer(t)
	token := s.Install(app, "")
	s.Fail(ghltest.Fault{Operation: "oauth.token", Kind: fault.CutAfterWork(), Times: 1})
	form := url.Values{"client_id": {app.ClientID}, "client_secret": {app.ClientSecret},
		"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}}
	_, err := http.PostForm(s.URL()+"/oauth/token", form) //nolint:bodyclose // no answer
	require.Error(t, err)
	status, _ := refresh(t, s, app, token.RefreshToken)
	require.Equal(t, 400, status)
	require.Equal(t, ghltest.OAuthCounts{Refreshes: 1, Reuses: 1}, s.OAuthCounts())
}

// A location's token has the scopes of the company's token that was exchanged for it.
func TestALocationTokenHasTheScopesOfTheCompanys(t *testing.T) {
	s := ghltest.Start(t)
	app := s.AddApp(ghltest.App{Scopes: []ghl.Scope{ghl.ScopeOAuthWrite, ghl.ScopeLocationsReadonly}})
	agency := s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true})
	body := "companyId=" + agency.CompanyID + "&locationId=" + s.LocationID()
	status, answer, _ := send(t, s, http.MethodPost, "/oauth/locationToken", body, "Authorization",
		"Bearer "+agency.AccessToken)
	require.Equal(t, 201, status)
	require.Equal(t, string(ghl.ScopeOAuthWrite+" "+ghl.ScopeLocationsReadonly), answer["scope"])
	as := "Bearer " + answer["access_token"].(string)
	status, _, _ = send(t, s, http.MethodGet, "/locations/"+s.LocationID(), "", "Authorization", as)
	require.Equal(t, 200, status)
	status, _, _ = send(t, s, http.MethodGet, "/contacts/?locationId="+s.LocationID(), "", "Authorization", as)
	require.Equal(t, 401, status)
}
