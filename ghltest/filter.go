package ghltest

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pluvo/ghl"
)

// filter is a condition of a search, or a group of conditions.
type filter struct {
	Group    string          `json:"group"`
	Filters  []filter        `json:"filters"`
	Field    string          `json:"field"`
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value"`
}

// searchField is a field that a filter can use. read returns the record's values as strings, dates in milliseconds
// since 1970.
type searchField[T any] struct {
	operators []string
	read      func(T) []string
}

// The operators of each field are from a public copy of HighLevel's page about the search.
var (
	forIDs     = []string{"eq", "not_eq"}
	forTexts   = []string{"eq", "not_eq", "contains", "not_contains", "exists", "not_exists"}
	forFlags   = []string{"eq", "not_eq", "exists", "not_exists"} // also for texts that are compared as a whole
	forNumbers = []string{"eq", "not_eq", "range", "exists", "not_exists"}
	forDates   = []string{"range", "exists", "not_exists"}
	forAll     = []string{"eq", "not_eq", "contains", "not_contains", "exists", "not_exists", "range"}
)

var searchFields = map[string]searchField[*contact]{
	"id":                   {forIDs, one(func(c *contact) string { return c.ID })},
	"contactName":          {forFlags, one((*contact).fullName)},
	"address":              {forTexts, one(func(c *contact) string { return c.Address1 })},
	"assignedTo":           {forFlags, one(func(c *contact) string { return c.AssignedTo })},
	"businessName":         {forTexts, one(func(c *contact) string { return c.BusinessName })},
	"businessId":           {forFlags, one(func(c *contact) string { return c.BusinessID })},
	"city":                 {forTexts, one(func(c *contact) string { return c.City })},
	"country":              {forFlags, one(func(c *contact) string { return c.Country })},
	"companyName":          {forTexts, one(func(c *contact) string { return c.CompanyName })},
	"email":                {forFlags, one(func(c *contact) string { return c.Email })},
	"firstNameLowerCase":   {forTexts, one(func(c *contact) string { return c.FirstName })},
	"lastNameLowerCase":    {forTexts, one(func(c *contact) string { return c.LastName })},
	"phone":                {forTexts, one(func(c *contact) string { return c.Phone })},
	"postalCode":           {forTexts, one(func(c *contact) string { return c.PostalCode })},
	"source":               {forTexts, one(func(c *contact) string { return c.Source })},
	"state":                {forTexts, one(func(c *contact) string { return c.State })},
	"timezone":             {forFlags, one(func(c *contact) string { return c.Timezone })},
	"type":                 {forFlags, one(func(c *contact) string { return c.Type })},
	"website":              {forFlags, one(func(c *contact) string { return c.Website })},
	"dnd":                  {forFlags, one(func(c *contact) string { return strconv.FormatBool(c.DND) })},
	"validEmail":           {forFlags, one(func(c *contact) string { return maybe(c.ValidEmail) })},
	"isValidWhatsapp":      {forFlags, one(func(c *contact) string { return maybe(c.IsValidWhatsApp) })},
	"followers":            {forFlags, func(c *contact) []string { return c.Followers }},
	"tags":                 {forTexts, func(c *contact) []string { return c.Tags }},
	"activeWorkflows":      {forFlags, func(c *contact) []string { return c.workflows }},
	"finishedWorkflows":    {forFlags, none},
	"opportunities":        {[]string{"nested", "exists", "not_exists"}, opportunityIDs},
	"dateAdded":            {forDates, one(func(c *contact) string { return strconv.FormatInt(c.added, 10) })},
	"dateUpdated":          {forDates, one(func(c *contact) string { return strconv.FormatInt(c.updated, 10) })},
	"dateOfBirth":          {forDates, one(func(c *contact) string { return dateText(c.DateOfBirth) })},
	"lastAppointment":      {forDates, lastAppointment},
	"lastEmailClickedDate": {forDates, none},
	"lastEmailOpenedDate":  {forDates, none},

	// The vendor names the field of Email in an answer to a public report (issue 279).
	"dndSettings.Call.status":     {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.Call })},
	"dndSettings.Email.status":    {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.Email })},
	"dndSettings.SMS.status":      {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.SMS })},
	"dndSettings.WhatsApp.status": {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.WhatsApp })},
	"dndSettings.GMB.status":      {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.GMB })},
	"dndSettings.FB.status":       {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.FB })},
	"dndSettings.RCS.status":      {forFlags, channel(func(d *ghl.DNDSettings) *ghl.DNDSetting { return d.RCS })},
}

// channel returns a function that reads the status of a channel of "do not disturb".
func channel(of func(*ghl.DNDSettings) *ghl.DNDSetting) func(*contact) []string {
	return one(func(c *contact) string {
		if c.DNDSettings == nil || of(c.DNDSettings) == nil {
			return ""
		}
		return string(of(c.DNDSettings).Status)
	})
}

func one(read func(*contact) string) func(*contact) []string {
	return func(c *contact) []string {
		if value := read(c); value != "" {
			return []string{value}
		}
		return nil
	}
}

func none(*contact) []string { return nil }

func opportunityIDs(c *contact) []string {
	var ids []string
	for _, o := range c.opportunities {
		ids = append(ids, o.ID)
	}
	return ids
}

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

// lastStart returns the start of the contact's last appointment, or the zero time without an appointment.
func (c *contact) lastStart() time.Time {
	if c.lastSeen != nil {
		return *c.lastSeen
	}
	var last time.Time
	for _, e := range c.location.events {
		if !e.blocked && e.ContactID == c.ID && e.start.After(last) {
			last = e.start
		}
	}
	return last
}

