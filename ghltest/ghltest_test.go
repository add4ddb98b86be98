package ghltest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// noon is the time of the clock in tests of dates: a Monday, 8:00 in New York.
var noon = time.Date(2026, time.March, 2, 13, 0, 0, 0, time.UTC)

func start(t *testing.T, opts ...ghltest.Option) (*ghltest.Server, *ghl.Client) {
	t.Helper()
	s := ghltest.Start(t, append([]ghltest.Option{ghltest.WithClock(func() time.Time { return noon })}, opts...)...)
	return s, clientOf(t, s)
}

func clientOf(t *testing.T, s *ghltest.Server, opts ...ghl.Option) *ghl.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	all := append(s.ClientOptions(), ghl.WithHTTPClient(&http.Client{Transport: transport}),
		ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))
	c, err := ghl.New(append(all, opts...)...)
	require.NoError(t, err)
	return c
}

// send sends a request without the client, which would refuse invalid ones.
func send(t *testing.T, s *ghltest.Server, method, path, body string,
	headers ...string) (int, map[string]any, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Version", "2021-07-28")
	r.Header.Set("Authorization", "Bearer "+s.Token())
	r.Header.Set("Content-Type", mediaOf(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	answer := map[string]any{}
	require.NoError(t, json.Unmarshal(data, &answer), "%s", data)
	return resp.StatusCode, answer, resp.Header
}

// mediaOf returns the Content-Type of a form or of JSON.
func mediaOf(body string) string {
	if strings.Contains(body, "=") && !strings.HasPrefix(body, "{") {
		return "application/x-www-form-urlencoded"
	}
	return "application/json; charset=utf-8"
}

func TestEveryOperationHasAHandler(t *testing.T) {
	require.Empty(t, ghltest.Missing(), "these answer 501")
	known := map[string]bool{}
	for _, op := range ghl.Operations() {
		known[op.Name] = true
	}
	for _, name := range ghltest.Rows() {
		require.True(t, known[name], "%s is not in the catalog", name)
	}
}

func TestAnOperationWithoutHandlerNamesItself(t *testing.T) {
	s := ghltest.Start(t)
	ghltest.WithoutHandler(s, "notes.get")
	status, answer, _ := send(t, s, http.MethodGet, "/contacts/a/notes/b", "")
	require.Equal(t, 501, status)
	require.Equal(t, "ghltest has no handler for notes.get", answer["message"])
}

func TestAccess(t *testing.T) {
	s := ghltest.Start(t, ghltest.WithClock(func() time.Time { return noon }))
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	other := s.AddLocation(ghl.Location{Name: "Other"})
	theirs := s.AddContact(ghl.Contact{FirstName: "Bo", LocationID: other.ID})
	s.AddToken(ghl.Token{AccessToken: "narrow", Scopes: []ghl.Scope{ghl.ScopeLocationsReadonly}})
	s.AddToken(ghl.Token{AccessToken: "old", ExpiresAt: noon.Add(-time.Second)})
	s.AddToken(ghl.Token{AccessToken: "agency", UserType: ghl.UserTypeCompany})

	for _, test := range []struct {
		name, method, path string
		headers            []string
		status             int
		message            string
	}{
		{"no token", "GET", "/contacts/" + ada.ID, []string{"Authorization", ""}, 401, "Invalid JWT"},
		{"wrong token", "GET", "/contacts/" + ada.ID, []string{"Authorization", "Bearer nobody"}, 401, "Invalid JWT"},
		{"wrong private token", "GET", "/contacts/" + ada.ID, []string{"Authorization", "Bearer pit-nobody"}, 401, "Invalid Private Integration token"},
		{"expired token", "GET", "/contacts/" + ada.ID, []string{"Authorization", "Bearer old"}, 401, "Invalid JWT"},
		{"missing scope", "GET", "/contacts/" + ada.ID, []string{"Authorization", "Bearer narrow"}, 401, "The token is not authorized for this scope."},
		{"company token", "GET", "/contacts/" + ada.ID, []string{"Authorization", "Bearer agency"}, 401, "This authClass type is not allowed to access this scope."},
		{"location token", "GET", "/oauth/installedLocations?companyId=c&appId=a", nil, 401, "Token's user type mismatch!"},
		{"no version", "GET", "/contacts/" + ada.ID, []string{"Version", ""}, 401, "version header was not found."},
		{"unknown version", "GET", "/contacts/" + ada.ID, []string{"Version", "2019-01-01"}, 401, "version header is invalid."},
		{"another location in the query", "GET", "/contacts/?locationId=" + other.ID, nil, 403, "The token does not have access to this location."},
		{"another location in the path", "GET", "/locations/" + other.ID, nil, 403, "The token does not have access to this location."},
		{"another location's contact", "GET", "/contacts/" + theirs.ID, nil, 403, "The token does not have access to this location."},
		{"unknown path", "GET", "/no/such", nil, 404, "Cannot GET /no/such"},
		{"unknown method", "PATCH", "/contacts/" + ada.ID, nil, 404, "Cannot PATCH /contacts/" + ada.ID},
		{"no trailing slash", "GET", "/contacts", nil, 404, "Cannot GET /contacts"},
		{"two slashes", "GET", "/contacts//" + ada.ID, nil, 404, "Cannot GET /contacts//" + ada.ID},
		{"dots", "GET", "/contacts/x/../" + ada.ID, nil, 404, "Cannot GET /contacts/x/../" + ada.ID},
		{"the root", "GET", "/", nil, 404, "Cannot GET /"},
		{"v3 path, old version", "DELETE", "/contacts/x/campaigns/remove-all/y", nil, 404, "Cannot DELETE /contacts/x/campaigns/remove-all/y"},
		{"v3 name, old version", "GET", "/oauth/installed-locations", nil, 404, "Cannot GET /oauth/installed-locations"},
		{"v3 name, no version", "GET", "/oauth/installed-locations", []string{"Version", ""}, 401, "version header was not found."},
		{"old name, v3", "GET", "/oauth/installedLocations", []string{"Version", "v3"}, 404, "Cannot GET /oauth/installedLocations"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer, header := send(t, s, test.method, test.path, "", test.headers...)
			require.Equal(t, test.status, status)
			require.Equal(t, test.message, answer["message"])
			require.EqualValues(t, test.status, answer["statusCode"])
			require.NotEmpty(t, header.Get("X-RateLimit-Max"))
		})
	}
}

// A literal segment wins over a placeholder, and only the documented methods exist.
func TestOverlappingPaths(t *testing.T) {
	s := ghltest.Start(t)
	for request, operation := range map[string]string{
		"GET /contacts/business/tasks?locationId=" + s.LocationID(): "contacts.listByBusiness",
		"GET /contacts/business1/tasks":                             "tasks.list",
		"GET /contacts/search":                                      "contacts.get",
		"PUT /contacts/upsert":                                      "contacts.update",
		"DELETE /contacts/a/campaigns/removeAll":                    "campaigns.removeAll",
		"DELETE /contacts/a/campaigns/remove":                       "campaigns.remove",
		"GET /contacts/%2E%2E":                                      "contacts.get",
		"HEAD /contacts/a":                                          "",
		"OPTIONS /contacts/a":                                       "",
	} {
		s.ResetRequests()
		method, target, _ := strings.Cut(request, " ")
		r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
		r.Header.Set("Version", "2021-07-28")
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, operation, s.Requests()[0].Operation, request)
	}
}

