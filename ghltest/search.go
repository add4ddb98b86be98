package ghltest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var searchProperties = properties{
	"locationId": required(text), "pageLimit": required(number), "page": optional(number),
	"searchAfter": optional(list),
	"query":       optional(text), "filters": optional(list),
	"sort": optional(list).of(properties{"field": optional(text), "direction": optional(text)}),
}

const (
	maxPageLimit   = 500
	maxSearchDepth = 10_000
	maxSearchText  = 75
)

type searchBody struct {
	PageLimit   int               `json:"pageLimit"`
	Page        int               `json:"page"`
	SearchAfter []json.RawMessage `json:"searchAfter"`
	Query       string            `json:"query"`
	Filters     []filter          `json:"filters"`
	Sort        []struct {
		Field     string `json:"field"`
		Direction string `json:"direction"`
	} `json:"sort"`
}

// checkFilters refuses undeclared properties in filters and groups. Unlike encoding/json it distinguishes upper and
// lower case.
func (c *call) checkFilters() error {
	var in struct {
		Filters []any `json:"filters"`
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		return invalid("filters" + reasons[list])
	}
	var wrong []string
	var look func(place string, filters []any)
	look = func(place string, filters []any) {
		for i, one := range filters {
			object, _ := one.(map[string]any)
			for name := range object {
				if !slices.Contains(filterProperties, name) {
					wrong = append(wrong, place+"filters."+strconv.Itoa(i)+".property "+name+" should not exist")
				}
			}
			if inner, ok := object["filters"].([]any); ok {
				look(place+"filters."+strconv.Itoa(i)+".", inner)
			}
		}
	}
	look("", in.Filters)
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return invalid(wrong...)
	}
	return nil
}

var filterProperties = []string{"group", "filters", "field", "operator", "value"}

func (in *searchBody) check() error {
	switch {
	case in.PageLimit < 1:
		return invalid("pageLimit must not be less than 1")
	case in.PageLimit > maxPageLimit:
		return invalid("pageLimit must not be greater than 500")
	case in.Page < 0:
		return invalid("page must not be less than 1")
	case in.Page > 0 && len(in.SearchAfter) > 0:
		return invalid("page and searchAfter cannot be used together")
	case in.Page > maxSearchDepth/in.PageLimit:
		return invalidText("Only the first 10000 records can be read with page; use searchAfter")
	case utf8.RuneCountInString(in.Query) > maxSearchText:
		return invalid("query must be shorter than or equal to 75 characters")
	case len(in.Sort) > 2:
		return invalid("sort must contain no more than 2 elements")
	}
	for i, s := range in.Sort {
		if sortValue(s.Field, new(contact)) == nil {
			return invalidText("Invalid field (" + s.Field + ") passed for sort")
		}
		if s.Direction != "asc" && s.Direction != "desc" {
			return invalid("sort." + strconv.Itoa(i) + ".direction must be one of the following values: asc, desc")
		}
	}
	return nil
}

// searchContacts answers a page of the contacts that match all filters. Each record has its own cursor, also on the
// last page.
func (c *call) searchContacts() (any, error) {
	in, err := read[searchBody](c)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(in.check(), c.checkFilters()); err != nil {
		return nil, err
	}
	match, err := c.matcher("AND", in.Filters)
	if err != nil {
		return nil, err
	}
	var found []*contact
	for _, one := range c.location.searchable(c.now) {
		if one.matches(in.Query) && match(one) {
			found = append(found, one)
		}
	}
	order := in.order()
	if len(in.Sort) > 0 { // the index is already sorted by newest first
		slices.SortFunc(found, func(a, b *contact) int { return order(in.cursor(a), in.cursor(b)) })
	}
	start := max(in.Page-1, 0) * in.PageLimit
	if len(in.SearchAfter) > 0 {
		after, err := in.after()
		if err != nil {
			return nil, err
		}
		at, exact := slices.BinarySearchFunc(found, after, func(one *contact, after []any) int {
			return order(in.cursor(one), after)
		})
		if exact {
			at++
		}
		start = at
	}
	start = min(start, len(found))
	page := found[start:min(start+in.PageLimit, len(found))]
	return map[string]any{
		"contacts": answers(page, func(one *contact) any { return one.inSearch(c.v3, in.cursor(one)) }),
		"total":    len(found),
		"traceId":  c.ids.uuid(),
	}, nil
}

// cursor returns a contact's values of the sort fields and its id. Without sort fields the newest contacts come first.
func (in *searchBody) cursor(c *contact) []any {
	if len(in.Sort) == 0 {
		return []any{c.added, c.ID}
	}
	var values []any
	for _, s := range in.Sort {
		values = append(values, sortValue(s.Field, c))
	}
	return append(values, c.ID)
}

// after returns the cursor of the request, which must come from a search with the same sort fields.
func (in *searchBody) after() ([]any, error) {
	like := in.cursor(new(contact))
	if len(in.SearchAfter) != len(like) {
		return nil, invalidText("searchAfter has the wrong number of values")
	}
	for i, value := range in.SearchAfter {
		switch like[i].(type) {
		case int64:
			n, err := strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 64)
			if err != nil {
				return nil, invalidText("searchAfter: a time must be a number")
			}
			like[i] = n
		default:
			var s string
			if json.Unmarshal(value, &s) != nil {
				return nil, invalidText("searchAfter: a value must be a string")
			}
			like[i] = s
		}
	}
	return like, nil
}

// order returns a function that compares cursors.
func (in *searchBody) order() func(a, b []any) int {
	return func(a, b []any) int {
		for i := range len(a) - 1 {
			result := compare(a[i], b[i])
			if len(in.Sort) == 0 || in.Sort[i].Direction == "desc" {
				result = -result
			}
			if result != 0 {
				return result
			}
		}
		return compare(a[len(a)-1], b[len(b)-1])
	}
}

func compare(a, b any) int {
	if n, ok := a.(int64); ok {
		return cmp.Compare(n, b.(int64))
	}
	return strings.Compare(a.(string), b.(string))
}

// sortValue returns a contact's value of a sort field, or nil for any other field.
func sortValue(field string, c *contact) any {
	switch field {
	case "firstNameLowerCase":
		return strings.ToLower(c.FirstName)
	case "lastNameLowerCase":
		return strings.ToLower(c.LastName)
	case "businessName":
		return strings.ToLower(c.BusinessName)
	case "email":
		return strings.ToLower(c.Email)
	case "source":
		return strings.ToLower(c.Source)
	case "dnd":
		return strconv.FormatBool(c.DND)
	case "dateAdded":
		return c.added
	case "dateUpdated":
		return c.updated
	}
	return nil
}
