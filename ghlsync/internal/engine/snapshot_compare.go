package engine

import (
	"context"
	"hash/fnv"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// Lists of HighLevel are compared with what was last in step. Nothing is done about a difference here: the contact is
// named, and whoever asked has it read and brought in step.

// News reports whether a contact, as a list has it, is not as it was when it was last in step, or is not known.
func (e *Engine) News(ctx context.Context, location string, c *ghl.Contact) (bool, error) {
	l := e.location(location)
	if l == nil {
		return false, queue.ErrLocation
	}
	pair, err := e.linkFrom(ctx, location, pluvo.KindContact, c.ID)
	if err != nil {
		return false, err
	}
	if pair == nil {
		return e.wanted(ctx, l, pluvo.KindContact, c.ID)
	}
	mapped, err := e.contactOf(l, c, pair.pluvoID)
	if err != nil {
		return false, nil // it can't be mapped, which reading it again would not change
	}
	return e.edited(l, GHL, pair.ghl, mapped), nil
}

// MissingContacts returns the contacts that are linked and not among those that were seen.
func (e *Engine) MissingContacts(ctx context.Context, location string,
	seen map[string]bool) (contacts []string, err error) {
	err = e.eachLink(ctx, location, pluvo.KindContact, func(k *link) {
		if !seen[k.ghlID] {
			contacts = append(contacts, k.ghlID)
		}
	})
	return contacts, err
}

// News are the contacts with a record in a list that differs from the last sync, each with a hash of the difference.
type News map[string]uint64

func (n News) add(contact, what, id string, is pluvo.Record) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what + "\x00" + id + "\x00"))
	if is != nil {
		_, _ = h.Write([]byte(fingerprint(is)))
	}
	n[contact] ^= h.Sum64() // in whatever order
}

// TaskNews returns the contacts of which a task is not as it was when it was last in step. With whole, a task that is
// missing in the list counts too. Contacts that are not linked are left out.
func (e *Engine) TaskNews(ctx context.Context, location string, lists map[string][]*ghl.Task,
	whole bool) (News, error) {
	l := e.location(location)
	if l == nil {
		return nil, queue.ErrLocation
	}
	return e.childNews(ctx, l, pluvo.KindTask, byID(l, lists, taskChild), func(*link) bool { return whole })
}

// AppointmentNews is TaskNews for appointments. Only one that was surely in the time that was listed can be missing.
func (e *Engine) AppointmentNews(ctx context.Context, location string, lists map[string][]*ghl.Appointment, whole bool,
	since, until time.Time) (News, error) {
	l := e.location(location)
	if l == nil {
		return nil, queue.ErrLocation
	}
	return e.childNews(ctx, l, pluvo.KindAppointment, byID(l, lists, appointmentChild), func(k *link) bool {
		a, ok := k.ghl.(*pluvo.Appointment)
		return whole && ok && a.Start.After(since) && a.Start.Before(until)
	})
}

// NoteNews is TaskNews for the notes of some contacts, each with all that it has.
func (e *Engine) NoteNews(ctx context.Context, location string, lists map[string][]*ghl.Note) (News, error) {
	l := e.location(location)
	if l == nil {
		return nil, queue.ErrLocation
	}
	return e.childNews(ctx, l, pluvo.KindNote, byID(l, lists, noteChild), func(k *link) bool {
		_, asked := lists[k.contact]
		return asked
	})
}

// listed is a record in a list of a location, and the contact that it belongs to there.
type listed struct {
	contact string
	child
}

func byID[T any](l *Location, lists map[string][]*T, as asChild[T]) map[string]listed {
	out := map[string]listed{}
	for contact, list := range lists {
		for _, c := range children(l, list, contact, as) {
			out[c.id] = listed{contact, c}
		}
	}
	return out
}

func (e *Engine) childNews(ctx context.Context, l *Location, kind pluvo.Kind, lists map[string]listed,
	missing func(*link) bool) (News, error) {
	news := News{}
	err := e.eachLink(ctx, l.ID, kind, func(k *link) {
		their, ok := lists[k.ghlID]
		delete(lists, k.ghlID)
		switch {
		case !ok && missing(k):
			news.add(k.contact, "missing", k.ghlID, nil)
		case ok && their.contact != k.contact && their.contact != "":
			news.add(k.contact, "moved", k.ghlID, nil)
			news.add(their.contact, "moved here", k.ghlID, nil)
		case ok && their.record != nil &&
			e.edited(l, GHL, k.ghl, identify(their.record, k.pluvoID, "", l.origin(k.ghlID))):
			news.add(k.contact, "changed", k.ghlID, their.record)
		}
	})
	if err != nil {
		return nil, err
	}
	for id, their := range lists { // they are not linked
		if their.record == nil || their.contact == "" {
			continue
		}
		pair, err := e.linkFrom(ctx, l.ID, pluvo.KindContact, their.contact)
		if err != nil {
			return nil, err
		}
		if pair == nil {
			continue
		}
		wanted, err := e.wanted(ctx, l, kind, id)
		if err != nil {
			return nil, err
		}
		if wanted {
			news.add(their.contact, "new", id, their.record)
		}
	}
	return news, nil
}

// wanted reports whether a record of HighLevel that is not linked should be looked at. One that was deleted in Pluvo
// and is kept should not.
func (e *Engine) wanted(ctx context.Context, l *Location, kind pluvo.Kind, id string) (bool, error) {
	by, _, err := e.deleted(ctx, l.ID, kind, id)
	return by != Pluvo || l.Deletes != DeleteKeeps, err
}

// eachLink reads all links of a kind, some at a time.
func (e *Engine) eachLink(ctx context.Context, location string, kind pluvo.Kind, do func(*link)) error {
	const some = 500
	for after := ""; ; {
		var page []*link
		err := e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			page, err = db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link
				WHERE location = $1 AND kind = $2 AND ghl_id > $3 ORDER BY ghl_id LIMIT $4`,
				location, string(kind), after, int64(some))
			return err
		})
		if err != nil {
			return err
		}
		for _, k := range page {
			do(k)
		}
		if len(page) < some {
			return nil
		}
		after = page[some-1].ghlID
	}
}
