// Package rate keeps the rate limits of locations over all processes that share a database.
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

// Limits makes the limiters of a process.
type Limits struct {
	db  *db.DB
	log *slog.Logger

	mu  sync.Mutex
	all map[string]*Limiter
}

// New returns the limits that are kept in a database.
func New(d *db.DB, logger *slog.Logger) *Limits {
	if logger == nil {
		logger = slog.Default()
	}
	return &Limits{db: d, log: logger, all: map[string]*Limiter{}}
}

// For returns the limiter of a location or company, always the same one. It is for [ghl.WithLimiterFor].
func (l *Limits) For(resource string) ghl.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.all[resource]; found != nil {
		return found
	}
	made := &Limiter{limits: l, resource: resource, local: ghl.NewLimiter(), batch: 1, most: publishedLimit / atOnce}
	l.all[resource] = made
	return made
}

// Limiter is a [ghl.Limiter] and a [ghl.LimitObserver]. Two stand one behind the other: the SDK's own, which follows the
// server's headers, spreads the calls, and lets those in the background yield; and what all processes share: a count of the
// permits given lately, of which there are never more than the limit in any interval, the daily quota, and how long the server
// refuses all. Permits are taken from the database for a moment, a few at once where calls come fast. What a dead process had
// taken counts for as long as if it had been used, and no longer. Calls in the background leave a tenth of the daily quota to
// others.
type Limiter struct {
	limits   *Limits
	resource string
	local    *ghl.AdaptiveLimiter

	mu      sync.Mutex
	permits int           // in hand
	expires time.Time     // when they do
	unused  int           // permits that expired in hand
	gone    time.Time     // when the last of those did
	batch   int           // how many to take at once
	most    int           // and at the most
	waiting int           // callers without a permit
	asking  bool          // one of them asks the database for all
	woken   chan struct{} // closed when it has; nil if nobody waits for that
	news    news

	dailyLimit int // 0 if unknown
}

var (
	_ ghl.Limiter       = (*Limiter)(nil)
	_ ghl.LimitObserver = (*Limiter)(nil)
)

// Wait returns nil when the next attempt may be sent; see [ghl.Limiter]. Its errors are those of [ghl.AdaptiveLimiter.Wait],
// and the database's.
func (l *Limiter) Wait(ctx context.Context) error {
	if ghl.IsBackground(ctx) {
		if left := l.reserved(); left > 0 {
			spent := ghl.NewLimiter() // it knows how to say so
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
		// The others have learned that waiting does not help, or not soon: so does our own, which knows what that means for
		// this call.
		l.local.Observe(*refusal)
	}
}

// reserveShare of the daily quota is kept from calls in the background: one part in so many.
const reserveShare = 10

// reserved is for how long calls in the background have to do without, since no more is left of the daily quota than others may
// need; 0 or less if there is more.
func (l *Limiter) reserved() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.news.dailyTold.IsZero() || l.news.dailyLeft >= l.dailyLimit/reserveShare {
		return 0
	}
	return time.Until(l.news.dailyReset)
}

// Observe learns from an answer; see [ghl.LimitObserver].
func (l *Limiter) Observe(r ghl.RateLimit) {
	l.local.Observe(r)
	if r.Sent.IsZero() || r.Status == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	urgent := false
	if (r.Limit > 0 || r.Interval > 0) && r.Sent.After(l.news.told) {
		urgent = r.Limit > 0 && r.Limit/atOnce != l.most
		l.news.limit, l.news.interval, l.news.told = r.Limit, r.Interval, r.Sent
		if r.Limit > 0 {
			l.most = r.Limit / atOnce
		}
	}
	if r.Status == http.StatusTooManyRequests {
		urgent = true
		// Without a word from the server, a moment: our own limiter knows more of its windows.
		pause := r.RetryAfter
		if pause == 0 {
			pause = publishedInterval / slots
		}
		if until := now.Add(pause); until.After(l.news.closed) {
			l.news.closed = until
		}
	}
	if r.DailyRemaining >= 0 && !r.Sent.Before(l.news.dailyTold) {
		urgent = urgent || r.DailyRemaining == 0
		l.news.dailyLeft, l.news.dailyTold, l.dailyLimit = r.DailyRemaining, r.Sent, r.DailyLimit
		l.news.dailyReset = now.Add(dailyProbe)
		if r.DailyReset > 0 {
			l.news.dailyReset = now.Add(r.DailyReset)
		}
	}
	if urgent && !l.asking {
		l.asking = true
		go l.publish()
	}
}

