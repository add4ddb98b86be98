package check_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/internal/check"
)

func TestID(t *testing.T) {
	for _, id := range []string{"a", "ve9EPM428h8vShlRW1KT", "a-b_c.d", "..."} {
		require.Empty(t, check.ID(id), id)
	}
	for _, id := range []string{"", ".", "..", "a/b", "a?b", "a b", "%2e", "ä", "a\n"} {
		require.NotEmpty(t, check.ID(id), id)
	}
}

func TestBearer(t *testing.T) {
	for _, token := range []string{"pit-1234", "a.b-c_d~e+f/g=", `"\`} {
		require.Empty(t, check.Bearer(token), token)
	}
	for _, token := range []string{"", "secret x", "secret\n", " secret", "secretä", "secret\x7f"} {
		require.NotEmpty(t, check.Bearer(token))
		require.NotContains(t, check.Bearer(token), "secret")
	}
}
