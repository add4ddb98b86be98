package oauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/internal/redact"
)

const (
	// flightTimeout bounds a flight, including its wait for the key's lock.
	flightTimeout = 2 * UpdateTimeout
	// recheckStore is the shortest time between two reads of a store that holds no usable token.
	recheckStore = time.Second
	// saveAgain is how long after a failed save a source retries it, and saveOnCall how long after it a call does.
	saveAgain  = 10 * time.Second
	saveOnCall = time.Second
	// The pause after a failure doubles from firstCooldown to maxCooldown.
	firstCooldown = time.Second
	maxCooldown   = time.Minute
)

// flight is one read of the store, and a renewal where one is due, for all callers that wait for it.
type flight struct {
	rejected string // the access token that the server refused; "" for none
	done     chan struct{}
	token    *ghl.Token
	err      error
	stale    bool // the token was removed or replaced meanwhile: the result is void
}

// trouble is why a source has no new token.
type trouble struct {
	err      error
	retryAt  time.Time // the server is not asked before
	lookedAt time.Time // when the store was last read
	failures int
	// The store or the company's source failed, not the server. Each of these paces its own retries: when it works
	// again, this source need not wait.
	notServer bool

	refused    string // the refresh token that the server refused
	refusedErr error
	unmarked   bool   // the store could not save that it was refused
	lost       string // the refresh token that was sent in a request without an answer

	rejections    int       // consecutive renewals of a token that the server refused
	rejectedUntil time.Time // another refused token is not renewed before
}

// cooldown returns the pause after a failure that follows n others.
func cooldown(n int) time.Duration { return min(firstCooldown<<min(n, 10), maxCooldown) }

// start begins a flight. The end of ctx does not end it. The caller holds s.mu.
func (s *storedSource) start(ctx context.Context, rejected string) *flight {
	f := &flight{rejected: rejected, done: make(chan struct{})}
	s.flight = f
	r := &renewal{storedSource: s, rejected: rejected, removals: s.removals, first: s.first}
	ctx, cancel := detach(ctx, flightTimeout)
	go func() {
		defer cancel()
		token, err := r.run(ctx)
		if token == nil && err == nil {
			err = fmt.Errorf("oauth: the store returned neither a token of key %q nor an error", s.key)
		}
		s.finish(ctx, f, r, token, err)
	}()
	return f
}

// finish records the result of a flight, reports it and wakes the callers that wait for it.
func (s *storedSource) finish(ctx context.Context, f *flight, r *renewal, token *ghl.Token, err error) {
	s.mu.Lock()
	if s.removals != r.removals {
		f.stale = true
		s.flight = nil
		close(f.done)
		s.mu.Unlock()
		return
	}
	token, reports, err := s.recordSave(ctx, f, r, token, err)
	if r.renewErr != nil {
		err = r.renewErr
	}
	reports = append(reports, s.recordRenewal(ctx, f, r, err))
	s.trouble.lookedAt = time.Now()
	switch {
	case err == nil:
		f.token = token
	case r.current != nil:
		s.token, f.token = r.current, r.current
	default:
		f.err = s.trouble.err
	}
	s.mu.Unlock()
	for _, report := range reports { // before the callers wake, and in the order of the flights
		report()
	}
	s.mu.Lock()
	s.flight = nil
	s.mu.Unlock()
	close(f.done)
}

// recordSave records whether the store saved the token. It returns the token to use, the reports to make, and the
// error that is left: a token that could not be saved is used from memory. The caller holds s.mu.
func (s *storedSource) recordSave(
	ctx context.Context, f *flight, r *renewal, token *ghl.Token, err error,
) (_ *ghl.Token, reports []func(), _ error) {
	u := &s.unsaved
	switch {
	case err == nil:
		if u.reported {
			reports = append(reports, func() { s.reportSaved(ctx) })
		}
		s.token, s.unsaved, s.first = token, unsavedToken{}, sourceID{}
	case u.token != nil && r.updateErr == nil: // the store failed
		u.triedAt, u.reported = time.Now(), true
		s.token, token = u.token, u.token
		storeErr := redact.Secrets{u.token.AccessToken, u.token.RefreshToken}.HideIn(err)
		reports = append(reports, func() { s.reportUnsaved(ctx, storeErr) })
		time.AfterFunc(saveAgain, s.retrySave)
		if err = r.renewErr; err == nil && !s.usable(token, f.rejected, time.Now()) {
			err = storeErr
		}
	}
	return token, reports, err
}

