package redact_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/internal/redact"
)

func TestHide(t *testing.T) {
	secrets := redact.Secrets{`s3cret/+"x`, "another-secret", "short", ""}
	for text, want := range map[string]string{
		`as it is: s3cret/+"x`:          "as it is: [redacted]",
		`in a query: s3cret%2F%2B%22x`:  "in a query: [redacted]",
		`in a path: s3cret%2F+%22x`:     "in a path: [redacted]",
		`in JSON: s3cret/+\"x`:          "in JSON: [redacted]",
		`pasted into JSON: s3cret/+`:    "pasted into JSON: [redacted]",
		"another-secret another-secret": "[redacted] [redacted]",
		"a short word":                  "a short word",
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
