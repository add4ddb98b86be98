package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// The fields of each kind of record, on both sides, stand in tables: rules are compiled from them, and reports know by them
// what was left out.

// ghlField is a field of a GHL record R, which is made by C and changed by U.
type ghlField[R, C, U any] struct {
	name string
	typ  typ
	get  func(r *R, s *scope) value
	// has says that there is a value, where get is dear; nil asks get.
	has func(r *R) bool
	// create sets it on a new record; nil if GHL does not take it.
	create func(c *C, v value)
	// change sets it on an update; nil if GHL takes it only when the record is made.
	change func(u *U, old, now value)
	// clears says that an empty value may be sent.
	clears bool
	// own says that nobody misses it where it is not mapped: it says what other fields say.
	own bool
	// precise cuts a time to what GHL holds; nil for what is no time.
	precise func(time.Time) (at time.Time, note, problem string)
	// refuses says why GHL does not take a value, "" if it does; nil if it takes any.
	refuses func(m *Mapper, text string) string
	// options are the values that it may have, nil for any.
	options []string
	// keeps returns a value in the form that GHL gives it, for comparing; nil if it keeps any as it is.
	keeps func(m *Mapper, v value) value
	// covers are the fields that GHL makes of this one.
	covers []string
	// id and key are those of a custom field.
	id, key string
}

// pluvoField is a field of a Pluvo record P.
type pluvoField[P any] struct {
	name string
	typ  typ
	get  func(p *P) value
	set  func(p *P, v value) // nil if nothing may be mapped to it
	// needed says that no record is valid without it.
	needed bool
	// implied reports that other fields of the record say the same.
	implied func(m *Mapper, p *P) bool
}

// scope is what the fields of a record depend on beyond the record.
type scope struct {
	m             *Mapper
	appointmentID string // that a note belongs to
}

// table describes a kind of record on both sides.
type table[R, C, U, P any] struct {
	ghl   []*ghlField[R, C, U]
	pluvo []*pluvoField[P]
	// more finds fields that are in no table: custom fields, and the further fields of a person.
	moreGHL   func(name string, definitions *ghl.CustomFieldResolver) (f *ghlField[R, C, U], problem string)
	morePluvo func(name string) *pluvoField[P]
	// others reports what a record of GHL has that is in no table, but for what is read; otherPluvo what differs from a last
	// state of Pluvo's, but for what is written.
	others     func(s *sink, r *R, read map[string]bool, reason string)
	otherPluvo func(s *sink, now, last *P, written map[string]bool, reason string)
}

func (t *table[R, C, U, P]) ghlField(name string) *ghlField[R, C, U] {
	if i := slices.IndexFunc(t.ghl, func(f *ghlField[R, C, U]) bool { return f.name == name }); i >= 0 {
		return t.ghl[i]
	}
	return nil
}

func (t *table[R, C, U, P]) pluvoField(name string) *pluvoField[P] {
	if i := slices.IndexFunc(t.pluvo, func(f *pluvoField[P]) bool { return f.name == name }); i >= 0 {
		return t.pluvo[i]
	}
	return nil
}

// except returns the fields whose values go nowhere when those with these names are mapped.
func (t *table[R, C, U, P]) except(names ...string) []*ghlField[R, C, U] {
	return slices.DeleteFunc(slices.Clone(t.ghl), func(f *ghlField[R, C, U]) bool { return f.own || slices.Contains(names, f.name) })
}

// reportLeftOut adds an entry for each field that has a value.
func reportLeftOut[R, C, U any](s *sink, r *R, sc *scope, fields []*ghlField[R, C, U], reason string) {
	for _, f := range fields {
		if f.has != nil {
			if f.has(r) {
				s.leftOut(f.name, reason)
			}
			continue
		}
		if v := f.get(r, sc); v.has(f.typ) {
			s.leftOut(f.name, reason)
		}
	}
}

// opt is what an update sends for a text.
func opt(s string) ghl.Opt[string] {
	if s == "" {
		return ghl.Null[string]()
	}
	return ghl.Some(s)
}

// textField is a text that GHL takes and clears.
func textField[R, C, U any](name string, read func(*R) string, create func(*C) *string, change func(*U) *ghl.Opt[string]) *ghlField[R, C, U] {
	return &ghlField[R, C, U]{
		name: name, typ: textType, clears: true,
		get:    func(r *R, _ *scope) value { return textValue(read(r)) },
		create: func(c *C, v value) { *create(c) = v.text },
		change: func(u *U, _, now value) { *change(u) = opt(now.text) },
	}
}

// notCleared marks a text that GHL keeps rather than have none.
func notCleared[R, C, U any](f *ghlField[R, C, U]) *ghlField[R, C, U] {
	f.clears = false
	return f
}

// isUser marks a text that is the id of a user of GHL's, which refuses any other.
func isUser[R, C, U any](f *ghlField[R, C, U]) *ghlField[R, C, U] {
	f.refuses = func(_ *Mapper, text string) string { return refusesID(text) }
	return f
}

// refusesID says why a text is no id of GHL's, "" if it is.
func refusesID(text string) string {
	if strings.Trim(text, ".") == "" && text != "" || strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.')
	}) {
		return whyNoID
	}
	return ""
}

// readOnly is a text that GHL does not take.
func readOnly[R, C, U any](name string, read func(*R) string) *ghlField[R, C, U] {
	return &ghlField[R, C, U]{name: name, typ: textType, get: func(r *R, _ *scope) value { return textValue(read(r)) }}
}

func instantOf[R any](read func(*R) ghl.Time) func(*R, *scope) value {
	return func(r *R, s *scope) value {
		at, note, problem := s.m.instant(read(r))
		return value{at: at, note: note, problem: problem}
	}
}

// pluvoText is a text of Pluvo's.
func pluvoText[P any](name string, at func(*P) *string) *pluvoField[P] {
	return &pluvoField[P]{
		name: name, typ: textType, get: func(p *P) value { return textValue(*at(p)) }, set: func(p *P, v value) { *at(p) = v.text },
	}
}

func pluvoTime[P any](name string, at func(*P) *time.Time) *pluvoField[P] {
	return &pluvoField[P]{
		name: name, typ: instantType, get: func(p *P) value { return timeValue(*at(p)) }, set: func(p *P, v value) { *at(p) = v.at },
	}
}

// needed marks a field without which no record is valid.
func needed[P any](f *pluvoField[P]) *pluvoField[P] {
	f.needed = true
	return f
}

// pluvoID is an id of Pluvo's, which nothing is mapped to.
func pluvoID[P any](name string, read func(*P) string) *pluvoField[P] {
	return &pluvoField[P]{name: name, typ: textType, get: func(p *P) value { return textValue(read(p)) }}
}
