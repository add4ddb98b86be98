package ghlsync

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pluvo/ghl"
	"github.com/pluvo/ghl/ghlsync/internal/queue"
	"github.com/pluvo/ghl/pluvo"
)

// metrics holds the counters and histograms of this process, and collects the gauges.
type metrics struct {
	s *Syncer

	runs, failures, writes, conflicts, deliveries, answers, requests, alerts *prometheus.CounterVec
	took, lag, delay                                                         *prometheus.HistogramVec
}

const (
	// collectTimeout bounds the reads of a scrape. Prometheus gives up after 10 seconds.
	collectTimeout = 5 * time.Second
	prefix         = "ghlsync_"
)

// seconds are the buckets of the histograms, from the time of a webhook to an outage of a day.
var seconds = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600}

func newMetrics(s *Syncer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		opts := prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}
		return prometheus.NewHistogramVec(opts, labels)
	}
	return &metrics{
		s: s,
		runs: counter("runs_total",
			"Sync runs of contacts by result: synced, retried, stopped, waits, paused, put back, taken.",
			"location", "result"),
		failures: counter("failures_total",
			"Failed runs by the HighLevel operation that failed, if any, and by category.",
			"location", "operation", "category"),
		writes: counter("writes_total", "Records written, by the side written to.", "location", "to",
			"kind", "action"),
		conflicts: counter("conflicts_total", "New conflicts.", "location", "kind"),
		deliveries: counter("deliveries_total",
			"Accepted webhooks with a valid signature, including repeated ones. "+
				"A location that is not synced is \"other\".",
			"location", "type"),
		answers: counter("webhook_answers_total",
			"Answers to webhooks by status: 200 accepted, 401 invalid signature, 429 to be redelivered.", "code"),
		requests: counter("requests_total",
			"Requests to HighLevel, retries included, by operation and status; "+
				"\"error\" is a request without an answer.",
			"operation", "code"),
		alerts: counter("alerts_total", "Attempts to send an alert: sent or failed.", "result"),
		took:   histogram("run_duration_seconds", "Duration of sync runs.", seconds[:11], "result"),
		lag: histogram("lag_seconds",
			"Time from the mark of a change to the end of its sync; live changes, or changes found in the background.",
			seconds, "location", "priority"),
		delay: histogram("delivery_delay_seconds",
			"Time from the first send of an event by HighLevel to its acceptance.",
			seconds, "location"),
	}
}

// vectors returns the counters and histograms.
func (m *metrics) vectors() []prometheus.Collector {
	return []prometheus.Collector{m.runs, m.failures, m.writes, m.conflicts, m.deliveries, m.answers,
		m.requests, m.alerts,
		m.took, m.lag, m.delay}
}

// ran counts a run.
func (m *metrics) ran(o queue.Outcome) {
	m.runs.WithLabelValues(o.Unit.Location, string(o.Result)).Inc()
	m.took.WithLabelValues(string(o.Result)).Observe(o.Took.Seconds())
	switch {
	case o.Result == queue.Synced:
		priority := "live"
		if o.Priority != queue.Live {
			priority = "background"
		}
		m.lag.WithLabelValues(o.Unit.Location, priority).Observe(max(o.Lag, 0).Seconds())
	case o.Category != "" && o.Result != queue.Waited:
		m.failures.WithLabelValues(o.Unit.Location, o.Operation, string(o.Category)).Inc()
	}
}

func (m *metrics) wrote(location string, to Side, action string, kind pluvo.Kind) {
	m.writes.WithLabelValues(location, string(to), string(kind), action).Inc()
}

func (m *metrics) conflict(c Conflict) {
	m.conflicts.WithLabelValues(c.Location, string(c.Kind)).Inc()
}

func (m *metrics) alerted(failed error) {
	result := "sent"
	if failed != nil {
		result = "failed"
	}
	m.alerts.WithLabelValues(result).Inc()
}

// delivered counts a webhook with a valid signature. The label "other" stands for locations that are not configured,
// which bounds the number of label values.
func (m *metrics) delivered(location, kind string, sent time.Time) {
	if m.s.location(location) == nil {
		location = "other"
	}
	m.deliveries.WithLabelValues(location, kind).Inc()
	if !sent.IsZero() {
		m.delay.WithLabelValues(location).Observe(max(time.Since(sent), 0).Seconds())
	}
}

// measured returns a middleware that counts requests to HighLevel and measures HighLevel's clock.
func (s *Syncer) measured(next http.RoundTripper) http.RoundTripper { return measuring{s, next} }

type measuring struct {
	s    *Syncer
	next http.RoundTripper
}

// RoundTrip sends and counts a request.
func (t measuring) RoundTrip(req *http.Request) (*http.Response, error) {
	name := ""
	if op, ok := ghl.OperationFromContext(req.Context()); ok {
		name = op.Name
	}
	sent := time.Now()
	resp, err := t.next.RoundTrip(req)
	code := "error"
	if err == nil {
		code = strconv.Itoa(resp.StatusCode)
		t.s.monitor.clock(sent, resp)
	}
	t.s.metrics.requests.WithLabelValues(name, code).Inc()
	return resp, err
}

// gauge is a metric that is read at each scrape.
type gauge struct{ desc *prometheus.Desc }

