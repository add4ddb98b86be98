package ghltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
)

// serve calls a handler as net/http's server does.
func (h *hooks) serve(ctx context.Context, handler http.Handler, header http.Header, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header, r.RequestURI, r.RemoteAddr, r.GetBody = header, "/", "127.0.0.1:1", nil
	type result struct {
		status int
		err    error
	}
	done := make(chan result, 1)
	h.workers.Add(1)
	go func() {
		defer h.workers.Done()
		w, end := &answerWriter{}, result{0, errors.New("the handler ended its goroutine")}
		defer func() {
			if p := recover(); p != nil {
				end = result{0, fmt.Errorf("the handler panicked: %v", p)}
			}
			done <- end
		}()
		handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		end = result{w.status, nil}
	}()
	select {
	case end := <-done:
		return end.status, end.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// answerWriter records the status of an answer.
type answerWriter struct {
	header http.Header
	status int
}

func (w *answerWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *answerWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(p), nil
}
