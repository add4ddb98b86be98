package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a time that a test moves on.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) add(d time.Duration) time.Time {
	c.now = c.now.Add(d)
	return c.now
}

// answered sends an attempt at the clock's time and answers it 100 milliseconds later.
func answered(p *Pacer, c *clock, remaining int, change ...func(*Answer)) {
	p.Advance(c.now)
	p.Take(c.now)
	a := Answer{Limit: 100, Interval: 10 * time.Second, Remaining: remaining, DailyRemaining: -1, Sent: c.now}
	for _, f := range change {
		f(&a)
	}
	now := c.add(100 * time.Millisecond)
	p.Advance(now)
	p.Learn(a, now)
}

func refused(a *Answer) { a.Refused = true }

func TestFlights(t *testing.T) {
	c := newClock()
	f := flights{epoch: c.now}
	for range 3 {
		f.start(c.now)
	}
	f.start(c.add(time.Second))
	require.Equal(t, 4, f.total())
	require.Equal(t, 1, f.since(c.now), "attempts of a second ago have reached the server")
	require.Equal(t, 4, f.since(c.now.Add(-reorder)), "those half a second apart may not have")

	f.land(c.now.Add(-time.Second))
	require.Equal(t, 3, f.total())
	require.Equal(t, 1, f.since(c.now))
	f.land(c.now.Add(50 * time.Millisecond)) // sent shortly after its start
	require.Zero(t, f.since(c.now))
	for range 10 {
		f.land(c.now)
	}
	require.Zero(t, f.total(), "landing more than started leaves nothing negative")

	f.start(c.now)
	f.start(c.add(flightSlot * (flightSlots - 1)))
	require.Equal(t, 2, f.total())
	f.start(c.add(flightSlot))
	require.Equal(t, 2, f.total(), "the oldest has left the ring")
	f.start(c.add(time.Hour))
	require.Equal(t, 1, f.total())
	f.start(c.add(-time.Hour))
	require.Equal(t, 2, f.total(), "an earlier time counts in the latest slot")
}

func TestDailyQuota(t *testing.T) {
	exhausted := func(t *testing.T, d *daily, now time.Time, wait time.Duration) {
		t.Helper()
		gone, got := d.exhausted(now)
		require.True(t, gone)
		require.Equal(t, wait, got)
	}
	available := func(t *testing.T, d *daily, now time.Time) {
		t.Helper()
		gone, wait := d.exhausted(now)
		require.False(t, gone)
		require.Zero(t, wait)
	}
	t.Run("unknown", func(t *testing.T) {
		available(t, &daily{remaining: -1}, newClock().now)
	})
	t.Run("until the announced reset", func(t *testing.T) {
		c, d := newClock(), &daily{remaining: -1}
		d.learn(Answer{DailyRemaining: 0, DailyReset: time.Hour}, c.now, c.now)
		exhausted(t, d, c.now, time.Hour)
		exhausted(t, d, c.add(59*time.Minute), time.Minute)
		available(t, d, c.add(time.Minute))
		require.Equal(t, -1, d.remaining)
	})
	t.Run("with a probe where no reset is announced", func(t *testing.T) {
		c, d := newClock(), &daily{remaining: -1}
		d.learn(Answer{DailyRemaining: 0}, c.now, c.now)
		exhausted(t, d, c.now, 0)
		available(t, d, c.add(DailyProbe))
		d.take(c.now)
		exhausted(t, d, c.now, 0) // the probe is on its way
		d.giveBack(c.now)
		available(t, d, c.now) // it was not sent
	})
	t.Run("attempts in flight count", func(t *testing.T) {
		c, d := newClock(), &daily{remaining: -1}
		d.learn(Answer{DailyRemaining: 2, DailyReset: time.Hour}, c.now, c.now)
		d.take(c.now)
		available(t, d, c.now)
		d.take(c.now)
		exhausted(t, d, c.now, time.Hour)
		d.giveBack(c.now)
		available(t, d, c.now)
	})
	t.Run("answers that overtake each other", func(t *testing.T) {
		c, d := newClock(), &daily{remaining: -1}
		early := c.now
		late := c.add(time.Second)
		d.learn(Answer{DailyRemaining: 10}, late, c.now)
		d.learn(Answer{DailyRemaining: 11}, early, c.now)
		require.Equal(t, 10, d.remaining)
		d.learn(Answer{DailyRemaining: 9}, early, c.now)
		require.Equal(t, 9, d.remaining)
		d.learn(Answer{DailyRemaining: -1}, late, c.now)
		require.Equal(t, 9, d.remaining)
		d.learn(Answer{DailyRemaining: 5000}, c.add(time.Second), c.now)
		require.Equal(t, 5000, d.remaining, "the quota was granted again")
	})
}

