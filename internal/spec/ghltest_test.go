package spec

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"github.com/pluvo/ghl"
)

// ghltest.json lists the intended differences between package ghltest and the documents, in the form of
// exceptions.json.
//
//go:embed ghltest.json
var ghltestJSON []byte

// TestGhltestAgainstTheDocuments calls every method against ghltest: each answer must match the documents, with all
// declared properties. Then it sends each request with changes: ghltest must accept what the documents allow and refuse
// the rest.
func TestGhltestAgainstTheDocuments(t *testing.T) {
	documents := loadDocuments(t)
	list, err := readExceptions(ghltestJSON)
	require.NoError(t, err)

	c := newChecker(t, documents, list)
	c.ofRequests, err = readExceptions(exceptionsJSON)
	require.NoError(t, err)
	variants := 0
	for _, v := range versions {
		for _, m := range allMethods(t) {
			variants += c.driveFake(m.operation, v, append(fakeCalls(m), furtherCalls[m.operation]...))
		}
		variants += c.driveFake(tokenOperation, v, tokenCalls)
	}
	for _, difference := range c.differences() {
		t.Error(difference)
	}
	if !t.Failed() { // .ci/run looks for this line
		t.Logf("spec check: ghltest: %d operations, %d versions, %d requests and %d variants of them, %d exceptions",
			len(allMethods(t))+1, len(versions), c.requests, variants, len(list))
	}
}

// fakeCall makes a call against a fake. The records of the fake have the ids of the driver.
type fakeCall func(f *fake) error

func fakeCalls(m method) []fakeCall {
	var calls []fakeCall
	for _, call := range m.calls {
		calls = append(calls, func(f *fake) error {
			client := newClient(f.t, f, f.version)
			_, err := call(&driver{Client: client, t: f.t, ctx: f.t.Context(), v3: f.version == ghl.VersionV3})
			return err
		})
	}
	return calls
}

// fake is a transport between a client and a server of ghltest. It checks requests and answers.
type fake struct {
	*checker
	operation string
	version   ghl.Version
	seeded    *seeded
	handler   http.Handler
	places    map[string]bool // parameters and properties of requests and answers, and whether one has them
	sent      []*exchange
}

// exchange is a request that was sent, and its operation in a document.
type exchange struct {
	request *http.Request
	body    []byte
	route   *routers.Route
	params  map[string]string
}

// driveFake makes the calls of an operation, and sends their requests again with changes. It returns the number of
// changes.
func (c *checker) driveFake(operation string, v ghl.Version, calls []fakeCall) int {
	f := &fake{checker: c, operation: operation, version: v, places: map[string]bool{}}
	for i, call := range calls {
		f.seed()
		sent := len(f.sent)
		if err := call(f); err != nil {
			f.report("request", fmt.Sprintf("call %d: %v", i+1, err))
		}
		require.Len(c.t, f.sent, sent+1, "%s (%s), call %d: a call is one request", operation, v, i+1)
	}
	for place, there := range f.places {
		if !there && strings.HasPrefix(place, "answer") {
			f.report(place, "the document declares this, and no answer has it")
		}
	}
	c.requests += len(f.sent)

	done, variants := map[string]bool{}, 0
	for _, e := range f.sent {
		if e.route == nil {
			continue
		}
		for _, variant := range f.variants(e) {
			if !done[variant.key()] {
				done[variant.key()] = true
				f.try(e, variant)
				variants++
			}
		}
		f.refused(e)
	}
	return variants
}

func (f *fake) seed() {
	f.seeded = newSeeded(f.t)
	for _, fault := range f.faults {
		f.seeded.Fail(fault)
	}
	f.handler = f.seeded.Handler()
}

func (f *fake) report(place, why string) { f.note(difference{f.operation, f.version, place}, why) }

