package db

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEachTableIsCopiedOrLeft: every table is either in copied or in left, so that a new migration must decide.
func TestEachTableIsCopiedOrLeft(t *testing.T) {
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "a.db"), Options{})
	require.NoError(t, err)
	defer d.Close()
	var tables []string
	require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *Tx) (err error) {
		tables, err = List(ctx, tx, func(r Row) (name string, err error) { return name, r.Scan(&name) },
			`SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ghlsync_%'`)
		return err
	}))
	require.ElementsMatch(t, tables, slices.Concat(copied, left))
}
