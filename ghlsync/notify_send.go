package ghlsync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/alerts"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

const (
	notifyTimeout = 15 * time.Second
	notifyGrace   = 3 * time.Second // how long a send may take after the process begins to stop
	notifyLook    = 2 * time.Second // how often to look for alerts of other processes and for retries
	notifyPrune   = time.Hour
)

// enter stores the alert of a failure that needs a person, in the transaction that stores the failure.
func (s *Syncer) enter(ctx context.Context, tx *db.Tx, f queue.Failure) error {
	a := Alert{
		Kind: AlertContact, Location: f.Unit.Location, Contact: f.Unit.ID, Failure: f.ID, Category: f.Category,
		Message: f.Message, At: f.Last,
	}
	incident := "failure " + f.ID
	if f.Paused {
		a.Kind, a.Contact = AlertLocation, ""
		incident = locationIncident(f.Unit.Location)
	}
	return s.enterAlert(ctx, tx, incident, a)
}

// locationIncident returns the incident of a location that is paused or cannot be opened, since both can have one
// cause. The incident ends when a person resumes the location or when it is opened.
func locationIncident(location string) string { return "location " + location }

// enterAlert stores an alert, if there is a Notifier.
func (s *Syncer) enterAlert(ctx context.Context, tx *db.Tx, incident string, a Alert) error {
	if s.config.Notifier == nil {
		return nil
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	topic := string(a.Kind) + "|" + a.Location + "|" + string(a.Category)
	return s.alerts.Add(ctx, tx, alerts.Entry{Incident: incident, Topic: topic, Body: string(body)})
}

// closed records whether a location could be opened. An error that needs a person is an incident until the location is
// opened.
func (s *Syncer) closed(ctx context.Context, location string, failed error) {
	s.monitor.setClosed(location, failed)
	if s.config.Notifier == nil {
		return
	}
	incident := locationIncident(location)
	if failed == nil {
		if err := s.alerts.Over(ctx, incident); err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "storing the end of an incident failed",
				slog.String("location", location), slog.Any("err", err))
		}
		return
	}
	verdict := queue.Classify(failed)
	var mistake *ConfigError
	switch {
	case errors.As(failed, &mistake):
		verdict.Category = CategoryWrongSetting
	case verdict.Action != queue.PauseLocation:
		return // a retry may succeed
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.enterAlert(ctx, tx, incident, Alert{
			Kind: AlertLocation, Location: location, Category: verdict.Category,
			Message: redact.Text(failed.Error()), At: s.db.Now(),
		})
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "storing an alert failed; retrying", slog.String("location", location),
			slog.Any("err", err))
	}
	s.alertNow()
}

// alertNow makes notify look for alerts now.
func (s *Syncer) alertNow() {
	select {
	case s.alerted <- struct{}{}:
	default:
	}
}

// notify sends alerts until ctx ends.
func (s *Syncer) notify(ctx context.Context) {
	if s.config.Notifier == nil {
		return
	}
	look, prune := time.NewTicker(notifyLook), time.NewTicker(notifyPrune)
	defer look.Stop()
	defer prune.Stop()
	for {
		if err := s.notifyDue(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "reading the alerts failed", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case <-s.alerted:
		case <-prune.C:
			if lost, err := s.alerts.Prune(ctx); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "deleting old alerts failed", slog.Any("err", err))
			} else if lost > 0 {
				s.log.LogAttrs(ctx, slog.LevelError, "alerts expired unsent", slog.Int("alerts", lost))
			}
		}
	}
}

// notifyDue sends all alerts that are due.
func (s *Syncer) notifyDue(ctx context.Context) error {
	for ctx.Err() == nil {
		due, err := s.alerts.Due(ctx)
		if err != nil || !due {
			return err
		}
		batch, err := s.alerts.Take(ctx)
		if err != nil || batch == nil {
			return err
		}
		if err := s.send(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// send sends a batch as one alert. When ctx ends, the send may take notifyGrace longer; its result is stored in any
// case.
func (s *Syncer) send(ctx context.Context, batch *alerts.Batch) error {
	var a Alert
	if err := json.Unmarshal([]byte(batch.Bodies[0]), &a); err != nil {
		return fmt.Errorf("reading a stored alert: %w", err)
	}
	a.ID, a.Incidents = batch.ID, len(batch.Bodies)
	uncancelled := context.WithoutCancel(ctx)
	sending, cancel := context.WithTimeout(uncancelled, notifyTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(notifyGrace, cancel) })()
	failed := s.callNotifier(sending, a)
	s.metrics.alerted(failed)
	storing, done := context.WithTimeout(uncancelled, notifyTimeout)
	defer done()
	if failed == nil {
		s.log.LogAttrs(ctx, slog.LevelInfo, "alert sent", slog.String("id", a.ID),
			slog.String("location", a.Location), slog.Int("incidents", a.Incidents))
		return s.alerts.Sent(storing, batch)
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "sending an alert failed; retrying", slog.String("id", a.ID),
		slog.String("location", a.Location), slog.Int("attempt", batch.Attempt), slog.Any("err", failed))
	return s.alerts.Failed(storing, batch)
}

// callNotifier calls the notifier, and returns a panic as an error.
func (s *Syncer) callNotifier(ctx context.Context, a Alert) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the notifier panicked: %v", v)
		}
	}()
	return s.config.Notifier.Notify(ctx, a)
}
