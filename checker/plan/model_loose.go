package plan

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// Livelock is what the ring does when two sites don't hear each other and a third hears both, by the model.
type Livelock struct {
	Failure Failure `json:"failure"`
	Frozen  float64 `json:"frozen"` // share of the time in which a node is out of service, mean of all nodes
	Worst   float64 `json:"worst"`  // the same of the node that suffers most
	Model   Seconds `json:"model_time"`
}

// livelocks are those of paths between two sites that a third one hears: of three, more would tell no more; and of fewer, for fewer rounds
// of losing the token and looking for a new ring, where the timers are so long that effort does not suffice. If it does not suffice for
// one round, that is noted.
func (w *world) livelocks(s *State, effort uint64) error {
	small, err := newWorld(w.d.twoOfEach())
	if err != nil {
		return err
	}
	t := w.d.Cluster.Timeouts
	round := 2*t.Token + t.Consensus
	affordable := int(effort / max(1, small.joins(round)))
	for _, g := range s.Singles {
		if g.Impact != Loose || g.Kinds[0] != Path {
			continue
		}
		paths := min(3, g.Count, affordable)
		if paths == 0 {
			break
		}
		rounds := min(4, affordable/paths)
		for _, f := range g.Patterns[0].One[:paths] {
			l, err := small.livelock(f, round, rounds)
			if err != nil {
				return err
			}
			s.Livelocks = append(s.Livelocks, l)
		}
		affordable -= paths * rounds
	}
	if affordable == 0 && len(s.Livelocks) == 0 {
		s.note("how long a ring that does not settle keeps nodes out of service was not modelled: the timers are too long (--thorough may do it)")
	}
	return nil
}

// livelock cuts a path for some rounds.
func (w *world) livelock(f Failure, round time.Duration, rounds int) (Livelock, error) {
	l := Livelock{Failure: f}
	r, n, err := w.ring(w.d.Network.lossless(), traffic, 1)
	if err != nil {
		return l, err
	}
	const steps = 400
	r.Run(time.Second)
	n.fail(w, f)
	start, length := time.Second+w.d.Cluster.Timeouts.Membership(), time.Duration(rounds)*round
	r.Run(start)
	out := make([]int, len(w.siteOf))
	for k := range time.Duration(steps) {
		r.Run(start + length*(k+1)/steps)
		for i := range out {
			if !r.InService(i) {
				out[i]++
			}
		}
	}
	l.Model = Seconds(length)
	for _, n := range out {
		l.Frozen += float64(n) / steps / float64(len(out))
	}
	l.Worst = float64(slices.Max(out)) / steps
	return l, nil
}

// twoOfEach is d with at most two nodes of each site, which stand for all of it, and the timers of all: what happens hangs on the sites
// and on the timers.
func (d *Design) twoOfEach() *Design {
	out := *d
	out.Cluster.Nodes = nil
	of := map[string]int{}
	for _, n := range d.Cluster.Nodes {
		if of[n.Site]++; of[n.Site] <= 2 {
			out.Cluster.Nodes = append(out.Cluster.Nodes, risk.Node{ID: n.ID, Name: n.Name, Site: n.Site})
		}
	}
	return &out
}