// publish tells the others at once. Who asks next waits for that.
func (l *Limiter) publish() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _, _, err := l.ask(ctx, 0)
	if err != nil {
		l.limits.log.LogAttrs(ctx, slog.LevelWarn, "what the server says of its limits is not shared yet", slog.Any("err", err))
	}
	l.asked()
}

// asked lets the next caller ask.
func (l *Limiter) asked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking = false
	if l.woken != nil {
		close(l.woken)
		l.woken = nil
	}
}

// shared waits for a permit of all processes. A refusal is what an answer would have said.
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
		// What was left of the last ones was too much; if nothing was, more would have done.
		if l.permits > 0 {
			l.batch = max(l.batch-l.permits, 1)
			l.unused, l.gone = l.unused+l.permits, l.expires
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
		if l.permits > 0 { // at least this one is used, however long the database took
			l.permits--
			l.mu.Unlock()
			return nil, nil
		}
	}
}

// lead asks the database for permits until there are some.
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
		// Some jitter, for other processes wait for the same.
		timer := time.NewTimer(wait + time.Duration(rand.Int64N(int64(10*time.Millisecond))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// hold is for how long permits may be kept. It is called with l.mu held.
func (l *Limiter) hold() time.Duration {
	interval := l.news.interval
	if interval <= 0 {
		interval = publishedInterval
	}
	return interval / slots * held
}

// longPause is what is refused rather than waited for here: a call may not want to wait for so long.
const longPause = time.Second

// ask takes permits from the database and leaves there what is new. The refusal, if there is one, is as if an answer said so.
func (l *Limiter) ask(ctx context.Context, want int) (given int, wait time.Duration, refusal *ghl.RateLimit, err error) {
	l.mu.Lock()
	fresh, unused, expired := l.news, l.unused, l.gone
	l.mu.Unlock()
	if !db.Storable(l.resource) {
		return 0, 0, nil, errors.New("rate limit: the name of a location can't be stored")
	}
	d := l.limits.db
	offset := time.Until(d.Now())
	at := func(t time.Time) int64 { return db.Micros(t.Add(offset)) }
	var gone bool
	var pause int64
	err = d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		s, err := load(ctx, tx, l.resource)
		if err != nil {
			return err
		}
		if !fresh.empty() {
			s.learn(fresh, at)
		}
		if s.DailyLeft >= 0 && at(expired) > s.DailyTold { // they were taken from the day, and never sent
			s.DailyLeft += unused
		}
		now := at(time.Now())
		given, wait = 0, 0
		if gone, pause = s.dailyGone(now); !gone && want > 0 {
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
	// What has come in since stays for the next time. Interval and limit are kept: they are told again and again.
	if l.news.closed.Equal(fresh.closed) {
		l.news.closed = time.Time{}
	}
	l.mu.Unlock()
	left := time.Duration(pause) * time.Microsecond
	switch {
	case gone:
		refusal = &ghl.RateLimit{Remaining: -1, DailyRemaining: 0, DailyReset: left, Status: http.StatusOK, Sent: time.Now()}
	case given == 0 && left > longPause:
		refusal = &ghl.RateLimit{Remaining: -1, DailyRemaining: -1, RetryAfter: left, Status: http.StatusTooManyRequests, Sent: time.Now()}
	}
	return given, wait, refusal, nil
}

// load reads the state of a resource, and keeps others from changing it.
func load(ctx context.Context, tx *db.Tx, resource string) (state, error) {
	for {
		s := newState()
		var body string
		err := tx.Row(ctx, `SELECT body FROM ghlsync_rate WHERE location = $1 FOR UPDATE`, resource).Scan(&body)
		switch {
		case err == nil:
			if json.Unmarshal([]byte(body), &s) != nil || s.Interval <= 0 || s.Limit <= 0 {
				s = newState() // of a version that this one does not know
			}
			return s, nil
		case !errors.Is(err, db.ErrNoRows):
			return s, err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO ghlsync_rate (location, body) VALUES ($1, '{}') ON CONFLICT (location) DO NOTHING`, resource); err != nil {
			return s, err
		}
	}
}

func store(ctx context.Context, tx *db.Tx, resource string, s state) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE ghlsync_rate SET body = $2 WHERE location = $1`, resource, string(body))
	return err
}
