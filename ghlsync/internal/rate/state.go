package rate

import (
	"time"
)

// state is what all processes share of a location. Its times are on the database's clock, in microseconds.
type state struct {
	// Limit requests are granted in each Interval, as the server said at Told.
	Limit    int   `json:"limit"`
	Interval int64 `json:"interval"`
	Told     int64 `json:"told,omitempty"`
	// Began is when the first permit was given, while nothing has been told.
	Began int64 `json:"began,omitempty"`

	// Used[i] permits were given in slot First+i.
	First int64 `json:"first,omitempty"`
	Used  []int `json:"used,omitempty"`

	// Closed is until when the server refuses all.
	Closed int64 `json:"closed,omitempty"`

	// DailyLeft is what is left of the daily quota, -1 if unknown, as the server said at DailyTold less what was given since.
	// It is granted anew at DailyReset.
	DailyLeft  int   `json:"dailyLeft"`
	DailyTold  int64 `json:"dailyTold,omitempty"`
	DailyReset int64 `json:"dailyReset,omitempty"`
}

// What HighLevel publishes. The server's headers overrule it.
const (
	publishedLimit    = 100
	publishedInterval = 10 * time.Second
)

func newState() state {
	return state{Limit: publishedLimit, Interval: publishedInterval.Microseconds(), DailyLeft: -1}
}

const (
	// slots is how many slots an interval is counted in.
	slots = 40
	// held is for how many slots a permit may be kept before it is used.
	held = 1
	// onTheWay is, in slots, by how much one request may be longer on the way to the server than another.
	onTheWay = 2
	// A process takes at most this share of the limit at once.
	atOnce = 20
	// scouts may go at first; their answers tell the limit. A server that says nothing in scoutsFor is taken at its published word.
	scouts    = 5
	scoutsFor = 3 * time.Second
	// dailyProbe is how long the daily quota counts as gone when nothing tells until when.
	dailyProbe = time.Minute
)

func (s *state) slot() int64 { return max(s.Interval/slots, 1) }

// horizon is for how many slots a permit counts. Whoever was given one in a slot may use it until the end of the next, and it
// may arrive later than one that was used after it. So in no interval of the server's, whenever it begins, more than Limit
// arrive.
const horizon = slots + 1 + held + onTheWay

// give takes up to want permits. If there are none it says when there may be some.
func (s *state) give(now int64, want int) (given int, wait int64) {
	if s.Closed > now {
		return 0, s.Closed - now
	}
	current := now / s.slot()
	s.forget(current)
	sum := s.used()
	if s.Told == 0 && s.Began == 0 {
		s.Began = now
	}
	if s.Told == 0 && now < s.Began+scoutsFor.Microseconds() {
		if given = min(want, scouts-sum); given <= 0 {
			return 0, s.slot()
		}
	} else if given = min(want, s.Limit-sum); given <= 0 {
		// The oldest that counts stops counting when its slot leaves the horizon.
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

// used is how many permits count.
func (s *state) used() (n int) {
	for _, used := range s.Used {
		n += used
	}
	return n
}

// gather counts all that was used in one slot.
func (s *state) gather(slot int64) {
	s.First, s.Used = slot, []int{min(s.used(), s.Limit)}
}

// forget drops the slots that have left the horizon. A clock that was set back starts anew: what was used is then counted in
// the current slot, which is the careful thing.
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

// dailyGone reports whether the daily quota is used up, and for how long, in microseconds.
func (s *state) dailyGone(now int64) (gone bool, wait int64) {
	if s.DailyLeft != 0 {
		return false, 0
	}
	if now >= s.DailyReset {
		s.DailyLeft = -1
		return false, 0
	}
	return true, s.DailyReset - now
}

// news is what the answers to one process have told since it last told the others.
type news struct {
	limit    int
	interval time.Duration
	told     time.Time // on our clock; zero if nothing was told

	closed time.Time

	dailyLeft  int
	dailyTold  time.Time
	dailyReset time.Time
}

func (n *news) empty() bool { return n.told.IsZero() && n.closed.IsZero() && n.dailyTold.IsZero() }

// learn takes in news. At turns a time of ours into one of the database's.
func (s *state) learn(n news, at func(time.Time) int64) {
	if told := at(n.told); !n.told.IsZero() && told > s.Told {
		s.Told = told
		if n.limit > 0 {
			s.Limit = n.limit
		}
		if interval := n.interval.Microseconds(); interval > 0 && interval != s.Interval {
			s.Interval = interval
			s.gather(told / s.slot())
		}
	}
	if !n.closed.IsZero() {
		s.Closed = max(s.Closed, at(n.closed))
	}
	if n.dailyTold.IsZero() {
		return
	}
	// Answers overtake each other, and what was given since is not in them. So a lower count is right, and a higher one, less
	// what may still be on its way, after a while.
	told := at(n.dailyTold)
	higher := max(n.dailyLeft-s.givenSince(told), 0)
	switch {
	case s.DailyLeft >= 0 && n.dailyLeft < s.DailyLeft:
		s.DailyLeft = n.dailyLeft
	case s.DailyLeft < 0, told > s.DailyTold+s.Interval && higher > s.DailyLeft:
		s.DailyLeft = higher
	case told <= s.DailyTold+s.Interval:
		return
	}
	s.DailyTold, s.DailyReset = told, at(n.dailyReset)
}

// givenSince counts the permits whose requests may have arrived after one that was sent then.
func (s *state) givenSince(sent int64) (n int) {
	for i, used := range s.Used {
		if s.First+int64(i) >= sent/s.slot()-held-onTheWay {
			n += used
		}
	}
	return n
}
