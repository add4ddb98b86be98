// Prometheus shows how to count the requests of the SDK by operation and status, such as
//
//	ghl_requests_total{operation="contacts.get",status="200"} 3
//
// Run it from the root of the repository:
//
//	go run ./examples/prometheus
//
// It uses a fake HighLevel API inside the program (package ghltest) and prints the metrics. The function counting is
// the part to copy.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// roundTripper is a function that is an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// counting returns an option that wraps the client's transport and counts each attempt of a call. The number of
// series stays small, since operations are from a fixed catalog.
func counting(requests *prometheus.CounterVec) ghl.Option {
	return ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			status := "none" // no answer
			resp, err := next.RoundTrip(r)
			if err == nil {
				status = strconv.Itoa(resp.StatusCode)
			}
			op, _ := ghl.OperationFromContext(r.Context())
			requests.WithLabelValues(op.Name, status).Inc()
			return resp, err
		})
	})
}

func newCounter() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ghl_requests_total",
		Help: "Requests sent to HighLevel, by operation and HTTP status.",
	}, []string{"operation", "status"})
}

func main() {
	registry, requests := prometheus.NewRegistry(), newCounter()
	registry.MustRegister(requests)
	err := run(context.Background(), requests)
	if err == nil {
		err = write(os.Stdout, registry)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prometheus:", err)
		os.Exit(1)
	}
}

// run makes some calls, one of them for a contact that does not exist.
func run(ctx context.Context, requests *prometheus.CounterVec) error {
	server, err := ghltest.New(ghltest.WithDemoData())
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()

	client, err := ghl.New(append(server.ClientOptions(), counting(requests))...)
	if err != nil {
		return err
	}
	page, err := client.Contacts.List(ctx, &ghl.ListContactsOptions{Limit: 3})
	if err != nil {
		return err
	}
	for _, contact := range page.Contacts {
		if _, err := client.Contacts.Get(ctx, contact.ID); err != nil {
			return err
		}
	}
	if _, err := client.Contacts.Get(ctx, "nobody"); !errors.Is(err, ghl.ErrNotFound) {
		return fmt.Errorf("a contact that does not exist: %w", err)
	}
	return nil
}

// write prints the metrics. A service would serve them with promhttp instead.
func write(out io.Writer, registry *prometheus.Registry) error {
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(out, family); err != nil {
			return err
		}
	}
	return nil
}
