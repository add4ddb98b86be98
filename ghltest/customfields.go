package ghltest

import (
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

// setCustomField sets a contact's custom field, identified by id or key; null removes it. It reports whether the
// location defines the field.
func (l *location) setCustomField(c *contact, f ghl.CustomField) bool {
	at := slices.IndexFunc(l.customFields, func(d *ghl.CustomFieldDefinition) bool {
		return f.ID == d.ID || f.ID == "" && (f.Key == d.FieldKey || "contact."+f.Key == d.FieldKey)
	})
	if at < 0 {
		return false
	}
	d := l.customFields[at]
	c.CustomFields = slices.DeleteFunc(c.CustomFields, func(old ghl.CustomField) bool { return old.ID == d.ID })
	if !f.Value.IsNull() {
		c.CustomFields = append(c.CustomFields, ghl.CustomField{ID: d.ID, Value: storedValue(d.DataType, f.Value)})
	}
	return true
}

// storedValue returns a value as the API answers it: a date in milliseconds since 1970, a number in a string as a
// number.
func storedValue(dataType string, v ghl.CustomFieldValue) ghl.CustomFieldValue {
	switch dataType {
	case "DATE":
		if day := ghl.ParseTime(v.Text()); !day.IsZero() {
			return ghl.ValueOf(float64(day.In(time.UTC).UnixMilli()))
		}
	case "NUMERICAL", "FLOAT", "MONETORY":
		if n, ok := v.Number(); ok {
			return ghl.ValueOf(n)
		}
	}
	return v
}
