package fault

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// IgnoredPaging removes startAfter, startAfterId, searchAfter, page, skip and pageToken from the request, so that
// every answer is the first page. HighLevel ignores unknown paging parameters without an error.
func IgnoredPaging() Kind {
	return Kind{answer.Effect{Name: "IgnoredPaging", EditRequest: func(query url.Values, body map[string]any) {
		for _, name := range []string{"startAfter", "startAfterId", "searchAfter", "page", "skip", "pageToken"} {
			query.Del(name)
			delete(body, name)
		}
	}}}
}

// RepeatedCursor answers each page with the cursor of its request, so that a caller who follows the cursor reads the
// same page again.
func RepeatedCursor() Kind {
	return Kind{answer.Effect{Name: "RepeatedCursor", EditAnswer: func(decoded any, query url.Values, text []byte) any {
		page, ok := decoded.(map[string]any)
		if !ok {
			return decoded
		}
		repeatListCursor(page, query)
		repeatSearchCursor(page, text)
		return page
	}}}
}

func repeatListCursor(page map[string]any, query url.Values) {
	if meta, ok := page["meta"].(map[string]any); ok && query.Get("startAfterId") != "" {
		meta["startAfter"], meta["startAfterId"] = number(query.Get("startAfter")), query.Get("startAfterId")
	}
	if token := query.Get("pageToken"); token != "" {
		if p, ok := page["pagination"].(map[string]any); ok {
			p["nextPageToken"], p["hasNextPage"] = token, true
		}
	}
}

func repeatSearchCursor(page map[string]any, request []byte) {
	var body map[string]any
	_ = answer.Decode(request, &body)
	after, sent := body["searchAfter"].([]any)
	list, _ := page["contacts"].([]any)
	if !sent || len(list) == 0 {
		return
	}
	if last, ok := list[len(list)-1].(map[string]any); ok {
		last["searchAfter"] = after
	}
}

// number returns the number in a text of digits, and 0 for any other text.
func number(text string) json.Number {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return "0"
	}
	return json.Number(text)
}

// NullCursors sends null in place of "" for the cursor, the next page and its URL on the last page.
func NullCursors() Kind {
	return changed("NullCursors", func(property string, value any) (any, bool) {
		switch property {
		case "startAfter", "startAfterId", "nextPage", "nextPageUrl":
			if value == "" {
				return nil, true
			}
		}
		return value, true
	})
}
