package ghl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/pluvo/ghl/internal/lenient"
	"github.com/pluvo/ghl/internal/redact"
)

// request is the operation that a method calls, with the values that fill it.
type request struct {
	op    *Operation
	path  []string // the values of the placeholders in order, without {locationId}
	query url.Values
	in    any // nil, url.Values for a form, an input, or any value that is sent as JSON
}

// input is the input of a method. check returns an error for what the API would refuse.
type input interface{ check() error }

// sender is an input whose JSON depends on the version or the location.
type sender interface {
	input
	wire(to target) any
}

// target is the version and the location of a call.
type target struct {
	version  Version
	location string
}

// call is the state of one call. All calls take the same path, see [Client.do].
type call struct {
	client  *Client
	op      *Operation
	opts    callOptions
	to      target
	policy  RetryPolicy
	limiter Limiter
	request request
	attempt attempt

	ctx       context.Context
	attempts  int           // requests that were sent
	failures  int           // attempts that count against the policy
	waited    time.Duration // time spent in the limiter and between attempts
	refused   bool          // the server refused a token, and the source was asked for another one
	acted     bool          // a failed attempt may have done the work
	settled   bool          // judge has decided not to retry the last attempt
	throttled int           // 429s
	// limitedUntil is when the waits for the rate limit end; zero before the first 429.
	limitedUntil time.Time
	sendHeader   http.Header   // the header of the request without the token
	answer       *bytes.Buffer // the body of a successful answer
	status       int
	header       http.Header
	limit        RateLimit
	failure      *Error
	traceID      string
	skipped      [][]byte // elements of a list that are not records
}

// do sends a request and lets decode read the answer. The path of a call is in this file, in retry.go (which
// failures are retried) and in errors.go (what they mean).
func (c *Client) do(ctx context.Context, r request, decode decoder, opts []CallOption) error {
	k := &call{client: c, op: r.op, request: r}
	err := k.run(ctx, decode, opts)
	k.report(ctx, err)
	if err != nil { // `return err` would turn a nil *Error into a non-nil error
		return err
	}
	return nil
}

func (k *call) run(ctx context.Context, decode decoder, opts []CallOption) *Error {
	if ctx == nil {
		return k.refuse(badInputf("ctx", "the context is nil"))
	}
	for _, opt := range opts {
		if opt == nil {
			continue
		}
		if err := opt(&k.opts); err != nil {
			return k.refuse(err)
		}
	}
	c := k.client
	k.to = c.target(&k.opts)
	k.policy = k.opts.retry.orElse(c.retry)
	k.ctx = context.WithValue(ctx, operationKey{}, k)
	req, err := k.newRequest()
	if err != nil {
		return k.refuse(err)
	}
	if err := ctx.Err(); err != nil {
		return asError(err, k.op)
	}
	k.limiter = c.limiters.of(k.resource())

	k.send(req)
	if k.answer != nil {
		defer k.release()
	}
	if k.failure != nil {
		return k.failure
	}
	body := k.answer.Bytes()
	if k.opts.response != nil || c.logger.Enabled(ctx, slog.LevelDebug) {
		k.traceID = traceID(body)
		if k.op.NoBearer {
			k.traceID = k.secrets().Hide(k.traceID)
		}
	}
	if err := decode(k, body); err != nil {
		return k.badAnswer(err)
	}
	return nil
}

// target returns the version and the location of a call with these options.
func (c *Client) target(o *callOptions) target {
	to := target{version: c.version, location: c.location}
	if o.location != "" {
		to.location = o.location
	}
	if id, ok := o.path["locationId"]; ok {
		to.location = id
	}
	return to
}

// refuse returns the error of a call that is not sent.
func (k *call) refuse(err error) *Error { return asError(err, k.op) }

