package lenient_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl/internal/lenient"
)

type extra map[string]json.RawMessage

// moment is a type that reads itself, and stores a text that it cannot read.
type moment struct{ raw, text string }

func (m moment) IsZero() bool { return m.text == "" }
func (m moment) Raw() string  { return m.raw }

func (m moment) MarshalJSON() ([]byte, error) { return json.Marshal(m.raw) }

func (m *moment) UnmarshalJSON(data []byte) error {
	*m = moment{}
	if string(data) == "null" {
		return nil
	}
	if err := json.Unmarshal(data, &m.raw); err != nil {
		return err
	}
	if strings.HasPrefix(m.raw, "at ") {
		m.text = m.raw[3:]
	}
	return nil
}

type leaf struct {
	Name  string  `json:"name,omitempty"`
	Count int     `json:"count,omitempty"`
	Share float64 `json:"share,omitempty"`
}

type record struct {
	ID    string         `json:"id" also:"_id,altId"`
	On    bool           `json:"on,omitempty"`
	Maybe *bool          `json:"maybe,omitempty"`
	Count int            `json:"count,omitempty"`
	Small int8           `json:"small,omitempty"`
	Share float64        `json:"share,omitempty"`
	When  moment         `json:"when,omitzero"`
	Tags  []string       `json:"tags,omitempty"`
	Days  []int          `json:"days,omitempty"`
	Leaf  leaf           `json:"leaf,omitzero"`
	Ptr   *leaf          `json:"ptr,omitempty"`
	List  []*leaf        `json:"list,omitempty"`
	Flat  []leaf         `json:"flat,omitempty"`
	Any   map[string]any `json:"any,omitempty"`
	Inner struct {
		Name string `json:"name,omitempty"`
		Deep []struct {
			N     int   `json:"n,omitempty"`
			Extra extra `json:"-"`
		} `json:"deep,omitempty"`
		Extra extra `json:"-"`
	} `json:"inner,omitzero"`
	hidden string
	Extra  extra `json:"-"`
}

func read(t *testing.T, data string) (r record) {
	t.Helper()
	require.NoError(t, lenient.Unmarshal([]byte(data), &r))
	return r
}

