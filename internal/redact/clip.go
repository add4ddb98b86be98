package redact

import "unicode/utf8"

// Clip returns s, cut to at most n bytes. A cut text ends in "…" and never within a character.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const mark = "…"
	n = max(n-len(mark), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}
