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

// FencedLocation returns the location that ctx is for; "" if it has no fence.
func FencedLocation(ctx context.Context) string {
	if f, _ := ctx.Value(fenceKey{}).(*fence); f != nil {
		return f.location
	}
	return ""
}

// Fence returns [ErrFenced] if ctx is for work on a location that this process does not own any more. Until the
// transaction ends, no other process can take the location over. All transactions of such work call Fence before they
// change anything.
func (t *Tx) Fence(ctx context.Context) error {
	f, _ := ctx.Value(fenceKey{}).(*fence)
	if f == nil {
		return nil
	}
	var epoch int64
	err := t.Row(ctx, `SELECT epoch FROM ghlsync_location WHERE id = $1 FOR SHARE`, f.location).Scan(&epoch)
	if errors.Is(err, ErrNoRows) || err == nil && epoch != f.epoch {
		return ErrFenced
	}
	return err
}
