package ghltest

import (
	"slices"
	"time"
)

// Request is a request that came in. It holds neither token nor query nor body, and the path as its template.
type Request struct {
	Time time.Time
	// Method is the HTTP method.
	Method string
	// Operation is the name in the catalog, such as "contacts.get"; "" for a path that the API does not have.
	Operation string
	// Path is the path template, such as "/contacts/{contactId}"; "" likewise.
	Path string
	// Status is the HTTP status of the answer; 0 where a fault left it without one.
	Status int
	// Fault names the faults that hit the request, such as "BadGatewayHTML"; "" for none.
	Fault string
}

// maxRequests bounds the log, so that a fake can run for long.
const maxRequests = 10_000

// requestLog keeps the latest requests.
type requestLog struct {
	list []Request
	next int // where the oldest is, once the log is full
}

func (l *requestLog) add(r Request) {
	if len(l.list) < maxRequests {
		l.list = append(l.list, r)
		return
	}
	l.list[l.next] = r
	l.next = (l.next + 1) % maxRequests
}

// Requests returns the requests that came in, oldest first; of many, the latest 10,000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.requests.list[s.requests.next:], s.requests.list[:s.requests.next])
}

// ResetRequests empties the log of requests.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = requestLog{}
}
