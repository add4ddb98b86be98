package webhook

import (
	"context"
	"errors"
)

// Keeper keeps a delivery: it has done all that there is to do, or stored it where it survives the process. Only when Keep
// has returned nil is the delivery acknowledged; after an error, a panic or the end of the handler's time it comes again,
// so Keep must bear being called twice for the same delivery. The context ends with the handler's time.
//
// What should never come again although it failed must be answered with nil.
type Keeper interface {
	Keep(ctx context.Context, d *Delivery) error
}

// KeeperFunc is a [Keeper].
type KeeperFunc func(ctx context.Context, d *Delivery) error

// Keep calls the function.
func (f KeeperFunc) Keep(ctx context.Context, d *Delivery) error { return f(ctx, d) }

// Route calls a function for some events. Give routes to [NewHandler], or to [NewRouter] behind a queue.
type Route struct {
	wants func(Event) bool
	call  func(context.Context, Event) error // nil is refused
	name  string
}

// Router is a [Keeper] that calls functions for events. It is safe for concurrent use, and cannot be changed.
type Router struct{ routes []Route }

// NewRouter returns a Router. A route without a function is an error.
func NewRouter(routes ...Route) (*Router, error) {
	for _, route := range routes {
		if route.wants == nil || route.call == nil {
			return nil, errors.New("webhook: " + route.name + ": there is no function to call")
		}
	}
	return &Router{append([]Route(nil), routes...)}, nil
}

// Keep calls the function of each route that wants the event, one after the other in their order, all of them even if one
// fails. When one fails the delivery comes again, and then all of them are called again. An event that no route wants is
// kept by doing nothing.
func (r *Router) Keep(ctx context.Context, d *Delivery) error {
	if d == nil || d.event == nil {
		return errors.New("webhook: the delivery was not made by Verifier.Open")
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

// On calls f for every event of a type, also one that this package has no event for.
func On(t Type, f func(context.Context, Event) error) Route {
	return Route{wants: func(e Event) bool { return e.Meta().Type == t }, call: f, name: "On"}
}

// OnAny calls f for every event.
func OnAny(f func(context.Context, Event) error) Route {
	return Route{wants: func(Event) bool { return true }, call: f, name: "OnAny"}
}

// OnContactCreatedOrUpdated calls f when a contact was created, or changed in any way: its fields, its tags or its "do not
// disturb". One change can come as several events.
func OnContactCreatedOrUpdated(f func(context.Context, *ContactEvent) error) Route {
	route := typed("OnContactCreatedOrUpdated", f)
	route.wants = func(e Event) bool {
		c, ok := e.(*ContactEvent)
		return ok && c.Type != ContactDelete
	}
	return route
}

// OnContact calls f for every event of contacts, deletions too.
func OnContact(f func(context.Context, *ContactEvent) error) Route { return typed("OnContact", f) }

// OnTask calls f when tasks changed: when one was created, completed or deleted. HighLevel does not tell when one was
// edited.
func OnTask(f func(context.Context, *TaskEvent) error) Route { return typed("OnTask", f) }

// OnNoteOrAppointment calls f when notes or appointments changed: when one was created, updated or deleted. The event is a
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

// OnUnknown calls f for events of types that this package has no event for.
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
