package ghl_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// brokenServer answers each request with raw bytes, in which TOKEN is replaced by spell of the bearer.
func brokenServer(t *testing.T, raw string, spell func(string) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				_, _ = conn.Write([]byte(strings.ReplaceAll(raw, "TOKEN", spell(token))))
			}
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// TestABrokenAnswerTellsNoToken: net/http puts the bytes of an answer that breaks HTTP into the text of its error.
func TestABrokenAnswerTellsNoToken(t *testing.T) {
	answers := map[string]string{
		"content length":    "HTTP/1.1 200 OK\r\nContent-Length: TOKEN\r\n\r\n",
		"two lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: TOKEN\r\n\r\n",
		"transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: TOKEN\r\n\r\n",
		"status code":       "HTTP/1.1 TOKEN OK\r\n\r\n",
		"status line":       "TOKEN\r\n\r\n",
		"version":           "HTTP/TOKEN 200 OK\r\n\r\n",
		"header line":       "HTTP/1.1 200 OK\r\nTOKEN\r\n\r\n",
		"header name":       "HTTP/1.1 200 OK\r\nX (TOKEN): 1\r\n\r\n",
		"first header line": "HTTP/1.1 200 OK\r\n TOKEN\r\n\r\n",
		"chunk":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nTOKEN\r\n",
		"redirect":          "HTTP/1.1 302 Found\r\nLocation: http://[TOKEN\r\nContent-Length: 0\r\n\r\n",
	}
	spellings := map[string]func(string) string{
		"as it is":         func(s string) string { return s },
		"cut at its end":   func(s string) string { return s[:len(s)-5] },
		"cut in half":      func(s string) string { return s[:len(s)/2] },
		"cut at its start": func(s string) string { return s[5:] },
		"in quotes":        func(s string) string { return `"` + s + `"` },
		"cut in quotes":    func(s string) string { return `"` + s[:len(s)-5] + `"` },
		"quoted twice":     func(s string) string { return fmt.Sprintf("%q", fmt.Sprintf("%q", s)) },
		"escaped":          func(s string) string { return strings.ReplaceAll(s, "-", "%2D") },
		"in hex":           func(s string) string { return strings.ReplaceAll(s, "-", `\x2d`) },
		"with a NUL":       func(s string) string { return s[:20] + "\x00" + s[20:] },
		"in two parts":     func(s string) string { return s[:20] + " " + s[20:] },
		"with a tab":       func(s string) string { return s[:20] + "\t" + s[20:] },
		"in upper case":    strings.ToUpper,
	}
	const token = `pit-7c1f0a"9b\2e-4d3c-8a6b-SECRETpart`
	for place, raw := range answers {
		for spelling, spell := range spellings {
			c, err := ghl.New(ghl.WithToken(token), ghl.WithLocation("loc1"), ghl.WithBaseURL(brokenServer(t, raw, spell)),
				ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}),
				ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))
			require.NoError(t, err)
			_, err = c.Contacts.Get(t.Context(), "c1")
			require.Error(t, err)
			text := strings.ToLower(fmt.Sprintf("%v %+v %#v", err, err, err))
			for _, part := range []string{"4d3c", "9b", "secretpart"} {
				require.NotContains(t, text, part, "%s, %s", place, spelling)
			}
		}
	}
}
