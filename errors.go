package ghl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pluvo/ghl/internal/lenient"
	"github.com/pluvo/ghl/internal/redact"
)

// category is a set of kinds of failures.
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
	locationForbidden
)

var categoryText = map[category]string{
	badInput: "bad input", validation: "validation failed", notFound: "not found", unauthorized: "unauthorized",
	missingScope: "missing scope", forbidden: "forbidden", duplicateContact: "duplicate contact",
	slotTaken:   "slot taken",
	rateLimited: "rate limited", dailyLimit: "daily limit reached", reauthRequired: "authorization needed again",
	serverError: "server error", ambiguous: "outcome unknown", badResponse: "bad response",
	locationForbidden: "location forbidden",
}

// Categories of errors, for [errors.Is]. An error may belong to several: a missing scope is also unauthorized, and
// the daily limit is also a rate limit.
var (
	// ErrBadInput means that the input was refused before anything was sent. [Error.Field] names the input.
	ErrBadInput error = badInput
	// ErrValidation means that the server refused the content (HTTP 422, or a 400 to a write that names what is
	// wrong). [Error.Details] lists its reasons. Any other error with a 4xx in [Error.Status] that is none of
	// ErrServer, ErrRateLimited and ErrAmbiguous is definite too: the same request would be refused again.
	ErrValidation error = validation
	// ErrNotFound means that the record asked for does not exist: the server names its id as not found (HTTP 400 or
	// 404), or returns a 404 whose JSON names this kind of record. A record within another one, such as a contact's
	// task, is also not found when the contact is not. Anything else that is not found, such as the location, a user
	// or the endpoint, is not ErrNotFound, and neither is a 404 that names nothing ("Not Found").
	ErrNotFound error = notFound
	// ErrUnauthorized means that the server refused the token (HTTP 401).
	ErrUnauthorized error = unauthorized
	// ErrMissingScope means that the token lacks a scope. [Error.Scopes] lists the scopes that the operation needs.
	ErrMissingScope error = missingScope
	// ErrForbidden means that HighLevel does not permit the operation with this token (HTTP 403). A page of the
	// network before HighLevel is [ErrServer] instead, with any status.
	ErrForbidden error = forbidden
	// ErrLocationForbidden means that the server refuses the whole location, so that every call of the location
	// fails: the token has no access to the location, or the location is not active. It is also [ErrForbidden].
	ErrLocationForbidden error = locationForbidden
	// ErrDuplicateContact means that the location does not allow duplicates and has such a contact:
	// [Error.Duplicate].
	ErrDuplicateContact error = duplicateContact
	// ErrSlotTaken means that the slot is already booked.
	ErrSlotTaken error = slotTaken
	// ErrRateLimited means too many requests (HTTP 429). A call waits and retries by itself. The call returns this
	// error only when the server asks for a longer wait than [RetryPolicy.MaxRetryAfter], after
	// [RetryPolicy.MaxRateLimitWait], when [RetryPolicy.MaxAttempts] is 1, when the context ends the wait, or with
	// [ErrDailyLimit]. [Error.RetryAfter] is the time to wait, 0 if unknown.
	ErrRateLimited error = rateLimited
	// ErrDailyLimit means that the daily quota is used up. [Error.RetryAfter] is the time until it resets, 0 if
	// unknown.
	ErrDailyLimit error = dailyLimit
	// ErrReauthRequired means that a person must connect the account again.
	ErrReauthRequired error = reauthRequired
	// ErrServer means that HighLevel or the network before it failed: a 5xx, a time-out of a gateway with any status
	// (400 "Request Timeout after 30000ms", 401 "Command timed out"), or a page of the network instead of JSON, such
	// as a block by Cloudflare (403), which [Error.Message] describes.
	ErrServer error = serverError
	// ErrAmbiguous means that the server may have done the operation, and that a retry is not safe. Check before
	// you repeat it, or use [CallReadBack]. [errors.Is] also finds the cause, such as [context.Canceled].
	ErrAmbiguous error = ambiguous
	// ErrBadResponse means that the status is that of a success, but the answer is empty, not JSON, a page, an error
	// object, too large or without the promised record. [Error.Message] has HighLevel's message from an error object.
	// The server may have done the operation. A refused token in an error object is refreshed as after a 401.
	ErrBadResponse error = badResponse
)

