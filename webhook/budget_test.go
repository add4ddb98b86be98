//go:build !race

package webhook

import (
	"bytes"
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
