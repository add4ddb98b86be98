package engine

import (
	"context"
	"errors"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// syncContact syncs aspects of a contact of HighLevel. A contact that is not linked is synced with everything that
// belongs to it.
func (e *Engine) syncContact(
	ctx context.Context, run *queue.Run, l *Location, ghlID string, need queue.Aspects,
) error {
	links, err := e.links(ctx, l.ID, ghlID)
	if err != nil {
		return err
	}
	pair, children := split(links)
	if pair == nil {
		need = queue.Everything
	}
	if need&queue.AspectContact == 0 {
		done, err := e.syncWithoutContact(ctx, l, pair, children, need)
		if err != nil || done {
			return err
		}
	}
	if need&readable == readable && l.from.writable() == nil {
		run.ReadEverything()
	}
	theirs, err := l.from.contact(ctx, l, ghlID)
	gone := errors.Is(err, ghl.ErrNotFound)
	if err != nil && !gone {
		return err
	}
	if pair == nil {
		if gone {
			return e.await(ctx, l, ghlID)
		}
		if pair, err = e.adopt(ctx, run, l, theirs); err != nil || pair == nil {
			return err
		}
	}
	if gone {
		if err := e.justWritten(pair); err != nil {
			return err
		}
		if err := e.surelyGone(ctx, run, l, ghlID); err != nil {
			return err
		}
		return e.goneFromGHL(ctx, run, l, pair)
	}
	e.isThere(run, ghlID)
	ours, err := e.store.Full(ctx, pair.pluvoID)
	if errors.Is(err, pluvo.ErrNotFound) {
		return e.goneFromPluvo(ctx, run, l, pair, theirs)
	}
	if err != nil {
		return err
	}
	mapped, err := e.contactOf(l, theirs, pair.pluvoID)
	if err != nil {
		return err
	}
	if err := e.mergeContact(ctx, l, pair, mapped, instant(theirs.DateUpdated), &ours.Contact); err != nil {
		return err
	}
	made, err := e.reachStage(ctx, l, ghlID, &ours.Contact)
	if err != nil {
		return err
	}
	if made {
		need |= queue.AspectPluvo
		if ours, err = e.store.Full(ctx, pair.pluvoID); err != nil {
			return err
		}
	}
	return e.syncChildren(ctx, l, pair, children, ours, need)
}

// readable are the aspects that a run reads from HighLevel.
const readable = queue.Everything &^ queue.AspectPluvo

// syncWithoutContact syncs aspects of a linked contact without reading it from HighLevel. It returns false if the
// contact must be read first, because Pluvo's contact has changed or HighLevel's may be deleted.
func (e *Engine) syncWithoutContact(
	ctx context.Context, l *Location, pair *link, children []*link, need queue.Aspects,
) (done bool, err error) {
	ours, err := e.store.Full(ctx, pair.pluvoID)
	if errors.Is(err, pluvo.ErrNotFound) {
		return false, nil
	}
	if err != nil || !pair.settled() || e.editedSince(l, Pluvo, pair, &ours.Contact) {
		return false, err
	}
	made, err := e.reachStage(ctx, l, pair.ghlID, &ours.Contact)
	if err != nil {
		return false, err
	}
	if made {
		need |= queue.AspectPluvo
		if ours, err = e.store.Full(ctx, pair.pluvoID); err != nil {
			return false, err
		}
	}
	err = e.syncChildren(ctx, l, pair, children, ours, need)
	if errors.Is(err, errGone) {
		return false, nil
	}
	return true, err
}

// isThere forgets, when the run has succeeded, that HighLevel said that the contact does not exist.
func (e *Engine) isThere(run *queue.Run, ghlID string) {
	run.Finally(func(ctx context.Context, tx *db.Tx) error {
		return forgetIntent(ctx, tx, run.Location, goneName(ghlID))
	})
}

// split parts the contact's link from those of what belongs to it.
func split(links []*link) (pair *link, children []*link) {
	for _, l := range links {
		if l.kind == pluvo.KindContact {
			pair = l
		} else {
			children = append(children, l)
		}
	}
	return pair, children
}

// contactOf maps a contact of HighLevel, under the id that it has in Pluvo.
func (e *Engine) contactOf(l *Location, c *ghl.Contact, pluvoID string) (*pluvo.Contact, error) {
	mapped, _, err := l.Mapper.Contact(c)
	if err != nil {
		return nil, err
	}
	return identify(mapped, pluvoID, pluvoID, l.origin(c.ID)).(*pluvo.Contact), nil
}

// mergeContact brings the fields and tags of a contact in step.
func (e *Engine) mergeContact(ctx context.Context, l *Location, pair *link, theirs *pluvo.Contact, ghlAt time.Time,
	ours *pluvo.Contact) error {
	pluvoAt, err := e.changedAt(ctx, ours.ID)
	if err != nil {
		return err
	}
	fields := l.Mapper.Fields(pluvo.KindContact)
	assume(fields, theirs, pair.pluvo)
	pair.resume(fields, theirs, ours)
	if err := e.doubt(l, pair, theirs, ghlAt); err != nil {
		return err
	}
	m := merge(fields, version{pair.ghl, theirs}, version{pair.pluvo, ours}, l.owner(pluvo.KindContact, ghlAt, pluvoAt))
	if err := e.reportClashes(ctx, l, pair, m.clashes); err != nil {
		return err
	}
	if err := e.begin(ctx, l, pair, theirs, ours, m); err != nil {
		return err
	}
	after, err := e.writeContact(ctx, l, pair, m.ghl.(*pluvo.Contact), theirs)
	if err != nil {
		return err
	}
	if err := e.put(ctx, l, ours, m.pluvo); err != nil {
		return err
	}
	pair.end(after, m.pluvo)
	return e.save(ctx, l.ID, pair)
}

// writeContact has HighLevel's contact become what it is to be, and returns what it is known to be then.
func (e *Engine) writeContact(ctx context.Context, l *Location, pair *link,
	want, is *pluvo.Contact) (*pluvo.Contact, error) {
	change, _, err := l.Mapper.ContactUpdate(want, is)
	if err != nil || change.IsEmpty() {
		return is, err
	}
	if err := l.from.writable(); err != nil {
		return nil, err
	}
	after := pluvo.Clone(is)
	if change.Update != nil {
		answer, err := l.Client.Contacts.Update(ctx, pair.ghlID, change.Update)
		if err != nil {
			return nil, err
		}
		if after, err = e.contactOf(l, answer, pair.pluvoID); err != nil {
			return nil, err
		}
	}
	if len(change.AddTags) > 0 {
		tags, err := l.Client.Tags.Add(ctx, pair.ghlID, change.AddTags)
		if err != nil {
			return nil, err
		}
		after.Tags = tags
	}
	if len(change.RemoveTags) > 0 {
		tags, err := l.Client.Tags.Remove(ctx, pair.ghlID, change.RemoveTags)
		if err != nil {
			return nil, err
		}
		after.Tags = tags
	}
	e.wrote(ctx, l, GHL, "update", want)
	known := learned(l.Mapper.Fields(pluvo.KindContact), is, want, after).(*pluvo.Contact)
	return known, e.reportRefusals(ctx, l, pair, want, is, known)
}

// reportClashes stores what was decided against a side, before it is done: a run that is killed in between would not
// know of it.
func (e *Engine) reportClashes(ctx context.Context, l *Location, pair *link, clashes []clash) error {
	for _, c := range clashes {
		if err := l.from.writable(); err != nil {
			return err
		}
		err := e.report(ctx, Conflict{Location: l.ID, Unit: pair.contact, Kind: pair.kind, Record: pair.ghlID,
			Field: c.field, Winner: c.winner, GHL: c.ghl, Pluvo: c.pluvo})
		if err != nil {
			return err
		}
	}
	return nil
}

// reportRefusals stores that HighLevel has another value than it was given, though it has taken the update.
func (e *Engine) reportRefusals(ctx context.Context, l *Location, pair *link, want, was, is pluvo.Record) error {
	for _, f := range l.Mapper.Fields(want.Kind()) {
		if !f.ToGHL() || !f.ToPluvo() || f.Same(want, was) || f.Same(want, is) {
			continue
		}
		err := e.report(ctx, Conflict{Location: l.ID, Unit: pair.contact, Kind: pair.kind, Record: pair.ghlID,
			Field: f.Name(), Winner: GHL,
			GHL: f.Get(is).String(), Pluvo: f.Get(want).String(), Reason: "HighLevel did not take the value"})
		if err != nil {
			return err
		}
	}
	return nil
}

// put has a record of Pluvo become what it is to be, unless it has changed since it was read.
func (e *Engine) put(ctx context.Context, l *Location, was, want pluvo.Record) error {
	if pluvo.Equal(was, want) {
		return nil
	}
	is, v, err := e.store.Get(ctx, was.Kind(), was.Key())
	if errors.Is(err, pluvo.ErrNotFound) || err == nil && !pluvo.Equal(is, was) {
		return errChanged
	}
	if err != nil {
		return err
	}
	if _, err := e.store.Put(ctx, want, v); errors.Is(err, pluvo.ErrConflict) {
		return errChanged
	} else if err != nil {
		return err
	}
	e.wrote(ctx, l, Pluvo, "update", want)
	return nil
}

// deleteInPluvo deletes a record of Pluvo, unless it has changed since it was read.
func (e *Engine) deleteInPluvo(ctx context.Context, l *Location, was pluvo.Record) error {
	is, v, err := e.store.Get(ctx, was.Kind(), was.Key())
	if err == nil && !pluvo.Equal(is, was) {
		return errChanged
	}
	if err == nil {
		err = e.store.Delete(ctx, was.Kind(), was.Key(), v)
	}
	switch {
	case errors.Is(err, pluvo.ErrNotFound):
		return nil
	case errors.Is(err, pluvo.ErrConflict):
		return errChanged
	case err == nil:
		e.wrote(ctx, l, Pluvo, "delete", was)
	}
	return err
}

// goneFromGHL follows a contact that was deleted in HighLevel.
func (e *Engine) goneFromGHL(ctx context.Context, run *queue.Run, l *Location, pair *link) error {
	r, _, err := e.store.Get(ctx, pluvo.KindContact, pair.pluvoID)
	switch {
	case errors.Is(err, pluvo.ErrNotFound):
		return e.unlink(ctx, l.ID, pair, GHL, false)
	case err != nil:
		return err
	case l.Deletes == DeleteKeeps:
		return e.unlink(ctx, l.ID, pair, GHL, true)
	case l.Deletes == UpdateWins && e.editedSince(l, Pluvo, pair, r):
		return e.makeAnew(ctx, run, l, pair)
	}
	if err := e.deleteInPluvo(ctx, l, r); err != nil {
		return err
	}
	return e.unlink(ctx, l.ID, pair, GHL, false)
}

// makeAnew lets a contact whose record in HighLevel is gone be made there like a new one, with all that belongs to it.
func (e *Engine) makeAnew(ctx context.Context, run *queue.Run, l *Location, pair *link) error {
	full, err := e.store.Full(ctx, pair.pluvoID)
	if err != nil {
		return err
	}
	for _, r := range full.Records() {
		if r.From() == (pluvo.Origin{}) {
			continue
		}
		without := identify(pluvo.Clone(r), r.Key(), pair.pluvoID, pluvo.Origin{})
		if err := e.put(ctx, l, r, without); err != nil {
			return err
		}
	}
	if err := e.unlink(ctx, l.ID, pair, GHL, false); err != nil {
		return err
	}
	e.markAfter(run, unborn+pair.pluvoID, queue.Everything)
	return nil
}

// goneFromPluvo follows a contact that was deleted in Pluvo.
func (e *Engine) goneFromPluvo(ctx context.Context, run *queue.Run, l *Location, pair *link,
	theirs *ghl.Contact) error {
	if err := l.from.writable(); err != nil {
		return err
	}
	// A store that has lost its contacts, or is another one, must not empty HighLevel: Pluvo's changes tell of each
	// deletion.
	if err := e.Follow(ctx); err != nil {
		return err
	}
	if at, err := e.changedAt(ctx, pair.pluvoID); err != nil {
		return err
	} else if !at.IsZero() {
		return errUntold
	}
	switch l.Deletes {
	case DeleteKeeps:
		return e.unlink(ctx, l.ID, pair, Pluvo, false)
	case UpdateWins:
		mapped, err := e.contactOf(l, theirs, pair.pluvoID)
		if err != nil {
			return err
		}
		if e.editedSince(l, GHL, pair, mapped) {
			if err := e.unlink(ctx, l.ID, pair, Nobody, false); err != nil {
				return err
			}
			return e.syncContact(ctx, run, l, pair.ghlID, queue.Everything) // makes it in Pluvo
		}
	}
	if err := e.deleteContact(ctx, l, pair.ghlID); err != nil {
		return err
	}
	return e.unlink(ctx, l.ID, pair, Pluvo, false)
}

// deleteContact deletes a contact in HighLevel.
func (e *Engine) deleteContact(ctx context.Context, l *Location, ghlID string) error {
	if err := l.from.writable(); err != nil {
		return err
	}
	if err := l.Client.Contacts.Delete(ctx, ghlID); err != nil && !errors.Is(err, ghl.ErrNotFound) {
		return err
	}
	e.wrote(ctx, l, GHL, "delete", newRecordOf(pluvo.KindContact, ghlID))
	return nil
}

var errUntold = errors.New("the contact is missing in Pluvo, whose changes do not tell of a deletion")

func newRecordOf(kind pluvo.Kind, id string) pluvo.Record {
	return identify(newRecord(kind), id, "", pluvo.Origin{})
}

// edited reports whether a side's record has changed since the last sync. Fields that are only sent to HighLevel are
// not compared on that side.
func (e *Engine) edited(l *Location, side Side, was, is pluvo.Record) bool {
	if was == nil {
		return true
	}
	for _, f := range l.Mapper.Fields(is.Kind()) {
		if (side == Pluvo || f.ToPluvo()) && !f.Same(was, is) {
			return true
		}
	}
	return false
}

// surelyGone waits for a second answer that a contact is not there: too much hangs on it for one that may be a mistake
// of HighLevel's.
func (e *Engine) surelyGone(ctx context.Context, run *queue.Run, l *Location, ghlID string) error {
	const reason = "HighLevel says that the contact is not there, and is asked once more"
	first, err := e.intent(ctx, l.ID, goneName(ghlID))
	if err != nil {
		return err
	}
	// It was about another time if there was a right answer since. (What is in the future only a clock that was wrong
	// can have said.)
	if first == nil || e.now().Sub(first.created) > time.Hour ||
		run.LastRead.After(first.created) && !run.LastRead.After(e.now()) {
		if err := e.note(ctx, l.ID, goneName(ghlID), ghlID); err != nil {
			return err
		}
		return &queue.WaitError{After: e.settle, Reason: reason}
	}
	return e.settled(first.created, reason)
}

// editedSince is edited since both sides were in step by anybody else than a run that came to no end.
func (e *Engine) editedSince(l *Location, side Side, k *link, is pluvo.Record) bool {
	return e.edited(l, side, k.of(side), is) && (k.underway == nil || e.edited(l, side, k.underway.to.of(side), is))
}

// await waits for a contact that HighLevel does not have (yet): an event can come before its record can be read. What
// never comes is forgotten.
func (e *Engine) await(ctx context.Context, l *Location, ghlID string) error {
	by, _, err := e.deleted(ctx, l.ID, pluvo.KindContact, ghlID)
	if err != nil || by != Nobody {
		return err
	}
	waiting, err := e.intent(ctx, l.ID, awaitName(ghlID))
	if err != nil {
		return err
	}
	if waiting == nil {
		if err := e.note(ctx, l.ID, awaitName(ghlID), ghlID); err != nil {
			return err
		}
		return &queue.WaitError{After: firstLook, Reason: "the contact is not there yet"}
	}
	age := e.now().Sub(waiting.created)
	if age > longestWait {
		orphan, _, err := e.store.Find(ctx, pluvo.KindContact, l.origin(ghlID))
		if err == nil {
			err = e.report(ctx, Conflict{Location: l.ID, Unit: ghlID, Kind: pluvo.KindContact, Record: ghlID,
				Field: fieldMatch,
				Reason: "Pluvo's contact " + orphan.Key() +
					" comes from a contact that HighLevel does not have, and that was never in step"})
		}
		if err != nil && !errors.Is(err, pluvo.ErrNotFound) {
			return err
		}
		return e.forget(ctx, l.ID, awaitName(ghlID))
	}
	return &queue.WaitError{After: max(age, firstLook), Reason: "the contact is not there yet"}
}

const (
	firstLook   = 2 * time.Second
	longestWait = 15 * time.Minute
)
