package ghltest

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// listMeta has the paging properties of a page of contacts.
type listMeta struct {
	Total        int    `json:"total"`
	NextPageURL  string `json:"nextPageUrl"`
	StartAfterID string `json:"startAfterId"`
	StartAfter   any    `json:"startAfter"` // "" on the last page
	CurrentPage  int    `json:"currentPage"`
	NextPage     any    `json:"nextPage"` // "" on the last page
	PrevPage     any    `json:"prevPage"`
}

// listContacts pages by startAfter and startAfterId together. With only one of them it answers the first page, as
// HighLevel does.
func (c *call) listContacts() (any, error) {
	limit, err := c.number("limit", 20, 1, 100)
	if err != nil {
		return nil, err
	}
	at, err := c.number64("startAfter", 0, math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	all := c.location.contacts
	rest := all
	if id := c.query.Get("startAfterId"); id != "" && c.query.Get("startAfter") != "" {
		rest = all[indexAfter(all, at, id):]
	}
	total, query := len(all), c.query.Get("query")
	if query != "" {
		total = 0
		for _, one := range all {
			if one.matches(query) {
				total++
			}
		}
	}
	page, more := firstMatches(rest, limit, query)
	meta := listMeta{Total: total, StartAfter: "", CurrentPage: 1, NextPage: ""}
	if more {
		last := page[len(page)-1]
		meta.StartAfter, meta.StartAfterID, meta.NextPage = last.added, last.ID, 2
		// HighLevel sends an unreachable host and omits the location.
		meta.NextPageURL = "http://localhost:5070/contacts/?" + url.Values{
			"limit": {strconv.Itoa(limit)}, "startAfter": {strconv.FormatInt(last.added, 10)},
			"startAfterId": {last.ID},
		}.Encode()
	}
	return map[string]any{"contacts": answers(page, c.inList), "meta": meta, "traceId": c.ids.uuid()}, nil
}

// firstMatches returns the first contacts that match, up to limit, and whether more contacts match.
func firstMatches(list []*contact, limit int, query string) (page []*contact, more bool) {
	for _, one := range list {
		if !one.matches(query) {
			continue
		}
		if len(page) == limit {
			return page, true
		}
		page = append(page, one)
	}
	return page, false
}

// indexAfter returns the index of the first contact after a cursor. The contact of the cursor need not exist any more.
func indexAfter(list []*contact, added int64, id string) int {
	cursor := &contact{added: added}
	cursor.ID = id
	at, found := slices.BinarySearchFunc(list, cursor, newestFirst)
	if found {
		at++
	}
	return at
}

// listByBusiness pages by skip, and in v3 also by two values of startAfter: a time and an id.
func (c *call) listByBusiness() (any, error) {
	limit, err := c.number("limit", 25, 1, 100)
	if err != nil {
		return nil, err
	}
	skip, err := c.number("skip", 0, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	list := c.location.contacts
	if after := c.query["startAfter"]; c.v3 && len(after) == 2 {
		if at, err := strconv.ParseInt(after[0], 10, 64); err == nil {
			list = list[indexAfter(list, at, after[1]):]
		}
	}
	all := c.location.contacts
	ofBusiness := func(one *contact) bool {
		return one.BusinessID == c.param("businessId") && one.matches(c.query.Get("query"))
	}
	count, page := 0, []*contact{}
	for _, one := range all {
		if ofBusiness(one) {
			count++
		}
	}
	for _, one := range list {
		switch {
		case !ofBusiness(one):
		case skip > 0:
			skip--
		case len(page) < limit:
			page = append(page, one)
		}
	}
	return map[string]any{"contacts": answers(page, c.inList), "count": count}, nil
}

// matches reports whether the text is in a name, the e-mail, the phone or the company.
func (c *contact) matches(query string) bool {
	if query == "" {
		return true
	}
	query = strings.ToLower(query)
	for _, field := range []string{c.fullName(), c.Email, c.Phone, c.CompanyName} {
		if strings.Contains(strings.ToLower(field), query) {
			return true
		}
	}
	return false
}

// flag returns a boolean of the query, or missing when it is not set.
func (c *call) flag(name string, missing bool) (bool, error) {
	switch c.query.Get(name) {
	case "":
		return missing, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, invalid(name + reasons[flag])
}

// number returns an integer of the query, or missing when it is not set.
func (c *call) number(name string, missing, least, most int) (int, error) {
	n, err := c.number64(name, int64(missing), int64(least), int64(most))
	return int(n), err
}

func (c *call) number64(name string, missing, least, most int64) (int64, error) {
	given := c.query.Get(name)
	if given == "" {
		return missing, nil
	}
	n, err := strconv.ParseInt(given, 10, 64)
	switch {
	case err != nil:
		return 0, invalid(name + reasons[number])
	case n < least:
		return 0, invalid(name + " must not be less than " + strconv.FormatInt(least, 10))
	case n > most:
		return 0, invalid(name + " must not be greater than " + strconv.FormatInt(most, 10))
	}
	return n, nil
}
