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
	notifyGrace   = 3 * time.Second // how long one that is being sent may take when the process stops
	notifyLook    = 2 * time.Second // how often is looked for what another process found, or is to be tried again
	notifyPrune   = time.Hour
)

// enter stores the alert of a failure that needs a person, in the transaction that found it.
func (s *Syncer) enter(ctx context.Context, tx *db.Tx, f queue.Failure) error {
	a := Alert{Kind: AlertContact, Location: f.Unit.Location, Contact: f.Unit.ID, Failure: f.ID, Category: f.Category, Message: f.Message, At: f.Last}
	incident := "failure " + f.ID
	if f.Paused {
		a.Kind, a.Contact = AlertLocation, ""
		incident = locationIncident(f.Unit.Location)
	}
	return s.enterAlert(ctx, tx, incident, a)
}

// locationIncident is the same whether a location is paused or can't be opened, since one cause does both. It is over when
// somebody resumes the location, or when it is opened.
func locationIncident(location string) string { return "location " + location }

func (s *Syncer) enterAlert(ctx context.Context, tx *db.Tx, incident string, a Alert) error {
	if s.config.Notifier == nil {
		return nil
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return s.alerts.Add(ctx, tx, alerts.Entry{Incident: incident, Topic: string(a.Kind) + "|" + a.Location + "|" + string(a.Category), Body: string(body)})
}

// closed notes whether a location could be opened. What a person must see to is an incident until it could.
func (s *Syncer) closed(ctx context.Context, location string, failed error) {
	s.monitor.setClosed(location, failed)
	if s.config.Notifier == nil {
		return
	}
	incident := locationIncident(location)
	if failed == nil {
		if err := s.alerts.Over(ctx, incident); err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "the end of an incident is not stored", slog.String("location", location), slog.Any("err", err))
		}
		return
	}
	verdict := queue.Classify(failed)
	var mistake *ConfigError
	switch {
	case errors.As(failed, &mistake):
		verdict.Category = CategoryWrongSetting
	case verdict.Action != queue.PauseLocation:
		return // time may mend it
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.enterAlert(ctx, tx, incident, Alert{Kind: AlertLocation, Location: location, Category: verdict.Category,
			Message: redact.Text(failed.Error()), At: s.db.Now()})
	})
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "an alert is not stored; it is tried again", slog.String("location", location), slog.Any("err", err))
	}
	s.alertNow()
}

// alertNow has the alerts looked at at once.
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
			s.log.LogAttrs(ctx, slog.LevelWarn, "the alerts can't be looked at", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case <-s.alerted:
		case <-prune.C:
			if lost, err := s.alerts.Prune(ctx); err != nil && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "old alerts are not removed", slog.Any("err", err))
			} else if lost > 0 {
				s.log.LogAttrs(ctx, slog.LevelError, "alerts were never sent", slog.Int("alerts", lost))
			}
		}
	}
}

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

// send tells the notifier of a batch. What is on its way when ctx ends may arrive, and what became of it is stored in any case.
func (s *Syncer) send(ctx context.Context, batch *alerts.Batch) error {
	var a Alert
	if err := json.Unmarshal([]byte(batch.Bodies[0]), &a); err != nil {
		return fmt.Errorf("a stored alert can't be read: %w", err)
	}
	a.ID, a.Incidents = batch.ID, len(batch.Bodies)
	kept := context.WithoutCancel(ctx)
	sending, cancel := context.WithTimeout(kept, notifyTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(notifyGrace, cancel) })()
	failed := s.tell(sending, a)
	s.metrics.alerted(failed)
	storing, done := context.WithTimeout(kept, notifyTimeout)
	defer done()
	if failed == nil {
		s.log.LogAttrs(ctx, slog.LevelInfo, "alert sent", slog.String("id", a.ID), slog.String("location", a.Location), slog.Int("incidents", a.Incidents))
		return s.alerts.Sent(storing, batch)
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "an alert could not be sent; it is tried again", slog.String("id", a.ID),
		slog.String("location", a.Location), slog.Int("attempt", batch.Attempt), slog.Any("err", failed))
	return s.alerts.Failed(storing, batch)
}

// tell calls the notifier. A panic is a failure like any other.
func (s *Syncer) tell(ctx context.Context, a Alert) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the notifier panicked: %v", v)
		}
	}()
	return s.config.Notifier.Notify(ctx, a)
}
