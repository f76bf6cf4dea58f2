package checker

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// helloTime is how long a path may be probed before it is told that nobody ever answered.
const helloTime = 10 * time.Second

// ruleAgent tells of peers whose agent is the silent one: that is unknown, not a cut.
func ruleAgent(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		switch p.verdict {
		case stoppedAgent:
			j.add(draft{
				code: CodeAgentStopped, severity: Info, subject: p.node.Name, since: p.since,
				title:    fmt.Sprintf("the agent on %s said that it was being stopped, and has been silent for %s", p.node.Name, units.Time(p.gap)),
				evidence: map[string]string{"knet": p.knet.String(), "member": p.member.String()},
			})
		case silentAgent:
			j.agentSilent(p)
		case neverHeard:
			j.agentNeverHeard(p)
		case reachable:
			j.linksSilent(p)
		}
	}
}

func (j *judge) agentSilent(p *peer) {
	d := draft{code: CodeAgentSilent, severity: Info, subject: p.node.Name, since: p.since}
	d.title = fmt.Sprintf("%s has not answered probes for %s, but its node lives: knet is connected", p.node.Name, units.Time(p.gap))
	if j.refused(p) {
		d.title = fmt.Sprintf("%s has not answered probes for %s, but its host says that only the agent is gone (port closed)", p.node.Name, units.Time(p.gap))
	}
	d.evidence = map[string]string{"knet": p.knet.String(), "member": p.member.String(), "silent_for": units.Time(p.gap)}
	j.add(d)
}

func (j *judge) agentNeverHeard(p *peer) {
	since := time.Time{}
	for i := range p.paths {
		if p.paths[i].obs.Err == "" {
			since = later(since, p.paths[i].obs.Since)
		}
	}
	if since.IsZero() || j.ago(since) < helloTime {
		return
	}
	j.add(draft{
		code: CodeAgentSilent, severity: Info, subject: p.node.Name, since: since,
		title:    fmt.Sprintf("no agent was ever heard on %s: its paths are unknown", p.node.Name),
		evidence: map[string]string{"knet": p.knet.String(), "member": p.member.String()},
	})
}

// linksSilent tells of single links on which probes die although knet's own heartbeats pass.
func (j *judge) linksSilent(p *peer) {
	for i := range p.paths {
		l := &p.paths[i]
		switch {
		case l.obs.Err != "":
		case l.out && l.excused != notExcused:
			j.add(draft{
				code: CodeAgentSilent, severity: Info, subject: subject(p, l), since: l.since,
				title:    fmt.Sprintf("probes to %s on link %d are not answered, but knet's are", p.node.Name, l.obs.Link),
				evidence: map[string]string{"knet": l.knet.String(), "silent_for": units.Time(l.gap)},
			})
		case !l.heard && l.knet == KnetConnected && j.ago(l.obs.Since) >= helloTime:
			j.add(draft{
				code: CodeAgentSilent, severity: Info, subject: subject(p, l), since: l.obs.Since,
				title:    fmt.Sprintf("probes to %s on link %d were never answered, but knet's are", p.node.Name, l.obs.Link),
				evidence: map[string]string{"knet": l.knet.String()},
			})
		}
	}
}
