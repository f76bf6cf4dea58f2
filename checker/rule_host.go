package checker

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// pauseSome and pauseMatters are shares of T from which a stall of a host is told.
const (
	pauseSome    = 0.05
	pauseMatters = 0.2
)

// ruleHost tells of hosts that stalled: this one, by the agent's own timers, and peers, by what their agents say. Probes that
// were late for it do not count against the network.
func ruleHost(j *judge) {
	h := j.in.Host
	felt := false
	for i := range j.paths {
		felt = felt || j.paths[i].hostFelt
	}
	if h.Pause >= max(j.share(pauseSome), 100*time.Millisecond) || felt {
		d := draft{code: CodeHostPause, severity: Info, subject: j.local.Name, since: h.At}
		if h.Pause >= j.share(pauseMatters) {
			d.severity = Warning
		}
		d.title = fmt.Sprintf("this host stalled for %s, %s of the token timeout", units.Time(h.Pause), units.Percent(ratio(h.Pause, j.token)))
		d.evidence = map[string]string{"stall": units.Time(h.Pause), "share_of_token": units.Percent(ratio(h.Pause, j.token)), "worst_10_min": units.Time(h.Worst)}
		j.add(d)
	}
	for _, v := range j.views {
		if j.ago(v.At) > viewFresh || v.Pause < max(j.share(pauseSome), 100*time.Millisecond) {
			continue
		}
		name := j.nodeName(v.Node)
		j.add(draft{
			code: CodePeerPause, severity: Info, subject: name,
			title:    fmt.Sprintf("%s says that its host stalled for %s, %s of the token timeout", name, units.Time(v.Pause), units.Percent(ratio(v.Pause, j.token))),
			evidence: map[string]string{"stall": units.Time(v.Pause), "share_of_token": units.Percent(ratio(v.Pause, j.token))},
		})
	}
}
