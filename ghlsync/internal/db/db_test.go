package db_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestOpenRefusesAddresses(t *testing.T) {
	for _, address := range []string{"", "mysql://x", "sqlite:", "sqlite::memory:", "/var/lib/file",
		"postgres://user:secret@%zz/", "postgres://nobody:secret@127.0.0.1:1/x?connect_timeout=1"} {
		_, err := db.Open(t.Context(), address, db.Options{})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	address := dbtest.SQLite(t)
	d := dbtest.Open(t, address)
	require.NoError(t, put(t.Context(), d, "k", "v"))
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(d.Path() + end)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), end)
	}
}

// TestALinkToNoFile: the missing target of a symbolic link is created with mode 0600.
func TestALinkToNoFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(dir, "target.db"), filepath.Join(dir, "link.db")))
	dbtest.Open(t, "sqlite:"+filepath.Join(dir, "link.db"))
	info, err := os.Stat(filepath.Join(dir, "target.db"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func put(ctx context.Context, d *db.DB, name, value string) error {
	return d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value, db.Micros(d.Now()))
		return err
	})
}

func get(ctx context.Context, d *db.DB, name string) (value string, err error) {
	err = d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.Row(ctx, `SELECT value FROM ghlsync_cursor WHERE name = $1`, name).Scan(&value)
	})
	return value, err
}

// TestProcessesMigrateAtOnce: several processes may open and migrate an empty database at the same time.
func TestProcessesMigrateAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() {
				d, err := db.Open(t.Context(), address, db.Options{Logger: quiet})
				if err == nil {
					err = put(t.Context(), d, "k", "v")
					d.Close()
				}
				errs[i] = err
			})
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
	})
}

// TestOpenWaitsForOthers: Open waits for another process that writes while it creates the WAL of a file.
func TestOpenWaitsForOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ghlsync.db")
	synctest.Test(t, func(t *testing.T) {
		others, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
		require.NoError(t, err)
		defer func() { _ = others.Close() }()
		writing, err := others.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = writing.Rollback() }()

		opened := make(chan error, 1)
		go func() {
			d, err := db.Open(t.Context(), "sqlite:"+path, db.Options{Logger: quiet})
			if err == nil {
				d.Close()
			}
			opened <- err
		}()
		time.Sleep(2 * time.Second) // on the test's clock
		require.Empty(t, opened, "Open still waits")
		require.NoError(t, writing.Rollback())
		require.NoError(t, <-opened)
	})
}

// TestMigratesForwards: an older queue is migrated to the newest version, and a newer database is refused.
func TestMigratesForwards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		_, err := db.Open(t.Context(), address, db.Options{Logger: quiet, ByHand: true})
		require.ErrorIs(t, err, db.ErrMigrate)
		d := dbtest.Open(t, address)
		require.NoError(t, put(t.Context(), d, "k", "kept"))

		older := &rivermigrate.MigrateOpts{TargetVersion: 6}
		config := &rivermigrate.Config{Logger: quiet}
		if d.Postgres() != nil {
			m, err := rivermigrate.New(riverpgxv5.New(d.Postgres()), config)
			require.NoError(t, err)
			_, err = m.Migrate(t.Context(), rivermigrate.DirectionDown, older)
			require.NoError(t, err)
		} else {
			m, err := rivermigrate.New(riversqlite.New(d.SQLite()), config)
			require.NoError(t, err)
			_, err = m.Migrate(t.Context(), rivermigrate.DirectionDown, older)
			require.NoError(t, err)
		}
		_, err = db.Open(t.Context(), address, db.Options{Logger: quiet, ByHand: true})
		require.ErrorIs(t, err, db.ErrMigrate)
		require.NoError(t, d.Migrate(t.Context()))
		again, err := db.Open(t.Context(), address, db.Options{Logger: quiet, ByHand: true})
		require.NoError(t, err)
		value, err := get(t.Context(), again, "k")
		again.Close()
		require.NoError(t, err)
		require.Equal(t, "kept", value)

		require.NoError(t, d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx,
				`INSERT INTO ghlsync_migration (version, name, applied_at) VALUES (1000, 'later', 0)`)
			return err
		}))
		for _, byHand := range []bool{false, true} {
			_, err = db.Open(t.Context(), address, db.Options{Logger: quiet, ByHand: byHand})
			require.ErrorContains(t, err, "newer ghlsync")
		}
	})
}

