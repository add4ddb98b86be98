package ghl

import (
	"hash/maphash"
	"iter"
	"slices"
)

// pageInfo is what a page says about its list.
type pageInfo struct {
	size    int      // elements of the page, including those that are not records
	skipped [][]byte // the elements that are not records
	total   int      // elements of the list; 0 if unknown
	vague   bool     // the page has no total, but may have a count
	next    Cursor   // the position after the page; "" if neither the page nor its last record has one
	half    bool     // the page has half a cursor
	full    bool     // a full page of a search: more may follow though the total, an estimate, was reached
	last    bool     // the page says that no other one follows
}

// listEnd finds the end of a list that is read page by page. There is one rule for all lists. The end is an empty
// page, or the page that reaches the total; a short page is not the end. A page that is not the end must lead to the
// next one, or the list fails with [ErrBadResponse].
//
// Some servers return a cursor with the empty page after the last one. It is followed only if it is a new one, and the
// total was not reached.
type listEnd struct {
	op       *Operation
	bySkip   bool // the next page can be read without a cursor
	counted  bool // read includes the elements before the first page that was read
	read     int  // elements up to the end of the latest page
	estimate bool // read may count some elements twice
	total    int  // of the latest page that has one; 0 if unknown
	shrunk   bool // the total has become smaller, so elements that were read may have been deleted

	seed    maphash.Seed
	visited map[uint64]struct{} // hashes of the cursors of the requests, and of the pages
	barren  int                 // consecutive pages without a new element
}

// maxBarren limits the consecutive pages without a new element. Some are usual when records change while they are
// listed.
const maxBarren = 100

// add counts a page: fresh is the number of its elements that no earlier page had.
func (l *listEnd) add(p pageInfo, fresh int) {
	l.read += fresh
	if p.total > 0 {
		l.shrunk = l.shrunk || p.total < l.total
		l.total = p.total
	}
	if l.barren++; fresh > 0 {
		l.barren = 0
	}
}

// reached reports whether the elements that were read are all. If the total is less than their number, or less than it
// was, it does not show the end. If the numbers are only an estimate, they do not while the page leads to another one.
func (l *listEnd) reached(p pageInfo) bool {
	estimate := l.estimate || p.full
	return l.counted && !l.shrunk && l.total > 0 && l.read == l.total && !(estimate && (l.bySkip || p.next != ""))
}

// ended reports whether the page that was added last is the end of the list. visited is whether an earlier request had
// its cursor.
func (l *listEnd) ended(p pageInfo, visited bool) bool {
	switch {
	case l.reached(p):
		return true
	case p.size == 0:
		return p.next == "" || visited || p.last
	case p.last:
		return !l.counted || l.shrunk || l.read >= l.total
	}
	return p.next == "" && !l.counted && 0 < l.total && l.total <= p.size
}

// after returns whether the page that was added last is the end of the list, and an error if it is not the end and no
// page follows it.
func (l *listEnd) after(p pageInfo) (end bool, err *Error) {
	_, visited := l.visited[l.hash(p.next)]
	switch {
	case l.ended(p, visited):
		return true, nil
	case l.barren > maxBarren:
		return false, l.incomplete("the server returned page after page without a new record")
	case p.next == "" && l.bySkip:
		return false, nil
	case p.next == "" && p.last:
		return false, l.incomplete("the last page comes before the total")
	case p.next == "":
		return false, l.incomplete("a page has no cursor")
	case visited:
		return false, l.incomplete(pageAgain)
	}
	return false, nil
}

const pageAgain = "the server returned the same page again"

func (l *listEnd) incomplete(why string) *Error {
	return &Error{Operation: l.op.Name, Message: why + "; the list is not complete", categories: badResponse}
}

// start begins with the cursor of the first request.
func (l *listEnd) start(after Cursor) {
	l.seed = maphash.MakeSeed()
	l.visited = map[uint64]struct{}{l.hash(after): {}}
}

// hash returns a hash, which needs little memory.
func (l *listEnd) hash(c Cursor) uint64 { return maphash.String(l.seed, string(c.position())) }

