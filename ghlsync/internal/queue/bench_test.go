package queue_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// BenchmarkChanges measures a delivery from its arrival until its unit is synced, with work that does nothing. Each
// delivery is for another unit, in ten locations.
func BenchmarkChanges(b *testing.B) {
	for _, where := range []string{"sqlite", "postgres"} {
		b.Run(where, func(b *testing.B) {
			if where == "postgres" && os.Getenv(dbtest.Variable) == "" {
				b.Skip(dbtest.Variable + " names no server")
			}
			address := dbtest.SQLite(b)
			if where == "postgres" {
				address = dbtest.Postgres(b)
			}
			d := dbtest.Open(b, address)
			done := make(chan struct{}, 1000000)
			q := open(b, d, queue.Config{Workers: 10,
				Work: func(context.Context, *queue.Run) error { done <- struct{}{}; return nil }})
			for i := range 10 {
				if err := q.AddLocation(b.Context(), fmt.Sprint("loc", i)); err != nil {
					b.Fatal(err)
				}
			}
			if err := q.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for range 8 {
				all.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if _, err := q.Deliver(context.Background(),
							queue.Delivery{ID: fmt.Sprint(i), Kind: "ContactUpdate",
								Unit: queue.Unit{Location: fmt.Sprint("loc", i%10), ID: fmt.Sprint(i)}}); err != nil {
							b.Error(err)
							done <- struct{}{}
						}
					}
				})
			}
			for range b.N {
				<-done
			}
			all.Wait()
		})
	}
}
