package mapping

import (
	"encoding/json"
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
	var read value
	switch t {
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

// number returns a number in its shortest form: digits as they are, for a float64 may not hold them all.
func number(v ghl.CustomFieldValue) (text string, ok bool) {
	n, ok := v.Number()
	if !ok {
		return "", false
	}
	text = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(v.Text()), ",", ""), "+")
	if n == 0 || strings.ContainsAny(text, "eE") {
		return strconv.FormatFloat(n+0, 'f', -1, 64), true // -0 is 0
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

// writeCustom returns what is sent: null for an empty value.
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
		return ghl.ValueOf(json.RawMessage(v.text)) // which number has written
	}
	return ghl.ValueOf(v.text)
}
