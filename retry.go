package ghl

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// RetryPolicy defines how often a call is retried and how long it waits. The zero value of a field means its default.
//
// An operation that is [Operation.Repeatable] is retried after a 5xx, a gateway's time-out or a lost connection.
// Every operation is retried when the server cannot have acted: after a 429, once after a refused token that could
// be refreshed, and when no connection was opened. A 429 does not count as an attempt: the call waits until the
// server accepts it, MaxRateLimitWait is over or its context ends.
type RetryPolicy struct {
	// MaxAttempts is the number of requests after which a call fails; default 4. 1 means a single request, also after
	// a 429. A refused token is then refreshed for later calls, but the request is not sent again.
	MaxAttempts int
	// MinBackoff is the longest wait before the second attempt; default 500 ms. It doubles with each attempt. The
	// actual wait is random between 0 and this limit (full jitter).
	MinBackoff time.Duration
	// MaxBackoff is the limit of the doubling; default 30 s, and at least MinBackoff.
	MaxBackoff time.Duration
	// MaxRetryAfter is the longest Retry-After for which a call waits; default 60 s. A longer one fails the call at
	// once, with the time in [Error.RetryAfter].
	MaxRetryAfter time.Duration
	// MaxRateLimitWait is how long a call goes on after its first 429; default 5 minutes, and at least the
	// MaxRetryAfter that is set beside it. All of that time counts: the pauses, the waits in the limiter and the
	// requests between them. The call then fails with [ErrRateLimited] and [Error.RetryAfter]. The wait for the
	// limiter before the first 429 does not count.
	MaxRateLimitWait time.Duration
}

var defaultRetry = RetryPolicy{
	MaxAttempts: 4, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second, MaxRetryAfter: time.Minute,
	MaxRateLimitWait: 5 * time.Minute,
}

// orElse returns p with the values of d in its zero fields.
func (p RetryPolicy) orElse(d RetryPolicy) RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = d.MaxAttempts
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = d.MinBackoff
	}
	if p.MaxBackoff == 0 {
		p.MaxBackoff = d.MaxBackoff
	}
	if p.MaxRateLimitWait == 0 {
		p.MaxRateLimitWait = max(d.MaxRateLimitWait, p.MaxRetryAfter)
	}
	if p.MaxRetryAfter == 0 {
		p.MaxRetryAfter = d.MaxRetryAfter
	}
	p.MaxBackoff = max(p.MaxBackoff, p.MinBackoff)
	return p
}

func (p RetryPolicy) check() error {
	switch {
	case p.MaxAttempts < 0:
		return badInputf("RetryPolicy.MaxAttempts", "a number of attempts is not negative")
	case p.MinBackoff < 0 || p.MaxBackoff < 0 || p.MaxRetryAfter < 0 || p.MaxRateLimitWait < 0:
		return badInputf("RetryPolicy", "a wait is not negative")
	case p.MinBackoff > longestBackoff || p.MaxBackoff > longestBackoff:
		return badInputf("RetryPolicy", "a backoff is at most %s", longestBackoff)
	}
	return nil
}

const longestBackoff = 24 * time.Hour

// backoff returns the wait after the n-th failure. n starts at 1.
func (p RetryPolicy) backoff(n int) time.Duration {
	ceiling := p.MaxBackoff
	if shift := n - 1; shift < 30 && p.MinBackoff<<shift > 0 {
		ceiling = min(p.MinBackoff<<shift, p.MaxBackoff)
	}
	return rand.N(ceiling + 1)
}

// attempt is the state of one request.
type attempt struct {
	token   *Token // the token that was sent
	next    *Token // a refreshed token, for the next attempt
	sent    time.Time
	open    bool          // the limiter has let the attempt start and has not observed its end
	pause   time.Duration // the wait before the next attempt
	connect connectTrace
}

// connectTrace records whether an attempt asked for a connection and got one. asked stays false with a transport that
// does not report connections.
type connectTrace struct{ asked, had atomic.Bool }

