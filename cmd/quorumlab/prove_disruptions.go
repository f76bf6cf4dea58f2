//go:build linux

package main

import (
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// ringWatch follows the logs of all nodes and counts how often the cluster's ring broke, once for the cluster and not once for each
// node that noticed. A ring is whole while all nodes showed one ring last. It breaks when a node loses its token or shows another ring; what
// follows until all show one ring again belongs to the same disruption. It is what totem.Stats.Disruptions counts in the model.
type ringWatch struct {
	rings  map[string]string // by node: the ring that it showed last; "": it is without one
	nodes  int
	broken bool
	Breaks []time.Time
}

func newRingWatch(nodes []*lab.Node) *ringWatch {
	return &ringWatch{rings: map[string]string{}, nodes: len(nodes)}
}

// whole: all nodes show one ring.
func (w *ringWatch) whole() bool {
	ring := ""
	for _, r := range w.rings {
		if r == "" || ring != "" && r != ring {
			return false
		}
		ring = r
	}
	return len(w.rings) == w.nodes
}

// see takes one line; lines come in the order of their stamps.
func (w *ringWatch) see(l lab.Line) {
	switch l.Event {
	case lab.EventTokenLost:
		w.rings[l.Node] = ""
	case lab.EventMembership:
		w.rings[l.Node] = l.Ring
	default:
		return
	}
	whole := w.whole()
	if !whole && !w.broken {
		w.Breaks = append(w.Breaks, l.At)
	}
	w.broken = !whole
}

// breaksBetween counts the disruptions that began in [from, to), from all lines that the nodes ever wrote.
func breaksBetween(nodes []*lab.Node, lines []lab.Line, from, to time.Time) []time.Time {
	w := newRingWatch(nodes)
	for _, l := range lines {
		w.see(l)
	}
	var in []time.Time
	for _, at := range w.Breaks {
		if !at.Before(from) && at.Before(to) {
			in = append(in, at)
		}
	}
	return in
}
