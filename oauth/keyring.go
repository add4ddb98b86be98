package oauth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/pluvo/ghl"
)

// The stored form of a token is a header line, and then the output of [EncodeToken], plain or encrypted:
//
//	ghl-token/1 plain
//	ghl-token/1 aes-256-gcm 0123456789abcdef
//
// The number is the id of the key. The header and the token's key in the store are authenticated with the encrypted
// token: a stored form that was changed or moved to another key does not open.
//
// Stores on databases have also written two older forms, which are read but not written: the output of EncodeToken
// without a header, and "aes256gcm" as the header, of which only the token's key is authenticated.
const (
	formatPrefix     = "ghl-token/"
	plainHeader      = formatPrefix + "1 plain"
	encryptedHeader  = formatPrefix + "1 aes-256-gcm "
	oldEncryptedMark = "aes256gcm"
)

// KeyRing turns tokens into bytes for a [Store] and back. With keys it encrypts them with AES-256-GCM: the first
// key encrypts, all keys decrypt. To replace a key, put the new one first and leave the old one in the ring until
// each token was saved again. Without keys the bytes are not encrypted. A KeyRing is safe for concurrent use and
// prints without its keys.
type KeyRing struct {
	keys      []ringKey
	readPlain bool // also open bytes that are not encrypted
}

type ringKey struct {
	id   string             // identifies the key without revealing anything of it
	aead func() cipher.AEAD // a function, which reflection prints as an address
}

// NewKeyRing returns a ring of keys. A key has 32 random bytes: it comes from crypto/rand and is not a password.
// The error is of category [ghl.ErrBadInput].
func NewKeyRing(keys ...[]byte) (*KeyRing, error) {
	r := new(KeyRing)
	for _, key := range keys {
		if len(key) != 32 {
			return nil, badInput("keys", "a key that encrypts tokens has 32 bytes, and one of these has %d", len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, badInput("keys", "a key that encrypts tokens cannot be used")
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, badInput("keys", "a key that encrypts tokens cannot be used")
		}
		r.keys = append(r.keys, ringKey{keyID(key), sealed(aead)})
	}
	return r, nil
}

func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("github.com/pluvo/ghl token key id\x00"), key...))
	return hex.EncodeToString(sum[:8])
}

// Format prints the type alone for every verb.
func (r KeyRing) Format(f fmt.State, _ rune) { fmt.Fprint(f, "oauth.KeyRing(redacted)") }

// Seal returns the bytes to store for a token under its key in the store. [KeyRing.Open] opens them under that key
// only.
func (r *KeyRing) Seal(key string, t *ghl.Token) ([]byte, error) {
	data, err := EncodeToken(t)
	if err != nil {
		return nil, err
	}
	if len(r.keys) == 0 {
		return append([]byte(plainHeader+"\n"), data...), nil
	}
	k := r.keys[0]
	header := encryptedHeader + k.id
	return k.aead().Seal([]byte(header+"\n"), nil, data, authenticated(header, key)), nil
}

// authenticated returns what is authenticated with an encrypted token.
func authenticated(header, key string) []byte { return []byte(header + "\n" + key) }

// Open returns the token of stored bytes. key is the token's key in the store. A ring with keys refuses bytes that
// are not encrypted. The error never quotes the bytes.
func (r *KeyRing) Open(key string, stored []byte) (*ghl.Token, error) {
	if bytes.HasPrefix(stored, []byte("{")) { // without a header
		return r.openPlain(stored)
	}
	first, data, ok := bytes.Cut(stored, []byte("\n"))
	header := string(first)
	switch {
	case !ok || header != oldEncryptedMark && !strings.HasPrefix(header, formatPrefix):
		return nil, errors.New("the token is incomplete or is not a token")
	case header == plainHeader:
		return r.openPlain(data)
	case header == oldEncryptedMark:
		return r.decrypt("", data, []byte(key))
	case strings.HasPrefix(header, encryptedHeader):
		return r.decrypt(strings.TrimPrefix(header, encryptedHeader), data, authenticated(header, key))
	}
	return nil, errors.New("the token is of a format that this version does not know")
}

func (r *KeyRing) openPlain(data []byte) (*ghl.Token, error) {
	if len(r.keys) > 0 && !r.readPlain {
		return nil, errors.New("the token is not encrypted, but this store is (see oauth.ReadPlain)")
	}
	t, err := DecodeToken(data)
	if err != nil {
		return nil, errors.New("the token is incomplete or damaged")
	}
	return t, nil
}

// decrypt tries the keys with an id, or every key when id is "".
func (r *KeyRing) decrypt(id string, data, authenticated []byte) (*ghl.Token, error) {
	tried := false
	for _, k := range r.keys {
		if id != "" && k.id != id {
			continue
		}
		tried = true
		plain, err := k.aead().Open(nil, nil, data, authenticated)
		if err != nil {
			continue
		}
		t, err := DecodeToken(plain)
		if err != nil {
			return nil, errors.New("the token has a content that this version does not know")
		}
		return t, nil
	}
	switch {
	case tried:
		return nil, errors.New("the token is incomplete, was changed, " +
			"or was encrypted with another key or for another key of the store")
	case len(r.keys) == 0:
		return nil, fmt.Errorf("the token is encrypted, and this store has no key: another key%s is needed", withID(id))
	}
	return nil, fmt.Errorf("the token is encrypted with another key: the key%s is needed", withID(id))
}

func withID(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf(" with the id %.40q", id)
}
