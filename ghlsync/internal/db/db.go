// Package db is the database of ghlsync: one SQLite file, or PostgreSQL. Both run the same queries.
//
// A query is written for PostgreSQL, with $1 and FOR UPDATE, and with types that both have: TEXT, BIGINT for numbers
// and for times in microseconds, BYTEA. For SQLite the placeholders are replaced by ?1, and FOR UPDATE and FOR SHARE
// are removed, since SQLite runs only one write transaction at a time.
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

// ErrNoRows is returned when a query for one row finds none.
var ErrNoRows = errors.New("no rows")

// DB is an open database. It is safe for concurrent use.
type DB struct {
	// For SQLite, both set: writer is the only connection that writes.
	writer, reader                  *sql.DB
	writes                          group
	writeStatements, readStatements statements
	// For PostgreSQL.
	pool *pgxpool.Pool

	counts counts
	offset atomic.Int64 // how far the database's clock is ahead, in nanoseconds
	log    *slog.Logger
	path   string // of the SQLite file

	sqlite sync.Map // query for PostgreSQL → query for SQLite
}

// Options are the settings of a database. The zero value has the defaults.
type Options struct {
	// ByHand makes [Open] run no migrations and create no file. Open then returns [ErrMigrate] if a migration is
	// missing.
	ByHand bool
	// Logger logs migrations; nil is slog.Default.
	Logger *slog.Logger
}

// Open opens the database at an address: "postgres://…", or "sqlite:" and the path of a file, which is created if it
// does not exist. Open runs the missing migrations unless o.ByHand is set. Errors never contain the address of a
// PostgreSQL server.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	d := &DB{log: o.Logger}
	if d.log == nil {
		d.log = slog.Default()
	}
	if err := CheckAddress(address); err != nil {
		return nil, fmt.Errorf("database address %w", err)
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

// CheckAddress returns an error if [Open] can't parse the address. The error does not contain the address, and
// CheckAddress opens nothing.
func CheckAddress(address string) error {
	if path, is := sqlitePath(address); is {
		if path == "" || strings.HasPrefix(path, ":memory:") {
			return errors.New("must name a file, such as sqlite:ghlsync.db")
		}
		return nil
	}
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("must begin with sqlite: or postgres://, " +
			"such as sqlite:ghlsync.db or postgres://user:password@host/name")
	}
	if _, err := pgxpool.ParseConfig(address); err != nil { // the error may contain the password
		return errors.New("must be an address such as postgres://user:password@host/name; " +
			"write special characters of the password as %XX")
	}
	return nil
}

// sqlitePath returns the path in the address of a SQLite file.
func sqlitePath(address string) (path string, is bool) {
	path, is = strings.CutPrefix(address, "sqlite:")
	return strings.TrimPrefix(path, "//"), is
}

// maxConns bounds the connections of one process to PostgreSQL.
const maxConns = 20

// idleTimeout is how long a transaction may do nothing until PostgreSQL ends it, so that a frozen process does not hold
// its locks against the process that takes over its work.
const idleTimeout = 5 * time.Second

func (d *DB) openPostgres(ctx context.Context, address string) error {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return errors.New("invalid database address") // err may contain the password
	}
	config.MaxConns = maxConns
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, fmt.Sprintf(`SET idle_in_transaction_session_timeout = %d`, idleTimeout.Milliseconds()))
		return err
	}
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
		err = fmt.Errorf("%w: file %s does not exist", ErrMigrate, path)
	}
	if err == nil {
		err = writable(path) // SQLite also opens read-only files
	}
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	// FULL: a commit survives a power failure. An acknowledged delivery and a new token depend on it.
	common := url.Values{"mode": {"rw"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)",
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

// makeFile creates a file with mode 0600 unless it exists. SQLite gives its other files the same mode; they contain
// tokens and personal data.
//
// makeFile does not open an existing file: closing it would release all locks that the process holds on it
// (https://sqlite.org/howtocorrupt.html, 2.2). The mutex ensures that no lock is held on a file that was just created.
func makeFile(path string) error {
	making.Lock()
	defer making.Unlock()
	const flags = os.O_RDWR | os.O_CREATE
	f, err := os.OpenFile(path, flags|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if _, err = os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f, err = os.OpenFile(path, flags, 0o600) // creates the target of a symbolic link
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// busyTimeout is the longest time that SQLite waits for a lock of another connection.
const busyTimeout = 20 * time.Second

// firstConnection connects, with retries for busyTimeout. The first connection to a new file creates its WAL, and
// SQLite does not wait for locks when it does that.
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

// Close waits for running transactions and closes the connections.
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

// Postgres returns the pool of a PostgreSQL database; nil for SQLite.
func (d *DB) Postgres() *pgxpool.Pool { return d.pool }

// SQLite returns the only connection that writes to a SQLite database; nil for PostgreSQL.
func (d *DB) SQLite() *sql.DB { return d.writer }

// counts are how many statements and transactions were run.
type counts struct{ statements, transactions atomic.Int64 }

// Counts returns how many statements and transactions of this package were run since [Open]. A transaction of SQLite
// may be that of many callers.
func (d *DB) Counts() (statements, transactions int64) {
	return d.counts.statements.Load(), d.counts.transactions.Load()
}

// Path returns the file of a SQLite database; "" for PostgreSQL.
func (d *DB) Path() string { return d.path }

// Now returns the time on the clock that all processes of a database share, in whole microseconds: the server's clock
// for PostgreSQL, the machine's clock for SQLite.
func (d *DB) Now() time.Time {
	return time.Now().Add(time.Duration(d.offset.Load())).Truncate(time.Microsecond).UTC()
}

// SyncClock measures the offset of the database's clock, which [DB.Now] uses. Callers repeat it since clocks drift.
func (d *DB) SyncClock(ctx context.Context) error {
	if d.pool == nil {
		return nil
	}
	before := time.Now()
	var theirs int64
	const query = `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`
	if err := d.pool.QueryRow(ctx, query).Scan(&theirs); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	middle := before.Add(time.Since(before) / 2)
	d.offset.Store(int64(Time(theirs).Sub(middle)))
	return nil
}

// Ahead returns how far the database's clock is ahead of this machine's clock; 0 for SQLite.
func (d *DB) Ahead() time.Duration { return time.Duration(d.offset.Load()) }

// Micros returns the stored form of a time; 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time returns the time of a stored form; the zero time for 0.
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
