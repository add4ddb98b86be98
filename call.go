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

// request is what a method asks for: the operation, and what fills it.
type request struct {
	op    *Operation
	path  []string // values of the placeholders, in order; {locationId} is filled by itself
	query url.Values
	in    any // nil, url.Values for a form, an input, or anything for JSON
}

// An input of a method refuses what the API would.
type input interface{ check() error }

// A sender is an input whose JSON depends on where it goes.
type sender interface {
	input
	wire(to target) any
}

// target is where a call goes.
type target struct {
	version  Version
	location string
}

// call is one call on its way: do is the one path that all of them take.
type call struct {
	client  *Client
	op      *Operation
	opts    callOptions
	to      target
	policy  RetryPolicy
	limiter Limiter
	request request
	attempt attempt

	ctx        context.Context
	attempts   int           // requests sent
	failures   int           // of these, the ones that count against the policy
	waited     time.Duration // for the limiter and between attempts
	refused    bool          // a token was refused, and the source asked for another
	acted      bool          // some attempt may have done the work although it failed
	settled    bool          // the last attempt was judged final
	sendHeader http.Header   // of the request, but for the token
	answer     *bytes.Buffer // the body of a successful answer
	status     int
	header     http.Header
	limit      RateLimit
	failure    *Error
	traceID    string
	skipped    [][]byte // elements of a list that are no records
}

// do sends a request and has decode read the answer. Everything that a call goes through is here, in retry.go (which
// failures are tried again) and in errors.go (what they mean).
func (c *Client) do(ctx context.Context, r request, decode decoder, opts []CallOption) error {
	k := &call{client: c, op: r.op, request: r}
	err := k.run(ctx, decode, opts)
	k.report(ctx, err)
	if err != nil { // not `return err`: a nil *Error is no nil error
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
	k.to = target{version: c.version, location: c.location}
	if k.opts.location != "" {
		k.to.location = k.opts.location
	}
	if id, ok := k.opts.path["locationId"]; ok {
		k.to.location = id
	}
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

// refuse is the error of a call that is not sent.
func (k *call) refuse(err error) *Error { return asError(err, k.op) }

// badAnswer is the error of an answer that says success and can't be read.
func (k *call) badAnswer(cause error) *Error {
	body := bytes.Clone(k.answer.Bytes()[:min(k.answer.Len(), maxErrorBody)])
	e := &Error{Operation: k.op.Name, Status: k.status, Attempts: k.attempts, TraceID: traceID(body), categories: badResponse}
	if !k.op.NoBearer { // that answer could hold half of a pair of tokens
		e.body = &body
	}
	var bad *badAnswerError
	if errors.As(cause, &bad) {
		e.Message = bad.text
	} else {
		e.Message = "the answer is no JSON of the promised form" // the decoder's words would quote the body
	}
	if k.op.NoBearer {
		e.hide(k.secrets())
	}
	return e
}

// secrets returns what must not appear in the call's error: the token, and the secrets of a form that replaces it.
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

// badAnswerError is what a decoder says of an answer.
type badAnswerError struct{ text string }

func (e *badAnswerError) Error() string { return e.text }

// resource is whose limit the call counts against.
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

// newRequest builds the request from the operation, but for the token, which each attempt sets anew.
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
	// An empty URL is filled in below: no text is put together just to be taken apart again.
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

// fillPath puts the values into the template, each checked to be an id and so nothing but one segment.
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
		return "", badInputf("path", "CallPath names a placeholder that is not there to fill")
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
		return nil, "", &Error{Field: "body", Message: "the input cannot be written as JSON", categories: badInput, cause: err}
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
		*r = Response{Status: k.status, Header: k.header, RateLimit: k.limit, TraceID: k.traceID, Attempts: k.attempts, Skipped: k.skipped}
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

// traceID finds HighLevel's id of the request in an answer.
func traceID(body []byte) string {
	if value := lenient.Field(body, "traceId"); value != nil {
		id, _ := lenient.Scalar(value)
		return id
	}
	return ""
}

// buffers are reused between calls; a decoded model keeps no part of one.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooledBuffer = 1 << 20

func (k *call) release() {
	if k.answer.Cap() <= maxPooledBuffer {
		k.answer.Reset()
		buffers.Put(k.answer)
	}
	k.answer = nil
}
