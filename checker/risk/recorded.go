package risk

import (
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Recorded is a totem.Network that does to each packet what the trace says of its path in its slot. Where the trace knows
// nothing, packets arrive after Usual.
type Recorded struct {
	Trace *trace.Trace
	Usual time.Duration // delay of paths that are unknown
	Begin time.Duration // ring time zero in the trace's time

	nodes []uint32 // nodeid by the model's number
	links []int
}

// NewRecorded makes the network of a cluster out of a trace.
func NewRecorded(c Cluster, t *trace.Trace) *Recorded {
	r := &Recorded{Trace: t, Usual: time.Millisecond}
	for _, n := range c.Nodes {
		r.nodes = append(r.nodes, n.ID)
	}
	for _, l := range c.Links {
		r.links = append(r.links, l.Number)
	}
	return r
}

// Deliver implements totem.Network.
func (r *Recorded) Deliver(p totem.Packet) (time.Duration, bool) {
	v := r.Trace.Sample(trace.Path{From: r.nodes[p.From], To: r.nodes[p.To], Link: r.links[p.Link]}, r.Begin+p.At)
	switch v.State {
	case trace.Lost:
		return 0, false
	case trace.Unknown:
		return r.Usual, true
	}
	return v.Delay, true
}
