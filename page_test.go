package ghl_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
	"github.com/pluvo/ghl/ghltest/fault"
)

// instant is a limiter that never waits. It has Observe, so a call repeats a 429 at once.
type instant struct{}

func (instant) Wait(ctx context.Context) error { return ctx.Err() }
func (instant) Observe(ghl.RateLimit)          {}

// listed returns a page of a list and its cursor, as JSON.
func listed(ids []string, startAfter, startAfterID string) string {
	return fmt.Sprintf(`{"contacts":[%s],"meta":{"total":9,"startAfter":%s,"startAfterId":%s,"nextPageUrl":"http://localhost:5070/contacts?startAfter=1&startAfterId=evil"}}`, records(ids), startAfter, startAfterID)
}

func records(ids []string) string {
	s := ""
	for i, id := range ids {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(`{"id":%q,"startAfter":[1700000000000,%q]}`, id, id)
	}
	return s
}

func idsOf(contacts []*ghl.Contact) []string {
	ids := []string{}
	for _, c := range contacts {
		ids = append(ids, c.ID)
	}
	return ids
}

func queries(requests []sent) []string {
	var list []string
	for _, r := range requests {
		list = append(list, r.RawQuery)
	}
	return list
}

func TestListSendsBothCursors(t *testing.T) {
	c, m := mocked(t,
		replies(t, listed([]string{"a", "b"}, "1700000000002", `"b"`),
			listed([]string{"c"}, `"1700000000003"`, `"c"`), listed([]string{"d"}, "null", "null"),
			listed(nil, "null", "null")))
	contacts, err := collect(c.Contacts.All(t.Context(), nil))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c", "d"}, idsOf(contacts))
	require.Equal(t,
		[]string{"limit=100&locationId=loc1", "limit=100&locationId=loc1&startAfter=1700000000002&startAfterId=b",
			"limit=100&locationId=loc1&startAfter=1700000000003&startAfterId=c",
			"limit=100&locationId=loc1&startAfter=1700000000000&startAfterId=d"},
		queries(m.sent()))
	for _, r := range m.sent() {
		require.Equal(t, "https://services.leadconnectorhq.com/contacts/", r.Host+r.Path, "nextPageUrl is not followed")
	}
}

// TestWholeCursorInThePage: some answers have both halves of the cursor in startAfter.
func TestWholeCursorInThePage(t *testing.T) {
	c, m := mocked(t,
		replies(t, listed([]string{"a"}, `[1700000000002,"a"]`, `"a"`), listed([]string{"b"}, "null", "null"),
			listed(nil, "null", "null")))
	contacts, err := collect(c.Contacts.All(t.Context(), nil))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, idsOf(contacts))
	require.Equal(t, "limit=100&locationId=loc1&startAfter=1700000000002&startAfterId=a", m.sent()[1].RawQuery)
}

// TestListContinuesWithoutACursor: a page without a cursor is continued after its last record, until a page is empty or
// the total is reached.
func TestListContinuesWithoutACursor(t *testing.T) {
	for name, end := range map[string]string{
		"null":            `"meta":{"startAfter":null,"startAfterId":null}`,
		"empty texts":     `"meta":{"startAfter":"","startAfterId":""}`,
		"absent":          `"meta":{"total":3}`,
		"no meta":         `"traceId":"t"`,
		"meta is null":    `"meta":null`,
		"a URL all alone": `"meta":{"nextPageUrl":"https://services.leadconnectorhq.com/contacts/?startAfter=1&startAfterId=c"}`,
	} {
		t.Run(name, func(t *testing.T) {
			answers := []string{listed([]string{"a"}, "1", `"a"`), listed(nil, "2", `"x"`),
				`{"contacts":[` + records([]string{"b", "c"}) + `],` + end + `}`, `{"contacts":[],` + end + `}`}
			c, m := mocked(t, replies(t, answers...))
			contacts, err := collect(c.Contacts.All(t.Context(), &ghl.ListContactsOptions{Limit: 2}))
			require.NoError(t, err)
			require.Equal(t, []string{"a", "b", "c"}, idsOf(contacts))
			require.Len(t, m.sent(), len(answers))
		})
	}
}

