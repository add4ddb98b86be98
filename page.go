package ghl

import (
	"encoding/json"
	"hash/maphash"
	"iter"
	"net/url"
	"strconv"

	"github.com/pluvo/ghl/internal/lenient"
)

// Cursor is a place in a list, to go on behind it. It is text that may be stored; "" is the beginning. It holds for the
// list and order that it came from, whatever has been added since.
type Cursor string

// cursorOf reads the cursor that a record carries: an array of its sort values and its id.
func cursorOf(data json.RawMessage) Cursor {
	if len(data) == 0 || data[0] != '[' || Cursor(data).check() != nil {
		return ""
	}
	return Cursor(data)
}

// cursorFrom puts the two halves that a list gives into one. On the last page they are null or "". whole is false if only
// one of them is there.
func cursorFrom(startAfter json.RawMessage, id string) (c Cursor, whole bool) {
	value := string(startAfter)
	none := value == "" || value == "null" || value == `""`
	switch {
	case none || id == "":
		return "", none && id == ""
	case startAfter[0] == '[': // some answers give the whole cursor here
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
		return badInputf("After", "this is no cursor of a list")
	}
	return nil
}

// pair returns the two values of a list's cursor as text.
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
		return after, badInputf("After", "this is no cursor of a list")
	}
	return after, nil
}

// each yields the records of pages.
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

// pages follows cursors until there is none. One that comes a second time would go round for ever: the server ignores
// paging parameters it does not know, and gives page one again.
func pages[P any](first Cursor, op *Operation, read func(after Cursor) (P, Cursor, error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		after, seed := first, maphash.MakeSeed()
		seen := map[uint64]struct{}{maphash.String(seed, string(first)): {}} // hashes, to keep memory flat
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

// pagesUntilEmpty reads pages by count until one is empty: a short one is no end, for the server may hold pages smaller
// than asked. read counts what is on the page, also what is no record. A page with the records of an earlier one is that
// page again.
func pagesUntilEmpty[P any, T identified](op *Operation, records func(P) []T, read func() (page P, size int, err error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		seed, seen := maphash.MakeSeed(), map[uint64]struct{}{} // hashes, to keep memory flat
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
	return &Error{Operation: op.Name, Message: "the server gave the same page again; the list is not complete", categories: badResponse}
}

// orZero lets nil options mean the zero value.
func orZero[T any](o *T) *T {
	if o == nil {
		return new(T)
	}
	return o
}

// clonePointer keeps a copied option from changing with the original.
func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// checked is a call option that refuses bad input of a method whose input is no body.
func checked(in input) CallOption {
	return func(*callOptions) error { return in.check() }
}

func setIf(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

func setInt(q url.Values, key string, n int) {
	if n > 0 {
		q.Set(key, strconv.Itoa(n))
	}
}
