package spec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/pluvo/ghl"
)

// document is one of the vendor's OpenAPI documents.
type document struct {
	name   string
	spec   *openapi3.T
	router routers.Router
}

// loadDocument loads a document with its references. It does not validate the document: none of the vendor's is valid.
func loadDocument(dir, name string) (*document, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = true
	spec, err := loader.LoadFromFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	router, err := gorillamux.NewRouter(spec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &document{name, spec, router}, nil
}

// operations returns the operations of the document, in the form of routeName.
func (d *document) operations() []string {
	var names []string
	for path, item := range d.spec.Paths.Map() {
		for method := range item.Operations() {
			names = append(names, d.routeName(method, path))
		}
	}
	return names
}

func (d *document) routeName(method, path string) string { return d.name + ": " + method + " " + path }

// checkRequest reports what the document does not allow: what kin-openapi refuses, and undeclared query parameters and
// properties, which kin-openapi accepts and the API refuses with 422. It sets places for each parameter and property
// that the document declares: whether the request has it.
func checkRequest(found *routers.Route, params map[string]string, r *http.Request, places map[string]bool,
	report reporter) error {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	err := openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: found,
		Options: &openapi3filter.Options{
			MultiError: true, SkipSettingDefaults: true, RejectWhenRequestBodyNotSpecified: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	})
	reportRefusals("body", err, report)

	query := r.URL.Query()
	for _, ref := range slices.Concat(found.PathItem.Parameters, found.Operation.Parameters) {
		if name := ref.Value.Name; ref.Value.In == openapi3.ParameterInQuery {
			places["query."+name] = places["query."+name] || query.Has(name)
			query.Del(name)
		}
	}
	for name := range query {
		report("query."+name, "the document does not declare this parameter")
	}
	if len(body) == 0 || found.Operation.RequestBody == nil {
		return nil
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	media := found.Operation.RequestBody.Value.Content.Get(kind)
	if media == nil || media.Schema == nil {
		return nil // kin-openapi has refused the content type
	}
	value, err := readBody(kind, body)
	if err != nil {
		return err
	}
	compareProperties("body", flatten(media.Schema), value, places, report)
	return nil
}

// checkAnswer reports how an answer differs from the document: its status, the types of its values, missing required
// properties and undeclared properties. It sets places for each declared property: whether the answer has it. It also
// reports that the document describes no answer.
func checkAnswer(input *openapi3filter.RequestValidationInput, resp *http.Response, place string,
	places map[string]bool, report reporter) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	status, described := resp.StatusCode, input.Route.Operation.Responses.Status(resp.StatusCode)
	if described == nil {
		report(fmt.Sprintf("status.%d", status), "the document has no answer with this status")
		if status >= 300 {
			return nil
		}
		status, _ = answerOf(input.Route.Operation) // the documented status of a success
		described = input.Route.Operation.Responses.Status(status)
	}
	media := described.Value.Content.Get("application/json")
	if media == nil || media.Schema == nil || media.Schema.Value.IsEmpty() {
		report(place, "the document describes no answer")
		return nil
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{MultiError: true},
	})
	reportRefusals(place, err, report)
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		report(place, "it is no JSON")
		return nil
	}
	compareProperties(place, flatten(media.Schema), value, places, report)
	return nil
}

func readBody(kind string, body []byte) (value any, err error) {
	if kind == "application/json" {
		err = json.Unmarshal(body, &value)
		return value, err
	}
	form, err := url.ParseQuery(string(body))
	fields := map[string]any{}
	for name, values := range form {
		fields[name] = values[0]
	}
	return fields, err
}

// reportScopes compares the scopes of an operation with the document, which lists alternatives, or none for some
// operations.
func reportScopes(op *openapi3.Operation, scopes []ghl.Scope, report reporter) {
	if op.Security == nil {
		return
	}
	var wanted, documented []string
	for _, scope := range scopes {
		wanted = append(wanted, string(scope))
	}
	for _, alternative := range *op.Security {
		for _, names := range alternative {
			if slices.Equal(names, wanted) {
				return
			}
			documented = append(documented, strings.Join(names, " "))
		}
	}
	if len(documented) > 0 {
		report("scopes", fmt.Sprintf("the document has %q, the catalog %q", documented, scopes))
	}
}

// reporter is called for each place that differs from the document, with the reason.
type reporter func(place, why string)

// reportRefusals splits an error of kin-openapi into places.
func reportRefusals(place string, err error, report reporter) {
	var request *openapi3filter.RequestError
	var response *openapi3filter.ResponseError
	switch e := err.(type) {
	case nil:
	case openapi3.MultiError:
		for _, inner := range e {
			reportRefusals(place, inner, report)
		}
	case *openapi3.SchemaError:
		var parts openapi3.MultiError
		if e.SchemaField == "allOf" && errors.As(e.Origin, &parts) { // the parts have places of their own
			reportRefusals(place, parts, report)
			return
		}
		for _, key := range e.JSONPointer() {
			if strings.Trim(key, "0123456789") != "" { // the place omits the index of a list
				place += "." + key
			}
		}
		if e.Value == nil {
			place += "=null" // to distinguish null from other values
		}
		report(place, e.Reason)
	default:
		switch {
		case errors.As(err, &request) && request.Parameter != nil:
			why, _, _ := strings.Cut(err.Error(), "\n")
			report(request.Parameter.In+"."+request.Parameter.Name, why)
		case request != nil && request.Err != nil:
			reportRefusals(place, request.Err, report)
		case errors.As(err, &response) && response.Err != nil:
			reportRefusals(place, response.Err, report)
		default:
			report(place, err.Error())
		}
	}
}

