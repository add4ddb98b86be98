package ghltest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// grant is the access of a token.
type grant struct {
	app      *app      // nil for a private integration token or a token of AddToken
	location *location // nil for a company's token
	company  string
	user     string      // the user who installed the app
	scopes   []ghl.Scope // nil means all
	expires  time.Time   // zero means never
}

func (g *grant) userType() ghl.UserType {
	if g.location == nil {
		return ghl.UserTypeCompany
	}
	return ghl.UserTypeLocation
}

func (g *grant) locationID() string {
	if g.location == nil {
		return ""
	}
	return g.location.ID
}

// budget returns the key of the limits for the token's requests. An app has limits of its own for each resource; all
// tokens without an app share one.
func (g *grant) budget() string {
	if g.app == nil {
		return g.resource()
	}
	return g.app.ClientID + " " + g.resource()
}

// resource returns the id of the token's location or company.
func (g *grant) resource() string {
	if g.location != nil {
		return g.location.ID
	}
	return g.company
}

// bearer returns the bearer token of a request, or "" without one.
func bearer(r *http.Request) string {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return ""
	}
	return token
}

// refusedToken returns the error for a token that is missing, unknown or expired.
func refusedToken(token string) error {
	if strings.HasPrefix(token, "pit-") {
		return refuse(http.StatusUnauthorized, "Invalid Private Integration token")
	}
	return refuse(http.StatusUnauthorized, "Invalid JWT")
}

// authorize checks the token's type, scopes and location, and sets the location of the call.
func (c *call) authorize() error {
	if c.place == open {
		return nil
	}
	forCompany := c.place == ofCompany
	switch {
	case c.place == ofEither:
	case !forCompany && c.grant.location == nil:
		return refuse(http.StatusUnauthorized, "This authClass type is not allowed to access this scope.")
	case forCompany && c.grant.location != nil:
		return refuse(http.StatusUnauthorized, "Token's user type mismatch!")
	}
	for _, scope := range c.op.Scopes {
		if c.grant.scopes != nil && !slices.Contains(c.grant.scopes, scope) {
			return refuse(http.StatusUnauthorized, "The token is not authorized for this scope.")
		}
	}
	c.location = c.grant.location
	if id := c.param("locationId"); id != "" && !forCompany {
		l := c.locations[id]
		if l == nil || l != c.location && (c.location != nil || l.CompanyID != c.grant.company) {
			return wrongLocation()
		}
		c.location = l
	}
	if c.place == inQuery && c.query.Get("locationId") != c.location.ID { // also without a location
		return wrongLocation()
	}
	return nil
}
