package alerts_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/alerts"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
)

func add(t testing.TB, o alerts.Outbox, incident, topic string) {
	t.Helper()
	require.NoError(t, o.DB.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		return o.Add(ctx, tx, alerts.Entry{Incident: incident, Topic: topic, Body: "body of " + incident})
	}))
}

// later makes all waiting alerts due.
func later(t testing.TB, o alerts.Outbox) {
	t.Helper()
	require.NoError(t, o.DB.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET next_at = 1 WHERE sent_at = 0`)
		return err
	}))
}

func take(t testing.TB, o alerts.Outbox) *alerts.Batch {
	t.Helper()
	b, err := o.Take(context.Background())
	require.NoError(t, err)
	return b
}

// TestOneAlertForOneIncident: an incident that several processes find and try to send is sent once, by one of them.
func TestOneAlertForOneIncident(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		processes := []alerts.Outbox{{DB: dbtest.Open(t, address)}, {DB: dbtest.Open(t, address)}}
		var all sync.WaitGroup
		for range 5 {
			for _, o := range processes {
				all.Go(func() { add(t, o, "pause a", "a") })
				all.Go(func() { add(t, o, "pause b", "b") })
			}
		}
		all.Wait()
		var sent atomic.Int32
		for range 4 {
			for _, o := range processes {
				all.Go(func() {
					b, err := o.Take(context.Background())
					if err != nil || b == nil {
						return
					}
					if len(b.Bodies) == 1 && o.Sent(context.Background(), b) == nil {
						sent.Add(1)
					}
				})
			}
		}
		all.Wait()
		require.EqualValues(t, 2, sent.Load())
		later(t, processes[0])
		require.Nil(t, take(t, processes[1]))
		add(t, processes[1], "pause a", "a")
		later(t, processes[0])
		require.Nil(t, take(t, processes[0]), "the incident is not over")

		require.NoError(t, processes[0].Over(t.Context(), "pause a"))
		add(t, processes[1], "pause a", "a")
		later(t, processes[0])
		require.Equal(t, []string{"body of pause a"}, take(t, processes[0]).Bodies, "another incident")
	})
}

// TestNotLost: a batch is retried with the same id when sending fails or when the process dies while it sends.
func TestNotLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		o := alerts.Outbox{DB: dbtest.Open(t, address)}
		add(t, o, "one", "a")
		first := take(t, o)
		require.Equal(t, 1, first.Attempt)
		require.Nil(t, take(t, o), "another process is sending it")
		later(t, o) // the process has died
		second := take(t, o)
		require.Equal(t, alerts.Batch{ID: first.ID, Bodies: first.Bodies, Attempt: 1}, *second,
			"an attempt without an answer is not counted")
		require.NoError(t, o.Failed(t.Context(), second))
		due, err := o.Due(t.Context())
		require.NoError(t, err)
		require.False(t, due, "it waits for the retry")

		add(t, o, "two", "a") // is not added to a batch that was tried
		later(t, o)
		third := take(t, o)
		require.Equal(t, first.ID, third.ID)
		require.Len(t, third.Bodies, 1)
		require.NoError(t, o.Sent(t.Context(), third))
		require.Equal(t, []string{"body of two"}, take(t, o).Bodies)
	})
}

// TestMany: a thousand incidents of one topic are sent in two batches, and an incident of another topic does not wait
// for them.
func TestMany(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		o := alerts.Outbox{DB: dbtest.Open(t, address)}
		add(t, o, "first", "many")
		require.NoError(t, o.Sent(t.Context(), take(t, o)))
		require.NoError(t, o.DB.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			for i := range 999 {
				if err := o.Add(ctx, tx, alerts.Entry{Incident: fmt.Sprint("i", i), Topic: "many",
					Body: "{}"}); err != nil {
					return err
				}
			}
			return nil
		}))
		require.Nil(t, take(t, o), "alerts of the topic wait")
		add(t, o, "other", "other")
		require.Equal(t, []string{"body of other"}, take(t, o).Bodies)
		later(t, o)
		bodies := 0
		for b := take(t, o); b != nil; b = take(t, o) {
			bodies = max(bodies, len(b.Bodies))
			require.NoError(t, o.Sent(t.Context(), b))
		}
		require.Equal(t, 999, bodies)
		lost, err := o.Prune(t.Context())
		require.NoError(t, err)
		require.Zero(t, lost)
		require.NoError(t, o.DB.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx,
				`UPDATE ghlsync_alert SET created_at = $1, sent_at = 0 WHERE incident IN ('i1', 'i2')`,
				db.Micros(time.Now().AddDate(0, -4, 0)))
			return err
		}))
		lost, err = o.Prune(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, lost)
	})
}
