package ghl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pluvo/ghl/internal/lenient"
	"github.com/pluvo/ghl/internal/nearest"
	"github.com/pluvo/ghl/internal/redact"
)

// Set returns a custom field with a value, for a create or an update of a contact. It fails with [ErrBadInput] if the
// location has no such field, which HighLevel would ignore without an error, or if the value does not fit the
// field's definition:
//
//   - SINGLE_OPTIONS, RADIO: the exact text of one of PicklistOptions;
//   - MULTIPLE_OPTIONS, CHECKBOX: exact texts of PicklistOptions;
//   - NUMERICAL, FLOAT, MONETORY: a number, or a text that [CustomFieldValue.Number] reads;
//   - DATE: a date or time as text, or milliseconds since 1970;
//   - PHONE, EMAIL: a text of that form;
//   - TEXT, LARGE_TEXT, TIME: one text;
//   - FILE_UPLOAD: not more files than MaxFileLimit.
//
// A field with IsAllowedCustomOption or without PicklistOptions accepts any option. A DataType that is not listed
// accepts any JSON. Null, "" and an empty list clear any field. Set converts a value that fits to the JSON type of the
// field, such as one option to a list for CHECKBOX. The error names the field's key and its options, not the value.
func (r *CustomFieldResolver) Set(idOrKey string, value CustomFieldValue) (CustomField, error) {
	d, ok := r.Find(idOrKey)
	if !ok {
		return CustomField{}, badInputf("CustomFields", "the location has no custom field %q%s",
			redact.Clip(idOrKey, 80), nearest.DidYouMean(idOrKey, r.contactKeys()))
	}
	if !d.ofContacts() {
		return CustomField{}, badInputf("CustomFields", "the custom field %s is not a field of contacts", d.label())
	}
	fitting, problem := d.fit(value)
	if problem != "" {
		return CustomField{}, badInputf("CustomFields", "the custom field %s %s", d.label(), problem)
	}
	if d.ID == "" {
		return CustomField{Key: d.FieldKey, Value: fitting}, nil
	}
	return CustomField{ID: d.ID, Value: fitting}, nil
}

// contactKeys returns the keys of the contacts' fields.
func (r *CustomFieldResolver) contactKeys() []string {
	var keys []string
	for _, d := range r.fields {
		if d.FieldKey != "" && d.ofContacts() {
			keys = append(keys, d.FieldKey, strings.TrimPrefix(d.FieldKey, contactKeyPrefix))
		}
	}
	return keys
}

const contactKeyPrefix = "contact."

// ofContacts reports whether the field belongs to contacts, by its Model or else by its key.
func (d *CustomFieldDefinition) ofContacts() bool {
	if d.Model != "" {
		return d.Model == "contact"
	}
	return !strings.Contains(d.FieldKey, ".") || strings.HasPrefix(d.FieldKey, contactKeyPrefix)
}

// label returns the name of the field in errors.
func (d *CustomFieldDefinition) label() string { return redact.Clip(cmp.Or(d.FieldKey, d.ID), 80) }

// fit returns the value in the JSON type of the field, or the problem of a value that does not fit, as the end of a
// sentence that begins with the field.
func (d *CustomFieldDefinition) fit(v CustomFieldValue) (fitting CustomFieldValue, problem string) {
	if !json.Valid(v.Raw()) {
		return v, "has a value that cannot be written as JSON, such as NaN"
	}
	if v.clears() {
		return v, ""
	}
	switch strings.ToUpper(d.DataType) {
	case "SINGLE_OPTIONS", "RADIO":
		return d.fitOption(v)
	case "MULTIPLE_OPTIONS", "CHECKBOX":
		return d.fitOptions(v)
	case "NUMERICAL", "FLOAT", "MONETORY":
		return fitNumber(v)
	case "DATE":
		if !isDate(v) {
			return v, "needs a date, such as ValueOf(time.Time) or the text 2026-01-31"
		}
	case "PHONE":
		return fitText(v, isPhone, "needs a phone number, such as +15550100")
	case "EMAIL":
		return fitText(v, isEmail, "needs an e-mail address")
	case "TEXT", "LARGE_TEXT", "TIME":
		return fitText(v, func(string) bool { return true }, "needs one text")
	case "FILE_UPLOAD":
		if n := len(v.Files()); d.MaxFileLimit > 0 && n > d.MaxFileLimit {
			return v, fmt.Sprintf("holds at most %d files, got %d", d.MaxFileLimit, n)
		}
	}
	return v, ""
}

