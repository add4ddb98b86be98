package ghl

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// simSeeds is how many seeds each figure is the mean of.
const simSeeds = 5

// simTarget is a simulation with the figures that its mean must reach.
type simTarget struct {
	name string
	limiterSim
	granted float64 // at least
	refused float64 // at most
	least   float64 // at least
}

// simTargets are the figures that the limiter must reach with a server like HighLevel's.
var simTargets = []simTarget{
	{"clients=1/grant=100", limiterSim{clients: 1, grant: 100}, 0.97, 0.0009, 0.999},
	{"clients=1/grant=25", limiterSim{clients: 1, grant: 25}, 0.97, 0.0009, 0.999},
	{"clients=2/grant=100", limiterSim{clients: 2, grant: 100}, 0.95, 0.0199, 0.85},
	{"clients=2/grant=25", limiterSim{clients: 2, grant: 25}, 0.95, 0.0199, 0.8},
	{"clients=5/grant=100", limiterSim{clients: 5, grant: 100}, 0.95, 0.05, 0.8},
	{"clients=5/grant=25", limiterSim{clients: 5, grant: 25}, 0.90, 0.10, 0.5},
}

// otherTargets are the figures that the limiter must reach, without a setting, with servers of other kinds.
var otherTargets = []simTarget{
	{"sliding/grant=100", limiterSim{clients: 1, grant: 100, sliding: true}, 0.95, 0.005, 0.999},
	{"sliding/grant=25", limiterSim{clients: 1, grant: 25, sliding: true}, 0.95, 0.005, 0.999},
	{"bucket/grant=100", limiterSim{clients: 1, grant: 100, bucket: true}, 0.98, 0.001, 0.999},
	{"bucket/grant=25", limiterSim{clients: 1, grant: 25, bucket: true}, 0.98, 0.001, 0.999},
	{"bucket/grant=25/refill=100", limiterSim{clients: 1, grant: 25, refill: 100, bucket: true}, 0.98, 0.001, 0.999},
	{"on-demand/grant=100", limiterSim{clients: 1, grant: 100, onDemand: true}, 0.95, 0.005, 0.999},
	{"answers-after-2s/grant=100", limiterSim{clients: 1, grant: 100, fastest: lateAnswer, slowest: lateAnswer}, 0.945, 0.005, 0.999},
	{"answers-after-2s/grant=25", limiterSim{clients: 1, grant: 25, fastest: lateAnswer, slowest: lateAnswer}, 0.94, 0.008, 0.999},
	{"no-headers/grant=100", limiterSim{clients: 1, grant: 100, silent: true}, 0.95, 0.0005, 0.999},
	{"no-headers/grant=50", limiterSim{clients: 1, grant: 50, silent: true}, 0.94, 0.005, 0.999},
	{"no-headers/grant=25", limiterSim{clients: 1, grant: 25, silent: true}, 0.95, 0.005, 0.999},
	{"no-headers/grant=100/sliding", limiterSim{clients: 1, grant: 100, silent: true, sliding: true}, 0.94, 0.005, 0.999},
	{"no-limit/grant=25", limiterSim{clients: 1, grant: 25, missing: "l"}, 0.97, 0.001, 0.999},
	{"no-limit-and-interval/grant=25", limiterSim{clients: 1, grant: 25, missing: "li"}, 0.97, 0.001, 0.999},
	{"no-remaining/grant=25", limiterSim{clients: 1, grant: 25, missing: "r"}, 0.95, 0.001, 0.999},
	{"no-interval/grant=25", limiterSim{clients: 1, grant: 25, missing: "i"}, 0.97, 0.001, 0.999},
	{"changed-to-25/grant=100", limiterSim{clients: 1, grant: 100, changed: 25}, 0.97, 0.001, 0.999},
	{"changed-to-100/grant=25", limiterSim{clients: 1, grant: 25, changed: 100}, 0.97, 0.001, 0.999},
	{"naive-neighbour/grant=100", limiterSim{clients: 1, grant: 100, naive: true}, 0.97, 0.02, 0.82},
}

const lateAnswer = 2 * time.Second

func TestLimiterReachesTheGrant(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(simTargets, otherTargets) {
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
	for _, test := range slices.Concat(simTargets, otherTargets) {
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
