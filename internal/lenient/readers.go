package lenient

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

var readers sync.Map // reflect.Type → readFunc

func readerOf(t reflect.Type) readFunc {
	if r, ok := readers.Load(t); ok {
		return r.(readFunc)
	}
	r := newReader(t)
	readers.Store(t, r)
	return r
}

// generated are the types with an UnmarshalJSON that only calls Unmarshal.
var generated sync.Map // reflect.Type → true

// Generated declares that the UnmarshalJSON of the types that the models point to only calls [Unmarshal]. Records that
// contain such a model then read it in place. Package initialization must call it.
func Generated(models ...json.Unmarshaler) bool {
	for _, m := range models {
		generated.Store(reflect.TypeOf(m).Elem(), true)
	}
	return true
}

func newReader(t reflect.Type) readFunc {
	if _, ok := generated.Load(t); ok {
		return readStruct
	}
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(unmarshalerType) {
		return readOwn
	}
	switch t.Kind() {
	case reflect.String:
		return readString
	case reflect.Bool:
		return readBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return readInt
	case reflect.Float64:
		return readFloat
	case reflect.Pointer:
		return pointerReader(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are a text, in base64
			return sliceReader(t.Elem())
		}
	case reflect.Struct:
		return readStruct
	}
	return readOther
}

// readOwn calls the type's own UnmarshalJSON. A type with the methods IsZero and Raw of ghl.Time stores a text that it
// could not read: the value is not whole if it is zero and has such a text.
func readOwn(d *decoder, v reflect.Value) bool {
	value := d.any()
	if d.bad {
		return false
	}
	own := v.Addr().Interface()
	if own.(json.Unmarshaler).UnmarshalJSON(value) != nil {
		v.SetZero()
		return string(value) == `""`
	}
	partial, ok := own.(interface {
		IsZero() bool
		Raw() string
	})
	return !ok || !partial.IsZero() || partial.Raw() == ""
}

func readString(d *decoder, v reflect.Value) bool {
	if !d.at('"') {
		return readScalar(d, v, func(text string) bool {
			v.SetString(text)
			return true
		})
	}
	start := d.pos + 1
	if !d.str() {
		d.bad = true
		return false
	}
	value := d.data[start : d.pos-1]
	if !d.plain {
		value = unescape(value)
	}
	v.SetString(d.text(value))
	return true
}

func readBool(d *decoder, v reflect.Value) bool {
	if d.literal("true") {
		v.SetBool(true)
		return true
	}
	return readScalar(d, v, func(text string) bool {
		b, err := strconv.ParseBool(strings.ToLower(text))
		v.SetBool(b)
		return err == nil
	})
}

func readInt(d *decoder, v reflect.Value) bool {
	start := d.pos
	if d.number() {
		if n, err := strconv.ParseInt(string(d.data[start:d.pos]), 10, 64); err == nil && !v.OverflowInt(n) {
			v.SetInt(n)
			return true
		}
	}
	d.pos = start
	return readScalar(d, v, func(text string) bool {
		n, ok := parseInt(text)
		if ok = ok && !v.OverflowInt(n); ok {
			v.SetInt(n)
		}
		return ok
	})
}

func readFloat(d *decoder, v reflect.Value) bool {
	return readScalar(d, v, func(text string) bool {
		f, ok := ParseNumber(text)
		if ok {
			v.SetFloat(f)
		}
		return ok && exactNumbers([]byte(text))
	})
}

// readScalar passes the text of a string, a number or a boolean to set. An empty text where something else was promised
// means that there is no value, as null does.
func readScalar(d *decoder, v reflect.Value, set func(text string) bool) bool {
	value := d.any()
	if d.bad {
		return false
	}
	v.SetZero()
	if value[0] == 'n' || string(value) == `""` {
		return true
	}
	text, ok := scalar(value)
	return ok && set(string(text))
}

// pointerReader returns a reader that leaves a pointer nil unless something was read, or an object into a struct.
func pointerReader(t reflect.Type) readFunc {
	read := readerOf(t)
	takesEmptyText := t.Kind() == reflect.String
	return func(d *decoder, v reflect.Value) bool {
		v.SetZero()
		if d.isNull() || !takesEmptyText && d.isEmptyText() {
			return true
		}
		object := d.at('{')
		p := reflect.New(t)
		whole := read(d, p.Elem())
		if whole || object && t.Kind() == reflect.Struct || !p.Elem().IsZero() {
			v.Set(p)
		}
		return whole
	}
}

// maxAhead is the number of elements for which a list gets its memory at once. A longer list grows with the elements
// that are stored, so that a hostile list of other values costs none.
const maxAhead = 1024

// sliceReader returns a reader that leaves out null and the elements that are not of the type, and reads a single
// value as a list of one.
func sliceReader(t reflect.Type) readFunc {
	read := readerOf(t)
	takesEmptyText, isStruct := t.Kind() == reflect.String, t.Kind() == reflect.Struct
	// add reads an element at the end of v.
	add := func(d *decoder, v reflect.Value) (whole bool) {
		if d.isNull() || !takesEmptyText && d.isEmptyText() {
			return true
		}
		n, object := v.Len(), d.at('{')
		v.Grow(1)
		v.SetLen(n + 1)
		whole = read(d, v.Index(n))
		if !whole && !(object && isStruct) && v.Index(n).IsZero() {
			v.SetLen(n)
		}
		return whole
	}
	return func(d *decoder, v reflect.Value) (whole bool) {
		v.SetZero()
		switch {
		case d.isNull(), d.isEmptyText():
			return true
		case !d.at('['):
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
			if d.isEmptyObject() { // what some languages write for an empty list
				return true
			}
			return add(d, v)
		}
		n, ok := d.count()
		if !ok {
			d.bad = true
			return false
		}
		if n == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		} else {
			v.Grow(min(n, maxAhead))
		}
		whole = true
		d.enter()
		for more := !d.take(']'); more; {
			d.space()
			whole = add(d, v) && whole
			if d.bad {
				return false
			}
			more, _ = d.next(']')
		}
		d.depth--
		return whole
	}
}

// isEmptyObject skips an object without properties.
func (d *decoder) isEmptyObject() bool {
	ahead := d.scanner
	if ahead.take('{') && ahead.take('}') {
		d.scanner = ahead
		return true
	}
	return false
}

func readStruct(d *decoder, v reflect.Value) bool {
	v.SetZero()
	if d.at('{') {
		return structOf(v.Type()).read(d, v)
	}
	value := d.any()
	return !d.bad && (value[0] == 'n' || string(value) == `""`)
}

// readOther reads a value as encoding/json does: a map, an interface and the kinds that no model uses.
func readOther(d *decoder, v reflect.Value) bool {
	value := d.any()
	if d.bad {
		return false
	}
	v.SetZero()
	if json.Unmarshal(value, v.Addr().Interface()) != nil {
		v.SetZero()
		return string(value) == `""`
	}
	return exactNumbers(value)
}
