package engine_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/dbtest"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghlsync/internal/records"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// world is both sides and what keeps them in step.
type world struct {
	t      *testing.T
	db     *db.DB
	server *ghltest.Server
	client *ghl.Client
	pluvo  *store
	engine *engine.Engine
	queue  *queue.Queue
}

// store is Pluvo's, which does something once after the next write of a record, if it is told what.
type store struct {
	pluvo.Store
	after atomic.Pointer[func() error]
}

func (s *store) Put(ctx context.Context, r pluvo.Record, v pluvo.Version) (pluvo.Version, error) {
	now, err := s.Store.Put(ctx, r, v)
	if f := s.after.Swap(nil); f != nil && err == nil {
		err = (*f)()
	}
	return now, err
}

// settle is how long a record may take to appear.
const settle = 300 * time.Millisecond

// phones writes ten digits as an American number, as ghltest does.
var phones = mapping.PhoneNormalizerFunc(func(phone string) (string, bool) {
	digits := ""
	for _, r := range phone {
		if r >= '0' && r <= '9' {
			digits += string(r)
		}
	}
	switch {
	case len(digits) == 10:
		return "+1" + digits, true
	case len(digits) > 10:
		return "+" + digits, true
	}
	return "", false
})

// newWorld begins with two empty sides. Change may change how the location is kept in step.
func newWorld(t *testing.T, address string, change func(*engine.Location)) *world {
	t.Helper()
	w := &world{t: t, db: dbtest.Open(t, address), server: ghltest.Start(t)}
	var err error
	w.client, err = ghl.New(append(w.server.ClientOptions(),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))...)
	require.NoError(t, err)
	w.pluvo = &store{Store: records.New(w.db)}
	w.engine, err = engine.New(engine.Config{DB: w.db, Store: w.pluvo, Settle: settle,
		Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	w.queue, err = queue.New(queue.Config{DB: w.db, Work: w.engine.Sync, Poll: 20 * time.Millisecond,
		Logger:  slog.New(slog.DiscardHandler),
		Retries: queue.Retry{First: 50 * time.Millisecond, Max: 200 * time.Millisecond}})
	require.NoError(t, err)
	w.engine.Bind(w.queue)
	location, err := w.client.Locations.Get(t.Context(), w.client.Location())
	require.NoError(t, err)
	zone, err := location.TimeLocation()
	require.NoError(t, err)
	mapper, err := mapping.New(mapping.Options{Location: w.client.Location(), TimeZone: zone, Phone: phones})
	require.NoError(t, err)
	l := engine.Location{ID: w.client.Location(), Client: w.client, Mapper: mapper, Phone: phones}
	if change != nil {
		change(&l)
	}
	require.NoError(t, w.engine.SetLocation(l))
	require.NoError(t, w.queue.AddLocation(t.Context(), l.ID))
	require.NoError(t, w.queue.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, w.queue.Stop(ctx))
	})
	return w
}

// touch marks a contact of HighLevel, as a delivery does.
func (w *world) touch(id string) {
	w.t.Helper()
	require.NoError(w.t, w.queue.Mark(w.t.Context(), queue.Unit{Location: w.client.Location(), ID: id}, queue.Everything, queue.Live))
}

// known adds a contact to HighLevel and waits until both sides have it.
func (w *world) known(c ghl.Contact) ghl.Contact {
	w.t.Helper()
	c = w.server.AddContact(c)
	w.touch(c.ID)
	w.settle()
	return c
}

// theirName changes the last name of a contact in HighLevel.
func (w *world) theirName(id, last string) {
	w.t.Helper()
	_, err := w.client.Contacts.Update(w.t.Context(), id, &ghl.ContactUpdate{LastName: ghl.Some(last)})
	require.NoError(w.t, err)
}

// edit changes a contact in Pluvo.
func (w *world) edit(id string, change func(*pluvo.Contact)) {
	w.t.Helper()
	c := w.full(id).Contact
	change(&c)
	w.put(&c)
}

// do works on a contact as a run of the queue does.
func (w *world) do(id string, work queue.Work) {
	w.t.Helper()
	done, err := w.queue.Do(w.t.Context(), queue.Unit{Location: w.client.Location(), ID: id},
		time.Now().Add(time.Hour), work)
	require.NoError(w.t, err)
	require.True(w.t, done)
}

