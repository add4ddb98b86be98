package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pluvo/ghl/internal/nearest"
)

// RulesError holds all mistakes of a rule file, in the order of the file.
type RulesError struct {
	// Name is the file's name, as the caller gave it.
	Name     string
	Mistakes []Mistake
}

// Mistake is one mistake of a rule file.
type Mistake struct {
	// Line and Column say where the wrong value begins. Both count from 1; a column is one character.
	Line, Column int
	// Text says what is wrong and, where it can, what to write instead.
	Text string
}

// shownMistakes is the number of mistakes that the text of a RulesError has at most.
const shownMistakes = 20

// Error returns one line for each of the first 20 mistakes, with file, line and column.
func (e *RulesError) Error() string {
	var text strings.Builder
	text.WriteString("mapping: ")
	if len(e.Mistakes) > 1 {
		fmt.Fprintf(&text, "%s has %d mistakes:\n", e.Name, len(e.Mistakes))
	}
	for i, m := range e.Mistakes[:min(shownMistakes, len(e.Mistakes))] {
		if i > 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "%s:%d:%d: %s", e.Name, m.Line, m.Column, m.Text)
	}
	if hidden := len(e.Mistakes) - shownMistakes; hidden > 0 {
		fmt.Fprintf(&text, "\n… and %d more", hidden)
	}
	return text.String()
}

// mistakes collects the mistakes of a file.
type mistakes struct{ list []Mistake }

func (c *mistakes) add(at position, format string, args ...any) {
	c.list = append(c.list, Mistake{at.line, at.column, fmt.Sprintf(format, args...)})
}

// sorted returns the mistakes in the order of the file.
func (c *mistakes) sorted() []Mistake {
	slices.SortStableFunc(c.list, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.list
}

// object calls f for each known key of an object. It reports other keys, and keys that occur twice.
func (c *mistakes) object(n *node, what string, known []string, f func(key string, value *node)) {
	if n.kind != objectNode {
		c.add(n.position, "%s must be an object, got %s", what, n.quoted())
		return
	}
	seen := map[string]position{}
	for i, key := range n.keys {
		switch first, twice := seen[key.text]; {
		case key.kind != scalarNode:
			c.add(key.position, "%s must have names as keys, got %s", what, key.kind)
		case !slices.Contains(known, key.text):
			c.add(key.position, "%s has no property %s; %s", what, key.quoted(), meant(key.text, known, "it may have"))
		case twice:
			c.add(key.position, "%s has %s twice, first in line %d", what, key.quoted(), first.line)
		default:
			seen[key.text] = key.position
			f(key.text, n.list[i])
		}
	}
}

// listedNames is the number of names that a message lists at most.
const listedNames = 30

// meant returns what a message proposes in place of an unknown name: the nearest known name, else the names that
// there are.
func meant(wrong string, known []string, there string) string {
	if name := nearest.Word(wrong, known); name != "" {
		return "did you mean " + name + "?"
	}
	list := strings.Join(known[:min(listedNames, len(known))], ", ")
	if hidden := len(known) - listedNames; hidden > 0 {
		list += fmt.Sprintf(" and %d more", hidden)
	}
	return there + " " + list
}
