// Package check holds the rules for ids and tokens. Each function returns what is wrong with its argument, as the
// end of a sentence that starts with the argument's name, or "" when nothing is.
package check

import "strings"

// ID checks an id. Ids of HighLevel are letters, digits and a few signs. Anything else in a path could reach another
// endpoint.
func ID(id string) string {
	switch id {
	case "":
		return "is empty"
	case ".", "..":
		return "is not an id"
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return "holds a character that no id has"
		}
	}
	return ""
}

// Bearer checks a token, code or secret that is sent in a header or a form. The result never repeats it.
func Bearer(token string) string {
	if token == "" {
		return "is empty"
	}
	if startsWithBearer(token) {
		return "starts with the word Bearer; pass the token without the word Bearer"
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return "holds a character that is not allowed in a token (a space or line break at its end?)"
		}
	}
	return ""
}

// startsWithBearer reports whether text is the value of an Authorization header, or the whole header, and not only a
// token.
func startsWithBearer(text string) bool {
	const header, scheme, space = "authorization:", "bearer", " \t\r\n\"'"
	text = strings.TrimLeft(text, space)
	if len(text) >= len(header) && strings.EqualFold(text[:len(header)], header) {
		text = strings.TrimLeft(text[len(header):], space)
	}
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return false
	}
	rest := text[len(scheme):]
	return rest == "" || strings.IndexByte(" \t\r\n:=,%+", rest[0]) >= 0
}
