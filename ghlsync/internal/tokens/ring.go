package tokens

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ring encrypts with its first key and decrypts with any of them. Without a key it does neither.
type ring struct{ keys []cipher.AEAD }

// sealed begins what is encrypted. A token that is not begins with a brace.
var sealed = []byte("aes256gcm\n")

func newRing(o Options) (*ring, error) {
	r := &ring{}
	for _, key := range o.Keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("a key that encrypts tokens has 32 bytes, and one of these has %d", len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, errors.New("a key that encrypts tokens can't be used")
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, errors.New("a key that encrypts tokens can't be used")
		}
		r.keys = append(r.keys, aead)
	}
	return r, nil
}

// seal encrypts a token for its key in the store: moved to another, it does not open.
func (r *ring) seal(name string, text []byte) []byte {
	if len(r.keys) == 0 {
		return text
	}
	return r.keys[0].Seal(bytes.Clone(sealed), nil, text, []byte(name))
}

// open decrypts a token.
func (r *ring) open(name string, body []byte) ([]byte, error) {
	text, ok := bytes.CutPrefix(body, sealed)
	switch {
	case !ok && len(r.keys) == 0:
		return body, nil
	case !ok:
		return nil, errors.New("the token is not encrypted, and this store is")
	}
	for _, key := range r.keys {
		if plain, err := key.Open(nil, nil, text, []byte(name)); err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("the token is encrypted with another key, or was changed")
}
