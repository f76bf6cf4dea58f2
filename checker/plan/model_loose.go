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

// livelock cuts a path for some rounds of losing the token and looking for a new ring. Two nodes stand for all of a site:
// what happens hangs on the sites and on the timers, which stay as they are.
func (w *world) livelock(f Failure) (Livelock, error) {
	l := Livelock{Failure: f}
	small, err := newWorld(w.d.twoOfEach())
	if err != nil {
		return l, err
	}
	r, n, _, err := small.ring(w.d.Network.lossless(), traffic, 1)
	if err != nil {
		return l, err
	}
	const steps = 400
	t := w.d.Cluster.Timeouts
	r.Run(time.Second)
	n.fail(small, f)
	start, length := time.Second+t.Membership(), 4*(2*t.Token+t.Consensus)
	r.Run(start)
	out := make([]int, len(small.siteOf))
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

// twoOfEach is d with at most two nodes of each site, and the timers of all.
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
