package ghl

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// limiterSim simulates ten minutes of a server that grants a number of requests in each window, and of clients that
// do not know of each other. Each client has its own limiter and 50 callers, which call again as soon as they are
// answered.
type limiterSim struct {
	grant   int
	clients int

	sliding  bool          // the window slides
	onDemand bool          // a window begins with the first request after the last
	silent   bool          // no headers at all
	rare     bool          // headers on one of twenty answers
	lose     float64       // share of the answers that are lost
	slowest  time.Duration // longest time to an answer; 300 ms when zero
	interval time.Duration // real length of the window; 10 s when zero
	joins    time.Duration // when the last of the clients begins
	changed  int           // grant from the fourth to the seventh minute
	jump     time.Duration // how far the wall clock jumps after half of the time
}

const (
	simTime    = 10 * time.Minute
	simCallers = 50
)

// simResult is the outcome of a simulation, in shares from 0 to 1.
type simResult struct {
	granted float64       // of what all windows could grant
	refused float64       // of the requests
	least   float64       // of an equal share, by the least served client
	longest time.Duration // between two grants
}

type simServer struct {
	limiterSim
	mu       sync.Mutex
	rng      *rand.Rand
	start    time.Time
	phase    time.Duration
	begun    time.Time   // of the window
	used     int         // in it
	recent   []time.Time // grants in the last interval, when sliding
	capacity int
	by       []int
	granted  int
	refused  int
	last     time.Time
	longest  time.Duration
}

func newSimServer(s limiterSim, seed uint64) *simServer {
	if s.interval == 0 {
		s.interval = 10 * time.Second
	}
	if s.slowest == 0 {
		s.slowest = 300 * time.Millisecond
	}
	srv := &simServer{limiterSim: s, rng: rand.New(rand.NewPCG(seed, 1)), start: time.Now(), by: make([]int, s.clients)}
	srv.phase = time.Duration(srv.rng.Int64N(int64(s.interval)))
	srv.last = srv.start
	srv.begun = srv.start.Add(-srv.phase)
	srv.capacity = srv.limit()
	if s.sliding || s.onDemand {
		srv.begun = srv.start.Add(-2 * s.interval)
	}
	return srv
}

func (s *simServer) limit() int {
	if at := time.Since(s.start); s.changed > 0 && at >= 3*time.Minute && at < 7*time.Minute {
		return s.changed
	}
	return s.grant
}

// latency is how long a request takes to the server and back.
func (s *simServer) latency() (there, back time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := 50*time.Millisecond + time.Duration(s.rng.Int64N(int64(s.slowest-50*time.Millisecond)))
	there = time.Duration(s.rng.Int64N(int64(all)))
	return there, all - there
}

// answer counts a request of the client as it arrives.
func (s *simServer) answer(client int) RateLimit {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	limit := s.limit()
	switch {
	case s.sliding:
		for len(s.recent) > 0 && now.Sub(s.recent[0]) >= s.interval {
			s.recent = s.recent[1:]
		}
		s.used = len(s.recent)
	case s.onDemand:
		if now.Sub(s.begun) >= s.interval {
			s.begun, s.used = now, 0
		}
	default:
		s.turn(now)
	}
	r := RateLimit{Limit: limit, Interval: 10 * time.Second, DailyRemaining: -1, Status: http.StatusOK}
	if s.used >= limit {
		s.refused++
		r.Status = http.StatusTooManyRequests
	} else {
		s.used++
		s.granted++
		s.by[client]++
		s.longest = max(s.longest, now.Sub(s.last))
		s.last = now
		if s.sliding {
			s.recent = append(s.recent, now)
		}
	}
	r.Remaining = max(limit-s.used, 0)
	if s.silent || s.rare && s.rng.IntN(20) > 0 {
		r.Limit, r.Remaining, r.Interval = 0, -1, 0
	}
	if s.rng.Float64() < s.lose {
		r = RateLimit{Remaining: -1, DailyRemaining: -1}
	}
	return r
}

// turn begins the window that now is in, and adds up what all windows could grant, the first and the last in full.
func (s *simServer) turn(now time.Time) {
	for now.Sub(s.begun) >= s.interval {
		s.begun, s.used = s.begun.Add(s.interval), 0
		s.capacity += s.limit()
	}
}

