package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// A migration is a file, NNN_name.sql, that never changes after its release. Lines from "-- postgres:" to "-- both:"
// are for PostgreSQL only.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

type migration struct {
	version  int64
	name     string
	postgres string
	sqlite   string
}

// ErrMigrate is returned by [Open] with [Options.ByHand] if the database lacks a migration.
var ErrMigrate = errors.New("the database must be migrated")

func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	list := make([]migration, len(names))
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		short := strings.TrimSuffix(strings.TrimPrefix(name, "migrations/"), ".sql")
		number, _, _ := strings.Cut(short, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version != int64(i+1) {
			return nil, fmt.Errorf("migration %s: want number %d", short, i+1)
		}
		list[i] = migration{version: version, name: short, postgres: string(text),
			sqlite: withoutPostgres(string(text))}
	}
	return list, nil
}

func withoutPostgres(text string) string {
	var lines []string
	skip := false
	for line := range strings.Lines(text) {
		switch strings.TrimSpace(line) {
		case "-- postgres:":
			skip = true
		case "-- both:":
			skip = false
		}
		if !skip {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// Migrate migrates the database to the newest version from any earlier one. Several processes may call it at once. It
// returns an error if a newer program has migrated the database.
func (d *DB) Migrate(ctx context.Context) error {
	// On PostgreSQL the lock needs a connection of its own, since River migrates on other connections.
	if d.pool != nil {
		return d.Write(ctx, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
				return err
			}
			if err := tx.Lock(ctx, "migrate"); err != nil {
				return err
			}
			return d.migrate(ctx)
		})
	}
	return d.migrate(ctx)
}

func (d *DB) migrate(ctx context.Context) error {
	var done []string
	err := d.Write(ctx, func(ctx context.Context, tx *Tx) error {
		done = nil
		pending, err := pendingMigrations(ctx, tx)
		if err != nil {
			return err
		}
		for _, m := range pending {
			if err := tx.script(ctx, m); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_migration (version, name, applied_at) VALUES ($1, $2, $3)`,
				m.version, m.name, Micros(d.Now())); err != nil {
				return err
			}
			done = append(done, m.name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	for _, name := range done {
		d.log.LogAttrs(ctx, slog.LevelInfo, "database migrated", slog.String("migration", name))
	}
	for n := 1; ; n++ {
		err := d.migrateRiver(ctx)
		if err == nil || n == tries || ctx.Err() != nil {
			return err
		}
		if pending, _ := d.riverPending(ctx); !pending { // another process has migrated
			return nil
		}
	}
}

// script runs a migration's statements.
func (t *Tx) script(ctx context.Context, m migration) error {
	if t.pgx != nil {
		_, err := t.pgx.Conn().PgConn().Exec(ctx, m.postgres).ReadAll()
		return err
	}
	_, err := t.sql.ExecContext(ctx, m.sqlite)
	return err
}

func pendingMigrations(ctx context.Context, tx *Tx) ([]migration, error) {
	if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS ghlsync_migration
		(version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`); err != nil {
		return nil, err
	}
	return missing(ctx, tx)
}

func missing(ctx context.Context, tx *Tx) ([]migration, error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	var last int64
	if err := tx.Row(ctx, `SELECT coalesce(max(version), 0) FROM ghlsync_migration`).Scan(&last); err != nil {
		return nil, err
	}
	if last > int64(len(all)) {
		return nil, fmt.Errorf("a newer ghlsync has migrated it to version %d; this program supports %d",
			last, len(all))
	}
	return all[last:], nil
}

func (d *DB) checkMigrated(ctx context.Context) error {
	err := d.Read(ctx, func(ctx context.Context, tx *Tx) error {
		var tables int64
		query := `SELECT count(*) FROM pg_tables
			WHERE schemaname = current_schema() AND tablename = 'ghlsync_migration'`
		if tx.sql != nil {
			query = `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'ghlsync_migration'`
		}
		if err := tx.Row(ctx, query).Scan(&tables); err != nil {
			return err
		}
		if tables == 0 {
			return ErrMigrate
		}
		pending, err := missing(ctx, tx)
		if err == nil && len(pending) > 0 {
			err = fmt.Errorf("%w to %s", ErrMigrate, pending[len(pending)-1].name)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	pending, err := d.riverPending(ctx)
	if err == nil && pending {
		err = fmt.Errorf("database: %w: tables of the queue", ErrMigrate)
	}
	return err
}

func (d *DB) migrateRiver(ctx context.Context) error {
	if _, err := d.river(ctx, true); err != nil {
		return fmt.Errorf("database: migrating the queue: %w", err)
	}
	return nil
}

func (d *DB) riverPending(ctx context.Context) (bool, error) {
	valid, err := d.river(ctx, false)
	return !valid, err
}

// river migrates the queue's tables if up is set, and reports whether they are up to date.
func (d *DB) river(ctx context.Context, up bool) (valid bool, err error) {
	if d.pool != nil {
		return river(ctx, riverpgxv5.New(d.pool), up)
	}
	return river(ctx, riversqlite.New(d.writer), up)
}

func river[T any](ctx context.Context, driver riverdriver.Driver[T], up bool) (valid bool, err error) {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return false, err
	}
	if up {
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err == nil, err
	}
	result, err := m.Validate(ctx, nil)
	return err == nil && result.OK, err
}
