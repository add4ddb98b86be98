package ghl

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version is the value of the Version header, which selects a generation of the API.
type Version string

const (
	// Version20210728 is the default. The endpoints under /calendars then send 2021-04-15.
	Version20210728 Version = "2021-07-28"
	// VersionV3 is the newer generation, with other paths and field names for the same models.
	VersionV3 Version = "v3"

	version20210415 Version = "2021-04-15"
)

// Scope is a permission that a token carries, such as "contacts.readonly".
type Scope string

// The scopes that the operations of this package need.
const (
	ScopeContactsReadonly              Scope = "contacts.readonly"
	ScopeContactsWrite                 Scope = "contacts.write"
	ScopeLocationsReadonly             Scope = "locations.readonly"
	ScopeLocationsCustomFieldsReadonly Scope = "locations/customFields.readonly"
	ScopeLocationsTagsReadonly         Scope = "locations/tags.readonly"
	ScopeLocationsTasksReadonly        Scope = "locations/tasks.readonly"
	ScopeCalendarsReadonly             Scope = "calendars.readonly"
	ScopeCalendarsEventsReadonly       Scope = "calendars/events.readonly"
	ScopeCalendarsEventsWrite          Scope = "calendars/events.write"
	ScopeOAuthReadonly                 Scope = "oauth.readonly"
	ScopeOAuthWrite                    Scope = "oauth.write"
)

// Operation describes an endpoint. Requests are built from it alone, and errors, logs and metrics carry its name.
// To call an endpoint for which this package has no method, fill in an Operation and pass it to [Client.Call].
type Operation struct {
	// Name identifies the operation in errors, logs and metrics, such as "contacts.get".
	Name string
	// Method is the HTTP method.
	Method string
	// Path is the path template, such as "/contacts/{contactId}". A placeholder is a whole segment.
	Path string
	// PathV3 is the path template for [VersionV3]; "" means Path.
	PathV3 string
	// Version is the Version header, unless the client uses [VersionV3]; "" means the client's version.
	Version Version
	// Scopes are the scopes that a token needs.
	Scopes []Scope
	// Repeatable says that a second request has no further effect, so that a call can be retried when it is unknown
	// whether the server acted. Leave it false for operations that create, book or notify.
	Repeatable bool
	// NoBearer says that the request has no Authorization header. The token source is not asked. Such a request
	// authenticates with secrets in its form, which often work only once. Therefore the call's error holds none of
	// the form's values whose field name contains secret, token, code, password or assertion; the error of an
	// answer that cannot be read has no body; and a call is not retried when ctx would end less than 10 seconds
	// after the start of the next attempt.
	NoBearer bool
	// Form says that the body is a form. [Client.Call] then requires url.Values as its input.
	Form bool

	location   locationIn
	answer     string // the property with the record or list; "|" separates alternatives; "." is the whole answer
	background bool   // the call has CallBackground; set by OperationFromContext
	company    bool   // counts against the limit of the company instead of the location
}

// locationIn is where a request has the location's id, other than in its path.
type locationIn uint8

const (
	nowhere locationIn = iota
	inQuery
	inBody
)

// path returns the path template for a version.
func (op *Operation) path(v Version) string {
	if v == VersionV3 && op.PathV3 != "" {
		return op.PathV3
	}
	return op.Path
}

// version returns the Version header for a client of version v.
func (op *Operation) version(v Version) Version {
	if op.Version != "" && v != VersionV3 {
		return op.Version
	}
	return v
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (op *Operation) check() *Error {
	switch {
	case op.Name == "":
		return badInputf("Operation.Name", "an operation needs a name")
	case !slices.Contains(methods, op.Method):
		return badInputf("Operation.Method", "%q is not a method of the API", op.Method)
	case op.Version != "" && !goodVersion(op.Version):
		return badInputf("Operation.Version", "a version is a date such as 2021-07-28, or v and a number")
	case op.PathV3 != "" && !goodTemplate(op.PathV3):
		return badInputf("Operation.PathV3",
			"a path template starts with / and has neither query, fragment nor dot segments")
	case !goodTemplate(op.Path):
		return badInputf("Operation.Path",
			"a path template starts with / and has neither query, fragment nor dot segments")
	}
	return nil
}

func goodVersion(v Version) bool {
	if number, ok := strings.CutPrefix(string(v), "v"); ok {
		_, err := strconv.ParseUint(number, 10, 16)
		return err == nil
	}
	_, err := time.Parse(time.DateOnly, string(v))
	return err == nil
}

func goodTemplate(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "?#%\\ \t\r\n") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, opened := strings.CutPrefix(segment, "{")
		name, closed := strings.CutSuffix(name, "}")
		if segment == "." || segment == ".." || opened != closed || opened && name == "" ||
			strings.ContainsAny(name, "{}") {
			return false
		}
	}
	return true
}

// Operations returns the catalog: every operation for which this package has a method. The caller may change the
// slice.
func Operations() []Operation {
	list := make([]Operation, len(catalog))
	for i, op := range catalog {
		list[i] = op.clone()
	}
	return list
}

func (op *Operation) clone() Operation {
	c := *op
	c.Scopes = slices.Clone(op.Scopes)
	return c
}

// ScopesFor returns the scopes that a token needs for all of the operations, sorted and without duplicates. Pass it
// [Operations] for the scopes of the whole catalog.
func ScopesFor(ops ...Operation) []Scope {
	var scopes []Scope
	for _, op := range ops {
		scopes = append(scopes, op.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

type operationKey struct{}

// OperationFromContext returns the operation of the call to which a request belongs. Use it in a middleware
// ([WithMiddleware]) to name spans or counters: the name "contacts.get" is stable, unlike the URL with its ids. It
// returns false for other contexts.
func OperationFromContext(ctx context.Context) (Operation, bool) {
	k, ok := ctx.Value(operationKey{}).(*call)
	if !ok {
		return Operation{}, false
	}
	op := k.op.clone()
	op.background = k.opts.background
	return op, true
}

// Background reports whether op is from [OperationFromContext] and its call has [CallBackground]. A [Limiter] of your
// own can let such calls yield.
func (op Operation) Background() bool { return op.background }
