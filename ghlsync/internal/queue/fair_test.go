package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// fairLocations returns the number of locations of TestFairness, from GHLSYNC_LOCATIONS or 100.
func fairLocations() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_LOCATIONS")); err == nil {
		return n
	}
	return 100
}

// TestFairness: three processes, of which one comes later, work on many locations. No location waits much longer than
// the others, and two processes never work on one at once. A location whose units always fail, one at its rate limit
// and a paused one slow down no other.
func TestFairness(t *testing.T) {
	t.Parallel()
	const units = 20
	address, locations := dbtest.Postgres(t), fairLocations()
	d := dbtest.Open(t, address)
	f := newFleet(locations, units)
	f.pause = 2 * time.Millisecond
	var mu sync.Mutex
	left, done := map[string]int{}, map[string]time.Time{}
	work := func(process int) queue.Work {
		healthy := f.work(process)
		return func(ctx context.Context, run *queue.Run) error {
			switch run.Location {
			case "poison":
				return errors.New("this always fails")
			case "limited":
				return &queue.WaitError{After: 20 * time.Millisecond, Reason: "the rate limit"}
			case "paused":
				return errors.New("the location is paused")
			}
			err := healthy(ctx, run)
			run.Finally(func(context.Context, *db.Tx) error {
				mu.Lock()
				defer mu.Unlock()
				if left[run.Location]--; left[run.Location] == 0 {
					done[run.Location] = time.Now()
				}
				return nil
			})
			return err
		}
	}
	c := func(i int) queue.Config {
		return queue.Config{Work: work(i), Poll: 20 * time.Millisecond, Lease: 5 * time.Second,
			Retries: queue.Retry{First: 10 * time.Millisecond, Max: 20 * time.Millisecond, Attempts: 1 << 30}}
	}
	first := open(t, d, c(0))
	for _, one := range []string{"poison", "limited", "paused"} {
		require.NoError(t, first.AddLocation(t.Context(), one))
		for i := range units {
			require.NoError(t, first.Mark(t.Context(), queue.Unit{Location: one, ID: fmt.Sprint(i)}, queue.Everything, queue.Live))
		}
	}
	require.NoError(t, first.Pause(t.Context(), "paused", "by hand"))
	for i := range locations {
		location := f.location(i)
		left[location] = units
		require.NoError(t, first.AddLocation(t.Context(), location))
		require.NoError(t, d.Write(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			for n := range units {
				u := queue.Unit{Location: location, ID: fmt.Sprint("c", n)}
				if err := first.MarkTx(ctx, tx, u, queue.Everything, queue.Live); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	began := time.Now()
	start(t, first)
	start(t, open(t, dbtest.Open(t, address), c(1)))
	eventually(t, "some are done", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(done) > locations/4
	})
	start(t, open(t, dbtest.Open(t, address), c(2)))
	eventually(t, "all are done", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(done) == locations
	})
	f.check(t)
	var waits []time.Duration
	for _, at := range done {
		waits = append(waits, at.Sub(began))
	}
	slices.Sort(waits)
	median, longest := waits[len(waits)/2], waits[len(waits)-1]
	t.Logf("%d locations with %d units each: median %s, longest %s", locations, units, median, longest)
	require.Less(t, longest, 5*median)
	require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_unit WHERE location = 'paused' AND attempts > 0`))
	require.NoError(t, first.Pause(t.Context(), "poison", "the test ends"))
}
