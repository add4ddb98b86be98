package ghltest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

func TestRequestsAreLogged(t *testing.T) {
	s, c := start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada", Email: "ada@example.com"})
	_, err := c.Contacts.FindDuplicate(t.Context(), ghl.DuplicateQuery{Email: "ada@example.com"})
	require.NoError(t, err)
	_, err = c.Tags.Add(t.Context(), ada.ID, []string{"vip"}, ghl.CallHeader("X-Mine", "1"))
	require.NoError(t, err)
	send(t, s, http.MethodGet, "/no/such?a=1", "")

	requests := s.Requests()
	type short struct {
		method, operation, path, target, body string
		status                                int
	}
	var got []short
	for _, r := range requests {
		require.Equal(t, noon, r.Time)
		require.Equal(t, []string{ghltest.Redacted}, r.Header["Authorization"])
		got = append(got, short{r.Method, r.Operation, r.Path, r.Target, string(r.Body), r.Status})
	}
	require.Equal(t, []short{
		{"GET", "contacts.findDuplicate", "/contacts/search/duplicate", "/contacts/search/duplicate?email=ada%40example.com&locationId=" + s.LocationID(), "", 200},
		{"POST", "tags.add", "/contacts/{contactId}/tags", "/contacts/" + ada.ID + "/tags", `{"tags":["vip"]}`, 201},
		{"GET", "", "", "/no/such?a=1", "", 404},
	}, got)
	require.Equal(t, "1", requests[1].Header.Get("X-Mine"))
	require.Equal(t, "2021-07-28", requests[1].Header.Get("Version"))

	requests[1].Header.Set("X-Mine", "2")
	requests[1].Body[0] = 'x'
	require.Equal(t, "1", s.Requests()[1].Header.Get("X-Mine"), "the caller may change the returned requests")
	require.JSONEq(t, `{"tags":["vip"]}`, string(s.Requests()[1].Body))
	s.ResetRequests()
	require.Empty(t, s.Requests())
}

func TestTheLogHasNoSecrets(t *testing.T) {
	s, app, _ := appServer(t)
	token := s.Install(app, "")
	code := codeOf(t, s, app)
	refresh(t, s, app, token.RefreshToken)
	refresh(t, s, app, "unknown-"+token.RefreshToken)
	send(t, s, http.MethodPost, "/oauth/token",
		`{"clientSecret":"`+app.ClientSecret+`","code":"`+code+`","grantType":"authorization_code"}`, "Version", "v3")
	send(t, s, http.MethodPost, "/no/such", `{"inside":[{"refresh_token":"`+token.RefreshToken+`"}]}`)
	send(t, s, http.MethodPost, "/no/such", `{"refresh_token":"`+token.RefreshToken)
	send(t, s, http.MethodGet, "/no/such?access_token="+token.AccessToken+"&x=1", "", "Cookie",
		"session="+token.AccessToken)
	send(t, s, http.MethodPost, "/no/such", "a=%zz&client%5Fsecret="+app.ClientSecret)
	send(t, s, http.MethodGet, "/contacts/?locationId="+s.LocationID(), "", "Authorization",
		"Bearer "+token.AccessToken)

	text := ""
	for _, r := range s.Requests() {
		text += fmt.Sprint(r.Target, r.Header, string(r.Body), "\n")
	}
	for _, secret := range []string{app.ClientSecret, token.AccessToken, token.RefreshToken, code, s.Token()} {
		require.NotContains(t, text, secret)
	}
	var bodies []string
	for _, r := range s.Requests() {
		if len(r.Body) > 0 {
			bodies = append(bodies, string(r.Body))
		}
	}
	require.Equal(t,
		"client_id="+app.ClientID+"&client_secret=%5Bredacted%5D&grant_type=refresh_token&refresh_token=%5Bredacted%5D",
		bodies[0])
	require.JSONEq(t, `{"clientSecret":"[redacted]","code":"[redacted]","grantType":"authorization_code"}`, bodies[2])
	require.JSONEq(t, `{"inside":[{"refresh_token":"[redacted]"}]}`, bodies[3])
	require.Equal(t, `"[redacted]"`, bodies[4])
	require.Equal(t, "a=%zz&client%5Fsecret=%5Bredacted%5D", bodies[5])
	require.Equal(t, "/no/such?access_token=%5Bredacted%5D&x=1", s.Requests()[6].Target)

	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	s.ResetRequests()
	const channel = `{"dndSettings":{"SMS":{"status":"active","code":"94"}}}`
	send(t, s, http.MethodPut, "/contacts/"+ada.ID, channel)
	require.Equal(t, channel, string(s.Requests()[0].Body), "the code of a channel is not secret")
}

// The log is bounded in number and size.
func TestTheLogIsBounded(t *testing.T) {
	s, err := ghltest.NewHandler()
	require.NoError(t, err)
	post := func(path string, size int) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path,
			strings.NewReader(strings.Repeat("x", size)))
		require.NoError(t, err)
		_, err = transportOf{s.Handler()}.RoundTrip(r)
		require.NoError(t, err)
	}
	const long = 64 << 10
	post("/long", 2*long)
	require.Len(t, s.Requests()[0].Body, long)
	for i := range 10_100 {
		post(fmt.Sprint("/", i), 10)
	}
	requests := s.Requests()
	require.Len(t, requests, 10_000)
	require.Equal(t, "/100", requests[0].Target)
	require.Equal(t, "/10099", requests[9999].Target)
	for i, r := range requests {
		detailed := i >= 9000
		require.Equal(t, detailed, r.Body != nil && r.Header != nil, "request %d", i)
	}
	s.ResetRequests()
	for i := range 1001 {
		post(fmt.Sprint("/", i), 1)
	}
	requests = s.Requests()
	require.Nil(t, requests[0].Body)
	require.NotNil(t, requests[1].Body)
}
