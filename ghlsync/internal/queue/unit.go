package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Delivery is a delivery of a webhook.
type Delivery struct {
	// ID is the webhookId, by which a repeated delivery is recognized.
	ID string
	// Kind is the event's type, such as "ContactUpdate".
	Kind string
	// Unit is the unit that the event concerns.
	Unit Unit
	// Aspects are what the event says has changed; 0 means Everything.
	Aspects Aspects
	// Body is the event, which the run gets ([Run.Events]) to see whether it has to read the aspects at all. Without a
	// body, or if it is too large to be stored, the aspects are marked.
	Body []byte
}

// ErrLocation means that the location is not synced.
var ErrLocation = errors.New("no such location")

// ErrInvalid means that an id is empty, too long, or contains a character that is not allowed.
var ErrInvalid = errors.New("invalid id")

func checkID(what, id string) error {
	if id == "" || len(id) > 200 || !db.Storable(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return fmt.Errorf("%s: %w", what, ErrInvalid)
	}
	return nil
}

func (u Unit) check() error {
	return errors.Join(checkID("location", u.Location), checkID("unit", u.ID))
}

// Deliver stores a delivery and marks its unit dirty. When it returns nil both are durable, so that the delivery may be
// acknowledged. A repeated delivery changes nothing, and is not fresh.
func (q *Queue) Deliver(ctx context.Context, d Delivery) (fresh bool, err error) {
	if err := errors.Join(checkID("delivery", d.ID), checkID("kind", d.Kind), d.Unit.check()); err != nil {
		return false, err
	}
	err = q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO ghlsync_delivery (id, location, kind, received_at)
			SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM ghlsync_location WHERE id = $5)
			ON CONFLICT (id) DO NOTHING`, d.ID, d.Unit.Location, d.Kind, db.Micros(q.DB.Now()), d.Unit.Location)
		if err != nil {
			return err
		}
		if fresh = n == 1; !fresh {
			_, err := lockLocation(ctx, tx, d.Unit.Location) // whether it is known
			return err
		}
		if d.Aspects == 0 {
			d.Aspects = Everything
		}
		if len(d.Body) == 0 || len(d.Body) > maxEvent || !db.Storable(string(d.Body)) {
			_, err := q.mark(ctx, tx, d.Unit, d.Aspects, Live)
			return err
		}
		number, err := q.mark(ctx, tx, d.Unit, 0, Live)
		if err != nil {
			return err
		}
		return addEvent(ctx, tx, d, number, q.DB.Now())
	})
	return fresh && err == nil, err
}

// Mark marks aspects of a unit dirty, so that they are synced: because of a change in Pluvo, a schedule or a person.
func (q *Queue) Mark(ctx context.Context, u Unit, a Aspects, p Priority) error {
	return q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return q.MarkTx(ctx, tx, u, a, p) })
}

// MarkTx is [Queue.Mark] within a transaction, such as the one that moves a cursor. A transaction must mark units in
// the order of their locations, or it may deadlock with another one.
func (q *Queue) MarkTx(ctx context.Context, tx *db.Tx, u Unit, a Aspects, p Priority) error {
	if err := u.check(); err != nil {
		return err
	}
	_, err := q.mark(ctx, tx, u, a, p)
	return err
}

// row is the row of a unit.
type row struct {
	Unit
	number, synced  int64
	priority        Priority
	due             time.Time
	stopped         bool
	epoch           int64 // 0 means that no run works on the unit
	attempts, kills int64
	changed         time.Time // the first change that is not synced; the last change if all are
	read            time.Time // the last run that has read everything did not read it earlier
	dirty, taken    Aspects   // changed since the current or last run began; to be synced by that run
}

const rowColumns = `location, unit, number, synced, priority, due, stopped, epoch, attempts, kills, changed_at, read_at,
	dirty, taken`

func scanRow(r db.Row) (u row, err error) {
	var priority, due, stopped, changed, read int64
	err = r.Scan(&u.Location, &u.ID, &u.number, &u.synced, &priority, &due, &stopped, &u.epoch, &u.attempts, &u.kills,
		&changed, &read, (*int64)(&u.dirty), (*int64)(&u.taken))
	u.priority, u.due, u.stopped = Priority(priority), db.Time(due), stopped != 0
	u.changed, u.read = db.Time(changed), db.Time(read)
	return u, err
}

// lock reads and locks the row of a unit. The transaction has locked the location's row before.
func lock(ctx context.Context, tx *db.Tx, u Unit) (row, error) {
	return scanRow(tx.Row(ctx, `SELECT `+rowColumns+` FROM ghlsync_unit
		WHERE location = $1 AND unit = $2 FOR UPDATE`, u.Location, u.ID))
}

func (u row) store(ctx context.Context, tx *db.Tx) error {
	stopped := int64(0)
	if u.stopped {
		stopped = 1
	}
	n, err := tx.Exec(ctx, `UPDATE ghlsync_unit
		SET number = $3, synced = $4, priority = $5, due = $6, stopped = $7, epoch = $8, attempts = $9, kills = $10,
			changed_at = $11, read_at = $12, dirty = $13, taken = $14
		WHERE location = $1 AND unit = $2`,
		u.Location, u.ID, u.number, u.synced, int64(u.priority), db.Micros(u.due), stopped, u.epoch, u.attempts,
		u.kills, db.Micros(u.changed), db.Micros(u.read), int64(u.dirty), int64(u.taken))
	if err == nil && n != 1 {
		err = errors.New("queue: a unit was deleted")
	}
	return err
}

// mark increments the dirty number of a unit, and has the location worked. It returns the new number. A unit that waits
// for its retry waits on; one that waits for something else, or has stopped, runs at once.
func (q *Queue) mark(ctx context.Context, tx *db.Tx, id Unit, a Aspects, p Priority) (number int64, err error) {
	if err := q.ensureJob(ctx, tx, id.Location); err != nil {
		return 0, err
	}
	err = tx.Row(ctx, `INSERT INTO ghlsync_unit (location, unit, number, changed_at, priority, dirty)
		VALUES ($1, $2, 1, $3, $4, $5)
		ON CONFLICT (location, unit) DO UPDATE SET number = ghlsync_unit.number + 1,
			dirty = ghlsync_unit.dirty | excluded.dirty,
			changed_at = CASE WHEN ghlsync_unit.number > ghlsync_unit.synced
				THEN ghlsync_unit.changed_at ELSE excluded.changed_at END,
			priority = CASE WHEN ghlsync_unit.number > ghlsync_unit.synced AND ghlsync_unit.priority < excluded.priority
				THEN ghlsync_unit.priority ELSE excluded.priority END,
			due = CASE WHEN ghlsync_unit.epoch > 0
					OR ghlsync_unit.number > ghlsync_unit.synced AND ghlsync_unit.stopped = 0
					AND (ghlsync_unit.attempts > 0 OR ghlsync_unit.priority <= excluded.priority)
				THEN ghlsync_unit.due ELSE 0 END,
			stopped = 0
		RETURNING number`, id.Location, id.ID, db.Micros(q.DB.Now()), int64(p), int64(a)).Scan(&number)
	return number, err
}
