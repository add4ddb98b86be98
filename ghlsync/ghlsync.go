package ghlsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/alerts"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghlsync/internal/rate"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghlsync/internal/redact"
	"github.com/pluvo/ghl/ghlsync/internal/tokens"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
)

// Syncer syncs HighLevel locations with Pluvo. It is safe for concurrent use.
type Syncer struct {
	config   Config
	log      *slog.Logger
	db       *db.DB
	limits   *rate.Limits
	store    pluvo.Store
	engine   *engine.Engine
	queue    *queue.Queue
	accounts *oauth.Installations // nil without an App
	tokens   *tokens.Store        // nil without an App
	metrics  *metrics
	monitor  monitor
	diffs    diffLog
	alerts   alerts.Outbox
	alerted  chan struct{} // signals new alerts; holds one signal

	changed chan struct{} // signals changes in Pluvo; holds one signal
	mu      sync.Mutex
	state   state
	life    context.Context // from Start to Stop
	end     context.CancelFunc
	loops   sync.WaitGroup
}

type state uint8

const (
	fresh state = iota
	running
	stopped
)

// New opens the database and returns a Syncer that is not started. It returns [ConfigErrors] if settings are wrong.
func New(ctx context.Context, config Config) (*Syncer, error) {
	if err := config.checkNew(); err != nil {
		return nil, err
	}
	if config.PluvoInterval == 0 {
		config.PluvoInterval = 30 * time.Second
	}
	if config.ReconcileInterval == 0 {
		config.ReconcileInterval = 10 * time.Minute
	}
	if config.CompareInterval == 0 {
		config.CompareInterval = 24 * time.Hour
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	s := &Syncer{config: config, changed: make(chan struct{}, 1), alerted: make(chan struct{}, 1)}
	s.log = slog.New(redact.Handler(config.Logger.Handler()))
	s.metrics = newMetrics(s)
	var err error
	if s.db, err = db.Open(ctx, config.Database, db.Options{ByHand: config.MigrateByHand, Logger: s.log}); err != nil {
		return nil, fmt.Errorf("ghlsync: Database: %w", err)
	}
	if err := s.build(); err != nil {
		s.db.Close()
		return nil, err
	}
	s.config.Database, s.config.TokenKeys = "", nil // New has used these secrets
	return s, nil
}

// Format prints the type only, for every verb.
func (s *Syncer) Format(f fmt.State, _ rune) { fmt.Fprint(f, "ghlsync.Syncer") }

// build creates the parts of s from its settings and its open database.
func (s *Syncer) build() error {
	c := &s.config
	s.alerts = alerts.Outbox{DB: s.db}
	s.limits = rate.New()
	if s.store = c.Pluvo; s.store == nil {
		s.store = records.New(s.db)
	}
	var err error
	s.engine, err = engine.New(engine.Config{
		DB: s.db, Store: s.store, Settle: c.Settle, IndexLag: c.IndexLag, Conflict: s.conflict,
		Wrote: s.metrics.wrote, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.queue, err = queue.New(queue.Config{
		DB: s.db, Work: s.engine.Sync, Share: s.engine.Share, Workers: c.Workers, Lease: c.Lease, Logger: s.log,
		Retries:  queue.Retry{First: c.Retry.First, Max: c.Retry.Max, Attempts: c.Retry.Attempts},
		Incident: s.incident,
		Alert:    s.enter, Observe: s.metrics.ran,
	})
	if err != nil {
		return err
	}
	s.engine.Bind(s.queue)
	if c.App == nil {
		return nil
	}
	if s.tokens, err = tokens.New(s.db, tokens.Options{Keys: c.TokenKeys}); err != nil {
		return &ConfigError{Setting: "TokenKeys", Problem: err.Error(), Err: err}
	}
	s.accounts, err = oauth.NewInstallations(c.App, s.tokens, s.clientOptions(nil)...)
	return err
}

// clientOptions returns the options of every client, followed by those of the location l unless it is nil.
func (s *Syncer) clientOptions(l *Location) []ghl.Option {
	options := []ghl.Option{ghl.WithLogger(s.log), ghl.WithLimiterFor(s.limits.For),
		ghl.WithMiddleware(queue.Middleware), ghl.WithMiddleware(s.measured)}
	if l != nil {
		options = append(options, l.ClientOptions...)
	}
	return options
}

// Migrate migrates a database from any earlier version to the newest. [New] does the same unless
// [Config.MigrateByHand] is set. Migrate returns an error if the database can't be opened or was migrated by a newer
// version.
func Migrate(ctx context.Context, database string, logger *slog.Logger) error {
	d, err := db.Open(ctx, database, db.Options{Logger: logger})
	if err != nil {
		return fmt.Errorf("ghlsync: %w", err)
	}
	d.Close()
	return nil
}

// Start starts the sync. It retries in the background to open a location that can't be opened now, because HighLevel
// is unreachable or the location has no token yet. It returns a [ConfigError] if the mapping rules of a location are
// wrong, and an error if the Syncer was started before.
func (s *Syncer) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != fresh {
		return errors.New("ghlsync: the Syncer was started before")
	}
	var closed []int
	for i := range s.config.Locations {
		l := &s.config.Locations[i]
		if err := s.queue.AddLocation(ctx, l.ID); err != nil {
			return fmt.Errorf("ghlsync: Locations[%d]: %w", i, err)
		}
		s.engine.Expect(l.ID)
		err := s.open(ctx, l)
		var mistake *ConfigError
		switch {
		case errors.As(err, &mistake):
			setting := fmt.Sprintf("Locations[%d].%s", i, mistake.Setting)
			return &ConfigError{Setting: setting, Problem: mistake.Problem, Err: mistake.Err}
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.log.LogAttrs(ctx, slog.LevelWarn, "the location can't be opened yet; ghlsync retries",
				slog.String("location", l.ID), slog.Any("err", err))
			closed = append(closed, i)
		}
		s.closed(ctx, l.ID, err)
	}
	if err := s.queue.Start(ctx); err != nil {
		return fmt.Errorf("ghlsync: %w", err)
	}
	s.state = running
	s.monitor.started.Store(time.Now().UnixNano())
	loops, end := context.WithCancel(context.WithoutCancel(ctx))
	s.life, s.end = loops, end
	s.loops.Go(func() { s.follow(loops) })
	s.loops.Go(func() { s.openLater(loops, closed) })
	s.loops.Go(func() { s.notify(loops) })
	s.loops.Go(func() { s.storeBudgets(loops) })
	s.schedules(loops)
	return nil
}

// Stop stops the sync and closes the database. It waits for runs until ctx ends, and then puts them back for the next
// start. No marked change is lost. A second call does nothing.
func (s *Syncer) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stopped {
		return nil
	}
	s.monitor.stopped.Store(true)
	var err error
	if s.state == running {
		s.end()
		s.loops.Wait()
		err = s.queue.Stop(ctx)
	}
	if s.config.App != nil {
		err = errors.Join(err, s.config.App.Flush(ctx))
	}
	s.state = stopped
	s.db.Close()
	return err
}

// Pluvo returns the store of Pluvo's records: [Config.Pluvo], or the store in the database.
func (s *Syncer) Pluvo() pluvo.Store { return s.store }

// Installations returns the accounts that have installed the app; nil without [Config.App]. [oauth.Installations.Add]
// exchanges the code of the consent screen for a token, which is stored in the database.
func (s *Syncer) Installations() *oauth.Installations { return s.accounts }

// PluvoChanged makes the Syncer read Pluvo's changes at once instead of after [Config.PluvoInterval]. It never blocks.
func (s *Syncer) PluvoChanged() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Touch marks a contact of HighLevel, so that it is read and synced. It returns an error if the location is unknown.
func (s *Syncer) Touch(ctx context.Context, location, contactID string) error {
	return s.queue.Mark(ctx, queue.Unit{Location: location, ID: contactID}, queue.Everything, queue.Live)
}

// follow reads Pluvo's changes until ctx ends.
func (s *Syncer) follow(ctx context.Context) {
	tick := time.NewTicker(s.config.PluvoInterval)
	defer tick.Stop()
	for {
		if err := s.engine.Follow(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "reading the changes of Pluvo failed; retrying", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.changed:
		}
	}
}

// storeBudgets stores what is left of the rate limits, for [Syncer.Health] in any process, until ctx ends.
func (s *Syncer) storeBudgets(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.limits.Store(ctx, s.db); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "storing the budget of requests failed; retrying", slog.Any("err", err))
		}
	}
}

// Pending counts the contacts of a location that wait for a run or are running.
type Pending struct {
	Contacts int
	// Since is when the oldest of these changes was marked; zero without contacts.
	Since time.Time
	// Delayed counts the contacts that wait for a later time without a failure, such as a contact that HighLevel does
	// not have yet.
	Delayed int
}

// Pending returns how far the sync of a location is behind.
func (s *Syncer) Pending(ctx context.Context, location string) (Pending, error) {
	var p Pending
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var since int64
		err := tx.Row(ctx, `SELECT count(*), coalesce(min(changed_at), 0),
				count(CASE WHEN epoch = 0 AND attempts = 0 AND due > $2 THEN 1 END)
			FROM ghlsync_unit WHERE location = $1 AND number > synced AND stopped = 0`,
			location, db.Micros(s.db.Now())).Scan(&p.Contacts, &since, &p.Delayed)
		p.Since = db.Time(since)
		return err
	})
	return p, err
}