// TestTheWindowIsLearned: what remains jumps up between two answers, so a window began between them.
func TestTheWindowIsLearned(t *testing.T) {
	c := newClock()
	p := New(c.now)
	require.True(t, p.window.hi.IsZero())
	require.Equal(t, 10.0, p.window.rate(c.now), "the published rate")

	answered(p, c, 50)
	require.True(t, p.window.uncertain())
	before := c.now
	c.add(time.Second)
	answered(p, c, 49)
	c.add(time.Second)
	answered(p, c, 99)
	require.False(t, p.window.lo.Before(before), "the answers before were of another window")
	require.False(t, p.window.hi.After(c.now))
	require.Equal(t, 99, p.window.remaining)
	require.Equal(t, 99.0, p.window.room(c.now))

	p.Advance(c.add(11 * time.Second))
	require.False(t, p.window.known, "a new window: what remains is unknown")
	require.Equal(t, 100.0, p.window.room(c.now))
}

func TestNothingRemains(t *testing.T) {
	for name, change := range map[string]func(*Answer){"reported": func(*Answer) {}, "refused": refused} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			p := New(c.now)
			answered(p, c, 0, change)
			d := p.Delay(c.now, false)
			require.Greater(t, d, time.Second)
			require.LessOrEqual(t, d, 10*time.Second)
			require.Less(t, p.window.room(c.now), 1.0)
		})
	}
}

// TestASlidingWindowIsRecognized: what remains grows by a little, again and again.
func TestASlidingWindowIsRecognized(t *testing.T) {
	c := newClock()
	p := New(c.now)
	remaining := 5
	for range slipsToSlide + 1 {
		require.False(t, p.window.sliding(c.now))
		answered(p, c, remaining)
		c.add(200 * time.Millisecond)
		remaining++
	}
	require.True(t, p.window.sliding(c.now))
	require.Less(t, p.Delay(c.now, false), time.Second, "a sliding window grants again soon")

	answered(p, c, 99)
	require.False(t, p.window.sliding(c.now), "a jump shows a fixed window")
	require.True(t, p.window.hi.IsZero())
}

func TestTheLimitIsFollowed(t *testing.T) {
	c := newClock()
	p := New(c.now)
	answered(p, c, 24, func(a *Answer) { a.Limit = 25 })
	require.Equal(t, 2.5, p.window.evenRate())
	older := c.now.Add(-time.Second)
	require.False(t, p.window.setLimit(100, 0, older), "an attempt that was sent earlier")
	require.False(t, p.window.setLimit(25, 10*time.Second, c.now), "unchanged")
	require.False(t, p.window.setLimit(0, 0, c.now), "missing")
	require.False(t, p.window.setLimit(0, time.Millisecond, c.now), "an interval that makes no sense")
	require.True(t, p.window.setLimit(0, 20*time.Second, c.now))
	require.Equal(t, 1.25, p.window.evenRate())
	require.True(t, p.window.hi.IsZero(), "nothing is known of the new window")
}

