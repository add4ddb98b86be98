package mapping

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pluvo/ghl"
)

// customPrefix begins the name of a custom field in rules and reports: "custom.contact.shoe_size" or "custom." and its id.
const customPrefix = "custom."

func cutPrefix(name, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	return rest, ok && strings.TrimSpace(rest) != ""
}

// customField is a custom field of a contact, found in the location's definitions.
func customField(name string, definitions *ghl.CustomFieldResolver) (f *contactField, problem string) {
	key, ok := cutPrefix(name, customPrefix)
	if !ok {
		return nil, ""
	}
	if definitions == nil {
		return nil, "the location's definitions of custom fields are needed to find it"
	}
	d, ok := definitions.Find(key)
	if !ok || d.ID == "" {
		return nil, fmt.Sprintf("the location has no custom field %q", key)
	}
	if d.Model != "" && d.Model != "contact" {
		return nil, fmt.Sprintf("it belongs to %s, not to contacts", d.Model)
	}
	f = &contactField{name: name, clears: true, id: d.ID, key: d.FieldKey}
	switch d.DataType {
	case "TEXT", "LARGE_TEXT", "PHONE", "EMAIL", "TIME":
		f.typ = textType
	case "SINGLE_OPTIONS", "RADIO":
		f.typ = textType
		f.options = fixedOptions(d)
	case "NUMERICAL", "MONETORY", "FLOAT":
		f.typ = numberType
	case "CHECKBOX", "MULTIPLE_OPTIONS":
		f.typ = listType
		f.options = fixedOptions(d)
	case "TEXTBOX_LIST":
		f.typ = listType
	case "DATE":
		f.typ = dayType
	default:
		f.typ = filesType
	}
	typ, id, fieldKey := f.typ, d.ID, d.FieldKey
	f.get = func(c *ghl.Contact, _ *scope) value {
		for i := range c.CustomFields {
			if own := &c.CustomFields[i]; own.ID == id || own.ID == "" && own.Key == fieldKey {
				return readCustom(own.Value, typ)
			}
		}
		return value{}
	}
	f.create = func(c *ghl.ContactCreate, v value) {
		c.CustomFields = append(c.CustomFields, ghl.CustomField{ID: id, Value: writeCustom(v, typ)})
	}
	f.change = func(u *ContactChange, _, now value) {
		list, _ := u.update().CustomFields.Get()
		u.Update.CustomFields = ghl.Some(append(list, ghl.CustomField{ID: id, Value: writeCustom(now, typ)}))
	}
	return f, ""
}

// fixedOptions are the options of a field that takes no others.
func fixedOptions(d *ghl.CustomFieldDefinition) []string {
	if d.IsAllowedCustomOption {
		return nil
	}
	return d.PicklistOptions
}

func readCustom(v ghl.CustomFieldValue, t typ) value {
	if v.IsNull() {
		return value{}
	}
	switch t {
	case listType:
		return listValue(v.Options())
	case dayType:
		return dayOf(v.Date())
	case numberType:
		n, ok := v.Number()
		if !ok {
			if v.Text() == "" {
				return value{}
			}
			return value{problem: whyNoNumber}
		}
		return textValue(formatNumber(n))
	}
	return textValue(v.Text())
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// writeCustom returns what is sent: null for an empty value.
func writeCustom(v value, t typ) ghl.CustomFieldValue {
	if v.isEmpty(t) {
		return ghl.CustomFieldValue{}
	}
	switch t {
	case listType:
		return ghl.OptionsValue(v.list...)
	case dayType:
		return ghl.DateValue(v.at.Date())
	case numberType:
		return ghl.RawValue([]byte(v.text)) // which formatNumber has written
	}
	return ghl.TextValue(v.text)
}
