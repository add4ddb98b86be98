package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
	"github.com/pluvo/ghl/webhook"
)

// Many units that wait are read with few requests: contacts by searches, tasks by searches for their contacts,
// appointments by calendar and time. A search lags behind, and no comparison of times proves that its result is fresh.
// So what a search shows is taken over, and a delivery that still shows something else afterwards waits until a search
// must show it. Only then the record is read by itself.

// shared is the data of a batch. It is a source of each of its units.
type shared struct {
	e    *Engine
	l    *Location
	sent time.Time // everything was read later
	need map[string]queue.Aspects

	contacts     map[string]*ghl.Contact
	tasks        map[string][]*ghl.Task
	appointments map[string][]*ghl.Appointment // nil if they were not read
	strangers    map[string]bool               // contacts that are not linked, and that no delivery says are new
	changed      map[string]time.Time          // when a contact was last said to have changed
	single       atomic.Int64                  // contacts in doubt that were read by themselves
}

// Share reads what a batch of units needs. It is the [queue.Config.Share] of a queue.
func (e *Engine) Share(ctx context.Context, runs []*queue.Run) (queue.Work, error) {
	l := e.location(runs[0].Location)
	if l == nil {
		return e.Sync, nil // which waits
	}
	s := &shared{e: e, l: l, sent: e.now(), need: map[string]queue.Aspects{},
		strangers: map[string]bool{}, changed: map[string]time.Time{}}
	var contacts, tasks []string
	var appointments []*queue.Run
	for _, run := range runs {
		if strings.Contains(run.ID, ":") { // not a contact of HighLevel
			continue
		}
		need, known, err := e.neededOf(ctx, l, run)
		if err != nil {
			return nil, err
		}
		s.need[run.ID] = need
		s.changed[run.ID] = run.Changed
		for _, d := range run.Events {
			if d.Received.After(s.changed[run.ID]) {
				s.changed[run.ID] = d.Received
			}
		}
		s.strangers[run.ID] = !known && !slices.ContainsFunc(run.Events, createsContact)
		if !known || need&queue.AspectContact != 0 {
			contacts = append(contacts, run.ID)
		}
		if !known || need&queue.AspectTasks != 0 {
			tasks = append(tasks, run.ID)
		}
		if known && need&queue.AspectAppointments != 0 {
			appointments = append(appointments, run)
		}
	}
	var err error
	if s.contacts, err = e.searchContacts(ctx, l, contacts); err != nil {
		return nil, err
	}
	if s.tasks, err = searchTasks(ctx, l, tasks); err != nil {
		return nil, err
	}
	if len(appointments) > queue.MaxSingle {
		if s.appointments, err = listAppointments(ctx, l, appointments); err != nil {
			return nil, err
		}
	}
	return s.sync, nil
}

// neededOf is needed, and reports whether the contact is linked.
func (e *Engine) neededOf(ctx context.Context, l *Location, run *queue.Run) (queue.Aspects, bool, error) {
	pair, err := e.linkFrom(ctx, l.ID, pluvo.KindContact, run.ID)
	if err != nil {
		return 0, false, err
	}
	need, err := e.needed(ctx, l, run)
	return need, pair != nil, err
}

// sync is the work on one unit of the batch.
func (s *shared) sync(ctx context.Context, run *queue.Run) error {
	need, is := s.need[run.ID]
	if !is {
		return s.e.Sync(ctx, run)
	}
	if need == 0 {
		return nil
	}
	err := s.e.syncContact(ctx, run, s.l.reading(s), run.ID, need)
	if errors.Is(err, errDoubt) && s.single.Add(1) <= queue.MaxSingle {
		return s.e.syncLater(ctx, run) // sooner than the index can prove
	}
	if errors.Is(err, errUnindexed) || errors.Is(err, errDoubt) {
		return s.later(ctx, run)
	}
	if errors.Is(err, errStale) || errors.Is(err, errChanged) {
		return s.e.syncLater(ctx, run)
	}
	if err != nil {
		return err
	}
	if s.strangers[run.ID] { // it may have more than the lists of the location show
		run.Finally(func(ctx context.Context, tx *db.Tx) error {
			return s.e.queue.MarkTx(ctx, tx, run.Unit, queue.AspectNotes|queue.AspectAppointments, queue.Background)
		})
	}
	return s.later(ctx, run)
}

