package conf

import (
	"fmt"
	"strings"
)

// Place is where a value is written: in a file or in an environment variable.
type Place struct {
	File         string
	Line, Column int // from 1; 0 if unknown
	Variable     string
}

// String returns the name of the variable, or the file with line and column as far as they are known.
func (p Place) String() string {
	switch {
	case p.Variable != "":
		return p.Variable
	case p.Line > 0:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	return p.File
}

// Mistake is one thing that is wrong with the settings. Its text contains no secret.
type Mistake struct {
	At      Place
	Setting string // its path; "" for a mistake in the form of a file
	Text    string // what is wrong, and what to write
}

// String returns the mistake as one line.
func (m Mistake) String() string {
	var parts []string
	for _, part := range []string{m.At.String(), m.Setting, m.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(strings.Fields(strings.Join(parts, ": ")), " ")
}

// Error is every mistake in the settings.
type Error struct{ Mistakes []Mistake }

// Error returns one line for each mistake.
func (e *Error) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}
