package ghltest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// Delivery is the delivery of an event to a subscriber.
type Delivery struct {
	Type EventType
	// WebhookID is the same for every attempt and for a duplicate.
	WebhookID  string
	LocationID string
	// Body is the same for every attempt.
	Body []byte
	// Attempts is the number of attempts.
	Attempts int
	// Status is the HTTP status of the last attempt; 0 before the first attempt and without an answer.
	Status int
	// Error is why the last attempt had no answer, such as a timeout.
	Error string
	// Faults are the [DeliveryFaults] that hit the delivery: "duplicate", "lost", "delayed", "reordered", "forged" or
	// "unsigned".
	Faults []string
	// Next is the time of the next attempt by the server's clock, after a refusal or a delay. Zero means none.
	Next time.Time
}

// Accepted reports whether the last attempt was answered with a 2xx.
func (d Delivery) Accepted() bool { return d.Status >= 200 && d.Status < 300 }

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

// Subscription is a subscription to webhooks.
type Subscription struct {
	hooks *hooks
	subscriber
	send   func(context.Context, http.Header, []byte) (int, error)
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}

	// under the lock of hooks
	random  *rand.Rand
	queue   []*delivery
	waiting []*delivery // until their Next
	ended   bool
}

// Subscribe sends every later change through the API to a URL on this machine, as HighLevel does: one signed POST for
// each event, at least once. Seeds are not changes. The deliveries of a subscription are sent one at a time, after
// the request that caused them; [Server.Flush] waits for them.
//
// After any answer other than a 2xx, or a timeout, the delivery is repeated with the same webhookId and timestamp. See
// [Redelivery].
func (s *Server) Subscribe(target string, opts ...SubscribeOption) *Subscription {
	s.helper()
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !onLoopback(u.Hostname()) {
		s.fail("Subscribe: %q is not a URL on this machine", target)
		return nil
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // a receiver may restart between deliveries
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s.subscribe("Subscribe", opts, func(sub *Subscription) {
		sub.send = func(ctx context.Context, header http.Header, body []byte) (int, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
			if err != nil {
				return 0, err
			}
			r.Header = header
			resp, err := client.Do(r)
			if err != nil {
				return 0, err
			}
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
			return resp.StatusCode, resp.Body.Close()
		}
	})
}

// SubscribeHandler is [Server.Subscribe] for a handler in the same process, without a network. The request's context
// is cancelled after the delivery's timeout and by [Server.Close]. A handler that panics, or ends its goroutine as a
// failed require does, counts as no answer.
func (s *Server) SubscribeHandler(h http.Handler, opts ...SubscribeOption) *Subscription {
	s.helper()
	if h == nil {
		s.fail("SubscribeHandler: the handler is nil")
		return nil
	}
	return s.subscribe("SubscribeHandler", opts, func(sub *Subscription) {
		sub.send = func(ctx context.Context, header http.Header, body []byte) (int, error) {
			return sub.hooks.serve(ctx, h, header, body)
		}
	})
}

func onLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *Server) subscribe(name string, opts []SubscribeOption, connect func(*Subscription)) *Subscription {
	s.helper()
	h := s.hooks
	sub := &Subscription{hooks: h, subscriber: defaultSubscriber(), wake: make(chan struct{}, 1)}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&sub.subscriber); err != nil {
			s.fail("%s: %v", name, err)
			return nil
		}
	}
	if sub.nested && sub.flat {
		s.fail("%s: NestedRecords and FlatAppointments cannot be used together", name)
		return nil
	}
	connect(sub)
	sub.random = rand.New(rand.NewPCG(sub.faults.Seed, 1))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.fail("%s: the server is closed", name)
		return nil
	}
	sub.ctx, sub.cancel = context.WithCancel(h.ctx)
	h.subscriptions = append(h.subscriptions, sub)
	h.active.Store(true)
	h.workers.Add(1)
	go sub.work()
	return sub
}

// Cancel ends the subscription and drops its unsent deliveries.
func (s *Subscription) Cancel() {
	h := s.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	h.subscriptions = slices.DeleteFunc(h.subscriptions, func(other *Subscription) bool { return other == s })
	h.active.Store(len(h.subscriptions) > 0)
	dropped := len(s.queue)
	for _, d := range s.waiting {
		d.Next = time.Time{}
	}
	s.queue, s.waiting = nil, nil
	h.finished(dropped)
	s.cancel()
}

