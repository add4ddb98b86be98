package ghl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pluvo/ghl/internal/lenient"
	"github.com/pluvo/ghl/internal/redact"
)

// SearchRequest is the input of [ContactsService.Search]. The zero value means the first page of all contacts.
//
// The search uses an index that lags some seconds behind changes. [ContactsService.Get] and [ContactsService.List]
// show changes immediately.
type SearchRequest struct {
	// PageLimit is the size of a page, 1 to 500. 0 means 500.
	PageLimit int
	// Page is the number of a page, from 1. Page × PageLimit is at most 10,000: to read more, or all, use After.
	Page int
	// After resumes after a cursor: [SearchPage.Next] or the [Contact.Cursor] of a contact. It cannot be combined
	// with Page.
	After Cursor
	// Query is a text to find, of at most 75 characters.
	Query string
	// Filters are conditions that must all hold. [AllOf] and [AnyOf] combine filters.
	Filters []Filter
	// Sort orders the contacts by at most two fields, in ascending order or, with [SearchField.Desc], in descending
	// order.
	Sort []SearchField
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
		return badInputf("PageLimit", "PageLimit must be 1 to %d", maxPageLimit)
	case r.Page < 0:
		return badInputf("Page", "Page must not be negative")
	case r.Page > 0 && r.After != "":
		return badInputf("Page", "Page and After cannot be combined")
	case r.Page > maxSearchDepth/limit:
		return badInputf("Page", "Page × PageLimit must be at most %d; use After beyond that", maxSearchDepth)
	case utf8.RuneCountInString(r.Query) > maxSearchText:
		return badInputf("Query", "Query must have at most %d characters", maxSearchText)
	case len(r.Sort) > maxSorts:
		return badInputf("Sort", "Sort must have at most %d elements", maxSorts)
	}
	for _, s := range r.Sort {
		if field := s.order().Field; !slices.Contains(sortFields, field) {
			return badInputf("Sort", "a search cannot sort by %q", redact.Clip(string(field), 80))
		}
	}
	for _, f := range r.Filters {
		if err := f.check(); err != nil {
			return err
		}
	}
	return r.After.check(listSearch)
}

func (r *SearchRequest) limit() int {
	if r.PageLimit == 0 {
		return maxPageLimit
	}
	return r.PageLimit
}

func (r *SearchRequest) wire(to target) any {
	after := json.RawMessage(r.After.position())
	return struct {
		LocationID  string          `json:"locationId"`
		PageLimit   int             `json:"pageLimit"`
		Page        int             `json:"page,omitempty"`
		SearchAfter json.RawMessage `json:"searchAfter,omitempty"`
		Query       string          `json:"query,omitempty"`
		Filters     []Filter        `json:"filters,omitempty"`
		Sort        []sortOrder     `json:"sort,omitempty"`
	}{to.location, r.limit(), r.Page, after, r.Query, r.Filters, wireAs(r.Sort, SearchField.order)}
}

// SearchPage is one page of the contacts that a search found.
type SearchPage struct {
	Contacts []*Contact
	// Total is the number of contacts on all pages; 0 if unknown.
	Total int
	// Next is the cursor of the next page. It is "" only at the end of the list: on an empty page, on the page that
	// reaches Total, or if the answer has neither cursors nor a total. If the request has a Page, it is also "" for
	// contacts without cursors. It may be stored, and is valid for the same order.
	Next Cursor
}

