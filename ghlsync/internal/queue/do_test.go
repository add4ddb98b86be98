package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

func TestDo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var runs atomic.Int32
		q := open(t, d, queue.Config{Work: func(context.Context, *queue.Run) error { runs.Add(1); return nil },
			Retries: queue.Retry{First: 10 * time.Millisecond}})
		ctx := t.Context()
		require.NoError(t, q.AddLocation(ctx, "loc"))
		_, err := q.Do(ctx, unit("c1"), time.Now(), idle)
		require.ErrorIs(t, err, queue.ErrNotRunning)
		start(t, q)
		_, err = q.Do(ctx, queue.Unit{Location: "other", ID: "c1"}, time.Now(), idle)
		require.ErrorIs(t, err, queue.ErrLocation)
		_, err = q.Do(ctx, unit(""), time.Now(), idle)
		require.ErrorIs(t, err, queue.ErrInvalid)

		// Do excludes other runs of the unit, and a change that is marked meanwhile is synced afterwards.
		done, err := q.Do(ctx, unit("c1"), time.Now(), func(ctx context.Context, run *queue.Run) error {
			require.Equal(t, queue.Background, run.Priority)
			again, err := q.Do(ctx, unit("c1"), time.Now(), idle)
			require.NoError(t, err)
			require.False(t, again, "another run has the unit")
			require.NoError(t, q.Mark(ctx, unit("c1"), queue.Everything, queue.Live))
			require.Zero(t, runs.Load())
			return nil
		})
		require.NoError(t, err)
		require.True(t, done)
		eventually(t, "the marked change is synced", func() bool { return behind(t, d) == 0 })
		require.EqualValues(t, 1, runs.Load())

		// The unit was read just now, so older data is refused.
		done, err = q.Do(ctx, unit("c1"), time.Now().Add(-time.Minute), idle)
		require.NoError(t, err)
		require.False(t, done)
		done, err = q.Do(ctx, unit("c1"), time.Now().Add(time.Minute), idle)
		require.NoError(t, err)
		require.True(t, done)

		// A failure is retried with the usual work.
		done, err = q.Do(ctx, unit("c2"), time.Now(),
			func(context.Context, *queue.Run) error { return errors.New("no") })
		require.NoError(t, err)
		require.True(t, done)
		eventually(t, "the retry succeeds", func() bool { return behind(t, d) == 0 })
		require.EqualValues(t, 2, runs.Load())

		require.NoError(t, q.Pause(ctx, "loc", "for a test"))
		_, err = q.Do(ctx, unit("c1"), time.Now().Add(time.Minute), idle)
		require.ErrorIs(t, err, queue.ErrPaused)
	})
}

// TestHold: one run at a time holds a lock, and the death of its process frees the lock.
func TestHold(t *testing.T) {
	address := dbtest.Postgres(t) // several processes
	d, ctx := dbtest.Open(t, address), t.Context()
	a := open(t, d, queue.Config{Work: idle, Lease: time.Second})
	b := open(t, d, queue.Config{Work: idle, Lease: time.Second})
	_, _, err := a.Hold(ctx, "x")
	require.ErrorIs(t, err, queue.ErrNotRunning)
	start(t, a)
	start(t, b)
	held, release, err := a.Hold(ctx, "x")
	require.NoError(t, err)
	for _, q := range []*queue.Queue{a, b} {
		is, err := q.Held(ctx, "x")
		require.NoError(t, err)
		require.True(t, is)
		_, _, err = q.Hold(ctx, "x")
		require.ErrorIs(t, err, queue.ErrHeld)
	}
	_, other, err := b.Hold(ctx, "y")
	require.NoError(t, err)
	other()
	release()
	require.Error(t, held.Err())
	held, release, err = b.Hold(ctx, "x")
	require.NoError(t, err)
	defer release()

	// b is treated as dead: a gets the lock, and the context of b ends.
	require.NoError(t, a.TakeOver(ctx, b.Process()))
	eventually(t, "the lock of the dead process is free", func() bool {
		_, release, err := a.Hold(ctx, "x")
		if err == nil {
			release()
		}
		return err == nil || held.Err() != nil
	})
	exec(t, d, `DELETE FROM ghlsync_process WHERE id = $1`, b.Process())
	eventually(t, "the context of the dead process ends", func() bool { return held.Err() != nil })

	// What it writes late, because it was frozen, has no effect.
	late := context.WithoutCancel(held)
	for _, change := range []func(context.Context, *db.Tx) error{
		func(ctx context.Context, tx *db.Tx) error {
			return tx.MoveCursor(ctx, "backfill/loc", "late", time.Now())
		},
		func(ctx context.Context, tx *db.Tx) error { return tx.DropCursor(ctx, "backfill/loc") },
	} {
		require.ErrorIs(t, d.Write(late, change), db.ErrFenced)
	}
	held, release, err = a.Hold(ctx, "z")
	require.NoError(t, err)
	defer release()
	require.NoError(t, d.Write(held, func(ctx context.Context, tx *db.Tx) error {
		return tx.MoveCursor(ctx, "backfill/loc", "in time", time.Now())
	}))
}

