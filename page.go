package ghl

import (
	"iter"
	"net/url"
	"strconv"
)

// each returns an iterator over the records of pages.
func each[P, T any](pages iter.Seq2[P, error], records func(P) []*T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for page, err := range pages {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, record := range records(page) {
				if !yield(record, nil) {
					return
				}
			}
		}
	}
}

// orZero returns o, or the zero value if o is nil.
func orZero[T any](o *T) *T {
	if o == nil {
		return new(T)
	}
	return o
}

// clonePointer returns a pointer to a copy of *p, or nil.
func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// checked returns a call option that refuses bad input of methods without a body.
func checked(in input) CallOption {
	return func(*callOptions) error { return in.check() }
}

// setIf sets a query parameter unless value is "".
func setIf(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

// setInt sets a query parameter if n is positive.
func setInt(q url.Values, key string, n int) {
	if n > 0 {
		q.Set(key, strconv.Itoa(n))
	}
}
