package lenient

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape returns the text of a valid JSON string, given without its quotes. Like encoding/json it replaces invalid
// UTF-8 and half surrogates with U+FFFD. The result may be a part of s.
func unescape(s []byte) []byte {
	if bytes.IndexByte(s, '\\') < 0 && utf8.Valid(s) {
		return s
	}
	out := make([]byte, 0, len(s)+2*utf8.UTFMax)
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\':
			var n int
			out, n = appendEscaped(out, s[i:])
			i += n
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, n := utf8.DecodeRune(s[i:])
			out = utf8.AppendRune(out, r)
			i += n
		}
	}
	return out
}

// appendEscaped appends the character of the escape sequence at the start of s, and returns the length of the sequence.
func appendEscaped(out, s []byte) ([]byte, int) {
	switch c := s[1]; c {
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		r := hexRune(s)
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(out, r), 6
		}
		if pair := utf16.DecodeRune(r, hexRune(s[6:])); pair != utf8.RuneError {
			return utf8.AppendRune(out, pair), 12
		}
		return utf8.AppendRune(out, utf8.RuneError), 6
	default: // a quote, a slash or a backslash
		return append(out, c), 2
	}
}

// hexRune returns the code of the escape \u with four hexadecimal digits at the start of s, or -1 if s starts
// otherwise.
func hexRune(s []byte) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}

// Scalar returns the text of a JSON string, number or boolean, or of an array that holds one of them and nothing
// else. It returns false for any other value and for invalid JSON.
func Scalar(data []byte) (string, bool) {
	text, ok := scalar(data)
	return string(text), ok
}

// scalar is Scalar without a copy.
func scalar(data []byte) ([]byte, bool) {
	s := scanner{data: data}
	value, ok := s.value()
	if !ok || !s.atEnd() {
		return nil, false
	}
	switch value[0] {
	case '"':
		if value = value[1 : len(value)-1]; !s.plain {
			value = unescape(value)
		}
		return value, true
	case '[':
		var only []byte
		n := 0
		_ = EachElement(value, func(element []byte) error {
			only = element
			n++
			return nil
		})
		if n != 1 || only[0] == '[' {
			return nil, false
		}
		return scalar(only)
	case '{', 'n':
		return nil, false
	}
	return value, true
}

// ParseNumber reads a number as JSON writes it, with or without white space around it. Unlike strconv it refuses
// "Infinity", "NaN" and "0x1p4", and also a number that is too small for a float64.
func ParseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	tooSmall := f == 0 && strings.ContainsAny(mantissa, "123456789")
	return f, err == nil && !tooSmall
}

// parseInt reads a whole number, such as 5, 5.0 or 1e3. It refuses a number with more digits than a float64 holds,
// unless it is written without point and exponent.
func parseInt(text string) (int64, bool) {
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return n, true
	}
	const maxExact = 1 << 53 // beyond it a float64 represents several whole numbers
	f, ok := ParseNumber(text)
	if !ok || f != float64(int64(f)) || f > maxExact || f < -maxExact {
		return 0, false
	}
	return int64(f), true
}

// exactNumbers reports whether float64 certainly holds each number in a JSON value: it does up to 15 digits. A number
// with an exponent counts as not exact.
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
		case (c == 'e' || c == 'E') && digits > 0: // the e of true and false follows no digit
			return false
		default:
			digits = 0
		}
	}
	return true
}
