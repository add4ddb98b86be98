package ghlsync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/webhook"
)

// WebhookHandler returns the handler of HighLevel's deliveries. It answers 200 after one transaction has stored the
// delivery's id, marked the contact and added the job. It may be used before [Syncer.Start].
//
// With [Config.App] the handler also processes installs and uninstalls of the app ([webhook.FeedInstallations]).
func (s *Syncer) WebhookHandler() (http.Handler, error) {
	verifier := s.config.Webhooks
	if verifier == nil {
		var err error
		if verifier, err = webhook.NewVerifier(); err != nil {
			return nil, err
		}
	}
	keep, err := s.keeper()
	if err != nil {
		return nil, err
	}
	options := []webhook.Option{webhook.WithLogger(s.log)}
	options = append(options, s.config.WebhookOptions...)
	handler, err := webhook.NewHandler(verifier, append(options, webhook.WithKeeper(keep))...)
	if err != nil {
		return nil, err
	}
	return promhttp.InstrumentHandlerCounter(s.metrics.answers, handler), nil
}

// keeper returns what processes a verified delivery.
func (s *Syncer) keeper() (webhook.Keeper, error) {
	if s.accounts == nil {
		return webhook.KeeperFunc(s.keep), nil
	}
	feed, err := webhook.NewRouter(webhook.FeedInstallations(s.config.App.ID(), s.accounts))
	if err != nil {
		return nil, err
	}
	return webhook.KeeperFunc(func(ctx context.Context, d *webhook.Delivery) error {
		if err := feed.Keep(ctx, d); err != nil {
			return err
		}
		return s.keep(ctx, d)
	}), nil
}

// keep stores a delivery and marks its contact.
func (s *Syncer) keep(ctx context.Context, d *webhook.Delivery) error {
	event := d.Event()
	kind, aspects := engine.Concerns(event)
	if kind == "" {
		return nil // not synced
	}
	meta := event.Meta()
	at, _ := meta.Timestamp.Instant()
	s.metrics.delivered(meta.LocationID, string(meta.Type), at)
	unit, err := s.engine.UnitOf(ctx, meta.LocationID, kind, event.RecordID(), event.ContactID())
	if err != nil {
		return err
	}
	if unit == "" {
		s.log.LogAttrs(ctx, slog.LevelWarn, "ignoring a delivery without a record id",
			slog.String("type", string(meta.Type)), slog.String("location", meta.LocationID))
		return nil
	}
	id := d.ID()
	if id == "" { // equal bodies may be two changes; the time makes the id unique, and a second mark is harmless
		sum := sha256.Sum256(d.Body())
		id = "body:" + hex.EncodeToString(sum[:]) + ":" + s.db.Now().Format("20060102T150405.000000")
	}
	_, err = s.queue.Deliver(ctx, queue.Delivery{
		ID: id, Kind: string(meta.Type), Unit: queue.Unit{Location: meta.LocationID, ID: unit},
		Aspects: aspects, Body: d.Body(),
	})
	if errors.Is(err, queue.ErrLocation) || errors.Is(err, queue.ErrInvalid) { // a redelivery would fail again
		s.log.LogAttrs(ctx, slog.LevelInfo, "ignoring a delivery of an unknown location",
			slog.String("type", string(meta.Type)), slog.String("location", meta.LocationID))
		return nil
	}
	return err
}
