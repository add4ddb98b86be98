package ghl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

type named string

func TestFilters(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.FixedZone("", 2*3600))
	ptr := "x"
	for _, tc := range []struct {
		name, want string
		filter     ghl.Filter
	}{
		{"text", `{"field":"email","operator":"eq","value":"a+b@example.com"}`, ghl.FieldEmail.Eq("a+b@example.com")},
		{"text with signs", `{"field":"contactName","operator":"contains","value":"<A & \"B\">"}`,
			ghl.FieldContactName.Contains(`<A & "B">`)},
		{"empty text", `{"field":"city","operator":"not_eq","value":""}`, ghl.FieldCity.NotEq("")},
		{"true", `{"field":"dnd","operator":"eq","value":true}`, ghl.FieldDND.Eq(true)},
		{"false", `{"field":"dnd","operator":"eq","value":false}`, ghl.FieldDND.Eq(false)},
		{"zero", `{"field":"customFields.abc123","operator":"eq","value":0}`, ghl.FieldCustom("abc123").Eq(0)},
		{"number", `{"field":"customFields.abc123","operator":"not_eq","value":2.5}`,
			ghl.FieldCustom("abc123").NotEq(2.5)},
		{"list", `{"field":"tags","operator":"contains","value":["a","b"]}`,
			ghl.FieldTags.Contains([]string{"a", "b"})},
		{"mixed list", `{"field":"customFields.a-1","operator":"eq","value":["a",0,false]}`,
			ghl.FieldCustom("a-1").Eq([]any{"a", 0, false})},
		{"named text", `{"field":"type","operator":"eq","value":"lead"}`, ghl.FieldType.Eq(named("lead"))},
		{"pointer", `{"field":"type","operator":"eq","value":"x"}`, ghl.FieldType.Eq(&ptr)},
		{"not contains", `{"field":"source","operator":"not_contains","value":"x"}`, ghl.FieldSource.NotContains("x")},
		{"exists", `{"field":"phone","operator":"exists"}`, ghl.FieldPhone.Exists()},
		{"not exists", `{"field":"dateOfBirth","operator":"not_exists"}`, ghl.FieldDateOfBirth.NotExists()},
		{"range of times",
			`{"field":"dateUpdated","operator":"range","value":{"gte":"2026-03-01T07:00:00.123Z","lt":"2026-03-01T08:00:00.123Z"}}`,
			ghl.FieldDateUpdated.GTE(at).LT(at.Add(time.Hour))},
		{"range of a read time", `{"field":"dateAdded","operator":"range","value":{"gt":"2026-03-01T07:00:00.000Z"}}`,
			ghl.FieldDateAdded.GT(ghl.ParseTime("2026-03-01T09:00:00+02:00"))},
		{"range of a time without zone",
			`{"field":"lastAppointment","operator":"range","value":{"lte":"2026-03-01 09:00:00"}}`, ghl.FieldLastAppointment.LTE(ghl.ParseTime("2026-03-01 09:00:00"))},
		{"range of milliseconds",
			`{"field":"dateAdded","operator":"range","value":{"lte":"2023-11-14T22:13:20.000Z"}}`, ghl.FieldDateAdded.LTE(ghl.ParseTime("1700000000000"))},
		{"range of numbers from zero", `{"field":"customFields.n","operator":"range","value":{"gte":0,"lte":10}}`,
			ghl.FieldCustom("n").GTE(0).LTE(10)},
		{"all bounds", `{"field":"customFields.n","operator":"range","value":{"gt":1,"gte":2,"lt":3,"lte":4}}`,
			ghl.FieldCustom("n").GT(1).GTE(2).LT(3).LTE(4)},
		{"nested",
			`{"field":"opportunities","operator":"nested","value":[{"field":"pipelineId","operator":"eq","value":"p1"},{"field":"status","operator":"eq","value":"won"}]}`,
			ghl.FieldOpportunities.Nested(ghl.SearchField("pipelineId").Eq("p1"), ghl.SearchField("status").Eq("won"))},
		{"groups",
			`{"group":"OR","filters":[{"field":"email","operator":"exists"},{"group":"AND","filters":[{"field":"dnd","operator":"eq","value":false},{"field":"tags","operator":"eq","value":["x"]}]}]}`,
			ghl.AnyOf(ghl.FieldEmail.Exists(), ghl.AllOf(ghl.FieldDND.Eq(false), ghl.FieldTags.Eq([]string{"x"})))},
		{"75 characters", `{"field":"city","operator":"eq","value":"` + strings.Repeat("ä", 75) + `"}`,
			ghl.FieldCity.Eq(strings.Repeat("ä", 75))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := json.Marshal(tc.filter)
			require.NoError(t, err)
			require.JSONEq(t, tc.want, string(data))
			c, m := mocked(t, replies(t, `{"contacts":[],"total":0}`))
			_, err = c.Contacts.Search(t.Context(), &ghl.SearchRequest{Filters: []ghl.Filter{tc.filter}})
			require.NoError(t, err)
			require.JSONEq(t, `{"locationId":"loc1","pageLimit":500,"filters":[`+tc.want+`]}`, m.sent()[0].Body)
		})
	}
}

