package webhook

import "unicode/utf8"

// scanner goes through JSON once: it checks it, as json.Valid does, and finds where the values lie.
type scanner struct {
	data  []byte
	pos   int
	depth int
	plain bool // the last string stands for its own bytes: ASCII, and nothing is escaped
}

// maxDepth is how deeply encoding/json lets values nest.
const maxDepth = 10_000

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take skips white space and, if c comes next, c.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == c {
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

// value returns the next value, without the white space around it; false if it is not valid.
func (s *scanner) value() ([]byte, bool) {
	s.space()
	start := s.pos
	ok := s.skip()
	return s.data[start:s.pos], ok
}

// skip skips a value that begins right here.
func (s *scanner) skip() bool {
	if s.pos >= len(s.data) {
		return false
	}
	switch c := s.data[s.pos]; c {
	case '"':
		return s.text()
	case '{', '[':
		s.pos++
		s.depth++
		ok := s.depth < maxDepth && s.inside(c == '{')
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

// inside skips what is left of an object or an array.
func (s *scanner) inside(object bool) bool {
	end := byte(']')
	if object {
		end = '}'
	}
	if s.take(end) {
		return true
	}
	for {
		s.space()
		if object {
			if s.pos >= len(s.data) || s.data[s.pos] != '"' || !s.text() || !s.take(':') {
				return false
			}
			s.space()
		}
		if !s.skip() {
			return false
		}
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
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

// text skips a string that begins right here.
func (s *scanner) text() bool {
	data, i := s.data, s.pos+1
	s.plain = true
	for {
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
			n := escape(data[i+1:])
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

// escape returns the length of what follows a backslash, 0 if it is not valid.
func escape(data []byte) int {
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

// number skips a number as JSON has it.
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

func (s *scanner) at(c byte) bool { return s.pos < len(s.data) && s.data[s.pos] == c }

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}