// onlyThere maps a contact's stage to a field that is not read from HighLevel.
func onlyThere(t *testing.T, l *engine.Location) {
	rules, err := mapping.LoadRules("rules", []byte("version: 1\ncontact:\n  - {ghl: firstName, pluvo: firstName}\n"+
		"  - {ghl: email, pluvo: email}\n  - {ghl: source, pluvo: stage, direction: toGHL}\n"), nil)
	require.NoError(t, err)
	l.Mapper, err = mapping.New(mapping.Options{Location: l.ID, Rules: rules})
	require.NoError(t, err)
}

// settle follows Pluvo's changes and waits until nothing is to be done.
func (w *world) settle() {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for quiet := 0; quiet < 2; {
		require.NoError(w.t, w.engine.Follow(w.t.Context()))
		var behind int64
		require.NoError(w.t, w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
			return tx.Row(ctx, `SELECT count(*) FROM ghlsync_unit WHERE number > synced AND stopped = 0`).Scan(&behind)
		}))
		if behind == 0 {
			quiet++
			continue
		}
		quiet = 0
		require.True(w.t, time.Now().Before(deadline), "it does not settle: %v", w.failures())
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *world) failures() []string {
	var list []string
	_ = w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (s string, err error) {
			var state, message string
			err = r.Scan(&state, &message)
			return state + ": " + message, err
		}, `SELECT state, message FROM ghlsync_failure`)
		return err
	})
	return list
}

// writes are the requests that changed something in HighLevel since the last time it was asked.
func (w *world) writes() []string {
	var list []string
	for _, r := range w.server.Requests() {
		op := r.Operation
		if r.Method != "GET" && op != "contacts.search" && op != "tasks.search" {
			list = append(list, op)
		}
	}
	w.server.ResetRequests()
	return list
}

func (w *world) put(r pluvo.Record) {
	w.t.Helper()
	_, err := w.pluvo.Put(w.t.Context(), r, pluvo.AnyVersion)
	require.NoError(w.t, err)
}

func (w *world) full(id string) *pluvo.FullContact {
	w.t.Helper()
	f, err := w.pluvo.Full(w.t.Context(), id)
	require.NoError(w.t, err)
	return f
}

func (w *world) contact(id string) ghl.Contact {
	w.t.Helper()
	c, ok := w.server.Contact(id)
	require.True(w.t, ok)
	return c
}

func (w *world) conflicts() []engine.Conflict {
	w.t.Helper()
	list, err := w.engine.Conflicts(w.t.Context(), false, 0)
	require.NoError(w.t, err)
	return list
}

// retryAll has everything that failed tried again.
func (w *world) retryAll() {
	w.t.Helper()
	units, err := w.units()
	require.NoError(w.t, err)
	for _, u := range units {
		require.NoError(w.t, w.queue.Mark(w.t.Context(), u, queue.Everything, queue.Live))
	}
}

func (w *world) units() (list []queue.Unit, err error) {
	err = w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = db.List(ctx, tx, func(r db.Row) (u queue.Unit, err error) { return u, r.Scan(&u.Location, &u.ID) },
			`SELECT location, unit FROM ghlsync_unit WHERE number > synced ORDER BY unit`)
		return err
	})
	return list, err
}

// freeSlot returns a time at which a calendar can be booked: the first of a day, so that there are others some hours
// later.
func (w *world) freeSlot(calendar string) time.Time {
	w.t.Helper()
	from := time.Now().Add(24 * time.Hour)
	days, err := w.client.Calendars.FreeSlots(w.t.Context(), calendar,
		&ghl.FreeSlotsQuery{From: from, To: from.AddDate(0, 0, 7)})
	require.NoError(w.t, err)
	require.Greater(w.t, len(days), 1)
	for _, day := range days[1:] { // the first has begun
		for _, slot := range day.Slots {
			if at, ok := slot.Instant(); ok {
				return at
			}
		}
	}
	require.Fail(w.t, "no free slot")
	return time.Time{}
}

func (w *world) pluvoAppointments(contacts ...string) (list []pluvo.Appointment) {
	for _, id := range contacts {
		list = append(list, w.full(id).Appointments...)
	}
	return list
}

// age is how long ago a contact was last stored as in step.
func (w *world) age(ghlID string) time.Duration {
	var at int64
	require.NoError(w.t, w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.Row(ctx, `SELECT synced_at FROM ghlsync_link WHERE kind = 'contact' AND ghl_id = $1`, ghlID).Scan(&at)
	}))
	return w.db.Now().Sub(db.Time(at))
}

// linked returns the ids in HighLevel of a record of Pluvo.
func (w *world) linked(id string) (ids []string) {
	require.NoError(w.t, w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		ids, err = db.List(ctx, tx, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
			`SELECT ghl_id FROM ghlsync_link WHERE pluvo_id = $1`, id)
		return err
	}))
	return ids
}
