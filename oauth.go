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

func (l *InstalledLocation) element() (id string, position Cursor) { return l.ID, "" }

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
	if list, _, _ := q.After.split(); list != "" { // of contacts
		return otherList()
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
	// Next is the cursor of the next page, the server's text; "" on the last one, and always with Version20210728.
	Next Cursor
}

// InstalledLocations returns one page of the company's locations, with and without the app: GET
// /oauth/installedLocations (installed-locations in v3), scope oauth.readonly. The client needs the company's
// token. With VersionV3 the error is [ErrBadResponse] if locations follow the page but the answer has no token that
// leads to them.
func (s *OAuthService) InstalledLocations(
	ctx context.Context, q *InstalledLocationsQuery, opts ...CallOption,
) (*InstalledLocationsPage, error) {
	page, info, err := s.installed(ctx, q, opts)
	if err == nil {
		page.Next, err = s.installedEnd(orZero(q)).next(info, "") // a token may repeat
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (s *OAuthService) installedEnd(q *InstalledLocationsQuery) listEnd {
	return listEnd{op: opOAuthInstalledLocations, bySkip: s.client.version != VersionV3, counted: q.After == "",
		read: q.Skip}
}

// installed reads a page.
func (s *OAuthService) installed(
	ctx context.Context, q *InstalledLocationsQuery, opts []CallOption,
) (page *InstalledLocationsPage, info pageInfo, err error) {
	page = new(InstalledLocationsPage)
	r := request{op: opOAuthInstalledLocations, query: q.values(s.client.version)}
	err = s.client.do(ctx, r, func(k *call, body []byte) (err error) {
		if page.Locations, err = records[InstalledLocation](k, body); err != nil {
			return err
		}
		info.size, info.skipped = len(page.Locations)+len(k.skipped), k.skipped
		var head struct {
			Count      int  `json:"count"`
			ToFuture   bool `json:"installToFutureLocations"`
			Pagination struct {
				TotalRecords  int    `json:"totalRecords"`
				HasNextPage   *bool  `json:"hasNextPage"`
				NextPageToken string `json:"nextPageToken"`
			} `json:"pagination"`
		}
		if err := lenient.Unmarshal(body, &head); err != nil {
			return err
		}
		paging := &head.Pagination
		page.Total, page.InstallToFutureLocations = max(head.Count, paging.TotalRecords, 0), head.ToFuture
		// count is also documented as the number of all locations of the company
		info.total = totalOf(paging.TotalRecords, head.Count, info.size)
		if s.client.version == VersionV3 {
			info.total = max(paging.TotalRecords, 0)
			info.next = Cursor(paging.NextPageToken)
			info.last = paging.HasNextPage != nil && !*paging.HasNextPage
			info.vague = paging.HasNextPage == nil && info.total == 0
		}
		return nil
	}, append([]CallOption{checked(versionedInstalledQuery{q, s.client.version})}, opts...))
	if err != nil {
		return nil, pageInfo{}, err
	}
	return page, info, nil
}

// AllInstalledLocations iterates over the company's locations from q.Skip or q.After on, and reads them with
// [OAuthService.InstalledLocations] page by page. It yields an error once, with a nil location, and stops. q is copied.
func (s *OAuthService) AllInstalledLocations(
	ctx context.Context, q *InstalledLocationsQuery, opts ...CallOption,
) iter.Seq2[*InstalledLocation, error] {
	first, opts := *orZero(q), slices.Clone(opts)
	first.IsInstalled, first.OnTrial = clonePointer(first.IsInstalled), clonePointer(first.OnTrial)
	locations := func(p *InstalledLocationsPage) []*InstalledLocation { return p.Locations }
	return each(pager[*InstalledLocationsPage, *InstalledLocation]{
		end: s.installedEnd(&first), after: first.After,
		read: func(after Cursor, skip int) (*InstalledLocationsPage, pageInfo, error) {
			q := first
			if q.After = after; s.client.version != VersionV3 {
				q.Skip += skip
			}
			return s.installed(ctx, &q, opts)
		},
		records: locations,
	}.pages(), locations)
}
