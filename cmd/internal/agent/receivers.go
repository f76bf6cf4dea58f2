package agent

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumwatch/quorumwatch/alerts"
)

// newReceiverMetrics returns a Collector over what became of the notifications to each receiver: the one place, besides the log,
// that tells of a receiver whose token has expired.
func newReceiverMetrics(receivers []*alerts.Queue) prometheus.Collector {
	return &receiverMetrics{
		receivers: receivers,
		total: prometheus.NewDesc("quorumwatch_notifications_total",
			"Notifications to a receiver, by what became of them: delivered, failed (its answer says that retrying would not help), "+
				"given_up (retried in vain) or dropped (too many waited).", []string{"receiver", "result"}, nil),
		retries: prometheus.NewDesc("quorumwatch_notification_retries_total",
			"Calls to a receiver that went wrong and are made again.", []string{"receiver"}, nil),
		pending: prometheus.NewDesc("quorumwatch_notifications_pending",
			"Notifications that a receiver is yet to get.", []string{"receiver"}, nil),
	}
}

type receiverMetrics struct {
	receivers               []*alerts.Queue
	total, retries, pending *prometheus.Desc
}

// Describe sends what Collect will be about.
func (m *receiverMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.total
	ch <- m.retries
	ch <- m.pending
}

// Collect sends all series of every receiver, also those that are 0: a rate needs a start.
func (m *receiverMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, q := range m.receivers {
		name, s := q.Receiver(), q.Stats()
		for result, n := range map[string]uint64{
			"delivered": s.Delivered, "failed": s.Failed, "given_up": s.GivenUp, "dropped": s.Dropped,
		} {
			ch <- prometheus.MustNewConstMetric(m.total, prometheus.CounterValue, float64(n), name, result)
		}
		ch <- prometheus.MustNewConstMetric(m.retries, prometheus.CounterValue, float64(s.Retries), name)
		ch <- prometheus.MustNewConstMetric(m.pending, prometheus.GaugeValue, float64(s.Pending), name)
	}
}
