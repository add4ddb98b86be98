package ghl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// storedToken is a token as stores keep it, secrets included.
type storedToken struct {
	Version      int    `json:"version"`
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitempty"`
	Token
}

// storedVersion rises when a reader of the format before would misunderstand it.
const storedVersion = 1

// EncodeToken writes a token with its secrets, for a [TokenStore] to keep. The format is JSON with a version number in it.
// Treat it as you would a password: it opens the account.
func EncodeToken(t *Token) ([]byte, error) {
	if err := checkStorable(t); err != nil {
		return nil, err
	}
	return json.Marshal(storedToken{storedVersion, t.AccessToken, t.RefreshToken, *t})
}

// DecodeToken reads what [EncodeToken] wrote. What is cut short, of a later version or no token at all is an error, which
// does not repeat the data.
func DecodeToken(data []byte) (*Token, error) {
	var s storedToken
	if !isObject(data) || json.Unmarshal(data, &s) != nil { // its own words could quote the data
		return nil, fmt.Errorf("ghl: the stored token cannot be read: it is damaged or was not written by ghl.EncodeToken")
	}
	if s.Version < 1 || s.Version > storedVersion {
		return nil, fmt.Errorf("ghl: the stored token has version %d, and this package reads version %d", s.Version, storedVersion)
	}
	t := s.Token
	t.AccessToken, t.RefreshToken = s.AccessToken, s.RefreshToken
	if err := checkStorable(&t); err != nil {
		return nil, fmt.Errorf("ghl: the stored token cannot be used: %s", err.Message)
	}
	return &t, nil
}

func checkStorable(t *Token) *Error {
	if t == nil {
		return badInputf("token", "the token is nil")
	}
	for _, secret := range []string{t.AccessToken, t.RefreshToken} {
		if secret == "" {
			continue
		}
		if err := checkBearer(secret); err != nil {
			return badInputf("token", "the token holds a character that no token has")
		}
	}
	if t.AccessToken == "" {
		return badInputf("token", "the token has no access token")
	}
	return nil
}

// clone returns a copy that shares nothing. Times lose their monotonic reading: a token expires by the wall clock, also
// while the machine sleeps.
func (t *Token) clone() *Token {
	if t == nil {
		return nil
	}
	c := *t
	c.Scopes, c.ApprovedLocations = slices.Clone(t.Scopes), slices.Clone(t.ApprovedLocations)
	c.IssuedAt, c.ExpiresAt = t.IssuedAt.Round(0), t.ExpiresAt.Round(0)
	return &c
}

// same reports whether two tokens are stored alike.
func (t *Token) same(other *Token) bool {
	if t == nil || other == nil {
		return t == other
	}
	a, errA := EncodeToken(t)
	b, errB := EncodeToken(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// access returns the access token, "" of no token.
func (t *Token) access() string {
	if t == nil {
		return ""
	}
	return t.AccessToken
}

// expired reports whether the access token has ended.
func (t *Token) expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// due reports whether it is time to renew the token: so long before its end, but not in the first nine tenths of its life.
func (t *Token) due(now time.Time, before time.Duration) bool {
	if t.ExpiresAt.IsZero() {
		return false
	}
	if !t.IssuedAt.IsZero() {
		before = min(before, t.ExpiresAt.Sub(t.IssuedAt)/10)
	}
	return !now.Add(before).Before(t.ExpiresAt)
}

// secrets is what must not be printed.
type secrets []string

// hide takes the secrets out of a text.
func (s secrets) hide(text string) string {
	for _, secret := range s {
		for _, form := range spellings(secret) {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return text
}

// hideIn returns an error whose text has no secret; errors.Is and errors.As still find what was in err.
func (s secrets) hideIn(err error) error {
	if err == nil || s.hide(err.Error()) == err.Error() {
		return err
	}
	return &hiddenError{s.hide(err.Error()), err}
}

type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }

// GoString keeps %#v from printing what is hidden.
func (e *hiddenError) GoString() string { return fmt.Sprintf("%q", e.text) }

func (e *hiddenError) Unwrap() error { return e.err }
