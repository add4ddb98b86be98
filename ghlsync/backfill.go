package ghlsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// BackfillOptions say what a backfill takes over. The zero value has the defaults.
type BackfillOptions struct {
	// Notes takes over notes too, which costs one more call for each contact.
	Notes bool
	// Since and Until bound the appointments by their time; zero is a year back and a year ahead. Others come with the first
	// change of their contact.
	Since, Until time.Time
	// Window is how much of a calendar is read with one call; 0 is 31 days. HighLevel has no pages there.
	Window time.Duration
	// Progress is told how far it is, from time to time and at the end. It is called by one goroutine at a time.
	Progress func(Progress)
}

// Stage is what a backfill is at.
type Stage string

// The stages, in their order.
const (
	StageTasks        Stage = "tasks"        // lists tasks
	StageAppointments Stage = "appointments" // lists appointments
	StageContacts     Stage = "contacts"     // takes contacts over, with all that belongs to them
	StageDone         Stage = "done"
)

// Progress is how far a backfill is.
type Progress struct {
	Location string
	Stage    Stage
	// Done, Left and Total count contacts. Total is 0 until the contacts begin, and can change while it runs.
	Done, Left, Total int
	// Tasks and Appointments are how many were found.
	Tasks, Appointments int
	// Resumed is how many of the contacts were done by a run before that was interrupted.
	Resumed int
	// Rate is contacts a second.
	Rate float64
	// Remaining is the time to go at that rate; 0 while that is not known.
	Remaining time.Duration
}

// ErrBackfillRuns: a backfill or a full comparison of the location is under way, in this process or another.
var ErrBackfillRuns = errors.New("ghlsync: a backfill or a full comparison of the location is under way")

// Backfill takes over a location's contacts from HighLevel, with their tasks, appointments and, if asked for, notes. It reads
// pages and lists instead of each contact by itself: contacts by 500, tasks by 100, appointments by calendar and
// [BackfillOptions.Window]. Its calls let others of the location go first.
//
// How far it is, is stored after each page. When it was interrupted, by the end of ctx or of the process, the next call with the
// same Notes, and times that reach no further, goes on there, after listing tasks and appointments again; they are kept in memory
// meanwhile.
//
// It may be run at any time, also while changes come in. What is newer than its lists stays: a contact that was worked on since
// they were read is left alone, and nothing is deleted or written to HighLevel because of a list. Where a contact wants that, it
// is read and brought in step like any other. What fails is in [Syncer.Failures] and tried again like everything else; the
// backfill goes on.
//
// It leaves a tenth of the day's quota of requests to live changes, and fails with an error of [ghl.ErrDailyLimit] when it has
// come to that.
//
// Beside what contacts need, it needs the scopes locations/tasks.readonly, calendars.readonly and calendars/events.readonly.
//
// The Syncer must be started. One backfill of a location runs at a time, among all processes; a second is [ErrBackfillRuns].
func (s *Syncer) Backfill(ctx context.Context, location string, o BackfillOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, end, err := s.while(ctx)
	if err != nil {
		return err
	}
	defer end()
	client := s.engine.Client(location)
	if client == nil {
		return fmt.Errorf("ghlsync: location %s is not open (yet), or not among Config.Locations", location)
	}
	held, release, err := s.queue.Hold(ctx, "backfill/"+location)
	if err != nil {
		return holdError(err)
	}
	defer release()
	now := s.db.Now()
	o = o.withDefaults(now)
	b := &backfill{Syncer: s, client: client, location: location, options: o,
		place: place{Notes: o.Notes, Since: o.Since, Until: o.Until, Begun: now}}
	return b.run(held)
}

func holdError(err error) error {
	if errors.Is(err, queue.ErrHeld) {
		return ErrBackfillRuns
	}
	return fmt.Errorf("ghlsync: %w", err)
}

func (o *BackfillOptions) check() error {
	switch {
	case o.Window < 0:
		return &ConfigError{Setting: "BackfillOptions.Window", Problem: "must not be negative"}
	case !o.Since.IsZero() && !o.Until.IsZero() && !o.Until.After(o.Since):
		return &ConfigError{Setting: "BackfillOptions.Until", Problem: "must be after Since"}
	}
	return nil
}

