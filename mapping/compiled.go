package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/pluvo"
)

// rule is a compiled rule.
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
	// unread are GHL's fields that no rule reads, unwritten those of Pluvo that no rule writes to GHL.
	unread    []*ghlField[R, C, U]
	unwritten []*pluvoField[P]
	// read are the names of the fields that the rules read in GHL, written those that they write there from Pluvo.
	read, written map[string]bool
}

// incoming returns the value for Pluvo, and whether it is empty.
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

// outgoing returns the value for GHL, and whether it is empty.
func (r *rule[R, C, U, P]) outgoing(m *Mapper, v value) (out value, empty bool) {
	f := r.ghl
	if !v.isEmpty(r.pluvo.typ) {
		if v = run(m, v, r.backward); v.problem == "" && f.sends != nil {
			v = f.sends(v)
		}
		if v.problem == "" && !f.isBlank(&v) {
			v.problem = f.refusal(m, &v)
			return v, false
		}
	}
	if v.problem == "" && r.defaultGHL != nil {
		v = *r.defaultGHL
		v.problem, v.note = f.refusal(m, &v), whyDefault
		return v, false
	}
	return v, v.problem == ""
}

// isBlank reports whether GHL would have no value then. A field that GHL does not clear has no value if its text is
// blank.
func (f *ghlField[R, C, U]) isBlank(v *value) bool {
	return v.isEmpty(f.typ) || f.typ == textType && !f.clears && strings.TrimSpace(v.text) == ""
}

// refusal says why GHL does not accept a value, "" if it does.
func (f *ghlField[R, C, U]) refusal(m *Mapper, v *value) string {
	if !allows(f.options, v, f.typ) {
		return whyPicklist
	}
	if f.refuses != nil {
		return f.refuses(m, v.text)
	}
	return ""
}

// asStored returns a value in the form in which GHL stores it.
func (f *ghlField[R, C, U]) asStored(m *Mapper, v value) value {
	if f.stored != nil {
		return f.stored(m, v)
	}
	return v
}

// allows reports whether a field with options accepts a value.
func allows(options []string, v *value, t typ) bool {
	if len(options) == 0 {
		return true
	}
	if t == listType {
		return !slices.ContainsFunc(v.list, func(s string) bool { return !slices.Contains(options, s) })
	}
	return slices.Contains(options, v.text)
}

// toPluvo maps a record of GHL to Pluvo.
func (c *compiled[R, C, U, P]) toPluvo(out *P, from *R, sc *scope, s *sink) error {
	for _, r := range c.rules {
		if !r.toPluvo {
			continue
		}
		v, empty := r.incoming(sc.m, r.ghl.get(from, sc))
		switch {
		case v.problem == "" && !empty:
			r.pluvo.set(out, v)
			s.went(r.ghl.name, r.pluvo.name, v.note)
		case r.required || r.pluvo.needed:
			return s.missing(r.ghl.name, r.pluvo.name, v.problem)
		case v.problem != "":
			s.leftOut(r.ghl.name, v.problem)
		}
	}
	for _, f := range c.unread {
		if f.hasValue(from, sc) {
			s.leftOut(f.name, whyNoRule)
		}
	}
	c.table.others(s, from, c.read)
	return nil
}

// hasValue reports whether a record has a value of the field.
func (f *ghlField[R, C, U]) hasValue(r *R, sc *scope) bool {
	if f.has != nil {
		return f.has(r)
	}
	v := f.get(r, sc)
	return v.has(f.typ)
}

// create maps a record of Pluvo to one that GHL creates.
func (c *compiled[R, C, U, P]) create(out *C, from *P, m *Mapper, s *sink) error {
	for _, r := range c.rules {
		if !r.toGHL {
			continue
		}
		v, empty := r.outgoing(m, r.pluvo.get(from))
		if !empty && v.problem == "" && r.ghl.create == nil {
			v.problem = whyUpdateOnly
		}
		switch {
		case v.problem == "" && !empty:
			r.ghl.create(out, v)
			s.went(r.pluvo.name, r.ghl.name, v.note)
		case r.required:
			return s.missing(r.pluvo.name, r.ghl.name, v.problem)
		case v.problem != "":
			s.leftOut(r.pluvo.name, v.problem)
		}
	}
	c.reportUnwritten(from, new(P), m, s)
	return nil
}

// change maps the difference between two states of a record of Pluvo to an update for GHL. If the last state is not
// known, each value is a difference.
func (c *compiled[R, C, U, P]) change(out *U, now, last *P, known bool, m *Mapper, s *sink) error {
	for _, r := range c.rules {
		if !r.toGHL {
			continue
		}
		if err := r.change(out, r.pluvo.get(now), r.pluvo.get(last), known, m, s); err != nil {
			return err
		}
	}
	c.reportUnwritten(now, last, m, s)
	return nil
}

// change adds the difference between two values to an update.
func (r *rule[R, C, U, P]) change(out *U, now, last value, known bool, m *Mapper, s *sink) error {
	f := r.ghl
	v, empty := r.outgoing(m, now)
	if r.required && (empty || v.problem != "") {
		return s.missing(r.pluvo.name, f.name, v.problem)
	}
	if known && now.equal(&last, r.pluvo.typ) {
		return nil
	}
	old, oldEmpty := r.outgoing(m, last)
	if !known || old.problem != "" {
		old = value{problem: whyUnknown}
	}
	stored, oldStored := f.asStored(m, v), f.asStored(m, old)
	switch {
	case v.problem != "":
		s.leftOut(r.pluvo.name, v.problem)
	case !known && empty, old.problem == "" && empty == oldEmpty && stored.equal(&oldStored, f.typ):
	case f.change == nil:
		s.leftOut(r.pluvo.name, whyCreateOnly)
	case empty && !f.clears:
		s.leftOut(r.pluvo.name, whyNotCleared)
	default:
		f.change(out, old, v)
		s.went(r.pluvo.name, f.name, v.note)
	}
	return nil
}

// reportUnwritten reports the differences between two states that no rule writes to GHL.
func (c *compiled[R, C, U, P]) reportUnwritten(now, last *P, m *Mapper, s *sink) {
	for _, f := range c.unwritten {
		v, before := f.get(now), f.get(last)
		if f.set != nil && !v.equal(&before, f.typ) && (f.implied == nil || !f.implied(m, now)) {
			reason := whyNoRule
			if f.unwritten != "" {
				reason = f.unwritten
			}
			s.leftOut(f.name, reason)
		}
	}
	if c.table.otherPluvo != nil {
		c.table.otherPluvo(s, now, last, c.written)
	}
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