// Search returns one page of the contacts that match: POST /contacts/search, scope contacts.readonly. in may be nil.
// The error is [ErrBadResponse] if contacts follow the page but the answer has no cursor that leads to them, unless
// in.Page is set.
func (s *ContactsService) Search(ctx context.Context, in *SearchRequest, opts ...CallOption) (*SearchPage, error) {
	in = orZero(in)
	page, info, err := s.search(ctx, in, opts)
	if err == nil {
		page.Next, err = in.end().next(info, in.After)
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

// end returns what is known of the list before its page. The cursor of a search has no counts: in any order but one,
// new contacts could be among those that follow.
func (r *SearchRequest) end() listEnd {
	return listEnd{op: opContactsSearch, bySkip: r.Page > 0, counted: r.Page <= 1 && r.After == ""}
}

// order returns the sort fields as text.
func (r *SearchRequest) order() string {
	fields := make([]string, len(r.Sort))
	for i, field := range r.Sort {
		fields[i] = string(field)
	}
	return strings.Join(fields, ",")
}

// search reads a page.
func (s *ContactsService) search(
	ctx context.Context, in *SearchRequest, opts []CallOption,
) (*SearchPage, pageInfo, error) {
	of := contactList{kind: listSearch, within: in.order(), after: in.After}
	page, info, err := s.page(ctx, request{op: opContactsSearch, in: in}, of, opts)
	if err != nil {
		return nil, pageInfo{}, err
	}
	info.full = info.size >= in.limit()
	return &SearchPage{Contacts: page.Contacts, Total: page.Total}, info, nil
}

// SearchAll iterates over the contacts that match, from in.After on, and reads them with [ContactsService.Search]
// page by page. It yields an error once, with a nil contact, and stops. in may be nil and is copied; Page must be
// 0.
func (s *ContactsService) SearchAll(
	ctx context.Context, in *SearchRequest, opts ...CallOption,
) iter.Seq2[*Contact, error] {
	return each(s.SearchPages(ctx, in, opts...), found)
}

// SearchPages is [ContactsService.SearchAll] by page. Store a page's Next to resume later. The last page may be empty.
func (s *ContactsService) SearchPages(
	ctx context.Context, in *SearchRequest, opts ...CallOption,
) iter.Seq2[*SearchPage, error] {
	first, opts := *orZero(in), slices.Clone(opts)
	first.Filters, first.Sort = slices.Clone(first.Filters), slices.Clone(first.Sort)
	return pager[*SearchPage, *Contact]{
		end: first.end(), after: first.After,
		read: func(after Cursor, _ int) (*SearchPage, pageInfo, error) {
			in := first
			if in.Page != 0 {
				return nil, pageInfo{}, badInputf("Page", "a search of all pages starts at After; Page must be 0")
			}
			in.After = after
			return s.search(ctx, &in, opts)
		},
		records: found, setNext: func(p *SearchPage, next Cursor) { p.Next = next },
	}.pages()
}

func found(p *SearchPage) []*Contact { return p.Contacts }

// SearchField is a field that a search can filter or sort by. Its methods return filters:
//
//	ghl.FieldEmail.Eq("ada@example.com")
//	ghl.FieldDateUpdated.GTE(since)
type SearchField string

// The fields that the API documents for filters. A search can sort by FieldFirstName, FieldLastName, FieldBusinessName,
// FieldDateAdded, FieldDateUpdated, FieldEmail, FieldDND and FieldSource.
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
	FieldFirstName            SearchField = "firstNameLowerCase"
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
	FieldOpportunities        SearchField = "opportunities" // see SearchField.Nested
)

// Desc returns f for [SearchRequest.Sort] in descending order.
func (f SearchField) Desc() SearchField { return descending + f }

const descending = "-"

// sortOrder is a sort on the wire.
type sortOrder struct {
	Field     SearchField `json:"field"`
	Direction string      `json:"direction"`
}

func (f SearchField) order() sortOrder {
	if field, ok := strings.CutPrefix(string(f), descending); ok {
		return sortOrder{SearchField(field), "desc"}
	}
	return sortOrder{f, "asc"}
}

// FieldCustom returns the field of a custom field's values. It needs the custom field's id: the API does not accept
// the key.
func FieldCustom(fieldID string) SearchField { return SearchField(customFieldPrefix + fieldID) }

const customFieldPrefix = "customFields."

var (
	dateFields = []SearchField{
		FieldDateAdded, FieldDateUpdated, FieldDateOfBirth, FieldLastEmailClickedDate, FieldLastEmailOpenedDate,
		FieldLastAppointment,
	}
	lowerCaseFields = []SearchField{FieldTags, FieldFirstName, FieldLastName}
	sortFields      = []SearchField{
		FieldFirstName, FieldLastName, FieldBusinessName, FieldDateAdded, FieldDateUpdated, FieldEmail, FieldDND,
		FieldSource,
	}
)

// Filter is a condition of a search. The methods of [SearchField] return filters; [AllOf] and [AnyOf] combine them.
// A Filter is immutable.
//
// HighLevel stores tags in lower case and compares them exactly, so a filter sends the values of FieldTags, and of
// FieldFirstName and FieldLastName, in lower case.
type Filter struct {
	field    SearchField
	operator string
	value    json.RawMessage // nil for operators without a value
	bounds   map[string]any  // of a range, by operator; value holds them as JSON
	err      error           // from writing the value as JSON
	group    string
	filters  []Filter
}

func (f SearchField) filter(operator string, value any) Filter {
	data, err := f.encode(searchValue(value))
	return Filter{field: f, operator: operator, value: data, err: err}
}

// encode returns the JSON of a value to compare the field with. Its texts are in lower case for a field that HighLevel
// stores in lower case.
func (f SearchField) encode(value any) (json.RawMessage, error) {
	data, err := json.Marshal(value)
	if err != nil || !slices.Contains(lowerCaseFields, f) {
		return data, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, err
	}
	return json.Marshal(lowerCase(decoded))
}

// lowerCase returns decoded JSON with its texts in lower case.
func lowerCase(value any) any {
	switch v := value.(type) {
	case string:
		return strings.ToLower(v)
	case []any:
		for i := range v {
			v[i] = lowerCase(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = lowerCase(v[name])
		}
	}
	return value
}

// Eq matches contacts with this value of the field. value is a string, a number or a bool, or a slice of these, one of
// which must match.
func (f SearchField) Eq(value any) Filter { return f.filter("eq", value) }

// NotEq matches contacts that Eq does not match.
func (f SearchField) NotEq(value any) Filter { return f.filter("not_eq", value) }

// Contains matches contacts with this text within the field, or this value in a list such as the tags.
func (f SearchField) Contains(value any) Filter { return f.filter("contains", value) }

// NotContains matches contacts that Contains does not match.
func (f SearchField) NotContains(value any) Filter { return f.filter("not_contains", value) }

// Exists matches contacts with a value of the field.
func (f SearchField) Exists() Filter { return Filter{field: f, operator: "exists"} }

// NotExists matches contacts without a value of the field.
func (f SearchField) NotExists() Filter { return Filter{field: f, operator: "not_exists"} }

// GT matches contacts with a value of the field after or greater than value: a time.Time (sent in UTC to the
// millisecond), a [Time], a number or a string. GT, GTE, LT and LTE are the only comparisons of dates. The methods of
// the same name of [Filter] add the other bound.
func (f SearchField) GT(value any) Filter { return f.bounded("gt", value) }

// GTE matches contacts with a value of the field at or after value, see GT.
func (f SearchField) GTE(value any) Filter { return f.bounded("gte", value) }

// LT matches contacts with a value of the field before or less than value, see GT.
func (f SearchField) LT(value any) Filter { return f.bounded("lt", value) }

// LTE matches contacts with a value of the field at or before value, see GT.
func (f SearchField) LTE(value any) Filter { return f.bounded("lte", value) }

func (f SearchField) bounded(operator string, value any) Filter {
	return Filter{field: f, operator: "range"}.bound(operator, value)
}

// GT returns f with a further bound, see [SearchField.GT]. f must come from GT, GTE, LT or LTE; any other filter makes
// the search fail with [ErrBadInput].
func (f Filter) GT(value any) Filter { return f.bound("gt", value) }

// GTE returns f with a further bound, see [Filter.GT].
func (f Filter) GTE(value any) Filter { return f.bound("gte", value) }

// LT returns f with a further bound, see [Filter.GT].
func (f Filter) LT(value any) Filter { return f.bound("lt", value) }

// LTE returns f with a further bound, see [Filter.GT].
func (f Filter) LTE(value any) Filter { return f.bound("lte", value) }

func (f Filter) bound(operator string, value any) Filter {
	if f.operator != "range" {
		f.err = errNotRange
		return f
	}
	bounds := map[string]any{operator: searchValue(value)}
	for earlier, value := range f.bounds {
		if earlier != operator {
			bounds[earlier] = value
		}
	}
	f.bounds = bounds
	f.value, f.err = f.field.encode(bounds)
	return f
}

var errNotRange = errors.New("only a filter made by GT, GTE, LT or LTE can have a further bound")

// Nested matches contacts with an opportunity that matches all filters. The filters use the fields of an
// opportunity, such as SearchField("pipelineId"). f must be FieldOpportunities.
func (f SearchField) Nested(filters ...Filter) Filter {
	return Filter{field: f, operator: "nested", filters: slices.Clone(filters)}
}

// AllOf matches contacts that match all filters.
func AllOf(filters ...Filter) Filter { return Filter{group: "AND", filters: slices.Clone(filters)} }

// AnyOf matches contacts that match at least one of the filters.
func AnyOf(filters ...Filter) Filter { return Filter{group: "OR", filters: slices.Clone(filters)} }

// searchValue returns a time in the form of the API, and any other value unchanged.
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

// MarshalJSON writes the filter in the form of the API. It fails if the value cannot be written as JSON.
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

// String returns the filter as text, such as `tags contains "vip"` or `(city eq "Rome" OR email exists)`. The text
// includes the values of the filter.
func (f Filter) String() string {
	inner := func(word string) string {
		texts := wireAs(f.filters, Filter.String)
		return "(" + strings.Join(texts, " "+word+" ") + ")"
	}
	name := string(f.field) + " " + f.operator
	switch {
	case f.group != "":
		return inner(f.group)
	case f.operator == "":
		return "(empty filter)"
	case f.operator == "nested":
		return name + " " + inner("AND")
	case f.err != nil:
		return name + " (invalid)"
	case f.value == nil:
		return name
	}
	return name + " " + string(f.value)
}

func (f Filter) check() error {
	if f.err == errNotRange {
		return badInputf("Filters", "%s", errNotRange)
	}
	if f.group != "" || f.operator == "nested" {
		if len(f.filters) == 0 {
			return badInputf("Filters", "a group of filters must not be empty")
		}
		if f.operator == "nested" && f.field != FieldOpportunities {
			return badInputf("Filters", "Nested needs FieldOpportunities")
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
	case f.field == "" || f.operator == "" || strings.HasPrefix(string(f.field), descending):
		return badInputf("Filters", "a filter needs a field; use the methods of SearchField, but not with Desc")
	case custom && (checkID("Filters", id) != nil || strings.Contains(id, ".")):
		return badInputf("Filters", "FieldCustom needs the id of a custom field, not its key")
	case slices.Contains(dateFields, f.field) && f.operator != "range" && !exists:
		return f.refused("is a date and supports only GT, GTE, LT, LTE, Exists and NotExists")
	case exists:
		return nil
	}
	return f.checkValue()
}

// checkValue refuses a value that is not a string, number or boolean, a list of them, or for a range an object of them.
func (f Filter) checkValue() error {
	values := 0
	one := func(value []byte) error {
		values++
		if value[0] == '{' || value[0] == '[' || value[0] == 'n' || f.operator == "range" && string(value) == `""` {
			return f.refused("has a value that is not a string, number, boolean or time")
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
		return f.refused("has no value; to find contacts without one, use NotExists")
	}
	return err
}

func (f Filter) refused(why string) error {
	return badInputf("Filters", "%s %s", redact.Clip(string(f.field), 80), why)
}
