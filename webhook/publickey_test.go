package webhook

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePublicKeyForms(t *testing.T) {
	want, err := vendorKey()
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(want)
	require.NoError(t, err)
	spki := base64.StdEncoding.EncodeToString(der)
	require.Contains(t, vendorKeyPEM, spki)
	for name, text := range map[string]string{
		"PEM":                          vendorKeyPEM,
		"PEM with text around it":      "HighLevel's key:\n" + vendorKeyPEM + "\n",
		"PEM with CRLF":                strings.ReplaceAll(vendorKeyPEM, "\n", "\r\n"),
		"PEM with written line breaks": strings.ReplaceAll(vendorKeyPEM, "\n", `\n`),
		"PEM in one line":              strings.ReplaceAll(vendorKeyPEM, "\n", " "),
		"PEM without line breaks":      strings.ReplaceAll(vendorKeyPEM, "\n", ""),
		"PEM, indented":                strings.ReplaceAll(vendorKeyPEM, "\n", "\n\t  "),
		"PEM in quotes":                `"` + vendorKeyPEM + `"`,
		"base64 of the SPKI":           spki,
		"with white space":             " \n" + spki[:20] + "\r\n" + spki[20:] + "\n",
		"base64 of the key":            base64.StdEncoding.EncodeToString(want),
		"without padding":              base64.RawStdEncoding.EncodeToString(want),
		"URL-safe":                     base64.URLEncoding.EncodeToString(want),
		"URL-safe, without padding":    base64.RawURLEncoding.EncodeToString(der),
		"hex of the key":               hex.EncodeToString(want),
		"upper-case hex":               strings.ToUpper(hex.EncodeToString(want)),
		"hex of the SPKI":              hex.EncodeToString(der),
		"hex with 0x and white space":  "0x" + hex.EncodeToString(want) + "\n",
	} {
		got, err := ParsePublicKey(text)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

// TestParsePublicKeyOfManyKeys shows that no key is read as another encoding.
func TestParsePublicKeyOfManyKeys(t *testing.T) {
	for i := range 256 {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i)
		key := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		for _, text := range []string{base64.StdEncoding.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key),
			hex.EncodeToString(key)} {
			got, err := ParsePublicKey(text)
			require.NoError(t, err)
			require.Equal(t, key, got)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	legacy, err := vendorLegacyKey()
	require.NoError(t, err)
	rsaDER, err := x509.MarshalPKIXPublicKey(legacy)
	require.NoError(t, err)
	key, err := vendorKey()
	require.NoError(t, err)
	for name, text := range map[string]string{
		"nothing":               "",
		"white space":           " \n",
		"padding":               "====",
		"31 bytes":              hex.EncodeToString(key[:31]),
		"33 bytes":              base64.StdEncoding.EncodeToString(append(key[:32:32], 1)),
		"an RSA key in base64":  base64.StdEncoding.EncodeToString(rsaDER),
		"an odd number of hex":  hex.EncodeToString(key)[:63],
		"another alphabet":      "???",
		"a secret":              "whsec_abc",
		"PEM without a block":   "-----BEGIN PUBLIC KEY-----",
		"PEM without its end":   vendorKeyPEM[:100],
		"PEM of no base64":      strings.ReplaceAll(vendorKeyPEM, "i2HR", "i*HR"),
		"PEM of an empty block": "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
		"PEM of a private key":  strings.ReplaceAll(vendorKeyPEM, "PUBLIC", "PRIVATE"),
		"PEM of an RSA key":     vendorLegacyKeyPEM,
		"two keys":              hex.EncodeToString(key) + hex.EncodeToString(key),
		"the name of a PEM":     "PUBLIC KEY",
		"a private key's bytes": base64.StdEncoding.EncodeToString(make([]byte, ed25519.PrivateKeySize)),
	} {
		got, err := ParsePublicKey(text)
		require.Error(t, err, name)
		require.Nil(t, got, name)
	}
}

// TestParsePublicKeyNamesItsForm: text that happens to be base64 or hex, but is not a key, is described by its size.
func TestParsePublicKeyNamesItsForm(t *testing.T) {
	for text, size := range map[string]string{
		"nonsense":               "6 bytes",
		"abcd":                   "2 bytes", // hex
		strings.Repeat("ab", 31): "31 bytes",
		strings.Repeat("ab", 33): "33 bytes",
		strings.Repeat("z", 344): "258 bytes", // the size of another kind of key
	} {
		_, err := ParsePublicKey(text)
		require.ErrorContains(t, err, "webhook: the key's "+size+" are not a public key (SPKI in DER)", text)
	}
}
