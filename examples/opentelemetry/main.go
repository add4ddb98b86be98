// Opentelemetry shows how to trace the requests of the SDK. Each request becomes a span with the name of the
// operation, such as "contacts.get", instead of a path that contains ids.
//
// Run it from the root of the repository:
//
//	go run ./examples/opentelemetry
//
// It uses a fake HighLevel API inside the program (package ghltest) and prints the spans as JSON. The function
// tracing is the part to copy.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// tracing returns an option that wraps the client's transport, so that each attempt of a call has its own span.
func tracing(provider trace.TracerProvider) ghl.Option {
	return ghl.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(next,
			otelhttp.WithTracerProvider(provider),
			otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
				if op, ok := ghl.OperationFromContext(r.Context()); ok {
					return op.Name
				}
				return r.Method
			}))
	})
}

func main() {
	exporter, err := stdouttrace.New(stdouttrace.WithPrettyPrint())
	if err == nil {
		err = run(context.Background(), exporter)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "opentelemetry:", err)
		os.Exit(1)
	}
}

// run makes some calls, with their spans sent to the exporter.
func run(ctx context.Context, exporter sdktrace.SpanExporter) (err error) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	defer func() {
		if shutdown := provider.Shutdown(ctx); err == nil {
			err = shutdown
		}
	}()
	server, err := ghltest.New(ghltest.WithDemoData())
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()

	client, err := ghl.New(append(server.ClientOptions(), tracing(provider))...)
	if err != nil {
		return err
	}
	page, err := client.Contacts.List(ctx, &ghl.ListContactsOptions{Limit: 1})
	if err != nil {
		return err
	}
	for _, contact := range page.Contacts {
		if _, err := client.Contacts.Get(ctx, contact.ID); err != nil {
			return err
		}
		if _, err := client.Notes.List(ctx, contact.ID); err != nil {
			return err
		}
	}
	return nil
}