func newGauge(name, help string, labels ...string) gauge {
	return gauge{prometheus.NewDesc(prefix+name, help, labels, nil)}
}

func (g gauge) send(to chan<- prometheus.Metric, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, value, labels...)
}

var (
	gaugeUp        = newGauge("database_up", "1 if the database answers. If it is 0, the other gauges are missing.")
	gaugeProcesses = newGauge("processes", "Processes that work on the database.")
	gaugeAlerts    = newGauge("alerts_waiting", "Alerts that are not sent yet.")
	gaugeClock     = newGauge("clock_ahead_seconds",
		"How far the clock of the database or of HighLevel is ahead of this machine's clock.", "of")
	gaugeProblem = newGauge("problem", "1 for each problem that Health reports, by its code.", "location", "code")

	gaugeContacts = newGauge("contacts",
		"Contacts that are not synced: waiting, running, retrying after a failure, or delayed.", "location", "state")
	gaugeOldest = newGauge("oldest_wait_seconds",
		"Longest wait of a contact that is ready to run; 0 if none is ready.", "location")
	gaugeFailures  = newGauge("open_failures", "Contacts that fail: retrying or stopped.", "location", "state")
	gaugeConflicts = newGauge("open_conflicts",
		"Unresolved conflicts, by whether a person must decide.", "location", "decision")
	gaugePaused = newGauge("location_paused", "1 if the location is paused.", "location")
	gaugeBudget = newGauge("budget_left", "Requests that may be sent to HighLevel for the location now.", "location")
	gaugeDaily  = newGauge("budget_daily_left", "Requests left until the daily quota is renewed.", "location")
	gaugeToken  = newGauge("token_state",
		"1 for the state of the location's token: ok, missing, refused, ends soon, expired, unreadable or unknown.",
		"location", "state")
	gaugeExpires = newGauge("token_expires_timestamp_seconds",
		"When the location's access token expires. A renewable token is renewed earlier.", "location")
	gaugeDelivered = newGauge("last_delivery_timestamp_seconds",
		"When the last webhook of the location arrived.", "location")

	gauges = []gauge{gaugeUp, gaugeProcesses, gaugeAlerts, gaugeClock, gaugeProblem, gaugeContacts, gaugeOldest,
		gaugeFailures, gaugeConflicts, gaugePaused, gaugeBudget, gaugeDaily, gaugeToken, gaugeExpires, gaugeDelivered}
	allTokenStates = []TokenState{
		TokenOK, TokenMissing, TokenRefused, TokenEnds, TokenExpired, TokenUnreadable, TokenUnknown,
	}
	oneIf = map[bool]float64{true: 1}
)

func unixOf(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Describe sends the descriptions of the metrics; see [prometheus.Collector].
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.vectors() {
		c.Describe(to)
	}
	for _, g := range gauges {
		to <- g.desc
	}
}

// Collect sends the metrics; see [prometheus.Collector].
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.vectors() {
		c.Collect(to)
	}
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	h, states := m.s.health(ctx)
	sent := map[[2]string]bool{}
	for _, p := range h.Problems {
		if key := [2]string{p.Location, p.Code}; !sent[key] { // two problems may have one code, such as two clocks
			sent[key] = true
			gaugeProblem.send(to, 1, p.Location, p.Code)
		}
	}
	gaugeUp.send(to, oneIf[states != nil])
	if states == nil {
		return
	}
	gaugeProcesses.send(to, float64(h.Processes))
	gaugeAlerts.send(to, float64(h.AlertsWaiting))
	gaugeClock.send(to, h.DatabaseClock.Seconds(), "database")
	if h.HighLevelClock != 0 {
		gaugeClock.send(to, h.HighLevelClock.Seconds(), "highlevel")
	}
	for i := range states {
		states[i].collect(to)
	}
}

// collect sends the gauges of a location.
func (l *locationState) collect(to chan<- prometheus.Metric) {
	for state, n := range map[string]int{"running": l.running, "retrying": l.retrying, "delayed": l.delayed,
		"waiting": l.Waiting - l.running - l.retrying - l.delayed} {
		gaugeContacts.send(to, float64(n), l.ID, state)
	}
	gaugeOldest.send(to, l.Lag.Seconds(), l.ID)
	gaugeFailures.send(to, float64(l.Retrying), l.ID, string(Retrying))
	gaugeFailures.send(to, float64(l.Stopped), l.ID, string(Stopped))
	gaugeConflicts.send(to, float64(l.Undecided), l.ID, "needed")
	gaugeConflicts.send(to, float64(l.Conflicts-l.Undecided), l.ID, "taken")
	gaugePaused.send(to, oneIf[!l.Paused.IsZero()], l.ID)
	if l.BudgetLeft >= 0 {
		gaugeBudget.send(to, float64(l.BudgetLeft), l.ID)
	}
	if l.DailyLeft >= 0 {
		gaugeDaily.send(to, float64(l.DailyLeft), l.ID)
	}
	for _, state := range allTokenStates {
		gaugeToken.send(to, oneIf[l.Token.State == state], l.ID, string(state))
	}
	if !l.Token.ExpiresAt.IsZero() {
		gaugeExpires.send(to, unixOf(l.Token.ExpiresAt), l.ID)
	}
	if !l.LastDelivery.IsZero() {
		gaugeDelivered.send(to, unixOf(l.LastDelivery), l.ID)
	}
}
