package ghl_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// The calls of the tables below. The path of each has the ids c1, t1, n1, e1 and so on.
var (
	getContact = func(ctx context.Context, c *ghl.Client) error { _, err := c.Contacts.Get(ctx, "c1"); return err }
	listAll    = func(ctx context.Context, c *ghl.Client) error { _, err := c.Contacts.List(ctx, nil); return err }
	getTask    = func(ctx context.Context, c *ghl.Client) error { _, err := c.Tasks.Get(ctx, "c1", "t1"); return err }
	listTasks  = func(ctx context.Context, c *ghl.Client) error { _, err := c.Tasks.List(ctx, "c1"); return err }
	createTask = func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Tasks.Create(ctx, "c1", newTask)
		return err
	}
	createContact = func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Contacts.Create(ctx, &ghl.ContactCreate{Email: "a@example.com"})
		return err
	}
	updateContact = func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Contacts.Update(ctx, "c1", &ghl.ContactUpdate{FirstName: ghl.Some("Ada")})
		return err
	}
	deleteContact  = func(ctx context.Context, c *ghl.Client) error { return c.Contacts.Delete(ctx, "c1") }
	getNote        = func(ctx context.Context, c *ghl.Client) error { _, err := c.Notes.Get(ctx, "c1", "n1"); return err }
	getAppointment = func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Appointments.Get(ctx, "e1")
		return err
	}
	deleteAppointment = func(ctx context.Context, c *ghl.Client) error { return c.Appointments.Delete(ctx, "e1") }
	getLocation       = func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Locations.Get(ctx, "loc1")
		return err
	}
	customFields = func(ctx context.Context, c *ghl.Client) error {
		_, err := c.Locations.CustomFields(ctx, "loc1")
		return err
	}
	addCampaign = func(ctx context.Context, c *ghl.Client) error { return c.Campaigns.Add(ctx, "c1", "k1") }
)

// quick retries without waiting.
var quick = ghl.WithRetry(ghl.RetryPolicy{MinBackoff: 1, MaxBackoff: 1})

// requireCategories requires that an error has these categories and no others.
func requireCategories(t *testing.T, err error, want []error, title string) {
	t.Helper()
	for _, category := range append([]error{ghl.ErrLocationForbidden}, categories...) {
		require.Equal(t, slices.Contains(want, category), errors.Is(err, category), "%s: %v: %v", title, category, err)
	}
}

