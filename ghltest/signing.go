package ghltest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"sync"
)

const (
	signatureHeader       = "X-Ghl-Signature" // in the canonical form of http.Header
	legacySignatureHeader = "X-Wh-Signature"
)

// keys sign the deliveries of one server. Each key pair is generated on first use.
type keys struct {
	current, forger func() ed25519.PrivateKey
	legacy          func() *rsa.PrivateKey
}

func newKeys() *keys {
	pair := func() ed25519.PrivateKey { return must(makeEd25519()) }
	return &keys{
		current: sync.OnceValue(pair), forger: sync.OnceValue(pair),
		legacy: sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }),
	}
}

func makeEd25519() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

func (k *keys) sign(body []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.current(), body))
}

// forge signs with a key that is not published.
func (k *keys) forge(body []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.forger(), body))
}

// forgeLegacy signs another body.
func (k *keys) forgeLegacy(body []byte) string { return k.signLegacy(append([]byte("not "), body...)) }

func (k *keys) signLegacy(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(must(rsa.SignPKCS1v15(rand.Reader, k.legacy(), crypto.SHA256, sum[:])))
}

// WebhookPublicKey returns the key that verifies X-GHL-Signature. Each server has its own key pair.
func (s *Server) WebhookPublicKey() ed25519.PublicKey {
	return s.hooks.keys.current().Public().(ed25519.PublicKey)
}

// WebhookPublicKeyPEM returns [Server.WebhookPublicKey] as PEM, the form in which HighLevel publishes its key.
func (s *Server) WebhookPublicKeyPEM() string { return inPEM(s.WebhookPublicKey()) }

// LegacyWebhookPublicKey returns the RSA key that verifies X-WH-Signature. The first call generates the key of 2,048
// bits, which is slow.
func (s *Server) LegacyWebhookPublicKey() *rsa.PublicKey { return &s.hooks.keys.legacy().PublicKey }

// LegacyWebhookPublicKeyPEM returns [Server.LegacyWebhookPublicKey] as PEM, the form in which HighLevel publishes its
// key.
func (s *Server) LegacyWebhookPublicKeyPEM() string { return inPEM(s.LegacyWebhookPublicKey()) }

func inPEM(key any) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))}))
}

// Sign returns the headers of a delivery with this body: X-GHL-Signature over exactly these bytes, and Content-Type.
func (s *Server) Sign(body []byte) http.Header {
	return http.Header{"Content-Type": {"application/json"}, signatureHeader: {s.hooks.keys.sign(body)}}
}

// SignLegacy is [Server.Sign] with the retired X-WH-Signature in place of X-GHL-Signature.
func (s *Server) SignLegacy(body []byte) http.Header {
	return http.Header{"Content-Type": {"application/json"}, legacySignatureHeader: {s.hooks.keys.signLegacy(body)}}
}
