package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/pluvo"
)

// Field is a field of Pluvo's records of one kind that a mapper maps to GHL, from GHL, or both ways. Use the fields
// of a kind to compare, merge or change two records field by field:
//
//	for _, f := range mapper.Fields(pluvo.KindContact) {
//		if f.ToPluvo() && !f.Same(theirs, ours) {
//			f.Set(ours, f.Get(theirs))
//		}
//	}
//
// A field does not change and is safe for concurrent use.
type Field struct {
	kind           pluvo.Kind
	name           string
	typ            typ
	toPluvo, toGHL bool
	get            func(pluvo.Record) value
	set            func(pluvo.Record, value)
	canonical      func(value) value
	fits           func(value) bool
}

// Fields returns the fields of a kind that the rules in use map, in the order of the rules. The other fields of a
// record (ids, its origin, fields that no rule names) are never mapped.
func (m *Mapper) Fields(kind pluvo.Kind) []*Field { return slices.Clone(m.fields[kind]) }

// Kind returns the kind of the records that have the field.
func (f *Field) Kind() pluvo.Kind { return f.kind }

// Name returns the field's name in Pluvo's JSON, such as "dueDate", or "fields." and the name of a further field of a
// person.
func (f *Field) Name() string { return f.name }

// ToPluvo reports whether the field is mapped from GHL.
func (f *Field) ToPluvo() bool { return f.toPluvo }

// ToGHL reports whether the field is mapped to GHL.
func (f *Field) ToGHL() bool { return f.toGHL }

// IsSet reports whether the field holds a set of texts, such as tags. Changes of a set can be merged item by item.
func (f *Field) IsSet() bool { return f.typ == listType }

// Get returns the field's value in a record. It panics if the record is of another kind.
func (f *Field) Get(r pluvo.Record) Value { return Value{f.get(r), f.typ} }

// Set sets the field in a record; the zero [Value] clears it. It panics if the record or the value is of another kind.
func (f *Field) Set(r pluvo.Record, v Value) {
	if v.typ == 0 {
		v = Value{typ: f.typ}
	}
	if v.typ != f.typ {
		panic(fmt.Sprintf("mapping: %s %s holds %s, not %s", f.kind, f.name, f.typ, v.typ))
	}
	f.set(r, v.v)
}

// Canonical returns the value in the form in which it comes back after it was written to GHL: a phone number as the
// normaliser writes it, e-mails and tags in lower case, times in GHL's precision, and the transforms of the rules
// applied. It returns a value as it is if GHL cannot store it or no rule writes it there.
func (f *Field) Canonical(v Value) Value {
	if v.typ != f.typ {
		return v
	}
	return Value{f.canonical(v.v), v.typ}
}

// Fits reports whether an update can write the value to GHL. It is false for a value that GHL cannot store, for an
// empty value of a field that GHL does not clear, and for a field that no rule writes there. GHL keeps another value
// then, which a merge must not treat as a change made in GHL.
func (f *Field) Fits(v Value) bool {
	if v.typ == 0 {
		v.typ = f.typ
	}
	return v.typ == f.typ && f.fits(v.v)
}

// Same reports whether the [Field.Canonical] values of two records are equal. So a caller can recognise the echo of
// its own write in a response or a webhook.
func (f *Field) Same(a, b pluvo.Record) bool {
	v, w := f.get(a), f.get(b)
	if v.equal(&w, f.typ) {
		return true
	}
	v, w = f.canonical(v), f.canonical(w)
	return v.equal(&w, f.typ)
}

// Value is the value of a [Field]. It does not change. Compare two values with [Value.Equal].
type Value struct {
	v   value
	typ typ
}

// SetOf returns the value of a field that holds a set.
func SetOf(items []string) Value { return Value{listValue(slices.Clone(items)), listType} }

// IsEmpty reports whether there is no value. Neither true nor false is empty.
func (v Value) IsEmpty() bool { return v.typ == 0 || v.v.isEmpty(v.typ) }

