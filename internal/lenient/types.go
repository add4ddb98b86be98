package lenient

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// structType is what reading and writing a struct needs to know of it.
type structType struct {
	first  atomic.Pointer[field]
	fields []*field // in the order of the struct, then their further names
	exact  map[string]*field
	folded map[string]*field // by folded name, for names in another case
	extra  []int             // index of the field Extra, nil if there is none
	inner  int               // index of an embedded pointer, -1 if there is none
}

// field is one name of a struct field.
type field struct {
	name      string
	index     []int
	read      readFunc
	rank      int // 0 for the name in the tag json, 1 and up for those in the tag also
	omitEmpty bool
	omitZero  bool

	// next is the field that followed this one in the first record. The records of an endpoint have the same order.
	next atomic.Pointer[field]
}

var structTypes sync.Map // reflect.Type → *structType

func structOf(t reflect.Type) *structType {
	if s, ok := structTypes.Load(t); ok {
		return s.(*structType)
	}
	s := &structType{inner: -1, exact: map[string]*field{}, folded: map[string]*field{}}
	var also []*field
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Name == "Extra" && sf.Type.ConvertibleTo(extraType) {
			s.extra = slices.Clone(sf.Index)
			continue
		}
		if sf.Anonymous && sf.Type.Kind() == reflect.Pointer && len(sf.Index) == 1 {
			s.inner = sf.Index[0]
		}
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "" || name == "-" || !sf.IsExported() {
			continue
		}
		f := field{name: name, index: slices.Clone(sf.Index), read: readerOf(sf.Type)}
		for option := range strings.SplitSeq(options, ",") {
			f.omitEmpty = f.omitEmpty || option == "omitempty"
			f.omitZero = f.omitZero || option == "omitzero"
		}
		s.fields = append(s.fields, &f)
		for i, name := range furtherNames(name, sf.Tag.Get("also")) {
			also = append(also, &field{name: name, index: f.index, read: f.read, rank: i + 1})
		}
	}
	s.fields = append(s.fields, also...)
	for _, f := range s.fields {
		s.exact[f.name] = f
		s.folded[folded([]byte(f.name))] = f
	}
	actual, _ := structTypes.LoadOrStore(t, s)
	return actual.(*structType)
}

// furtherNames returns the further names of a field: those in its tag also, and the other spelling of an id.
func furtherNames(name, also string) []string {
	var names []string
	if also != "" {
		names = strings.Split(also, ",")
	}
	if other := map[string]string{"id": "_id", "_id": "id"}[name]; other != "" && !slices.Contains(names, other) {
		names = append(names, other)
	}
	return names
}

// after returns the field of the name that follows the field last, which is nil at the beginning of a record.
func (s *structType) after(last *field, name []byte) *field {
	guess := &s.first
	if last != nil {
		guess = &last.next
	}
	if f := guess.Load(); f != nil && f.name == string(name) {
		return f
	}
	f := s.find(name)
	if f != nil && f.name == string(name) {
		guess.CompareAndSwap(nil, f)
	}
	return f
}

// find returns the field of a name, preferring the exact name to one in another case, as encoding/json does; nil if
// there is none.
func (s *structType) find(name []byte) *field {
	if f := s.exact[string(name)]; f != nil {
		return f
	}
	var room [64]byte
	return s.folded[string(appendFolded(room[:0], name))]
}

func folded(name []byte) string { return string(appendFolded(nil, name)) }

// appendFolded appends a form of a name that is equal for all names that encoding/json treats as equal. strings.ToLower
// is not enough: "ſ" equals "s".
func appendFolded(out, name []byte) []byte {
	for i := 0; i < len(name); {
		if c := name[i]; c < utf8.RuneSelf {
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			out = append(out, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(name[i:])
		i += n
		for next := unicode.SimpleFold(r); ; next = unicode.SimpleFold(r) {
			wrapped := next <= r
			r = next // ends with the smallest of the runes that fold into each other
			if wrapped {
				break
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// of returns the value of the field in v.
func (f *field) of(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	return v.FieldByIndex(f.index)
}

// in is of with the embedded struct of v already resolved.
func (f *field) in(s *structType, v, inner reflect.Value) reflect.Value {
	if len(f.index) == 2 && f.index[0] == s.inner {
		return inner.Field(f.index[1])
	}
	return f.of(v)
}

var (
	extraType       = reflect.TypeFor[map[string]json.RawMessage]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	marshalerType   = reflect.TypeFor[json.Marshaler]()
)

// extraOf returns the Extra of v, which must be addressable; nil if the struct has none.
func (s *structType) extraOf(v reflect.Value) *map[string]json.RawMessage {
	if s.extra == nil {
		return nil
	}
	p := v.FieldByIndex(s.extra).Addr()
	return p.Convert(reflect.PointerTo(extraType)).Interface().(*map[string]json.RawMessage)
}
