package ghlsync

import "github.com/prometheus/client_golang/prometheus"

// Metrics returns the collector of the metrics, for prometheus.MustRegister(s.Metrics()). It always returns the same
// collector, which stays usable after [Syncer.Stop]. The documentation of the package lists the metrics.
//
// Counters and histograms count in this process. Gauges are read from the database at each scrape, so all processes
// report the same values: aggregate gauges with max, not with sum. Labels hold ids of locations and fixed words,
// never the id of a contact.
func (s *Syncer) Metrics() prometheus.Collector { return s.metrics }
