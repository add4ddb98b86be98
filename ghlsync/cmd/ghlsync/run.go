package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/db"
)

func (p *program) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Receive webhooks and sync both sides, until SIGTERM",
		Long: `Receives HighLevel's webhooks, polls Pluvo, and syncs the locations of the
settings. It listens on two addresses: listen receives HighLevel's webhooks, and
admin serves /healthz, /livez and /metrics to your own network.

On SIGTERM or Ctrl-C it refuses further webhooks (HighLevel sends them again),
finishes running work for up to the time of drain, and exits. The rest of the
work waits in the database for the next start. With PostgreSQL any number of
processes can run.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.run(c.Context()) },
	}
}

// run serves and syncs until ctx ends.
func (p *program) run(ctx context.Context) error {
	sync, s, err := p.open(ctx, slog.LevelDebug, nil)
	if err != nil {
		return err
	}
	log := p.logger(s, slog.LevelDebug)
	for _, name := range s.unknown {
		log.Warn(ignored(name))
	}
	return errors.Join(p.serve(ctx, sync, s, log), stop(ctx, sync, s.Drain))
}

func (p *program) serve(ctx context.Context, sync *ghlsync.Syncer, s *settings, log *slog.Logger) error {
	deliveries, err := sync.WebhookHandler()
	if err != nil {
		return err
	}
	webhooks := http.NewServeMux()
	webhooks.Handle(s.WebhookPath, deliveries)
	public, err := listen(ctx, s, "listen", s.Listen)
	if err != nil {
		return err
	}
	defer public.Close()
	servers := []*server{newServer(public, webhooks, log)}
	adminAddress := ""
	if s.Admin != "" {
		listener, err := listen(ctx, s, "admin", s.Admin)
		if err != nil {
			return err
		}
		defer listener.Close()
		adminAddress = "http://" + listener.Addr().String()
		servers = append(servers, newServer(listener, adminHandler(sync), log))
	}
	if err := sync.Start(ctx); err != nil {
		return s.translate(err)
	}
	failed := make(chan error, len(servers))
	for _, server := range servers {
		go func() { failed <- server.Serve(server.listener) }()
	}
	at := "http://" + public.Addr().String() + s.WebhookPath
	log.Info("running", "webhooks", at, "admin", adminAddress, "locations", len(s.Locations))
	if p.started != nil {
		p.started(at, adminAddress)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping: running work is finished first", "for", s.Drain.String())
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain)
	defer cancel()
	for _, server := range servers { // webhooks first: HighLevel sends refused deliveries again
		if down := server.Shutdown(ending); err == nil {
			err = down
		}
	}
	return err
}

type server struct {
	*http.Server
	listener net.Listener
}

func newServer(l net.Listener, h http.Handler, log *slog.Logger) *server {
	return &server{&http.Server{
		Handler: h, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}, l}
}

func listen(ctx context.Context, s *settings, setting, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	// not a usage error: a process that is still stopping may hold the address, and a restart may succeed
	if err != nil {
		return nil, fmt.Errorf("%v: %s can't be listened on: %w", s.placeOf(setting), setting, err)
	}
	return l, nil
}

// adminHandler serves /livez for a supervisor that restarts a process that hangs, /healthz for people and for
// readiness, and /metrics for Prometheus.
func adminHandler(sync *ghlsync.Syncer) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(sync.Metrics(), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("/healthz", sync.HealthHandler())
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

func (p *program) pauseCommand() *cobra.Command {
	var reason string
	var dry bool
	c := &cobra.Command{
		Use: "pause LOCATION", Short: "Pause the sync of a location; changes wait", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, "pause "+args[0],
				args[0]+" is paused. To resume: ghlsync resume "+args[0], func(sync *ghlsync.Syncer) error {
					return isLocation(c.Context(), sync, args[0])
				}, func(sync *ghlsync.Syncer) error { return sync.Pause(c.Context(), args[0], reason) })
		},
	}
	c.Flags().StringVar(&reason, "reason", "paused by hand", "reason to show in the status")
	dryRun(c, &dry)
	return c
}

func (p *program) resumeCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "resume LOCATION", Short: "Resume the sync of a paused location", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, "resume "+args[0], args[0]+" is resumed.",
				func(sync *ghlsync.Syncer) error {
					return isLocation(c.Context(), sync, args[0])
				}, func(sync *ghlsync.Syncer) error { return sync.Resume(c.Context(), args[0]) })
		},
	}
	dryRun(c, &dry)
	return c
}

// isLocation returns [ghlsync.ErrUnknownLocation] if the database has no location with an id.
func isLocation(ctx context.Context, sync *ghlsync.Syncer, id string) error {
	locations, err := sync.Locations(ctx)
	if err != nil {
		return err
	}
	for _, l := range locations {
		if l.ID == id {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", id, ghlsync.ErrUnknownLocation)
}

// change runs do, which changes the database. With --dry-run it runs find, which fails if there is nothing to
// change, and prints what would change.
func (p *program) change(ctx context.Context, dry bool, would, done string,
	find, do func(*ghlsync.Syncer) error,
) error {
	return p.with(ctx, dry, func(sync *ghlsync.Syncer) error {
		if dry {
			if err := find(sync); err != nil {
				return err
			}
			return p.would(would)
		}
		if err := do(sync); err != nil {
			return fmt.Errorf("%s: %w", would, err)
		}
		return p.show(map[string]any{"done": would}, func() { fmt.Fprintln(p.out, done) })
	})
}

// would prints what --dry-run did not do.
func (p *program) would(what string) error {
	return p.show(map[string]any{"dryRun": true, "would": what}, func() { fmt.Fprintln(p.out, "would", what) })
}

func dryRun(c *cobra.Command, dry *bool) {
	c.Flags().BoolVar(dry, "dry-run", false, "print what would change, and change nothing")
}

func (p *program) migrateCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Migrate the database to this version",
		Long: `Migrates the database to the schema of this version. Other commands migrate by
themselves unless migrate_by_hand is set. An older version can't read a migrated
database: make a backup first.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.migrate(c.Context(), dry) },
	}
	dryRun(c, &dry)
	return c
}

func (p *program) migrate(ctx context.Context, dry bool) error {
	s, err := p.load()
	if err != nil {
		return err
	}
	if _, err := s.part(p.logger(s, slog.LevelWarn), "database"); err != nil {
		return err
	}
	if !dry {
		if err := ghlsync.Migrate(ctx, s.Database, p.logger(s, slog.LevelInfo)); err != nil {
			return err
		}
		return p.show(map[string]any{"done": "migrate"},
			func() { fmt.Fprintln(p.out, "The database has the schema of this version.") })
	}
	would := "nothing: the database has the schema of this version"
	d, err := db.Open(ctx, s.Database, db.Options{ByHand: true, Logger: p.logger(s, slog.LevelWarn)})
	switch {
	case err == nil:
		d.Close()
	case errors.Is(err, db.ErrMigrate):
		would = "would migrate: " + err.Error()
	default:
		return err
	}
	return p.show(map[string]any{"dryRun": true, "would": would}, func() { fmt.Fprintln(p.out, would) })
}