// TestOddValues: what each field reads, and what is stored in Extra.
func TestOddValues(t *testing.T) {
	yes := true
	for _, tc := range []struct {
		name, json string
		want       record
		stored     string // names in Extra
	}{
		{"a number for a text", `{"id":18005550100}`, record{ID: "18005550100"}, ""},
		{"a list of one for a text", `{"id":["a"]}`, record{ID: "a"}, ""},
		{"an object for a text", `{"id":{"a":1}}`, record{}, "id"},
		{"a text for a boolean", `{"on":"TRUE","maybe":"1"}`, record{On: true, Maybe: &yes}, ""},
		{"another text for a boolean", `{"on":"yes","maybe":"no"}`, record{}, "maybe on"},
		{"a text for a number", `{"count":"5.0","share":" 0.5 "}`, record{Count: 5, Share: 0.5}, ""},
		{"a fraction for a whole number", `{"count":5.5}`, record{}, "count"},
		{"a number that overflows", `{"small":300,"count":9223372036854775808,"share":1e400}`, record{}, "count share small"},
		{"a number that a float64 does not hold", `{"share":0.12345678901234567890}`, record{Share: 0.12345678901234567890}, "share"},
		{"names of numbers", `{"share":"Infinity","count":"0x10"}`, record{}, "count share"},
		{"empty texts", `{"on":"","count":"","tags":"","ptr":"","leaf":"","any":""}`, record{}, ""},
		{"null", `{"id":null,"on":null,"maybe":null,"tags":null,"leaf":null,"ptr":null,"list":null,"any":null,"when":null}`, record{}, ""},
		{"null in lists", `{"tags":[null,"a"],"days":[null,"",1],"list":[null,{"name":"n"}]}`,
			record{Tags: []string{"a"}, Days: []int{1}, List: []*leaf{{Name: "n"}}}, ""},
		{"one for a list", `{"tags":"a","days":"3","list":{"name":"n"}}`, record{Tags: []string{"a"}, Days: []int{3}, List: []*leaf{{Name: "n"}}}, ""},
		{"an empty object for a list", `{"tags":{}, "list":{ }}`, record{Tags: []string{}, List: []*leaf{}}, ""},
		{"some elements", `{"tags":["a",{},1],"list":[5,{"name":"n"}]}`, record{Tags: []string{"a", "1"}, List: []*leaf{{Name: "n"}}}, "list tags"},
		{"an unreadable text", `{"when":"soon"}`, record{When: moment{raw: "soon"}}, "when"},
		{"a readable text", `{"when":"at noon"}`, record{When: moment{"at noon", "noon"}}, ""},
		{"a value that its type refuses", `{"when":5}`, record{}, "when"},
		{"an unknown name in a struct without Extra", `{"leaf":{"name":"n","new":1},"ptr":{"new":1}}`, record{Leaf: leaf{Name: "n"}, Ptr: &leaf{}}, "leaf ptr"},
		{"an odd value in a struct without Extra", `{"list":[{"name":"n","count":"many"}]}`, record{List: []*leaf{{Name: "n"}}}, "list"},
		{"objects in which nothing is known", `{"list":[{"new":1},5],"flat":[{"name":"n"},{"count":"many"},{},5,null]}`,
			record{List: []*leaf{{}}, Flat: []leaf{{Name: "n"}, {}, {}}}, "flat list"},
		{"another case", `{"ID":"a","Tagſ":["b"]}`, record{ID: "a", Tags: []string{"b"}}, ""},
		{"a name twice", `{"id":{},"count":1,"id":"a","count":2}`, record{ID: "a", Count: 2}, ""},
		{"a name twice, the odd one last", `{"id":"a","id":{}}`, record{}, "id"},
		{"a further name", `{"_id":"a"}`, record{ID: "a"}, ""},
		{"further names in their order", `{"altId":"b","_id":"a"}`, record{ID: "a"}, "altId"},
		{"a further name with the same value", `{"_id":5,"id":"5"}`, record{ID: "5"}, ""},
		{"a further name that differs", `{"_id":"b","id":"a"}`, record{ID: "a"}, "_id"},
		{"a further name without a value", `{"_id":"","altId":null,"id":"a"}`, record{ID: "a"}, ""},
		{"an odd further name", `{"_id":{"$oid":"b"}}`, record{}, "_id"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(t, tc.json)
			var in map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(tc.json), &in))
			for _, name := range strings.Fields(tc.stored) {
				if tc.want.Extra == nil {
					tc.want.Extra = extra{}
				}
				tc.want.Extra[name] = in[name]
			}
			require.Equal(t, tc.want, got)
			written, err := lenient.Marshal(&got)
			require.NoError(t, err)
			again := read(t, string(written))
			require.Equal(t, got.Extra, again.Extra, "%s", written)
			rewritten, err := lenient.Marshal(&again)
			require.NoError(t, err)
			require.Equal(t, string(written), string(rewritten))
		})
	}
}

// TestNestedStructsHaveTheirOwnExtra: they need no methods, whether named or not, to be read and written.
func TestNestedStructsHaveTheirOwnExtra(t *testing.T) {
	const text = `{"id":"a","inner":{"name":"n","deep":[{"n":1,"x":[1]},{"n":"odd"},{"n":"2"}],"y":{"z":null}}}`
	r := read(t, text)
	require.Nil(t, r.Extra)
	require.Equal(t, "n", r.Inner.Name)
	require.Equal(t, extra{"y": json.RawMessage(`{"z":null}`)}, r.Inner.Extra)
	require.Len(t, r.Inner.Deep, 3)
	require.Equal(t, extra{"x": json.RawMessage(`[1]`)}, r.Inner.Deep[0].Extra)
	require.Equal(t, extra{"n": json.RawMessage(`"odd"`)}, r.Inner.Deep[1].Extra)
	require.Equal(t, 2, r.Inner.Deep[2].N)
	require.Nil(t, r.Inner.Deep[2].Extra)

	written, err := lenient.Marshal(&r)
	require.NoError(t, err)
	require.JSONEq(t, strings.Replace(text, `"2"`, `2`, 1), string(written))
	r.Inner.Deep[1].N = 7
	written, err = lenient.Marshal(&r)
	require.NoError(t, err)
	require.Contains(t, string(written), `{"n":7}`, "a field that was changed replaces the value in Extra")
}

// embedding reads the fields of another struct as its own.
type embedding struct {
	*record
	Added string `json:"added"`
}

func TestFillReadsEmbeddedStructs(t *testing.T) {
	var r record
	e := embedding{record: &r}
	require.NoError(t, lenient.Fill([]byte(`{"id":"a","added":"b","new":1}`), &e))
	require.Equal(t, "b", e.Added)
	require.Equal(t, record{ID: "a", Extra: extra{"new": json.RawMessage("1")}}, r)
}

