package ghl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

var categories = []error{
	ghl.ErrBadInput, ghl.ErrValidation, ghl.ErrNotFound, ghl.ErrUnauthorized, ghl.ErrMissingScope, ghl.ErrForbidden,
	ghl.ErrDuplicateContact,
	ghl.ErrSlotTaken, ghl.ErrRateLimited, ghl.ErrDailyLimit, ghl.ErrReauthRequired, ghl.ErrServer, ghl.ErrAmbiguous,
	ghl.ErrBadResponse,
}

func TestEveryShapeOfError(t *testing.T) {
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		message string
		is      []error
		trace   string
	}{
		{"message and error", 403, `{"message":"Forbidden resource","error":"Forbidden","statusCode":403}`, "Forbidden resource", []error{ghl.ErrForbidden}, ""},
		{"message array", 422, `{"message":["companyId must be a string","x should not exist"],"error":"Unprocessable Entity","statusCode":422}`, "companyId must be a string; x should not exist", []error{ghl.ErrValidation}, ""},
		{"message string", 422, `{"message":"Invalid Operator (gte) passed for field date_added","error":"Unprocessable Entity","statusCode":422}`, "Invalid Operator (gte) passed for field date_added", []error{ghl.ErrValidation}, ""},
		{"not found as 400, status instead of statusCode", 400, `{"error":"Contact with id c1 not found","status":400}`, "Contact with id c1 not found", []error{ghl.ErrNotFound}, ""},
		{"name and trace", 400, `{"status":400,"message":"MongoError: oops","name":"HttpException","traceId":"t-1"}`, "MongoError: oops", nil, "t-1"},
		{"duplicate", 400, `{"statusCode":400,"message":"This location does not allow duplicated contacts.","meta":{"contactName":"","contactId":"c9","matchingField":"email"},"traceId":"t-2"}`, "This location does not allow duplicated contacts.", []error{ghl.ErrDuplicateContact}, "t-2"},
		{"slot taken", 400, `{"statusCode":400,"message":"The slot you have selected is no longer available."}`, "The slot you have selected is no longer available.", []error{ghl.ErrSlotTaken}, ""},
		{"OAuth", 401, `{"error":"UnAuthorized!","error_description":"Authorization code not found"}`, "Authorization code not found", []error{ghl.ErrUnauthorized}, ""},
		{"missing scope", 401, `{"statusCode":401,"message":"The token is not authorized for this scope."}`, "The token is not authorized for this scope.", []error{ghl.ErrMissingScope, ghl.ErrUnauthorized}, ""},
		{"another location", 403, `{"statusCode":403,"message":"The token does not have access to this location."}`, "The token does not have access to this location.", []error{ghl.ErrForbidden}, ""},
		{"v3", 404, `{"error":{"code":"RESOURCE_NOT_FOUND","message":"The Contact was not found.","details":{"resource":"Contact"},"resolution":"Verify the Contact exists."},"traceId":"t-3"}`, "The Contact was not found.; Verify the Contact exists.", []error{ghl.ErrNotFound}, "t-3"},
		{"v3 with a code alone", 400, `{"error":{"code":"INVALID"}}`, "INVALID", nil, ""},
		{"canonical code", 400, `{"canonicalCode":"INVALID_ARGUMENT"}`, "INVALID_ARGUMENT", nil, ""},
		{"removed endpoint", 400, `{"message":"API endpoint has been removed"}`, "API endpoint has been removed", nil, ""},
		{"status that is not HTTP's", 422, `{"statusCode":400,"message":"no"}`, "no", []error{ghl.ErrValidation}, ""},
		{"unknown path", 404, ``, "no such endpoint in this version of the API", nil, ""},
		{"unknown path in words", 404, `{"message":"Cannot GET /contacts/c1?query=secret","error":"Not Found","statusCode":404}`, "no such endpoint in this version of the API", nil, ""},
		{"odd types", 422, `{"message":{"message":["deep"]},"traceId":17,"meta":[]}`, "deep", []error{ghl.ErrValidation}, "17"},
		{"an array", 400, `["no"]`, "", nil, ""},
		{"null", 400, `null`, "", nil, ""},
		{"broken JSON", 400, `{"message":"half`, "", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := mocked(t, answers(tc.status, tc.body))
			_, err := c.Contacts.Get(t.Context(), "c1")
			e := asError(t, err)
			require.Equal(t, tc.status, e.Status)
			require.Equal(t, tc.message, e.Message)
			require.Equal(t, tc.trace, e.TraceID)
			require.Equal(t, "contacts.get", e.Operation)
			require.Equal(t, 1, e.Attempts)
			require.Equal(t, tc.body, string(e.Body()))
			for _, category := range categories {
				want := false
				for _, is := range tc.is {
					want = want || is == category
				}
				require.Equal(t, want, errors.Is(err, category), category.Error())
			}
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), "query=")
		})
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	c, _ := mocked(t, answers(401, `{"message":"The token is not authorized for this scope.","traceId":"t-9"}`))
	_, err := c.Tasks.Search(t.Context(), nil)
	require.EqualError(t, err, "ghl: tasks.search: 401 The token is not authorized for this scope.; needs scope locations/tasks.readonly [trace t-9]")
	require.Equal(t, []ghl.Scope{ghl.ScopeLocationsTasksReadonly}, asError(t, err).Scopes)

	c, _ = mocked(t, answers(400, `{"message":"This location does not allow duplicated contacts.","meta":{"contactName":"Ada L","contactId":"c9","matchingField":"phone"}}`))
	_, err = c.Contacts.Create(t.Context(), &ghl.ContactCreate{Phone: "+18005550100"})
	require.Equal(t, &ghl.Duplicate{ContactID: "c9", ContactName: "Ada L", MatchingField: "phone"},
		asError(t, err).Duplicate)

	synctest.Test(t, func(t *testing.T) {
		c, _ := mocked(t, answers(500, server500))
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.EqualError(t, err, "ghl: contacts.get: 500 Internal server error [trace trace-500] [4 attempts]")
		_, err = c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "x"})
		require.EqualError(t, err,
			"ghl: notes.create: 500 Internal server error; it may have happened all the same [trace trace-500]")
		c, _ = mocked(t, loses)
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.EqualError(t, err,
			"ghl: contacts.get: the connection was lost: read: connection reset by peer [4 attempts]")
	})

	_, err = c.Contacts.Get(t.Context(), "../x")
	require.EqualError(t, err, "ghl: contacts.get: contactId holds a character that no id has (field contactId)")
}

