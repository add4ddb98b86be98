package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

var quiet = slog.New(slog.DiscardHandler)

const patience = 60 * time.Second

// open returns a queue that ends with the test.
func open(t testing.TB, d *db.DB, c queue.Config) *queue.Queue {
	t.Helper()
	c.DB = d
	if c.Logger == nil {
		c.Logger = quiet
	}
	if c.Poll == 0 {
		c.Poll = 200 * time.Millisecond
	}
	q, err := queue.New(c)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, q.Stop(ctx))
	})
	return q
}

func start(t testing.TB, q *queue.Queue) {
	t.Helper()
	require.NoError(t, q.Start(t.Context()))
}

func idle(context.Context, *queue.Run) error { return nil }

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, patience, 10*time.Millisecond, what)
}

// receive returns the next value of a channel.
func receive[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		require.FailNow(t, "no value received")
	}
	return v
}

// behind counts the units that are not synced.
func behind(t testing.TB, d *db.DB) int {
	t.Helper()
	return count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE number > synced OR epoch <> 0`)
}

func count(t testing.TB, d *db.DB, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, d.Read(context.Background(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Row(ctx, query, args...).Scan(&n)
	}))
	return n
}

func unit(id string) queue.Unit { return queue.Unit{Location: "loc", ID: id} }

func TestDeliver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		q := open(t, d, queue.Config{Work: idle})
		ctx := t.Context()
		delivery := queue.Delivery{ID: "w1", Kind: "ContactUpdate", Unit: unit("c1")}
		_, err := q.Deliver(ctx, delivery)
		require.ErrorIs(t, err, queue.ErrLocation)
		require.NoError(t, q.AddLocation(ctx, "loc"))
		require.NoError(t, q.AddLocation(ctx, "loc"))

		fresh, err := q.Deliver(ctx, delivery)
		require.NoError(t, err)
		require.True(t, fresh)
		fresh, err = q.Deliver(ctx, delivery)
		require.NoError(t, err)
		require.False(t, fresh)
		delivery.ID = "w2"
		fresh, err = q.Deliver(ctx, delivery)
		require.NoError(t, err)
		require.True(t, fresh)
		require.Equal(t, 2, count(t, d, `SELECT number FROM ghlsync_unit WHERE unit = $1`, "c1"))
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM river_job`),
			"one job for the location")

		for _, wrong := range []queue.Delivery{{}, {ID: "x", Kind: "k", Unit: queue.Unit{Location: "loc"}},
			{ID: "a\x00", Kind: "k", Unit: unit("c")},
			{ID: "x", Kind: "k", Unit: unit("c\n")}, {ID: "x", Kind: "\xff", Unit: unit("c")}} {
			_, err := q.Deliver(ctx, wrong)
			require.ErrorIs(t, err, queue.ErrInvalid)
		}
		require.ErrorIs(t, q.Mark(ctx, queue.Unit{Location: "elsewhere", ID: "c"}, queue.Everything, queue.Live), queue.ErrLocation)

		start(t, q)
		eventually(t, "the unit is synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestNoLostUpdate: many producers change few units while several processes sync them. At the end each unit was
// synced after its last change, and two runs never worked on one unit at once.
func TestNoLostUpdate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		const producers, changes, units = 4, 60, 10
		processes := 3
		if dbtest.Open(t, address).SQLite() != nil {
			processes = 1
		}
		var truth, seen [units]atomic.Int64
		var inside [units]atomic.Int32
		var overlaps, runs atomic.Int32
		work := func(_ context.Context, run *queue.Run) error {
			var n int
			if _, err := fmt.Sscanf(run.ID, "c%d", &n); err != nil {
				return err
			}
			runs.Add(1)
			if inside[n].Add(1) > 1 {
				overlaps.Add(1)
			}
			defer inside[n].Add(-1)
			value := truth[n].Load() // the state that a call to the other system would read
			time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
			seen[n].Store(value)
			return nil
		}
		var queues []*queue.Queue
		for range processes {
			q := open(t, dbtest.Open(t, address), queue.Config{Work: work})
			require.NoError(t, q.AddLocation(t.Context(), "loc"))
			start(t, q)
			queues = append(queues, q)
		}
		var all sync.WaitGroup
		errs := make([]error, producers)
		for p := range producers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(p)))
				for i := range changes {
					n := random.IntN(units)
					truth[n].Add(1)
					_, err := queues[p%processes].Deliver(context.Background(),
						queue.Delivery{ID: fmt.Sprint(p, "-", i), Kind: "ContactUpdate",
							Unit: unit(fmt.Sprint("c", n))})
					errs[p] = errors.Join(errs[p], err)
				}
			})
		}
		all.Wait()
		require.NoError(t, errors.Join(errs...))
		d := dbtest.Open(t, address)
		eventually(t, "all units are synced", func() bool { return behind(t, d) == 0 })
		for n := range units {
			require.Equal(t, truth[n].Load(), seen[n].Load(), "unit %d is stale", n)
		}
		require.Zero(t, overlaps.Load(), "two runs on one unit")
		t.Logf("%d changes, %d runs", producers*changes, runs.Load())
	})
}

