package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

func exec(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	require.NoError(t, d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}))
}

// TestStopDrains: Stop waits for runs. It cancels a run that does not end in time and puts it back without counting
// an attempt.
func TestStopDrains(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		began := make(chan string, 10)
		goOn := make(chan struct{})
		q := open(t, d, queue.Config{Work: func(ctx context.Context, run *queue.Run) error {
			began <- run.ID
			if run.ID == "quick" {
				<-goOn
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.ErrorContains(t, q.Start(t.Context()), "before")
		require.NoError(t, q.Mark(t.Context(), unit("quick"), queue.Everything, queue.Live))
		require.NoError(t, q.Mark(t.Context(), unit("slow"), queue.Everything, queue.Live))
		receive(t, began)
		receive(t, began)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		time.AfterFunc(50*time.Millisecond, func() { close(goOn) })
		require.NoError(t, q.Stop(ctx))
		require.NoError(t, q.Stop(ctx), "a second stop does nothing")
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE unit = 'quick' AND synced = 1`))
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_unit
			WHERE unit = 'slow' AND synced = 0 AND stopped = 0 AND epoch = 0 AND attempts = 0`))
		require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_process`))
		require.Zero(t, count(t, d, `SELECT count(*) FROM river_job WHERE state = 'running'`))

		next := open(t, d, queue.Config{Work: idle})
		start(t, next)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestLostLease: a process that has lost its lease cancels its runs, and they have no effect. Then the process
// continues.
func TestLostLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		began, freed := make(chan context.Context, 10), make(chan struct{})
		var first atomic.Bool
		q := open(t, d, queue.Config{Lease: 500 * time.Millisecond,
			Work: func(ctx context.Context, run *queue.Run) error {
				began <- ctx
				run.Finally(func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ('run', '', 0)`)
					return err
				})
				if first.CompareAndSwap(false, true) {
					<-ctx.Done()
					<-freed // returns success although its context is cancelled
				}
				return nil
			}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		ctx := receive(t, began)
		other, err := queue.New(queue.Config{DB: d, Work: idle, Logger: quiet}) // another process
		require.NoError(t, err)
		require.NoError(t, other.TakeOver(t.Context(), q.Process()))
		receive(t, ctx.Done())
		close(freed)
		require.Error(t, context.Cause(ctx))
		receive(t, began)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_cursor`))
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_process`))
	})
}

// TestKilledTooOften: a unit is retried when the process of its run dies, later with waits, and stops at the limit.
func TestKilledTooOften(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var incidents []queue.Failure
		q := open(t, d, queue.Config{Work: idle, Retries: queue.Retry{Kills: 4},
			Incident: func(f queue.Failure) { incidents = append(incidents, f) }})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		for range 4 {
			exec(t, d, `UPDATE ghlsync_location SET owner = 'dead', job = 0, epoch = 7`)
			exec(t, d, `UPDATE ghlsync_unit SET epoch = 7`)
			require.NoError(t, q.TakeOver(t.Context(), "dead"))
			require.NoError(t, q.TakeOver(t.Context(), "dead"), "a second call changes nothing")
		}
		require.Equal(t, 1, count(t, d,
			`SELECT count(*) FROM ghlsync_unit WHERE kills = 4 AND stopped = 1 AND epoch = 0`))
		require.Len(t, incidents, 1)
		require.Equal(t, queue.CategoryKilled, incidents[0].Category)
		require.Equal(t, queue.Stopped, incidents[0].State)

		require.NoError(t, q.Retry(t.Context(), incidents[0].ID))
		start(t, q)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		open, err := q.Failures(t.Context(), queue.FailureFilter{})
		require.NoError(t, err)
		require.Empty(t, open)
	})
}

// TestRevive: a location gets a new job if its job was deleted, such as in River's UI.
func TestRevive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		require.NoError(t, q.AddLocation(t.Context(), "kept"))
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		require.NoError(t, q.Mark(t.Context(), queue.Unit{Location: "kept", ID: "c"}, queue.Everything, queue.Live))
		kept := count(t, d, `SELECT job FROM ghlsync_location WHERE id = 'kept'`)
		exec(t, d, `DELETE FROM river_job WHERE id = (SELECT job FROM ghlsync_location WHERE id = 'loc')`)
		require.NoError(t, q.Revive(t.Context()))
		require.Equal(t, kept, count(t, d, `SELECT job FROM ghlsync_location WHERE id = 'kept'`))
		start(t, q)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
	})
}

