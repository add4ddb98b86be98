package ghltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault makes requests go wrong: which of them, and how. See [Server.Fail].
type Fault struct {
	// Kind is how, such as BadGatewayHTML() or CutAfterWork().
	Kind Kind
	// Operation is the name of an operation in the catalog, such as "contacts.create"; "" means every request.
	Operation string
	// After lets so many of these requests through first.
	After int
	// Times is how many go wrong then; 0 means all of them.
	Times int
	// Chance is the probability with which each of them goes wrong, over 0 and up to 1; 0 means always. Times counts those
	// that did.
	Chance float64
	// Seed of the chance; the same seed and requests give the same faults.
	Seed uint64
}

// ActiveFault is a [Fault] in force.
type ActiveFault struct {
	fault  Fault
	server *Server
	random *rand.Rand
	seen   int // requests of the operation
	hits   int // of these, the ones that went wrong
}

// Fail makes requests go wrong from now on, until the fault has hit [Fault.Times] times or is removed. Several faults may be in
// force: of those that decide about the whole answer (a status, a cut connection) the one that was given first hits, those
// that only alter an answer (odd values, a slow body) add up. [Request.Fault] tells which ones hit a request.
//
// A fault comes before every check, so a wrong token meets it too. An answer of the API counts against the rate limit and
// has its headers; one of a gateway does neither.
func (s *Server) Fail(f Fault) *ActiveFault {
	s.helper()
	if err := f.check(s.routes); err != nil {
		s.fail("Fail: %v", err)
		return nil
	}
	a := &ActiveFault{fault: f, server: s, random: rand.New(rand.NewPCG(f.Seed, 3))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, a)
	return a
}

// ClearFaults removes every fault.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Remove ends the fault.
func (a *ActiveFault) Remove() {
	s := a.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(other *ActiveFault) bool { return other == a })
}

// Hits returns how many requests it has hit.
func (a *ActiveFault) Hits() int {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return a.hits
}

func (f *Fault) check(r *routes) error {
	switch {
	case f.Kind.err != nil:
		return f.Kind.err
	case f.Kind.name == "":
		return errors.New("the Kind is missing")
	case f.Operation != "" && !r.old.has(f.Operation) && !r.v3.has(f.Operation):
		return fmt.Errorf("there is no operation %q", f.Operation)
	case f.After < 0 || f.Times < 0:
		return errors.New("a count (After, Times) is negative")
	case math.IsNaN(f.Chance) || f.Chance < 0 || f.Chance > 1:
		return errors.New("the Chance is between 0 and 1")
	}
	return nil
}

func (n *node) has(operation string) bool {
	if n == nil {
		return false
	}
	for _, l := range n.methods {
		if l.op.Name == operation {
			return true
		}
	}
	for _, child := range n.children {
		if child.has(operation) {
			return true
		}
	}
	return n.any.has(operation)
}

// strikes counts a request and reports whether the fault hits it.
func (a *ActiveFault) strikes() bool {
	f := &a.fault
	a.seen++
	if a.seen <= f.After || f.Times > 0 && a.hits >= f.Times || f.Chance > 0 && a.random.Float64() >= f.Chance {
		return false
	}
	a.hits++
	return true
}

// strike returns what hits a request, nil for nothing.
func (s *Server) strike(operation string) *strike {
	var h *strike
	for _, a := range s.faults {
		of, kind := a.fault.Operation, &a.fault.Kind
		if of != "" && of != operation || h != nil && h.outcome != nil && kind.decides() || !a.strikes() {
			continue
		}
		if h == nil {
			h = new(strike)
		}
		if kind.decides() {
			h.outcome = kind
		} else {
			h.changes = append(h.changes, kind)
		}
		h.names = append(h.names, kind.name)
	}
	return h
}

// strike is all that goes wrong with a request.
type strike struct {
	outcome *Kind // replaces the answer; nil for none
	changes []*Kind
	names   []string
}

