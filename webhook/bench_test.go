package webhook

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// contactOf1KB is a delivery of 1,024 bytes.
func contactOf1KB(webhookID string) []byte {
	head := `{"type":"ContactUpdate","locationId":"seVkq0JmVSkRUNvG1Cpk","versionId":"6903e6afd46a4de5a2bb0a3a","appId":"6903e6afd46a4de5a2bb0a39",` +
		`"id":"ocQHyuzHvysMo5N5VsXc","address1":"12 Maple Street","city":"Portland","state":"ME","companyName":"Ortega Bakery","country":"US",` +
		`"source":"website","dateAdded":"2025-10-02T09:14:03.193Z","dateOfBirth":"1984-03-05T00:00:00.000Z","dnd":false,` +
		`"email":"amelia.ortega@example.com","name":"Amelia Ortega","firstName":"Amelia","lastName":"Ortega","phone":"+12025550101",` +
		`"postalCode":"04101","tags":["customer","newsletter"],"website":"https://ortega.example","attachments":[],` +
		`"assignedTo":"yzkN8zMzcBzTeUzDXnJ2","customFields":[{"id":"BcdmQEsNgz6AVpgLVUJ0","value":"38"},{"id":"7PtRbVrTkgwjkcyNvXq1","value":`
	tail := `}],"timestamp":"2025-11-07T12:46:45.953Z","webhookId":"` + webhookID + `"}`
	fill := 1024 - len(head) - len(tail) - 2
	return []byte(head + `"` + strings.Repeat("x", fill) + `"` + tail)
}

// wire is a request and its answer without a network. It takes deadlines as a connection does.
type wire struct {
	bytes.Reader
	header http.Header
	status int
}

func (*wire) Close() error                    { return nil }
func (*wire) SetReadDeadline(time.Time) error { return nil }
func (w *wire) Header() http.Header           { return w.header }
func (w *wire) WriteHeader(status int)        { w.status = status }
func (w *wire) Write(p []byte) (int, error)   { return len(p), nil }

type signedDelivery struct {
	body      []byte
	signature []byte
	header    http.Header
}

func deliveries(key ed25519.PrivateKey, n int) []signedDelivery {
	list := make([]signedDelivery, n)
	for i := range list {
		body := contactOf1KB(fmt.Sprintf("9c1d7a52-3a0e-4a58-8f43-%012d", i))
		signature := ed25519.Sign(key, body)
		list[i] = signedDelivery{body, signature, http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"x"}, "Accept-Encoding": {"gzip"},
			"X-Ghl-Signature": {base64.StdEncoding.EncodeToString(signature)}, "X-Wh-Signature": {"N/A"},
		}}
	}
	return list
}

// deliverTo returns a function that gives the handler the next delivery.
func deliverTo(tb testing.TB, list []signedDelivery, opts ...Option) func() {
	opts = append(opts, WithReplayWindow(0, 0),
		OnContactCreatedOrUpdated(func(_ context.Context, e *ContactEvent) error {
			if e.Contact.Email != "amelia.ortega@example.com" {
				return io.ErrUnexpectedEOF
			}
			return nil
		}))
	v, err := NewVerifier(WithOnlyKeys(public(testKey)))
	require.NoError(tb, err)
	h, err := NewHandler(v, opts...)
	require.NoError(tb, err)
	i := 0
	w := &wire{}
	r, err := http.NewRequest(http.MethodPost, "/", nil)
	require.NoError(tb, err)
	return func() {
		d := &list[i%len(list)]
		i++
		w.Reset(d.body)
		w.header, w.status = http.Header{}, 0
		r.Body, r.Header, r.ContentLength = w, d.header, int64(len(d.body))
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			tb.Fatalf("status %d", w.status)
		}
	}
}

// BenchmarkDelivery measures a delivery of 1 KB beside the signature check alone, in turns of the same loop so that
// whatever else the machine does weighs on both. The figures are medians. The signature is checked once more before,
// untimed, so that neither is the one that finds the caches cold.
func BenchmarkDelivery(b *testing.B) {
	list := deliveries(testKey, 1000)
	key := public(testKey)
	memory, err := NewMemory(500) // smaller than the list, so that each delivery is a new one
	require.NoError(b, err)
	deliver := deliverTo(b, list, WithDeduplicator(memory))
	check := func(d *signedDelivery) {
		if !ed25519.Verify(key, d.body, d.signature) {
			b.Fatal("wrong signature")
		}
	}
	var alone, whole []float64 // in µs
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		d := &list[i%len(list)]
		i++
		check(d)
		start := time.Now()
		check(d)
		half := time.Now()
		deliver()
		whole = append(whole, float64(time.Since(half))/1e3)
		alone = append(alone, float64(half.Sub(start))/1e3)
	}
	slices.Sort(alone)
	slices.Sort(whole)
	signature, delivery := alone[len(alone)/2], whole[len(whole)/2]
	b.ReportMetric(signature, "µs/signature")
	b.ReportMetric(delivery, "µs/delivery")
	b.ReportMetric(delivery-signature, "µs/beyond")
}

func BenchmarkDecode(b *testing.B) {
	body := contactOf1KB("9c1d7a52-3a0e-4a58-8f43-000000000000")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
