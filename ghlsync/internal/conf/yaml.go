package conf

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a settings file.
const (
	maxFile   = 256 << 10 // bytes; the parser takes quadratic time
	maxDepth  = 50        // of nested objects and lists in braces and brackets
	maxColumn = 200       // of the first word of a line, which bounds how deep blocks are nested
)

type nodeKind uint8

const (
	nullNode nodeKind = iota
	scalarNode
	listNode
	objectNode
	refusedNode // YAML that is not supported; text says why
)

// node is a value of a settings file or of an environment variable, with its place.
type node struct {
	kind   nodeKind
	at     Place
	text   string
	items  []*node // of a list
	fields []field // of an object
}

// field is a key of an object with its value.
type field struct {
	name  string
	at    Place
	value *node
}

func (n *node) field(name string) *node {
	for _, f := range n.fields {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// parse parses a settings file. Its error names the first place that is not YAML.
func parse(name string, data []byte) (*node, error) {
	fail := func(line, column int, text string) (*node, error) {
		return nil, &Error{[]Mistake{{Place{File: name, Line: line, Column: column}, "", text}}}
	}
	switch {
	case len(data) > maxFile:
		return fail(0, 0, "the file must not be larger than 256 KiB")
	case !utf8.Valid(data):
		return fail(0, 0, "the file must be UTF-8")
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff"))
	if deep := tooDeep(tokens); deep != nil {
		return fail(deep.Position.Line, deep.Position.Column, "objects and lists must not be nested this deep")
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax *yaml.SyntaxError
		// the whole error would print lines of the file, which may hold secrets
		if errors.As(err, &syntax) && syntax.Token != nil {
			return fail(syntax.Token.Position.Line, syntax.Token.Position.Column,
				"the file is not valid YAML: "+explain(syntax.Message))
		}
		return fail(0, 0, "the file is not valid YAML")
	}
	root := &node{kind: objectNode, at: Place{File: name}}
	bodies := 0
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); doc.Body == nil || directive {
			continue
		}
		if bodies++; bodies > 1 {
			at := doc.Body.GetToken().Position
			return fail(at.Line, at.Column, "the file must have one document")
		}
		root = fromAST(name, doc.Body)
	}
	switch root.kind {
	case objectNode:
	case nullNode: // nothing but comments
		root.kind = objectNode
	default:
		return fail(root.at.Line, root.at.Column,
			"the file must have settings by name, such as database: sqlite:ghlsync.db")
	}
	return root, nil
}

// explanations say what to write, for messages of the parser that don't.
var explanations = map[string]string{
	"found character '\t' that cannot start any token": "indent with spaces, not with tabs",
	"non-map value is specified":                       "a setting must be a name, a colon, a space and a value",
	"unexpected key name":                              "a setting must be a name, a colon, a space and a value",
	"mapping value is not allowed in this context": "the value contains a colon, so write it in quotes, " +
		"or the next line is indented too far",
	"value is not allowed in this context": "a line is not indented as the lines before it",
	"value is not allowed in this context. map key-value is pre-defined": "the value continues after its end, " +
		"so write it in quotes",
	"could not find end character of double-quoted text": "the closing quote is missing",
	"could not find end character of single-quoted text": "the closing quote is missing",
}

// explain returns a message of the parser without the text that it quotes, which may be a secret.
func explain(message string) string {
	if text := explanations[message]; text != "" {
		return text
	}
	if strings.HasPrefix(message, "invalid header option") {
		return "a value that begins with | or > must be in quotes"
	}
	message, _, _ = strings.Cut(message, "\"")
	return strings.TrimRight(message, ": ")
}

// tooDeep returns the first token that may be nested too deep for a recursive parser, or nil.
func tooDeep(tokens token.Tokens) *token.Token {
	flow, line := 0, 0
	for _, t := range tokens {
		begins := t.Position.Line != line && t.Type != token.CommentType
		line = t.Position.Line
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType: // "- - - a" nests on one line
			begins = true
		}
		if flow > maxDepth || begins && t.Position.Column > maxColumn {
			return t
		}
	}
	return nil
}

// fromAST converts a node of the syntax tree.
func fromAST(name string, n ast.Node) *node {
	at := func(t *token.Token) Place { return Place{File: name, Line: t.Position.Line, Column: t.Position.Column} }
	out := &node{at: at(n.GetToken())}
	refuse := func(text string) *node {
		out.kind, out.text = refusedNode, text
		return out
	}
	switch n := n.(type) {
	case *ast.NullNode, *ast.CommentGroupNode:
	case *ast.LiteralNode:
		out.kind, out.text = scalarNode, n.Value.Value
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = scalarNode, n.GetToken().Value
	case *ast.SequenceNode:
		out.kind = listNode
		for _, item := range n.Values {
			out.items = append(out.items, fromAST(name, item))
		}
	case *ast.MappingValueNode:
		return fromAST(name, ast.Mapping(n.Key.GetToken(), false, n))
	case *ast.MappingNode:
		out.kind = objectNode
		for _, value := range n.Values {
			key := fromAST(name, value.Key)
			if len(out.fields) == 0 && !n.IsFlowStyle {
				out.at = key.at
			}
			switch key.kind {
			case scalarNode:
				out.fields = append(out.fields, field{key.text, key.at, fromAST(name, value.Value)})
			case refusedNode:
				out.fields = append(out.fields, field{"", key.at, key})
			default:
				refused := &node{kind: refusedNode, at: key.at, text: "the name of a setting must be a word"}
				out.fields = append(out.fields, field{"", key.at, refused})
			}
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return refuse("anchors and aliases of YAML are not supported")
	case *ast.TagNode:
		return refuse("tags of YAML are not supported")
	default:
		return refuse("this form of YAML is not supported")
	}
	return out
}
