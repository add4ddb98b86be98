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

// location returns the configuration of a location, or nil if the location is not configured.
func (s *Syncer) location(id string) *Location {
	i := slices.IndexFunc(s.config.Locations, func(l Location) bool { return l.ID == id })
	if i < 0 {
		return nil
	}
	return &s.config.Locations[i]
}

// open creates the client and the mapping of a location and hands them to the engine. The contacts of a location
// that is not open wait.
func (s *Syncer) open(ctx context.Context, l *Location) error {
	client, err := s.client(ctx, l)
	if err != nil {
		return err
	}
	options := mapping.Options{Location: l.ID, Version: client.Version()}
	if l.Region != "" {
		options.Phone = PhoneNumbers(l.Region)
	}
	if options.TimeZone, err = timeZone(ctx, client, l); err != nil {
		return err
	}
	if l.Rules != nil {
		fields, err := client.Locations.CustomFieldResolver(ctx, l.ID)
		if err != nil {
			return err
		}
		if options.Rules, err = mapping.LoadRules(l.RulesName, l.Rules, fields); err != nil {
			return &ConfigError{Setting: "Rules", Problem: err.Error(), Err: err}
		}
	}
	mapper, err := mapping.New(options)
	if err != nil {
		return &ConfigError{Setting: "Rules", Problem: err.Error(), Err: err}
	}
	var f findings
	if f.owners(l, "", fieldsOf(mapper)); len(f.list) > 0 {
		return f.list[0]
	}
	return s.engine.SetLocation(engine.Location{
		ID: l.ID, Client: client, Mapper: mapper, Phone: options.Phone, Owner: l.owner, Deletes: l.Deletes,
		Takes:    l.Takes,
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
		return nil, &ConfigError{Setting: "ClientOptions", Problem: messageOf(err), Err: err}
	}
	return client, nil
}

// connected returns the tokens of a location that can be disconnected and connected again while its client is in use.
type connected struct {
	accounts *oauth.Installations
	location string
	ghl.TokenSource
}

// Token returns the location's token. It fails while the location is not connected.
func (c *connected) Token(ctx context.Context) (*ghl.Token, error) {
	if _, err := c.accounts.Client(ctx, c.location); err != nil {
		return nil, err
	}
	return c.TokenSource.Token(ctx)
}

// Refresh implements [ghl.TokenRefresher].
func (c *connected) Refresh(ctx context.Context, rejected *ghl.Token) (*ghl.Token, error) {
	if refresher, ok := c.TokenSource.(ghl.TokenRefresher); ok {
		return refresher.Refresh(ctx, rejected)
	}
	return rejected, nil
}

// timeZone returns the time zone of a location, from its settings or from HighLevel.
func timeZone(ctx context.Context, client *ghl.Client, l *Location) (*time.Location, error) {
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

// owner returns the side that wins a field.
func (l *Location) owner(kind pluvo.Kind, field string) Owner {
	if o := l.Owners[string(kind)+"."+field]; o != "" {
		return o
	}
	if l.Owner != "" {
		return l.Owner
	}
	return OwnerGHL
}

// calendar returns the calendar in which an appointment is booked, or "".
func (l *Location) calendar(a *pluvo.Appointment) string {
	if l.CalendarFor != nil {
		if id := l.CalendarFor(a); id != "" {
			return id
		}
	}
	return l.Calendar
}

// openLater retries to open the locations that could not be opened at the start, until all are open or refused for
// good.
func (s *Syncer) openLater(ctx context.Context, closed []int) {
	for pause := time.Second; len(closed) > 0; pause = min(2*pause, time.Minute) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		closed = slices.DeleteFunc(closed, func(i int) bool { return s.openAgain(ctx, &s.config.Locations[i]) })
	}
}

// openAgain opens a location. It reports whether no further attempt is needed: the location is open, or its
// settings are wrong and it is paused.
func (s *Syncer) openAgain(ctx context.Context, l *Location) bool {
	err := s.open(ctx, l)
	s.closed(ctx, l.ID, err)
	location := slog.String("location", l.ID)
	var mistake *ConfigError
	switch {
	case err == nil:
		s.log.LogAttrs(ctx, slog.LevelInfo, "the location is open", location)
		if err := s.queue.Wake(ctx, l.ID); err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "the contacts that waited for the location resume later", location,
				slog.Any("err", err))
		}
		return true
	case errors.As(err, &mistake):
		s.log.LogAttrs(ctx, slog.LevelError, "the location stays closed", location, slog.Any("err", err))
		return s.queue.Pause(ctx, l.ID, err.Error()) == nil
	}
	s.log.LogAttrs(ctx, slog.LevelWarn, "the location can't be opened yet; ghlsync retries", location,
		slog.Any("err", err))
	return false
}
