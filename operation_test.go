package ghl_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

func operation(t testing.TB, name string) ghl.Operation {
	t.Helper()
	ops := ghl.Operations()
	i := slices.IndexFunc(ops, func(op ghl.Operation) bool { return op.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return ops[i]
}

func TestCatalog(t *testing.T) {
	ops := ghl.Operations()
	seen, paths := map[string]bool{}, map[string]string{}
	for _, op := range ops {
		require.False(t, seen[op.Name], "%s is listed twice", op.Name)
		seen[op.Name] = true
		require.Empty(t, paths[op.Method+op.Path], "%s has the method and path of %s", op.Name,
			paths[op.Method+op.Path])
		paths[op.Method+op.Path] = op.Name
		require.True(t, strings.HasPrefix(op.Path, "/"), op.Name)
		calendars := strings.HasPrefix(op.Path, "/calendars")
		require.Equal(t, calendars, op.Version == "2021-04-15", op.Name)
		require.True(t, calendars || op.Version == "", op.Name)
	}
}

func TestOperationsAreCopies(t *testing.T) {
	ops, want := ghl.Operations(), fmt.Sprint(ghl.Operations())
	for i := range ops {
		ops[i].Path, ops[i].Method, ops[i].Name, ops[i].Version = "/hijacked", "PATCH", "x", "v9"
		for j := range ops[i].Scopes {
			ops[i].Scopes[j] = "everything"
		}
	}
	clear(ops)
	require.Equal(t, want, fmt.Sprint(ghl.Operations()))
	c, m := mocked(t, replies(t, `{"contact":{"id":"c1"}}`),
		ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return transportFunc(func(r *http.Request) (*http.Response, error) {
				op, _ := ghl.OperationFromContext(r.Context())
				op.Scopes[0], op.Path = "everything", "/hijacked"
				return next.RoundTrip(r)
			})
		}))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, "/contacts/c1", m.sent()[0].Path)
	require.Equal(t, []ghl.Scope{"contacts.readonly"}, operation(t, "contacts.get").Scopes)

	_, ok := ghl.OperationFromContext(t.Context())
	require.False(t, ok)
}

func TestScopesFor(t *testing.T) {
	var all []string
	for _, op := range ghl.Operations() {
		all = append(all, op.Name)
	}
	documented := map[ghl.Scope]bool{}
	for _, row := range methodRows {
		documented[row.scope] = true
	}
	for _, tc := range []struct {
		names []string
		want  []ghl.Scope
	}{
		{[]string{"contacts.get"}, []ghl.Scope{ghl.ScopeContactsReadonly}},
		{[]string{"notes.create", "contacts.get", "tasks.delete", "contacts.list"},
			[]ghl.Scope{ghl.ScopeContactsReadonly, ghl.ScopeContactsWrite}},
		{[]string{"locations.tags", "appointments.create", "calendars.list", "locations.get"},
			[]ghl.Scope{ghl.ScopeCalendarsReadonly, ghl.ScopeCalendarsEventsWrite, ghl.ScopeLocationsReadonly,
				ghl.ScopeLocationsTagsReadonly}},
		{all, slices.Sorted(maps.Keys(documented))},
	} {
		var ops []ghl.Operation
		for _, name := range tc.names {
			ops = append(ops, operation(t, name))
		}
		require.Equal(t, tc.want, ghl.ScopesFor(ops...))
	}
	require.Empty(t, ghl.ScopesFor(), "no operations need no scopes")
	require.Equal(t, []ghl.Scope{"a", "b"},
		ghl.ScopesFor(ghl.Operation{Scopes: []ghl.Scope{"b", "a"}}, ghl.Operation{Scopes: []ghl.Scope{"b"}},
			ghl.Operation{}))
}

