package ghl

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// SearchRequest is a search of the location's contacts. The zero value finds all, in pages of 500.
//
// The search reads an index that lags behind changes by some seconds: what must be seen at once is read with
// [ContactsService.Get] or [ContactsService.List].
type SearchRequest struct {
	// PageLimit is the size of a page, 1 to 500; 0 means 500.
	PageLimit int
	// Page is the number of a page from 1 on; Page × PageLimit is at most 10,000. Beyond that, and for anything that is read to
	// its end, use After.
	Page int
	// After continues behind a cursor: [SearchPage.Next] or the [Contact.Cursor] of a contact. Not together with Page.
	After Cursor
	// Query is text of at most 75 characters to look for.
	Query string
	// Filters must all hold; see [AllOf] and [AnyOf] for other combinations.
	Filters []Filter
	// Sort is by at most two fields.
	Sort []Sort
}

const (
	maxPageLimit   = 500
	maxSearchDepth = 10000
	maxSearchText  = 75
	maxSorts       = 2
)

func (r *SearchRequest) check() error {
	limit := r.limit()
	switch {
	case limit < 1 || limit > maxPageLimit:
		return badInputf("PageLimit", "a page holds 1 to %d contacts", maxPageLimit)
	case r.Page < 0:
		return badInputf("Page", "pages count from 1")
	case r.Page > 0 && r.After != "":
		return badInputf("Page", "Page and After exclude each other")
	case r.Page > maxSearchDepth/limit:
		return badInputf("Page", "Page × PageLimit is at most %d; use After beyond that", maxSearchDepth)
	case utf8.RuneCountInString(r.Query) > maxSearchText:
		return badInputf("Query", "a query has at most %d characters", maxSearchText)
	case len(r.Sort) > maxSorts:
		return badInputf("Sort", "a search sorts by at most %d fields", maxSorts)
	}
	for _, s := range r.Sort {
		if !slices.Contains(sortFields, s.Field) {
			return badInputf("Sort", "a search cannot sort by %q", clip(string(s.Field), 80))
		}
	}
	for _, f := range r.Filters {
		if err := f.check(); err != nil {
			return err
		}
	}
	return r.After.check()
}

func (r *SearchRequest) limit() int {
	if r.PageLimit == 0 {
		return maxPageLimit
	}
	return r.PageLimit
}

func (r *SearchRequest) wire(to target) any {
	return struct {
		LocationID  string          `json:"locationId"`
		PageLimit   int             `json:"pageLimit"`
		Page        int             `json:"page,omitempty"`
		SearchAfter json.RawMessage `json:"searchAfter,omitempty"`
		Query       string          `json:"query,omitempty"`
		Filters     []Filter        `json:"filters,omitempty"`
		Sort        []Sort          `json:"sort,omitempty"`
	}{to.location, r.limit(), r.Page, json.RawMessage(r.After), r.Query, r.Filters, r.Sort}
}

// SearchPage is a page of found contacts.
type SearchPage struct {
	Contacts []*Contact
	// Total is how many were found on all pages.
	Total int
	// Next continues behind this page; "" on the last one, which is the first that is not full. It may be stored, and holds
	// for the same filters and order.
	Next Cursor
}

// Search reads one page of the contacts that match: POST /contacts/search, scope contacts.readonly. in may be nil.
func (s *ContactsService) Search(ctx context.Context, in *SearchRequest, opts ...CallOption) (*SearchPage, error) {
	in = orZero(in)
	page, size, err := s.page(ctx, request{op: opContactsSearch, in: in}, opts)
	if err != nil {
		return nil, err
	}
	found := &SearchPage{Contacts: page.Contacts, Total: page.Total}
	if n := len(page.Contacts); n > 0 && size >= in.limit() {
		found.Next = page.Contacts[n-1].Cursor // the last page has one too, so only a full page goes on
	}
	return found, nil
}

// SearchAll reads every contact that matches, page by page, from in.After on. A failure is yielded once, with a nil contact,
// and ends it. in may be nil and is copied; Page must be 0.
func (s *ContactsService) SearchAll(ctx context.Context, in *SearchRequest, opts ...CallOption) iter.Seq2[*Contact, error] {
	return each(s.SearchPages(ctx, in, opts...), func(p *SearchPage) []*Contact { return p.Contacts })
}

