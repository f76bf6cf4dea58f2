package check

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// FromAgent is what an agent measured: its report, and its record.
func FromAgent(r *checker.Report, t *trace.Trace) Measurement {
	m := Measurement{Trace: t, Pauses: verdict.Pauses{Longest: max(r.Host.WorstPause.Duration(), r.Host.Pause.Duration())}}
	if m.Pauses.Longest > 0 {
		m.Pauses.Count, m.Pauses.Total = 1, m.Pauses.Longest
	}
	for i := range r.Paths {
		p, covered := reported(&r.Paths[i])
		m.Length = max(m.Length, covered)
		m.Paths = append(m.Paths, p)
	}
	return m
}

// reported is a path of a report, over its longest window.
func reported(p *checker.Path) (verdict.Path, time.Duration) {
	out := verdict.Path{
		Peer: p.Peer.Name, Node: p.Peer.ID, Link: p.Link, FullSize: p.Full.Bytes, FullSent: p.Full.Sent,
		FullReceived: p.Full.Received, FullError: p.Full.Error, MTU: p.Full.MTU, Local: p.Local, Remote: p.Remote,
	}
	if len(p.Windows) == 0 {
		return out, 0
	}
	w := &p.Windows[len(p.Windows)-1]
	out.Sent, out.Received, out.Lost, out.Excused = w.Sent, w.Received, w.Lost, w.HostPaused
	out.LostForward, out.LostBackward = w.LostForward, w.LostBackward
	out.P50, out.P99, out.P999, out.Max = w.RTT.P50, w.RTT.P99, w.RTT.P999, w.RTT.Max
	out.WorstGap, out.WorstGapForward, out.WorstGapBackward = w.WorstGap, w.WorstGapForward, w.WorstGapBackward
	out.Burst = longest(w.Bursts)
	return out, w.Covered.Duration()
}
