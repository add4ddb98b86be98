package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A rule file is read into nodes that know their lines, whether it is JSON or YAML.

// maxFile is how large a rule file may be.
const maxFile = 1 << 20

type nodeKind uint8

const (
	scalarNode nodeKind = iota + 1
	listNode
	objectNode
)

func (k nodeKind) String() string { return [...]string{"nothing", "a text", "a list", "an object"}[k] }

// node is a value of a rule file.
type node struct {
	kind nodeKind
	line int
	text string // of a scalar; "" for null
	null bool
	flag *bool // of true and false
	list []*node
	keys []*node // of an object, in the order of list
}

// word returns the text of a scalar, "" of anything else.
func (n *node) word() string {
	if n.kind != scalarNode {
		return ""
	}
	return n.text
}

// quoted shows a node in a message.
func (n *node) quoted() string {
	switch {
	case n.kind != scalarNode:
		return n.kind.String()
	case n.null:
		return "nothing"
	case len(n.text) > 60:
		return strconv.Quote(strings.ToValidUTF8(n.text[:60], "") + "…")
	}
	return strconv.Quote(n.text)
}

// parseFile reads JSON, or YAML where it is none.
func parseFile(data []byte, c *mistakes) *node {
	if len(data) > maxFile {
		c.add(1, "the file is larger than 1 MiB")
		return nil
	}
	if !utf8.Valid(data) {
		line := 1
		for len(data) > 0 {
			r, size := utf8.DecodeRune(data)
			if r == utf8.RuneError && size == 1 {
				break
			}
			if r == '\n' {
				line++
			}
			data = data[size:]
		}
		c.add(line, "the file is no UTF-8")
		return nil
	}
	trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed) {
		p := jsonParser{data: trimmed, dec: json.NewDecoder(bytes.NewReader(trimmed)), first: 1 + bytes.Count(data[:len(data)-len(trimmed)], []byte("\n"))}
		p.dec.UseNumber()
		return p.value()
	}
	before := len(c.list)
	n := parseYAML(data, c)
	if len(trimmed) > 0 && trimmed[0] == '{' && len(c.list) > before && n == nil {
		c.mendJSONLine(data, trimmed)
	}
	return n
}

// mendJSONLine gives the mistake that was noted last the line that JSON names, if it is not further up: YAML knows only where
// an object begins that does not end.
func (c *mistakes) mendJSONLine(data, trimmed []byte) {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(trimmed, new(json.RawMessage)); !errors.As(err, &syntax) {
		return
	}
	at := len(data) - len(trimmed) + int(syntax.Offset)
	if line, last := 1+bytes.Count(data[:at], []byte("\n")), &c.list[len(c.list)-1]; line >= last.Line {
		*last = Mistake{line, "it is neither JSON nor YAML: " + syntax.Error()}
	}
}

type jsonParser struct {
	data  []byte
	dec   *json.Decoder
	first int
	line  int // of the byte at offset
	at    int
}

// lineHere returns the line of the token that was read last.
func (p *jsonParser) lineHere() int {
	to := int(p.dec.InputOffset())
	p.line += bytes.Count(p.data[p.at:to], []byte("\n"))
	p.at = to
	return p.first + p.line
}

// value reads a value. The text is valid JSON, so nothing can fail.
func (p *jsonParser) value() *node {
	token, _ := p.dec.Token()
	n := &node{kind: scalarNode, line: p.lineHere()}
	switch token := token.(type) {
	case json.Delim:
		n.kind = listNode
		if token == '{' {
			n.kind = objectNode
		}
		for p.dec.More() {
			if token == '{' {
				n.keys = append(n.keys, p.value())
			}
			n.list = append(n.list, p.value())
		}
		_, _ = p.dec.Token()
	case string:
		n.text = token
	case json.Number:
		n.text = token.String()
	case bool:
		n.flag, n.text = &token, strconv.FormatBool(token)
	default:
		n.null = true
	}
	return n
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// yamlFromZero are the mistakes whose lines the library counts from 0: those of its parser, not those of its scanner.
	yamlFromZero = regexp.MustCompile(`^did not find expected (?:<|node content|'-' indicator|key|',' or )|^found (?:duplicate|incompatible|undefined)`)
)

