package ghl

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// readBack handles the error of a create. With [CallReadBack] it looks for the created record: once after a 422 or
// a taken slot, when the server has finished, and three times when the outcome is unknown, because the server may
// still be working. It returns the create's error if it finds no record.
func readBack[T any](
	ctx context.Context, failed error, opts []CallOption, find func(opts []CallOption) (*T, error),
) (*T, error) {
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
		record, err := find(readOptions(o))
		if err == nil && record != nil {
			return record, nil
		}
	}
	return nil, failed
}

// readOptions returns the options of a create that apply to the calls that look for its record.
func readOptions(o callOptions) []CallOption {
	return []CallOption{func(r *callOptions) error {
		r.location, r.retry, r.background = o.location, o.retry, o.background
		return nil
	}}
}

// addedSince reports whether a record was added after the create was sent. The time of added is from the server's
// clock; the clock skew is taken from the Date header of resp. Date has no fractions of a second, so records from
// up to a second before sent may qualify.
func addedSince(added Time, sent time.Time, resp *Response) bool {
	at, ok := added.Instant()
	if !ok {
		return false
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		sent = sent.Add(time.Until(date))
	} else {
		sent = sent.Add(-2 * time.Second) // an allowance for clock skew
	}
	return !at.Before(sent)
}

// sentAt adds an option that stores in at when the last attempt was sent. Older records are not the call's.
func sentAt(at *time.Time, opts []CallOption) []CallOption {
	return append(slices.Clone(opts), func(o *callOptions) error {
		o.sentAt = at
		return nil
	})
}
