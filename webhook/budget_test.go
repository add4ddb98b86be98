//go:build !race

package webhook

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeliveryStaysWithinItsBudget bounds what a verified, decoded, deduplicated delivery of 1 KB takes from the heap,
// net/http's own part left out. The race detector allocates on its own account, so the test is built without it.
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
