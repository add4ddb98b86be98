package ghl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// listKind is a list that the client reads page by page.
type listKind struct {
	name    string
	version ghl.Version
	cursors bool // it is paged by cursor, else by skip
	records bool // its records have cursors of their own
	all     func(ctx context.Context, c *ghl.Client, after ghl.Cursor) iter.Seq2[string, error]
}

func listKinds() []listKind {
	id := func(c *ghl.Contact) string { return c.ID }
	list := func(ctx context.Context, c *ghl.Client, after ghl.Cursor) iter.Seq2[string, error] {
		return mapped(c.Contacts.All(ctx, &ghl.ListContactsOptions{Limit: 5, After: after}), id)
	}
	business := func(ctx context.Context, c *ghl.Client, after ghl.Cursor) iter.Seq2[string, error] {
		return mapped(c.Contacts.AllByBusiness(ctx, "b1", &ghl.ListByBusinessOptions{Limit: 5, After: after}), id)
	}
	search := func(ctx context.Context, c *ghl.Client, after ghl.Cursor) iter.Seq2[string, error] {
		return mapped(c.Contacts.SearchAll(ctx, &ghl.SearchRequest{PageLimit: 5, After: after}), id)
	}
	tasks := func(ctx context.Context, c *ghl.Client, _ ghl.Cursor) iter.Seq2[string, error] {
		return mapped(c.Tasks.SearchAll(ctx, &ghl.TaskSearch{Limit: 5}), func(t *ghl.Task) string { return t.ID })
	}
	installed := func(ctx context.Context, c *ghl.Client, after ghl.Cursor) iter.Seq2[string, error] {
		q := &ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1", Limit: 5, After: after}
		return mapped(c.OAuth.AllInstalledLocations(ctx, q), func(l *ghl.InstalledLocation) string { return l.ID })
	}
	return []listKind{
		{"list", ghl.Version20210728, true, true, list},
		{"list v3", ghl.VersionV3, true, true, list},
		{"search", ghl.Version20210728, true, true, search},
		{"business", ghl.Version20210728, false, true, business},
		{"business v3", ghl.VersionV3, false, true, business},
		{"tasks", ghl.Version20210728, false, false, tasks},
		{"installed", ghl.Version20210728, false, false, installed},
		{"installed v3", ghl.VersionV3, true, false, installed},
	}
}

// pageServer serves a list of records r1, r2 and so on under all endpoints, in pages of its own size.
type pageServer struct {
	t      *testing.T
	n      int                 // records of the list
	size   func(limit int) int // of the next page
	total  func(read int) any  // nil for none
	cursor func(read int) bool // whether the page that ends there has a cursor of its own
	own    bool                // records have a cursor of their own
	after  string              // what is in an empty page: "", "same", "half" or "zero"
	sent   int
}

func (s *pageServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.sent++
	require.Less(s.t, s.sent, 500, "the list does not end")
	at, limit := s.start(r)
	size := 0
	if at < s.n {
		size = min(max(s.size(limit), 1), limit, s.n-at)
	}
	list := make([]string, size)
	for i := range list {
		id := fmt.Sprintf("r%d", at+i+1)
		own := ""
		if s.own {
			own = fmt.Sprintf(`,"startAfter":[%d,%q],"searchAfter":[%d,%q]`, at+i+1, id, at+i+1, id)
		}
		list[i] = fmt.Sprintf(`{"id":%q,"_id":%q%s}`, id, id, own)
	}
	end := at + size
	meta, paging := map[string]any{"nextPageUrl": "http://localhost/x"}, map[string]any{"hasNextPage": end < s.n}
	switch {
	case size == 0 && s.after == "same":
		meta["startAfter"], meta["startAfterId"] = end, fmt.Sprintf("r%d", end)
		paging["nextPageToken"] = strconv.Itoa(end)
	case size == 0 && s.after == "half":
		meta["startAfter"], meta["startAfterId"] = nil, fmt.Sprintf("r%d", end)
	case size == 0 && s.after == "zero":
		meta["startAfter"], meta["startAfterId"] = 0, ""
	case size > 0 && s.cursor(end):
		meta["startAfter"], meta["startAfterId"] = end, fmt.Sprintf("r%d", end)
		paging["nextPageToken"] = strconv.Itoa(end)
	}
	body := map[string]any{"meta": meta, "pagination": paging}
	records := json.RawMessage("[" + strings.Join(list, ",") + "]")
	for _, name := range []string{"contacts", "tasks", "locations", "items"} {
		body[name] = records
	}
	if total := s.total(end); total != nil {
		body["total"], meta["total"], paging["totalRecords"] = total, total, total
	}
	text, err := json.Marshal(body)
	require.NoError(s.t, err)
	return answers(200, string(text))(r)
}

