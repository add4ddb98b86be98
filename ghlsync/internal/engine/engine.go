package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/pluvo"
)

// Config are the settings of an engine.
type Config struct {
	// DB is the database of links and last states; it must be migrated.
	DB *db.DB
	// Store holds Pluvo's records.
	Store pluvo.Store
	// Settle is how long after a create of unknown outcome the record may still appear; it is not made again before. 0
	// is 10 s.
	Settle time.Duration
	// IndexLag is the longest time by which HighLevel's searches lag behind; 0 is 6 minutes, a negative value none.
	IndexLag time.Duration
	// Conflict is told of each new conflict; nil tells nobody.
	Conflict func(Conflict)
	// Wrote is told of each write to either side, which is a "create", an "update" or a "delete"; nil tells nobody.
	Wrote func(location string, to Side, action string, kind pluvo.Kind)
	// Logger is told what was written; nil is slog.Default.
	Logger *slog.Logger
}

// Location is how a location is kept in step.
type Location struct {
	ID     string
	Client *ghl.Client
	Mapper *mapping.Mapper
	// Phone is the normaliser that the mapper has too; nil leaves phone numbers as written.
	Phone mapping.PhoneNormalizer
	// Owner says who wins a field that both sides have changed; nil is HighLevel.
	Owner func(kind pluvo.Kind, field string) Owner
	// Deletes says what happens when one side deletes a record; "" is [DeleteWins].
	Deletes DeletePolicy
	// Takes says whether a contact that was made in Pluvo belongs to this location; nil means that all do.
	Takes func(*pluvo.Contact) bool
	// Calendar gives the id of the calendar that an appointment made in Pluvo is booked in; "" and nil book none.
	Calendar func(*pluvo.Appointment) string
	// Stages are the tasks to make when a contact reaches a stage in Pluvo, by the stage's name.
	Stages map[string][]StageTask

	from source // where the run that it is passed to has HighLevel's side from; see reading
}

// DeletePolicy says what a deletion on one side means for the other.
type DeletePolicy string

// The policies.
const (
	// DeleteWins deletes the record on the other side, even if it was changed there since.
	DeleteWins DeletePolicy = "delete"
	// UpdateWins deletes it unless it was changed there since; then it is made anew.
	UpdateWins DeletePolicy = "update"
	// DeleteKeeps leaves the other side's record, and keeps it in step no longer.
	DeleteKeeps DeletePolicy = "keep"
)

// StageTask is a task that is made when a contact reaches a stage.
type StageTask struct {
	Title string
	// Due is how long after the contact has reached the stage the task is due.
	Due time.Duration
}

// Engine keeps contacts in step. It is safe for concurrent use.
type Engine struct {
	db      *db.DB
	store   pluvo.Store
	settle  time.Duration
	lag     time.Duration
	chunks  chunks
	log     *slog.Logger
	noticed func(Conflict)
	onWrite func(location string, to Side, action string, kind pluvo.Kind)

	mu        sync.RWMutex
	locations map[string]*Location
	order     []string

	queue   *queue.Queue
	feeding sync.Mutex // one reader of Pluvo's changes in a process is enough
}

// New returns an engine without locations.
func New(c Config) (*Engine, error) {
	switch {
	case c.DB == nil:
		return nil, errors.New("engine: DB is missing")
	case c.Store == nil:
		return nil, errors.New("engine: Store is missing")
	case c.Settle < 0:
		return nil, errors.New("engine: Settle is negative")
	}
	if c.Settle == 0 {
		c.Settle = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	switch {
	case c.IndexLag == 0:
		c.IndexLag = 6 * time.Minute
	case c.IndexLag < 0:
		c.IndexLag = 0
	}
	e := &Engine{db: c.DB, store: c.Store, settle: c.Settle, log: c.Logger, noticed: c.Conflict, onWrite: c.Wrote,
		locations: map[string]*Location{}, lag: c.IndexLag}
	e.chunks.size.Store(500)
	return e, nil
}

// Bind gives the engine the queue that it marks units in. It is called once, before anything else.
func (e *Engine) Bind(q *queue.Queue) { e.queue = q }

// markAfter marks aspects of a unit when the run has succeeded.
func (e *Engine) markAfter(run *queue.Run, unit string, a queue.Aspects) {
	run.Finally(func(ctx context.Context, tx *db.Tx) error {
		return e.queue.MarkTx(ctx, tx, queue.Unit{Location: run.Location, ID: unit}, a, queue.Live)
	})
}

// Expect has changes in Pluvo noted for a location before it is set: they wait.
func (e *Engine) Expect(location string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.order, location) {
		e.order = append(e.order, location)
	}
}