// SearchPages is [ContactsService.SearchAll] by page. Store the page's Next to go on later.
func (s *ContactsService) SearchPages(ctx context.Context, in *SearchRequest, opts ...CallOption) iter.Seq2[*SearchPage, error] {
	first := *orZero(in)
	first.Filters, first.Sort = slices.Clone(first.Filters), slices.Clone(first.Sort)
	return pages(first.After, opContactsSearch, func(after Cursor) (*SearchPage, Cursor, error) {
		in := first
		if in.Page != 0 {
			return nil, "", badInputf("Page", "a search through all pages begins with After, not with Page")
		}
		in.After = after
		page, err := s.Search(ctx, &in, opts...)
		if err != nil {
			return nil, "", err
		}
		return page, page.Next, nil
	})
}

// Sort orders found contacts by a field.
type Sort struct {
	Field SearchField `json:"field"`
	// Direction is [Ascending] or [Descending]; "" means ascending.
	Direction Direction `json:"direction"`
}

// Direction is the direction of a sort.
type Direction string

// The directions of a sort.
const (
	Ascending  Direction = "asc"
	Descending Direction = "desc"
)

// MarshalText writes the direction; "" is ascending.
func (d Direction) MarshalText() ([]byte, error) {
	if d == "" {
		d = Ascending
	}
	return []byte(d), nil
}

// SearchField is a field that a search can filter by. Its methods make filters:
//
//	ghl.FieldEmail.Eq("ada@example.com")
//	ghl.FieldDateUpdated.Range(ghl.Range{GTE: since})
type SearchField string

// The fields that the API documents for filters. Sorting takes FirstName, LastName, BusinessName, DateAdded, DateUpdated,
// Email, DND and Source.
const (
	FieldID                   SearchField = "id"
	FieldContactName          SearchField = "contactName"
	FieldAddress              SearchField = "address"
	FieldAssignedTo           SearchField = "assignedTo"
	FieldBusinessName         SearchField = "businessName"
	FieldCity                 SearchField = "city"
	FieldCountry              SearchField = "country"
	FieldCompanyName          SearchField = "companyName"
	FieldDateAdded            SearchField = "dateAdded"
	FieldDateUpdated          SearchField = "dateUpdated"
	FieldDateOfBirth          SearchField = "dateOfBirth"
	FieldDND                  SearchField = "dnd"
	FieldEmail                SearchField = "email"
	FieldFollowers            SearchField = "followers"
	FieldFirstName            SearchField = "firstNameLowerCase" // give names in lower case
	FieldLastName             SearchField = "lastNameLowerCase"
	FieldIsValidWhatsApp      SearchField = "isValidWhatsapp"
	FieldPhone                SearchField = "phone"
	FieldPostalCode           SearchField = "postalCode"
	FieldSource               SearchField = "source"
	FieldState                SearchField = "state"
	FieldTags                 SearchField = "tags"
	FieldTimezone             SearchField = "timezone"
	FieldType                 SearchField = "type"
	FieldValidEmail           SearchField = "validEmail"
	FieldWebsite              SearchField = "website"
	FieldLastEmailClickedDate SearchField = "lastEmailClickedDate"
	FieldLastEmailOpenedDate  SearchField = "lastEmailOpenedDate"
	FieldLastAppointment      SearchField = "lastAppointment"
	FieldActiveWorkflows      SearchField = "activeWorkflows"
	FieldFinishedWorkflows    SearchField = "finishedWorkflows"
	FieldOpportunities        SearchField = "opportunities" // takes Nested
)

// FieldCustom is a custom field, by its id: the API does not take its key here.
func FieldCustom(fieldID string) SearchField { return SearchField(customFieldPrefix + fieldID) }

const customFieldPrefix = "customFields."

var (
	dateFields = []SearchField{FieldDateAdded, FieldDateUpdated, FieldDateOfBirth, FieldLastEmailClickedDate, FieldLastEmailOpenedDate, FieldLastAppointment}
	sortFields = []SearchField{FieldFirstName, FieldLastName, FieldBusinessName, FieldDateAdded, FieldDateUpdated, FieldEmail, FieldDND, FieldSource}
)

// Filter is a condition of a search. Make one with the methods of [SearchField], or combine some with [AllOf] and [AnyOf].
type Filter struct {
	field    SearchField
	operator string
	value    any
	group    string
	filters  []Filter
}

// Eq holds where the field is the value: a text, number or boolean, or a list of which one must match.
func (f SearchField) Eq(value any) Filter { return Filter{field: f, operator: "eq", value: value} }

// NotEq holds where it is not.
func (f SearchField) NotEq(value any) Filter {
	return Filter{field: f, operator: "not_eq", value: value}
}

// Contains holds where the field has the text in it, or the list has the value.
func (f SearchField) Contains(value any) Filter {
	return Filter{field: f, operator: "contains", value: value}
}

// NotContains holds where it has not.
func (f SearchField) NotContains(value any) Filter {
	return Filter{field: f, operator: "not_contains", value: value}
}

