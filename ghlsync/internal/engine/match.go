package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// Matching of contacts that are not linked: by the origin that a record of Pluvo names, then by phone and e-mail. One
// candidate is linked, several go to a person, none is made anew.

// adopt finds or makes the contact of Pluvo that stands for one of HighLevel. Nil means that a person must decide.
func (e *Engine) adopt(ctx context.Context, run *queue.Run, l *Location, theirs *ghl.Contact) (*link, error) {
	ignore, err := e.stale(ctx, l, pluvo.KindContact, theirs.ID,
		func() error { return e.deleteContact(ctx, l, theirs.ID) })
	if err != nil || ignore {
		return nil, err
	}
	mapped, err := e.contactOf(l, theirs, theirs.ID)
	if err != nil {
		return nil, err
	}
	known, _, err := e.store.Find(ctx, pluvo.KindContact, l.origin(theirs.ID))
	if err == nil {
		return e.link(ctx, run, l, pairOf(theirs.ID, known.Key()))
	}
	if !errors.Is(err, pluvo.ErrNotFound) {
		return nil, err
	}
	if own, err := e.ownCreate(ctx, l, mapped, instant(theirs.DateAdded)); err != nil {
		return nil, err
	} else if own != nil {
		return e.link(ctx, run, l, bornPair(l, theirs.ID, own, mapped))
	}
	if err := e.Follow(ctx); err != nil { // what was made in Pluvo a moment ago can be its match
		return nil, err
	}
	candidates, err := e.people(ctx, l, mapped)
	if err != nil {
		return nil, err
	}
	switch len(candidates) {
	case 0:
		return e.makeInPluvo(ctx, run, l, mapped)
	case 1:
		return e.link(ctx, run, l, pairOf(theirs.ID, candidates[0]))
	}
	return nil, e.report(ctx, Conflict{Location: l.ID, Unit: run.ID, Kind: pluvo.KindContact, Record: theirs.ID,
		Field: fieldMatch,
		Reason: fmt.Sprintf("%d contacts of Pluvo have its phone number or e-mail: %s", len(candidates),
			strings.Join(candidates, ", "))})
}

// ownCreate returns what was sent of Pluvo's contact whose create in HighLevel, of an outcome that is not known yet,
// has made this one; nil if none has.
func (e *Engine) ownCreate(ctx context.Context, l *Location, mapped *pluvo.Contact,
	added time.Time) (pluvo.Record, error) {
	intents, err := e.openContacts(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	for _, i := range intents {
		if i.record != nil && e.madeFrom(l, i, mapped, added) {
			return i.record, nil
		}
	}
	return nil, nil
}

// clockSkew is how far HighLevel's clock may be from the database's.
const clockSkew = 2 * time.Minute

// madeFrom reports whether a record of HighLevel was created from an intent: it was not added before the intent, and
// has each value that was sent. Values that HighLevel cannot hold are not compared.
func (e *Engine) madeFrom(l *Location, i *intent, mapped pluvo.Record, added time.Time) bool {
	if !added.IsZero() && added.Before(i.created.Add(-clockSkew)) {
		return false
	}
	said := false
	for _, f := range l.Mapper.Fields(i.record.Kind()) {
		if v := f.Get(i.record); !f.ToGHL() || f.IsSet() || v.IsEmpty() || !f.Fits(v) {
			continue
		}
		if !f.Same(i.record, mapped) {
			return false
		}
		said = true
	}
	return said
}

// joining is the reason to wait while another run links the same contact.
const joining queue.WaitReason = "the contact is being joined by another run"

func pairOf(ghlID, pluvoID string) *link {
	return &link{kind: pluvo.KindContact, ghlID: ghlID, pluvoID: pluvoID, contact: ghlID}
}

// bornPair is the pair of a contact that HighLevel has made of what it was sent. With what both have in common, what is
// edited from now on is known as an edit.
func bornPair(l *Location, ghlID string, sent, made pluvo.Record) *link {
	pair := pairOf(ghlID, sent.Key())
	pair.both = born(l.Mapper.Fields(pluvo.KindContact), sent,
		identify(pluvo.Clone(made), sent.Key(), "", l.origin(ghlID)))
	return pair
}

// link stores that two contacts are the same. It waits while the contact's unit of before is worked on.
func (e *Engine) link(ctx context.Context, run *queue.Run, l *Location, pair *link) (*link, error) {
	other := unborn + pair.pluvoID
	if run.ID == other {
		other = pair.ghlID
	}
	release := run.Reserve(other)
	if release == nil {
		return nil, &queue.WaitError{After: time.Second + rand.N(2*time.Second), Reason: joining}
	}
	defer release()
	err := e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := addLink(ctx, tx, e.now(), l.ID, pair); err != nil {
			return err
		}
		if err := forgetIntent(ctx, tx, l.ID, awaitName(pair.ghlID)); err != nil {
			return err
		}
		return forgetIntent(ctx, tx, l.ID, intentName(pluvo.KindContact, pair.pluvoID))
	})
	switch {
	case errors.Is(err, errLinked):
		return nil, e.report(ctx, Conflict{Location: l.ID, Unit: run.ID, Kind: pluvo.KindContact, Record: pair.ghlID,
			Field:  fieldMatch,
			Reason: "it matches " + pair.pluvoID + " of Pluvo, and one of the two is linked to another contact"})
	case err != nil:
		return nil, err
	}
	return pair, nil
}