func TestErrors(t *testing.T) {
	var r record
	for _, text := range []string{
		``, ` `, `{`, `{"id"`, `{"id":`, `{"id":"a"`, `{"id":"a",}`, `{"id":"a"}}`, `{"id":"a"} x`, `{"id":"\x"}`, `{"on":tru}`, `{"on":nul}`, `{"count":01}`, `{"tags":["a"`,
		`{"tags":["a",]}`, `{"list":[{]}`, `{"ptr":n}`, `{"new":}`, `{"new":[}`, "{\"id\":\"\n\"}", `{"inner":{"deep":[{"n":1}}`, `nul`, `{"_id":[}`, `{id:1}`,
		`{"leaf":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}",
	} {
		var syntax *json.SyntaxError
		require.ErrorAs(t, lenient.Unmarshal([]byte(text), &r), &syntax, "%.60s", text)
		require.Zero(t, r, "%.60s", text)
	}
	for _, text := range []string{`[]`, `"a"`, `5`, `-1`, `true`, `false`, ` [1] `} {
		var typ *json.UnmarshalTypeError
		require.ErrorAs(t, lenient.Unmarshal([]byte(text), &r), &typ, "%s", text)
		require.ErrorContains(t, lenient.Unmarshal([]byte(text), &r), "record")
	}
	r = record{ID: "a", hidden: "b"}
	require.NoError(t, lenient.Unmarshal([]byte(" null "), &r))
	require.Zero(t, r)

	for _, broken := range []record{
		{Extra: extra{"a": json.RawMessage(`{`)}}, {Extra: extra{"id": json.RawMessage(`"`)}},
		{Any: map[string]any{"a": func() {}}}, {Ptr: &leaf{Share: inf()}},
	} {
		_, err := lenient.Marshal(&broken)
		if raw := broken.Extra["id"]; raw != nil { // the field is not what it says, so the field is written
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
	}
	wrong := errors.New("stop")
	require.ErrorIs(t, lenient.EachField([]byte(`{"a":1}`), func(_, _ []byte) error { return wrong }), wrong)
	require.ErrorIs(t, lenient.EachElement([]byte(`[1]`), func([]byte) error { return wrong }), wrong)
}

func inf() float64 {
	zero := 0.0
	return 1 / zero
}

// TestRecordsOwnTheirMemory: the texts and values of a record are copies, and so are those of the next one.
func TestRecordsOwnTheirMemory(t *testing.T) {
	var records []record
	for i := range 100 {
		data := []byte(`{"id":"` + strings.Repeat("x", i) + `","tags":["a","b"],"new":"` +
			strings.Repeat("y", i) + `"}`)
		var r record
		require.NoError(t, lenient.Unmarshal(data, &r))
		records = append(records, r)
		clear(data)
	}
	for i, r := range records {
		require.Equal(t, strings.Repeat("x", i), r.ID)
		require.Equal(t, []string{"a", "b"}, r.Tags)
		require.Equal(t, `"`+strings.Repeat("y", i)+`"`, string(r.Extra["new"]))
		_ = append(r.Extra["new"], "overwritten"...) // must not reach the next record
	}
}

// TestLongListOfOtherValues: elements that are not stored use no memory, and a long list is read to its end.
func TestLongListOfOtherValues(t *testing.T) {
	const n = 100_000
	r := read(t, `{"flat":[5`+strings.Repeat(",5", n)+`,{"name":"n"}],"days":[1`+strings.Repeat(",1", n)+`]}`)
	require.Equal(t, []leaf{{Name: "n"}}, r.Flat)
	require.LessOrEqual(t, cap(r.Flat), 2000)
	require.Len(t, r.Days, n+1)
}

// TestConcurrentUse reads and writes types that are seen for the first time.
func TestConcurrentUse(t *testing.T) {
	type first struct {
		Sub struct {
			Name  string `json:"name"`
			Extra extra  `json:"-"`
		} `json:"sub"`
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var f first
			const text = `{"sub":{"name":"n","new":1}}`
			if err := lenient.Unmarshal([]byte(text), &f); err != nil {
				t.Error(err)
			}
			if data, err := lenient.Marshal(&f); err != nil || string(data) != text {
				t.Errorf("%s %v", data, err)
			}
		})
	}
	group.Wait()
}

