package webhook

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var legacyKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func legacySignature(body []byte) string {
	sum := sha256.Sum256(body)
	signature, err := rsa.SignPKCS1v15(nil, legacyKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func verifier(t testing.TB, opts ...VerifierOption) *Verifier {
	v, err := NewVerifier(append([]VerifierOption{WithOnlyKeys(public(testKey))}, opts...)...)
	require.NoError(t, err)
	return v
}

func TestVendorKeysAreBuiltIn(t *testing.T) {
	v, err := NewVerifier()
	require.NoError(t, err)
	require.Len(t, v.keys, 1)
	require.Equal(t, "i2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=", base64.StdEncoding.EncodeToString(v.keys[0]))
	require.Empty(t, v.legacy, "only if asked for")

	v, err = NewVerifier(WithLegacyRSA())
	require.NoError(t, err)
	require.Len(t, v.legacy, 1)
	require.Equal(t, 4096, v.legacy[0].N.BitLen())
}

func TestVerifyAcceptsWhatTheKeySigned(t *testing.T) {
	for _, body := range []string{"x", `{"type":"ContactCreate"}`, " {\n}", "\x00\xff", strings.Repeat("y", 1<<20)} {
		require.NoError(t, verifier(t).Verify([]byte(body), signed([]byte(body))))
	}
	body := []byte("{}")
	for _, name := range []string{"X-GHL-Signature", "x-ghl-signature", "X-Ghl-Signature"} {
		require.NoError(t, verifier(t).Verify(body, http.Header{name: {" " + signature(testKey, body) + " "}}), name)
	}
}

func TestVerifyRefuses(t *testing.T) {
	body := []byte(`{"type":"ContactCreate","id":"abc"}`)
	good := signature(testKey, body)
	header := func(values ...string) http.Header { return http.Header{"X-Ghl-Signature": values} }
	raw, err := base64.StdEncoding.DecodeString(good)
	require.NoError(t, err)
	for _, test := range []struct {
		name   string
		body   []byte
		header http.Header
		want   error
	}{
		{"nil header", body, nil, ErrNoSignature},
		{"no header", body, http.Header{"Content-Type": {"application/json"}}, ErrNoSignature},
		{"header without a value", body, header(), ErrNoSignature},
		{"N/A", body, header("N/A"), ErrNoSignature},
		{"n/a", body, header("n/a"), ErrNoSignature},
		{"empty value", body, header(""), ErrInvalidSignature},
		{"empty body", nil, signed(nil), ErrInvalidSignature},
		{"no base64", body, header(strings.Repeat("?", 88)), ErrInvalidSignature},
		{"hex", body, header(hex.EncodeToString(raw)), ErrInvalidSignature},
		{"URL base64", body, header(strings.NewReplacer("+", "-", "/", "_").Replace(signature(testKey, []byte("needs / or +")))), ErrInvalidSignature},
		{"without padding", body, header(strings.TrimRight(good, "=")), ErrInvalidSignature},
		{"other trailing bits", body, header(good[:85] + string(good[85]+1) + "=="), ErrInvalidSignature},
		{"cut", body, header(good[:84]), ErrInvalidSignature},
		{"line break within", body, header(good[:40] + "\n" + good[40:]), ErrInvalidSignature},
		{"line break instead", body, header(good[:40] + "\r\n" + good[42:]), ErrInvalidSignature},
		{"longer", body, header(base64.StdEncoding.EncodeToString(append(raw, 0))), ErrInvalidSignature},
		{"twice the same", body, header(good, good), ErrInvalidSignature},
		{"twice, one N/A", body, header("N/A", good), ErrInvalidSignature},
		{"twice in another case", body, http.Header{"X-Ghl-Signature": {good}, "x-ghl-signature": {good}}, ErrInvalidSignature},
		{"both in one value", body, header(good + ", " + good), ErrInvalidSignature},
		{"other key", body, header(signature(keyOf("other"), body)), ErrInvalidSignature},
		{"zeros", body, header(base64.StdEncoding.EncodeToString(make([]byte, 64))), ErrInvalidSignature},
		{"signature of another body", body, signed([]byte(`{"type":"ContactCreate","id":"abd"}`)), ErrInvalidSignature},
		{"swapped header", body, http.Header{"X-Wh-Signature": {good}}, ErrNoSignature},
		{"legacy, which was not asked for", body, http.Header{"X-Wh-Signature": {legacySignature(body)}}, ErrNoSignature},
		{"legacy in the newer header", body, header(legacySignature(body)), ErrInvalidSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := verifier(t).Verify(test.body, test.header)
			require.ErrorIs(t, err, test.want)
			require.NotContains(t, err.Error(), good)
			_, err = verifier(t).Open(test.body, test.header)
			require.ErrorIs(t, err, test.want)
		})
	}
}

func TestOneChangedByteIsRefused(t *testing.T) {
	body := contactOf1KB("9c1d7a52-3a0e-4a58-8f43-000000000000")[:200]
	header, v := signed(body), verifier(t)
	require.NoError(t, v.Verify(body, header))
	for i := range body {
		changed := bytes.Clone(body)
		changed[i] ^= 1 << (i % 8)
		require.ErrorIs(t, v.Verify(changed, header), ErrInvalidSignature)
	}
	for _, changed := range [][]byte{body[:len(body)-1], body[1:], append(bytes.Clone(body), '\n'),
		append([]byte{' '}, body...)} {
		require.ErrorIs(t, v.Verify(changed, header), ErrInvalidSignature)
	}
	text := header.Get(SignatureHeader)
	for i := range 86 {
		for _, c := range []byte("A9+") {
			changed := text[:i] + string(c) + text[i+1:]
			if changed != text {
				require.ErrorIs(t, v.Verify(body, http.Header{"X-Ghl-Signature": {changed}}),
					ErrInvalidSignature, "%d", i)
			}
		}
	}
}

func TestReencodedJSONIsRefused(t *testing.T) {
	body := []byte(`{"type": "ContactCreate", "id": "a<b", "n": 1.0}`)
	var v any
	require.NoError(t, json.Unmarshal(body, &v))
	again, err := json.Marshal(v)
	require.NoError(t, err)
	require.JSONEq(t, string(body), string(again))
	require.ErrorIs(t, verifier(t).Verify(again, signed(body)), ErrInvalidSignature)
}

func TestRotation(t *testing.T) {
	body, next := []byte("{}"), keyOf("next")
	newer := http.Header{"X-Ghl-Signature": {signature(next, body)}}
	require.ErrorIs(t, verifier(t).Verify(body, newer), ErrInvalidSignature)
	both := verifier(t, WithKeys(public(next)))
	require.NoError(t, both.Verify(body, newer))
	require.NoError(t, both.Verify(body, signed(body)))
	only := verifier(t, WithOnlyKeys(public(next)))
	require.NoError(t, only.Verify(body, newer))
	require.ErrorIs(t, only.Verify(body, signed(body)), ErrInvalidSignature)

	v, err := NewVerifier(WithKeys(public(next)))
	require.NoError(t, err)
	require.Len(t, v.keys, 2, "the vendor's key stays")
	require.NoError(t, v.Verify(body, newer))
}

func TestLegacyHeader(t *testing.T) {
	body := []byte(`{"type":"INSTALL"}`)
	current, legacy := signature(testKey, body), legacySignature(body)
	v := verifier(t, WithLegacyRSA(&legacyKey().PublicKey))
	for _, test := range []struct {
		name, current, legacy string
		want                  error
	}{
		{"legacy alone", "", legacy, nil},
		{"newer not available", "N/A", legacy, nil},
		{"both", current, legacy, nil},
		{"newer good, legacy forged", current, legacySignature([]byte("other")), nil},
		{"newer forged, legacy good", signature(keyOf("other"), body), legacy, ErrInvalidSignature},
		{"newer no base64, legacy good", "?", legacy, ErrInvalidSignature},
		{"swapped", legacy, current, ErrInvalidSignature},
		{"newer in the legacy header", "", current, ErrInvalidSignature},
		{"legacy of another body", "", legacySignature([]byte("other")), ErrInvalidSignature},
		{"legacy no base64", "", "?", ErrInvalidSignature},
		{"legacy without end", "", strings.Repeat("A", 1<<20), ErrInvalidSignature},
		{"neither available", "N/A", "N/A", ErrNoSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{"X-Wh-Signature": {test.legacy}}
			if test.current != "" {
				header.Set(SignatureHeader, test.current)
			}
			require.ErrorIs(t, v.Verify(body, header), test.want)
		})
	}
	twice := http.Header{"X-Wh-Signature": {legacy, legacy}}
	require.ErrorIs(t, v.Verify(body, twice), ErrInvalidSignature)
	empty := http.Header{"X-Wh-Signature": {legacy}, "X-Ghl-Signature": {""}}
	require.ErrorIs(t, v.Verify(body, empty), ErrInvalidSignature, "an empty newer header decides too")

	d, err := v.Open(body, http.Header{"X-Ghl-Signature": {"N/A"}, "X-Wh-Signature": {legacy}})
	require.NoError(t, err)
	require.Equal(t, http.Header{"X-Wh-Signature": {legacy}}, d.Header())
}

