//go:build unix

package queue_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

func init() { roles["freeze"] = freezeRole }

// freezeRole is a process that freezes itself in the transaction that ends a run of a unit named "inside". The runs of
// other units call the test. Each run stores the name of its process.
func freezeRole(args []string) {
	address, server := args[0], args[1]
	ctx := context.Background()
	d, err := db.Open(ctx, address, db.Options{Logger: quiet})
	if err == nil {
		var q *queue.Queue
		q, err = queue.New(queue.Config{DB: d, Logger: quiet, Lease: childLease, Poll: 50 * time.Millisecond,
			Work: func(_ context.Context, run *queue.Run) error {
				run.Finally(func(ctx context.Context, tx *db.Tx) error {
					err := ranAt(ctx, tx, run, "child")
					if run.ID == "inside" {
						fmt.Println("inside")
						_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
					}
					return err
				})
				resp, err := http.Get(server + "/" + run.ID) // which continues when the run is cancelled
				if err != nil {
					return err
				}
				return resp.Body.Close()
			}})
		if err == nil {
			err = q.Start(ctx)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("started")
	select {}
}

// ranAt stores which process has run a unit last.
func ranAt(ctx context.Context, tx *db.Tx, run *queue.Run, process string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_cursor (name, value, moved_at) VALUES ($1, $2, 0)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, run.ID, process)
	return err
}

// TestFrozenProcess: another process takes over the location of a process that is stopped beyond every time-out, during
// the work of a run or in a transaction that holds locks. When the frozen process continues, it changes nothing, and
// then works again.
func TestFrozenProcess(t *testing.T) {
	for _, where := range []string{"working", "inside"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			address := dbtest.Postgres(t)
			d := dbtest.Open(t, address)
			called, answer := make(chan string, 10), make(chan struct{})
			goOn := sync.OnceFunc(func() { close(answer) })
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called <- r.URL.Path
				if r.URL.Path == "/working" {
					<-answer
				}
			}))
			defer server.Close()
			defer goOn()
			ran := make(chan string, 10)
			other := open(t, d, queue.Config{Lease: childLease, Poll: 50 * time.Millisecond,
				Work: func(_ context.Context, run *queue.Run) error {
					run.Finally(func(ctx context.Context, tx *db.Tx) error { return ranAt(ctx, tx, run, "other") })
					ran <- run.ID
					return nil
				}})
			require.NoError(t, other.AddLocation(t.Context(), "loc"))
			require.NoError(t, other.AddLocation(t.Context(), "healthy"))
			child := dbtest.Start(t, "freeze", address, server.URL)
			require.Equal(t, "started", child.Line(t))
			require.NoError(t, other.Mark(t.Context(), unit(where), queue.Everything, queue.Live))
			require.Equal(t, "/"+where, receive(t, called))
			if where == "inside" {
				require.Equal(t, "inside", child.Line(t))
			} else {
				child.Signal(t, syscall.SIGSTOP)
			}
			began := time.Now()
			start(t, other)
			require.NoError(t, other.Mark(t.Context(), queue.Unit{Location: "healthy", ID: "h"}, queue.Everything, queue.Live))
			require.ElementsMatch(t, []string{"h", where}, []string{receive(t, ran), receive(t, ran)})
			t.Logf("taken over %s after the process froze", time.Since(began).Round(time.Millisecond))
			eventually(t, "synced", func() bool { return behind(t, d) == 0 })
			require.True(t, other.Alive(), "a frozen transaction does not stop the beat of others")

			goOn()
			child.Signal(t, syscall.SIGCONT)
			eventually(t, "the child works again", func() bool {
				return count(t, d, `SELECT count(*) FROM ghlsync_process`) == 2
			})
			for _, one := range []string{where, "h"} {
				require.Equal(t, 1, count(t, d, `SELECT count(*) FROM ghlsync_cursor WHERE name = $1 AND value = 'other'`, one))
			}
			require.Equal(t, 0, behind(t, d))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			require.NoError(t, other.Stop(ctx))
			require.NoError(t, other.Mark(t.Context(), unit("next"), queue.Everything, queue.Live))
			eventually(t, "the child syncs", func() bool {
				return count(t, d, `SELECT count(*) FROM ghlsync_cursor WHERE name = 'next' AND value = 'child'`) == 1
			})
		})
	}
}
