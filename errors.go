package ghl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pluvo/ghl/internal/lenient"
	"github.com/pluvo/ghl/internal/redact"
)

// category is what kind of failure an [Error] is. An Error may belong to several.
type category uint32

func (c category) Error() string { return categoryText[c] }

const (
	badInput category = 1 << iota
	validation
	notFound
	unauthorized
	missingScope
	forbidden
	duplicateContact
	slotTaken
	rateLimited
	dailyLimit
	reauthRequired
	serverError
	ambiguous
	badResponse
)

var categoryText = map[category]string{
	badInput: "bad input", validation: "validation failed", notFound: "not found", unauthorized: "unauthorized",
	missingScope: "missing scope", forbidden: "forbidden", duplicateContact: "duplicate contact", slotTaken: "slot taken",
	rateLimited: "rate limited", dailyLimit: "daily limit reached", reauthRequired: "authorization needed again",
	serverError: "server error", ambiguous: "outcome unknown", badResponse: "bad response",
}

// Categories of errors, for errors.Is. An error may belong to several: a missing scope is also unauthorized, the daily
// limit is also a rate limit.
var (
	// ErrBadInput: refused before anything was sent; [Error.Field] names the input.
	ErrBadInput error = badInput
	// ErrValidation: the server refused the content (HTTP 422). [Error.Details] lists its reasons.
	ErrValidation error = validation
	// ErrNotFound: there is no such record. HighLevel says so with 404, and with 400 for contacts. An endpoint that does not
	// exist is no ErrNotFound, so that a wrong path or version is not taken for a deleted record.
	ErrNotFound error = notFound
	// ErrUnauthorized: the server refuses the token (HTTP 401).
	ErrUnauthorized error = unauthorized
	// ErrMissingScope: the token lacks a scope; [Error.Scopes] names the ones that the operation needs.
	ErrMissingScope error = missingScope
	// ErrForbidden: the token may not do this here, such as reach another location (HTTP 403).
	ErrForbidden error = forbidden
	// ErrDuplicateContact: the location allows no duplicates, and there is one; [Error.Duplicate] says which.
	ErrDuplicateContact error = duplicateContact
	// ErrSlotTaken: somebody else has booked the slot.
	ErrSlotTaken error = slotTaken
	// ErrRateLimited: too many requests. Calls wait and repeat by themselves, so it is returned only when the server asks
	// for a longer wait than [RetryPolicy.MaxRetryAfter], when the context ends the wait, or with [ErrDailyLimit].
	// [Error.RetryAfter] says how long.
	ErrRateLimited error = rateLimited
	// ErrDailyLimit: the daily quota is used up; [Error.RetryAfter] is the time until it resets, 0 if unknown.
	ErrDailyLimit error = dailyLimit
	// ErrReauthRequired: the account must be connected again by a person.
	ErrReauthRequired error = reauthRequired
	// ErrServer: HighLevel or a gateway before it failed (HTTP 5xx, "Command timed out").
	ErrServer error = serverError
	// ErrAmbiguous: the operation may have happened and is not safe to repeat. Look before doing it again, or use
	// [CallReadBack]. The cause is within reach of errors.Is as well, such as context.Canceled.
	ErrAmbiguous error = ambiguous
	// ErrBadResponse: the server reported success, but its answer is empty, no JSON, too large or without the record that
	// was promised. The operation has happened.
	ErrBadResponse error = badResponse
)

// Error is every error that a call returns. Its text names the operation, the status, the server's message, the trace id
// and the attempts, never a token, a body or a query.
type Error struct {
	// Operation is the name of the operation in the catalog, such as "contacts.get".
	Operation string
	// Status is the HTTP status, which can differ from the one in the body; 0 when there was no answer.
	Status int
	// Message is the server's message, or what is wrong with the input.
	Message string
	// Details are the server's reasons when it gave several.
	Details []string
	// TraceID is HighLevel's id of the request. Its support asks for it.
	TraceID string
	// Attempts is how many requests were sent; 0 when the call was refused before that.
	Attempts int
	// RetryAfter is how long to wait before the next try, where that is known.
	RetryAfter time.Duration
	// Field is the name of the input that was refused, with [ErrBadInput].
	Field string
	// Scopes are the scopes that the operation needs, with [ErrMissingScope].
	Scopes []Scope
	// Duplicate is the contact that stands in the way, with [ErrDuplicateContact].
	Duplicate *Duplicate

	categories category
	cause      error
	body       *[]byte // behind a pointer, so that no fmt verb prints it
}