// Equal reports whether two values are the same. Sets are equal in any order, times if they are the same instant.
func (v Value) Equal(w Value) bool {
	if v.IsEmpty() || w.IsEmpty() {
		return v.IsEmpty() && w.IsEmpty()
	}
	return v.typ == w.typ && v.v.equal(&w.v, v.typ)
}

// Items returns the texts of a set, and nil for any other value.
func (v Value) Items() []string { return slices.Clone(v.v.list) }

// String returns the value as text: a time in RFC 3339 and UTC, a set with commas between its items, "" for an empty
// value.
func (v Value) String() string {
	switch {
	case v.IsEmpty():
		return ""
	case v.typ == listType:
		return strings.Join(v.v.list, ", ")
	case v.typ == flagType:
		return strconv.FormatBool(v.v.flag)
	case v.typ == dayType:
		return v.v.at.Format(time.DateOnly)
	case v.typ == instantType:
		return v.v.at.UTC().Format(time.RFC3339Nano)
	}
	return v.v.text
}

// allFields returns the fields of every kind.
func (m *Mapper) allFields() map[pluvo.Kind][]*Field {
	r := m.rules
	return map[pluvo.Kind][]*Field{
		pluvo.KindContact: fieldsOf(m, r.contact,
			func(r pluvo.Record) *pluvo.Contact { return r.(*pluvo.Contact) }),
		pluvo.KindTask:        fieldsOf(m, r.task, func(r pluvo.Record) *pluvo.Task { return r.(*pluvo.Task) }),
		pluvo.KindNote:        fieldsOf(m, r.note, func(r pluvo.Record) *pluvo.Note { return r.(*pluvo.Note) }),
		pluvo.KindAppointment: fieldsOf(m, r.appointment, toAppointment),
	}
}

func toAppointment(r pluvo.Record) *pluvo.Appointment { return r.(*pluvo.Appointment) }

// fieldsOf returns the fields that the rules name, in their order.
func fieldsOf[R, C, U, P any](m *Mapper, c *compiled[R, C, U, P], as func(pluvo.Record) *P) []*Field {
	var fields []*Field
	seen := map[string]*Field{}
	for _, r := range c.rules {
		p := r.pluvo
		if p.set == nil { // an id
			continue
		}
		f := seen[p.name]
		if f == nil {
			f = &Field{
				kind: c.kind, name: p.name, typ: p.typ,
				get:       func(r pluvo.Record) value { return p.get(as(r)) },
				set:       func(r pluvo.Record, v value) { p.set(as(r), v) },
				canonical: func(v value) value { return c.canonical(m, p.name, v) },
				fits:      func(v value) bool { return c.fits(m, p.name, v) },
			}
			seen[p.name], fields = f, append(fields, f)
		}
		f.toPluvo, f.toGHL = f.toPluvo || r.toPluvo, f.toGHL || r.toGHL
	}
	return fields
}

// fits reports whether every rule that writes the field to GHL can send a value in an update.
func (c *compiled[R, C, U, P]) fits(m *Mapper, name string, v value) bool {
	sent := false
	for _, r := range c.rules {
		if r.pluvo.name != name || !r.toGHL {
			continue
		}
		w, empty := r.outgoing(m, v)
		if w.problem != "" || empty && !r.ghl.clears || empty && r.required || r.ghl.change == nil {
			return false
		}
		sent = true
	}
	return sent
}

// canonical sends a value to GHL and back: with the rule that writes the field and the one that reads what was
// written.
func (c *compiled[R, C, U, P]) canonical(m *Mapper, name string, v value) value {
	for _, in := range c.rules {
		if in.pluvo.name != name || !in.toPluvo {
			continue
		}
		for _, out := range c.rules {
			if out.pluvo.name != name || !out.toGHL || out.ghl.name != in.ghl.name {
				continue
			}
			w, empty := out.outgoing(m, v)
			if w.problem != "" || empty && !out.ghl.clears {
				return v
			}
			if w, _ = in.incoming(m, out.ghl.asStored(m, w)); w.problem != "" {
				return v
			}
			w.note = ""
			return w
		}
	}
	return v
}
