package ghltest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// BenchmarkGet measures a simple read over loopback, the client's cost included.
func BenchmarkGet(b *testing.B) {
	s := ghltest.Start(b, ghltest.WithDemoData())
	c, err := ghl.New(append(s.ClientOptions(), ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))...)
	require.NoError(b, err)
	id := s.Contacts()[0].ID
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Contacts.Get(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
