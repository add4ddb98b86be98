package ghltest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// These tests are about headers, paths and unreadable bodies.

func TestATokenNeedsItsScheme(t *testing.T) {
	s := ghltest.Start(t)
	for _, header := range []string{s.Token(), "Basic " + s.Token(), "Bearer"} {
		status, answer, _ := send(t, s, http.MethodGet, "/locations/"+s.LocationID(), "", "Authorization", header)
		require.Equal(t, 401, status, header)
		require.Equal(t, "Invalid JWT", answer["message"])
	}
}

func TestAPathIsUnescaped(t *testing.T) {
	s := ghltest.Start(t)
	ada := s.AddContact(ghl.Contact{ID: "ada", FirstName: "Ada"})
	path := "/contacts/%61da"
	status, answer, _ := send(t, s, http.MethodGet, path, "")
	require.Equal(t, 200, status)
	require.Equal(t, ada.ID, answer["contact"].(map[string]any)["id"])
	status, _, _ = send(t, s, http.MethodPost, path+"/campaigns/spring%202026", "{}")
	require.Equal(t, 201, status)
	require.Equal(t, []string{"spring 2026"}, s.Campaigns(ada.ID))
}

// A body is decoded by its Content-Type.
func TestABodyNeedsItsContentType(t *testing.T) {
	s := ghltest.Start(t)
	contact := `{"locationId":"` + s.LocationID() + `","firstName":"Ada"}`
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		status, answer, _ := send(t, s, http.MethodPost, "/contacts/", contact, "Content-Type", media)
		require.Equal(t, 422, status, media)
		require.Equal(t, []any{"locationId must be a string", "locationId should not be empty"}, answer["message"],
			media)
	}
	require.Empty(t, s.Contacts())
	status, _, _ := send(t, s, http.MethodPost, "/contacts/", contact, "Content-Type",
		"Application/JSON ; charset=UTF-8")
	require.Equal(t, 201, status)

	app := s.AddApp(ghltest.App{RedirectURLs: []string{callback}})
	form := url.Values{
		"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "grant_type": {"authorization_code"},
		"code": {codeOf(t, s, app)},
	}.Encode()
	status, answer, _ := send(t, s, http.MethodPost, "/oauth/token", form, "Content-Type", "application/json")
	require.Equal(t, 400, status)
	require.Equal(t, "Missing parameter: client_id", answer["error_description"])
	status, _, _ = send(t, s, http.MethodPost, "/oauth/token", form)
	require.Equal(t, 200, status)

	agency := s.InstallCompany(app, ghltest.CompanyInstall{AllLocations: true})
	names := url.Values{"companyId": {agency.CompanyID}, "locationId": {s.LocationID()}}.Encode()
	for media, want := range map[string]int{"application/x-www-form-urlencoded": 201,
		"application/json": 422, "": 422} {
		status, _, _ := send(t, s, http.MethodPost, "/oauth/locationToken", names, "Authorization",
			"Bearer "+agency.AccessToken, "Content-Type", media)
		require.Equal(t, want, status, media)
	}
	names = `{"companyId":"` + agency.CompanyID + `","locationId":"` + s.LocationID() + `"}`
	status, _, _ = send(t, s, http.MethodPost, "/oauth/locationToken", names, "Authorization",
		"Bearer "+agency.AccessToken)
	require.Equal(t, 201, status)
	status, answer, _ = send(t, s, http.MethodPost, "/oauth/locationToken", names[:len(names)-1]+`,"more":"1"}`,
		"Authorization", "Bearer "+agency.AccessToken)
	require.Equal(t, 422, status)
	require.Equal(t, []any{"property more should not exist"}, answer["message"])
}

// A request with an incomplete or too long body has no effect.
func TestAnIncompleteBodyHasNoEffect(t *testing.T) {
	s := ghltest.Start(t)
	contact := `{"locationId":"` + s.LocationID() + `","firstName":"Ada"}`
	status, _, _ := send(t, s, http.MethodPost, "/contacts/", contact+strings.Repeat(" ", 1<<20))
	require.Equal(t, 413, status)
	require.Empty(t, s.Contacts())

	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn,
		"POST /contacts/ HTTP/1.1\r\nHost: x\r\nVersion: 2021-07-28\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", s.Token(), len(contact)+1, contact)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 400, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, conn.Close())
	require.Empty(t, s.Contacts())
	require.Len(t, s.Requests(), 2)

	s.Fail(ghltest.Fault{Kind: fault.CreatedAllTheSame()})
	status, _, _ = send(t, s, http.MethodPost, "/contacts/", contact+strings.Repeat(" ", 1<<20))
	require.Equal(t, 413, status)
	require.Empty(t, s.Contacts())
}

// An unescaped "+" in a query is a space, so the search finds no contact.
func TestAnUnescapedPlusIsASpace(t *testing.T) {
	s := ghltest.Start(t)
	s.AddContact(ghl.Contact{FirstName: "Ada", Phone: "+12025550100", Email: "ada+news@example.com"})
	for query, found := range map[string]bool{
		"number=%2B12025550100": true, "number=+12025550100": false, "number=2025550100": true,
		"email=ada%2Bnews@example.com": true, "email=ada+news@example.com": false,
	} {
		status, answer, _ := send(t, s, http.MethodGet,
			"/contacts/search/duplicate?locationId="+s.LocationID()+"&"+query, "")
		require.Equal(t, 200, status)
		require.Equal(t, found, answer["contact"] != nil, query)
	}
}

// Unlike in encoding/json, the case of names matters.
func TestNamesInFiltersAndSortAreExact(t *testing.T) {
	s := ghltest.Start(t)
	search := func(more string) (int, any) {
		status, answer, _ := send(t, s, http.MethodPost, "/contacts/search",
			`{"locationId":"`+s.LocationID()+`","pageLimit":5,`+more+`}`)
		return status, answer["message"]
	}
	for more, reason := range map[string]string{
		`"filters":[{"Field":"email","operator":"eq","value":"a"}]`:                      "filters.0.property Field should not exist",
		`"filters":[{"group":"OR","filters":[{"field":"email","OPERATOR":"exists"}]}]`:   "filters.0.filters.0.property OPERATOR should not exist",
		`"filters":[{"field":"email","operator":"exists","more":1}]`:                     "filters.0.property more should not exist",
		`"sort":[{"field":"email","direction":"asc"},{"field":"dnd","Direction":"asc"}]`: "sort.1.property Direction should not exist",
	} {
		status, message := search(more)
		require.Equal(t, 422, status, more)
		require.Contains(t, message, reason)
	}
	status, message := search(`"filters":[{"group":"OR","filters":[{"field":"email","operator":"exists"}]}],"sort":[{"field":"email","direction":"asc"}]`)
	require.Equal(t, 200, status, message)
	for _, bound := range []string{`"NaN"`, `"Inf"`} {
		status, message = search(`"filters":[{"field":"dateAdded","operator":"range","value":{"gte":` + bound + `}}]`)
		require.Equal(t, 422, status)
		require.Equal(t, "Invalid value passed for field dateAdded", message)
	}
	deep := strings.Repeat(`{"filters":[`, 3000) + strings.Repeat(`]}`, 3000)
	status, _ = search(`"filters":[` + deep + `]`)
	require.True(t, json.Valid([]byte(deep)))
	require.Equal(t, 200, status, "empty groups are valid")
}
