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
		Short: "Take webhooks and keep both sides in step, until SIGTERM",
		Long: `Takes HighLevel's deliveries, follows Pluvo, and keeps the locations of the
settings in step. It listens on two addresses: listen for HighLevel's
deliveries, and admin for your own network, with /healthz, /livez and /metrics.

On SIGTERM or Ctrl-C it takes no more deliveries (HighLevel sends them again),
finishes what is under way for up to drain, and ends. Whatever is left waits in
the database for the next start. With PostgreSQL run as many processes as you
like.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.run(c.Context()) },
	}
}

// run serves and works until ctx ends.
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
	log.Info("it runs", "webhooks", at, "admin", adminAddress, "locations", len(s.Locations))
	if p.started != nil {
		p.started(at, adminAddress)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("it ends: what is under way is finished", "for", s.Drain.String())
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain)
	defer cancel()
	for _, server := range servers { // deliveries first: what is not taken now comes again
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
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}, l}
}

func listen(ctx context.Context, s *settings, setting, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil { // also while a process that ends still has it, so another start may do
		return nil, fmt.Errorf("%v: %s can't be listened on: %w", s.placeOf(setting), setting, err)
	}
	return l, nil
}

// adminHandler is what one's own network sees: /livez for whoever starts the process again when it hangs, /healthz for people
// and for readiness, /metrics for Prometheus.
func adminHandler(sync *ghlsync.Syncer) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(sync.Metrics(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
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
		Use: "pause LOCATION", Short: "Stop the work on a location; what comes waits", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, "pause "+args[0], args[0]+" is paused. Go on with: ghlsync resume "+args[0], func(sync *ghlsync.Syncer) error {
				return isLocation(c.Context(), sync, args[0])
			}, func(sync *ghlsync.Syncer) error { return sync.Pause(c.Context(), args[0], reason) })
		},
	}
	c.Flags().StringVar(&reason, "reason", "paused by hand", "for whoever asks")
	dryRun(c, &dry)
	return c
}

func (p *program) resumeCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "resume LOCATION", Short: "Work on a paused location again", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.change(c.Context(), dry, "resume "+args[0], args[0]+" is worked on again.", func(sync *ghlsync.Syncer) error {
				return isLocation(c.Context(), sync, args[0])
			}, func(sync *ghlsync.Syncer) error { return sync.Resume(c.Context(), args[0]) })
		},
	}
	dryRun(c, &dry)
	return c
}

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

// change does something to the database. With --dry-run it says what it would do, or that find finds nothing to do it to.
func (p *program) change(ctx context.Context, dry bool, would, done string, find, do func(*ghlsync.Syncer) error) error {
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

// would says what --dry-run has left undone.
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
		Short: "Bring the database to this version's form",
		Long: `Brings the database to the form of this version. Other commands do so by
themselves unless migrate_by_hand is set. What was migrated cannot be read by
an older version: make a backup first.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := p.load()
			if err != nil {
				return err
			}
			if _, err := s.part(p.logger(s, slog.LevelWarn), "database"); err != nil {
				return err
			}
			if dry {
				missing := "nothing: the database has this version's form"
				d, err := db.Open(c.Context(), s.Database, db.Options{ByHand: true, Logger: p.logger(s, slog.LevelWarn)})
				switch {
				case err == nil:
					d.Close()
				case errors.Is(err, db.ErrMigrate):
					missing = "would migrate: " + err.Error()
				default:
					return err
				}
				return p.show(map[string]any{"dryRun": true, "would": missing}, func() { fmt.Fprintln(p.out, missing) })
			}
			if err := ghlsync.Migrate(c.Context(), s.Database, p.logger(s, slog.LevelInfo)); err != nil {
				return err
			}
			return p.show(map[string]any{"done": "migrate"}, func() { fmt.Fprintln(p.out, "The database has this version's form.") })
		},
	}
	dryRun(c, &dry)
	return c
}
