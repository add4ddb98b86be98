package deepprint_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/internal/deepprint"
)

type quiet struct {
	text  string
	self  *quiet
	more  map[string]any
	data  []byte
	apart func() string
}

func (*quiet) Format(f fmt.State, _ rune) { fmt.Fprint(f, "quiet") }

func TestText(t *testing.T) {
	value := &quiet{text: "in a field", more: map[string]any{"in a key": []any{"in a list", 42}}, data: []byte("bytes"),
		apart: func() string { return "in a function" }}
	value.self = value
	value.more["itself"] = value.more
	text := deepprint.Text(struct{ value any }{value})
	for _, part := range []string{"in a field", "in a key", "in a list", "42", "bytes", "6279746573"} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "in a function")
	require.Empty(t, deepprint.Text(nil))
}
