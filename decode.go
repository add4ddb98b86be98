package ghl

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// The API's records often differ from its documents. Two rules make a model survive that:
//
//   - one odd value never fails a record: what can be read as the field's type is (a number where text was promised),
//     what can't leaves the field zero;
//   - nothing is lost: a property without a field, and a value that did not fit, is kept in the model's Extra.
//
// The usual record costs one json.Unmarshal and one scan over its keys; only an odd one takes the slow path by reflection.

// Extra holds the JSON properties of a record that have no field in its model, and the values that did not fit their
// field's type, by their names on the wire. It is nil when there are none.
type Extra map[string]json.RawMessage

// decodeModel reads a record into plain, a pointer to a struct type without methods, and what is left over into extra.
func decodeModel(data []byte, plain any, extra *Extra) error {
	*extra = nil
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	odd, err := decodeFields(data, plain)
	if err != nil {
		return err
	}
	v := reflect.ValueOf(plain).Elem()
	if odd {
		return repair(data, v, extra)
	}
	fields := fieldsOf(v.Type())
	return eachField(data, func(key, value []byte) error {
		if _, known := fields.find(key); !known {
			extra.keep(string(key), value)
		}
		return nil
	})
}

// decodeHead reads what surrounds the records of an answer, with the same patience; what is left over is not kept.
func decodeHead(data []byte, head any) error {
	odd, err := decodeFields(data, head)
	if odd {
		var left Extra
		return repair(data, reflect.ValueOf(head).Elem(), &left)
	}
	return err
}

// decodeFields reads an object. odd says that some value was not of its field's type.
func decodeFields(data []byte, v any) (odd bool, err error) {
	err = json.Unmarshal(data, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && isObject(data) {
		return true, nil
	}
	return false, err
}

// encodeModel writes a record with what is in its Extra, so that storing a record as JSON loses nothing.
func encodeModel(plain any, extra Extra) ([]byte, error) {
	data, err := json.Marshal(plain)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for key, value := range extra {
		all[key] = value
	}
	return json.Marshal(all)
}

func (e *Extra) keep(key string, value []byte) {
	if *e == nil {
		*e = Extra{}
	}
	(*e)[key] = bytes.Clone(value)
}

func isObject(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && data[0] == '{'
}

// repair reads a record field by field, each as well as it goes.
func repair(data []byte, v reflect.Value, extra *Extra) error {
	fields := fieldsOf(v.Type())
	return eachField(data, func(key, value []byte) error {
		index, ok := fields.find(key)
		if !ok {
			extra.keep(string(key), value)
			return nil
		}
		if !coerce(value, v.FieldByIndex(index)) {
			extra.keep(string(key), value)
		}
		return nil
	})
}

// coerce reads one value into a field and reports whether all of it fitted.
func coerce(data []byte, v reflect.Value) bool {
	v.SetZero()
	if json.Unmarshal(data, v.Addr().Interface()) == nil {
		return true
	}
	v.SetZero()
	if string(data) == `""` {
		return true // an empty text where a number, a list or an object was promised means there is none
	}
	switch v.Kind() {
	case reflect.Pointer:
		elem := reflect.New(v.Type().Elem())
		ok := coerce(data, elem.Elem())
		if !elem.Elem().IsZero() {
			v.Set(elem)
		}
		return ok
	case reflect.Slice:
		return coerceSlice(data, v)
	case reflect.Struct:
		var left Extra
		return isObject(data) && repair(data, v, &left) == nil && len(left) == 0
	}
	text, ok := scalar(data)
	if !ok {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return true
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		v.SetBool(b)
		return err == nil
	case reflect.Int, reflect.Int64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != float64(int64(f)) {
			return false
		}
		v.SetInt(int64(f))
		return true
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return false
		}
		v.SetFloat(f)
		return true
	}
	return false
}

// coerceSlice reads an array element by element, leaving out null and what does not fit, and takes a single value as a
// list of one.
func coerceSlice(data []byte, v reflect.Value) bool {
	list, whole := reflect.MakeSlice(v.Type(), 0, 4), true
	add := func(value []byte) error {
		if string(value) == "null" {
			return nil
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if !coerce(value, elem) {
			whole = false
			return nil
		}
		list = reflect.Append(list, elem)
		return nil
	}
	if data[0] == '[' {
		if eachElement(data, add) != nil {
			return false
		}
	} else if add(data) != nil {
		return false
	}
	v.Set(list)
	return whole
}

// scalar returns the text of a string, a number or a boolean, or of an array that holds just one of them.
func scalar(data []byte) (string, bool) {
	switch data[0] {
	case '"':
		if plainString(data) {
			return string(data[1 : len(data)-1]), true
		}
		var s string
		err := json.Unmarshal(data, &s)
		return s, err == nil
	case '[':
		var text string
		n, ok := 0, true
		err := eachElement(data, func(value []byte) error {
			n++
			text, ok = "", false
			if value[0] != '[' {
				text, ok = scalar(value)
			}
			return nil
		})
		return text, err == nil && ok && n == 1
	case '{', 'n':
		return "", false
	}
	return string(data), true
}

// structFields maps the JSON names of a struct to its fields.
type structFields struct {
	exact  map[string][]int
	folded map[string][]int
}

var fieldCache sync.Map // reflect.Type → *structFields

func fieldsOf(t reflect.Type) *structFields {
	if f, ok := fieldCache.Load(t); ok {
		return f.(*structFields)
	}
	f := &structFields{exact: map[string][]int{}, folded: map[string][]int{}}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" || !field.IsExported() {
			continue
		}
		f.exact[name] = field.Index
		f.folded[strings.ToLower(name)] = field.Index
	}
	actual, _ := fieldCache.LoadOrStore(t, f)
	return actual.(*structFields)
}

// find prefers the exact name and else ignores case, as encoding/json does.
func (f *structFields) find(key []byte) ([]int, bool) {
	if index, ok := f.exact[string(key)]; ok {
		return index, true
	}
	index, ok := f.folded[strings.ToLower(string(key))]
	return index, ok
}
