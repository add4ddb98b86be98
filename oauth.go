package ghl

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strconv"

	"github.com/pluvo/ghl/internal/lenient"
)

// OAuthService reads tokens and installations of the locations of an agency (company).
type OAuthService service

// LocationToken returns a token of a location: POST /oauth/locationToken (location-token in v3), scope oauth.write. The
// client needs the company's token.
func (s *OAuthService) LocationToken(
	ctx context.Context, companyID, locationID string, opts ...CallOption,
) (*Token, error) {
	token := new(Token)
	in := companyForm{url.Values{"companyId": {companyID}, "locationId": {locationID}}}
	err := s.client.do(ctx, request{op: opOAuthLocationToken, in: in.Values}, func(k *call, body []byte) error {
		return token.ReadAnswer(body, k.attempt.sent)
	}, append([]CallOption{checked(in)}, opts...))
	if err != nil {
		return nil, err
	}
	if token.CompanyID == "" {
		token.CompanyID = companyID
	}
	if token.LocationID == "" {
		token.LocationID = locationID
	}
	if token.UserType == "" {
		token.UserType = UserTypeLocation
	}
	return token, nil
}

type companyForm struct{ url.Values }

func (f companyForm) check() error {
	if err := checkID("companyID", f.Get("companyId")); err != nil {
		return err
	}
	return checkID("locationID", f.Get("locationId"))
}

// InstalledLocation is a location of a company and the state of an app in it.
type InstalledLocation struct {
	ID          string `json:"_id"`
	Name        string `json:"name,omitempty"`
	Address     string `json:"address,omitempty"`
	IsInstalled bool   `json:"isInstalled,omitempty"`
	VersionID   string `json:"versionId,omitempty"`
	InstalledAt Time   `json:"installedAt,omitzero"`
	Extra       Extra  `json:"-"`
}

func (l *InstalledLocation) id() string { return l.ID }

// InstalledLocationsQuery is the input of [OAuthService.InstalledLocations]. CompanyID and AppID are required.
type InstalledLocationsQuery struct {
	CompanyID string
	AppID     string
	// IsInstalled is whether the app is installed in the locations to return; nil means all locations.
	IsInstalled *bool
	LocationID  string
	Query       string
	VersionID   string
	PlanID      string
	OnTrial     *bool
	// Limit is the size of a page; 0 means the server's default, 20.
	Limit int
	// Skip is the number of locations to leave out. It needs Version20210728.
	Skip int
	// After is the [InstalledLocationsPage.Next] from which to resume. It needs VersionV3.
	After Cursor
}

func (q *InstalledLocationsQuery) check() error {
	if q == nil {
		return badInputf("CompanyID", "CompanyID is required")
	}
	if err := checkID("CompanyID", q.CompanyID); err != nil {
		return err
	}
	switch {
	case q.Limit < 0:
		return badInputf("Limit", "Limit must not be negative")
	case q.Skip < 0:
		return badInputf("Skip", "Skip must not be negative")
	}
	for _, id := range [][2]string{{"LocationID", q.LocationID}, {"VersionID", q.VersionID}, {"PlanID", q.PlanID}} {
		if err := checkGiven(id[0], id[1]); err != nil {
			return err
		}
	}
	return checkID("AppID", q.AppID)
}

// versionedInstalledQuery refuses parameters that the version does not have.
type versionedInstalledQuery struct {
	*InstalledLocationsQuery
	version Version
}

func (q versionedInstalledQuery) check() error {
	if err := q.InstalledLocationsQuery.check(); err != nil {
		return err
	}
	switch {
	case q.version == VersionV3 && q.Skip > 0:
		return badInputf("Skip", "Skip needs Version20210728; use After")
	case q.version != VersionV3 && q.After != "":
		return badInputf("After", "After needs VersionV3; use Skip")
	}
	return nil
}