// SetLocation adds a location, or replaces how one is kept in step.
func (e *Engine) SetLocation(l Location) error {
	switch {
	case l.ID == "":
		return errors.New("engine: Location.ID is missing")
	case l.Client == nil || l.Client.Location() != l.ID:
		return fmt.Errorf("engine: location %s: the client is missing, or of another location", l.ID)
	case l.Mapper == nil:
		return fmt.Errorf("engine: location %s: the mapper is missing", l.ID)
	}
	switch l.Deletes {
	case "":
		l.Deletes = DeleteWins
	case DeleteWins, UpdateWins, DeleteKeeps:
	default:
		return fmt.Errorf("engine: location %s: unknown delete policy %q", l.ID, l.Deletes)
	}
	for stage, tasks := range l.Stages {
		for _, t := range tasks {
			if stage == "" || strings.TrimSpace(t.Title) == "" || t.Due < 0 {
				return fmt.Errorf("engine: location %s: a task of stage %q has no title or a negative due time",
					l.ID, stage)
			}
		}
	}
	e.Expect(l.ID)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.locations[l.ID] = &l
	return nil
}

// Client returns the client of a location; nil if it was not added.
func (e *Engine) Client(location string) *ghl.Client {
	if l := e.location(location); l != nil {
		return l.Client
	}
	return nil
}

func (e *Engine) location(id string) *Location {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.locations[id]
}

// unborn begins the id of the unit of a contact that was made in Pluvo and is not linked. All others have the contact's
// id in HighLevel.
const unborn = "pluvo:"

// Sync brings a unit in step. It is the [queue.Work] of a queue.
func (e *Engine) Sync(ctx context.Context, run *queue.Run) error {
	err := e.sync(ctx, run)
	if errors.Is(err, errChanged) { // no failure: what has changed is read again
		return &queue.WaitError{After: 200 * time.Millisecond, Reason: "a record of Pluvo was changed meanwhile"}
	}
	return err
}

// errChanged: a record of Pluvo is no longer what a run has read.
var errChanged = errors.New("the record has changed since it was read")

func (e *Engine) sync(ctx context.Context, run *queue.Run) error {
	l := e.location(run.Location)
	if l == nil {
		return &queue.WaitError{After: time.Minute, Reason: "this process does not serve the location"}
	}
	l = l.reading(liveFor(run))
	if id, ok := strings.CutPrefix(run.ID, unborn); ok {
		return e.join(ctx, run, l, id)
	}
	if name, ok := strings.CutPrefix(run.ID, strayed); ok {
		return e.find(ctx, run, l, name)
	}
	need, err := e.needed(ctx, l, run)
	if err != nil || need == 0 {
		return err
	}
	return e.syncContact(ctx, run, l, run.ID, need)
}

func (e *Engine) now() time.Time { return e.db.Now() }

// write runs fn in a transaction, unless the location of the run was taken over by another process.
func (e *Engine) write(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	return e.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Fence(ctx); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

func (e *Engine) noted(c Conflict) {
	e.log.LogAttrs(context.Background(), slog.LevelWarn, "conflict", slog.String("location", c.Location),
		slog.String("unit", c.Unit),
		slog.String("kind", string(c.Kind)), slog.String("field", c.Field), slog.String("winner", string(c.Winner)),
		slog.String("reason", c.Reason))
	if e.noticed != nil {
		e.noticed(c)
	}
}

// wrote is called for each write to either side.
func (e *Engine) wrote(ctx context.Context, l *Location, side Side, what string, r pluvo.Record) {
	e.log.LogAttrs(ctx, slog.LevelInfo, "synced", slog.String("location", l.ID), slog.String("to", string(side)),
		slog.String("action", what),
		slog.String("kind", string(r.Kind())), slog.String("id", r.Key()))
	if e.onWrite != nil {
		e.onWrite(l.ID, side, what, r.Kind())
	}
}

// origin is where a record of a location comes from.
func (l *Location) origin(ghlID string) pluvo.Origin {
	return pluvo.Origin{System: mapping.System, Location: l.ID, ID: ghlID}
}

// owner returns who wins the fields of a pair of records. Times are when each was changed last; zero is unknown.
func (l *Location) owner(kind pluvo.Kind, ghlAt, pluvoAt time.Time) func(field string) Side {
	return func(field string) Side {
		owner := OwnerGHL
		if l.Owner != nil {
			owner = l.Owner(kind, field)
		}
		switch {
		case owner == OwnerPluvo:
			return Pluvo
		case owner == OwnerNewest && !ghlAt.IsZero() && !pluvoAt.IsZero() && pluvoAt.After(ghlAt):
			return Pluvo
		}
		return GHL
	}
}

// instant is a time of HighLevel's; zero when it is unknown.
func instant(t ghl.Time) time.Time {
	at, _ := t.Instant()
	return at
}

// identify gives a record of HighLevel the ids that it has in Pluvo.
func identify(r pluvo.Record, id, contact string, origin pluvo.Origin) pluvo.Record {
	switch r := r.(type) {
	case *pluvo.Contact:
		r.ID, r.Origin = id, origin
	case *pluvo.Task:
		r.ID, r.ContactID, r.Origin = id, contact, origin
	case *pluvo.Note:
		r.ID, r.ContactID, r.Origin = id, contact, origin
	case *pluvo.Appointment:
		r.ID, r.ContactID, r.Origin = id, contact, origin
	}
	return r
}
