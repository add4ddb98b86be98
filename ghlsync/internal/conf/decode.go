// Package conf decodes the settings of a program from a YAML file and from environment variables. It remembers
// where each value is written, and finds all mistakes at once.
package conf

import (
	"encoding"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/nearest"
)

// Source is where settings come from.
type Source struct {
	// File and Data are the name and the content of the file; "" and nil if there is none.
	File string
	Data []byte
	// Env are the environment variables.
	Env map[string]string
	// Prefix begins the name of each variable that is a setting, such as "GHLSYNC_".
	Prefix string
	// Ignore are variables with the prefix that are not settings.
	Ignore []string
}

// Settings are decoded settings of type T.
type Settings[T any] struct {
	Values T
	// Places are the places of the values that are written, by path, such as "locations[0].owners[contact.firstName]".
	Places map[string]Place
	// Mistakes are unknown settings and values of the wrong form.
	Mistakes []Mistake
	// Unknown are the variables with the prefix that are not settings.
	Unknown []string
}

// Decode decodes settings over defaults. The environment overrides the file. T is a struct, in which the tag yaml
// names each setting; its fields are texts, numbers, flags, times, types with an UnmarshalText, and structs, lists
// and maps of these.
//
// A variable can set a scalar value, or a list of strings separated by commas or spaces.
// It is named after the path: GHLSYNC_APP_ID is app.id. A list of structs at the top level, such as locations,
// takes variables for its only item: GHLSYNC_LOCATION_ID is locations[0].id. In the file, a value ${NAME} is
// replaced with the value of a variable, and ${file:PATH} with the content of a file, without the white space around
// it. A value that contains ${ in another form is a mistake.
//
// A file that is not YAML is an [*Error]. Anchors, aliases and tags of YAML are mistakes.
func Decode[T any](source Source, defaults T) (*Settings[T], error) {
	root := &node{kind: objectNode}
	if source.File != "" {
		var err error
		if root, err = parse(source.File, source.Data); err != nil {
			return nil, err
		}
	}
	s := &Settings[T]{Values: defaults}
	d := &decoder{Source: source, known: describe(reflect.TypeFor[T](), "", true), places: map[string]Place{}}
	d.overlay(root)
	d.value(root, reflect.ValueOf(&s.Values).Elem(), "")
	s.Places, s.Mistakes, s.Unknown = d.places, d.mistakes, d.unknown
	return s, nil
}

// decoder turns nodes into settings.
type decoder struct {
	Source
	known    []Setting
	places   map[string]Place
	mistakes []Mistake
	unknown  []string
}

func (d *decoder) wrong(at Place, path, format string, args ...any) {
	d.mistakes = append(d.mistakes, Mistake{at, path, fmt.Sprintf(format, args...)})
}

// overlay puts the values of variables into the tree of the file.
func (d *decoder) overlay(root *node) {
	used := map[string]bool{}
	for _, setting := range d.known {
		if !setting.FromEnv {
			continue
		}
		variable := Variable(d.Prefix, setting.Path)
		used[variable] = true
		value, ok := d.Env[variable]
		if !ok || value == "" && setting.kind != reflect.String && setting.kind != reflect.Slice {
			continue
		}
		at := Place{Variable: variable}
		if list, _, inList := strings.Cut(setting.Path, "[]"); inList {
			if n := root.field(list); n != nil && len(n.items) > 1 {
				d.wrong(at, "", "the variable sets the only item of %s, but %s has several", list, d.File)
				continue
			}
		}
		n := &node{kind: scalarNode, at: at, text: value}
		if setting.kind == reflect.Slice {
			n.kind, n.text = listNode, ""
			for _, item := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
				n.items = append(n.items, &node{kind: scalarNode, at: at, text: item})
			}
		}
		root.set(strings.Split(strings.ReplaceAll(setting.Path, "[]", ".[]"), "."), n)
	}
	for name := range d.Env {
		if strings.HasPrefix(name, d.Prefix) && !used[name] && !slices.Contains(d.Ignore, name) {
			d.unknown = append(d.unknown, name)
		}
	}
	slices.Sort(d.unknown)
}

