package ghlsync

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pluvo/ghl/ghlsync/internal/redact"
)

// monitor is what this process knows that is not in the database.
type monitor struct {
	started atomic.Int64 // when, in Unix nanoseconds; 0 before
	stopped atomic.Bool
	// HighLevel's clock, by how much it is ahead; 0 is unknown.
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

// slowest is the longest time of a request whose answer tells something of the server's clock.
const slowest = 2 * time.Second

// clock compares HighLevel's clock with ours. Its header has whole seconds, of which the middle is meant.
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