func (q *InstalledLocationsQuery) values(v Version) url.Values {
	form := url.Values{}
	if q == nil {
		return form
	}
	for key, value := range map[string]string{
		"companyId": q.CompanyID, "appId": q.AppID, "locationId": q.LocationID, "query": q.Query,
		"versionId": q.VersionID, "planId": q.PlanID,
	} {
		setIf(form, key, value)
	}
	for key, value := range map[string]*bool{"isInstalled": q.IsInstalled, "onTrial": q.OnTrial} {
		if value != nil {
			form.Set(key, strconv.FormatBool(*value))
		}
	}
	if v == VersionV3 {
		setInt(form, "pageSize", q.Limit)
		setIf(form, "pageToken", string(q.After))
	} else {
		setInt(form, "limit", q.Limit)
		setInt(form, "skip", q.Skip)
	}
	return form
}

// InstalledLocationsPage is one page of a company's locations.
type InstalledLocationsPage struct {
	Locations []*InstalledLocation
	Total     int
	// InstallToFutureLocations is whether the app is installed in new locations automatically.
	InstallToFutureLocations bool
	// Next is the cursor of the next page; "" on the last one, and always with Version20210728.
	Next Cursor
}

// InstalledLocations returns one page of the company's locations, with and without the app: GET
// /oauth/installedLocations (installed-locations in v3), scope oauth.readonly. The client needs the company's
// token.
func (s *OAuthService) InstalledLocations(
	ctx context.Context, q *InstalledLocationsQuery, opts ...CallOption,
) (*InstalledLocationsPage, error) {
	page, _, err := s.installed(ctx, q, opts)
	return page, err
}

// installed reads a page. size is the number of its elements, including those that are not records.
func (s *OAuthService) installed(
	ctx context.Context, q *InstalledLocationsQuery, opts []CallOption,
) (page *InstalledLocationsPage, size int, err error) {
	page = new(InstalledLocationsPage)
	r := request{op: opOAuthInstalledLocations, query: q.values(s.client.version)}
	err = s.client.do(ctx, r, func(k *call, body []byte) (err error) {
		if page.Locations, err = records[InstalledLocation](k, body); err != nil {
			return err
		}
		size = len(page.Locations) + len(k.skipped)
		var head struct {
			Count      int  `json:"count"`
			ToFuture   bool `json:"installToFutureLocations"`
			Pagination struct {
				TotalRecords  int    `json:"totalRecords"`
				HasNextPage   bool   `json:"hasNextPage"`
				NextPageToken string `json:"nextPageToken"`
			} `json:"pagination"`
		}
		if err := lenient.Unmarshal(body, &head); err != nil {
			return err
		}
		page.Total, page.InstallToFutureLocations = max(head.Count, head.Pagination.TotalRecords), head.ToFuture
		if head.Pagination.HasNextPage {
			page.Next = Cursor(head.Pagination.NextPageToken)
		}
		return nil
	}, append([]CallOption{checked(versionedInstalledQuery{q, s.client.version})}, opts...))
	if err != nil {
		return nil, 0, err
	}
	return page, size, nil
}

// AllInstalledLocations iterates over the company's locations from q.Skip or q.After on, and reads them with
// [OAuthService.InstalledLocations] page by page. It yields an error once, with a nil location, and stops. q is copied.
func (s *OAuthService) AllInstalledLocations(
	ctx context.Context, q *InstalledLocationsQuery, opts ...CallOption,
) iter.Seq2[*InstalledLocation, error] {
	first, opts := *orZero(q), slices.Clone(opts)
	first.IsInstalled, first.OnTrial = clonePointer(first.IsInstalled), clonePointer(first.OnTrial)
	list := func(p *InstalledLocationsPage) []*InstalledLocation { return p.Locations }
	return func(yield func(*InstalledLocation, error) bool) {
		next := first
		if s.client.version != VersionV3 {
			each(pagesUntilEmpty(opOAuthInstalledLocations, list, func() (*InstalledLocationsPage, int, error) {
				page, size, err := s.installed(ctx, &next, opts)
				next.Skip += size
				return page, size, err
			}), list)(yield)
			return
		}
		each(pages(first.After, opOAuthInstalledLocations, func(after Cursor) (*InstalledLocationsPage, Cursor, error) {
			next.After = after
			page, _, err := s.installed(ctx, &next, opts)
			if err != nil {
				return nil, "", err
			}
			return page, page.Next, nil
		}), list)(yield)
	}
}