// start returns the position that a request asks for, as a number of records.
func (s *pageServer) start(r *http.Request) (at, limit int) {
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		require.NoError(s.t, err, "%s", r.URL)
		return n
	}
	var body struct {
		SearchAfter []any
		Skip, Limit int
		PageLimit   int
	}
	if r.Body != nil && r.Method == http.MethodPost {
		require.NoError(s.t, json.NewDecoder(r.Body).Decode(&body))
	}
	q, limit := r.URL.Query(), max(body.Limit, body.PageLimit)
	for _, name := range []string{"limit", "pageSize"} {
		if q.Has(name) {
			limit = number(q.Get(name))
		}
	}
	switch {
	case len(body.SearchAfter) > 0:
		return int(body.SearchAfter[0].(float64)), limit
	case body.Skip > 0:
		return body.Skip, limit
	case q.Has("startAfter"):
		return number(q.Get("startAfter")), limit
	case q.Has("pageToken"):
		return number(q.Get("pageToken")), limit
	case q.Has("skip"):
		return number(q.Get("skip")), limit
	}
	return 0, limit
}

// client returns a client of the server.
func (s *pageServer) client(k listKind) *ghl.Client {
	c, err := ghl.New(ghl.WithToken("pit-test"), ghl.WithLocation("loc1"), ghl.WithVersion(k.version),
		ghl.WithHTTPClient(&http.Client{Transport: s}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }))
	require.NoError(s.t, err)
	return c
}

// wantIDs returns r1 to rn.
func wantIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("r%d", i+1)
	}
	return ids
}

func fixed(n int) func(int) int { return func(int) int { return n } }

func always(yes bool) func(int) bool { return func(int) bool { return yes } }

func constant(v any) func(int) any { return func(int) any { return v } }

// TestEveryListHasOneEnd reads every kind of list from servers whose pages differ in size, cursors and totals.
func TestEveryListHasOneEnd(t *testing.T) {
	withoutCursors := func(k listKind) bool { return k.cursors && !k.records }
	for _, tc := range []struct {
		name     string
		server   pageServer
		requests int                   // at most; 0 means any number
		fails    func(k listKind) bool // nil means that it never fails
	}{
		{"short pages", pageServer{n: 6, size: fixed(2), total: constant(6), cursor: always(true)}, 3, nil},
		{"short pages without a total", pageServer{n: 6, size: fixed(2), total: constant(nil), cursor: always(true)}, 4, nil},
		{"the total is null", pageServer{n: 6, size: fixed(2), total: constant(json.RawMessage("null")), cursor: always(true)}, 4, nil},
		{"the total is 0", pageServer{n: 6, size: fixed(2), total: constant(0), cursor: always(true)}, 4, nil},
		{"the total is a text", pageServer{n: 6, size: fixed(2), total: constant("6"), cursor: always(true)}, 3, nil},
		{"the total is negative", pageServer{n: 6, size: fixed(2), total: constant(-1), cursor: always(true)}, 4, nil},
		{"the total is no number", pageServer{n: 6, size: fixed(2), total: constant("many"), cursor: always(true)}, 4, nil},
		{"the total is of what is left", pageServer{n: 6, size: fixed(2), cursor: always(true),
			total: func(read int) any { return 8 - read }}, 4, nil},
		{"the total is smaller than a page", pageServer{n: 6, size: fixed(4), total: constant(3), cursor: always(true)}, 3, nil},
		{"full pages", pageServer{n: 12, size: fixed(5), total: constant(12), cursor: always(true)}, 3, nil},
		{"full pages, the last one too", pageServer{n: 10, size: fixed(5), total: constant(10), cursor: always(true)}, 3, nil},
		{"full pages without a cursor", pageServer{n: 12, size: fixed(5), total: constant(12), cursor: always(false)}, 3, withoutCursors},
		{"short pages without a cursor", pageServer{n: 6, size: fixed(2), total: constant(6), cursor: always(false)}, 3, withoutCursors},
		{"one page lacks a cursor", pageServer{n: 12, size: fixed(5), total: constant(12),
			cursor: func(read int) bool { return read != 5 }}, 3, withoutCursors},
		{"an empty page repeats the cursor", pageServer{n: 6, size: fixed(2), total: constant(nil), cursor: always(true), after: "same"}, 4, nil},
		{"an empty page has half a cursor", pageServer{n: 6, size: fixed(2), total: constant(nil), cursor: always(true), after: "half"}, 4, nil},
		{"an empty page has a cursor of 0", pageServer{n: 6, size: fixed(2), total: constant(nil), cursor: always(true), after: "zero"}, 4, nil},
		{"an empty page before the total", pageServer{n: 6, size: fixed(2), total: constant(9), cursor: always(true), after: "same"}, 4, nil},
		{"an empty list", pageServer{n: 0, size: fixed(2), total: constant(0), cursor: always(false)}, 1, nil},
		{"an empty list with a cursor of 0", pageServer{n: 0, size: fixed(2), total: constant(nil), cursor: always(false), after: "zero"}, 1, nil},
		{"a list of one", pageServer{n: 1, size: fixed(5), total: constant(1), cursor: always(true), after: "same"}, 1, nil},
		{"the total grows", pageServer{n: 6, size: fixed(2), total: func(read int) any { return 4 + read/2 }, cursor: always(true)}, 4, nil},
	} {
		for _, k := range listKinds() {
			t.Run(tc.name+"/"+k.name, func(t *testing.T) {
				s := tc.server
				s.t, s.own = t, k.records
				got, err := collect(k.all(t.Context(), s.client(k), ""))
				if tc.fails != nil && tc.fails(k) {
					require.ErrorIs(t, err, ghl.ErrBadResponse)
					require.Contains(t, err.Error(), "the list is not complete")
					return
				}
				require.NoError(t, err)
				require.Equal(t, wantIDs(s.n), got)
				require.LessOrEqual(t, s.sent, tc.requests)
			})
		}
	}
}

