package ghl

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/pluvo/ghl/internal/lenient"
)

// Cursor is a position in a list from which to resume; "" is the beginning. It is text and may be stored. It stays
// valid when records are added.
//
// A cursor names its list, such as the contacts of a location or of a business, and the order of a search. Given to
// another list or order, it is refused with [ErrBadInput] and Field "After". It is valid for other filters. The JSON
// array that is the position alone, such as [1700000000000,"id"], is accepted by every list of contacts.
type Cursor string

// String returns the text of the cursor, which is readable and may be stored.
func (c Cursor) String() string { return string(c) }

// The kinds of lists that a cursor names.
const (
	listContacts = "contacts"
	listBusiness = "business"
	listSearch   = "search"
)

// listName returns the name of a list in its cursors. within is a part of the location's list, or an order, or "".
func listName(kind, location, within string) string {
	if within != "" {
		within = "/" + within
	}
	return kind + ":" + location + within
}

// split splits a cursor "list:position" or "list:position:read/total". list and count may be "". split does not check
// the position and the count.
func (c Cursor) split() (list string, position Cursor, count string) {
	text := string(c)
	kind, _, _ := strings.Cut(text, ":")
	start := strings.Index(text, ":[")
	if start < 0 || kind != listContacts && kind != listBusiness && kind != listSearch {
		return "", c, ""
	}
	end := max(strings.LastIndexByte(text, ']'), start) + 1
	return text[:start], Cursor(text[start+1 : end]), text[end:]
}

// position returns the position of a cursor without the name of its list.
func (c Cursor) position() Cursor {
	_, position, _ := c.split()
	return position
}

// counts returns the number of elements of the list up to the position, and that of the whole list when the cursor was
// made. It returns false if the cursor has no numbers.
func (c Cursor) counts() (read, total int, ok bool) {
	_, _, count := c.split()
	first, second, found := strings.Cut(strings.TrimPrefix(count, ":"), "/")
	read, err := strconv.Atoi(first)
	total, err2 := strconv.Atoi(second)
	return read, total, found && err == nil && err2 == nil && 0 < read && read <= total
}

// in returns the cursor of a position in a list. It holds the counts unless total is 0 or less than read.
func (c Cursor) in(list string, read, total int) Cursor {
	switch {
	case c == "":
		return ""
	case total < max(read, 1):
		return Cursor(list + ":" + string(c))
	}
	return Cursor(list + ":" + string(c) + ":" + strconv.Itoa(read) + "/" + strconv.Itoa(total))
}

func notCursor() error { return badInputf("After", "After is not a cursor of a list") }

func isPosition(data []byte) bool {
	var values []json.RawMessage
	return json.Unmarshal(data, &values) == nil && len(values) > 0
}

// check returns an error if c is not a cursor of the kind of list. checkList checks which list of the kind it is.
func (c Cursor) check(kind string) error {
	if c == "" {
		return nil
	}
	list, position, count := c.split()
	if _, _, ok := c.counts(); !isPosition([]byte(position)) || count != "" && !ok {
		return notCursor()
	}
	if of, _, named := strings.Cut(list, ":"); named && of != kind {
		return otherList()
	}
	return nil
}

// checkList returns an error if c names another list.
func (c Cursor) checkList(list string) error {
	if name, _, _ := c.split(); name != "" && name != list {
		return otherList()
	}
	return nil
}

func otherList() error { return badInputf("After", "After is a cursor of another list or order") }

// pair returns the two values of a position in a list as text. It fails if the position is not such a pair.
func (c Cursor) pair() (after [2]string, err error) {
	if c == "" {
		return after, nil
	}
	n, position := 0, []byte(c.position())
	if isPosition(position) {
		_ = lenient.EachElement(position, func(value []byte) error {
			if text, ok := lenient.Scalar(value); ok && n < 2 {
				after[n] = text
			}
			n++
			return nil
		})
	}
	if n != 2 || after[0] == "" || after[1] == "" {
		return after, notCursor()
	}
	return after, nil
}

// checkPair is check for a list of which a position is a pair.
func (c Cursor) checkPair(kind string) error {
	if err := c.check(kind); err != nil {
		return err
	}
	_, err := c.pair()
	return err
}

// cursorOf returns the position of a record, an array of its sort values and its id; "" if data is not such an array.
func cursorOf(data json.RawMessage) Cursor {
	if len(data) == 0 || data[0] != '[' || !isPosition(data) {
		return ""
	}
	return Cursor(data)
}

// cursorFrom joins the two parts of the position in the meta of a list; "" if they are null or "". half reports that
// only one of them is set. 0 without an id is not set.
func cursorFrom(startAfter json.RawMessage, id string) (c Cursor, half bool) {
	if len(startAfter) > 0 && startAfter[0] == '[' { // some answers have the whole position here
		return pairOrNone(cursorOf(startAfter)), false
	}
	text, _ := lenient.Scalar(startAfter)
	quoted, err := json.Marshal(id)
	switch {
	case id == "" || err != nil:
		return "", text != "" && text != "0"
	case text == "":
		return "", true
	}
	return Cursor("[" + string(startAfter) + "," + string(quoted) + "]"), false
}

// pairOrNone returns c, or "" if it is not the position of a list.
func pairOrNone(c Cursor) Cursor {
	if _, err := c.pair(); err != nil {
		return ""
	}
	return c
}
