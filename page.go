package ghl

import (
	"encoding/json"
	"hash/maphash"
	"iter"
	"net/url"
	"strconv"

	"github.com/pluvo/ghl/internal/lenient"
)

// Cursor is a position in a list from which to resume; "" is the beginning. It is text and may be stored. It stays
// valid when records are added, but only for the list and order that returned it.
type Cursor string

// cursorOf returns the cursor of a record, an array of its sort values and its id; "" if data is not such an array.
func cursorOf(data json.RawMessage) Cursor {
	if len(data) == 0 || data[0] != '[' || Cursor(data).check() != nil {
		return ""
	}
	return Cursor(data)
}

// cursorFrom joins the two parts of a list's cursor. Both are null or "" on the last page. whole is false if only
// one of them is set.
func cursorFrom(startAfter json.RawMessage, id string) (c Cursor, whole bool) {
	value := string(startAfter)
	none := value == "" || value == "null" || value == `""`
	switch {
	case none || id == "":
		return "", none && id == ""
	case startAfter[0] == '[': // some answers have the whole cursor here
		return cursorOf(startAfter), true
	}
	quoted, err := json.Marshal(id)
	if err != nil {
		return "", false
	}
	return Cursor("[" + value + "," + string(quoted) + "]"), true
}

func (c Cursor) check() error {
	if c == "" {
		return nil
	}
	var values []json.RawMessage
	if json.Unmarshal([]byte(c), &values) != nil || len(values) == 0 {
		return badInputf("After", "After is not a cursor of a list")
	}
	return nil
}

// pair returns the two values of a list's cursor as text. It fails if the cursor is not one of a list.
func (c Cursor) pair() (after [2]string, err error) {
	if c == "" {
		return after, nil
	}
	n := 0
	if c.check() == nil {
		_ = lenient.EachElement([]byte(c), func(value []byte) error {
			if text, ok := lenient.Scalar(value); ok && n < 2 {
				after[n] = text
			}
			n++
			return nil
		})
	}
	if n != 2 || after[0] == "" || after[1] == "" {
		return after, badInputf("After", "After is not a cursor of a list")
	}
	return after, nil
}

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

// pages returns an iterator that follows cursors until a page has none. It fails on a cursor that it has followed
// before, which would repeat forever: the server ignores unknown paging parameters and returns page one.
func pages[P any](first Cursor, op *Operation, read func(after Cursor) (P, Cursor, error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		after, seed := first, maphash.MakeSeed()
		seen := map[uint64]struct{}{maphash.String(seed, string(first)): {}} // hashes, which need little memory
		for {
			page, next, err := read(after)
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(page, nil) || next == "" {
				return
			}
			hash := maphash.String(seed, string(next))
			if _, again := seen[hash]; again {
				yield(none, repeated(op))
				return
			}
			seen[hash] = struct{}{}
			after = next
		}
	}
}

// pagesUntilEmpty returns an iterator that reads pages by count until one is empty. A short page is not the end:
// the server may limit the size of pages. read returns the number of elements of a page, including those that are
// not records. The iterator fails on a page with the records of an earlier page.
func pagesUntilEmpty[P any, T identified](
	op *Operation, records func(P) []T, read func() (page P, size int, err error),
) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		seed, seen := maphash.MakeSeed(), map[uint64]struct{}{} // hashes, which need little memory
		for {
			page, size, err := read()
			if err != nil {
				yield(none, err)
				return
			}
			if size == 0 {
				return
			}
			var ids maphash.Hash
			ids.SetSeed(seed)
			for _, record := range records(page) {
				_, _ = ids.WriteString(record.id())
				_ = ids.WriteByte(0)
			}
			if _, again := seen[ids.Sum64()]; again {
				yield(none, repeated(op))
				return
			}
			seen[ids.Sum64()] = struct{}{}
			if !yield(page, nil) {
				return
			}
		}
	}
}

type identified interface{ id() string }

func repeated(op *Operation) *Error {
	return &Error{Operation: op.Name, Message: "the server returned the same page again; the list is not complete",
		categories: badResponse}
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
