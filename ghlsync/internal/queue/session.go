package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// session is the time in which this process owns a location. It runs the units of the location that are due, and ends
// when none is left, after a slice of time, or when the process stops or loses the location.
type session struct {
	q        *Queue
	location string
	epoch    int64
	// complete ends the job that the session belongs to; nil for a session without one.
	complete func(ctx context.Context, tx *db.Tx) error
	ctx      context.Context // with the fence; ends when this process loses the location
	cancel   context.CancelCauseFunc
	detach   func() bool // from the life of the process
	started  time.Time
	ended    chan struct{}
	runs     sync.WaitGroup

	mu      sync.Mutex
	active  map[string]chan struct{} // units that are worked on; closed at the end of the run
	running int                      // runs of dirty units
	sharing bool                     // a batch of units is being synced with shared reads
	guests  int                      // callers that need the session
	ending  bool                     // no guest is accepted any more
	signal  chan struct{}            // something has ended; holds one signal
}

// sessions are the sessions of this process.
type sessions struct {
	mu       sync.Mutex
	of       map[string]*session // by location; nil while the location is being claimed or left
	stopping chan struct{}
	once     sync.Once
	all      sync.WaitGroup
}

// stop lets sessions end, and waits for them until ctx ends. Then it cancels their runs.
func (s *sessions) stop(ctx context.Context) {
	s.once.Do(func() { close(s.stopping) })
	done := make(chan struct{})
	go func() { s.all.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	for _, one := range s.list() {
		one.cancel(errStopped)
	}
	<-done
}

// none waits until no session is left or ctx ends.
func (s *sessions) none(ctx context.Context) {
	for _, one := range s.list() {
		select {
		case <-one.ended:
		case <-ctx.Done():
			return
		}
	}
}

func (s *sessions) list() (list []*session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.of {
		if one != nil {
			list = append(list, one)
		}
	}
	return list
}

// reserve reports whether a location has no session, and makes the caller the only one who may begin it.
func (s *sessions) reserve(location string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.of[location]; taken {
		return false
	}
	select {
	case <-s.stopping:
		return false
	default:
	}
	s.of[location] = nil
	s.all.Add(1)
	return true
}

// begin makes a session known, and leave forgets it. A reservation that comes to nothing is left as well.
func (s *sessions) begin(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[one.location] = one
}

func (s *sessions) leave(location string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, location)
	s.all.Done()
}

// has reports whether a location has a session, or gets or leaves one.
func (s *sessions) has(location string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, has := s.of[location]
	return has
}

// errOwned means that another process owns the location.
var errOwned = errors.New("another process works on the location now")

