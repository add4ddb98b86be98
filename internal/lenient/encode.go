package lenient

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"
)

// Marshal writes the struct that v points to, with its Extra and those of the structs in it. Methods of the struct
// itself are not called. A value that Extra has for a field is written if the field still is what reading that value
// gives; a field that was changed since is written instead.
func Marshal(v any) ([]byte, error) {
	return appendStruct(make([]byte, 0, 512), reflect.ValueOf(v).Elem())
}

func appendStruct(out []byte, v reflect.Value) ([]byte, error) {
	s := structOf(v.Type())
	var extra map[string]json.RawMessage
	if s.extra != nil {
		extra = v.FieldByIndex(s.extra).Convert(extraType).Interface().(map[string]json.RawMessage)
	}
	out = append(out, '{')
	first := len(out)
	name := func(name string) {
		if len(out) > first {
			out = append(out, ',')
		}
		out = append(appendText(out, name), ':')
	}
	var err error
	for _, f := range s.fields {
		if f.rank > 0 {
			continue
		}
		value := f.of(v)
		if raw, ok := extra[f.name]; ok {
			if f.unchanged(raw, value) {
				name(f.name)
				if out, err = appendRaw(out, raw); err != nil {
					return nil, err
				}
				continue
			}
		}
		if f.omitEmpty && isEmpty(value) || f.omitZero && isZero(value) {
			continue
		}
		name(f.name)
		if out, err = appendValue(out, value); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		if f := s.exact[key]; f != nil && f.rank == 0 {
			continue // written above, or replaced by the field
		}
		name(key)
		if out, err = appendRaw(out, extra[key]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// unchanged reports whether a field is what reading a value gives.
func (f *field) unchanged(value []byte, now reflect.Value) bool {
	if len(value) == 0 {
		return false
	}
	again := reflect.New(now.Type()).Elem()
	d := newDecoder(value)
	defer d.release()
	d.space()
	f.read(d, again)
	return !d.bad && reflect.DeepEqual(now.Interface(), again.Interface())
}

// appendValue writes a value as encoding/json does, except that structs without methods write their Extra.
func appendValue(out []byte, v reflect.Value) ([]byte, error) {
	if !v.Type().Implements(marshalerType) {
		switch v.Kind() {
		case reflect.String:
			return appendText(out, v.String()), nil
		case reflect.Bool:
			return strconv.AppendBool(out, v.Bool()), nil
		case reflect.Int, reflect.Int64:
			return strconv.AppendInt(out, v.Int(), 10), nil
		}
		if hasExtra(v.Type()) {
			return appendNested(out, v)
		}
	}
	data, err := json.Marshal(v.Interface())
	return append(out, data...), err
}

// appendNested writes a value of a type that has structs with Extra in it.
func appendNested(out []byte, v reflect.Value) ([]byte, error) {
	switch {
	case v.Kind() == reflect.Struct:
		return appendStruct(out, v)
	case v.IsNil():
		return append(out, "null"...), nil
	case v.Kind() == reflect.Pointer:
		return appendValue(out, v.Elem())
	}
	out = append(out, '[')
	for i := range v.Len() {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendText(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; classes[c] != ordinary || c == '<' || c == '>' || c == '&' {
			data, _ := json.Marshal(text) // a string never fails
			return append(out, data...)
		}
	}
	return append(append(append(out, '"'), text...), '"')
}

// appendRaw writes a value of Extra, and fails if it is not valid JSON.
func appendRaw(out []byte, value json.RawMessage) ([]byte, error) {
	data, err := json.Marshal(value)
	return append(out, data...), err
}

var typesWithExtra sync.Map // reflect.Type → bool

// hasExtra reports whether a type is or contains structs that write their Extra without methods of their own.
func hasExtra(t reflect.Type) bool {
	if known, ok := typesWithExtra.Load(t); ok {
		return known.(bool)
	}
	has := containsExtra(t, map[reflect.Type]bool{})
	typesWithExtra.Store(t, has)
	return has
}

func containsExtra(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || t.Implements(marshalerType) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return containsExtra(t.Elem(), seen)
	case reflect.Struct:
		s := structOf(t)
		return s.extra != nil || slices.ContainsFunc(s.fields, func(f *field) bool {
			return containsExtra(t.FieldByIndex(f.index).Type, seen)
		})
	}
	return false
}

// isEmpty is the condition of the option omitempty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// isZero is the condition of the option omitzero.
func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		return z.IsZero()
	}
	return v.IsZero()
}
