//go:build linux

package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// ringWatch follows what the processors of a cluster say, real ones in their logs or modelled ones, and notes how often the cluster's ring
// broke: once for the cluster and not once for each that noticed. A ring is whole while all showed one ring last. It breaks when one loses
// its token or shows another ring; what follows until all show one ring again belongs to the same disruption.
type ringWatch struct {
	rings  []string // by processor: the ring that it showed last; "": it is without one
	broken bool
	Breaks []time.Duration // when the ring broke
	Formed []time.Duration // for each of these: the first membership after it, of any processor; 0: none yet
	Healed []time.Duration // for each that is over: when all showed one ring again
}

// lost: a processor in service lost its token.
func (w *ringWatch) lost(node int, at time.Duration) { w.show(node, "", at) }

// show: a processor shows a ring.
func (w *ringWatch) show(node int, ring string, at time.Duration) {
	w.rings[node] = ring
	whole := !slices.ContainsFunc(w.rings, func(r string) bool { return r == "" || r != w.rings[0] })
	switch {
	case !whole && !w.broken:
		w.Breaks, w.Formed = append(w.Breaks, at), append(w.Formed, 0)
	case whole && w.broken:
		w.Healed = append(w.Healed, at)
	}
	if n := len(w.Formed); n > 0 && w.Formed[n-1] == 0 && ring != "" {
		w.Formed[n-1] = at
	}
	w.broken = !whole
}

// between gives the numbers of the disruptions that began in [from, to).
func (w *ringWatch) between(from, to time.Duration) (first, end int) {
	first, _ = slices.BinarySearch(w.Breaks, from)
	end, _ = slices.BinarySearch(w.Breaks, to)
	return first, end
}

// member is a node as logs name it: itself by name, others by nodeid.
type member struct {
	name string
	id   uint32
}

func (b *bench) members() []member {
	var list []member
	for _, n := range b.lab.Nodes() {
		list = append(list, member{n.Name(), n.ID()})
	}
	return list
}

// watchLines follows all lines that the nodes ever wrote, in the order of their stamps. Times count from origin. The first disruption is
// the cluster's start.
func watchLines(nodes []member, lines []lab.Line, origin time.Time) *ringWatch {
	w := &ringWatch{rings: make([]string, len(nodes))}
	index := map[string]int{}
	for i, n := range nodes {
		index[n.name] = i
	}
	for _, l := range lines {
		switch l.Event {
		case lab.EventTokenLost:
			w.lost(index[l.Node], l.At.Sub(origin))
		case lab.EventMembership:
			w.show(index[l.Node], l.Ring, l.At.Sub(origin))
		}
	}
	return w
}

// watchEvents follows a modelled ring as far as its daemons would log it. Times count from origin.
func watchEvents(nodes int, events []totem.Event, origin time.Duration) *ringWatch {
	w := &ringWatch{rings: slices.Repeat([]string{"warm"}, nodes)}
	for _, e := range events {
		switch {
		case e.Kind == totem.TokenLost && e.State == totem.StateOperational:
			w.lost(e.Node, e.At-origin)
		case e.Kind == totem.Membership:
			w.show(e.Node, strconv.Itoa(int(e.Ring)), e.At-origin)
		}
	}
	return w
}