// TestAGatewaysTimeOutIsAServerFailure: with any status. Reads and updates are retried, creates are ambiguous.
func TestAGatewaysTimeOutIsAServerFailure(t *testing.T) {
	for _, message := range []string{
		"Request Timeout after 30000ms", "Command timed out", "upstream request timeout", "Gateway Timeout",
		"Gateway Time-out", "504 Gateway Timeout", "Request timed out", "request timed out, please try again",
		"timeout of 30000ms exceeded", "ETIMEDOUT", "connect ETIMEDOUT 10.0.0.1:443", "ESOCKETTIMEDOUT",
		"socket hang up", "read ECONNRESET", "connect ECONNREFUSED 10.0.0.1:8080", "getaddrinfo EAI_AGAIN contacts",
		"Error: read ECONNRESET", "AxiosError: timeout of 10000ms exceeded",
		"request to http://contacts/x failed, reason: socket hang up", "fetch failed", "Network Error",
		"upstream connect error or disconnect/reset before headers. reset reason: connection termination",
		"no healthy upstream", "stream timeout", "Endpoint request timed out", "Service Unavailable", "Bad Gateway",
		"Service temporarily unavailable", "Internal Server Error", "14 UNAVAILABLE: Connection dropped: read ECONNRESET",
		"4 DEADLINE_EXCEEDED: Deadline exceeded", "context deadline exceeded", "Task timed out after 30.03 seconds",
		"MongoNetworkTimeoutError: connection 5 to 10.0.0.2:27017 timed out",
		"MongoServerSelectionError: Server selection timed out after 30000 ms",
		"Operation `contacts.findOne()` buffering timed out after 10000ms", "operation exceeded time limit",
		"Request failed with status code 502", "AxiosError: Request failed with status code 504", "Error 503",
		"14 UNAVAILABLE: No connection established", "13 INTERNAL: Received RST_STREAM with code 2",
		"10 ABORTED: Too much contention on these documents. Please try again.",
		"rpc error: code = Unavailable desc = closing", "The operation was aborted due to timeout",
		"This operation was aborted", "The user aborted a request.", "Timeout awaiting 'request' for 10000ms",
		"network timeout at: http://contacts/x", "Lock wait timeout exceeded; try restarting transaction",
		"canceling statement due to statement timeout", "Timeout acquiring a connection", "Connection is closed.",
		"Request to upstream timed out", "upstream server is timing out", "Service is currently unavailable",
		"MongoNotConnectedError: Client must be connected", "TimeoutError: Request aborted", "read tcp: i/o timeout",
		"Query timed out", "Timed out", "timeout", "Connection terminated unexpectedly",
	} {
		for _, status := range []int{400, 401, 403, 404, 409, 422} {
			body := `{"message":` + quote(message) + `,"error":"Bad Request","statusCode":400}`
			for _, call := range []struct {
				do   func(context.Context, *ghl.Client) error
				sent int
				want []error
			}{
				{getContact, 4, []error{ghl.ErrServer}},
				{listAll, 4, []error{ghl.ErrServer}},
				{updateContact, 4, []error{ghl.ErrServer}},
				{createTask, 1, []error{ghl.ErrServer, ghl.ErrAmbiguous}},
				{addCampaign, 1, []error{ghl.ErrServer, ghl.ErrAmbiguous}},
			} {
				c, m := mocked(t, answers(status, body), quick)
				err := call.do(t.Context(), c)
				requireCategories(t, err, call.want, message)
				require.Equal(t, call.sent, m.count(), message)
				require.ErrorContains(t, err, message)
			}
		}
	}
	c, m := mocked(t, inTurn(answers(400, `{"message":"Request Timeout after 30000ms","statusCode":400}`),
		answers(200, okContact)), quick)
	require.NoError(t, getContact(t.Context(), c))
	require.Equal(t, 2, m.count())
}

// TestWordsOfAnInputAreNoTimeOut: texts with the same words that are about the caller's input or sign-in.
func TestWordsOfAnInputAreNoTimeOut(t *testing.T) {
	for _, message := range []string{
		"timeout must be a number", "requestTimeout must be a positive number", "request timeout must be a number",
		"The timeout of 30 is too large", "property gatewayTimeout should not exist", "Request timeout is invalid",
		`Invalid title "Gateway Timeout"`, `The title "Request timed out" is used already`,
		"Task 'ECONNRESET' already exists", "Your session timed out, please log in again", "The task timeout 30 is too large",
		"Token timed out", "internal server errors cannot be reported here", "API endpoint has been removed", "Bad things",
		"MongoError: oops", "Request failed with status code 422", "5 NOT_FOUND: No document to update",
		"10 contacts: aborted", "14 contacts are unavailable", "The selected time is unavailable", "The appointment is cancelled",
		"Amount: 504", "Workflow was aborted", "Connection already exists", "name must have at most 502 characters",
	} {
		for _, status := range []int{400, 401, 422} {
			c, m := mocked(t, answers(status, `{"message":`+quote(message)+`,"statusCode":400}`), quick)
			for _, do := range []func(context.Context, *ghl.Client) error{getContact, createTask} {
				err := do(t.Context(), c)
				require.NotErrorIs(t, err, ghl.ErrServer, message)
				require.NotErrorIs(t, err, ghl.ErrAmbiguous, message)
			}
			require.Equal(t, 2, m.count(), message)
		}
	}
}