// send makes attempts until one of them is final, and sets k.answer or k.failure. go-retryablehttp runs the loop
// and calls the hooks below.
func (k *call) send(req *retryablehttp.Request) {
	// The caller may recover a panic of a transport or token source. The limiter must not count that attempt as
	// open forever.
	defer func() { k.observe(RateLimit{Remaining: -1, DailyRemaining: -1, Sent: k.attempt.sent}) }()
	if err := k.prepare(req.Request); err != nil {
		k.failure = asError(err, k.op)
		return
	}
	loop := retryablehttp.Client{
		HTTPClient:   k.client.http,
		RetryMax:     math.MaxInt, // judge counts instead, because a 429 does not count
		CheckRetry:   k.judge,
		Backoff:      k.pause,
		PrepareRetry: k.prepare,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := loop.Do(req)
	if resp != nil {
		_ = resp.Body.Close() // judge has read it
	}
	if err != nil && !k.settled {
		k.cutShort(err)
	}
	if k.failure != nil {
		k.failure.Attempts = k.attempts
	}
}

// cutShort sets the failure of a call that the context, the limiter or the token source ended between two attempts.
// The error also contains the failure of the last attempt.
func (k *call) cutShort(err error) {
	e := asError(err, k.op)
	if last := k.failure; last != nil {
		e.Status, e.TraceID, e.Details, e.body = last.Status, last.TraceID, last.Details, last.body
		e.RetryAfter = max(e.RetryAfter, last.RetryAfter)
		e.categories |= last.categories
		if e.Message == "" {
			e.Message = last.reason()
		}
		if last.cause != nil {
			e.cause = errors.Join(e.cause, last.cause)
		}
	}
	k.failure = e
}

// prepare waits for the limiter and sets the token. It is called before each attempt.
func (k *call) prepare(r *http.Request) error {
	if err := k.waitForLimiter(); err != nil {
		return err
	}
	k.attempt.open = true
	token, err := k.token()
	if err == nil {
		err = k.ctx.Err()
	}
	if err != nil {
		k.observe(RateLimit{Remaining: -1, DailyRemaining: -1}) // not sent
		return err
	}
	if k.attempts > 0 || k.client.http.Jar != nil {
		// The transport may still be writing the headers of the previous attempt, and a cookie jar adds to them.
		r.Header = k.sendHeader.Clone()
	}
	if token != nil {
		r.Header["Authorization"] = []string{"Bearer " + token.AccessToken}
	}
	k.attempts++
	k.attempt.token, k.attempt.next, k.attempt.sent = token, nil, time.Now()
	k.attempt.connect.asked.Store(false)
	k.attempt.connect.had.Store(false)
	return nil
}

// waitForLimiter waits until the limiter lets the next attempt go. After a 429 it waits no longer than the policy
// allows.
func (k *call) waitForLimiter() error {
	ctx, start := k.ctx, time.Now()
	if k.boundsWait() {
		bounded, cancel := context.WithDeadline(ctx, k.limitedUntil)
		defer cancel()
		ctx = bounded
	}
	err := wait(ctx, k.limiter)
	k.waited += time.Since(start)
	if err == nil {
		return nil
	}
	if err = limiterError(ctx, err); k.ctx.Err() == nil && ctx != k.ctx && errors.Is(err, context.DeadlineExceeded) {
		return &Error{Message: "the call has waited " + k.policy.MaxRateLimitWait.String() + " for the rate limit",
			RetryAfter: k.interval(), categories: rateLimited}
	}
	return err
}

// token returns the token for the next attempt, nil for an operation without a bearer.
func (k *call) token() (*Token, error) {
	if k.op.NoBearer {
		return nil, nil
	}
	token, err := k.attempt.next, error(nil)
	if token == nil {
		token, err = currentToken(k.ctx, k.client.tokens)
	}
	if err == nil {
		err = checkToken(token)
	}
	if err != nil {
		return nil, tokenError(err, k.op)
	}
	return token, nil
}

// pause returns the wait that judge has set.
func (k *call) pause(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	k.waited += k.attempt.pause
	return k.attempt.pause
}

func checkToken(t *Token) error {
	if t == nil {
		return badInputf("token", "the token source returned neither a token nor an error")
	}
	return checkBearer(t.AccessToken)
}

// limiterError returns context.DeadlineExceeded for the error of a rate.Limiter that would have to wait beyond the
// deadline.
func limiterError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var e *Error
	if _, ok := ctx.Deadline(); ok && !errors.As(err, &e) &&
		strings.Contains(err.Error(), "would exceed context deadline") {
		return context.DeadlineExceeded
	}
	return err
}

// traced adds the connectTrace to ctx, for operations that may be retried only if no connection was opened.
func (k *call) traced(ctx context.Context) context.Context {
	if k.op.Repeatable {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { k.attempt.connect.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { k.attempt.connect.had.Store(true) },
	})
}

// observe reports the end of the attempt to the limiter.
func (k *call) observe(limit RateLimit) {
	if !k.attempt.open {
		return
	}
	k.attempt.open = false
	if o, ok := k.limiter.(limitObserver); ok {
		o.Observe(limit)
	}
}

