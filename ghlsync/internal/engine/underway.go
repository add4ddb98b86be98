package engine

import (
	"context"
	"encoding/json"

	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// both is a record on both sides. HighLevel's is in the form that the mapping gives it.
type both struct{ ghl, pluvo pluvo.Record }

func (b both) of(side Side) pluvo.Record {
	if side == GHL {
		return b.ghl
	}
	return b.pluvo
}

// storedBoth is how both are stored.
type storedBoth struct {
	GHL   json.RawMessage `json:"highlevel,omitempty"`
	Pluvo json.RawMessage `json:"pluvo,omitempty"`
}

func (b both) encode() (s storedBoth, err error) {
	if b.ghl == nil || b.pluvo == nil {
		return s, nil
	}
	if s.GHL, err = json.Marshal(b.ghl); err == nil {
		s.Pluvo, err = json.Marshal(b.pluvo)
	}
	return s, err
}

func (s storedBoth) decode(kind pluvo.Kind) (b both, err error) {
	if len(s.GHL) == 0 || len(s.Pluvo) == 0 {
		return b, nil
	}
	if b.ghl, err = readRecord(kind, s.GHL); err == nil {
		b.pluvo, err = readRecord(kind, s.Pluvo)
	}
	return b, err
}

// underway is a merge that is being written: what both sides were, and what they are to be. It is stored before the
// first write. A run that finds it comes after one that did not reach its end, and so can tell that run's writes from
// edits.
type underway struct{ from, to both }

// begin stores what a merge is about to write; nothing if it writes nothing.
func (e *Engine) begin(ctx context.Context, l *Location, k *link, theirs, ours pluvo.Record, m merged) error {
	if pluvo.Equal(m.ghl, theirs) && pluvo.Equal(m.pluvo, ours) {
		return nil
	}
	k.underway = &underway{from: both{theirs, ours}, to: both{m.ghl, m.pluvo}}
	return e.save(ctx, l.ID, k)
}

// end notes what both sides hold now.
func (k *link) end(ghl, ours pluvo.Record) { k.both, k.underway = both{ghl, ours}, nil }

// resume takes for in step what an earlier run has written, though it was not there to say so any more.
func (k *link) resume(fields []*mapping.Field, theirs, ours pluvo.Record) {
	u := k.underway
	if u == nil {
		return
	}
	first := k.ghl == nil || k.pluvo == nil
	if first {
		k.ghl, k.pluvo = newRecord(k.kind), newRecord(k.kind)
	}
	for _, f := range fields {
		if f.IsSet() {
			u.resumeSet(f, k, theirs, ours)
			continue
		}
		sent, taken := !f.Same(u.from.ghl, u.to.ghl), !f.Same(u.from.pluvo, u.to.pluvo)
		if sent && !f.ToPluvo() && !f.Same(u.to.pluvo, ours) {
			f.Set(theirs, f.Get(u.to.ghl)) // which HighLevel does not tell: it has to be written either way
		}
		switch {
		case sent && f.Same(u.to.ghl, theirs) || taken && f.Same(u.to.pluvo, ours):
			f.Set(k.ghl, f.Get(u.to.ghl))
			f.Set(k.pluvo, f.Get(u.to.pluvo))
		case first && !f.Get(theirs).IsEmpty() && !f.Get(ours).IsEmpty():
			// Each has changed it, as in two records that were never in step: of on and off no value is none.
			f.Set(k.ghl, f.Get(ours))
			f.Set(k.pluvo, f.Get(theirs))
		}
	}
}

// resumeSet is resume for each item of a set.
func (u *underway) resumeSet(f *mapping.Field, k *link, theirs, ours pluvo.Record) {
	ghlWas, oursWas, mine := items(f, k.ghl), items(f, k.pluvo), items(f, ours)
	for _, side := range []struct {
		from, to, is []string
		told         bool // HighLevel does not tell what only goes there: it has to be written either way
	}{
		{items(f, u.from.ghl), items(f, u.to.ghl), items(f, theirs), f.ToPluvo()},
		{items(f, u.from.pluvo), items(f, u.to.pluvo), mine, true},
	} {
		added, removed := without(side.to, side.from), without(side.from, side.to)
		if side.told {
			added, removed = common(added, side.is), without(removed, side.is)
		} else {
			added, removed = without(added, mine), common(removed, mine)
			f.Set(theirs, mapping.SetOf(append(without(side.is, removed), added...)))
		}
		follow := func(list []string) []string { return append(without(without(list, added), removed), added...) }
		ghlWas, oursWas = follow(ghlWas), follow(oursWas)
	}
	f.Set(k.ghl, mapping.SetOf(ghlWas))
	f.Set(k.pluvo, mapping.SetOf(oursWas))
}