// clears reports whether the value clears a field: null, a blank text, or a list or an object without elements.
func (v CustomFieldValue) clears() bool {
	if v.IsNull() {
		return true
	}
	switch v.raw[0] {
	case '"':
		text, _ := lenient.Scalar(v.raw)
		return blank(text)
	case '[', '{':
		return blank(string(v.raw[1 : len(v.raw)-1]))
	}
	return false
}

// fitOption accepts one option.
func (d *CustomFieldDefinition) fitOption(v CustomFieldValue) (CustomFieldValue, string) {
	option, ok := lenient.Scalar(v.raw)
	if !ok {
		return v, "holds one option, got a list or an object"
	}
	return ValueOf(option), d.checkOption(option)
}

// fitOptions accepts a list of options, or one.
func (d *CustomFieldDefinition) fitOptions(v CustomFieldValue) (CustomFieldValue, string) {
	list := []json.RawMessage{v.raw}
	if v.raw[0] == '[' {
		list = nil
		_ = json.Unmarshal(v.raw, &list)
	}
	options := make([]string, len(list))
	for i, raw := range list {
		option, ok := lenient.Scalar(raw)
		if !ok {
			return v, "holds a list of options, got another value"
		}
		if problem := d.checkOption(option); problem != "" {
			return v, problem
		}
		options[i] = option
	}
	return ValueOf(options), ""
}

// checkOption refuses a text that is not exactly an option. The problem lists the options, not the text.
func (d *CustomFieldDefinition) checkOption(option string) string {
	if d.IsAllowedCustomOption || len(d.PicklistOptions) == 0 || slices.Contains(d.PicklistOptions, option) {
		return ""
	}
	const listed = 20
	quoted := wireAs(d.PicklistOptions[:min(listed, len(d.PicklistOptions))], func(option string) string {
		return fmt.Sprintf("%q", redact.Clip(option, 80))
	})
	problem := "has a value that is not exactly one of its options: " + strings.Join(quoted, ", ")
	if rest := len(d.PicklistOptions) - len(quoted); rest > 0 {
		problem += fmt.Sprintf(" and %d more", rest)
	}
	if near := nearest.Word(strings.TrimSpace(option), d.PicklistOptions); near != "" {
		problem += fmt.Sprintf("; did you mean %q?", redact.Clip(near, 80))
	}
	return problem
}

// fitNumber accepts a number as it is and converts a text, with all of its digits.
func fitNumber(v CustomFieldValue) (CustomFieldValue, string) {
	n, ok := v.Number()
	switch {
	case !ok:
		return v, "needs a number"
	case v.raw[0] != '"' && v.raw[0] != '[':
		return v, ""
	}
	text, _ := lenient.Scalar(v.raw)
	if digits := strings.ReplaceAll(strings.TrimSpace(text), ",", ""); json.Valid([]byte(digits)) {
		return ValueOf(json.RawMessage(digits)), ""
	}
	return ValueOf(n), ""
}

// isDate reports whether v is a date, a time or milliseconds since 1970. A number within 30 days of 1970 that is not
// midnight is not: it is seconds since 1970, a year, a number such as 20260131, or a value for another field. Neither
// is the zero time.Time.
func isDate(v CustomFieldValue) bool {
	const day = 24 * 60 * 60 * 1000
	if n, ok := v.Number(); ok && math.Abs(n) < 30*day && math.Mod(n, day) != 0 {
		return false
	}
	date := v.Date().In(nil)
	return date.Year() > 1
}

// fitText accepts one text for which is holds. It converts a number or a boolean to its text.
func fitText(v CustomFieldValue, is func(string) bool, problem string) (CustomFieldValue, string) {
	text, ok := lenient.Scalar(v.raw)
	if !ok || !is(text) {
		return v, problem
	}
	return ValueOf(text), ""
}

// isPhone reports whether text is 3 to 15 digits with the signs between them that people write, and possibly an
// extension.
func isPhone(text string) bool {
	text = strings.ToLower(text)
	for _, extension := range [...]string{";ext=", "ext", "x", "#"} {
		if number, after, ok := strings.Cut(text, extension); ok {
			if strings.Trim(after, "0123456789 .:") != "" {
				return false
			}
			text = number
		}
	}
	digits := 0
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case !strings.ContainsRune("+()-–./ \u00a0\u202f", c):
			return false
		}
	}
	return 3 <= digits && digits <= 15
}

// isEmail reports whether text has the form of an e-mail address.
func isEmail(text string) bool {
	at := strings.LastIndexByte(text, '@')
	return at > 0 && at < len(text)-1 && !strings.ContainsAny(text, " \t\r\n,;<>")
}
