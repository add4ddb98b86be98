// Package rate enforces the rate limits of locations in all processes that share a database.
package rate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
)

// Limits holds the limiters of a process.
type Limits struct {
	db  *db.DB
	log *slog.Logger

	mu  sync.Mutex
	all map[string]*Limiter
}

// New returns limits that are shared through a database.
func New(d *db.DB, logger *slog.Logger) *Limits {
	if logger == nil {
		logger = slog.Default()
	}
	return &Limits{db: d, log: logger, all: map[string]*Limiter{}}
}

// For returns the limiter of a location or company, the same one in every call. Pass it to [ghl.WithLimiterFor].
func (l *Limits) For(resource string) ghl.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.all[resource]; found != nil {
		return found
	}
	made := &Limiter{
		limits: l, resource: resource, local: ghl.NewLimiter(), batch: 1, most: publishedLimit / batchShare,
	}
	l.all[resource] = made
	return made
}

// Limiter is a [ghl.Limiter] with Observe. A call waits for two limiters in turn. The first is the SDK's
// own: it follows the server's headers, spreads the calls, and lets background calls yield. The second is shared by
// all processes: it counts the permits given lately, never more than the limit in any interval, and stores the daily
// quota and until when the server refuses all requests.
//
// A process takes permits from the database for a moment, several at once if calls are frequent. The permits of a
// dead process count as if they had been used. Background calls leave a tenth of the daily quota to other calls.
type Limiter struct {
	limits   *Limits
	resource string
	local    *ghl.AdaptiveLimiter

	mu      sync.Mutex
	permits int           // held by this process
	expires time.Time     // when they expire
	unused  int           // permits that expired unused
	expired time.Time     // when the last of those expired
	batch   int           // how many to take at once
	most    int           // the maximum of batch
	waiting int           // callers without a permit
	asking  bool          // one caller asks the database for all
	woken   chan struct{} // closed when that caller is done; nil if no caller waits for it
	report  report        // not shared yet

	dailyLimit int // 0 if unknown
}

var (
	_ ghl.Limiter                         = (*Limiter)(nil)
	_ interface{ Observe(ghl.RateLimit) } = (*Limiter)(nil)
)

// Wait returns nil when the next attempt may be sent; see [ghl.Limiter]. It returns the errors of
// [ghl.AdaptiveLimiter.Wait], and those of the database.
func (l *Limiter) Wait(ctx context.Context) error {
	if op, _ := ghl.OperationFromContext(ctx); op.Background() {
		if left := l.reserved(); left > 0 {
			spent := ghl.NewLimiter() // returns the error of a used up daily quota
			spent.Observe(ghl.RateLimit{Remaining: -1, DailyReset: left, Status: http.StatusOK, Sent: time.Now()})
			return spent.Wait(ctx)
		}
	}
	for {
		if err := l.local.Wait(ctx); err != nil {
			return err
		}
		refusal, err := l.shared(ctx)
		if err != nil {
			l.local.Observe(ghl.RateLimit{}) // the permit was not used
			return err
		}
		if refusal == nil {
			return nil
		}
		// Other processes have learned that a wait does not help, or not soon. The local limiter learns that too, and
		// decides what it means for this call.
		l.local.Observe(*refusal)
	}
}

// reserveShare reserves one part in reserveShare of the daily quota for calls that are not in the background.
const reserveShare = 10

// reserved returns how long background calls must wait because only the reserve of the daily quota remains; 0 or less
// if more remains.
func (l *Limiter) reserved() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.report.dailyReported.IsZero() || l.report.dailyLeft >= l.dailyLimit/reserveShare {
		return 0
	}
	return time.Until(l.report.dailyReset)
}

// Observe learns from an answer; see [ghl.Limiter].
func (l *Limiter) Observe(r ghl.RateLimit) {
	l.local.Observe(r)
	if r.Sent.IsZero() || r.Status == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	urgent := false
	if (r.Limit > 0 || r.Interval > 0) && r.Sent.After(l.report.reported) {
		urgent = r.Limit > 0 && r.Limit/batchShare != l.most
		l.report.limit, l.report.interval, l.report.reported = r.Limit, r.Interval, r.Sent
		if r.Limit > 0 {
			l.most = r.Limit / batchShare
		}
	}
	if r.Status == http.StatusTooManyRequests {
		urgent = true
		// Without Retry-After, pause for one slot only: the local limiter knows when the window ends.
		pause := r.RetryAfter
		if pause == 0 {
			pause = publishedInterval / slots
		}
		if until := now.Add(pause); until.After(l.report.closed) {
			l.report.closed = until
		}
	}
	if r.DailyRemaining >= 0 && !r.Sent.Before(l.report.dailyReported) {
		urgent = urgent || r.DailyRemaining == 0
		l.report.dailyLeft, l.report.dailyReported, l.dailyLimit = r.DailyRemaining, r.Sent, r.DailyLimit
		l.report.dailyReset = now.Add(dailyProbe)
		if r.DailyReset > 0 {
			l.report.dailyReset = now.Add(r.DailyReset)
		}
	}
	if urgent && !l.asking {
		l.asking = true
		go l.publish()
	}
}

// publish shares the report with other processes at once. The next caller that needs permits waits for it.
func (l *Limiter) publish() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _, _, err := l.ask(ctx, 0)
	if err != nil {
		l.limits.log.LogAttrs(ctx, slog.LevelWarn, "sharing the rate limit failed", slog.Any("err", err))
	}
	l.asked()
}

// asked ends a request to the database, and wakes the callers that wait for it.
func (l *Limiter) asked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking = false
	if l.woken != nil {
		close(l.woken)
		l.woken = nil
	}
}