// TestAPageOfTheNetwork: a page is never a refusal by HighLevel, and the error says what it is.
func TestAPageOfTheNetwork(t *testing.T) {
	const cloudflare = `<!DOCTYPE html><title>Access denied | services.leadconnectorhq.com used Cloudflare to restrict access</title><h1><span>Error</span> <span>1020</span></h1> ada@example.com`
	html := []string{"Content-Type", "text/html"}
	server, unsure := []error{ghl.ErrServer}, []error{ghl.ErrServer, ghl.ErrAmbiguous}
	limited := []error{ghl.ErrRateLimited}
	for _, tc := range []struct {
		title  string
		status int
		body   string
		header []string
		create []error
		text   string
	}{
		{"case 8, HTML", 403, "<title>Access denied | services.leadconnectorhq.com used Cloudflare to restrict access</title> Error 1010", html, server, "403 a page of the network before HighLevel (Cloudflare, error 1010): Access denied"},
		{"case 8, text", 403, "error code: 1010", nil, server, "403 a page of the network before HighLevel (Cloudflare, error 1010): Access denied"},
		{"case 8, 524", 524, "<html>524: A timeout occurred</html>", html, unsure, "524 a page of the network before HighLevel (Cloudflare): a timeout occurred"},
		{"tags between the words", 403, cloudflare, html, server, "(Cloudflare, error 1020): Access denied"},
		{"an attribute", 403, `<span class="cf-error-code">1009</span>`, html, server, "(Cloudflare, error 1009): Access denied"},
		{"a block without a code", 403, "<html><body>Attention Required! | Cloudflare</body></html>", nil, server, "403 a page of the network before HighLevel (Cloudflare): Access denied"},
		{"another firewall", 403, "<html>Request blocked ada@example.com</html>", html, server, "403 a page of the network before HighLevel: Forbidden"},
		{"known by its header", 403, "<html></html>", []string{"Server", "cloudflare", "Cf-Ray", "1"}, server, "(Cloudflare): Access denied"},
		{"plain text", 403, "Forbidden", []string{"Content-Type", "text/plain"}, server, "403 a page of the network before HighLevel: Forbidden"},
		{"401", 401, "<html>401 Authorization Required</html>", html, server, "401 a page of the network before HighLevel: Unauthorized"},
		{"401 of a proxy", 401, "Unauthorized", nil, server, "before HighLevel: Unauthorized"},
		{"404", 404, "<html>nginx: Contact not found</html>", html, server, "404 a page of the network before HighLevel: Not Found"},
		{"404 as text", 404, "404 page not found", nil, server, "before HighLevel: Not Found"},
		{"400", 400, "<html><h1>400 Bad Request</h1></html>", html, server, "before HighLevel: Bad Request"},
		{"400 that is a time-out", 400, "<html><h1>Request Time-out</h1></html>", html, unsure, "before HighLevel: Bad Request"},
		{"400 that is a time-out as text", 400, "upstream request timeout", nil, unsure, "before HighLevel: Bad Request"},
		{"422", 422, "<html>no</html>", html, server, "before HighLevel: Unprocessable Entity"},
		{"405", 405, "<html>no</html>", html, server, "before HighLevel: Method Not Allowed"},
		{"502", 502, "<html>bad gateway</html>", html, unsure, "502 a page of the network before HighLevel: Bad Gateway"},
		{"503 as text", 503, "upstream connect error", nil, unsure, "before HighLevel: Service Unavailable"},
		{"520", 520, "error code: 520", nil, unsure, "520 a page of the network before HighLevel (Cloudflare): the server returned an unknown error"},
		{"521", 521, "<html></html>", html, unsure, "(Cloudflare): the server is down"},
		{"522, empty", 522, "", nil, unsure, "522 the connection timed out"},
		{"524, empty", 524, "", nil, unsure, "524 a timeout occurred"},
		{"530 with a code", 530, "error code: 1016", nil, server, "(Cloudflare, error 1016): the name of the server was not resolved"},
		{"599, empty", 599, "", nil, unsure, "599 the server failed"},
		{"500, empty", 500, "", nil, unsure, "500 Internal Server Error"},
		{"500, JSON without words", 500, "{}", nil, unsure, "500 Internal Server Error"},
		{"1015 as 429", 429, "error code: 1015", []string{"Retry-After", "7200"}, limited, "429 a page of the network before HighLevel (Cloudflare, error 1015): rate limited; retry after 2h0m0s"},
		{"1015 in HTML", 429, "<html>Error 1015</html>", []string{"Retry-After", "7200"}, limited, "(Cloudflare, error 1015): rate limited"},
		{"429 as HTML", 429, "<html></html>", []string{"Retry-After", "7200"}, limited, "before HighLevel: Too Many Requests"},
		{"Cloudflare's JSON", 403, `{"type":"https://developers.cloudflare.com/","title":"Error 1010: Access denied","status":403,"detail":"ada@example.com","error_code":1010,"cloudflare_error":true}`, nil, server, "403 a page of the network before HighLevel (Cloudflare, error 1010): Access denied"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			for _, do := range []func(context.Context, *ghl.Client) error{getContact, deleteContact, createTask} {
				c, m := mocked(t, answers(tc.status, tc.body, tc.header...), quick)
				err := do(t.Context(), c)
				want, sent := tc.create, 1
				if asError(t, err).Operation != "tasks.create" {
					want = slices.DeleteFunc(slices.Clone(want), func(e error) bool { return e == ghl.ErrAmbiguous })
					if want[0] == ghl.ErrServer {
						sent = 4
					}
				}
				requireCategories(t, err, want, tc.title)
				require.Equal(t, sent, m.count())
				require.ErrorContains(t, err, tc.text)
				require.NotContains(t, err.Error(), "ada@example.com")
				require.NotContains(t, err.Error(), "<")
			}
		})
	}
	for _, body := range []string{"too large", "<html><h1>413 Request Entity Too Large</h1></html>"} {
		for _, status := range []int{411, 413, 414, 415, 431} {
			c, m := mocked(t, answers(status, body), quick)
			requireCategories(t, getContact(t.Context(), c), nil, "a page that refuses the request")
			requireCategories(t, createTask(t.Context(), c), nil, "a page that refuses the request")
			require.Equal(t, 2, m.count())
		}
	}
	for _, body := range []string{"Cannot GET /contacts/c1?x=1", "<pre>Cannot GET /contacts/c1</pre>"} {
		c, _ := mocked(t, answers(404, body), quick)
		err := getContact(t.Context(), c)
		requireCategories(t, err, nil, body)
		require.ErrorContains(t, err, "no such endpoint")
	}
}

