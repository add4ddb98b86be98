package ghl

import (
	"context"
	"errors"
	"net/http"
	"slices"
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

// addedSince reports whether a record was added after the create was sent, by the server's clock. What that differs from ours
// is in the Date of its answer, which is cut to the second: so the comparison is up to a second early, never late.
func addedSince(added Time, sent time.Time, resp *Response) bool {
	at, ok := added.Instant()
	if !ok {
		return false
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		sent = sent.Add(time.Until(date))
	} else {
		sent = sent.Add(-2 * time.Second) // for clocks that differ
	}
	return !at.Before(sent)
}

// sentAt has the call tell when its last attempt was sent: what was there before cannot be its work.
func sentAt(at *time.Time, opts []CallOption) []CallOption {
	return append(slices.Clone(opts), func(o *callOptions) error {
		o.sentAt = at
		return nil
	})
}
