// Package records is a pluvo.Store in the database, for users without a Pluvo of their own.
package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/pluvo"
)

// Store is a [pluvo.Store] in a database. Any number of processes may share it.
type Store struct{ db *db.DB }

var _ pluvo.Store = (*Store)(nil)

// New returns the store in a database.
func New(d *db.DB) *Store { return &Store{d} }

// state is a row: a record, or the tombstone of a deleted record.
type state struct {
	kind     pluvo.Kind
	id       string
	owner    string
	origin   string
	body     *string // nil once deleted
	sequence int64
}

const columns = `kind, id, owner, origin, body, sequence`

func scan(r db.Row) (state, error) {
	var s state
	err := r.Scan(&s.kind, &s.id, &s.owner, &s.origin, &s.body, &s.sequence)
	return s, err
}

func (s state) exists() bool           { return s.body != nil }
func (s state) version() pluvo.Version { return pluvo.Version(strconv.FormatInt(s.sequence, 10)) }

func (s state) record() (pluvo.Record, error) {
	var r pluvo.Record
	switch s.kind {
	case pluvo.KindContact:
		r = &pluvo.Contact{}
	case pluvo.KindTask:
		r = &pluvo.Task{}
	case pluvo.KindNote:
		r = &pluvo.Note{}
	case pluvo.KindAppointment:
		r = &pluvo.Appointment{}
	default:
		return nil, errors.New("pluvo: a stored record has an unknown kind")
	}
	if err := json.Unmarshal([]byte(*s.body), r); err != nil {
		return nil, fmt.Errorf("pluvo: decoding a stored %s: %w", s.kind, err)
	}
	return r, nil
}

// originText returns the stored form of an origin. It is JSON since the parts may be any text; "" for no origin.
func originText(o pluvo.Origin) (string, error) {
	if o.IsZero() {
		return "", nil
	}
	text, err := json.Marshal([]string{o.System, o.Location, o.ID})
	return string(text), err
}

// byOrigin is the condition for a record with a kind and an origin. It repeats the condition of the partial index,
// without which SQLite would not use the index.
const byOrigin = `kind = $1 AND origin = $2 AND origin <> '' AND body IS NOT NULL`

func originOf(text string) (o pluvo.Origin, err error) {
	if text == "" {
		return o, nil
	}
	var parts [3]string
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return o, fmt.Errorf("pluvo: decoding a stored origin: %w", err)
	}
	return pluvo.Origin{System: parts[0], Location: parts[1], ID: parts[2]}, nil
}

func notFound(kind pluvo.Kind) error { return fmt.Errorf("pluvo: %s: %w", kind, pluvo.ErrNotFound) }

// Get reads a record; see [pluvo.Store].
func (s *Store) Get(ctx context.Context, kind pluvo.Kind, id string) (pluvo.Record, pluvo.Version, error) {
	return s.one(ctx, kind,
		`SELECT `+columns+` FROM ghlsync_record WHERE kind = $1 AND id = $2 AND body IS NOT NULL`, id)
}

// Find reads a record by its origin; see [pluvo.Store].
func (s *Store) Find(ctx context.Context, kind pluvo.Kind, origin pluvo.Origin) (pluvo.Record, pluvo.Version, error) {
	text, err := originText(origin)
	if err != nil {
		return nil, "", err
	}
	return s.one(ctx, kind, `SELECT `+columns+` FROM ghlsync_record WHERE `+byOrigin, text)
}

func (s *Store) one(ctx context.Context, kind pluvo.Kind, query, arg string) (pluvo.Record, pluvo.Version, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if !db.Storable(string(kind), arg) {
		return nil, "", notFound(kind)
	}
	var found state
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		found, err = scan(tx.Row(ctx, query, string(kind), arg))
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return nil, "", notFound(kind)
	}
	if err != nil {
		return nil, "", err
	}
	r, err := found.record()
	return r, found.version(), err
}

// Full reads a contact with its records, which are sorted by id; see [pluvo.Store].
func (s *Store) Full(ctx context.Context, contactID string) (*pluvo.FullContact, error) {
	if !db.Storable(contactID) {
		return nil, notFound(pluvo.KindContact)
	}
	var rows []state
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		rows, err = db.List(ctx, tx, scan, `SELECT `+columns+` FROM ghlsync_record
			WHERE owner = $1 AND body IS NOT NULL ORDER BY kind, id`, contactID)
		return err
	})
	if err != nil {
		return nil, err
	}
	var full pluvo.FullContact
	for _, row := range rows {
		r, err := row.record()
		if err != nil {
			return nil, err
		}
		switch r := r.(type) {
		case *pluvo.Contact:
			full.Contact = *r
		case *pluvo.Task:
			full.Tasks = append(full.Tasks, *r)
		case *pluvo.Note:
			full.Notes = append(full.Notes, *r)
		case *pluvo.Appointment:
			full.Appointments = append(full.Appointments, *r)
		}
	}
	if full.Contact.ID == "" {
		return nil, notFound(pluvo.KindContact)
	}
	return &full, nil
}

// Changes reads the writes and deletions after a cursor; see [pluvo.Store]. A limit of 0 is 100.
func (s *Store) Changes(ctx context.Context, after pluvo.Cursor, limit int) (*pluvo.ChangePage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from, err := sequenceOf(after)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 100
	}
	var rows []state
	var last int64
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if err = tx.Row(ctx, `SELECT last FROM ghlsync_sequence WHERE name = 'record'`).Scan(&last); err != nil {
			return err
		}
		rows, err = db.List(ctx, tx, scan, `SELECT `+columns+` FROM ghlsync_record
			WHERE sequence > $1 ORDER BY sequence LIMIT $2`, from, int64(limit)+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	if from > last {
		return nil, fmt.Errorf("pluvo: %w", pluvo.ErrBadCursor)
	}
	page := &pluvo.ChangePage{Next: after, More: len(rows) > limit}
	for _, row := range rows[:min(limit, len(rows))] {
		c := pluvo.Change{Kind: row.kind, ID: row.id, Version: row.version(), Owner: row.owner,
			Cursor: cursorAt(row.sequence)}
		if c.Origin, err = originOf(row.origin); err != nil {
			return nil, err
		}
		if row.exists() {
			if c.Record, err = row.record(); err != nil {
				return nil, err
			}
		}
		page.Changes = append(page.Changes, c)
		page.Next = c.Cursor
	}
	return page, nil
}

const cursorPrefix = "s"

func cursorAt(sequence int64) pluvo.Cursor {
	return pluvo.Cursor(cursorPrefix + strconv.FormatInt(sequence, 10))
}

func sequenceOf(c pluvo.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(string(c), cursorPrefix)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || cursorAt(n) != c {
		return 0, fmt.Errorf("pluvo: %w", pluvo.ErrBadCursor)
	}
	return n, nil
}
