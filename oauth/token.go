package oauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/check"
)

// storedToken is the stored form of a token, with its secrets.
type storedToken struct {
	Version      int    `json:"version"`
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitempty"`
	// RefusedRefresh is unknown to earlier readers, which ignore it.
	RefusedRefresh string `json:"refusedRefresh,omitempty"`
	tokenFields
}

// tokenFields are the fields of a token without its methods, which hide the secrets.
type tokenFields ghl.Token

// storedVersion increases when a reader of the format before would misread the new one.
const storedVersion = 1

// EncodeToken returns a token with its secrets as JSON, for a [Store]. The JSON holds a version number. Protect it
// like a password: it gives access to the account. [KeyRing.Seal] encrypts it. The error is of category
// [ghl.ErrBadInput].
func EncodeToken(t *ghl.Token) ([]byte, error) {
	if err := checkStorable(t); err != nil {
		return nil, err
	}
	return json.Marshal(storedToken{storedVersion, t.AccessToken, t.RefreshToken, t.RefusedRefresh, tokenFields(*t)})
}

// DecodeToken reads what [EncodeToken] returned. It fails when the data is incomplete, of a later version, or not a
// token. The error does not quote the data.
func DecodeToken(data []byte) (*ghl.Token, error) {
	var s storedToken
	if !bytes.HasPrefix(data, []byte("{")) || json.Unmarshal(data, &s) != nil {
		return nil, errors.New("oauth: the stored token cannot be read: it is damaged " +
			"or was not written by oauth.EncodeToken")
	}
	if s.Version < 1 || s.Version > storedVersion {
		return nil, fmt.Errorf("oauth: the stored token has version %d, and this package reads version %d", s.Version,
			storedVersion)
	}
	t := ghl.Token(s.tokenFields)
	t.AccessToken, t.RefreshToken, t.RefusedRefresh = s.AccessToken, s.RefreshToken, s.RefusedRefresh
	if err := checkStorable(&t); err != nil {
		return nil, fmt.Errorf("oauth: the stored token cannot be used: %w", err)
	}
	return &t, nil
}

func checkStorable(t *ghl.Token) error {
	if t == nil {
		return badInput("token", "the token is nil")
	}
	if problem := check.Bearer(t.AccessToken); problem != "" {
		return badInput("token", "the access token %s", problem)
	}
	if t.RefreshToken == "" {
		return nil
	}
	if problem := check.Bearer(t.RefreshToken); problem != "" {
		return badInput("token", "the refresh token %s", problem)
	}
	return nil
}

// clone returns a copy that shares nothing. Times lose their monotonic reading: a token expires by the wall clock,
// also while the machine sleeps.
func clone(t *ghl.Token) *ghl.Token {
	if t == nil {
		return nil
	}
	c := *t
	c.Scopes, c.ApprovedLocations = slices.Clone(t.Scopes), slices.Clone(t.ApprovedLocations)
	c.IssuedAt, c.ConnectedAt, c.ExpiresAt = t.IssuedAt.Round(0), t.ConnectedAt.Round(0), t.ExpiresAt.Round(0)
	return &c
}

// sameStored reports whether two tokens have the same stored form.
func sameStored(a, b *ghl.Token) bool {
	if a == nil || b == nil {
		return a == b
	}
	dataA, errA := EncodeToken(a)
	dataB, errB := EncodeToken(b)
	return errA == nil && errB == nil && bytes.Equal(dataA, dataB)
}

// accessOf returns the access token, "" of nil.
func accessOf(t *ghl.Token) string {
	if t == nil {
		return ""
	}
	return t.AccessToken
}

// expired reports whether the access token has ended.
func expired(t *ghl.Token, now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

// renewalDue reports whether a token ends within before. It is false in the first nine tenths of the token's life.
func renewalDue(t *ghl.Token, now time.Time, before time.Duration) bool {
	if t.ExpiresAt.IsZero() {
		return false
	}
	if !t.IssuedAt.IsZero() {
		before = min(before, t.ExpiresAt.Sub(t.IssuedAt)/10)
	}
	return !now.Add(before).Before(t.ExpiresAt)
}

// connectedSince reports whether the account of a token was connected at that time or later. IssuedAt decides for a
// token without ConnectedAt. It is false for the zero time and for nil.
func connectedSince(t *ghl.Token, at time.Time) bool {
	if t == nil || at.IsZero() {
		return false
	}
	connected := t.ConnectedAt
	if connected.IsZero() {
		connected = t.IssuedAt
	}
	return !connected.Before(at)
}

// refusal returns the value of RefusedRefresh for a refresh token that the server refused. The server's refusal is
// valid for this app only, so the hash covers the client's id too: a process with another app's settings does not
// disconnect the account of the right app.
func (a *App) refusal(refreshToken string) string {
	sum := sha256.Sum256([]byte("github.com/pluvo/ghl refused\x00" + a.config.ClientID + "\x00" + refreshToken))
	return hex.EncodeToString(sum[:])
}

// refused reports whether the server has refused a token's refresh token.
func (a *App) refused(t *ghl.Token) bool {
	return t != nil && t.RefusedRefresh != "" && t.RefreshToken != "" && t.RefusedRefresh == a.refusal(t.RefreshToken)
}

// inherit fills what the answer to a refresh leaves out from the token before.
func inherit(t, old *ghl.Token) {
	setDefault(&t.RefreshToken, old.RefreshToken) // the server did not rotate it
	t.ConnectedAt = old.ConnectedAt
	setDefault(&t.CompanyID, old.CompanyID)
	setDefault(&t.LocationID, old.LocationID)
	setDefault(&t.UserID, old.UserID)
	setDefault(&t.UserType, old.UserType)
	if t.Scopes == nil {
		t.Scopes = old.Scopes
	}
	if t.ApprovedLocations == nil {
		t.ApprovedLocations = old.ApprovedLocations
	}
	t.BulkInstallation = t.BulkInstallation || old.BulkInstallation
	t.AllLocations, t.FutureLocations = t.AllLocations || old.AllLocations, t.FutureLocations || old.FutureLocations
}