// Duplicate is the contact that a create or update collided with.
type Duplicate struct {
	ContactID string
	// ContactName may be empty.
	ContactName string
	// MatchingField is "email", "phone" or "additionalEmail".
	MatchingField string
}

const (
	maxErrorText = 2000
	maxErrorBody = 64 << 10 // of it is kept
	maxErrorRead = 1 << 20  // is read, for a cut body is no JSON
)

// Error returns one line of at most 2,000 bytes.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("ghl: ")
	if e.Operation != "" {
		b.WriteString(e.Operation + ": ")
	}
	if e.Status != 0 {
		b.WriteString(strconv.Itoa(e.Status) + " ")
	}
	b.WriteString(e.reason())
	if e.Field != "" {
		b.WriteString(" (field " + e.Field + ")")
	}
	if e.categories&ambiguous != 0 {
		b.WriteString("; it may have happened all the same")
	}
	if len(e.Scopes) > 0 {
		fmt.Fprintf(&b, "; needs scope %s", joinScopes(e.Scopes))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, "; retry after %s", e.RetryAfter.Round(time.Millisecond))
	}
	tail := ""
	if e.TraceID != "" {
		tail += " [trace " + clip(oneLine(e.TraceID), 100) + "]"
	}
	if e.Attempts > 1 {
		tail += fmt.Sprintf(" [%d attempts]", e.Attempts)
	}
	return clip(oneLine(b.String()), maxErrorText-len(tail)) + tail
}

func (e *Error) reason() string {
	switch {
	case len(e.Details) > 1:
		return strings.Join(e.Details, "; ")
	case e.Message != "" && e.cause != nil:
		return e.Message + ": " + e.cause.Error()
	case e.Message != "":
		return e.Message
	case e.cause != nil:
		return e.cause.Error()
	case e.Status != 0:
		return http.StatusText(e.Status)
	}
	for c := badInput; c <= badResponse; c <<= 1 {
		if e.categories&c != 0 {
			return c.Error()
		}
	}
	return "failed"
}

// Is reports whether the error belongs to a category, such as [ErrNotFound].
func (e *Error) Is(target error) bool {
	c, ok := target.(category)
	return ok && e.categories&c != 0
}

// Unwrap returns what caused the error, such as context.Canceled or the transport's error; nil where the server's answer
// is all there is.
func (e *Error) Unwrap() error { return e.cause }

// Body returns the start of the server's answer, at most 64 KiB. It may hold personal data: do not log it.
func (e *Error) Body() []byte {
	if e.body == nil {
		return nil
	}
	return bytes.Clone(*e.body)
}

// GoString keeps %#v to the same text as %v.
func (e *Error) GoString() string { return "&ghl.Error{" + strconv.Quote(e.Error()) + "}" }

// NewError returns a copy of e that belongs to the given categories, such as [ErrReauthRequired], in addition to its own.
// Errors that are not categories become the cause, which [errors.Is] and [errors.As] find. It is for token sources, limiters
// and packages that build on this one.
func NewError(e Error, causes ...error) *Error {
	others := []error{e.cause}
	for _, err := range causes {
		if c, ok := err.(category); ok {
			e.categories |= c
			continue
		}
		others = append(others, err)
	}
	others = slices.DeleteFunc(others, func(err error) bool { return err == nil })
	switch len(others) {
	case 0:
	case 1:
		e.cause = others[0]
	default:
		e.cause = errors.Join(others...)
	}
	return &e
}

// badInputf refuses an input before anything is sent.
func badInputf(field, format string, args ...any) *Error {
	return &Error{Field: field, Message: fmt.Sprintf(format, args...), categories: badInput}
}

