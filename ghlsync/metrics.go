package ghlsync

import "github.com/prometheus/client_golang/prometheus"

// Metrics returns what Prometheus can ask: prometheus.MustRegister(s.Metrics()). It is always the same collector, and stays
// usable after [Syncer.Stop]. The documentation of the package lists the metrics.
//
// Counters and histograms are of this process. Gauges are read from the database when Prometheus asks, so all processes tell
// the same of them: take the max, not the sum. Labels hold ids of locations, and words; never the id of a contact.
func (s *Syncer) Metrics() prometheus.Collector { return s.metrics }