// shared waits for a permit shared by all processes. A refusal is returned as the answer that would have caused it.
func (l *Limiter) shared(ctx context.Context) (refusal *ghl.RateLimit, err error) {
	l.mu.Lock()
	l.waiting++
	defer func() {
		l.mu.Lock()
		l.waiting--
		l.mu.Unlock()
	}()
	for {
		if l.permits > 0 && time.Now().Before(l.expires) {
			l.permits--
			l.mu.Unlock()
			return nil, nil
		}
		if l.asking {
			if l.woken == nil {
				l.woken = make(chan struct{})
			}
			woken := l.woken
			l.mu.Unlock()
			select {
			case <-woken:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			l.mu.Lock()
			continue
		}
		// Take fewer permits than last time if some expired unused, and more if none is left.
		if l.permits > 0 {
			l.batch = max(l.batch-l.permits, 1)
			l.unused, l.expired = l.unused+l.permits, l.expires
		} else {
			l.batch++
		}
		l.batch = max(min(l.batch, l.most), 1)
		want := min(max(l.batch, l.waiting), max(l.most, 1))
		l.permits, l.asking = 0, true
		l.mu.Unlock()

		refusal, err := l.lead(ctx, want)
		l.asked()
		if refusal != nil || err != nil {
			return refusal, err
		}
		l.mu.Lock()
		if l.permits > 0 { // use one permit even if the database took longer than they last
			l.permits--
			l.mu.Unlock()
			return nil, nil
		}
	}
}

// lead asks the database for permits until it gives some.
func (l *Limiter) lead(ctx context.Context, want int) (*ghl.RateLimit, error) {
	for {
		asked := time.Now()
		given, wait, refusal, err := l.ask(ctx, want)
		if err != nil || refusal != nil {
			return refusal, err
		}
		if given > 0 {
			l.mu.Lock()
			l.permits, l.expires = given, asked.Add(l.hold())
			l.mu.Unlock()
			return nil, nil
		}
		// Add jitter, since other processes wait for the same moment.
		timer := time.NewTimer(wait + time.Duration(rand.Int64N(int64(10*time.Millisecond))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// hold returns how long permits may be held. It is called with l.mu held.
func (l *Limiter) hold() time.Duration {
	interval := l.report.interval
	if interval <= 0 {
		interval = publishedInterval
	}
	return interval / slots * holdSlots
}

// longPause is the shortest pause that is returned as a refusal. The local limiter decides whether the call waits.
const longPause = time.Second

// ask takes permits from the database, and stores the report there. A refusal is returned as the answer that would have
// caused it.
func (l *Limiter) ask(ctx context.Context,
	want int) (given int, wait time.Duration, refusal *ghl.RateLimit, err error) {
	l.mu.Lock()
	fresh, unused, expired := l.report, l.unused, l.expired
	l.mu.Unlock()
	if !db.Storable(l.resource) {
		return 0, 0, nil, errors.New("rate limit: invalid location id")
	}
	d := l.limits.db
	offset := time.Until(d.Now())
	at := func(t time.Time) int64 { return db.Micros(t.Add(offset)) }
	var exhausted bool
	var pause int64
	err = d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		s, err := load(ctx, tx, l.resource)
		if err != nil {
			return err
		}
		if !fresh.empty() {
			s.learn(fresh, at)
		}
		if s.DailyLeft >= 0 && at(expired) > s.DailyReported { // these permits were counted for the day, but never sent
			s.DailyLeft += unused
		}
		now := at(time.Now())
		given, wait = 0, 0
		if exhausted, pause = s.dailyExhausted(now); !exhausted && want > 0 {
			var micros int64
			given, micros = s.give(now, want)
			wait = time.Duration(micros) * time.Microsecond
			pause = max(s.Closed-now, 0)
		}
		return store(ctx, tx, l.resource, s)
	})
	if err != nil {
		if ctx.Err() != nil {
			return 0, 0, nil, ctx.Err()
		}
		return 0, 0, nil, fmt.Errorf("rate limit: %w", err)
	}
	l.mu.Lock()
	l.unused -= unused
	// A pause that was reported meanwhile is shared next time. Limit and interval stay: every answer reports them.
	if l.report.closed.Equal(fresh.closed) {
		l.report.closed = time.Time{}
	}
	l.mu.Unlock()
	left := time.Duration(pause) * time.Microsecond
	switch {
	case exhausted:
		refusal = &ghl.RateLimit{
			Remaining: -1, DailyRemaining: 0, DailyReset: left, Status: http.StatusOK, Sent: time.Now(),
		}
	case given == 0 && left > longPause:
		refusal = &ghl.RateLimit{
			Remaining: -1, DailyRemaining: -1, RetryAfter: left, Status: http.StatusTooManyRequests, Sent: time.Now(),
		}
	}
	return given, wait, refusal, nil
}

// load reads the state of a resource and locks it.
func load(ctx context.Context, tx *db.Tx, resource string) (state, error) {
	for {
		s := newState()
		var body string
		err := tx.Row(ctx, `SELECT body FROM ghlsync_rate WHERE location = $1 FOR UPDATE`, resource).Scan(&body)
		switch {
		case err == nil:
			if json.Unmarshal([]byte(body), &s) != nil || s.Interval <= 0 || s.Limit <= 0 {
				s = newState() // written by an unknown version
			}
			return s, nil
		case !errors.Is(err, db.ErrNoRows):
			return s, err
		}
		if _, err := tx.Exec(ctx,
			`INSERT INTO ghlsync_rate (location, body) VALUES ($1, '{}') ON CONFLICT (location) DO NOTHING`,
			resource); err != nil {
			return s, err
		}
	}
}

// store writes the state of a resource.
func store(ctx context.Context, tx *db.Tx, resource string, s state) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE ghlsync_rate SET body = $2 WHERE location = $1`, resource, string(body))
	return err
}
