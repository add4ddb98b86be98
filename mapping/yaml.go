package mapping

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a rule file. The parser's time grows with the square of the number of keys and of the depth.
const (
	maxFile   = 1 << 20
	maxTokens = 30_000
	maxDepth  = 64
)

type nodeKind uint8

const (
	scalarNode nodeKind = iota + 1
	listNode
	objectNode
)

// String returns the kind with its article, as messages use it.
func (k nodeKind) String() string { return [...]string{"nothing", "a text", "a list", "an object"}[k] }

// position is a place in a rule file. Line and column count from 1.
type position struct{ line, column int }

// node is a value of a rule file with its position.
type node struct {
	position
	kind nodeKind
	text string // the text of a scalar as the file has it, without quotes; "" for null
	null bool
	flag *bool // the value of an unquoted true or false
	list []*node
	keys []*node // the keys of an object, in the order of list
}

// word returns the text of a scalar, and "" for a list or an object.
func (n *node) word() string {
	if n.kind != scalarNode {
		return ""
	}
	return n.text
}

// items returns the items of a list, and the node itself for any other value; nil for nil.
func (n *node) items() []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == listNode:
		return n.list
	}
	return []*node{n}
}

// quoted returns the value for a message: the quoted text of a scalar, cut after 60 bytes, or the kind.
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

// parseFile reads YAML, and JSON, which is YAML too. It returns nil for a file that it refuses.
func parseFile(data []byte, c *mistakes) *node {
	if len(data) > maxFile {
		c.add(position{1, 1}, "the file must have at most 1 MiB, got %d bytes", len(data))
		return nil
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if before, ok := validPrefix(text); !ok {
		line := before[strings.LastIndexByte(before, '\n')+1:]
		c.add(position{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(line)}, "the file must be UTF-8")
		return nil
	}
	if json.Valid([]byte(text)) { // the YAML parser refuses some tabs that JSON allows; a JSON string has none
		text = strings.ReplaceAll(text, "\t", " ")
	}
	tokens := lexer.Tokenize(text)
	if !withinLimits(tokens, c) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // mistakes.object reports duplicate keys
	if err != nil {
		c.addSyntax(err)
		return nil
	}
	return singleDocument(file, c)
}

// validPrefix returns what precedes the first byte that is not UTF-8.
func validPrefix(text string) (before string, valid bool) {
	for i, r := range text {
		if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 {
			return text[:i], false
		}
	}
	return text, true
}

// withinLimits refuses a file that would take the parser long.
func withinLimits(tokens token.Tokens, c *mistakes) bool {
	if len(tokens) > maxTokens {
		c.add(positionOf(tokens[maxTokens]), "the file must have at most %d YAML tokens, got %d", maxTokens,
			len(tokens))
		return false
	}
	brackets, line, indicators := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType, token.MappingKeyType: // such as "- - -"
			if t.Position.Line != line {
				line, indicators = t.Position.Line, 0
			}
			indicators++
		}
		if max(brackets, indicators) > maxDepth {
			c.add(positionOf(t), "lists and objects must not be nested deeper than %d", maxDepth)
			return false
		}
	}
	return true
}

// addSyntax adds a syntax error of the parser.
func (c *mistakes) addSyntax(err error) {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		c.add(position{1, 1}, "not valid YAML or JSON: %s", err)
		return
	}
	at := e.GetToken()
	if before := at.Prev; strings.Contains(e.GetMessage(), "must be specified") && before != nil {
		at = before // a comma or a bracket is missing behind the token before
	}
	c.add(positionOf(at), "not valid YAML or JSON: %s", e.GetMessage())
}

func positionOf(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{max(1, t.Position.Line), max(1, t.Position.Column)}
}

// singleDocument returns the only document of a file.
func singleDocument(file *ast.File, c *mistakes) *node {
	var root ast.Node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); doc.Body == nil || directive {
			continue
		}
		if root != nil {
			at := doc.Start
			if at == nil {
				at = doc.Body.GetToken()
			}
			c.add(positionOf(at), "the file must hold one document, got more than one")
			return nil
		}
		root = doc.Body
	}
	if root == nil {
		c.add(position{1, 1}, "the file is empty")
		return nil
	}
	return fromYAML(root, c)
}

// fromYAML returns the node of a syntax tree. It refuses what rules do not need: tags and aliases.
func fromYAML(y ast.Node, c *mistakes) *node {
	n := &node{kind: scalarNode, position: positionOf(y.GetToken())}
	switch y := y.(type) {
	case *ast.StringNode:
		n.text = y.Value
	case *ast.LiteralNode:
		n.text = y.Value.Value
	case *ast.BoolNode:
		n.flag, n.text = &y.Value, y.Token.Value // as it is written: True may be a word
	case *ast.NullNode:
		n.null = true
	case *ast.SequenceNode:
		n.kind = listNode
		for _, item := range y.Values {
			n.list = append(n.list, fromYAML(item, c))
		}
	case *ast.MappingNode:
		n.kind = objectNode
		if !y.IsFlowStyle && len(y.Values) > 0 {
			n.position = positionOf(y.Values[0].Key.GetToken())
		}
		for _, entry := range y.Values {
			n.keys, n.list = append(n.keys, fromYAML(entry.Key, c)), append(n.list, fromYAML(entry.Value, c))
		}
	case *ast.MappingValueNode:
		n.kind, n.position = objectNode, positionOf(y.Key.GetToken())
		n.keys, n.list = []*node{fromYAML(y.Key, c)}, []*node{fromYAML(y.Value, c)}
	case *ast.MappingKeyNode:
		return fromYAML(y.Value, c)
	case *ast.AnchorNode: // without aliases it has no effect
		return fromYAML(y.Value, c)
	case *ast.TagNode:
		c.add(n.position, "tags of YAML are not supported")
	case *ast.AliasNode:
		c.add(n.position, "anchors and aliases of YAML are not supported")
	default: // numbers, and words with a meaning of their own, such as .inf
		n.text = y.GetToken().Value
	}
	return n
}
