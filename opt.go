package ghl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Opt is a field of an update, in one of three states:
//
//   - absent, the zero value: the field is not sent and does not change;
//   - null, from [Null]: null is sent, which clears the field;
//   - a value, from [Some]: the value is sent, even if it is empty.
//
// Struct fields of type Opt need the tag `json:",omitzero"`, which omits absent fields.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optValue
)

// Some returns a field with the value v. A nil slice is sent as [] and a nil map as {}; to send null, use [Null].
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, state: optValue} }

// Null returns a field that is sent as null, which clears it.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get returns the value and whether the field has one, which absent and null fields do not.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == optValue }

// IsNull reports whether the field is null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports whether the field is absent. Package encoding/json calls it for the omitzero tag.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

// String returns "(absent)", "null", or the value as fmt prints it with %v. It prints what a pointer points to as JSON.
func (o Opt[T]) String() string {
	switch o.state {
	case optAbsent:
		return "(absent)"
	case optNull:
		return "null"
	}
	if v := reflect.ValueOf(&o.value).Elem(); v.Kind() == reflect.Pointer && !v.IsNil() {
		if data, err := json.Marshal(o.value); err == nil {
			return string(data)
		}
	}
	return fmt.Sprint(o.value)
}

// MarshalJSON writes the value, or null for [Null] and for an absent field without omitzero.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optValue {
		return []byte("null"), nil
	}
	v := reflect.ValueOf(&o.value).Elem()
	if v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if _, own := v.Interface().(json.Marshaler); !own {
		switch {
		case v.Kind() == reflect.Slice && v.IsNil(): // [] for a list, "" for bytes
			return json.Marshal(reflect.MakeSlice(v.Type(), 0, 0).Interface())
		case v.Kind() == reflect.Map && v.IsNil():
			return []byte("{}"), nil
		}
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads null as [Null] and any other value as [Some]. On an error the field does not change.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
