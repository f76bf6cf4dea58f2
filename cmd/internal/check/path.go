package check

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// fold returns what is known of each path over the whole run.
func (r *run) fold(now time.Time) (out []verdict.Path) {
	r.folded = now
	seen := r.observe(now)
	for _, t := range r.cfg.Targets {
		p := pathOf(t, seen[t])
		if w, ok := r.worst[t]; ok {
			keepWorst(&p.Figures, &w.Figures)
		}
		r.worst[t] = p
		out = append(out, p)
	}
	return out
}

// observe asks the prober.
func (r *run) observe(now time.Time) map[Target]*probe.Observation {
	seen := map[probe.Path]*probe.Observation{}
	all := r.p.Observations(now)
	for i := range all {
		seen[all[i].Path] = &all[i]
	}
	out := map[Target]*probe.Observation{}
	for _, t := range r.cfg.Targets {
		if out[t] = seen[t.path()]; out[t] == nil {
			out[t] = &probe.Observation{}
		}
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
func pathOf(t Target, o *probe.Observation) verdict.Path {
	s := &o.Summary
	p := verdict.Path{
		Peer: t.Peer, Node: t.Node, Link: t.Link, Local: t.Local, Remote: t.Remote, Figures: figures(s),
		FullSize: s.Full.Size, FullSent: s.Full.AllSent, FullReceived: s.Full.AllReceived, FullError: o.FullErr, MTU: o.MTU, Error: o.Err,
	}
	if o.Full.Total.Sent > 0 {
		full := figures(&o.Full)
		p.Full = &full
	}
	return p
}

// figures are those of one size: counts of all time, the rest over the longest window.
func figures(s *stats.Summary) verdict.Figures {
	n := &s.Total
	f := verdict.Figures{
		Sent: n.Sent, Received: n.Received, Lost: n.Lost, LostForward: n.LostForward, LostBackward: n.LostBackward, Excused: n.HostPaused,
		Burst: s.LongestLoss,
	}
	if len(s.Windows) == 0 {
		return f
	}
	w := &s.Windows[len(s.Windows)-1]
	f.P50, f.P99, f.P999, f.Max = checker.Seconds(w.RTT.P50), checker.Seconds(w.RTT.P99), checker.Seconds(w.RTT.P999), checker.Seconds(w.RTT.Max)
	f.WorstGap, f.WorstGapForward, f.WorstGapBackward = checker.Seconds(w.WorstGap), checker.Seconds(w.WorstGapForward), checker.Seconds(w.WorstGapBackward)
	return f
}

// keepWorst takes over from w what was worse: quantiles of a long run are those of its worst hour.
func keepWorst(f, w *verdict.Figures) {
	f.P50, f.P99, f.P999, f.Max = max(f.P50, w.P50), max(f.P99, w.P99), max(f.P999, w.P999), max(f.Max, w.Max)
	f.WorstGap = max(f.WorstGap, w.WorstGap)
	f.WorstGapForward, f.WorstGapBackward = max(f.WorstGapForward, w.WorstGapForward), max(f.WorstGapBackward, w.WorstGapBackward)
	f.Burst = max(f.Burst, w.Burst)
}

// add adds what was measured before on the same path: counts add up, of the rest the worse is kept.
func add(p *verdict.Path, before *verdict.Path) {
	f, b := &p.Figures, &before.Figures
	keepWorst(f, b)
	f.Sent, f.Received, f.Lost, f.Excused = f.Sent+b.Sent, f.Received+b.Received, f.Lost+b.Lost, f.Excused+b.Excused
	f.LostForward, f.LostBackward = f.LostForward+b.LostForward, f.LostBackward+b.LostBackward
	p.FullSent, p.FullReceived = p.FullSent+before.FullSent, p.FullReceived+before.FullReceived
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
