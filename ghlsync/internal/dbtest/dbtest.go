// Package dbtest provides empty databases for tests: SQLite always, PostgreSQL if GHLSYNC_POSTGRES_URL names a server.
package dbtest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Variable is the environment variable with the address of a PostgreSQL server for tests.
const Variable = "GHLSYNC_POSTGRES_URL"

// Each runs a test on SQLite and on PostgreSQL in parallel, each with the address of a new empty database. Each
// returns before the tests start.
func Each(t *testing.T, test func(t *testing.T, address string)) {
	for name, open := range map[string]func(testing.TB) string{"sqlite": SQLite, "postgres": Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// SQLite returns the address of a file that does not exist yet.
func SQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "ghlsync.db")
}

// Postgres returns the address of an empty schema, which is dropped at the end of the test. It skips the test if no
// server is set.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		t.Skip(Variable + " names no PostgreSQL server: bash .ci/postgres go test ./...")
	}
	schema := "t" + strings.ToLower(rand.Text())
	exec := func(query string) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, server)
		require.NoError(t, err)
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, query)
		require.NoError(t, err)
	}
	exec("CREATE SCHEMA " + schema)
	t.Cleanup(func() { exec("DROP SCHEMA " + schema + " CASCADE") })
	address, err := url.Parse(server)
	require.NoError(t, err)
	query := address.Query()
	query.Set("search_path", schema)
	query.Set("application_name", schema)
	address.RawQuery = query.Encode()
	return address.String()
}

// Open opens a database and closes it at the end of the test.
func Open(t testing.TB, address string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), address, db.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}