// Error is the type of every error that a call returns. Its text holds the operation, the status, the server's
// message, the trace id and the number of attempts, and never a token, a body or a query.
type Error struct {
	// Operation is the name of the operation in the catalog, such as "contacts.get".
	Operation string
	// Status is the HTTP status, which can differ from the one in the body; 0 without an answer.
	Status int
	// Message is the server's message, or describes what is wrong with the input.
	Message string
	// Details are the server's reasons, when it returned a list; up to 16 KiB of them.
	Details []string
	// TraceID is HighLevel's id of the request, which HighLevel's support asks for.
	TraceID string
	// Attempts is how many requests were sent; 0 when the input was refused.
	Attempts int
	// RetryAfter is how long to wait before the next attempt; 0 if unknown.
	RetryAfter time.Duration
	// Field is the name of the refused input, with [ErrBadInput].
	Field string
	// Scopes are the scopes that the operation needs, with [ErrMissingScope].
	Scopes []Scope
	// Duplicate is the existing contact, with [ErrDuplicateContact]. It is nil if the answer does not name the contact.
	Duplicate *Duplicate

	categories category
	cause      error
	body       *[]byte // a pointer, so that no fmt verb prints it
}

// Duplicate is the existing contact with which a create or update collided.
type Duplicate struct {
	ContactID string
	// ContactName may be empty.
	ContactName string
	// MatchingField is "email", "phone" or "additionalEmail".
	MatchingField string
}

