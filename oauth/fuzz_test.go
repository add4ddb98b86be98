package oauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

// FuzzTokenErrorsTellNoSecret: no error, log record or call of OnTrouble holds a secret, for any answer to a request
// for a token, also one that repeats the request.
func FuzzTokenErrorsTellNoSecret(f *testing.F) {
	for _, body := range []string{
		`{"statusCode":400,"message":"Invalid grant: refresh token is invalid: $R"}`, `{"message":["$S","$R"],"traceId":"$A"}`,
		`{"error":"UnAuthorized!","error_description":"client_secret=$S&refresh_token=$R"}`, `<html>$S $R $A</html>`,
		`{"error":{"code":"$S","message":"$R","resolution":"$A"}}`, `{"meta":{"contactId":"$S","contactName":"$R","matchingField":"$A"}}`,
		`{"access_token":"a b","refresh_token":"$R"}`, `{"access_token":"$A","refresh_token":"$R\n"}`, `$S`, `"$R"`, `{"message":"$S$S$R`, ``,
	} {
		for _, status := range []int{200, 201, 302, 400, 401, 403, 422, 500, 0} {
			f.Add(status, body, "/+%\"&<\\x", uint8(0))
			f.Add(status, body, "plain", uint8(1))
			f.Add(status, body, "a=b", uint8(2))
		}
	}
	f.Add(400, `{"message":"$A"}`, `\b`, uint8(0)) // pasted into JSON as it is, so that it reads as another text
	f.Add(400, `{"message":"$An"}`, `\`, uint8(0))
	f.Fuzz(func(t *testing.T, status int, body, odd string, form uint8) {
		printable := strings.Map(func(r rune) rune {
			if r <= ' ' || r >= 0x7f {
				return -1
			}
			return r
		}, odd)
		secret := map[string]string{"$S": "s3cr3t-client-" + printable, "$R": "s3cr3t-refresh-" + printable,
			"$A": "s3cr3t-access-" + printable}
		answer := body
		for mark, value := range secret {
			switch form % 3 {
			case 1:
				value = url.QueryEscape(value)
			case 2:
				quoted, err := json.Marshal(value)
				require.NoError(t, err)
				value = string(quoted[1 : len(quoted)-1])
			}
			answer = strings.ReplaceAll(answer, mark, value)
		}
		if status != 0 && (status < 200 || status > 599 || status == 429) { // a 429 is waited for
			status = 400
		}
		transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if status == 0 {
				return nil, errors.New(answer)
			}
			return &http.Response{StatusCode: status, Header: http.Header{},
				Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
		})
		var log syncBuffer
		var told hooked
		app, err := oauth.NewApp(oauth.Config{
			ClientID: "app1-x", ClientSecret: secret["$S"], RedirectURL: "https://app.example.com/",
			Scopes:     []ghl.Scope{"a"},
			HTTPClient: &http.Client{Transport: transport}, OnTrouble: told.hook,
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		require.NoError(t, err)
		store := oauth.NewMemoryStore()
		save(t, store, "k", &ghl.Token{AccessToken: secret["$A"], RefreshToken: secret["$R"],
			ExpiresAt: time.Now().Add(-time.Hour)})
		source := app.TokenSource(store, "k")
		token, err := source.Token(t.Context())
		answer = strings.ReplaceAll(answer, "s3cr3t-access-", "") // which an exchange knows nothing of
		_, exchangeErr := app.Exchange(t.Context(), secret["$R"]) // in the place of the code
		printed := []string{log.String(),
			fmt.Sprintf("%v %+v %#v %v %+v %#v", token, token, token, source, source, source)}
		for _, err := range append(told.list(), err, exchangeErr) {
			if err == nil {
				continue
			}
			asJSON, _ := json.Marshal(struct{ Err error }{err})
			printed = append(printed, err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err), string(asJSON))
			var e *ghl.Error
			if errors.As(err, &e) {
				printed = append(printed, string(e.Body()), fmt.Sprintf("%+v %#v", *e, *e))
			}
		}
		for _, text := range printed {
			for mark, value := range secret {
				if mark == "$A" && status >= 200 && status < 300 { // the answer may be a new token
					continue
				}
				require.NotContains(t, text, value, "answer %q", answer)
			}
			require.NotContains(t, text, secret["$S"])
			require.NotContains(t, text, secret["$R"])
		}
	})
}
