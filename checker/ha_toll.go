package checker

import (
	"slices"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Toll is what the resets of a cut cost, as Proxmox VE's HA would go about it.
type Toll struct {
	Resets   []NodeRef `json:"resets"`             // armed nodes that lose quorum
	In       *Until    `json:"in,omitempty"`       // from the first of their resets to the last, if the cut lasts
	Guests   int       `json:"guests"`             // that run or may run on those nodes
	Restarts int       `json:"restarts"`           // HA services that start again elsewhere
	Stuck    int       `json:"stuck"`              // HA services that can start nowhere
	Complete bool      `json:"complete,omitempty"` // guests and services are known well enough to be counted
}

// toll is what a cut costs: the armed nodes among those that lose quorum reset, their guests go down, and HA restarts what it may.
func (j *judge) toll(c *cut) *Toll {
	o := c.outcome
	if o == nil || j.ha == nil || len(o.Loses) == 0 {
		return nil
	}
	t := &Toll{Resets: []NodeRef{}}
	var resets proxmox.Span
	for _, n := range j.fences {
		i := slices.IndexFunc(o.Loses, func(r NodeRef) bool { return r.Name == n.in.Node })
		if i < 0 {
			continue
		}
		f := n.out
		if !o.Happened {
			f = n.in.CutAt(c.memo.since)
		}
		if f.Armed != proxmox.Yes {
			continue
		}
		t.Resets = append(t.Resets, o.Loses[i])
		t.Guests += j.next.ha.guests[n.in.Node]
		resets = span(resets, f.Reset)
	}
	if len(t.Resets) == 0 {
		return t
	}
	t.In = j.until(resets)
	b := j.blast(o.Loses) // who has no quorum takes nothing over, armed or not
	t.Restarts, t.Stuck, t.Complete = t.of(b.Moves), t.of(b.Stuck), b.Known
	if len(o.Keeps) == 0 { // nobody is left to restart them
		t.Restarts, t.Stuck = 0, t.Restarts+t.Stuck
	}
	return t
}

// of counts the services that were on nodes that reset.
func (t *Toll) of(moves []proxmox.Move) int {
	n := 0
	for _, m := range moves {
		if slices.ContainsFunc(t.Resets, func(r NodeRef) bool { return r.Name == m.From }) {
			n++
		}
	}
	return n
}

// span reaches from the earlier of two instants to the later, most likely the earlier.
func span(a, b proxmox.Span) proxmox.Span {
	if !a.Known() || !b.Known() {
		return proxmox.Span{Earliest: latest(a.Earliest, b.Earliest), Likely: latest(a.Likely, b.Likely), Latest: latest(a.Latest, b.Latest)}
	}
	a.Latest = latest(a.Latest, b.Latest)
	if b.Earliest.Before(a.Earliest) {
		a.Earliest = b.Earliest
	}
	if b.Likely.Before(a.Likely) {
		a.Likely = b.Likely
	}
	return a
}

// blast is Proxmox's answer to the loss of nodes, made anew when the Snapshot or the nodes are others.
func (j *judge) blast(lost []NodeRef) proxmox.Blast {
	old := j.prev.ha.toll
	if old != nil && old.at.Equal(j.in.Proxmox.At) && slices.Equal(old.loses, lost) {
		j.next.ha.toll = old
		return old.blast
	}
	names := make([]string, len(lost))
	for i, n := range lost {
		names[i] = n.Name
	}
	j.next.ha.toll = &tollMemo{j.in.Proxmox.At, lost, j.in.Proxmox.BlastRadius(names...)}
	return j.next.ha.toll.blast
}