// TestAnyServerIsReadToItsEnd reads servers with pages of random sizes, with and without cursors and totals. It finds
// each record once, or fails.
func TestAnyServerIsReadToItsEnd(t *testing.T) {
	for seed := range uint64(1500) {
		random := rand.New(rand.NewPCG(seed, 1))
		k := listKinds()[random.IntN(len(listKinds()))]
		n, misses := random.IntN(30), random.IntN(3)
		wrong := n + 1 + random.IntN(9)
		totals := []func(int) any{constant(nil), constant(n), constant(0), constant(strconv.Itoa(n)), constant(wrong),
			func(int) any { return n + random.IntN(3)*4 },
			func(read int) any { return n + 7 - read }}
		s := &pageServer{t: t, n: n, own: k.records && random.IntN(3) > 0,
			size:   func(limit int) int { return 1 + random.IntN(limit) },
			cursor: func(int) bool { return misses == 0 || random.IntN(misses+1) > 0 },
			total:  totals[random.IntN(len(totals))],
			after:  []string{"", "same", "half", "zero"}[random.IntN(4)]}
		got, err := collect(k.all(t.Context(), s.client(k), ""))
		if err == nil {
			require.Equal(t, wantIDs(n), got, "seed %d, %s", seed, k.name)
			continue
		}
		require.ErrorIs(t, err, ghl.ErrBadResponse, "seed %d, %s", seed, k.name)
		require.True(t, k.cursors && !s.own, "seed %d: %s fails though a position is known: %v", seed, k.name, err)
		require.Equal(t, wantIDs(len(got)), got, "seed %d, %s", seed, k.name)
	}
}

