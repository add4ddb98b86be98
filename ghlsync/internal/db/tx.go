package db

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Tx is a transaction.
type Tx struct {
	db         *DB
	sql        *sql.Tx
	statements *statements // of the connection of sql
	pgx        pgx.Tx
}

// SQL returns the transaction of a SQLite database; nil for PostgreSQL.
func (t *Tx) SQL() *sql.Tx { return t.sql }

// Pgx returns the transaction of a PostgreSQL database; nil for SQLite.
func (t *Tx) Pgx() pgx.Tx { return t.pgx }

// Row is the result of a query for one row.
type Row interface{ Scan(into ...any) error }

type row struct{ Row }

func (r row) Scan(into ...any) error { return mapError(r.Row.Scan(into...)) }

// Exec runs a statement and returns the number of changed rows.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	t.db.counts.statements.Add(1)
	if t.pgx != nil {
		tag, err := t.pgx.Exec(ctx, query, args...)
		return tag.RowsAffected(), err
	}
	query = t.db.forSQLite(query)
	var result sql.Result
	var err error
	if stmt := t.statements.in(ctx, t.sql, query); stmt != nil {
		result, err = stmt.ExecContext(ctx, args...)
	} else {
		result, err = t.sql.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Row runs a query for one row. Its Scan returns [ErrNoRows] if the query finds none.
func (t *Tx) Row(ctx context.Context, query string, args ...any) Row {
	t.db.counts.statements.Add(1)
	if t.pgx != nil {
		return row{t.pgx.QueryRow(ctx, query, args...)}
	}
	query = t.db.forSQLite(query)
	if stmt := t.statements.in(ctx, t.sql, query); stmt != nil {
		return row{stmt.QueryRowContext(ctx, args...)}
	}
	return row{t.sql.QueryRowContext(ctx, query, args...)}
}

// List runs a query and returns the result of scan for each row.
func List[T any](ctx context.Context, t *Tx, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	var list []T
	err := t.Each(ctx, func(r Row) error {
		v, err := scan(r)
		list = append(list, v)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Each runs a query and calls do with each row. It stops at the first error of do and returns that error.
func (t *Tx) Each(ctx context.Context, do func(Row) error, query string, args ...any) error {
	t.db.counts.statements.Add(1)
	if t.pgx != nil {
		rows, err := t.pgx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := do(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	query = t.db.forSQLite(query)
	var rows *sql.Rows
	var err error
	if stmt := t.statements.in(ctx, t.sql, query); stmt != nil {
		rows, err = stmt.QueryContext(ctx, args...)
	} else {
		rows, err = t.sql.QueryContext(ctx, query, args...)
	}
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Lock waits until no other transaction holds a lock with one of the names, and holds the locks until t ends. To avoid
// deadlocks, a transaction takes all its locks in one call.
func (t *Tx) Lock(ctx context.Context, names ...string) error {
	if t.pgx == nil {
		return nil // SQLite has one write transaction at a time
	}
	keys := make([]int64, len(names))
	for i, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte("ghlsync\x00" + name))
		keys[i] = int64(h.Sum64())
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if _, err := t.pgx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, key); err != nil {
			return err
		}
	}
	return nil
}

// Write runs fn in a transaction, which is committed unless fn returns an error. If the transaction conflicts with
// another one, Write runs fn again, so fn must have no effects outside its transaction.
func (d *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	return d.run(ctx, fn, false)
}

// Read runs fn in a read-only transaction that sees one snapshot of the database.
func (d *DB) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	return d.run(ctx, fn, true)
}

const tries = 10

func (d *DB) run(ctx context.Context, fn func(context.Context, *Tx) error, readOnly bool) error {
	for n := 1; ; n++ {
		err := d.once(ctx, fn, readOnly)
		if err == nil || n == tries || !collided(err) {
			return mapError(err)
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// pause waits before the retry after the nth try, with exponential backoff and jitter.
func pause(ctx context.Context, n int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(rand.Int64N(int64(time.Millisecond) << min(n, 6)))):
		return nil
	}
}

func (d *DB) once(ctx context.Context, fn func(context.Context, *Tx) error, readOnly bool) error {
	if d.pool != nil || readOnly {
		d.counts.transactions.Add(1)
	}
	if d.pool != nil {
		options := pgx.TxOptions{}
		if readOnly {
			options = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		}
		return pgx.BeginTxFunc(ctx, d.pool, options, func(tx pgx.Tx) error { return fn(ctx, &Tx{db: d, pgx: tx}) })
	}
	if !readOnly {
		return d.writes.run(ctx, d, fn)
	}
	d.readStatements.prepare(ctx, d.reader)
	tx, err := d.reader.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := fn(ctx, &Tx{db: d, sql: tx, statements: &d.readStatements}); err != nil {
		return err
	}
	return tx.Commit()
}

// collided reports whether a transaction was rolled back because of another one, so that a retry may succeed.
func collided(err error) bool {
	if errors.Is(err, errRegroup) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01" // serialization failure, deadlock
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// Unique reports whether err is the violation of a unique key.
func Unique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// Storable reports whether PostgreSQL can store the texts: they are valid UTF-8 without zero bytes.
func Storable(texts ...string) bool {
	for _, s := range texts {
		if strings.ToValidUTF8(s, "") != s || strings.IndexByte(s, 0) >= 0 {
			return false
		}
	}
	return true
}

// forSQLite translates a query for SQLite.
func (d *DB) forSQLite(query string) string {
	if text, ok := d.sqlite.Load(query); ok {
		return text.(string)
	}
	text := strings.NewReplacer("$", "?", " FOR UPDATE", "", " FOR SHARE", "").Replace(query)
	d.sqlite.Store(query, text)
	return text
}
