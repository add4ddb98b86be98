package redact_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/internal/redact"
)

func TestClip(t *testing.T) {
	require.Equal(t, "short", redact.Clip("short", 5))
	require.Equal(t, "…", redact.Clip("short", 2), "a limit below the mark")
	require.Equal(t, "é…", redact.Clip("ééééé", 6), "not within a character")
	for n := 9; n < 13; n++ {
		got := redact.Clip(strings.Repeat("a", 9)+"éé", n)
		require.Equal(t, strings.Repeat("a", n-3)+"…", got)
		require.LessOrEqual(t, len(got), n)
	}
}