// set puts a value at a path below an object; "[]" is the first item of a list. It does nothing where the tree has
// another form, which is then a mistake of the file.
func (n *node) set(path []string, value *node) {
	if n.kind == nullNode {
		n.kind = objectNode
	}
	if path[0] == "[]" {
		if n.kind == objectNode && len(n.fields) == 0 {
			n.kind = listNode
		}
		if n.kind == listNode {
			if len(n.items) == 0 {
				n.items = []*node{{at: value.at}}
			}
			n.items[0].set(path[1:], value)
		}
		return
	}
	if n.kind != objectNode {
		return
	}
	child := n.field(path[0])
	switch {
	case child == nil && len(path) > 1:
		child = &node{at: value.at}
		n.fields = append(n.fields, field{path[0], value.at, child})
	case child == nil:
		n.fields = append(n.fields, field{path[0], value.at, value})
	case len(path) == 1:
		*child = *value
	}
	if len(path) > 1 {
		child.set(path[1:], value)
	}
}

// value decodes a node into v. Null leaves the default.
func (d *decoder) value(n *node, v reflect.Value, path string) {
	if path != "" {
		d.places[path] = n.at
	}
	if !d.expand(n, path) || n.kind == nullNode {
		return
	}
	wrong := func() { d.wrong(n.at, path, "must be %s", formOf(v.Type())) } // without the value, which may be a secret
	switch {
	case n.kind == refusedNode:
		d.wrong(n.at, path, "%s", n.text)
	case isScalar(v.Type()):
		if n.kind != scalarNode || !setScalar(v, n.text) {
			wrong()
		}
	case v.Kind() == reflect.Slice:
		if n.kind != listNode {
			wrong()
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case n.kind != objectNode:
		wrong()
	default:
		d.object(n, v, path)
	}
}

// object decodes an object into a struct or a map.
func (d *decoder) object(n *node, v reflect.Value, path string) {
	seen := map[string]Place{}
	for _, f := range n.fields {
		if f.name == "" && f.value.kind == refusedNode { // its name is refused
			d.wrong(f.at, "", "%s", f.value.text)
			continue
		}
		if first, twice := seen[f.name]; twice {
			d.wrong(f.at, "", "%.40q is set twice, first in line %d", f.name, first.Line)
			continue
		}
		seen[f.name] = f.at
		if v.Kind() == reflect.Map {
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			value := reflect.New(v.Type().Elem()).Elem()
			d.value(f.value, value, path+"["+f.name+"]")
			v.SetMapIndex(reflect.ValueOf(f.name), value)
			continue
		}
		i := slices.IndexFunc(reflect.VisibleFields(v.Type()),
			func(t reflect.StructField) bool { return t.Tag.Get("yaml") == f.name && f.name != "" })
		if i < 0 {
			name := fmt.Sprintf(" %.40q", f.name)
			if strings.ContainsAny(f.name, "0123456789") { // no setting has digits, but many secrets do
				name = ""
			}
			d.wrong(f.at, "", "unknown setting%s %s%s", name, whereIs(path), d.suggest(f.name, path))
			continue
		}
		d.value(f.value, v.Field(i), join(path, f.name))
	}
}

// expand replaces ${NAME} by the value of a variable, and ${file:PATH} by the content of a file. It reports whether
// it could.
func (d *decoder) expand(n *node, path string) bool {
	if n.kind != scalarNode || n.at.Variable != "" || !strings.Contains(n.text, "${") {
		return true
	}
	inner, whole := strings.CutPrefix(n.text, "${")
	name, closed := strings.CutSuffix(inner, "}")
	file, isFile := strings.CutPrefix(name, "file:")
	switch {
	case !whole || !closed || strings.Contains(name, "${"):
		d.wrong(n.at, path, "${…} must be the whole value, such as ${NAME} or ${file:PATH}")
		return false
	case isFile && file == "", !isFile && !variableName.MatchString(name): // without the name, which may be a secret
		d.wrong(n.at, path,
			"${…} must contain the name of a variable, such as ${NAME}, or a file, such as ${file:PATH}")
		return false
	case isFile:
		text, err := readSecret(file)
		if err != nil {
			d.wrong(n.at, path, "%v", err)
			return false
		}
		n.text = text
		return true
	}
	value, ok := d.Env[name]
	if !ok {
		d.wrong(n.at, path, "the environment variable %.40s is not set", name)
		return false
	}
	n.text = value
	return true
}

// variableName matches the name of an environment variable.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readSecret reads a file without the white space around its content. It reads at most 64 KiB.
func readSecret(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return strings.TrimSpace(string(data)), err
}

// isScalar reports whether a setting of a type is one word or number.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return false
	}
	return true
}

