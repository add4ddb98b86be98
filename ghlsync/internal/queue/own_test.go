package queue_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

func init() { roles["own"] = ownRole }

// ownRole is a process that owns a location and works on none of its units.
func ownRole(args []string) {
	ctx := context.Background()
	d, err := db.Open(ctx, args[0], db.Options{Logger: quiet})
	if err == nil {
		var q *queue.Queue
		if q, err = queue.New(queue.Config{DB: d, Logger: quiet, Lease: childLease, Poll: 20 * time.Millisecond,
			Work: func(ctx context.Context, _ *queue.Run) error { <-ctx.Done(); return ctx.Err() }}); err == nil {
			if err = q.Start(ctx); err == nil {
				_, err = q.Own(ctx, "loc0")
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("owns")
	select {}
}

// TestOwnUnderLoad: a process gets a location that others work on under steady load, and its units are synced meanwhile,
// also while a third process waits for the location. A process that owns the location can stop or be killed.
func TestOwnUnderLoad(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	f := newFleet(1, 10)
	f.pause = 2 * time.Millisecond
	var queues []*queue.Queue
	for i := range 3 {
		q := open(t, dbtest.Open(t, address), queue.Config{Work: f.work(i), Lease: childLease, Poll: 20 * time.Millisecond})
		require.NoError(t, q.AddLocation(t.Context(), "loc0"))
		start(t, q)
		queues = append(queues, q)
	}
	d := dbtest.Open(t, address)
	outside := open(t, d, queue.Config{Work: idle})
	stop := f.steadily(t, outside, 3*time.Millisecond)
	synced := func() int { return count(t, d, `SELECT sum(synced) FROM ghlsync_unit`) }
	goesOn := func(what string) {
		t.Helper()
		n := synced()
		eventually(t, what, func() bool { return synced() > n+20 })
	}
	owner := func(q *queue.Queue) int {
		return count(t, d, `SELECT count(*) FROM ghlsync_location WHERE owner = $1`, q.Process())
	}
	eventually(t, "it begins", func() bool {
		if owner(queues[0]) == 1 { // the first to want it is another
			queues[0], queues[2] = queues[2], queues[0]
		}
		return owner(queues[1])+owner(queues[2]) == 1
	})

	began := time.Now()
	leave, err := queues[0].Own(t.Context(), "loc0")
	require.NoError(t, err)
	t.Logf("the location was handed over within %s", time.Since(began).Round(time.Millisecond))
	require.Equal(t, 1, owner(queues[0]))
	goesOn("the owner works on the units")

	got := make(chan func(), 1)
	go func() {
		leave, err := queues[1].Own(context.Background(), "loc0")
		if err == nil {
			got <- leave
		}
	}()
	eventually(t, "another process waits", func() bool {
		return count(t, d, `SELECT count(*) FROM ghlsync_location WHERE wanted <> ''`) == 1
	})
	goesOn("the units do not wait for that")
	done, err := queues[0].Do(t.Context(), queue.Unit{Location: "loc0", ID: "other"}, time.Now(), idle)
	require.NoError(t, err)
	require.True(t, done)
	leave()
	leave = receive(t, got)
	require.Equal(t, 1, owner(queues[1]))
	goesOn("the next owner works on the units")

	// A process that waits, and gives up, leaves nothing behind.
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() { _, err := queues[2].Own(ctx, "loc0"); gaveUp <- err }()
	eventually(t, "a third process waits", func() bool {
		return count(t, d, `SELECT count(*) FROM ghlsync_location WHERE wanted = $1`, queues[2].Process()) == 1
	})
	cancel()
	require.ErrorIs(t, receive(t, gaveUp), context.Canceled)

	// The owner stops before its guest has left.
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.NoError(t, queues[1].Stop(ctx))
	leave()
	goesOn("the others continue after the owner has stopped")

	child := dbtest.Start(t, "own", address)
	require.Equal(t, "owns", child.Line(t))
	child.Kill()
	killed := time.Now()
	goesOn("the others continue after the owner was killed")
	t.Logf("after a kill the others continued within %s, with a lease of %s", time.Since(killed).Round(time.Millisecond),
		childLease)
	stop()
	eventually(t, "synced", func() bool { return behind(t, d) == 0 })
	f.check(t)
}

// TestSessionOutlivesItsGuest: a session that a caller under a lock began goes on after the lock was released.
func TestSessionOutlivesItsGuest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, address string) {
		d := dbtest.Open(t, address)
		began, proceed := make(chan struct{}, 10), make(chan struct{})
		var runs atomic.Int32
		q := open(t, d, queue.Config{Workers: 1, Work: func(context.Context, *queue.Run) error {
			began <- struct{}{}
			<-proceed
			runs.Add(1)
			return nil
		}})
		require.NoError(t, q.AddLocation(t.Context(), "loc"))
		start(t, q)
		held, release, err := q.Hold(t.Context(), "x")
		require.NoError(t, err)
		leave, err := q.Own(held, "loc")
		require.NoError(t, err)
		for _, id := range []string{"a", "b"} {
			require.NoError(t, q.Mark(t.Context(), unit(id), queue.Everything, queue.Live))
		}
		receive(t, began)
		leave()
		release()
		close(proceed)
		eventually(t, "synced", func() bool { return behind(t, d) == 0 })
		require.EqualValues(t, 2, runs.Load(), "each unit ran once")
	})
}
