package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// link says which record of HighLevel is which of Pluvo.
type link struct {
	kind    pluvo.Kind
	ghlID   string
	pluvoID string
	contact string // HighLevel's id of the contact that it belongs to
	// What both sides held when they were last in step; nil before the first time.
	ghl, pluvo pluvo.Record
	underway   *underway // what was being written when that was stored; nil if nothing was

	stored string    // the text in the database
	at     time.Time // when that was stored
}

// storedLink is how the states of a link are stored.
type storedLink struct {
	storedBoth
	From *storedBoth `json:"from,omitempty"`
	To   *storedBoth `json:"to,omitempty"`
}

func (l *link) encode() (string, error) {
	var s storedLink
	var err error
	if s.storedBoth, err = (both{l.ghl, l.pluvo}).encode(); err != nil {
		return "", err
	}
	if u := l.underway; u != nil {
		from, err := u.from.encode()
		if err != nil {
			return "", err
		}
		to, err := u.to.encode()
		if err != nil {
			return "", err
		}
		s.From, s.To = &from, &to
	} else if s.GHL == nil {
		return "", nil
	}
	text, err := json.Marshal(s)
	return string(text), err
}

func (l *link) decode() error {
	if l.stored == "" {
		return nil
	}
	var s storedLink
	if err := json.Unmarshal([]byte(l.stored), &s); err != nil {
		return err
	}
	last, err := s.decode(l.kind)
	if err != nil {
		return err
	}
	l.ghl, l.pluvo = last.ghl, last.pluvo
	if s.From == nil || s.To == nil {
		return nil
	}
	l.underway = new(underway)
	if l.underway.from, err = s.From.decode(l.kind); err == nil {
		l.underway.to, err = s.To.decode(l.kind)
	}
	return err
}

func newRecord(kind pluvo.Kind) pluvo.Record {
	switch kind {
	case pluvo.KindTask:
		return new(pluvo.Task)
	case pluvo.KindNote:
		return new(pluvo.Note)
	case pluvo.KindAppointment:
		return new(pluvo.Appointment)
	}
	return new(pluvo.Contact)
}

func readRecord(kind pluvo.Kind, text []byte) (pluvo.Record, error) {
	r := newRecord(kind)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("a stored %s can't be read: %w", kind, err)
	}
	return r, nil
}

const linkColumns = `kind, ghl_id, pluvo_id, contact, synced, synced_at`

func scanLink(r db.Row) (*link, error) {
	l := new(link)
	var at int64
	if err := r.Scan(&l.kind, &l.ghlID, &l.pluvoID, &l.contact, &l.stored, &at); err != nil {
		return nil, err
	}
	l.at = db.Time(at)
	return l, l.decode()
}

// links reads the links of a contact and of all that belongs to it.
func (e *Engine) links(ctx context.Context, location, contact string) ([]*link, error) {
	var list []*link
	err := e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND contact = $2`, location, contact)
		return err
	})
	return list, err
}

// linkFrom reads the link of a record of HighLevel, whatever contact it belonged to; nil if there is none.
func (e *Engine) linkFrom(ctx context.Context, location string, kind pluvo.Kind, ghlID string) (found *link, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = scanLink(tx.Row(ctx, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND kind = $2 AND ghl_id = $3`,
			location, string(kind), ghlID))
		if errors.Is(err, db.ErrNoRows) {
			found, err = nil, nil
		}
		return err
	})
	return found, err
}

// linkOf reads the link of a record of Pluvo; nil if there is none.
func (e *Engine) linkOf(ctx context.Context, location string, kind pluvo.Kind, pluvoID string) (found *link, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = linkOfTx(ctx, tx, location, kind, pluvoID)
		return err
	})
	return found, err
}

func linkOfTx(ctx context.Context, tx *db.Tx, location string, kind pluvo.Kind, pluvoID string) (*link, error) {
	l, err := scanLink(tx.Row(ctx, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND kind = $2 AND pluvo_id = $3`,
		location, string(kind), pluvoID))
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	return l, err
}

// errLinked: one of the two records is linked to another. Links are one to one.
var errLinked = errors.New("the record is linked to another")

// addLink stores a link. One that is there already is fine; another one of either record is errLinked.
func addLink(ctx context.Context, tx *db.Tx, now time.Time, location string, l *link) error {
	text, err := l.encode()
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO ghlsync_link (location, kind, ghl_id, pluvo_id, contact, synced, synced_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, location, string(l.kind), l.ghlID, l.pluvoID, l.contact, text, db.Micros(now))
	if err != nil || n == 1 {
		l.stored = text
		return err
	}
	have, err := linkOfTx(ctx, tx, location, l.kind, l.pluvoID)
	if err != nil {
		return err
	}
	if have == nil || have.ghlID != l.ghlID {
		return errLinked
	}
	l.ghl, l.pluvo, l.underway, l.stored = have.ghl, have.pluvo, have.underway, have.stored
	return nil
}

// save stores the states of a link.
func (e *Engine) save(ctx context.Context, location string, l *link) error {
	text, err := l.encode()
	if err != nil || text == l.stored {
		return err
	}
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE ghlsync_link SET synced = $4, synced_at = $5, contact = $6 WHERE location = $1 AND kind = $2 AND ghl_id = $3 AND pluvo_id = $7`,
			location, string(l.kind), l.ghlID, text, db.Micros(e.now()), l.contact, l.pluvoID)
		if err == nil && n == 0 {
			err = addLink(ctx, tx, e.now(), location, l)
		}
		if err == nil {
			l.stored = text
		}
		return err
	})
}

