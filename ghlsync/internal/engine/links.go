package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// link says which record of HighLevel is which of Pluvo.
type link struct {
	kind     pluvo.Kind
	ghlID    string
	pluvoID  string
	contact  string    // HighLevel's id of the contact that it belongs to
	both               // what both sides held when they were last in step; nil before the first time
	underway *underway // what was being written when that was stored; nil if nothing was

	stored string    // the text in the database
	at     time.Time // when that was stored
}

// storedLink is how the states of a link are stored.
type storedLink struct {
	storedBoth
	From *storedBoth `json:"from,omitempty"`
	To   *storedBoth `json:"to,omitempty"`
}

// settled reports whether the link has a last synced state, and no write of a run was interrupted.
func (l *link) settled() bool { return l.ghl != nil && l.pluvo != nil && l.underway == nil }

func (l *link) encode() (string, error) {
	var s storedLink
	var err error
	if s.storedBoth, err = l.both.encode(); err != nil {
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
	var err error
	if l.both, err = s.decode(l.kind); err != nil || s.From == nil || s.To == nil {
		return err
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
func (e *Engine) links(ctx context.Context, location, contact string) (list []*link, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = linksTx(ctx, tx, location, contact)
		return err
	})
	return list, err
}

func linksTx(ctx context.Context, tx *db.Tx, location, contact string) ([]*link, error) {
	return db.List(ctx, tx, scanLink, `SELECT `+linkColumns+` FROM ghlsync_link WHERE location = $1 AND contact = $2`,
		location, contact)
}

// linkFrom reads the link of a record of HighLevel, whatever contact it belonged to; nil if there is none.
func (e *Engine) linkFrom(ctx context.Context, location string, kind pluvo.Kind, ghlID string) (*link, error) {
	return e.oneLink(ctx, byGHL, location, kind, ghlID)
}

// linkOf reads the link of a record of Pluvo; nil if there is none.
func (e *Engine) linkOf(ctx context.Context, location string, kind pluvo.Kind, pluvoID string) (*link, error) {
	return e.oneLink(ctx, byPluvo, location, kind, pluvoID)
}

func (e *Engine) oneLink(ctx context.Context, by, location string, kind pluvo.Kind,
	id string) (found *link, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = linkTx(ctx, tx, by, location, kind, id)
		return err
	})
	return found, err
}

// By which of its two ids a link is found.
const (
	byGHL   = ` WHERE location = $1 AND kind = $2 AND ghl_id = $3`
	byPluvo = ` WHERE location = $1 AND kind = $2 AND pluvo_id = $3`
)

func linkTx(ctx context.Context, tx *db.Tx, by, location string, kind pluvo.Kind, id string) (*link, error) {
	l, err := scanLink(tx.Row(ctx, `SELECT `+linkColumns+` FROM ghlsync_link`+by, location, string(kind), id))
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
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		location, string(l.kind), l.ghlID, l.pluvoID, l.contact, text, db.Micros(now))
	if err != nil || n == 1 {
		l.stored = text
		return err
	}
	have, err := linkTx(ctx, tx, byPluvo, location, l.kind, l.pluvoID)
	if err != nil {
		return err
	}
	if have == nil || have.ghlID != l.ghlID {
		return errLinked
	}
	l.both, l.underway, l.stored = have.both, have.underway, have.stored
	return nil
}

// save stores the states of a link.
func (e *Engine) save(ctx context.Context, location string, l *link) error {
	text, err := l.encode()
	if err != nil || text == l.stored {
		return err
	}
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE ghlsync_link SET synced = $4, synced_at = $5, contact = $6
			WHERE location = $1 AND kind = $2 AND ghl_id = $3 AND pluvo_id = $7`,
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

// justWritten waits where a record is missing in HighLevel that was written or linked a moment ago: it may only not be
// there yet.
func (e *Engine) justWritten(k *link) error {
	return e.settled(k.at, "a record may not be there yet")
}
