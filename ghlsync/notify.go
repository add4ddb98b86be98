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

// Alert is an incident that needs a person: a contact whose work has stopped, or a location that is paused because HighLevel
// refuses it. It holds no secret and no personal data.
type Alert struct {
	// ID is the incident's. It is the same each time that the alert is sent, so a receiver can tell a repetition.
	ID string `json:"id"`
	// Kind is what has happened.
	Kind     AlertKind `json:"kind"`
	Location string    `json:"location"`
	// Contact is the contact's id in HighLevel, or "pluvo:" and its id in Pluvo; "" if the incident is not about one.
	Contact string `json:"contact,omitempty"`
	// Failure is for [Syncer.Attempts] and [Syncer.Retry]; "" if the incident is not about a contact.
	Failure string `json:"failure,omitempty"`
	// Category is the kind of the error, as in [Failure].
	Category FailureCategory `json:"category,omitempty"`
	// Message is what was answered or found.
	Message string `json:"message,omitempty"`
	// At is when it happened.
	At time.Time `json:"at"`
	// Incidents is how many this alert stands for, at least 1. Incidents of a kind, location and category that come within a
	// minute of an alert wait for the end of it, and share the next.
	Incidents int `json:"incidents"`
}

// AlertKind is what an [Alert] is about.
type AlertKind string

// Kinds of alerts.
const (
	// AlertContact: the work on a contact has stopped; it waits for a person or a change.
	AlertContact AlertKind = "contact stopped"
	// AlertLocation: nobody works on a location until a person has done something. It is paused, or could not be opened.
	AlertLocation AlertKind = "location paused"
)

// Text is the alert in a sentence, what to do, and what was answered or found.
func (a Alert) Text() string {
	text := ""
	switch {
	case a.Kind == AlertLocation:
		text = fmt.Sprintf("Nobody works on location %s: %s.", a.Location, a.Category)
	case a.Incidents > 1:
		text = fmt.Sprintf("Location %s: the work on %d more contacts has stopped: %s. The first is contact %s.", a.Location, a.Incidents, a.Category, a.Contact)
	default:
		text = fmt.Sprintf("Location %s: the work on contact %s has stopped: %s.", a.Location, a.Contact, a.Category)
	}
	text += " " + a.todo()
	if a.Message != "" {
		text += " It says: " + a.Message
	}
	return text
}

func (a Alert) todo() string {
	if a.Kind == AlertLocation {
		return join(adviceFor(a.Category), resumeAdvice(a.Location))
	}
	return fmt.Sprintf("Look at its attempts (ghlsync failures show %s), mend the cause, and retry it (ghlsync retry %s).", a.Failure, a.Failure)
}

// Notifier tells people of incidents. Of each incident it is told once, whatever happens to the processes that share a
// database; only if one dies while it tells, after the receiver has got it, is the same [Alert.ID] told again. An error has it
// told again later, with pauses of five seconds to ten minutes, for 90 days.
//
// Notify is called by one goroutine at a time in each process. Its context ends after 15 seconds.
type Notifier interface {
	Notify(ctx context.Context, a Alert) error
}

// WebhookNotifier posts alerts to a URL. [NewWebhookNotifier] makes one.
type WebhookNotifier struct {
	url    string
	client *http.Client
}

// NewWebhookNotifier returns a notifier that posts each alert to an http or https URL as JSON: the fields of [Alert], and its
// words as "text". The header Idempotency-Key is [Alert.ID]. An answer of 2xx means that it has arrived; redirects are not
// followed. A client of nil is one with a timeout of ten seconds. The URL may hold a secret: it stands in no error and no log.
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
	return &WebhookNotifier{address, &copied}, nil
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
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the alert's receiver: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", a.ID)
	resp, err := n.client.Do(req)
	if err != nil {
		return fmt.Errorf("the alert's receiver: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the alert's receiver answers with status %d", resp.StatusCode)
	}
	return nil
}

// Format keeps a notifier that is printed by mistake from printing its URL.
func (n *WebhookNotifier) Format(f fmt.State, _ rune) { fmt.Fprint(f, "ghlsync.WebhookNotifier") }

// withoutURL takes the URL off an error of net/http.
func withoutURL(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}