// TestPagingByHand follows Next, which ends where the list ends.
func TestPagingByHand(t *testing.T) {
	kinds := map[string]func(c *ghl.Client, after ghl.Cursor) ([]*ghl.Contact, ghl.Cursor, error){
		"list": func(c *ghl.Client, after ghl.Cursor) ([]*ghl.Contact, ghl.Cursor, error) {
			p, err := c.Contacts.List(t.Context(), &ghl.ListContactsOptions{Limit: 5, After: after})
			if err != nil {
				return nil, "", err
			}
			return p.Contacts, p.Next, nil
		},
		"search": func(c *ghl.Client, after ghl.Cursor) ([]*ghl.Contact, ghl.Cursor, error) {
			p, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{PageLimit: 5, After: after})
			if err != nil {
				return nil, "", err
			}
			return p.Contacts, p.Next, nil
		},
		"business v3": func(c *ghl.Client, after ghl.Cursor) ([]*ghl.Contact, ghl.Cursor, error) {
			p, err := c.Contacts.ListByBusiness(t.Context(), "b1", &ghl.ListByBusinessOptions{Limit: 5, After: after})
			if err != nil {
				return nil, "", err
			}
			return p.Contacts, p.Next, nil
		},
	}
	for name, page := range kinds {
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 2))
			n := random.IntN(20)
			k := listKind{version: ghl.VersionV3}
			s := &pageServer{t: t, n: n, own: true, cursor: func(int) bool { return random.IntN(2) > 0 },
				size:  func(limit int) int { return 1 + random.IntN(limit) },
				total: constant([]any{n, nil, n + 3}[random.IntN(3)]),
				after: []string{"", "same", "half", "zero"}[random.IntN(4)]}
			c := s.client(k)
			got, after := []string{}, ghl.Cursor("")
			for {
				contacts, next, err := page(c, after)
				require.NoError(t, err, "%s, seed %d", name, seed)
				got = append(got, idsOf(contacts)...)
				if after = next; next == "" {
					break
				}
			}
			require.Equal(t, wantIDs(n), got, "%s, seed %d", name, seed)
		}
		s := &pageServer{t: t, n: 150, size: fixed(5), total: constant(150), cursor: always(false)}
		_, _, err := page(s.client(listKind{version: ghl.Version20210728}), "")
		if name != "business v3" {
			require.ErrorIs(t, err, ghl.ErrBadResponse, "%s: a page that leads nowhere is not the last one", name)
		}
	}
}

// TestRecordsThatMove: a record that was updated while a search sorts by the time of updates is found again. It is not
// a repeated page, and does not count towards the total.
func TestRecordsThatMove(t *testing.T) {
	page := func(records ...string) string {
		list := make([]string, len(records))
		for i, r := range records {
			id, at, _ := strings.Cut(r, "@")
			list[i] = fmt.Sprintf(`{"id":%q,"searchAfter":[%s,%q]}`, id, at, id)
		}
		return `{"contacts":[` + strings.Join(list, ",") + `],"total":3}`
	}
	c, m := mocked(t, replies(t, page("a@1", "b@2"), page("a@5"), page("c@6"), page()))
	got, err := collect(c.Contacts.SearchAll(t.Context(), &ghl.SearchRequest{PageLimit: 9}))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "a", "c"}, idsOf(got))
	require.Len(t, m.sent(), 3)

	c, _ = mocked(t, replies(t, page("a@1", "b@2"), page("c@3", "d@4"), page("b@2", "c@3")))
	_, err = collect(c.Contacts.SearchAll(t.Context(), &ghl.SearchRequest{PageLimit: 2}))
	require.ErrorIs(t, err, ghl.ErrBadResponse, "records that were all seen")
}

// TestShiftedTasks: a task that is created meanwhile moves the last tasks to a further page.
func TestShiftedTasks(t *testing.T) {
	page := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = fmt.Sprintf(`{"_id":%q}`, id)
		}
		return `{"tasks":[` + strings.Join(ids, ",") + `]}`
	}
	for _, tc := range []struct {
		name    string
		answers []string
		want    []string
		fails   bool
	}{
		{"the last one again", []string{page("b", "a"), page("a"), page()}, []string{"b", "a", "a"}, false},
		{"not the last one", []string{page("c", "b", "a"), page("c")}, []string{"c", "b", "a"}, true},
		{"from two pages", []string{page("d", "c"), page("b", "a"), page("c", "b")}, []string{"d", "c", "b", "a"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, _ := mocked(t, replies(t, tc.answers...))
			got, err := collect(mapped(c.Tasks.SearchAll(t.Context(), nil), func(t *ghl.Task) string { return t.ID }))
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.fails, err != nil)
		})
	}
}

// TestElementsThatAreNotRecords count towards the total once.
func TestElementsThatAreNotRecords(t *testing.T) {
	c, m := mocked(t, replies(t, `{"contacts":[{"id":"a","searchAfter":[1,"a"]},"odd"],"total":4}`,
		`{"contacts":["odd",{"id":"b","searchAfter":[2,"b"]}],"total":4}`,
		`{"contacts":[{"id":"c","searchAfter":[3,"c"]}],"total":4}`))
	got, err := collect(c.Contacts.SearchAll(t.Context(), &ghl.SearchRequest{PageLimit: 9}))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, idsOf(got))
	require.Len(t, m.sent(), 3)
}