// TestHalfACursor: half a cursor does not end the list. The cursor of the last record continues it, and without one the
// list fails.
func TestHalfACursor(t *testing.T) {
	for name, half := range map[string]string{
		"no id":   `"meta":{"startAfter":1700000000000,"startAfterId":""}`,
		"no time": `"meta":{"startAfter":null,"startAfterId":"c"}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, m := mocked(t,
				replies(t, `{"contacts":[{"id":"a","startAfter":[7,"a"]}],`+half+`}`,
					listed([]string{"b"}, "null", "null"), listed(nil, "null", "null")))
			contacts, err := collect(c.Contacts.All(t.Context(), nil))
			require.NoError(t, err)
			require.Equal(t, []string{"a", "b"}, idsOf(contacts))
			require.Equal(t, "limit=100&locationId=loc1&startAfter=7&startAfterId=a", m.sent()[1].RawQuery)

			c, _ = mocked(t, replies(t, `{"contacts":[{"id":"a"}],`+half+`}`))
			_, err = collect(c.Contacts.All(t.Context(), nil))
			require.ErrorIs(t, err, ghl.ErrBadResponse)
		})
	}
}

func TestRepeatedCursorsEnd(t *testing.T) {
	a, b := listed([]string{"a"}, "1", `"a"`), listed([]string{"b"}, "2", `"b"`)
	for _, tc := range []struct {
		name    string
		answers []string
		after   ghl.Cursor
		want    []string
	}{
		{"the same page again", []string{a, a}, "", []string{"a", "a"}},
		{"back to the first", []string{a, b, a}, "", []string{"a", "b", "a"}},
		{"back to where it was resumed", []string{b, a}, `[1,"a"]`, []string{"b", "a"}},
		{"the cursor of the request", []string{a}, `[1,"a"]`, []string{"a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, m := mocked(t, replies(t, tc.answers...))
			contacts, err := collect(c.Contacts.All(t.Context(), &ghl.ListContactsOptions{After: tc.after}))
			require.ErrorIs(t, err, ghl.ErrBadResponse)
			var e *ghl.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "contacts.list", e.Operation)
			require.Equal(t, tc.want, idsOf(contacts))
			require.Len(t, m.sent(), len(tc.answers))
		})
	}
}

// iterators returns all iterators of the client, by method, as iterators of ids.
func iterators(ctx context.Context, c *ghl.Client) map[string]iter.Seq2[string, error] {
	return map[string]iter.Seq2[string, error]{
		"Contacts.All": mapped(c.Contacts.All(ctx, nil), func(c *ghl.Contact) string { return c.ID }),
		"Contacts.Pages": mapped(c.Contacts.Pages(ctx, nil), func(p *ghl.ContactPage) string {
			return p.Contacts[0].ID
		}),
		"Contacts.AllByBusiness": mapped(c.Contacts.AllByBusiness(ctx, "b1", nil), func(c *ghl.Contact) string {
			return c.ID
		}),
		"Contacts.SearchAll": mapped(c.Contacts.SearchAll(ctx, &ghl.SearchRequest{PageLimit: 2}),
			func(c *ghl.Contact) string {
				return c.ID
			}),
		"Contacts.SearchPages": mapped(c.Contacts.SearchPages(ctx, &ghl.SearchRequest{PageLimit: 2}),
			func(p *ghl.SearchPage) string {
				return p.Contacts[0].ID
			}),
		"Tasks.SearchAll": mapped(c.Tasks.SearchAll(ctx, nil), func(t *ghl.Task) string { return t.ID }),
		"OAuth.AllInstalledLocations": mapped(c.OAuth.AllInstalledLocations(ctx,
			&ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1"}),
			func(l *ghl.InstalledLocation) string { return l.ID }),
	}
}

func mapped[T any](seq iter.Seq2[*T, error], f func(*T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for v, err := range seq {
			id := ""
			if err == nil {
				id = f(v)
			} else if v != nil {
				id = "a record with the error"
			}
			if !yield(id, err) {
				return
			}
		}
	}
}

// endless answers every request for a list with two records. It fails the request of a number, counted from 0; -1 means
// none.
func endless(fails int) step {
	n := -1
	return func(r *http.Request) (*http.Response, error) {
		n++
		if n == fails {
			return answers(422, `{"message":["no"],"statusCode":422,"traceId":"tr"}`)(r)
		}
		var list string
		for i := range 2 {
			if i > 0 {
				list += ","
			}
			list += fmt.Sprintf(`{"id":"r%d","_id":"r%d","searchAfter":[%d,"r"]}`, 2*n+i, 2*n+i, 2*n+i)
		}
		return answers(200,
			fmt.Sprintf(`{"contacts":[%s],"tasks":[%s],"locations":[%s],"items":[%s],"total":1000,"meta":{"startAfter":%d,"startAfterId":"r"},"pagination":{"hasNextPage":true,"nextPageToken":"p%d"}}`,
				list, list, list, list, n, n))(r)
	}
}

func TestBreakingOutSendsNoMore(t *testing.T) {
	for _, v := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		names, _ := mocked(t, endless(-1))
		for name := range iterators(t.Context(), names) {
			t.Run(string(v)+"/"+name, func(t *testing.T) {
				c, m := mocked(t, endless(-1), ghl.WithVersion(v))
				n := 0
				seq := iterators(t.Context(), c)[name]
				require.Empty(t, m.sent(), "no request is sent before the loop starts")
				for id, err := range seq {
					require.NoError(t, err)
					require.NotEmpty(t, id)
					if n++; n == 1 {
						break
					}
				}
				require.Len(t, m.sent(), 1)
			})
		}
	}
}

func TestErrorInTheMiddleIsYieldedOnce(t *testing.T) {
	for _, v := range []ghl.Version{ghl.Version20210728, ghl.VersionV3} {
		names, _ := mocked(t, endless(-1))
		for name := range iterators(t.Context(), names) {
			t.Run(string(v)+"/"+name, func(t *testing.T) {
				c, m := mocked(t, endless(1), ghl.WithVersion(v))
				var ids []string
				var errs []error
				for id, err := range iterators(t.Context(), c)[name] {
					if err != nil {
						require.Empty(t, id)
						errs = append(errs, err)
						continue // to see that the iterator yields nothing more
					}
					require.Empty(t, errs)
					ids = append(ids, id)
				}
				require.Equal(t, "r0", ids[0])
				require.LessOrEqual(t, len(ids), 2)
				require.Len(t, errs, 1)
				require.ErrorIs(t, errs[0], ghl.ErrValidation)
				require.Len(t, m.sent(), 2)
			})
		}
	}
}

func TestCancelledBetweenPages(t *testing.T) {
	names, _ := mocked(t, endless(-1))
	for name := range iterators(t.Context(), names) {
		t.Run(name, func(t *testing.T) {
			c, m := mocked(t, endless(-1))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			for _, err := range iterators(ctx, c)[name] {
				last = err
				cancel()
			}
			require.ErrorIs(t, last, context.Canceled)
			require.Len(t, m.sent(), 1)
		})
	}
}

// TestIteratingTwiceStartsAgain ranges over one Seq inside a loop over the same Seq.
func TestIteratingTwiceStartsAgain(t *testing.T) {
	names, _ := mocked(t, endless(-1))
	for name := range iterators(t.Context(), names) {
		t.Run(name, func(t *testing.T) {
			c, m := mocked(t, endless(-1))
			seq := iterators(t.Context(), c)[name]
			n := 0
			for range seq {
				for range seq {
					break
				}
				if n++; n == 2 {
					break
				}
			}
			starts, first := map[string]int{}, 0
			for _, r := range m.sent() {
				starts[r.RawQuery+r.Body]++
			}
			for _, count := range starts {
				first = max(first, count)
			}
			require.Equal(t, 3, first, "each of the three loops requests the first page: %v", starts)
		})
	}
}

// numbered returns a fake with contacts c0, c1 and so on, in the order of lists and searches.
func numbered(t *testing.T, n int) (*ghl.Client, *ghltest.Server) {
	c, s := onFake(t)
	for i := range n {
		s.AddContact(ghl.Contact{ID: fmt.Sprintf("c%d", i), FirstName: "Ada",
			DateAdded: ghl.NewTime(time.UnixMilli(1_700_000_000_000 - int64(i/2)))})
	}
	return c, s
}

// TestResume resumes from the cursor of each contact and of a page, after a conversion to a string.
func TestResume(t *testing.T) {
	c, _ := numbered(t, 7) // two were added in each millisecond
	ctx := t.Context()
	kinds := map[string]func(after ghl.Cursor) ([]*ghl.Contact, error){
		"list": func(after ghl.Cursor) ([]*ghl.Contact, error) {
			return collect(c.Contacts.All(ctx, &ghl.ListContactsOptions{After: after, Limit: 2}))
		},
		"search": func(after ghl.Cursor) ([]*ghl.Contact, error) {
			return collect(c.Contacts.SearchAll(ctx, &ghl.SearchRequest{After: after, PageLimit: 2}))
		},
	}
	for kind, from := range kinds {
		t.Run(kind, func(t *testing.T) {
			all, err := from("")
			require.NoError(t, err)
			require.Equal(t, []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6"}, idsOf(all))
			for i, contact := range all {
				require.NotEmpty(t, contact.Cursor)
				rest, err := from(ghl.Cursor(string(contact.Cursor)))
				require.NoError(t, err)
				require.Equal(t, idsOf(all[i+1:]), idsOf(rest))
			}
		})
	}
	pages, err := collect(c.Contacts.Pages(ctx, &ghl.ListContactsOptions{Limit: 2}))
	require.NoError(t, err)
	require.Len(t, pages, 4)
	rest, err := kinds["list"](pages[1].Next)
	require.NoError(t, err)
	require.Equal(t, []string{"c4", "c5", "c6"}, idsOf(rest))
	found, err := collect(c.Contacts.SearchPages(ctx, &ghl.SearchRequest{PageLimit: 2}))
	require.NoError(t, err)
	require.Len(t, found, 4)
	rest, err = kinds["search"](found[1].Next)
	require.NoError(t, err)
	require.Equal(t, []string{"c4", "c5", "c6"}, idsOf(rest))
}

// TestOptionsAreCopied changes every option after the iterator was created and while it runs.
func TestOptionsAreCopied(t *testing.T) {
	ctx := t.Context()
	run := func(t *testing.T, over func(c *ghl.Client) (seq iter.Seq2[string, error], spoil func())) {
		t.Helper()
		c, m := mocked(t, endless(-1))
		seq, _ := over(c)
		take(t, seq, 5, func() {})
		want := m.sent()

		c, m = mocked(t, endless(-1))
		seq, spoil := over(c)
		spoil()
		take(t, seq, 5, spoil)
		require.Equal(t, want, m.sent())
		require.Greater(t, len(want), 2)
	}
	t.Run("list", func(t *testing.T) {
		run(t, func(c *ghl.Client) (iter.Seq2[string, error], func()) {
			o := &ghl.ListContactsOptions{Limit: 2, Query: "q"}
			opts := []ghl.CallOption{ghl.CallHeader("X-A", "a")}
			return mapped(c.Contacts.All(ctx, o, opts...), func(c *ghl.Contact) string { return c.ID }), func() {
				*o = ghl.ListContactsOptions{Limit: 99, Query: "other", After: `[9,"x"]`}
				opts[0] = ghl.CallHeader("X-A", "other")
			}
		})
	})
	t.Run("business", func(t *testing.T) {
		run(t, func(c *ghl.Client) (iter.Seq2[string, error], func()) {
			o := &ghl.ListByBusinessOptions{Limit: 2, Skip: 4}
			opts := []ghl.CallOption{ghl.CallHeader("X-A", "a")}
			return mapped(c.Contacts.AllByBusiness(ctx, "b1", o, opts...), func(c *ghl.Contact) string {
					return c.ID
				}), func() {
					*o = ghl.ListByBusinessOptions{Limit: 99, Query: "other"}
					opts[0] = ghl.CallHeader("X-A", "other")
				}
		})
	})
	t.Run("search", func(t *testing.T) {
		run(t, func(c *ghl.Client) (iter.Seq2[string, error], func()) {
			tags, group := []string{"a", "b"}, []ghl.Filter{ghl.FieldCity.Eq("X"), ghl.FieldState.Exists()}
			in := &ghl.SearchRequest{PageLimit: 2, Query: "q",
				Filters: []ghl.Filter{ghl.FieldTags.Eq(tags), ghl.AnyOf(group...), ghl.AllOf(group...),
					ghl.FieldOpportunities.Nested(group...)}, Sort: []ghl.SearchField{ghl.FieldEmail}}
			opts := []ghl.CallOption{ghl.CallHeader("X-A", "a")}
			return mapped(c.Contacts.SearchAll(ctx, in, opts...), func(c *ghl.Contact) string { return c.ID }), func() {
				tags[0], group[0], in.Filters[0], in.Sort[0] = "other", ghl.FieldCity.Eq("Y"), ghl.FieldDND.Eq(true), ghl.FieldDND
				in.PageLimit, in.Query = 3, "other"
				opts[0] = ghl.CallHeader("X-A", "other")
			}
		})
	})
	t.Run("tasks", func(t *testing.T) {
		run(t, func(c *ghl.Client) (iter.Seq2[string, error], func()) {
			done := false
			in := &ghl.TaskSearch{ContactIDs: []string{"c1"}, AssignedTo: []string{"u1"}, Completed: &done}
			opts := []ghl.CallOption{ghl.CallHeader("X-A", "a")}
			return mapped(c.Tasks.SearchAll(ctx, in, opts...), func(t *ghl.Task) string { return t.ID }), func() {
				in.ContactIDs[0], in.AssignedTo[0], in.Limit, in.Skip, done = "other", "other", 9, 9, true
				opts[0] = ghl.CallHeader("X-A", "other")
			}
		})
	})
	t.Run("installed locations", func(t *testing.T) {
		run(t, func(c *ghl.Client) (iter.Seq2[string, error], func()) {
			installed, trial := true, false
			q := &ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1", IsInstalled: &installed, OnTrial: &trial}
			opts := []ghl.CallOption{ghl.CallHeader("X-A", "a")}
			return mapped(c.OAuth.AllInstalledLocations(ctx, q, opts...), func(l *ghl.InstalledLocation) string {
					return l.ID
				}), func() {
					installed, trial = false, true
					q.CompanyID, q.Skip = "other", 9
					opts[0] = ghl.CallHeader("X-A", "other")
				}
		})
	})
}

// take ranges over n records and calls between after each record.
func take(t *testing.T, seq iter.Seq2[string, error], n int, between func()) {
	t.Helper()
	for _, err := range seq {
		require.NoError(t, err)
		between()
		if n--; n == 0 {
			return
		}
	}
}

// TestIteratorsDoNotWriteIntoOptions: paging does not change the struct of the caller.
func TestIteratorsDoNotWriteIntoOptions(t *testing.T) {
	c, _ := mocked(t, endless(-1))
	list, search := ghl.ListContactsOptions{}, ghl.SearchRequest{PageLimit: 2}
	business, tasks, installed := ghl.ListByBusinessOptions{}, ghl.TaskSearch{}, ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1"}
	ctx := t.Context()
	take(t, mapped(c.Contacts.All(ctx, &list), func(c *ghl.Contact) string { return c.ID }), 5, func() {})
	take(t, mapped(c.Contacts.SearchAll(ctx, &search), func(c *ghl.Contact) string { return c.ID }), 5, func() {})
	take(t, mapped(c.Contacts.AllByBusiness(ctx, "b1", &business), func(c *ghl.Contact) string {
		return c.ID
	}), 5, func() {})
	take(t, mapped(c.Tasks.SearchAll(ctx, &tasks), func(t *ghl.Task) string { return t.ID }), 5, func() {})
	take(t, mapped(c.OAuth.AllInstalledLocations(ctx, &installed), func(l *ghl.InstalledLocation) string {
		return l.ID
	}), 5, func() {})
	require.Equal(t, ghl.ListContactsOptions{}, list)
	require.Equal(t, ghl.SearchRequest{PageLimit: 2}, search)
	require.Equal(t, ghl.ListByBusinessOptions{}, business)
	require.Equal(t, ghl.TaskSearch{}, tasks)
	require.Equal(t, ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1"}, installed)
}

func TestResponseOfAnIteratorIsTheLatestPages(t *testing.T) {
	var resp ghl.Response
	page := func(n int) string {
		return fmt.Sprintf(`{"contacts":[{"id":"c%d"}],"meta":{"startAfter":%d,"startAfterId":"x"},"traceId":"t%d"}`,
			n, n, n)
	}
	c, _ := mocked(t, replies(t, page(0), page(1), page(2)))
	n := 0
	for _, err := range c.Contacts.All(t.Context(), nil, ghl.CallResponse(&resp)) {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("t%d", n), resp.TraceID)
		if n++; n == 3 {
			break
		}
	}
}

// TestCountedLists: a list that is paged by skip ends with an empty page, not with a short one. It fails if the server
// ignores skip.
func TestCountedLists(t *testing.T) {
	ids := func(list ...string) string {
		s := ""
		for i, id := range list {
			if i > 0 {
				s += ","
			}
			s += `{"id":"` + id + `","_id":"` + id + `"}`
		}
		return `{"contacts":[` + s + `],"tasks":[` + s + `],"locations":[` + s + `]}`
	}
	odd := `{"contacts":[{"id":"a","_id":"a"},"odd"],"tasks":[{"id":"a","_id":"a"},"odd"],"locations":[{"id":"a","_id":"a"},"odd"]}`
	onlyOdd := `{"contacts":["odd"],"tasks":["odd"],"locations":["odd"]}`
	bare := `{"contacts":[{}],"tasks":[{}],"locations":[{}]}`
	kinds := map[string]func(context.Context, *ghl.Client) iter.Seq2[string, error]{
		"business": func(ctx context.Context, c *ghl.Client) iter.Seq2[string, error] {
			return mapped(c.Contacts.AllByBusiness(ctx, "b1", nil), func(c *ghl.Contact) string { return c.ID })
		},
		"tasks": func(ctx context.Context, c *ghl.Client) iter.Seq2[string, error] {
			return mapped(c.Tasks.SearchAll(ctx, nil), func(t *ghl.Task) string { return t.ID })
		},
		"installed": func(ctx context.Context, c *ghl.Client) iter.Seq2[string, error] {
			return mapped(c.OAuth.AllInstalledLocations(ctx,
				&ghl.InstalledLocationsQuery{CompanyID: "co1", AppID: "a1"}), func(l *ghl.InstalledLocation) string {
				return l.ID
			})
		},
	}
	for name, over := range kinds {
		for _, tc := range []struct {
			name    string
			answers []string
			want    []string
			fails   bool
			skipped string // of the last request
		}{
			{"short pages", []string{ids("a", "b"), ids("c"), ids("d"), ids()}, []string{"a", "b", "c", "d"}, false,
				"4"},
			{"the same page again", []string{ids("a", "b"), ids("a", "b")}, []string{"a", "b"}, true, "2"},
			{"an earlier page again", []string{ids("a"), ids("b"), ids("a")}, []string{"a", "b"}, true, "2"},
			{"the last of a page first on the next", []string{ids("a", "b"), ids("b", "c"), ids()},
				[]string{"a", "b", "b", "c"}, false, "4"},
			{"an invalid record counts", []string{odd, ids("c"), ids()}, []string{"a", "c"}, false, "3"},
			{"a page of invalid records", []string{ids("a"), onlyOdd, ids("b"), ids()}, []string{"a", "b"}, false, "3"},
			{"a record without id", []string{bare, ids("b"), ids()}, []string{"b"}, false, "2"},
			{"ids that are equal only when joined", []string{ids("a", "bc"), ids("ab", "c"), ids()},
				[]string{"a", "bc", "ab", "c"}, false, "4"},
			{"an empty page", []string{ids()}, []string{}, false, ""},
			{"null", []string{`{"contacts":null,"tasks":null,"locations":null}`}, []string{}, false, ""},
		} {
			t.Run(name+"/"+tc.name, func(t *testing.T) {
				c, m := mocked(t, replies(t, tc.answers...))
				got, err := collect(over(t.Context(), c))
				require.Equal(t, tc.fails, err != nil)
				if tc.fails {
					require.ErrorIs(t, err, ghl.ErrBadResponse)
				}
				require.Equal(t, tc.want, got)
				requests := m.sent()
				require.Len(t, requests, len(tc.answers))
				last := requests[len(requests)-1]
				if tc.skipped == "" {
					require.NotContains(t, last.RawQuery+last.Body, "skip")
				} else {
					require.Regexp(t, `skip("?[:=])`+tc.skipped+`\b`, last.RawQuery+last.Body)
				}
			})
		}
	}
}

