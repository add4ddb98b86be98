package ghltest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// properties are the declared properties of an object in a request.
type properties map[string]property

// property is the type of a value and whether the value is required.
type property struct {
	kind     kind
	required bool
	nullable bool       // a required property may be null
	oneOf    []string   // the values of a string; nil means any
	fields   properties // of an object, or of each object in a list; nil means any
	fieldsV3 properties // the fields in v3
}

// in limits a string to values.
func (p property) in(values ...string) property {
	p.oneOf = values
	return p
}

// of sets the fields of an object, or of each object in a list.
func (p property) of(fields properties) property {
	p.fields, p.fieldsV3 = fields, fields
	return p
}

// inV3 sets the fields in v3 only.
func (p property) inV3(fields properties) property {
	p.fieldsV3 = fields
	return p
}

type kind uint8

const (
	anything kind = iota
	text
	flag
	number
	list
	texts
	object
	instant
)

// reasons are the texts of HighLevel's validation.
var reasons = [...]string{
	text: " must be a string", flag: " must be a boolean value",
	number: " must be a number conforming to the specified constraints",
	list:   " must be an array", texts: " must be an array", object: " must be an object",
	instant: " must be a valid ISO 8601 date string",
}

func optional(k kind) property { return property{kind: k} }
func required(k kind) property { return property{kind: k, required: true} }

// with returns the properties extended and replaced by others.
func (p properties) with(more properties) properties {
	all := properties{}
	for _, set := range []properties{p, more} {
		for name, property := range set {
			all[name] = property
		}
	}
	return all
}

// checkBody refuses undeclared, missing and mistyped properties, with all reasons at once. A body with a Content-Type
// other than JSON counts as empty.
func (c *call) checkBody() error {
	if c.endpoint.row.body == nil {
		return nil
	}
	if c.media != jsonMedia {
		c.body = nil
	}
	values := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(c.body)) > 0 {
		if err := json.Unmarshal(c.body, &values); err != nil {
			return refuse(http.StatusBadRequest, "Unexpected token in JSON: the body is not a JSON object")
		}
	}
	wrong := c.endpoint.row.body.check("", values, c.v3)
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return invalid(wrong...)
	}
	if c.place == inBody {
		var id string
		if err := json.Unmarshal(values["locationId"], &id); err != nil {
			return invalid("locationId must be a string")
		}
		switch id {
		case "":
			return invalid("locationId should not be empty", "locationId must be a string")
		case c.location.ID:
			return nil
		}
		return wrongLocation()
	}
	return nil
}

// check returns the reasons to refuse an object. prefix is its path, such as "dndSettings.".
func (p properties) check(prefix string, values map[string]json.RawMessage, v3 bool) (wrong []string) {
	for name := range values {
		if _, known := p[name]; !known {
			wrong = append(wrong, prefix+"property "+name+" should not exist")
		}
	}
	for name, p := range p {
		value, given := values[name]
		isNull := string(value) == "null"
		switch {
		case p.required && (!given || isNull && !p.nullable):
			wrong = append(wrong, prefix+name+" should not be empty", prefix+name+reasons[p.kind])
		case given && !isNull:
			wrong = append(wrong, p.check(prefix+name, value, v3)...)
		}
	}
	return wrong
}

// check returns the reasons to refuse a value.
func (p property) check(name string, value json.RawMessage, v3 bool) (wrong []string) {
	if !p.kind.accepts(value) {
		return []string{name + reasons[p.kind]}
	}
	if p.oneOf != nil {
		var text string
		if json.Unmarshal(value, &text) != nil || !slices.Contains(p.oneOf, text) {
			return []string{name + " must be one of the following values: " + strings.Join(p.oneOf, ", ")}
		}
	}
	fields := p.fields
	if v3 {
		fields = p.fieldsV3
	}
	if fields == nil {
		return nil
	}
	all := []json.RawMessage{value}
	if p.kind == list && json.Unmarshal(value, &all) != nil {
		return []string{name + reasons[list]}
	}
	for i, one := range all {
		at := name
		if p.kind == list {
			at += "." + strconv.Itoa(i)
		}
		values := map[string]json.RawMessage{}
		if json.Unmarshal(one, &values) != nil || values == nil {
			wrong = append(wrong, at+reasons[object])
			continue
		}
		wrong = append(wrong, fields.check(at+".", values, v3)...)
	}
	return wrong
}

// accepts reports whether a value has the kind. The value is valid JSON.
func (k kind) accepts(value json.RawMessage) bool {
	switch k {
	case text:
		return value[0] == '"'
	case flag:
		return value[0] == 't' || value[0] == 'f'
	case number:
		return value[0] == '-' || value[0] >= '0' && value[0] <= '9'
	case list:
		return value[0] == '['
	case texts:
		var all []string
		return value[0] == '[' && json.Unmarshal(value, &all) == nil
	case object:
		return value[0] == '{'
	case instant:
		var t time.Time
		return json.Unmarshal(value, &t) == nil
	}
	return true
}

// read decodes the body. checkBody has checked the types of its properties, so read only fails on nested values.
func read[T any](c *call) (*T, error) {
	in := new(T)
	if len(bytes.TrimSpace(c.body)) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(c.body, in); err != nil {
		return nil, invalid("the body holds a value of the wrong type")
	}
	return in, nil
}
