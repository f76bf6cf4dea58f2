package metrics

import "github.com/quorumwatch/quorumwatch/checker"

// marginOf sends the margin, and what it rests on when the virtual token tells it.
func (s *sender) marginOf(m *checker.Margin) {
	if !m.Known {
		return
	}
	s.gauge(s.margin, m.Now, "now")
	s.gauge(s.margin, m.Minute, "1m")
	s.gauge(s.margin, m.TenMin, "10m")
	s.seconds(s.worstGap, m.WorstGap)
	s.gauge(s.marginBasis, 1, m.Basis)
	if len(m.Windows) != len(marginWindows) {
		return
	}
	s.gauge(s.marginCoverage, m.Coverage)
	for i, name := range marginWindows {
		w := &m.Windows[i]
		if i >= 3 {
			s.gauge(s.margin, w.Margin, name)
		}
		s.seconds(s.tokenGap, w.Gap, name, "median")
		s.seconds(s.tokenGap, w.WorstGap, name, "worst")
		s.gauge(s.virtualLosses, w.Losses, name)
		s.gauge(s.virtualLinkDowns, w.LinkDowns, name)
	}
}

// marginWindows are the names of Margin.Windows.
var marginWindows = [...]string{"10s", "1m", "10m", "1h", "24h"}