// TestBusinessUnderV3 pages by cursor, and fails if a cursor repeats.
func TestBusinessUnderV3(t *testing.T) {
	page := func(id string) string {
		return `{"contacts":[{"id":"` + id + `","startAfter":["` + id + `","` + id + `"]}],"count":9}`
	}
	c, m := mocked(t, replies(t, page("a"), page("b"), page("a")), ghl.WithVersion(ghl.VersionV3))
	got, err := collect(c.Contacts.AllByBusiness(t.Context(), "b1", nil))
	require.ErrorIs(t, err, ghl.ErrBadResponse)
	require.Equal(t, []string{"a", "b"}, idsOf(got))
	require.Equal(t,
		[]string{"locationId=loc1", "locationId=loc1&startAfter=a&startAfter=a",
			"locationId=loc1&startAfter=b&startAfter=b"}, queries(m.sent()))

	c, m = mocked(t, replies(t, page("c"), `{"contacts":[]}`), ghl.WithVersion(ghl.VersionV3))
	got, err = collect(c.Contacts.AllByBusiness(t.Context(), "b1",
		&ghl.ListByBusinessOptions{After: `["b, jr","b"]`, Limit: 5}))
	require.NoError(t, err)
	require.Equal(t, []string{"c"}, idsOf(got))
	require.Equal(t, "limit=5&locationId=loc1&startAfter=b%2C+jr&startAfter=b", m.sent()[0].RawQuery)
}

func TestLostConnectionInTheMiddleOfAList(t *testing.T) {
	for _, kind := range []fault.Kind{fault.CutBeforeWork(), fault.CutBody(), fault.BadGatewayHTML()} {
		c, s := numbered(t, 4)
		s.Fail(ghltest.Fault{Kind: kind, After: 1, Times: 1})
		got, err := collect(c.Contacts.All(t.Context(), &ghl.ListContactsOptions{Limit: 2}))
		require.NoError(t, err, "%v", kind)
		require.Equal(t, []string{"c0", "c1", "c2", "c3"}, idsOf(got))
		require.Len(t, s.Requests(), 3)
	}
}
