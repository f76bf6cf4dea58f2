package risk

import (
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// counter counts what happens to a ring, each trouble once for the cluster.
type counter struct {
	c      Cluster
	quorum votequorum.Config
	known  map[totem.Set]bool // who has quorum
	split  bool               // somebody left, and not all are together again
	lost   bool               // and some have no quorum
	now    time.Duration      // counted up to here
	flaps  uint64             // of links until now
	losses uint64             // of the token
}

func newCounter(c Cluster) *counter {
	quorum := c.Quorum
	if effective, _, err := quorum.Effective(); err == nil {
		quorum = effective
	}
	return &counter{c: c, quorum: quorum, known: map[totem.Set]bool{}}
}

// step is how often a ring is looked at; its events are values that pile up meanwhile.
const step = time.Minute

// run lets the ring run on, and counts what happens meanwhile.
func (n *counter) run(ring *totem.Ring, until time.Duration) [events]int {
	var out [events]int
	whole := totem.Set(1)<<len(n.c.Nodes) - 1
	for n.now < until {
		n.now = min(n.now+step, until)
		for _, e := range ring.Run(n.now) {
			switch {
			case e.Kind != totem.Membership:
			case e.Members == whole:
				n.split, n.lost = false, false
			default:
				if e.Left != 0 && !n.split {
					n.split = true
					out[split]++
				}
				if !n.lost && !n.quorate(e.Members) {
					n.lost = true
					out[quorumLoss]++
				}
			}
		}
	}
	stats := ring.Stats()
	out[linkFlap], out[tokenLoss] = int(stats.LinkDowns-n.flaps), int(stats.Disruptions-n.losses)
	n.flaps, n.losses = stats.LinkDowns, stats.Disruptions
	return out
}

// quorate says whether a partition that was part of a whole cluster has quorum. A quorum device gives its vote to the side that it would
// choose if both reached it.
func (n *counter) quorate(members totem.Set) bool {
	has, known := n.known[members]
	if known {
		return has
	}
	var here, there []uint32
	for i, node := range n.c.Nodes {
		if members.Has(i) {
			here = append(here, node.ID)
		} else {
			there = append(there, node.ID)
		}
	}
	has = n.quorum.Split(votequorum.History{}, [][]uint32{here, there})[0].Quorate
	n.known[members] = has
	return has
}
