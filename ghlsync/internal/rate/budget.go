package rate

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Budget is what remains of a location's limits for all processes together.
type Budget struct {
	// Left is how many requests may be sent now.
	Left int
	// Daily is how many requests may be sent until the daily quota is renewed; -1 if unknown.
	Daily int
}

// Budgets returns the budgets of all locations for which requests were sent.
func Budgets(ctx context.Context, tx *db.Tx, now time.Time) (map[string]Budget, error) {
	all := map[string]Budget{}
	err := tx.Each(ctx, func(r db.Row) error {
		var resource, body string
		if err := r.Scan(&resource, &body); err != nil {
			return err
		}
		s := newState()
		if json.Unmarshal([]byte(body), &s) == nil && s.Interval > 0 && s.Limit > 0 {
			all[resource] = s.budget(db.Micros(now))
		}
		return nil
	}, `SELECT location, body FROM ghlsync_rate`)
	return all, err
}

// budget returns what remains at a time.
func (s *state) budget(now int64) Budget {
	if exhausted, _ := s.dailyExhausted(now); exhausted {
		return Budget{0, 0}
	}
	if s.Closed > now {
		return Budget{0, s.DailyLeft}
	}
	s.forget(now / s.slot())
	left := max(s.Limit-s.used(), 0)
	if s.DailyLeft >= 0 {
		left = min(left, s.DailyLeft)
	}
	return Budget{left, s.DailyLeft}
}
