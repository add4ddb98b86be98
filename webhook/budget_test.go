//go:build !race

package webhook

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeliveryStaysWithinItsBudget limits what a verified, decoded, deduplicated delivery of 1 KB allocates, without
// the part of net/http. The race detector allocates too, so the test is built without it.
func TestDeliveryStaysWithinItsBudget(t *testing.T) {
	const runs = 500
	memory, err := NewMemory(runs) // half of the list, so that each delivery is a new one
	require.NoError(t, err)
	deliver := deliverTo(t, deliveries(testKey, 2*runs), WithDeduplicator(memory))
	allocs := testing.AllocsPerRun(runs, deliver)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		deliver()
	}
	runtime.ReadMemStats(&after)
	bytes := float64(after.TotalAlloc-before.TotalAlloc) / runs
	t.Logf("a delivery: %.0f allocations, %.0f bytes", allocs, bytes)
	require.LessOrEqual(t, allocs, 56.0)
	require.LessOrEqual(t, bytes, 5.0*1024)
}

// TestUnsignedRequestStaysWithinItsBudget limits what a request without a signature of the right form allocates,
// whatever body it has.
func TestUnsignedRequestStaysWithinItsBudget(t *testing.T) {
	const runs, limit = 100, 1024.0 // the limit of a request with net/http is 64 KB
	h := handler(t, OnAny(nothing))
	body := make([]byte, DefaultMaxBody)
	for name, header := range implausible() {
		for _, announced := range []int64{-1, DefaultMaxBody} {
			w := &wire{}
			r, err := http.NewRequest(http.MethodPost, "/", nil)
			require.NoError(t, err)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range runs {
				w.Reset(body)
				w.header, w.status = http.Header{}, 0
				r.Body, r.Header, r.ContentLength = w, header, announced
				h.ServeHTTP(w, r)
			}
			runtime.ReadMemStats(&after)
			require.Equal(t, http.StatusUnauthorized, w.status, name)
			require.Equal(t, len(body), w.Len(), "the body is not read: %s", name)
			require.LessOrEqual(t, float64(after.TotalAlloc-before.TotalAlloc)/runs, limit, name)
		}
	}
}

// TestUnsignedRequestsToAServerStayWithinTheirBudget includes the part of net/http.
func TestUnsignedRequestsToAServerStayWithinTheirBudget(t *testing.T) {
	const runs, limit = 100, 64 << 10
	server := httptest.NewServer(handler(t, OnAny(nothing)))
	defer server.Close()
	body := make([]byte, DefaultMaxBody)
	conns := make([]net.Conn, runs)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range conns {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		conns[i] = conn
		_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(body))
		require.NoError(t, err)
		_, _ = conn.Write(body) // fails when the server has closed the connection
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil { // the response can be lost when the server closes the connection
			require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		}
	}
	runtime.ReadMemStats(&after)
	perRequest := (after.TotalAlloc - before.TotalAlloc) / runs
	t.Logf("an unsigned request: %d bytes with net/http", perRequest)
	require.LessOrEqual(t, perRequest, uint64(limit))
}

// TestUnknownPropertyStaysWithinItsBudget compares the allocations of an event with and without a property that has
// no field.
func TestUnknownPropertyStaysWithinItsBudget(t *testing.T) {
	known := contactOf1KB("9c1d7a52-3a0e-4a58-8f43-000000000000")
	for _, property := range []string{`"favouriteColour":"blue"`,
		`"loyalty":{"tier":"gold","points":[1,2,3],"since":"2024-01-01"}`} {
		unknown := append(append([]byte("{"), property+","...), bytes.TrimPrefix(known, []byte("{"))...)
		cost := func(body []byte) float64 {
			return testing.AllocsPerRun(500, func() {
				if _, err := Decode(body); err != nil {
					t.Error(err)
				}
			})
		}
		without, with := cost(known), cost(unknown)
		t.Logf("an event: %.0f allocations; with %s: %.0f", without, property, with)
		require.LessOrEqual(t, without, 35.0)
		require.LessOrEqual(t, with, 1.3*without)
		event, err := Decode(unknown)
		require.NoError(t, err)
		require.Len(t, event.(*ContactEvent).Contact.Extra, 1)
	}
}
