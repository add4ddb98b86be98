package ghltest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// properties are what the JSON of a request may hold.
type properties map[string]property

// property is the type of a value, and whether it must be there.
type property struct {
	kind     kind
	required bool
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

// reasons are the words of the real API's validation.
var reasons = [...]string{
	text: " must be a string", flag: " must be a boolean value", number: " must be a number conforming to the specified constraints",
	list: " must be an array", texts: " must be an array", object: " must be an object", instant: " must be a valid ISO 8601 date string",
}

func optional(k kind) property { return property{kind: k} }
func required(k kind) property { return property{kind: k, required: true} }

// with returns the properties together with others.
func (p properties) with(more properties) properties {
	all := properties{}
	for _, set := range []properties{p, more} {
		for name, property := range set {
			all[name] = property
		}
	}
	return all
}

// checkBody refuses what is not declared, what is missing and what has another type, all reasons at once.
func (c *call) checkBody() error {
	if c.row.body == nil {
		return nil
	}
	values := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(c.body)) > 0 {
		if err := json.Unmarshal(c.body, &values); err != nil {
			return refuse(http.StatusBadRequest, "Unexpected token in JSON: the body is no JSON object")
		}
	}
	var wrong []string
	for name := range values {
		if _, known := c.row.body[name]; !known {
			wrong = append(wrong, "property "+name+" should not exist")
		}
	}
	for name, p := range c.row.body {
		value, given := values[name]
		given = given && string(value) != "null"
		switch {
		case !given && p.required:
			wrong = append(wrong, name+" should not be empty", name+reasons[p.kind])
		case given && !p.kind.takes(value):
			wrong = append(wrong, name+reasons[p.kind])
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return invalid(wrong...)
	}
	if c.row.place == inBody {
		var id string
		if err := json.Unmarshal(values["locationId"], &id); err != nil {
			return invalid("locationId must be a string")
		}
		return c.inLocation(id)
	}
	return nil
}

func (k kind) takes(value json.RawMessage) bool {
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

// read decodes the body into a form of the operation. The types have been checked, so what fails is deeper inside.
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
