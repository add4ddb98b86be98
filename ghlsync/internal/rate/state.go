package rate

import (
	"time"
)

// state is the rate limit state of a location that all processes share. Its times are in microseconds on the
// database's clock.
type state struct {
	// Limit requests are granted in each Interval, as the answers reported at the time Reported; 0 before any did.
	Limit    int   `json:"limit"`
	Interval int64 `json:"interval"`
	Reported int64 `json:"told,omitempty"`
	// Began is when the first permit was given before anything was reported.
	Began int64 `json:"began,omitempty"`

	// Used[i] is the number of permits given in slot First+i.
	First int64 `json:"first,omitempty"`
	Used  []int `json:"used,omitempty"`

	// Closed is until when the server refuses all requests.
	Closed int64 `json:"closed,omitempty"`

	// DailyLeft is what remains of the daily quota at the time DailyReported, less the permits given since; -1 if
	// unknown. The quota is granted again at DailyReset.
	DailyLeft     int   `json:"dailyLeft"`
	DailyReported int64 `json:"dailyTold,omitempty"`
	DailyReset    int64 `json:"dailyReset,omitempty"`
}

// The published limit. The server's headers overrule it.
const (
	publishedLimit    = 100
	publishedInterval = 10 * time.Second
)

func newState() state {
	return state{Limit: publishedLimit, Interval: publishedInterval.Microseconds(), DailyLeft: -1}
}

const (
	// slots is the number of slots of an interval in which permits are counted.
	slots = 40
	// holdSlots is for how many slots a process may hold a permit before it uses the permit.
	holdSlots = 1
	// transitSlots is by how many slots one request may take longer to the server than another.
	transitSlots = 2
	// batchShare limits the permits that a process takes at once to one part in batchShare of the limit.
	batchShare = 20
	// scouts is how many requests may be sent before an answer reports the limit. If none does within scoutsFor, the
	// published limit applies.
	scouts    = 5
	scoutsFor = 3 * time.Second
	// dailyProbe is how long the daily quota counts as used up when the server did not report until when.
	dailyProbe = time.Minute
)

func (s *state) slot() int64 { return max(s.Interval/slots, 1) }

// horizon is the number of slots for which a permit counts. A permit of one slot may be used until the end of the
// next, and its request may arrive later than a request that was sent after it. With this horizon, at most Limit
// requests arrive in any interval of the server, whenever it begins.
const horizon = slots + 1 + holdSlots + transitSlots

// give takes up to want permits. If none is left, it returns how long to wait until there may be some.
func (s *state) give(now int64, want int) (given int, wait int64) {
	if s.Closed > now {
		return 0, s.Closed - now
	}
	current := now / s.slot()
	s.forget(current)
	sum := s.used()
	if s.Reported == 0 && s.Began == 0 {
		s.Began = now
	}
	if s.Reported == 0 && now < s.Began+scoutsFor.Microseconds() {
		if given = min(want, scouts-sum); given <= 0 {
			return 0, s.slot()
		}
	} else if given = min(want, s.Limit-sum); given <= 0 {
		// The oldest permits stop counting when their slot leaves the horizon.
		for i, n := range s.Used {
			if sum -= n; n > 0 && sum < s.Limit {
				return 0, max((s.First+int64(i)+horizon)*s.slot()-now, 1)
			}
		}
		return 0, s.Interval / 4 // the limit is 0
	}
	if s.DailyLeft >= 0 {
		s.DailyLeft = max(s.DailyLeft-given, 0)
	}
	if len(s.Used) == 0 {
		s.First = current
	}
	for s.First+int64(len(s.Used)) <= current {
		s.Used = append(s.Used, 0)
	}
	s.Used[current-s.First] += given
	return given, 0
}

// used returns how many permits count.
func (s *state) used() (n int) {
	for _, used := range s.Used {
		n += used
	}
	return n
}

// gather moves all permits that count into one slot.
func (s *state) gather(slot int64) {
	s.First, s.Used = slot, []int{min(s.used(), s.Limit)}
}

// forget drops the slots that have left the horizon. If the clock was set back, all permits are counted in the
// current slot, so that the limit is not exceeded.
func (s *state) forget(current int64) {
	if last := s.First + int64(len(s.Used)) - 1; len(s.Used) > 0 && last > current {
		s.gather(current)
		return
	}
	for len(s.Used) > 0 && s.First <= current-horizon {
		s.First++
		s.Used = s.Used[1:]
	}
}

// dailyExhausted reports whether the daily quota is used up, and for how many more microseconds.
func (s *state) dailyExhausted(now int64) (exhausted bool, wait int64) {
	if s.DailyLeft != 0 {
		return false, 0
	}
	if now >= s.DailyReset {
		s.DailyLeft = -1
		return false, 0
	}
	return true, s.DailyReset - now
}

// report is what the answers to one process have reported and the process has not shared yet.
type report struct {
	limit    int
	interval time.Duration
	reported time.Time // on this process's clock; zero if no limit was reported

	closed time.Time

	dailyLeft     int
	dailyReported time.Time
	dailyReset    time.Time
}

func (n *report) empty() bool {
	return n.reported.IsZero() && n.closed.IsZero() && n.dailyReported.IsZero()
}

// learn adds a report. at converts a time of this process's clock to one of the database's.
func (s *state) learn(n report, at func(time.Time) int64) {
	if reported := at(n.reported); !n.reported.IsZero() && reported > s.Reported {
		s.Reported = reported
		if n.limit > 0 {
			s.Limit = n.limit
		}
		if interval := n.interval.Microseconds(); interval > 0 && interval != s.Interval {
			s.Interval = interval
			s.gather(reported / s.slot())
		}
	}
	if !n.closed.IsZero() {
		s.Closed = max(s.Closed, at(n.closed))
	}
	if n.dailyReported.IsZero() {
		return
	}
	// Answers overtake each other, and do not count the permits given since. So a lower number is taken over at once,
	// and a higher number, less the permits in transit, only after an interval.
	reported := at(n.dailyReported)
	higher := max(n.dailyLeft-s.givenSince(reported), 0)
	switch {
	case s.DailyLeft >= 0 && n.dailyLeft < s.DailyLeft:
		s.DailyLeft = n.dailyLeft
	case s.DailyLeft < 0, reported > s.DailyReported+s.Interval && higher > s.DailyLeft:
		s.DailyLeft = higher
	case reported <= s.DailyReported+s.Interval:
		return
	}
	s.DailyReported, s.DailyReset = reported, at(n.dailyReset)
}

// givenSince counts the permits whose requests may have arrived after a request that was sent at a time.
func (s *state) givenSince(sent int64) (n int) {
	for i, used := range s.Used {
		if s.First+int64(i) >= sent/s.slot()-holdSlots-transitSlots {
			n += used
		}
	}
	return n
}