// bury drops a link and remembers which side has deleted its record. Kept says that Pluvo's stays all the same.
func (e *Engine) bury(ctx context.Context, location string, l *link, by Side, kept bool) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		doomed := []*link{l}
		if l.kind == pluvo.KindContact { // and all that belonged to it
			all, err := db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND contact = $2 AND kind <> $3`,
				location, l.ghlID, string(pluvo.KindContact))
			if err != nil {
				return err
			}
			doomed = append(doomed, all...)
		}
		if err := forgetIntent(ctx, tx, location, goneName(l.ghlID)); err != nil {
			return err
		}
		for _, l := range doomed {
			if err := tombstone(ctx, tx, e.now(), location, l.kind, by, l.ghlID, l.pluvoID); err != nil {
				return err
			}
			if kept {
				if err := tombstone(ctx, tx, e.now(), location, l.kind, keptInPluvo, l.pluvoID, l.ghlID); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_link WHERE location = $1 AND kind = $2 AND ghl_id = $3`, location, string(l.kind), l.ghlID); err != nil {
				return err
			}
		}
		return nil
	})
}

// keptInPluvo stands in a tombstone for the side: HighLevel's record was deleted, and Pluvo's, whose id it names, is kept in step
// no longer.
const keptInPluvo Side = "kept"

// tombstone remembers that a side has deleted a record. The id is HighLevel's, unless it is keptInPluvo.
func tombstone(ctx context.Context, tx *db.Tx, now time.Time, location string, kind pluvo.Kind, by Side, id, other string) error {
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_tombstone (location, kind, side, id, other_id, deleted_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (location, kind, side, id) DO UPDATE SET other_id = excluded.other_id, deleted_at = excluded.deleted_at`,
		location, string(kind), string(by), id, other, db.Micros(now))
	return err
}

// unlinkAll drops the links of a contact and of all that belongs to it. With gone, HighLevel's records are remembered as deleted.
func (e *Engine) unlinkAll(ctx context.Context, location string, pair *link, gone bool) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := forgetIntent(ctx, tx, location, goneName(pair.ghlID)); err != nil {
			return err
		}
		all, err := db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND contact = $2`, location, pair.contact)
		if err != nil {
			return err
		}
		for _, l := range all {
			if gone {
				if err := tombstone(ctx, tx, e.now(), location, l.kind, GHL, l.ghlID, ""); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, `DELETE FROM ghlsync_link WHERE location = $1 AND kind = $2 AND ghl_id = $3`, location, string(l.kind), l.ghlID); err != nil {
				return err
			}
		}
		return nil
	})
}

// deleted says which side has deleted a record of HighLevel last, and when; [Nobody] if none has.
func (e *Engine) deleted(ctx context.Context, location string, kind pluvo.Kind, ghlID string) (by Side, at time.Time, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var micros int64
		err := tx.Row(ctx, `SELECT side, deleted_at FROM ghlsync_tombstone WHERE location = $1 AND kind = $2 AND side IN ($3, $4) AND id = $5
			ORDER BY deleted_at DESC LIMIT 1`, location, string(kind), string(GHL), string(Pluvo), ghlID).Scan(&by, &micros)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		at = db.Time(micros)
		return err
	})
	return by, at, err
}

// stale says what to do with a record of HighLevel that is there and not linked. One that was deleted in Pluvo is deleted once more
// if HighLevel has not followed yet. What is there long after was restored by somebody, as is what HighLevel had deleted itself,
// or it was moved to another contact: that is a record like any other.
func (e *Engine) stale(ctx context.Context, l *Location, kind pluvo.Kind, ghlID string) (ignore, remove bool, err error) {
	by, at, err := e.deleted(ctx, l.ID, kind, ghlID)
	switch {
	case err != nil || by == Nobody:
		return false, false, err
	case by == Pluvo && l.Deletes == DeleteKeeps:
		return true, false, nil
	}
	if err := l.from.writable(); err != nil || by == GHL { // what is known of the record may be older than its deletion
		return false, false, err
	}
	remove = e.now().Sub(at) < longestWait
	return remove, remove, nil
}

