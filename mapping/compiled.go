package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/pluvo"
)

// rule is one rule, ready for use.
type rule[R, C, U, P any] struct {
	ghl                      *ghlField[R, C, U]
	pluvo                    *pluvoField[P]
	toPluvo, toGHL, required bool
	forward, backward        []step
	defaultPluvo, defaultGHL *value
}

// compiled are the rules of one kind of record.
type compiled[R, C, U, P any] struct {
	table *table[R, C, U, P]
	kind  pluvo.Kind
	rules []*rule[R, C, U, P]
	// unread are GHL's fields that no rule reads, unwritten those of Pluvo's that no rule writes to GHL.
	unread    []*ghlField[R, C, U]
	unwritten []*pluvoField[P]
	// read and written are the names of all that the rules read in GHL, and write there from Pluvo.
	read, written map[string]bool
}

// incoming returns the value for Pluvo. Empty means that there is none.
func (r *rule[R, C, U, P]) incoming(m *Mapper, v value) (out value, empty bool) {
	if v.problem == "" && !v.isEmpty(r.ghl.typ) {
		v = run(m, v, r.forward)
		if v.problem != "" || !v.isEmpty(r.pluvo.typ) {
			return v, false
		}
	}
	if v.problem == "" && r.defaultPluvo != nil {
		v = *r.defaultPluvo
		v.note = whyDefault
		return v, false
	}
	return v, v.problem == ""
}

// outgoing returns the value for GHL. Empty means that there is none.
func (r *rule[R, C, U, P]) outgoing(m *Mapper, v value) (out value, empty bool) {
	f := r.ghl
	if !v.isEmpty(r.pluvo.typ) {
		if v = run(m, v, r.backward); v.problem == "" && f.precise != nil {
			var note string
			if v.at, note, v.problem = f.precise(v.at); note != "" {
				v.note = note
			}
		}
		if v.problem == "" && !f.isBlank(&v) {
			if f.refuses != nil {
				v.problem = f.refuses(m, v.text)
			}
			if !allows(f.options, &v, f.typ) {
				v.problem = whyPicklist
			}
			return v, false
		}
	}
	if v.problem == "" && r.defaultGHL != nil {
		if v = *r.defaultGHL; f.refuses != nil {
			v.problem = f.refuses(m, v.text)
		}
		v.note = whyDefault
		return v, false
	}
	return v, v.problem == ""
}

// isBlank reports whether GHL would have no value then. Where it takes none, a blank text is none either.
func (f *ghlField[R, C, U]) isBlank(v *value) bool {
	return v.isEmpty(f.typ) || f.typ == textType && !f.clears && strings.TrimSpace(v.text) == ""
}

// form returns a value as GHL keeps it.
func (f *ghlField[R, C, U]) form(m *Mapper, v value) value {
	if f.keeps != nil {
		return f.keeps(m, v)
	}
	return v
}

// allows reports whether a field with options takes a value.
func allows(options []string, v *value, t typ) bool {
	if len(options) == 0 {
		return true
	}
	if t == listType {
		return !slices.ContainsFunc(v.list, func(s string) bool { return !slices.Contains(options, s) })
	}
	return slices.Contains(options, v.text)
}

func (c *compiled[R, C, U, P]) toPluvo(out *P, from *R, sc *scope, s *sink) error {
	for _, r := range c.rules {
		if !r.toPluvo {
			continue
		}
		v, empty := r.incoming(sc.m, r.ghl.get(from, sc))
		switch {
		case v.problem != "":
			s.leftOut(r.ghl.name, v.problem)
		case !empty:
			r.pluvo.set(out, v)
			s.went(r.ghl.name, r.pluvo.name, v.note)
			continue
		}
		if r.required || r.pluvo.needed {
			return s.missing(r.ghl.name, r.pluvo.name, v.problem)
		}
	}
	reportLeftOut(s, from, sc, c.unread, whyNoRule)
	c.table.others(s, from, c.read, whyNoRule)
	return nil
}

func (c *compiled[R, C, U, P]) create(out *C, from *P, m *Mapper, s *sink) error {
	for _, r := range c.rules {
		if !r.toGHL {
			continue
		}
		v, empty := r.outgoing(m, r.pluvo.get(from))
		switch {
		case v.problem != "":
			s.leftOut(r.pluvo.name, v.problem)
		case !empty && r.ghl.create == nil:
			s.leftOut(r.pluvo.name, whyUpdateOnly)
		case !empty:
			r.ghl.create(out, v)
			s.went(r.pluvo.name, r.ghl.name, v.note)
			continue
		}
		if r.required {
			return s.missing(r.pluvo.name, r.ghl.name, v.problem)
		}
	}
	for _, f := range c.unwritten {
		if v := f.get(from); f.set != nil && v.has(f.typ) && (f.implied == nil || !f.implied(m, from)) {
			s.leftOut(f.name, whyNoRule)
		}
	}
	if c.table.otherPluvo != nil {
		c.table.otherPluvo(s, from, new(P), c.written, whyNoRule)
	}
	return nil
}

// change sets what differs. Without a known last state whatever there is differs.
func (c *compiled[R, C, U, P]) change(out *U, now, last *P, known bool, m *Mapper, s *sink) error {
	for _, r := range c.rules {
		if !r.toGHL {
			continue
		}
		f := r.ghl
		given, before := r.pluvo.get(now), r.pluvo.get(last)
		v, empty := r.outgoing(m, given)
		if r.required && (empty || v.problem != "") {
			return s.missing(r.pluvo.name, f.name, v.problem)
		}
		if known && given.equal(&before, r.pluvo.typ) {
			continue
		}
		old, none := r.outgoing(m, before)
		if !known || old.problem != "" { // nobody knows what GHL has
			old = value{problem: whyUnknown}
		}
		kept, keptOld := f.form(m, v), f.form(m, old)
		switch {
		case v.problem != "":
			s.leftOut(r.pluvo.name, v.problem)
		case !known && empty, old.problem == "" && empty == none && kept.equal(&keptOld, f.typ):
		case f.change == nil:
			s.leftOut(r.pluvo.name, whyCreateOnly)
		case empty && !f.clears:
			s.leftOut(r.pluvo.name, whyNotCleared)
		default:
			f.change(out, old, v)
			s.went(r.pluvo.name, f.name, v.note)
		}
	}
	for _, f := range c.unwritten {
		v, before := f.get(now), f.get(last)
		if f.set != nil && !v.equal(&before, f.typ) && (f.implied == nil || !f.implied(m, now)) {
			s.leftOut(f.name, whyNoRule)
		}
	}
	if c.table.otherPluvo != nil {
		c.table.otherPluvo(s, now, last, c.written, whyNoRule)
	}
	return nil
}

// timeFor returns the time that the rules would send for one of GHL's fields; zero if they would send none.
func (c *compiled[R, C, U, P]) timeFor(name string, from *P, m *Mapper) time.Time {
	for _, r := range c.rules {
		if r.toGHL && r.ghl.name == name {
			if v, empty := r.outgoing(m, r.pluvo.get(from)); !empty && v.problem == "" {
				return v.at
			}
		}
	}
	return time.Time{}
}
