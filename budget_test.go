//go:build !race

package ghl_test

import (
	"encoding/json"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestCallStaysWithinItsBudget holds a call to what it may cost, in all and beyond decoding the same body. The race detector
// allocates on its own account, so the test is built without it.
func TestCallStaysWithinItsBudget(t *testing.T) {
	require.InDelta(t, 1500, len(contactJSON), 100)
	c, body := inMemoryClient(t, contactJSON), []byte(contactJSON)
	allocs, bytes := costOf(func() {
		if _, err := c.Contacts.Get(t.Context(), "seD4PfOuKoVMLkEZqohJ"); err != nil {
			t.Error(err)
		}
	})
	decodeAllocs, decodeBytes := costOf(func() {
		var out struct {
			Contact ghl.Contact `json:"contact"`
		}
		if err := json.Unmarshal(body, &out); err != nil {
			t.Error(err)
		}
	})
	t.Logf("a call: %.0f allocations, %.0f bytes; decoding alone: %.0f and %.0f", allocs, bytes, decodeAllocs, decodeBytes)
	require.LessOrEqual(t, allocs, 140.0)
	require.LessOrEqual(t, bytes, 12.0*1024)
	require.LessOrEqual(t, allocs-decodeAllocs, 27.0)
	require.LessOrEqual(t, bytes-decodeBytes, 5.0*1024)
}

// costOf returns the allocations and bytes that one run of f takes.
func costOf(f func()) (allocs, bytes float64) {
	const runs = 500
	allocs = testing.AllocsPerRun(runs, f)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return allocs, float64(after.TotalAlloc-before.TotalAlloc) / runs
}