// claim makes this process the owner of a location, whose reservation it has. It returns no session if the job does
// not count any more; 0 claims the location without a job. Complete ends the job in a transaction; nil leaves it to
// River.
func (q *Queue) claim(ctx, life context.Context, location string, job int64,
	complete func(context.Context, *db.Tx) error) (*session, error) {
	var epoch int64
	var void bool
	err := q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		epoch, void = 0, false
		p, err := lockLocation(ctx, tx, location)
		if errors.Is(err, ErrLocation) && job != 0 {
			void = true
			return nil
		}
		switch {
		case err != nil:
			return err
		case job != 0 && p.job != job:
			void = true
			return nil
		case p.owner != "":
			if job == 0 {
				p.wanted = q.process
				if err := p.store(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		case p.paused:
			void, p.job = true, 0
			if job == 0 {
				return ErrPaused
			}
			if complete != nil {
				if err := complete(ctx, tx); err != nil {
					return err
				}
			}
			return p.store(ctx, tx)
		}
		var registered int64
		if err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_process WHERE id = $1`, q.process).
			Scan(&registered); err != nil {
			return err
		}
		if registered == 0 {
			return ErrNotRunning
		}
		p.epoch++
		p.owner, p.job, p.due, p.wanted = q.process, job, time.Time{}, ""
		epoch = p.epoch
		if err := putBack(ctx, tx, location); err != nil {
			return err
		}
		return p.store(ctx, tx)
	})
	switch {
	case err != nil:
		return nil, err
	case void:
		return nil, nil
	case epoch == 0:
		return nil, errOwned
	}
	s := &session{q: q, location: location, epoch: epoch, complete: complete, started: time.Now(),
		ended: make(chan struct{}), active: map[string]chan struct{}{}, signal: make(chan struct{}, 1)}
	// Not a child of ctx: the session outlives the guest that began it, and the lock that the guest holds.
	s.ctx, s.cancel = context.WithCancelCause(db.WithFence(context.Background(), location, epoch))
	s.detach = context.AfterFunc(life, func() { s.cancel(db.ErrFenced) })
	q.sessions.begin(s)
	return s, nil
}

// own returns the session of a location, which lasts at least until leave is called. It waits while another process
// owns the location.
func (q *Queue) own(ctx context.Context, location string) (s *session, leave func(), err error) {
	for {
		life, ok := q.alive.context()
		if !ok {
			return nil, nil, ErrNotRunning
		}
		if s := q.joinSession(location); s != nil {
			return s, s.leave, nil
		}
		if q.sessions.reserve(location) {
			s, err := q.claim(ctx, life, location, 0, nil)
			if err == nil {
				s.mu.Lock()
				s.guests++
				s.mu.Unlock()
				go func() { _ = s.work() }()
				return s, s.leave, nil
			}
			q.sessions.leave(location)
			if !errors.Is(err, errOwned) {
				return nil, nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-q.sessions.stopping:
			return nil, nil, ErrNotRunning
		case <-time.After(q.Poll):
		}
	}
}

// joinSession returns the session that this process has of a location, with one more guest; nil if it has none.
func (q *Queue) joinSession(location string) *session {
	q.sessions.mu.Lock()
	s := q.sessions.of[location]
	q.sessions.mu.Unlock()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil
	}
	s.guests++
	return s
}

func (s *session) leave() {
	s.mu.Lock()
	s.guests--
	s.mu.Unlock()
	s.wake()
}

func (s *session) wake() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

// work runs the units of the location until the session ends, and leaves the location.
func (s *session) work() error {
	defer close(s.ended)
	defer s.q.sessions.leave(s.location)
	defer s.cancel(context.Canceled)
	defer s.detach()
	for {
		s.dispatch()
		s.runs.Wait()
		end, err := s.end()
		if end || err != nil {
			return err
		}
	}
}

// dispatch begins runs until none is due, the slice is over, or the session must end.
func (s *session) dispatch() {
	for pause := time.Duration(0); ; {
		select {
		case <-s.ctx.Done():
			return
		case <-s.q.sessions.stopping:
			s.wait(s.q.Poll) // guests leave by themselves
		case <-s.signal:
		case <-time.After(pause):
		}
		pause = s.q.Poll
		s.mu.Lock()
		guests, free, sharing := s.guests, s.q.Workers-s.running, s.sharing
		s.mu.Unlock()
		if s.isStopping() {
			if guests == 0 {
				return
			}
			continue
		}
		if free <= 0 {
			continue
		}
		if guests == 0 && time.Since(s.started) > s.q.Slice {
			return
		}
		begun, leave, err := s.begin(free, sharing, guests > 0)
		switch {
		case err != nil:
			if !errors.Is(err, db.ErrFenced) {
				s.q.Logger.LogAttrs(s.ctx, slog.LevelWarn, "reading the units that are due failed; retrying",
					slog.String("location", s.location), slog.Any("err", err))
			}
			// The units may be claimed nevertheless, if only the answer was lost. The end of the session puts
			// them back.
			s.cancel(err)
			return
		case guests > 0:
		case leave, begun == 0 && s.isIdle():
			return
		}
	}
}

func (s *session) isStopping() bool {
	select {
	case <-s.q.sessions.stopping:
		return true
	default:
		return false
	}
}

func (s *session) isIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running == 0 && !s.sharing
}

func (s *session) wait(d time.Duration) {
	select {
	case <-s.ctx.Done():
	case <-s.signal:
	case <-time.After(d):
	}
}

// begin begins runs of units that are due: of at most n, and of a batch if many wait and no batch is being synced.
// leave reports that another process waits for the location. A session with guests works on until they have left.
func (s *session) begin(n int, sharing, guests bool) (begun int, leave bool, err error) {
	var single, batch []*Run
	err = s.q.DB.Write(s.ctx, func(ctx context.Context, tx *db.Tx) error {
		single, batch = nil, nil
		var epoch, paused int64
		var waiting string
		err := tx.Row(ctx, `SELECT epoch, paused, wanted FROM ghlsync_location WHERE id = $1 FOR SHARE`, s.location).
			Scan(&epoch, &paused, &waiting)
		if errors.Is(err, db.ErrNoRows) || err == nil && epoch != s.epoch {
			return db.ErrFenced
		}
		leave = waiting != "" && !guests
		if err != nil || paused > 0 || leave {
			return err
		}
		many := sharing
		if !many && s.shares() {
			if many, err = s.manyWait(ctx, tx); err != nil {
				return err
			}
			if many {
				if batch, err = s.claim(ctx, tx, maxShared, shareable); err != nil {
					return err
				}
			}
		}
		which := ""
		if many {
			which = ` AND NOT (TRUE` + shareable + `)`
		}
		single, err = s.claim(ctx, tx, n, which)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	s.mu.Lock()
	s.running += len(single)
	s.sharing = s.sharing || len(batch) > 0
	s.mu.Unlock()
	for _, run := range single {
		s.runs.Go(func() {
			s.run(run, s.q.Work)
			s.mu.Lock()
			s.running--
			s.mu.Unlock()
			s.wake()
		})
	}
	if len(batch) > 0 {
		s.runs.Go(func() {
			s.share(batch)
			s.mu.Lock()
			s.sharing = false
			s.mu.Unlock()
			s.wake()
		})
	}
	return len(single) + len(batch), leave, nil
}

// run works on a unit as soon as nobody else does.
func (s *session) run(run *Run, work Work) {
	if leave := s.enter(run.ID); leave != nil {
		defer leave()
		_ = s.perform(run, work)
	}
}

// sharers is how many units of a batch are worked on at once.
const sharers = 16

// unshared is how long the units of a location are read by themselves after shared reads have failed.
const unshared = time.Minute

// shares reports whether the units of the location may be read together.
func (s *session) shares() bool {
	until, _ := s.q.unshared.Load(s.location)
	at, failed := until.(time.Time)
	return s.q.Share != nil && (!failed || time.Now().After(at))
}

// share works on a batch of units with shared reads. If the reads fail, the failure is not one of each unit.
func (s *session) share(batch []*Run) {
	limited, cancel := context.WithTimeoutCause(s.ctx, s.q.Timeout, context.DeadlineExceeded)
	defer cancel()
	work, err := s.q.Share(limited, batch)
	if err != nil {
		if v := Classify(err); v.Action != PauseLocation && v.Action != Wait && limited.Err() == nil {
			s.q.Logger.LogAttrs(s.ctx, slog.LevelWarn, "reading many contacts at once failed; each is read by itself",
				slog.String("location", s.location), slog.String("err", messageOf(err)))
			s.q.unshared.Store(s.location, time.Now().Add(unshared))
			err = &WaitError{After: time.Millisecond, Reason: "the contact is read by itself"}
		}
		work = func(context.Context, *Run) error { return err }
	}
	var all sync.WaitGroup
	turns := make(chan struct{}, sharers)
	for _, run := range batch {
		turns <- struct{}{}
		all.Go(func() {
			s.run(run, work)
			<-turns
		})
	}
	all.Wait()
}

// shareable is the condition for a unit that waits only for what HighLevel has. Edits in Pluvo do not wait for others.
var shareable = fmt.Sprintf(` AND (dirty | taken) & %d = 0 AND attempts = 0`, AspectPluvo)

// due is the condition for a unit that waits and is due.
const due = `location = $1 AND number > synced AND stopped = 0 AND epoch = 0 AND due <= $2`

// manyWait reports whether so many units wait that they are read together.
func (s *session) manyWait(ctx context.Context, tx *db.Tx) (bool, error) {
	var n int64
	err := tx.Row(ctx, `SELECT count(*) FROM (SELECT 1 FROM ghlsync_unit WHERE `+due+shareable+` LIMIT $3) AS waiting`,
		s.location, db.Micros(s.q.DB.Now()), int64(MaxSingle+1)).Scan(&n)
	return n > MaxSingle, err
}

// claim takes at most n units that are due for runs.
func (s *session) claim(ctx context.Context, tx *db.Tx, n int, which string) ([]*Run, error) {
	if n <= 0 {
		return nil, nil
	}
	asOf := s.q.DB.Now()
	units, err := db.List(ctx, tx, scanRow, `UPDATE ghlsync_unit SET epoch = $3, taken = taken | dirty, dirty = 0
		WHERE location = $1 AND unit IN (SELECT unit FROM ghlsync_unit WHERE `+due+which+`
			ORDER BY priority, due, changed_at LIMIT $4)
		RETURNING `+rowColumns, s.location, db.Micros(asOf), s.epoch, int64(n))
	if err != nil || len(units) == 0 {
		return nil, err
	}
	events, err := s.events(ctx, tx, units)
	runs := make([]*Run, len(units))
	for i, u := range units {
		runs[i] = s.newRun(u, asOf)
		runs[i].Events = events[u.ID]
	}
	return runs, err
}

// events reads the deliveries of units that were claimed.
func (s *session) events(ctx context.Context, tx *db.Tx, units []row) (map[string][]Event, error) {
	of := map[string][]Event{}
	if len(units) <= MaxSingle {
		for _, u := range units {
			list, err := eventsOf(ctx, tx, u)
			if err != nil {
				return nil, err
			}
			of[u.ID] = list
		}
		return of, nil
	}
	err := tx.Each(ctx, func(r db.Row) error {
		var unit string
		e, err := scanEvent(r, &unit)
		of[unit] = append(of[unit], e)
		return err
	}, `SELECT aspects, received_at, body, e.unit FROM ghlsync_event e JOIN ghlsync_unit u
			ON u.location = e.location AND u.unit = e.unit AND e.number <= u.number
		WHERE u.location = $1 AND u.epoch = $2 ORDER BY e.number`, s.location, s.epoch)
	return of, err
}

// enter waits until nobody works on a unit, and returns the function that ends the caller's work on it; nil if the
// session has ended before.
func (s *session) enter(unit string) (leave func()) {
	for {
		leave, busy := s.tryEnter(unit)
		if leave != nil {
			return leave
		}
		select {
		case <-busy:
		case <-s.ctx.Done():
			return nil
		}
	}
}

// tryEnter is enter without waiting. It returns a channel that is closed when the unit may be free.
func (s *session) tryEnter(unit string) (leave func(), busy <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if busy := s.active[unit]; busy != nil {
		return nil, busy
	}
	done := make(chan struct{})
	s.active[unit] = done
	return func() {
		s.mu.Lock()
		delete(s.active, unit)
		s.mu.Unlock()
		close(done)
	}, nil
}

// end leaves the location, unless there is more to do. It retries until that is stored or the process has lost the
// location.
func (s *session) end() (ended bool, err error) {
	s.mu.Lock()
	s.ending = s.guests == 0
	leaves := s.ending || s.ctx.Err() != nil
	s.mu.Unlock()
	if !leaves {
		return false, nil
	}
	ctx := context.WithoutCancel(s.ctx)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ended, err = s.endOnce(ctx)
		life, alive := s.q.alive.context()
		if err == nil || errors.Is(err, db.ErrFenced) || !alive {
			break
		}
		s.q.Logger.LogAttrs(ctx, slog.LevelWarn, "leaving a location failed; retrying",
			slog.String("location", s.location), slog.Any("err", err))
		select {
		case <-time.After(pause):
		case <-life.Done():
		}
	}
	if errors.Is(err, db.ErrFenced) {
		return true, nil // what the job was for is done by another process
	}
	if !ended {
		s.mu.Lock()
		s.ending = false
		s.mu.Unlock()
	}
	return ended, err
}

// putBack puts back the units of a location that count as running though no run works on them: the answer to the
// transaction that claimed them was lost, or the end of their run could not be stored. The caller knows that the
// location has no runs.
func putBack(ctx context.Context, tx *db.Tx, location string) error {
	_, err := tx.Exec(ctx, `UPDATE ghlsync_unit SET epoch = 0 WHERE location = $1 AND epoch > 0`, location)
	return err
}

// endOnce has the last look at the location, and leaves it in the same transaction: with a new job if more is due, and
// with the time at which more will be due.
func (s *session) endOnce(ctx context.Context) (ended bool, err error) {
	q := s.q
	err = q.DB.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		ended = false
		p, err := lockLocation(ctx, tx, s.location)
		if errors.Is(err, ErrLocation) || err == nil && p.epoch != s.epoch {
			return db.ErrFenced
		}
		if err == nil {
			err = putBack(ctx, tx, s.location)
		}
		if err != nil {
			return err
		}
		var next, waiting int64
		err = tx.Row(ctx, `SELECT count(*), coalesce(min(due), 0) FROM ghlsync_unit
			WHERE location = $1 AND number > synced AND stopped = 0`, s.location).Scan(&waiting, &next)
		if err != nil {
			return err
		}
		due := waiting > 0 && next <= db.Micros(q.DB.Now())
		over := p.paused || p.wanted != "" || s.isStopping() || s.ctx.Err() != nil || time.Since(s.started) > q.Slice
		if due && !over {
			return nil
		}
		if s.complete != nil {
			if err := s.complete(ctx, tx); err != nil {
				return err
			}
		}
		wanted := p.wanted
		p.owner, p.job, p.due, p.wanted = "", 0, time.Time{}, ""
		p.epoch++ // what a run that was cut off writes late has no effect
		switch {
		case p.paused:
		case due && (wanted != "" || s.ctx.Err() != nil): // after an error, or for the process that waits to claim it
			p.due = q.DB.Now().Add(5 * q.Poll)
		case due:
			if p.job, err = q.jobs.insert(ctx, tx, s.location); err != nil {
				return err
			}
		case waiting > 0:
			p.due = db.Time(next)
		}
		ended = true
		return p.store(ctx, tx)
	})
	return ended && err == nil, err
}

// serve runs a job of River: it works the location for a while.
func (q *Queue) serve(ctx context.Context, location string, job int64,
	complete func(context.Context, *db.Tx) error) (again time.Duration, err error) {
	life, ok := q.alive.context()
	if !ok {
		return time.Second, nil
	}
	if !q.sessions.reserve(location) { // this process works it without a job, or ends
		return 10 * q.Poll, nil
	}
	s, err := q.claim(context.WithoutCancel(ctx), life, location, job, complete)
	if err != nil || s == nil {
		q.sessions.leave(location)
		if errors.Is(err, errOwned) || errors.Is(err, ErrNotRunning) {
			return 10 * q.Poll, nil
		}
		return 0, err
	}
	return 0, s.work()
}
