package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// child is a record of HighLevel that belongs to a contact, as the mapping gives it. Its ids are those of HighLevel at
// first.
type child struct {
	id      string
	record  pluvo.Record // nil if it can't be mapped
	added   time.Time
	updated time.Time
	// appointment is the record as HighLevel sent it; nil for other kinds.
	appointment *ghl.Appointment
}

// family is what the kinds of records that belong to a contact have in common.
type family struct {
	kind   pluvo.Kind
	aspect queue.Aspects
	// telling are the names of the fields by which a record is known again though another was edited.
	telling []string
	// list reads all that a contact has. A list that is not complete is an error: what is missing in it is taken to be
	// deleted.
	list func(ctx context.Context, l *Location, contact string, options ...ghl.CallOption) ([]child, error)
	// create makes a record. The contact is HighLevel's.
	create func(ctx context.Context, l *Location, contact string, r pluvo.Record) (child, error)
	// update has one that is become what it is wanted to be. Without an error and with the same record nothing was
	// sent.
	update func(
		ctx context.Context, l *Location, contact string, their *child, want, is pluvo.Record,
	) (pluvo.Record, error)
	remove func(ctx context.Context, l *Location, contact, id string) error
}

var families = []*family{&tasks, &appointments, &notes}

// familyOf returns the family of a kind.
func familyOf(kind pluvo.Kind) *family {
	for _, f := range families {
		if f.kind == kind {
			return f
		}
	}
	return nil
}

// errIncomplete: a list had elements that could not be read, so nothing can be said of what is missing.
var errIncomplete = errors.New("the list is not complete")

// errGone: a contact was read, and then had no lists. It is read again, which tells whether it was deleted.
var errGone = fmt.Errorf("HighLevel has the contact, but not what belongs to it: %w", pluvo.ErrConflict)

// syncChildren syncs the records that belong to a contact, as far as they are needed. An error of one does not stop the
// others. It returns errGone if HighLevel does not have the contact.
func (e *Engine) syncChildren(ctx context.Context, l *Location, pair *link, links []*link,
	ours *pluvo.FullContact, need queue.Aspects) error {
	byKind := map[pluvo.Kind][]pluvo.Record{}
	for _, r := range ours.Records() {
		byKind[r.Kind()] = append(byKind[r.Kind()], r)
	}
	var failed []error
	for _, f := range families {
		s := &siblings{Engine: e, family: f, l: l, pair: pair}
		read, create := need&f.aspect != 0, false
		if !read && need&queue.AspectPluvo != 0 {
			var err error
			if read, create, err = s.changedInPluvo(ctx, byKind[f.kind], links); err != nil {
				failed = append(failed, err)
				continue
			}
		}
		var theirs []child
		var err error
		switch {
		case read:
			theirs, s.known, err = l.from.children(ctx, l, f, pair.ghlID)
		case create:
			s.known = some
		}
		if errors.Is(err, ghl.ErrNotFound) { // the contact was deleted since it was read, or listed
			if err = l.from.writable(); err == nil {
				err = errGone
			}
			return err
		}
		if err != nil || s.known == unknown {
			failed = append(failed, err)
			continue
		}
		failed = append(failed, s.sync(ctx, theirs, byKind[f.kind], links)...)
	}
	err := errors.Join(failed...)
	if need&queue.AspectContact == 0 && errors.Is(err, ghl.ErrNotFound) { // the contact may be deleted
		return errGone
	}
	return err
}

// changedInPluvo reports what Pluvo's changes need: HighLevel's list, to compare it with records that were changed or
// deleted, or to find what a create of unknown outcome has made; or only creates of new records.
func (s *siblings) changedInPluvo(
	ctx context.Context, ours []pluvo.Record, links []*link,
) (read, create bool, err error) {
	local := map[string]pluvo.Record{}
	for _, r := range ours {
		local[r.Key()] = r
	}
	for _, k := range links {
		if k.kind != s.family.kind {
			continue
		}
		our := local[k.pluvoID]
		delete(local, k.pluvoID)
		if our == nil || !k.settled() || s.editedSince(s.l, Pluvo, k, our) {
			return true, false, nil
		}
	}
	for id, our := range local {
		if our.From().System == mapping.System {
			return true, false, nil
		}
		pending, err := s.intent(ctx, s.l.ID, intentName(s.family.kind, id))
		if err != nil || pending != nil {
			return true, false, err
		}
	}
	return false, len(local) > 0, nil
}

// siblings are the records of one kind that belong to a contact.
type siblings struct {
	*Engine
	family *family
	l      *Location
	pair   *link // of their contact
	known  coverage
}

