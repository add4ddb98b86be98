package ghl

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The API's records often differ from its documents. Two rules make a model survive that:
//
//   - one odd value never fails a record: what can be read as the field's type is (a number where text was promised),
//     what can't leaves the field zero;
//   - nothing is lost: a property without a field, and a value that its field does not hold whole, is kept in the model's
//     Extra.
//
// The usual record costs one json.Unmarshal and one scan over its keys; only an odd one takes the slow path by reflection.

// Extra holds the JSON properties of a record that have no field in its model, and the values that their field does not
// hold whole, by their names on the wire. It is nil when there are none.
//
// Writing a record writes its Extra too. A value that is there for its field's sake goes out as long as the field is what
// was read from it: a field that was changed since is written instead.
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
		f := fields.find(key)
		if f == nil {
			extra.keep(string(key), value)
			return nil
		}
		if !f.shape.holds(value) || f.shape == timeShape && !readable(v.FieldByIndex(f.index)) {
			f.read(value, v, extra)
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

// decodeFields reads an object. odd says that some value was not of its field's type, or refused by it.
func decodeFields(data []byte, v any) (odd bool, err error) {
	if err = json.Unmarshal(data, v); err != nil && isObject(data) && json.Valid(data) {
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
	v := reflect.ValueOf(plain)
	fields := fieldsOf(v.Type())
	for key, value := range extra {
		if f := fields.exact[key]; f == nil || f.unchanged(value, v) {
			all[key] = value
		}
	}
	return json.Marshal(all)
}

func (e *Extra) keep(key string, value []byte) {
	if *e == nil {
		*e = Extra{}
	}
	(*e)[key] = bytes.Clone(value)
}

// keepText keeps a text that stands under a second name, if there is one.
func (e *Extra) keepText(key, text string) {
	if data, err := json.Marshal(text); err == nil && text != "" {
		e.keep(key, data)
	}
}

func isObject(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && data[0] == '{'
}

// repair reads a record field by field, each as well as it goes.
func repair(data []byte, v reflect.Value, extra *Extra) error {
	fields := fieldsOf(v.Type())
	return eachField(data, func(key, value []byte) error {
		if f := fields.find(key); f != nil {
			f.read(value, v, extra)
		} else {
			extra.keep(string(key), value)
		}
		return nil
	})
}

// coerce reads one value into a field and reports whether the field holds all of it.
func coerce(data []byte, v reflect.Value) bool {
	v.SetZero()
	kind := v.Kind()
	if json.Unmarshal(data, v.Addr().Interface()) == nil && (kind != reflect.Slice || !hasNull(data)) {
		s := shapeOf(v.Type())
		return s.holds(data) && (s != timeShape || readable(v))
	}
	v.SetZero()
	if string(data) == `""` {
		return true // an empty text where a number, a list or an object was promised means there is none
	}
	switch kind {
	case reflect.Pointer:
		elem := reflect.New(v.Type().Elem())
		ok := coerce(data, elem.Elem())
		if ok || !elem.Elem().IsZero() {
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
	switch kind {
	case reflect.String:
		v.SetString(text)
		return true
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		v.SetBool(b)
		return err == nil
	case reflect.Int, reflect.Int64:
		n, ok := parseInt(text)
		if !ok || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
		return true
	case reflect.Float64:
		f, ok := parseNumber(text)
		if !ok {
			return false
		}
		v.SetFloat(f)
		return exactNumbers([]byte(text))
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
		ok := coerce(value, elem)
		switch {
		case !ok && elem.IsZero():
			whole = false
			return nil
		case string(value) == `""` && elem.Kind() != reflect.String:
			return nil // an empty text is no element; as a number it would be a zero that nobody sent
		}
		whole = whole && ok
		list = reflect.Append(list, elem)
		return nil
	}
	switch {
	case data[0] == '[':
		if eachElement(data, add) != nil {
			return false
		}
	case isEmptyObject(data): // the empty list of a language where lists and objects are the same
	default:
		_ = add(data)
	}
	v.Set(list)
	return whole
}

func isEmptyObject(data []byte) bool {
	s := scanner{data: data}
	return s.take('{') && s.take('}')
}

// hasNull reports whether an array has an element null, which is no element: in a list of records it would be a nil
// pointer, in a list of weekdays a Sunday.
func hasNull(data []byte) bool {
	if len(data) == 0 || data[0] != '[' || !bytes.Contains(data, []byte("null")) {
		return false
	}
	found := false
	_ = eachElement(data, func(value []byte) error {
		found = found || string(value) == "null"
		return nil
	})
	return found
}

// scalar returns the text of a string, a number or a boolean, or of an array that holds just one of them.
func scalar(data []byte) (string, bool) {
	if len(data) == 0 {
		return "", false
	}
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
		if err != nil || !ok || n != 1 {
			return "", false
		}
		return text, true
	case '{', 'n':
		return "", false
	}
	return string(data), true
}

// parseNumber reads a number as JSON writes it, with space around it. strconv alone would also take "Infinity", "nan" and
// "0x1p4", which are names or codes in a text, and the first two cannot be written as JSON again.
func parseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	tooSmall := f == 0 && strings.ContainsAny(mantissa, "123456789")
	return f, err == nil && !tooSmall
}

// parseInt reads a whole number, such as 5, "5", "5.0" or 1e3, if it is certain which one it is.
func parseInt(text string) (int64, bool) {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return n, true
	}
	const certain = 1 << 53 // beyond it a float64 stands for several whole numbers
	f, ok := parseNumber(text)
	if !ok || f != float64(int64(f)) || f > certain || f < -certain {
		return 0, false
	}
	return int64(f), true
}

// exactNumbers reports whether float64 surely holds every number in a value: it does for up to 15 digits. A number with
// an exponent may be too small for it.
func exactNumbers(data []byte) bool {
	if len(data) <= 15 && bytes.IndexByte(data, 'e') < 0 && bytes.IndexByte(data, 'E') < 0 {
		return true
	}
	digits, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			digits, inText = 0, !inText
		case inText:
			if c == '\\' {
				i++
			}
		case c >= '0' && c <= '9':
			if digits++; digits > 15 {
				return false
			}
		case c == '.':
		case (c == 'e' || c == 'E') && digits > 0: // the letter of true and false has no digits before it
			return false
		default:
			digits = 0
		}
	}
	return true
}

