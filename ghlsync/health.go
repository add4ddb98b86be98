package ghlsync

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// HealthState is how healthy the sync or a location is.
type HealthState string

// Health states, best first.
const (
	// Healthy means that there is no problem.
	Healthy HealthState = "healthy"
	// Degraded means that there is a problem that a person should check; everything else works.
	Degraded HealthState = "degraded"
	// Failing means that nothing is synced, or that the state is unknown.
	Failing HealthState = "failing"
)

// Health is the state of the sync and of each location. It contains no secret and no personal data.
type Health struct {
	// State is the worst state of Problems; [Healthy] if there are none.
	State HealthState `json:"state"`
	// At is when the state was read.
	At time.Time `json:"at"`
	// Problems lists all problems, worst first.
	Problems []Problem `json:"problems"`
	// Locations lists the locations in the order of [Config.Locations].
	Locations []LocationHealth `json:"locations"`
	// Processes is how many processes work on the database; 0 if unknown.
	Processes int `json:"processes"`
	// DatabaseClock is how far the database's clock is ahead of this machine's; 0 for SQLite.
	DatabaseClock time.Duration `json:"databaseClock"`
	// HighLevelClock is how far HighLevel's clock is ahead of this machine's, to a second or two; 0 while unknown.
	HighLevelClock time.Duration `json:"highLevelClock"`
	// AlertsWaiting is how many alerts could not be sent yet.
	AlertsWaiting int `json:"alertsWaiting"`
}

// Problem is a problem of the sync or of a location.
type Problem struct {
	// State is [Degraded] or [Failing].
	State HealthState `json:"state"`
	// Code identifies the kind of the problem for programs, such as "location paused"; the package documentation
	// lists the codes.
	Code string `json:"code"`
	// Location is the location with the problem; "" if the problem concerns all.
	Location string `json:"location,omitempty"`
	// Text describes the problem, and Do what a person can do.
	Text string `json:"text"`
	Do   string `json:"do"`
}

// LocationHealth is the state of a location.
type LocationHealth struct {
	ID    string      `json:"id"`
	State HealthState `json:"state"`
	// Paused is when the location was paused, and Reason why; zero if it is not paused.
	Paused time.Time `json:"paused,omitzero"`
	Reason string    `json:"reason,omitempty"`
	// Closed is why this process could not open the location yet; "" if it did, or did not try.
	Closed string `json:"closed,omitempty"`
	// Waiting is how many contacts wait for a sync or are being synced.
	Waiting int `json:"waiting"`
	// Lag is how long the oldest of them has waited, in nanoseconds in JSON. A contact that was delayed until a time,
	// such as after a failure, counts from then. Contacts found by a backfill do not count.
	Lag time.Duration `json:"lag"`
	// Retrying and Stopped are how many contacts have failed and are retried, and how many have stopped.
	Retrying int `json:"retrying"`
	Stopped  int `json:"stopped"`
	// Conflicts is how many conflicts are open, and Undecided how many of them wait for a person's decision.
	Conflicts int `json:"conflicts"`
	Undecided int `json:"undecided"`
	// Token is the state of the location's token.
	Token TokenHealth `json:"token"`
	// LastDelivery is when the last webhook arrived for the location; zero if none is known.
	LastDelivery time.Time `json:"lastDelivery,omitzero"`
	// Reconciled is when the location was last polled for changes missed by webhooks ([Config.ReconcileInterval]),
	// and Compared when it was last compared in full ([Config.CompareInterval]). Before the first time it is when the
	// schedule began, and zero if the schedule has not begun.
	Reconciled time.Time `json:"reconciled,omitzero"`
	Compared   time.Time `json:"compared,omitzero"`
	// BudgetLeft is how many requests may be sent now, and DailyLeft how many until the daily quota is renewed; -1 if
	// unknown.
	BudgetLeft int `json:"budgetLeft"`
	DailyLeft  int `json:"dailyLeft"`
}

// TokenHealth is the state of a location's token.
type TokenHealth struct {
	State TokenState `json:"state"`
	// ExpiresAt is when the access token expires; zero if never or unknown. A token of [Config.App] is renewed before
	// that.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// TokenState is the state of a token.
type TokenState string

// The states of a token.
const (
	// TokenOK means that the location has a token and HighLevel has not refused it.
	TokenOK TokenState = "ok"
	// TokenMissing means that the location has no token; the app must be installed in the location.
	TokenMissing TokenState = "missing"
	// TokenRefused means that HighLevel refuses the token; the location must be connected again.
	TokenRefused TokenState = "refused"
	// TokenEnds means that the token expires soon and cannot be renewed.
	TokenEnds TokenState = "ends soon"
	// TokenExpired means that the token has expired and cannot be renewed.
	TokenExpired TokenState = "expired"
	// TokenUnreadable means that none of [Config.TokenKeys] decrypts the token.
	TokenUnreadable TokenState = "unreadable"
	// TokenUnknown means that the token could not be read in time.
	TokenUnknown TokenState = "unknown"
)

// Health returns the state of the sync. It reads the database only, and takes at most five seconds.
func (s *Syncer) Health(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	h, _ := s.health(ctx)
	return h
}

// HealthHandler returns a handler that answers with [Health] as JSON, with status 503 if it is [Failing] and 200
// otherwise. A paused location does not change the status, since webhooks are still accepted. Use the handler for
// readiness, not for liveness: a restart fixes none of the problems. It names locations, so do not make it public.
func (s *Syncer) HealthHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		h := s.Health(r.Context())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if h.State == Failing {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		_ = e.Encode(h)
	})
}
