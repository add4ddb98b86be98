package ghlsync_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// config returns the settings for the location of a server.
func config(t testing.TB, address string, server *ghltest.Server) ghlsync.Config {
	t.Helper()
	verifier, err := webhook.NewVerifier(webhook.WithKeys(server.WebhookPublicKey()))
	require.NoError(t, err)
	return ghlsync.Config{
		Database: address, Webhooks: verifier, Logger: slog.New(slog.DiscardHandler), Settle: 300 * time.Millisecond,
		IndexLag:      -1, // the fake has none unless a test says so
		PluvoInterval: 50 * time.Millisecond,
		Retry:         ghlsync.RetryPolicy{First: 50 * time.Millisecond, Max: time.Second},
		Locations: []ghlsync.Location{{
			ID: server.LocationID(), TokenSource: ghl.StaticTokenSource(server.Token()), Region: "US",
			ClientOptions: []ghl.Option{ghl.WithBaseURL(server.URL())},
		}},
	}
}

func start(t testing.TB, c ghlsync.Config) *ghlsync.Syncer {
	t.Helper()
	s, err := ghlsync.New(context.Background(), c)
	require.NoError(t, err)
	require.NoError(t, s.Start(context.Background()))
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t testing.TB, s *ghlsync.Syncer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
}

// subscribe sends the deliveries of a server to a Syncer.
func subscribe(t testing.TB, s *ghlsync.Syncer, server *ghltest.Server) http.Handler {
	t.Helper()
	handler, err := s.WebhookHandler()
	require.NoError(t, err)
	server.SubscribeHandler(handler)
	return handler
}

// clientOf returns a client for changes that people make in HighLevel.
func clientOf(t testing.TB, server *ghltest.Server, options ...ghl.Option) *ghl.Client {
	t.Helper()
	client, err := ghl.New(append(server.ClientOptions(), options...)...)
	require.NoError(t, err)
	return client
}

// unlimited is an option for a client without a limiter.
var unlimited = ghl.WithLimiterFor(func(string) ghl.Limiter { return nil })

// eventually waits until a condition is true.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 20*time.Second, 50*time.Millisecond, what)
}

// quiet waits until nothing is left to do.
func quiet(t testing.TB, s *ghlsync.Syncer, server *ghltest.Server) {
	t.Helper()
	ctx := context.Background()
	defer func() {
		if t.Failed() {
			t.Logf("pending: %v", s.Units())
			for _, r := range server.Requests() {
				t.Log(r.Time.Format("05.000"), r.Operation, r.Path, r.Status)
			}
		}
	}()
	require.Eventually(t, func() bool {
		for range 2 { // the first round may have caused new deliveries
			require.NoError(t, server.Flush(ctx))
			if !s.Quiet() {
				return false
			}
		}
		return true
	}, 30*time.Second, 20*time.Millisecond)
}

// TestBothSidesByWebhook: changes in HighLevel arrive as deliveries, and changes in Pluvo are followed.
func TestBothSidesByWebhook(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		server := ghltest.Start(t)
		c := config(t, address, server)
		s := start(t, c)
		subscribe(t, s, server)
		client := clientOf(t, server)
		ctx := t.Context()

		ada, err := client.Contacts.Create(ctx, &ghl.ContactCreate{FirstName: "Ada", Email: "ada@example.com",
			Phone: "415-555-0100"})
		require.NoError(t, err)
		_, err = client.Tasks.Create(ctx, ada.ID, &ghl.TaskCreate{Title: "Call", DueDate: time.Now().Add(time.Hour)})
		require.NoError(t, err)
		quiet(t, s, server)
		full, err := s.Pluvo().Full(ctx, ada.ID)
		require.NoError(t, err)
		require.Len(t, full.Tasks, 1)

		_, err = s.Pluvo().Put(ctx, &pluvo.Contact{ID: "p1", FirstName: "Grace", Email: "grace@example.com"},
			pluvo.NoVersion)
		require.NoError(t, err)
		task := full.Tasks[0]
		task.Completed = true
		_, err = s.Pluvo().Put(ctx, &task, pluvo.AnyVersion)
		require.NoError(t, err)
		s.PluvoChanged()
		quiet(t, s, server)
		require.Len(t, server.Contacts(), 2)
		require.True(t, server.Tasks(ada.ID)[0].Completed)

		require.NoError(t, client.Contacts.Delete(ctx, ada.ID))
		quiet(t, s, server)
		_, err = s.Pluvo().Full(ctx, ada.ID)
		require.ErrorIs(t, err, pluvo.ErrNotFound)

		server.ResetRequests()
		time.Sleep(200 * time.Millisecond)
		quiet(t, s, server)
		for _, r := range server.Requests() {
			require.Equal(t, "GET", r.Method, "no write after both sides are equal: %s", r.Operation)
		}
		failures, err := s.Failures(ctx, ghlsync.FailureFilter{})
		require.NoError(t, err)
		require.Empty(t, failures)
	})
}