// dailyLimitError is what a limiter answers when the daily quota is gone. reset is 0 when unknown.
func dailyLimitError(reset time.Duration) error {
	return &Error{Message: "the daily limit is used up", RetryAfter: reset, categories: dailyLimit | rateLimited}
}

// pauseError is what a limiter answers when the server has asked for a longer pause than the call may wait.
func pauseError(pause time.Duration) error {
	return &Error{Message: "the server asks to pause", RetryAfter: pause, categories: rateLimited}
}

// asError returns err as an *Error of the operation. A copy is made, for a limiter or a token source may hand the same
// error to many callers.
func asError(err error, op *Operation) *Error {
	var e *Error
	if errors.As(err, &e) {
		c := *e
		if c.Operation == "" {
			c.Operation = op.Name
		}
		if err != error(e) && c.cause == nil {
			c.cause = err
		}
		return &c
	}
	return &Error{Operation: op.Name, cause: err}
}

// tokenError is the failure to get a token. What went wrong there is not what the operation would say: a location that the
// token exchange does not find is no missing contact, and nothing was sent that could be ambiguous. So only those categories
// pass that mean the same for the call.
func tokenError(err error, op *Operation) *Error {
	e := &Error{Operation: op.Name, Message: "no token", cause: sealedError{err}}
	var inner *Error
	if errors.As(err, &inner) {
		e.categories = inner.categories & (badInput | unauthorized | missingScope | rateLimited | dailyLimit | reauthRequired | serverError)
		e.RetryAfter, e.Field, e.Scopes = inner.RetryAfter, inner.Field, inner.Scopes
	}
	return e
}

// sealedError keeps the categories of an error from errors.Is, and nothing else.
type sealedError struct{ err error }

func (e sealedError) Error() string { return e.err.Error() }

func (e sealedError) Is(target error) bool {
	_, ok := target.(category)
	return !ok && errors.Is(e.err, target)
}

func (e sealedError) As(target any) bool { return errors.As(e.err, target) }

// errorBody is the union of every error shape that has been seen.
type errorBody struct {
	Message          json.RawMessage `json:"message"` // a text, an array of texts or an object
	Error            json.RawMessage `json:"error"`   // a text, or an object in v3
	ErrorDescription string          `json:"error_description"`
	Name             string          `json:"name"`
	CanonicalCode    string          `json:"canonicalCode"`
	TraceID          string          `json:"traceId"`
	Meta             struct {
		ContactID     string `json:"contactId"`
		ContactName   string `json:"contactName"`
		MatchingField string `json:"matchingField"`
	} `json:"meta"`
}

// newError reads an answer that is no success. body is copied.
func newError(op *Operation, status int, body []byte) *Error {
	kept := bytes.Clone(body[:min(len(body), maxErrorBody)])
	e := &Error{Operation: op.Name, Status: status, body: &kept}
	var b errorBody
	if lenient.IsObject(body) && lenient.Unmarshal(body, &b) == nil {
		e.TraceID = b.TraceID
		e.Details = b.reasons()
		for i, text := range e.Details {
			e.Details[i] = withoutPath(text)
		}
		e.Message = strings.Join(e.Details, "; ")
		if b.Meta.ContactID != "" {
			e.Duplicate = &Duplicate{b.Meta.ContactID, b.Meta.ContactName, b.Meta.MatchingField}
		}
	}
	switch {
	case status >= 300 && status < 400:
		e.Details = nil
		e.Message = "the server redirects, which is not followed to another origin nor for a change"
	case status == http.StatusNotFound && e.Message == "":
		e.Message = noEndpoint // the router's own 404 is empty or HTML, a record's is JSON
	}
	e.categories = classify(e)
	if e.categories&missingScope != 0 {
		e.Scopes = append([]Scope(nil), op.Scopes...)
	}
	return e
}

// reasons returns the first of its properties that says something.
func (b *errorBody) reasons() []string {
	for _, list := range [][]string{texts(b.Message), {b.ErrorDescription}, texts(b.Error), {b.CanonicalCode}, {b.Name}} {
		if len(list) > 0 && list[0] != "" {
			return list
		}
	}
	return nil
}

