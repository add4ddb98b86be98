package ghltest_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// BenchmarkGet measures a read over loopback, including the client: one caller, one request at a time.
func BenchmarkGet(b *testing.B) { benchmarkGet(b, 1) }

// BenchmarkGetParallel is BenchmarkGet with 16 callers, which keep the CPU busy.
func BenchmarkGetParallel(b *testing.B) { benchmarkGet(b, 16) }

func benchmarkGet(b *testing.B, callers int) {
	s, id := benchmarkServer(b)
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	b.Cleanup(transport.CloseIdleConnections)
	c, err := ghl.New(append(s.ClientOptions(), ghl.WithHTTPClient(&http.Client{Transport: transport}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))...)
	require.NoError(b, err)
	measure(b, callers, func() error {
		_, err := c.Contacts.Get(context.Background(), id)
		return err
	})
}

func benchmarkServer(b *testing.B) (s *ghltest.Server, contactID string) {
	b.Helper()
	s = ghltest.Start(b)
	return s, s.AddContact(ghl.Contact{
		FirstName: "Ada", LastName: "Lovelace", Email: "ada@example.com", Phone: "+12025550143", Source: "form",
		Tags: []string{"vip", "newsletter"},
	}).ID
}

// BenchmarkGetWithoutClient is the same read with net/http alone.
func BenchmarkGetWithoutClient(b *testing.B) {
	s, id := benchmarkServer(b)
	measure(b, 1, func() error { return plainGet(s.URL()+"/contacts/"+id, s.Token()) })
}

// BenchmarkLoopback is the same exchange with a server of one fixed answer. BenchmarkGetWithoutClient minus
// BenchmarkLoopback is the cost of the fake.
func BenchmarkLoopback(b *testing.B) {
	s, id := benchmarkServer(b)
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/contacts/"+id, nil)
	r.Header.Set("Authorization", "Bearer "+s.Token())
	r.Header.Set("Version", "2021-07-28")
	s.Handler().ServeHTTP(w, r)
	require.Equal(b, http.StatusOK, w.Code)
	body := w.Body.Bytes()
	bare := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		maps.Copy(answer.Header(), w.Header())
		_, _ = answer.Write(body)
	}))
	defer bare.Close()
	measure(b, 1, func() error { return plainGet(bare.URL+"/contacts/"+id, s.Token()) })
}

func plainGet(address, token string) error {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Version", "2021-07-28")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Body.Close()
}

// measure calls do b.N times, and reports requests per second of time and of CPU time.
func measure(b *testing.B, callers int, do func() error) {
	b.Helper()
	var left atomic.Int64
	var failed atomic.Pointer[error]
	b.ReportAllocs()
	left.Store(int64(b.N))
	before, known := cpuTime()
	b.ResetTimer()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	after, _ := cpuTime()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	if used := after - before; known && used > 0 {
		b.ReportMetric(float64(b.N)/used.Seconds(), "requests/CPU-s")
		b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "CPU-ns/op")
	}
}
