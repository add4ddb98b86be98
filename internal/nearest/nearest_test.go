package nearest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWord(t *testing.T) {
	known := []string{"database", "region", "owner", "owners", "id", "contact.firstName"}
	for word, want := range map[string]string{
		"databse": "database", "regoin": "region", "OWNER": "owner", "contact.firstNam": "contact.firstName", "idx": "id",
		"regino": "region", "onwer": "owner",
		"x": "", "": "", "frobnicate": "", "stages": "",
	} {
		require.Equal(t, want, Word(word, known), word)
	}
	require.Equal(t, "; did you mean region?", DidYouMean("regon", known))
	require.Empty(t, DidYouMean("frobnicate", known))
}
