package advice

import (
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

const (
	drills    = 16              // deaths of the preferred link, and as many after a flap
	deaths    = 6               // of a node
	settle    = 8 * time.Second // before anything happens
	afterFlap = 6 * time.Second // facts of the lab: a link that died so soon after a flap cost the token
	patience  = 5 * time.Second // a dead node may be declared that much later than token + consensus
)

// calm is a network on which nothing is lost, but on a dead link.
type calm struct {
	nodes, links int
	delays       []time.Duration // [(from*nodes+to)*links+link]
	dead         int             // link; -1: none
	outages      []totem.Span    // of that link, in order
}

// Deliver implements totem.Network.
func (n *calm) Deliver(p totem.Packet) (time.Duration, bool) {
	if p.Link == n.dead {
		for _, o := range n.outages {
			if p.At >= o.Start && p.At < o.End {
				return 0, false
			}
		}
	}
	return n.delays[(p.From*n.nodes+p.To)*n.links+p.Link], true
}

// CalmUntil implements totem.Calm.
func (n *calm) CalmUntil(now time.Duration) time.Duration {
	for _, o := range n.outages {
		switch {
		case now < o.Start:
			return o.Start
		case now < o.End:
			return -1
		}
	}
	return 1<<63 - 1
}

// calmNetwork has the usual delays of the record.
func (r record) calmNetwork(c risk.Cluster) *calm {
	n := &calm{nodes: len(c.Nodes), links: len(c.Links), dead: -1, delays: make([]time.Duration, len(c.Nodes)*len(c.Nodes)*len(c.Links))}
	for from := range c.Nodes {
		for to := range c.Nodes {
			for l := range c.Links {
				n.delays[(from*n.nodes+to)*n.links+l] = r.usual(c, from, to, l)
			}
		}
	}
	return n
}

// drill lets the preferred link die, and a node.
func (r record) drill(c risk.Cluster, seed uint64) (Drill, error) {
	d := Drill{Links: len(c.Links), Declared: true}
	rng := rand.New(rand.NewPCG(seed, 0x6472696c6c))
	if len(c.Links) > 1 {
		for range drills {
			gap, lost, err := r.linkDies(c, rng, false)
			if err != nil {
				return d, err
			}
			d.Failover = max(d.Failover, gap)
			d.Lost += lost / drills
			if _, lost, err = r.linkDies(c, rng, true); err != nil {
				return d, err
			}
			d.LostBackedUp += lost / drills
		}
	}
	for range deaths {
		if len(c.Nodes) < 2 {
			break
		}
		took, ok, err := r.nodeDies(c, rng)
		if err != nil {
			return d, err
		}
		d.DeadNode, d.Declared = max(d.DeadNode, took), d.Declared && ok
	}
	return d, nil
}

// preferred is the model's number of the link that carries the traffic while all are up.
func preferred(c risk.Cluster) int {
	best := 0
	for i, l := range c.Links {
		if l.Priority > c.Links[best].Priority {
			best = i
		}
	}
	return best
}

// linkDies gives the longest time without the token, and 1 if it was lost.
func (r record) linkDies(c risk.Cluster, rng *rand.Rand, flapped bool) (gap time.Duration, lost float64, err error) {
	net := r.calmNetwork(c)
	net.dead = preferred(c)
	t := c.Links[net.dead].Timeouts
	at := settle + time.Duration(rng.Int64N(int64(5*time.Second)))
	if flapped {
		flap := totem.Span{Start: at, End: at + t.PingTimeout + 2*t.EffectiveInterval + totem.HeartbeatTick}
		net.outages = []totem.Span{flap}
		at = flap.End + afterFlap
	}
	net.outages = append(net.outages, totem.Span{Start: at, End: time.Hour})
	ring, err := c.Ring(risk.Run{Network: net, Traffic: messages, Rand: rng})
	if err != nil {
		return 0, 0, err
	}
	ring.Run(at)
	ring.ResetGaps()
	before := ring.Stats().Disruptions
	ring.Run(at + 3*c.Timeouts.Token)
	for i := range c.Nodes {
		gap = max(gap, ring.LongestGap(i).Length)
	}
	if ring.Stats().Disruptions > before {
		lost = 1
	}
	return gap, lost, nil
}

// nodeDies gives the time from the silence of the last node to a membership without it.
func (r record) nodeDies(c risk.Cluster, rng *rand.Rand) (took time.Duration, declared bool, err error) {
	ring, err := c.Ring(risk.Run{Network: r.calmNetwork(c), Traffic: messages, Rand: rng})
	if err != nil {
		return 0, false, err
	}
	at := settle + time.Duration(rng.Int64N(int64(5*time.Second)))
	ring.Run(at)
	last := len(c.Nodes) - 1
	ring.PowerOff(last)
	for _, e := range ring.Run(at + c.Timeouts.Membership() + patience) {
		if e.Kind == totem.Membership && e.Node == 0 && !e.Members.Has(last) {
			return e.At - at, true, nil
		}
	}
	return 0, false, nil
}
