package answer

import (
	"net/http"
	"net/url"
	"time"
)

// Effect is what a fault does to a request: package fault makes it, package ghltest applies it.
type Effect struct {
	Name      string // of the kind of fault
	Err       error  // of a wrong argument
	AfterWork bool   // the operation runs before the answer is replaced

	NotReached bool // the request never reaches the operation, so AfterWork is refused

	// These replace the answer; see Replaces.
	Reply *Reply
	Cut   Cut
	Hang  bool

	// These change the request or the answer.
	EditRequest func(query url.Values, body map[string]any)
	EditAnswer  func(answer any, query url.Values, body []byte) any // called for a success only
	Reshape     func(header http.Header, text []byte) []byte
	DateSkew    time.Duration
	Delay       time.Duration
	ChunkBytes  int
	ChunkPause  time.Duration
}

// Replaces reports whether the effect replaces the whole answer.
func (e *Effect) Replaces() bool { return e.Reply != nil || e.Cut != NoCut || e.Hang }

// Cut is where the connection of a request ends.
type Cut uint8

const (
	NoCut        Cut = iota // after the whole answer
	CutAnswer               // before the answer
	CutAtHeaders            // after the headers
	CutInBody               // after half of the body
)

// Reply is an answer in place of the operation's own.
type Reply struct {
	Status      int
	ContentType string
	Body        string
	Header      map[string]string
	ContactID   string // an id in Body that stands for the contact in the path of the request
	Gateway     bool   // the answer comes from a gateway, without the headers of the API
}
