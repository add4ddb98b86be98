package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghlsync/internal/tokens"
	"github.com/pluvo/ghl/oauth"
)

// open opens the database without starting the sync, so that a command can read and change it while "run" works. It
// logs records that reach level. adjust, which may be nil, can change the configuration before.
func (p *program) open(ctx context.Context, level slog.Level, adjust func(*ghlsync.Config),
) (*ghlsync.Syncer, *settings, error) {
	s, err := p.load()
	if err != nil {
		return nil, nil, err
	}
	config, err := s.config(p.logger(s, level))
	if err != nil {
		return nil, s, err
	}
	if adjust != nil {
		adjust(&config)
	}
	sync, err := ghlsync.New(ctx, config)
	if err != nil {
		return nil, s, s.translate(err)
	}
	return sync, s, nil
}

// with opens the Syncer for one command and closes it afterwards. With readOnly it does not migrate the database.
func (p *program) with(ctx context.Context, readOnly bool, do func(*ghlsync.Syncer) error) error {
	sync, _, err := p.open(ctx, slog.LevelWarn,
		func(c *ghlsync.Config) { c.MigrateByHand = c.MigrateByHand || readOnly })
	if err != nil {
		return err
	}
	return errors.Join(do(sync), stop(ctx, sync, 10*time.Second))
}

// stop stops a Syncer, even if ctx has ended.
func stop(ctx context.Context, sync *ghlsync.Syncer, drain time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	return sync.Stop(ctx)
}

// accounts are the tokens in the database. They need no location, because its id may be unknown before it is connected.
type accounts struct {
	*oauth.Installations
	app   *oauth.App
	store *tokens.Store
	db    *db.DB
}

// accounts opens the database and its tokens. With readOnly it does not migrate the database.
func (p *program) accounts(ctx context.Context, s *settings, readOnly bool) (*accounts, error) {
	log := p.logger(s, slog.LevelWarn)
	config, err := s.accountSettings(log)
	if err != nil {
		return nil, err
	}
	a := &accounts{app: config.App}
	if a.db, err = db.Open(ctx, s.Database, db.Options{ByHand: s.MigrateByHand || readOnly, Logger: log}); err != nil {
		return nil, fmt.Errorf("the database can't be opened: %w", err)
	}
	a.store, err = tokens.New(a.db, tokens.Options{Keys: config.TokenKeys})
	if err == nil {
		a.Installations, err = oauth.NewInstallations(a.app, a.store, ghl.WithLogger(log))
	}
	if err != nil {
		a.db.Close()
		return nil, err
	}
	return a, nil
}

// refused says since when locations are paused because HighLevel refuses their tokens.
func (a *accounts) refused(ctx context.Context) (map[string]time.Time, error) {
	since := map[string]time.Time{}
	locations, err := queue.Locations(ctx, a.db)
	for _, l := range locations {
		if l.Category().Pauses() {
			since[l.ID] = l.Paused
		}
	}
	return since, err
}

// close waits until renewed tokens are saved, and closes the database.
func (a *accounts) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	defer a.db.Close()
	return a.app.Flush(ctx)
}