// TestWrites: a failed transaction is rolled back, and no update is lost when many transactions read and write at once.
func TestWrites(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d, other := dbtest.Open(t, address), dbtest.Open(t, address)
		ctx := t.Context()
		mine := errors.New("mine")
		require.ErrorIs(t, d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx,
				`INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ('gone', '', 0)`); err != nil {
				return err
			}
			return mine
		}), mine)
		_, err := get(ctx, d, "gone")
		require.ErrorIs(t, err, db.ErrNoRows)
		require.Error(t, d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM ghlsync_cursor`)
			return err
		}), "a read-only transaction can't write")

		require.NoError(t, put(ctx, d, "n", ""))
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() {
				for range 10 {
					errs[i] = errors.Join(errs[i],
						[]*db.DB{d, other}[i%2].Write(ctx, func(ctx context.Context, tx *db.Tx) error {
							if i < 4 {
								if err := tx.Lock(ctx, "n", "m"); err != nil {
									return err
								}
							}
							var value string
							if err := tx.Row(ctx, `SELECT value FROM ghlsync_cursor WHERE name = $1 FOR UPDATE`,
								"n").Scan(&value); err != nil {
								return err
							}
							changed, err := tx.Exec(ctx, `UPDATE ghlsync_cursor SET value = $2 WHERE name = $1`,
								"n", value+"x")
							if err == nil && changed != 1 {
								err = errors.New("nothing changed")
							}
							return err
						}))
				}
			})
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		value, err := get(ctx, d, "n")
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("x", 80), value)
	})
}

// TestUnique: Unique reports a duplicate key and no other error.
func TestUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		insert := func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO ghlsync_link (location, kind, ghl_id, pluvo_id, contact) VALUES ('l', 'contact', $1, $2, '')`, "g", "p")
			return err
		}
		require.NoError(t, d.Write(t.Context(), insert))
		require.True(t, db.Unique(d.Write(t.Context(), insert)))
		err := d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `nonsense`)
			return err
		})
		require.Error(t, err)
		require.False(t, db.Unique(err))
	})
}

func TestDeadlocksAreTriedAgain(t *testing.T) {
	d := dbtest.Open(t, dbtest.Postgres(t))
	ctx := t.Context()
	require.NoError(t, errors.Join(put(ctx, d, "a", ""), put(ctx, d, "b", "")))
	var both, all sync.WaitGroup
	both.Add(2)
	errs, runs := make([]error, 2), make([]int, 2)
	committed := make(chan struct{}) // the transaction that was not rolled back
	var once sync.Once
	for i, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			errs[i] = d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
				if runs[i]++; runs[i] > 1 {
					<-committed // otherwise the retry could cause a second deadlock
				}
				const query = `UPDATE ghlsync_cursor SET value = value || 'x' WHERE name = $1`
				for n, name := range order {
					if _, err := tx.Exec(ctx, query, name); err != nil {
						return err
					}
					if n == 0 && runs[i] == 1 {
						both.Done()
						both.Wait() // now each transaction has the lock that the other needs
					}
				}
				return nil
			})
			once.Do(func() { close(committed) })
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 3, runs[0]+runs[1])
	for _, name := range []string{"a", "b"} {
		value, err := get(ctx, d, name)
		require.NoError(t, err)
		require.Equal(t, "xx", value)
	}
}

func TestTimes(t *testing.T) {
	require.Zero(t, db.Micros(time.Time{}))
	require.True(t, db.Time(0).IsZero())
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		now := d.Now()
		require.Equal(t, now, db.Time(db.Micros(now)))
		require.WithinDuration(t, time.Now(), now, time.Second)
	})
}

func TestStorable(t *testing.T) {
	require.True(t, db.Storable("", "plain", "漢字"))
	require.False(t, db.Storable("a", "b\x00"))
	require.False(t, db.Storable("\xff"))
}
