package stats

import "time"

// estimator is RFC 6298's smoothed mean and mean deviation (section 2; alpha 1/8, beta 1/4).
type estimator struct {
	known    bool
	smoothed time.Duration
	dev      time.Duration
	samples  uint32
}

// seed sets a first, doubtful value; the next sample replaces it.
func (e *estimator) seed(d time.Duration) {
	*e = estimator{known: true, smoothed: d, dev: d / 2}
}

func (e *estimator) add(d time.Duration) {
	if e.samples == 0 {
		*e = estimator{known: true, smoothed: d, dev: d / 2, samples: 1}
		return
	}
	e.samples++
	e.dev += ((d - e.smoothed).Abs() - e.dev) / 4
	e.smoothed += (d - e.smoothed) / 8
}

// overdue is the age at which an unanswered probe is overdue: RFC 6298's SRTT + 4 RTTVAR, and overdueSlack.
func (p *Path) overdue() time.Duration {
	if !p.response.known {
		return initialOverdue
	}
	return min(p.response.smoothed+4*p.response.dev+overdueSlack, p.lostAfter())
}