// TestCallOfTheCatalog calls an operation of the catalog without its method.
func TestCallOfTheCatalog(t *testing.T) {
	c, m := mocked(t, replies(t, `{"task":{"id":"t1","completed":true}}`))
	var out struct {
		Task ghl.Task `json:"task"`
	}
	err := c.Call(t.Context(), operation(t, "tasks.setCompleted"), map[string]bool{"completed": true}, &out,
		ghl.CallPath("contactId", "c1"), ghl.CallPath("taskId", "t1"))
	require.NoError(t, err)
	require.Equal(t, "t1", out.Task.ID)
	r := m.sent()[0]
	require.Equal(t, "PUT /contacts/c1/tasks/t1/completed", r.Method+" "+r.Path)
	require.Equal(t, "2021-07-28", r.Header.Get("Version"))
	require.JSONEq(t, `{"completed":true}`, r.Body)

	// Call sends the operation's Version and adds the location: to the path, the query and the body of an input of this
	// package.
	c, m = mocked(t, replies(t, `{}`, `{}`, `{}`))
	require.NoError(t, c.Call(t.Context(), operation(t, "calendars.list"), nil, nil, ghl.CallQuery("groupId", "g1")))
	require.NoError(t, c.Call(t.Context(), operation(t, "locations.tags"), nil, nil))
	require.NoError(t, c.Call(t.Context(), operation(t, "contacts.create"), &ghl.ContactCreate{Name: "A"}, nil))
	require.Equal(t, "groupId=g1&locationId=loc1", m.sent()[0].RawQuery)
	require.Equal(t, "2021-04-15", m.sent()[0].Header.Get("Version"))
	require.Equal(t, "/locations/loc1/tags", m.sent()[1].Path)
	require.JSONEq(t, `{"locationId":"loc1","name":"A"}`, m.sent()[2].Body)

	// Call refuses the inputs that the methods refuse.
	requireBadInput(t, unreached(t).Call(t.Context(), operation(t, "contacts.create"), &ghl.ContactCreate{}, nil),
		"Email")
}

func TestCallUnderV3(t *testing.T) {
	c, m := mocked(t, replies(t, `{}`, `{}`, `{}`, `{}`), ghl.WithVersion(ghl.VersionV3))
	require.NoError(t,
		c.Call(t.Context(), operation(t, "campaigns.removeAll"), nil, nil, ghl.CallPath("contactId", "c1")))
	require.NoError(t, c.Call(t.Context(), operation(t, "calendars.list"), nil, nil))
	require.NoError(t,
		c.Call(t.Context(),
			ghl.Operation{Name: "x.y", Method: "GET", Path: "/old", PathV3: "/new", Version: "2021-04-15"}, nil, nil))
	require.NoError(t, c.Call(t.Context(), ghl.Operation{Name: "x.y", Method: "GET", Path: "/old"}, nil, nil))
	var got []string
	for _, r := range m.sent() {
		got = append(got, r.Path+" "+r.Header.Get("Version"))
	}
	require.Equal(t, []string{"/contacts/c1/campaigns/remove-all v3", "/calendars/ v3", "/new v3", "/old v3"}, got)
}

func TestCallOfACustomOperation(t *testing.T) {
	op := ghl.Operation{Name: "opportunities.move", Method: "PATCH",
		Path: "/locations/{locationId}/opportunities/{id}/stage", Version: "2023-02-21",
		Scopes: []ghl.Scope{"opportunities.write"}}
	c, m := mocked(t, inTurn(answers(201, `{"ok":true}`), answers(204, ""), answers(200, ""), answers(200, `[1,2]`),
		answers(401, `{"message":"The token is not authorized for this scope.","traceId":"tr"}`)))
	var out struct{ OK bool }
	err := c.Call(t.Context(), op, map[string]string{"stage": "won"}, &out, ghl.CallPath("id", "o1"),
		ghl.CallQuery("notify", "a b&c"), ghl.CallQuery("notify", "+"), ghl.CallQuery("empty", ""))
	require.NoError(t, err)
	require.True(t, out.OK)
	r := m.sent()[0]
	require.Equal(t, "PATCH /locations/loc1/opportunities/o1/stage", r.Method+" "+r.Path)
	require.Equal(t, "empty=&notify=a+b%26c&notify=%2B", r.RawQuery)
	require.Equal(t, "2023-02-21", r.Header.Get("Version"))
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.JSONEq(t, `{"stage":"won"}`, r.Body)

	require.NoError(t, c.Call(t.Context(), op, nil, nil, ghl.CallPath("id", "o1")),
		"a call without an output accepts an empty answer")
	require.Empty(t, m.sent()[1].Body)
	require.Empty(t, m.sent()[1].Header.Get("Content-Type"))
	require.ErrorIs(t, c.Call(t.Context(), op, nil, &out, ghl.CallPath("id", "o1")), ghl.ErrBadResponse,
		"a call with an output does not")
	var list []int
	require.NoError(t, c.Call(t.Context(), op, nil, &list, ghl.CallPath("id", "o1")))
	require.Equal(t, []int{1, 2}, list)

	err = c.Call(t.Context(), op, nil, &out, ghl.CallPath("id", "o1"))
	require.ErrorIs(t, err, ghl.ErrMissingScope)
	var e *ghl.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, []ghl.Scope{"opportunities.write"}, e.Scopes)
	require.Equal(t, "opportunities.move", e.Operation)
	require.NotContains(t, err.Error(), "o1")
}

