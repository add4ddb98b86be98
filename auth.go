package ghl

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/check"
	"github.com/pluvo/ghl/internal/lenient"
)

// Token is an access token of HighLevel and what is known about it. It prints redacted with every verb of fmt and in
// slog, and the encodings of JSON, XML, YAML, text and gob hold no secrets; EncodeToken of package oauth writes a token
// with its secrets. A printer that reads fields by reflection and calls no methods prints AccessToken and RefreshToken,
// and so does fmt for a Token in a private field.
type Token struct {
	// AccessToken is the bearer, valid for about a day.
	AccessToken string `json:"-"`
	// RefreshToken works once; the answer to a refresh holds the next one. "" for a private integration token.
	RefreshToken string `json:"-"`
	// RefusedRefresh is a hash of RefreshToken once the server has refused it, so that no process that shares the token
	// sends it again. Package oauth sets and compares it; "" means not refused.
	RefusedRefresh string `json:"-"`
	// IssuedAt is when the token was requested; the zero time means unknown.
	IssuedAt time.Time `json:"issuedAt,omitzero"`
	// ConnectedAt is when a person connected the account. A refresh does not change it. It is in whole seconds by
	// HighLevel's clock (the Date of the answer), so that it can be compared with the timestamps of webhooks; by this
	// machine's clock if the answer had no Date. The zero time means unknown.
	ConnectedAt time.Time `json:"connectedAt,omitzero"`
	// ExpiresAt is when the access token ends; the zero time means never or unknown.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// Scopes are the granted scopes; nil when unknown.
	Scopes []Scope `json:"scopes,omitempty"`
	// UserType is whether the token is an agency's or a location's; "" when unknown.
	UserType UserType `json:"userType,omitempty"`
	// CompanyID is the agency's id.
	CompanyID string `json:"companyId,omitempty"`
	// LocationID is the location's id; "" for an agency's token.
	LocationID string `json:"locationId,omitempty"`
	// UserID is the id of the person who installed the app.
	UserID string `json:"userId,omitempty"`
	// BulkInstallation says that an agency installed the app in several locations at once. The tokens of those
	// locations are derived from this token, the company's.
	BulkInstallation bool `json:"bulkInstallation,omitempty"`
	// ApprovedLocations are the ids of the locations that the agency chose; nil with AllLocations, and when unknown.
	ApprovedLocations []string `json:"approvedLocations,omitempty"`
	// AllLocations says that the agency chose all of its locations.
	AllLocations bool `json:"allLocations,omitempty"`
	// FutureLocations says that HighLevel also installs the app in new locations of the agency.
	FutureLocations bool `json:"futureLocations,omitempty"`
}

// UserType is the kind of account that a token gives access to.
type UserType string

const (
	// UserTypeCompany is an agency's token.
	UserTypeCompany UserType = "Company"
	// UserTypeLocation is the token of one location (sub-account).
	UserTypeLocation UserType = "Location"
)

