package engine

import (
	"slices"

	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// Side is one of the two systems.
type Side string

// The sides. Nobody is the winner of what a person must decide.
const (
	GHL    Side = "highlevel"
	Pluvo  Side = "pluvo"
	Nobody Side = ""
)

// Owner is whose value stays when both sides have changed the same field.
type Owner string

// The owners.
const (
	OwnerGHL   Owner = "highlevel"
	OwnerPluvo Owner = "pluvo"
	// OwnerNewest is the side that was changed last. Where that is unknown it is HighLevel.
	OwnerNewest Owner = "newest"
)

// version is a record on one side: as it was when both were last in step, and as it is. Was is nil for two records that
// were never in step. HighLevel's records are in the form that the mapping gives them.
type version struct{ was, is pluvo.Record }

// clash is a field that both sides have changed.
type clash struct {
	field      string
	ghl, pluvo string
	winner     Side
}

// merged is what both sides are to become. An unchanged side is equal to what it is.
type merged struct {
	ghl, pluvo pluvo.Record
	clashes    []clash
}

// merge merges the changes of both sides since the last sync, field by field. owner returns the side that wins a field.
//
// Each side is compared with its own last state, so that a value which a side cannot hold, or writes in another form,
// does not count as a change. Fields that are not mapped stay as they are.
func merge(fields []*mapping.Field, ghl, ours version, owner func(field string) Side) merged {
	out := merged{ghl: pluvo.Clone(ghl.is), pluvo: pluvo.Clone(ours.is)}
	for _, f := range fields {
		if f.IsSet() {
			mergeSet(f, &out, ghl, ours)
			continue
		}
		if f.Same(ghl.is, ours.is) {
			continue
		}
		winner := Nobody
		switch theirs, mine := changed(f, ghl, ours), changed(f, ours, ghl); {
		case theirs && mine && f.ToGHL() && f.ToPluvo():
			winner = owner(f.Name())
			out.clashes = append(out.clashes, clash{f.Name(), f.Get(ghl.is).String(), f.Get(ours.is).String(), winner})
		case theirs && f.ToPluvo():
			winner = GHL
		case mine && f.ToGHL():
			winner = Pluvo
		}
		switch winner {
		case GHL:
			f.Set(out.pluvo, f.Get(ghl.is))
		case Pluvo:
			f.Set(out.ghl, f.Get(ours.is))
		}
	}
	return out
}

// assume fills in what is not read from HighLevel, since it only goes there: it is taken to be what Pluvo had at the
// last time.
func assume(fields []*mapping.Field, theirs, sent pluvo.Record) {
	for _, f := range fields {
		if sent != nil && !f.ToPluvo() {
			f.Set(theirs, f.Get(sent))
		}
	}
}

// learned is what HighLevel's record is known to hold after an update: what it held when it was read, and what has
// become of the fields that were written. What else the answer shows was edited meanwhile, and is for the next run to
// find.
func learned(fields []*mapping.Field, was, want, answer pluvo.Record) pluvo.Record {
	out := pluvo.Clone(was)
	for _, f := range fields {
		switch {
		case f.Same(want, was):
		case !f.IsSet():
			f.Set(out, f.Get(answer))
		default:
			before, has, wanted := items(f, was), items(f, answer), items(f, want)
			refused := without(without(wanted, before), has)
			stayed := common(without(before, wanted), has) // which could not be taken away
			f.Set(out, mapping.SetOf(append(without(wanted, refused), stayed...)))
		}
	}
	return out
}

// born is what both sides have in common when HighLevel has made a record of what it was sent. A field that it did not
// take is left as a change of Pluvo's, to be written once more; one that it has filled itself is a change of
// HighLevel's.
func born(fields []*mapping.Field, sent, made pluvo.Record) both {
	ghl, ours := pluvo.Clone(made), pluvo.Clone(sent)
	for _, f := range fields {
		if f.Same(sent, made) || !f.ToPluvo() {
			continue
		}
		if f.Get(sent).IsEmpty() || f.IsSet() || !f.ToGHL() {
			f.Set(ghl, mapping.Value{})
		}
		f.Set(ours, mapping.Value{})
	}
	return both{ghl, ours}
}

// changed reports whether a side has changed a field. Two records that were never in step have each changed what they
// have a value for.
func changed(f *mapping.Field, v, other version) bool {
	if v.was == nil || other.was == nil {
		return !f.Get(v.is).IsEmpty()
	}
	return !f.Same(v.was, v.is)
}

// mergeSet adds what either side has added and takes away what either side has taken away.
func mergeSet(f *mapping.Field, out *merged, ghl, ours version) {
	// is and was are of the side whose changes the other, which has what is there, is to follow.
	follow := func(target pluvo.Record, is, was, there []string) {
		added, taken := without(without(is, was), there), without(was, is)
		has := f.Get(target).Items()
		kept := slices.DeleteFunc(slices.Concat(has, added), func(item string) bool {
			return len(taken) > 0 && len(common(f.Canonical(mapping.SetOf([]string{item})).Items(), taken)) > 0
		})
		if !slices.Equal(kept, has) {
			f.Set(target, mapping.SetOf(kept))
		}
	}
	ghlIs, oursIs := items(f, ghl.is), items(f, ours.is)
	var ghlWas, oursWas []string
	if ghl.was != nil && ours.was != nil {
		ghlWas, oursWas = items(f, ghl.was), items(f, ours.was)
	}
	if f.ToPluvo() {
		// What Pluvo has taken away itself is not given back, though HighLevel still has it.
		follow(out.pluvo, ghlIs, ghlWas, oursIs)
	}
	if f.ToGHL() {
		follow(out.ghl, oursIs, oursWas, ghlIs)
	}
}

// items are those of a set, in the form in which they are compared.
func items(f *mapping.Field, r pluvo.Record) []string { return f.Canonical(f.Get(r)).Items() }

// without is a list without what another has.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// common is what two lists have in common.
func common(list, other []string) []string { return without(list, without(list, other)) }
