package queue

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/db"
	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

// Recorder records the latest failed request of a run and its answer, so that they can be stored with the failed
// attempt. They are redacted when they are stored.
type Recorder struct {
	alive func() bool // whether the process of the run has a lease

	mu        sync.Mutex
	operation string
	status    int
	sent      []byte
	received  *limited
}

type recorderKey struct{}

func withRecorder(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

// Middleware records the requests and answers of a run. It sends no request after another process may have taken over
// the location, also if this process was frozen just before. Pass it to [ghl.WithMiddleware].
func Middleware(next http.RoundTripper) http.RoundTripper { return recording{next} }

type recording struct{ next http.RoundTripper }

// maxRecorded is how many bytes of a body are recorded.
const maxRecorded = 64 << 10

func (t recording) RoundTrip(req *http.Request) (*http.Response, error) {
	r, ok := req.Context().Value(recorderKey{}).(*Recorder)
	if !ok {
		return t.next.RoundTrip(req)
	}
	if !r.alive() {
		return nil, db.ErrFenced
	}
	var sent []byte
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			sent, _ = io.ReadAll(io.LimitReader(body, maxRecorded))
			_ = body.Close()
		}
	}
	name := ""
	if op, ok := ghl.OperationFromContext(req.Context()); ok {
		name = op.Name
	}
	resp, err := t.next.RoundTrip(req)
	if err == nil && resp.StatusCode < 400 {
		return resp, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.operation, r.sent, r.status, r.received = name, sent, 0, nil
	if err == nil {
		r.status, r.received = resp.StatusCode, &limited{}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(resp.Body, r.received), resp.Body}
	}
	return resp, err
}

// limited stores the beginning of what is written to it.
type limited struct {
	mu     sync.Mutex
	prefix bytes.Buffer
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := maxRecorded - l.prefix.Len(); left > 0 {
		l.prefix.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}

// into adds the recorded bodies to an attempt that failed in the recorded operation.
func (r *Recorder) into(a *Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Operation == "" || a.Operation != r.operation {
		return // another operation failed
	}
	a.Sent = redact.JSON(r.sent)
	if r.received != nil {
		r.received.mu.Lock()
		a.Received = redact.JSON(r.received.prefix.Bytes())
		r.received.mu.Unlock()
	}
}

// messageOf returns the redacted text of an error.
func messageOf(err error) string { return redact.Text(err.Error()) }

// of returns the attempt with the details of its error.
func (a Attempt) of(err error, r *Recorder) Attempt {
	a.Message = messageOf(err)
	var api *ghl.Error
	if errors.As(err, &api) {
		a.Operation, a.Status, a.TraceID = api.Operation, api.Status, redact.Text(api.TraceID)
		a.Received = redact.JSON(api.Body())
	}
	r.into(&a)
	return a
}
