// Package alerts stores alerts in the database until they are sent. An alert is added in the transaction that finds
// the incident, and one process at a time sends it.
package alerts

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Entry is an alert about an incident.
type Entry struct {
	// Incident is the name of the incident. It has one alert until it is over.
	Incident string
	// Topic groups alerts that may be sent together.
	Topic string
	// Body is the content of the alert.
	Body string
}

// Batch is a group of alerts that is sent as one.
type Batch struct {
	// ID is the same for each attempt to send the batch.
	ID string
	// Bodies are the bodies of the alerts, the oldest first.
	Bodies []string
	// Attempt counts the failed attempts and this one.
	Attempt int
}

// Only tests change these.
var (
	// Window is how long alerts wait after an alert of the same topic, to be sent together.
	Window = time.Minute
	// First and Max are the shortest and the longest wait after a failed attempt.
	First, Max = 5 * time.Second, 10 * time.Minute
)

const (
	// claim is the time after which another process may send a batch that a process has taken. It is longer than any
	// attempt.
	claim = 45 * time.Second
	// maxAge is the age at which alerts are deleted, sent or not.
	maxAge = 90 * 24 * time.Hour
)

// Outbox holds the alerts of a database.
type Outbox struct{ DB *db.DB }

// Add adds an alert in a transaction. It does nothing if the incident has an alert and is not over.
func (o Outbox) Add(ctx context.Context, tx *db.Tx, e Entry) error {
	var tried int64
	err := tx.Row(ctx, `SELECT coalesce(max(tried_at), 0) FROM ghlsync_alert WHERE topic = $1`, e.Topic).Scan(&tried)
	if err != nil {
		return err
	}
	now := o.DB.Now()
	next := now
	if tried > 0 {
		if after := db.Time(tried).Add(Window); after.After(next) {
			next = after
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO ghlsync_alert (id, incident, topic, body, created_at, next_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (incident) WHERE over_at = 0 DO NOTHING`,
		rand.Text(), e.Incident, e.Topic, e.Body, db.Micros(now), db.Micros(next))
	return err
}

// Over ends an incident, so that the next one with its name gets a new alert. An unsent alert of the incident is
// still sent.
func (o Outbox) Over(ctx context.Context, incident string) error {
	return o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET over_at = $2 WHERE incident = $1 AND over_at = 0`,
			incident, db.Micros(o.DB.Now()))
		return err
	})
}

// Due reports whether an alert is due to be sent.
func (o Outbox) Due(ctx context.Context) (due bool, err error) {
	err = o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var n int64
		err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_alert WHERE sent_at = 0 AND next_at <= $1`,
			db.Micros(o.DB.Now())).Scan(&n)
		due = n > 0
		return err
	})
	return due, err
}

// Take returns the next batch for this process to send; nil if no alert is due. Other processes do not get the batch
// while this process may be sending it.
func (o Outbox) Take(ctx context.Context) (*Batch, error) {
	var batch *Batch
	err := o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		batch = nil
		if err := tx.Lock(ctx, "alerts"); err != nil {
			return err
		}
		now := o.DB.Now()
		type first struct{ id, topic, batch string }
		due, err := db.List(ctx, tx, func(r db.Row) (f first, err error) {
			return f, r.Scan(&f.id, &f.topic, &f.batch)
		},
			`SELECT id, topic, batch FROM ghlsync_alert WHERE sent_at = 0 AND next_at <= $1
				ORDER BY created_at, id LIMIT 1`, db.Micros(now))
		if err != nil || len(due) == 0 {
			return err
		}
		f := due[0]
		if f.batch == "" {
			f.batch = f.id
			if _, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET batch = $1, tried_at = $2
				WHERE topic = $3 AND batch = '' AND sent_at = 0`, f.batch, db.Micros(now), f.topic); err != nil {
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

// Sent records that a batch was delivered.
func (o Outbox) Sent(ctx context.Context, b *Batch) error {
	return o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET sent_at = $2 WHERE batch = $1`, b.ID, db.Micros(o.DB.Now()))
		return err
	})
}

// Failed records that sending a batch failed, and schedules a retry.
func (o Outbox) Failed(ctx context.Context, b *Batch) error {
	pause := min(First<<min(b.Attempt-1, 20), Max)
	return o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE ghlsync_alert SET attempts = attempts + 1, next_at = $2
			WHERE batch = $1 AND sent_at = 0`, b.ID, db.Micros(o.DB.Now().Add(pause)))
		return err
	})
}

// Prune deletes old alerts and returns how many of them were never sent.
func (o Outbox) Prune(ctx context.Context) (lost int, err error) {
	err = o.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		before := db.Micros(o.DB.Now().Add(-maxAge))
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
