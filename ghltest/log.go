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

// Request is a received request. [Redacted] replaces its secrets: tokens, codes and the app's secret.
type Request struct {
	Time time.Time
	// Method is the HTTP method.
	Method string
	// Operation is the operation's name in the catalog, such as "contacts.get"; "" for an unknown path.
	Operation string
	// Path is the path template, such as "/contacts/{contactId}"; "" for an unknown path.
	Path string
	// Target is the path with the query, as received, such as "/contacts/?limit=20".
	Target string
	// Header and Body are stored for the latest 1,000 requests and nil for older ones. Body has at most 64 KiB.
	Header http.Header
	Body   []byte
	// Status is the HTTP status of the answer; 0 if a fault prevented the answer.
	Status int
	// Fault has the names of the faults that hit the request, such as "BadGatewayHTML" or "Delay+CutBody"; "" for none.
	Fault string
}

// Redacted replaces secrets in a [Request].
const Redacted = "[redacted]"

// The log is bounded, so that a fake can run for days.
const (
	maxRequests   = 10_000
	maxDetailed   = 1_000 // requests with header and body
	maxLoggedBody = 64 << 10
)

// requestLog has the latest requests.
type requestLog struct {
	list []Request
	next int // the index of the oldest request, once the log is full
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

// Requests returns the received requests, oldest first, at most the latest 10,000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Concat(s.requests.list[s.requests.next:], s.requests.list[:s.requests.next])
	for i := range list {
		list[i].Header, list[i].Body = redactHeader(list[i].Header), bytes.Clone(list[i].Body)
	}
	return list
}

// ResetRequests clears the log of requests.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = requestLog{}
}

// logged returns the log entry of a request, without its outcome. [Server.Requests] redacts the header.
func (s *Server) logged(r *http.Request, body []byte, now time.Time) Request {
	entry := Request{Time: now, Method: r.Method, Target: r.URL.EscapedPath(), Header: r.Header}
	if r.Context().Value(http.ServerContextKey) != s.http || s.http == nil {
		entry.Header = r.Header.Clone() // the caller may change its header later
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

// redactHeader returns a copy of a header without its secrets.
func redactHeader(header http.Header) http.Header {
	header = header.Clone()
	for _, name := range [...]string{"Authorization", "Proxy-Authorization", "Cookie"} {
		if len(header[name]) > 0 {
			header[name] = []string{Redacted}
		}
	}
	return header
}

// secrets are the names of secret parameters and properties in both versions.
var secrets = []string{
	"client_secret", "clientSecret", "code", "refresh_token", "refreshToken", "access_token", "accessToken", "password",
}

// redactForm replaces the secrets in a query or form. It returns a text without secrets unchanged.
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

// redactBody replaces the secrets in a form or in a JSON object.
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
		return []byte(`"` + Redacted + `"`) // the end of the secret is unknown
	}
	found := false
	redacted := answer.Properties(all, func(name string, value any) (any, bool) {
		if name == "code" || !slices.Contains(secrets, name) {
			return value, true
		}
		found = true
		return Redacted, true
	})
	if _, ok := all["code"]; ok { // deeper down, "code" belongs to a channel and is not secret
		all["code"], found = Redacted, true
	}
	if !found {
		return body
	}
	return answer.Marshal(redacted)
}