// TestServerThatNeverEnds: empty pages with new cursors, and pages of known records with new cursors, end with an error.
func TestServerThatNeverEnds(t *testing.T) {
	for name, list := range map[string]string{"empty": "", "known records": `{"id":"a","startAfter":[%d,"a"]}`} {
		n := 0
		c, m := mocked(t, func(r *http.Request) (*http.Response, error) {
			n++
			records := list
			if list != "" {
				records = fmt.Sprintf(list, n)
			}
			return answers(200, fmt.Sprintf(`{"contacts":[%s],"meta":{"startAfter":%d,"startAfterId":"x"}}`, records, n))(r)
		})
		_, err := collect(c.Contacts.All(t.Context(), nil))
		require.ErrorIs(t, err, ghl.ErrBadResponse, name)
		require.LessOrEqual(t, len(m.sent()), 102, name)
	}
}

// TestInstalledLocationsWithoutAToken: under v3 a next page without a token is an error, and hasNextPage alone is an
// end unless the total says otherwise.
func TestInstalledLocationsWithoutAToken(t *testing.T) {
	for _, tc := range []struct {
		name, pagination string
		fails            bool
	}{
		{"a next page", `{"hasNextPage":true}`, true},
		{"nothing", `{}`, true},
		{"the total is not reached", `{"hasNextPage":false,"totalRecords":9}`, true},
		{"the total is reached", `{"hasNextPage":true,"totalRecords":1}`, false},
		{"no next page", `{"hasNextPage":false}`, false},
	} {
		c, _ := mocked(t, replies(t, `{"items":[{"_id":"l1"}],"pagination":`+tc.pagination+`}`), ghl.WithVersion(ghl.VersionV3))
		q := &ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1"}
		_, err := collect(c.OAuth.AllInstalledLocations(t.Context(), q))
		require.Equal(t, tc.fails, err != nil, "%s: %v", tc.name, err)
	}
}

