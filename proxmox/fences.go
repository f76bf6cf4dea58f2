package proxmox

import (
	"slices"
	"time"
)

// FenceInput gathers what the Snapshot knows of one node's watchdog. HA stamps are put on this machine's clock. What logs and probes
// know (Log, Cut, Lost, Membership) is for the caller to add.
func (s *Snapshot) FenceInput(node string, now time.Time) FenceInput {
	in := FenceInput{Node: node, Now: now, Quorate: s.QuorateOf(node), HA: s.HA.State, Master: s.HA.Master == node}
	in.LRM, _ = s.HA.LRM(node)
	ahead := s.clockAhead(s.Origins[PartHA])
	in.LRM.Stamp, in.LRM.Lock = shifted(in.LRM.Stamp, -ahead), shifted(in.LRM.Lock, -ahead)
	if s.Known(PartWatchdog) && s.Origins[PartWatchdog].View == node {
		in.Watchdog, in.Mux = s.Watchdog.Active, s.Watchdog.Mux
	}
	return in
}

// QuorateOf tells whether a node has quorum, as far as follows from the views: a node that one is asked of directly, a node in the
// view's own partition, or one that is in none with quorum because the view's has it.
func (s *Snapshot) QuorateOf(node string) Tri {
	if node == s.View && s.Known(PartQuorum) {
		return s.Quorate
	}
	for _, v := range s.Views {
		if v.Node == node && v.Quorate != Unknown {
			return v.Quorate
		}
	}
	n, ok := s.Node(node)
	switch {
	case !ok || !s.Known(PartQuorum):
		return Unknown
	case n.Online == Yes:
		return s.Quorate
	case n.Online == No && s.Quorate == Yes && s.holdsMajority():
		return No
	}
	return Unknown
}

// holdsMajority tells whether the nodes that are online are more than half. A minority that is quorate all the same has been told
// to expect fewer votes, or has a quorum device on its side: then the others may be quorate too.
func (s *Snapshot) holdsMajority() bool {
	online := 0
	for _, n := range s.Nodes {
		if n.Online == Yes {
			online++
		}
	}
	return 2*online > len(s.Nodes)
}

// FenceNodes are the nodes that may have a countdown: those of the cluster and those with an LRM, in order.
func (s *Snapshot) FenceNodes() []string {
	var names []string
	for _, n := range s.Nodes {
		names = append(names, n.Name)
	}
	for _, l := range s.HA.LRMs {
		names = append(names, l.Node)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// clockAhead is how far the clocks of the cluster are ahead of this machine's. On a node that is nothing: its clock is one of them.
func (s *Snapshot) clockAhead(o Origin) time.Duration {
	if slices.ContainsFunc(s.Views, func(v View) bool { return v.Source == FromFiles }) {
		return 0
	}
	for _, v := range s.Views {
		if v.Source == o.Source && v.Node == o.View {
			return v.ClockAhead
		}
	}
	return 0
}

func shifted(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}
