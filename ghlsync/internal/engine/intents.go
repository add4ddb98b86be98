package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// intent is a record that is about to be made in HighLevel. It is stored before the call. While it is there the outcome may be
// unknown: the record is looked for before it is made again.
type intent struct {
	name    string // kind and id of Pluvo's record
	unit    string
	record  pluvo.Record
	created time.Time // when it was last tried
	done    bool      // made, or not wanted any more
}

func intentName(kind pluvo.Kind, pluvoID string) string { return string(kind) + "/" + pluvoID }

func scanIntent(r db.Row) (*intent, error) {
	i := new(intent)
	var body string
	var created, done int64
	if err := r.Scan(&i.name, &i.unit, &body, &created, &done); err != nil {
		return nil, err
	}
	i.created, i.done = db.Time(created), done != 0
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
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return storeIntent(ctx, tx, location, intentName(r.Kind(), r.Key()), unit, string(body), e.now(), false)
	})
}

func storeIntent(ctx context.Context, tx *db.Tx, location, name, unit, body string, now time.Time, done bool) error {
	var doneAt int64
	if done {
		doneAt = db.Micros(now)
	}
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_intent (location, name, unit, body, created_at, done_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (location, name) DO UPDATE SET body = excluded.body, created_at = excluded.created_at, done_at = excluded.done_at`,
		location, name, unit, body, db.Micros(now), doneAt)
	return err
}

// intent reads one; nil if there is none.
func (e *Engine) intent(ctx context.Context, location, name string) (found *intent, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = scanIntent(tx.Row(ctx, `SELECT name, unit, body, created_at, done_at FROM ghlsync_intent WHERE location = $1 AND name = $2`, location, name))
		if errors.Is(err, db.ErrNoRows) {
			found, err = nil, nil
		}
		return err
	})
	return found, err
}

// openContacts reads the intents of contacts of a location that are open.
func (e *Engine) openContacts(ctx context.Context, location string) (list []*intent, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, scanIntent, `SELECT name, unit, body, created_at, done_at FROM ghlsync_intent
			WHERE location = $1 AND name >= 'contact/' AND name < 'contact0' AND done_at = 0`, location)
		return err
	})
	return list, err
}

func forgetIntent(ctx context.Context, tx *db.Tx, location, name string) error {
	_, err := tx.Exec(ctx, `DELETE FROM ghlsync_intent WHERE location = $1 AND name = $2`, location, name)
	return err
}

// forget drops an intent whose record was surely not made.
func (e *Engine) forget(ctx context.Context, location, name string) error {
	return e.write(ctx, func(ctx context.Context, tx *db.Tx) error { return forgetIntent(ctx, tx, location, name) })
}
