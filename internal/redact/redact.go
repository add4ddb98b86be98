// Package redact takes secrets out of texts and errors.
package redact

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Placeholder replaces a secret.
const Placeholder = "[redacted]"

// shortest is the length below which a text is not treated as a secret: it would occur inside ordinary words.
const shortest = 8

// Secrets are texts that must not be printed.
type Secrets []string

// Hide returns text with every spelling of every secret replaced, see [match]. It also replaces the start of a
// secret at the end of text, because a text may have been cut.
func (s Secrets) Hide(text string) string {
	for _, secret := range s.pieces() {
		text = hide(text, secret)
	}
	return text
}

// pieces returns the secrets, longest first so that a secret that is part of another one does not leave the rest of
// that. With them are the pieces between backslashes and quotes, for a server that pastes a secret into JSON
// without escaping it.
func (s Secrets) pieces() []string {
	var all []string
	for _, secret := range s {
		all = append(all, secret)
		all = append(all, strings.FieldsFunc(secret, func(r rune) bool { return r == '\\' || r == '"' })...)
	}
	all = slices.DeleteFunc(all, func(piece string) bool { return len(piece) < shortest })
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(all)
}

func hide(text, secret string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if end := match(text[i:], secret); end > 0 {
			b.WriteString(text[done:i])
			b.WriteString(Placeholder)
			done, i = i+end, i+end-1
		}
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// tokenProperty matches a property of a JSON object that holds a token, also one that was cut.
var tokenProperty = regexp.MustCompile(`(?i)("(?:access|refresh)_?token"\s*:\s*")(?:[^"\\]|\\.)*`)

// HideTokens returns the text of a JSON answer without the tokens that the server grants in it.
func HideTokens(text string) string {
	return tokenProperty.ReplaceAllString(text, "${1}"+Placeholder)
}

// HideIn returns an error that prints no secret, nor does an error that it wraps. errors.Is and errors.As find err
// and what err wraps. HideIn returns err itself when its text holds no secret.
func (s Secrets) HideIn(err error) error { return hideIn(err, s.Hide) }

// quoted matches a text in Go's quotes, also one that was cut.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|\\?$)`)

// HideQuoted is [Secrets.HideIn] that also replaces each quoted part of a text. The errors of net/http quote the bytes
// of an answer that breaks HTTP, which can hold a secret in any spelling or in pieces.
func (s Secrets) HideQuoted(err error) error {
	return hideIn(err, func(text string) string { return s.Hide(quoted.ReplaceAllString(text, `"…"`)) })
}

func hideIn(err error, hide func(string) string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	hidden := hide(text)
	if hidden == text {
		return err
	}
	return &hiddenError{hidden, func() error { return err }, func() error { return hideIn(errors.Unwrap(err), hide) }}
}

// hiddenError holds the wrapped error and the secrets in functions, which reflection prints as addresses.
type hiddenError struct {
	text   string
	err    func() error
	unwrap func() error
}

func (e *hiddenError) Error() string { return e.text }

// Format prints the redacted text, so that no verb prints the wrapped error or the secrets.
func (e *hiddenError) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		fmt.Fprintf(f, "%q", e.text)
		return
	}
	fmt.Fprint(f, e.text)
}

func (e *hiddenError) Is(target error) bool { return errors.Is(e.err(), target) }

func (e *hiddenError) As(target any) bool { return errors.As(e.err(), target) }

// Unwrap returns what the wrapped error wraps, without the secrets.
func (e *hiddenError) Unwrap() error { return e.unwrap() }
