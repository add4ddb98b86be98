package ghlsync

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// HealthState is how something stands.
type HealthState string

// States, the better first.
const (
	// Healthy: nothing is wrong.
	Healthy HealthState = "healthy"
	// Degraded: something is wrong, and a person should look; the rest works.
	Degraded HealthState = "degraded"
	// Failing: nothing is kept in step, or it can't be told.
	Failing HealthState = "failing"
)

// Health says how everything stands. It holds no secret and no personal data.
type Health struct {
	// State is the worst of Problems; [Healthy] if there are none.
	State HealthState `json:"state"`
	// At is when it was looked at.
	At time.Time `json:"at"`
	// Problems are what is wrong, the worst first.
	Problems []Problem `json:"problems"`
	// Locations are in the order of [Config.Locations].
	Locations []LocationHealth `json:"locations"`
	// Processes is how many processes work on the database; 0 if that is not known.
	Processes int `json:"processes"`
	// DatabaseClock is by how much the database's clock is ahead of this machine's; 0 for SQLite.
	DatabaseClock time.Duration `json:"databaseClock"`
	// HighLevelClock is by how much HighLevel's clock is ahead of this machine's, to a second or two; 0 while it is unknown.
	HighLevelClock time.Duration `json:"highLevelClock"`
	// AlertsWaiting is how many alerts could not be sent yet.
	AlertsWaiting int `json:"alertsWaiting"`
}

// Problem is something that is wrong.
type Problem struct {
	// State is [Degraded] or [Failing].
	State HealthState `json:"state"`
	// Code is a word for programs, such as "location paused"; see the documentation of the package.
	Code string `json:"code"`
	// Location is the location that it is about; "" if it is about all.
	Location string `json:"location,omitempty"`
	// Text is what is wrong, and Do what a person can do, each in words.
	Text string `json:"text"`
	Do   string `json:"do"`
}

// LocationHealth says how a location stands.
type LocationHealth struct {
	ID    string      `json:"id"`
	State HealthState `json:"state"`
	// Paused is since when nobody works on it, and Reason why; zero if it is not paused.
	Paused time.Time `json:"paused,omitzero"`
	Reason string    `json:"reason,omitempty"`
	// Closed says why this process could not open it yet; "" if it did, or did not try.
	Closed string `json:"closed,omitempty"`
	// Waiting is how many contacts wait for work or are worked on.
	Waiting int `json:"waiting"`
	// Lag is for how long the longest of them has waited that could be worked on, in nanoseconds. What was put off until a time,
	// such as after a failure, counts from then; what a backfill found does not count.
	Lag time.Duration `json:"lag"`
	// Retrying and Stopped are how many contacts fail and are tried again, or have stopped.
	Retrying int `json:"retrying"`
	Stopped  int `json:"stopped"`
	// Conflicts is how many conflicts nobody has resolved, Undecided how many of them wait for a person's decision.
	Conflicts int `json:"conflicts"`
	Undecided int `json:"undecided"`
	// Token is how its token stands.
	Token TokenHealth `json:"token"`
	// LastDelivery is when a webhook last came for it; zero if none is known.
	LastDelivery time.Time `json:"lastDelivery,omitzero"`
	// Reconciled is when it was last asked for what no delivery told of ([Config.ReconcileInterval]), and Compared when it was last
	// compared in full ([Config.CompareInterval]); before the first time when the schedule began, and zero if it has not begun.
	Reconciled time.Time `json:"reconciled,omitzero"`
	Compared   time.Time `json:"compared,omitzero"`
	// BudgetLeft is how many requests may be sent at once, and DailyLeft how many until the day's quota is renewed; -1 if
	// unknown.
	BudgetLeft int `json:"budgetLeft"`
	DailyLeft  int `json:"dailyLeft"`
}

// TokenHealth is how a location's token stands.
type TokenHealth struct {
	State TokenState `json:"state"`
	// ExpiresAt is when the access token ends; zero if it never does, or that is unknown. One of [Config.App] is renewed before.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// TokenState is how a token stands.
type TokenState string

// States of tokens.
const (
	// TokenOK: there is one, and HighLevel has not refused it.
	TokenOK TokenState = "ok"
	// TokenMissing: there is none; the app must be installed in the location.
	TokenMissing TokenState = "missing"
	// TokenRefused: HighLevel refuses it; consent must be given again.
	TokenRefused TokenState = "refused"
	// TokenEnds: it ends soon, and can't be renewed.
	TokenEnds TokenState = "ends soon"
	// TokenExpired: it has ended, and can't be renewed.
	TokenExpired TokenState = "expired"
	// TokenUnreadable: none of [Config.TokenKeys] opens it.
	TokenUnreadable TokenState = "unreadable"
	// TokenUnknown: it could not be looked at in time.
	TokenUnknown TokenState = "unknown"
)

// Health looks how everything stands. It takes five seconds at the most, and asks the database alone.
func (s *Syncer) Health(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	h, _ := s.health(ctx)
	return h
}

// HealthHandler answers with [Health] as JSON, and status 200, or 503 if it is [Failing]. A location that stands still leaves
// it at 200: webhooks are still taken. It is for readiness and for people; a restart mends nothing of what it says. It names
// locations, so keep it from the public.
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
