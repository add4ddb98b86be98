package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// TestMalformedAnswersPrintNoSecrets: net/http quotes a malformed answer in its errors. Each of these answers
// repeats secrets of the request.
func TestMalformedAnswersPrintNoSecrets(t *testing.T) {
	for name, answer := range map[string]string{
		"status":            "HTTP/1.1 the-client-secret\r\n\r\n",
		"header":            "HTTP/1.1 200 OK\r\nthe-client-secret secret-refresh-1\r\n\r\n",
		"protocol":          "secret-refresh-1 HTTP/9\r\n\r\n",
		"length":            "HTTP/1.1 200 OK\r\nContent-Length: the-client-secret\r\n\r\n",
		"chunk":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nthe-client-secret\r\n",
		"transfer encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: the-client-secret\r\n\r\n",
		"location":          "HTTP/1.1 307 X\r\nLocation: http://[the-client-secret%2f\r\nContent-Length: 0\r\n\r\n",
		"reason":            "HTTP/1.1 418 the-client-secret\r\nContent-Length: 0\r\n\r\n",
		"half a body":       "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"secret-new",
		"trailer":           "HTTP/1.1 200 OK\r\nTrailer: the-client-secret, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			var told hooked
			app := newAuthServer().app(t, func(c *oauth.Config) {
				c.BaseURL = "http://127.0.0.1"
				c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go answerRaw(server, answer)
					return client, nil
				}}}
				c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				c.OnTrouble = told.hook
			})
			store := oauth.NewMemoryStore()
			token := someToken(1)
			token.ExpiresAt = time.Now().Add(-time.Hour)
			save(t, store, "k", token)
			_, err := app.TokenSource(store, "k").Token(t.Context())
			require.Error(t, err)
			require.Equal(t, 1, asError(t, err).Attempts, "the refresh token may have been used")
			printed := log.String() + fmt.Sprint(told.list()) + string(asError(t, err).Body())
			for ; err != nil; err = errors.Unwrap(err) {
				printed += fmt.Sprintf("%v %+v %#v ", err, err, err)
				if e, ok := err.(*ghl.Error); ok {
					printed += fmt.Sprintf("%v %+v %#v ", *e, *e, *e)
				}
			}
			for _, secret := range []string{clientSecret, "secret-refresh", "secret-access", "secret-new"} {
				require.NotContains(t, printed, secret)
			}
		})
	}
}

// answerRaw reads a request for a token, writes an answer and closes the connection.
func answerRaw(conn net.Conn, answer string) {
	defer func() { _ = conn.Close() }()
	read := ""
	for buffer := make([]byte, 4096); !strings.Contains(read, "redirect_uri"); {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		read += string(buffer[:n])
	}
	_, _ = io.WriteString(conn, answer)
}
