package webhook

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// implausible are headers for which no body can be valid.
func implausible() map[string]http.Header {
	good := signature(testKey, []byte("x"))
	return map[string]http.Header{
		"none":           {},
		"N/A":            {"X-Ghl-Signature": {"N/A"}},
		"empty":          {"X-Ghl-Signature": {""}},
		"short":          {"X-Ghl-Signature": {good[:84]}},
		"long":           {"X-Ghl-Signature": {good + good}},
		"very long":      {"X-Ghl-Signature": {strings.Repeat("A", 50_000)}},
		"not base64":     {"X-Ghl-Signature": {"!" + good[1:]}},
		"URL alphabet":   {"X-Ghl-Signature": {"_-" + good[2:]}},
		"hex":            {"X-Ghl-Signature": {strings.Repeat("ab", 64)}},
		"line breaks":    {"X-Ghl-Signature": {good[:40] + "\r\n" + good[40:]}},
		"twice":          {"X-Ghl-Signature": {good, good}},
		"two spellings":  {"X-Ghl-Signature": {good}, "X-GHL-Signature": {good}},
		"another header": {"X-Signature": {good}},
		"legacy only":    {"X-Wh-Signature": {base64.StdEncoding.EncodeToString(make([]byte, 512))}},
		"legacy and N/A": {"X-Wh-Signature": {legacySignature([]byte("x"))}, "X-Ghl-Signature": {"N/A"}},
	}
}

// TestABodyWithoutAPlausibleSignatureIsNotRead: the response does not wait for the body.
func TestABodyWithoutAPlausibleSignatureIsNotRead(t *testing.T) {
	for name, header := range implausible() {
		for _, announced := range []int64{-1, 1, 1000, DefaultMaxBody} {
			var seen outcomes
			h := handler(t, OnAny(nothing), seen.option())
			body := &endless{}
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header, r.Body, r.ContentLength = header, body, announced
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 401, w.Code, name)
			require.Equal(t, "close", w.Header().Get("Connection"), name)
			require.Zero(t, body.read, name)
			require.Equal(t, []Result{Forged}, seen.results(), name)
		}
	}

	h, err := NewHandler(verifier(t, WithLegacyRSA(&legacyKey().PublicKey)), OnAny(nothing), clockAt(deliveredAt))
	require.NoError(t, err)
	for size, want := range map[int]int{255: 0, 256: 4, 257: 0, 512: 0} {
		body := &countedReader{Reader: strings.NewReader("body")}
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.Header.Set(LegacySignatureHeader, base64.StdEncoding.EncodeToString(make([]byte, size)))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 401, w.Code)
		require.Equal(t, want, body.read, "a legacy signature of %d bytes", size)
	}
}

type countedReader struct {
	io.Reader
	read int
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

func TestAnUnsignedRequestIsAnsweredAtOnce(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"plain": func(h http.Handler) http.Handler { return h }, "no deadline can be set": hidden,
	} {
		for _, length := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked"} {
			synctest.Test(t, func(t *testing.T) {
				conn := serve(t, wrap(handler(t, OnAny(nothing))))()
				began := time.Now()
				_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n"+length+"\r\n\r\n")
				require.NoError(t, err)
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err, name)
				require.Equal(t, 401, resp.StatusCode)
				require.True(t, resp.Close)
				require.Zero(t, time.Since(began))
				_ = conn.Close()
				time.Sleep(time.Second) // the server closes its side
			})
		}
	}
}

// held is a body that arrives up to a size and then blocks until the test or its deadline ends it.
type held struct {
	left int
	end  chan struct{}
	err  error
}

func (b *held) Read(p []byte) (int, error) {
	if b.left == 0 {
		<-b.end
		return 0, b.err
	}
	n := min(len(p), b.left, 1500)
	b.left -= n
	return n, nil
}

func (b *held) Close() error { return nil }

// deadlined is a response writer that ends a body at the read deadline, as a connection does.
type deadlined struct {
	*httptest.ResponseRecorder
	body  *held
	timer *time.Timer
}

type timeoutError struct{}

func (timeoutError) Error() string { return "timeout" }
func (timeoutError) Timeout() bool { return true }

func (d *deadlined) SetReadDeadline(at time.Time) error {
	if d.timer != nil {
		d.timer.Stop()
	}
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			d.body.err = timeoutError{}
			close(d.body.end)
		})
	}
	return nil
}

