package oauth_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/oauth"
)

func ring(t testing.TB, keys ...[]byte) *oauth.KeyRing {
	t.Helper()
	r, err := oauth.NewKeyRing(keys...)
	require.NoError(t, err)
	return r
}

func TestSealAndOpen(t *testing.T) {
	token := someToken(1)
	for name, r := range map[string]*oauth.KeyRing{"plain": ring(t), "encrypted": ring(t, storeKey(1))} {
		sealed, err := r.Seal("k", token)
		require.NoError(t, err, name)
		got, err := r.Open("k", sealed)
		require.NoError(t, err, name)
		require.Equal(t, token, got, name)
		_, err = r.Seal("k", &ghl.Token{})
		require.ErrorIs(t, err, ghl.ErrBadInput, name)
		for n := range len(sealed) {
			_, err := r.Open("k", sealed[:n])
			require.Error(t, err, "%s, cut at %d", name, n)
			require.NotContains(t, err.Error(), "secret-")
		}
	}
	sealed, err := ring(t, storeKey(1)).Seal("k", token)
	require.NoError(t, err)
	_, err = ring(t, storeKey(1)).Open("other", sealed)
	require.ErrorContains(t, err, "for another key of the store")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		require.Equal(t, "oauth.KeyRing(redacted)", fmt.Sprintf(verb, ring(t, storeKey(1))))
		require.Equal(t, "oauth.KeyRing(redacted)", fmt.Sprintf(verb, *ring(t, storeKey(1))))
	}
}

// TestOlderForms: tokens that stores on databases have written before still open.
func TestOlderForms(t *testing.T) {
	token := someToken(1)
	plain, err := oauth.EncodeToken(token)
	require.NoError(t, err)
	block, err := aes.NewCipher(storeKey(1))
	require.NoError(t, err)
	aead, err := cipher.NewGCMWithRandomNonce(block)
	require.NoError(t, err)
	encrypted := aead.Seal([]byte("aes256gcm\n"), nil, plain, []byte("k"))

	got, err := ring(t).Open("k", plain)
	require.NoError(t, err)
	require.Equal(t, token, got)
	_, err = ring(t, storeKey(1)).Open("k", plain)
	require.ErrorContains(t, err, "is not encrypted")

	for _, r := range []*oauth.KeyRing{ring(t, storeKey(1)), ring(t, storeKey(2), storeKey(1))} {
		got, err = r.Open("k", encrypted)
		require.NoError(t, err)
		require.Equal(t, token, got)
		_, err = r.Open("other", encrypted)
		require.ErrorContains(t, err, "another key")
		_, err = r.Open("k", bytes.Replace(encrypted, []byte("\n"), []byte("\n\x00"), 1))
		require.ErrorContains(t, err, "was changed")
	}
	for _, r := range []*oauth.KeyRing{ring(t), ring(t, storeKey(2))} {
		_, err = r.Open("k", encrypted)
		require.ErrorContains(t, err, "another key")
	}
}