// sync syncs the records of one kind: first those that are linked, then those that only HighLevel has, then those that
// only Pluvo has. A record that fails does not stop the others.
func (s *siblings) sync(ctx context.Context, theirs []child, ours []pluvo.Record, links []*link) (failed []error) {
	remote := map[string]*child{}
	for i := range theirs {
		remote[theirs[i].id] = &theirs[i]
	}
	local := map[string]pluvo.Record{}
	for _, r := range ours {
		local[r.Key()] = r
	}
	for _, k := range links {
		if k.kind != s.family.kind {
			continue
		}
		their, our := remote[k.ghlID], local[k.pluvoID]
		delete(remote, k.ghlID)
		delete(local, k.pluvoID)
		failed = append(failed, s.syncLinked(ctx, k, their, our))
	}
	var unlinked []*child
	for i := range theirs { // in the order of the list
		if their := remote[theirs[i].id]; their != nil {
			unlinked = append(unlinked, their)
		}
	}
	failed = append(failed, s.adoptAll(ctx, unlinked, local)...)
	for _, r := range ours {
		if local[r.Key()] != nil {
			failed = append(failed, s.makeInGHL(ctx, r))
		}
	}
	return failed
}

// syncLinked syncs one linked record. their or our is nil when the record was not found on that side.
func (s *siblings) syncLinked(ctx context.Context, k *link, their *child, our pluvo.Record) error {
	switch {
	case their == nil && s.known != all: // the list is incomplete, so the record may exist
		return nil
	case their == nil && our == nil:
		return s.unlink(ctx, s.l.ID, k, GHL, false)
	case their == nil:
		return s.goneFromGHL(ctx, k, our)
	case our == nil:
		return s.goneFromPluvo(ctx, k, their)
	}
	return s.merge(ctx, k, their, our)
}

// adoptAll links records of HighLevel that have no link: to the record of Pluvo that an earlier run created them from,
// else to a new one. It removes from local what it links. When own creates cannot be determined, local is emptied, so
// that no record is created twice.
func (s *siblings) adoptAll(ctx context.Context, unlinked []*child, local map[string]pluvo.Record) (failed []error) {
	var strangers []*child
	for _, their := range unlinked {
		is, err := s.stranger(ctx, their)
		failed = append(failed, err)
		if err == nil && is {
			strangers = append(strangers, their)
		}
	}
	own, err := s.ownCreates(ctx, strangers, local)
	if err != nil {
		clear(local)
		return append(failed, err)
	}
	for _, their := range strangers {
		k, err := s.adopt(ctx, their, own[their.id])
		if err == nil && k != nil {
			our := local[k.pluvoID]
			delete(local, k.pluvoID)
			if our != nil {
				err = s.merge(ctx, k, their, our)
			}
		}
		failed = append(failed, err)
	}
	return failed
}

// merge brings a pair in step.
func (s *siblings) merge(ctx context.Context, k *link, their *child, our pluvo.Record) error {
	if their.record == nil {
		return nil // it can't be mapped, which is in the mapping's report; it is not deleted either
	}
	theirs := identify(their.record, k.pluvoID, s.pair.pluvoID, s.l.origin(k.ghlID))
	fields := s.l.Mapper.Fields(s.family.kind)
	assume(fields, theirs, k.pluvo)
	k.resume(fields, theirs, our)
	if err := s.doubt(s.l, k, theirs, their.updated); err != nil {
		return err
	}
	m := merge(fields, version{k.ghl, theirs}, version{k.pluvo, our},
		s.l.owner(s.family.kind, their.updated, time.Time{}))
	if err := s.reportClashes(ctx, s.l, k, m.clashes); err != nil {
		return err
	}
	if err := s.begin(ctx, s.l, k, theirs, our, m); err != nil {
		return err
	}
	after, err := s.update(ctx, k, their, m.ghl, theirs)
	if err != nil {
		return err
	}
	if err := s.put(ctx, s.l, our, m.pluvo); err != nil {
		return err
	}
	k.end(after, m.pluvo)
	k.contact = s.pair.ghlID
	return s.save(ctx, s.l.ID, k)
}

