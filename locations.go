package ghl

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"
)

// LocationsService reads locations (sub-accounts), their custom fields and their tags. An empty locationID means the
// location of the call: that of [CallLocation], or else the client's own. A locationID that is not empty has priority
// over both.
type LocationsService service

// Location is a sub-account of an agency.
type Location struct {
	ID         string `json:"id"`
	CompanyID  string `json:"companyId,omitempty"`
	Name       string `json:"name,omitempty"`
	Domain     string `json:"domain,omitempty"`
	FirstName  string `json:"firstName,omitempty"`
	LastName   string `json:"lastName,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	Address    string `json:"address,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"country,omitempty"`
	Website    string `json:"website,omitempty"`
	LogoURL    string `json:"logoUrl,omitempty"`
	// Timezone is an IANA name, such as "America/Chicago". Times without a zone are local to it.
	Timezone string `json:"timezone,omitempty"`
	Business struct {
		Name       string `json:"name,omitempty"`
		Address    string `json:"address,omitempty"`
		City       string `json:"city,omitempty"`
		State      string `json:"state,omitempty"`
		Country    string `json:"country,omitempty"`
		PostalCode string `json:"postalCode,omitempty"`
		Website    string `json:"website,omitempty"`
		Timezone   string `json:"timezone,omitempty"`
		LogoURL    string `json:"logoUrl,omitempty"`
		Extra      Extra  `json:"-"`
	} `json:"business,omitzero"`
	// Social holds the addresses or names of the location's pages in social networks.
	Social struct {
		FacebookURL    string `json:"facebookUrl,omitempty"`
		GooglePlus     string `json:"googlePlus,omitempty"`
		LinkedIn       string `json:"linkedIn,omitempty"`
		Foursquare     string `json:"foursquare,omitempty"`
		Twitter        string `json:"twitter,omitempty"`
		Yelp           string `json:"yelp,omitempty"`
		Instagram      string `json:"instagram,omitempty"`
		YouTube        string `json:"youtube,omitempty"`
		Pinterest      string `json:"pinterest,omitempty"`
		BlogRSS        string `json:"blogRss,omitempty"`
		GooglePlacesID string `json:"googlePlacesId,omitempty"`
		Extra          Extra  `json:"-"`
	} `json:"social,omitzero"`
	Settings struct {
		AllowDuplicateContact     bool  `json:"allowDuplicateContact,omitempty"`
		AllowDuplicateOpportunity bool  `json:"allowDuplicateOpportunity,omitempty"`
		AllowFacebookNameMerge    bool  `json:"allowFacebookNameMerge,omitempty"`
		DisableContactTimezone    bool  `json:"disableContactTimezone,omitempty"`
		Extra                     Extra `json:"-"`
	} `json:"settings,omitzero"`
	Reseller map[string]any `json:"reseller,omitempty"`
	Extra    Extra          `json:"-"`
}

// TimeLocation returns the location's time zone, for [Time.In]. It fails if the location has no time zone or the
// system does not know it. Import time/tzdata in programs for systems without a time zone database.
func (l *Location) TimeLocation() (*time.Location, error) {
	zone := cmp.Or(l.Timezone, l.Business.Timezone)
	if zone == "" {
		return nil, &Error{Operation: opLocationsGet.Name, Message: "the location has no time zone",
			categories: badResponse}
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, &Error{Operation: opLocationsGet.Name,
			Message: "the location's time zone is not known to this system", cause: err, categories: badResponse}
	}
	return loc, nil
}

// LocationTag is a tag that is defined in a location.
type LocationTag struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	LocationID string `json:"locationId,omitempty"`
	Extra      Extra  `json:"-"`
}

// Get returns a location: GET /locations/{locationId}, scope locations.readonly.
func (s *LocationsService) Get(ctx context.Context, locationID string, opts ...CallOption) (*Location, error) {
	return one[Location](ctx, s.client, request{op: opLocationsGet}, at(locationID, opts))
}

// CustomFields returns the definitions of a location's custom fields for contacts: GET
// /locations/{locationId}/customFields, scope locations/customFields.readonly.
func (s *LocationsService) CustomFields(
	ctx context.Context, locationID string, opts ...CallOption,
) ([]*CustomFieldDefinition, error) {
	r := request{op: opLocationsCustomFields, query: url.Values{"model": {"contact"}}}
	return many[CustomFieldDefinition](ctx, s.client, r, at(locationID, opts))
}

// CustomFieldResolver returns a resolver of the definitions that [LocationsService.CustomFields] returns.
func (s *LocationsService) CustomFieldResolver(
	ctx context.Context, locationID string, opts ...CallOption,
) (*CustomFieldResolver, error) {
	definitions, err := s.CustomFields(ctx, locationID, opts...)
	if err != nil {
		return nil, err
	}
	return NewCustomFieldResolver(definitions), nil
}

// Tags returns the tags that are defined in a location: GET /locations/{locationId}/tags, scope
// locations/tags.readonly.
func (s *LocationsService) Tags(ctx context.Context, locationID string, opts ...CallOption) ([]*LocationTag, error) {
	return many[LocationTag](ctx, s.client, request{op: opLocationsTags}, at(locationID, opts))
}

// at adds the location of a method's argument to opts, where it has priority over CallLocation. "" adds nothing.
func at(locationID string, opts []CallOption) []CallOption {
	if locationID == "" {
		return opts
	}
	return append(slices.Clone(opts), CallLocation(locationID))
}
