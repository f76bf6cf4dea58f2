package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumwatch/quorumwatch/checker"
)

func (s *sender) ha() {
	h := s.r.HA
	if h == nil || !h.Known {
		return
	}
	if h.State != "" {
		s.gauge(s.haInfo, 1, h.State)
	}
	for _, n := range h.Nodes {
		s.tri(s.haArmed, n.Armed, n.Name)
		s.tri(s.fenceCounting, n.Counting, n.Name)
		s.until(s.fenceReset, n.Reset, n.Name)
		s.until(s.fenceNoReturn, n.NoReturn, n.Name)
	}
	if o := s.r.Outcome; o != nil && o.Toll != nil {
		s.gauge(s.cutResets, float64(len(o.Toll.Resets)))
		if o.Toll.Complete { // else some may not be known of
			s.gauge(s.cutGuests, float64(o.Toll.Guests))
		}
	}
}

func (s *sender) until(d *prometheus.Desc, u *checker.Until, node string) {
	if u == nil {
		return
	}
	s.seconds(d, u.Earliest, node, "earliest")
	s.seconds(d, u.Likely, node, "likely")
	s.seconds(d, u.Latest, node, "latest")
}

// tri sends what is known.
func (s *sender) tri(d *prometheus.Desc, v checker.Tri, labels ...string) {
	if v != checker.Unknown {
		s.bool(d, v == checker.Yes, labels...)
	}
}