// compareProperties walks a value along its schemas. It reports properties that schemas with properties do not declare.
func compareProperties(place string, schemas []*openapi3.Schema, value any, places map[string]bool, report reporter) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			compareProperties(place, itemsOf(schemas), element, places, report)
		}
	case map[string]any:
		declared := propertiesOf(schemas)
		for key, refs := range declared {
			inner, sent := value[key]
			places[place+"."+key] = places[place+"."+key] || sent
			compareProperties(place+"."+key, flatten(refs...), inner, places, report)
		}
		for key := range value {
			if _, ok := declared[key]; !ok && len(declared) > 0 {
				report(place+"."+key, "the document does not declare this property")
			}
		}
	}
}

// flatten returns the schemas together with their parts in allOf, anyOf and oneOf.
func flatten(refs ...*openapi3.SchemaRef) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, ref := range refs {
		if ref == nil || ref.Value == nil {
			continue
		}
		all = append(all, ref.Value)
		all = append(all, flatten(slices.Concat(ref.Value.AllOf, ref.Value.AnyOf, ref.Value.OneOf)...)...)
	}
	return all
}

func propertiesOf(schemas []*openapi3.Schema) map[string][]*openapi3.SchemaRef {
	properties := map[string][]*openapi3.SchemaRef{}
	for _, s := range schemas {
		for name, ref := range s.Properties {
			properties[name] = append(properties[name], ref)
		}
	}
	return properties
}

func itemsOf(schemas []*openapi3.Schema) []*openapi3.Schema {
	var items []*openapi3.Schema
	for _, s := range schemas {
		items = append(items, flatten(s.Items)...)
	}
	return items
}

// answerOf builds the answer that a document describes, with every declared property. The body is nil if the document
// describes none.
func answerOf(op *openapi3.Operation) (status int, body any) {
	for status = 200; status < 300; status++ {
		ref := op.Responses.Status(status)
		if ref == nil {
			continue
		}
		media := ref.Value.Content.Get("application/json")
		switch {
		case media == nil:
			return status, nil
		case media.Example != nil:
			return status, media.Example
		}
		return status, sample(flatten(media.Schema))
	}
	return 200, nil
}

// sample returns the example of the schemas, or a value of their type. The value is never zero, so that a property that
// a model ignores differs from one that it decodes.
func sample(schemas []*openapi3.Schema) any {
	if properties := propertiesOf(schemas); len(properties) > 0 {
		object := map[string]any{}
		for name, refs := range properties {
			object[name] = sample(flatten(refs...))
		}
		return object
	}
	items := itemsOf(schemas)
	if len(propertiesOf(items)) > 0 {
		return []any{sample(items)}
	}
	for _, s := range schemas {
		if !isZero(s.Example) {
			return s.Example
		}
	}
	for _, s := range schemas {
		for _, value := range slices.Backward(s.Enum) {
			if !isZero(value) {
				return value
			}
		}
		switch {
		case s.Type.Is("array") && len(items) > 0:
			return []any{sample(items)}
		case s.Type.Is("array"):
			return []any{}
		case s.Type.Is("boolean"):
			return true
		case s.Type.Is("number"), s.Type.Is("integer"):
			return 1
		case s.Type.Is("string"):
			return "text"
		case s.Type.Is("object") && len(schemas) == 1:
			return map[string]any{"key": "text"}
		}
	}
	return map[string]any{}
}

func isZero(value any) bool {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// declaredObject is an object in a value with properties that a document declares.
type declaredObject struct {
	path  []string       // of propertyPaths
	lacks map[string]any // declared properties that the object does not have, with a value for each
}

// declaredObjects returns the declared objects of a value. Of a list it reads the first element.
func declaredObjects(path []string, schemas []*openapi3.Schema, value any) []declaredObject {
	switch value := value.(type) {
	case []any:
		if len(value) > 0 {
			return declaredObjects(append(slices.Clone(path), inList), itemsOf(schemas), value[0])
		}
	case map[string]any:
		declared := propertiesOf(schemas)
		if len(declared) == 0 {
			return nil
		}
		this := declaredObject{path, map[string]any{}}
		list := []declaredObject{}
		for name, refs := range declared {
			if inner, there := value[name]; there {
				list = append(list, declaredObjects(append(slices.Clone(path), name), flatten(refs...), inner)...)
			} else {
				this.lacks[name] = sample(flatten(refs...))
			}
		}
		return append(list, this)
	}
	return nil
}
