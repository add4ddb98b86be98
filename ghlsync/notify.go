package ghlsync

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Alert is an incident that needs a person: a contact whose sync has stopped, or a location that is paused or cannot be
// opened. It contains no secret and no personal data.
type Alert struct {
	// ID identifies the alert. It is the same when the alert is sent again, so that a receiver can ignore a repetition.
	ID string `json:"id"`
	// Kind is the kind of the incident.
	Kind     AlertKind `json:"kind"`
	Location string    `json:"location"`
	// Contact is the contact's id in HighLevel, or "pluvo:" and its id in Pluvo; "" if the incident concerns no
	// contact.
	Contact string `json:"contact,omitempty"`
	// Failure is the id for [Syncer.Attempts] and [Syncer.Retry]; "" if the incident concerns no contact.
	Failure string `json:"failure,omitempty"`
	// Category is the kind of the error, as in [Failure].
	Category FailureCategory `json:"category,omitempty"`
	// Message is the text of the error.
	Message string `json:"message,omitempty"`
	// At is when it happened.
	At time.Time `json:"at"`
	// Incidents is how many incidents the alert reports, at least 1. Incidents of the same kind, location and
	// category that happen within a minute after an alert are reported together in the next one.
	Incidents int `json:"incidents"`
}

// AlertKind is the kind of an [Alert].
type AlertKind string

// The kinds of alerts.
const (
	// AlertContact means that the sync of a contact has stopped until a person retries it or it changes.
	AlertContact AlertKind = "contact stopped"
	// AlertLocation means that a location is paused or cannot be opened until a person fixes the cause.
	AlertLocation AlertKind = "location paused"
)

// Text returns the alert in words: what happened, what to do, and the message.
func (a Alert) Text() string {
	text := ""
	switch {
	case a.Kind == AlertLocation:
		text = fmt.Sprintf("Location %s is not synced: %s.", a.Location, a.Category)
	case a.Incidents > 1:
		text = fmt.Sprintf("Location %s: the sync of %d more contacts has stopped: %s. The first is contact %s.",
			a.Location, a.Incidents, a.Category, a.Contact)
	default:
		text = fmt.Sprintf("Location %s: the sync of contact %s has stopped: %s.", a.Location, a.Contact, a.Category)
	}
	text += " " + a.advice()
	if a.Message != "" {
		text += " Message: " + a.Message
	}
	return text
}

// advice returns what a person can do.
func (a Alert) advice() string {
	if a.Kind == AlertLocation {
		return join(adviceFor(a.Category), resumeAdvice(a.Location))
	}
	return fmt.Sprintf("See its attempts (ghlsync failures show %s), fix the cause, and retry it (ghlsync retry %s).",
		a.Failure, a.Failure)
}

// Notifier sends alerts to people. Each alert is sent once by all processes that share a database. If a process dies
// while it sends an alert, the same [Alert.ID] may be sent twice. After an error the alert is sent again, with delays
// of five seconds to ten minutes, for up to 90 days.
//
// Notify is called by one goroutine at a time in each process. Its context ends after 15 seconds.
type Notifier interface {
	Notify(ctx context.Context, a Alert) error
}

// WebhookNotifier posts alerts to a URL. Create it with [NewWebhookNotifier].
type WebhookNotifier struct {
	url    func() string // a function, which reflection prints as an address
	client *http.Client
}

// NewWebhookNotifier returns a notifier that posts each alert as JSON to an http or https URL: the fields of [Alert],
// and [Alert.Text] as "text". The header Idempotency-Key is [Alert.ID]. Any status but 2xx is an error; redirects are
// not followed. A nil client means one with a timeout of ten seconds. The URL may contain a secret: it appears in no
// error and no log. The error is a [*ConfigError] if the URL is not valid.
func NewWebhookNotifier(address string, client *http.Client) (*WebhookNotifier, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, &ConfigError{Setting: "Notifier", Problem: "must have a URL that begins with http:// or https://"}
	}
	copied := http.Client{Timeout: 10 * time.Second}
	if client != nil {
		copied = *client
	}
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &WebhookNotifier{func() string { return address }, &copied}, nil
}

// Notify posts an alert; see [Notifier].
func (n *WebhookNotifier) Notify(ctx context.Context, a Alert) error {
	body, err := json.Marshal(struct {
		Text string `json:"text"`
		Alert
	}{a.Text(), a})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("alert receiver: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", a.ID)
	resp, err := n.client.Do(req)
	if err != nil {
		return fmt.Errorf("alert receiver: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("alert receiver: status %d", resp.StatusCode)
	}
	return nil
}

// Format prints the type only, since the URL may contain a secret.
func (n WebhookNotifier) Format(f fmt.State, _ rune) { fmt.Fprint(f, "ghlsync.WebhookNotifier") }

// withoutURL returns an error of net/http without its URL.
func withoutURL(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}