func TestContactNotFoundIsA400(t *testing.T) {
	s, c := start(t)
	status, answer, _ := send(t, s, http.MethodGet, "/contacts/nobody", "")
	require.Equal(t, 400, status)
	require.Equal(t, map[string]any{"error": "Contact with id nobody not found", "status": 400.0}, answer)

	_, err := c.Contacts.Get(t.Context(), "nobody")
	require.ErrorIs(t, err, ghl.ErrNotFound)
}

func TestBodiesAreChecked(t *testing.T) {
	s := ghltest.Start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	for _, test := range []struct {
		name, method, path, body string
		reasons                  []any
	}{
		{"undeclared", "PUT", "/contacts/" + ada.ID, `{"companyName":"x","firstName":"A"}`, []any{"property companyName should not exist"}},
		{"missing", "POST", "/contacts/" + ada.ID + "/notes", `{}`, []any{"body must be a string", "body should not be empty"}},
		{"null is missing", "POST", "/contacts/" + ada.ID + "/notes", `{"body":null}`, []any{"body must be a string", "body should not be empty"}},
		{"wrong types", "PUT", "/contacts/" + ada.ID, `{"firstName":1,"dnd":"yes","tags":"a"}`, []any{"dnd must be a boolean value", "firstName must be a string", "tags must be an array"}},
		{"no date", "POST", "/contacts/" + ada.ID + "/tasks", `{"title":"x","dueDate":"soon","completed":false}`, []any{"dueDate must be a valid ISO 8601 date string"}},
		{"no location", "POST", "/contacts/", `{"firstName":"A"}`, []any{"locationId must be a string", "locationId should not be empty"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer, _ := send(t, s, test.method, test.path, test.body)
			require.Equal(t, 422, status)
			require.Equal(t,
				map[string]any{"message": test.reasons, "error": "Unprocessable Entity", "statusCode": 422.0}, answer)
		})
	}
	status, _, _ := send(t, s, http.MethodPut, "/contacts/"+ada.ID, `{"firstName":`)
	require.Equal(t, 400, status)
}

