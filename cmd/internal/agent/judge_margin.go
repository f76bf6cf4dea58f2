package agent

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// marginEvery is how often the virtual rings are run. What they say is a second or so old anyway: the record waits for the peers' bulletins.
const marginEvery = 200 * time.Millisecond

// virtual runs the virtual token beside the real one. It belongs to the judge's goroutine; its work a step is bounded.
type virtual struct {
	live    *risk.Live
	plan    *plan // as last told to live
	cluster topology.Cluster
	libknet string
	knet    knetWord
	news    knetNews
	last    time.Time
	margin  *risk.Margin // nil before the first
}

// step runs the rings over what the record has gained, some times a second.
func (v *virtual) step(now time.Time, j *judge, status corosync.Status, rep *checker.Report) {
	if j.plan == nil || j.record == nil || now.Sub(v.last) < marginEvery {
		return
	}
	v.last = now
	if v.live == nil {
		v.live = risk.NewLive(uint64(j.plan.local))
	}
	v.configure(j)
	m := v.live.Step(j.record.trace(), j.record.known(), risk.Reality{
		Now: now, Status: status, Silent: silentNodes(rep), Dead: v.knet.step(now, rep), Cut: cutTold(rep),
		Words: v.news.step(now, uint32(j.plan.local), status, j.viewed, j.decoded),
	})
	v.margin = &m
}

// configure tells the rings of a new configuration, or of timers that the daemon runs differently.
func (v *virtual) configure(j *judge) {
	libknet := j.status.Libknet
	if v.plan == j.plan && v.libknet == libknet && v.cluster.Timeouts == j.cluster.Timeouts && sameLinks(v.cluster.Links, j.cluster.Links) {
		return
	}
	v.plan, v.cluster, v.libknet = j.plan, j.cluster, libknet
	c, err := risk.FromConfig(j.plan.config, nil, libknet) // sites decide nothing here
	if err != nil {
		// There is no ring over knet: the margin is not known.
		v.live.Configure(risk.Cluster{})
		j.agent.modelled.Store(nil)
		return
	}
	if j.cluster.Timeouts.Token > 0 {
		c.Timeouts = j.cluster.Timeouts
	}
	for i := range c.Links {
		if l, ok := j.cluster.Link(c.Links[i].Number); ok && l.Timers.PingTimeout > 0 && l.Timers.EffectiveInterval > 0 {
			c.Links[i].Timeouts = l.Timers
		}
	}
	v.live.Configure(c)
	j.agent.modelled.Store(&c)
}

func sameLinks(a, b []topology.Link) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Number != b[i].Number || a[i].Timers != b[i].Timers || a[i].Priority != b[i].Priority {
			return false
		}
	}
	return true
}

// silentNodes are the nodes that live although their agents do not answer, and since when they do not.
func silentNodes(rep *checker.Report) map[uint32]time.Time {
	var out map[uint32]time.Time
	for i := range rep.Cluster.Nodes {
		n := &rep.Cluster.Nodes[i]
		if n.Agent != checker.AgentSilent && n.Agent != checker.AgentStopped {
			continue
		}
		since := rep.At
		for k := range rep.Paths {
			if p := &rep.Paths[k]; p.Peer.ID == n.ID && !p.Outage.IsZero() && p.Outage.Before(since) {
				since = p.Outage
			}
		}
		if out == nil {
			out = map[uint32]time.Time{}
		}
		out[n.ID] = since
	}
	return out
}

// cutTold: a finding says that somebody is cut off, and pages.
func cutTold(rep *checker.Report) bool {
	return slices.ContainsFunc(rep.Findings, func(f checker.Finding) bool {
		switch f.Code {
		case checker.CodePeerCut, checker.CodeGroupCut, checker.CodeSiteCut, checker.CodeIsolated:
			return f.Severity == checker.Critical || f.Clearing
		}
		return false
	})
}