// TestNotFoundIsTheRecordAskedFor: an error that something else is not found is not ErrNotFound.
func TestNotFoundIsTheRecordAskedFor(t *testing.T) {
	type do = func(context.Context, *ghl.Client) error
	for _, tc := range []struct {
		call   do
		status int
		body   string
	}{
		{getContact, 400, `{"error":"Contact with id c1 not found","status":400}`},
		{getContact, 404, `{"message":"Contact with id c1 not found"}`},
		{getContact, 422, `{"message":"Contact with id c1 not found"}`},
		{getContact, 404, `{"message":"Contact not found","statusCode":404}`},
		{getContact, 404, `{"message":"The requested contact was not found."}`},
		{getContact, 404, `{"message":"No contact found"}`},
		{getContact, 400, `{"message":"No contact found with id c1"}`},
		{getContact, 400, `{"message":"Could not find contact c1"}`},
		{getContact, 400, `{"message":"Contact with id 'c1' does not exist"}`},
		{getContact, 400, `{"message":["Contact c1 doesn't exist"]}`},
		{getContact, 404, `{"error":{"code":"CONTACT_NOT_FOUND"}}`},
		{getContact, 404, `{"error":{"code":"X","message":"Contact could not be found"}}`},
		{getContact, 404, `{"message":"Record not found"}`},
		{getContact, 400, `{"message":"Contact with id c1 not found in this location"}`},
		{getContact, 400, `{"message":"Contact c1 not found or deleted"}`},
		{updateContact, 400, `{"message":"Contact with id c1 not found"}`},
		{deleteContact, 400, `{"message":"Contact with id c1 not found"}`},
		{createTask, 400, `{"message":"Contact with id c1 not found"}`},
		{listTasks, 400, `{"message":"Contact with id c1 not found"}`},
		{getTask, 400, `{"message":"Contact with id c1 not found"}`},
		{getTask, 404, `{"message":"Task not found"}`},
		{getTask, 400, `{"message":"Task with id t1 not found"}`},
		{getNote, 404, `{"message":"Note not found"}`},
		{getAppointment, 404, `{"message":"Appointment not found"}`},
		{getAppointment, 404, `{"message":"Event not found"}`},
		{deleteAppointment, 404, `{"message":"Appointment not found"}`},
		{addCampaign, 404, `{"message":"Campaign not found"}`},
		{getLocation, 400, `{"message":"Location not found"}`},
		{getLocation, 404, `{"message":"Location with id loc1 not found"}`},
	} {
		c, m := mocked(t, answers(tc.status, tc.body), quick)
		requireCategories(t, tc.call(t.Context(), c), []error{ghl.ErrNotFound}, tc.body)
		require.Equal(t, 1, m.count())
	}
	bodies := func(status int, list ...string) map[string]int {
		m := map[string]int{}
		for _, message := range list {
			m[`{"message":`+quote(message)+`}`] = status
		}
		return m
	}
	elsewhere := bodies(400, "Location not found", "User not found", "version header was not found.", "Contact not found",
		"Contact with id c2 not found", "Owner of contact c1 not found", "User u1 not found for contact c1",
		"Custom field c1x not found", "Contact field not found", "Company not found", "Business not found",
		"Contact with id c1 is locked: user not found",
		"Contact with id c1 not found or you do not have access to it", "Contact c1 not found for this token",
		"Contact c1 not found in cache, please retry", "Could not find contact c1, try again later",
		"Contact c1 not found in the search index", "Contact c1 not found yet", "Contact c1 not found: location not found")
	for body, status := range bodies(404, "Location with id L not found", "Location with id loc1 not found",
		"Location not found", "User not found", "Company not found", "Business not found", "route not found",
		"Route GET:/contacts/c1 not found", "Resource not found", "Page not found", "no Route matched with those values",
		"Contact with id c2 not found", "Contact owner not found", "The App was not found.", "Not Found", "", "Gone",
		"Endpoint not found", "Contact not found or access denied",
		"Contact not found in request body", "Contact id not found in header", "Task not found", "Appointment not found", "Contact type not found") {
		elsewhere[body] = status
	}
	for _, body := range []string{`{"statusCode":404}`, `{"error":"Not Found","statusCode":404}`, `[]`, `null`, ``} {
		elsewhere[body] = 404
	}
	for body, status := range elsewhere {
		for _, do := range []do{getContact, updateContact, deleteContact} {
			c, m := mocked(t, answers(status, body), quick)
			requireCategories(t, do(t.Context(), c), nil, body)
			require.Equal(t, 1, m.count())
		}
	}
	for body, call := range map[string]do{
		`{"message":"Contact not found"}`: createContact, `{"message":"Contacts not found"}`: listAll,
		`{"message":"Record not found"}`: listAll, `{"message":"Location not found"}`: customFields,
		`{"message":"Location with id loc1 not found"}`: customFields, `{"message":"Calendar not found"}`: getAppointment,
	} {
		c, _ := mocked(t, answers(404, body), quick)
		requireCategories(t, call(t.Context(), c), nil, body)
	}
}