// String returns the owner and the expiry of the token, without its secrets.
func (t Token) String() string {
	var b strings.Builder
	b.WriteString("ghl.Token{redacted")
	for _, part := range [][2]string{
		{"userType", string(t.UserType)}, {"company", t.CompanyID}, {"location", t.LocationID},
	} {
		if part[1] != "" {
			b.WriteString(", " + part[0] + ": " + part[1])
		}
	}
	if !t.ExpiresAt.IsZero() {
		b.WriteString(", expires: " + t.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return b.String() + "}"
}

// GoString returns the same as String.
func (t Token) GoString() string { return t.String() }

// Format prints the token redacted with every verb.
func (t Token) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// LogValue returns the redacted token for slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns the redacted text, which XML, YAML and other text formats use.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON returns the fields of the token without its secrets.
func (t Token) MarshalJSON() ([]byte, error) {
	type fields Token // without the methods
	return json.Marshal(fields(t))
}

// MarshalBinary returns the same as MarshalJSON, for gob and other binary formats.
func (t Token) MarshalBinary() ([]byte, error) { return t.MarshalJSON() }

// UnmarshalBinary reads what MarshalBinary returned. The token then has no secrets.
func (t *Token) UnmarshalBinary(data []byte) error { return json.Unmarshal(data, t) }

// TokenSource returns the token for a request. It is called for every attempt, by many goroutines at once, so it
// should return the token from memory while the token is valid.
//
// [StaticTokenSource] returns a fixed token. The sources of package oauth renew their token. A source may also be a
// [TokenRefresher]. [Error.With] gives its errors a category, such as [ErrReauthRequired].
//
// To use a source of golang.org/x/oauth2, copy this adapter, which is not part of this package because it would
// import that module. Wrap the source in oauth2.ReuseTokenSource, which returns the token from memory:
//
//	type adapter struct{ source oauth2.TokenSource }
//
//	func (a adapter) Token(context.Context) (*ghl.Token, error) {
//		t, err := a.source.Token()
//		if err != nil {
//			return nil, err
//		}
//		return &ghl.Token{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, ExpiresAt: t.Expiry}, nil
//	}
//
//	client, err := ghl.New(ghl.WithTokenSource(adapter{oauth2.ReuseTokenSource(nil, source)}))
//
// oauth2.Config does not save the tokens that it refreshes. HighLevel's refresh tokens work once, so the account is
// lost when the process ends. Package oauth saves them.
type TokenSource interface {
	Token(ctx context.Context) (*Token, error)
}

// TokenRefresher is a [TokenSource] that can get a new token. A call asks for one once, when the server refuses the
// token.
type TokenRefresher interface {
	// Refresh returns a token other than rejected. If rejected is no longer the current token, because another
	// caller has already refreshed it, Refresh returns the current token. If Refresh returns rejected, the call
	// fails with the server's refusal.
	Refresh(ctx context.Context, rejected *Token) (*Token, error)
}

// StaticTokenSource returns a source of one fixed token: a private integration token ("pit-…") or any other bearer.
// The option [WithToken] is the short form.
func StaticTokenSource(accessToken string) TokenSource {
	token := &Token{AccessToken: accessToken}
	return &staticToken{func() *Token { return token }}
}

// staticToken holds its token in a function, which reflection prints as an address.
type staticToken struct{ token func() *Token }

func (s *staticToken) Token(context.Context) (*Token, error) { return s.token(), nil }

// Format prints the source without its token, with every verb.
func (s *staticToken) Format(f fmt.State, _ rune) { fmt.Fprint(f, "ghl.StaticTokenSource(redacted)") }

// checkBearer returns an error if a token cannot be sent in a header. The error never repeats the token.
func checkBearer(token string) error {
	if problem := check.Bearer(token); problem != "" {
		return badInputf("token", "the token %s", problem)
	}
	return nil
}

// tokenBody is the answer of an endpoint that grants a token. [Version20210728] writes snake case, [VersionV3]
// camel case.
type tokenBody struct {
	AccessToken    string   `json:"access_token"`
	AccessTokenV3  string   `json:"accessToken"`
	RefreshToken   string   `json:"refresh_token"`
	RefreshTokenV3 string   `json:"refreshToken"`
	ExpiresIn      float64  `json:"expires_in"`
	ExpiresInV3    float64  `json:"expiresIn"`
	Scope          string   `json:"scope"`
	UserType       UserType `json:"userType"`
	CompanyID      string   `json:"companyId"`
	LocationID     string   `json:"locationId"`
	UserID         string   `json:"userId"`
	Bulk           bool     `json:"isBulkInstallation"`
	Approved       []string `json:"approvedLocations"`
	All            bool     `json:"approveAllLocations"`
	Future         bool     `json:"installToFutureLocations"`
}

// ReadAnswer sets t from the JSON answer of an endpoint that grants a token, in the spelling of either [Version]. sent
// is when the request was sent: it becomes IssuedAt, and ExpiresAt counts from it. The error is an [*Error] of
// category [ErrBadResponse] and quotes nothing of the answer.
func (t *Token) ReadAnswer(answer []byte, sent time.Time) error {
	bad := func(why string) error { return &Error{Message: why, categories: badResponse} }
	var b tokenBody
	if checkObject(answer) != nil || lenient.Unmarshal(answer, &b) != nil {
		return bad("the answer is not a JSON object")
	}
	*t = Token{
		AccessToken: cmp.Or(b.AccessToken, b.AccessTokenV3), RefreshToken: cmp.Or(b.RefreshToken, b.RefreshTokenV3),
		IssuedAt: sent.Round(0), UserType: b.UserType,
		CompanyID: b.CompanyID, LocationID: b.LocationID, UserID: b.UserID,
		BulkInstallation: b.Bulk, ApprovedLocations: b.Approved, AllLocations: b.All, FutureLocations: b.Future,
	}
	for name := range strings.FieldsSeq(b.Scope) {
		t.Scopes = append(t.Scopes, Scope(name))
	}
	if seconds := cmp.Or(b.ExpiresIn, b.ExpiresInV3); seconds > 0 {
		const tenYears = 10 * 365 * 24 * 3600
		t.ExpiresAt = t.IssuedAt.Add(time.Duration(min(seconds, tenYears) * float64(time.Second)))
	}
	if check.Bearer(t.AccessToken) != "" {
		return bad("the answer holds no token")
	}
	if t.RefreshToken != "" && check.Bearer(t.RefreshToken) != "" {
		return bad("the refresh token in the answer cannot be sent back")
	}
	return nil
}
