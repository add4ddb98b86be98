package answer

import (
	"bytes"
	"encoding/json"
)

// Decode decodes JSON. Numbers become json.Number, so that ids and times keep every digit.
func Decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

// Edit decodes an answer, calls edit and encodes the result. An answer that is not JSON is returned unchanged; a
// result that is not JSON becomes an error text, so that no caller mistakes it for the unedited answer.
func Edit(text []byte, edit func(any) any) []byte {
	var decoded any
	if Decode(text, &decoded) != nil {
		return text
	}
	edited, err := json.Marshal(edit(decoded))
	if err != nil {
		return []byte("ghltest cannot encode an edited answer: " + err.Error())
	}
	return edited
}

// Change returns the new value of a property. The property is removed when keep is false.
type Change func(property string, value any) (_ any, keep bool)

// Properties calls change for each property of each object in v, inner objects first, and returns v. An element of a
// list counts as a value of the property that holds the list.
func Properties(v any, change Change) any { return propertiesOf("", v, change) }

func propertiesOf(property string, v any, change Change) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if changed, keep := change(name, propertiesOf(name, value, change)); keep {
				v[name] = changed
			} else {
				delete(v, name)
			}
		}
	case []any:
		for i, element := range v {
			switch element.(type) {
			case map[string]any, []any:
				v[i] = propertiesOf(property, element, change)
			default:
				v[i], _ = change(property, element)
			}
		}
	}
	return v
}

// Objects calls change for each object in v, inner objects first, and returns v.
func Objects(v any, change func(object map[string]any)) any {
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			Objects(value, change)
		}
		change(v)
	case []any:
		for _, value := range v {
			Objects(value, change)
		}
	}
	return v
}
