package ghlsync_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
	"github.com/pluvo/ghl/pluvo"
)

func registered(t testing.TB, s *ghlsync.Syncer) *prometheus.Registry {
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(s.Metrics()))
	return registry
}

// gather returns the text of a scrape.
func gather(t testing.TB, s *ghlsync.Syncer) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registered(t, s), promhttp.HandlerOpts{}).ServeHTTP(w,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

// logged is a buffer for logs that is safe for concurrent use.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// TestMetricsAndLogs checks the metrics after changes on both sides, a failure and a refused webhook, and that
// metrics and logs contain no personal data and no secrets. Metrics contain no ids of contacts either.
func TestMetricsAndLogs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		logs := &logged{}
		c := config(t, address, server)
		c.Logger = slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s := start(t, c)
		handler := subscribe(t, s, server)
		client := clientOf(t, server)
		ctx := t.Context()
		ada, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Adalovelace", Email: "ada@example.com",
			Phone: "415-555-0100"})
		require.NoError(t, err)
		require.NoError(t, server.Flush(ctx))
		becomes(t, s, func(l ghlsync.LocationHealth) bool { return l.Waiting == 0 && !l.LastDelivery.IsZero() })
		server.Fail(ghltest.Fault{Kind: fault.ValidationString("no: ada@example.com"), Operation: "contacts.create"})
		_, err = s.Pluvo().Put(ctx, &pluvo.Contact{ID: "p1", FirstName: "Gracehopper", Email: "grace@example.com",
			Phone: "+14155550199"}, pluvo.NoVersion)
		require.NoError(t, err)
		s.PluvoChanged()
		becomes(t, s, stopped(1))
		handler.ServeHTTP(httptest.NewRecorder(),
			httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"type":"ContactCreate"}`)))

		text := gather(t, s)
		l := server.LocationID()
		for _, line := range []string{
			`ghlsync_database_up 1`, `ghlsync_processes 1`, `ghlsync_alerts_waiting 0`,
			`ghlsync_runs_total{location="` + l + `",result="stopped"} 1`,
			`ghlsync_failures_total{category="validation failed",location="` + l + `",operation="contacts.create"} 1`,
			`ghlsync_requests_total{code="422",operation="contacts.create"} 1`,
			`ghlsync_open_failures{location="` + l + `",state="stopped"} 1`,
			`ghlsync_deliveries_total{location="` + l + `",type="ContactCreate"} 1`,
			`ghlsync_webhook_answers_total{code="200"} 1`, `ghlsync_webhook_answers_total{code="401"} 1`,
			`ghlsync_writes_total{action="create",kind="contact",location="` + l + `",to="pluvo"} 1`,
			`ghlsync_contacts{location="` + l + `",state="waiting"} 0`,
			`ghlsync_location_paused{location="` + l + `"} 0`,
			`ghlsync_token_state{location="` + l + `",state="ok"} 1`,
			`ghlsync_token_state{location="` + l + `",state="missing"} 0`,
			`ghlsync_problem{code="failures stopped",location="` + l + `"} 1`,
			`ghlsync_budget_left{location="` + l + `"} `, `ghlsync_budget_daily_left{location="` + l + `"} `,
			`ghlsync_lag_seconds_count{location="` + l + `",priority="live"} `,
			`ghlsync_delivery_delay_seconds_count{location="` + l + `"} 1`,
			`ghlsync_clock_ahead_seconds{of="highlevel"} `, `ghlsync_last_delivery_timestamp_seconds{location="` + l + `"} `,
		} {
			require.Contains(t, text, line)
		}
		problems, err := testutil.GatherAndLint(registered(t, s))
		require.NoError(t, err)
		require.Empty(t, problems)
		for _, id := range []string{ada.ID, "p1"} {
			require.NotContains(t, text, `"`+id)
		}

		// Metrics show the contacts that wait.
		require.NoError(t, s.Pause(ctx, l, "test"))
		require.NoError(t, s.Touch(ctx, l, "some"))
		time.Sleep(50 * time.Millisecond)
		text = gather(t, s)
		require.Contains(t, text, `ghlsync_location_paused{location="`+l+`"} 1`)
		require.Regexp(t, `ghlsync_contacts\{location="`+l+`",state="(waiting|delayed)"\} 1`, text)
		require.NotContains(t, text, `ghlsync_oldest_wait_seconds{location="`+l+`"} 0`+"\n")

		logs.mu.Lock()
		lines := logs.text.String()
		logs.mu.Unlock()
		require.Contains(t, lines, "unit synced")
		require.Contains(t, lines, "unit not synced")
		for _, personal := range []string{"Adalovelace", "Gracehopper", "example.com", "555-0100", "5550100", "5550199",
			server.Token()} {
			require.NotContains(t, lines, personal)
			require.NotContains(t, text, personal)
		}
	})
}