// setScalar parses text into v. It reports whether text has the right form.
func setScalar(v reflect.Value, text string) bool {
	var err error
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
	case *bool:
		*p, err = strconv.ParseBool(strings.ToLower(text))
	case *int:
		*p, err = strconv.Atoi(text)
	case *time.Duration:
		*p, err = time.ParseDuration(text)
	case encoding.TextUnmarshaler:
		err = p.UnmarshalText([]byte(text))
	}
	return err == nil
}

// formOf says what a value of a type looks like.
func formOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a time such as 30s, 5m or 24h"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return "settings by name"
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "debug, info, warn or error"
	}
	return "a whole number"
}

// Setting is a setting of a type of settings.
type Setting struct {
	// Path has [] for any item of a list or a map, such as "locations[].id".
	Path string
	// FromEnv reports whether an environment variable can set it.
	FromEnv bool
	kind    reflect.Kind
}

// Describe returns all settings of a type, objects before what they contain.
func Describe[T any]() []Setting { return describe(reflect.TypeFor[T](), "", true) }

func describe(t reflect.Type, path string, fromEnv bool) (list []Setting) {
	for _, f := range reflect.VisibleFields(t) {
		name, t := f.Tag.Get("yaml"), f.Type
		if name == "" {
			continue
		}
		at := join(path, name)
		texts := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String
		list = append(list, Setting{at, fromEnv && (isScalar(t) || texts), t.Kind()})
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			fromEnv := fromEnv && t.Kind() == reflect.Slice && path == ""
			t, at = t.Elem(), at+"[]"
			if t.Kind() == reflect.Struct {
				list = append(list, describe(t, at, fromEnv)...)
			}
		}
		if f.Type.Kind() == reflect.Struct {
			list = append(list, describe(t, at, fromEnv)...)
		}
	}
	return list
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Variable returns the environment variable of a setting. With the prefix GHLSYNC_ that of app.id is
// GHLSYNC_APP_ID, and that of locations[0].id or locations[].id is GHLSYNC_LOCATION_ID.
func Variable(prefix, path string) string {
	if list, rest, ok := strings.Cut(path, "["); ok {
		if _, name, ok := strings.Cut(rest, "]."); ok {
			path = strings.TrimSuffix(list, "s") + "." + name
		}
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// whereIs says in words which object has a path.
func whereIs(path string) string {
	if path == "" {
		return "at the top level"
	}
	return "in " + path
}

// suggest returns the setting that was probably meant by a name in an object: one with the same name elsewhere,
// else the nearest name in the object, else the nearest name elsewhere.
func (d *decoder) suggest(name, path string) string {
	here, elsewhere := []string{}, map[string]string{}
	for _, s := range d.known {
		object, last := "", s.Path
		if i := strings.LastIndexByte(s.Path, '.'); i >= 0 {
			object, last = s.Path[:i], s.Path[i+1:]
		}
		if object == Pattern(path) {
			here = append(here, last)
		} else if _, ok := elsewhere[last]; !ok {
			elsewhere[last] = s.Path
		}
	}
	meant := elsewhere[name]
	if meant == "" {
		if near := nearest.Word(name, here); near != "" {
			return "; did you mean " + near + "?"
		}
		meant = elsewhere[nearest.Word(name, slices.Sorted(maps.Keys(elsewhere)))]
	}
	switch {
	case meant == "":
		return ""
	case !strings.Contains(meant, "."):
		meant += " at the top level"
	}
	return "; did you mean " + meant + "?"
}

// Pattern replaces the index of each list and the key of each map in a path by [].
func Pattern(path string) string {
	var b strings.Builder
	for depth, rest := 0, path; rest != ""; rest = rest[1:] {
		switch {
		case rest[0] == '[':
			if depth++; depth == 1 {
				b.WriteByte('[')
			}
		case rest[0] == ']':
			if depth--; depth == 0 {
				b.WriteByte(']')
			}
		case depth == 0:
			b.WriteByte(rest[0])
		}
	}
	return b.String()
}