// RoundTrip answers a request by ghltest.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	e := &exchange{request: r, body: body}
	for _, d := range f.documents[f.version] {
		if route, params, err := d.router.FindRoute(r); err == nil {
			e.route, e.params = route, params
			break
		}
	}
	f.sent = append(f.sent, e)
	if e.route != nil {
		for place, why := range e.objections(f.t) {
			if _, meant := f.ofRequests[difference{f.operation, f.version, place}]; !meant {
				f.report(place, "the document does not allow the request: "+why)
			}
		}
	}
	resp := f.serve(e.again())
	switch {
	case e.route == nil:
		if _, meant := f.ofRequests[difference{f.operation, f.version, "path"}]; !meant {
			f.report("path", "no document has "+r.Method+" "+r.URL.Path)
		}
	case resp.StatusCode < 300:
		require.NoError(f.t, f.checkAnswer(e, resp, "answer", f.places))
	}
	return resp, nil
}

// again returns a copy of the request to send.
func (e *exchange) again() *http.Request {
	r := e.request.Clone(e.request.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(e.body)), int64(len(e.body))
	r.GetBody = nil // it would return the body of the original
	return r
}

// serve sends a request to ghltest, with the token that it needs.
func (f *fake) serve(r *http.Request) *http.Response {
	if r.Header.Get("Authorization") != "" {
		r.Header.Set("Authorization", "Bearer "+f.seeded.tokenFor(f.operation, r.URL))
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w.Result()
}

// checkAnswer checks an answer against the document. The body can be read again.
func (f *fake) checkAnswer(e *exchange, resp *http.Response, place string, places map[string]bool) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{Request: e.request, PathParams: e.params, Route: e.route}
	err = checkAnswer(input, resp, place, places, f.report)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// refused checks the answer to a request with an unknown token against the document.
func (f *fake) refused(e *exchange) {
	r := e.again()
	if r.Header.Get("Authorization") == "" {
		return
	}
	r.Header.Set("Authorization", "Bearer unknown")
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	resp := w.Result()
	if resp.StatusCode != http.StatusUnauthorized {
		f.report("header.Authorization", fmt.Sprintf("an unknown token is answered with %d", resp.StatusCode))
		return
	}
	require.NoError(f.t, f.checkAnswer(e, resp, "answer401", map[string]bool{}))
}

// variant is a change of a request.
type variant struct {
	place  string // "body.title", "query.limit"
	change string // "missing", "undeclared", "added", or the type of its value
	value  bool   // another value of an existing property
	apply  func(*exchange)
}

func (v *variant) key() string { return v.place + " " + v.change }

// try sends a request with a change, and compares the outcome with the document. The document refuses the change if it
// adds a difference to the request.
func (f *fake) try(e *exchange, v variant) {
	changed := &exchange{request: e.request.Clone(e.request.Context()), body: e.body, route: e.route, params: e.params}
	v.apply(changed)
	before, after := e.objections(f.t), changed.objections(f.t)
	why := ""
	for place, reason := range after {
		if _, had := before[place]; !had {
			why = reason
		}
	}
	if v.value && why == "" {
		return // the type may be right and the value wrong
	}
	f.seed()
	resp := f.serve(changed.again())
	text, err := io.ReadAll(resp.Body)
	require.NoError(f.t, err)
	resp.Body = io.NopCloser(bytes.NewReader(text))
	place := v.place + "=" + v.change
	switch {
	case resp.StatusCode < 300 && why != "":
		f.report(place, "it is accepted although the document does not allow it: "+why)
	case resp.StatusCode >= 300 && why == "":
		f.report(place, fmt.Sprintf("it is refused although the document allows it: %d %s", resp.StatusCode, text))
	case resp.StatusCode >= 300 && resp.StatusCode != http.StatusUnprocessableEntity &&
		resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusUnauthorized:
		f.report(place, fmt.Sprintf("it is refused with status %d", resp.StatusCode))
	case resp.StatusCode >= 300:
		require.NoError(f.t, f.checkAnswer(changed, resp, fmt.Sprint("answer", resp.StatusCode), map[string]bool{}))
	}
}

// objections returns the reasons of the document to refuse a request, by place.
func (e *exchange) objections(t *testing.T) map[string]string {
	found := map[string]string{}
	err := checkRequest(e.route, e.params, e.again(), map[string]bool{}, func(place, why string) { found[place] = why })
	require.NoError(t, err)
	return found
}

// variants returns the changes of a request to try: it removes each query parameter and each property of the body, sets
// them to values of other types, adds each declared one that is missing, and adds an undeclared property to each
// object.
func (f *fake) variants(e *exchange) []variant {
	var list []variant
	query := e.request.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		list = append(list, variant{"query." + name, "missing", false, func(e *exchange) {
			e.editQuery(func(q url.Values) { q.Del(name) })
		}})
		list = append(list, variant{"query." + name, "text", true, func(e *exchange) {
			e.editQuery(func(q url.Values) { q.Set(name, "text") })
		}})
	}
	for _, ref := range slices.Concat(e.route.PathItem.Parameters, e.route.Operation.Parameters) {
		p := ref.Value
		switch {
		case p.In == "query" && !query.Has(p.Name):
			example := p.Example
			if example == nil {
				example = sample(flatten(p.Schema))
			}
			value := textOf(example)
			list = append(list, variant{"query." + p.Name, "added", false, func(e *exchange) {
				e.editQuery(func(q url.Values) { q.Set(p.Name, value) })
			}})
		case p.In == "header" && e.request.Header.Get(p.Name) != "":
			list = append(list, variant{"header." + p.Name, "missing", false, func(e *exchange) {
				e.request.Header.Del(p.Name)
			}})
		}
	}
	if e.route.Operation.RequestBody == nil || len(e.body) == 0 {
		return list
	}
	kind, _, _ := strings.Cut(e.request.Header.Get("Content-Type"), ";")
	media := e.route.Operation.RequestBody.Value.Content.Get(kind)
	value, err := readBody(kind, e.body)
	require.NoError(f.t, err)
	if media == nil || media.Schema == nil {
		return list
	}
	edit := func(path []string, change func(object map[string]any, key string)) func(*exchange) {
		return func(e *exchange) { e.body = writeBody(f.t, kind, changed(f.t, value, path, change)) }
	}
	others := map[string]any{"text": "text", "number": 12.5, "flag": true, "object": map[string]any{"key": "text"},
		"list": []any{1, 2}}
	if kind != "application/json" {
		others = nil
	}
	for _, path := range propertyPaths(value) {
		place := "body" + strings.TrimPrefix(placeOf(path), "answer")
		list = append(list, variant{place, "missing", false, edit(path, remove)})
		for name, other := range others {
			// a string may have to be one of an enum
			if name == "text" || typeOf(other) != typeOf(valueAt(value, path)) {
				list = append(list, variant{place, name, true, edit(path, func(object map[string]any, key string) {
					object[key] = other
				})})
			}
		}
	}
	for _, object := range declaredObjects(nil, flatten(media.Schema), value) {
		for name, add := range object.lacks {
			if kind != "application/json" {
				add = textOf(add)
			}
			path := append(slices.Clone(object.path), name)
			place := "body" + strings.TrimPrefix(placeOf(path), "answer")
			list = append(list, variant{place, "added", false, edit(path, func(object map[string]any, key string) {
				object[key] = add
			})})
		}
		path := append(slices.Clone(object.path), "undeclared")
		place := "body" + strings.TrimPrefix(placeOf(path), "answer")
		list = append(list, variant{place, "added", false, edit(path, func(object map[string]any, key string) {
			object[key] = "text"
		})})
	}
	return list
}

func (e *exchange) editQuery(change func(url.Values)) {
	query := e.request.URL.Query()
	change(query)
	e.request.URL.RawQuery = query.Encode()
}

func writeBody(t *testing.T, kind string, value any) []byte {
	if kind == "application/json" {
		data, err := json.Marshal(value)
		require.NoError(t, err)
		return data
	}
	form := url.Values{}
	for name, value := range value.(map[string]any) {
		form.Set(name, textOf(value))
	}
	return []byte(form.Encode())
}

// textOf returns a value in the form of a query or a form body.
func textOf(value any) string {
	if n, ok := value.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

func typeOf(value any) string { return fmt.Sprintf("%T", value) }

// valueAt returns the value at a path of propertyPaths.
func valueAt(value any, path []string) any {
	for _, key := range path {
		if key == inList {
			value = value.([]any)[0]
		} else {
			value = value.(map[string]any)[key]
		}
	}
	return value
}