// yamlMistake returns what is wrong with a text that is no YAML, and in which line.
func yamlMistake(err error) (line int, text string) {
	line, text = 1, err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return line, text
	}
	if at, err := strconv.Atoi(m[1]); err == nil {
		if line = at; yamlFromZero.MatchString(m[2]) {
			line++
		}
	}
	return line, m[2]
}

func parseYAML(data []byte, c *mistakes) (n *node) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if err == nil {
		switch err2 := dec.Decode(&second); {
		case err2 == nil:
			c.add(max(1, second.Line), "the file holds more than one document")
			return nil
		case !errors.Is(err2, io.EOF):
			err = err2
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		c.add(1, "the file is empty")
		return nil
	case err != nil:
		line, text := yamlMistake(err)
		line = min(line, 1+bytes.Count(bytes.TrimRight(data, " \t\r\n"), []byte("\n"))) // not behind the end
		c.add(line, "it is neither JSON nor YAML: %s", text)
		return nil
	}
	if len(doc.Content) == 0 {
		c.add(1, "the file is empty")
		return nil
	}
	return fromYAML(doc.Content[0], c)
}

func fromYAML(y *yaml.Node, c *mistakes) *node {
	n := &node{kind: scalarNode, line: y.Line, text: y.Value} // as it is written: True may be a word
	if y.Style&yaml.TaggedStyle != 0 {
		c.add(y.Line, "tags of YAML are not read")
	}
	switch y.Kind {
	case yaml.ScalarNode:
		switch y.ShortTag() {
		case "!!null":
			n.null, n.text = true, ""
		case "!!bool":
			var flag bool
			if y.Decode(&flag) == nil {
				n.flag = &flag
			}
		}
	case yaml.SequenceNode:
		n.kind, n.text = listNode, ""
		for _, item := range y.Content {
			n.list = append(n.list, fromYAML(item, c))
		}
	case yaml.MappingNode:
		n.kind, n.text = objectNode, ""
		for i := 0; i+1 < len(y.Content); i += 2 {
			n.keys = append(n.keys, fromYAML(y.Content[i], c))
			n.list = append(n.list, fromYAML(y.Content[i+1], c))
		}
	default:
		c.add(y.Line, "anchors and aliases of YAML are not read")
	}
	return n
}

// RulesError is everything that is wrong with a rule file.
type RulesError struct {
	// Name is the file's name, as it was given.
	Name     string
	Mistakes []Mistake
}

// Mistake is one thing that is wrong with a rule file.
type Mistake struct {
	// Line counts from 1.
	Line    int
	Problem string
}

// Error lists all mistakes, each on a line of its own if there are several.
func (e *RulesError) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = fmt.Sprintf("%s:%d: %s", e.Name, m.Line, m.Problem)
	}
	if len(lines) == 1 {
		return "mapping: " + lines[0]
	}
	return fmt.Sprintf("mapping: %s has %d mistakes:\n%s", e.Name, len(lines), strings.Join(lines, "\n"))
}

// mistakes collects what is wrong.
type mistakes struct{ list []Mistake }

func (c *mistakes) add(line int, format string, args ...any) {
	c.list = append(c.list, Mistake{line, fmt.Sprintf(format, args...)})
}

// object calls f for each key that is known, and notes the others and those that come twice.
func (c *mistakes) object(n *node, what string, known []string, f func(key string, value *node)) {
	if n.kind != objectNode {
		c.add(n.line, "%s is %s, not an object", what, n.kind)
		return
	}
	seen := map[string]int{}
	for i, key := range n.keys {
		switch first, twice := seen[key.text]; {
		case key.kind != scalarNode:
			c.add(key.line, "%s has %s where a name is wanted", what, key.kind)
		case !slices.Contains(known, key.text):
			c.add(key.line, "%s has no %s; it may have %s", what, key.quoted(), strings.Join(known, ", "))
		case twice:
			c.add(key.line, "%s has %s twice, first in line %d", what, key.quoted(), first)
		default:
			seen[key.text] = key.line
			f(key.text, n.list[i])
		}
	}
}
