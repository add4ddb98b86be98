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

// BackfillOptions are the settings of a backfill. The zero value has the defaults.
type BackfillOptions struct {
	// Notes includes notes. They cost one more call for each contact.
	Notes bool
	// Since and Until bound the time of the appointments; the zero values are a year ago and a year ahead. Appointments
	// outside the bounds are synced with the first change of their contact.
	Since, Until time.Time
	// Window is the part of a calendar that one call reads; 0 is 31 days. HighLevel does not split this list into
	// pages.
	Window time.Duration
	// Progress is called with the progress, from time to time and at the end, by one goroutine at a time.
	Progress func(Progress)
}

// Stage is a stage of a backfill.
type Stage string

// The stages, in their order.
const (
	StageTasks        Stage = "tasks"        // lists tasks
	StageAppointments Stage = "appointments" // lists appointments
	StageContacts     Stage = "contacts"     // syncs the contacts and their records
	StageDone         Stage = "done"         // the backfill has ended
)

// Progress is the progress of a backfill.
type Progress struct {
	Location string
	Stage    Stage
	// Done, Left and Total count contacts. Total is 0 before StageContacts, and can change while the backfill runs.
	Done, Left, Total int
	// Tasks and Appointments count the records found.
	Tasks, Appointments int
	// Resumed counts the contacts in Done that an earlier, interrupted run synced.
	Resumed int
	// Rate is in contacts per second.
	Rate float64
	// Remaining is the time left at Rate; 0 while unknown.
	Remaining time.Duration
}

// ErrBackfillRuns is returned while a backfill or a full comparison of the location runs, in this process or another.
var ErrBackfillRuns = errors.New("ghlsync: a backfill or a full comparison of the location is already running")