// TestCursorKnowsItsList gives the cursor of each list to each other list.
func TestCursorKnowsItsList(t *testing.T) {
	s := &pageServer{t: t, n: 20, size: fixed(5), total: constant(nil), cursor: always(true), own: true}
	c := s.client(listKind{version: ghl.VersionV3})
	ctx := t.Context()
	list := func(opts ...ghl.CallOption) func(ghl.Cursor) (*ghl.Contact, ghl.Cursor, error) {
		return func(after ghl.Cursor) (*ghl.Contact, ghl.Cursor, error) {
			p, err := c.Contacts.List(ctx, &ghl.ListContactsOptions{Limit: 5, After: after}, opts...)
			if err != nil {
				return nil, "", err
			}
			return p.Contacts[0], p.Next, nil
		}
	}
	business := func(id string) func(ghl.Cursor) (*ghl.Contact, ghl.Cursor, error) {
		return func(after ghl.Cursor) (*ghl.Contact, ghl.Cursor, error) {
			p, err := c.Contacts.ListByBusiness(ctx, id, &ghl.ListByBusinessOptions{Limit: 5, After: after})
			if err != nil {
				return nil, "", err
			}
			return p.Contacts[0], p.Next, nil
		}
	}
	search := func(sort ...ghl.SearchField) func(ghl.Cursor) (*ghl.Contact, ghl.Cursor, error) {
		return func(after ghl.Cursor) (*ghl.Contact, ghl.Cursor, error) {
			p, err := c.Contacts.Search(ctx, &ghl.SearchRequest{PageLimit: 5, After: after, Sort: sort})
			if err != nil {
				return nil, "", err
			}
			return p.Contacts[0], p.Next, nil
		}
	}
	lists := []struct {
		text string // of the cursor after r5
		read func(ghl.Cursor) (*ghl.Contact, ghl.Cursor, error)
	}{
		{`contacts:loc1:[5,"r5"]`, list()},
		{`contacts:loc2:[5,"r5"]`, list(ghl.CallLocation("loc2"))},
		{`business:loc1/b1:[5,"r5"]`, business("b1")},
		{`business:loc1/b2:[5,"r5"]`, business("b2")},
		{`search:loc1:[5,"r5"]`, search()},
		{`search:loc1/dateAdded:[5,"r5"]`, search(ghl.FieldDateAdded)},
		{`search:loc1/-dateAdded:[5,"r5"]`, search(ghl.FieldDateAdded.Desc())},
		{`search:loc1/dateAdded,email:[5,"r5"]`, search(ghl.FieldDateAdded, ghl.FieldEmail)},
	}
	for i, from := range lists {
		first, next, err := from.read("")
		require.NoError(t, err)
		require.Equal(t, from.text, string(next))
		require.Equal(t, from.text, fmt.Sprint(next))
		require.Equal(t, from.text, next.String())
		for j, to := range lists {
			for cursor, id := range map[ghl.Cursor]string{next: "r6", first.Cursor: "r2"} {
				got, _, err := to.read(cursor)
				if i == j {
					require.NoError(t, err, "%s", cursor)
					require.Equal(t, id, got.ID)
					continue
				}
				require.ErrorIs(t, err, ghl.ErrBadInput, "%s is not a cursor of %s", cursor, to.text)
				require.Equal(t, "After", asError(t, err).Field)
			}
		}
		_, err = c.OAuth.InstalledLocations(ctx, &ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1", After: next})
		require.ErrorIs(t, err, ghl.ErrBadInput)
		require.Equal(t, "After", asError(t, err).Field)

		got, _, err := from.read(`[5,"r5"]`)
		require.NoError(t, err, "a position alone, as older versions stored, is accepted")
		require.Equal(t, "r6", got.ID)

		data, err := json.Marshal(first)
		require.NoError(t, err)
		var again ghl.Contact
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, ghl.Cursor(`[1,"r1"]`), again.Cursor)
	}
	for _, bad := range []ghl.Cursor{"contacts", "contacts:loc1:", "contacts:loc1:[", "contacts:loc1:[1]", `contacts:loc1:[1,"a"]:`,
		`contacts:loc1:[1,"a"]:3`, `contacts:loc1:[1,"a"]:3/2`, `contacts:loc1:[1,"a"]x`, `other:loc1:[1,"a"]`, "p2", `{"a":[1]}`} {
		_, _, err := lists[0].read(bad)
		require.ErrorIs(t, err, ghl.ErrBadInput, "%s", bad)
	}
	page, err := c.OAuth.InstalledLocations(ctx, &ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1", Limit: 5})
	require.NoError(t, err)
	require.Equal(t, ghl.Cursor("5"), page.Next, "a token of the server is not changed")
}

// TestResumedListKnowsItsEnd: the cursor of a list counts the contacts before it, so that the last page of a resumed
// list is known.
func TestResumedListKnowsItsEnd(t *testing.T) {
	s := &pageServer{t: t, n: 12, size: fixed(5), total: constant(12), own: true, cursor: always(true)}
	c := s.client(listKind{version: ghl.Version20210728})
	page, err := c.Contacts.List(t.Context(), &ghl.ListContactsOptions{Limit: 5})
	require.NoError(t, err)
	require.Equal(t, ghl.Cursor(`contacts:loc1:[5,"r5"]:5/12`), page.Next)
	require.Equal(t, page.Next, page.Contacts[4].Cursor)
	for _, total := range []any{12, 11, 13} { // a changed total tells nothing
		s.total, s.sent = constant(total), 0
		got, err := collect(c.Contacts.All(t.Context(), &ghl.ListContactsOptions{Limit: 5, After: page.Contacts[2].Cursor}))
		require.NoError(t, err)
		require.Equal(t, wantIDs(12)[3:], idsOf(got))
		require.Equal(t, map[bool]int{true: 2, false: 3}[total == 12], s.sent)
	}
}

// TestSearchBeyondItsPages: a search of more than 10,000 contacts is read by cursor.
func TestSearchBeyondItsPages(t *testing.T) {
	s := &pageServer{t: t, n: 11_203, size: fixed(500), total: constant(11_203), own: true, cursor: always(false)}
	n := 0
	for contact, err := range s.client(listKind{version: ghl.Version20210728}).Contacts.SearchAll(t.Context(), nil) {
		require.NoError(t, err)
		n++
		require.Equal(t, "r"+strconv.Itoa(n), contact.ID)
	}
	require.Equal(t, 11_203, n)
	require.LessOrEqual(t, s.sent, 24)

	s.total, s.sent, n = constant(10_000), 0, 0 // a search index that stops counting
	for _, err := range s.client(listKind{version: ghl.Version20210728}).Contacts.SearchAll(t.Context(), nil) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 11_203, n)
}
