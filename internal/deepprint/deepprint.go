// Package deepprint prints all that reflection reaches in a value, for tests that secrets are not reachable.
// Only tests use it.
package deepprint

import (
	"fmt"
	"reflect"
	"strings"
)

// Text returns the texts, bytes and numbers in a value. Like the printers that tests use, it follows pointers and
// private fields and calls no methods.
func Text(value any) string {
	p := printer{seen: map[visit]bool{}}
	p.print(reflect.ValueOf(value))
	return p.text.String()
}

type visit struct {
	address uintptr
	of      reflect.Type
}

type printer struct {
	text strings.Builder
	seen map[visit]bool
}

func (p *printer) print(v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
	case reflect.Pointer:
		if at := (visit{v.Pointer(), v.Type()}); !v.IsNil() && !p.seen[at] {
			p.seen[at] = true
			p.print(v.Elem())
		}
	case reflect.Interface:
		p.print(v.Elem())
	case reflect.Struct:
		fmt.Fprintf(&p.text, "%s{", v.Type())
		for i := range v.NumField() {
			fmt.Fprintf(&p.text, " %s:", v.Type().Field(i).Name)
			p.print(v.Field(i))
		}
		p.text.WriteString("}\n")
	case reflect.Map:
		if at := (visit{v.Pointer(), v.Type()}); p.seen[at] {
			return
		} else {
			p.seen[at] = true
		}
		for entries := v.MapRange(); entries.Next(); {
			p.print(entries.Key())
			p.print(entries.Value())
		}
	case reflect.Slice, reflect.Array:
		p.list(v)
	case reflect.String:
		fmt.Fprintf(&p.text, "%q", v.String())
	default:
		fmt.Fprintf(&p.text, "(%v)", v)
	}
}

// list prints the elements of a list, and bytes also as text and in hexadecimal.
func (p *printer) list(v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		data := make([]byte, v.Len())
		for i := range data {
			data[i] = byte(v.Index(i).Uint())
		}
		fmt.Fprintf(&p.text, "%s %x", data, data)
		return
	}
	for i := range v.Len() {
		p.print(v.Index(i))
	}
}
