package redact_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

func TestJSON(t *testing.T) {
	for body, want := range map[string]string{
		``: ``,
		`{"firstName":"Ada","email":"ada@example.com","phone":"+18005550100","dnd":true,"source":null,"companyName":""}`:                      `{"companyName":"","dnd":true,"email":"(15 characters)","firstName":"(3 characters)","phone":"(12 characters)","source":null}`,
		`{"contactId":"0IHuJvc2ofPAAA8GzTRi","tags":["vip","new"],"customFields":[{"id":"abc","field_value":1200000000000}]}`:                 `{"contactId":"0IHuJvc2ofPAAA8GzTRi","customFields":[{"field_value":"(number)","id":"abc"}],"tags":["(3 characters)","(3 characters)"]}`,
		`{"statusCode":400,"message":["phone +1 800 555 0100 is taken by ada@example.com"],"traceId":"7d1c2f1e-9b0a-4b4e-8f0e-0a1b2c3d4e5f"}`: `{"message":["phone (redacted) is taken by (redacted)"],"statusCode":400,"traceId":"7d1c2f1e-9b0a-4b4e-8f0e-0a1b2c3d4e5f"}`,
		`{"access_token":"eyJhbGciOiJIUzI1NiJ9.e30.x","refresh_token":"abc","expires_in":86399}`:                                              `{"access_token":"(26 characters)","expires_in":"(number)","refresh_token":"(3 characters)"}`,
		`{"ada@example.com":1,"dueDate":"2026-05-01T12:00:00Z"}`:                                                                              `{"(name of 15 characters)":"(number)","dueDate":"2026-05-01T12:00:00Z"}`,
		`{"error":"Bearer pit-12345 is wrong"}`:                                                                                               `{"error":"(redacted) is wrong"}`,
		`grant_type=refresh_token&refresh_token=secret`:                                                                                       `(45 bytes, no JSON)`,
		`{"a":1} {"b":2}`:     `(15 bytes, no JSON)`,
		`<html>ada</html>`:    `(16 bytes, no JSON)`,
		`"ada@example.com"`:   `"(15 characters)"`,
		`{"id":"ada@x.org"}`:  `{"id":"(redacted)"}`,
		`[1,"two",true,null]`: `["(number)","(3 characters)",true,null]`,
	} {
		require.Equal(t, want, redact.JSON([]byte(body)), body)
	}
	long := redact.JSON([]byte(`{"message":["` + strings.Repeat(`é `, 900) + `","` + strings.Repeat(`é `,
		9000) + `"],"x":[` + strings.Repeat(`"v",`, 9000) + `1]}`))
	require.LessOrEqual(t, len(long), 8<<10)
	require.True(t, utf8.ValidString(long))
}

// FuzzJSON: a redacted body shows only the length of a value, at any place in the body.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"email":"ada@example.com","id":"x"}`), "secretvalue")
	f.Add([]byte(`{"a":["Ada"],"b":{"c":"Ada"}}`), "eyJhbGciOi.secret")
	f.Add([]byte("\xff{"), "\xff\x00")
	f.Fuzz(func(t *testing.T, body []byte, value string) {
		got := redact.JSON(body)
		require.LessOrEqual(t, len(got), 8<<10)
		require.True(t, utf8.ValidString(got))
		require.NotContains(t, got, "\x00")
		hidden := func(value string) string {
			body, err := json.Marshal(map[string]any{"email": value, "tags": []string{value},
				"customField": map[string]any{"value": []any{value}}})
			require.NoError(t, err)
			return redact.JSON(body)
		}
		require.Equal(t, hidden(strings.Repeat("x", utf8.RuneCountInString(value))), hidden(value))
	})
}

// TestServers: the address of a server that does not answer is not redacted.
func TestServers(t *testing.T) {
	text := "ada@example.com: dial tcp 127.0.0.1:5499: connect: connection refused, then dial tcp 10.0.0.12:443: 415.555.0100"
	require.Equal(t,
		"(redacted) dial tcp 127.0.0.1:5499: connect: connection refused, then dial tcp 10.0.0.12:443: (redacted)",
		redact.Text(text))
}
