package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/pluvo"
)

// Field is a field of Pluvo's records of one kind that a mapper carries to GHL, from there, or both ways. With the fields
// of a kind two records are compared, merged or changed field by field:
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

// Fields returns the fields of a kind that are mapped, by the rules in use, always in the same order. A record has others
// too (ids, its origin, what no rule names), which no mapping touches.
func (m *Mapper) Fields(kind pluvo.Kind) []*Field { return slices.Clone(m.fields[kind]) }

// Kind is the kind of the records that have the field.
func (f *Field) Kind() pluvo.Kind { return f.kind }

// Name is the field's name in Pluvo's JSON, such as "dueDate"; for a further field of a person "fields." and its name.
func (f *Field) Name() string { return f.name }

// ToPluvo reports whether it comes from GHL.
func (f *Field) ToPluvo() bool { return f.toPluvo }

// ToGHL reports whether it goes there.
func (f *Field) ToGHL() bool { return f.toGHL }

// IsSet reports whether it holds a set of texts, such as tags: two sides' changes of it can be merged item by item.
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
// normaliser writes it, e-mails and tags in lower case, times in GHL's precision, and whatever the rules do on the way. A
// value that GHL cannot hold, and one that does not go there, is returned as it is.
func (f *Field) Canonical(v Value) Value {
	if v.typ != f.typ {
		return v
	}
	return Value{f.canonical(v.v), v.typ}
}

// Fits reports whether an update can give GHL the value: false for one that GHL cannot hold, for none where GHL does not
// let the field be cleared, and for a field that does not go there. Such a value stays in Pluvo alone, so whoever merges
// must not take the other one that GHL keeps for a change made there.
func (f *Field) Fits(v Value) bool {
	if v.typ == 0 {
		v.typ = f.typ
	}
	return v.typ == f.typ && f.fits(v.v)
}

// Same reports whether the field is the same in two records, but for the form that GHL gives a value. So what GHL answers
// to a write, or tells of one later, is known by its content.
func (f *Field) Same(a, b pluvo.Record) bool {
	v, w := f.get(a), f.get(b)
	if v.equal(&w, f.typ) {
		return true
	}
	v, w = f.canonical(v), f.canonical(w)
	return v.equal(&w, f.typ)
}

// Value is the value of a [Field]. It does not change; two are compared with [Value.Equal].
type Value struct {
	v   value
	typ typ
}

// SetOf returns the value of a field that holds a set.
func SetOf(items []string) Value { return Value{listValue(slices.Clone(items)), listType} }

// IsEmpty reports whether there is none. Of true and false neither is empty.
func (v Value) IsEmpty() bool { return v.typ == 0 || v.v.isEmpty(v.typ) }

// Equal reports whether two values are the same: sets in any order, times by their instant.
func (v Value) Equal(w Value) bool {
	if v.IsEmpty() || w.IsEmpty() {
		return v.IsEmpty() && w.IsEmpty()
	}
	return v.typ == w.typ && v.v.equal(&w.v, v.typ)
}

// Items returns the texts of a set; nil of any other value.
func (v Value) Items() []string { return slices.Clone(v.v.list) }

// String returns the value as text, "" for none: a time in RFC 3339 and UTC, a set with commas between its items.
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
	rules, plain := m.o.Rules, plain()
	fields := map[pluvo.Kind][]*Field{}
	fields[pluvo.KindContact] = fieldsOf(m, rules.contact, plain.contact, func(r pluvo.Record) *pluvo.Contact { return r.(*pluvo.Contact) })
	fields[pluvo.KindTask] = fieldsOf(m, rules.task, plain.task, func(r pluvo.Record) *pluvo.Task { return r.(*pluvo.Task) })
	fields[pluvo.KindNote] = fieldsOf(m, rules.note, plain.note, func(r pluvo.Record) *pluvo.Note { return r.(*pluvo.Note) })
	fields[pluvo.KindAppointment] = fieldsOf(m, rules.appointment, plain.appointment, func(r pluvo.Record) *pluvo.Appointment { return r.(*pluvo.Appointment) })
	return fields
}

// fieldsOf returns the fields that the rules name, in their order; without rules of their own, those of the plain ones.
func fieldsOf[R, C, U, P any](m *Mapper, c, plain *compiled[R, C, U, P], as func(pluvo.Record) *P) []*Field {
	if c == nil {
		c = plain
	}
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
				canonical: func(v value) value { return c.canonical(m, p.name, v) }, fits: func(v value) bool { return c.fits(m, p.name, v) },
				get: func(r pluvo.Record) value { return p.get(as(r)) }, set: func(r pluvo.Record, v value) { p.set(as(r), v) },
			}
			seen[p.name], fields = f, append(fields, f)
		}
		f.toPluvo, f.toGHL = f.toPluvo || r.toPluvo, f.toGHL || r.toGHL
	}
	return fields
}

// fits reports whether every rule that sends the field can send a value in an update.
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

// canonical sends a value to GHL and back, by the rule that writes the field and one that reads what it has written.
func (c *compiled[R, C, U, P]) canonical(m *Mapper, name string, v value) value {
	for _, back := range c.rules {
		if back.pluvo.name != name || !back.toPluvo {
			continue
		}
		for _, there := range c.rules {
			if there.pluvo.name != name || !there.toGHL || there.ghl.name != back.ghl.name {
				continue
			}
			w, empty := there.outgoing(m, v)
			if w.problem != "" || empty && !there.ghl.clears {
				return v
			}
			w, _ = back.incoming(m, there.ghl.form(m, w))
			if w.problem != "" {
				return v
			}
			w.note = ""
			return w
		}
	}
	return v
}