func TestSearchLimits(t *testing.T) {
	long, now := strings.Repeat("ä", 76), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	filter := func(f ...ghl.Filter) ghl.SearchRequest { return ghl.SearchRequest{Filters: f} }
	var noText *string
	for _, tc := range []struct {
		name, field string
		in          ghl.SearchRequest
	}{
		{"a page of 501", "PageLimit", ghl.SearchRequest{PageLimit: 501}},
		{"a page of -1", "PageLimit", ghl.SearchRequest{PageLimit: -1}},
		{"page -1", "Page", ghl.SearchRequest{Page: -1}},
		{"page 21 of 500", "Page", ghl.SearchRequest{Page: 21}},
		{"page 34 of 300", "Page", ghl.SearchRequest{Page: 34, PageLimit: 300}},
		{"page 10,001 of 1", "Page", ghl.SearchRequest{Page: 10001, PageLimit: 1}},
		{"page beyond any number", "Page", ghl.SearchRequest{Page: math.MaxInt, PageLimit: 500}},
		{"page and cursor", "Page", ghl.SearchRequest{Page: 1, After: `[1,"a"]`}},
		{"an invalid cursor", "After", ghl.SearchRequest{After: "abc"}},
		{"an empty cursor", "After", ghl.SearchRequest{After: "[]"}},
		{"an object for a cursor", "After", ghl.SearchRequest{After: `{"a":1}`}},
		{"a cursor and more", "After", ghl.SearchRequest{After: `[1,"a"],"locationId":"x"`}},
		{"a query of 76", "Query", ghl.SearchRequest{Query: long}},
		{"three sorts", "Sort",
			ghl.SearchRequest{Sort: []ghl.SearchField{ghl.FieldEmail, ghl.FieldDND,
				ghl.FieldSource}}},
		{"sort by city", "Sort", ghl.SearchRequest{Sort: []ghl.SearchField{ghl.FieldCity}}},
		{"sort by nothing", "Sort", ghl.SearchRequest{Sort: []ghl.SearchField{ghl.SearchField("").Desc()}}},
		{"sort by a field that only filters take", "Sort",
			ghl.SearchRequest{Sort: []ghl.SearchField{ghl.FieldID.Desc()}}},
		{"a value of 76", "Filters", filter(ghl.FieldCity.Eq(long))},
		{"a named value of 76", "Filters", filter(ghl.FieldCity.Eq(named(long)))},
		{"a value of 76 behind a pointer", "Filters", filter(ghl.FieldCity.Eq(&long))},
		{"a value of 76 in a list", "Filters", filter(ghl.FieldTags.Eq([]string{"a", long}))},
		{"a named value of 76 in a list", "Filters", filter(ghl.FieldTags.Eq([]named{"a", named(long)}))},
		{"a value of 76 in a mixed list", "Filters", filter(ghl.FieldTags.NotContains([]any{1, long}))},
		{"a value of 76 in a range", "Filters", filter(ghl.FieldDateAdded.GTE(long))},
		{"a value of 76 in a group", "Filters", filter(ghl.AllOf(ghl.AnyOf(ghl.FieldCity.Contains(long))))},
		{"a value of 76 in an opportunity", "Filters",
			filter(ghl.FieldOpportunities.Nested(ghl.SearchField("name").Eq(long)))},
		{"a date that equals", "Filters", filter(ghl.FieldDateAdded.Eq(now))},
		{"a date that does not equal", "Filters", filter(ghl.FieldDateOfBirth.NotEq("1990-01-01"))},
		{"a date that contains", "Filters", filter(ghl.FieldLastAppointment.Contains("2026"))},
		{"a date in a group", "Filters", filter(ghl.AnyOf(ghl.FieldDateUpdated.Eq(now)))},
		{"an empty group", "Filters", filter(ghl.AllOf())},
		{"an empty group in a group", "Filters", filter(ghl.AllOf(ghl.FieldEmail.Exists(), ghl.AnyOf()))},
		{"an empty opportunity", "Filters", filter(ghl.FieldOpportunities.Nested())},
		{"another field nested", "Filters", filter(ghl.FieldTags.Nested(ghl.FieldEmail.Exists()))},
		{"an empty filter", "Filters", filter(ghl.Filter{})},
		{"a filter of no field", "Filters", filter(ghl.SearchField("").Eq("x"))},
		{"a custom field by key", "Filters", filter(ghl.FieldCustom("contact.shoe_size").Eq("x"))},
		{"a custom field by template", "Filters", filter(ghl.FieldCustom("{{contact.shoe_size}}").Eq("x"))},
		{"a custom field by name", "Filters", filter(ghl.FieldCustom("Shoe size").Exists())},
		{"a custom field by nothing", "Filters", filter(ghl.FieldCustom("").Eq("x"))},
		{"no value", "Filters", filter(ghl.FieldCity.Eq(nil))},
		{"no value behind a pointer", "Filters", filter(ghl.FieldCity.Eq(noText))},
		{"an empty list", "Filters", filter(ghl.FieldTags.Eq([]string{}))},
		{"a nil list", "Filters", filter(ghl.FieldTags.Eq([]string(nil)))},
		{"a list with nothing in it", "Filters", filter(ghl.FieldTags.Eq([]any{"a", nil}))},
		{"a list of lists", "Filters", filter(ghl.FieldTags.Eq([][]string{{"a"}}))},
		{"an object", "Filters", filter(ghl.FieldCity.Eq(map[string]string{"a": "b"}))},
		{"a range that equals", "Filters", filter(ghl.FieldCustom("n").Eq(map[string]any{"gt": 1}))},
		{"a range without a value", "Filters", filter(ghl.FieldDateAdded.GTE(nil))},
		{"a bound of another filter", "Filters", filter(ghl.FieldCity.Eq("Rome").LT("S"))},
		{"a bound of another filter in a group", "Filters", filter(ghl.AnyOf(ghl.FieldTags.Exists().GT(1)))},
		{"a bound of a group", "Filters", filter(ghl.AnyOf(ghl.FieldTags.Exists()).GT(1))},
		{"a filter with Desc", "Filters", filter(ghl.FieldCity.Desc().Eq("Rome"))},
		{"a range from the zero time", "Filters", filter(ghl.FieldDateAdded.GTE(ghl.Time{}))},
		{"a range of lists", "Filters", filter(ghl.FieldDateAdded.GTE([]int{1}))},
		{"NaN", "Filters", filter(ghl.FieldCustom("n").Eq(math.NaN()))},
		{"a value without JSON", "Filters", filter(ghl.FieldCustom("n").Eq(make(chan int)))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := unreached(t)
			_, err := c.Contacts.Search(t.Context(), &tc.in)
			requireBadInput(t, err, tc.field)
			require.NotContains(t, err.Error(), long)
			_, err = collect(c.Contacts.SearchAll(t.Context(), &tc.in))
			requireBadInput(t, err, tc.field)
		})
	}
	t.Run("all pages from a page", func(t *testing.T) {
		_, err := collect(unreached(t).Contacts.SearchAll(t.Context(), &ghl.SearchRequest{Page: 2}))
		requireBadInput(t, err, "Page")
	})
	for _, in := range []ghl.SearchRequest{
		{PageLimit: 500, Page: 20}, {PageLimit: 1, Page: 10000}, {PageLimit: 300,
			Page: 33}, {Query: strings.Repeat("ä", 75)},
		{Sort: []ghl.SearchField{ghl.FieldFirstName, ghl.FieldLastName.Desc()}},
	} {
		c, _ := mocked(t, replies(t, `{"contacts":[],"total":0}`))
		_, err := c.Contacts.Search(t.Context(), &in)
		require.NoError(t, err)
	}
}

