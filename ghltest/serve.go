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

// call is one request. Its handler runs while the server's lock is held.
type call struct {
	*state
	*endpoint
	request  *http.Request
	v3       bool
	query    url.Values
	media    string // of the body, without parameters
	body     []byte
	grant    *grant
	location *location // nil for operations of a company
	now      time.Time
}

// param returns the value of a placeholder in the path.
func (c *call) param(name string) string { return c.request.PathValue(name) }

const maxBody = 1 << 20

// knownVersions are the values of the Version header that the API accepts.
var knownVersions = []ghl.Version{ghl.Version20210728, "2021-04-15", "2023-02-21", ghl.VersionV3}

// serve answers a request: the consent screen by itself, any other path through the routes.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == consentPath || r.URL.Path == nodeConsentPath {
		s.serveConsent(w, r)
		return
	}
	s.routes.ServeHTTP(w, r)
}

// serveEndpoint answers a request to an endpoint, or to an unknown path when at is nil.
func (s *Server) serveEndpoint(w http.ResponseWriter, r *http.Request, at *endpoint) {
	body, unread := readBody(w, r)
	now := s.now()
	header := w.Header()
	header["Date"] = s.date.text(now)

	status, text, failed := s.respond(at, r, body, unread, now, header, s.logged(r, body, now))
	if failed != nil {
		s.deliver(w, r, failed, status, text)
		return
	}
	header["Content-Type"] = jsonTypes
	header["Content-Length"] = []string{strconv.Itoa(len(text))}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// dateHeader caches the Date header of the latest second.
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

// jsonTypes is shared by all answers and never changed.
var jsonTypes = []string{answer.ContentType}

// respond answers and logs a request under the lock. A request with an unreadable body has no effect.
func (s *Server) respond(
	at *endpoint, r *http.Request, body []byte, unread error, now time.Time, header http.Header, entry Request,
) (status int, text []byte, failed *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Operation, entry.Path = at.name(), at.path()
	defer func() { s.requests.add(entry) }()
	if unread != nil {
		status, text = encode(0, nil, unread)
		entry.Status = status
		return status, text, nil
	}
	if len(s.faults) > 0 {
		if failed = s.failure(entry.Operation); failed != nil {
			status, text = s.answerFailing(failed, at, r, body, now, header)
			entry.Status, entry.Fault = failed.status(status), failed.name()
			return status, text, failed
		}
	}
	result, err := s.answer(at, r, body, now, header)
	status, text = encode(at.successStatus(), result, err)
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

// readBody returns the body, or the refusal of a body that is too long or incomplete.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.ContentLength == 0 {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		err = refuse(http.StatusRequestEntityTooLarge, "request entity too large")
	case err != nil: // the caller closed the connection in the middle of the body
		err = refuse(http.StatusBadRequest, "request aborted")
	}
	return body, err
}

// answer checks a request in the order of the real gateway and calls the handler of its operation.
func (s *Server) answer(at *endpoint, r *http.Request, body []byte, now time.Time, header http.Header) (any, error) {
	defer s.state.reindex(now.UTC().Truncate(time.Millisecond))
	token := bearer(r)
	g := s.state.grants[token]
	admitted := s.admit(at, g, now, header)
	switch {
	case at == nil:
		return nil, unknownPath(r)
	case version(r) == "" && !at.isOpen():
		return nil, refuse(http.StatusUnauthorized, "version header was not found.")
	case version(r) != "" && !slices.Contains(knownVersions, version(r)):
		return nil, refuse(http.StatusUnauthorized, "version header is invalid.")
	case !at.isOpen() && (g == nil || !g.expires.IsZero() && !now.Before(g.expires)):
		return nil, refusedToken(token)
	case !admitted:
		return nil, refuse(http.StatusTooManyRequests, "Too Many Requests")
	case at.handle == nil:
		return nil, refuse(http.StatusNotImplemented, "ghltest has no handler for "+at.op.Name)
	}
	c := &call{
		state: s.state, endpoint: at, request: r, v3: version(r) == ghl.VersionV3, media: mediaType(r), body: body,
		grant: g,
		now:   now.UTC().Truncate(time.Millisecond),
	}
	if r.URL.RawQuery != "" {
		c.query = r.URL.Query()
	}
	if err := c.authorize(); err != nil {
		return nil, err
	}
	if err := c.checkBody(); err != nil {
		return nil, err
	}
	return c.handle(c)
}

// admit counts a request against its limit, writes the rate headers and reports whether the limit admits it. All
// requests with an unknown token share one limit; an endpoint that needs no token has none.
func (s *Server) admit(at *endpoint, g *grant, now time.Time, header http.Header) bool {
	if at.isOpen() {
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

// written is an answer that is already encoded.
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
		status = http.StatusInternalServerError
		result = answer.Error{StatusCode: status, Message: err.Error()}
	}
	text, err := json.Marshal(result)
	if err != nil { // seeds are checked, so only a bug of the fake gets here
		return http.StatusInternalServerError, []byte(`{"statusCode":500,"message":"ghltest cannot encode its answer"}`)
	}
	return status, text
}

// succeeded returns the answer of an operation without a record. HighLevel misspells the property; v3 has both
// spellings.
func (c *call) succeeded() any {
	if c.v3 {
		return map[string]bool{"succeeded": true, "succeded": true}
	}
	return map[string]bool{"succeded": true}
}

// timestamp returns a time in the form of most endpoints.
func timestamp(t time.Time) ghl.Time {
	if t.IsZero() {
		return ghl.Time{}
	}
	return ghl.ParseTime(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}
