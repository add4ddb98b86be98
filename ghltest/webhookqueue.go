package ghltest

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxDeliveries = 10_000 // in the log
	closeWait     = 5 * time.Second
	tick          = 10 * time.Millisecond // the minimum that a worker waits for a time of the clock
)

// hooks sends changes to subscribers. A goroutine with the server's lock may take the lock of hooks, but not the
// reverse.
type hooks struct {
	keys   *keys
	now    func() time.Time
	active atomic.Bool // has subscribers

	ctx     context.Context
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu            sync.Mutex
	ids           ids // its own, so that records get the same ids with and without subscribers
	appID         string
	versionID     string
	subscriptions []*Subscription
	log           []*delivery
	pending       int           // deliveries in queues or being sent
	flushing      int           // callers of Flush
	idle          chan struct{} // closed when pending becomes 0; nil without a caller of Flush
	closed        bool
}

// delivery is a Delivery with the state of its worker.
type delivery struct {
	Delivery
	to              *Subscription
	current, legacy Signature
	reorder         bool // send the next delivery first
}

func newHooks(now func() time.Time) *hooks {
	h := &hooks{keys: newKeys(), now: now, ids: ids{rand.New(rand.NewPCG(2025, 11))}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.appID, h.versionID = h.ids.id(), h.ids.id()
	return h
}

// close stops the workers and waits for them.
func (h *hooks) close() error {
	h.mu.Lock()
	h.closed = true
	h.active.Store(false)
	h.finished(0)
	h.mu.Unlock()
	h.cancel()
	if !waitFor(&h.workers, closeWait) {
		return errors.New("ghltest: a webhook handler did not return after its request was cancelled")
	}
	return nil
}

// clockMoved queues the deliveries that are due after a change of the clock.
func (h *hooks) clockMoved() {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.promote(now)
}

// emit queues an event for each subscriber of its type.
func (h *hooks) emit(c change) {
	record, err := json.Marshal(c.record)
	if err != nil {
		return // cannot happen: every record was decoded from JSON
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.ids.uuid()
	for _, sub := range h.subscriptions {
		if len(sub.events) > 0 && !slices.Contains(sub.events, c.kind) {
			continue
		}
		body := sub.body(h, c, record, id)
		add := func() *delivery {
			d := &delivery{
				Delivery: Delivery{Type: c.kind, WebhookID: id, LocationID: c.locationID, Body: body},
				to:       sub, current: sub.current, legacy: sub.legacy,
			}
			h.log = append(h.log, d)
			return d
		}
		h.dispatch(sub, add, c.at)
	}
	if extra := len(h.log) - maxDeliveries; extra > maxDeliveries/10 {
		h.log = slices.Delete(h.log, 0, extra)
	}
}

// dispatch queues a delivery, or applies the subscriber's faults to it.
func (h *hooks) dispatch(sub *Subscription, add func() *delivery, now time.Time) {
	f := &sub.faults
	d := add()
	mark := func(d *delivery, fault string) { d.Faults = append(d.Faults, fault) }
	hits := func(o *Odds) bool { return o.hit(sub.random) }
	if hits(&f.Lose) {
		mark(d, "lost")
		return
	}
	if hits(&f.Forge) {
		mark(d, "forged")
		d.current = Forged
	}
	if hits(&f.Unsign) {
		mark(d, "unsigned")
		d.current, d.legacy = Absent, Absent
	}
	twice := hits(&f.Duplicate)
	switch {
	case hits(&f.Delay):
		mark(d, "delayed")
		d.Next = now.Add(f.DelayBy)
		sub.waiting = append(sub.waiting, d)
		sub.wakeUp()
	default:
		if hits(&f.Reorder) {
			mark(d, "reordered")
			d.reorder = true
		}
		h.enqueue(sub, d)
	}
	if twice {
		again := add()
		again.current, again.legacy = d.current, d.legacy
		mark(again, "duplicate")
		h.enqueue(sub, again)
	}
}

func (h *hooks) enqueue(sub *Subscription, d *delivery) {
	d.Next = time.Time{}
	sub.queue = append(sub.queue, d)
	h.pending++
	sub.wakeUp()
}

// promote queues the waiting deliveries that are due.
func (h *hooks) promote(now time.Time) {
	for _, sub := range h.subscriptions {
		sub.waiting = slices.DeleteFunc(sub.waiting, func(d *delivery) bool {
			due := !d.Next.After(now)
			if due {
				h.enqueue(sub, d)
			}
			return due
		})
	}
}

// finished subtracts n from the pending deliveries and wakes the callers of Flush when none is left.
func (h *hooks) finished(n int) {
	h.pending -= n
	if h.idle != nil && (h.pending == 0 || h.closed) {
		close(h.idle)
		h.idle = nil
	}
}

func (s *Subscription) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// work sends deliveries until the subscription ends.
func (s *Subscription) work() {
	defer s.hooks.workers.Done()
	for {
		d, wait := s.next()
		if d != nil {
			status, err := s.attempt(d)
			s.record(d, status, err)
			continue
		}
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-s.wake:
		case <-due:
		case <-s.ctx.Done():
			return
		}
	}
}

// next returns the delivery to send now. Without one it returns how long to wait for a later one; 0 means until woken.
func (s *Subscription) next() (d *delivery, wait time.Duration) {
	h := s.hooks
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.ended || h.closed {
		return nil, 0
	}
	h.promote(now)
	if len(s.queue) > 0 && s.queue[0].reorder {
		if len(s.queue) > 1 {
			s.queue[0].reorder = false
			s.queue[0], s.queue[1] = s.queue[1], s.queue[0]
		} else if h.flushing == 0 {
			return nil, s.untilDue(now) // stays queued until the next delivery or a Flush
		}
	}
	if len(s.queue) == 0 {
		return nil, s.untilDue(now)
	}
	d = s.queue[0]
	s.queue = s.queue[1:]
	return d, 0
}

func (s *Subscription) untilDue(now time.Time) time.Duration {
	var wait time.Duration
	for _, d := range s.waiting {
		if until := max(d.Next.Sub(now), tick); wait == 0 || until < wait {
			wait = until
		}
	}
	return wait
}

func (s *Subscription) attempt(d *delivery) (int, error) {
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"ghltest"}}
	for _, signature := range []struct {
		name  string
		mode  Signature
		sign  func([]byte) string
		forge func([]byte) string
	}{
		{signatureHeader, d.current, s.hooks.keys.sign, s.hooks.keys.forge},
		{legacySignatureHeader, d.legacy, s.hooks.keys.signLegacy, s.hooks.keys.forgeLegacy},
	} {
		switch signature.mode {
		case Signed:
			header.Set(signature.name, signature.sign(d.Body))
		case Forged:
			header.Set(signature.name, signature.forge(d.Body))
		case NotAvailable:
			header.Set(signature.name, "N/A")
		case Absent:
		}
	}
	// The timeout starts after signing, because the first legacy signature generates a key.
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	status, err := s.send(ctx, header, d.Body)
	if ctx.Err() != nil { // an answer after the timeout does not count
		status, err = 0, ctx.Err()
	}
	return status, err
}

// record stores the outcome of an attempt and, after a refusal, schedules the next one.
func (s *Subscription) record(d *delivery, status int, err error) {
	h := s.hooks
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	d.Attempts++
	d.Status, d.Error = status, ""
	if err != nil {
		d.Error = err.Error()
	}
	again := !d.Accepted() && (!s.only429 || status == http.StatusTooManyRequests)
	if n := d.Attempts - 1; again && n < len(s.schedule) && !s.ended && !h.closed {
		d.Next = now.Add(s.schedule[n])
		s.waiting = append(s.waiting, d)
	}
	h.finished(1)
}
