package ghl

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pluvo/ghl/internal/lenient"
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
	page, _, err := s.search(ctx, orZero(in), opts)
	return page, err
}

// search reads a page. size counts what is on it, also what is no record.
func (s *ContactsService) search(ctx context.Context, in *SearchRequest, opts []CallOption) (found *SearchPage, size int, err error) {
	page, size, err := s.page(ctx, request{op: opContactsSearch, in: in}, opts)
	if err != nil {
		return nil, 0, err
	}
	found = &SearchPage{Contacts: page.Contacts, Total: page.Total}
	if n := len(page.Contacts); n > 0 && size >= in.limit() {
		found.Next = page.Contacts[n-1].Cursor // the last page has one too, so only a full page goes on
	}
	return found, size, nil
}

// SearchAll reads every contact that matches, page by page, from in.After on. A failure is yielded once, with a nil contact,
// and ends it. in may be nil and is copied; Page must be 0.
func (s *ContactsService) SearchAll(ctx context.Context, in *SearchRequest, opts ...CallOption) iter.Seq2[*Contact, error] {
	return each(s.SearchPages(ctx, in, opts...), func(p *SearchPage) []*Contact { return p.Contacts })
}

// SearchPages is [ContactsService.SearchAll] by page. Store the page's Next to go on later.
func (s *ContactsService) SearchPages(ctx context.Context, in *SearchRequest, opts ...CallOption) iter.Seq2[*SearchPage, error] {
	first, opts := *orZero(in), slices.Clone(opts)
	first.Filters, first.Sort = slices.Clone(first.Filters), slices.Clone(first.Sort)
	return pages(first.After, opContactsSearch, func(after Cursor) (*SearchPage, Cursor, error) {
		in := first
		if in.Page != 0 {
			return nil, "", badInputf("Page", "a search through all pages begins with After, not with Page")
		}
		in.After = after
		page, size, err := s.search(ctx, &in, opts)
		switch {
		case err != nil:
			return nil, "", err
		case size >= in.limit() && page.Next == "" && page.Total > size:
			return nil, "", &Error{Operation: opContactsSearch.Name, Message: "a full page has no cursor to go on behind it; the list is not complete", categories: badResponse}
		}
		return page, page.Next, nil
	})
}

// Sort orders the contacts of a search by a field, in ascending order unless Descending is true.
type Sort struct {
	Field      SearchField
	Descending bool
}

// MarshalJSON writes the sort in the form of the API.
func (s Sort) MarshalJSON() ([]byte, error) {
	direction := "asc"
	if s.Descending {
		direction = "desc"
	}
	return json.Marshal(struct {
		Field     SearchField `json:"field"`
		Direction string      `json:"direction"`
	}{s.Field, direction})
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
// It does not change: what it was made of may be used again.
type Filter struct {
	field    SearchField
	operator string
	value    json.RawMessage // nil where the operator takes none
	err      error           // of writing the value
	group    string
	filters  []Filter
}

func (f SearchField) filter(operator string, value any) Filter {
	data, err := json.Marshal(searchValue(value))
	return Filter{field: f, operator: operator, value: data, err: err}
}

// Eq holds where the field is the value: a text, number or boolean, or a list of which one must match.
func (f SearchField) Eq(value any) Filter { return f.filter("eq", value) }

// NotEq holds where it is not.
func (f SearchField) NotEq(value any) Filter { return f.filter("not_eq", value) }

// Contains holds where the field has the text in it, or the list has the value.
func (f SearchField) Contains(value any) Filter { return f.filter("contains", value) }

// NotContains holds where it has not.
func (f SearchField) NotContains(value any) Filter { return f.filter("not_contains", value) }

// Exists holds where the field has a value.
func (f SearchField) Exists() Filter { return Filter{field: f, operator: "exists"} }

// NotExists holds where it has none.
func (f SearchField) NotExists() Filter { return Filter{field: f, operator: "not_exists"} }

// Range holds where the field lies between bounds. Dates know no other comparison.
func (f SearchField) Range(bounds Range) Filter { return f.filter("range", bounds) }

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
	if f.err != nil {
		return nil, f.err
	}
	return json.Marshal(struct {
		Field    SearchField     `json:"field"`
		Operator string          `json:"operator"`
		Value    json.RawMessage `json:"value,omitempty"`
	}{f.field, f.operator, f.value})
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
	exists := f.operator == "exists" || f.operator == "not_exists"
	id, custom := strings.CutPrefix(string(f.field), customFieldPrefix)
	switch {
	case f.field == "" || f.operator == "":
		return badInputf("Filters", "a filter has no field; make it with a method of a SearchField")
	case custom && (checkID("Filters", id) != nil || strings.Contains(id, ".")):
		return badInputf("Filters", "a custom field is named by its id, not by its key")
	case slices.Contains(dateFields, f.field) && f.operator != "range" && !exists:
		return f.refused("is a date, which takes only Range, Exists and NotExists")
	case exists:
		return nil
	}
	return f.checkValue()
}

// checkValue: a value is a text, a number or a boolean, a list of them, or with range an object of them.
func (f Filter) checkValue() error {
	values := 0
	one := func(value []byte) error {
		values++
		if value[0] == '{' || value[0] == '[' || value[0] == 'n' || f.operator == "range" && string(value) == `""` {
			return f.refused("is compared with something that is no text, number, boolean or time")
		}
		if text, _ := lenient.Scalar(value); utf8.RuneCountInString(text) > maxSearchText {
			return f.refused("has a value of more than " + strconv.Itoa(maxSearchText) + " characters")
		}
		return nil
	}
	var err error
	switch {
	case f.err != nil:
		return f.refused("has a value that cannot be written as JSON")
	case string(f.value) == "null":
	case f.operator == "range":
		err = lenient.EachField(f.value, func(_, value []byte) error { return one(value) })
	case f.value[0] == '[':
		err = lenient.EachElement(f.value, one)
	default:
		err = one(f.value)
	}
	if err == nil && values == 0 {
		return f.refused("has no value; to look for none, use NotExists")
	}
	return err
}

func (f Filter) refused(why string) error {
	return badInputf("Filters", "%s %s", clip(string(f.field), 80), why)
}
