package ghl

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// CustomField is a contact's value of a custom field. Records that are read have the ID; records to write need the
// ID or the Key. HighLevel ignores an unknown one without an error; [CustomFieldResolver.Set] refuses it. The field's
// name and type are in its definition, see [LocationsService.CustomFields].
type CustomField struct {
	ID string `json:"id,omitempty"`
	// Key is a name such as "contact.shoe_size". The API accepts it instead of the ID, and rarely sends it.
	Key string `json:"key,omitempty"`
	// Value is sent as value, field_value or fieldValue. If several of these differ, the others are in Extra.
	Value CustomFieldValue `json:"value" also:"field_value,fieldValue"`
	Extra Extra            `json:"-"`
}

// CustomFieldValue is the value of a custom field as JSON. The field's definition decides the type, so each method
// returns the value in one type if it can be read as that type. [ValueOf] makes a value. The zero value is null.
type CustomFieldValue struct{ raw json.RawMessage }

// ValueOf returns the value of a custom field. The type of v depends on the type of the field:
//
//   - string for text, phone, e-mail, a single option and radio;
//   - int or float64 for a number and for money, in units of the location's currency, such as 12.50;
//   - time.Time for a date: the day of v in its own zone, without a time;
//   - []string for several options, such as checkboxes;
//   - map[string]CustomFieldFile for files by their ids, as [CustomFieldValue.Files] returns them (a new file needs an
//     upload);
//   - json.RawMessage for anything else.
//
// A number or a json.RawMessage that is not valid JSON makes the call fail with [ErrBadInput].
func ValueOf[T string | int | float64 | time.Time | []string | map[string]CustomFieldFile | json.RawMessage](
	v T,
) CustomFieldValue {
	var in any = v
	switch t := in.(type) {
	case json.RawMessage:
		return CustomFieldValue{bytes.Clone(bytes.TrimSpace(t))}
	case time.Time:
		in = t.Format(time.DateOnly)
	case []string:
		if t == nil {
			in = []string{}
		}
	}
	data, err := json.Marshal(in)
	if err != nil { // NaN or an infinity: MarshalJSON fails on this text when the call is made
		data = json.RawMessage("invalid")
	}
	return CustomFieldValue{data}
}

// IsNull reports whether the value is null.
func (v CustomFieldValue) IsNull() bool { return len(v.raw) == 0 || string(v.raw) == "null" }

// Raw returns the JSON of the value.
func (v CustomFieldValue) Raw() json.RawMessage {
	if len(v.raw) == 0 {
		return json.RawMessage("null")
	}
	return bytes.Clone(v.raw)
}

// Text returns the value of a text, phone, single option or radio field, a number in the server's spelling, or several
// options joined by ", ". It returns "" for files and for null.
func (v CustomFieldValue) Text() string { return strings.Join(v.Options(), ", ") }

// Number returns the value of a number or money field. A text such as "1234.5" or "1,234.5" is a number too; "1,5" and
// "Infinity" are not. ok is false if the value is not a number.
func (v CustomFieldValue) Number() (n float64, ok bool) {
	text, ok := lenient.Scalar(v.raw)
	if !ok {
		return 0, false
	}
	text = strings.TrimSpace(text)
	if whole, _, _ := strings.Cut(text, "."); strings.Contains(whole, ",") {
		for i, group := range strings.Split(strings.TrimLeft(whole, "+-"), ",") {
			if strings.Trim(group, "0123456789") != "" || len(group) == 0 || len(group) > 3 ||
				i > 0 && len(group) != 3 {
				return 0, false
			}
		}
		text = strings.ReplaceAll(whole, ",", "") + text[len(whole):]
	}
	return lenient.ParseNumber(text)
}

// Options returns the selected options: several, one, or nil for none.
func (v CustomFieldValue) Options() []string {
	var list []string
	add := func(value []byte) error {
		if text, ok := lenient.Scalar(value); ok && text != "" {
			list = append(list, text)
		}
		return nil
	}
	if len(v.raw) > 0 && v.raw[0] == '[' {
		_ = lenient.EachElement(v.raw, add)
	} else {
		_ = add(v.raw)
	}
	return list
}

// Date returns the value of a date field, from milliseconds or text. It returns the zero Time if the value is not a
// date.
func (v CustomFieldValue) Date() Time {
	var t Time
	if len(v.raw) > 0 {
		_ = t.UnmarshalJSON(v.raw)
	}
	return t
}

// Files returns the files of a file field by their ids. It returns nil for any other value.
func (v CustomFieldValue) Files() map[string]CustomFieldFile {
	var files map[string]CustomFieldFile
	_ = lenient.EachField(v.raw, func(key, value []byte) error {
		var f CustomFieldFile
		if lenient.IsObject(value) && f.UnmarshalJSON(value) == nil {
			if files == nil {
				files = map[string]CustomFieldFile{}
			}
			files[string(key)] = f
		}
		return nil
	})
	return files
}

