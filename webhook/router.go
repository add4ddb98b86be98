package webhook

import (
	"context"
	"errors"
)

// Keeper keeps a delivery: it handles the delivery completely, or stores it durably. The delivery is acknowledged
// only after Keep returned nil. After an error, a panic or a timeout it is redelivered, so Keep must be idempotent.
// The context ends when the time of [WithKeepTimeout] is over.
//
// Return nil for a permanent failure, to prevent redelivery.
type Keeper interface {
	Keep(ctx context.Context, d *Delivery) error
}

// KeeperFunc is a [Keeper].
type KeeperFunc func(ctx context.Context, d *Delivery) error

// Keep calls the function.
func (f KeeperFunc) Keep(ctx context.Context, d *Delivery) error { return f(ctx, d) }

// Route calls a function for some events. Pass routes to [NewHandler], or to [NewRouter] behind a queue.
type Route struct {
	wants func(Event) bool
	call  func(context.Context, Event) error // must not be nil
	name  string
}

// Router is a [Keeper] that calls the functions of routes. It is immutable and safe for concurrent use.
type Router struct{ routes []Route }

// NewRouter returns a Router. It returns an error if a route has no function.
func NewRouter(routes ...Route) (*Router, error) {
	for _, route := range routes {
		if route.wants == nil || route.call == nil {
			return nil, errors.New("webhook: " + route.name + ": the function is nil")
		}
	}
	return &Router{append([]Route(nil), routes...)}, nil
}

// Keep calls the function of each matching route in order, and all of them even if one fails. It returns the joined
// errors: the delivery is then redelivered, and all matching routes are called again. It returns nil if no route
// matches.
func (r *Router) Keep(ctx context.Context, d *Delivery) error {
	if d == nil || d.event == nil {
		return errors.New("webhook: the delivery does not come from Verifier.Open")
	}
	var failed []error
	for i := range r.routes {
		if route := &r.routes[i]; route.wants(d.event) {
			if err := route.call(ctx, d.event); err != nil {
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
}

// On calls f for every event of a type, including types that this package does not know.
func On(t Type, f func(context.Context, Event) error) Route {
	return Route{wants: func(e Event) bool { return e.Meta().Type == t }, call: f, name: "On"}
}

// OnAny calls f for every event.
func OnAny(f func(context.Context, Event) error) Route {
	return Route{wants: func(Event) bool { return true }, call: f, name: "OnAny"}
}

// OnContactCreatedOrUpdated calls f when a contact was created, or when its fields, tags or "do not disturb" settings
// were changed. One change can cause several events.
func OnContactCreatedOrUpdated(f func(context.Context, *ContactEvent) error) Route {
	route := typed("OnContactCreatedOrUpdated", f)
	route.wants = func(e Event) bool {
		c, ok := e.(*ContactEvent)
		return ok && c.Type != ContactDelete
	}
	return route
}

// OnContact calls f for every event of contacts, including deletions.
func OnContact(f func(context.Context, *ContactEvent) error) Route { return typed("OnContact", f) }

// OnTask calls f when a task was created, completed or deleted. HighLevel sends no event for an edited task.
func OnTask(f func(context.Context, *TaskEvent) error) Route { return typed("OnTask", f) }

// OnNoteOrAppointment calls f when a note or an appointment was created, updated or deleted. The event is a
// [*NoteEvent] or an [*AppointmentEvent].
func OnNoteOrAppointment(f func(context.Context, Event) error) Route {
	wants := func(e Event) bool {
		switch e.(type) {
		case *NoteEvent, *AppointmentEvent:
			return true
		}
		return false
	}
	return Route{wants: wants, call: f, name: "OnNoteOrAppointment"}
}

// OnNote calls f for every event of notes.
func OnNote(f func(context.Context, *NoteEvent) error) Route { return typed("OnNote", f) }

// OnAppointment calls f for every event of appointments.
func OnAppointment(f func(context.Context, *AppointmentEvent) error) Route {
	return typed("OnAppointment", f)
}

// OnInstall calls f when the app was installed.
func OnInstall(f func(context.Context, *InstallEvent) error) Route { return typed("OnInstall", f) }

// OnUninstall calls f when the app was removed.
func OnUninstall(f func(context.Context, *UninstallEvent) error) Route {
	return typed("OnUninstall", f)
}

// OnUnknown calls f for events of types that this package does not know.
func OnUnknown(f func(context.Context, *UnknownEvent) error) Route { return typed("OnUnknown", f) }

func typed[E Event](name string, f func(context.Context, E) error) Route {
	route := Route{name: name, wants: func(e Event) bool {
		_, ok := e.(E)
		return ok
	}}
	if f != nil {
		route.call = func(ctx context.Context, e Event) error { return f(ctx, e.(E)) }
	}
	return route
}