// TestADeleteFindsNothing: a delete after a lost answer succeeds only if the record itself is gone.
func TestADeleteFindsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, gone := range map[string]bool{
			`{"error":"Contact with id c1 not found","status":400}`: true, `{"message":"Location not found"}`: false,
			`{"message":"User not found"}`: false, `{"message":"Contact with id c2 not found"}`: false,
		} {
			for _, first := range []step{loses, answers(400, `{"message":"Request Timeout after 30000ms"}`)} {
				c, _ := mocked(t, inTurn(first, answers(400, body)))
				err := deleteContact(t.Context(), c)
				require.Equal(t, gone, err == nil, body)
			}
			c, _ := mocked(t, inTurn(answers(403, "error code: 1010"), answers(400, body)))
			require.Error(t, deleteContact(t.Context(), c), "the blocked request has deleted nothing")
		}
	})
}

// TestARefusalOfTheLocation has a category of its own.
func TestARefusalOfTheLocation(t *testing.T) {
	for _, message := range []string{
		"The token does not have access to this location.", "Location is not active", "This location is not accessible",
		"The location is inactive", "Location loc1 is suspended", "Access to this location is denied",
		"You are not authorized to access this location", "No access to location loc1", "Sub-account is not active",
		"User does not have permission to access the sub-account", "Forbidden: you don't have access to this location",
		"Access denied for location loc1", "Location access denied",
	} {
		for _, status := range []int{400, 401, 403} {
			source := &refreshing{current: "old-token", next: []string{"new-token"}}
			c, m := mocked(t, answers(status, `{"statusCode":403,"message":`+quote(message)+`}`),
				ghl.WithTokenSource(source))
			for n, do := range []func(context.Context, *ghl.Client) error{getContact, createTask, listAll} {
				err := do(t.Context(), c)
				requireCategories(t, err, []error{ghl.ErrForbidden, ghl.ErrLocationForbidden}, message)
				require.Equal(t, n+1, m.count())
			}
			require.Zero(t, source.refreshed)
		}
	}
	for message, want := range map[string]error{
		"Forbidden resource": ghl.ErrForbidden, "You do not have access to this contact": ghl.ErrForbidden,
		"Calendar is not accessible in this location":               ghl.ErrForbidden,
		"You do not have access to location custom fields":          ghl.ErrForbidden,
		"Calendar is not active":                                    ghl.ErrForbidden,
		"User is not active in the location":                        ghl.ErrForbidden,
		"The meeting location is not allowed":                       ghl.ErrForbidden,
		"This location does not allow duplicated contacts in bulk.": ghl.ErrForbidden,
	} {
		c, _ := mocked(t, answers(403, `{"message":`+quote(message)+`}`))
		requireCategories(t, getContact(t.Context(), c), []error{want}, message)
	}
}

