package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// TestWritesTogether: writes of many callers are committed together, and each has its own result: an error, a panic or
// a context that has ended undoes the write of its caller alone.
func TestWritesTogether(t *testing.T) {
	d, err := db.Open(t.Context(), "sqlite:"+t.TempDir()+"/test.db", db.Options{Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(d.Close)
	const writes = 200
	began, proceed := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { // the others wait until it ends
		require.NoError(t, d.Write(t.Context(), func(context.Context, *db.Tx) error {
			close(began)
			<-proceed
			return nil
		}))
	})
	<-began
	failed := errors.New("not this one")
	results := make([]error, writes)
	ended, end := context.WithCancel(t.Context())
	for i := range writes {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					results[i] = fmt.Errorf("panic: %v", v)
				}
			}()
			ctx := t.Context()
			if i%10 == 3 {
				ctx = ended
			}
			results[i] = d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
				if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ($1, '', 0)`,
					fmt.Sprint(i)); err != nil {
					return err
				}
				switch i % 10 {
				case 1:
					return failed
				case 2:
					panic("oops")
				}
				return nil
			})
		})
	}
	end()
	close(proceed)
	all.Wait()
	stored := map[string]bool{}
	require.NoError(t, d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Each(ctx, func(r db.Row) error {
			var name string
			err := r.Scan(&name)
			stored[name] = true
			return err
		}, `SELECT name FROM ghlsync_cursor`)
	}))
	for i, err := range results {
		switch i % 10 {
		case 1:
			require.Equal(t, failed, err)
		case 2:
			require.EqualError(t, err, "panic: oops")
		case 3:
			require.ErrorIs(t, err, context.Canceled)
		default:
			require.NoError(t, err)
		}
		require.Equal(t, err == nil, stored[fmt.Sprint(i)], "%d: %v", i, err)
	}
}