func TestRetryAfterPausesAll(t *testing.T) {
	c := newClock()
	p := New(c.now)
	answered(p, c, 0, refused, func(a *Answer) { a.RetryAfter = time.Minute })
	require.Equal(t, time.Minute, p.Pause(c.now))
	require.Equal(t, time.Minute, p.Delay(c.now, false))
	p.Advance(c.add(30 * time.Second))
	require.Equal(t, 30*time.Second, p.Pause(c.now))
	answered(p, c, 10)
	require.LessOrEqual(t, p.Pause(c.now), time.Duration(0), "a grant ends the pause early")
}

func TestPermitsAreCounted(t *testing.T) {
	c := newClock()
	p := New(c.now)
	require.Zero(t, p.Delay(c.now, false))
	for range Scouts {
		require.Zero(t, p.Delay(c.now, false))
		p.Take(c.now)
	}
	require.Positive(t, p.Delay(c.now, false), "no more until an answer arrives")
	window, day := p.InFlight()
	require.Equal(t, []int{Scouts, Scouts}, []int{window, day})
	p.GiveBack(c.now)
	require.Zero(t, p.Delay(c.now, false), "the permit given back is free")
	p.Take(c.now)
	require.Positive(t, p.Delay(c.now, false))
	p.Learn(Answer{Lost: true, Sent: c.now}, c.now)
	window, day = p.InFlight()
	require.Equal(t, []int{Scouts - 1, Scouts - 1}, []int{window, day})
}

func TestBackgroundLeavesRoom(t *testing.T) {
	c := newClock()
	p := New(c.now)
	answered(p, c, 10)
	c.add(time.Second)
	p.Advance(c.now)
	require.Zero(t, p.Delay(c.now, false))
	require.Positive(t, p.Delay(c.now, true))
}

func TestSendLog(t *testing.T) {
	c := newClock()
	l := newSendLog(c.now, 10*time.Second)
	start := c.now
	l.add(start)
	l.add(c.add(time.Second))
	l.add(c.add(time.Second))
	require.Equal(t, 2, l.between(start, c.now), "after the first, up to the last")
	require.Equal(t, 3, l.between(start.Add(-time.Minute), c.now.Add(time.Minute)))
	require.Zero(t, l.between(c.now, start), "an empty range")
	l.remove(start.Add(time.Second))
	require.Equal(t, 1, l.between(start, c.now))
	l.remove(start.Add(-time.Second))
	require.Equal(t, 1, l.between(start, c.now), "nothing was sent before")
	l.add(c.add(time.Hour))
	require.Equal(t, 1, l.between(start, c.now), "the others have left the log")
}

func TestRisesAreCounted(t *testing.T) {
	const interval = 10 * time.Second
	next := func(r *rises, c *clock, remaining int, wait time.Duration) int {
		sent := c.add(wait)
		return r.count(remaining, sent, c.add(100*time.Millisecond), interval)
	}
	t.Run("in a sliding window", func(t *testing.T) {
		c, r := newClock(), &rises{}
		require.Zero(t, next(r, c, 1, 0), "nothing to compare with")
		require.Equal(t, 1, next(r, c, 1, time.Second), "as much remains after one more attempt")
		require.Zero(t, next(r, c, 0, time.Second))
		require.Zero(t, next(r, c, 0, time.Second), "an attempt that left nothing may have found one")
		require.Equal(t, 2, next(r, c, 3, time.Second))
	})
	t.Run("in fixed windows", func(t *testing.T) {
		c, r := newClock(), &rises{}
		for range 20 {
			require.Less(t, next(r, c, 99, interval-200*time.Millisecond), slipsToSlide)
			require.Zero(t, next(r, c, 98, 0))
		}
	})
	t.Run("not between attempts that overlap", func(t *testing.T) {
		c, r := newClock(), &rises{}
		r.count(5, c.now, c.now.Add(time.Second), interval)
		require.Zero(t, r.count(6, c.now.Add(500*time.Millisecond), c.now.Add(2*time.Second), interval))
	})
	t.Run("not with a clock that has jumped ahead", func(t *testing.T) {
		c, r := newClock(), &rises{}
		for i := range 10 {
			now := c.add(time.Second)
			require.Zero(t, r.count(i, now, now, interval))
		}
	})
}

