package ghltest

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pluvo/ghl/ghltest/internal/answer"
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
	// Header and Body are those of the request, kept of the latest 1,000 requests; nil for older ones. Of a long body these
	// are the first 64 KiB.
	Header http.Header
	Body   []byte
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
	maxDetailed   = 1_000 // with header and body
	maxLoggedBody = 64 << 10
)

// requestLog keeps the latest requests.
type requestLog struct {
	list []Request
	next int // where the oldest is, once the log is full
}

func (l *requestLog) add(r Request) {
	at := len(l.list)
	if at < maxRequests {
		l.list = append(l.list, r)
	} else {
		at = l.next
		l.list[at] = r
		l.next = (l.next + 1) % maxRequests
	}
	if len(l.list) > maxDetailed {
		old := &l.list[(at+len(l.list)-maxDetailed)%len(l.list)]
		old.Header, old.Body = nil, nil
	}
}

// Requests returns the requests that came in, oldest first; of many, the latest 10,000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Concat(s.requests.list[s.requests.next:], s.requests.list[:s.requests.next])
	for i := range list {
		list[i].Header, list[i].Body = redactHeader(list[i].Header), bytes.Clone(list[i].Body)
	}
	return list
}

// ResetRequests empties the log of requests.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = requestLog{}
}

// logged is a request as the log keeps it, but for what becomes of it. Its header is redacted when it is given out.
func (s *Server) logged(r *http.Request, body []byte, now time.Time) Request {
	entry := Request{Time: now, Method: r.Method, Target: r.URL.EscapedPath(), Header: r.Header}
	if r.Context().Value(http.ServerContextKey) != s.http || s.http == nil {
		entry.Header = r.Header.Clone() // somebody else may still change it
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

// redactHeader copies a header without its secrets.
func redactHeader(header http.Header) http.Header {
	header = header.Clone()
	for _, name := range [...]string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if len(header[name]) > 0 {
			header[name] = []string{Redacted}
		}
	}
	return header
}

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
	if answer.Decode(body, &all) != nil {
		return []byte(`"` + Redacted + `"`) // nobody knows where the secret ends
	}
	found := false
	redacted := answer.Properties(all, func(name string, value any) (any, bool) {
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
	return answer.Marshal(redacted)
}
