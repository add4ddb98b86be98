package ghltest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// call is one request on its way through the fake. Its handler runs while the server's lock is held.
type call struct {
	*state
	route
	v3       bool
	query    url.Values
	media    string // of the body, without parameters
	body     []byte
	grant    *grant
	location *location // nil for operations of a company
	now      time.Time
}

// param returns what a placeholder of the path stands for.
func (c *call) param(name string) string {
	for i, known := range c.names {
		if known == name {
			return c.values[i]
		}
	}
	return ""
}

const maxBody = 1 << 20

// knownVersions are the values of the Version header that the API was seen to take.
var knownVersions = []ghl.Version{ghl.Version20210728, "2021-04-15", "2023-02-21", ghl.VersionV3}

// serve answers a request: routing, then the checks in the order of the real gateway, then the handler of the operation.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == consentPath {
		s.serveConsent(w, r)
		return
	}
	body, unread := readBody(w, r)
	now := s.now()
	header := w.Header()
	header["Date"] = s.date.text(now)

	status, text, failed := s.respond(r, body, unread, now, header, s.logged(r, body, now))
	if failed != nil {
		s.deliver(w, r, failed, status, text)
		return
	}
	header["Content-Type"] = jsonTypes
	header["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// dateHeader remembers the Date header of the latest second.
type dateHeader struct{ latest atomic.Pointer[writtenDate] }

type writtenDate struct {
	second int64
	text   []string
}

func (d *dateHeader) text(now time.Time) []string {
	if known := d.latest.Load(); known != nil && known.second == now.Unix() {
		return known.text
	}
	written := &writtenDate{now.Unix(), []string{now.UTC().Format(http.TimeFormat)}}
	d.latest.Store(written)
	return written.text
}

// jsonTypes is shared by all answers; nobody changes it.
var jsonTypes = []string{answer.ContentType}

// respond routes, answers and logs a request under the lock. One whose body could not be read does nothing.
func (s *Server) respond(r *http.Request, body []byte, unread error, now time.Time, header http.Header, entry Request) (status int, text []byte, failed *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	route := s.routes.find(r, version(r))
	if route.row == nil && version(r) == "" {
		route = s.routes.find(r, ghl.VersionV3) // the path is not what is wrong
	}
	entry.Operation, entry.Path = route.name(), route.template()
	defer func() { s.requests.add(entry) }()
	if unread != nil {
		status, text = encode(0, nil, unread)
		entry.Status = status
		return status, text, nil
	}
	if len(s.faults) > 0 {
		if failed = s.failure(entry.Operation); failed != nil {
			status, text = s.answerFailing(failed, route, r, body, now, header)
			entry.Status, entry.Fault = failed.status(status), failed.name()
			return status, text, failed
		}
	}
	result, err := s.answer(route, r, body, now, header)
	status, text = encode(route.status(), result, err)
	entry.Status = status
	return status, text, nil
}

func version(r *http.Request) ghl.Version { return ghl.Version(r.Header.Get("Version")) }

const (
	jsonMedia = "application/json"
	formMedia = "application/x-www-form-urlencoded"
)

func mediaType(r *http.Request) string {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// readBody reads the body, or says why it is refused.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.ContentLength == 0 {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		err = refuse(http.StatusRequestEntityTooLarge, "request entity too large")
	case err != nil: // the caller went away in the middle of it
		err = refuse(http.StatusBadRequest, "request aborted")
	}
	return body, err
}

func (s *Server) answer(route route, r *http.Request, body []byte, now time.Time, header http.Header) (any, error) {
	defer s.state.reindex(now.UTC().Truncate(time.Millisecond))
	token := bearer(r)
	g := s.state.grants[token]
	isOpen, admitted := route.isOpen(), s.admit(route, g, now, header)
	switch {
	case route.row == nil:
		return nil, unknownPath(r)
	case version(r) == "" && !isOpen:
		return nil, refuse(http.StatusUnauthorized, "version header was not found.")
	case version(r) != "" && !slices.Contains(knownVersions, version(r)):
		return nil, refuse(http.StatusUnauthorized, "version header is invalid.")
	case !isOpen && (g == nil || !g.expires.IsZero() && !now.Before(g.expires)):
		return nil, refusedToken(token)
	case !admitted:
		return nil, refuse(http.StatusTooManyRequests, "Too Many Requests")
	case route.row.handle == nil:
		return nil, refuse(http.StatusNotImplemented, "ghltest has no handler for "+route.op.Name)
	}
	c := &call{state: s.state, route: route, v3: version(r) == ghl.VersionV3, media: mediaType(r), body: body, grant: g, now: now.UTC().Truncate(time.Millisecond)}
	if r.URL.RawQuery != "" {
		c.query = r.URL.Query()
	}
	if err := c.authorize(); err != nil {
		return nil, err
	}
	if err := c.checkBody(); err != nil {
		return nil, err
	}
	return c.row.handle(c)
}

func (r route) isOpen() bool { return r.row != nil && r.row.place == open }

// admit counts a request against its limit, writes the rate headers and reports whether the limit lets it through. Whoever has
// no token counts together; what needs none has no limit.
func (s *Server) admit(route route, g *grant, now time.Time, header http.Header) bool {
	if route.isOpen() {
		return true
	}
	budget := ""
	if g != nil {
		budget = g.budget()
	}
	w := s.windows[budget]
	if w == nil {
		w = new(window)
		s.windows[budget] = w
	}
	return w.admit(s.limits, now, header)
}

// written is an answer that is JSON already.
type written []byte

// encode writes an answer or a refusal as JSON.
func encode(status int, result any, err error) (int, []byte) {
	if text, ok := result.(written); ok && err == nil {
		return status, text
	}
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		status, result = refused.status, refused.body
	case err != nil:
		status, result = http.StatusInternalServerError, answer.Error{StatusCode: http.StatusInternalServerError, Message: err.Error()}
	}
	text, err := json.Marshal(result)
	if err != nil { // a seed has passed JSON once, so this is a fault of the fake
		return http.StatusInternalServerError, []byte(`{"statusCode":500,"message":"ghltest cannot write its answer"}`)
	}
	return status, text
}

// succeeded is the answer of what returns no record. The vendor's first spelling lives on beside the right one in v3.
func (c *call) succeeded() any {
	if c.v3 {
		return map[string]bool{"succeeded": true, "succeded": true}
	}
	return map[string]bool{"succeded": true}
}

// timestamp writes a time as most endpoints do.
func timestamp(t time.Time) ghl.Time {
	if t.IsZero() {
		return ghl.Time{}
	}
	return ghl.ParseTime(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}