func TestPrune(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle})
		old, now := db.Micros(time.Now().AddDate(-1, 0, 0)), db.Micros(time.Now())
		for name, at := range map[string]int64{"old": old, "new": now} {
			exec(t, d, `INSERT INTO ghlsync_delivery (id, location, kind, received_at) VALUES ($1, 'loc', 'k', $2)`,
				name, at)
			for _, state := range []queue.State{queue.Resolved, queue.Stopped} {
				id := name + string(state)
				exec(t, d, `INSERT INTO ghlsync_failure (id, location, unit, state, category, message, attempts, first_at, last_at, next_at)
					VALUES ($1, 'loc', $2, $3, '', '', 1, $4, $5, 0)`, id, id, string(state), at, at)
				exec(t, d, `INSERT INTO ghlsync_attempt (failure, number, happened_at, next_at, operation, category, status, message, trace_id, sent, received)
					VALUES ($1, 1, 0, 0, '', '', 0, '', '', '', '')`, id)
			}
		}
		require.NoError(t, q.Prune(t.Context()))
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_delivery`))
		require.Equal(t, 3, count(t, d, `SELECT count(*) FROM ghlsync_failure`))
		require.Equal(t, 3, count(t, d, `SELECT count(*) FROM ghlsync_attempt`))
	})
}

// TestPause: no process works on a paused location, whichever has its jobs. Its runs continue after it is resumed.
func TestPause(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var runs atomic.Int32
		q := open(t, d, queue.Config{Work: func(context.Context, *queue.Run) error { runs.Add(1); return nil }})
		require.ErrorIs(t, q.Pause(t.Context(), "loc", "by hand"), queue.ErrLocation)
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		require.NoError(t, q.AddLocation(t.Context(), "other"))
		require.NoError(t, q.Pause(t.Context(), "loc", "by hand"))
		require.NoError(t, q.Pause(t.Context(), "loc", "again"))
		start(t, q)
		for _, location := range []string{"loc", "other"} {
			require.NoError(t, q.Mark(t.Context(), queue.Unit{Location: location, ID: "c"}, queue.Everything, queue.Live))
		}
		eventually(t, "the other is synced", func() bool { return runs.Load() == 1 })
		list, err := q.Locations(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "by hand", list[0].Reason)
		require.False(t, list[0].Paused.IsZero())
		require.True(t, list[1].Paused.IsZero())
		eventually(t, "only the paused one is behind", func() bool { return behind(t, d) == 1 })
		require.NoError(t, q.Resume(t.Context(), "loc"))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.EqualValues(t, 2, runs.Load())
	})
}

// TestPauseByHandIsNotAnError: a reason that a person has written is never treated as the category of an error.
func TestPauseByHandIsNotAnError(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	q := open(t, d, queue.Config{Work: func(context.Context, *queue.Run) error { return nil }})
	require.NoError(t, q.AddLocation(t.Context(), "loc"))
	require.NoError(t, q.Pause(t.Context(), "loc", string(queue.CategoryUnauthorized)))
	list, err := q.Locations(t.Context())
	require.NoError(t, err)
	require.Contains(t, list[0].Reason, "unauthorized")
	require.Empty(t, list[0].Category())

	require.NoError(t, q.Resume(t.Context(), "loc"))
	require.NoError(t, q.Refused(t.Context(), "loc", fmt.Errorf("list: %w", ghl.ErrUnauthorized)))
	list, err = q.Locations(t.Context())
	require.NoError(t, err)
	require.Equal(t, queue.CategoryUnauthorized, list[0].Category())
}

// TestWake: units that wait a minute for a closed location run as soon as the location is open.
func TestWake(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var served atomic.Bool
		q := open(t, d, queue.Config{Work: func(context.Context, *queue.Run) error {
			if !served.Load() {
				return &queue.WaitError{After: time.Minute, Reason: "the location is closed"}
			}
			return nil
		}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("a"), queue.Everything, queue.Live))
		eventually(t, "it waits", func() bool {
			return count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE epoch = 0 AND due > 0`) == 1
		})
		served.Store(true)
		require.NoError(t, q.Wake(t.Context(), "loc"))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestLocationsComeAndGo: all processes work on a location that one of them adds, and none on a location that is
