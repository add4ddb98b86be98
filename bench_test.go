package ghl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// contactJSON is an answer of 1.5 KB, as GET /contacts/{id} gives it.
const contactJSON = `{"contact":{"id":"seD4PfOuKoVMLkEZqohJ","name":"Rubika Deo","locationId":"ve9EPM428h8vShlRW1KT","firstName":"Rubika","lastName":"Deo","email":"rubika@deos.example.com","emailLowerCase":"rubika@deos.example.com","timezone":"Asia/Calcutta","companyName":"DGS VolMAX","phone":"+18832327657","dnd":true,"dndSettings":{"Call":{"status":"active","message":"string","code":"101"},"Email":{"status":"active","message":"string","code":"101"},"SMS":{"status":"active","message":"string","code":"101"}},"type":"lead","source":"public api","assignedTo":"ve9EPM428h8vShlRW1KT","address1":"3535 1st St N","city":"Dolomite","state":"AL","country":"US","postalCode":"35061","website":"https://www.example.com","tags":["nisi sint commodo amet","consequat"],"dateOfBirth":"1990-09-25","dateAdded":"2021-07-02T05:18:26.704Z","dateUpdated":"2021-07-02T05:18:26.704Z","attachments":[],"keyword":"test","firstNameLowerCase":"rubika","fullNameLowerCase":"rubika deo","lastNameLowerCase":"deo","lastActivity":"2021-07-16T11:39:30.564Z","customFields":[{"id":"MgobCB14YMVKuE4Ka8p1","value":"name"},{"id":"Aa0bCB14YMVKuE4Ka8p2","value":["one","two"]}],"businessId":"641c094001436dbc2081e642","attributionSource":{"url":"https://www.example.com/landing","campaign":"spring","utmSource":"newsletter","utmMedium":"email","referrer":"https://www.example.org","userAgent":"Mozilla/5.0","ip":"203.0.113.7","medium":"survey","mediumId":"FglfHAn30PRwsZVyQlKp"},"visitorId":"ve9EPM428h8vShlRW1KT","followers":["sx6wyHhbFdRXh302Lunr"]},"traceId":"0e1a9b1c-5a2f-4d38-b3a7-2f0d1c9f5a11"}`

// inMemory answers every request with the same body, as fast as a transport can.
type inMemory struct {
	header http.Header
	body   []byte
}

func newInMemory(body string) *inMemory {
	return &inMemory{body: []byte(body), header: http.Header{
		"Content-Type":                      {"application/json"},
		"X-Ratelimit-Max":                   {"1000000"},
		"X-Ratelimit-Remaining":             {"999999"},
		"X-Ratelimit-Interval-Milliseconds": {"10000"},
		"X-Ratelimit-Limit-Daily":           {"100000000"},
		"X-Ratelimit-Daily-Remaining":       {"99999999"},
	}}
}

func (t *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: t.header,
		Body: io.NopCloser(bytes.NewReader(t.body)), ContentLength: int64(len(t.body)), Request: r,
	}, nil
}

func inMemoryClient(tb testing.TB, body string) *ghl.Client {
	c, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("ve9EPM428h8vShlRW1KT"),
		ghl.WithHTTPClient(&http.Client{Transport: newInMemory(body)}))
	require.NoError(tb, err)
	return c
}

func benchmarkUnmarshal(b *testing.B) {
	body := []byte(contactJSON)
	b.ReportAllocs()
	for b.Loop() {
		var out struct {
			Contact ghl.Contact `json:"contact"`
		}
		if err := json.Unmarshal(body, &out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkContactsGet(b *testing.B) {
	c, ctx := inMemoryClient(b, contactJSON), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Contacts.Get(ctx, "seD4PfOuKoVMLkEZqohJ"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is the share of BenchmarkContactsGet that any client pays for the model.
func BenchmarkUnmarshal(b *testing.B) { benchmarkUnmarshal(b) }

// BenchmarkNetHTTP is the same call with nothing but net/http and a decoder.
func BenchmarkNetHTTP(b *testing.B) {
	client := &http.Client{Transport: newInMemory(contactJSON)}
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet,
			"https://services.leadconnectorhq.com/contacts/seD4PfOuKoVMLkEZqohJ", nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer pit-test")
		req.Header.Set("Version", "2021-07-28")
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		var out struct {
			Contact ghl.Contact `json:"contact"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// endlessContacts is a list of so many contacts, in pages of 100, made as they are asked for.
type endlessContacts struct{ total, served int }

func (t *endlessContacts) RoundTrip(r *http.Request) (*http.Response, error) {
	var b strings.Builder
	b.WriteString(`{"contacts":[`)
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"c%019d","firstName":"ada","firstNameRaw":"Ada","email":"ada%d@example.com","tags":["vip"],"dateAdded":"2021-07-02T05:18:26.704Z"}`, t.served, t.served)
		t.served++
	}
	next := fmt.Sprintf(`"startAfter":%d,"startAfterId":"c%019d"`, 1700000000000-t.served, t.served)
	if t.served >= t.total {
		next = `"startAfter":null,"startAfterId":""`
	}
	fmt.Fprintf(&b, `],"meta":{"total":%d,%s}}`, t.total, next)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(b.String())),
		Request: r}, nil
}

// TestListingKeepsMemoryFlat lists 100,000 contacts and looks at the live heap on the way.
func TestListingKeepsMemoryFlat(t *testing.T) {
	c, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("loc1"),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
		ghl.WithHTTPClient(&http.Client{Transport: &endlessContacts{total: 100_000}}))
	require.NoError(t, err)
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	n, early, late := 0, uint64(0), uint64(0)
	for _, err := range c.Contacts.All(t.Context(), nil) {
		require.NoError(t, err)
		switch n++; n {
		case 10_000:
			early = live()
		case 99_999:
			late = live()
		}
	}
	require.Equal(t, 100_000, n)
	require.Less(t, late, early+256<<10, "the heap grew from %d to %d bytes", early, late)
}

func BenchmarkListAll(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("loc1"),
			ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
			ghl.WithHTTPClient(&http.Client{Transport: &endlessContacts{total: 1000}}))
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range c.Contacts.All(context.Background(), nil) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
