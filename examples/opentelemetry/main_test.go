package main

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"go.opentelemetry.io/otel/attribute"
)

// recorder is an exporter that records spans.
type recorder struct{ spans []sdktrace.ReadOnlySpan }

func (r *recorder) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	r.spans = append(r.spans, slices.Clone(spans)...)
	return nil
}

func (r *recorder) Shutdown(context.Context) error { return nil }

func TestSpansAreNamedByTheOperation(t *testing.T) {
	var r recorder
	require.NoError(t, run(t.Context(), &r))

	var names []string
	for _, span := range r.spans {
		names = append(names, span.Name())
		require.Contains(t, span.Attributes(), attribute.Int("http.response.status_code", 200))
	}
	require.Equal(t, []string{"contacts.list", "contacts.get", "notes.list"}, names)
}
