package ghlsync

import "github.com/prometheus/client_golang/prometheus"

// Metrics returns what Prometheus can ask, for a registry: prometheus.MustRegister(s.Metrics()). It is always the same one.
func (s *Syncer) Metrics() prometheus.Collector { return s.metrics }
