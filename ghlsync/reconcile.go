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

// Reconciliation finds what no delivery told of. It only marks contacts; they are then read, and that decides what is done.

const (
	// overlap is how far before the last change that was seen a search begins anew: the index lags, and contacts that were
	// changed at the same time need not appear together.
	overlap = 5 * time.Minute
	// How much of the calendars is compared at each reconciliation. A full comparison has what a backfill has.
	appointmentsBack  = 24 * time.Hour
	appointmentsAhead = 60 * 24 * time.Hour
	// A process that is not to do it looks again so often at the latest.
	longestLook = time.Minute
	// What has failed, which may have cost many calls, is tried again so late at the first time at the most.
	longestRetry = time.Hour
)

// seenUntil is how far a location's changes were followed by their dateUpdated.
type seenUntil struct {
	Updated time.Time `json:"updated"`
}

// schedules begins what is done from time to time for each location.
func (s *Syncer) schedules(ctx context.Context) {
	for i := range s.config.Locations {
		location := s.config.Locations[i].ID
		for _, job := range []schedule{
			{"reconcile/", "reconcile/", s.config.ReconcileInterval, s.reconcile},
			{"compare/", "backfill/", s.config.CompareInterval, s.compare},
		} {
			if job.every > 0 {
				s.loops.Go(func() { s.keepSchedule(ctx, location, job) })
			}
		}
	}
}

// schedule is something that one process at a time does, when it was not done for a while.
type schedule struct {
	cursor string // when it was done last is stored here
	hold   string // what keeps others from it
	every  time.Duration
	do     func(ctx context.Context, location string) error
}

func (s *Syncer) keepSchedule(ctx context.Context, location string, job schedule) {
	wait := rand.N(min(job.every/4, 10*time.Second) + 1) // not all at once
	for failed := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		due, err := s.due(ctx, location, job)
		if err == nil && due > 0 {
			wait = min(due, longestLook)
			continue
		}
		if err == nil {
			err = s.doAlone(ctx, location, job)
		}
		if err != nil && queue.Classify(err).Category.RefusesToken() { // whose app was removed gets no more deliveries that would show it
			err = errors.Join(err, s.queue.Refused(ctx, location, err))
		}
		wait = min(job.every/4, longestLook) // in this process or another it is done, or it is not the time for it
		if err == nil {
			failed = 0
		} else if ctx.Err() == nil && !errors.Is(err, queue.ErrHeld) && !errors.Is(err, queue.ErrNotRunning) {
			failed++
			wait = retryAfter(job.every, failed)
			s.log.LogAttrs(ctx, slog.LevelWarn, "a schedule is not kept; it is tried again", slog.String("location", location),
				slog.String("schedule", job.cursor), slog.Any("err", err))
		}
	}
}

// retryAfter is how long a schedule that has failed so often in a row waits: ever longer, since each try may cost what a whole one
// does, and at the most as long as it would anyway.
func retryAfter(every time.Duration, failed int) time.Duration {
	return min(min(every/4, longestRetry)<<min(failed-1, 10), every)
}

// due says how long it is until a schedule is due. One that was never done is due after an interval: what is there before is a
// backfill's.
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

// doAlone does what is due unless another process does or has done it.
func (s *Syncer) doAlone(ctx context.Context, location string, job schedule) error {
	if s.engine.Client(location) == nil {
		return nil // it is not open yet
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
	return job.do(held, location)
}

func (s *Syncer) paused(ctx context.Context, location string) (bool, error) {
	list, err := s.queue.Locations(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(l queue.Location) bool { return l.ID == location && !l.Paused.IsZero() }), nil
}

// reconcile marks what has changed in a location since the last time and is not in step: contacts by the time of their change;
// tasks and coming appointments, which can't be asked for by that, from complete lists.
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
	// A backfill comes to the contacts by itself, and without four calls for each. Their cursor waits for it.
	backfilled, err := s.queue.Held(ctx, "backfill/"+location)
	if err != nil {
		return err
	}
	granted := func(err error) error {
		if errors.Is(err, ghl.ErrMissingScope) {
			s.leftOut(ctx, location, err)
			return nil
		}
		return err
	}
	if !backfilled {
		if err := granted(s.changedSince(ctx, client, location, from.Updated)); err != nil {
			return err
		}
	}
	if err := granted(s.changedTasks(ctx, client, location)); err != nil {
		return err
	}
	if err := granted(s.changedAppointments(ctx, client, location, began)); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		var at seenUntil
		if _, _, err := s.cursorTx(ctx, tx, "reconcile/"+location, &at); err != nil {
			return err
		}
		early := began.Add(s.skew() - 2*overlap)
		if !backfilled && (at.Updated.Before(early) || at.Updated.After(began)) { // there was nothing later
			at.Updated = early
		}
		return s.moveCursor(ctx, tx, "reconcile/"+location, at) // it was done now
	})
}

// changedTasks marks the contacts of which a task is not in step.
func (s *Syncer) changedTasks(ctx context.Context, client *ghl.Client, location string) error {
	l := newLists()
	if err := l.readTasks(ctx, client, func() {}); err != nil {
		return err
	}
	news, err := s.engine.TaskNews(ctx, location, l.tasksOf, !l.incomplete)
	if err != nil {
		return err
	}
	return s.markFound(ctx, location, s.heard.worth("tasks/"+location, news), nil)
}

// changedAppointments marks the contacts of which an appointment about now or to come is not in step.
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
	return s.markFound(ctx, location, s.heard.worth("appointments/"+location, news), nil)
}

