// Package db is the database under ghlsync: one SQLite file, or PostgreSQL. Both run the same queries.
//
// A query is written for PostgreSQL, with $1 and FOR UPDATE, and with types that both have: TEXT, BIGINT for numbers and for
// times in microseconds, BYTEA. For SQLite the placeholders are turned into ?1 and FOR UPDATE is left out, since its
// transactions that write come one after the other anyway.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrNoRows: a query for one row found none.
var ErrNoRows = errors.New("no rows")

// DB is an open database. It is safe for concurrent use.
type DB struct {
	// For SQLite, both set: all that writes goes through one connection, whoever reads has others.
	writer, reader *sql.DB
	// For PostgreSQL.
	pool *pgxpool.Pool

	offset atomic.Int64 // of the database's clock to ours, in nanoseconds
	log    *slog.Logger
	path   string // of the SQLite file

	readable sync.Map // query for PostgreSQL → query for SQLite
}

// Options are settings of a database; the zero value has the defaults.
type Options struct {
	// ByHand leaves migrations to [Open] without it; Open then fails while one is missing, and makes no file.
	ByHand bool
	// Logger is told of migrations; nil is slog.Default.
	Logger *slog.Logger
}

// Open opens the database of an address: "postgres://…", or "sqlite:" and the path of a file, which is made if it is not
// there. Unless they are done by hand it runs the migrations.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	d := &DB{log: o.Logger}
	if d.log == nil {
		d.log = slog.Default()
	}
	if err := CheckAddress(address); err != nil {
		return nil, fmt.Errorf("the address of the database %w", err)
	}
	var err error
	if path, is := sqlitePath(address); is {
		err = d.openSQLite(ctx, path, o)
	} else {
		err = d.openPostgres(ctx, address)
	}
	if err == nil {
		err = d.SyncClock(ctx)
	}
	if err == nil {
		if o.ByHand {
			err = d.checkMigrated(ctx)
		} else {
			err = d.Migrate(ctx)
		}
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// CheckAddress returns an error, without the address, if [Open] can't read the address. It opens nothing.
func CheckAddress(address string) error {
	if path, is := sqlitePath(address); is {
		if path == "" || strings.HasPrefix(path, ":memory:") {
			return errors.New("must name a file, such as sqlite:ghlsync.db")
		}
		return nil
	}
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("must begin with sqlite: or postgres://, such as sqlite:ghlsync.db or postgres://user:password@host/name")
	}
	if _, err := pgxpool.ParseConfig(address); err != nil { // the error may hold the password
		return errors.New("must be an address such as postgres://user:password@host/name; write special characters of the password as %XX")
	}
	return nil
}

// sqlitePath returns the path of an address of a SQLite file.
func sqlitePath(address string) (path string, is bool) {
	path, is = strings.CutPrefix(address, "sqlite:")
	return strings.TrimPrefix(path, "//"), is
}

// maxConns bounds the connections of one process to PostgreSQL.
const maxConns = 20

func (d *DB) openPostgres(ctx context.Context, address string) error {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return errors.New("the database's address can't be read") // the error may hold its password
	}
	config.MaxConns = maxConns
	if d.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := d.pool.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}

func (d *DB) openSQLite(ctx context.Context, path string, o Options) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d.path = path
	if !o.ByHand {
		err = makeFile(path)
	} else if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: there is no file %s", ErrMigrate, path)
	}
	if err == nil {
		err = writable(path) // SQLite also opens what can only be read
	}
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	// FULL: what was committed survives a loss of power. An acknowledged delivery and a new token depend on it.
	common := url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "journal_mode(WAL)",
		"synchronous(FULL)", "foreign_keys(1)"}}
	if d.writer, err = sql.Open("sqlite", dsn(path, common, url.Values{"_txlock": {"immediate"}})); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d.writer.SetMaxOpenConns(1)
	if err := firstConnection(ctx, d.writer); err != nil {
		return fmt.Errorf("database: opening %s to read and write: %w", path, err)
	}
	if d.reader, err = sql.Open("sqlite", dsn(path, common, url.Values{"_pragma": {"query_only(1)"}})); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	d.reader.SetMaxOpenConns(8)
	d.reader.SetMaxIdleConns(8)
	return nil
}

var making sync.Mutex

// makeFile makes a file if there is none. SQLite gives those beside it the same mode; they hold tokens and people's data.
//
// A file that is there is left to SQLite: whoever closes a file gives up all locks that the process holds on it
// (https://sqlite.org/howtocorrupt.html, 2.2). With the mutex nobody in this process has one on a file that was just made.
func makeFile(path string) error {
	making.Lock()
	defer making.Unlock()
	const flags = os.O_RDWR | os.O_CREATE
	f, err := os.OpenFile(path, flags|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if _, err = os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f, err = os.OpenFile(path, flags, 0o600) // where a symbolic link leads to
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// busyTimeout is for how long SQLite waits for a lock of another connection.
const busyTimeout = 20 * time.Second

// firstConnection connects. The first connection to a new file gives it a WAL, for which SQLite does not wait for the locks of
// others by itself.
func firstConnection(ctx context.Context, pool *sql.DB) error {
	within, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for n := 1; ; n++ {
		err := pool.PingContext(within)
		if err == nil || !collided(err) {
			return err
		}
		if pause(within, n) != nil {
			return cmp.Or(ctx.Err(), err)
		}
	}
}

func dsn(path string, lists ...url.Values) string {
	all := url.Values{}
	for _, list := range lists {
		for name, values := range list {
			all[name] = append(all[name], values...)
		}
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: all.Encode()}).String()
}

// Close closes the connections. Running transactions end first.
func (d *DB) Close() {
	if d.pool != nil {
		d.pool.Close()
	}
	for _, pool := range []*sql.DB{d.reader, d.writer} {
		if pool != nil {
			_ = pool.Close()
		}
	}
}

// Postgres is the pool of a PostgreSQL database; nil for SQLite.
func (d *DB) Postgres() *pgxpool.Pool { return d.pool }

// SQLite is the one connection that writes to a SQLite database; nil for PostgreSQL.
func (d *DB) SQLite() *sql.DB { return d.writer }

// Path is the file of a SQLite database; "" for PostgreSQL.
func (d *DB) Path() string { return d.path }

// Now is the time on the clock that all processes of a database share, in whole microseconds: the database's on
// PostgreSQL, the machine's for SQLite.
func (d *DB) Now() time.Time {
	return time.Now().Add(time.Duration(d.offset.Load())).Truncate(time.Microsecond).UTC()
}

// SyncClock compares our clock with the database's. Call it now and then, since clocks drift.
func (d *DB) SyncClock(ctx context.Context) error {
	if d.pool == nil {
		return nil
	}
	before := time.Now()
	var theirs int64
	if err := d.pool.QueryRow(ctx, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`).Scan(&theirs); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	middle := before.Add(time.Since(before) / 2)
	d.offset.Store(int64(Time(theirs).Sub(middle)))
	return nil
}

// Ahead is by how much the database's clock is ahead of ours; 0 for SQLite.
func (d *DB) Ahead() time.Duration { return time.Duration(d.offset.Load()) }

// Micros is how a time is stored; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is a time that was stored.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func mapError(err error) error {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows) {
		return ErrNoRows
	}
	return err
}
