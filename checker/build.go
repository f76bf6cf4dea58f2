package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

var daemonNames = [...]string{
	corosync.DaemonUnknown: "unknown", corosync.DaemonRunning: "running", corosync.DaemonStarting: "starting",
	corosync.DaemonStopped: "stopped", corosync.DaemonHanging: "hanging", corosync.DaemonAbsent: "absent", corosync.DaemonDenied: "denied",
}

// report builds the Report of this Step.
func (j *judge) report() Report {
	r := Report{
		Schema: SchemaVersion, At: j.now(), Software: j.in.Software,
		Node:     NodeRef{j.in.Cluster.Local, j.local.Name},
		Cluster:  j.cluster(),
		Corosync: j.corosync(),
		Timeouts: j.timeouts(),
		Quorum:   j.quorum(),
		Host:     Host{Pause: Seconds(j.in.Host.Pause), PauseAt: j.in.Host.At, WorstPause: Seconds(j.in.Host.Worst)},
		Paths:    j.reportPaths(),
		Mesh:     j.next.mesh.rows,
		Margin:   j.margin(),
		Forecast: j.in.Forecast,
		HA:       j.ha,
		Probes:   Probes{Authenticated: !j.in.Probing.Unauthenticated, Drops: slices.Clone(j.in.Probing.Drops)},
		Findings: j.shownFindings(),
	}
	for _, c := range j.cuts { // one that is still to come counts before those that have happened, and then the newest
		if c.outcome != nil && (r.Outcome == nil || !c.outcome.Happened || r.Outcome.Happened) {
			r.Outcome = c.outcome
		}
	}
	for i := range r.Findings {
		r.Severity = max(r.Severity, r.Findings[i].Severity)
	}
	return r
}

func (j *judge) cluster() Cluster {
	in := &j.in.Cluster
	old := &j.prev.cluster
	if old.nodes != first(in.Nodes) || old.links != first(in.Links) || old.token != j.token || len(old.report.Nodes) != len(in.Nodes) {
		j.next.cluster = clusterMemo{first(in.Nodes), first(in.Links), j.token, j.staticCluster()}
	} else {
		j.next.cluster = *old
	}
	c := j.next.cluster.report
	c.Name, c.ConfigVersion, c.Nodes = in.Name, in.ConfigVersion, slices.Clone(c.Nodes)
	peers := j.peers
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.Member = j.member(n.ID)
		n.Local = n.ID == in.Local
		switch {
		case n.Local:
			n.Reach, n.Agent = ReachLocal, AgentHeard
		case len(peers) > 0 && peers[0].node.ID == n.ID:
			n.Reach, n.Agent = j.reach(&peers[0]), j.agentState(&peers[0])
			peers = peers[1:]
		}
	}
	return c
}

// staticCluster is what only changes with the configuration.
func (j *judge) staticCluster() Cluster {
	in := &j.in.Cluster
	c := Cluster{Nodes: make([]Node, 0, len(in.Nodes)), Links: make([]Link, 0, len(in.Links))}
	for i := range in.Nodes {
		n := &in.Nodes[i]
		node := Node{NodeRef: NodeRef{n.ID, n.Name}, Site: n.Site, Votes: n.Votes, Addresses: make([]string, 0, len(n.Addrs))}
		for _, l := range in.Links {
			if a, ok := n.Addrs[l.Number]; ok {
				node.Addresses = append(node.Addresses, a.String())
			}
		}
		c.Nodes = append(c.Nodes, node)
	}
	for _, s := range in.Sites {
		c.Sites = append(c.Sites, Site{s.Name, s.Nodes, s.Found, Seconds(s.Within), Seconds(s.Between)})
	}
	for _, l := range in.Links {
		t := timersOr(l.Timers, j.token)
		c.Links = append(c.Links, Link{
			Number: l.Number, Port: l.Port, Priority: l.Priority, PingInterval: Seconds(t.EffectiveInterval), PingTimeout: Seconds(t.PingTimeout),
			PongCount: t.PongCount, DetectionEarliest: Seconds(max(0, t.PingTimeout-t.EffectiveInterval)), DetectionLatest: Seconds(t.PingTimeout + 200*time.Millisecond),
		})
	}
	return c
}

// reach sums up a peer's paths.
func (j *judge) reach(p *peer) Reach {
	up, sick := 0, 0
	for i := range p.paths {
		switch p.paths[i].state {
		case PathUp:
			up++
		case PathDegraded, PathDown:
			sick++
		}
	}
	switch {
	case p.verdict == cutOff, p.verdict == silent && p.gap >= j.warnAfter(p.interval), p.verdict == departed && p.out:
		return ReachDown
	case up == 0 && sick == 0:
		return ReachUnknown
	case sick > 0 || p.verdict == muted:
		return ReachDegraded
	}
	return ReachUp
}

// agentState is what is known of a peer's agent.
func (j *judge) agentState(p *peer) Agent {
	switch {
	case p.verdict == stoppedAgent, p.verdict == departed && p.view != nil && p.view.Leaving:
		return AgentStopped
	case p.verdict == silentAgent:
		return AgentSilent
	case p.heard:
		return AgentHeard
	}
	return AgentUnknown
}