// makeInPluvo makes a contact of HighLevel in Pluvo.
func (e *Engine) makeInPluvo(ctx context.Context, run *queue.Run, l *Location, mapped *pluvo.Contact) (*link, error) {
	_, err := e.store.Put(ctx, mapped, pluvo.NoVersion)
	switch {
	case errors.Is(err, pluvo.ErrOriginTaken): // made by another run since it was looked for
		return nil, fmt.Errorf("contact: %w", pluvo.ErrConflict)
	case errors.Is(err, pluvo.ErrConflict):
		return nil, e.report(ctx, Conflict{Location: l.ID, Unit: run.ID, Kind: pluvo.KindContact,
			Record: mapped.Origin.ID, Field: fieldMatch,
			Reason: "Pluvo has another contact under its id"})
	case err != nil:
		return nil, err
	}
	e.wrote(ctx, l, Pluvo, "create", mapped)
	pair := pairOf(mapped.Origin.ID, mapped.ID)
	pair.both = both{mapped, pluvo.Clone(mapped)}
	return e.link(ctx, run, l, pair)
}

// join finds or makes the contact of HighLevel that stands for one that was made in Pluvo. All else is the work of the
// contact's own unit.
func (e *Engine) join(ctx context.Context, run *queue.Run, l *Location, pluvoID string) error {
	pair, err := e.linkOf(ctx, l.ID, pluvo.KindContact, pluvoID)
	if err != nil {
		return err
	}
	if pair == nil {
		if pair, err = e.joinNew(ctx, run, l, pluvoID); err != nil || pair == nil {
			return err
		}
	}
	if same, err := e.inStep(ctx, run, l, pair); err != nil || same {
		return err
	}
	e.markAfter(run, pair.ghlID, queue.AspectPluvo)
	return nil
}