// CustomFieldFile is a file in a custom field, see [CustomFieldValue.Files].
type CustomFieldFile struct {
	URL        string `json:"url,omitempty"`
	DocumentID string `json:"documentId,omitempty"`
	Deleted    bool   `json:"deleted,omitempty"`
	Meta       struct {
		FieldName    string `json:"fieldname,omitempty"`
		OriginalName string `json:"originalname,omitempty"`
		Encoding     string `json:"encoding,omitempty"`
		MIMEType     string `json:"mimetype,omitempty"`
		UUID         string `json:"uuid,omitempty"`
		Size         int64  `json:"size,omitempty"` // in bytes
		Extra        Extra  `json:"-"`
	} `json:"meta,omitzero"`
	Extra Extra `json:"-"`
}

// String returns a text as it is, and any other value as JSON.
func (v CustomFieldValue) String() string {
	if len(v.raw) > 0 && v.raw[0] == '"' {
		if text, ok := lenient.Scalar(v.raw); ok {
			return text
		}
	}
	return string(v.Raw())
}

// MarshalJSON returns the value unchanged. It fails if the value is not valid JSON.
func (v CustomFieldValue) MarshalJSON() ([]byte, error) {
	if len(v.raw) == 0 {
		return []byte("null"), nil
	}
	return v.raw, nil
}

// UnmarshalJSON stores a copy of the value.
func (v *CustomFieldValue) UnmarshalJSON(data []byte) error {
	v.raw = nil
	if data = bytes.TrimSpace(data); string(data) != "null" {
		v.raw = bytes.Clone(data)
	}
	return nil
}

// CustomFieldDefinition is the definition of a custom field of a location.
type CustomFieldDefinition struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// FieldKey is a name such as "contact.shoe_size".
	FieldKey    string `json:"fieldKey,omitempty"`
	Placeholder string `json:"placeholder,omitempty"`
	// DataType is a type such as TEXT, LARGE_TEXT, NUMERICAL, PHONE, MONETORY (sic), CHECKBOX, SINGLE_OPTIONS,
	// MULTIPLE_OPTIONS, FLOAT, TIME, DATE, TEXTBOX_LIST, FILE_UPLOAD, SIGNATURE, RADIO, EMAIL.
	DataType              string   `json:"dataType,omitempty"`
	Position              float64  `json:"position,omitempty"`
	PicklistOptions       []string `json:"picklistOptions,omitempty"`
	PicklistImageOptions  []string `json:"picklistImageOptions,omitempty"`
	IsAllowedCustomOption bool     `json:"isAllowedCustomOption,omitempty"`
	IsMultiFileAllowed    bool     `json:"isMultiFileAllowed,omitempty"`
	MaxFileLimit          int      `json:"maxFileLimit,omitempty"`
	LocationID            string   `json:"locationId,omitempty"`
	// Model is "contact" or "opportunity".
	Model string `json:"model,omitempty"`
	Extra Extra  `json:"-"`
}

// CustomFieldResolver finds a location's custom fields by id or key. It is immutable and safe for concurrent use.
type CustomFieldResolver struct {
	fields []*CustomFieldDefinition
	byName map[string]*CustomFieldDefinition
}

// NewCustomFieldResolver returns a resolver of definitions, such as those from [LocationsService.CustomFields].
func NewCustomFieldResolver(definitions []*CustomFieldDefinition) *CustomFieldResolver {
	fields := slices.DeleteFunc(slices.Clone(definitions), func(d *CustomFieldDefinition) bool { return d == nil })
	r := &CustomFieldResolver{fields: fields, byName: map[string]*CustomFieldDefinition{}}
	for _, d := range fields {
		if d.ID != "" {
			r.byName[d.ID] = d
		}
		if d.FieldKey != "" {
			r.byName[d.FieldKey] = d
		}
	}
	for _, d := range fields { // the short key, unless it is the id or key of another field
		if _, short, ok := strings.Cut(d.FieldKey, "."); ok && r.byName[short] == nil {
			r.byName[short] = d
		}
	}
	return r
}

// Find returns the definition with an id ("3sv6…"), key ("contact.shoe_size") or short key ("shoe_size"), and
// whether there is one.
func (r *CustomFieldResolver) Find(idOrKey string) (*CustomFieldDefinition, bool) {
	d, ok := r.byName[strings.Trim(idOrKey, "{} ")] // templates write keys as {{contact.shoe_size}}
	return d, ok
}

// ID returns the id of the field with this key, or "" if there is none.
func (r *CustomFieldResolver) ID(key string) string {
	if d, ok := r.Find(key); ok {
		return d.ID
	}
	return ""
}

// Key returns the key of the field with this id, or "" if there is none.
func (r *CustomFieldResolver) Key(id string) string {
	if d, ok := r.Find(id); ok {
		return d.FieldKey
	}
	return ""
}

// Value returns a contact's value of a field, and whether the contact has one.
func (r *CustomFieldResolver) Value(c *Contact, idOrKey string) (CustomFieldValue, bool) {
	d, ok := r.Find(idOrKey)
	if !ok || c == nil {
		return CustomFieldValue{}, false
	}
	for _, f := range c.CustomFields {
		if f.ID == d.ID || f.ID == "" && f.Key == d.FieldKey {
			return f.Value, true
		}
	}
	return CustomFieldValue{}, false
}

// Definitions returns all definitions in their original order.
func (r *CustomFieldResolver) Definitions() []*CustomFieldDefinition { return slices.Clone(r.fields) }
