package redact

import (
	"context"
	"log/slog"
)

// Handler returns a handler that redacts log records with [Text] before it passes them to h. It does not redact
// attributes that contain ids, which identify the record that a log line is about. Handler returns h if h already
// redacts.
func Handler(h slog.Handler) slog.Handler {
	if _, redacts := h.(handler); redacts {
		return h
	}
	return handler{h}
}

type handler struct{ slog.Handler }

// plain are the keys of attributes that contain ids or fixed words, and are not redacted.
var plain = map[string]bool{
	"location": true, "locationId": true, "unit": true, "id": true, "webhookId": true, "traceId": true,
	"trace_id": true,
	"stack":    true, "category": true, "operation": true, "method": true, "migration": true, "process": true,
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(attr(a))
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = attr(a)
	}
	return handler{h.Handler.WithAttrs(clean)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

func attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, inner := range v.Group() {
			group[i] = attr(inner)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(group...)}
	case slog.KindString:
		if plain[a.Key] {
			return slog.Attr{Key: a.Key, Value: v}
		}
		return slog.String(a.Key, Text(v.String()))
	case slog.KindAny:
		return slog.String(a.Key, Text(v.String()))
	}
	return slog.Attr{Key: a.Key, Value: v}
}
