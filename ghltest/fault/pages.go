package fault

import (
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// ShortPages answers at most this many records a page, however many the request asks for, with the right total and
// cursors: HighLevel's lists have short pages before their end. Fault.After and Fault.Times select single pages. A
// search by page number is unchanged.
func ShortPages(most int) Kind {
	shorten := func(query url.Values, body map[string]any) {
		if _, byNumber := body["page"]; byNumber {
			return
		}
		for _, name := range []string{"limit", "pageLimit"} {
			if limit, ok := integer(body[name]); ok && limit > most {
				body[name] = most
			}
		}
		if limit, ok := integer(json.Number(query.Get("limit"))); !ok || limit > most {
			query.Set("limit", strconv.Itoa(most))
		}
	}
	return Kind{answer.Effect{Name: "ShortPages", EditRequest: shorten}}.
		refusedIf(most < 1, "ShortPages: a page needs a record, got %d", most)
}

func integer(value any) (int, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	n, err := number.Int64()
	return int(n), err == nil
}

// MetaWithoutCursor removes startAfter and startAfterId from the meta of each page of a list of contacts. The records
// have their own startAfter.
func MetaWithoutCursor() Kind {
	return changedMeta("MetaWithoutCursor", func(meta map[string]any, _ []any, _ url.Values) {
		delete(meta, "startAfter")
		delete(meta, "startAfterId")
	})
}

// MetaWithNullCursor is [MetaWithoutCursor] with null in place of the missing properties, beside a nextPageUrl.
func MetaWithNullCursor() Kind {
	return changedMeta("MetaWithNullCursor", func(meta map[string]any, _ []any, _ url.Values) {
		meta["startAfter"], meta["startAfterId"] = nil, nil
	})
}

// CursorOnLastPage sends the cursor of the last record on the last page of a list of contacts too. The empty page
// behind it repeats the cursor of its request.
func CursorOnLastPage() Kind {
	return changedMeta("CursorOnLastPage", func(meta map[string]any, list []any, query url.Values) {
		meta["nextPageUrl"] = unreachable
		if len(list) == 0 {
			meta["startAfter"], meta["startAfterId"] = number(query.Get("startAfter")), query.Get("startAfterId")
			return
		}
		setCursor(meta, list)
	})
}

// ZeroCursorOnEmptyPage is [CursorOnLastPage] with a startAfter of 0 and a startAfterId of "" on the empty page.
func ZeroCursorOnEmptyPage() Kind {
	return changedMeta("ZeroCursorOnEmptyPage", func(meta map[string]any, list []any, _ url.Values) {
		meta["nextPageUrl"] = unreachable
		if len(list) == 0 {
			meta["startAfter"], meta["startAfterId"] = 0, ""
			return
		}
		setCursor(meta, list)
	})
}

const unreachable = "http://localhost:5070/contacts/"

// setCursor sets the cursor of a page to that of its last record.
func setCursor(meta map[string]any, list []any) {
	if last, ok := list[len(list)-1].(map[string]any); ok {
		if cursor, ok := last["startAfter"].([]any); ok && len(cursor) == 2 {
			meta["startAfter"], meta["startAfterId"] = cursor[0], cursor[1]
		}
	}
}

// changedMeta returns a kind that changes the meta of each page of a list of contacts.
func changedMeta(name string, change func(meta map[string]any, list []any, query url.Values)) Kind {
	edit := func(decoded any, query url.Values, _ []byte) any {
		page, _ := decoded.(map[string]any)
		list, _ := page["contacts"].([]any)
		if meta, ok := page["meta"].(map[string]any); ok {
			change(meta, list, query)
		}
		return decoded
	}
	return Kind{answer.Effect{Name: name, EditAnswer: edit}}
}

// WrongTotal changes the total of each page by this number, to no less than 0: the total of a list, of a search, and
// the count of a list by business.
func WrongTotal(by int) Kind {
	edit := func(decoded any, _ url.Values, _ []byte) any {
		page, _ := decoded.(map[string]any)
		meta, _ := page["meta"].(map[string]any)
		for _, object := range []map[string]any{page, meta} {
			for _, name := range []string{"total", "count"} {
				if total, ok := integer(object[name]); ok {
					object[name] = max(0, total+by)
				}
			}
		}
		return decoded
	}
	return Kind{answer.Effect{Name: "WrongTotal", EditAnswer: edit}}.
		refusedIf(by == 0, "WrongTotal: the difference must not be 0")
}