// skew is by how much HighLevel's clock is behind the database's, as a time below zero.
func (s *Syncer) skew() time.Duration {
	ahead := time.Duration(s.monitor.highLevel.Load())
	if ahead == 0 { // unknown
		return 0
	}
	return min(ahead-s.db.Ahead(), 0)
}

// heard is what lists have told of contacts, and how often one after the other.
type heard struct {
	mu    sync.Mutex
	lists map[string]map[string]told
}

type told struct {
	what  uint64
	times int
}

// worth returns the contacts that are to be read because of what a list tells now. A list may tell the same again and again, for it
// never has what a contact has, or the contact can't be kept in step: so the same is worth a look the first time, the second, the
// fourth, the eighth. The full comparison has each read.
func (h *heard) worth(list string, news engine.News) (contacts []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := make(map[string]told, len(news))
	for contact, what := range news {
		t := h.lists[list][contact]
		if t.what != what {
			t = told{what: what}
		}
		t.times++
		if t.times&(t.times-1) == 0 {
			contacts = append(contacts, contact)
		}
		now[contact] = t
	}
	if h.lists == nil {
		h.lists = map[string]map[string]told{}
	}
	h.lists[list] = now
	return contacts
}

// leftOut tells that a schedule goes without a list that the token does not reach.
func (s *Syncer) leftOut(ctx context.Context, location string, err error) {
	s.log.LogAttrs(ctx, slog.LevelWarn, "a list is left out of the comparison, for the token may not read it", slog.String("location", location), slog.Any("err", err))
}

// changedSince marks the contacts that were changed at a time or later and are not in step. The place is stored with the marks of
// each page: the time of the page's last change, so that what was changed at the same moment is looked at again.
func (s *Syncer) changedSince(ctx context.Context, client *ghl.Client, location string, since time.Time) error {
	search := &ghl.SearchRequest{
		Filters: []ghl.Filter{ghl.FieldDateUpdated.Range(ghl.Range{GTE: since.Add(-overlap)})},
		Sort:    []ghl.SearchField{ghl.FieldDateUpdated},
	}
	for page, err := range client.Contacts.SearchPages(ctx, search, ghl.CallBackground()) {
		if err != nil {
			return err
		}
		var news []string
		now := s.db.Now()
		for _, c := range page.Contacts {
			is, err := s.engine.News(ctx, location, c)
			if err != nil {
				return err
			}
			if is {
				news = append(news, c.ID)
			}
			if at, ok := c.DateUpdated.Instant(); ok && at.After(since) {
				since = at
			}
			if since.After(now) { // nothing was changed later than now, whatever it says
				since = now
			}
		}
		err := s.markFound(ctx, location, news, func(ctx context.Context, tx *db.Tx) error {
			var at seenUntil
			last, _, err := s.cursorTx(ctx, tx, "reconcile/"+location, &at)
			if err != nil || !since.After(at.Updated) {
				return err
			}
			return s.moveCursorAt(ctx, tx, "reconcile/"+location, seenUntil{since}, last) // it is not done yet
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// markFound has contacts that were found worked on when nothing more urgent is to be done. Also is a part of the last transaction.
func (s *Syncer) markFound(ctx context.Context, location string, contacts []string, also func(ctx context.Context, tx *db.Tx) error) error {
	if len(contacts) == 0 && also == nil {
		return nil
	}
	if len(contacts) > 0 {
		s.log.LogAttrs(ctx, slog.LevelInfo, "contacts found that no delivery told of", slog.String("location", location), slog.Int("contacts", len(contacts)))
	}
	slices.Sort(contacts)
	contacts = slices.Compact(contacts)
	for {
		some := contacts[:min(len(contacts), 500)]
		contacts = contacts[len(some):]
		err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, id := range some {
				if err := s.queue.MarkTx(ctx, tx, queue.Unit{Location: location, ID: id}, queue.Background); err != nil {
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

// compare goes through the whole location as a backfill with notes does, and then has those contacts read of which something
// is linked that was not listed. A list that broke off, or that had elements which can't be read, says nothing of what is
// missing.
func (s *Syncer) compare(ctx context.Context, location string) error {
	o := BackfillOptions{Notes: true}.withDefaults(s.db.Now())
	b := &backfill{Syncer: s, client: s.engine.Client(location), location: location, options: o, seen: map[string]bool{}, notesOf: map[string][]*ghl.Note{}}
	if err := b.run(ctx); err != nil {
		return err
	}
	var missing []string
	if !b.incomplete {
		gone, err := s.engine.MissingContacts(ctx, location, b.seen)
		if err != nil {
			return err
		}
		missing = gone
	}
	tasks, err := s.engine.TaskNews(ctx, location, b.lists.tasksOf, !b.lists.incomplete)
	if err != nil {
		return err
	}
	appointments, err := s.engine.AppointmentNews(ctx, location, b.lists.appointmentsOf, !b.lists.incomplete, o.Since, o.Until)
	if err != nil {
		return err
	}
	notes, err := s.engine.NoteNews(ctx, location, b.notesOf)
	if err != nil {
		return err
	}
	for _, news := range []engine.News{tasks, appointments, notes} {
		missing = slices.AppendSeq(missing, maps.Keys(news))
	}
	return s.markFound(ctx, location, missing, func(ctx context.Context, tx *db.Tx) error {
		return s.moveCursor(ctx, tx, "compare/"+location, seenUntil{})
	})
}