func TestWrongKeysAreRefused(t *testing.T) {
	small := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1000), E: 65537}
	for name, opt := range map[string]VerifierOption{
		"no key":          WithKeys(),
		"only no key":     WithOnlyKeys(),
		"nil key":         WithKeys(nil),
		"short key":       WithOnlyKeys(public(testKey)[:31]),
		"zero key":        WithOnlyKeys(make(ed25519.PublicKey, 32)),
		"nil RSA key":     WithLegacyRSA(nil),
		"empty RSA key":   WithLegacyRSA(&rsa.PublicKey{}),
		"short RSA key":   WithLegacyRSA(small),
		"second is wrong": WithKeys(public(testKey), nil),
	} {
		v, err := NewVerifier(opt)
		require.Error(t, err, name)
		require.Nil(t, v, name)
	}
	var none *Verifier
	for _, v := range []*Verifier{none, {}} {
		require.ErrorIs(t, v.Verify([]byte("{}"), signed([]byte("{}"))), ErrNoKey)
		_, err := NewHandler(v, OnAny(nothing))
		require.ErrorIs(t, err, ErrNoKey)
	}
	for _, text := range []string{"", "rubbish", vendorLegacyKeyPEM,
		strings.Replace(vendorKeyPEM, "PUBLIC", "PRIVATE", 2),
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		_, err := ParsePublicKey(text)
		require.Error(t, err)
	}
}

