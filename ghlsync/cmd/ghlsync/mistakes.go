package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// place is where a value is written: in a file or in an environment variable.
type place struct {
	file         string
	line, column int // from 1; 0 if unknown
	variable     string
}

func (p place) String() string {
	switch {
	case p.variable != "":
		return p.variable
	case p.line > 0:
		return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.column)
	}
	return p.file
}

// mistake is one thing that is wrong with the settings. Its text contains no secret.
type mistake struct {
	at      place
	setting string // its path; "" for a mistake in the form of a file
	text    string // what is wrong, and what to write
}

func (m mistake) String() string {
	var parts []string
	for _, part := range []string{m.at.String(), m.setting, m.text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return oneLine(strings.Join(parts, ": "))
}

// settingsError is every mistake in the settings.
type settingsError struct{ mistakes []mistake }

// Error returns one line for each mistake.
func (e *settingsError) Error() string {
	lines := make([]string, len(e.mistakes))
	for i, m := range e.mistakes {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// print writes the mistakes. Several begin on a line of their own, so that an editor finds the place of each.
func (e *settingsError) print(w io.Writer) {
	if len(e.mistakes) > 1 {
		fmt.Fprintf(w, "ghlsync: %d mistakes in the settings:\n%v\n", len(e.mistakes), e)
		return
	}
	fmt.Fprintf(w, "ghlsync: %v\n", e)
}

// failure returns the error of some mistakes, or nil if there are none.
func (s *settings) failure(list []mistake) error {
	if len(list) == 0 {
		return nil
	}
	return usageError{&settingsError{s.sorted(list)}}
}

// sorted sorts mistakes by their places: the settings file, environment variables, files of rules.
func (s *settings) sorted(list []mistake) []mistake {
	rank := func(p place) int {
		switch {
		case p.variable != "":
			return 1
		case p.file != s.file:
			return 2
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b mistake) int {
		return cmp.Or(cmp.Compare(rank(a.at), rank(b.at)), cmp.Compare(a.at.file, b.at.file),
			cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	return list
}

// mistake returns a mistake of the setting with a path, at the place where the setting is written. A setting that is not written
// has the place of the object that lacks it.
func (s *settings) mistake(path, format string, args ...any) mistake {
	return mistake{s.placeOf(path), path, fmt.Sprintf(format, args...)}
}

// wrong returns the error of one wrong setting.
func (s *settings) wrong(path, format string, args ...any) error {
	return usageError{&settingsError{[]mistake{s.mistake(path, format, args...)}}}
}

func (s *settings) placeOf(path string) place {
	if at, ok := s.places[path]; ok {
		return at
	}
	if s.file == "" { // the variable to set
		return place{variable: variableOf(path)}
	}
	for path != "" {
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
		if at, ok := s.places[path]; ok && at.variable == "" {
			return at
		}
	}
	return place{file: s.file}
}

// within reports whether a path is that of an object, or of something in it.
func within(path, object string) bool {
	rest, ok := strings.CutPrefix(path, object)
	return ok && (object == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}
