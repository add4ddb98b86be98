package redact_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/internal/deepprint"
	"github.com/pluvo/ghl/internal/redact"
)

func TestHide(t *testing.T) {
	secrets := redact.Secrets{`s3cret/+"x`, "another-secret", "short", ""}
	for text, want := range map[string]string{
		`as it is: s3cret/+"x`:                           "as it is: [redacted]",
		`in a query: s3cret%2F%2B%22x`:                   "in a query: [redacted]",
		`in a path: s3cret%2F+%22x`:                      "in a path: [redacted]",
		`in JSON: s3cret/+\"x`:                           "in JSON: [redacted]",
		`pasted into JSON: s3cret/+`:                     "pasted into JSON: [redacted]",
		"another-secret another-secret":                  "[redacted] [redacted]",
		"a short word":                                   "a short word",
		`lower case: s3cret%2f+%22x`:                     "lower case: [redacted]",
		`twice: s3cret%252F%252b%2522x`:                  "twice: [redacted]",
		`all of it: %73%33%63%72%65%74%2f%2B%22%78`:      "all of it: [redacted]",
		`\u: \u0073\u0033cret\u002F\u002b\u0022x`:        `\u: [redacted]`,
		`PHP: s3cret\/+\"x`:                              "PHP: [redacted]",
		`JSON in JSON: s3cret\\\/+\\\"x`:                 "JSON in JSON: [redacted]",
		`HTML: s3cret/+&quot;x, s3cret&#47;&#43;&#x22;x`: "HTML: [redacted], [redacted]",
		"cut: another-se":                                "cut: [redacted]",
		"cut: another":                                   "cut: another",
		"another-secre":                                  "[redacted]",
		"%":                                              "%",
		`ends in \`:                                      `ends in \`,
	} {
		require.Equal(t, want, secrets.Hide(text))
	}
}

func TestHideIn(t *testing.T) {
	secrets := redact.Secrets{"another-secret"}
	require.NoError(t, secrets.HideIn(nil))
	require.Same(t, io.EOF, secrets.HideIn(io.EOF), "nothing to hide")
	err := secrets.HideIn(fmt.Errorf("lost another-secret: %w", io.EOF))
	require.EqualError(t, err, "lost [redacted]: EOF")
	require.ErrorIs(t, err, io.EOF)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		require.NotContains(t, fmt.Sprintf(verb, err), "another-secret")
	}
	require.NotNil(t, errors.Unwrap(err))
}

// TestHideOneInTheOther: a secret that starts with another one is replaced as a whole, in any order.
func TestHideOneInTheOther(t *testing.T) {
	for _, secrets := range []redact.Secrets{{"the-secret", "the-secret-and-more"},
		{"the-secret-and-more", "the-secret"}} {
		require.Equal(t, "[redacted], [redacted].", secrets.Hide("the-secret-and-more, the-secret."))
	}
}

func TestHideBackslashesAndOtherSigns(t *testing.T) {
	secrets := redact.Secrets{`a\\b%c&d\e-secret`, "schlüssel-geheim"}
	for _, text := range []string{
		`a\\b%c&d\e-secret`, `a\\\\b%c\u0026d\\e-secret`, `a%5C%5Cb%25c%26d%5Ce-secret`, `a\\b%c&amp;d\e-secret`,
		"schlüssel-geheim", "schl%C3%BCssel-geheim", `schl\u00FCssel-geheim`, "schl&#252;ssel-geheim", "schl&uuml;ssel-geheim",
	} {
		hidden := secrets.Hide("<" + text + ">")
		require.NotContains(t, hidden, "secret", text)
		require.NotContains(t, hidden, "geheim", text)
		require.Contains(t, hidden, redact.Placeholder)
	}
}

func TestHideTokens(t *testing.T) {
	for text, want := range map[string]string{
		`{"access_token":"a\"b","expires_in":1}`:         `{"access_token":"[redacted]","expires_in":1}`,
		`{"data":{"refreshToken" : "abc`:                 `{"data":{"refreshToken" : "[redacted]`,
		`{"accessToken":"a","refresh_token":"","x":"y"}`: `{"accessToken":"[redacted]","refresh_token":"[redacted]","x":"y"}`,
		`{"message":"the refresh_token is used"}`:        `{"message":"the refresh_token is used"}`,
	} {
		require.Equal(t, want, redact.HideTokens(text))
	}
}

// TestHideInEachWrappedError: no error of the chain prints the secret.
func TestHideInEachWrappedError(t *testing.T) {
	inner := &fs.PathError{Op: "open", Path: "another-secret", Err: io.EOF}
	err := redact.Secrets{"another-secret"}.HideIn(fmt.Errorf("a: %w", fmt.Errorf("b another-secret: %w", inner)))
	steps := 0
	for e := err; e != nil; e = errors.Unwrap(e) {
		require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q", e, e, e, e, e), "another-secret")
		steps++
	}
	require.Equal(t, 4, steps)
	require.NotContains(t, deepprint.Text(err), "another-secret", "reflection")
	var found *fs.PathError
	require.ErrorAs(t, err, &found)
	require.Same(t, inner, found)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, `"[redacted]: EOF"`,
		fmt.Sprintf("%q", redact.Secrets{"another-secret"}.HideIn(fmt.Errorf("another-secret: %w", io.EOF))))
}

// TestHideInHostileText: a text of escapes alone takes no quadratic time.
func TestHideInHostileText(t *testing.T) {
	for _, part := range []string{`\\`, "%25", "%", "25", "&", "&#", "a"} {
		text := strings.Repeat(part, 200_000) + "."
		require.True(t, text == redact.Secrets{`\a%25&b-secret`, "aaaaaaaab"}.Hide(text), part)
	}
}

func FuzzHide(f *testing.F) {
	for _, text := range []string{"", "%", "%2", `\\`, "&", "&#", "ü", "\xff", `\u00`, "%25%25"} {
		f.Add(text, "a-secret/"+text)
	}
	f.Fuzz(func(t *testing.T, before, secret string) {
		secrets := redact.Secrets{secret}
		if len(secret) < 8 {
			require.Equal(t, before, secrets.Hide(before))
			return
		}
		require.NotContains(t, strings.ReplaceAll(secrets.Hide(before+"\n"+secret+"\n"), redact.Placeholder,
			"\x00"), secret)
	})
}