// inStep reports whether Pluvo holds of a contact what it held when both sides were last in step, so that what was seen
// as a change there was an own write. It waits while the contact is worked on.
func (e *Engine) inStep(ctx context.Context, run *queue.Run, l *Location, pair *link) (bool, error) {
	release := run.Reserve(pair.ghlID)
	if release == nil {
		return false, &queue.WaitError{After: time.Second, Reason: "the contact is worked on"}
	}
	defer release()
	links, err := e.links(ctx, l.ID, pair.ghlID)
	if err != nil || len(links) == 0 {
		return false, err
	}
	full, err := e.store.Full(ctx, pair.pluvoID)
	if errors.Is(err, pluvo.ErrNotFound) || err == nil && len(links) != len(full.Records()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, r := range full.Records() {
		if !slices.ContainsFunc(links, func(k *link) bool {
			return k.kind == r.Kind() && k.pluvoID == r.Key() && k.pluvo != nil && pluvo.Equal(k.pluvo, r)
		}) {
			return false, nil
		}
	}
	return true, nil
}

func (e *Engine) joinNew(ctx context.Context, run *queue.Run, l *Location, pluvoID string) (*link, error) {
	r, _, err := e.store.Get(ctx, pluvo.KindContact, pluvoID)
	if errors.Is(err, pluvo.ErrNotFound) {
		return nil, e.forget(ctx, l.ID, intentName(pluvo.KindContact, pluvoID))
	}
	if err != nil {
		return nil, err
	}
	ours := r.(*pluvo.Contact)
	if from := ours.Origin; from.System == mapping.System {
		if from.Location == l.ID && from.ID != "" { // its own unit links the two, or finds that it is gone
			return pairOf(from.ID, pluvoID), nil
		}
		return nil, nil // it belongs to another location
	}
	if l.Takes != nil && !l.Takes(ours) {
		return nil, nil
	}
	if kept, err := e.kept(ctx, l.ID, pluvo.KindContact, pluvoID); err != nil || kept {
		return nil, err
	}
	pending, err := e.intent(ctx, l.ID, intentName(pluvo.KindContact, pluvoID))
	if err != nil {
		return nil, err
	}
	candidates, err := e.candidates(ctx, l, ours, pending)
	if err != nil {
		return nil, err
	}
	switch len(candidates) {
	case 0:
	case 1:
		found := candidates[0]
		if pending != nil && pending.record != nil {
			if mapped, err := e.contactOf(l, found, pluvoID); err == nil &&
				e.madeFrom(l, pending, mapped, instant(found.DateAdded)) {
				return e.link(ctx, run, l, bornPair(l, found.ID, pending.record, mapped))
			}
		}
		return e.link(ctx, run, l, pairOf(found.ID, pluvoID))
	default:
		var ids []string
		for _, c := range candidates {
			ids = append(ids, c.ID)
		}
		return nil, e.report(ctx, Conflict{Location: l.ID, Unit: run.ID, Kind: pluvo.KindContact,
			Record: unborn + pluvoID, Field: fieldMatch,
			Reason: fmt.Sprintf("%d contacts of HighLevel have its phone number or e-mail: %s", len(ids),
				strings.Join(ids, ", "))})
	}
	if err := e.outcome(pending); err != nil {
		return nil, err
	}
	return e.makeInGHL(ctx, run, l, ours)
}

// makeInGHL makes a contact of Pluvo in HighLevel.
func (e *Engine) makeInGHL(ctx context.Context, run *queue.Run, l *Location, ours *pluvo.Contact) (*link, error) {
	in, _, err := l.Mapper.ContactCreate(ours)
	if err != nil {
		return nil, e.report(ctx, Conflict{Location: l.ID, Unit: run.ID, Kind: pluvo.KindContact,
			Record: unborn + ours.ID, Field: fieldCreate, Reason: err.Error()})
	}
	if err := e.intend(ctx, l.ID, run.ID, ours); err != nil {
		return nil, err
	}
	made, err := l.Client.Contacts.Create(ctx, in)
	var refused *ghl.Error
	switch {
	case err == nil:
		e.wrote(ctx, l, GHL, "create", ours)
		mapped, err := e.contactOf(l, made, ours.ID)
		if err != nil {
			return e.link(ctx, run, l, pairOf(made.ID, ours.ID))
		}
		return e.link(ctx, run, l, bornPair(l, made.ID, ours, mapped))
	case errors.Is(err, ghl.ErrDuplicateContact) && errors.As(err, &refused) && refused.Duplicate != nil &&
		refused.Duplicate.ContactID != "":
		pair, err := e.link(ctx, run, l, pairOf(refused.Duplicate.ContactID, ours.ID))
		if err == nil && pair == nil { // for a person to see to; nothing was made
			err = e.forget(ctx, l.ID, intentName(pluvo.KindContact, ours.ID))
		}
		return pair, err
	case !unknownOutcome(err):
		return nil, errors.Join(err, e.forget(context.WithoutCancel(ctx), l.ID, intentName(pluvo.KindContact, ours.ID)))
	}
	return nil, err
}

// unknownOutcome reports whether a create that failed may have made the record all the same, which was seen of a 422
// too.
func unknownOutcome(err error) bool {
	return errors.Is(err, ghl.ErrAmbiguous) || errors.Is(err, ghl.ErrValidation) || errors.Is(err, ghl.ErrBadResponse)
}

// candidates returns the contacts of HighLevel that have the phone number or e-mail of one of Pluvo, or that an
// earlier create of it has made, without those that are linked.
func (e *Engine) candidates(ctx context.Context, l *Location, ours *pluvo.Contact,
	pending *intent) ([]*ghl.Contact, error) {
	var found []*ghl.Contact
	ask := []ghl.DuplicateQuery{{Phone: e.number(l, ours.Phone)}, {Email: strings.TrimSpace(ours.Email)}}
	if pending != nil {
		if was, ok := pending.record.(*pluvo.Contact); ok { // it may have been changed since
			ask = append(ask, ghl.DuplicateQuery{Phone: e.number(l, was.Phone)},
				ghl.DuplicateQuery{Email: strings.TrimSpace(was.Email)})
		}
	}
	asked := []ghl.DuplicateQuery{{}}
	for _, q := range ask {
		if slices.Contains(asked, q) {
			continue
		}
		asked = append(asked, q)
		c, err := l.Client.Contacts.FindDuplicate(ctx, q)
		if errors.Is(err, ghl.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	if len(asked) == 1 && pending != nil { // nothing but a name to look for, and only for what was made before
		for c, err := range l.Client.Contacts.All(ctx,
			&ghl.ListContactsOptions{Query: strings.TrimSpace(ours.FirstName + " " + ours.LastName)}) {
			if err != nil {
				return nil, err
			}
			mapped, err := e.contactOf(l, c, ours.ID)
			if err == nil && e.madeFrom(l, pending, mapped, instant(c.DateAdded)) {
				found = append(found, c)
			}
		}
	}
	var free []*ghl.Contact
	for _, c := range found {
		if slices.ContainsFunc(free, func(f *ghl.Contact) bool { return f.ID == c.ID }) {
			continue
		}
		links, err := e.links(ctx, l.ID, c.ID)
		if err != nil {
			return nil, err
		}
		if pair, _ := split(links); pair == nil {
			free = append(free, c)
		}
	}
	return free, nil
}

// phone is a phone number as both sides are compared by.
func (e *Engine) phone(l *Location, phone string) string {
	phone = strings.TrimSpace(phone)
	if phone == "" || l.Phone == nil {
		return phone
	}
	if e164, ok := l.Phone.NormalizePhone(phone); ok {
		return e164
	}
	return phone
}

// number is a phone number as HighLevel can be asked for it; "" if it is none, which HighLevel is not sent either.
func (e *Engine) number(l *Location, phone string) string {
	if l.Phone != nil {
		if _, ok := l.Phone.NormalizePhone(strings.TrimSpace(phone)); !ok {
			return ""
		}
	}
	return e.phone(l, phone)
}

// Link joins two contacts, as a person has decided, and has them brought in step.
func (e *Engine) Link(ctx context.Context, location, ghlID, pluvoID string) error {
	l := e.location(location)
	if l == nil {
		return queue.ErrLocation
	}
	// A mistyped id would be taken for a contact that was deleted.
	if _, err := l.Client.Contacts.Get(ctx, ghlID); err != nil {
		return err
	}
	if _, _, err := e.store.Get(ctx, pluvo.KindContact, pluvoID); err != nil {
		return err
	}
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		err := addLink(ctx, tx, e.now(), location,
			&link{kind: pluvo.KindContact, ghlID: ghlID, pluvoID: pluvoID, contact: ghlID})
		if err != nil {
			return err
		}
		return e.queue.MarkTx(ctx, tx, queue.Unit{Location: location, ID: ghlID}, queue.Everything, queue.Live)
	})
}