func (s *simServer) result() simResult {
	if s.sliding || s.onDemand {
		s.capacity = int(float64(s.grant) * float64(simTime) / float64(s.interval))
	} else {
		s.turn(s.start.Add(simTime - 1))
	}
	r := simResult{
		granted: float64(s.granted) / float64(s.capacity),
		refused: float64(s.refused) / float64(s.granted+s.refused),
		longest: s.longest,
	}
	least := s.by[0]
	for _, n := range s.by {
		least = min(least, n)
	}
	r.least = float64(least*s.clients) / float64(s.granted)
	return r
}

// run runs the simulation. It must be called in a synctest bubble.
func (s limiterSim) run(t *testing.T, seed uint64) simResult {
	srv := newSimServer(s, seed)
	end := srv.start.Add(simTime)
	ctx := t.Context()
	var callers sync.WaitGroup
	for client := range s.clients {
		l := NewLimiter()
		for range simCallers {
			callers.Go(func() {
				if client == s.clients-1 {
					time.Sleep(s.joins)
				}
				for {
					if err := l.Wait(ctx); err != nil {
						t.Errorf("Wait: %v", err)
						return
					}
					sent := time.Now()
					there, back := srv.latency()
					if !sent.Add(there).Before(end) {
						l.Observe(RateLimit{})
						return
					}
					time.Sleep(there)
					r := srv.answer(client)
					time.Sleep(back)
					r.Sent = sent
					if s.jump != 0 && time.Until(end) < simTime/2 {
						r.Sent = sent.Round(0).Add(s.jump) // no monotonic time
					}
					l.Observe(r)
				}
			})
		}
	}
	callers.Wait()
	return srv.result()
}

// runs returns the mean and the worst result of n seeds.
func (s limiterSim) runs(t *testing.T, n int) (mean, worst simResult) {
	worst = simResult{granted: 2, least: 2}
	for seed := range n {
		synctest.Test(t, func(t *testing.T) {
			r := s.run(t, uint64(seed))
			mean.granted += r.granted / float64(n)
			mean.refused += r.refused / float64(n)
			mean.least += r.least / float64(n)
			mean.longest += r.longest / time.Duration(n)
			worst.granted = min(worst.granted, r.granted)
			worst.refused = max(worst.refused, r.refused)
			worst.least = min(worst.least, r.least)
			worst.longest = max(worst.longest, r.longest)
		})
	}
	return mean, worst
}

// simSeeds is how many seeds each figure is the mean of.
const simSeeds = 5

// simTargets are the figures that the limiter must reach with a server like HighLevel's.
var simTargets = []struct {
	name string
	limiterSim
	granted float64 // at least
	refused float64 // at most
	least   float64 // at least
}{
	{"clients=1/grant=100", limiterSim{clients: 1, grant: 100}, 0.97, 0.0009, 0.999},
	{"clients=1/grant=25", limiterSim{clients: 1, grant: 25}, 0.97, 0.0009, 0.999},
	{"clients=2/grant=100", limiterSim{clients: 2, grant: 100}, 0.95, 0.0199, 0.85},
	{"clients=2/grant=25", limiterSim{clients: 2, grant: 25}, 0.95, 0.0199, 0.8},
	{"clients=5/grant=100", limiterSim{clients: 5, grant: 100}, 0.95, 0.05, 0.8},
	{"clients=5/grant=25", limiterSim{clients: 5, grant: 25}, 0.90, 0.10, 0.5},
}

func TestLimiterReachesTheGrant(t *testing.T) {
	t.Parallel()
	for _, test := range simTargets {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mean, worst := test.runs(t, simSeeds)
			t.Logf("granted %.2f %% (worst %.2f), refused %.3f %% (%.3f), least served %.2f (%.2f), longest gap %v",
				100*mean.granted, 100*worst.granted, 100*mean.refused, 100*worst.refused, mean.least, worst.least,
				worst.longest)
			require.GreaterOrEqual(t, mean.granted, test.granted, "share of the grant")
			require.LessOrEqual(t, mean.refused, test.refused, "answered 429")
			require.GreaterOrEqual(t, mean.least, test.least, "the least served client's part of an equal share")
		})
	}
}