// badAnswer returns the error of an answer with a status of success that cannot be read.
func (k *call) badAnswer(cause error) *Error {
	body := bytes.Clone(k.answer.Bytes()[:min(k.answer.Len(), maxErrorBody)])
	e := &Error{
		Operation: k.op.Name, Status: k.status, Attempts: k.attempts, TraceID: traceID(body), categories: badResponse,
	}
	if !k.op.NoBearer { // such an answer could hold half of a pair of tokens
		e.body = &body
	}
	var bad *badAnswerError
	if errors.As(cause, &bad) {
		e.Message = bad.text + k.messageInstead(bad)
	} else {
		e.Message = "the answer is not JSON of the promised form" // the decoder's error would quote the body
	}
	e.hide(k.secrets())
	return e
}

// messageInstead returns the server's message for the end of the error's text, if the answer holds a message instead of
// the promised record.
func (k *call) messageInstead(bad *badAnswerError) string {
	said, err := readEnvelope(k.answer.Bytes())
	if err != nil || said.others || !said.message || !bad.absent {
		return ""
	}
	r := &refusal{op: k.op, body: k.answer.Bytes()}
	r.parse()
	return r.suffix()
}

// secrets returns the texts that must not appear in the call's error: the token or the secrets of the form, and the
// texts of CallRedact.
func (k *call) secrets() redact.Secrets {
	secrets := slices.Clone(k.opts.secrets)
	if k.attempt.token != nil {
		secrets = append(secrets, k.attempt.token.AccessToken)
	}
	if form, ok := k.request.in.(url.Values); ok && k.op.NoBearer {
		for name, values := range form {
			if secretField(name) {
				secrets = append(secrets, values...)
			}
		}
	}
	return secrets
}

// secretField reports whether a form field holds a secret, by its name.
func secretField(name string) bool {
	name = strings.ToLower(name)
	for _, word := range [...]string{"secret", "token", "code", "password", "assertion"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// badAnswerError is a decoder's error whose text does not quote the answer.
type badAnswerError struct {
	text   string
	absent bool // the answer does not have what the operation promises
}

func (e *badAnswerError) Error() string { return e.text }

// resource returns the id of the location or company that the call counts against.
func (k *call) resource() string {
	if k.op.company {
		if id := k.request.query.Get("companyId"); id != "" {
			return id
		}
		if form, ok := k.request.in.(url.Values); ok {
			return form.Get("companyId")
		}
	}
	return k.to.location
}

// newRequest builds the request from the operation. The token is missing: each attempt sets it.
func (k *call) newRequest() (*retryablehttp.Request, error) {
	if k.client.tokens == nil && !k.op.NoBearer {
		return nil, badInputf("TokenSource", "this client was made without a token source")
	}
	path, err := k.fillPath()
	if err != nil {
		return nil, err
	}
	if k.op.location != nowhere {
		if err := checkID("locationId", k.to.location); err != nil {
			return nil, err
		}
	}
	if k.op.location == inQuery && k.opts.query.Has("locationId") {
		return nil, badInputf("locationId", "the location of this call is set with CallLocation")
	}
	body, contentType, err := k.encodeBody()
	if err != nil {
		return nil, err
	}
	// The URL is filled in below, which saves formatting and parsing it.
	plain, err := http.NewRequestWithContext(k.traced(k.ctx), k.op.Method, "", nil)
	if err != nil {
		return nil, err
	}
	base := k.client.base
	*plain.URL = url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path + path}
	plain.Host = base.Host
	plain.URL.RawQuery = k.rawQuery()
	header := plain.Header
	values := [...]string{string(k.op.version(k.to.version)), "application/json", k.client.userAgent, contentType}
	header["Version"], header["Accept"], header["User-Agent"] = values[0:1:1], values[1:2:2], values[2:3:3]
	if contentType != "" {
		header["Content-Type"] = values[3:4:4]
	}
	for key, v := range k.opts.header {
		header[key] = v
	}
	k.sendHeader = header
	req, err := retryablehttp.FromRequest(plain)
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := req.SetBody(body); err != nil {
			return nil, err
		}
	}
	return req, nil
}

