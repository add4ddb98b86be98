package spec

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest"
)

// checker calls methods of the client against the documents and collects the differences.
type checker struct {
	t          *testing.T
	documents  map[ghl.Version][]*document
	exceptions exceptions
	answers    map[string]json.RawMessage // of operations, where the documents have none
	found      map[difference]string      // the differences without an exception, and their reasons
	reached    map[string]bool            // operations of the documents that a call reached
	requests   int
	ofRequests exceptions      // when ghltest is checked: the exceptions of the client, which sends the requests
	faults     []ghltest.Fault // that ghltest makes, to show that the check finds them
}

func newChecker(t *testing.T, documents map[ghl.Version][]*document, list exceptions) *checker {
	answers, err := readAnswers(exceptionsJSON)
	require.NoError(t, err)
	return &checker{t: t, documents: documents, exceptions: list, answers: answers, found: map[difference]string{},
		reached: map[string]bool{}}
}

// differences returns the differences without an exception, and the exceptions that did not occur.
func (c *checker) differences() []string {
	var list []string
	for d, why := range c.found {
		list = append(list, d.String()+": "+why)
	}
	for _, d := range c.exceptions.unused() {
		list = append(list, d+": this exception did not occur")
	}
	slices.Sort(list)
	return list
}

// drive makes every call of a method and checks that each property of the answer reaches the result.
func (c *checker) drive(m method, v ghl.Version) {
	s := &server{checker: c, op: operation(c.t, m.operation), version: v, places: map[string]bool{}}
	client := newClient(c.t, s, v)
	run := func(f call) (any, error) {
		var around ghl.Response
		result, err := f(&driver{Client: client, t: c.t, ctx: c.t.Context(), v3: v == ghl.VersionV3,
			opt: ghl.CallResponse(&around)})
		if len(around.Skipped) > 0 && s.override == nil {
			s.reportLists("elements of this list are no records")
		}
		return result, err
	}
	for i, f := range m.calls {
		result, err := run(f)
		require.NoError(c.t, err, "%s (%s), call %d", m.operation, v, i+1)
		require.Equal(c.t, i+1, s.requests, "%s (%s), call %d: a call is one request", m.operation, v, i+1)
		for _, key := range takeExtra(result) {
			s.reportKey(key, "the model has this property in its Extra only")
		}
	}
	for place, sent := range s.places {
		if !sent {
			s.report(place, "the document declares this, and no call sends it")
		}
	}
	c.requests += s.requests

	// A property that reaches the caller changes the result when it is removed or set to false.
	answer, first := s.answer, m.calls[0]
	whole, err := run(first)
	require.NoError(c.t, err)
	takeExtra(whole)
	for _, path := range propertyPaths(answer) {
		matters := func(change func(object map[string]any, key string)) bool {
			s.override = changed(c.t, answer, path, change)
			result, err := run(first)
			takeExtra(result)
			return err != nil || !reflect.DeepEqual(whole, result)
		}
		if !matters(remove) && !matters(falsify) {
			s.report(placeOf(path), "this property does not reach the caller")
		}
	}
}

func remove(object map[string]any, key string)  { delete(object, key) }
func falsify(object map[string]any, key string) { object[key] = false }

func operation(t *testing.T, name string) ghl.Operation {
	all := ghl.Operations()
	i := slices.IndexFunc(all, func(op ghl.Operation) bool { return op.Name == name })
	require.GreaterOrEqual(t, i, 0, "the catalog has no operation %s", name)
	return all[i]
}

func newClient(t *testing.T, transport http.RoundTripper, v ghl.Version) *ghl.Client {
	client, err := ghl.New(
		ghl.WithToken("pit-6c0dd5b5-0000-4000-8000-000000000000"),
		ghl.WithLocation(locationID),
		ghl.WithVersion(v),
		ghl.WithHTTPClient(&http.Client{Transport: transport}),
		ghl.WithLimiterFor(func(string) ghl.Limiter { return nil }),
		ghl.WithRetry(ghl.RetryPolicy{MaxAttempts: 1}),
	)
	require.NoError(t, err)
	return client
}

// server replaces the API: it checks the requests of an operation against the documents, and answers from the
// documents.
type server struct {
	*checker
	op       ghl.Operation
	version  ghl.Version
	answer   any             // the latest answer from the documents
	override any             // sent instead of answer
	places   map[string]bool // parameters and properties of requests, and whether a call sent them
	requests int
}

