package db

import (
	"context"
	"errors"
)

// fence is what transactions of a process check: that the process still owns a location.
type fence struct {
	location string
	epoch    int64
}

type fenceKey struct{}

// ErrFenced means that another process has taken over the location.
var ErrFenced = errors.New("another process has taken over the location")

// WithFence returns a context for work on a location by its owner. The epoch changes with the owner.
func WithFence(ctx context.Context, location string, epoch int64) context.Context {
	return context.WithValue(ctx, fenceKey{}, &fence{location, epoch})
}

// WithoutFence returns a context for work that is not bound to the location that ctx is for.
func WithoutFence(ctx context.Context) context.Context {
	return context.WithValue(ctx, fenceKey{}, (*fence)(nil))
}

type holdKey struct{}

// WithHold returns a context for work under a named lock, whose token changes with the process that holds it.
func WithHold(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, holdKey{}, token)
}

// FencedLocation returns the location that ctx is for; "" if it has no fence.
func FencedLocation(ctx context.Context) string {
	if f, _ := ctx.Value(fenceKey{}).(*fence); f != nil {
		return f.location
	}
	return ""
}

// Fence returns [ErrFenced] if ctx is for work on a location that this process does not own any more, or under a lock
// that it does not hold any more. Until the transaction ends, no other process can take the location or the lock over.
// All transactions of such work call Fence before they change anything.
func (t *Tx) Fence(ctx context.Context) error {
	if token, ok := ctx.Value(holdKey{}).(string); ok {
		var name string
		err := t.Row(ctx, `SELECT name FROM ghlsync_hold WHERE token = $1 FOR SHARE`, token).Scan(&name)
		if err != nil {
			return fenced(err)
		}
	}
	f, _ := ctx.Value(fenceKey{}).(*fence)
	if f == nil {
		return nil
	}
	var epoch int64
	err := t.Row(ctx, `SELECT epoch FROM ghlsync_location WHERE id = $1 FOR SHARE`, f.location).Scan(&epoch)
	if err == nil && epoch != f.epoch {
		return ErrFenced
	}
	return fenced(err)
}

func fenced(err error) error {
	if errors.Is(err, ErrNoRows) {
		return ErrFenced
	}
	return err
}