// Exists holds where the field has a value.
func (f SearchField) Exists() Filter { return Filter{field: f, operator: "exists"} }

// NotExists holds where it has none.
func (f SearchField) NotExists() Filter { return Filter{field: f, operator: "not_exists"} }

// Range holds where the field lies between bounds. Dates know no other comparison.
func (f SearchField) Range(bounds Range) Filter {
	return Filter{field: f, operator: "range", value: bounds}
}

// Nested holds where one opportunity of the contact meets all filters, whose fields are those of an opportunity, such as
// SearchField("pipelineId").
func (f SearchField) Nested(filters ...Filter) Filter {
	return Filter{field: f, operator: "nested", filters: slices.Clone(filters)}
}

// AllOf holds where all filters do.
func AllOf(filters ...Filter) Filter { return Filter{group: "AND", filters: slices.Clone(filters)} }

// AnyOf holds where one of the filters does.
func AnyOf(filters ...Filter) Filter { return Filter{group: "OR", filters: slices.Clone(filters)} }

// Range is a pair of bounds: times (time.Time, sent in UTC to the millisecond), numbers or texts; nil is unbounded.
type Range struct {
	GT, GTE, LT, LTE any
}

// MarshalJSON writes the bounds that are set.
func (r Range) MarshalJSON() ([]byte, error) {
	bounds := map[string]any{}
	for name, v := range map[string]any{"gt": r.GT, "gte": r.GTE, "lt": r.LT, "lte": r.LTE} {
		if v != nil {
			bounds[name] = searchValue(v)
		}
	}
	return json.Marshal(bounds)
}

// searchValue writes times as the API reads them.
func searchValue(v any) any {
	switch t := v.(type) {
	case time.Time:
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	case Time:
		if at, ok := t.Instant(); ok {
			return searchValue(at)
		}
		return t.Raw()
	}
	return v
}

// MarshalJSON writes the filter as the API reads it.
func (f Filter) MarshalJSON() ([]byte, error) {
	switch {
	case f.group != "":
		return json.Marshal(struct {
			Group   string   `json:"group"`
			Filters []Filter `json:"filters"`
		}{f.group, f.filters})
	case f.operator == "nested":
		return json.Marshal(struct {
			Field    SearchField `json:"field"`
			Operator string      `json:"operator"`
			Value    []Filter    `json:"value"`
		}{f.field, f.operator, f.filters})
	}
	return json.Marshal(struct {
		Field    SearchField `json:"field"`
		Operator string      `json:"operator"`
		Value    any         `json:"value,omitempty"`
	}{f.field, f.operator, f.wireValue()})
}

// wireValue keeps a false or a zero from being left out.
func (f Filter) wireValue() any {
	if f.operator == "exists" || f.operator == "not_exists" {
		return nil
	}
	v, err := json.Marshal(searchValue(f.value))
	if err != nil {
		return f.value // its error comes out where the filter is written
	}
	return json.RawMessage(v)
}

func (f Filter) check() error {
	if f.group != "" || f.operator == "nested" {
		if len(f.filters) == 0 {
			return badInputf("Filters", "a group of filters is empty")
		}
		if f.operator == "nested" && f.field != FieldOpportunities {
			return badInputf("Filters", "only opportunities are nested")
		}
		for _, inner := range f.filters {
			if err := inner.check(); err != nil {
				return err
			}
		}
		return nil
	}
	name := clip(string(f.field), 80)
	id, custom := strings.CutPrefix(string(f.field), customFieldPrefix)
	switch {
	case f.field == "" || f.operator == "":
		return badInputf("Filters", "a filter has no field; make it with a method of a SearchField")
	case custom && checkID("Filters", id) != nil:
		return badInputf("Filters", "a custom field is named by its id")
	case slices.Contains(dateFields, f.field) && f.operator != "range" && !strings.HasSuffix(f.operator, "exists"):
		return badInputf("Filters", "%s is a date, which takes only Range, Exists and NotExists", name)
	}
	bounds, ranged := f.value.(Range)
	if ranged && bounds == (Range{}) {
		return badInputf("Filters", "the range of %s has no bound", name)
	}
	if f.value == nil && f.operator != "exists" && f.operator != "not_exists" {
		return badInputf("Filters", "the filter of %s has no value; to look for none, use NotExists", name)
	}
	for _, text := range filterTexts(f.value) {
		if utf8.RuneCountInString(text) > maxSearchText {
			return badInputf("Filters", "the value of %s has more than %d characters", name, maxSearchText)
		}
	}
	return nil
}

func filterTexts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, filterTexts(e)...)
		}
		return list
	case Range:
		return filterTexts([]any{v.GT, v.GTE, v.LT, v.LTE})
	}
	return nil
}