// silent makes an answer without any headers.
func silent(a *Answer) { a.Limit, a.Interval, a.Remaining = 0, 0, -1 }

func TestTheLimitIsLearnedFromRefusals(t *testing.T) {
	c := newClock()
	p := New(c.now)
	send := func(n int, change ...func(*Answer)) {
		for range n {
			answered(p, c, 0, append(change, silent)...)
			c.add(100 * time.Millisecond)
		}
	}
	require.Equal(t, 9.0, p.window.unlearnedRate())
	send(25)
	require.InDelta(t, 9.8, p.window.unlearnedRate(), 1e-9, "the published rate")
	send(1, refused)
	require.Equal(t, 25.0, p.window.blindLimit())
	require.InDelta(t, 2.45, p.window.unlearnedRate(), 1e-9)
	require.Positive(t, p.Delay(c.now, false))

	refusedTwice := p.window.blind
	p.Learn(Answer{Refused: true, Remaining: -1, DailyRemaining: -1, Sent: c.now.Add(-time.Second)}, c.now)
	require.Equal(t, refusedTwice.limit, p.window.blind.limit, "sent before the first refusal arrived")

	c.add(time.Minute)
	send(1, refused)
	require.Equal(t, 25.0, p.window.blindLimit(), "others have used the limit")
	require.Greater(t, p.Delay(c.now, false), time.Second)

	c.add(blindTrial * 10 * time.Second)
	send(1)
	require.Equal(t, 27.0, p.window.blindLimit(), "a higher limit is tried")
	for range 20 {
		c.add(21 * time.Second)
		send(1)
	}
	require.Equal(t, 100.0, p.window.blindLimit(), "up to the published limit")
}

func TestTheLimitIsImplied(t *testing.T) {
	c := newClock()
	p := New(c.now)
	unlimited := func(a *Answer) { a.Limit = 0 }
	answered(p, c, 20, unlimited)
	require.Equal(t, 21, p.window.limit)
	c.add(10 * time.Second)
	answered(p, c, 24, unlimited)
	require.Equal(t, 25, p.window.limit)
	c.add(10 * time.Second)
	answered(p, c, 1<<31-1, unlimited)
	require.Equal(t, publishedLimit, p.window.limit, "at most the published limit")
	answered(p, c, 30, func(a *Answer) { a.Limit = 50 })
	answered(p, c, 60, unlimited)
	require.Equal(t, 50, p.window.limit, "a reported limit is final")
}

func TestSlowAnswers(t *testing.T) {
	c := newClock()
	f := flights{epoch: c.now}
	for range 20 {
		f.start(c.now)
		c.add(100 * time.Millisecond)
	}
	require.InDelta(t, 9.5, f.after(c.now, 2*time.Second), 1e-6, "half of those in flight have arrived")
	require.InDelta(t, 20, f.after(c.now.Add(-2*time.Second), 2*time.Second), 1e-6)
	require.Zero(t, f.after(c.now.Add(2*time.Second), 2*time.Second))
}

// TestOthersThatDoNotSlowDown: the window's first half takes others 4 seconds, in which they use 25.
func TestOthersThatDoNotSlowDown(t *testing.T) {
	for seconds, stubborn := range map[int]bool{3: true, 4: true, 6: false, 9: false} {
		c := newClock()
		w := newWindow(c.now)
		begin := c.now
		at := func(d time.Duration, remaining, own int) {
			w.remaining, w.own, w.remainingRecv, w.remainingSent = remaining, own, c.add(d), c.now
			w.rivals.watch(&w)
		}
		at(4*time.Second, 50, 25)
		at(time.Duration(seconds)*time.Second, 10, 45) // 20 of others
		w.rivals.judge(begin)
		require.Equal(t, stubborn, w.rivals.stubborn > 0, "%d seconds", seconds)
	}
}
