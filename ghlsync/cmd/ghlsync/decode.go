package main

import (
	"encoding"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/nearest"
)

// prefix begins the name of each environment variable that is a setting.
const prefix = "GHLSYNC_"

// decoder turns nodes into settings and collects every mistake.
type decoder struct {
	*settings
	env map[string]string
}

// decodeSettings decodes a file over the defaults; the environment overrides the file. It collects all mistakes in settings.form.
func decodeSettings(file string, root *node, env map[string]string) *settings {
	d := &decoder{settings: defaultSettings(), env: env}
	d.file = file
	d.overlay(root)
	d.value(root, reflect.ValueOf(d.settings).Elem(), "")
	return d.settings
}

func (d *decoder) wrong(at place, path, format string, args ...any) {
	d.form = append(d.form, mistake{at, path, fmt.Sprintf(format, args...)})
}

// overlay puts the settings of the environment into the tree of the file: GHLSYNC_DATABASE, GHLSYNC_APP_CLIENT_ID, and for the
// only location GHLSYNC_LOCATION_ID and so on.
func (d *decoder) overlay(root *node) {
	used := map[string]bool{prefix + "CONFIG": true}
	locations := root.field("locations")
	several := locations != nil && len(locations.items) > 1
	for _, setting := range allSettings {
		if !setting.fromEnv {
			continue
		}
		variable := variableOf(setting.path)
		used[variable] = true
		value, ok := d.env[variable]
		if !ok || value == "" && setting.kind != reflect.String && setting.kind != reflect.Slice {
			continue
		}
		at := place{variable: variable}
		if several && strings.HasPrefix(setting.path, "locations[]") {
			d.wrong(at, "", "the variables %sLOCATION_… set one location, but %s has several", prefix, d.file)
			continue
		}
		n := &node{kind: scalarNode, at: at, text: value}
		if setting.kind == reflect.Slice {
			n.kind, n.text = listNode, ""
			for _, item := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
				n.items = append(n.items, &node{kind: scalarNode, at: at, text: item})
			}
		}
		root.set(strings.Split(strings.ReplaceAll(setting.path, "[]", ".[]"), "."), n)
	}
	for name := range d.env {
		if strings.HasPrefix(name, prefix) && !used[name] {
			d.unknown = append(d.unknown, name)
		}
	}
	slices.Sort(d.unknown)
}

// set puts a value at a path below an object; "[]" is the first item of a list. It does nothing where the tree has another form,
// which is then a mistake of the file.
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
	seen := map[string]place{}
	for _, f := range n.fields {
		if first, twice := seen[f.name]; twice {
			d.wrong(f.at, "", "%q is set twice, first in line %d", clip(f.name), first.line)
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
		i := slices.IndexFunc(reflect.VisibleFields(v.Type()), func(t reflect.StructField) bool { return t.Tag.Get("yaml") == f.name && f.name != "" })
		if i < 0 {
			d.wrong(f.at, "", "unknown setting %q %s%s", clip(f.name), whereIs(path), suggest(f.name, path))
			continue
		}
		d.value(f.value, v.Field(i), join(path, f.name))
	}
}

// expand replaces ${NAME} by the value of a variable, and ${file:PATH} by the content of a file. It reports whether it could.
func (d *decoder) expand(n *node, path string) bool {
	if n.kind != scalarNode || n.at.variable != "" || !strings.HasPrefix(n.text, "${") || !strings.HasSuffix(n.text, "}") {
		return true
	}
	name := n.text[2 : len(n.text)-1]
	if file, is := strings.CutPrefix(name, "file:"); is {
		data, err := os.ReadFile(file)
		if err != nil {
			d.wrong(n.at, path, "%v", err)
			return false
		}
		n.text = strings.TrimSpace(string(data))
		return true
	}
	value, ok := d.env[name]
	if !ok {
		d.wrong(n.at, path, "the environment variable %s is not set", clip(name))
		return false
	}
	n.text = value
	return true
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
		return "a time such as 30s"
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

// setting describes one setting by its type.
type setting struct {
	path    string // with [] for any item of a list
	kind    reflect.Kind
	fromEnv bool // whether an environment variable can set it
}

// allSettings are all settings, objects before what they contain.
var allSettings = describe(reflect.TypeFor[settings](), "", true)

func describe(t reflect.Type, path string, fromEnv bool) (list []setting) {
	for _, f := range reflect.VisibleFields(t) {
		name, t := f.Tag.Get("yaml"), f.Type
		if name == "" {
			continue
		}
		at := join(path, name)
		texts := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String
		list = append(list, setting{at, t.Kind(), fromEnv && (isScalar(t) || texts)})
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			fromEnv := fromEnv && t.Kind() == reflect.Slice && at == "locations"
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

// variableOf returns the environment variable of a setting: that of app.client_id is GHLSYNC_APP_CLIENT_ID, and that of
// locations[0].id GHLSYNC_LOCATION_ID.
func variableOf(path string) string {
	if rest, ok := strings.CutPrefix(path, "locations["); ok {
		if _, name, ok := strings.Cut(rest, "]."); ok {
			path = "location." + name
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

// suggest returns the setting that was probably meant by a name in an object: one with the same name elsewhere, else the nearest
// name in the object, else the nearest name elsewhere.
func suggest(name, path string) string {
	here, elsewhere := []string{}, map[string]string{}
	for _, s := range allSettings {
		object, last := "", s.path
		if i := strings.LastIndexByte(s.path, '.'); i >= 0 {
			object, last = s.path[:i], s.path[i+1:]
		}
		if object == pattern(path) {
			here = append(here, last)
		} else if _, ok := elsewhere[last]; !ok {
			elsewhere[last] = s.path
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

// pattern replaces the index of each list and the key of each map in a path by [].
func pattern(path string) string {
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

// clip shortens a word of a file for a message.
func clip(word string) string { return cut(word, 40) }