func (o BackfillOptions) withDefaults(now time.Time) BackfillOptions {
	if o.Since.IsZero() {
		o.Since = now.AddDate(-1, 0, 0)
	}
	if o.Until.IsZero() {
		o.Until = now.AddDate(1, 0, 0)
	}
	if o.Window == 0 {
		o.Window = defaultWindow
	}
	return o
}

// while returns a context that ends with the Syncer too, which waits for end to be called.
func (s *Syncer) while(ctx context.Context) (joined context.Context, end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != running {
		return nil, nil, errors.New("ghlsync: it is not started")
	}
	joined, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.life, cancel)
	s.loops.Add(1)
	return joined, func() {
		stop()
		cancel()
		s.loops.Done()
	}, nil
}

// defaultWindow is how much of a calendar is read with one call.
const defaultWindow = 31 * 24 * time.Hour

// Only tests change these.
var (
	pageLimit = 500                    // how many contacts are read with one call, and between two checkpoints
	tellEvery = 200 * time.Millisecond // how often progress is told at most
)

// indexLag is how far HighLevel's searches may be behind. What was read of a contact within this time before a list began may be
// newer than the list.
const indexLag = time.Minute

// backfill is one run, for a person or for a comparison.
type backfill struct {
	*Syncer
	client     *ghl.Client
	location   string
	options    BackfillOptions
	seen       map[string]bool // the ids of the contacts that were listed, for a comparison; else nil
	incomplete bool            // the list of contacts

	lists *lists
	asOf  time.Time // when the lists were surely up to date
	place place
	began time.Time // to take contacts over

	mu       sync.Mutex
	notesOf  map[string][]*ghl.Note // of contacts that a comparison leaves alone; else nil
	progress Progress
	told     time.Time
}

