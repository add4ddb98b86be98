package ghl

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version is the value of the Version header, which chooses a generation of the API.
type Version string

const (
	// Version20210728 is the default. Calendars use 2021-04-15 with it, by themselves.
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

// Operation describes an endpoint. Requests are built from it and from nothing else; errors, logs and metrics carry its
// name. To reach an endpoint that this package has no method for, fill one in and give it to [Client.Call].
type Operation struct {
	// Name identifies the operation in errors, logs and metrics, such as "contacts.get".
	Name string
	// Method is the HTTP method.
	Method string
	// Path is the path template, such as "/contacts/{contactId}". Placeholders stand for whole segments.
	Path string
	// PathV3 is the template under [VersionV3] where it differs; "" means Path.
	PathV3 string
	// Version is the Version header unless the client is set to [VersionV3]; "" means the client's.
	Version Version
	// Scopes are what a token needs for it.
	Scopes []Scope
	// Repeatable says that sending it twice does no more than sending it once, so that it may be sent again when it is not
	// known whether the server acted. Leave it false for anything that creates, books or notifies.
	Repeatable bool
	// NoBearer says that the request carries no Authorization header; the token source is not asked. Such a request proves
	// its sender by secrets in its form, which work once. So the values of form fields named after a secret, token, code,
	// password or assertion are taken out of the call's error, an answer that cannot be read is not stored in the error, and
	// a call does not wait for another attempt when ctx would end within 10 seconds of it.
	NoBearer bool
	// Form says that the body is a form: [Client.Call] takes url.Values and refuses anything else.
	Form bool

	location locationIn
	answer   string // the property that holds the record or list, "|" between alternatives; "." is the whole answer
	company  bool   // counts against the company's limit, not a location's
}

// locationIn says where an operation wants the location's id, apart from a placeholder of its path.
type locationIn uint8

const (
	nowhere locationIn = iota
	inQuery
	inBody
)

// path returns the template for a version.
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

func (op *Operation) check() *Error {
	switch {
	case op.Name == "":
		return badInputf("Operation.Name", "an operation needs a name")
	case !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, op.Method):
		return badInputf("Operation.Method", "%q is no method of the API", op.Method)
	case op.Version != "" && !goodVersion(op.Version):
		return badInputf("Operation.Version", "a version is a date such as 2021-07-28, or v and a number")
	case op.PathV3 != "" && !goodTemplate(op.PathV3):
		return badInputf("Operation.PathV3", "a path template starts with / and has neither query, fragment nor dot segments")
	case !goodTemplate(op.Path):
		return badInputf("Operation.Path", "a path template starts with / and has neither query, fragment nor dot segments")
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
		if segment == "." || segment == ".." || opened != closed || opened && name == "" || strings.ContainsAny(name, "{}") {
			return false
		}
	}
	return true
}

// Operations returns the catalog: every operation that this package has a method for. The slice is the caller's.
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

// ScopesFor returns the least set of scopes that a token needs for all of the operations, sorted. For the whole catalog, give
// it [Operations].
func ScopesFor(ops ...Operation) []Scope {
	var scopes []Scope
	for _, op := range ops {
		scopes = append(scopes, op.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

type operationKey struct{}

// OperationFromContext returns the operation of the call that a request belongs to. It is meant for a middleware
// ([WithMiddleware]) that names spans or counters: it gives "contacts.get" where the URL would give an id.
func OperationFromContext(ctx context.Context) (Operation, bool) {
	k, ok := ctx.Value(operationKey{}).(*call)
	if !ok {
		return Operation{}, false
	}
	return k.op.clone(), true
}
