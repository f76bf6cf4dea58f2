package check

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// burstPaths is how many paths are probed at a time in a burst: at two sizes and a millisecond these are 16,000 packets a second out and as many back,
// 100 Mbit/s each way, which a busy node still sends in time. More would measure this host.
const burstPaths = 8

// turns divides targets so that all links to a peer are probed at the same time.
func turns(targets []Target) (out [][]Target) {
	sorted := slices.SortedStableFunc(slices.Values(targets), func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Link, b.Link))
	})
	for _, peer := range peersOf(sorted) {
		if n := len(out); n > 0 && len(out[n-1])+len(peer) <= burstPaths {
			out[n-1] = append(out[n-1], peer...)
			continue
		}
		out = append(out, peer)
	}
	return out
}

// peersOf groups targets that are in order.
func peersOf(sorted []Target) (out [][]Target) {
	for i, t := range sorted {
		if i == 0 || t.Node != sorted[i-1].Node || t.Peer != sorted[i-1].Peer {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

// burst measures in turns. Their records are laid over each other, as if they had been made at the same time.
func burst(ctx context.Context, cfg Config) (Measurement, error) {
	all := turns(cfg.Targets)
	out := Measurement{Turns: len(all)}
	for i, targets := range all {
		turn := cfg
		turn.Targets, turn.Progress = targets, cfg.inTurn(i, len(all))
		m, err := measure(ctx, turn)
		if err != nil {
			return out, err
		}
		out.add(m)
		if out.Stopped = m.Stopped || ctx.Err() != nil; out.Stopped {
			break
		}
	}
	return out, nil
}

// inTurn makes the progress of one turn that of all.
func (c *Config) inTurn(i, n int) func(Progress) {
	if c.Progress == nil {
		return nil
	}
	return func(p Progress) {
		p.Done += time.Duration(i) * p.Of
		p.Of *= time.Duration(n)
		c.Progress(p)
	}
}

// add takes over what the next turn measured.
func (m *Measurement) add(n Measurement) {
	m.Paths = append(m.Paths, n.Paths...)
	m.Length += n.Length
	m.Pauses = both(m.Pauses, n.Pauses)
	if m.Trace == nil {
		m.Trace = n.Trace
		return
	}
	if n.Trace != nil {
		for p, s := range n.Trace.Paths {
			m.Trace.Paths[p] = s
		}
	}
}

// both adds up pauses.
func both(a, b verdict.Pauses) verdict.Pauses {
	return verdict.Pauses{Longest: max(a.Longest, b.Longest), Count: a.Count + b.Count, Total: a.Total + b.Total}
}

// spent says whether all probes of a burst have left.
func (r *run) spent(now time.Time) bool {
	if r.cfg.Burst == 0 {
		return false
	}
	for _, o := range r.p.Observations(now) {
		if s := &o.Summary.Total; s.Sent < uint64(r.cfg.Burst) || r.cfg.FullSize > 0 && o.Full.Total.Sent < uint64(r.cfg.Burst) {
			return false
		}
	}
	return true
}

// decided says whether the fate of all probes is known.
func decided(paths []verdict.Path) bool {
	for i := range paths {
		for _, f := range []*verdict.Figures{&paths[i].Figures, paths[i].Full} {
			if f != nil && f.Received+f.Lost+f.Excused < f.Sent {
				return false
			}
		}
	}
	return true
}