// place is how far a backfill is.
type place struct {
	After ghl.Cursor `json:"after"`
	Done  int        `json:"done"`
	// The options that it was begun with, and when.
	Notes bool      `json:"notes"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Begun time.Time `json:"begun"`
}

// covers reports whether what was done until a place need not be done again for what is wanted now. Times that are reckoned from
// now are later each time.
func (p place) covers(now place) bool {
	return p.Notes == now.Notes && !now.Since.Before(p.Since.Add(-time.Hour)) && !now.Until.After(p.Until.Add(now.Begun.Sub(p.Begun)+time.Hour))
}

// compares reports whether it is for a comparison: that keeps no checkpoint, and goes on without a list that the token does not
// reach.
func (b *backfill) compares() bool { return b.seen != nil }

// checkpoint is the name of the cursor that keeps its place.
func (b *backfill) checkpoint() string { return "backfill/" + b.location }

func (b *backfill) run(ctx context.Context) error {
	if !b.compares() {
		var before place
		if _, found, err := b.cursor(ctx, b.checkpoint(), &before); err != nil {
			return err
		} else if found && before.covers(b.place) {
			b.place = before
		}
	}
	b.progress = Progress{Location: b.location, Stage: StageTasks, Done: b.place.Done, Resumed: b.place.Done}
	b.asOf = b.db.Now().Add(-indexLag)
	b.tell(true)
	var err error
	if b.lists, err = b.list(ctx); err != nil {
		return b.stopped(ctx, err)
	}
	b.progress.Stage, b.began = StageContacts, time.Now()
	if err := b.contacts(ctx); err != nil {
		return b.stopped(ctx, err)
	}
	if !b.compares() {
		err := b.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return tx.DropCursor(ctx, b.checkpoint()) })
		if err != nil {
			return err
		}
	}
	b.progress.Stage, b.progress.Total = StageDone, b.progress.Done
	b.tell(true)
	return nil
}

func (b *backfill) stopped(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("ghlsync: the backfill of %s stopped at contact %d: %w", b.location, b.place.Done, err)
}

// list reads what is listed for the whole location.
func (b *backfill) list(ctx context.Context) (*lists, error) {
	l := newLists()
	count := func() {
		b.progress.Tasks, b.progress.Appointments = l.tasks, l.appointments
		b.tell(false)
	}
	if err := b.granted(ctx, l, l.readTasks(ctx, b.client, count)); err != nil {
		return nil, err
	}
	b.progress.Stage = StageAppointments
	return l, b.granted(ctx, l, l.readAppointments(ctx, b.client, b.options.Since, b.options.Until, b.options.Window, count))
}

// granted lets a schedule go on without a list that the token does not reach. A person who asks for a backfill is told.
func (b *backfill) granted(ctx context.Context, l *lists, err error) error {
	if b.compares() && errors.Is(err, ghl.ErrMissingScope) {
		l.incomplete = true
		b.leftOut(ctx, b.location, err)
		return nil
	}
	return err
}

// contacts goes through the contacts page by page, the oldest first, so that new ones come at the end.
func (b *backfill) contacts(ctx context.Context) error {
	var resp ghl.Response
	search := &ghl.SearchRequest{PageLimit: pageLimit, After: b.place.After, Sort: []ghl.SearchField{ghl.FieldDateAdded}}
	for page, err := range b.client.Contacts.SearchPages(ctx, search, ghl.CallBackground(), ghl.CallResponse(&resp)) {
		if err != nil {
			return err
		}
		if n := len(resp.Skipped); n > 0 {
			b.incomplete = true
			b.log.LogAttrs(ctx, slog.LevelWarn, "contacts on a page can't be read, and are left out", slog.String("location", b.location), slog.Int("contacts", n))
		}
		b.progress.Total = max(page.Total, b.place.Done+len(page.Contacts))
		if err := b.page(ctx, page.Contacts); err != nil {
			return err
		}
		b.place.Done += len(page.Contacts)
		if page.Next == "" && b.place.Done < page.Total {
			b.incomplete = true
			b.log.LogAttrs(ctx, slog.LevelWarn, "the list of contacts ends before it is complete", slog.String("location", b.location),
				slog.Int("contacts", b.place.Done), slog.Int("total", page.Total))
		}
		if page.Next == "" || b.compares() {
			continue
		}
		b.place.After = page.Next
		err := b.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return b.moveCursor(ctx, tx, b.checkpoint(), b.place) })
		if err != nil {
			return err
		}
	}
	return nil
}

// page takes over the contacts of a page, some at once.
func (b *backfill) page(ctx context.Context, contacts []*ghl.Contact) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan *ghl.Contact)
	var wg sync.WaitGroup
	for range b.queue.Workers {
		wg.Go(func() {
			for c := range work {
				if err := b.contact(ctx, c); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, c := range contacts {
		if b.compares() {
			b.seen[c.ID] = true
		}
		select {
		case work <- c:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

func (b *backfill) contact(ctx context.Context, c *ghl.Contact) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	snapshot := engine.Snapshot{Contact: c, Notes: b.options.Notes, Tasks: b.lists.tasksOf[c.ID], Appointments: b.lists.appointmentsOf[c.ID]}
	unit := queue.Unit{Location: b.location, ID: c.ID}
	done, err := b.queue.Do(ctx, unit, b.asOf, func(ctx context.Context, run *queue.Run) error {
		return b.engine.SyncSnapshot(ctx, run, snapshot)
	})
	if err == nil && !done && b.compares() {
		err = b.listNotes(ctx, unit)
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Done++
	b.tell(false)
	return nil
}

// listNotes reads the notes of a contact that a comparison leaves alone, since it was worked on after the lists or waits for it. Its
// notes are no list's: what is read of them now is newer than that. Where they can't be read the contact is, by itself.
func (b *backfill) listNotes(ctx context.Context, unit queue.Unit) error {
	var resp ghl.Response
	list, err := b.client.Notes.List(ctx, unit.ID, ghl.CallBackground(), ghl.CallResponse(&resp))
	switch {
	case errors.Is(err, ghl.ErrDailyLimit) || ctx.Err() != nil:
		return err
	case err != nil || len(resp.Skipped) > 0:
		return b.queue.Mark(ctx, unit, queue.Background)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notesOf[unit.ID] = list
	return nil
}

// tell tells of the progress, if it was not told just now.
func (b *backfill) tell(now bool) {
	if b.options.Progress == nil || !now && time.Since(b.told) < tellEvery {
		return
	}
	b.told = time.Now()
	p := b.progress
	p.Left = max(0, p.Total-p.Done)
	if took := time.Since(b.began); took > 0 && p.Done > p.Resumed {
		p.Rate = float64(p.Done-p.Resumed) / took.Seconds()
		p.Remaining = time.Duration(float64(p.Left) / p.Rate * float64(time.Second))
	}
	b.options.Progress(p)
}
