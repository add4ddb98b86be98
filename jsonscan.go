package ghl

import (
	"bytes"
	"encoding/json"
	"errors"
)

// errSyntax is what the scanners answer on text that is no JSON. They are meant for text that encoding/json has already
// found valid, and must only not break on any other.
var errSyntax = errors.New("invalid JSON")

// eachField calls f with each key and value of a JSON object, in order, without copying them. Keys are unescaped.
func eachField(data []byte, f func(key, value []byte) error) error {
	s := scanner{data: data}
	if !s.take('{') {
		return errSyntax
	}
	if s.take('}') {
		return nil
	}
	for {
		key, ok := s.value()
		if !ok || key[0] != '"' || !s.take(':') {
			return errSyntax
		}
		if plainString(key) {
			key = key[1 : len(key)-1]
		} else {
			var text string
			if err := json.Unmarshal(key, &text); err != nil {
				return err
			}
			key = []byte(text)
		}
		value, ok := s.value()
		if !ok {
			return errSyntax
		}
		if err := f(key, value); err != nil {
			return err
		}
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return errSyntax
		}
	}
}

// eachElement calls f with each element of a JSON array, in order, without copying it.
func eachElement(data []byte, f func(value []byte) error) error {
	s := scanner{data: data}
	if !s.take('[') {
		return errSyntax
	}
	if s.take(']') {
		return nil
	}
	for {
		value, ok := s.value()
		if !ok {
			return errSyntax
		}
		if err := f(value); err != nil {
			return err
		}
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return errSyntax
		}
	}
}

// plainString reports whether a quoted JSON string stands for its own bytes.
func plainString(quoted []byte) bool {
	if len(quoted) < 2 || quoted[len(quoted)-1] != '"' {
		return false
	}
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return false
	}
	for _, c := range quoted {
		if c < ' ' || c >= 0x80 {
			return false
		}
	}
	return true
}

// scanner finds where values end. It does not look into them.
type scanner struct {
	data []byte
	pos  int
}

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

// value returns the bytes of the next value: never empty when ok.
func (s *scanner) value() ([]byte, bool) {
	s.space()
	start, depth := s.pos, 0
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case '"':
			if !s.str() {
				return nil, false
			}
			if depth == 0 {
				return s.data[start:s.pos], true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of what surrounds a bare literal
				return s.data[start:s.pos], s.pos > start
			}
			depth--
			if depth == 0 {
				s.pos++
				return s.data[start:s.pos], true
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return s.data[start:s.pos], s.pos > start
			}
		}
		s.pos++
	}
	return s.data[start:s.pos], depth == 0 && s.pos > start
}

// str skips a quoted string.
func (s *scanner) str() bool {
	rest := s.data[s.pos+1:]
	if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 { // most hold no escape
		s.pos += end + 2
		return true
	}
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case '\\':
			s.pos++
		case '"':
			s.pos++
			return true
		}
	}
	return false
}
