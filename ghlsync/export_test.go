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

// SmallSteps makes pages of contacts smaller, and tells of the progress at each contact.
func SmallSteps(page int) { pageLimit, tellEvery = page, 0 }

// Units are the units that wait or are worked on, without those that have stopped.
func (s *Syncer) Units() (list []string) {
	_ = s.db.Read(context.Background(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) }, `SELECT unit FROM ghlsync_unit WHERE number > synced AND job <> 0`)
		return err
	})
	return list
}

// Quiet reports whether nothing is to be done: all of Pluvo's changes were followed, and no unit waits or is worked on. Between its
// two looks at the changes there was none, so nothing was overlooked while it counted the units.
func (s *Syncer) Quiet() bool {
	before, followed := s.followed()
	if !followed || len(s.Units()) > 0 {
		return false
	}
	after, followed := s.followed()
	return followed && before == after
}

// followed is up to where Pluvo's changes were followed, and whether these are all.
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

// Tokens is the store of tokens.
func Tokens(s *Syncer) oauth.Store { return s.tokens }

// CloseDatabase takes the database away.
func CloseDatabase(s *Syncer) { s.db.Close() }

// AlertsDue has alerts that wait for a later time sent now.
func AlertsDue(t testing.TB, address string) {
	t.Helper()
	Exec(t, address, `UPDATE ghlsync_alert SET next_at = 1 WHERE sent_at = 0`)
}

// Exec changes the database.
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

// Stopping is closed when a stop has begun.
func (s *Syncer) Stopping() <-chan struct{} { return s.life.Done() }

// StartedAt has a Syncer believe that it was started then.
func (s *Syncer) StartedAt(at time.Time) { s.monitor.started.Store(at.UnixNano()) }

// RetryAfter is how long a schedule waits after so many failures.
var RetryAfter = retryAfter
