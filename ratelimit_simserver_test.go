package ghl

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// limiterSim simulates ten minutes of a server that limits requests, and of clients that do not know of each other.
// Each client has its own limiter and 50 callers, which call again as soon as they are answered. The server grants a
// number of requests in each fixed window, unless a field says otherwise.
type limiterSim struct {
	grant   int
	clients int

	sliding  bool    // the window slides
	onDemand bool    // a window begins with the first request after the last
	bucket   bool    // a token bucket holds at most grant tokens
	refill   float64 // tokens that the bucket gets in an interval; grant when zero

	silent  bool    // no headers at all
	rare    bool    // headers on one of twenty answers
	missing string  // "l": no limit, "r": nothing about what remains, "i": no interval
	lose    float64 // share of the answers that are lost

	fastest  time.Duration // shortest time to an answer; 50 ms when zero
	slowest  time.Duration // longest time to an answer; 300 ms when zero
	interval time.Duration // real length of the window; 10 s when zero
	joins    time.Duration // when the last of the clients begins
	changed  int           // grant from the fourth to the seventh minute
	jump     time.Duration // how far the wall clock jumps after half of the time

	naive bool // a client beside the others does not know the limit: it sends 10 requests a second, at first 100 at once
}

const (
	simTime    = 10 * time.Minute
	simCallers = 50
)

// simResult is the outcome of a simulation, in shares from 0 to 1.
type simResult struct {
	granted float64       // of what the server could grant
	refused float64       // of the requests of the clients with a limiter
	least   float64       // of an equal share, by the least served client with a limiter
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
	tokens   float64     // in the bucket
	filled   time.Time   // when they were counted
	capacity int
	by       []int // grants of each client
	refusals []int // of each client
	granted  int
	refused  int
	last     time.Time
	longest  time.Duration
}

func newSimServer(s limiterSim, seed uint64) *simServer {
	if s.interval == 0 {
		s.interval = 10 * time.Second
	}
	if s.fastest == 0 {
		s.fastest = 50 * time.Millisecond
	}
	if s.slowest == 0 {
		s.slowest = 300 * time.Millisecond
	}
	if s.refill == 0 {
		s.refill = float64(s.grant)
	}
	srv := &simServer{limiterSim: s, rng: rand.New(rand.NewPCG(seed, 1)), start: time.Now()}
	srv.by, srv.refusals = make([]int, s.clients+1), make([]int, s.clients+1)
	srv.phase = time.Duration(srv.rng.Int64N(int64(s.interval)))
	srv.last, srv.filled, srv.tokens = srv.start, srv.start, float64(s.grant)
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
	all := s.fastest
	if s.slowest > s.fastest {
		all += time.Duration(s.rng.Int64N(int64(s.slowest - s.fastest)))
	}
	there = time.Duration(s.rng.Int64N(int64(all)))
	return there, all - there
}

// count updates what the server has granted in the window that now is in.
func (s *simServer) count(now time.Time, limit int) {
	switch {
	case s.sliding:
		for len(s.recent) > 0 && now.Sub(s.recent[0]) >= s.interval {
			s.recent = s.recent[1:]
		}
		s.used = len(s.recent)
	case s.bucket:
		s.tokens = min(s.tokens+s.refill*now.Sub(s.filled).Seconds()/s.interval.Seconds(), float64(limit))
		s.filled = now
		s.used = limit - int(s.tokens)
	case s.onDemand:
		if now.Sub(s.begun) >= s.interval {
			s.begun, s.used = now, 0
		}
	default:
		s.turn(now)
	}
}

// answer counts a request of the client as it arrives.
func (s *simServer) answer(client int) RateLimit {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	limit := s.limit()
	s.count(now, limit)
	r := RateLimit{Limit: limit, Interval: 10 * time.Second, DailyRemaining: -1, Status: http.StatusOK}
	if s.used >= limit {
		s.refused++
		s.refusals[client]++
		r.Status = http.StatusTooManyRequests
	} else {
		s.used++
		s.granted++
		s.by[client]++
		s.longest = max(s.longest, now.Sub(s.last))
		s.last = now
		s.tokens--
		if s.sliding {
			s.recent = append(s.recent, now)
		}
	}
	r.Remaining = max(limit-s.used, 0)
	if s.silent || s.rare && s.rng.IntN(20) > 0 {
		r.Limit, r.Remaining, r.Interval = 0, -1, 0
	}
	if strings.Contains(s.missing, "l") {
		r.Limit = 0
	}
	if strings.Contains(s.missing, "r") {
		r.Remaining = -1
	}
	if strings.Contains(s.missing, "i") {
		r.Interval = 0
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
	switch {
	case s.bucket:
		s.capacity = s.grant + int(s.refill*float64(simTime)/float64(s.interval))
	case s.sliding || s.onDemand:
		s.capacity = int(float64(s.grant) * float64(simTime) / float64(s.interval))
	default:
		s.turn(s.start.Add(simTime - 1))
	}
	ours, oursRefused := s.granted-s.by[s.clients], s.refused-s.refusals[s.clients]
	r := simResult{
		granted: float64(s.granted) / float64(s.capacity),
		refused: float64(oursRefused) / float64(ours+oursRefused),
		longest: s.longest,
	}
	all, least := s.clients, s.by[0]
	for _, n := range s.by[:s.clients] {
		least = min(least, n)
	}
	if s.naive {
		all++
	}
	r.least = float64(least*all) / float64(s.granted)
	return r
}

// run runs the simulation. It must be called in a synctest bubble.
func (s limiterSim) run(t *testing.T, seed uint64) simResult {
	srv := newSimServer(s, seed)
	end := srv.start.Add(simTime)
	var callers sync.WaitGroup
	for client := range s.clients {
		l := NewLimiter()
		for range simCallers {
			callers.Go(func() {
				if client == s.clients-1 {
					time.Sleep(s.joins)
				}
				for srv.call(t, l, client, end) {
				}
			})
		}
	}
	if s.naive {
		pace := rate.NewLimiter(10, 100)
		for range simCallers {
			callers.Go(func() {
				for pace.Wait(t.Context()) == nil && srv.callNaively(end) {
				}
			})
		}
	}
	callers.Wait()
	return srv.result()
}

// call makes one call of a client with a limiter. It reports whether there is time for another.
func (s *simServer) call(t *testing.T, l *AdaptiveLimiter, client int, end time.Time) bool {
	if err := l.Wait(t.Context()); err != nil {
		t.Errorf("Wait: %v", err)
		return false
	}
	sent := time.Now()
	there, back := s.latency()
	if !sent.Add(there).Before(end) {
		l.Observe(RateLimit{})
		return false
	}
	time.Sleep(there)
	r := s.answer(client)
	time.Sleep(back)
	r.Sent = sent
	if s.jump != 0 && time.Until(end) < simTime/2 {
		r.Sent = sent.Round(0).Add(s.jump) // no monotonic time
	}
	l.Observe(r)
	return true
}

// callNaively makes one call of the naive client. It reports whether there is time for another.
func (s *simServer) callNaively(end time.Time) bool {
	there, back := s.latency()
	if !time.Now().Add(there).Before(end) {
		return false
	}
	time.Sleep(there)
	s.answer(s.clients)
	time.Sleep(back)
	return true
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
