// Package check holds the rules for ids and tokens. Each function returns what is wrong with its argument, as the
// end of a sentence that starts with the argument's name, or "" when nothing is.
package check

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
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return "holds a character that is not allowed in a token (a space or line break at its end?)"
		}
	}
	return ""
}
