package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pluvo/ghl/ghlsync/internal/conf"
)

// printMistakes writes the mistakes of an error. Each of several has a line of its own that begins with its place.
func printMistakes(w io.Writer, e *conf.Error) {
	if len(e.Mistakes) > 1 {
		fmt.Fprintf(w, "ghlsync: %d mistakes in the settings:\n%v\n", len(e.Mistakes), e)
		return
	}
	fmt.Fprintf(w, "ghlsync: %v\n", e)
}

// failure returns the error of some mistakes, or nil if there are none.
func (s *settings) failure(list []conf.Mistake) error {
	if len(list) == 0 {
		return nil
	}
	return usageError{&conf.Error{Mistakes: s.sorted(list)}}
}

// sorted sorts mistakes by their places: the settings file, environment variables, files of rules.
func (s *settings) sorted(list []conf.Mistake) []conf.Mistake {
	rank := func(p conf.Place) int {
		switch {
		case p.Variable != "":
			return 1
		case p.File != s.file:
			return 2
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b conf.Mistake) int {
		return cmp.Or(cmp.Compare(rank(a.At), rank(b.At)), cmp.Compare(a.At.File, b.At.File),
			cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return list
}

// mistake returns a mistake of the setting with a path, at the place where the setting is written. A setting that
// is not written has the place of the object that lacks it.
func (s *settings) mistake(path, format string, args ...any) conf.Mistake {
	return conf.Mistake{At: s.placeOf(path), Setting: path, Text: fmt.Sprintf(format, args...)}
}

// wrong returns the error of one wrong setting.
func (s *settings) wrong(path, format string, args ...any) error {
	return usageError{&conf.Error{Mistakes: []conf.Mistake{s.mistake(path, format, args...)}}}
}

func (s *settings) placeOf(path string) conf.Place {
	if at, ok := s.places[path]; ok {
		return at
	}
	if s.file == "" { // the variable to set
		return conf.Place{Variable: conf.Variable(prefix, path)}
	}
	for path != "" {
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
		if at, ok := s.places[path]; ok && at.Variable == "" {
			return at
		}
	}
	return conf.Place{File: s.file}
}

// within reports whether a path is that of an object, or of something in it.
func within(path, object string) bool {
	rest, ok := strings.CutPrefix(path, object)
	return ok && (object == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}