// The properties of nested objects and lists are checked by the names of the version.
func TestInnerPropertiesAreChecked(t *testing.T) {
	s := ghltest.Start(t)
	ada := s.AddContact(ghl.Contact{FirstName: "Ada"})
	for _, test := range []struct {
		name, version, body string
		reasons             []any // nil means accepted
	}{
		{"a channel", "2021-07-28", `{"dndSettings":{"SMS":{"status":"active","message":"no"}}}`, nil},
		{"of v3", "v3", `{"dndSettings":{"sms":{"status":"active"}}}`, nil},
		{"of the other version", "v3", `{"dndSettings":{"SMS":{"status":"active"}}}`, []any{"dndSettings.property SMS should not exist"}},
		{"unknown status", "2021-07-28", `{"dndSettings":{"SMS":{"status":"on"}}}`, []any{"dndSettings.SMS.status must be one of the following values: active, inactive, permanent"}},
		{"no status", "2021-07-28", `{"inboundDndSettings":{"all":{}}}`, []any{"inboundDndSettings.all.status must be a string", "inboundDndSettings.all.status should not be empty"}},
		{"no object", "2021-07-28", `{"dndSettings":{"SMS":true}}`, []any{"dndSettings.SMS must be an object"}},
		{"a field of v3", "v3", `{"customFields":[{"key":"x","fieldValue":1}]}`, nil},
		{"a field of v3 in the old version", "2021-07-28", `{"customFields":[{"key":"x","field_value":1},{"key":"x","fieldValue":1}]}`, nil},
		{"an undeclared property of a field", "2021-07-28", `{"customFields":[{"key":"x","field_value":1},{"key":"x","fieldvalue":1}]}`, []any{"customFields.1.property fieldvalue should not exist"}},
		{"a field that is not an object", "2021-07-28", `{"customFields":["x"]}`, []any{"customFields.0 must be an object"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer, _ := send(t, s, http.MethodPut, "/contacts/"+ada.ID, test.body, "Version", test.version)
			if test.reasons == nil {
				require.Equal(t, 200, status, answer)
				return
			}
			require.Equal(t, 422, status)
			require.Equal(t, test.reasons, answer["message"])
		})
	}
}

// Numbers, flags and enumerated values of the query are checked.
func TestQueriesAreChecked(t *testing.T) {
	s := ghltest.Start(t)
	agency := s.AddToken(ghl.Token{UserType: ghl.UserTypeCompany})
	for path, reason := range map[string]string{
		"/contacts/?startAfter=soon":           "startAfter must be a number conforming to the specified constraints",
		"/contacts/?limit=101":                 "limit must not be greater than 100",
		"/calendars/?showDrafted=maybe":        "showDrafted must be a boolean value",
		"/contacts/business/b?skip=-1":         "skip must not be less than 0",
		"/locations/{id}/customFields?model=x": "model must be one of the following values: contact, opportunity, all",
	} {
		path = strings.ReplaceAll(path, "{id}", s.LocationID())
		status, answer, _ := send(t, s, http.MethodGet, path+"&locationId="+s.LocationID(), "")
		require.Equal(t, 422, status, path)
		require.Equal(t, []any{reason}, answer["message"], path)
	}
	status, answer, _ := send(t, s, http.MethodGet,
		"/oauth/installedLocations?companyId="+agency.CompanyID+"&appId=a&isInstalled=maybe", "", "Authorization",
		"Bearer "+agency.AccessToken)
	require.Equal(t, 422, status)
	require.Equal(t, []any{"isInstalled must be a boolean value"}, answer["message"])
	status, answer, _ = send(t, s, http.MethodPost, "/oauth/locationToken", "companyId=c&locationId=l&more=1",
		"Authorization", "Bearer "+agency.AccessToken)
	require.Equal(t, 422, status)
	require.Equal(t, []any{"property more should not exist"}, answer["message"])
}