// modelField is a field of a struct, by its name on the wire.
type modelField struct {
	name  string
	index []int
	shape *shape
}

// read reads a value into the field of v, and what the field does not hold into extra. Of a name that comes twice the last
// value counts, as in encoding/json.
func (f *modelField) read(value []byte, v reflect.Value, extra *Extra) {
	if coerce(value, v.FieldByIndex(f.index)) {
		if delete(*extra, f.name); len(*extra) == 0 {
			*extra = nil
		}
	} else {
		extra.keep(f.name, value)
	}
}

// unchanged reports whether the field of v still is what reading the value gives.
func (f *modelField) unchanged(value []byte, v reflect.Value) bool {
	if len(value) == 0 {
		return false
	}
	field := v.FieldByIndex(f.index)
	again := reflect.New(field.Type()).Elem()
	coerce(bytes.TrimSpace(value), again)
	return reflect.DeepEqual(field.Interface(), again.Interface())
}

// shape is what must be looked at in the JSON of a type to know that encoding/json has read all of it; nil is nothing.
type shape struct {
	kind   reflect.Kind  // Slice, Struct or Float64, which also stands for whatever holds any JSON
	elem   *shape        // of a list
	fields *structFields // of a struct that does not read itself
}

// holds reports whether a type of this shape holds all of a value that encoding/json has read into it.
func (s *shape) holds(data []byte) bool {
	if s == nil || len(data) == 0 {
		return true
	}
	whole := true
	switch {
	case s.kind == reflect.Float64:
		return exactNumbers(data)
	case s.kind == reflect.Slice && data[0] == '[':
		if s.elem == nil {
			return !hasNull(data)
		}
		_ = eachElement(data, func(value []byte) error {
			whole = whole && string(value) != "null" && s.elem.holds(value)
			return nil
		})
	case s.kind == reflect.Struct && data[0] == '{':
		_ = eachField(data, func(key, value []byte) error {
			f := s.fields.find(key)
			whole = whole && f != nil && f.shape.holds(value)
			return nil
		})
	}
	return whole
}

// timeShape is that of a [Time], of which only the field itself tells whether it could be read.
var timeShape = &shape{}

// readable reports whether the field of type Time is a time, or none was sent.
func readable(field reflect.Value) bool {
	t := field.Addr().Interface().(*Time)
	return !t.IsZero() || t.raw == ""
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

var shapeCache sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapeCache.Load(t); ok {
		return s.(*shape)
	}
	var s *shape
	switch {
	case t == reflect.TypeFor[Time]():
		s = timeShape
	case reflect.PointerTo(t).Implements(unmarshaler): // it sees to it by itself
	case t.Kind() == reflect.Pointer:
		s = shapeOf(t.Elem())
	case t.Kind() == reflect.Slice:
		s = &shape{kind: reflect.Slice, elem: shapeOf(t.Elem())}
	case t.Kind() == reflect.Struct:
		s = &shape{kind: reflect.Struct, fields: fieldsOf(t)}
	case t.Kind() == reflect.Float64, t.Kind() == reflect.Map, t.Kind() == reflect.Interface:
		s = &shape{kind: reflect.Float64}
	}
	actual, _ := shapeCache.LoadOrStore(t, s)
	return actual.(*shape)
}

// structFields maps the JSON names of a struct to its fields.
type structFields struct {
	exact  map[string]*modelField
	folded map[string]*modelField
}

var fieldCache sync.Map // reflect.Type → *structFields

func fieldsOf(t reflect.Type) *structFields {
	if f, ok := fieldCache.Load(t); ok {
		return f.(*structFields)
	}
	f := &structFields{exact: map[string]*modelField{}, folded: map[string]*modelField{}}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" || !field.IsExported() {
			continue
		}
		known := &modelField{name, slices.Clone(field.Index), shapeOf(field.Type)}
		f.exact[name] = known
		f.folded[folded([]byte(name))] = known
	}
	actual, _ := fieldCache.LoadOrStore(t, f)
	return actual.(*structFields)
}

// find prefers the exact name and else ignores case, as encoding/json does; nil if there is no such field.
func (f *structFields) find(key []byte) *modelField {
	if known := f.exact[string(key)]; known != nil {
		return known
	}
	return f.folded[folded(key)]
}

// folded makes names equal that encoding/json takes for the same, which strings.ToLower does not: "ſ" is an s.
func folded(name []byte) string {
	out := make([]byte, 0, 32)
	for _, r := range string(name) {
		for {
			next := unicode.SimpleFold(r)
			if next <= r { // the smallest of those that fold into each other
				r = next
				break
			}
			r = next
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}
