package lenient

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Unmarshal reads a JSON object into the struct that v points to, which it resets first. Methods of the struct itself
// are not called. null leaves the struct zero. It returns an error, and leaves the struct zero, if data is not valid
// JSON or another kind of value. It never returns an error for the values within the object.
func Unmarshal(data []byte, v any) error {
	record := reflect.ValueOf(v).Elem()
	record.SetZero()
	err := readRecord(data, record)
	if err != nil {
		record.SetZero()
	}
	return err
}

// Fill is Unmarshal without the reset: v may embed pointers to structs, which must not be nil, and then their fields
// are read as if they were its own.
func Fill(data []byte, v any) error { return readRecord(data, reflect.ValueOf(v).Elem()) }

func readRecord(data []byte, record reflect.Value) error {
	d := newDecoder(data)
	defer d.release()
	d.space()
	switch {
	case d.at('{'):
		structOf(record.Type()).read(d, record)
		if !d.bad && d.atEnd() {
			return nil
		}
	case Valid(data):
		if kind := kindOf(data[d.pos]); kind != "null" {
			return &json.UnmarshalTypeError{Value: kind, Type: record.Type()}
		}
		return nil
	}
	var checked json.RawMessage
	return json.Unmarshal(data, &checked) // for the error, which says where the mistake is
}

func kindOf(first byte) string {
	switch first {
	case '"':
		return "string"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// readFunc reads the value at the current byte into v, which is settable, and reports whether v holds all of it. On
// invalid JSON it sets bad.
type readFunc func(d *decoder, v reflect.Value) (whole bool)

// decoder reads one record.
type decoder struct {
	scanner
	bad     bool // the JSON is not valid
	texts   strings.Builder
	values  []byte
	further []furtherName // of the structs that are being read, the innermost last
}

// furtherName is a value that came under a further name of a field.
type furtherName struct {
	*field
	value []byte
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func newDecoder(data []byte) *decoder {
	d := decoders.Get().(*decoder)
	d.scanner, d.bad = scanner{data: data}, false
	return d
}

func (d *decoder) release() {
	clear(d.further)
	d.scanner, d.further = scanner{}, d.further[:0]
	decoders.Put(d)
}

// Short texts and values are copied side by side into blocks, so that a record of many costs few allocations. A block
// is small, so that one text that is retained does not retain a whole record.
const (
	blockSize = 256
	maxShared = 64
)

// text returns a copy of b.
func (d *decoder) text(b []byte) string {
	if len(b) > maxShared {
		return string(b)
	}
	if d.texts.Cap()-d.texts.Len() < len(b) {
		d.texts = strings.Builder{}
		d.texts.Grow(blockSize)
	}
	start := d.texts.Len()
	d.texts.Write(b)
	return d.texts.String()[start:]
}

// raw returns a copy of b.
func (d *decoder) raw(b []byte) json.RawMessage {
	if len(b) > maxShared {
		return append(json.RawMessage(nil), b...)
	}
	if cap(d.values)-len(d.values) < len(b) {
		d.values = make([]byte, 0, blockSize)
	}
	start := len(d.values)
	d.values = append(d.values, b...)
	return d.values[start:len(d.values):len(d.values)]
}

// any passes over the next value and returns it, nil on invalid JSON.
func (d *decoder) any() []byte {
	value, ok := d.value()
	if !ok {
		d.bad = true
		return nil
	}
	return value
}

func (d *decoder) isNull() bool { return d.at('n') && d.literal("null") }

// isEmptyText skips an empty string.
func (d *decoder) isEmptyText() bool { return d.literal(`""`) }

// read reads the object at the current byte. Of a name that comes several times the last value counts.
func (s *structType) read(d *decoder, v reflect.Value) (whole bool) {
	clean, further := true, len(d.further)
	var last *field
	var inner reflect.Value // the embedded struct, resolved once
	if s.inner >= 0 {
		inner = v.Field(s.inner).Elem()
	}
	d.bad = !d.enter()
	for more := !d.bad && !d.take('}'); more; {
		name, ok := d.key()
		if !ok {
			d.bad = true
			return false
		}
		d.space()
		start := d.pos
		f := s.after(last, name)
		switch {
		case f == nil:
			clean = false
			if value := d.any(); !d.bad {
				s.store(d, v, d.text(name), value)
			}
		case f.rank > 0:
			d.further = append(d.further, furtherName{f, d.any()})
		case !f.read(d, f.in(s, v, inner)):
			clean = false
			s.store(d, v, f.name, d.data[start:d.pos])
		case !clean:
			s.forget(v, f.name)
		}
		if d.bad {
			return false
		}
		if f != nil {
			last = f
		}
		if more, ok = d.next('}'); !ok {
			d.bad = true
			return false
		}
	}
	d.depth--
	if len(d.further) > further && !s.readFurther(d, v, further) {
		clean = false
	}
	return clean || s.extra != nil
}

// readFurther reads the values that came under further names, from index from on, and reports whether nothing was
// stored in Extra for them.
func (s *structType) readFurther(d *decoder, v reflect.Value, from int) (clean bool) {
	list, outer := d.further[from:], d.scanner
	slices.SortStableFunc(list, func(a, b furtherName) int {
		return cmp.Or(a.rank-b.rank, strings.Compare(a.name, b.name))
	})
	clean = true
	for i, n := range list {
		if i+1 < len(list) && list[i+1].field == n.field {
			continue // of a name that comes several times the last value counts
		}
		d.scanner = scanner{data: n.value}
		target := n.of(v)
		same := true
		if target.IsZero() {
			same = n.read(d, target)
		} else {
			value := reflect.New(target.Type()).Elem()
			same = n.read(d, value) && (value.IsZero() || reflect.DeepEqual(value.Interface(), target.Interface()))
		}
		if !same {
			clean = false
			s.store(d, v, n.name, n.value)
		}
	}
	clear(list)
	d.scanner, d.further = outer, d.further[:from]
	return clean
}

// store puts a value into the Extra of v, if it has one.
func (s *structType) store(d *decoder, v reflect.Value, name string, value []byte) {
	extra := s.extraOf(v)
	if extra == nil {
		return
	}
	if *extra == nil {
		*extra = map[string]json.RawMessage{}
	}
	(*extra)[name] = d.raw(value)
}

// forget removes a value from the Extra of v, which becomes nil when it is empty.
func (s *structType) forget(v reflect.Value, name string) {
	extra := s.extraOf(v)
	if extra == nil {
		return
	}
	if delete(*extra, name); len(*extra) == 0 {
		*extra = nil
	}
}