func TestNoRequestBreaksTheFake(t *testing.T) {
	s, _ := start(t, ghltest.WithDemoData())
	agency := s.AddToken(ghl.Token{UserType: ghl.UserTypeCompany})
	contact := s.Contacts()[0]
	fill := strings.NewReplacer("{contactId}", contact.ID, "{taskId}", s.Tasks(contact.ID)[0].ID, "{id}",
		s.Notes(contact.ID)[0].ID,
		"{locationId}", s.LocationID(), "{eventId}", s.Appointments(contact.ID)[0].ID, "{calendarId}",
		s.Appointments(contact.ID)[0].CalendarID, "{type}", "add",
		"{businessId}", "b", "{campaignId}", "c", "{workflowId}", "w")
	here := `{"locationId":"` + s.LocationID() + `"`
	bodies := []string{
		"", "null", "[]", "{}", "x", `{"a":1}`, here + `}`, here + `,"pageLimit":1.5}`,
		here + `,"pageLimit":5,"filters":[null,{}],"sort":[null]}`,
		here + `,"pageLimit":5,"filters":[{"field":"dateAdded","operator":"range","value":{"gt":{}}}]}`,
		here + `,"pageLimit":5,"searchAfter":[null,null]}`,
		here + `,"firstName":"A","customFields":[null,1],"dndSettings":{"SMS":1},"dateOfBirth":"soon"}`,
		`{"tags":[null],"followers":[null]}`,
		`{"title":"","dueDate":null,"completed":null}`, `{"limit":-1,"skip":1e99}`,
	}
	for _, op := range ghl.Operations() {
		for _, v := range []string{"2021-07-28", "v3"} {
			path, token := op.Path, s.Token()
			if v == "v3" && op.PathV3 != "" {
				path = op.PathV3
			}
			if strings.HasPrefix(op.Name, "oauth.") {
				token = agency.AccessToken
			}
			for i, body := range bodies {
				for _, query := range []string{"", "?locationId=" + s.LocationID(), "?locationId=" + s.LocationID() + "&limit=x&skip=-1&startTime=1&endTime=9e9&startDate=0&endDate=1&calendarId=c&startAfter=x&startAfterId=y"} {
					r := httptest.NewRequestWithContext(t.Context(), op.Method, fill.Replace(path)+query,
						strings.NewReader(body))
					r.Header.Set("Version", v)
					r.Header.Set("Authorization", "Bearer "+token)
					r.Header.Set("Content-Type", "application/json")
					w := httptest.NewRecorder()
					s.Handler().ServeHTTP(w, r)
					require.Less(t, w.Code, 500, "%s, body %d", op.Name, i)
					require.True(t, json.Valid(w.Body.Bytes()))
				}
			}
		}
	}
}

func TestALargeBodyIsRefused(t *testing.T) {
	s := ghltest.Start(t)
	status, _, _ := send(t, s, http.MethodPost, "/contacts/search", strings.Repeat("x", 2<<20))
	require.Equal(t, 413, status)
}

