package ghltest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// grant is what a token gives access to.
type grant struct {
	app      *app      // nil for a private integration token, or one that was added by hand
	location *location // nil for a company's token
	company  string
	user     string      // who installed the app
	scopes   []ghl.Scope // nil for all
	expires  time.Time   // zero for never
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

// budget names the limits that the token's requests count against: those of its app, or of all tokens without one, for the
// resource.
func (g *grant) budget() string {
	if g.app == nil {
		return g.resource()
	}
	return g.app.ClientID + " " + g.resource()
}

// resource is whose limits the token's requests count against.
func (g *grant) resource() string {
	if g.location != nil {
		return g.location.ID
	}
	return g.company
}

// bearer returns the token of a request; one that is not introduced by "Bearer " is none.
func bearer(r *http.Request) string {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return ""
	}
	return token
}

// refusedToken is the answer to a token that is missing, unknown or expired.
func refusedToken(token string) error {
	if strings.HasPrefix(token, "pit-") {
		return refuse(http.StatusUnauthorized, "Invalid Private Integration token")
	}
	return refuse(http.StatusUnauthorized, "Invalid JWT")
}

// authorize checks that the token may use the operation, and in which location.
func (c *call) authorize() error {
	if c.place == open {
		return nil
	}
	forCompany := c.place == ofCompany
	switch {
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
	if id := c.param("locationId"); id != "" && !forCompany && id != c.location.ID {
		return wrongLocation()
	}
	if c.place == inQuery {
		return c.inLocation(c.query.Get("locationId"))
	}
	return nil
}

// inLocation checks the location's id that a request carries.
func (c *call) inLocation(id string) error {
	switch id {
	case "":
		return invalid("locationId should not be empty", "locationId must be a string")
	case c.location.ID:
		return nil
	}
	return wrongLocation()
}
