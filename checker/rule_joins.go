package checker

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// A processor that gathers sends a join each join timeout (totemsrp.c, memb_state_gather_enter). Two that disagree about who failed answer
// each other's joins at once, and arm consensus anew each time: memb_join_process.
const (
	stormFactor = 2 // times one a join timeout
	stormAfter  = 10 * time.Second
	stormAsked  = 12 * time.Second // a counter that is older says nothing
)

// joinMemo follows Corosync's counter of join messages.
type joinMemo struct {
	known bool
	sent  uint64
	at    time.Time // when sent was read
	rate  float64   // a second, between the last two readings
	since time.Time // from when on it was too high; zero: it is not
}

// joinNews takes a new reading of the counter. The counter stands still while all is well, so that a reading that changes nothing is
// noticed by its age alone.
func (j *judge) joinNews(m joinMemo) joinMemo {
	s := &j.in.Status
	if !j.status.fresh || !s.SRP.Known || s.SRP.JoinsSent < m.sent {
		return joinMemo{}
	}
	passed := s.At.Sub(m.at)
	switch {
	case !m.known:
		return joinMemo{known: true, sent: s.SRP.JoinsSent, at: s.At}
	case s.SRP.JoinsSent == m.sent:
		if passed > stormAsked {
			m.at, m.rate, m.since = s.At, 0, time.Time{}
		}
		return m
	case passed <= 0:
		return m
	}
	m.rate = float64(s.SRP.JoinsSent-m.sent) / passed.Seconds()
	m.sent, m.at = s.SRP.JoinsSent, s.At
	switch {
	case m.rate <= j.usualJoins()*stormFactor:
		m.since = time.Time{}
	case m.since.IsZero():
		m.since = s.At // a few hundred joins at once, somewhere since the last reading, are none without end
	}
	return m
}

// usualJoins is how many joins a second a processor sends that forms a ring; the default's, if the timeout is not known.
func (j *judge) usualJoins() float64 {
	if join := j.in.Cluster.Timeouts.Join; join > 0 {
		return 1 / join.Seconds()
	}
	return 20
}

// ruleJoins tells of joins without end.
func ruleJoins(j *judge) {
	m := &j.next.daemon.joins
	if m.since.IsZero() || m.at.Sub(m.since) < stormAfter || j.ago(m.at) > stormAsked {
		return
	}
	j.add(draft{
		code: CodeJoinStorm, severity: Warning, subject: "ring", since: m.since,
		title:    fmt.Sprintf("Corosync has been sending %.0f join messages a second for %s: the nodes do not agree on a ring", m.rate, units.Time(j.ago(m.since))),
		evidence: map[string]string{"joins_per_second": fmt.Sprintf("%.0f", m.rate), "usual_at_most": fmt.Sprintf("%.0f", j.usualJoins())},
	})
}
