package queue

import (
	"context"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Aspects are parts of a unit, as bits. A mark says which parts have changed. Aspects of several marks are added up
// until a run has synced them.
type Aspects int64

// The aspects of a contact.
const (
	AspectContact      Aspects = 1 << iota // HighLevel's contact
	AspectTasks                            // its tasks in HighLevel
	AspectNotes                            // its notes in HighLevel
	AspectAppointments                     // its appointments in HighLevel
	AspectPluvo                            // Pluvo's contact and the records that belong to it

	// Everything is all aspects.
	Everything = AspectContact | AspectTasks | AspectNotes | AspectAppointments | AspectPluvo
)

// Event is a delivery that waits for a run.
type Event struct {
	// Aspects are what the delivery says has changed.
	Aspects Aspects
	// Received is when the delivery was received.
	Received time.Time
	// Body is the body of the delivery.
	Body []byte
}

// maxEvent is the size of the largest body that is stored. A delivery with a larger one marks its aspects.
const maxEvent = 32 << 10

// addEvent stores the body of a delivery with the number that it has caused.
func addEvent(ctx context.Context, tx *db.Tx, d Delivery, number int64, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO ghlsync_event (delivery, location, unit, number, aspects, received_at, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.ID, d.Unit.Location, d.Unit.ID, number, int64(d.Aspects), db.Micros(now), string(d.Body))
	return err
}

// scanEvent reads a row with the columns aspects, received_at and body, and further ones.
func scanEvent(r db.Row, more ...any) (Event, error) {
	var aspects, received int64
	var body string
	err := r.Scan(append([]any{&aspects, &received, &body}, more...)...)
	return Event{Aspects(aspects), db.Time(received), []byte(body)}, err
}

// eventsOf reads the deliveries of a unit up to a number, in their order.
func eventsOf(ctx context.Context, tx *db.Tx, u row) ([]Event, error) {
	return db.List(ctx, tx, func(r db.Row) (Event, error) { return scanEvent(r) },
		`SELECT aspects, received_at, body FROM ghlsync_event
		WHERE location = $1 AND unit = $2 AND number <= $3 ORDER BY number`, u.Location, u.ID, u.number)
}

// dropEvents deletes the deliveries of a unit up to a number.
func dropEvents(ctx context.Context, tx *db.Tx, u Unit, number int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM ghlsync_event WHERE location = $1 AND unit = $2 AND number <= $3`,
		u.Location, u.ID, number)
	return err
}

// foldEvents marks the aspects of a run's deliveries, so that a unit that fails for long does not collect bodies.
func (u *row) foldEvents(ctx context.Context, tx *db.Tx, run *Run) error {
	if len(run.Events) == 0 {
		return nil
	}
	for _, e := range run.Events {
		u.taken |= e.Aspects
	}
	return dropEvents(ctx, tx, u.Unit, run.Number)
}
