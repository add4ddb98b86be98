package ghlsync

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
)

// Reconciliation finds changes that were missed by webhooks. It only marks contacts. The sync of a marked contact
// reads it and decides what to do.

const (
	// overlap is how far a search starts before the last change that was seen. The index lags, and contacts that were
	// changed at the same time may appear at different times.
	overlap = 5 * time.Minute
	// The part of the calendars that a reconciliation compares. A full comparison compares what a backfill reads.
	appointmentsBack  = 24 * time.Hour
	appointmentsAhead = 60 * 24 * time.Hour
	// longestCheck is the longest time between two checks whether a schedule is due.
	longestCheck = time.Minute
	// longestRetry bounds the wait after the first failure, which may have cost many calls.
	longestRetry = time.Hour
)

// seenUntil is the cursor of a schedule: the dateUpdated up to which changes of a location were seen.
type seenUntil struct {
	Updated time.Time `json:"updated"`
}

// schedules starts the schedules of each location.
func (s *Syncer) schedules(ctx context.Context) {
	for i := range s.config.Locations {
		location := s.config.Locations[i].ID
		for _, job := range []schedule{
			{"reconcile/", "reconcile/", s.config.ReconcileInterval, s.reconcile},
			{"compare/", "backfill/", s.config.CompareInterval, s.compare},
		} {
			if job.every > 0 {
				s.loops.Go(func() { s.runSchedule(ctx, location, job) })
			}
		}
	}
}

// schedule is work for a location that one process at a time does once per interval.
type schedule struct {
	cursor string // prefix of the cursor with the time of the last run
	hold   string // prefix of the lock that a run holds
	every  time.Duration
	do     func(ctx context.Context, location string) error
}

// runSchedule runs a schedule of a location until ctx ends. It retries failures with growing waits.
func (s *Syncer) runSchedule(ctx context.Context, location string, job schedule) {
	wait := rand.N(min(job.every/4, 10*time.Second) + 1) // spreads the locations
	for failed := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		due, err := s.due(ctx, location, job)
		if err == nil && due > 0 {
			wait = min(due, longestCheck)
			continue
		}
		if err == nil {
			err = s.doAlone(ctx, location, job)
		}
		// Without deliveries, which end when the app is uninstalled, only a schedule sees that the token is refused.
		if err != nil && queue.Classify(err).Category.RefusesToken() {
			err = errors.Join(err, s.queue.Refused(ctx, location, err))
		}
		wait = min(job.every/4, longestCheck)
		if err == nil {
			failed = 0
		} else if ctx.Err() == nil && !errors.Is(err, queue.ErrHeld) && !errors.Is(err, queue.ErrNotRunning) {
			failed++
			wait = retryAfter(job.every, failed)
			s.log.LogAttrs(ctx, slog.LevelWarn, "schedule failed; retrying",
				slog.String("location", location), slog.String("schedule", job.cursor), slog.Any("err", err))
		}
	}
}

// retryAfter returns the wait before a retry of a schedule that has failed that often in a row. The wait doubles,
// since each try may cost as much as a full run, up to the interval of the schedule.
func retryAfter(every time.Duration, failed int) time.Duration {
	return min(min(every/4, longestRetry)<<min(failed-1, 10), every)
}

// due returns the time until a schedule is due. A schedule that has never run is due after an interval, since a
// backfill syncs what existed before.
func (s *Syncer) due(ctx context.Context, location string, job schedule) (time.Duration, error) {
	var at seenUntil
	last, found, err := s.cursor(ctx, job.cursor+location, &at)
	if err != nil {
		return 0, err
	}
	now := s.db.Now()
	if !found {
		err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			return s.moveCursor(ctx, tx, job.cursor+location, seenUntil{now.Add(s.skew() - overlap)})
		})
		return job.every, err
	}
	return last.Add(job.every).Sub(now), nil
}

// doAlone runs a schedule under its lock. It does nothing if the location is closed or paused, or if another process
// has run the schedule meanwhile, and returns [queue.ErrHeld] if another process runs it now.
func (s *Syncer) doAlone(ctx context.Context, location string, job schedule) error {
	if s.engine.Client(location) == nil {
		return nil // the location is not open yet
	}
	paused, err := s.paused(ctx, location)
	if err != nil || paused {
		return err
	}
	held, release, err := s.queue.Hold(ctx, job.hold+location)
	if err != nil {
		return err
	}
	defer release()
	if due, err := s.due(held, location, job); err != nil || due > 0 {
		return err
	}
	leave, err := s.queue.Own(held, location) // so that one process uses the rate limit
	if err != nil {
		return err
	}
	defer leave()
	return job.do(held, location)
}