// recordRenewal records whether there is a token, and returns the function that reports a change of that. The
// caller holds s.mu.
func (s *storedSource) recordRenewal(ctx context.Context, f *flight, r *renewal, err error) (report func()) {
	report = func() {}
	if err == nil {
		s.endTrouble(f, r.renewed)
		if r.renewed {
			report = func() { s.log(ctx, slog.LevelInfo, "ghl token renewed") }
		}
		return report
	}
	known := r.paused || s.noteFailure(err, r)
	if !known && r.companyErr == nil { // the company's source reports its own errors
		err := s.trouble.err
		report = func() { s.reportFailure(ctx, err) }
	}
	return report
}

// endTrouble clears the trouble, but counts renewals of tokens that the server refused: a server that refuses every
// token is not asked for more and more of them.
func (s *storedSource) endTrouble(f *flight, renewed bool) {
	t := trouble{rejections: s.trouble.rejections, rejectedUntil: s.trouble.rejectedUntil}
	if now := time.Now(); renewed && f.rejected != "" {
		if now.Sub(t.rejectedUntil) > maxCooldown {
			t.rejections, t.rejectedUntil = 0, now
		}
		if t.rejections > 0 {
			t.rejectedUntil = now.Add(cooldown(t.rejections - 1))
		}
		t.rejections++
	}
	s.trouble = t
}

// noteFailure records why there is no token, and reports whether that was recorded already.
func (s *storedSource) noteFailure(err error, r *renewal) (known bool) {
	t := &s.trouble
	var e *ghl.Error
	if errors.As(err, &e) && (e.Is(ghl.ErrAmbiguous) || e.Is(ghl.ErrBadResponse)) && r.sent != "" {
		t.lost = r.sent
	}
	if errors.Is(err, ghl.ErrReauthRequired) {
		known = errors.Is(t.err, ghl.ErrReauthRequired) && t.err.Error() == err.Error()
		if !known {
			t.err = err
		}
		t.refused, t.refusedErr, t.retryAt = r.refused, t.err, time.Now().Add(recheckStore)
		t.unmarked = r.unmarked
		return known
	}
	t.notServer = r.companyErr != nil || r.updateErr == nil && r.renewErr == nil
	pause := cooldown(t.failures)
	if e != nil {
		pause = max(pause, e.RetryAfter)
	}
	t.err, t.retryAt = err, time.Now().Add(pause)
	t.failures++
	return false
}

// retrySave starts a flight to save a token that the store could not save, unless one was started meanwhile.
func (s *storedSource) retrySave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unsaved.token == nil || time.Since(s.unsaved.triedAt) < saveAgain {
		return
	}
	if s.flight == nil {
		s.start(context.Background(), "")
	}
}

func (s *storedSource) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	s.app.config.Logger.LogAttrs(ctx, level, message, append([]slog.Attr{slog.String("key", s.key)}, attrs...)...)
}

func (s *storedSource) reportUnsaved(ctx context.Context, err error) {
	s.log(ctx, slog.LevelError, "ghl token not saved: it exists only in the memory of this process",
		slog.Any("error", err))
	s.reportTrouble(fmt.Errorf("oauth: the new token of key %q is not saved: %w", s.key, err))
}

func (s *storedSource) reportSaved(ctx context.Context) {
	s.log(ctx, slog.LevelInfo, "ghl token saved after a retry")
	s.reportTrouble(nil)
}

func (s *storedSource) reportFailure(ctx context.Context, err error) {
	if errors.Is(err, ghl.ErrReauthRequired) {
		s.log(ctx, slog.LevelError, "ghl account must be connected again", slog.Any("error", err))
		s.reportTrouble(err)
		return
	}
	s.log(ctx, slog.LevelWarn, "ghl token not renewed", slog.Any("error", err))
}

func (s *storedSource) reportTrouble(err error) {
	if s.app.config.OnTrouble != nil {
		s.app.config.OnTrouble(s.key, err)
	}
}