// update has HighLevel's record become what it is wanted to be, and returns what it is known to be then.
func (s *siblings) update(ctx context.Context, k *link, their *child, want, is pluvo.Record) (pluvo.Record, error) {
	after, err := s.family.update(ctx, s.l, s.pair.ghlID, their, want, is)
	if errors.Is(err, ghl.ErrSlotTaken) { // the move of an appointment that Pluvo wanted; it stays where it was
		err = s.report(ctx, Conflict{Location: s.l.ID, Unit: s.pair.contact, Kind: k.kind, Record: k.ghlID,
			Field: fieldSlot, Winner: GHL, Reason: "the slot is taken"})
		there, ok := is.(*pluvo.Appointment)
		unmoved := pluvo.Clone(want)
		if a, _ := unmoved.(*pluvo.Appointment); ok && err == nil &&
			!(a.Start.Equal(there.Start) && a.End.Equal(there.End)) {
			a.Start, a.End = there.Start, there.End
			return s.update(ctx, k, their, unmoved, is) // what else was changed
		}
		return is, err
	}
	if err != nil || after == nil {
		return is, err
	}
	after = learned(s.l.Mapper.Fields(k.kind), is, want, after)
	s.wrote(ctx, s.l, GHL, "update", want)
	return after, s.reportRefusals(ctx, s.l, k, want, is, after)
}

// goneFromGHL follows a record that was deleted in HighLevel.
func (s *siblings) goneFromGHL(ctx context.Context, k *link, our pluvo.Record) error {
	if err := s.l.from.writable(); err != nil {
		return err
	}
	if err := s.justWritten(k); err != nil {
		return err
	}
	if s.l.Deletes == UpdateWins && s.editedSince(s.l, Pluvo, k, our) {
		without := identify(pluvo.Clone(our), our.Key(), s.pair.pluvoID, pluvo.Origin{})
		if err := s.put(ctx, s.l, our, without); err != nil {
			return err
		}
		if err := s.unlink(ctx, s.l.ID, k, GHL, false); err != nil {
			return err
		}
		return s.makeInGHL(ctx, without)
	}
	if s.l.Deletes != DeleteKeeps {
		if err := s.deleteInPluvo(ctx, s.l, our); err != nil {
			return err
		}
	}
	return s.unlink(ctx, s.l.ID, k, GHL, s.l.Deletes == DeleteKeeps)
}

// goneFromPluvo follows a record that was deleted in Pluvo.
func (s *siblings) goneFromPluvo(ctx context.Context, k *link, their *child) error {
	if err := s.l.from.writable(); err != nil {
		return err
	}
	elsewhere, err := s.leave(ctx, k)
	if err != nil {
		return err
	}
	if s.l.Deletes == UpdateWins && their.record != nil && !elsewhere {
		theirs := identify(pluvo.Clone(their.record), k.pluvoID, s.pair.pluvoID, s.l.origin(k.ghlID))
		if s.editedSince(s.l, GHL, k, theirs) {
			if err := s.unlink(ctx, s.l.ID, k, Nobody, false); err != nil {
				return err
			}
			_, err := s.makeInPluvo(ctx, their)
			return err
		}
	}
	if s.l.Deletes != DeleteKeeps {
		if err := s.deleteInGHL(ctx, k.ghlID); err != nil {
			return err
		}
	}
	return s.unlink(ctx, s.l.ID, k, Pluvo, false)
}