// FuzzUnmarshal compares the decoder with encoding/json: both accept the same objects; a record that encoding/json
// reads, and in which nothing is odd, is read alike; and writing a record and reading it again changes nothing.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","on":true,"maybe":false,"count":5,"small":-5,"share":0.25,"when":"at noon","tags":["a","b"],"days":[1,2],"leaf":{"name":"n","count":1},"ptr":{"share":2},` +
			`"list":[{"name":"m"}],"any":{"a":[1,"x",null]},"inner":{"name":"n","deep":[{"n":1}]}}`,
		`{"id":5,"on":"true","count":"5","share":"1e3","tags":"a","days":{},"leaf":[],"ptr":"","list":[null,5],"any":[],"inner":{"deep":{"n":"x"}}}`,
		`{"id":"\u00e9\ud83d\ude00\ud800x","_id":"é","altId":"` + "\xff" + `","ID":"b","new":{"a":[1e400]}}`, `{"id":{"a":1},"id":"x","when":"soon"}`,
		`{"inner":{"deep":[{"n":1,"x":2},{}],"y":"` + strings.Repeat("long ", 50) + `"}}`, ` { } `, `null`, `[]`, `{`, `{"count":-0,"share":-0.0,"small":128}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r record
		err := lenient.Unmarshal(data, &r)
		object := lenient.IsObject(data) || strings.TrimSpace(string(data)) == "null"
		require.Equal(t, json.Valid(data), lenient.Valid(data))
		require.Equal(t, json.Valid(data) && object, err == nil, "%v", err)
		if err != nil {
			return
		}
		var plain record
		further := lenient.Field(data, "_id") != nil || lenient.Field(data, "altId") != nil // unknown to encoding/json
		if wellFormed(data) && !further && json.Unmarshal(data, &plain) == nil && !hasStored(r) {
			require.Equal(t, plain, r)
		}
		written, err := lenient.Marshal(&r)
		require.NoError(t, err)
		rewritten := written
		for range 3 { // an empty list is left out at first, and then the struct that had only it
			var again record
			require.NoError(t, lenient.Unmarshal(rewritten, &again), "%s", rewritten)
			require.LessOrEqual(t, len(again.Extra), len(r.Extra))
			before := rewritten
			rewritten, err = lenient.Marshal(&again)
			require.NoError(t, err)
			require.LessOrEqual(t, len(rewritten), len(before))
		}
		var last record
		require.NoError(t, lenient.Unmarshal(rewritten, &last))
		final, err := lenient.Marshal(&last)
		require.NoError(t, err)
		require.Equal(t, string(rewritten), string(final))
		// A field that has its value from a further name replaces an odd value of its first name.
		if wellFormed(data) && r.Extra["id"] == nil {
			checkNothingLost(t, data, written)
		}
	})
}

// wellFormed reports whether no name of an object comes twice, in any case, and no list has a null.
func wellFormed(data []byte) bool {
	ok, seen := true, map[string]bool{}
	_ = lenient.EachField(data, func(key, value []byte) error {
		name := strings.ToUpper(string(key))
		lower, back := strings.ToLower(string(key)), strings.ToLower(name) // they differ for letters such as ſ
		ok = ok && !seen[name] && lower == back && wellFormed(value)
		seen[name] = true
		return nil
	})
	_ = lenient.EachElement(data, func(value []byte) error {
		ok = ok && string(value) != "null" && wellFormed(value)
		return nil
	})
	return ok
}

// hasStored reports whether something is in an Extra.
func hasStored(r record) bool {
	stored := r.Extra != nil || r.Inner.Extra != nil
	for _, d := range r.Inner.Deep {
		stored = stored || d.Extra != nil
	}
	return stored
}

// checkNothingLost checks that each property of a record is written as it came, or with the same texts and numbers in
// it.
func checkNothingLost(t *testing.T, data, written []byte) {
	t.Helper()
	have := map[string]bool{}
	collect(written, have)
	want := map[string]bool{}
	collect(data, want)
	for text := range want {
		asBoolean := (text == "1" || text == "t") && have["true"] || text == "f"
		require.True(t, have[text] || asBoolean, "%q of %s is lost in %s", text, data, written)
	}
}

// collect gathers the texts and numbers in a value, numbers in one spelling, without those that mean "none".
func collect(data []byte, into map[string]bool) {
	if lenient.EachField(data, func(_, value []byte) error { collect(value, into); return nil }) == nil ||
		lenient.EachElement(data, func(value []byte) error { collect(value, into); return nil }) == nil {
		return
	}
	text, ok := lenient.Scalar(data)
	if n, isNumber := lenient.ParseNumber(text); isNumber {
		number, _ := json.Marshal(n)
		text = string(number)
	}
	switch text = strings.ToLower(text); text {
	case "", "0", "-0", "false":
	default:
		if ok {
			into[text] = true
		}
	}
}