func createsContact(d queue.Event) bool {
	event, err := webhook.Decode(d.Body)
	return err == nil && event.Meta().Type == webhook.ContactCreate
}

// later waits until searches surely show what deliveries still show differently. When they should have shown it, the
// record is read by itself.
func (s *shared) later(ctx context.Context, run *queue.Run) error {
	since := time.Time{}
	for _, d := range run.Events {
		event, err := webhook.Decode(d.Body)
		if err == nil {
			echo, err := s.e.isEcho(ctx, s.l, run.ID, event)
			if err != nil {
				return err
			}
			if echo {
				continue
			}
			switch event.Meta().Type {
			case webhook.ContactDelete, webhook.TaskDelete, webhook.NoteDelete, webhook.AppointmentDelete:
				return s.e.syncLater(ctx, run) // absence from a list of the location does not prove a deletion
			}
			if s.shows(run.ID, event) && s.sent.Sub(d.Received) >= s.e.lag {
				continue
			}
		}
		if d.Received.After(since) {
			since = d.Received
		}
	}
	if run.Aspects != 0 && run.Changed.After(since) {
		since = run.Changed
	}
	if since.IsZero() {
		return nil
	}
	wait := s.e.lag - s.sent.Sub(since)
	if wait <= 0 {
		if run.Aspects != 0 && len(run.Events) == 0 {
			return nil // no delivery says that there is more
		}
		return s.e.syncLater(ctx, run)
	}
	return &queue.WaitError{After: wait, Reason: "the search of HighLevel may lag behind"}
}

// shows reports whether what was read has the record of an event.
func (s *shared) shows(contact string, event webhook.Event) bool {
	switch id := event.RecordID(); event.(type) {
	case *webhook.ContactEvent:
		return s.contacts[id] != nil
	case *webhook.TaskEvent:
		return slices.ContainsFunc(s.tasks[contact], func(t *ghl.Task) bool { return t.ID == id })
	case *webhook.AppointmentEvent:
		return slices.ContainsFunc(s.appointments[contact], func(a *ghl.Appointment) bool { return a.ID == id })
	}
	return true // the notes of a contact are read by themselves
}

// syncLater reads a unit by itself, and yields to units that do not belong to a batch.
func (e *Engine) syncLater(ctx context.Context, run *queue.Run) error {
	run.Priority = queue.Background
	return e.Sync(ctx, run)
}

// errUnindexed means that a search does not show a contact that it may show later.
var errUnindexed = errors.New("the search does not show the contact")

func (s *shared) contact(_ context.Context, _ *Location, id string) (*ghl.Contact, error) {
	if c := s.contacts[id]; c != nil {
		return c, nil
	}
	return nil, errUnindexed
}

func (s *shared) children(ctx context.Context, l *Location, f *family, contact string) ([]child, coverage, error) {
	switch {
	case f.kind == pluvo.KindTask:
		return children(l, s.tasks[contact], contact, taskChild), some, nil
	case f.kind == pluvo.KindAppointment && s.appointments != nil:
		return children(l, s.appointments[contact], contact, appointmentChild), some, nil
	case s.need[contact]&f.aspect == 0:
		return nil, unknown, nil
	}
	list, err := f.list(ctx, l, contact, ghl.CallBackground())
	return list, all, err
}

func (*shared) writable() error { return errStale }

// fresh reports that a search shows what was seen and what was said to have changed, since it was sent so much later
// that the index is up to date.
func (s *shared) fresh(contact string, seen time.Time) bool {
	since := s.changed[contact]
	if seen.After(since) {
		since = seen
	}
	return s.sent.Sub(since) >= s.e.lag
}