// leave reports whether a record that Pluvo's contact has no more belongs to another contact now. In HighLevel it can't
// follow: it is made anew there, and so it no longer comes from the old one.
func (s *siblings) leave(ctx context.Context, k *link) (elsewhere bool, err error) {
	is, _, err := s.store.Get(ctx, k.kind, k.pluvoID)
	switch {
	case errors.Is(err, pluvo.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case is.Owner() == s.pair.pluvoID: // it has come back
		return false, errChanged
	case is.From().System != mapping.System:
		return true, nil
	}
	return true, s.put(ctx, s.l, is, identify(pluvo.Clone(is), is.Key(), is.Owner(), pluvo.Origin{}))
}

func (s *siblings) deleteInGHL(ctx context.Context, id string) error {
	if err := s.l.from.writable(); err != nil {
		return err
	}
	if err := s.family.remove(ctx, s.l, s.pair.ghlID, id); err != nil && !errors.Is(err, ghl.ErrNotFound) {
		return err
	}
	s.wrote(ctx, s.l, GHL, "delete", newRecordOf(s.family.kind, id))
	return nil
}

// stranger reports whether a record of HighLevel that is not linked to one of the contact's is to be adopted.
func (s *siblings) stranger(ctx context.Context, their *child) (bool, error) {
	ignore, err := s.stale(ctx, s.l, s.family.kind, their.id, func() error { return s.deleteInGHL(ctx, their.id) })
	if err != nil || ignore || their.record == nil {
		return false, err
	}
	k, err := s.linkFrom(ctx, s.l.ID, s.family.kind, their.id)
	if err != nil || k == nil {
		return err == nil, err
	}
	return false, s.move(ctx, k, their)
}

// ownCreates says which of HighLevel's records, by their ids, own creates of unknown outcome have made: those that are
// what was sent, and of the others those that were edited since.
func (s *siblings) ownCreates(ctx context.Context, strangers []*child,
	local map[string]pluvo.Record) (map[string]*intent, error) {
	if len(strangers) == 0 {
		return nil, nil
	}
	var pending []*intent
	for id := range local {
		i, err := s.intent(ctx, s.l.ID, intentName(s.family.kind, id))
		if err != nil {
			return nil, err
		}
		if i != nil && i.record != nil {
			pending = append(pending, i)
		}
	}
	own := map[string]*intent{}
	for _, isOf := range []func(*Location, *intent, pluvo.Record, time.Time) bool{s.madeFrom, s.madeAndEdited} {
		for _, their := range strangers {
			n := slices.IndexFunc(pending, func(i *intent) bool { return isOf(s.l, i, their.record, their.added) })
			if n >= 0 && own[their.id] == nil {
				own[their.id] = pending[n]
				pending = slices.Delete(pending, n, n+1)
			}
		}
	}
	return own, nil
}

// madeAndEdited reports whether a record of HighLevel is what an intent was about to make, though somebody has edited
// it since: it was added at that moment, and has one of the values that tell such records apart. One that HighLevel
// does not date, like the tasks of a contact, is new since the contact was last in step.
func (s *siblings) madeAndEdited(l *Location, i *intent, mapped pluvo.Record, added time.Time) bool {
	if added.IsZero() {
		added = s.now()
	}
	if added.Sub(i.created).Abs() > clockSkew {
		return false
	}
	return slices.ContainsFunc(l.Mapper.Fields(s.family.kind), func(f *mapping.Field) bool {
		return f.ToGHL() && slices.Contains(s.family.telling, f.Name()) && !f.Get(i.record).IsEmpty() &&
			f.Same(i.record, mapped)
	})
}

// adopt finds or makes the record of Pluvo that stands for a stranger: own is the create that has made it, nil if none
// has. Nil means that there is nothing more to do.
func (s *siblings) adopt(ctx context.Context, their *child, own *intent) (*link, error) {
	known, _, err := s.store.Find(ctx, s.family.kind, s.l.origin(their.id))
	switch {
	case err == nil:
		return s.join(ctx, their.id, known.Key(), nil, nil)
	case !errors.Is(err, pluvo.ErrNotFound):
		return nil, err
	case own != nil:
		return s.join(ctx, their.id, own.record.Key(), own.record,
			unedited(s.l.Mapper.Fields(s.family.kind), own.record, their.record))
	}
	return s.makeInPluvo(ctx, their)
}

// unedited is what HighLevel has made of what it was sent, as far as that can be told from what it has now: another
// value is an edit since, and none was not taken.
func unedited(fields []*mapping.Field, sent, is pluvo.Record) pluvo.Record {
	made := pluvo.Clone(is)
	for _, f := range fields {
		if v := f.Get(sent); !f.IsSet() && f.Fits(v) && !f.Get(is).IsEmpty() && !f.Same(sent, is) {
			f.Set(made, v)
		}
	}
	return made
}

// move follows a record that belongs to another contact of HighLevel now, such as after two were merged.
func (s *siblings) move(ctx context.Context, k *link, their *child) error {
	is, _, err := s.store.Get(ctx, k.kind, k.pluvoID)
	if errors.Is(err, pluvo.ErrNotFound) { // deleted with its old contact, whose run comes first
		return fmt.Errorf("%s: it belonged to another contact, whose deletion is under way: %w", k.kind,
			pluvo.ErrConflict)
	}
	if err != nil {
		return err
	}
	moved := identify(pluvo.Clone(is), is.Key(), s.pair.pluvoID, is.From())
	if err := s.put(ctx, s.l, is, moved); err != nil {
		return err
	}
	return s.merge(ctx, k, their, moved)
}

// join stores that two records are the same. Sent and made are not nil if HighLevel's was made of what it was sent.
func (s *siblings) join(ctx context.Context, ghlID, pluvoID string, sent, made pluvo.Record) (*link, error) {
	k := &link{kind: s.family.kind, ghlID: ghlID, pluvoID: pluvoID, contact: s.pair.ghlID}
	if sent != nil && made != nil {
		k.both = born(s.l.Mapper.Fields(k.kind), sent, identify(made, pluvoID, s.pair.pluvoID, s.l.origin(ghlID)))
	}
	err := s.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := addLink(ctx, tx, s.now(), s.l.ID, k); err != nil {
			return err
		}
		return forgetIntent(ctx, tx, s.l.ID, intentName(k.kind, pluvoID))
	})
	if errors.Is(err, errLinked) {
		return nil, s.report(ctx, Conflict{Location: s.l.ID, Unit: s.pair.contact, Kind: k.kind, Record: ghlID,
			Field:  fieldMatch,
			Reason: "its match in Pluvo, " + pluvoID + ", is linked to another record"})
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

func (s *siblings) makeInPluvo(ctx context.Context, their *child) (*link, error) {
	r := identify(pluvo.Clone(their.record), their.id, s.pair.pluvoID, s.l.origin(their.id))
	_, err := s.store.Put(ctx, r, pluvo.NoVersion)
	switch {
	case errors.Is(err, pluvo.ErrOriginTaken):
		return nil, fmt.Errorf("%s: %w", r.Kind(), pluvo.ErrConflict)
	case errors.Is(err, pluvo.ErrConflict):
		return nil, s.report(ctx, Conflict{Location: s.l.ID, Unit: s.pair.contact, Kind: r.Kind(), Record: their.id,
			Field:  fieldMatch,
			Reason: "Pluvo has another record under its id"})
	case err != nil:
		return nil, err
	}
	s.wrote(ctx, s.l, Pluvo, "create", r)
	k := &link{kind: r.Kind(), ghlID: their.id, pluvoID: r.Key(), contact: s.pair.ghlID, both: both{pluvo.Clone(r), r}}
	return k, s.save(ctx, s.l.ID, k)
}

// makeInGHL makes a record in HighLevel that was made in Pluvo.
func (s *siblings) makeInGHL(ctx context.Context, our pluvo.Record) error {
	if err := s.l.from.writable(); err != nil {
		return err
	}
	if k, err := s.linkOf(ctx, s.l.ID, our.Kind(), our.Key()); err != nil {
		return err
	} else if k != nil && k.contact != s.pair.ghlID {
		return fmt.Errorf("%s: it belonged to another contact, whose run comes first: %w", k.kind, pluvo.ErrConflict)
	}
	if from := our.From(); from.System == mapping.System {
		if from.Location != s.l.ID || s.l.Deletes == DeleteKeeps {
			return nil
		}
		return s.deleteInPluvo(ctx, s.l, our) // it came from there, and is not there any more
	}
	if kept, err := s.kept(ctx, s.l.ID, our.Kind(), our.Key()); err != nil || kept {
		return err
	}
	name := intentName(our.Kind(), our.Key())
	pending, err := s.intent(ctx, s.l.ID, name)
	if err != nil {
		return err
	}
	if err := s.outcome(pending); err != nil {
		return err
	}
	content := fingerprint(our)
	if refused, err := s.refused(ctx, s.l.ID, our.Kind(), our.Key(), content); err != nil || refused {
		return err
	}
	if err := s.intend(ctx, s.l.ID, s.pair.contact, our); err != nil {
		return err
	}
	made, err := s.family.create(ctx, s.l, s.pair.ghlID, our)
	if err == nil {
		s.wrote(ctx, s.l, GHL, "create", our)
		k, err := s.join(ctx, made.id, our.Key(), our, made.record)
		if err != nil || k == nil {
			return err
		}
		return s.merge(ctx, k, &made, our) // the answer is a reading: it has what HighLevel has filled in
	}
	if unknownOutcome(err) {
		return err
	}
	forgotten := s.forget(context.WithoutCancel(ctx), s.l.ID, name)
	var refused *refusal
	switch {
	case errors.Is(err, ghl.ErrSlotTaken):
		err = s.report(ctx, Conflict{Location: s.l.ID, Unit: s.pair.contact, Kind: our.Kind(),
			Record: unborn + our.Key(), Field: fieldSlot, Winner: GHL,
			Pluvo: content, Reason: "the slot is taken"})
	case errors.As(err, &refused):
		err = s.report(ctx, Conflict{Location: s.l.ID, Unit: s.pair.contact, Kind: our.Kind(),
			Record: unborn + our.Key(), Field: fieldCreate,
			Pluvo: content, Reason: refused.Error()})
	}
	return errors.Join(err, forgotten)
}

// refusal is that HighLevel cannot take a record as it is, which was seen before anything was sent. It is reported
// once, and tried again when the record has changed.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }
