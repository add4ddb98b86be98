package ghlsync

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghlsync/internal/rate"
	"github.com/pluvo/ghl/ghlsync/internal/redact"
	"github.com/pluvo/ghl/oauth"
)

// locationState is the state of a location, with further numbers for metrics.
type locationState struct {
	LocationHealth
	running, retrying, delayed int             // of those that wait
	pausedBy                   FailureCategory // of the error that paused it; "" if a person did
	closing                    error
}

// health returns the state of the sync and of each location.
func (s *Syncer) health(ctx context.Context) (Health, []locationState) {
	h := Health{State: Healthy, At: time.Now().UTC(), HighLevelClock: time.Duration(s.monitor.highLevel.Load())}
	if s.monitor.stopped.Load() {
		return s.judge(h, nil, errStopped)
	}
	states := make([]locationState, len(s.config.Locations))
	// The budgets of this process are as they are now, those of others as they were stored last.
	err := s.limits.Store(ctx, s.db)
	if err != nil {
		return s.judge(h, nil, err)
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		for i := range states {
			states[i] = locationState{
				LocationHealth: LocationHealth{ID: s.config.Locations[i].ID, BudgetLeft: -1, DailyLeft: -1},
			}
		}
		return s.readHealth(ctx, tx, &h, states)
	})
	if err != nil {
		return s.judge(h, nil, err)
	}
	h.DatabaseClock = s.db.Ahead()
	for i := range states {
		l := &states[i]
		if c, is := s.monitor.whyClosed(l.ID); is {
			l.Closed, l.closing = c.text, c.err
		}
		l.Token = s.token(ctx, i, l)
	}
	return s.judge(h, states, nil)
}

var errStopped = errors.New("the sync was stopped")

// healthReader reads the state of the sync from the database.
type healthReader struct {
	tx     *db.Tx
	now    time.Time
	states map[string]*locationState
	spare  locationState // for locations that are not configured
}

// readHealth reads the state from the database.
func (s *Syncer) readHealth(ctx context.Context, tx *db.Tx, h *Health, states []locationState) error {
	r := &healthReader{tx: tx, now: s.db.Now(), states: make(map[string]*locationState, len(states))}
	for i := range states {
		r.states[states[i].ID] = &states[i]
	}
	for _, read := range []func(context.Context) error{
		r.readLocations, r.readUnits, r.readFailures, r.readConflicts, r.readSchedules, r.readBudgets,
	} {
		if err := read(ctx); err != nil {
			return err
		}
	}
	err := tx.Row(ctx, `SELECT count(*) FROM ghlsync_process`).Scan(&h.Processes)
	if err != nil {
		return err
	}
	return tx.Row(ctx, `SELECT count(*) FROM ghlsync_alert WHERE sent_at = 0 AND attempts > 0`).Scan(&h.AlertsWaiting)
}

// at returns the state of a location.
func (r *healthReader) at(id string) *locationState {
	if l := r.states[id]; l != nil {
		return l
	}
	return &r.spare
}

func (r *healthReader) readLocations(ctx context.Context) error {
	return r.tx.Each(ctx, func(row db.Row) error {
		var id, reason string
		var paused, delivery int64
		err := row.Scan(&id, &paused, &reason, &delivery)
		l := r.at(id)
		l.Paused, l.Reason, l.LastDelivery = db.Time(paused), redact.Text(reason), db.Time(delivery)
		l.pausedBy = queue.Location{Reason: reason}.Category()
		return err
	}, `SELECT id, paused, reason,
			coalesce((SELECT max(received_at) FROM ghlsync_delivery d WHERE d.location = l.id), 0)
		FROM ghlsync_location l`)
}

func (r *healthReader) readUnits(ctx context.Context) error {
	return r.tx.Each(ctx, func(row db.Row) error {
		var id string
		var all, running, retrying, delayed, since int64
		err := row.Scan(&id, &all, &running, &retrying, &delayed, &since)
		l := r.at(id)
		l.Waiting, l.running, l.retrying, l.delayed = int(all), int(running), int(retrying), int(delayed)
		if since > 0 {
			l.Lag = max(r.now.Sub(db.Time(since)), 0)
		}
		return err
	}, `SELECT location, count(*), count(CASE WHEN epoch > 0 THEN 1 END),
			count(CASE WHEN epoch = 0 AND attempts > 0 THEN 1 END),
			count(CASE WHEN epoch = 0 AND attempts = 0 AND due > $1 THEN 1 END),
			coalesce(min(CASE WHEN priority <> $2 OR due > $3 THEN NULL
				WHEN due > changed_at THEN due ELSE changed_at END), 0)
		FROM ghlsync_unit WHERE number > synced AND stopped = 0 GROUP BY location`,
		db.Micros(r.now), int64(queue.Live), db.Micros(r.now))
}

func (r *healthReader) readFailures(ctx context.Context) error {
	return r.tx.Each(ctx, func(row db.Row) error {
		var id string
		var retrying, stopped int64
		err := row.Scan(&id, &retrying, &stopped)
		l := r.at(id)
		l.Retrying, l.Stopped = int(retrying), int(stopped)
		return err
	}, `SELECT location, count(CASE WHEN state = 'retrying' THEN 1 END), count(CASE WHEN state = 'stopped' THEN 1 END)
		FROM ghlsync_failure WHERE state IN ('retrying', 'stopped') GROUP BY location`)
}

func (r *healthReader) readConflicts(ctx context.Context) error {
	return r.tx.Each(ctx, func(row db.Row) error {
		var id string
		var open, undecided int64
		err := row.Scan(&id, &open, &undecided)
		l := r.at(id)
		l.Conflicts, l.Undecided = int(open), int(undecided)
		return err
	}, `SELECT location, count(*), count(CASE WHEN winner = '' THEN 1 END)
		FROM ghlsync_conflict WHERE resolved_at = 0 GROUP BY location`)
}

func (r *healthReader) readSchedules(ctx context.Context) error {
	return r.tx.Each(ctx, func(row db.Row) error {
		var name string
		var moved int64
		err := row.Scan(&name, &moved)
		switch schedule, id, _ := strings.Cut(name, "/"); schedule {
		case "reconcile":
			r.at(id).Reconciled = db.Time(moved)
		case "compare":
			r.at(id).Compared = db.Time(moved)
		}
		return err
	}, `SELECT name, moved_at FROM ghlsync_cursor`)
}

func (r *healthReader) readBudgets(ctx context.Context) error {
	budgets, err := rate.Budgets(ctx, r.tx, r.now)
	for id, b := range budgets {
		l := r.at(id)
		l.BudgetLeft, l.DailyLeft = b.Left, b.Daily
	}
	return err
}

// token returns the state of a location's token, without a request to HighLevel.
func (s *Syncer) token(ctx context.Context, i int, l *locationState) TokenHealth {
	refused := l.pausedBy.RefusesToken() || errors.Is(l.closing, ghl.ErrReauthRequired) ||
		errors.Is(l.closing, ghl.ErrUnauthorized)
	if s.config.Locations[i].TokenSource != nil {
		if refused {
			return TokenHealth{State: TokenRefused}
		}
		return TokenHealth{State: TokenOK}
	}
	token, err := s.tokens.Load(ctx, oauth.LocationKey(l.ID))
	switch {
	case errors.Is(err, oauth.ErrNoToken):
		return TokenHealth{State: TokenMissing}
	case ctx.Err() != nil:
		return TokenHealth{State: TokenUnknown}
	case err != nil:
		return TokenHealth{State: TokenUnreadable}
	}
	state := TokenHealth{State: TokenOK, ExpiresAt: token.ExpiresAt}
	renewable := token.RefreshToken != ""
	if !renewable && token.CompanyID != "" { // derived from the token of the company
		_, err := s.tokens.Load(ctx, oauth.CompanyKey(token.CompanyID))
		renewable = err == nil
	}
	left := time.Until(token.ExpiresAt)
	switch {
	case refused && !token.IssuedAt.After(l.Paused): // the token is still the refused one
		state.State = TokenRefused
	case renewable || token.ExpiresAt.IsZero():
	case left <= 0:
		state.State = TokenExpired
	case within(left, s.config.HealthLimits.TokenEnd, 7*24*time.Hour):
		state.State = TokenEnds
	}
	return state
}

// within reports whether a duration is below a limit. A limit of 0 means the default; a negative one is never reached.
func within(d, limit, otherwise time.Duration) bool {
	if limit == 0 {
		limit = otherwise
	}
	return limit > 0 && d < limit
}

// beyond reports whether a duration has reached a limit. A limit of 0 means the default; a negative one is never
// reached.
func beyond(d, limit, otherwise time.Duration) bool {
	return limit >= 0 && !within(d, limit, otherwise)
}
