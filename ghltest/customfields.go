package ghltest

import (
	"slices"
	"time"

	"github.com/pluvo/ghl"
)

// setCustomField sets a field of a contact, named by id or key, in the form in which the API gives it back; null removes it.
// It reports whether the location has such a field.
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
		c.CustomFields = append(c.CustomFields, ghl.CustomField{ID: d.ID, Value: kept(d.DataType, f.Value)})
	}
	return true
}

// kept turns dates into milliseconds since 1970 and numbers in a text into numbers.
func kept(dataType string, v ghl.CustomFieldValue) ghl.CustomFieldValue {
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
