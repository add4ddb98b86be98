package ghl

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/pluvo/ghl/internal/redact"
)

// CallOption changes one call. Every method takes any number of options; nil is ignored. A wrong option fails the
// call with [ErrBadInput] before anything is sent.
type CallOption func(*callOptions) error

type callOptions struct {
	location   string
	header     http.Header
	retry      RetryPolicy
	response   *Response
	background bool
	readBack   bool
	sentAt     *time.Time     // receives the time when the last attempt was sent
	secrets    redact.Secrets // of CallRedact
	path       map[string]string
	query      url.Values
}

// CallLocation sets another location for the call than the client's.
func CallLocation(id string) CallOption {
	return func(o *callOptions) error {
		o.location = id
		return checkID("locationId", id)
	}
}

// CallHeader sets a header of the request. Headers that the client sets itself are refused: Authorization, Version
// and those of content and connection. So are idempotency keys, which HighLevel does not support.
func CallHeader(key, value string) CallOption {
	name := http.CanonicalHeaderKey(key)
	return func(o *callOptions) error {
		switch name {
		case "Authorization", "Version", "Content-Type", "Content-Length", "Host", "Transfer-Encoding",
			"Connection", "Trailer", "Upgrade", "Te",
			"Accept-Encoding": // with it, net/http does not decompress the answer
			return badInputf(name, "this header is set by the client")
		case "Idempotency-Key", "X-Idempotency-Key": // with them, net/http retries a create
			return badInputf(name, "HighLevel does not support idempotency keys")
		}
		if !headerName(name) || !headerText(value) {
			return badInputf("header", "the header is empty or holds a character that none has")
		}
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Set(name, value)
		return nil
	}
}

func headerName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != ""
}

func headerText(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// CallRetry sets the retry policy of the call. A zero field has the client's value.
func CallRetry(policy RetryPolicy) CallOption {
	return func(o *callOptions) error {
		o.retry = policy
		return policy.check()
	}
}

// CallResponse fills r with the status, headers and limits of the answer, also when the call fails. With an
// iterator, r holds those of the latest page. r must not be shared by concurrent calls.
func CallResponse(r *Response) CallOption {
	return func(o *callOptions) error {
		o.response = r
		return nil
	}
}

// CallRedact removes secrets from the call's error, in case the server repeats them. The token of the request and
// the secrets of its form ([Operation.NoBearer]) are removed without this option. A secret of fewer than 8 bytes is
// ignored.
func CallRedact(secrets ...string) CallOption {
	return func(o *callOptions) error {
		o.secrets = append(o.secrets, secrets...)
		return nil
	}
}

// CallBackground lets other calls of the location go first while its rate limit is short. Use it for work that no
// user waits for, such as a backfill. The limiter must support it: [NewLimiter] does, and your own limiter can call
// [OperationFromContext].
func CallBackground() CallOption {
	return func(o *callOptions) error {
		o.background = true
		return nil
	}
}

// CallReadBack makes a create look for its record when the outcome is unknown ([ErrAmbiguous]), and after a 422,
// which HighLevel sometimes returns although it has created the record. If the record is found, the method returns
// it as if the create had succeeded. Otherwise it returns the error.
//
// A contact is found by its e-mail or phone among the contacts added since the request was sent, by the server's
// clock, with a tolerance of about a second. A note is found by its text in the same way. A task is found by all
// its fields; after a 422 only if the server returns when it was added. An appointment is found by its calendar,
// contact and start, also after [ErrSlotTaken], because the booking that took the slot may be this one. Other
// methods ignore the option.
func CallReadBack() CallOption {
	return func(o *callOptions) error {
		o.readBack = true
		return nil
	}
}

// CallPath fills a placeholder of the operation's path, for [Client.Call]. A placeholder that the path does not
// have, or that the method fills itself, is refused.
func CallPath(name, value string) CallOption {
	return func(o *callOptions) error {
		if name == "" {
			return badInputf("path", "the name of the placeholder is empty")
		}
		if o.path == nil {
			o.path = map[string]string{}
		}
		o.path[name] = value
		return checkID(name, value)
	}
}

// CallQuery adds a query parameter, mainly for [Client.Call]. A parameter that is given twice is sent twice. Use
// [CallLocation] to set the location of a method.
func CallQuery(name, value string) CallOption {
	return func(o *callOptions) error {
		if name == "" {
			return badInputf("query", "the name of the query parameter is empty")
		}
		if o.query == nil {
			o.query = url.Values{}
		}
		o.query.Add(name, value)
		return nil
	}
}

// Response is the status, headers and limits of an answer. [CallResponse] fills it.
type Response struct {
	// Status is the HTTP status of the last attempt; 0 when it had no answer.
	Status int
	// Header is the header of the last answer; nil when the last attempt had none.
	Header http.Header
	// RateLimit is what the header says about the limits.
	RateLimit RateLimit
	// TraceID is HighLevel's id of the request; "" when the answer has none.
	TraceID string
	// Attempts is how many requests were sent.
	Attempts int
	// Skipped are the elements of a list in the answer that are not records, unchanged. The method returns the
	// others.
	Skipped [][]byte
}

// isBackground reports whether ctx belongs to a call with [CallBackground].
func isBackground(ctx context.Context) bool {
	k, ok := ctx.Value(operationKey{}).(*call)
	return ok && k.opts.background
}

// patienceOf returns the longest Retry-After that the call of ctx waits for.
func patienceOf(ctx context.Context) time.Duration {
	if k, ok := ctx.Value(operationKey{}).(*call); ok {
		return k.policy.MaxRetryAfter
	}
	return defaultRetry.MaxRetryAfter
}
