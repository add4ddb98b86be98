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
	location *location // nil for a company's token
	company  string
	scopes   []ghl.Scope // nil for all
	expires  time.Time   // zero for never
}

// resource is whose limits the token's requests count against.
func (g *grant) resource() string {
	if g.location != nil {
		return g.location.ID
	}
	return g.company
}

func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
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
	forCompany := c.row.place == ofCompany
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
	if id := c.params["locationId"]; id != "" && !forCompany && id != c.location.ID {
		return wrongLocation()
	}
	if c.row.place == inQuery {
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