// texts reads a text, an array of texts, or an object with a message.
func texts(data json.RawMessage) []string { return textsWithin(data, 4) }

// textsWithin reads texts down to a depth, for a hostile answer could nest them without end.
func textsWithin(data json.RawMessage, depth int) []string {
	if len(data) == 0 || depth == 0 {
		return nil
	}
	var list []string
	switch data[0] {
	case '[':
		_ = lenient.EachElement(data, func(value []byte) error {
			list = append(list, textsWithin(value, depth-1)...)
			return nil
		})
	case '{':
		var o struct {
			Message    json.RawMessage `json:"message"`
			Code       json.RawMessage `json:"code"`
			Resolution json.RawMessage `json:"resolution"`
		}
		if json.Unmarshal(data, &o) != nil {
			return nil
		}
		list = append(textsWithin(o.Message, depth-1), textsWithin(o.Resolution, depth-1)...)
		if len(list) == 0 {
			list = textsWithin(o.Code, depth-1)
		}
	default:
		if text, ok := lenient.Scalar(data); ok && text != "" && text != "null" {
			list = append(list, text)
		}
	}
	return list
}

// withoutPath takes the path and query out of the router's "Cannot GET /contacts/…?…".
func withoutPath(text string) string {
	if rest, ok := strings.CutPrefix(text, "Cannot "); ok {
		if method, _, ok := strings.Cut(rest, " /"); ok && !strings.Contains(method, " ") {
			return noEndpoint
		}
	}
	return text
}

const noEndpoint = "no such endpoint in this version of the API"

// classify says what an answer means. HighLevel's status alone does not: a missing contact is a 400, a gateway's time-out
// a 401.
func classify(e *Error) category {
	text := strings.ToLower(e.Message)
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case e.Status >= 500, e.Status == http.StatusRequestTimeout:
		return serverError
	case e.Status == http.StatusTooManyRequests:
		return rateLimited
	case e.Status == http.StatusUnauthorized && has("command timed out"):
		return serverError
	case e.Status == http.StatusUnauthorized && has("not authorized for this scope"):
		return missingScope | unauthorized
	case e.Status == http.StatusUnauthorized:
		return unauthorized
	case e.Status == http.StatusForbidden:
		return forbidden
	case e.Status == http.StatusNotFound && e.Message == noEndpoint:
		return 0 // a wrong path must not look like a deleted record
	case e.Status == http.StatusNotFound:
		return notFound
	case e.Duplicate != nil || has("does not allow duplicated contacts"):
		return duplicateContact
	case has("slot you have selected is no longer available"):
		return slotTaken
	case e.Status == http.StatusBadRequest && has("not found"):
		return notFound
	case e.Status == http.StatusUnprocessableEntity:
		return validation
	}
	return 0
}

// refusesToken reports whether the server refuses the token itself, so that another token may help.
func (e *Error) refusesToken() bool {
	if e.Status != http.StatusUnauthorized || e.categories != unauthorized {
		return false
	}
	text := strings.ToLower(e.Message)
	return !strings.Contains(text, "version header") && !strings.Contains(text, "user type mismatch") &&
		!strings.Contains(text, "authclass type")
}

// hide takes secrets out of everything that the server said, in case the server repeats the request.
func (e *Error) hide(secrets redact.Secrets) {
	texts := []*string{&e.Message, &e.TraceID}
	for i := range e.Details {
		texts = append(texts, &e.Details[i])
	}
	if e.Duplicate != nil {
		texts = append(texts, &e.Duplicate.ContactID, &e.Duplicate.ContactName, &e.Duplicate.MatchingField)
	}
	for _, text := range texts {
		*text = secrets.Hide(*text)
	}
	if e.body != nil {
		body := []byte(secrets.Hide(string(*e.body)))
		e.body = &body
	}
	e.cause = secrets.HideIn(e.cause)
}

// oneLine makes control characters spaces, so that a hostile message can't forge a line of a log.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
}

// clip shortens s to at most n bytes, never inside a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const mark = "…"
	n = max(n-len(mark), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}

func joinScopes(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
