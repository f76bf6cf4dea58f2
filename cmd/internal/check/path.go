package check

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe"
)

// fold returns what is known of each path over the whole run.
func (r *run) fold(now time.Time) (out []verdict.Path) {
	seen := map[probe.Path]probe.Observation{}
	for _, o := range r.p.Observations(now) {
		seen[o.Path] = o
	}
	for _, t := range r.cfg.Targets {
		p, w := pathOf(t, seen[probe.Path{Local: t.Local, Remote: t.Remote}]), r.worst[t]
		p.P99, p.P999, p.Max, p.Burst = max(p.P99, w.P99), max(p.P999, w.P999), max(p.Max, w.Max), max(p.Burst, w.Burst)
		p.WorstGap = max(p.WorstGap, w.WorstGap)
		p.WorstGapForward, p.WorstGapBackward = max(p.WorstGapForward, w.WorstGapForward), max(p.WorstGapBackward, w.WorstGapBackward)
		r.worst[t] = p
		out = append(out, p)
	}
	return out
}

func answered(paths []verdict.Path) bool {
	for i := range paths {
		if paths[i].Received > 0 {
			return true
		}
	}
	return false
}

// pathOf is what a prober saw of a path.
func pathOf(t Target, o probe.Observation) verdict.Path {
	s, n := &o.Summary, &o.Summary.Total
	p := verdict.Path{
		Peer: t.Peer, Node: t.Node, Link: t.Link, Local: t.Local, Remote: t.Remote, Sent: n.Sent, Received: n.Received, Lost: n.Lost,
		LostForward: n.LostForward, LostBackward: n.LostBackward, Excused: n.HostPaused,
		FullSize: s.Full.Size, FullSent: s.Full.Sent, FullReceived: s.Full.Received, FullError: o.FullErr, MTU: o.MTU, Error: o.Err,
	}
	if len(s.Windows) == 0 {
		return p
	}
	w := &s.Windows[len(s.Windows)-1]
	p.P50, p.P99, p.P999, p.Max = checker.Seconds(w.RTT.P50), checker.Seconds(w.RTT.P99), checker.Seconds(w.RTT.P999), checker.Seconds(w.RTT.Max)
	p.WorstGap, p.WorstGapForward, p.WorstGapBackward = checker.Seconds(w.WorstGap), checker.Seconds(w.WorstGapForward), checker.Seconds(w.WorstGapBackward)
	p.Burst = longest(w.Bursts)
	return p
}

// longest is the longest run of losses that a table of them tells.
func longest(bursts []uint64) (n int) {
	for i, count := range bursts {
		if count > 0 {
			n = i + 1
		}
	}
	return n
}
