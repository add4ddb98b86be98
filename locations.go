package ghl

import (
	"context"
	"net/url"
	"slices"
	"time"
)

// LocationsService reaches locations (sub-accounts) and what belongs to them.
type LocationsService service

// Location is a sub-account.
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
	// Timezone is an IANA name, such as "America/Chicago". Times without a zone are meant in it.
	Timezone string            `json:"timezone,omitempty"`
	Business *LocationBusiness `json:"business,omitempty"`
	Social   *LocationSocial   `json:"social,omitempty"`
	Settings *LocationSettings `json:"settings,omitempty"`
	Reseller map[string]any    `json:"reseller,omitempty"`
	Extra    Extra             `json:"-"`
}

// TimeLocation returns the location's time zone, for [Time.In]. An unknown or missing one is an error; a program that runs
// where no zones are installed imports time/tzdata.
func (l *Location) TimeLocation() (*time.Location, error) {
	zone := l.Timezone
	if zone == "" && l.Business != nil {
		zone = l.Business.Timezone
	}
	if zone == "" {
		return nil, &Error{Operation: opLocationsGet.Name, Message: "the location has no time zone", categories: badResponse}
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, &Error{Operation: opLocationsGet.Name, Message: "the location's time zone is unknown here", cause: err, categories: badResponse}
	}
	return loc, nil
}

// LocationBusiness is the business of a location.
type LocationBusiness struct {
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
}

// LocationSocial are the location's pages elsewhere.
type LocationSocial struct {
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
}

// LocationSettings decide how a location treats duplicates.
type LocationSettings struct {
	AllowDuplicateContact     bool  `json:"allowDuplicateContact,omitempty"`
	AllowDuplicateOpportunity bool  `json:"allowDuplicateOpportunity,omitempty"`
	AllowFacebookNameMerge    bool  `json:"allowFacebookNameMerge,omitempty"`
	DisableContactTimezone    bool  `json:"disableContactTimezone,omitempty"`
	Extra                     Extra `json:"-"`
}

// LocationTag is a tag that a location knows.
type LocationTag struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	LocationID string `json:"locationId,omitempty"`
	Extra      Extra  `json:"-"`
}

// Get reads a location: GET /locations/{locationId}, scope locations.readonly. The client's own is [Client.Location].
func (s *LocationsService) Get(ctx context.Context, locationID string, opts ...CallOption) (*Location, error) {
	return one[Location](ctx, s.client, request{op: opLocationsGet}, at(locationID, opts))
}

// CustomFields reads the definitions of a location's custom fields for contacts: GET /locations/{locationId}/customFields,
// scope locations/customFields.readonly. [NewCustomFieldResolver] finds among them.
func (s *LocationsService) CustomFields(ctx context.Context, locationID string, opts ...CallOption) ([]*CustomFieldDefinition, error) {
	return many[CustomFieldDefinition](ctx, s.client, request{op: opLocationsCustomFields, query: url.Values{"model": {"contact"}}}, at(locationID, opts))
}

// CustomFieldResolver reads the definitions and makes a resolver of them, which finds a custom field by key or id.
func (s *LocationsService) CustomFieldResolver(ctx context.Context, locationID string, opts ...CallOption) (*CustomFieldResolver, error) {
	definitions, err := s.CustomFields(ctx, locationID, opts...)
	if err != nil {
		return nil, err
	}
	return NewCustomFieldResolver(definitions), nil
}

// Tags reads the tags that a location knows: GET /locations/{locationId}/tags, scope locations/tags.readonly.
func (s *LocationsService) Tags(ctx context.Context, locationID string, opts ...CallOption) ([]*LocationTag, error) {
	return many[LocationTag](ctx, s.client, request{op: opLocationsTags}, at(locationID, opts))
}

// at makes a call about a location. What the method is given wins over an option.
func at(locationID string, opts []CallOption) []CallOption {
	return append(slices.Clone(opts), CallLocation(locationID))
}