// next returns the cursor after a page that the caller asked for, "" at the end of the list. It is also "" for a page
// without any cursor and total.
func (l listEnd) next(p pageInfo, after Cursor) (Cursor, error) {
	if p.last {
		p.next = ""
	}
	l.start(after)
	l.add(p, p.size)
	end, err := l.after(p)
	switch {
	case end || p.next == "" && p.vague && !p.half:
		return "", nil
	case err != nil:
		return "", err
	}
	return p.next, nil
}

// element is a record of a list. Its position is "" if it has none.
type element interface {
	element() (id string, position Cursor)
}

// pager reads a list page by page.
type pager[P any, T element] struct {
	end     listEnd
	after   Cursor // of the first page
	read    func(after Cursor, skip int) (P, pageInfo, error)
	records func(P) []T
	setNext func(P, Cursor) // may be nil
}

// pages returns an iterator over the pages of the list up to its end. A page that leads to no other one, or that is
// read by skip and repeats an earlier one, is not yielded.
func (r pager[P, T]) pages() iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		end, after, skip, seen := r.end, r.after, 0, elements{}
		end.start(after)
		for {
			page, info, err := r.read(after, skip)
			if err != nil {
				yield(none, err)
				return
			}
			again := addPage(&end, &seen, info, r.records(page))
			last, broken := end.after(info)
			if again && !last && broken == nil {
				broken = end.incomplete(pageAgain)
			}
			if broken != nil && (end.bySkip || info.next == "") {
				yield(none, broken)
				return
			}
			if r.setNext != nil && !last {
				r.setNext(page, info.next)
			}
			if !yield(page, nil) || last {
				return
			}
			if broken != nil {
				yield(none, broken)
				return
			}
			end.visited[end.hash(info.next)] = struct{}{}
			after, skip = info.next, skip+info.size
		}
	}
}

// elements are the latest elements that were read, as hashes: their positions by id. A record that has another position
// than before is read again, but is not a new element.
type elements struct {
	newer, older map[uint64]uint64
	page         []uint64 // ids of the latest page
}

const maxNewer = 1500 // two maps of this size take 70 KB

// add adds an element and reports whether its id, and whether it with its position, was there before.
func (e *elements) add(id, position uint64) (seen, same bool) {
	at, seen := e.newer[id]
	if !seen {
		at, seen = e.older[id]
	}
	if e.newer == nil {
		e.newer = map[uint64]uint64{}
	}
	e.newer[id] = position
	e.page = append(e.page, id)
	return seen, seen && at == position
}

// addPage adds a page to end and seen. It reports whether earlier pages had all its elements. It returns false for the
// last elements of the page before, if the page before had more: records that were created meanwhile have moved them.
func addPage[T element](end *listEnd, seen *elements, p pageInfo, records []T) (again bool) {
	before := seen.page
	seen.page = make([]uint64, 0, p.size)
	fresh, repeated := 0, 0
	var page maphash.Hash
	page.SetSeed(end.seed)
	add := func(id, position uint64) {
		known, same := seen.add(id, position)
		if !known {
			fresh++
		}
		if same {
			repeated++
		}
		maphash.WriteComparable(&page, [2]uint64{id, position})
	}
	for _, record := range records {
		id, position := record.element()
		add(maphash.String(end.seed, id), end.hash(position))
	}
	for _, element := range p.skipped {
		add(maphash.Bytes(end.seed, element), 0)
	}
	end.add(p, fresh)
	if len(seen.newer) > maxNewer {
		end.estimate = end.estimate || seen.older != nil
		seen.older, seen.newer = seen.newer, nil
	}
	if p.size == 0 {
		return false
	}
	_, again = end.visited[page.Sum64()]
	end.visited[page.Sum64()] = struct{}{}
	moved := len(before) - p.size
	return again || repeated == p.size && (moved <= 0 || !slices.Equal(before[moved:], seen.page))
}

// totalOf returns the number of elements of a list; 0 if unknown. A count that equals the size of the page may be the
// count of the page, so it is ignored.
func totalOf(total, count, size int) int {
	if count == size {
		count = 0
	}
	return max(total, count, 0)
}