// TestHoldIsGivenBackLater: a lock is released later if the database fails when it should be released.
func TestHoldIsGivenBackLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d, ctx := dbtest.Open(t, address), t.Context()
		q := open(t, d, queue.Config{Work: idle})
		start(t, q)
		_, release, err := q.Hold(ctx, "x")
		require.NoError(t, err)
		exec(t, d, `ALTER TABLE ghlsync_hold RENAME TO elsewhere`)
		release()
		exec(t, d, `ALTER TABLE elsewhere RENAME TO ghlsync_hold`)
		_, _, err = q.Hold(ctx, "x")
		require.ErrorIs(t, err, queue.ErrHeld)
		eventually(t, "the lock is free", func() bool {
			is, err := q.Held(ctx, "x")
			return err == nil && !is
		})
		_, release, err = q.Hold(ctx, "x")
		require.NoError(t, err)
		release()
	})
}

// TestLiveMarkOfWhatIsWorkedOn: a live change of a unit that runs with background priority does not wait for other
// units with that priority.
func TestLiveMarkOfWhatIsWorkedOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d, ctx := dbtest.Open(t, address), t.Context()
		order, proceed := make(chan string, 10), make(chan bool)
		q := open(t, d, queue.Config{Workers: 1, Work: func(_ context.Context, run *queue.Run) error {
			order <- run.ID
			<-proceed
			return nil
		}})
		require.NoError(t, q.AddLocation(ctx, "loc"))
		start(t, q)
		done, err := q.Do(ctx, unit("c1"), time.Now(), func(ctx context.Context, _ *queue.Run) error {
			for i := range 5 {
				require.NoError(t, q.Mark(ctx, unit(fmt.Sprint("b", i)), queue.Everything, queue.Background))
			}
			require.Equal(t, "b0", receive(t, order))
			return q.Mark(ctx, unit("c1"), queue.Everything, queue.Live)
		})
		require.NoError(t, err)
		require.True(t, done)
		close(proceed)
		require.Equal(t, "c1", receive(t, order))
		eventually(t, "all are synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestDoOfWhatHasStopped: Do does not run the work of a list for a stopped unit, but starts a retry with the usual
// work.
func TestDoOfWhatHasStopped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d, ctx := dbtest.Open(t, address), t.Context()
		var well atomic.Bool
		q := open(t, d, queue.Config{Retries: queue.Retry{Attempts: 1}, Work: func(context.Context, *queue.Run) error {
			if well.Load() {
				return nil
			}
			return errors.New("no")
		}})
		require.NoError(t, q.AddLocation(ctx, "loc"))
		start(t, q)
		require.NoError(t, q.Mark(ctx, unit("c1"), queue.Everything, queue.Live))
		stopped := func() (is bool) {
			require.NoError(t, d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				is, err = q.HasStopped(ctx, tx, unit("c1"))
				return err
			}))
			return is
		}
		eventually(t, "the unit stops", stopped)
		well.Store(true)
		done, err := q.Do(ctx, unit("c1"), time.Now().Add(time.Hour), func(context.Context, *queue.Run) error {
			return errors.New("must not run")
		})
		require.NoError(t, err)
		require.False(t, done)
		eventually(t, "it is synced", func() bool { return behind(t, d) == 0 })
		require.False(t, stopped())
	})
}

// TestShare: if many units wait, they are read together. If that fails, each is read by itself, and the failure is not
// one of the units.
func TestShare(t *testing.T) {
	for name, failed := range map[string]error{"well": nil, "failing": errors.New("the search fails")} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, address string) {
				d := dbtest.Open(t, address)
				var single, shared, reads atomic.Int32
				q := open(t, d, queue.Config{
					Work: func(context.Context, *queue.Run) error { single.Add(1); return nil },
					Share: func(_ context.Context, runs []*queue.Run) (queue.Work, error) {
						reads.Add(1)
						if len(runs) <= queue.MaxSingle {
							return nil, errors.New("too few")
						}
						return func(context.Context, *queue.Run) error { shared.Add(1); return nil }, failed
					}})
				require.NoError(t, q.AddLocation(t.Context(), "loc"))
				for i := range 100 {
					aspects := queue.AspectContact
					if i%10 == 0 {
						aspects = queue.AspectPluvo // does not wait for the others
					}
					require.NoError(t, q.Mark(t.Context(), unit(fmt.Sprint("c", i)), aspects, queue.Live))
				}
				start(t, q)
				eventually(t, "synced", func() bool { return behind(t, d) == 0 })
				require.EqualValues(t, 1, reads.Load())
				if failed == nil {
					require.EqualValues(t, 90, shared.Load())
					require.EqualValues(t, 10, single.Load())
				} else {
					require.EqualValues(t, 100, single.Load())
				}
				require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_failure`))
			})
		})
	}
}
