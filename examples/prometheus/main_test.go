package main

import (
	"bytes"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestRequestsAreCounted(t *testing.T) {
	registry, requests := prometheus.NewRegistry(), newCounter()
	registry.MustRegister(requests)
	require.NoError(t, run(t.Context(), requests))

	var out bytes.Buffer
	require.NoError(t, write(&out, registry))
	require.Equal(t, `# HELP ghl_requests_total Requests sent to HighLevel, by operation and HTTP status.
# TYPE ghl_requests_total counter
ghl_requests_total{operation="contacts.get",status="200"} 3
ghl_requests_total{operation="contacts.get",status="400"} 1
ghl_requests_total{operation="contacts.list",status="200"} 1
`, out.String())
}
