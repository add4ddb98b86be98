package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/pluvo/ghl/internal/redact"
)

// flight is a delivery that is being handled. Copies that arrive meanwhile wait for its result.
type flight struct {
	ctx    context.Context // ends when the keeper's time is over, or when the flight has ended
	cancel context.CancelFunc
	done   chan struct{} // closed when end is set
	end    result
	kept   bool // the keeper has succeeded in time; guarded by the handler's mu
}

type result struct {
	result Result
	err    error
}

var (
	errUnidentified = errors.New("webhook: a delivery without webhookId and timestamp: a repetition cannot be detected")
	errRemembering  = errors.New("webhook: the delivery was kept, but the deduplicator has not returned yet")
)

// keep passes a delivery to the keeper, or waits for the flight of the same delivery.
func (h *Handler) keep(ctx context.Context, d *Delivery) (Result, error) {
	id := d.ID()
	h.mu.Lock()
	f := h.flights[id]
	first := f == nil
	if first {
		if h.keeping >= h.maxKeeping {
			h.mu.Unlock()
			return Busy, nil
		}
		f = &flight{done: make(chan struct{})}
		// The end of the connection must not cancel the work: the delivery would be redelivered.
		f.ctx, f.cancel = context.WithTimeout(context.WithoutCancel(ctx), h.keepTimeout)
		h.keeping++
		if id != "" {
			h.flights[id] = f
		}
	}
	h.mu.Unlock()
	if first {
		go h.fly(f, d, id)
	}
	end := h.wait(f)
	switch {
	case end.result == Kept && !first:
		return Duplicate, nil
	case end.result == Kept && end.err == nil && id == "":
		return Kept, errUnidentified
	}
	return end.result, end.err
}

// wait returns the result of a flight, or its state when the keeper's time is over.
func (h *Handler) wait(f *flight) result {
	select {
	case <-f.done:
		return f.end
	case <-f.ctx.Done():
	}
	select {
	case <-f.done: // both channels were ready
		return f.end
	default:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.kept {
		return result{Kept, errRemembering}
	}
	return result{TimedOut, nil}
}

// fly runs the keeper. Until fly returns, no copy of the delivery is handled, even after the keeper's time is over.
func (h *Handler) fly(f *flight, d *Delivery, id string) {
	end := result{Panicked, errors.New("webhook: the keeper ended its goroutine")}
	defer func() {
		if p := recover(); p != nil {
			end = result{Panicked, fmt.Errorf("webhook: the keeper panicked: %v%s", p, where())}
		}
		switch {
		case f.kept: // regardless of the deduplicator
			end.result = Kept
		case f.ctx.Err() != nil:
			h.logLate(f.ctx, d, end.err)
			end.result = TimedOut
		}
		f.end = end
		h.mu.Lock()
		h.keeping--
		if id != "" {
			delete(h.flights, id)
		}
		h.mu.Unlock()
		close(f.done)
		f.cancel() // after done is closed, so that waiting copies get the result and not a timeout
	}()
	end = h.handle(f, d, id)
}

func (h *Handler) handle(f *flight, d *Delivery, id string) result {
	remembers := id != "" && h.dedup != nil
	if remembers {
		known, err := h.dedup.Kept(f.ctx, id)
		switch {
		case err != nil:
			return result{NotKept, fmt.Errorf("webhook: the deduplicator failed: %w", err)}
		case known:
			return result{Duplicate, nil}
		}
	}
	if err := h.keeper.Keep(f.ctx, d); err != nil {
		return result{NotKept, err}
	}
	// From here on the response is 200. If the time is over it was 429, and the redelivery must be handled.
	h.mu.Lock()
	f.kept = f.ctx.Err() == nil
	h.mu.Unlock()
	if !f.kept {
		return result{TimedOut, nil}
	}
	if remembers {
		ctx := f.ctx
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < h.keepTimeout/2 { // the minimum for Remember
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), h.keepTimeout/2)
			defer cancel()
		}
		if err := h.remember(ctx, id); err != nil { // the delivery was kept, so it is acknowledged
			return result{Kept, fmt.Errorf("webhook: the delivery was kept, but the deduplicator failed: %w", err)}
		}
	}
	return result{Kept, nil}
}

// logLate logs a keeper that returned after the response. It recovers from an error with a method that panics, such
// as a nil pointer.
func (h *Handler) logLate(ctx context.Context, d *Delivery, err error) {
	defer func() { _ = recover() }()
	if errors.Is(err, ctx.Err()) { // the keeper stopped when its context ended, which has been reported
		return
	}
	attrs := []slog.Attr{slog.String("webhookId", redact.Clip(d.event.Meta().WebhookID, 100))}
	if err != nil {
		attrs = append(attrs, slog.String("error", redact.Clip(fmt.Sprint(err), 1000)))
	}
	const message = "webhook: the keeper returned after its time; the delivery will be redelivered"
	h.logger.LogAttrs(ctx, slog.LevelWarn, message, attrs...)
}

// remember calls the deduplicator and returns its panic as an error.
func (h *Handler) remember(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	return h.dedup.Remember(ctx, id)
}

// where returns the place of a panic: functions and lines, without arguments.
func where() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	var b strings.Builder
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			file := frame.File[strings.LastIndexByte(frame.File, '/')+1:]
			fmt.Fprintf(&b, "; %s (%s:%d)", frame.Function, file, frame.Line)
		}
		if !more || strings.HasSuffix(frame.Function, "(*Handler).handle") {
			return b.String()
		}
	}
}
