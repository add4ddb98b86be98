// Package alerts keeps alerts in the database until they are sent: an incident is entered in the transaction that finds it, and
// sent by one process at a time.
package alerts

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Entry is an incident.
type Entry struct {
	// Incident names it: while it is not over there is one alert of it.
	Incident string
	// Topic is what it has in common with those it may be sent together with.
	Topic string
	// Body is what to tell.
	Body string
}

// Batch is what is sent as one.
type Batch struct {
	// ID is the same whenever the batch is tried.
	ID string
	// Bodies are those of its incidents, the first first.
	Bodies []string
	// Attempt counts the tries that have failed, and this one.
	Attempt int
}

// Settings of the times; only tests change them.
var (
	// Window is how long after an alert those of its topic wait, to be sent together.
	Window = time.Minute
	// First and Max are the shortest and the longest pause after a failed try.
	First, Max = 5 * time.Second, 10 * time.Minute
)

const (
	// claim is how long after a process began to send a batch another may. It is longer than any try.
	claim = 45 * time.Second
	// keep is how long alerts are kept, sent or not.
	keep = 90 * 24 * time.Hour
)

// Outbox are the alerts of a database.
type Outbox struct{ DB *db.DB }

// Add enters an incident, as a part of a transaction. One that is there and not over is not entered again.
func (o Outbox) Add(ctx context.Context, tx *db.Tx, e Entry) error {
	var tried int64
	if err := tx.Row(ctx, `SELECT coalesce(max(tried_at), 0) FROM ghlsync_alert WHERE topic = $1`, e.Topic).Scan(&tried); err != nil {
		return err
	}
	now := o.DB.Now()
	next := now
	if tried > 0 {
		if after := db.Time(tried).Add(Window); after.After(next) {
			next = after
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_alert (id, incident, topic, body, created_at, next_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (incident) WHERE over_at = 0 DO NOTHING`, rand.Text(), e.Incident, e.Topic, e.Body, db.Micros(now), db.Micros(next))
	return err
}

// Over says that an incident is over: the next of its name is another one. An alert that was not sent yet still is.
func (o Outbox) Over(ctx context.Context, incident string) error {
	return o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET over_at = $2 WHERE incident = $1 AND over_at = 0`, incident, db.Micros(o.DB.Now()))
		return err
	})
}

// Due reports whether there is something to send.
func (o Outbox) Due(ctx context.Context) (due bool, err error) {
	err = o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var n int64
		err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_alert WHERE sent_at = 0 AND next_at <= $1`, db.Micros(o.DB.Now())).Scan(&n)
		due = n > 0
		return err
	})
	return due, err
}

// Take takes what is to be sent next, for this process to send; nil if there is nothing.
func (o Outbox) Take(ctx context.Context) (*Batch, error) {
	var batch *Batch
	err := o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		batch = nil
		if err := tx.Lock(ctx, "alerts"); err != nil {
			return err
		}
		now := o.DB.Now()
		type first struct{ id, topic, batch string }
		due, err := db.List(ctx, tx, func(r db.Row) (f first, err error) { return f, r.Scan(&f.id, &f.topic, &f.batch) },
			`SELECT id, topic, batch FROM ghlsync_alert WHERE sent_at = 0 AND next_at <= $1 ORDER BY created_at, id LIMIT 1`, db.Micros(now))
		if err != nil || len(due) == 0 {
			return err
		}
		f := due[0]
		if f.batch == "" {
			f.batch = f.id
			if _, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET batch = $1, tried_at = $2 WHERE topic = $3 AND batch = '' AND sent_at = 0`,
				f.batch, db.Micros(now), f.topic); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET next_at = $1 WHERE batch = $2`,
			db.Micros(now.Add(claim)), f.batch); err != nil {
			return err
		}
		batch = &Batch{ID: f.batch}
		batch.Bodies, err = db.List(ctx, tx, func(r db.Row) (body string, err error) {
			var attempts int64
			err = r.Scan(&body, &attempts)
			batch.Attempt = int(attempts) + 1
			return body, err
		}, `SELECT body, attempts FROM ghlsync_alert WHERE batch = $1 ORDER BY created_at, id`, f.batch)
		return err
	})
	return batch, err
}

// Sent says that a batch has arrived.
func (o Outbox) Sent(ctx context.Context, b *Batch) error {
	return o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET sent_at = $2 WHERE batch = $1`, b.ID, db.Micros(o.DB.Now()))
		return err
	})
}

// Failed says that a batch has not arrived: it is tried again after a pause.
func (o Outbox) Failed(ctx context.Context, b *Batch) error {
	pause := min(First<<min(b.Attempt-1, 20), Max)
	return o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET attempts = attempts + 1, next_at = $2 WHERE batch = $1 AND sent_at = 0`, b.ID, db.Micros(o.DB.Now().Add(pause)))
		return err
	})
}

// Prune removes what is old, and returns how many were never sent.
func (o Outbox) Prune(ctx context.Context) (lost int, err error) {
	err = o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		before := db.Micros(o.DB.Now().Add(-keep))
		n, err := tx.Exec(ctx, `DELETE FROM ghlsync_alert WHERE created_at < $1 AND sent_at = 0`, before)
		if err != nil {
			return err
		}
		lost = int(n)
		_, err = tx.Exec(ctx, `DELETE FROM ghlsync_alert WHERE created_at < $1`, before)
		return err
	})
	return lost, err
}
