package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSettingsPrintNoSecrets: the settings of the file hold passwords, keys and tokens.
func TestSettingsPrintNoSecrets(t *testing.T) {
	s, err := decode("ghlsync.yaml", []byte(`{database: "postgres://u:secret-password@host/db", token_keys: [secret-key],
		app: {client_secret: secret-client}, notify: {url: "https://chat/secret-hook"}, locations: [{id: loc1, token: secret-token}]}`), nil)
	require.NoError(t, err)
	require.Equal(t, "secret-token", s.Locations[0].Token)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		printed := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, *s) + fmt.Sprintf(verb, s.Locations)
		require.NotContains(t, printed, "secret-")
		require.NotContains(t, printed, fmt.Sprintf("%x", "secret-"))
	}
}