// kept reports whether a record of Pluvo has lost its record in HighLevel, and was left all the same.
func (e *Engine) kept(ctx context.Context, location string, kind pluvo.Kind, pluvoID string) (kept bool, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var n int64
		err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_tombstone WHERE location = $1 AND kind = $2 AND side = $3 AND id = $4`,
			location, string(kind), string(keptInPluvo), pluvoID).Scan(&n)
		kept = n > 0
		return err
	})
	return kept, err
}

// justWritten waits where a record is missing in HighLevel that was written or linked a moment ago: it may only not be there yet.
func (e *Engine) justWritten(k *link) error {
	return e.settled(k.at, "a record may not be there yet")
}

// Conflict is a decision that was taken against one side, or that a person must take.
type Conflict struct {
	ID       string
	Location string
	// Unit is the contact that it is about.
	Unit string
	Kind pluvo.Kind
	// Record is the record's id in HighLevel, or "pluvo:" and its id in Pluvo.
	Record string
	// Field is the field that both sides changed, or "match", "slot" or another word for what went wrong.
	Field string
	// Winner is the side whose value stayed; [Nobody] where a person must decide.
	Winner Side
	// GHL and Pluvo are the two values. They can be personal data.
	GHL, Pluvo string
	// Reason says what happened, where that is not two values.
	Reason     string
	Happened   time.Time
	ResolvedAt time.Time
}

type conflictBody struct {
	GHL    string `json:"highlevel,omitempty"`
	Pluvo  string `json:"pluvo,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// report stores a conflict. The same one again is no second.
func (e *Engine) report(ctx context.Context, c Conflict) error {
	body, err := json.Marshal(conflictBody{c.GHL, c.Pluvo, c.Reason})
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{c.Location, c.Unit, string(c.Kind), c.Record, c.Field, string(c.Winner), string(body)}, "\x00")))
	c.ID, c.Happened = hex.EncodeToString(sum[:12]), e.now()
	fresh := false
	err = e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO ghlsync_conflict (id, location, unit, kind, record, field, winner, body, happened_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET happened_at = excluded.happened_at, resolved_at = 0 WHERE ghlsync_conflict.resolved_at > 0`,
			c.ID, c.Location, c.Unit, string(c.Kind), c.Record, c.Field, string(c.Winner), string(body), db.Micros(c.Happened))
		fresh = n == 1
		return err
	})
	if err == nil && fresh { // after the commit: whoever is told may use the database
		e.noted(c)
	}
	return err
}

// Conflicts lists conflicts, the latest first: all that are open, or with resolved also those that are not.
func (e *Engine) Conflicts(ctx context.Context, resolved bool, limit int) ([]Conflict, error) {
	if limit <= 0 {
		limit = 100
	}
	var list []Conflict
	err := e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		query := `SELECT id, location, unit, kind, record, field, winner, body, happened_at, resolved_at FROM ghlsync_conflict`
		if !resolved {
			query += ` WHERE resolved_at = 0`
		}
		list, err = db.List(ctx, tx, scanConflict, query+` ORDER BY happened_at DESC, id LIMIT $1`, int64(limit))
		return err
	})
	return list, err
}

func scanConflict(r db.Row) (c Conflict, err error) {
	var body string
	var happened, resolved int64
	if err := r.Scan(&c.ID, &c.Location, &c.Unit, &c.Kind, &c.Record, &c.Field, &c.Winner, &body, &happened, &resolved); err != nil {
		return c, err
	}
	var b conflictBody
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return c, err
	}
	c.GHL, c.Pluvo, c.Reason, c.Happened, c.ResolvedAt = b.GHL, b.Pluvo, b.Reason, db.Time(happened), db.Time(resolved)
	return c, nil
}

// ErrNoConflict: there is no such conflict, or it was resolved before.
var ErrNoConflict = errors.New("no such open conflict")

// Resolve marks a conflict as seen to, and returns it. A second time changes nothing, and is ErrNoConflict.
func (e *Engine) Resolve(ctx context.Context, id string) (c Conflict, err error) {
	err = e.write(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		c, err = scanConflict(tx.Row(ctx, `UPDATE ghlsync_conflict SET resolved_at = $2 WHERE id = $1 AND resolved_at = 0
			RETURNING id, location, unit, kind, record, field, winner, body, happened_at, resolved_at`, id, db.Micros(e.now())))
		if errors.Is(err, db.ErrNoRows) {
			return ErrNoConflict
		}
		return err
	})
	return c, err
}

// open reports whether a conflict about a record and field is open.
func (e *Engine) open(ctx context.Context, location string, kind pluvo.Kind, record, field, ours string) (bool, error) {
	found := false
	err := e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err := db.List(ctx, tx, scanConflict, `SELECT id, location, unit, kind, record, field, winner, body, happened_at, resolved_at
			FROM ghlsync_conflict WHERE location = $1 AND kind = $2 AND record = $3 AND field = $4 AND resolved_at = 0`,
			location, string(kind), record, field)
		for _, c := range list {
			found = found || c.Pluvo == ours
		}
		return err
	})
	return found, err
}