// TestADefinite400: a 400 to a write that names what is wrong with the content is ErrValidation. An unknown one has no
// category, which is definite too.
func TestADefinite400(t *testing.T) {
	for message, want := range map[string][]error{
		"Please provide at least one of email, phone": {ghl.ErrValidation},
		"email must be an email":                      {ghl.ErrValidation},
		"title should not be empty":                   {ghl.ErrValidation},
		"Invalid phone number":                        {ghl.ErrValidation},
		"dueDate is required":                         {ghl.ErrValidation},
		"Bad things":                                  nil,
		"User not found":                              nil,
		"version header is missing":                   nil,
		"MongoError: oops":                            nil,
		"API endpoint has been removed":               nil,
	} {
		c, m := mocked(t, answers(400, `{"statusCode":400,"message":`+quote(message)+`,"error":"Bad Request"}`), quick)
		requireCategories(t, createContact(t.Context(), c), want, message)
		requireCategories(t, updateContact(t.Context(), c), want, message)
		requireCategories(t, getContact(t.Context(), c), nil, message)
		require.Equal(t, 3, m.count())
	}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// TestASuccessWithAnErrorInItsBody is ErrBadResponse for each kind of call, with HighLevel's message.
func TestASuccessWithAnErrorInItsBody(t *testing.T) {
	op := ghl.Operation{Name: "any", Method: http.MethodPost, Path: "/any"}
	calls := map[string]func(context.Context, *ghl.Client) error{
		"get": getContact, "list": listAll, "delete": deleteContact, "create": createTask, "campaign": addCampaign,
		"call without out": func(ctx context.Context, c *ghl.Client) error { return c.Call(ctx, op, nil, nil) },
		"call with out": func(ctx context.Context, c *ghl.Client) error {
			return c.Call(ctx, op, nil, new(map[string]any))
		},
		"tags": func(ctx context.Context, c *ghl.Client) error {
			_, err := c.Tags.Add(ctx, "c1", []string{"a"})
			return err
		},
		"bulk": func(ctx context.Context, c *ghl.Client) error {
			_, err := c.Contacts.SetBusiness(ctx, &ghl.BusinessUpdate{ContactIDs: []string{"c1"}})
			return err
		},
		"duplicate": func(ctx context.Context, c *ghl.Client) error {
			_, err := c.Contacts.FindDuplicate(ctx, ghl.DuplicateQuery{Email: "a@example.com"})
			return err
		},
	}
	for body, text := range map[string]string{
		`{"statusCode":401,"message":"Invalid JWT"}`:                             "Invalid JWT",
		`{"statusCode":500,"message":"Internal server error"}`:                   "Internal server error",
		`{"status":500,"message":"Oh no","traceId":"t"}`:                         "Oh no",
		`{"status":"error","message":"Oh no"}`:                                   "Oh no",
		`{"code":"403","message":"Oh no"}`:                                       "Oh no",
		`{"error":"Oh no"}`:                                                      "Oh no",
		`{"error":{"code":"X","message":"Oh no","details":[]}}`:                  "Oh no",
		`{"success":false,"message":"Oh no"}`:                                    "Oh no",
		`{"succeded":false}`:                                                     "reports a failure",
		`{"errors":[{"message":"a is bad"},"b is bad"]}`:                         "a is bad; b is bad",
		`{"error":true,"message":["a is bad","b is bad"]}`:                       "a is bad; b is bad",
		"\ufeff" + `{"statusCode":401,"message":"Invalid JWT"}`:                  "Invalid JWT",
		`<html>ok</html>`:                                                        "a page",
		" \n<!DOCTYPE html><title>ada@example.com</title>":                       "a page",
		`OK ada@example.com`:                                                     "not JSON",
		`{"contact":{"id":"c1"`:                                                  "not JSON",
		`{"statusCode":404,"message":"Contact with id c1 not found","error":""}`: "Contact with id c1 not found",
	} {
		for _, status := range []int{200, 201, 202} {
			for name, do := range calls {
				c, m := mocked(t, answers(status, body), quick)
				err := do(t.Context(), c)
				requireCategories(t, err, []error{ghl.ErrBadResponse}, name+" "+body)
				require.ErrorContains(t, err, text, name)
				require.NotContains(t, err.Error(), "ada@example.com")
				require.NotContains(t, err.Error(), "\n")
				require.Equal(t, 1, m.count(), "%s %s", name, body)
			}
		}
	}
	c, _ := mocked(t, answers(200, `{"message":"Invalid JWT"}`))
	require.ErrorContains(t, getContact(t.Context(), c), "the answer has no contact: Invalid JWT")
	for _, message := range []string{"Invalid JWT", "Invalid Private Integration token", "Unauthorized", "Forbidden",
		"Forbidden resource", "Endpoint request timed out", "Internal server error", "Not Found",
		"The token does not have access to this location."} {
		c, _ := mocked(t, answers(200, `{"message":`+quote(message)+`,"traceId":"t"}`))
		for name, do := range map[string]func(context.Context, *ghl.Client) error{
			"delete": deleteContact, "campaign": addCampaign, "call without out": calls["call without out"],
		} {
			err := do(t.Context(), c)
			requireCategories(t, err, []error{ghl.ErrBadResponse}, name+" "+message)
			require.ErrorContains(t, err, message)
		}
	}
}

// TestAByteOrderMark before an answer is ignored.
func TestAByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	c, _ := mocked(t, answers(200, mark+okContact))
	contact, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, "Ada", contact.FirstName)
	var out map[string]any
	require.NoError(t, c.Call(t.Context(), ghl.Operation{Name: "any", Method: http.MethodGet, Path: "/any"}, nil, &out))
	require.Contains(t, out, "contact")
	c, _ = mocked(t, answers(400, mark+`{"error":"Contact with id c1 not found","status":400,"traceId":"t1"}`))
	err = getContact(t.Context(), c)
	requireCategories(t, err, []error{ghl.ErrNotFound}, "not found")
	require.EqualError(t, err, "ghl: contacts.get: 400 Contact with id c1 not found [trace t1]")
}

