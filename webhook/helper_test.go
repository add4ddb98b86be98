package webhook

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// testKey signs the deliveries of the tests.
var testKey = keyOf("tests")

func keyOf(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte(seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func signature(key ed25519.PrivateKey, body []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(key, body))
}

func signed(body []byte) http.Header {
	return http.Header{"X-Ghl-Signature": {signature(testKey, body)}}
}

func nothing(context.Context, Event) error { return nil }