// RoundTrip answers a request without a network.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	op, _ := ghl.OperationFromContext(r.Context())
	require.Equal(s.t, s.op.Name, op.Name, "the call belongs to another row of the table")
	if s.override != nil {
		return answerWith(s.t, r, http.StatusOK, s.override), nil
	}
	for _, name := range []string{"Authorization", "Accept", "User-Agent"} {
		if r.Header.Get(name) == "" {
			s.report("header."+name, "the header is missing")
		}
	}
	for _, d := range s.documents[s.version] {
		route, params, err := d.router.FindRoute(r)
		if err != nil {
			continue
		}
		s.reached[d.routeName(route.Method, route.Path)] = true
		require.NoError(s.t, checkRequest(route, params, r, s.places, s.report))
		reportScopes(route.Operation, s.op.Scopes, s.report)
		status, body := answerOf(route.Operation)
		if body == nil {
			s.report("answer", "the document describes no answer")
		}
		s.setAnswer(body)
		return answerWith(s.t, r, status, s.answer), nil
	}
	s.report("path", "no document has "+r.Method+" "+r.URL.Path)
	s.setAnswer(nil)
	return answerWith(s.t, r, http.StatusOK, s.answer), nil
}

// setAnswer sets the answer as decoded JSON. If body is nil, the answer is that of an exception.
func (s *server) setAnswer(body any) {
	data := s.answers[s.op.Name]
	if body != nil {
		var err error
		data, err = json.Marshal(body)
		require.NoError(s.t, err)
	}
	require.NotEmpty(s.t, data, "%s (%s): neither a document nor an exception has an answer; %v", s.op.Name,
		s.version, s.found)
	s.answer = nil
	require.NoError(s.t, json.Unmarshal(data, &s.answer))
}

func answerWith(t *testing.T, r *http.Request, status int, body any) *http.Response {
	data, err := json.Marshal(body)
	require.NoError(t, err)
	return respond(r, status, data)
}

func respond(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
}

func (s *server) report(place, why string) { s.note(difference{s.op.Name, s.version, place}, why) }

// note records a difference without an exception. An exception for a property of an answer covers the properties below
// it.
func (c *checker) note(d difference, why string) {
	for covering := d.place; ; {
		if c.exceptions.allow(difference{d.operation, d.version, covering}) {
			return
		}
		end := strings.LastIndexByte(covering, '.')
		if !strings.HasPrefix(covering, "answer.") || end == len("answer") {
			break
		}
		covering = covering[:end]
	}
	c.found[d], _, _ = strings.Cut(why, "\n")
}

// reportKey reports the properties of the answer with the name key.
func (s *server) reportKey(key, why string) {
	for _, path := range propertyPaths(s.answer) {
		if path[len(path)-1] == key {
			s.report(placeOf(path), why)
		}
	}
}

// reportLists reports the lists at the top of the answer.
func (s *server) reportLists(why string) {
	object, _ := s.answer.(map[string]any)
	for key, value := range object {
		if _, ok := value.([]any); ok {
			s.report("answer."+key, why)
		}
	}
}

// inList is the first element of a list in a path.
const inList = "[]"

func placeOf(path []string) string {
	return "answer." + strings.Join(slices.DeleteFunc(slices.Clone(path), func(key string) bool {
		return key == inList
	}), ".")
}

// propertyPaths returns the path of every property of a JSON value. Of a list it reads the first element.
func propertyPaths(value any) [][]string {
	var paths [][]string
	under := func(key string, inner any) {
		for _, path := range propertyPaths(inner) {
			paths = append(paths, append([]string{key}, path...))
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			paths = append(paths, []string{key})
			under(key, value[key])
		}
	case []any:
		if len(value) > 0 {
			under(inList, value[0])
		}
	}
	return paths
}

// changed returns a copy of a JSON value with a change of one property.
func changed(t *testing.T, value any, path []string, change func(object map[string]any, key string)) any {
	data, err := json.Marshal(value)
	require.NoError(t, err)
	var clone any
	require.NoError(t, json.Unmarshal(data, &clone))
	at := clone
	for _, key := range path[:len(path)-1] {
		if key == inList {
			at = at.([]any)[0]
		} else {
			at = at.(map[string]any)[key]
		}
	}
	change(at.(map[string]any), path[len(path)-1])
	return clone
}

var extraType = reflect.TypeFor[ghl.Extra]()

// takeExtra empties every Extra of a result and returns the names of the properties that they had.
func takeExtra(result any) []string {
	var keys []string
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			for _, field := range v.Fields() {
				if field.Type() == extraType && field.CanSet() {
					keys = slices.AppendSeq(keys, maps.Keys(field.Interface().(ghl.Extra)))
					field.SetZero()
				} else {
					walk(field)
				}
			}
		}
	}
	walk(reflect.ValueOf(result))
	return keys
}