func lastAppointment(of *contact) []string {
	last := of.lastStart()
	if last.IsZero() {
		return nil
	}
	return []string{strconv.FormatInt(last.UnixMilli(), 10)}
}

// customField returns the field customFields.{id}, or customFields.{id}.{option} for a list of text boxes. An
// undefined field accepts every operator.
func (l *location) customField(id string) searchField[*contact] {
	id, option, _ := strings.Cut(id, ".")
	operators := forAll
	for _, d := range l.customFields {
		if d.ID == id {
			operators = operatorsOf(d.DataType)
		}
	}
	return searchField[*contact]{operators, func(c *contact) []string {
		for _, f := range c.CustomFields {
			if f.ID != id {
				continue
			}
			if option != "" {
				return boxText(f.Value, option)
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

func operatorsOf(dataType string) []string {
	switch dataType {
	case "DATE":
		return forDates
	case "NUMERICAL", "FLOAT", "MONETORY":
		return forNumbers
	case "CHECKBOX", "MULTIPLE_OPTIONS":
		return forFlags
	}
	return forTexts
}

// boxText returns the text of one box in a list of text boxes.
func boxText(value ghl.CustomFieldValue, option string) []string {
	var boxes map[string]string
	if json.Unmarshal(value.Raw(), &boxes) != nil || boxes[option] == "" {
		return nil
	}
	return []string{boxes[option]}
}

// matcher returns a function that reports whether a contact matches the filters, or an error for invalid filters.
func (c *call) matcher(group string, filters []filter) (func(*contact) bool, error) {
	return combine(group, filters, func(f filter) (func(*contact) bool, error) {
		field, known := searchFields[f.Field]
		if id, custom := strings.CutPrefix(f.Field, "customFields."); custom {
			field, known = c.location.customField(id), true
		}
		switch {
		case !known:
			return nil, invalidText("Invalid field (" + f.Field + ") passed in filters")
		case f.Operator == "nested" && slices.Contains(field.operators, "nested"):
			inner, err := f.inner()
			if err != nil {
				return nil, err
			}
			match, err := opportunityMatcher(inner)
			if err != nil {
				return nil, err
			}
			return func(one *contact) bool { return slices.ContainsFunc(one.opportunities, match) }, nil
		}
		return test(f, field)
	})
}

// inner returns the filters of a nested filter, which are in its value or, as in a group, in its filters.
func (f *filter) inner() ([]filter, error) {
	inner := f.Filters
	if len(f.Value) > 0 && json.Unmarshal(f.Value, &inner) != nil || len(inner) == 0 {
		return nil, invalidText("Invalid value passed for field " + f.Field)
	}
	return inner, nil
}

// test returns a function that reports whether a record meets one condition.
func test[T any](f filter, field searchField[T]) (func(T) bool, error) {
	if !slices.Contains(field.operators, f.Operator) {
		return nil, invalidText("Invalid Operator (" + f.Operator + ") passed for field " + f.Field)
	}
	switch f.Operator {
	case "exists":
		return func(one T) bool { return len(field.read(one)) > 0 }, nil
	case "not_exists":
		return func(one T) bool { return len(field.read(one)) == 0 }, nil
	case "range":
		inside, err := rangeMatcher(f)
		if err != nil {
			return nil, err
		}
		return func(one T) bool { return slices.ContainsFunc(field.read(one), inside) }, nil
	}
	wanted, err := filterTexts(f)
	if err != nil {
		return nil, err
	}
	operator, negated := strings.CutPrefix(f.Operator, "not_")
	if f.Field == "tags" { // compared as a whole, and with their case
		isWanted := func(tag string) bool { return slices.Contains(wanted, tag) }
		return func(one T) bool { return negated != slices.ContainsFunc(field.read(one), isWanted) }, nil
	}
	inside := operator == "contains"
	return func(one T) bool { return negated != anyMatches(field.read(one), wanted, inside) }, nil
}

// combine returns a function that reports whether a record matches filters and groups of filters. single returns the
// function for a filter that is not a group.
func combine[T any](group string, filters []filter, single func(filter) (func(T) bool, error)) (func(T) bool, error) {
	if group != "AND" && group != "OR" {
		return nil, invalidText("Invalid group (" + group + ") passed in filters")
	}
	var all []func(T) bool
	for _, f := range filters {
		matcher := single
		if f.Group != "" || f.Field == "" && f.Filters != nil {
			setDefault(&f.Group, "AND")
			matcher = func(f filter) (func(T) bool, error) { return combine(f.Group, f.Filters, single) }
		}
		match, err := matcher(f)
		if err != nil {
			return nil, err
		}
		all = append(all, match)
	}
	return func(one T) bool {
		for _, match := range all {
			if match(one) == (group == "OR") {
				return group == "OR"
			}
		}
		return group == "AND"
	}, nil
}

// anyMatches reports whether one of the values equals, or with inside contains, one of those wanted. It ignores case.
func anyMatches(values, wanted []string, inside bool) bool {
	for _, value := range values {
		for _, want := range wanted {
			if strings.EqualFold(value, want) ||
				inside && strings.Contains(strings.ToLower(value), strings.ToLower(want)) {
				return true
			}
		}
	}
	return false
}

// filterTexts returns the value of a filter as strings: a string, number or boolean, or a list of them.
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

// rangeMatcher returns a function that compares a number, or a date in milliseconds, with the bounds of a filter.
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
		case err == nil && !math.IsNaN(number) && !math.IsInf(number, 0):
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
			if name == "gt" && n <= limit || name == "gte" && n < limit ||
				name == "lt" && n >= limit || name == "lte" && n > limit {
				return false
			}
		}
		return true
	}, nil
}
