package ghl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

func TestOptionsAreChecked(t *testing.T) {
	for field, opt := range map[string]ghl.Option{
		"token":                   ghl.WithToken(""),
		"TokenSource":             ghl.WithTokenSource(nil),
		"locationId":              ghl.WithLocation("a/b"),
		"BaseURL":                 ghl.WithBaseURL("services.leadconnectorhq.com"),
		"Version":                 ghl.WithVersion("2020-01-01"),
		"HTTPClient":              ghl.WithHTTPClient(nil),
		"UserAgent":               ghl.WithUserAgent("a\r\nX: y"),
		"Logger":                  ghl.WithLogger(nil),
		"Limiter":                 ghl.WithLimiter(nil),
		"LimiterFor":              ghl.WithLimiterFor(nil),
		"RetryPolicy.MaxAttempts": ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: -1}),
		"RetryPolicy":             ghl.WithRetry(ghl.RetryPolicy{MinBackoff: -1}),
		"Middleware":              ghl.WithMiddleware(nil),
	} {
		_, err := ghl.New(ghl.WithToken("t"), opt)
		require.ErrorIs(t, err, ghl.ErrBadInput, field)
		require.Equal(t, field, asError(t, err).Field)
	}
	for _, base := range []string{"", "ftp://x", "https://", "https://u:p@x", "https://x?q=1", "https://x#f",
		"https://x/%2f", "://", "https://:80"} {
		_, err := ghl.New(ghl.WithToken("t"), ghl.WithBaseURL(base))
		require.ErrorIs(t, err, ghl.ErrBadInput, base)
	}
	for _, token := range []string{"a b", "a\n", "é"} {
		_, err := ghl.New(ghl.WithToken(token))
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.NotContains(t, err.Error(), token)
	}
	_, err := ghl.New()
	require.Equal(t, "TokenSource", asError(t, err).Field)
	_, err = ghl.New(nil, ghl.WithToken("t"))
	require.NoError(t, err, "a nil option is ignored")
}

func TestBaseURLKeepsItsPath(t *testing.T) {
	c, s := mocked(t, answers(200, okContact), ghl.WithBaseURL("http://127.0.0.1:1/proxy/"))
	_, err := c.Contacts.Get(t.Context(), "c1")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:1/proxy/contacts/c1", s.requests[0].URL.String())
	require.Equal(t, "127.0.0.1:1", s.requests[0].Host)
}

func TestWithSharesAndIsolates(t *testing.T) {
	made := map[string]int{}
	c, s := mocked(t, answers(200, okContact),
		ghl.WithLimiterFor(func(resource string) ghl.Limiter { made[resource]++; return nil }))
	other, err := c.With(ghl.WithLocation("loc2"), ghl.WithToken("other"))
	require.NoError(t, err)
	for range 3 {
		_, err = other.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		_, err = c.Contacts.Get(t.Context(), "c1", ghl.CallLocation("loc2"))
		require.NoError(t, err)
	}
	require.Equal(t, map[string]int{"loc1": 1, "loc2": 1}, made, "all variants share one limiter for each location")
	require.Equal(t, "Bearer other", s.requests[0].Header.Get("Authorization"))
	require.Equal(t, "Bearer pit-secret-token", s.requests[1].Header.Get("Authorization"))
	require.Equal(t, "loc1", c.Location())
	require.Equal(t, "loc2", other.Location())
	_, err = c.With(ghl.WithLocation(""))
	require.ErrorIs(t, err, ghl.ErrBadInput)
}

// closing counts how often its idle connections are closed.
type closing struct {
	http.RoundTripper
	closed int
}

func (c *closing) CloseIdleConnections() { c.closed++ }

// TestTheUsersClientIsNotChanged: a client changes neither the user's http.Client nor the connections of its transport.
func TestTheUsersClientIsNotChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &closing{RoundTripper: newMock(inTurn(loses))}
		user := &http.Client{Transport: transport, Timeout: 7 * time.Second}
		c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithHTTPClient(user))
		require.NoError(t, err)
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, errReset)
		require.Zero(t, transport.closed)
		require.Same(t, transport, user.Transport)
		require.Nil(t, user.CheckRedirect)
		require.Equal(t, 7*time.Second, user.Timeout)
		user.Transport, user.Timeout = nil, 0 // a later change does not reach the client
		_, err = c.Contacts.Get(t.Context(), "c1")
		require.ErrorIs(t, err, errReset)
	})
}

// TestConnectionsAreReused: every body is drained, also of an error, so one connection serves many calls.
func TestConnectionsAreReused(t *testing.T) {
	var mu sync.Mutex
	from := map[string]bool{}
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		from[r.RemoteAddr] = true
		n++
		i := n
		mu.Unlock()
		switch i % 3 {
		case 0:
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(bytes.Repeat([]byte("x"), 100<<10))
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, server500)
		default:
			_, _ = io.WriteString(w, okContact+"   ")
		}
	}))
	defer server.Close()
	c, err := ghl.New(ghl.WithToken("t"), ghl.WithLocation("loc1"), ghl.WithBaseURL(server.URL),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
		ghl.WithRetry(ghl.RetryPolicy{MinBackoff: time.Microsecond, MaxBackoff: time.Microsecond}))
	require.NoError(t, err)
	for range 30 {
		_, _ = c.Contacts.Get(t.Context(), "c1")
	}
	require.Len(t, from, 1)
}

func TestMiddlewaresSeeTheOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		watch := func(name string) ghl.Option {
			return ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return tripper(func(r *http.Request) (*http.Response, error) {
					op, ok := ghl.OperationFromContext(r.Context())
					require.True(t, ok)
					seen = append(seen, name+" "+op.Name+" "+op.Path)
					return next.RoundTrip(r)
				})
			})
		}
		c, _ := mocked(t, inTurn(answers(500, server500), answers(200, okContact)), watch("inner"), watch("outer"))
		_, err := c.Contacts.Get(t.Context(), "c1")
		require.NoError(t, err)
		once := []string{"outer contacts.get /contacts/{contactId}", "inner contacts.get /contacts/{contactId}"}
		require.Equal(t, append(once, once...), seen, "each attempt passes through the middleware")

		_, ok := ghl.OperationFromContext(t.Context())
		require.False(t, ok)
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestLogsAreAnAllowList: a record has these attributes and no others.
func TestLogsAreAnAllowList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c, _ := mocked(t, inTurn(answers(200,
			`{"contacts":[{"id":"c1","email":"ada@example.com"}, 5],"traceId":"t-1"}`), answers(500, server500)),
			ghl.WithLogger(logger))
		_, err := c.Contacts.List(t.Context(), &ghl.ListContactsOptions{Query: "ada@example.com"})
		require.NoError(t, err)
		_, err = c.Notes.Create(t.Context(), "c1", &ghl.NoteCreate{Body: "private"})
		require.Error(t, err)
		_, err = c.Notes.Get(t.Context(), "c1", "")
		require.Error(t, err)
		var records []map[string]any
		for line := range bytes.Lines(out.Bytes()) {
			var r map[string]any
			require.NoError(t, json.Unmarshal(line, &r))
			delete(r, "time")
			records = append(records, r)
		}
		require.Equal(t, []map[string]any{
			{"level": "WARN", "msg": "ghl call", "operation": "contacts.list", "status": 200.0, "attempts": 1.0, "waited": 0.0, "trace_id": "t-1", "skipped": 1.0},
			{"level": "WARN", "msg": "ghl call", "operation": "notes.create", "status": 500.0, "attempts": 1.0, "waited": 0.0, "trace_id": "trace-500", "skipped": 0.0},
			{"level": "WARN", "msg": "ghl call", "operation": "notes.get", "status": 0.0, "attempts": 0.0, "waited": 0.0, "trace_id": "", "skipped": 0.0},
		}, records)
	})
}

func TestTokensPrintRedacted(t *testing.T) {
	token := ghl.Token{AccessToken: "at-secret", RefreshToken: "rt-secret", CompanyID: "comp1",
		UserType: ghl.UserTypeCompany, ExpiresAt: time.Unix(1, 0)}
	source := ghl.StaticTokenSource("at-secret")
	c, err := ghl.New(ghl.WithToken("at-secret"))
	require.NoError(t, err)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "token", token, "pointer", &token, "nested",
		struct{ T ghl.Token }{token}, "source", source)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "token", token, "pointer", &token, "nested",
		struct{ T *ghl.Token }{&token}, "source", source)
	asJSON, err := json.Marshal(map[string]any{"t": token, "p": &token})
	require.NoError(t, err)
	texts := []string{logged.String(), string(asJSON), token.String()}
	for _, v := range []any{token, &token, source, c, *c, struct{ T ghl.Token }{token}, []*ghl.Token{&token},
		map[string]ghl.Token{"a": token}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
	}
	for _, text := range texts {
		require.NotContains(t, text, "secret")
		require.NotContains(t, text, fmt.Sprintf("%x", "secret"))
	}
	require.Contains(t, token.String(), "comp1")
}

// TestManyCallersShareAClient is for the race detector: goroutines share clients, variants and options.
func TestManyCallersShareAClient(t *testing.T) {
	c, s := mocked(t, answers(200, okContact), ghl.WithTokenSource(&refreshing{current: "a"}))
	shared := []ghl.CallOption{ghl.CallHeader("X-Test", "1"), nil}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			variant, err := c.With(ghl.WithLocation("loc2"))
			if err != nil {
				t.Error(err)
				return
			}
			for _, client := range []*ghl.Client{c, variant} {
				if _, err := client.Contacts.Get(context.Background(), "c1", shared...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 100, s.count())
}

func TestCallResponse(t *testing.T) {
	var resp ghl.Response
	c, _ := mocked(t, inTurn(answers(200, `{"contact":{"id":"c1"},"traceId":"t-7"}`, "X-RateLimit-Max", "25",
		"X-RateLimit-Remaining", "24", "X-Custom", "v"), answers(403, `{"message":"no","traceId":"t-8"}`)))
	_, err := c.Contacts.Get(t.Context(), "c1", ghl.CallResponse(&resp))
	require.NoError(t, err)
	require.Equal(t, 200, resp.Status)
	require.Equal(t, "v", resp.Header.Get("X-Custom"))
	require.Equal(t, "t-7", resp.TraceID)
	require.Equal(t, 1, resp.Attempts)
	require.Equal(t, 25, resp.RateLimit.Limit)
	require.Equal(t, 24, resp.RateLimit.Remaining)
	_, err = c.Contacts.Get(t.Context(), "c1", ghl.CallResponse(&resp))
	require.Error(t, err)
	require.Equal(t, 403, resp.Status)
	require.Equal(t, "t-8", resp.TraceID)
	_, err = c.Contacts.Get(t.Context(), "", ghl.CallResponse(&resp))
	require.Error(t, err)
	require.Equal(t, ghl.Response{}, resp)
}
