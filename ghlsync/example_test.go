package ghlsync_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghltest"
)

// Metrics, health, and a notifier that sends incidents to a chat.
func ExampleSyncer_Health() {
	ctx := context.Background()
	server, err := ghltest.New() // HighLevel
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	dir, err := os.MkdirTemp("", "ghlsync")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	chat, err := ghlsync.NewWebhookNotifier("https://chat.example.com/hooks/1", nil)
	if err != nil {
		log.Fatal(err)
	}
	s, err := ghlsync.New(ctx, ghlsync.Config{
		Database: "sqlite:" + filepath.Join(dir, "ghlsync.db"), Notifier: chat, Logger: slog.New(slog.DiscardHandler),
		Locations: []ghlsync.Location{{
			ID: server.LocationID(), TokenSource: ghl.StaticTokenSource(server.Token()),
			ClientOptions: []ghl.Option{ghl.WithBaseURL(server.URL())},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Stop(ctx) }()
	fmt.Println(s.Health(ctx).Problems[0].Text)
	if err := s.Start(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Health(ctx).State)
	if err := s.Pause(ctx, server.LocationID(), "the move"); err != nil {
		log.Fatal(err)
	}
	h := s.Health(ctx)
	fmt.Println(h.State, h.Problems[0].Code)

	registry := prometheus.NewRegistry()
	registry.MustRegister(s.Metrics())
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	http.Handle("/health", s.HealthHandler())
	w := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "ghlsync_processes") {
			fmt.Print(line)
		}
	}
	// Output:
	// No process works on this database.
	// healthy
	// degraded location paused
	// ghlsync_processes 1
}