// TestChangeDuringARun: a unit that changes during its run is synced once more.
func TestChangeDuringARun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		began, goOn := make(chan int64, 10), make(chan struct{})
		q := open(t, d, queue.Config{Work: func(_ context.Context, run *queue.Run) error {
			began <- run.Number
			<-goOn
			return nil
		}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		require.EqualValues(t, 1, receive(t, began))
		for range 5 {
			require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		}
		close(goOn)
		require.EqualValues(t, 6, receive(t, began))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.Empty(t, began)
	})
}

// TestFinally: writes that a run makes with its end are stored only if it succeeds, and an error in them fails the run.
func TestFinally(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var tries atomic.Int32
		q := open(t, d, queue.Config{Retries: queue.Retry{First: time.Millisecond},
			Work: func(_ context.Context, run *queue.Run) error {
				n := tries.Add(1)
				run.Finally(func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ($1, '', 0)`,
						fmt.Sprint(n))
					if n == 2 {
						err = errors.New("not this one")
					}
					return err
				})
				if n == 1 {
					return errors.New("fails")
				}
				return nil
			}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		eventually(t, "synced", func() bool { return behind(t, d) == 0 && tries.Load() > 0 })
		require.EqualValues(t, 3, tries.Load())
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_cursor`))
		require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_cursor WHERE name = '3'`))
	})
}

// TestLocationsDoNotWaitForEachOther: a location with many units that do not finish does not delay other locations.
func TestLocationsDoNotWaitForEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		standstill := make(chan struct{})
		var waiting, done atomic.Int32
		q := open(t, d, queue.Config{Workers: 3, Work: func(ctx context.Context, run *queue.Run) error {
			if run.Location == "Slow" {
				waiting.Add(1)
				defer waiting.Add(-1)
				select {
				case <-standstill:
				case <-ctx.Done():
				}
				return nil
			}
			done.Add(1)
			return nil
		}})
		for _, location := range []string{"Slow", "slow", "other"} { // ids may differ only in the case of letters
			require.NoError(t, q.AddLocation(t.Context(), location))
		}
		start(t, q)
		for i := range 20 {
			require.NoError(t, q.Mark(t.Context(), queue.Unit{Location: "Slow", ID: fmt.Sprint(i)}, queue.Everything, queue.Live))
		}
		eventually(t, "the runs of the slow location wait", func() bool { return waiting.Load() == 3 })
		for i := range 10 {
			for _, location := range []string{"slow", "other"} {
				require.NoError(t, q.Mark(t.Context(), queue.Unit{Location: location, ID: fmt.Sprint(i)}, queue.Everything, queue.Live))
			}
		}
		eventually(t, "the others are synced", func() bool { return done.Load() == 20 })
		require.EqualValues(t, 3, waiting.Load())
		close(standstill)
		eventually(t, "all are synced", func() bool { return behind(t, d) == 0 })
	})
}

// TestPriority: live changes run before changes of a backfill, also for a unit that waits with background priority.
func TestPriority(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		var mu sync.Mutex
		var order []string
		q := open(t, d, queue.Config{Workers: 1, Work: func(_ context.Context, run *queue.Run) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, run.ID)
			return nil
		}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		for i := range 20 {
			require.NoError(t, q.Mark(t.Context(), unit(fmt.Sprintf("c%02d", i)), queue.Everything, queue.Background))
		}
		require.NoError(t, q.Mark(t.Context(), unit("c15"), queue.Everything, queue.Live))
		require.NoError(t, q.Mark(t.Context(), unit("new"), queue.Everything, queue.Live))
		start(t, q)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.Equal(t, []string{"c15", "new"}, order[:2])
		require.Len(t, order, 21, "a replaced job does nothing")
	})
}

// TestReserve: a run can find out whether another unit is running, and prevent runs of it.
func TestReserve(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		began, goOn := make(chan struct{}), make(chan struct{})
		answers := make(chan bool, 10)
		var first atomic.Bool
		q := open(t, d, queue.Config{Work: func(_ context.Context, run *queue.Run) error {
			if run.ID == "b" {
				if first.CompareAndSwap(false, true) {
					close(began)
					<-goOn
				}
				return nil
			}
			release := run.Reserve("never seen")
			if release == nil {
				return errors.New("an unknown unit is free")
			}
			release()
			release = run.Reserve("b")
			answers <- release != nil
			if release != nil {
				release()
			} else {
				return &queue.WaitError{After: time.Millisecond, Reason: "b is worked on"}
			}
			return nil
		}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		require.NoError(t, q.Mark(t.Context(), unit("b"), queue.Everything, queue.Live))
		receive(t, began)
		require.NoError(t, q.Mark(t.Context(), unit("a"), queue.Everything, queue.Live))
		require.False(t, receive(t, answers))
		close(goOn)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_failure`), "waiting is not a failure")
		for len(answers) > 1 {
			<-answers
		}
		require.True(t, receive(t, answers))
	})
}

func TestConfigIsChecked(t *testing.T) {
	d := dbtest.Open(t, dbtest.SQLite(t))
	for name, c := range map[string]queue.Config{"DB": {Work: idle}, "Work": {DB: d},
		"Workers": {DB: d, Work: idle, Workers: -1},
		"Lease":   {DB: d, Work: idle, Lease: -1}, "Timeout": {DB: d, Work: idle, Timeout: -1}, "Retries": {DB: d,
			Work: idle, Retries: queue.Retry{First: -1}}} {
		_, err := queue.New(c)
		require.ErrorContains(t, err, name)
	}
}