// TestErrorsTellNoSecrets: the text of an error has no token, query, path or body, even if the server echoes them.
func TestErrorsTellNoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const token = "pit-secret-token"
		for name, do := range map[string]step{
			"echoed token":      answers(400, `{"message":"bad header Bearer `+token+`","traceId":"t"}`),
			"echoed in a list":  answers(422, `{"message":["a","`+token+`"]}`),
			"echoed in HTML":    answers(500, `<pre>Authorization: Bearer `+token+` ada@example.com</pre>`),
			"redirect":          answers(302, "", "Location", "https://evil.example.com/?token="+token),
			"lost":              loses,
			"not JSON":          answers(200, `ada@example.com `+token),
			"JSON of no record": answers(200, `{"contacts":"ada@example.com","secret":"`+token+`"}`),
		} {
			c, _ := mocked(t, do)
			_, err := c.Contacts.List(t.Context(), &ghl.ListContactsOptions{Query: "ada@example.com"})
			e := asError(t, err)
			asJSON, _ := json.Marshal(struct{ Err error }{err})
			var logged strings.Builder
			slog.New(slog.NewJSONHandler(&logged, nil)).Error("failed", "err", err)
			for _, text := range []string{err.Error(), fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err),
				fmt.Sprintf("%#v", err), fmt.Sprintf("%+v", *e), fmt.Sprintf("%#v", *e), string(asJSON),
				logged.String()} {
				require.NotContains(t, text, token, name)
				require.NotContains(t, text, "ada@example.com", name)
				require.NotContains(t, text, "/contacts/", name)
				require.NotContains(t, text, "loc1", name)
			}
		}
	})
}

func TestErrorTextIsBounded(t *testing.T) {
	huge := strings.Repeat("é\n", 40_000)
	body, err := json.Marshal(map[string]any{"message": huge, "traceId": strings.Repeat("t", 5000)})
	require.NoError(t, err)
	c, _ := mocked(t, answers(400, string(body)))
	_, err = c.Contacts.Get(t.Context(), "c1")
	require.LessOrEqual(t, len(err.Error()), 2000)
	require.True(t, utf8.ValidString(err.Error()))
	require.Contains(t, err.Error(), "[trace ttt")
	require.NotContains(t, err.Error(), "\n")
	require.LessOrEqual(t, len(asError(t, err).Body()), 64<<10)
}

func TestOversizedAnswers(t *testing.T) {
	endless := func(status int) step {
		return func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: &endlessBody{}, Request: r}, nil
		}
	}
	c, _ := mocked(t, endless(200))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.ErrorIs(t, err, ghl.ErrBadResponse)
	require.LessOrEqual(t, len(asError(t, err).Body()), 64<<10)

	c, _ = mocked(t, endless(403))
	_, err = c.Contacts.Get(t.Context(), "c1")
	require.ErrorIs(t, err, ghl.ErrForbidden)
	require.LessOrEqual(t, len(asError(t, err).Body()), 64<<10)
}

type endlessBody struct{}

func (*endlessBody) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
func (*endlessBody) Close() error { return nil }

func TestAnErrorIsTheCallersOwn(t *testing.T) {
	shared := &ghl.Error{Message: "from a source"}
	c, _ := mocked(t, answers(200, okContact), ghl.WithTokenSource(failingSource{shared}))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.Equal(t, "contacts.get", asError(t, err).Operation)
	require.Empty(t, shared.Operation, "an error that a source returns to many callers is not changed")

	c, _ = mocked(t, answers(400, `{"message":"no"}`))
	_, err = c.Contacts.Get(t.Context(), "c1")
	asError(t, err).Body()[0] = 'X'
	require.Equal(t, `{"message":"no"}`, string(asError(t, err).Body()))
}