func TestSearchRequestOnTheWire(t *testing.T) {
	c, m := mocked(t, replies(t, `{"contacts":[]}`, `{"contacts":[]}`))
	_, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{Page: 3, PageLimit: 20})
	require.NoError(t, err)
	_, err = c.Contacts.Search(t.Context(), &ghl.SearchRequest{After: ` [1700000000000.5, null, "a\"b"] `})
	require.NoError(t, err)
	require.JSONEq(t, `{"locationId":"loc1","pageLimit":20,"page":3}`, m.sent()[0].Body)
	require.JSONEq(t, `{"locationId":"loc1","pageLimit":500,"searchAfter":[1700000000000.5,null,"a\"b"]}`,
		m.sent()[1].Body)
}

// found returns a page of a search, as JSON, with a cursor for each id.
func found(total int, ids ...string) string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = fmt.Sprintf(`{"id":%q,"searchAfter":[%d,%q]}`, id, 1700000000000+i, id)
	}
	return fmt.Sprintf(`{"contacts":[%s],"total":%d,"traceId":"t"}`, strings.Join(list, ","), total)
}

func TestSearchEnds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers []string
		want    []string
		fails   bool
	}{
		{"with a short page, though it has a cursor", []string{found(3, "a", "b"), found(3, "c")},
			[]string{"a", "b", "c"}, false},
		{"with an empty page", []string{found(2, "a", "b"), found(2)}, []string{"a", "b"}, false},
		{"with null", []string{found(2, "a", "b"), `{"contacts":null,"total":2}`}, []string{"a", "b"}, false},
		{"at once", []string{found(0)}, []string{}, false},
		{"not with a page that is short by an invalid record",
			[]string{`{"contacts":["odd",{"id":"a","searchAfter":[1,"a"]}],"total":3}`, found(3, "b")}, []string{"a",
				"b"}, false},
		{"with an error when the cursor comes again", []string{found(9, "a", "b"), found(9, "c", "b")},
			[]string{"a", "b", "c", "b"}, true},
		{"with an error when a full page has no cursor", []string{`{"contacts":[{"id":"a"},{"id":"b"}],"total":9}`},
			[]string{}, true},
		{"without an error when a full page without a cursor has all records",
			[]string{`{"contacts":[{"id":"a"},{"id":"b"}],"total":2}`}, []string{"a", "b"}, false},
		{"with an error when every record is invalid", []string{`{"contacts":["odd","odd"],"total":9}`}, []string{},
			true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, m := mocked(t, replies(t, tc.answers...))
			got, err := collect(c.Contacts.SearchAll(t.Context(), &ghl.SearchRequest{PageLimit: 2}))
			require.Equal(t, tc.fails, err != nil, "%v", err)
			if tc.fails {
				require.ErrorIs(t, err, ghl.ErrBadResponse)
			}
			require.Equal(t, tc.want, idsOf(got))
			require.Len(t, m.sent(), len(tc.answers))
		})
	}
}

func TestSearchPageHasNextWhileThereIsMore(t *testing.T) {
	c, m := mocked(t, replies(t, found(3, "a", "b"), found(3, "c"), found(3)))
	page, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{PageLimit: 2})
	require.NoError(t, err)
	require.Equal(t, ghl.Cursor(`search:loc1:[1700000000001,"b"]`), page.Next)
	require.Equal(t, 3, page.Total)
	page, err = c.Contacts.Search(t.Context(), &ghl.SearchRequest{PageLimit: 2, After: page.Next})
	require.NoError(t, err)
	require.Equal(t, page.Contacts[0].Cursor, page.Next, "a short page need not be the last one")
	last, err := c.Contacts.Search(t.Context(), &ghl.SearchRequest{PageLimit: 2, After: page.Next})
	require.NoError(t, err)
	require.Empty(t, last.Next, "an empty page is the last one")
	require.JSONEq(t, `{"locationId":"loc1","pageLimit":2,"searchAfter":[1700000000001,"b"]}`, m.sent()[1].Body)
}