func (s *Syncer) paused(ctx context.Context, location string) (bool, error) {
	list, err := s.queue.Locations(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(l queue.Location) bool { return l.ID == location && !l.Paused.IsZero() }), nil
}

// reconcile marks contacts of a location that changed since the last reconciliation and are not synced. It finds
// changed contacts by their dateUpdated. Tasks and appointments have no search by time, so reconcile compares
// complete lists.
func (s *Syncer) reconcile(ctx context.Context, location string) error {
	client := s.engine.Client(location)
	began := s.db.Now()
	var from seenUntil
	if _, _, err := s.cursor(ctx, "reconcile/"+location, &from); err != nil {
		return err
	}
	if from.Updated.After(began) { // a clock was wrong
		from.Updated = began
	}
	// A running backfill syncs the contacts with fewer calls. The cursor of the contacts does not move meanwhile.
	backfilled, err := s.queue.Held(ctx, "backfill/"+location)
	if err != nil {
		return err
	}
	allowMissingScope := func(err error) error {
		if errors.Is(err, ghl.ErrMissingScope) {
			s.warnMissingScope(ctx, location, err)
			return nil
		}
		return err
	}
	if !backfilled {
		if err := allowMissingScope(s.changedSince(ctx, client, location, from.Updated)); err != nil {
			return err
		}
	}
	if err := allowMissingScope(s.changedTasks(ctx, client, location)); err != nil {
		return err
	}
	if err := allowMissingScope(s.changedAppointments(ctx, client, location, began)); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		var at seenUntil
		if _, _, err := s.cursorTx(ctx, tx, "reconcile/"+location, &at); err != nil {
			return err
		}
		early := began.Add(s.skew() - 2*overlap)
		if !backfilled && (at.Updated.Before(early) || at.Updated.After(began)) { // no later change was found
			at.Updated = early
		}
		return s.moveCursor(ctx, tx, "reconcile/"+location, at) // also stores the time of this run
	})
}

// changedTasks marks contacts that have a task that is not synced.
func (s *Syncer) changedTasks(ctx context.Context, client *ghl.Client, location string) error {
	l := newLists()
	if err := l.readTasks(ctx, client, func() {}); err != nil {
		return err
	}
	news, err := s.engine.TaskNews(ctx, location, l.tasksOf, !l.incomplete)
	if err != nil {
		return err
	}
	found := aspectsOf(queue.AspectTasks, s.diffs.due("tasks/"+location, news))
	return s.markFound(ctx, location, found, nil)
}

// changedAppointments marks contacts that have a recent or future appointment that is not synced.
func (s *Syncer) changedAppointments(ctx context.Context, client *ghl.Client, location string, now time.Time) error {
	l := newLists()
	since, until := now.Add(-appointmentsBack), now.Add(appointmentsAhead)
	if err := l.readAppointments(ctx, client, since, until, defaultWindow, func() {}); err != nil {
		return err
	}
	news, err := s.engine.AppointmentNews(ctx, location, l.appointmentsOf, !l.incomplete, since, until)
	if err != nil {
		return err
	}
	found := aspectsOf(queue.AspectAppointments, s.diffs.due("appointments/"+location, news))
	return s.markFound(ctx, location, found, nil)
}

// skew returns how far HighLevel's clock is behind the database's, as a negative duration; 0 if it is ahead or unknown.
func (s *Syncer) skew() time.Duration {
	ahead := time.Duration(s.monitor.highLevel.Load())
	if ahead == 0 { // unknown
		return 0
	}
	return min(ahead-s.db.Ahead(), 0)
}

// diffLog counts how often in a row a list has shown the same difference of a contact.
type diffLog struct {
	mu    sync.Mutex
	lists map[string]map[string]diff
}

type diff struct {
	hash  uint64
	times int
}

// due returns the contacts to read because of the differences that a list shows now. The same difference may come
// back each time, when a list lacks what the contact has or when the contact can't be synced. So a difference is due
// the first, second, fourth and eighth time, and so on. A full comparison reads each of them.
func (l *diffLog) due(list string, news engine.News) (contacts []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := make(map[string]diff, len(news))
	for contact, hash := range news {
		d := l.lists[list][contact]
		if d.hash != hash {
			d = diff{hash: hash}
		}
		d.times++
		if d.times&(d.times-1) == 0 {
			contacts = append(contacts, contact)
		}
		now[contact] = d
	}
	if l.lists == nil {
		l.lists = map[string]map[string]diff{}
	}
	l.lists[list] = now
	return contacts
}

// warnMissingScope logs that a comparison skips a list because the token lacks its scope.
func (s *Syncer) warnMissingScope(ctx context.Context, location string, err error) {
	s.log.LogAttrs(ctx, slog.LevelWarn, "skipping a list in the comparison: the token lacks its scope",
		slog.String("location", location), slog.Any("err", err))
}

