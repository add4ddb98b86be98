package lenient

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"
)

// errSyntax is the error of [EachField] and [EachElement] for invalid JSON and for a value of another kind.
var errSyntax = errors.New("invalid JSON")

// Valid reports whether data is valid JSON.
func Valid(data []byte) bool {
	s := scanner{data: data}
	_, ok := s.value()
	return ok && s.atEnd()
}

// EachField calls f with each key and value of a JSON object, in order, and stops at the first error of f. The keys
// are unescaped; the values are parts of data. It returns an error if data is not a valid JSON object; f may have
// been called with the properties before the mistake.
func EachField(data []byte, f func(key, value []byte) error) error {
	return EachProperty(data, func(key, value, _ []byte) error { return f(key, value) })
}

// EachProperty is EachField that also passes the property as it is written, with its key and colon.
func EachProperty(data []byte, f func(key, value, property []byte) error) error {
	s := scanner{data: data, depth: 1}
	if !s.take('{') {
		return errSyntax
	}
	for more := !s.take('}'); more; {
		s.space()
		start := s.pos
		key, ok := s.key()
		if !ok {
			return errSyntax
		}
		value, ok := s.value()
		if !ok {
			return errSyntax
		}
		if err := f(key, value, data[start:s.pos]); err != nil {
			return err
		}
		if more, ok = s.next('}'); !ok {
			return errSyntax
		}
	}
	if !s.atEnd() {
		return errSyntax
	}
	return nil
}

// EachElement calls f with each element of a JSON array, in order, and stops at the first error of f. The elements are
// parts of data. It returns an error if data is not a valid JSON array; f may have been called with the elements before
// the mistake.
func EachElement(data []byte, f func(value []byte) error) error {
	s := scanner{data: data, depth: 1}
	if !s.take('[') {
		return errSyntax
	}
	for more := !s.take(']'); more; {
		value, ok := s.value()
		if !ok {
			return errSyntax
		}
		if err := f(value); err != nil {
			return err
		}
		if more, ok = s.next(']'); !ok {
			return errSyntax
		}
	}
	if !s.atEnd() {
		return errSyntax
	}
	return nil
}

// Field returns the value of a property of a JSON object: the last one if the name comes several times, nil if the
// object does not have it.
func Field(object []byte, name string) []byte {
	var found []byte
	_ = EachField(object, func(key, value []byte) error {
		if string(key) == name {
			found = value
		}
		return nil
	})
	return found
}

// IsObject reports whether a JSON value is an object.
func IsObject(data []byte) bool {
	s := scanner{data: data}
	s.space()
	return s.at('{')
}

// scanner passes over JSON once, checks it as json.Valid does, and finds where the values are.
type scanner struct {
	data  []byte
	pos   int
	depth int
	plain bool // the last string is ASCII without escapes
}

// maxDepth is the depth to which encoding/json lets values nest.
const maxDepth = 10_000

func (s *scanner) space() {
	for s.pos < len(s.data) && s.data[s.pos] <= ' ' {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// at reports whether c is the next byte.
func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

// take skips white space and, if c is next, c.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at(c) {
		s.pos++
		return true
	}
	return false
}

// atEnd reports whether only white space is left.
func (s *scanner) atEnd() bool {
	s.space()
	return s.pos == len(s.data)
}

// next skips what follows an element: a comma, or the end of the object or array. more is true after a comma.
func (s *scanner) next(end byte) (more, ok bool) {
	if s.take(',') {
		return true, true
	}
	return false, s.take(end)
}

// key skips a key and its colon, and returns the key unescaped.
func (s *scanner) key() (key []byte, ok bool) {
	s.space()
	start := s.pos
	if !s.at('"') || !s.str() {
		return nil, false
	}
	if key = s.data[start+1 : s.pos-1]; !s.plain {
		key = unescape(key)
	}
	return key, s.take(':')
}

// value returns the next value, without the white space around it; false if it is not valid.
func (s *scanner) value() ([]byte, bool) {
	s.space()
	start := s.pos
	ok := s.skip()
	return s.data[start:s.pos], ok
}

// skip skips a value that begins at the current byte.
func (s *scanner) skip() bool {
	if s.pos >= len(s.data) {
		return false
	}
	switch c := s.data[s.pos]; c {
	case '"':
		return s.str()
	case '{', '[':
		if !s.enter() {
			return false
		}
		ok := s.inside(c == '{')
		s.depth--
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

// enter skips the first byte of an object or array; false if it nests too deeply.
func (s *scanner) enter() bool {
	s.pos++
	s.depth++
	return s.depth <= maxDepth
}

// inside skips the rest of an object or an array.
func (s *scanner) inside(object bool) bool {
	end := byte(']')
	if object {
		end = '}'
	}
	for more := !s.take(end); more; {
		s.space()
		if object {
			if !s.at('"') || !s.str() || !s.take(':') {
				return false
			}
			s.space()
		}
		if !s.skip() {
			return false
		}
		var ok bool
		if more, ok = s.next(end); !ok {
			return false
		}
	}
	return true
}

// count returns the number of elements of the array that begins at the current byte, without moving; false if the array
// is not valid.
func (s *scanner) count() (n int, ok bool) {
	ahead := *s
	ok = ahead.enter()
	for more := ok && !ahead.take(']'); more; n++ {
		ahead.space()
		if !ahead.skip() {
			return 0, false
		}
		if more, ok = ahead.next(']'); !ok {
			return 0, false
		}
	}
	return n, ok
}

// The classes of the bytes of a string.
const (
	ordinary = iota
	quote
	backslash
	control
	notASCII
)

var classes = func() (table [256]uint8) {
	for i := range table {
		switch {
		case i == '"':
			table[i] = quote
		case i == '\\':
			table[i] = backslash
		case i < ' ':
			table[i] = control
		case i >= utf8.RuneSelf:
			table[i] = notASCII
		}
	}
	return table
}()

// str skips a string that begins at the current byte.
func (s *scanner) str() bool {
	data, i := s.data, s.pos+1
	s.plain = true
	for {
		for i+8 <= len(data) { // eight bytes at a time
			if n := ordinaryPrefix(binary.LittleEndian.Uint64(data[i:])); n < 8 {
				i += n
				break
			}
			i += 8
		}
		for i < len(data) && classes[data[i]] == ordinary {
			i++
		}
		if i >= len(data) {
			return false
		}
		switch classes[data[i]] {
		case quote:
			s.pos = i + 1
			return true
		case backslash:
			n := escapeLen(data[i+1:])
			if n == 0 {
				return false
			}
			i += 1 + n
			s.plain = false
		case notASCII:
			i++
			s.plain = false
		default:
			return false
		}
	}
}

// ordinaryPrefix returns the number of ordinary bytes before the first other one among eight.
func ordinaryPrefix(eight uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quotes, backslashes := eight^(ones*'"'), eight^(ones*'\\')
	others := (eight - ones*' ') | (quotes-ones)&^quotes | (backslashes-ones)&^backslashes
	return bits.TrailingZeros64((others&^eight|eight)&highs) / 8
}

// escapeLen returns the length of what follows a backslash, 0 if it is not valid.
func escapeLen(data []byte) int {
	if len(data) == 0 {
		return 0
	}
	switch data[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(data) < 5 {
			return 0
		}
		for _, c := range data[1:5] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 5
	}
	return 0
}

func (s *scanner) literal(word string) bool {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// number skips a JSON number.
func (s *scanner) number() bool {
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}
