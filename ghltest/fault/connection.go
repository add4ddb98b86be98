package fault

import (
	"net/http"
	"time"

	"github.com/pluvo/ghl/ghltest/internal/answer"
)

// CutBeforeWork closes the connection before the operation runs. (When the connection was used before, net/http sends
// a read a second time; ghltest.Server.Requests lists both.)
//
// Every cut needs a connection to an http.Server. A handler that is called without one answers 502 with a text in
// place of a cut before the answer, and a short body in place of a cut in the answer.
func CutBeforeWork() Kind { return cut("CutBeforeWork", answer.CutAnswer, false) }

// CutAfterWork closes the connection after the operation, before the answer.
func CutAfterWork() Kind { return cut("CutAfterWork", answer.CutAnswer, true) }

// CutAfterHeaders closes the connection after the operation and the headers of the answer.
func CutAfterHeaders() Kind { return cut("CutAfterHeaders", answer.CutAtHeaders, true) }

// CutBody closes the connection after the operation, in the middle of the answer's body.
func CutBody() Kind { return cut("CutBody", answer.CutInBody, true) }

func cut(name string, at answer.Cut, afterWork bool) Kind {
	return Kind{answer.Effect{Name: name, Cut: at, AfterWork: afterWork}}
}

// Hang sends no answer until the caller gives up or the server is closed. With AfterWork the operation runs at once.
func Hang() Kind { return Kind{answer.Effect{Name: "Hang", Hang: true}} }

// Delay runs the operation at once and delays its answer. d is real time, not time of the server's clock, and must be
// positive. The delay ends early when the server is closed.
func Delay(d time.Duration) Kind {
	return Kind{answer.Effect{Name: "Delay", Delay: d}}.
		refusedIf(d <= 0, "Delay: the delay must be positive, got %s", d)
}

// SlowBody writes the body in chunks of the given number of bytes, with a pause after each. Both must be positive.
// The pause is real time and ends early when the server is closed.
func SlowBody(bytes int, pause time.Duration) Kind {
	return Kind{answer.Effect{Name: "SlowBody", ChunkBytes: bytes, ChunkPause: pause}}.
		refusedIf(bytes < 1 || pause <= 0, "SlowBody: bytes and pause must be positive, got %d and %s", bytes, pause)
}

// EmptyAnswer removes the body of the answer. The operation is done, and the status is unchanged.
func EmptyAnswer() Kind {
	return reshaped("EmptyAnswer", func(http.Header, []byte) []byte { return nil })
}

// WrongContentType sends the answer with another Content-Type, such as "text/html"; "" sends none.
func WrongContentType(contentType string) Kind {
	return reshaped("WrongContentType", func(h http.Header, text []byte) []byte {
		h["Content-Type"] = nil
		if contentType != "" {
			h["Content-Type"] = []string{contentType}
		}
		return text
	})
}

func reshaped(name string, reshape func(http.Header, []byte) []byte) Kind {
	return Kind{answer.Effect{Name: name, Reshape: reshape}}
}

// DateSkew sends a Date header that is this much ahead of the server's clock, or behind it when by is negative. 0 is
// refused.
func DateSkew(by time.Duration) Kind {
	return Kind{answer.Effect{Name: "DateSkew", DateSkew: by}}.refusedIf(by == 0, "DateSkew: the skew must not be 0")
}
