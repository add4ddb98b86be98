package rate

import (
	"context"
	"encoding/json"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// budget is what the answers to a location's requests have reported of its limits. Fields of 0 are unknown.
type budget struct {
	Limit      int           `json:"limit"`
	Left       int           `json:"left"`
	Interval   time.Duration `json:"interval"`
	Sent       time.Time     `json:"sent"` // of the request whose answer this is
	DailyLimit int           `json:"dailyLimit"`
	DailyLeft  int           `json:"dailyLeft"`
	DailyReset time.Time     `json:"dailyReset"`
}

// Budget is what remains of a location's limits.
type Budget struct {
	// Left is how many requests may be sent now; -1 if unknown.
	Left int
	// Daily is how many requests may be sent until the daily quota is renewed; -1 if unknown.
	Daily int
}

// at returns what remains at a time.
func (b budget) at(now time.Time) Budget {
	left := Budget{-1, -1}
	if b.DailyLimit > 0 && now.Before(b.DailyReset) {
		left.Daily = b.DailyLeft
	}
	if b.Limit > 0 {
		left.Left = b.Left
		if !now.Before(b.Sent.Add(b.Interval)) { // the interval has passed
			left.Left = b.Limit
		}
		if left.Daily >= 0 {
			left.Left = min(left.Left, left.Daily)
		}
	}
	return left
}

// Store stores what has been observed since the last call, for [Budgets].
func (l *Limits) Store(ctx context.Context, d *db.DB) error {
	l.mu.Lock()
	fresh := map[string]budget{}
	for resource, one := range l.all {
		one.mu.Lock()
		if one.seen != one.reported && db.Storable(resource) {
			fresh[resource] = one.seen
		}
		one.mu.Unlock()
	}
	l.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	err := d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		for resource, b := range fresh {
			body, err := json.Marshal(b)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_rate (location, body) VALUES ($1, $2)
				ON CONFLICT (location) DO UPDATE SET body = excluded.body`, resource, string(body)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for resource, b := range fresh {
		one := l.all[resource]
		one.mu.Lock()
		one.reported = b
		one.mu.Unlock()
	}
	return nil
}

// Budgets returns the budgets of all locations for which requests were sent, as they were stored last.
func Budgets(ctx context.Context, tx *db.Tx, now time.Time) (map[string]Budget, error) {
	all := map[string]Budget{}
	err := tx.Each(ctx, func(r db.Row) error {
		var resource, body string
		if err := r.Scan(&resource, &body); err != nil {
			return err
		}
		var b budget
		if json.Unmarshal([]byte(body), &b) == nil {
			all[resource] = b.at(now)
		}
		return nil
	}, `SELECT location, body FROM ghlsync_rate`)
	return all, err
}