// judge decides whether an attempt is final or is retried after k.attempt.pause.
func (k *call) judge(ctx context.Context, resp *http.Response, err error) (again bool, _ error) {
	if err == nil {
		again = k.judgeAnswer(ctx, resp)
	} else {
		k.status, k.header = 0, nil
		k.limit = RateLimit{Remaining: -1, DailyRemaining: -1, Sent: k.attempt.sent}
		k.observe(k.limit)
		again = k.lost(ctx, withoutURL(err))
	}
	again = again && k.timeFor(k.attempt.pause)
	k.settled = !again
	return again, nil
}

// judgeAnswer judges an attempt with an answer. It reads the whole answer, because the connection can
// be lost during the reading.
func (k *call) judgeAnswer(ctx context.Context, resp *http.Response) bool {
	k.status, k.header = resp.StatusCode, resp.Header
	k.limit = parseRateLimit(resp.Header, time.Now())
	k.limit.Status, k.limit.Sent = resp.StatusCode, k.attempt.sent
	k.observe(k.limit)

	success := resp.StatusCode >= 200 && resp.StatusCode < 300
	body := buffers.Get().(*bytes.Buffer)
	limit := int64(maxErrorRead)
	if success {
		limit = maxAnswer
	}
	n, err := body.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if bytes.HasPrefix(body.Bytes(), byteOrderMark) {
		body.Next(len(byteOrderMark))
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // the rest, so that the connection can be reused
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	k.answer = body
	if success {
		switch {
		case err != nil:
			k.release()
			return k.lost(ctx, err)
		case n > limit:
			k.failure = k.badAnswer(&badAnswerError{text: "the answer is larger than 32 MiB"})
			k.release()
		default:
			var refused bool
			if k.failure, refused = k.falseSuccess(); k.failure == nil {
				return false
			}
			k.release()
			return refused && !k.refused && !k.op.NoBearer && k.refresh()
		}
		return false
	}
	e, v := k.newError(resp.StatusCode, resp.Header, body.Bytes())
	k.release()
	e.hide(k.secrets())
	e.RetryAfter = k.limit.RetryAfter
	k.failure = e
	return k.failed(e, v)
}

const (
	maxAnswer = 32 << 20
	maxDrain  = 64 << 10
)

var byteOrderMark = []byte("\ufeff")

// lost judges an attempt without an answer or with an incomplete one.
func (k *call) lost(ctx context.Context, err error) bool {
	e := &Error{Operation: k.op.Name, Status: k.status, Message: "the connection was lost",
		cause: k.secrets().HideQuoted(err)}
	k.failure = e
	var redirect *redirectError
	if errors.As(err, &redirect) {
		e.Message = "a redirect was not followed"
		return false
	}
	if k.neverSent(err) {
		e.Message = "no connection"
		return ctx.Err() == nil && !distrusted(err) && k.again(k.policy.backoff(k.failures+1))
	}
	k.acted = true
	if ctx.Err() != nil {
		e.Message, e.cause = "the call was ended while it was under way", ctx.Err()
	}
	if !k.op.Repeatable {
		if ctx.Err() == nil {
			e.Message = "the answer was lost"
		}
		e.categories |= ambiguous
		return false
	}
	return ctx.Err() == nil && k.again(k.policy.backoff(k.failures+1))
}

// failed judges an answer with a status other than success.
func (k *call) failed(e *Error, v verdict) bool {
	switch {
	case v.categories&rateLimited != 0:
		return k.rateLimited(e)
	case v.categories&serverError != 0:
		if v.mayHaveActed {
			k.acted = true
		}
		if !k.op.Repeatable {
			if v.mayHaveActed {
				e.categories |= ambiguous
			}
			return false
		}
		if e.RetryAfter > k.policy.MaxRetryAfter {
			return false
		}
		return k.again(max(e.RetryAfter, k.policy.backoff(k.failures+1)))
	case v.refusesToken && !k.refused && !k.op.NoBearer:
		return k.refresh()
	case k.op.Method == http.MethodDelete && k.op.answer == "" && k.acted && v.categories&notFound != 0:
		// An earlier attempt of this call had no answer. The record is gone, so that attempt has deleted it.
		k.failure = nil
		k.answer = buffers.Get().(*bytes.Buffer)
	}
	return false
}

// rateLimited judges a 429. It does not count as an attempt, but the waits after it end with the policy's
// MaxRateLimitWait.
func (k *call) rateLimited(e *Error) bool {
	if k.limit.DailyLimit > 0 && k.limit.DailyRemaining == 0 {
		e.categories |= dailyLimit
		e.RetryAfter = max(e.RetryAfter, k.limit.DailyReset)
		return false
	}
	now := time.Now()
	if k.limitedUntil.IsZero() {
		k.limitedUntil = now.Add(k.policy.MaxRateLimitWait)
	}
	k.throttled++
	pause := k.pauseFor429()
	k.attempt.pause = pause
	switch {
	case e.RetryAfter > k.policy.MaxRetryAfter:
		return false
	case k.policy.MaxAttempts == 1:
		e.RetryAfter = cmp.Or(e.RetryAfter, k.limit.Interval)
		return false
	case k.boundsWait() && now.Add(pause).After(k.limitedUntil):
		e.RetryAfter = cmp.Or(e.RetryAfter, k.interval())
		return false
	}
	return true
}

// boundsWait reports whether MaxRateLimitWait ends the waits of the call before its context does.
func (k *call) boundsWait() bool {
	deadline, ok := k.ctx.Deadline()
	return !k.limitedUntil.IsZero() && (!ok || deadline.After(k.limitedUntil))
}

// timeFor reports whether ctx leaves enough time for another attempt after a pause. That matters for an operation
// without a bearer, because a request that ctx cuts off may have used up its code or refresh token.
func (k *call) timeFor(pause time.Duration) bool {
	const forRequest = 10 * time.Second
	deadline, ok := k.ctx.Deadline()
	return !ok || !k.op.NoBearer || time.Until(deadline) >= pause+forRequest
}

// again counts a failure and reports whether the policy allows another attempt after a pause.
func (k *call) again(pause time.Duration) bool {
	k.failures++
	k.attempt.pause = pause
	return k.failures < k.policy.MaxAttempts
}

// pauseFor429 returns the wait after a 429 without a Retry-After. The default limiter holds calls back by itself.
// With any other limiter the rest of the interval is unknown, so calls wait a random part of the whole interval. The
// wait has a floor that doubles with each 429 of the call, because an interval can be as short as a millisecond.
func (k *call) pauseFor429() time.Duration {
	const first, longest = 100 * time.Millisecond, 5 * time.Second
	if k.limit.RetryAfter > 0 {
		return k.limit.RetryAfter
	}
	n := k.throttled
	if _, ok := k.limiter.(*AdaptiveLimiter); ok {
		if n -= 2; n <= 0 {
			return 0 // the limiter may have learned the window only from the first ones
		}
	}
	floor := min(first<<min(n-1, 10), longest)
	floor -= rand.N(floor / 2)
	switch _, ok := k.limiter.(*AdaptiveLimiter); {
	case ok:
		return floor
	case k.op.NoBearer:
		return max(k.interval(), floor) // such calls are too few to need spreading
	}
	return max(rand.N(k.interval())+time.Millisecond, floor)
}

// interval returns the window of the limit, the published one if the answer does not name it.
func (k *call) interval() time.Duration {
	if k.limit.Interval > 0 {
		return k.limit.Interval
	}
	return 10 * time.Second
}

// refresh asks the token source for another token, once in a call. It reports whether to retry with that token.
func (k *call) refresh() bool {
	source, ok := k.client.tokens.(TokenRefresher)
	if !ok {
		return false
	}
	k.refused = true
	k.opts.secrets = append(k.opts.secrets, k.attempt.token.AccessToken) // a later answer may repeat it
	rejected := k.attempt.token
	token, err := within(k.ctx, func() (*Token, error) { return source.Refresh(k.ctx, rejected) }, nil)
	if err == nil {
		err = checkToken(token)
	}
	if err != nil {
		e := tokenError(err, k.op)
		k.failure.categories |= e.categories
		k.failure.RetryAfter = max(k.failure.RetryAfter, e.RetryAfter)
		k.failure.cause = e.cause
		return false
	}
	if token.AccessToken == k.attempt.token.AccessToken {
		return false // the same token would be refused again
	}
	k.attempt.next, k.attempt.pause = token, 0
	return k.policy.MaxAttempts > 1
}

// neverSent reports whether no connection was opened, so that the server cannot have seen the request.
func (k *call) neverSent(err error) bool {
	if k.attempt.connect.asked.Load() {
		return !k.attempt.connect.had.Load()
	}
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns) ||
		distrusted(err)
}

// distrusted reports whether the server's certificate was not accepted. A retry would not change that.
func distrusted(err error) bool {
	var cert *tls.CertificateVerificationError
	return errors.As(err, &cert)
}

// withoutURL removes the URL, and with it the query, from an error of http.Client.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
