package ghltest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// tokenLife is how long an access token lives.
const tokenLife = 86399 * time.Second

// locationToken makes a token of a location, with the scopes of the company's.
func (c *call) locationToken() (any, error) {
	in, err := url.ParseQuery(string(c.body))
	if err != nil || strings.HasPrefix(string(c.body), "{") {
		var body struct {
			CompanyID  string `json:"companyId"`
			LocationID string `json:"locationId"`
		}
		if err := json.Unmarshal(c.body, &body); err != nil {
			return nil, invalid("companyId must be a string", "locationId must be a string")
		}
		in = url.Values{"companyId": {body.CompanyID}, "locationId": {body.LocationID}}
	}
	l := c.locations[in.Get("locationId")]
	switch {
	case in.Get("companyId") == "" || in.Get("locationId") == "":
		return nil, invalid("companyId must be a string", "locationId must be a string")
	case in.Get("companyId") != c.grant.company || l == nil || l.CompanyID != c.grant.company:
		return nil, refuse(http.StatusBadRequest, "Location not found")
	}
	access, refresh := c.ids.uuid(), c.ids.uuid()
	c.grants[access] = &grant{location: l, scopes: slices.Clone(c.grant.scopes), expires: c.now.Add(tokenLife)}
	scopes := c.grant.scopes
	if scopes == nil {
		scopes = ghl.ScopesFor(ghl.Operations()...)
	}
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	answer := map[string]any{
		"scope": strings.Join(names, " "), "userType": ghl.UserTypeLocation, "companyId": l.CompanyID, "locationId": l.ID,
		"userId": c.ids.id(), "traceId": c.ids.uuid(),
	}
	keys := [...]string{"access_token", "refresh_token", "token_type", "expires_in"}
	if c.v3 {
		keys = [...]string{"accessToken", "refreshToken", "tokenType", "expiresIn"}
	}
	for i, value := range [...]any{access, refresh, "Bearer", int(tokenLife.Seconds())} {
		answer[keys[i]] = value
	}
	return answer, nil
}

// installedLocations answers the company's locations, in all of which the app counts as installed.
func (c *call) installedLocations() (any, error) {
	if c.query.Get("companyId") == "" || c.query.Get("appId") == "" {
		return nil, invalid("appId must be a string", "companyId must be a string")
	}
	if c.query.Get("companyId") != c.grant.company {
		return nil, refuse(http.StatusForbidden, "Forbidden resource")
	}
	size, offset := "limit", "skip"
	if c.v3 {
		size, offset = "pageSize", "pageToken"
	}
	limit, err := c.number(size, 20, 1, 500)
	if err != nil {
		return nil, err
	}
	skip, err := c.number(offset, 0, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	all := []map[string]any{}
	for _, l := range c.inOrder() {
		one, query := c.query.Get("locationId"), strings.ToLower(c.query.Get("query"))
		if l.CompanyID == c.grant.company && (one == "" || one == l.ID) && strings.Contains(strings.ToLower(l.Name), query) && c.query.Get("isInstalled") != "false" {
			all = append(all, map[string]any{"_id": l.ID, "name": l.Name, "address": l.Address, "isInstalled": true})
		}
	}
	start := min(skip, len(all))
	end := min(start+limit, len(all))
	if !c.v3 {
		return map[string]any{"locations": all[start:end], "count": len(all), "installToFutureLocations": false}, nil
	}
	pagination := map[string]any{
		"totalRecords": len(all), "hasNextPage": end < len(all), "hasPrevPage": start > 0, "currentPageSize": end - start,
	}
	if end < len(all) {
		pagination["nextPageToken"] = strconv.Itoa(end)
	}
	return map[string]any{"items": all[start:end], "pagination": pagination, "installToFutureLocations": false}, nil
}