// chunks is the largest number of contacts that HighLevel takes in one search. It shrinks when a search is refused.
type chunks struct{ size atomic.Int64 }

// searchContacts finds contacts by their ids. Those that the index does not show are missing.
func (e *Engine) searchContacts(ctx context.Context, l *Location, ids []string) (map[string]*ghl.Contact, error) {
	found := make(map[string]*ghl.Contact, len(ids))
	for len(ids) > 0 {
		size := min(int(e.chunks.size.Load()), len(ids))
		filters := make([]ghl.Filter, size)
		for i, id := range ids[:size] {
			filters[i] = ghl.FieldID.Eq(id)
		}
		request := &ghl.SearchRequest{PageLimit: 500, Filters: []ghl.Filter{ghl.AnyOf(filters...)}}
		err := e.searchInto(ctx, l, request, found)
		switch {
		case err == nil:
			ids = ids[size:]
		case size > 1 && (errors.Is(err, ghl.ErrValidation) || errors.Is(err, ghl.ErrBadInput)):
			e.chunks.size.Store(int64(size / 2))
		default:
			return nil, err
		}
	}
	return found, nil
}

func (e *Engine) searchInto(
	ctx context.Context, l *Location, request *ghl.SearchRequest, found map[string]*ghl.Contact,
) error {
	for c, err := range l.Client.Contacts.SearchAll(ctx, request, ghl.CallBackground()) {
		if err != nil {
			return err
		}
		found[c.ID] = c
	}
	return nil
}

// searchTasks finds the tasks of contacts.
func searchTasks(ctx context.Context, l *Location, contacts []string) (map[string][]*ghl.Task, error) {
	const most = 500
	found := map[string][]*ghl.Task{}
	for len(contacts) > 0 {
		some := contacts[:min(len(contacts), most)]
		contacts = contacts[len(some):]
		for t, err := range l.Client.Tasks.SearchAll(ctx, &ghl.TaskSearch{ContactIDs: some}, ghl.CallBackground()) {
			if err != nil {
				return nil, err
			}
			found[t.ContactID] = append(found[t.ContactID], t)
		}
	}
	return found, nil
}

// window is the part of a calendar that one call reads.
const window = 31 * 24 * time.Hour

// span is the time that appointments of a calendar take up.
type span struct{ since, until time.Time }

// listAppointments lists the appointments of the calendars and times that deliveries are about. It returns nil if that
// takes more calls than the lists of the contacts.
func listAppointments(ctx context.Context, l *Location, runs []*queue.Run) (map[string][]*ghl.Appointment, error) {
	spans := map[string]span{}
	for _, run := range runs {
		for _, d := range run.Events {
			event, err := webhook.Decode(d.Body)
			a, is := event.(*webhook.AppointmentEvent)
			if err != nil || !is || a.Appointment.CalendarID == "" {
				continue
			}
			at, ok := a.Appointment.StartTime.Instant()
			if !ok {
				continue
			}
			s, seen := spans[a.Appointment.CalendarID]
			if !seen || at.Before(s.since) {
				s.since = at
			}
			if !seen || at.After(s.until) {
				s.until = at
			}
			spans[a.Appointment.CalendarID] = s
		}
	}
	calls := 0
	for _, s := range spans {
		calls += 1 + int(s.until.Sub(s.since)/window)
	}
	if calls > len(runs)/2 {
		return nil, nil
	}
	found := map[string][]*ghl.Appointment{}
	for calendar, s := range spans {
		for from := s.since.Add(-time.Minute); from.Before(s.until.Add(time.Minute)); from = from.Add(window) {
			query := &ghl.EventsQuery{CalendarID: calendar, StartTime: from, EndTime: from.Add(window)}
			events, err := l.Client.Calendars.Events(ctx, query, ghl.CallBackground())
			if err != nil {
				return nil, err
			}
			for _, a := range events {
				if a.ContactID != "" && !a.Deleted {
					found[a.ContactID] = append(found[a.ContactID], a)
				}
			}
		}
	}
	return found, nil
}
