package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

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

// What a conflict is about that is no field's.
const (
	fieldMatch  = "match"
	fieldSlot   = "slot"
	fieldCreate = "create"
)

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
	sum := sha256.Sum256([]byte(strings.Join([]string{c.Location, c.Unit, string(c.Kind), c.Record, c.Field,
		string(c.Winner), string(body)}, "\x00")))
	c.ID, c.Happened = hex.EncodeToString(sum[:12]), e.now()
	fresh := false
	err = e.write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO ghlsync_conflict
				(id, location, unit, kind, record, field, winner, body, happened_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET happened_at = excluded.happened_at, resolved_at = 0
				WHERE ghlsync_conflict.resolved_at > 0`,
			c.ID, c.Location, c.Unit, string(c.Kind), c.Record, c.Field, string(c.Winner), string(body),
			db.Micros(c.Happened))
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
		query := `SELECT ` + conflictColumns + ` FROM ghlsync_conflict`
		if !resolved {
			query += ` WHERE resolved_at = 0`
		}
		list, err = db.List(ctx, tx, scanConflict, query+` ORDER BY happened_at DESC, id LIMIT $1`, int64(limit))
		return err
	})
	return list, err
}

const conflictColumns = `id, location, unit, kind, record, field, winner, body, happened_at, resolved_at`

func scanConflict(r db.Row) (c Conflict, err error) {
	var body string
	var happened, resolved int64
	if err := r.Scan(&c.ID, &c.Location, &c.Unit, &c.Kind, &c.Record, &c.Field, &c.Winner, &body, &happened,
		&resolved); err != nil {
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
		c, err = scanConflict(tx.Row(ctx, `UPDATE ghlsync_conflict SET resolved_at = $2
			WHERE id = $1 AND resolved_at = 0
			RETURNING `+conflictColumns, id, db.Micros(e.now())))
		if errors.Is(err, db.ErrNoRows) {
			return ErrNoConflict
		}
		return err
	})
	return c, err
}

// refused reports whether a conflict is open about making a record of Pluvo in HighLevel with just this content.
func (e *Engine) refused(ctx context.Context, location string, kind pluvo.Kind,
	pluvoID, content string) (refused bool, err error) {
	err = e.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err := db.List(ctx, tx, scanConflict, `SELECT `+conflictColumns+` FROM ghlsync_conflict
			WHERE location = $1 AND kind = $2 AND record = $3 AND field IN ($4, $5) AND resolved_at = 0`,
			location, string(kind), unborn+pluvoID, fieldCreate, fieldSlot)
		refused = slices.ContainsFunc(list, func(c Conflict) bool { return c.Pluvo == content })
		return err
	})
	return refused, err
}
