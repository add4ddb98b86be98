package ghl

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/time/rate"
)

// graceAfterEnd is how long code of the caller's, such as a token source, may take to return after the call's context
// has ended. Its own result says more than the context's error.
const graceAfterEnd = 20 * time.Millisecond

// within returns the result of f, which may be code that ignores ctx. When ctx ends and f does not return soon after,
// within returns ctx's error, and late, unless nil, gets the result of f once there is one. A panic of f is one of
// within.
func within[T any](ctx context.Context, f func() (T, error), late func(T, error)) (T, error) {
	if ctx.Done() == nil {
		return f()
	}
	type result struct {
		value    T
		err      error
		returned bool
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if !r.returned {
				r.panicked = recover() // nil after runtime.Goexit
			}
			done <- r
		}()
		r.value, r.err = f()
		r.returned = true
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		select {
		case r = <-done:
		case <-time.After(graceAfterEnd):
			if late != nil {
				go func() {
					if r := <-done; r.returned {
						late(r.value, r.err)
					}
				}()
			}
			return r.value, ctx.Err()
		}
	}
	switch {
	case r.panicked != nil:
		panic(r.panicked)
	case !r.returned:
		runtime.Goexit()
	}
	return r.value, r.err
}

// wait waits for a limiter. A permit that comes after the end of ctx is given back.
func wait(ctx context.Context, l Limiter) error {
	switch l.(type) {
	case *AdaptiveLimiter, *rate.Limiter, noLimit:
		return l.Wait(ctx)
	}
	_, err := within(ctx, func() (struct{}, error) { return struct{}{}, l.Wait(ctx) }, func(_ struct{}, err error) {
		if o, ok := l.(limitObserver); ok && err == nil {
			o.Observe(RateLimit{Remaining: -1, DailyRemaining: -1})
		}
	})
	return err
}

// currentToken returns the token of a source.
func currentToken(ctx context.Context, source TokenSource) (*Token, error) {
	if _, ok := source.(*staticToken); ok {
		return source.Token(ctx)
	}
	return within(ctx, func() (*Token, error) { return source.Token(ctx) }, nil)
}

// roundTrip sends a request with a transport that may ignore the context's deadline. Only the deadline is enforced: a
// transport must end a request that is canceled. The answer to an operation without a bearer is not given up, because
// it can hold a token that is lost with it.
func roundTrip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if _, known := next.(*http.Transport); known {
		return next.RoundTrip(r)
	}
	k, _ := r.Context().Value(operationKey{}).(*call)
	if _, ok := r.Context().Deadline(); !ok || k != nil && k.op.NoBearer {
		return next.RoundTrip(r)
	}
	resp, err := within(r.Context(), func() (*http.Response, error) { return next.RoundTrip(r) },
		func(resp *http.Response, err error) {
			if err == nil && resp != nil && resp.Body != nil {
				_ = resp.Body.Close()
			}
		})
	if err == nil && resp != nil && resp.Body != nil {
		resp.Body = &endingBody{ReadCloser: resp.Body, ctx: r.Context()}
	}
	return resp, err
}

// endingBody is the body of a transport that may ignore the context. Read returns soon after the context has ended.
type endingBody struct {
	io.ReadCloser
	ctx  context.Context
	done bool // a Read was given up
}

func (b *endingBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil && b.done {
		return 0, err
	}
	own := make([]byte, min(len(p), 64<<10)) // a Read that was given up may still write
	n, err := within(b.ctx, func() (int, error) { return b.ReadCloser.Read(own) }, func(int, error) {
		_ = b.ReadCloser.Close()
	})
	if b.ctx.Err() != nil && err == b.ctx.Err() {
		b.done = true
	}
	return copy(p, own[:n]), err
}

// Close closes the body, unless a Read that was given up still uses it and closes it later.
func (b *endingBody) Close() error {
	if b.done {
		return nil
	}
	return b.ReadCloser.Close()
}
