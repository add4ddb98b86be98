package ghlsync

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

// monitor holds the state of this process for health reports; the database does not have it.
type monitor struct {
	started atomic.Int64 // time of the start in Unix nanoseconds; 0 before the start
	stopped atomic.Bool
	// highLevel is how far HighLevel's clock is ahead, in nanoseconds; 0 is unknown.
	highLevel atomic.Int64

	mu     sync.Mutex
	closed map[string]closing // locations that could not be opened
}

type closing struct {
	err  error
	text string
}

func (m *monitor) setClosed(location string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		delete(m.closed, location)
		return
	}
	if m.closed == nil {
		m.closed = map[string]closing{}
	}
	m.closed[location] = closing{err, redact.Text(err.Error())}
}

func (m *monitor) whyClosed(location string) (closing, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, is := m.closed[location]
	return c, is
}

// slowest is the longest duration of a request that is used to measure the server's clock.
const slowest = 2 * time.Second

// clock measures HighLevel's clock against this machine's. The Date header has whole seconds, so clock adds half a
// second.
func (m *monitor) clock(sent time.Time, resp *http.Response) {
	took := time.Since(sent)
	if took > slowest || resp.Header.Get("Age") != "" {
		return
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return
	}
	ahead := date.Add(time.Second / 2).Sub(sent.Add(took / 2))
	m.highLevel.Store(int64(ahead))
}
