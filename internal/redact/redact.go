// Package redact takes secrets out of texts and errors.
package redact

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Placeholder replaces a secret.
const Placeholder = "[redacted]"

// shortest is the length below which a text is not treated as a secret: it would occur inside ordinary words.
const shortest = 8

// Secrets are texts that must not be printed.
type Secrets []string

// Hide returns text with every spelling of every secret replaced.
func (s Secrets) Hide(text string) string {
	for _, secret := range s {
		for _, form := range spellings(secret) {
			text = strings.ReplaceAll(text, form, Placeholder)
		}
	}
	return text
}

// HideIn returns an error whose text holds no secret. errors.Is and errors.As still find err and what it wraps. It
// returns err itself when its text holds no secret.
func (s Secrets) HideIn(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	hidden := s.Hide(text)
	if hidden == text {
		return err
	}
	return &hiddenError{hidden, err}
}

type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }

// GoString returns the redacted text, so that %#v does not print the wrapped error.
func (e *hiddenError) GoString() string { return fmt.Sprintf("%q", e.text) }

func (e *hiddenError) Unwrap() error { return e.err }

// spellings returns the forms in which a server can repeat a secret: verbatim, escaped for a URL, escaped for JSON,
// and the pieces between backslashes and quotes, for a server that pastes the secret into JSON without escaping it.
func spellings(secret string) []string {
	if len(secret) < shortest {
		return nil
	}
	forms := []string{secret}
	quoted, _ := json.Marshal(secret)
	for _, form := range []string{url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`)} {
		if form != secret {
			forms = append(forms, form)
		}
	}
	for _, piece := range strings.FieldsFunc(secret, func(r rune) bool { return r == '\\' || r == '"' }) {
		if len(piece) >= shortest && piece != secret {
			forms = append(forms, piece)
		}
	}
	return forms
}
