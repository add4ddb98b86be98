package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/nearest"
)

// customPrefix begins the name of a custom field in rules and reports, such as "custom.contact.shoe_size". The id of
// the field can take the place of the key.
const customPrefix = "custom."

// cutPrefix returns a name without its prefix. It reports false if there is no prefix or nothing follows it.
func cutPrefix(name, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	return rest, ok && strings.TrimSpace(rest) != ""
}

// customFields finds custom fields in a location's definitions. With any set it accepts each name and finds a field of
// [anyType], which maps nothing.
type customFields struct {
	definitions *ghl.CustomFieldResolver
	any         bool
}

// customField returns the custom field of a contact that a name such as "custom.contact.shoe_size" is for. It returns
// nothing for another name, and a problem for a field that the location does not have.
func customField(name string, custom customFields) (f *contactField, problem string) {
	key, ok := cutPrefix(name, customPrefix)
	switch {
	case !ok:
		return nil, ""
	case custom.any:
		return customFieldOf(name, &ghl.CustomFieldDefinition{ID: key}, anyType), ""
	case custom.definitions == nil:
		return nil, "the location's definitions of custom fields are needed to find it"
	}
	d, ok := custom.definitions.Find(key)
	if !ok || d.ID == "" {
		problem = fmt.Sprintf("the location has no custom field %q", key)
		if near := nearest.Word(key, custom.keys()); near != "" {
			problem += "; did you mean " + customPrefix + near + "?"
		}
		return nil, problem
	}
	if d.Model != "" && d.Model != "contact" {
		return nil, fmt.Sprintf("it belongs to %s, not to contacts", d.Model)
	}
	t, fixed := customType(d.DataType)
	f = customFieldOf(name, d, t)
	if fixed && !d.IsAllowedCustomOption {
		f.options = d.PicklistOptions
	}
	return f, ""
}

// keys returns the keys of the contacts' custom fields.
func (custom customFields) keys() []string {
	var keys []string
	for _, d := range custom.definitions.Definitions() {
		if d.FieldKey != "" && (d.Model == "" || d.Model == "contact") {
			keys = append(keys, d.FieldKey)
		}
	}
	return keys
}

// customType returns the type of a custom field, and whether the field has options.
func customType(dataType string) (t typ, options bool) {
	switch dataType {
	case "TEXT", "LARGE_TEXT", "PHONE", "EMAIL", "TIME":
		return textType, false
	case "SINGLE_OPTIONS", "RADIO":
		return textType, true
	case "NUMERICAL", "MONETORY", "FLOAT":
		return numberType, false
	case "CHECKBOX", "MULTIPLE_OPTIONS":
		return listType, true
	case "TEXTBOX_LIST":
		return listType, false
	case "DATE":
		return dayType, false
	}
	return filesType, false
}

func customFieldOf(name string, d *ghl.CustomFieldDefinition, t typ) *contactField {
	id, key := d.ID, d.FieldKey
	return &contactField{
		name: name, typ: t, clears: true, id: id, key: key,
		get: func(c *ghl.Contact, _ *scope) value {
			for i := range c.CustomFields {
				if own := &c.CustomFields[i]; own.ID == id || own.ID == "" && own.Key == key {
					return readCustom(own.Value, t)
				}
			}
			return value{}
		},
		create: func(c *ghl.ContactCreate, v value) {
			c.CustomFields = append(c.CustomFields, ghl.CustomField{ID: id, Value: writeCustom(v, t)})
		},
		change: func(u *ContactChange, _, now value) {
			list, _ := u.update().CustomFields.Get()
			u.Update.CustomFields = ghl.Some(append(list, ghl.CustomField{ID: id, Value: writeCustom(now, t)}))
		},
	}
}

// readCustom returns the value of a custom field as a type.
func readCustom(v ghl.CustomFieldValue, t typ) value {
	if v.IsNull() {
		return value{}
	}
	var read value
	switch t {
	case anyType:
		return value{}
	case listType:
		read = listValue(v.Options())
	case dayType:
		return dayOf(v.Date())
	case numberType:
		if text, ok := number(v); ok {
			return textValue(text)
		}
		if v.Text() != "" {
			return value{problem: whyNoNumber}
		}
	default:
		read = textValue(v.Text())
	}
	if read.isEmpty(t) && strings.Trim(string(v.Raw()), `[]"{}, `) != "" && t != filesType {
		return value{problem: whyOtherType}
	}
	return read
}

// number returns a number in its shortest form. It works on the digits, because a float64 may not hold them all.
func number(v ghl.CustomFieldValue) (text string, ok bool) {
	n, ok := v.Number()
	if !ok {
		return "", false
	}
	text = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(v.Text()), ",", ""), "+")
	if n == 0 || strings.ContainsAny(text, "eE") {
		return strconv.FormatFloat(n+0, 'f', -1, 64), true // without the sign of -0
	}
	text, negative := strings.CutPrefix(text, "-")
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text = strings.TrimLeft(text, "0"); text[0] == '.' {
		text = "0" + text
	}
	if negative {
		text = "-" + text
	}
	return text, true
}

// writeCustom returns the value to send. An empty one is null.
func writeCustom(v value, t typ) ghl.CustomFieldValue {
	if v.isEmpty(t) {
		return ghl.CustomFieldValue{}
	}
	switch t {
	case listType:
		return ghl.ValueOf(v.list)
	case dayType:
		return ghl.ValueOf(v.at)
	case numberType:
		return ghl.ValueOf(json.RawMessage(v.text)) // the digits that number returned
	}
	return ghl.ValueOf(v.text)
}
