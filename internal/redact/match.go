package redact

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// match returns the length of the secret at the start of text, 0 if text starts with anything else. Each character
// of the secret may be spelled as it is, escaped for a URL (%2F, also twice: %252f), for JSON (\/, \u002f, also in a
// string within a string) or for HTML (&quot;, &#34;, &#x22;). A text that ends within the secret matches if it
// holds enough of it.
func match(text, secret string) int {
	if strings.HasPrefix(text, secret) {
		return len(secret)
	}
	i := 0
	for n, r := range secret {
		if i == len(text) {
			if n >= shortest {
				return i
			}
			return 0
		}
		if r == '\\' && n > 0 && secret[n-1] == '\\' {
			continue // a run of backslashes matches as one
		}
		width := spelling(text[i:], r)
		if width == 0 {
			return 0
		}
		i += width
	}
	return i
}

// spelling returns the length of a spelling of r at the start of text, 0 if there is none.
func spelling(text string, r rune) int {
	if c, width := utf8.DecodeRuneInString(text); c == r && c != '\\' && c != '%' && c != '&' {
		return width
	}
	switch text[0] {
	case '\\':
		return escaped(text, r)
	case '%':
		if width := percent(text, r); width > 0 {
			return width
		}
	case '&':
		if width := entity(text, r); width > 0 {
			return width
		}
	}
	if r < utf8.RuneSelf && text[0] == byte(r) {
		return 1
	}
	return 0
}

// escaped matches r after backslashes, which JSON doubles each time it is put into another string.
func escaped(text string, r rune) int {
	const most = 63 // strings within strings, six levels deep
	slashes := 0
	for slashes < min(len(text), most) && text[slashes] == '\\' {
		slashes++
	}
	rest := text[slashes:]
	if len(rest) >= 5 && rest[0] == 'u' {
		if code, err := strconv.ParseUint(rest[1:5], 16, 16); err == nil && rune(code) == r {
			return slashes + 5
		}
	}
	if r == '\\' {
		return slashes
	}
	if c, width := utf8.DecodeRuneInString(rest); c == r && (r == '"' || r == '/' || r == '\'') {
		return slashes + width
	}
	return 0
}

// percent matches the bytes of r, each escaped for a URL.
func percent(text string, r rune) int {
	var bytes [utf8.UTFMax]byte
	i := 0
	for _, b := range bytes[:utf8.EncodeRune(bytes[:], r)] {
		if i == len(text) || text[i] != '%' {
			return 0
		}
		for i++; !hexByte(text[i:], b); i += 2 {
			if !hexByte(text[i:], '%') {
				return 0
			}
		}
		i += 2
	}
	return i
}

func hexByte(text string, b byte) bool {
	if len(text) < 2 {
		return false
	}
	value, err := strconv.ParseUint(text[:2], 16, 8)
	return err == nil && byte(value) == b
}

// entity matches r escaped for HTML.
func entity(text string, r rune) int {
	const longest = len("&#x10ffff;")
	end := strings.IndexByte(text[:min(len(text), longest)], ';') + 1
	if end > 0 && html.UnescapeString(text[:end]) == string(r) {
		return end
	}
	return 0
}
