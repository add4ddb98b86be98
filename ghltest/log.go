package ghltest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is a request that came in, without its secrets: tokens, codes and the app's secret are replaced by [Redacted].
type Request struct {
	Time time.Time
	// Method is the HTTP method.
	Method string
	// Operation is the name in the catalog, such as "contacts.get"; "" for a path that the API does not have.
	Operation string
	// Path is the path template, such as "/contacts/{contactId}"; "" likewise.
	Path string
	// Target is the path with the query as it came in, such as "/contacts/?limit=20".
	Target string
	// Header is the header of the request.
	Header http.Header
	// Body is the body; nil without one. Of a long one these are the first 64 KiB, and the bodies of the oldest requests are
	// dropped when all of them together are longer than 16 MiB.
	Body []byte
	// Status is the HTTP status of the answer; 0 where a fault left it without one.
	Status int
	// Fault names the faults that hit the request, such as "BadGatewayHTML"; "" for none.
	Fault string
}

// Redacted stands in a [Request] for what is secret.
const Redacted = "[redacted]"

// The log is bounded, so that a fake can run for long.
const (
	maxRequests   = 10_000
	maxLoggedBody = 64 << 10
	maxBodies     = 16 << 20
)

// requestLog keeps the latest requests.
type requestLog struct {
	list   []Request
	next   int // where the oldest is, once the log is full
	bodies int // how long the bodies are together
	bare   int // how many of the oldest have lost their bodies
}

func (l *requestLog) add(r Request) {
	l.bodies += len(r.Body)
	if len(l.list) < maxRequests {
		l.list = append(l.list, r)
	} else {
		l.bodies -= len(l.list[l.next].Body)
		l.bare = max(0, l.bare-1)
		l.list[l.next] = r
		l.next = (l.next + 1) % maxRequests
	}
	for ; l.bodies > maxBodies; l.bare++ {
		oldest := &l.list[(l.next+l.bare)%len(l.list)]
		l.bodies -= len(oldest.Body)
		oldest.Body = nil
	}
}

// Requests returns the requests that came in, oldest first; of many, the latest 10,000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Concat(s.requests.list[s.requests.next:], s.requests.list[:s.requests.next])
	for i := range list {
		list[i].Header, list[i].Body = list[i].Header.Clone(), bytes.Clone(list[i].Body)
	}
	return list
}

// ResetRequests empties the log of requests.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = requestLog{}
}

// logged is a request as the log keeps it, but for what becomes of it.
func logged(r *http.Request, body []byte, now time.Time) Request {
	entry := Request{Time: now, Method: r.Method, Target: r.URL.EscapedPath(), Header: r.Header.Clone()}
	for _, name := range [...]string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if values := entry.Header[name]; len(values) > 0 {
			entry.Header[name] = redactedHeader
		}
	}
	if r.URL.RawQuery != "" {
		entry.Target += "?" + redactForm(r.URL.RawQuery)
	}
	if len(body) > 0 {
		body = redactBody(body)
		entry.Body = bytes.Clone(body[:min(len(body), maxLoggedBody)])
	}
	return entry
}

// redactedHeader is shared by all entries; whoever reads them gets a copy.
var redactedHeader = []string{Redacted}

// secrets are the names of what is secret, in the spellings of both versions.
var secrets = []string{
	"client_secret", "clientSecret", "code", "refresh_token", "refreshToken", "access_token", "accessToken", "password",
}

// redactForm replaces the secrets of a query or form. What holds none stays as it came.
func redactForm(text string) string {
	found := false
	parts := strings.Split(text, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil && slices.Contains(secrets, plain) {
			parts[i], found = name+"="+url.QueryEscape(Redacted), true
		}
	}
	if !found {
		return text
	}
	return strings.Join(parts, "&")
}

// redactBody replaces the secrets of a form, or of a JSON object.
func redactBody(body []byte) []byte {
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] != '{' {
		if trimmed[0] == '[' {
			return body
		}
		return []byte(redactForm(string(body)))
	}
	if !slices.ContainsFunc(secrets, func(name string) bool { return bytes.Contains(body, []byte(`"`+name+`"`)) }) {
		return body
	}
	var all map[string]any
	if decode(body, &all) != nil {
		return []byte(`"` + Redacted + `"`) // nobody knows where the secret ends
	}
	found := false
	redacted := walk(all, func(name string, value any) (any, bool) {
		if name == "code" || !slices.Contains(secrets, name) {
			return value, true
		}
		found = true
		return Redacted, true
	})
	if _, there := all["code"]; there { // further inside it is that of a channel
		all["code"], found = Redacted, true
	}
	if !found {
		return body
	}
	return must(json.Marshal(redacted))
}