// Backfill syncs all contacts of a location from HighLevel, with their tasks, appointments and optionally notes. It
// reads lists instead of single contacts: contacts in pages of 500, tasks in pages of 100, appointments by calendar
// and [BackfillOptions.Window]. Its calls yield to other calls of the location.
//
// Backfill returns an error if the Syncer is not started or the location is not open, [ErrBackfillRuns] if another
// backfill or full comparison of the location runs in any process, and an error that matches [ghl.ErrDailyLimit] if
// only a tenth of the daily quota of requests is left, which is reserved for live changes.
//
// Backfill fails if the list of contacts ends before its total. The next call then starts from the beginning.
//
// Backfill stores a checkpoint after each page. If ctx or the process ends, the next call resumes from the
// checkpoint, after it has listed tasks and appointments again. A call with different Notes, or with bounds that
// reach further, starts from the beginning. The lists of tasks and appointments are held in memory.
//
// Backfill may run at any time, also while changes arrive. It skips a contact that was synced after the lists were
// read, and never deletes or writes to HighLevel because of a list: a contact that requires this is read and synced
// like any other. A contact that fails is reported in [Syncer.Failures] and retried as usual; the backfill continues.
//
// In addition to the scopes of contacts, Backfill needs locations/tasks.readonly, calendars.readonly and
// calendars/events.readonly.
func (s *Syncer) Backfill(ctx context.Context, location string, o BackfillOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, end, err := s.joinLifetime(ctx)
	if err != nil {
		return err
	}
	defer end()
	client := s.engine.Client(location)
	if client == nil {
		return fmt.Errorf("ghlsync: location %s is not open yet, or missing in Config.Locations", location)
	}
	held, release, err := s.queue.Hold(ctx, "backfill/"+location)
	if err != nil {
		return holdError(err)
	}
	defer release()
	leave, err := s.queue.Own(held, location) // so that one process uses the rate limit
	if err != nil {
		return fmt.Errorf("ghlsync: %w", err)
	}
	defer leave()
	now := s.db.Now()
	o = o.withDefaults(now)
	b := &backfill{Syncer: s, client: client, location: location, options: o,
		checkpoint: checkpoint{Notes: o.Notes, Since: o.Since, Until: o.Until, Begun: now}}
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

// joinLifetime returns a context that also ends when the Syncer stops. Stop waits until end is called.
func (s *Syncer) joinLifetime(ctx context.Context) (joined context.Context, end func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != running {
		return nil, nil, errors.New("ghlsync: the Syncer is not started")
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

// defaultWindow is the part of a calendar that one call reads.
const defaultWindow = 31 * 24 * time.Hour

// Only tests change these.
var (
	pageLimit        = 500                    // the contacts read with one call, and between two checkpoints
	progressInterval = 200 * time.Millisecond // the shortest time between two reports of progress
)

// indexLag is the longest time by which HighLevel's searches lag behind. A contact that was read within this time
// before a list may be newer than the list.
const indexLag = time.Minute

// backfill is one run of a backfill or of a full comparison.
type backfill struct {
	*Syncer
	client     *ghl.Client
	location   string
	options    BackfillOptions
	seen       map[string]bool // ids of the listed contacts; nil unless this is a comparison
	incomplete bool            // the list of contacts lacks some

	lists      *lists
	asOf       time.Time // everything up to this time is in the lists
	checkpoint checkpoint
	began      time.Time // StageContacts

	mu       sync.Mutex
	notesOf  map[string][]*ghl.Note // of contacts that a comparison skips; nil unless this is a comparison
	progress Progress
	reported time.Time
}

// checkpoint is the point from which an interrupted backfill resumes.
type checkpoint struct {
	After   ghl.Cursor `json:"after"`
	Done    int        `json:"done"`
	Skipped int        `json:"skipped,omitempty"` // contacts that could not be decoded
	// The options of the first run, and its time.
	Notes bool      `json:"notes"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	Begun time.Time `json:"begun"`
}

// covers reports whether a run with the options of now can resume from p. Default bounds depend on the time of the
// run, so they differ from run to run.
func (p checkpoint) covers(now checkpoint) bool {
	latest := p.Until.Add(now.Begun.Sub(p.Begun) + time.Hour)
	return p.Notes == now.Notes && !now.Since.Before(p.Since.Add(-time.Hour)) && !now.Until.After(latest)
}

// compares reports whether b is a full comparison. A comparison stores no checkpoint and skips lists that the token
// may not read.
func (b *backfill) compares() bool { return b.seen != nil }

// cursorName returns the name of the cursor that stores the checkpoint.
func (b *backfill) cursorName() string { return "backfill/" + b.location }

func (b *backfill) run(ctx context.Context) error {
	if !b.compares() {
		var before checkpoint
		if _, found, err := b.cursor(ctx, b.cursorName(), &before); err != nil {
			return err
		} else if found && before.covers(b.checkpoint) {
			b.checkpoint = before
		}
	}
	b.progress = Progress{Location: b.location, Stage: StageTasks, Done: b.checkpoint.Done, Resumed: b.checkpoint.Done}
	b.asOf = b.db.Now().Add(-indexLag)
	b.report(true)
	var err error
	if b.lists, err = b.list(ctx); err != nil {
		return b.stopError(ctx, err)
	}
	b.progress.Stage, b.began = StageContacts, time.Now()
	if err := b.contacts(ctx); err != nil {
		return b.stopError(ctx, err)
	}
	if !b.compares() {
		err := b.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return tx.DropCursor(ctx, b.cursorName()) })
		if err != nil {
			return err
		}
	}
	b.progress.Stage, b.progress.Total = StageDone, b.progress.Done
	b.report(true)
	return nil
}

func (b *backfill) stopError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("ghlsync: backfill of %s stopped at contact %d: %w", b.location, b.checkpoint.Done, err)
}

// list reads the tasks and appointments of the location.
func (b *backfill) list(ctx context.Context) (*lists, error) {
	l := newLists()
	count := func() {
		b.progress.Tasks, b.progress.Appointments = l.tasks, l.appointments
		b.report(false)
	}
	if err := b.allowMissingScope(ctx, l, l.readTasks(ctx, b.client, count)); err != nil {
		return nil, err
	}
	b.progress.Stage = StageAppointments
	o := &b.options
	return l, b.allowMissingScope(ctx, l, l.readAppointments(ctx, b.client, o.Since, o.Until, o.Window, count))
}

// allowMissingScope returns nil for a comparison if the token may not read a list, and else err. A backfill fails
// then, since a person has asked for the list.
func (b *backfill) allowMissingScope(ctx context.Context, l *lists, err error) error {
	if b.compares() && errors.Is(err, ghl.ErrMissingScope) {
		l.incomplete = true
		b.warnMissingScope(ctx, b.location, err)
		return nil
	}
	return err
}

// contacts syncs the contacts page by page, the oldest first, so that new contacts are at the end.
func (b *backfill) contacts(ctx context.Context) error {
	var resp ghl.Response
	total := 0
	search := &ghl.SearchRequest{PageLimit: pageLimit, After: b.checkpoint.After,
		Sort: []ghl.SearchField{ghl.FieldDateAdded}}
	for page, err := range b.client.Contacts.SearchPages(ctx, search, ghl.CallBackground(), ghl.CallResponse(&resp)) {
		if err != nil {
			return err
		}
		if n := len(resp.Skipped); n > 0 {
			b.incomplete = true
			b.checkpoint.Skipped += n
			b.log.LogAttrs(ctx, slog.LevelWarn, "skipping contacts of a page that can't be decoded",
				slog.String("location", b.location), slog.Int("contacts", n))
		}
		if page.Total > 0 {
			total = page.Total
		}
		b.progress.Total = max(total, b.checkpoint.Done+len(page.Contacts))
		if err := b.page(ctx, page.Contacts); err != nil {
			return err
		}
		b.checkpoint.Done += len(page.Contacts)
		if page.Next == "" || b.compares() {
			continue
		}
		b.checkpoint.After = page.Next
		err := b.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			return b.moveCursor(ctx, tx, b.cursorName(), b.checkpoint)
		})
		if err != nil {
			return err
		}
	}
	if b.checkpoint.Done+b.checkpoint.Skipped < total {
		return b.endedEarly(ctx, total)
	}
	return nil
}

// endedEarly ends a run after a list of contacts that ended before its total. A backfill fails, and the next one starts
// from the beginning. A comparison continues, but infers no deletions.
func (b *backfill) endedEarly(ctx context.Context, total int) error {
	if b.compares() {
		b.incomplete = true
		b.log.LogAttrs(ctx, slog.LevelWarn, "the list of contacts ended before its total",
			slog.String("location", b.location),
			slog.Int("contacts", b.checkpoint.Done), slog.Int("total", total))
		return nil
	}
	err := b.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error { return tx.DropCursor(ctx, b.cursorName()) })
	if err != nil {
		return err
	}
	return fmt.Errorf("the list of contacts ended before its total of %d", total)
}

// page syncs the contacts of a page, as many at once as the queue has workers.
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

// contact syncs a contact with its records of the lists, or leaves it to the queue if it was synced since.
func (b *backfill) contact(ctx context.Context, c *ghl.Contact) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	snapshot := engine.Snapshot{Contact: c, Notes: b.options.Notes,
		Tasks: b.lists.tasksOf[c.ID], Appointments: b.lists.appointmentsOf[c.ID]}
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
	b.report(false)
	return nil
}

// listNotes reads the notes of a contact that a comparison skips because it was synced after the lists or waits for a
// run. If the notes can't be read, listNotes marks the contact.
func (b *backfill) listNotes(ctx context.Context, unit queue.Unit) error {
	var resp ghl.Response
	list, err := b.client.Notes.List(ctx, unit.ID, ghl.CallBackground(), ghl.CallResponse(&resp))
	switch {
	case errors.Is(err, ghl.ErrDailyLimit) || ctx.Err() != nil:
		return err
	case err != nil || len(resp.Skipped) > 0:
		return b.queue.Mark(ctx, unit, queue.AspectNotes, queue.Background)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notesOf[unit.ID] = list
	return nil
}

// report reports the progress, at most once per progressInterval unless now is set.
func (b *backfill) report(now bool) {
	if b.options.Progress == nil || !now && time.Since(b.reported) < progressInterval {
		return
	}
	b.reported = time.Now()
	p := b.progress
	p.Left = max(0, p.Total-p.Done)
	if took := time.Since(b.began); took > 0 && p.Done > p.Resumed {
		p.Rate = float64(p.Done-p.Resumed) / took.Seconds()
		p.Remaining = time.Duration(float64(p.Left) / p.Rate * float64(time.Second))
	}
	b.options.Progress(p)
}
