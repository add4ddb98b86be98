package ghlsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/engine"
	"github.com/pluvo/ghl/mapping"
	"github.com/pluvo/ghl/oauth"
	"github.com/pluvo/ghl/pluvo"
)

// location is how a location is kept in step; nil if it is none of ours.
func (s *Syncer) location(id string) *Location {
	i := slices.IndexFunc(s.config.Locations, func(l Location) bool { return l.ID == id })
	if i < 0 {
		return nil
	}
	return &s.config.Locations[i]
}

// open makes a location's client and mapping. Until it has, its contacts wait.
func (s *Syncer) open(ctx context.Context, l *Location) error {
	client, err := s.client(ctx, l)
	if err != nil {
		return err
	}
	options := mapping.Options{Location: l.ID, Version: client.Version()}
	if l.Region != "" {
		options.Phone = PhoneNumbers(l.Region)
	}
	if options.TimeZone, err = zoneOf(ctx, client, l); err != nil {
		return err
	}
	if l.Rules != nil {
		fields, err := client.Locations.CustomFieldResolver(ctx, l.ID)
		if err != nil {
			return err
		}
		if options.Rules, err = mapping.LoadRules(l.RulesName, l.Rules, fields); err != nil {
			return &ConfigError{"Rules", err.Error()}
		}
	}
	mapper, err := mapping.New(options)
	if err != nil {
		return &ConfigError{"Rules", err.Error()}
	}
	if err := checkOwners(l, mapper); err != nil {
		return err
	}
	return s.engine.SetLocation(engine.Location{
		ID: l.ID, Client: client, Mapper: mapper, Phone: options.Phone, Owner: l.owner, Deletes: l.Deletes, Takes: l.Takes,
		Calendar: l.calendar, Stages: l.Stages,
	})
}

func (s *Syncer) client(ctx context.Context, l *Location) (*ghl.Client, error) {
	if l.TokenSource == nil {
		client, err := s.accounts.Client(ctx, l.ID)
		if err != nil {
			return nil, err
		}
		source := &connected{s.accounts, l.ID, s.config.App.TokenSource(s.tokens, oauth.LocationKey(l.ID))}
		return client.With(append([]ghl.Option{ghl.WithTokenSource(source)}, l.ClientOptions...)...)
	}
	options := append(s.clientOptions(l), ghl.WithTokenSource(l.TokenSource), ghl.WithLocation(l.ID))
	client, err := ghl.New(options...)
	if err != nil {
		return nil, &ConfigError{"ClientOptions", err.Error()}
	}
	return client, nil
}

// connected gives the tokens of a location that may be disconnected and connected again while its client is in use.
type connected struct {
	accounts *oauth.Installations
	location string
	ghl.TokenSource
}

// Token asks whether the location is connected: if it was removed, its source gives nothing until somebody does.
func (c *connected) Token(ctx context.Context) (*ghl.Token, error) {
	if _, err := c.accounts.Client(ctx, c.location); err != nil {
		return nil, err
	}
	return c.TokenSource.Token(ctx)
}

// Refresh is described at [ghl.TokenRefresher].
func (c *connected) Refresh(ctx context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	if refresher, ok := c.TokenSource.(ghl.TokenRefresher); ok {
		return refresher.Refresh(ctx, rejected)
	}
	return rejected, nil
}

func zoneOf(ctx context.Context, client *ghl.Client, l *Location) (*time.Location, error) {
	if l.TimeZone != "" {
		return time.LoadLocation(l.TimeZone)
	}
	location, err := client.Locations.Get(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	zone, err := location.TimeLocation()
	if err != nil {
		return nil, fmt.Errorf("the location's time zone is unknown; set Location.TimeZone: %w", err)
	}
	return zone, nil
}

// checkOwners refuses an owner of a field that nobody maps.
func checkOwners(l *Location, m *mapping.Mapper) error {
	known := map[string]bool{}
	for _, kind := range []pluvo.Kind{pluvo.KindContact, pluvo.KindTask, pluvo.KindNote, pluvo.KindAppointment} {
		for _, f := range m.Fields(kind) {
			known[string(kind)+"."+f.Name()] = true
		}
	}
	for field := range l.Owners {
		if !known[field] {
			return &ConfigError{"Owners[" + field + "]", "is no field that is mapped"}
		}
	}
	return nil
}

func (l *Location) owner(kind pluvo.Kind, field string) Owner {
	if o := l.Owners[string(kind)+"."+field]; o != "" {
		return o
	}
	if l.Owner != "" {
		return l.Owner
	}
	return OwnerGHL
}

func (l *Location) calendar(a *pluvo.Appointment) string {
	if l.CalendarFor != nil {
		if id := l.CalendarFor(a); id != "" {
			return id
		}
	}
	return l.Calendar
}

// openLater opens the locations that could not be opened at the start.
func (s *Syncer) openLater(ctx context.Context, closed []int) {
	for pause := time.Second; len(closed) > 0; pause = min(2*pause, time.Minute) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		var still []int
		for _, i := range closed {
			l := &s.config.Locations[i]
			err := s.open(ctx, l)
			s.closed(ctx, l.ID, err)
			var mistake *ConfigError
			switch {
			case err == nil:
				s.log.LogAttrs(ctx, slog.LevelInfo, "the location is open", slog.String("location", l.ID))
				if err := s.queue.Wake(ctx, l.ID); err != nil {
					s.log.LogAttrs(ctx, slog.LevelWarn, "what waited for the location goes on later", slog.String("location", l.ID), slog.Any("err", err))
				}
			case errors.As(err, &mistake):
				s.log.LogAttrs(ctx, slog.LevelError, "the location stays closed", slog.String("location", l.ID), slog.Any("err", err))
				if err := s.queue.Pause(ctx, l.ID, err.Error()); err != nil {
					still = append(still, i)
				}
			default:
				s.log.LogAttrs(ctx, slog.LevelWarn, "a location can't be opened yet", slog.String("location", l.ID), slog.Any("err", err))
				still = append(still, i)
			}
		}
		closed = still
	}
}
