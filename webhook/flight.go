package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"
)

// flight is a delivery on its way through the keeper, with all copies of it that come meanwhile.
type flight struct {
	ctx    context.Context // ends with the keeper's time, or when all is done
	cancel context.CancelFunc
	done   chan struct{} // closed when end is set
	end    result
	kept   bool // under the handler's lock: the keeper has succeeded within its time
}

type result struct {
	result Result
	err    error
}

var (
	errUnidentified = errors.New("webhook: there is neither a webhookId nor a timestamp, so a repetition would not be noticed")
	errRemembering  = errors.New("webhook: the delivery is kept, but the deduplicator takes long to remember it")
)

// keep hands a delivery to the keeper, or waits for the same one that is there already.
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
		// The sender's patience must not decide whether the work is done: it would come again all the same.
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

// wait returns how a flight ends, as far as that is known when the keeper's time is over.
func (h *Handler) wait(f *flight) result {
	select {
	case <-f.done:
		return f.end
	case <-f.ctx.Done():
	}
	select {
	case <-f.done: // both at once
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

// fly runs the keeper. Until it returns, no other copy of the delivery is handled, also when its time is over.
func (h *Handler) fly(f *flight, d *Delivery, id string) {
	end := result{Panicked, errors.New("webhook: the keeper ended its goroutine")}
	defer func() {
		if p := recover(); p != nil {
			end = result{Panicked, fmt.Errorf("webhook: the keeper panicked: %v%s", p, where())}
		}
		switch {
		case f.kept: // whatever the deduplicator did then
			end.result = Kept
		case f.ctx.Err() != nil:
			h.late(f.ctx, d, end.err)
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
		f.cancel() // only now, so that whoever waits sees the end and no time-out
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
	// From here on the answer is 200, unless the time is over: then it was 429, and what comes again must be handled again.
	h.mu.Lock()
	f.kept = f.ctx.Err() == nil
	h.mu.Unlock()
	if !f.kept {
		return result{TimedOut, nil}
	}
	if remembers {
		ctx := f.ctx
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < h.keepTimeout/2 { // remembering has at least this time
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), h.keepTimeout/2)
			defer cancel()
		}
		if err := h.remember(ctx, id); err != nil { // it is kept, so it must not come again for that
			return result{Kept, fmt.Errorf("webhook: the delivery is kept, but the deduplicator did not remember it: %w", err)}
		}
	}
	return result{Kept, nil}
}

// late tells of a keeper that has returned when nobody was waiting any more. An error that panics, as one does that is a nil
// pointer, must not end the process.
func (h *Handler) late(ctx context.Context, d *Delivery, err error) {
	defer func() { _ = recover() }()
	if errors.Is(err, ctx.Err()) { // it gave up in time, and the answer has told
		return
	}
	attrs := []slog.Attr{slog.String("webhookId", clip(d.event.Meta().WebhookID, 100))}
	if err != nil {
		attrs = append(attrs, slog.String("error", clip(fmt.Sprint(err), 1000)))
	}
	h.logger.LogAttrs(ctx, slog.LevelWarn, "webhook: a keeper returned after its time; the delivery comes again", attrs...)
}

// remember keeps a panic of the deduplicator from undoing what was kept.
func (h *Handler) remember(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	return h.dedup.Remember(ctx, id)
}

// where says where a panic happened: functions and lines, without what they were called with.
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