func (j *judge) corosync() Corosync {
	s := &j.in.Status
	c := Corosync{
		State: "unknown", Reason: s.Reason, Since: s.Since, Version: s.Software, At: s.At, Fresh: j.status.fresh,
		Members: j.status.members, TokenLost: s.SRP.OperationalTokenLost, Retransmits: s.SRP.McastRetx, LastLoss: j.next.daemon.lostAt,
	}
	if int(s.Daemon) < len(daemonNames) && s.Daemon >= 0 {
		c.State = daemonNames[s.Daemon]
	}
	if j.status.fresh && s.RingID.Rep != 0 {
		c.RingID = fmt.Sprintf("%x.%x", s.RingID.Rep, s.RingID.Seq)
	}
	if j.status.fresh && s.SRP.Known {
		age := Seconds(s.SRP.TimeSinceToken)
		c.TokenAge = &age
	}
	return c
}

func (j *judge) timeouts() Timeouts {
	t := j.in.Cluster.Timeouts
	out := Timeouts{
		From: j.in.Cluster.TimeoutsFrom, Token: Seconds(t.Token), TokenWarning: Seconds(t.TokenWarning), Retransmit: Seconds(t.TokenRetransmit),
		Hold: Seconds(t.Hold), Consensus: Seconds(t.Consensus), Membership: Seconds(t.Membership()),
	}
	if t.Token > 0 {
		out.SafeOutage, out.FatalOutage = Seconds(j.share(safeShare)), Seconds(j.share(fatalShare))
	}
	return out
}

func (j *judge) reportPaths() []Path {
	out := make([]Path, len(j.paths))
	peer := 0
	for i := range j.paths {
		p := &j.paths[i]
		for peer < len(j.peers)-1 && j.peers[peer].node.ID < p.obs.Node {
			peer++
		}
		ref := NodeRef{ID: p.obs.Node}
		if peer < len(j.peers) && j.peers[peer].node.ID == p.obs.Node {
			ref.Name = j.peers[peer].node.Name
		}
		fillPath(&out[i], p, j.token)
		out[i].Peer, out[i].Windows = ref, j.windows(p, i)
	}
	return out
}

// windowsEvery is how often the windows in the Report are brought up to date, a few paths with each Step.
const windowsEvery = 400 * time.Millisecond

// windows returns the windows of path number i for the Report.
func (j *judge) windows(p *path, i int) []Window {
	from := p.obs.Summary.Windows
	m := p.memo
	if m.windows != nil && len(m.windows) == len(from) && j.ago(m.windowsAt) < windowsEvery {
		return m.windows
	}
	if m.windows == nil {
		m.windowsAt = j.now().Add(-time.Duration(i%16) * windowsEvery / 16) // spread
	} else {
		m.windowsAt = j.now()
	}
	m.windows = make([]Window, len(from))
	for k := range from {
		fillWindow(&m.windows[k], &from[k], j.token)
	}
	return m.windows
}

func fillPath(out *Path, p *path, token time.Duration) {
	s := &p.obs.Summary
	out.Link, out.Local, out.Remote = p.obs.Link, p.obs.Local, p.obs.Remote
	out.State, out.Reason, out.Knet, out.KnetDowns = p.state, p.reason(), p.knet, p.downs
	out.LastHeard = s.LastHeard
	if p.out {
		out.Gap, out.GapShare, out.GapDirection, out.Outage = Seconds(p.gap), ratio(p.gap, token), p.which, p.since
		if p.obs.Err == "" {
			out.GapForward, out.GapBackward = Seconds(s.Forward.Gap), Seconds(s.Backward.Gap)
		}
	}
	out.RTT = RTT{s.RTT.Known, Seconds(s.RTT.Smoothed), Seconds(s.RTT.Var), Seconds(s.RTT.Latest), Seconds(s.RTT.Min)}
	out.Total = counters(s.Total)
	out.Full = FullSize{s.Full.Size, s.Full.Sent, s.Full.Received, p.obs.FullErr, p.obs.MTU}
	out.Authenticated = s.Authenticated
}

// reason says why a path is not up.
func (p *path) reason() string {
	switch {
	case p.obs.Err != "":
		return p.obs.Err
	case !p.heard:
		return "never answered"
	case p.hostFelt:
		return "this host stalled"
	case !p.out && p.state == PathDegraded:
		return "loss"
	case !p.out:
		return ""
	}
	switch p.excused {
	case agentStopped:
		return "the agent there was stopped"
	case portClosed:
		return "the agent there is gone: port closed"
	case knetContradict:
		return "no answer, but knet says that the link lives"
	}
	return "no answer"
}

func fillWindow(out *Window, w *stats.Window, token time.Duration) {
	out.Length, out.Covered = Seconds(w.Length), Seconds(w.Covered)
	out.Counters, out.LossRatio = counters(w.Counters), lossRatio(w.Counters)
	out.WorstGap, out.WorstGapShare = Seconds(w.WorstGap), ratio(w.WorstGap, token)
	out.WorstGapForward, out.WorstGapBackward = Seconds(w.WorstGapForward), Seconds(w.WorstGapBackward)
	q := &w.RTT
	out.RTT = Quantiles{q.Count, Seconds(q.Min), Seconds(q.P50), Seconds(q.P90), Seconds(q.P99), Seconds(q.P999), Seconds(q.Max), Seconds(q.Mean)}
	out.Jitter, out.Bursts = Seconds(w.Jitter), w.Bursts
}

func counters(c stats.Counters) Counters {
	return Counters{c.Sent, c.Received, c.Lost, c.LostForward, c.LostBackward, c.Late, c.Reordered, c.Duplicated, c.Corrupt, c.HostPaused}
}
