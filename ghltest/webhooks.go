package ghltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
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
			sub.wakeUp()
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
