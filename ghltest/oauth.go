package ghltest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pluvo/ghl"
)

// locationToken exchanges a company's token for a location's, with the same scopes. The app must be installed in the
// location; a token without an app ([Server.AddToken]) can be exchanged for every location of the company.
func (c *call) locationToken() (any, error) {
	var in url.Values
	switch c.media {
	case formMedia:
		in, _ = url.ParseQuery(string(c.body)) // an invalid form has no values
	case jsonMedia:
		all := map[string]string{}
		if err := json.Unmarshal(c.body, &all); err != nil {
			return nil, invalid("companyId must be a string", "locationId must be a string")
		}
		in = url.Values{}
		for name, value := range all {
			in.Set(name, value)
		}
	}
	for name := range in {
		if name != "companyId" && name != "locationId" {
			return nil, invalid("property " + name + " should not exist")
		}
	}
	l, a := c.locations[in.Get("locationId")], c.grant.app
	switch {
	case in.Get("companyId") == "" || in.Get("locationId") == "":
		return nil, invalid("companyId must be a string", "locationId must be a string")
	case in.Get("companyId") != c.grant.company || l == nil || l.CompanyID != c.grant.company:
		return nil, refuse(http.StatusBadRequest, "Location not found")
	case a != nil && a.locations[l.ID] == nil:
		return nil, refuse(http.StatusBadRequest, "The app is not installed in this location")
	case l.paused:
		return nil, refuse(http.StatusBadRequest, "Location is not active")
	}
	g := grant{app: a, location: l, company: l.CompanyID, scopes: slices.Clone(c.grant.scopes), user: c.grant.user}
	setDefault(&g.user, c.ids.id())
	answer := c.pair(c.issue(g, c.now))
	delete(answer, "companyId") // only the token endpoint answers it
	delete(answer, "userType")
	if a != nil {
		answer["appId"], answer["versionId"] = a.AppID, a.VersionID
	}
	c.oauth.counts.LocationTokens++
	return answer, nil
}

// installedLocations answers the company's locations, each with whether the app is installed there. For a token
// without an app it counts as installed everywhere.
func (c *call) installedLocations() (any, error) {
	company, appID := c.query.Get("companyId"), c.query.Get("appId")
	a := c.grant.app
	switch {
	case company == "" || appID == "":
		return nil, invalid("appId must be a string", "companyId must be a string")
	case company != c.grant.company:
		return nil, refuse(http.StatusForbidden, "Forbidden resource")
	case a != nil && a.AppID != appID:
		return nil, c.unknownApp(appID)
	}
	size, most := "limit", 500
	if c.v3 {
		size, most = "pageSize", 100
	}
	limit, err := c.number(size, 20, 1, most)
	if err != nil {
		return nil, err
	}
	skip, err := c.skipped()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"isInstalled", "onTrial", "restrictToUserLocations"} {
		if _, err := c.flag(name, false); err != nil {
			return nil, err
		}
	}
	all := []*ghl.InstalledLocation{}
	for _, l := range c.inOrder() {
		if l.CompanyID == company && c.lists(l, a) {
			all = append(all, listed(l, a))
		}
	}
	page := page[*ghl.InstalledLocation]{all, min(skip, len(all)), limit}
	future := a != nil && a.companies[company] != nil && a.companies[company].future
	if !c.v3 {
		return map[string]any{
			"locations": page.records(), "count": len(all), "installToFutureLocations": future,
		}, nil
	}
	return map[string]any{
		"items": page.records(), "pagination": page.pagination(), "installToFutureLocations": future,
		"metadata": map[string]any{"filterApplied": c.appliedFilters(), "sortApplied": map[string]string{}},
	}, nil
}

// page is a page of a list.
type page[T any] struct {
	list         []T
	start, limit int
}

func (p page[T]) end() int { return min(p.start+p.limit, len(p.list)) }

func (p page[T]) records() []T { return p.list[p.start:p.end()] }

// pagination returns the paging properties of v3.
func (p page[T]) pagination() map[string]any {
	all, end := len(p.list), p.end()
	out := map[string]any{
		"totalRecords": all, "estimatedTotalRecords": all, "hasNextPage": end < all, "hasPrevPage": p.start > 0,
		"currentPageSize": end - p.start,
	}
	if end < all {
		out["nextPageToken"] = pageToken(end)
	}
	if p.start > 0 {
		out["prevPageToken"] = pageToken(max(0, p.start-p.limit))
	}
	return out
}

// appliedFilters returns the filters of the query as v3 repeats them.
func (c *call) appliedFilters() map[string]any {
	filters := map[string]any{}
	for _, name := range []string{"companyId", "appId", "locationId", "query", "versionId", "planId"} {
		if value := c.query.Get(name); value != "" {
			filters[name] = value
		}
	}
	for _, name := range []string{"isInstalled", "onTrial"} {
		if value := c.query.Get(name); value != "" {
			filters[name] = value == "true"
		}
	}
	return filters
}

// lists reports whether a location matches the query.
func (c *call) lists(l *location, a *app) bool {
	q := c.query
	installed := a == nil || a.locations[l.ID] != nil
	switch {
	case q.Get("locationId") != "" && q.Get("locationId") != l.ID,
		!strings.Contains(strings.ToLower(l.Name), strings.ToLower(q.Get("query"))),
		q.Get("isInstalled") != "" && q.Get("isInstalled") != strconv.FormatBool(installed),
		q.Get("versionId") != "" && (a == nil || !installed || q.Get("versionId") != a.VersionID),
		q.Get("planId") != "" && (a == nil || !installed || q.Get("planId") != a.PlanID),
		q.Get("onTrial") == "true": // no installation is on trial
		return false
	}
	return true
}

func listed(l *location, a *app) *ghl.InstalledLocation {
	out := &ghl.InstalledLocation{ID: l.ID, Name: l.Name, Address: l.Address, IsInstalled: true}
	if a != nil {
		in := a.locations[l.ID]
		if out.IsInstalled = in != nil; out.IsInstalled {
			out.VersionID, out.InstalledAt = a.VersionID, timestamp(in.at)
		}
	}
	return out
}

// skipped returns the number of locations before the page.
func (c *call) skipped() (int, error) {
	if !c.v3 {
		return c.number("skip", 0, 0, 1<<30)
	}
	token := c.query.Get("pageToken")
	if token == "" {
		return 0, nil
	}
	var at struct {
		Skip int `json:"skip"`
	}
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(data, &at) != nil || at.Skip < 0 {
		return 0, aipError(http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid pageToken",
			map[string]string{"field": "pageToken"})
	}
	return at.Skip, nil
}

func pageToken(skip int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"skip":` + strconv.Itoa(skip) + `}`))
}

func (c *call) unknownApp(id string) error {
	if !c.v3 {
		return notFound("App")
	}
	return aipError(http.StatusNotFound, "RESOURCE_NOT_FOUND", "The requested App '"+id+"' was not found.",
		map[string]string{"resource": "App", "identifier": id})
}

// aipError returns a refusal in a form that some endpoints of v3 have.
func aipError(status int, code, message string, details map[string]string) error {
	return &refusal{status, map[string]any{
		"error": map[string]any{"code": code, "message": message, "details": details},
	}}
}