// fillPath fills the path template. It checks that each value is an id, so that it stays within its segment.
func (k *call) fillPath() (string, error) {
	template := k.op.path(k.to.version)
	var b strings.Builder
	b.Grow(len(template) + 32)
	positional, named := k.request.path, 0
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		value := ""
		switch {
		case name == "locationId":
			value = k.to.location
			if _, ok := k.opts.path[name]; ok {
				named++
			}
		case len(positional) > 0:
			value, positional = positional[0], positional[1:]
		default:
			if v, ok := k.opts.path[name]; ok {
				value = v
				named++
			}
		}
		if err := checkID(name, value); err != nil {
			return "", err
		}
		b.WriteString(value)
		template = after
	}
	if named != len(k.opts.path) {
		return "", badInputf("path", "CallPath names a placeholder that does not exist or is filled already")
	}
	return b.String(), nil
}

func (k *call) rawQuery() string {
	query := k.request.query
	if query == nil && len(k.opts.query) == 0 && k.op.location != inQuery {
		return ""
	}
	all := url.Values{}
	for _, values := range []url.Values{query, k.opts.query} {
		for key, list := range values {
			all[key] = append(all[key], list...)
		}
	}
	if k.op.location == inQuery {
		all.Set("locationId", k.to.location)
	}
	return all.Encode()
}

func (k *call) encodeBody() (body []byte, contentType string, err error) {
	in := k.request.in
	if _, ok := in.(url.Values); k.op.Form && !ok {
		return nil, "", badInputf("body", "the operation sends a form: its input must be url.Values")
	}
	switch in := in.(type) {
	case nil:
		return nil, "", nil
	case url.Values:
		return []byte(in.Encode()), "application/x-www-form-urlencoded", nil
	case input:
		if err := in.check(); err != nil {
			return nil, "", err
		}
	}
	if s, ok := in.(sender); ok {
		in = s.wire(k.to)
	}
	body, err = json.Marshal(in)
	if err != nil {
		return nil, "", &Error{Field: "body", Message: "the input cannot be written as JSON",
			categories: badInput, cause: err}
	}
	return body, "application/json", nil
}

// report fills the caller's Response and writes the log record.
func (k *call) report(ctx context.Context, err *Error) {
	if err != nil {
		k.traceID = err.TraceID
	}
	if k.opts.sentAt != nil {
		*k.opts.sentAt = k.attempt.sent
	}
	if r := k.opts.response; r != nil {
		*r = Response{
			Status: k.status, Header: k.header, RateLimit: k.limit, TraceID: k.traceID, Attempts: k.attempts,
			Skipped: k.skipped,
		}
	}
	level := slog.LevelDebug
	if err != nil || len(k.skipped) > 0 {
		level = slog.LevelWarn
	}
	if ctx == nil {
		ctx = context.Background()
	}
	if logger := k.client.logger; logger.Enabled(ctx, level) {
		logger.LogAttrs(ctx, level, "ghl call",
			slog.String("operation", k.op.Name), slog.Int("status", k.status), slog.Int("attempts", k.attempts),
			slog.Duration("waited", k.waited), slog.String("trace_id", k.traceID), slog.Int("skipped", len(k.skipped)))
	}
}

// traceID returns HighLevel's id of the request from an answer, "" if there is none.
func traceID(body []byte) string {
	if value := lenient.Field(body, "traceId"); value != nil {
		id, _ := lenient.Scalar(value)
		return id
	}
	return ""
}

// buffers are reused between calls. A decoded model holds no part of a buffer.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooledBuffer = 1 << 20

func (k *call) release() {
	if k.answer.Cap() <= maxPooledBuffer {
		k.answer.Reset()
		buffers.Put(k.answer)
	}
	k.answer = nil
}
