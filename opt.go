package ghl

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Opt is a field of an update. An update says three different things with it:
//
//   - the zero value is absent: the field is not sent, the server keeps what it has;
//   - [Null] sends null, which clears the field;
//   - [Some] sends the value, the empty one too.
//
// Struct fields of type Opt carry the tag `json:",omitzero"`, which leaves an absent one out.
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

// Some sends v. A nil slice is sent as [], a nil map as {}: to send null, use [Null].
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, state: optValue} }

// Null sends null, which clears the field.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get returns the value, and whether there is one: false for an absent field and for null.
func (o Opt[T]) Get() (T, bool) { return o.value, o.state == optValue }

// IsNull reports whether the field is sent as null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports whether the field is absent. Package encoding/json asks it for the omitzero tag.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

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

// UnmarshalJSON reads null as [Null] and anything else as [Some]. A field that is not in the JSON stays absent.
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
