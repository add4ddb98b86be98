package ghltest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pluvo/ghl"
)

// filter is a condition of a search, or a group of them.
type filter struct {
	Group    string          `json:"group"`
	Filters  []filter        `json:"filters"`
	Field    string          `json:"field"`
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value"`
}

// searchField is a field that filters can name. read returns the contact's values as text, dates in milliseconds since 1970.
type searchField struct {
	takes []string // operators
	read  func(*call, *contact) []string
}

var (
	forTexts = []string{"eq", "not_eq", "contains", "not_contains", "exists", "not_exists"}
	forFlags = []string{"eq", "not_eq", "exists", "not_exists"}
	forDates = []string{"range", "exists", "not_exists"}
	forAll   = []string{"eq", "not_eq", "contains", "not_contains", "exists", "not_exists", "range"}
)

var searchFields = map[string]searchField{
	"id":                   {forFlags, one(func(c *contact) string { return c.ID })},
	"contactName":          {forTexts, one((*contact).fullName)},
	"address":              {forTexts, one(func(c *contact) string { return c.Address1 })},
	"assignedTo":           {forTexts, one(func(c *contact) string { return c.AssignedTo })},
	"businessName":         {forTexts, one(func(c *contact) string { return c.BusinessName })},
	"businessId":           {forTexts, one(func(c *contact) string { return c.BusinessID })},
	"city":                 {forTexts, one(func(c *contact) string { return c.City })},
	"country":              {forTexts, one(func(c *contact) string { return c.Country })},
	"companyName":          {forTexts, one(func(c *contact) string { return c.CompanyName })},
	"email":                {forTexts, one(func(c *contact) string { return c.Email })},
	"firstNameLowerCase":   {forTexts, one(func(c *contact) string { return c.FirstName })},
	"lastNameLowerCase":    {forTexts, one(func(c *contact) string { return c.LastName })},
	"phone":                {forTexts, one(func(c *contact) string { return c.Phone })},
	"postalCode":           {forTexts, one(func(c *contact) string { return c.PostalCode })},
	"source":               {forTexts, one(func(c *contact) string { return c.Source })},
	"state":                {forTexts, one(func(c *contact) string { return c.State })},
	"timezone":             {forTexts, one(func(c *contact) string { return c.Timezone })},
	"type":                 {forTexts, one(func(c *contact) string { return c.Type })},
	"website":              {forTexts, one(func(c *contact) string { return c.Website })},
	"dnd":                  {forFlags, one(func(c *contact) string { return strconv.FormatBool(c.DND) })},
	"validEmail":           {forFlags, one(func(c *contact) string { return maybe(c.ValidEmail) })},
	"isValidWhatsapp":      {forFlags, one(func(c *contact) string { return maybe(c.IsValidWhatsApp) })},
	"followers":            {forTexts, func(_ *call, c *contact) []string { return c.Followers }},
	"tags":                 {forTexts, func(_ *call, c *contact) []string { return c.Tags }},
	"activeWorkflows":      {forTexts, func(_ *call, c *contact) []string { return c.workflows }},
	"finishedWorkflows":    {forTexts, none},
	"opportunities":        {[]string{"nested", "exists", "not_exists"}, none},
	"dateAdded":            {forDates, one(func(c *contact) string { return strconv.FormatInt(c.added, 10) })},
	"dateUpdated":          {forDates, one(func(c *contact) string { return strconv.FormatInt(c.updated, 10) })},
	"dateOfBirth":          {forDates, one(func(c *contact) string { return dateText(c.DateOfBirth) })},
	"lastAppointment":      {forDates, lastAppointment},
	"lastEmailClickedDate": {forDates, none},
	"lastEmailOpenedDate":  {forDates, none},
}

func one(read func(*contact) string) func(*call, *contact) []string {
	return func(_ *call, c *contact) []string {
		if value := read(c); value != "" {
			return []string{value}
		}
		return nil
	}
}

func none(*call, *contact) []string { return nil }

