package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// feedCursor is how far Pluvo's changes have been followed.
const feedCursor = "pluvo"

// Follow reads what has changed in Pluvo since the last time, and marks what is to be brought in step. The place is
// stored together with the marks: a run that is killed repeats, and loses nothing.
func (e *Engine) Follow(ctx context.Context) error {
	e.feeding.Lock()
	defer e.feeding.Unlock()
	ctx = db.WithoutFence(ctx) // it marks units of all locations
	for {
		more, err := e.followPage(ctx)
		if err != nil || !more {
			return err
		}
	}
}

func (e *Engine) followPage(ctx context.Context) (more bool, err error) {
	var from pluvo.Cursor
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		from, err = cursor(ctx, tx)
		return err
	})
	if err != nil {
		return false, err
	}
	page, err := e.store.Changes(ctx, from, 500)
	if err != nil || len(page.Changes) == 0 {
		return false, err
	}
	err = e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Lock(ctx, "feed"); err != nil {
			return err
		}
		if is, err := cursor(ctx, tx); err != nil || is != from { // another process was faster
			return err
		}
		var units []queue.Unit
		for i := range page.Changes {
			marks, err := e.followChange(ctx, tx, &page.Changes[i])
			if err != nil {
				return err
			}
			units = append(units, marks...)
		}
		slices.SortFunc(units, func(a, b queue.Unit) int {
			return strings.Compare(a.Location+"\x00"+a.ID, b.Location+"\x00"+b.ID)
		})
		for _, u := range slices.Compact(units) {
			err := e.queue.MarkTx(ctx, tx, u, queue.AspectPluvo, queue.Live)
			if errors.Is(err, queue.ErrLocation) || errors.Is(err, queue.ErrInvalid) { // the others are not held up
				e.log.LogAttrs(ctx, slog.LevelWarn, "a change in Pluvo can't be followed",
					slog.String("location", u.Location), slog.Any("err", err))
				err = nil
			}
			if err != nil {
				return err
			}
		}
		return tx.MoveCursor(ctx, feedCursor, string(page.Next), e.now())
	})
	return page.More, err
}

func cursor(ctx context.Context, tx *db.Tx) (c pluvo.Cursor, err error) {
	at, _, err := tx.Cursor(ctx, feedCursor)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return pluvo.Cursor(at), err
}

// followChange keeps the index of people up to date, and returns the units that a change concerns.
func (e *Engine) followChange(ctx context.Context, tx *db.Tx, c *pluvo.Change) (units []queue.Unit, err error) {
	owner := c.Owner
	if c.Kind == pluvo.KindContact {
		owner = c.ID
		if err := e.index(ctx, tx, c); err != nil {
			return nil, err
		}
	}
	e.mu.RLock()
	locations := slices.Clone(e.order)
	e.mu.RUnlock()
	for _, location := range locations {
		ids, err := e.concerned(ctx, tx, location, owner, c)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			units = append(units, queue.Unit{Location: location, ID: id})
		}
	}
	return units, nil
}

// concerned returns the units of a location that a change concerns. owner is the id of the contact in Pluvo.
func (e *Engine) concerned(ctx context.Context, tx *db.Tx, location, owner string,
	c *pluvo.Change) (units []string, err error) {
	own, err := linkTx(ctx, tx, byPluvo, location, c.Kind, c.ID)
	if err != nil {
		return nil, err
	}
	if own != nil && c.Record != nil {
		if units, echo, err := e.concernedByEcho(ctx, tx, location, owner, own, c.Record); echo || err != nil {
			return units, err
		}
	}
	if own == nil && c.Record == nil && c.Kind != pluvo.KindContact {
		pending, err := intentTx(ctx, tx, location, intentName(c.Kind, c.ID))
		if err != nil || pending == nil { // the record is not in HighLevel, or a run has deleted it on both sides
			return nil, err
		}
	}
	contact, err := linkTx(ctx, tx, byPluvo, location, pluvo.KindContact, owner)
	if err != nil {
		return nil, err
	}
	if own != nil && own.concernsContact(c, contact) {
		units = append(units, own.contact)
		if c.Kind == pluvo.KindContact {
			return units, nil
		} // a child may have been moved to another contact
	}
	taken := c.Record != nil && (own != nil && own.pluvo == nil || own == nil && e.from(location, c.Record))
	switch {
	case taken: // a run may be about to store the record that it takes from HighLevel; this unit waits for that run
		units = append(units, unborn+owner)
	case contact != nil:
		units = append(units, contact.contact)
	case own == nil && c.Record != nil && e.concerns(location, c):
		units = append(units, unborn+owner)
	}
	return units, nil
}

