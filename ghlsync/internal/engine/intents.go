package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// intent is a record that is about to be made in HighLevel. It is stored before the call. While it is there the outcome
// may be unknown: the record is looked for before it is made again. One without a record only says since when something
// is so.
type intent struct {
	record  pluvo.Record
	created time.Time // when it was last tried
}

// The names of intents: of a record that is about to be made, of a contact that is said to be gone, of a unit that is
// waited for.
func intentName(kind pluvo.Kind, pluvoID string) string { return string(kind) + "/" + pluvoID }
func goneName(ghlID string) string                      { return "gone/" + ghlID }
func awaitName(unit string) string                      { return "await/" + unit }

func scanIntent(r db.Row) (*intent, error) {
	i := new(intent)
	var body string
	var created int64
	if err := r.Scan(&body, &created); err != nil {
		return nil, err
	}
	i.created = db.Time(created)
	if body == "" {
		return i, nil
	}
	var b struct {
		Kind   pluvo.Kind      `json:"kind"`
		Record json.RawMessage `json:"record"`
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return nil, err
	}
	var err error
	i.record, err = readRecord(b.Kind, b.Record)
	return i, err
}

// intend stores that a record is about to be made, or made once more.
func (e *Engine) intend(ctx context.Context, location, unit string, r pluvo.Record) error {
	body, err := json.Marshal(struct {
		Kind   pluvo.Kind   `json:"kind"`
		Record pluvo.Record `json:"record"`
	}{r.Kind(), r})
	if err != nil {
		return err
	}
	return e.storeIntent(ctx, location, intentName(r.Kind(), r.Key()), unit, string(body))
}

// note stores that something is so from now on.
func (e *Engine) note(ctx context.Context, location, name, unit string) error {
	return e.storeIntent(ctx, location, name, unit, "")
}

func (e *Engine) storeIntent(ctx context.Context, location, name, unit, body string) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO ghlsync_intent (location, name, unit, body, created_at)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (location, name) DO UPDATE SET body = excluded.body, created_at = excluded.created_at`,
			location, name, unit, body, db.Micros(e.now()))
		return err
	})
}

// intent reads one; nil if there is none.
func (e *Engine) intent(ctx context.Context, location, name string) (found *intent, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = intentTx(ctx, tx, location, name)
		return err
	})
	return found, err
}

func intentTx(ctx context.Context, tx *db.Tx, location, name string) (*intent, error) {
	found, err := scanIntent(tx.Row(ctx,
		`SELECT body, created_at FROM ghlsync_intent WHERE location = $1 AND name = $2`, location, name))
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	return found, err
}

// openContacts reads the intents of contacts of a location. The range of names is right in every order of text that a
// database may have.
func (e *Engine) openContacts(ctx context.Context, location string) (list []*intent, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, scanIntent, `SELECT body, created_at FROM ghlsync_intent
			WHERE location = $1 AND name > 'contact' AND name < 'contacu'`, location)
		return err
	})
	return list, err
}

func forgetIntent(ctx context.Context, tx *db.Tx, location, name string) error {
	_, err := tx.Exec(ctx, `DELETE FROM ghlsync_intent WHERE location = $1 AND name = $2`, location, name)
	return err
}

// forget drops an intent whose record was surely not made, or what is no longer so.
func (e *Engine) forget(ctx context.Context, location, name string) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error { return forgetIntent(ctx, tx, location, name) })
}

// settled waits until what happened at a time has surely shown its effects.
func (e *Engine) settled(since time.Time, reason queue.WaitReason) error {
	if age := e.now().Sub(since); age < e.settle {
		return &queue.WaitError{After: e.settle - age, Reason: reason}
	}
	return nil
}

// outcome waits until what a create has made can surely be found. There may be none.
func (e *Engine) outcome(pending *intent) error {
	if pending == nil {
		return nil
	}
	return e.settled(pending.created, "a create's outcome is not known yet")
}
