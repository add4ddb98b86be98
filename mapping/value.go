package mapping

import (
	"slices"
	"time"
)

// typ is the type of a field's value, on either side.
type typ uint8

const (
	textType    typ = iota + 1
	numberType      // a number, stored as text
	listType        // a list of texts
	flagType        // true or false
	dayType         // a day without a time, at midnight UTC
	instantType     // an instant
	filesType       // uploaded files, which no step converts
	anyType         // a custom field that was not looked up; see CheckRules
)

// String returns the name of the type in messages.
func (t typ) String() string {
	return [...]string{"nothing", "text", "a number", "a list", "true or false", "a day", "a time", "files",
		"any type"}[t]
}

// value is a value of any type. It is passed by value to save allocations.
type value struct {
	text string
	list []string
	at   time.Time
	flag bool
	// note says how the value was changed on its way, problem why it cannot be mapped.
	note, problem string
}

func textValue(s string) value    { return value{text: s} }
func listValue(l []string) value  { return value{list: l} }
func flagValue(b bool) value      { return value{flag: b} }
func timeValue(t time.Time) value { return value{at: t} }

// isEmpty reports whether there is no value. Neither true nor false is empty.
func (v *value) isEmpty(t typ) bool {
	switch t {
	case listType:
		return len(v.list) == 0
	case dayType, instantType:
		return v.at.IsZero()
	case flagType:
		return false
	}
	return v.text == ""
}

// has reports whether there is a value, or a problem with one, that a report names if no rule maps it. False is not
// reported.
func (v *value) has(t typ) bool {
	return v.problem != "" || v.flag || t != flagType && !v.isEmpty(t)
}

// equal reports whether two values of a type are the same. Lists are compared as sets.
func (v *value) equal(w *value, t typ) bool {
	switch t {
	case listType:
		return slices.Equal(v.list, w.list) || len(without(v.list, w.list)) == 0 && len(without(w.list, v.list)) == 0
	case dayType, instantType:
		return v.at.Equal(w.at)
	case flagType:
		return v.flag == w.flag
	}
	return v.text == w.text
}
