package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// kills returns how often a storm kills a process.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("GHLSYNC_KILLS")); err == nil {
		return n
	}
	return 12
}

// world is the other system. It has changes, and runs read it.
type world struct {
	mu       sync.Mutex
	random   *rand.Rand
	quiet    bool // no more changes
	unitOf   []int
	truth    []int // changes of each unit
	seen     []int // of each unit, the changes that the last complete run had read
	inside   []int
	overlaps int
	runs     int
}

const worldUnits = 10

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/unit/c%d", &n); err == nil {
		w.work(n)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.quiet {
		return
	}
	n = w.random.IntN(worldUnits)
	w.truth[n]++
	w.unitOf = append(w.unitOf, n)
	_, _ = fmt.Fprint(rw, len(w.unitOf)-1, " ", n)
}

// work serves the call of a run to the other system. As at a real server, it continues when its caller is killed.
func (w *world) work(n int) {
	w.mu.Lock()
	w.runs++
	if w.inside[n]++; w.inside[n] > 1 {
		w.overlaps++
	}
	read, pause := w.truth[n], time.Duration(w.random.IntN(5))*time.Millisecond
	w.mu.Unlock()
	time.Sleep(pause)
	w.mu.Lock()
	w.inside[n]--
	w.seen[n] = max(w.seen[n], read)
	w.mu.Unlock()
}

// TestKilledProcesses: processes that receive deliveries and sync are killed at random and restarted at once. No
// acknowledged delivery is lost, the others are redelivered, and at the end no unit is stale. Two runs never work on
// one unit at once.
func TestKilledProcesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		processes := 3
		if d.SQLite() != nil {
			processes = 1
		}
		w := &world{random: rand.New(rand.NewPCG(7, 7)), truth: make([]int, worldUnits), seen: make([]int, worldUnits),
			inside: make([]int, worldUnits)}
		server := httptest.NewServer(w)
		defer server.Close()
		q := open(t, d, queue.Config{Work: idle})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))

		var mu sync.Mutex
		acknowledged := map[string]bool{}
		listen := func(p *dbtest.Process) {
			go func() {
				for line := range p.Lines() {
					mu.Lock()
					acknowledged[line] = true
					mu.Unlock()
				}
			}()
		}
		children := make([]*dbtest.Process, processes)
		begin := func(i int) {
			children[i] = dbtest.Start(t, "sync", address, server.URL, fmt.Sprint(i))
			require.Equal(t, "started", children[i].Line(t))
			listen(children[i])
		}
		for i := range children {
			begin(i)
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range kills() {
			time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
			i := random.IntN(processes)
			children[i].Kill()
			begin(i)
		}
		w.mu.Lock()
		w.quiet = true
		delivered := w.unitOf
		w.mu.Unlock()
		time.Sleep(100 * time.Millisecond) // the last answers
		mu.Lock()
		again := 0
		for number, n := range delivered {
			if id := fmt.Sprint(number); !acknowledged["ack "+id] {
				again++
				_, err := q.Deliver(t.Context(),
					queue.Delivery{ID: id, Kind: "ContactUpdate", Unit: unit(fmt.Sprint("c", n))})
				require.NoError(t, err)
			}
		}
		mu.Unlock()
		eventually(t, "all units are synced", func() bool { return behind(t, d) == 0 })
		require.Equal(t, len(delivered), count(t, d, `SELECT count(*) FROM ghlsync_delivery`))
		w.mu.Lock()
		defer w.mu.Unlock()
		require.Equal(t, w.truth, w.seen)
		require.Zero(t, w.overlaps, "two runs on one unit")
		require.Zero(t, count(t, d, `SELECT count(*) FROM ghlsync_failure WHERE state = 'stopped'`))
		t.Logf("%d kills, %d changes (%d delivered again), %d runs", kills(), len(delivered), again, w.runs)
	})
}

// TestDeadProcessIsFreedAtStart: on SQLite a new process frees the units of a dead process at once; on PostgreSQL it
// waits until the lease has expired.
func TestDeadProcessIsFreedAtStart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		hang := make(chan struct{})
		working := make(chan struct{}, 10)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/unit/c" {
				working <- struct{}{}
				<-hang
			}
		}))
		defer server.Close()
		defer close(hang)
		runs := make(chan *queue.Run, 10)
		lease := childLease
		if d.SQLite() != nil {
			lease = time.Hour // the test does not wait for it
		}
		q := open(t, d, queue.Config{Lease: lease,
			Work: func(_ context.Context, run *queue.Run) error { runs <- run; return nil }})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		child := dbtest.Start(t, "sync", address, server.URL, "0")
		require.Equal(t, "started", child.Line(t))
		require.NoError(t, q.Mark(t.Context(), unit("c"), queue.Everything, queue.Live))
		receive(t, working)
		if d.SQLite() != nil {
			defer queue.SetLockPatience(time.Millisecond)()
			require.ErrorIs(t, q.Start(t.Context()), queue.ErrInUse)
		}
		child.Kill()
		start(t, q)
		require.Equal(t, "c", receive(t, runs).ID)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		eventually(t, "the location has no job", func() bool {
			return count(t, d, `SELECT count(*) FROM ghlsync_location WHERE job <> 0 OR owner <> ''`) == 0
		})
	})
}