const (
	maxErrorText = 2000
	maxErrorBody = 64 << 10 // stored in the error
	maxErrorRead = 1 << 20  // read, because a truncated body is not JSON
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
		tail += " [trace " + redact.Clip(oneLine(e.TraceID), 100) + "]"
	}
	if e.Attempts > 1 {
		tail += fmt.Sprintf(" [%d attempts]", e.Attempts)
	}
	return redact.Clip(oneLine(b.String()), maxErrorText-len(tail)) + tail
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
		return statusText(e.Status)
	}
	for c := badInput; c <= locationForbidden; c <<= 1 {
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

// Unwrap returns the cause, such as context.Canceled or the transport's error; nil for an error that is only the
// server's answer.
func (e *Error) Unwrap() error { return e.cause }

// Body returns the start of the server's answer, at most 64 KiB; nil without an answer. The answer may hold personal
// data: do not log it.
func (e *Error) Body() []byte {
	if e.body == nil {
		return nil
	}
	return bytes.Clone(*e.body)
}

// GoString returns the text of Error, so that %#v prints no more than %v.
func (e *Error) GoString() string { return "&ghl.Error{" + strconv.Quote(e.Error()) + "}" }

// With returns a copy of e to which causes are added. A cause that is a category, such as [ErrReauthRequired],
// adds that category. Any other cause is wrapped, so that [errors.Is] and [errors.As] find it. Use With in your
// own token sources and limiters, whose errors a call passes on.
func (e *Error) With(causes ...error) *Error {
	made := *e
	others := []error{e.cause}
	for _, err := range causes {
		if c, ok := err.(category); ok {
			made.categories |= c
			continue
		}
		others = append(others, err)
	}
	others = slices.DeleteFunc(others, func(err error) bool { return err == nil })
	switch len(others) {
	case 0:
	case 1:
		made.cause = others[0]
	default:
		made.cause = errors.Join(others...)
	}
	return &made
}

// badInputf returns the error that refuses an input.
func badInputf(field, format string, args ...any) *Error {
	return &Error{Field: field, Message: fmt.Sprintf(format, args...), categories: badInput}
}

// dailyLimitError returns the error of a limiter when the daily quota is used up. reset is 0 when unknown.
func dailyLimitError(reset time.Duration) error {
	return &Error{Message: "the daily limit is used up", RetryAfter: reset, categories: dailyLimit | rateLimited}
}

// pauseError returns the error of a limiter when the server has asked for a longer pause than the call may wait.
func pauseError(pause time.Duration) error {
	return &Error{Message: "the server asks to pause", RetryAfter: pause, categories: rateLimited}
}

// asError returns err as an *Error of the operation. It makes a copy, because a limiter or token source may return
// the same error to many callers.
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

// tokenError returns the error of a call that got no token. The error has only the categories of err that are also true
// for the call. For example, a location that the token exchange does not find is not a missing contact, and a call that
// was not sent is not ambiguous.
func tokenError(err error, op *Operation) *Error {
	e := &Error{Operation: op.Name, Message: "no token", cause: sealedError{err}}
	var inner *Error
	if errors.As(err, &inner) {
		e.categories = inner.categories &
			(badInput | unauthorized | missingScope | rateLimited | dailyLimit | reauthRequired | serverError)
		e.RetryAfter, e.Field, e.Scopes = inner.RetryAfter, inner.Field, inner.Scopes
	}
	return e
}

// sealedError hides the categories of an error from errors.Is. errors.Is still finds everything else.
type sealedError struct{ err error }

func (e sealedError) Error() string { return e.err.Error() }

func (e sealedError) Is(target error) bool {
	_, ok := target.(category)
	return !ok && errors.Is(e.err, target)
}

func (e sealedError) As(target any) bool { return errors.As(e.err, target) }

// errorBody is the union of the known forms of error answers.
type errorBody struct {
	Message          json.RawMessage `json:"message"` // a string, an array of strings or an object
	Error            json.RawMessage `json:"error"`   // a string, or an object in v3
	Errors           json.RawMessage `json:"errors"`  // an array of strings or objects
	ErrorDescription string          `json:"error_description"`
	Name             string          `json:"name"`
	CanonicalCode    string          `json:"canonicalCode"`
	TraceID          string          `json:"traceId"`
	CloudflareError  bool            `json:"cloudflare_error"` // the answer is Cloudflare's, with its number
	ErrorCode        json.RawMessage `json:"error_code"`
	Meta             struct {
		ContactID     string `json:"contactId"`
		ContactName   string `json:"contactName"`
		MatchingField string `json:"matchingField"`
	} `json:"meta"`
}

// reasons returns the texts of the first property that has any.
func (b *errorBody) reasons() []string {
	for _, list := range [][]string{texts(b.Message), {b.ErrorDescription}, texts(b.Error),
		texts(b.Errors), {b.CanonicalCode}, {b.Name}} {
		if len(list) > 0 && list[0] != "" {
			return list
		}
	}
	return nil
}

// texts returns the texts of a string, an array of strings, or an object with a message.
func texts(data json.RawMessage) []string { return textsWithin(data, 4) }

// textsWithin is texts down to a depth, because a hostile answer could nest values without end.
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

// withoutPath replaces the router's "Cannot GET /contacts/…?…", which holds a path and a query.
func withoutPath(text string) string {
	if rest, ok := strings.CutPrefix(text, "Cannot "); ok {
		if method, _, ok := strings.Cut(rest, " /"); ok && !strings.Contains(method, " ") {
			return noEndpoint
		}
	}
	return text
}

// hide removes secrets from everything that the server returned, because a server may echo the request. It also removes
// the tokens that an error answer contains.
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
		body := []byte(redact.HideTokens(secrets.Hide(string(*e.body))))
		e.body = &body
	}
	e.cause = secrets.HideIn(e.cause)
}

// oneLine replaces control characters by spaces, so that a hostile message cannot forge a line of a log.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
}

func joinScopes(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