// TestWhatIsNoFalseSuccess: answers that hold words of an error without being one.
func TestWhatIsNoFalseSuccess(t *testing.T) {
	for _, body := range []string{"", " ", "{}", "[]", "[1]", "null", "true", `"ok"`, `{"message":"Deleted"}`, `{"message":"Gone"}`,
		`{"message":"Contact removed from the location"}`, `{"message":"Forbidden","success":true}`,
		`{"success":true}`, `{"succeded":true,"error":null}`, `{"success":true,"message":"done","error":""}`,
		`{"statusCode":200,"message":"ok"}`, `{"status":"active"}`, `{"status":200}`, `{"error":false}`, `{"errors":[]}`,
		`{"error":{}}`, `{"error":0}`, `{"id":"m1","status":500,"error":"undelivered"}`} {
		for _, status := range []int{200, 201, 204} {
			c, _ := mocked(t, answers(status, body))
			require.NoError(t, deleteContact(t.Context(), c), body)
			require.NoError(t, c.Call(t.Context(), ghl.Operation{Name: "any", Method: http.MethodGet, Path: "/any"}, nil, nil),
				body)
		}
	}
	for _, body := range []string{
		`{"contact":{"id":"c1"},"message":"ok","error":"none"}`, `{"contact":{"id":"c1","status":500,"error":"x"}}`,
		`{"contact":{"id":"c1"},"status":"error"}`, `{"contact":{"id":"c1"},"success":false}`,
	} {
		c, _ := mocked(t, answers(200, body))
		require.NoError(t, getContact(t.Context(), c), body)
	}
	c, _ := mocked(t, answers(200, `{"contact":{"id":"c1"},"succeded":false}`))
	require.ErrorIs(t, updateContact(t.Context(), c), ghl.ErrBadResponse)
	c, _ = mocked(t, answers(200, `{"contacts":[],"statusCode":500,"message":"Oh no"}`))
	require.ErrorIs(t, listAll(t.Context(), c), ghl.ErrBadResponse)
}