// removed.
func TestLocationsComeAndGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle})
		start(t, q)
		tool := open(t, dbtest.Open(t, address), queue.Config{
			Work: func(context.Context, *queue.Run) error { return errors.New("not started") },
		})
		require.ErrorIs(t, tool.AddLocation(t.Context(), ""), queue.ErrInvalid)
		require.NoError(t, tool.AddLocation(t.Context(), "loc"))
		require.NoError(t, tool.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.NoError(t, tool.RemoveLocation(t.Context(), "loc"))
		require.ErrorIs(t, tool.Mark(t.Context(), unit("c"), queue.Everything, queue.Live), queue.ErrLocation)
		require.NoError(t, tool.AddLocation(t.Context(), "loc"))
		require.NoError(t, tool.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		eventually(t, "synced again", func() bool { return behind(t, d) == 0 })
	})
}

// TestDeadBeforeTheClaim: a process dies after it got the job of a location and before it began. The location gets
// another job at the start of the next process.
func TestDeadBeforeTheClaim(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		by := `'{"dead"}'`
		if d.SQLite() != nil {
			by = `jsonb('["dead"]')`
		}
		exec(t, d, `UPDATE river_job SET state = 'running', attempt = 1, attempted_by = `+by)
		start(t, q)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestJobWithoutAWorker: the job of a location was given to a living process that did not learn of it, because the answer
// of the database was lost. The location gets another job.
func TestJobWithoutAWorker(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle, Lease: 500 * time.Millisecond})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		eventually(t, "the location has no job", func() bool {
			return count(t, d, `SELECT count(*) FROM ghlsync_location WHERE job = 0 AND owner = '' AND due = 0`) == 1
		})
		by := fmt.Sprintf(`'{"%s"}'`, q.Process())
		if d.SQLite() != nil {
			by = fmt.Sprintf(`jsonb('["%s"]')`, q.Process())
		}
		require.NoError(t, d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if err := q.MarkTx(ctx, tx, unit("c"), queue.Everything, queue.Live); err != nil {
				return err
			}
			n, err := tx.Exec(ctx, `UPDATE river_job SET state = 'running', attempt = 1, attempted_by = `+by+`
				WHERE id = (SELECT job FROM ghlsync_location)`)
			require.EqualValues(t, 1, n)
			return err
		}))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestLocationRemovedDuringARun: a run of a location that was removed and added again, and that another process works on
// since, has no effect.
func TestLocationRemovedDuringARun(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	d := dbtest.Open(t, address)
	began, goOn := make(chan struct{}, 10), make(chan struct{})
	work := func(name string) queue.Work {
		return func(_ context.Context, run *queue.Run) error {
			run.Finally(func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ($1, '', 0)`, name)
				return err
			})
			if name == "first" {
				began <- struct{}{}
				<-goOn
			}
			return nil
		}
	}
	first := open(t, d, queue.Config{Work: work("first"), Lease: 5 * time.Second})
	second := open(t, dbtest.Open(t, address), queue.Config{Work: work("second"), Lease: 5 * time.Second})
	require.NoError(t, first.AddLocation(t.Context(), "loc"))
	require.NoError(t, first.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
	start(t, first)
	receive(t, began)
	require.NoError(t, first.RemoveLocation(t.Context(), "loc"))
	require.NoError(t, first.AddLocation(t.Context(), "loc"))
	start(t, second)
	finish := sync.OnceFunc(func() { close(goOn) })
	defer finish()
	eventually(t, "the other process syncs the unit", func() bool { return behind(t, d) == 0 })
	finish()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, first.Stop(ctx))
	require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_cursor WHERE name = 'first'`))
	require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_cursor WHERE name = 'second'`))
}