func maybe(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func dateText(t ghl.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(millisOf(t), 10)
}

func lastAppointment(c *call, of *contact) []string {
	var last time.Time
	for _, e := range c.location.events {
		if !e.blocked && e.ContactID == of.ID && e.start.After(last) {
			last = e.start
		}
	}
	if last.IsZero() {
		return nil
	}
	return []string{strconv.FormatInt(last.UnixMilli(), 10)}
}

// customField is the field customFields.{id}.
func customField(id string) searchField {
	return searchField{forAll, func(_ *call, c *contact) []string {
		for _, f := range c.CustomFields {
			if f.ID != id {
				continue
			}
			if options := f.Value.Options(); len(options) > 0 {
				return options
			}
			if !f.Value.IsNull() { // files
				return []string{string(f.Value.Raw())}
			}
		}
		return nil
	}}
}

// matcher makes a test of a filter, or says what is wrong with it.
func (c *call) matcher(f filter) (func(*contact) bool, error) {
	if f.Group == "" && f.Field == "" && f.Filters != nil {
		f.Group = "AND"
	}
	if f.Group != "" {
		return c.groupMatcher(f)
	}
	field, known := searchFields[f.Field]
	if id, custom := strings.CutPrefix(f.Field, "customFields."); custom {
		field, known = customField(id), true
	}
	switch {
	case !known:
		return nil, invalidText("Invalid field (" + f.Field + ") passed in filters")
	case !slices.Contains(field.takes, f.Operator):
		return nil, invalidText("Invalid Operator (" + f.Operator + ") passed for field " + f.Field)
	}
	values := func(one *contact) []string { return field.read(c, one) }
	switch f.Operator {
	case "exists":
		return func(one *contact) bool { return len(values(one)) > 0 }, nil
	case "not_exists":
		return func(one *contact) bool { return len(values(one)) == 0 }, nil
	case "nested": // the fake has no opportunities
		return func(*contact) bool { return false }, nil
	case "range":
		inside, err := rangeMatcher(f)
		if err != nil {
			return nil, err
		}
		return func(one *contact) bool { return slices.ContainsFunc(values(one), inside) }, nil
	}
	wanted, err := filterTexts(f)
	if err != nil {
		return nil, err
	}
	operator, negated := strings.CutPrefix(f.Operator, "not_")
	return func(one *contact) bool {
		return negated != anyMatches(values(one), wanted, operator == "contains" && f.Field != "tags" && f.Field != "followers")
	}, nil
}

func (c *call) groupMatcher(f filter) (func(*contact) bool, error) {
	if f.Group != "AND" && f.Group != "OR" {
		return nil, invalidText("Invalid group (" + f.Group + ") passed in filters")
	}
	var all []func(*contact) bool
	for _, inner := range f.Filters {
		match, err := c.matcher(inner)
		if err != nil {
			return nil, err
		}
		all = append(all, match)
	}
	return func(one *contact) bool {
		for _, match := range all {
			if match(one) == (f.Group == "OR") {
				return f.Group == "OR"
			}
		}
		return f.Group == "AND"
	}, nil
}

// anyMatches reports whether one of the values is one of those wanted, or has it in it. Case does not matter.
func anyMatches(values, wanted []string, inside bool) bool {
	for _, value := range values {
		for _, want := range wanted {
			if strings.EqualFold(value, want) || inside && strings.Contains(strings.ToLower(value), strings.ToLower(want)) {
				return true
			}
		}
	}
	return false
}

// filterTexts reads the value of a filter: a text, number or boolean, or a list of them.
func filterTexts(f filter) ([]string, error) {
	values := []json.RawMessage{f.Value}
	if len(f.Value) > 0 && f.Value[0] == '[' && json.Unmarshal(f.Value, &values) != nil {
		return nil, invalidText("Invalid value passed for field " + f.Field)
	}
	var texts []string
	for _, value := range values {
		text := string(value)
		if len(value) == 0 || text == "null" || value[0] == '{' || value[0] == '[' {
			return nil, invalidText("Invalid value passed for field " + f.Field)
		}
		if value[0] == '"' && json.Unmarshal(value, &text) != nil {
			return nil, invalidText("Invalid value passed for field " + f.Field)
		}
		if utf8.RuneCountInString(text) > maxSearchText {
			return nil, invalidText("The value passed for field " + f.Field + " is longer than 75 characters")
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// rangeMatcher compares numbers, and dates by their milliseconds.
func rangeMatcher(f filter) (func(string) bool, error) {
	var bounds map[string]json.RawMessage
	if json.Unmarshal(f.Value, &bounds) != nil || len(bounds) == 0 {
		return nil, invalidText("Invalid value passed for field " + f.Field)
	}
	limits := map[string]float64{}
	for name, raw := range bounds {
		if !slices.Contains([]string{"gt", "gte", "lt", "lte"}, name) {
			return nil, invalidText("Invalid Operator (" + name + ") passed for field " + f.Field)
		}
		var at ghl.Time
		if at.UnmarshalJSON(raw) != nil {
			return nil, invalidText("Invalid value passed for field " + f.Field)
		}
		number, err := strconv.ParseFloat(at.Raw(), 64)
		switch {
		case err == nil:
			limits[name] = number
		case !at.IsZero():
			limits[name] = float64(millisOf(at))
		default:
			return nil, invalidText("Invalid value passed for field " + f.Field)
		}
	}
	return func(value string) bool {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return false
		}
		for name, limit := range limits {
			if name == "gt" && n <= limit || name == "gte" && n < limit || name == "lt" && n >= limit || name == "lte" && n > limit {
				return false
			}
		}
		return true
	}, nil
}