// TestLimiterSurvives simulates servers that have not been seen but that may exist. The bounds check that the limiter
// neither stalls nor floods the server.
func TestLimiterSurvives(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		limiterSim
		granted float64 // at least
		refused float64 // at most
	}{
		{"the window slides", limiterSim{clients: 1, grant: 100, sliding: true}, 0.80, 0.01},
		{"the window slides, small grant", limiterSim{clients: 1, grant: 25, sliding: true}, 0.40, 0.03},
		{"the window slides, two clients", limiterSim{clients: 2, grant: 100, sliding: true}, 0.50, 0.10},
		{"the window slides, five clients", limiterSim{clients: 5, grant: 25, sliding: true}, 0.50, 0.15},
		{"a window begins with its first request", limiterSim{clients: 1, grant: 100, onDemand: true}, 0.90, 0.02},
		{"a window begins with its first request, two clients", limiterSim{clients: 2, grant: 25, onDemand: true}, 0.85, 0.10},
		{"no headers", limiterSim{clients: 1, grant: 100, silent: true}, 0.85, 0},
		{"no headers, less than published", limiterSim{clients: 1, grant: 25, silent: true}, 0.60, 0.15},
		{"no headers, two clients", limiterSim{clients: 2, grant: 100, silent: true}, 0.60, 0.12},
		{"no headers, the window slides", limiterSim{clients: 2, grant: 100, silent: true, sliding: true}, 0.50, 0.12},
		{"headers now and then", limiterSim{clients: 1, grant: 100, rare: true}, 0.90, 0.01},
		{"every tenth answer is lost", limiterSim{clients: 1, grant: 100, lose: 0.1}, 0.95, 0.002},
		{"all answers are lost", limiterSim{clients: 1, grant: 100, lose: 1}, 0.85, 0},
		{"slow answers", limiterSim{clients: 1, grant: 100, slowest: 4 * time.Second}, 0.85, 0.005},
		{"very slow answers", limiterSim{clients: 1, grant: 25, slowest: 30 * time.Second}, 0.50, 0.05},
		{"the grant shrinks for a while", limiterSim{clients: 1, grant: 100, changed: 25}, 0.95, 0.002},
		{"the grant grows for a while", limiterSim{clients: 2, grant: 25, changed: 100}, 0.93, 0.02},
		{"a long window", limiterSim{clients: 1, grant: 100, interval: 10050 * time.Millisecond}, 0.95, 0.01},
		{"a short window", limiterSim{clients: 1, grant: 100, interval: 9950 * time.Millisecond}, 0.93, 0.01},
		{"the headers lie about the interval", limiterSim{clients: 1, grant: 100, interval: 20 * time.Second}, 0.80, 0.15},
		{"the wall clock jumps ahead", limiterSim{clients: 1, grant: 100, jump: time.Hour}, 0.80, 0.01},
		{"the wall clock jumps back", limiterSim{clients: 1, grant: 100, jump: -time.Hour}, 0.80, 0.01},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mean, worst := test.runs(t, 2)
			t.Logf("granted %.2f %%, refused %.3f %%, least served %.2f, longest gap %v",
				100*mean.granted, 100*mean.refused, mean.least, worst.longest)
			require.GreaterOrEqual(t, mean.granted, test.granted, "share of the grant")
			require.LessOrEqual(t, mean.refused, test.refused, "answered 429")
			require.Less(t, worst.longest, 3*newSimServer(test.limiterSim, 0).interval, "time without a grant")
		})
	}
}

// TestLimiterLetsLateClientsIn: a client that joins after a minute gets its share.
func TestLimiterLetsLateClientsIn(t *testing.T) {
	t.Parallel()
	for _, grant := range []int{100, 25} {
		mean, _ := limiterSim{clients: 2, grant: grant, joins: time.Minute}.runs(t, 3)
		require.GreaterOrEqual(t, mean.granted, 0.95)
		require.GreaterOrEqual(t, mean.least, 0.6, "grant %d: part of an equal share", grant)
	}
}

// BenchmarkLimiterShare reports what TestLimiterReachesTheGrant asserts. An iteration simulates ten minutes with each
// of the seeds.
func BenchmarkLimiterShare(b *testing.B) {
	for _, test := range simTargets {
		b.Run(test.name, func(b *testing.B) {
			var mean, worst simResult
			for b.Loop() {
				benchInTest(b, func(t *testing.T) { mean, worst = test.runs(t, simSeeds) })
			}
			b.ReportMetric(100*mean.granted, "%granted")
			b.ReportMetric(100*worst.granted, "%granted-worst")
			b.ReportMetric(100*mean.refused, "%429")
			b.ReportMetric(100*worst.refused, "%429-worst")
			b.ReportMetric(mean.least, "least-served")
		})
	}
}

// benchInTest runs f with a testing.T, which synctest requires.
func benchInTest(b *testing.B, f func(*testing.T)) {
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: f}}) {
		b.Fatal("the simulation failed")
	}
}
