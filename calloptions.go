package ghl

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/pluvo/ghl/internal/redact"
)

// CallOption changes one call. Every method takes any number of them; nil is ignored. What is wrong with one is the call's
// error, before anything is sent.
type CallOption func(*callOptions) error

type callOptions struct {
	location   string
	header     http.Header
	retry      RetryPolicy
	response   *Response
	background bool
	readBack   bool
	sentAt     *time.Time     // receives the time at which the last attempt was sent
	secrets    redact.Secrets // to take out of the call's error
	path       map[string]string
	query      url.Values
}

// CallLocation makes the call about another location than the client's.
func CallLocation(id string) CallOption {
	return func(o *callOptions) error {
		o.location = id
		return checkID("locationId", id)
	}
}

// CallHeader sets a header of the request. The token, version, content and connection headers are the client's own and are
// refused; so are idempotency keys, which HighLevel does not know.
func CallHeader(key, value string) CallOption {
	name := http.CanonicalHeaderKey(key)
	return func(o *callOptions) error {
		switch name {
		case "Authorization", "Version", "Content-Type", "Content-Length", "Host", "Transfer-Encoding", "Connection", "Trailer", "Upgrade", "Te",
			"Accept-Encoding": // net/http would no longer unpack the answer
			return badInputf(name, "this header is set by the client")
		case "Idempotency-Key", "X-Idempotency-Key": // net/http takes them as leave to send a create twice
			return badInputf(name, "HighLevel knows no idempotency keys")
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

// CallRetry sets the retry policy of the call. Zero fields keep the client's.
func CallRetry(policy RetryPolicy) CallOption {
	return func(o *callOptions) error {
		o.retry = policy
		return policy.check()
	}
}

// CallResponse fills r with what surrounds the answer, also when the call fails. On an iterator it holds the latest page's.
// r must not be shared between calls that run at once.
func CallResponse(r *Response) CallOption {
	return func(o *callOptions) error {
		o.response = r
		return nil
	}
}

// CallRedact takes secrets out of the call's error, in case the server repeats them. The token of the request and the secrets
// of its form ([Operation.NoBearer]) are taken out without it. A secret of fewer than 8 bytes is ignored.
func CallRedact(secrets ...string) CallOption {
	return func(o *callOptions) error {
		o.secrets = append(o.secrets, secrets...)
		return nil
	}
}

// CallBackground lets other calls of the location go first while its limit is short. Use it for what nobody waits for, such
// as a backfill. It is the limiter that does so: [NewLimiter] does, one of your own can ask [IsBackground].
func CallBackground() CallOption {
	return func(o *callOptions) error {
		o.background = true
		return nil
	}
}

// CallReadBack makes a create look for its record when the outcome is unknown ([ErrAmbiguous]), and after a 422, which
// HighLevel sometimes answers although it has created the record. If the record is there it is returned as if the create
// had succeeded; else the error stays.
//
// A contact is found by its e-mail or phone among those added since the request was sent, by the server's clock and to about a
// second; a note by its text likewise; a task by all its fields, after a 422 only if the server says when it was added; an
// appointment by its calendar, contact and start, also after [ErrSlotTaken], for the booking that took the slot may be one's
// own. Methods other than these creates ignore the option.
func CallReadBack() CallOption {
	return func(o *callOptions) error {
		o.readBack = true
		return nil
	}
}

// CallPath fills a placeholder of the operation's path, for [Client.Call]. One that the path does not have, or that a method
// has filled already, is refused.
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

// CallQuery adds a query parameter, for [Client.Call] above all. Given twice, it is sent twice. The location of a method is set
// with [CallLocation].
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

// Response is what surrounds an answer. Get it with [CallResponse].
type Response struct {
	// Status is the HTTP status of the last attempt; 0 when none was answered.
	Status int
	// Header are the headers of the last answer.
	Header http.Header
	// RateLimit is what they say about the limits.
	RateLimit RateLimit
	// TraceID is HighLevel's id of the request, where the answer has one.
	TraceID string
	// Attempts is how many requests were sent.
	Attempts int
	// Skipped are elements of a list in the answer that are no records, as they came. The method returns the others.
	Skipped [][]byte
}

// IsBackground reports whether a limiter is asked on behalf of a call that was marked with [CallBackground].
func IsBackground(ctx context.Context) bool {
	k, ok := ctx.Value(operationKey{}).(*call)
	return ok && k.opts.background
}

// patienceOf returns the longest Retry-After that the call waits for.
func patienceOf(ctx context.Context) time.Duration {
	if k, ok := ctx.Value(operationKey{}).(*call); ok {
		return k.policy.MaxRetryAfter
	}
	return defaultRetry.MaxRetryAfter
}