// Flush waits until every due delivery is sent and answered, also those of changes that subscribers make meanwhile.
// It does not wait for deliveries with a later time, such as redeliveries. It fails when ctx ends or the server is
// closed first. A subscribed handler must not call it.
func (s *Server) Flush(ctx context.Context) error {
	h := s.hooks
	h.mu.Lock()
	h.flushing++
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.flushing--
		h.mu.Unlock()
	}()
	now := h.now()
	for {
		h.mu.Lock()
		h.promote(now)
		switch {
		case h.pending == 0:
			h.mu.Unlock()
			return nil
		case h.closed:
			h.mu.Unlock()
			return errors.New("ghltest: Flush: the server was closed before every delivery was sent")
		}
		if h.idle == nil {
			h.idle = make(chan struct{})
		}
		idle := h.idle
		for _, sub := range h.subscriptions { // sends a reordered delivery that has no successor
			sub.rouse()
		}
		h.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return fmt.Errorf("ghltest: Flush: %w", ctx.Err())
		}
	}
}

// Redeliver sends all deliveries with a later time now: redeliveries, and deliveries that [DeliveryFaults] delays. It
// returns their number. [Server.Flush] waits for them.
func (s *Server) Redeliver() int {
	h := s.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, sub := range h.subscriptions {
		n += len(sub.waiting)
		for _, d := range sub.waiting {
			h.enqueue(sub, d)
		}
		sub.waiting = nil
	}
	return n
}

// Deliveries returns the deliveries to all subscribers in the order of their events, at most the latest 10,000.
func (s *Server) Deliveries() []Delivery {
	return s.hooks.deliveries(func(*delivery) bool { return true })
}

// Deliveries returns the deliveries of this subscription, as [Server.Deliveries] does.
func (s *Subscription) Deliveries() []Delivery {
	return s.hooks.deliveries(func(d *delivery) bool { return d.to == s })
}

func (h *hooks) deliveries(which func(*delivery) bool) []Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []Delivery
	for _, d := range h.log {
		if which(d) {
			copied := d.Delivery
			copied.Body, copied.Faults = bytes.Clone(d.Body), slices.Clone(d.Faults)
			list = append(list, copied)
		}
	}
	return list
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
		sub.rouse()
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
	sub.rouse()
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

func (s *Subscription) rouse() {
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
			s.settle(d, status, err)
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

// settle records the outcome of an attempt and, after a refusal, schedules the next one.
func (s *Subscription) settle(d *delivery, status int, err error) {
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

// body returns the body of an event in the form that the subscriber asked for.
func (s *subscriber) body(h *hooks, c change, record []byte, webhookID string) []byte {
	kind := c.kind
	if s.mistyped && (kind == AppointmentUpdate || kind == AppointmentDelete) {
		kind = AppointmentCreate
	}
	if s.bareTasks && kind == TaskCreate {
		record = withoutProperties(record, "body", "contactId")
	}
	appID, versionID := cmp.Or(c.appID, s.appID, h.appID), cmp.Or(s.versionID, h.versionID)
	var b bytes.Buffer
	b.WriteString(`{"type":` + quote(string(kind)))
	for _, p := range [...][2]string{{"locationId", c.locationID}, {"versionId", versionID}, {"appId", appID}} {
		if p[1] != "" {
			b.WriteString(`,"` + p[0] + `":` + quote(p[1]))
		}
	}
	appointment := kind == AppointmentCreate || kind == AppointmentUpdate || kind == AppointmentDelete
	switch {
	case s.nested:
		b.WriteString(`,"data":` + string(record))
	case appointment && !s.flat:
		b.WriteString(`,"appointment":` + string(record))
	case len(record) > 2:
		b.WriteString("," + string(record[1:len(record)-1]))
	}
	at := c.at.UTC().Format("2006-01-02T15:04:05.000Z")
	b.WriteString(`,"timestamp":"` + at + `","webhookId":"` + webhookID + `"}`)
	return b.Bytes()
}

func quote(text string) string { return string(answer.Marshal(text)) }

func withoutProperties(object []byte, names ...string) []byte {
	all := map[string]json.RawMessage{}
	if json.Unmarshal(object, &all) != nil {
		return object
	}
	for _, name := range names {
		delete(all, name)
	}
	return answer.Marshal(all)
}

// serve calls a handler as net/http's server does.
func (h *hooks) serve(ctx context.Context, handler http.Handler, header http.Header, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header, r.RequestURI, r.RemoteAddr, r.GetBody = header, "/", "127.0.0.1:1", nil
	type result struct {
		status int
		err    error
	}
	done := make(chan result, 1)
	h.workers.Add(1)
	go func() {
		defer h.workers.Done()
		w, end := &answerWriter{}, result{0, errors.New("the handler ended its goroutine")}
		defer func() {
			if p := recover(); p != nil {
				end = result{0, fmt.Errorf("the handler panicked: %v", p)}
			}
			done <- end
		}()
		handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		end = result{w.status, nil}
	}()
	select {
	case end := <-done:
		return end.status, end.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// answerWriter records the status of an answer.
type answerWriter struct {
	header http.Header
	status int
}

func (w *answerWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *answerWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}