func TestCallOfAForm(t *testing.T) {
	c, m := mocked(t, replies(t, `{"id":"x"}`))
	err := c.Call(t.Context(), ghl.Operation{Name: "x.form", Method: "POST", Path: "/x"},
		url.Values{"b": {"2", "ü&="}, "a": {"1"}}, nil)
	require.NoError(t, err)
	require.Equal(t, "a=1&b=2&b=%C3%BC%26%3D", m.sent()[0].Body)
	require.Equal(t, "application/x-www-form-urlencoded", m.sent()[0].Header.Get("Content-Type"))
}

func TestCallRefusesBadOperations(t *testing.T) {
	c := unreached(t)
	good := ghl.Operation{Name: "x.y", Method: "GET", Path: "/x/{a}/{b}"}
	for _, tc := range []struct {
		name, field string
		change      func(*ghl.Operation)
	}{
		{"no name", "Operation.Name", func(op *ghl.Operation) { op.Name = "" }},
		{"no method", "Operation.Method", func(op *ghl.Operation) { op.Method = "" }},
		{"method in lower case", "Operation.Method", func(op *ghl.Operation) { op.Method = "get" }},
		{"CONNECT", "Operation.Method", func(op *ghl.Operation) { op.Method = "CONNECT" }},
		{"method with a line break", "Operation.Method", func(op *ghl.Operation) {
			op.Method = "GET / HTTP/1.1\r\nX: y"
		}},
		{"no path", "Operation.Path", func(op *ghl.Operation) { op.Path = "" }},
		{"relative path", "Operation.Path", func(op *ghl.Operation) { op.Path = "x" }},
		{"URL", "Operation.Path", func(op *ghl.Operation) { op.Path = "https://evil.example/x" }},
		{"another host", "Operation.Path", func(op *ghl.Operation) { op.Path = "//evil.example/x" }},
		{"query", "Operation.Path", func(op *ghl.Operation) { op.Path = "/x?a=b" }},
		{"fragment", "Operation.Path", func(op *ghl.Operation) { op.Path = "/x#a" }},
		{"dots", "Operation.Path", func(op *ghl.Operation) { op.Path = "/x/../y" }},
		{"escaped", "Operation.Path", func(op *ghl.Operation) { op.Path = "/x/%2e%2e/y" }},
		{"line break", "Operation.Path", func(op *ghl.Operation) { op.Path = "/x\r\n" }},
		{"backslash", "Operation.Path", func(op *ghl.Operation) { op.Path = `/x\y` }},
		{"open placeholder", "Operation.Path", func(op *ghl.Operation) { op.Path = "/x/{a" }},
		{"v3 path", "Operation.PathV3", func(op *ghl.Operation) { op.PathV3 = "x" }},
		{"unfilled placeholder", "b", func(*ghl.Operation) {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			op := good
			tc.change(&op)
			err := c.Call(t.Context(), op, nil, nil, ghl.CallPath("a", "1"))
			requireBadInput(t, err, tc.field)
			var e *ghl.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, op.Name, e.Operation)
		})
	}
	t.Run("a body that is not JSON", func(t *testing.T) {
		requireBadInput(t,
			c.Call(t.Context(), ghl.Operation{Name: "x.y", Method: "POST", Path: "/x"}, make(chan int), nil), "body")
	})
	t.Run("no location", func(t *testing.T) {
		c, err := ghl.New(ghl.WithToken("pit-secret"),
			ghl.WithHTTPClient(&http.Client{Transport: newMock(unexpected(t))}))
		require.NoError(t, err)
		requireBadInput(t,
			c.Call(t.Context(), ghl.Operation{Name: "x.y", Method: "GET", Path: "/locations/{locationId}/x"}, nil,
				nil), "locationId")
	})
}
