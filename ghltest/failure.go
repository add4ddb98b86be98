package ghltest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// failure is the combined effect of the faults that hit a request.
type failure struct {
	outcome *answer.Effect // replaces the answer; nil for none
	changes []*answer.Effect
	names   []string
}

// name returns the names of the faults for the log of requests.
func (f *failure) name() string {
	if f == nil {
		return ""
	}
	return strings.Join(f.names, "+")
}

// cut returns where the connection ends.
func (f *failure) cut() answer.Cut {
	switch {
	case f.outcome == nil:
		return answer.NoCut
	case f.outcome.Hang:
		return answer.CutAnswer
	}
	return f.outcome.Cut
}

// status returns the status that the caller receives: 0 for none.
func (f *failure) status(status int) int {
	if f.cut() == answer.CutAnswer {
		return 0
	}
	return status
}

// answerFailing returns the answer to a request that fails, as Server.answer does for other requests.
func (s *Server) answerFailing(
	f *failure, at *endpoint, r *http.Request, body []byte, now time.Time, header http.Header,
) (status int, text []byte) {
	for _, change := range f.changes {
		if change.EditRequest != nil {
			r, body = editRequest(change, r, body)
		}
	}
	switch o := f.outcome; {
	case o == nil || o.AfterWork:
		result, err := s.answer(at, r, body, now, header)
		status, text = encode(at.successStatus(), result, err)
	case o.Reply != nil && !o.Reply.Gateway:
		s.admit(at, s.state.grants[bearer(r)], now, header)
	}
	header.Set("Content-Type", answer.ContentType)
	if o := f.outcome; o != nil && o.Reply != nil {
		return reply(o.Reply, r, header)
	}
	for _, change := range f.changes {
		if change.EditAnswer != nil && status >= 200 && status < 300 {
			text = answer.Edit(text, func(decoded any) any { return change.EditAnswer(decoded, r.URL.Query(), body) })
		}
		if change.Reshape != nil {
			text = change.Reshape(header, text)
		}
		if change.DateSkew != 0 {
			header.Set("Date", now.Add(change.DateSkew).UTC().Format(http.TimeFormat))
		}
	}
	return status, text
}

// editRequest returns the request and the body that the operation gets in place of the ones that came in.
func editRequest(change *answer.Effect, r *http.Request, body []byte) (*http.Request, []byte) {
	query, object := r.URL.Query(), map[string]any{}
	isObject := answer.Decode(body, &object) == nil
	change.EditRequest(query, object)
	edited := new(http.Request)
	*edited = *r
	edited.URL = new(url.URL)
	*edited.URL = *r.URL
	edited.URL.RawQuery = query.Encode()
	if isObject {
		body = answer.Marshal(object)
	}
	return edited, body
}

// reply writes the headers of an answer that replaces the operation's own, and returns its status and body.
func reply(r *answer.Reply, to *http.Request, header http.Header) (int, []byte) {
	body := r.Body
	if id := to.PathValue("contactId"); id != "" && r.ContactID != "" {
		body = strings.ReplaceAll(body, r.ContactID, id)
	}
	if r.Gateway {
		for name := range header {
			if name != "Date" {
				delete(header, name)
			}
		}
	}
	header["Content-Type"] = nil // keeps net/http from guessing one
	if r.ContentType != "" {
		header["Content-Type"] = []string{r.ContentType}
	}
	for name, value := range r.Header {
		header.Set(name, value)
	}
	return r.Status, []byte(body)
}

// deliver writes the answer to a request that fails.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, f *failure, status int, text []byte) {
	for _, change := range f.changes {
		if change.Delay > 0 && !s.wait(r.Context(), change.Delay) {
			cutConnection(w, r)
			return
		}
	}
	if f.outcome != nil && f.outcome.Hang {
		s.wait(r.Context(), 1<<62)
	}
	if f.cut() == answer.CutAnswer {
		cutConnection(w, r)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	switch f.cut() {
	case answer.CutAtHeaders:
		text = nil
	case answer.CutInBody:
		text = text[:len(text)/2]
	}
	if !s.writeBody(w, r, f, text) || f.cut() != answer.NoCut {
		flush(w)
		if hasConnection(r) {
			panic(http.ErrAbortHandler)
		}
	}
}

// writeBody writes a body as slowly as the faults ask, and reports whether it wrote the whole body.
func (s *Server) writeBody(w http.ResponseWriter, r *http.Request, f *failure, text []byte) bool {
	for _, change := range f.changes {
		if change.ChunkBytes == 0 {
			continue
		}
		for len(text) > 0 {
			n := min(change.ChunkBytes, len(text))
			_, _ = w.Write(text[:n])
			flush(w)
			if text = text[n:]; !s.wait(r.Context(), change.ChunkPause) {
				return false
			}
		}
	}
	_, _ = w.Write(text)
	return true
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// wait waits for d and returns true. It returns false early when the caller gives up or the server is closed.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.open.Done():
	}
	return false
}

// hasConnection reports whether a request came in over a connection, which can be cut.
func hasConnection(r *http.Request) bool { return r.Context().Value(http.ServerContextKey) != nil }

// cutConnection ends the connection before an answer. Without a connection it answers 502, which is as ambiguous for
// the caller.
func cutConnection(w http.ResponseWriter, r *http.Request) {
	if hasConnection(r) {
		panic(http.ErrAbortHandler)
	}
	const text = "ghltest would cut the connection here"
	clear(w.Header())
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte(text))
}
