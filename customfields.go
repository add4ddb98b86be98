package ghl

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/lenient"
)

// CustomField is the value that a contact has in a field of the location's own. Reading gives the ID; writing takes the ID
// or the Key. What the field is called and which type it has is in the location's definitions: [LocationsService.CustomFields]
// and [CustomFieldResolver].
type CustomField struct {
	ID string `json:"id,omitempty"`
	// Key is such as "contact.shoe_size". The API takes it instead of the ID when writing, and seldom sends it.
	Key string `json:"key,omitempty"`
	// Value also comes as field_value or fieldValue; if as several that differ, the others are in Extra.
	Value CustomFieldValue `json:"value" also:"field_value,fieldValue"`
	Extra Extra            `json:"-"`
}

// CustomFieldValue is the value of a custom field, as the server sent it. Its type is known only by the field's definition,
// so each of its readers answers for the values it can read. The zero value is null.
type CustomFieldValue struct{ raw json.RawMessage }

// ValueOf returns the value of a custom field. The type of v depends on the type of the field:
//
//   - string for text, phone, e-mail, a single option and radio;
//   - int or float64 for a number and for money, in units of the location's currency, such as 12.50;
//   - time.Time for a date: the day of v in its own zone, without a time;
//   - []string for several options, such as checkboxes;
//   - map[string]CustomFieldFile for files by their ids, as [CustomFieldValue.Files] returns them; a new file needs an upload;
//   - json.RawMessage for anything else.
//
// A number or a json.RawMessage that is not valid JSON makes the call fail with [ErrBadInput].
func ValueOf[T string | int | float64 | time.Time | []string | map[string]CustomFieldFile | json.RawMessage](v T) CustomFieldValue {
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

// Text returns the value of a text, phone, single option or radio field; a number as it was written; options with a comma
// between them. It is "" for files and for none.
func (v CustomFieldValue) Text() string { return strings.Join(v.Options(), ", ") }

// Number returns the value of a number or money field. A number in a text counts, with or without a comma between each
// three digits; "Infinity" or "1,5" is none.
func (v CustomFieldValue) Number() (float64, bool) {
	text, ok := lenient.Scalar(v.raw)
	if !ok {
		return 0, false
	}
	text = strings.TrimSpace(text)
	if whole, _, _ := strings.Cut(text, "."); strings.Contains(whole, ",") {
		for i, group := range strings.Split(strings.TrimLeft(whole, "+-"), ",") {
			if strings.Trim(group, "0123456789") != "" || len(group) == 0 || len(group) > 3 || i > 0 && len(group) != 3 {
				return 0, false
			}
		}
		text = strings.ReplaceAll(whole, ",", "") + text[len(whole):]
	}
	return lenient.ParseNumber(text)
}

// Options returns the options chosen: many, one, or none.
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

// Date returns the value of a date field. It comes as milliseconds or as text.
func (v CustomFieldValue) Date() Time {
	var t Time
	if len(v.raw) > 0 {
		_ = t.UnmarshalJSON(v.raw)
	}
	return t
}

// Files returns the files of a file field by their id; nil for any other value.
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

// CustomFieldFile is a file in a custom field.
type CustomFieldFile struct {
	URL        string       `json:"url,omitempty"`
	DocumentID string       `json:"documentId,omitempty"`
	Deleted    bool         `json:"deleted,omitempty"`
	Meta       FileMetadata `json:"meta,omitzero"`
	Extra      Extra        `json:"-"`
}

// FileMetadata describes a file.
type FileMetadata struct {
	FieldName    string `json:"fieldname,omitempty"`
	OriginalName string `json:"originalname,omitempty"`
	Encoding     string `json:"encoding,omitempty"`
	MIMEType     string `json:"mimetype,omitempty"`
	UUID         string `json:"uuid,omitempty"`
	Size         int64  `json:"size,omitempty"` // in bytes
	Extra        Extra  `json:"-"`
}

// MarshalJSON writes the value as it is.
func (v CustomFieldValue) MarshalJSON() ([]byte, error) {
	if len(v.raw) == 0 {
		return []byte("null"), nil
	}
	return v.raw, nil
}

// UnmarshalJSON keeps the value as it is.
func (v *CustomFieldValue) UnmarshalJSON(data []byte) error {
	v.raw = nil
	if data = bytes.TrimSpace(data); string(data) != "null" {
		v.raw = bytes.Clone(data)
	}
	return nil
}

// CustomFieldDefinition describes a custom field of a location.
type CustomFieldDefinition struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// FieldKey is such as "contact.shoe_size".
	FieldKey    string `json:"fieldKey,omitempty"`
	Placeholder string `json:"placeholder,omitempty"`
	// DataType is such as TEXT, LARGE_TEXT, NUMERICAL, PHONE, MONETORY (sic), CHECKBOX, SINGLE_OPTIONS, MULTIPLE_OPTIONS,
	// FLOAT, TIME, DATE, TEXTBOX_LIST, FILE_UPLOAD, SIGNATURE, RADIO, EMAIL.
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

// CustomFieldResolver finds a location's custom fields by id or key. It does not change and is safe for concurrent use.
type CustomFieldResolver struct {
	fields []*CustomFieldDefinition
	byName map[string]*CustomFieldDefinition
}

// NewCustomFieldResolver makes a resolver of definitions, as [LocationsService.CustomFields] gives them.
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
	for _, d := range fields { // the key without its model, where nothing else has that name
		if _, short, ok := strings.Cut(d.FieldKey, "."); ok && r.byName[short] == nil {
			r.byName[short] = d
		}
	}
	return r
}

// Find returns the definition by id ("3sv6…"), key ("contact.shoe_size") or short key ("shoe_size").
func (r *CustomFieldResolver) Find(idOrKey string) (*CustomFieldDefinition, bool) {
	d, ok := r.byName[strings.Trim(idOrKey, "{} ")] // templates write keys as {{contact.shoe_size}}
	return d, ok
}

// ID returns the id of the field with this key, "" if there is none.
func (r *CustomFieldResolver) ID(key string) string {
	if d, ok := r.Find(key); ok {
		return d.ID
	}
	return ""
}

// Key returns the key of the field with this id, "" if there is none.
func (r *CustomFieldResolver) Key(id string) string {
	if d, ok := r.Find(id); ok {
		return d.FieldKey
	}
	return ""
}

// Value returns the value that a contact has in a field, and whether it has one.
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

// Set returns the custom field of a key or id with a value, for a create or update. A field that the location does not
// have is [ErrBadInput].
func (r *CustomFieldResolver) Set(idOrKey string, value CustomFieldValue) (CustomField, error) {
	d, ok := r.Find(idOrKey)
	if !ok {
		return CustomField{}, badInputf("CustomFields", "the location has no custom field %q", clip(idOrKey, 80))
	}
	return CustomField{ID: d.ID, Value: value}, nil
}

// Definitions returns the fields in the order they came.
func (r *CustomFieldResolver) Definitions() []*CustomFieldDefinition { return slices.Clone(r.fields) }