// answerStruck is what Server.answer is to a request that a fault hits.
func (s *Server) answerStruck(h *strike, route route, r *http.Request, body []byte, now time.Time, header http.Header) (int, []byte) {
	for _, change := range h.changes {
		if change.request != nil {
			r, body = change.rewrite(r, body)
		}
	}
	var status int
	var text []byte
	switch o := h.outcome; {
	case o == nil || o.works:
		answer, err := s.answer(route, r, body, now, header)
		status, text = encode(route.status(), answer, err)
	case o.reply != nil && !o.reply.gateway:
		s.admit(route, s.state.grants[bearer(r)], now, header)
	}
	header.Set("Content-Type", jsonType)
	if o := h.outcome; o != nil && o.reply != nil {
		return o.reply.write(header)
	}
	for _, change := range h.changes {
		if change.edit != nil && status >= 200 && status < 300 {
			text = edited(text, func(answer any) any { return change.edit(answer, &struckRequest{r, body}) })
		}
		if change.reshape != nil {
			text = change.reshape(header, text)
		}
		if change.skew != 0 {
			header.Set("Date", now.Add(change.skew).UTC().Format(http.TimeFormat))
		}
	}
	return status, text
}

const jsonType = "application/json; charset=utf-8"

// sent is the status that the caller gets to see.
func (h *strike) sent(status int) int {
	if h.outcome != nil && (h.outcome.cut == cutWhole || h.outcome.hangs) {
		return 0
	}
	return status
}

func (r *reply) write(header http.Header) (int, []byte) {
	if r.gateway {
		for name := range header {
			if name != "Date" {
				delete(header, name)
			}
		}
	}
	header["Content-Type"] = nil // net/http would guess one
	if r.contentType != "" {
		header["Content-Type"] = []string{r.contentType}
	}
	for name, value := range r.header {
		header.Set(name, value)
	}
	return r.status, []byte(r.body)
}

// deliver writes the answer to a request that a fault hits.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, h *strike, status int, text []byte) {
	for _, change := range h.changes {
		if change.delay > 0 && !s.wait(r.Context(), change.delay) {
			s.cut(w, r)
			return
		}
	}
	ending := whole
	if o := h.outcome; o != nil {
		if ending = o.cut; o.hangs {
			s.wait(r.Context(), 1<<62)
			ending = cutWhole
		}
	}
	if ending == cutWhole {
		s.cut(w, r)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	switch ending {
	case cutHeaders:
		text = nil
	case cutBody:
		text = text[:len(text)/2]
	}
	if !s.trickle(w, r, h, text) || ending != whole {
		flush(w)
		if served(r) {
			panic(http.ErrAbortHandler)
		}
	}
}

// trickle writes a body, as slowly as the faults say, and reports whether it came to the end.
func (s *Server) trickle(w http.ResponseWriter, r *http.Request, h *strike, text []byte) bool {
	for _, change := range h.changes {
		if change.chunk == 0 {
			continue
		}
		for len(text) > 0 {
			n := min(change.chunk, len(text))
			_, _ = w.Write(text[:n])
			flush(w)
			if text = text[n:]; !s.wait(r.Context(), change.pace) {
				return false
			}
		}
	}
	_, _ = w.Write(text)
	return true
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// wait lets time pass, unless the caller goes away or the server is closed.
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

// served reports whether a connection is behind a request, which can be cut.
func served(r *http.Request) bool { return r.Context().Value(http.ServerContextKey) != nil }

// cut ends the connection before an answer. Where there is none, the answer is one that leaves the caller as clueless.
func (s *Server) cut(w http.ResponseWriter, r *http.Request) {
	if served(r) {
		panic(http.ErrAbortHandler)
	}
	const text = "ghltest would cut the connection here"
	clear(w.Header())
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte(text))
}

// struckRequest is what an edit may look at.
type struckRequest struct {
	r    *http.Request
	body []byte
}

// rewrite gives the operation another request than the one that came in.
func (k *Kind) rewrite(r *http.Request, body []byte) (*http.Request, []byte) {
	query, object := r.URL.Query(), map[string]any{}
	isObject := decode(body, &object) == nil
	k.request(query, object)
	changed := new(http.Request)
	*changed = *r
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.RawQuery = query.Encode()
	if isObject {
		body = must(json.Marshal(object))
	}
	return changed, body
}

// edited decodes an answer, lets it be changed, and writes it again.
func edited(text []byte, edit func(any) any) []byte {
	var answer any
	if decode(text, &answer) != nil {
		return text
	}
	changed, err := json.Marshal(edit(answer))
	if err != nil { // of EditedAnswer; nobody is to take the answer for the one that was wanted
		return []byte("ghltest cannot write an edited answer: " + err.Error())
	}
	return changed
}

func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // ids and times keep every digit
	return d.Decode(v)
}

func (h *strike) name() string {
	if h == nil {
		return ""
	}
	return strings.Join(h.names, "+")
}
