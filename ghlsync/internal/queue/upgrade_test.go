package queue_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

func migrateRiver[T any](t *testing.T, driver riverdriver.Driver[T]) {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	require.NoError(t, err)
	_, err = m.Migrate(t.Context(), rivermigrate.DirectionUp, nil)
	require.NoError(t, err)
}

// beforeLocationJobs makes a database with the schema of the version that had a job for each unit, and runs statements
// on it.
func beforeLocationJobs(t *testing.T, address string, statements ...string) {
	t.Helper()
	files, err := filepath.Glob("../db/migrations/00[1-4]_*.sql")
	require.NoError(t, err)
	require.Len(t, files, 4)
	path, lite := strings.CutPrefix(address, "sqlite:")
	scripts := []string{`CREATE TABLE ghlsync_migration
		(version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`}
	for i, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		script := string(text)
		for lite && strings.Contains(script, "-- postgres:") {
			before, rest, _ := strings.Cut(script, "-- postgres:")
			_, after, _ := strings.Cut(rest, "-- both:")
			script = before + after
		}
		scripts = append(scripts, script, `INSERT INTO ghlsync_migration (version, name, applied_at)
			VALUES (`+string(rune('1'+i))+`, '`+strings.TrimSuffix(filepath.Base(file), ".sql")+`', 0)`)
	}
	scripts = append(scripts, statements...)
	if lite {
		pool, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		defer func() { require.NoError(t, pool.Close()) }()
		pool.SetMaxOpenConns(1)
		migrateRiver(t, riversqlite.New(pool))
		for _, script := range scripts {
			_, err := pool.ExecContext(t.Context(), script)
			require.NoError(t, err)
		}
		return
	}
	pool, err := pgxpool.New(t.Context(), address)
	require.NoError(t, err)
	defer pool.Close()
	migrateRiver(t, riverpgxv5.New(pool))
	for _, script := range scripts {
		_, err := pool.Exec(t.Context(), script)
		require.NoError(t, err)
	}
}

// oldState is what a process of that version left: it died with units that waited, ran, were stopped, were to be retried
// later, or belonged to a paused location.
var oldState = []string{
	`INSERT INTO ghlsync_process (id, started_at, lease_until) VALUES ('dead', 1, 2)`,
	`INSERT INTO ghlsync_location (id, queue, paused, reason) VALUES
		('loc', 'q1', 0, ''), ('paused', 'q2', 5, 'by hand'), ('idle', 'q3', 0, '')`,
	`INSERT INTO ghlsync_unit (location, unit, number, synced, changed_at, job, priority, due, process, attempts) VALUES
		('loc', 'waiting', 2, 1, 10, 1, 1, 0, '', 0),
		('loc', 'background', 9, 1, 10, 2, 3, 0, '', 0),
		('loc', 'running', 3, 2, 10, 3, 1, 0, 'dead', 0),
		('loc', 'changed while running', 4, 0, 10, 3, 1, 0, 'dead', 2),
		('loc', 'stopped', 1, 0, 10, 0, 1, 0, '', 15),
		('loc', 'retried', 1, 0, 10, 4, 1, 0, '', 3),
		('loc', 'synced', 7, 7, 10, 0, 1, 0, '', 0),
		('idle', 'synced', 1, 1, 10, 0, 1, 0, '', 0),
		('paused', 'waiting', 1, 0, 10, 5, 1, 0, '', 0)`,
	`INSERT INTO ghlsync_failure (id, location, unit, state, category, message, attempts, first_at, last_at, next_at)
		VALUES ('f1', 'loc', 'stopped', 'stopped', 'validation', 'no', 15, 1, 2, 0),
			('f2', 'loc', 'retried', 'retrying', 'server', 'no', 3, 1, 2, 3)`,
	`INSERT INTO ghlsync_link (location, kind, ghl_id, pluvo_id, contact, synced)
		VALUES ('loc', 'contact', 'waiting', 'p1', 'waiting', '{}')`,
	`INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ('pluvo', 'at', 1)`,
	`INSERT INTO river_job (args, kind, max_attempts, priority, queue, state, attempt) VALUES
		('{"location":"loc","unit":"waiting"}', 'ghlsync_unit', 25, 1, 'q1', 'available', 0),
		('{"location":"loc","unit":"background"}', 'ghlsync_unit', 25, 3, 'q1', 'scheduled', 0),
		('{"location":"loc","unit":"retried"}', 'ghlsync_unit', 25, 1, 'q1', 'retryable', 1),
		('{"location":"loc","unit":"running"}', 'ghlsync_unit', 25, 1, 'q1', 'running', 1)`,
}

// TestUpgrade: a database of the version that had a job for each unit is migrated with what is in it. All units that
// waited are synced, with all aspects. Those that were stopped stay stopped, and a paused location stays paused.
func TestUpgrade(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		later := db.Micros(time.Now().Add(1500 * time.Millisecond))
		beforeLocationJobs(t, address, append(slices.Clip(oldState),
			fmt.Sprintf(`UPDATE ghlsync_unit SET due = %d WHERE unit = 'retried'`, later))...)
		d := dbtest.Open(t, address)
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_link WHERE pluvo_id = 'p1'`))
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_cursor WHERE value = 'at'`))
		type ran struct {
			unit    queue.Unit
			number  int64
			attempt int
			at      time.Time
		}
		runs := make(chan ran, 20)
		q := open(t, d, queue.Config{Work: func(_ context.Context, run *queue.Run) error {
			if run.Aspects != queue.Everything {
				return errors.New("not all aspects are read")
			}
			runs <- ran{run.Unit, run.Number, run.Attempt, d.Now()}
			return nil
		}})
		start(t, q)
		got := map[string]ran{}
		for range 5 {
			r := receive(t, runs)
			require.Equal(t, "loc", r.unit.Location)
			got[r.unit.ID] = r
		}
		require.Len(t, got, 5)
		for unit, number := range map[string]int64{"waiting": 2, "background": 9, "running": 3, "changed while running": 4,
			"retried": 1} {
			require.Equal(t, number, got[unit].number, unit)
		}
		require.Equal(t, 4, got["retried"].attempt)
		require.False(t, db.Micros(got["retried"].at) < later, "not before it is due")
		eventually(t, "the others wait", func() bool { return behind(t, d) == 2 })

		open, err := q.Failures(t.Context(), queue.FailureFilter{})
		require.NoError(t, err)
		require.Len(t, open, 1)
		require.Equal(t, "stopped", open[0].Unit.ID)
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE unit = 'stopped' AND stopped = 1`))
		require.Zero(t, count(t, d, `SELECT count(*) FROM river_job WHERE kind = 'ghlsync_unit' AND state <> 'running'`),
			"the old jobs are gone; River discards those of dead processes")

		locations, err := q.Locations(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"idle", "loc", "paused"},
			[]string{locations[0].ID, locations[1].ID, locations[2].ID})
		require.Equal(t, "by hand", locations[2].Reason)
		require.NoError(t, q.Resume(t.Context(), "paused"))
		require.Equal(t, queue.Unit{Location: "paused", ID: "waiting"}, receive(t, runs).unit)
		require.NoError(t, q.Retry(t.Context(), "f1"))
		require.Equal(t, "stopped", receive(t, runs).unit.ID)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.Empty(t, runs, "a unit that was synced does not run")
	})
}
