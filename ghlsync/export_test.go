package ghlsync

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
)

// SmallSteps makes pages of contacts smaller and reports the progress at each contact.
func SmallSteps(page int) { pageLimit, progressInterval = page, 0 }

// Units returns the units that wait or run, without stopped units.
func (s *Syncer) Units() (list []string) {
	_ = s.db.Read(context.Background(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) },
			`SELECT unit FROM ghlsync_unit WHERE number > synced AND stopped = 0`)
		return err
	})
	return list
}

// Quiet reports whether nothing is left to do: all changes of Pluvo are followed, and no unit waits or runs. It reads
// the cursor before and after it counts the units, so that it does not miss a change in between.
func (s *Syncer) Quiet() bool {
	before, followed := s.followed()
	if !followed || len(s.Units()) > 0 {
		return false
	}
	after, followed := s.followed()
	return followed && before == after
}

// followed returns the cursor of Pluvo's changes, and whether no change is after it.
func (s *Syncer) followed() (at pluvo.Cursor, all bool) {
	ctx := context.Background()
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		text, _, err := tx.Cursor(ctx, "pluvo")
		at = pluvo.Cursor(text)
		return err
	})
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", false
	}
	page, err := s.store.Changes(ctx, at, 1)
	return at, err == nil && len(page.Changes) == 0
}

// Tokens returns the store of tokens.
func Tokens(s *Syncer) oauth.Store { return s.tokens }

// CloseDatabase closes the database under a Syncer.
func CloseDatabase(s *Syncer) { s.db.Close() }

// AlertsDue makes all waiting alerts due.
func AlertsDue(t testing.TB, address string) {
	t.Helper()
	Exec(t, address, `UPDATE ghlsync_alert SET next_at = 1 WHERE sent_at = 0`)
}

// Exec runs a statement in the database.
func Exec(t testing.TB, address, query string, args ...any) {
	t.Helper()
	d, err := db.Open(context.Background(), address, db.Options{})
	require.NoError(t, err)
	defer d.Close()
	require.NoError(t, d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}))
}

// Stopping returns a channel that is closed when Stop begins.
func (s *Syncer) Stopping() <-chan struct{} { return s.life.Done() }

// StartedAt sets the time at which a Syncer was started.
func (s *Syncer) StartedAt(at time.Time) { s.monitor.started.Store(at.UnixNano()) }

// RetryAfter exports retryAfter.
var RetryAfter = retryAfter

// Counts returns how many SQL statements and transactions were run.
func (s *Syncer) Counts() (statements, transactions int64) { return s.db.Counts() }
