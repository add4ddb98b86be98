//go:build !race

package ghl_test

import (
	"encoding/json"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// TestCallStaysWithinItsBudget limits what a call allocates, in all, beyond decoding the same body, and beyond what
// encoding/json needs for a plain struct with the same fields. The race detector allocates too, so the test is built
// without it.
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
	plain := plainType(reflect.TypeFor[struct {
		Contact ghl.Contact `json:"contact"`
	}]())
	plainAllocs, _ := costOf(func() {
		if err := json.Unmarshal(body, reflect.New(plain).Interface()); err != nil {
			t.Error(err)
		}
	})
	t.Logf("a call: %.0f allocations, %.0f bytes; decoding alone: %.0f and %.0f; a plain struct: %.0f",
		allocs, bytes, decodeAllocs, decodeBytes, plainAllocs)
	require.LessOrEqual(t, allocs, 70.0)
	require.LessOrEqual(t, bytes, 8.0*1024)
	require.LessOrEqual(t, allocs-decodeAllocs, 22.0)
	require.LessOrEqual(t, allocs-plainAllocs, 22.0)
	require.LessOrEqual(t, bytes-decodeBytes, 5.0*1024)
}

// TestListedContactStaysWithinItsBudget limits the allocations for one listed contact with custom fields.
func TestListedContactStaysWithinItsBudget(t *testing.T) {
	data := []byte(listedContactJSON)
	allocs, bytes := costOf(func() {
		if err := new(ghl.Contact).UnmarshalJSON(data); err != nil {
			t.Error(err)
		}
	})
	t.Logf("a listed contact: %.0f allocations, %.0f bytes", allocs, bytes)
	require.LessOrEqual(t, allocs, 50.0)
	require.LessOrEqual(t, bytes, 5.0*1024)
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
