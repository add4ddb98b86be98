package ghl

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A token's file is one line that says how it is written, and then the token: as [EncodeToken] gives it, or encrypted.
//
//	ghl-token/1 plain
//	ghl-token/1 aes-256-gcm 0123456789abcdef
//
// The line and the store's key are authenticated with the encrypted token, so a file that was changed, or put under another
// key, is not taken.
const (
	fileFormat    = "ghl-token/1"
	plainHeader   = fileFormat + " plain"
	cryptedHeader = fileFormat + " aes-256-gcm "
)

// keyRing are the keys that tokens are encrypted with: the first one writes, all of them read.
type keyRing struct {
	keys  []ringKey
	plain bool // a file that is not encrypted is read as well
}

type ringKey struct {
	id   string // tells which key a file needs, and nothing about it
	aead cipher.AEAD
}

// EncryptTokens encrypts the files of a [FileTokenStore] with AES-256-GCM. A key has 32 random bytes (from crypto/rand, not
// a password). New files are written with the first key; the older ones are only read, so that a key can be replaced: give
// the new one first, keep the old one until each token was renewed or saved again.
//
// A file that is not encrypted is refused, unless [ReadPlainTokens] is given too.
func EncryptTokens(key []byte, older ...[]byte) FileStoreOption {
	return func(s *tokenFiles) error {
		for _, key := range append([][]byte{key}, older...) {
			if len(key) != 32 {
				return badInputf("EncryptTokens", "a key has 32 bytes, and one of these has %d", len(key))
			}
			block, err := aes.NewCipher(key)
			if err != nil {
				return badInputf("EncryptTokens", "a key cannot be used")
			}
			aead, err := cipher.NewGCMWithRandomNonce(block)
			if err != nil {
				return badInputf("EncryptTokens", "a key cannot be used")
			}
			s.ring.keys = append(s.ring.keys, ringKey{keyID(key), aead})
		}
		return nil
	}
}

// ReadPlainTokens lets a store with [EncryptTokens] read files that are not encrypted, from the time before it had a key.
// They are encrypted when they are next written.
func ReadPlainTokens() FileStoreOption {
	return func(s *tokenFiles) error {
		s.ring.plain = true
		return nil
	}
}

func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("github.com/pluvo/ghl token key id\x00"), key...))
	return hex.EncodeToString(sum[:8])
}

// seal writes a token for a file.
func (r *keyRing) seal(key string, t *Token) ([]byte, error) {
	data, err := EncodeToken(t)
	if err != nil {
		return nil, err
	}
	if len(r.keys) == 0 {
		return append([]byte(plainHeader+"\n"), data...), nil
	}
	k := r.keys[0]
	header := cryptedHeader + k.id
	return k.aead.Seal([]byte(header+"\n"), nil, data, authenticated(header, key)), nil
}

func authenticated(header, key string) []byte { return []byte(header + "\n" + key) }

// open reads a token from a file. Its errors continue "the file …".
func (r *keyRing) open(key string, file []byte) (*Token, error) {
	first, data, ok := bytes.Cut(file, []byte("\n"))
	header := string(first)
	switch {
	case !ok || !strings.HasPrefix(header, "ghl-token/"):
		return nil, errors.New("is cut short or holds no token")
	case header == plainHeader:
		if len(r.keys) > 0 && !r.plain {
			return nil, errors.New("is not encrypted, but this store is (see ghl.ReadPlainTokens)")
		}
		t, err := DecodeToken(data)
		if err != nil {
			return nil, errors.New("is cut short or damaged")
		}
		return t, nil
	case !strings.HasPrefix(header, cryptedHeader):
		return nil, errors.New("is of a format that this version does not know")
	}
	id := strings.TrimPrefix(header, cryptedHeader)
	for _, k := range r.keys {
		if k.id != id {
			continue
		}
		plain, err := k.aead.Open(nil, nil, data, authenticated(header, key))
		if err != nil {
			return nil, errors.New("is cut short, was changed, or was written for another key of the store")
		}
		t, err := DecodeToken(plain)
		if err != nil {
			return nil, errors.New("holds no token that this version knows")
		}
		return t, nil
	}
	if len(r.keys) == 0 {
		return nil, fmt.Errorf("is encrypted, and this store has no key (it needs the one with the id %q)", clip(id, 40))
	}
	return nil, fmt.Errorf("is encrypted with another key (it needs the one with the id %q)", clip(id, 40))
}
