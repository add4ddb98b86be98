package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// roles are the roles of child processes.
var roles = map[string]func([]string){"sync": syncRole}

func TestMain(m *testing.M) { dbtest.Main(m, roles) }

const childLease = time.Second

// syncRole is a process as in production: it receives deliveries and syncs. The other system is a server of the test.
// The process prints the number of each delivery that it has acknowledged.
func syncRole(arguments []string) {
	address, server, name := arguments[0], arguments[1], arguments[2]
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	get := func(ctx context.Context, path string) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+path, nil)
		if err != nil {
			return "", err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = errors.New(resp.Status)
		}
		return string(body), err
	}
	d, err := db.Open(ctx, address, db.Options{Logger: quiet})
	fail(err)
	q, err := queue.New(queue.Config{DB: d, Logger: quiet, Lease: childLease, Poll: 100 * time.Millisecond,
		Work: func(ctx context.Context, run *queue.Run) error {
			_, err := get(ctx, "/unit/"+run.ID)
			return err
		}})
	fail(err)
	fail(q.Start(ctx))
	fmt.Println("started")
	for {
		change, err := get(ctx, "/change/"+name)
		fail(err)
		if change == "" {
			select {} // no more changes; the runs continue
		}
		var n, number int
		_, err = fmt.Sscan(change, &number, &n)
		fail(err)
		_, err = q.Deliver(ctx, queue.Delivery{ID: fmt.Sprint(number), Kind: "ContactUpdate",
			Unit: unit(fmt.Sprint("c", n))})
		fail(err)
		fmt.Println("ack", number)
	}
}
