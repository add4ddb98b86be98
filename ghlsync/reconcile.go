package ghlsync

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
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
	wait := time.Duration(0)
	for {
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
		wait = min(job.every/4, longestLook) + rand.N(job.every/4+1)
		if err != nil && ctx.Err() == nil && !errors.Is(err, queue.ErrHeld) && !errors.Is(err, queue.ErrNotRunning) {
			s.log.LogAttrs(ctx, slog.LevelWarn, "a schedule is not kept; it is tried again", slog.String("location", location),
				slog.String("schedule", job.cursor), slog.Any("err", err))
		}
	}
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
			return s.moveCursor(ctx, tx, job.cursor+location, seenUntil{now.Add(-overlap)})
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
	found, err := s.changedSince(ctx, client, location, from.Updated)
	if err != nil {
		return err
	}
	l := newLists()
	if err := l.readTasks(ctx, client, func() {}); err != nil {
		return err
	}
	contacts, err := s.engine.TaskNews(ctx, location, l.tasksOf, !l.incomplete)
	if err != nil {
		return err
	}
	since, until := began.Add(-appointmentsBack), began.Add(appointmentsAhead)
	if err := l.readAppointments(ctx, client, since, until, defaultWindow, func() {}); err != nil {
		return err
	}
	more, err := s.engine.AppointmentNews(ctx, location, l.appointmentsOf, !l.incomplete, since, until)
	if err != nil {
		return err
	}
	contacts = append(contacts, more...)
	if err := s.markAll(ctx, location, contacts, nil); err != nil {
		return err
	}
	s.logFound(ctx, location, found+len(contacts))
	return s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		var at seenUntil
		if _, _, err := s.cursorTx(ctx, tx, "reconcile/"+location, &at); err != nil {
			return err
		}
		if early := began.Add(-2 * overlap); at.Updated.Before(early) { // there was nothing later
			at.Updated = early
		}
		return s.moveCursor(ctx, tx, "reconcile/"+location, at) // it was done now
	})
}

func (s *Syncer) logFound(ctx context.Context, location string, contacts int) {
	if contacts > 0 {
		s.log.LogAttrs(ctx, slog.LevelInfo, "contacts found that no delivery told of", slog.String("location", location), slog.Int("contacts", contacts))
	}
}

// changedSince marks the contacts that were changed at a time or later and are not in step. The place is stored with the marks of
// each page: the time of the page's last change, so that what was changed at the same moment is looked at again.
func (s *Syncer) changedSince(ctx context.Context, client *ghl.Client, location string, since time.Time) (found int, err error) {
	search := &ghl.SearchRequest{
		Filters: []ghl.Filter{ghl.FieldDateUpdated.Range(ghl.Range{GTE: since.Add(-overlap)})},
		Sort:    []ghl.Sort{{Field: ghl.FieldDateUpdated, Direction: ghl.Ascending}},
	}
	for page, err := range client.Contacts.SearchPages(ctx, search, ghl.CallBackground()) {
		if err != nil {
			return found, err
		}
		var news []string
		for _, c := range page.Contacts {
			is, err := s.engine.News(ctx, location, c)
			if err != nil {
				return found, err
			}
			if is {
				news = append(news, c.ID)
			}
			if at, ok := c.DateUpdated.Instant(); ok && at.After(since) {
				since = at
			}
		}
		found += len(news)
		err := s.markAll(ctx, location, news, func(ctx context.Context, tx *db.Tx) error {
			var at seenUntil
			last, _, err := s.cursorTx(ctx, tx, "reconcile/"+location, &at)
			if err != nil || !since.After(at.Updated) {
				return err
			}
			return s.moveCursorAt(ctx, tx, "reconcile/"+location, seenUntil{since}, last) // it is not done yet
		})
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// markAll has contacts worked on when nothing more urgent is to be done. Also is a part of the last transaction.
func (s *Syncer) markAll(ctx context.Context, location string, contacts []string, also func(ctx context.Context, tx *db.Tx) error) error {
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
	b := &backfill{Syncer: s, client: s.engine.Client(location), location: location, options: o, seen: map[string]bool{}}
	if err := b.run(ctx); err != nil {
		return err
	}
	var missing []string
	if !b.skipped {
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
	missing = slices.Concat(missing, tasks, appointments)
	s.logFound(ctx, location, len(missing))
	return s.markAll(ctx, location, missing, func(ctx context.Context, tx *db.Tx) error {
		return s.moveCursor(ctx, tx, "compare/"+location, seenUntil{})
	})
}