// TestARefusedTokenInASuccess is refreshed as after a 401.
func TestARefusedTokenInASuccess(t *testing.T) {
	source := &refreshing{current: "old-token", next: []string{"new-token"}}
	c, m := mocked(t, inTurn(answers(200, badJWT), answers(201, okTask)), ghl.WithTokenSource(source))
	require.NoError(t, createTask(t.Context(), c))
	require.Equal(t, "Bearer new-token", m.sent()[1].Header.Get("Authorization"))

	c, m = mocked(t, answers(200, badJWT), ghl.WithTokenSource(&refreshing{current: "old-token", next: []string{"new-token"}}))
	require.ErrorIs(t, createTask(t.Context(), c), ghl.ErrBadResponse)
	require.Equal(t, 2, m.count())
}

// TestALongAnswerIsClipped: an answer of a megabyte is judged by the start of its texts, because all of it takes seconds.
func TestALongAnswerIsClipped(t *testing.T) {
	long := strings.Repeat("the connection \u00e9", 60_000)
	list := `["Request Timeout after 30000ms"` + strings.Repeat(`,"a is bad"`, 80_000) + `]`
	for _, body := range []string{
		`{"message":` + quote("Request Timeout after 30000ms. "+long) + `}`, `{"message":` + list + `}`,
	} {
		c, m := mocked(t, answers(400, body), quick)
		err := asError(t, getContact(t.Context(), c))
		requireCategories(t, err, []error{ghl.ErrServer}, body[:40])
		require.Equal(t, 4, m.count())
		require.LessOrEqual(t, len(strings.Join(err.Details, "")), 16<<10)
		require.LessOrEqual(t, len(err.Error()), 2000)
	}
	c, _ := mocked(t, answers(200, `{"message":`+quote("Invalid JWT "+long)+`}`), quick)
	require.ErrorIs(t, deleteContact(t.Context(), c), ghl.ErrBadResponse)
}