// changedSince marks contacts that were changed at since or later and are not synced. It stores the cursor with the
// marks of each page: the time of the last change on the page. A later search includes this time again.
func (s *Syncer) changedSince(ctx context.Context, client *ghl.Client, location string, since time.Time) error {
	search := &ghl.SearchRequest{
		Filters: []ghl.Filter{ghl.FieldDateUpdated.GTE(since.Add(-overlap))},
		Sort:    []ghl.SearchField{ghl.FieldDateUpdated},
	}
	for page, err := range client.Contacts.SearchPages(ctx, search, ghl.CallBackground()) {
		if err != nil {
			return err
		}
		var changed []string
		now := s.db.Now()
		for _, c := range page.Contacts {
			differs, err := s.engine.News(ctx, location, c)
			if err != nil {
				return err
			}
			if differs {
				changed = append(changed, c.ID)
			}
			if at, ok := c.DateUpdated.Instant(); ok && at.After(since) {
				since = at
			}
			if since.After(now) { // a change in the future is a wrong clock
				since = now
			}
		}
		found := aspectsOf(queue.AspectContact, changed)
		err := s.markFound(ctx, location, found, func(ctx context.Context, tx *db.Tx) error {
			var at seenUntil
			last, _, err := s.cursorTx(ctx, tx, "reconcile/"+location, &at)
			if err != nil || !since.After(at.Updated) {
				return err
			}
			return s.moveCursorAt(ctx, tx, "reconcile/"+location, seenUntil{since}, last) // the run has not ended
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// aspectsOf returns the same aspects for each of some contacts.
func aspectsOf(a queue.Aspects, contacts []string) map[string]queue.Aspects {
	found := make(map[string]queue.Aspects, len(contacts))
	for _, id := range contacts {
		found[id] = a
	}
	return found
}

// markFound marks aspects of contacts with background priority. It calls also, which may be nil, in the last
// transaction.
func (s *Syncer) markFound(ctx context.Context, location string, found map[string]queue.Aspects,
	also func(ctx context.Context, tx *db.Tx) error) error {
	contacts := slices.Sorted(maps.Keys(found))
	if len(contacts) == 0 && also == nil {
		return nil
	}
	if len(contacts) > 0 {
		s.log.LogAttrs(ctx, slog.LevelInfo, "found changes that were missed by webhooks",
			slog.String("location", location), slog.Int("contacts", len(contacts)))
	}
	for {
		batch := contacts[:min(len(contacts), 500)]
		contacts = contacts[len(batch):]
		err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, id := range batch {
				unit := queue.Unit{Location: location, ID: id}
				if err := s.queue.MarkTx(ctx, tx, unit, found[id], queue.Background); err != nil {
					return err
				}
			}
			if len(contacts) == 0 && also != nil {
				return also(ctx, tx)
			}
			return nil
		})
		if err != nil || len(contacts) == 0 {
			return err
		}
	}
}

// compare runs a backfill with notes, and then marks contacts that have a linked record missing in the lists. It
// ignores what is missing in a list that ended early or that has elements which can't be decoded.
func (s *Syncer) compare(ctx context.Context, location string) error {
	o := BackfillOptions{Notes: true}.withDefaults(s.db.Now())
	b := &backfill{Syncer: s, client: s.engine.Client(location), location: location, options: o,
		seen: map[string]bool{}, notesOf: map[string][]*ghl.Note{}}
	if err := b.run(ctx); err != nil {
		return err
	}
	found := map[string]queue.Aspects{}
	if !b.incomplete {
		missing, err := s.engine.MissingContacts(ctx, location, b.seen)
		if err != nil {
			return err
		}
		found = aspectsOf(queue.AspectContact, missing)
	}
	tasks, err := s.engine.TaskNews(ctx, location, b.lists.tasksOf, !b.lists.incomplete)
	if err != nil {
		return err
	}
	complete := !b.lists.incomplete
	appointments, err := s.engine.AppointmentNews(ctx, location, b.lists.appointmentsOf, complete, o.Since, o.Until)
	if err != nil {
		return err
	}
	notes, err := s.engine.NoteNews(ctx, location, b.notesOf)
	if err != nil {
		return err
	}
	for aspect, news := range map[queue.Aspects]engine.News{
		queue.AspectTasks: tasks, queue.AspectAppointments: appointments, queue.AspectNotes: notes,
	} {
		for contact := range news {
			found[contact] |= aspect
		}
	}
	return s.markFound(ctx, location, found, func(ctx context.Context, tx *db.Tx) error {
		return s.moveCursor(ctx, tx, "compare/"+location, seenUntil{})
	})
}