func TestLimits(t *testing.T) {
	now := noon
	s := ghltest.Start(t, ghltest.WithClock(func() time.Time { return now }),
		ghltest.WithLimits(ghltest.Limits{Requests: 2, Interval: 10 * time.Second, Daily: 3}))
	get := func() (int, http.Header) {
		status, _, header := send(t, s, http.MethodGet, "/locations/"+s.LocationID(), "")
		return status, header
	}
	status, header := get()
	require.Equal(t, 200, status)
	for name, value := range map[string]string{
		"Max": "2", "Remaining": "1", "Interval-Milliseconds": "10000", "Limit-Daily": "3", "Daily-Remaining": "2",
		"Daily-Reset": "39600000",
	} {
		require.Equal(t, value, header.Get("X-RateLimit-"+name), name)
	}
	require.Equal(t, noon.Format(http.TimeFormat), header.Get("Date"))
	status, _ = get()
	require.Equal(t, 200, status)
	status, header = get()
	require.Equal(t, 429, status)
	require.Equal(t, "0", header.Get("X-RateLimit-Remaining"))

	now = now.Add(10 * time.Second)
	status, _ = get()
	require.Equal(t, 200, status)
	status, header = get()
	require.Equal(t, 429, status, "the daily limit is exhausted")
	require.Equal(t, "0", header.Get("X-RateLimit-Daily-Remaining"))
}

func TestAWrongSeedLeavesNothingBehind(t *testing.T) {
	s, err := ghltest.NewHandler(nil)
	require.NoError(t, err)
	require.Panics(t, func() {
		s.AddContact(ghl.Contact{
			FirstName: "A", CustomFields: []ghl.CustomField{{ID: "x", Value: ghl.ValueOf(json.RawMessage("{"))}},
		})
	})
	require.Panics(t, func() { s.AddContact(ghl.Contact{LocationID: "nowhere"}) })
	require.Empty(t, s.Contacts())
	require.Empty(t, s.URL())
	require.NoError(t, s.Close())
}

// failingTest records the failure of a test.
type failingTest struct {
	testing.TB
	failed   string
	helpers  []string
	cleanups []func()
}

func (f *failingTest) Helper() {
	pc, _, _, _ := runtime.Caller(1)
	f.helpers = append(f.helpers, runtime.FuncForPC(pc).Name())
}
func (f *failingTest) Fatalf(format string, args ...any) {
	f.failed = fmt.Sprintf(format, args...)
}
func (f *failingTest) Cleanup(cleanup func()) { f.cleanups = append(f.cleanups, cleanup) }

func TestStartFailsItsTest(t *testing.T) {
	f := &failingTest{}
	require.Nil(t, ghltest.Start(f, ghltest.WithToken("")))
	require.Contains(t, f.failed, "WithToken")

	f = &failingTest{}
	s := ghltest.Start(f)
	s.AddNote(ghl.Note{ContactID: "nobody"})
	require.Contains(t, f.failed, `AddNote: unknown contact "nobody"`)
	require.Contains(t, f.helpers, "github.com/pluvo/ghl/ghltest.(*Server).AddNote",
		"the test fails at the line of the seed")
	require.Empty(t, s.AddToken(ghl.Token{LocationID: "nowhere"}))
	require.Contains(t, f.failed, `AddToken: unknown location "nowhere"`)
	require.Len(t, f.cleanups, 1)
	f.cleanups[0]()
	_, err := http.Get(s.URL()) //nolint:bodyclose // no answer
	require.Error(t, err, "the server has stopped")
	require.NoError(t, s.Close(), "closing twice is not an error")
}

func TestManyCallersAtOnce(t *testing.T) {
	s, c := start(t)
	const callers, each = 6, 5
	errs := make(chan error)
	for i := range callers {
		go func() {
			errs <- func() error {
				for n := range each {
					made, err := c.Contacts.Create(context.Background(), &ghl.ContactCreate{
						Email: fmt.Sprintf("c%d-%d@example.com", i, n), Tags: []string{"Load"},
					})
					if err != nil {
						return err
					}
					if _, err := c.Notes.Create(context.Background(), made.ID,
						&ghl.NoteCreate{Body: "hello"}); err != nil {
						return err
					}
					if _, err := c.Contacts.Search(context.Background(), nil); err != nil {
						return err
					}
					s.Contacts()
				}
				return nil
			}()
		}()
	}
	for range callers {
		require.NoError(t, <-errs)
	}
	require.Len(t, s.Contacts(), callers*each)
}

