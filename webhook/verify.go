package webhook

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
)

const (
	// SignatureHeader carries the base64 of the Ed25519 signature over the body.
	SignatureHeader = "X-GHL-Signature"
	// LegacySignatureHeader carries the base64 of an RSA signature over the body (PKCS #1 v1.5 with SHA-256). HighLevel
	// retired it on 2026-09-01. See [WithLegacyRSA].
	LegacySignatureHeader = "X-WH-Signature"
)

// The errors of [Verifier.Verify], for errors.Is. They do not contain expected values.
var (
	// ErrNoSignature means that no accepted header is present, or that its value is "N/A".
	ErrNoSignature = errors.New("webhook: the delivery is not signed")
	// ErrInvalidSignature means that the signature over the body is not valid for any key of the verifier, that the
	// header is malformed or present several times, or that the body is empty.
	ErrInvalidSignature = errors.New("webhook: the signature is not valid for this body")
	// ErrNoKey means that the verifier was not made by [NewVerifier].
	ErrNoKey = errors.New("webhook: the verifier has no key")
)

const vendorKeyPEM = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----
`

const vendorLegacyKeyPEM = `-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSC
Frm602qYV0MaAiNnX9O8KxMbiyRKWeL9JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6
dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB
csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpv
uxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4peKaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF
3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU
J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXp
IocmaiFeAO6fUtNjDeFVkhf5LNb59vECyrHD2SQIrhgXpO4Q3dVNA5rw576PwTzN
h/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC
HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJ
PQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXCsu9aTEGEnKzmsFqwcSsnw3JB31IGKAyk
T1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ==
-----END PUBLIC KEY-----
`

var (
	vendorKey       = sync.OnceValues(func() (ed25519.PublicKey, error) { return ParsePublicKey(vendorKeyPEM) })
	vendorLegacyKey = sync.OnceValues(func() (*rsa.PublicKey, error) {
		return parsePEM[*rsa.PublicKey](vendorLegacyKeyPEM)
	})
)

// ParsePublicKey reads an Ed25519 public key: PEM with a block "PUBLIC KEY", the form that HighLevel publishes,
// or the base64 or hex of that block's content (SPKI in DER) or of the key's 32 bytes. Base64 may be URL-safe and
// without padding. White space around the key and line breaks within base64 are ignored.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	if strings.Contains(text, "-----BEGIN") {
		return parsePEM[ed25519.PublicKey](text)
	}
	data, ok := decodeKey(strings.Join(strings.Fields(text), ""))
	switch {
	case !ok:
		return nil, errors.New(`webhook: the key is not PEM with a block "PUBLIC KEY", base64 or hex`)
	case len(data) == ed25519.PublicKeySize:
		return data, nil
	}
	return parseSPKI[ed25519.PublicKey](data)
}

// decodeKey decodes hex or base64. Text that could be either is hex: neither form of a key is hex in base64.
func decodeKey(text string) (data []byte, ok bool) {
	if data, err := hex.DecodeString(strings.TrimPrefix(text, "0x")); err == nil && len(data) > 0 {
		return data, true
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	return data, err == nil && len(data) > 0
}

const pemBegin, pemEnd = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"

// parsePEM reads a block also if its line breaks were lost or written as \n, as happens in environment variables.
func parsePEM[K any](text string) (K, error) {
	var none K
	_, text, begun := strings.Cut(text, pemBegin)
	text, _, ended := strings.Cut(text, pemEnd)
	text = strings.NewReplacer(`\n`, "", `\r`, "").Replace(text)
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if !begun || !ended || err != nil {
		return none, errors.New(`webhook: the key is not PEM with a block "PUBLIC KEY"`)
	}
	return parseSPKI[K](der)
}

func parseSPKI[K any](der []byte) (K, error) {
	var none K
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return none, fmt.Errorf("webhook: the key cannot be read: %w", err)
	}
	k, ok := key.(K)
	if !ok {
		return none, fmt.Errorf("webhook: the key is a %T, not a %T", key, none)
	}
	return k, nil
}

// Verifier checks the signatures of deliveries. It is immutable and safe for concurrent use.
type Verifier struct {
	keys   []ed25519.PublicKey
	legacy []*rsa.PublicKey // empty without WithLegacyRSA
}

// VerifierOption configures a [Verifier].
type VerifierOption func(*Verifier) error

// NewVerifier returns a verifier with HighLevel's published Ed25519 key. It returns the error of the first invalid
// option.
func NewVerifier(opts ...VerifierOption) (*Verifier, error) {
	vendor, err := vendorKey()
	if err != nil {
		return nil, err
	}
	v := &Verifier{keys: []ed25519.PublicKey{vendor}}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// WithKeys adds keys, such as HighLevel's next key during a rotation.
func WithKeys(keys ...ed25519.PublicKey) VerifierOption {
	return func(v *Verifier) error {
		checked, err := checkKeys("WithKeys", keys)
		v.keys = append(v.keys, checked...)
		return err
	}
}

// WithOnlyKeys replaces all keys, including HighLevel's published key: for tests that sign deliveries with their own
// key or with that of a ghltest server, or to end a rotation before this package does.
func WithOnlyKeys(keys ...ed25519.PublicKey) VerifierOption {
	return func(v *Verifier) error {
		checked, err := checkKeys("WithOnlyKeys", keys)
		v.keys = checked
		return err
	}
}

// WithLegacyRSA also accepts a delivery that has only the retired [LegacySignatureHeader]. Without arguments it uses
// HighLevel's published key, otherwise only the given keys. If [SignatureHeader] is present, only that header is
// checked.
func WithLegacyRSA(keys ...*rsa.PublicKey) VerifierOption {
	return func(v *Verifier) error {
		if len(keys) == 0 {
			key, err := vendorLegacyKey()
			v.legacy = []*rsa.PublicKey{key}
			return err
		}
		v.legacy = nil
		for _, key := range keys {
			if key == nil || key.N == nil || key.N.BitLen() < 2048 {
				return errors.New("webhook: WithLegacyRSA: a key is nil or has less than 2,048 bits")
			}
			v.legacy = append(v.legacy, &rsa.PublicKey{N: new(big.Int).Set(key.N), E: key.E})
		}
		return nil
	}
}

func checkKeys(option string, keys []ed25519.PublicKey) ([]ed25519.PublicKey, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("webhook: %s: a key is required", option)
	}
	checked := make([]ed25519.PublicKey, len(keys))
	for i, key := range keys {
		if len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("webhook: %s: a key has %d bytes instead of %d", option, len(key),
				ed25519.PublicKeySize)
		}
		if hasSmallOrder(key) {
			return nil, fmt.Errorf("webhook: %s: a key has a small order: anybody can make signatures for it", option)
		}
		checked[i] = slices.Clone(key)
	}
	return checked, nil
}

// smallOrder are the encodings, without the sign bit, of the points of small order, for which one signature is valid
// for many messages. The key of 32 zero bytes, a likely result of a missing setting, is one of them.
var smallOrder = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func hasSmallOrder(key ed25519.PublicKey) bool {
	unsigned := slices.Clone(key)
	unsigned[len(unsigned)-1] &= 0x7f
	return slices.Contains(smallOrder[:], hex.EncodeToString(unsigned))
}

// Verify returns nil if HighLevel signed exactly these bytes. body must be the body as received, not JSON that was
// decoded and encoded again. The error is [ErrNoSignature], [ErrInvalidSignature] or [ErrNoKey].
//
// If [SignatureHeader] is present with a value other than "N/A", only that header is checked. A header that is present
// several times is refused. Header names are not case-sensitive.
func (v *Verifier) Verify(body []byte, header http.Header) error {
	_, err := v.verify(body, header)
	return err
}

func (v *Verifier) verify(body []byte, header http.Header) (headerSignature, error) {
	signed, err := v.signature(header)
	if err == nil || len(body) == 0 && err != ErrNoKey {
		err = v.check(body, signed)
	}
	return signed, err
}

// headerSignature is the signature that decides about a delivery.
type headerSignature struct {
	name   string // of its header
	text   string // the value of the header
	modern [ed25519.SignatureSize]byte
	legacy []byte // the bytes of LegacySignatureHeader
}

// signature reads the signature of a delivery from its header, before the body is read. It returns an error if no body
// can be valid with that header: no accepted header is present, or its value has the wrong form or length.
func (v *Verifier) signature(header http.Header) (s headerSignature, err error) {
	if v == nil || len(v.keys) == 0 {
		return s, ErrNoKey
	}
	s.name = SignatureHeader
	text, found, err := signatureIn(header, SignatureHeader)
	if err == nil && !found && len(v.legacy) > 0 {
		s.name = LegacySignatureHeader
		text, found, err = signatureIn(header, LegacySignatureHeader)
	}
	switch {
	case err != nil:
		return s, err
	case !found:
		return s, ErrNoSignature
	}
	s.text = text
	if s.name == SignatureHeader {
		err = s.parse(text)
	} else {
		err = s.parseLegacy(text, v.legacy)
	}
	return s, err
}

func (s *headerSignature) parse(text string) error {
	if len(text) != base64.StdEncoding.EncodedLen(len(s.modern)) {
		return ErrInvalidSignature
	}
	var raw [ed25519.SignatureSize + 2]byte // DecodedLen counts padding
	n, err := strictBase64.Decode(raw[:], []byte(text))
	if err != nil || n != len(s.modern) {
		return ErrInvalidSignature
	}
	copy(s.modern[:], raw[:n])
	return nil
}

func (s *headerSignature) parseLegacy(text string, keys []*rsa.PublicKey) (err error) {
	if len(text) > 4096 { // much longer than any signature
		return ErrInvalidSignature
	}
	s.legacy, err = strictBase64.DecodeString(text)
	fits := func(key *rsa.PublicKey) bool { return len(s.legacy) == key.Size() }
	if err != nil || !slices.ContainsFunc(keys, fits) {
		return ErrInvalidSignature
	}
	return nil
}

// signatureIn returns the value of a header; found is false if it is missing or "N/A".
func signatureIn(header http.Header, name string) (value string, found bool, err error) {
	n := 0
	for key, values := range header {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			if n += len(values); n > 1 {
				return "", false, ErrInvalidSignature
			}
			if len(values) == 1 {
				value = strings.TrimSpace(values[0])
			}
		}
	}
	return value, n == 1 && !strings.EqualFold(value, "N/A"), nil
}

// check returns nil if the signature is valid for the body.
func (v *Verifier) check(body []byte, s headerSignature) error {
	if len(body) == 0 {
		return ErrInvalidSignature
	}
	if s.name == SignatureHeader {
		for _, key := range v.keys {
			if ed25519.Verify(key, body, s.modern[:]) {
				return nil
			}
		}
		return ErrInvalidSignature
	}
	sum := sha256.Sum256(body)
	for _, key := range v.legacy {
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], s.legacy) == nil {
			return nil
		}
	}
	return ErrInvalidSignature
}

var strictBase64 = base64.StdEncoding.Strict()
