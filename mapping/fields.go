package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
)

// ghlField is a field of a record R of GHL, which C creates and U updates.
type ghlField[R, C, U any] struct {
	name string
	typ  typ
	get  func(r *R, s *scope) value
	// has reports whether there is a value, for fields with an expensive get; nil calls get.
	has func(r *R) bool
	// create sets the field of a new record; nil if GHL does not accept it there.
	create func(c *C, v value)
	// change sets the field of an update; nil if GHL accepts it only for a new record.
	change func(u *U, old, now value)
	// clears reports that an update may clear the field.
	clears bool
	// own omits the field from reports: it repeats other fields.
	own bool
	// sends returns a value in the form in which it is sent; nil sends it as it is.
	sends func(v value) value
	// refuses says why GHL does not accept a text, "" if it does; nil accepts any.
	refuses func(m *Mapper, text string) string
	// options are the values that GHL accepts; nil for any.
	options []string
	// stored returns a value in the form in which GHL stores it, for comparisons; nil if GHL stores it as it is sent.
	stored func(m *Mapper, v value) value
	// covers are the fields that GHL derives from this one.
	covers []string
	// id and key are those of a custom field.
	id, key string
}

// pluvoField is a field of a record P of Pluvo.
type pluvoField[P any] struct {
	name string
	typ  typ
	get  func(p *P) value
	set  func(p *P, v value) // nil if no rule may write the field
	// needed reports that a record without the field is invalid.
	needed bool
	// implied reports whether the record's other fields, which rules write to GHL, imply the value.
	implied func(m *Mapper, p *P) bool
	// unwritten is the reason in reports if no rule writes the field to GHL; "" for whyNoRule.
	unwritten string
}

// scope is what the fields of a record depend on beyond the record.
type scope struct {
	m             *Mapper
	appointmentID string // the appointment of a note
}

// table describes a kind of record on both sides. Rules are compiled from it.
type table[R, C, U, P any] struct {
	ghl   []*ghlField[R, C, U]
	pluvo []*pluvoField[P]
	// moreGHL finds custom fields, and morePluvo the further fields of a person; nil if the kind has none.
	moreGHL   func(name string, custom customFields) (f *ghlField[R, C, U], problem string)
	morePluvo func(name string) *pluvoField[P]
	// others reports the values of a record of GHL that are in no table and not in read. otherPluvo reports the
	// differences between two states of a record of Pluvo that are in no table and not in written; nil if there can be
	// none.
	others     func(s *sink, r *R, read map[string]bool)
	otherPluvo func(s *sink, now, last *P, written map[string]bool)
}

// pluvoField returns a field of Pluvo by its name; nil if there is none.
func (t *table[R, C, U, P]) pluvoField(name string) *pluvoField[P] {
	if i := slices.IndexFunc(t.pluvo, func(f *pluvoField[P]) bool { return f.name == name }); i >= 0 {
		return t.pluvo[i]
	}
	if t.morePluvo != nil {
		return t.morePluvo(name)
	}
	return nil
}

// opt returns a text for an update: null for an empty one.
func opt(s string) ghl.Opt[string] {
	if s == "" {
		return ghl.Null[string]()
	}
	return ghl.Some(s)
}

// textField is a text that GHL accepts, and clears in an update.
func textField[R, C, U any](
	name string, read func(*R) string, create func(*C) *string, change func(*U) *ghl.Opt[string],
) *ghlField[R, C, U] {
	return &ghlField[R, C, U]{
		name: name, typ: textType, clears: true,
		get:    func(r *R, _ *scope) value { return textValue(read(r)) },
		create: func(c *C, v value) { *create(c) = v.text },
		change: func(u *U, _, now value) { *change(u) = opt(now.text) },
	}
}

// notCleared marks a text that GHL does not clear.
func notCleared[R, C, U any](f *ghlField[R, C, U]) *ghlField[R, C, U] {
	f.clears = false
	return f
}

// userID marks a text that must be the id of a user of GHL.
func userID[R, C, U any](f *ghlField[R, C, U]) *ghlField[R, C, U] {
	f.refuses = func(_ *Mapper, text string) string { return refusesID(text) }
	return f
}

// refusesID says why a text cannot be an id of GHL, "" if it can.
func refusesID(text string) string {
	if strings.Trim(text, ".") == "" && text != "" || strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' ||
			r == '_' || r == '.')
	}) {
		return whyNoID
	}
	return ""
}

// readOnly is a text that GHL does not accept.
func readOnly[R, C, U any](name string, read func(*R) string) *ghlField[R, C, U] {
	return &ghlField[R, C, U]{name: name, typ: textType, get: func(r *R, _ *scope) value { return textValue(read(r)) }}
}

// ownText is a read-only text that repeats other fields, or is an id.
func ownText[R, C, U any](name string, read func(*R) string) *ghlField[R, C, U] {
	f := readOnly[R, C, U](name, read)
	f.own = true
	return f
}

// readOnlyTime is a time that GHL does not accept.
func readOnlyTime[R, C, U any](name string, read func(*R) ghl.Time) *ghlField[R, C, U] {
	return &ghlField[R, C, U]{
		name: name, typ: instantType, get: instantOf(read),
		has: func(r *R) bool { t := read(r); return !t.IsZero() || t.Raw() != "" },
	}
}

func instantOf[R any](read func(*R) ghl.Time) func(*R, *scope) value {
	return func(r *R, s *scope) value {
		at, note, problem := s.m.instant(read(r))
		return value{at: at, note: note, problem: problem}
	}
}

// pluvoText is a text of Pluvo.
func pluvoText[P any](name string, at func(*P) *string) *pluvoField[P] {
	return &pluvoField[P]{
		name: name, typ: textType,
		get: func(p *P) value { return textValue(*at(p)) },
		set: func(p *P, v value) { *at(p) = v.text },
	}
}

// pluvoTime is a time of Pluvo.
func pluvoTime[P any](name string, at func(*P) *time.Time) *pluvoField[P] {
	return &pluvoField[P]{
		name: name, typ: instantType,
		get: func(p *P) value { return timeValue(*at(p)) },
		set: func(p *P, v value) { *at(p) = v.at },
	}
}

// needed marks a field that a valid record must have.
func needed[P any](f *pluvoField[P]) *pluvoField[P] {
	f.needed = true
	return f
}

// unwrittenBecause gives a field the reason that reports name if no rule writes it to GHL.
func unwrittenBecause[P any](reason string, f *pluvoField[P]) *pluvoField[P] {
	f.unwritten = reason
	return f
}

// pluvoID is an id of Pluvo, which no rule may write.
func pluvoID[P any](name string, read func(*P) string) *pluvoField[P] {
	return &pluvoField[P]{name: name, typ: textType, get: func(p *P) value { return textValue(read(p)) }}
}

// reportExtra reports each property of a record that the SDK does not know or could not read.
func reportExtra(s *sink, extra ghl.Extra) {
	for _, name := range sortedNames(extra, nil) {
		s.leftOut(name, whyNoField)
	}
}

// sortedNames returns the keys of both maps in order, each once.
func sortedNames[V any](a, b map[string]V) []string {
	if len(a)+len(b) == 0 {
		return nil
	}
	names := make([]string, 0, len(a)+len(b))
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// presence is a value of a record that is in no table.
type presence struct {
	name string
	has  bool
}

// reportPresent reports the values that are present.
func reportPresent(s *sink, list []presence) {
	for _, p := range list {
		if p.has {
			s.leftOut(p.name, whyNoField)
		}
	}
}
