package ghltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport returns a transport that answers requests to any host in this process, without a network:
//
//	client, err := ghl.New(ghl.WithHTTPClient(&http.Client{Transport: server.Transport()}), …)
//
// [Server.ClientOptions] includes it for a server of [NewHandler]. With it the server works in a testing/synctest
// bubble, where delays take no time. A connection that a [Fault] cuts is an error of the transport or of the body; a
// slow body arrives late, as a whole.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

// errCut is the error of a cut connection.
var errCut = fmt.Errorf("ghltest: the connection was cut: %w", io.ErrUnexpectedEOF)

// RoundTrip answers a request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	body, err := readAll(r)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	in := r.Clone(context.WithValue(ctx, http.ServerContextKey, t.s)) // marks a connection that can be cut
	in.Body, in.ContentLength, in.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	w := &recorder{header: http.Header{}}
	cut := w.serve(t.s.Handler(), in)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case cut && w.status == 0:
		return nil, errCut
	}
	return w.response(r, cut), nil
}

// readAll reads and closes the body, as http.RoundTripper requires.
func readAll(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	return body, errors.Join(err, r.Body.Close())
}

// recorder is the http.ResponseWriter of a transport.
type recorder struct {
	header http.Header
	sent   http.Header // a copy from the time of WriteHeader
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// serve runs the handler and reports whether it cut the connection.
func (w *recorder) serve(h http.Handler, r *http.Request) (cut bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			cut = true
		}
	}()
	h.ServeHTTP(w, r)
	w.WriteHeader(http.StatusOK)
	return false
}

func (w *recorder) response(r *http.Request, cut bool) *http.Response {
	for name, values := range w.sent {
		if len(values) == 0 { // keeps net/http from setting it
			delete(w.sent, name)
		}
	}
	resp := &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, ContentLength: int64(w.body.Len()), Request: r,
	}
	var body io.Reader = &w.body
	if cut {
		body = io.MultiReader(body, broken{})
		resp.ContentLength = -1
	}
	resp.Body = io.NopCloser(body)
	return resp
}

// broken is the end of a cut body.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errCut }
