package ghl

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// readBack answers a create that failed. With [CallReadBack] it looks whether the record is there all the same: once after a
// 422 and a taken slot, for the server has finished then, three times when the outcome is unknown, for it may still be at
// work. Without a record the error is the create's.
func readBack[T any](ctx context.Context, failed error, opts []CallOption, find func(opts []CallOption) (*T, error)) (*T, error) {
	var o callOptions
	for _, opt := range opts {
		if opt != nil && opt(&o) != nil {
			return nil, failed
		}
	}
	waits := []time.Duration{0}
	switch {
	case !o.readBack:
		return nil, failed
	case errors.Is(failed, ErrAmbiguous):
		waits = []time.Duration{0, time.Second, 3 * time.Second}
	case !errors.Is(failed, ErrValidation) && !errors.Is(failed, ErrSlotTaken):
		return nil, failed
	}
	for _, wait := range waits {
		select {
		case <-ctx.Done():
			return nil, failed
		case <-time.After(wait):
		}
		record, err := find(keepForReading(o))
		if err == nil && record != nil {
			return record, nil
		}
	}
	return nil, failed
}

// keepForReading returns the options that the looking takes over from the create.
func keepForReading(o callOptions) []CallOption {
	return []CallOption{func(r *callOptions) error {
		r.location, r.retry, r.background = o.location, o.retry, o.background
		return nil
	}}
}

// addedSince reports whether a record was added after began, by the server's clock: what it differs from ours is in the
// Date of its answer, which is cut to the second.
func addedSince(added Time, began time.Time, resp *Response) bool {
	const slack = 2 * time.Second
	at, ok := added.Instant()
	if !ok {
		return false
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		began = began.Add(time.Until(date))
	}
	return at.After(began.Add(-slack))
}
