package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// fleet is another system with units of several locations, which the runs of several queues read. It finds runs that
// must not be at once.
type fleet struct {
	locations, units int
	pause            time.Duration // the longest that a run takes

	mu       sync.Mutex
	truth    map[queue.Unit]int // changes
	seen     map[queue.Unit]int // changes that the last complete run had read
	inside   map[queue.Unit]int
	at       map[string]map[int]int // runs under way, by location and process
	overlaps []string
	runs     int
}

func newFleet(locations, units int) *fleet {
	return &fleet{locations: locations, units: units, pause: 5 * time.Millisecond, truth: map[queue.Unit]int{},
		seen: map[queue.Unit]int{}, inside: map[queue.Unit]int{}, at: map[string]map[int]int{}}
}

func (f *fleet) location(i int) string { return fmt.Sprint("loc", i) }

// work returns the work of a process.
func (f *fleet) work(process int) queue.Work {
	return func(ctx context.Context, run *queue.Run) error {
		f.mu.Lock()
		f.runs++
		if f.inside[run.Unit]++; f.inside[run.Unit] > 1 {
			f.overlaps = append(f.overlaps, fmt.Sprint("two runs of ", run.Unit))
		}
		here := f.at[run.Location]
		if here == nil {
			here = map[int]int{}
			f.at[run.Location] = here
		}
		here[process]++
		for other, n := range here {
			if other != process && n > 0 {
				f.overlaps = append(f.overlaps, "two processes at "+run.Location)
			}
		}
		read := f.truth[run.Unit]
		f.mu.Unlock()
		var err error
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-time.After(rand.N(f.pause + 1)):
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.inside[run.Unit]--
		here[process]--
		if err == nil {
			f.seen[run.Unit] = max(f.seen[run.Unit], read)
		}
		return err
	}
}

// change changes a unit and delivers that.
func (f *fleet) change(ctx context.Context, q *queue.Queue, u queue.Unit) error {
	f.mu.Lock()
	f.truth[u]++
	id := fmt.Sprint(u.Location, "/", u.ID, "/", f.truth[u])
	f.mu.Unlock()
	_, err := q.Deliver(ctx, queue.Delivery{ID: id, Kind: "ContactUpdate", Unit: u})
	return err
}

func (f *fleet) any() queue.Unit {
	return queue.Unit{Location: f.location(rand.N(f.locations)), ID: fmt.Sprint("c", rand.N(f.units))}
}

// check asserts that no unit is stale and that no runs were at once.
func (f *fleet) check(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Empty(t, f.overlaps)
	for u, n := range f.truth {
		require.Equal(t, n, f.seen[u], "%v is stale", u)
	}
}

// steadily changes units, one each interval, until the returned function is called.
func (f *fleet) steadily(t *testing.T, q *queue.Queue, interval time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var failed error
	all.Go(func() {
		for tick := time.NewTicker(interval); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				failed = errors.Join(failed, f.change(context.Background(), q, f.any()))
			}
		}
	})
	return func() {
		cancel()
		all.Wait()
		require.NoError(t, failed)
	}
}

// outages returns how often each kind of outage is tried: GHLSYNC_OUTAGES, or once.
func outages() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_OUTAGES")); err == nil {
		return n
	}
	return 1
}

// TestOutage: three processes lose their database for a part of a beat up to twice the lease, with work going on. When
// it is back everything continues soon. Nothing is lost, and nothing is worked on twice at once.
func TestOutage(t *testing.T) {
	const lease = time.Second
	t.Parallel()
	address := dbtest.Postgres(t)
	proxy, through := dbtest.Before(t, address)
	d := dbtest.Open(t, address) // not through the proxy
	f := newFleet(6, 10)
	outside := open(t, d, queue.Config{Work: idle})
	for i := range f.locations {
		require.NoError(t, outside.AddLocation(t.Context(), f.location(i)))
	}
	for i := range 3 {
		start(t, open(t, dbtest.Open(t, through), queue.Config{Work: f.work(i), Lease: lease, Poll: 20 * time.Millisecond}))
	}
	kinds := []struct {
		name  string
		begin func()
	}{
		{"cut", proxy.Cut},
		{"answers lost", func() { proxy.Mute(); time.Sleep(10 * time.Millisecond); proxy.Cut() }},
		{"stopped", proxy.Stop},
	}
	for n := range outages() {
		for i, beats := range []float64{0.1, 0.5, 1, 3, 10} {
			kind := kinds[(n+i+1)%len(kinds)]
			stop := f.steadily(t, outside, 2*time.Millisecond)
			time.Sleep(100 * time.Millisecond)
			kind.begin()
			time.Sleep(time.Duration(beats * float64(lease/5)))
			proxy.Restore()
			restored := time.Now()
			stop()
			waiting := behind(t, d)
			require.Eventually(t, func() bool { return behind(t, d) == 0 }, 20*time.Second, 10*time.Millisecond,
				"%s for %v beats: %s", kind.name, beats, describe(t, d))
			t.Logf("%s for %v beats: %d units waited and were synced %s after it", kind.name, beats, waiting,
				time.Since(restored).Round(time.Millisecond))
		}
	}
	f.check(t)
	t.Logf("%d runs", f.runs)
}

// describe returns the rows of locations and units that are not synced, to explain a failed test.
func describe(t testing.TB, d *db.DB) (text stringer) {
	return func() (text string) {
		require.NoError(t, d.Read(context.Background(), func(ctx context.Context, tx *db.Tx) error {
			text = ""
			if err := tx.Each(ctx, func(r db.Row) error {
				var id, owner, wanted string
				var epoch, job, due int64
				err := r.Scan(&id, &owner, &epoch, &job, &due, &wanted)
				text += fmt.Sprintf("\n%s owner=%s epoch=%d job=%d due=%v wanted=%s", id, owner, epoch, job, db.Time(due), wanted)
				return err
			}, `SELECT id, owner, epoch, job, due, wanted FROM ghlsync_location ORDER BY id`); err != nil {
				return err
			}
			return tx.Each(ctx, func(r db.Row) error {
				var location, id string
				var number, synced, epoch, due, stopped int64
				err := r.Scan(&location, &id, &number, &synced, &epoch, &due, &stopped)
				text += fmt.Sprintf("\n%s/%s number=%d synced=%d epoch=%d due=%v stopped=%d", location, id, number, synced, epoch,
					db.Time(due), stopped)
				return err
			}, `SELECT location, unit, number, synced, epoch, due, stopped FROM ghlsync_unit
				WHERE number > synced OR epoch <> 0 ORDER BY location, unit`)
		}))
		return text
	}
}

type stringer func() string

func (s stringer) String() string { return s() }