// concernedByEcho reports whether a change is, or may be, the echo of a write of a run, and returns the units that it
// concerns then. own is the link of the record.
func (e *Engine) concernedByEcho(
	ctx context.Context, tx *db.Tx, location, owner string, own *link, record pluvo.Record,
) (units []string, echo bool, err error) {
	if own.pluvo != nil && pluvo.Equal(own.pluvo, record) {
		// The echo of a stored write concerns no unit, unless the contact has stopped because of an earlier state of
		// the record.
		stopped, err := e.queue.HasStopped(ctx, tx, queue.Unit{Location: location, ID: own.contact})
		if err != nil || !stopped {
			return nil, true, err
		}
		return []string{own.contact}, true, nil
	}
	if own.writes(record) {
		// Either a run has written it and is about to store the link, or it is an edit and the run was interrupted. The
		// unit of the owner tells them apart.
		return []string{unborn + owner}, true, nil
	}
	return nil, false, nil
}

// concernsContact reports whether a change of the linked record concerns the contact of the link: unless Pluvo has the
// record for the first time, and it belongs to the linked contact.
func (l *link) concernsContact(c *pluvo.Change, contact *link) bool {
	return l.pluvo != nil || c.Record == nil || contact == nil || contact.contact != l.contact
}

// writes reports whether a record of Pluvo is what a run was about to write.
func (l *link) writes(r pluvo.Record) bool {
	return l.underway != nil && pluvo.Equal(l.underway.to.pluvo, r)
}

// from reports whether a record of Pluvo comes from a location.
func (e *Engine) from(location string, r pluvo.Record) bool {
	return r.From().System == mapping.System && r.From().Location == location
}

// concerns reports whether a record that is not linked may belong to a location. One that is not open yet will see.
func (e *Engine) concerns(id string, c *pluvo.Change) bool {
	contact, ok := c.Record.(*pluvo.Contact)
	if !ok {
		return true
	}
	if from := contact.Origin; from.System == mapping.System {
		return from.Location == id
	}
	l := e.location(id)
	return l == nil || l.Takes == nil || l.Takes(contact)
}

// index keeps by what a contact of Pluvo can be found, and when it was changed.
func (e *Engine) index(ctx context.Context, tx *db.Tx, c *pluvo.Change) error {
	r, ok := c.Record.(*pluvo.Contact)
	if !ok {
		_, err := tx.Exec(ctx, `DELETE FROM ghlsync_person WHERE id = $1`, c.ID)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_person (id, phone, email, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE
			SET phone = excluded.phone, email = excluded.email, changed_at = excluded.changed_at`,
		r.ID, searchPhone(r.Phone), searchEmail(r.Email), db.Micros(e.now()))
	return err
}

// searchEmail is an e-mail address as it is looked for; "" finds nobody.
func searchEmail(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	if !db.Storable(email) {
		return ""
	}
	return email
}

// searchPhone is the end of a phone number, which is the same with and without a country code. So the index depends on
// no location's region. Who is found is compared in full.
func searchPhone(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
	return digits[max(0, len(digits)-6):]
}

// changedAt is when a contact was changed in Pluvo, as far as it was followed; zero if that is unknown.
func (e *Engine) changedAt(ctx context.Context, pluvoID string) (at time.Time, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var micros int64
		err := tx.Row(ctx, `SELECT changed_at FROM ghlsync_person WHERE id = $1`, pluvoID).Scan(&micros)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		at = db.Time(micros)
		return err
	})
	return at, err
}

// people returns the ids of Pluvo's contacts that have the phone number or e-mail of one of HighLevel and may stand for
// it.
func (e *Engine) people(ctx context.Context, l *Location, mapped *pluvo.Contact) ([]string, error) {
	phone, email := e.phone(l, mapped.Phone), searchEmail(mapped.Email)
	var ids []string
	err := e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		ids, err = db.List(ctx, tx, func(r db.Row) (id string, err error) { return id, r.Scan(&id) },
			`SELECT id FROM ghlsync_person p WHERE (phone <> '' AND phone = $1 OR email <> '' AND email = $2)
				AND NOT EXISTS (SELECT 1 FROM ghlsync_link k
					WHERE k.location = $3 AND k.kind = $4 AND k.pluvo_id = p.id)
			ORDER BY id LIMIT 100`, searchPhone(phone), email, l.ID, string(pluvo.KindContact))
		return err
	})
	if err != nil {
		return nil, err
	}
	var fit []string
	for _, id := range ids {
		r, _, err := e.store.Get(ctx, pluvo.KindContact, id)
		if errors.Is(err, pluvo.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := r.(*pluvo.Contact)
		if (phone == "" || e.phone(l, c.Phone) != phone) && (email == "" || searchEmail(c.Email) != email) {
			continue
		}
		if from := c.Origin; from.System == mapping.System && (from.Location != l.ID || from.ID != mapped.Origin.ID) {
			continue // it stands for another contact
		}
		if l.Takes != nil && !l.Takes(c) {
			continue
		}
		fit = append(fit, id)
	}
	return fit, nil
}