// All features are used from many goroutines at once, for the race detector. No call fails, and no contact is lost.
func TestEverythingAtOnce(t *testing.T) {
	s := ghltest.Start(t, ghltest.WithDemoData(), ghltest.WithIndexLag(time.Second))
	app := s.AddApp(ghltest.App{RedirectURLs: []string{callback}})
	in := &inbox{answer: func(n int) int { return 200 + n%3*100 }}
	s.SubscribeHandler(in, ghltest.WithDeliveryFaults(ghltest.DeliveryFaults{Duplicate: ghltest.Chance(0.2),
		Reorder: ghltest.Chance(0.2), Lose: ghltest.Chance(0.1)}))
	c := clientOf(t, s)
	before, ctx := len(s.Contacts()), t.Context()
	id := s.Contacts()[0].ID
	const rounds = 8
	work := []func(n int){
		func(n int) {
			_, err := c.Contacts.Create(ctx, &ghl.ContactCreate{
				Email:       fmt.Sprintf("a%d@example.com", n),
				DNDSettings: &ghl.DNDSettings{SMS: &ghl.DNDSetting{Status: ghl.DNDActive}},
			})
			assert.NoError(t, err)
		},
		func(n int) { s.AddContact(ghl.Contact{FirstName: fmt.Sprint("Seed", n)}) },
		func(int) { _, _ = c.Contacts.Update(ctx, id, &ghl.ContactUpdate{City: ghl.Some("Rome")}) },
		func(int) { _, _ = c.Contacts.Get(ctx, id) },
		func(int) { _, _ = c.Contacts.Search(ctx, nil) },
		func(int) {
			for _, err := range c.Contacts.All(ctx, nil) {
				assert.NoError(t, err)
			}
		},
		func(n int) { _, _ = c.Tags.Add(ctx, id, []string{fmt.Sprint("tag", n)}) },
		func(int) {
			s.Fail(ghltest.Fault{Operation: "contacts.update", Kind: fault.CutBody(), Times: 1})
			active := s.Fail(ghltest.Fault{Operation: "tags.add", Kind: fault.BooleansAsStrings()})
			active.Hits()
			active.Remove()
		},
		func(int) {
			token := s.Install(app, "")
			_, _ = refreshOver(s, app, token.RefreshToken)
			s.SetConsent(ghltest.Consent{})
			s.OAuthCounts()
		},
		func(int) {
			s.Advance(time.Second)
			s.Redeliver()
			_ = s.Flush(ctx)
		},
		func(int) {
			s.Requests()
			s.Contacts()
			s.Tasks(id)
			s.Notes(id)
			s.Appointments(id)
			s.Deliveries()
		},
		func(int) { s.SubscribeHandler(&inbox{}).Cancel() },
	}
	var all sync.WaitGroup
	for _, do := range work {
		all.Go(func() {
			for n := range rounds {
				do(n)
			}
		})
	}
	all.Wait()
	require.Len(t, s.Contacts(), before+2*rounds)
	require.NoError(t, s.Flush(ctx))
}

func refreshOver(s *ghltest.Server, app ghltest.App, token string) (int, error) {
	resp, err := http.PostForm(s.URL()+"/oauth/token", url.Values{
		"client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "grant_type": {"refresh_token"},
		"refresh_token": {token},
	})
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// Servers share no records, tokens, faults or clocks.
func TestServersShareNothing(t *testing.T) {
	first, second := ghltest.Start(t), ghltest.Start(t)
	require.Equal(t, first.LocationID(), second.LocationID(), "ids have the same seed")
	first.AddContact(ghl.Contact{ID: "ada", FirstName: "Ada"})
	first.Fail(ghltest.Fault{Kind: fault.InternalServerError()})
	first.Advance(time.Hour)
	mine := first.AddToken(ghl.Token{AccessToken: "mine"})
	status, _, header := send(t, second, http.MethodGet, "/locations/"+second.LocationID(), "")
	require.Equal(t, 200, status)
	at, err := http.ParseTime(header.Get("Date"))
	require.NoError(t, err)
	require.Less(t, time.Until(at), time.Minute)
	require.Empty(t, second.Contacts())
	status, _, _ = send(t, second, http.MethodGet, "/locations/"+second.LocationID(), "", "Authorization",
		"Bearer "+mine.AccessToken)
	require.Equal(t, 401, status)
	require.Empty(t, first.Requests())
}