// TestUnverifiedBodiesAreBounded: 400 senders with a signature of the right form hold a bounded memory for a bounded
// time, and leave room for ordinary deliveries.
func TestUnverifiedBodiesAreBounded(t *testing.T) {
	const senders = 400
	for _, test := range []struct {
		sent      int
		announced int64
	}{
		{DefaultMaxBody, DefaultMaxBody}, {DefaultMaxBody, -1}, {300_000, 1}, {5000, DefaultMaxBody},
	} {
		for _, hide := range []bool{false, true} {
			name := fmt.Sprintf("%d bytes of %d, hidden %t", test.sent, test.announced, hide)
			synctest.Test(t, func(t *testing.T) {
				var statuses [600]atomic.Int32
				h := handler(t, OnAny(nothing))
				runtime.GC()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				bodies := make([]*held, senders)
				for i := range bodies {
					bodies[i] = &held{left: test.sent, end: make(chan struct{})}
					go func() {
						r := httptest.NewRequest(http.MethodPost, "/", nil)
						r.Header, r.Body, r.ContentLength = signed(nil), bodies[i], test.announced
						w := httptest.NewRecorder()
						if hide {
							h.ServeHTTP(w, r)
						} else {
							h.ServeHTTP(&deadlined{ResponseRecorder: w, body: bodies[i]}, r)
						}
						statuses[w.Code].Add(1)
					}()
				}
				synctest.Wait()
				runtime.GC()
				runtime.ReadMemStats(&after)
				require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(DefaultMaxUnverified+8<<20), name)
				require.LessOrEqual(t, h.unverified.used, int64(DefaultMaxUnverified))
				refused := statuses[429].Load()
				if test.sent == 5000 {
					require.Zero(t, refused, name)
				} else {
					require.Positive(t, refused, name)
					require.Less(t, refused, int32(senders), name)
				}
				require.Equal(t, 200, status(h, numbered(1)), name)

				time.Sleep(DefaultReadTimeout)
				synctest.Wait()
				require.EqualValues(t, senders, statuses[429].Load(), "the slow ones too: %s", name)
				if hide { // the server closes the bodies after the response
					require.Positive(t, h.unverified.used)
					for _, body := range bodies {
						body.err = errors.New("closed")
						close(body.end)
					}
					synctest.Wait()
				}
				require.Zero(t, h.unverified.used, name)
			})
		}
	}
}

// TestSmallBodiesUseAllMemory: what large bodies leave is for ordinary deliveries, until that is used too.
func TestSmallBodiesUseAllMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 100 << 10
		var seen outcomes
		h := handler(t, OnAny(nothing), WithMaxBody(50<<10), WithMaxUnverified(limit), seen.option())
		end := make(chan struct{})
		hold := func(n, sent int) {
			for range n {
				go func() {
					r := httptest.NewRequest(http.MethodPost, "/", &held{left: sent, end: end, err: io.EOF})
					r.Header = signed(nil)
					h.ServeHTTP(httptest.NewRecorder(), r)
				}()
			}
			synctest.Wait()
		}
		hold(100, 50<<10)
		require.LessOrEqual(t, h.unverified.used, int64(limit*3/4))
		require.Equal(t, 429, status(h, strings.Repeat("x", 50<<10)))
		require.ErrorIs(t, seen.list[len(seen.list)-1].Err, errTooMuch)
		require.Equal(t, Busy, seen.list[len(seen.list)-1].Result)
		require.Equal(t, 200, status(h, numbered(1)))
		hold(100, 1)
		require.LessOrEqual(t, h.unverified.used, int64(limit))
		require.Equal(t, 429, status(h, strings.Repeat(" ", 4000)+numbered(2)))
		close(end)
		synctest.Wait()
		require.Zero(t, h.unverified.used)
		require.Equal(t, 200, status(h, strings.Repeat(" ", 49<<10)+numbered(2)), "the redelivery")
	})
}

// TestMemoryIsReleasedOnce: each way in which a body ends releases its memory.
func TestMemoryIsReleasedOnce(t *testing.T) {
	large := strings.Repeat(" ", 20_000)
	for name, body := range map[string]io.Reader{
		"wrong signature": strings.NewReader(large),
		"empty":           strings.NewReader(""),
		"too large":       strings.NewReader(large + large),
		"broken":          io.MultiReader(strings.NewReader(large), &failingReader{}),
		"panics":          io.MultiReader(strings.NewReader(large), panicking{}),
	} {
		for _, wrap := range []func(http.Handler) http.Handler{func(h http.Handler) http.Handler { return h }, hidden} {
			h := handler(t, OnAny(nothing), WithMaxBody(30_000))
			r := httptest.NewRequest(http.MethodPost, "/", body)
			r.Header = signed([]byte("other"))
			func() {
				defer func() { _ = recover() }()
				wrap(h).ServeHTTP(&deadlined{ResponseRecorder: httptest.NewRecorder(), body: &held{end: make(chan struct{})}}, r)
			}()
			require.Zero(t, h.unverified.used, name)
		}
	}

	var during int64
	var h *Handler
	h = handler(t, OnAny(func(context.Context, Event) error { during = h.unverified.used; return errors.New("no") }))
	require.Equal(t, 429, status(h, large+note))
	require.Zero(t, during, "a verified body is not counted")
	require.Equal(t, 400, status(h, large))
	require.Zero(t, h.unverified.used)
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("no") }