// A key of small order fits signatures that nobody made: the test makes one for each.
func TestKeysOfSmallOrderAreRefused(t *testing.T) {
	for _, text := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			key, err := hex.DecodeString(text)
			require.NoError(t, err)
			key[31] |= sign
			_, err = NewVerifier(WithOnlyKeys(key))
			require.ErrorContains(t, err, "anybody can make signatures")
		}
	}
	key, err := hex.DecodeString(smallOrder[0])
	require.NoError(t, err)
	signature := make([]byte, 64)
	signature[0] = 1 // the neutral point, and 0
	accepted := 0
	for i := range 100 {
		if ed25519.Verify(key, fmt.Append(nil, i), signature) {
			accepted++
		}
	}
	require.Positive(t, accepted, "why it is refused")
}

func TestKeysAreCopied(t *testing.T) {
	body, key := []byte("{}"), bytes.Clone(public(testKey))
	v, err := NewVerifier(WithOnlyKeys(key))
	require.NoError(t, err)
	clear(key)
	require.NoError(t, v.Verify(body, signed(body)))
}

// FuzzVerify holds that nothing is accepted but the one body and the one signature that the keys have made.
func FuzzVerify(f *testing.F) {
	body := []byte(`{"type":"ContactCreate","id":"abc"}`)
	current, legacy := signature(testKey, body), legacySignature(body)
	f.Add(body, current, "N/A")
	f.Add(body, "N/A", legacy)
	f.Add(body, legacy, current)
	f.Add([]byte("{}"), current, legacy)
	f.Add(body, "", "")
	v := verifier(f, WithLegacyRSA(&legacyKey().PublicKey))
	f.Fuzz(func(t *testing.T, data []byte, a, b string) {
		header := http.Header{"X-Ghl-Signature": {a}, "X-Wh-Signature": {b}}
		err := v.Verify(data, header)
		a, b = strings.TrimSpace(a), strings.TrimSpace(b)
		right := bytes.Equal(data, body) && (a == current || strings.EqualFold(a, "N/A") && sameBase64(b, legacy))
		require.Equal(t, right, err == nil)
		if len(data) > 0 && a != current { // whatever it is, the key's own signature of it is accepted
			require.NoError(t, v.Verify(data, signed(data)))
		}
	})
}

// sameBase64 compares what is decoded: line breaks in base64 are allowed.
func sameBase64(a, b string) bool {
	x, err := strictBase64.DecodeString(a)
	y, _ := strictBase64.DecodeString(b)
	return err == nil && bytes.Equal(x, y)
}
