package answer

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Stringify returns the text that JavaScript's JSON.stringify(JSON.parse(text)) returns: without white space and
// without HTML escapes, integer keys first and the others in their order, the last of equal keys, and numbers in the
// shortest form. The text must be valid JSON.
func Stringify(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return appendValue(nil, d)
}

// appendValue appends the next value of a decoder.
func appendValue(to []byte, d *json.Decoder) ([]byte, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return appendObject(to, d)
		}
		return appendList(to, d)
	case string:
		return appendString(to, v), nil
	case json.Number:
		return appendNumber(to, v), nil
	case bool:
		return strconv.AppendBool(to, v), nil
	}
	return append(to, "null"...), nil
}

func appendList(to []byte, d *json.Decoder) ([]byte, error) {
	to = append(to, '[')
	for first := true; d.More(); first = false {
		if !first {
			to = append(to, ',')
		}
		var err error
		if to, err = appendValue(to, d); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return append(to, ']'), err
}

// property is a property of an object in JavaScript's order.
type property struct {
	name  string
	index int64 // of an array index, which precedes other names; -1 for other names
	value []byte
}

func appendObject(to []byte, d *json.Decoder) ([]byte, error) {
	var all []property
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		value, err := appendValue(nil, d)
		if err != nil {
			return nil, err
		}
		if at := slices.IndexFunc(all, func(p property) bool { return p.name == name }); at >= 0 {
			all[at].value = value
			continue
		}
		all = append(all, property{name, arrayIndex(name), value})
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b property) int {
		switch {
		case a.index >= 0 && b.index >= 0:
			return int(a.index - b.index)
		case a.index >= 0:
			return -1
		case b.index >= 0:
			return 1
		}
		return 0
	})
	to = append(to, '{')
	for i, p := range all {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(append(appendString(to, p.name), ':'), p.value...)
	}
	return append(to, '}'), nil
}

// arrayIndex returns the index that a name is in JavaScript, or -1: an integer below 2³²-1 without leading zeros.
func arrayIndex(name string) int64 {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil || n == math.MaxUint32 || strconv.FormatUint(n, 10) != name {
		return -1
	}
	return int64(n)
}

// appendNumber appends a number as JavaScript does: the shortest form of its 64-bit value, null for one that is too
// large.
func appendNumber(to []byte, number json.Number) []byte {
	f, err := number.Float64()
	if err != nil || math.IsInf(f, 0) {
		return append(to, "null"...)
	}
	if f == 0 {
		return append(to, '0') // also for -0
	}
	format := byte('f')
	if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	start := len(to)
	to = strconv.AppendFloat(to, f, format, -1, 64)
	if n := len(to); format == 'e' && n-start >= 4 && to[n-3] == '-' && to[n-2] == '0' { // e-09 is e-9
		to[n-2] = to[n-1]
		to = to[:n-1]
	}
	return to
}

const hex = "0123456789abcdef"

// appendString appends a string with JavaScript's escapes, which leave <, >, & and U+2028 as they are.
func appendString(to []byte, s string) []byte {
	to = append(to, '"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			to = append(to, '\\', byte(r))
		case '\b':
			to = append(to, `\b`...)
		case '\t':
			to = append(to, `\t`...)
		case '\n':
			to = append(to, `\n`...)
		case '\f':
			to = append(to, `\f`...)
		case '\r':
			to = append(to, `\r`...)
		default:
			if r < ' ' {
				to = append(to, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
				continue
			}
			to = utf8.AppendRune(to, r)
		}
	}
	return append(to, '"')
}
