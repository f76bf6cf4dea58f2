package votequorum

import (
	"fmt"
	"slices"
)

// Split answers for every partition of a cluster that falls apart at once, in the order given. With a quorum device, its
// vote goes where its algorithm sends it when every node reaches its server. Members of h in none of the partitions are down.
// See SplitReach.
func (c Config) Split(h History, partitions [][]uint32) []Result {
	return c.SplitReach(h, partitions, func(uint32) bool { return true })
}

// SplitReach is Split when only the nodes that reach tells of reach the device's server. Before the split all members of h were together,
// and the device voted with them. Where the device votes on some nodes of a partition only, the answer is that of a node without, and
// Reason names those with; Quorate is then false although these may go on.
func (c Config) SplitReach(h History, partitions [][]uint32, reach func(uint32) bool) []Result {
	d := newDevice(c)
	all := c.members(h)
	for _, n := range all {
		d.start(n)
		if reach(n) {
			d.clients[n] = yes
		}
	}
	d.meet(all)
	d.active = all
	for _, n := range all {
		if !slices.ContainsFunc(partitions, func(p []uint32) bool { return slices.Contains(p, n) }) {
			d.stop(n)
		}
	}
	for _, p := range partitions {
		d.meet(slices.Sorted(slices.Values(p)))
	}
	d.vote(partitions)
	results := make([]Result, len(partitions))
	for i, p := range partitions {
		results[i] = c.partly(h, p, d.votesOn)
	}
	return results
}

// partly is the answer for a partition in which the device votes on the nodes that votes tells of.
func (c Config) partly(h History, partition []uint32, votes func(uint32) bool) Result {
	with := slices.DeleteFunc(slices.Clone(partition), func(n uint32) bool { return !votes(n) })
	m := moment{h: h, members: partition, device: len(with) == len(partition) && len(with) > 0, master: len(with) > 0}
	r := c.answer(m)
	if len(with) == 0 || m.device {
		return r
	}
	m.device = true
	if other := c.answer(m); other.Quorate != r.Quorate {
		r.Reason += fmt.Sprintf("; only %v get the quorum device's vote and go on", with)
	}
	return r
}

// Spare is what a membership may still lose and stay quorate.
type Spare struct {
	Votes int // above the threshold
	Nodes int // at once, whichever they are
}

// Spare counts what members may still lose at once. device: the quorum device votes with them, and goes on to.
func (c Config) Spare(h History, members []uint32, device bool) Spare {
	r := c.Outcome(h, members, device)
	if !r.Quorate {
		return Spare{}
	}
	if h.Members == nil {
		h.Members = members
	}
	h.Quorum, h.Expected = r.Needed, r.Expected
	s := Spare{Votes: max(0, r.Votes-r.Needed)}
	for left := c.heaviestFirst(members); len(left) > 1; s.Nodes++ {
		left = left[1:]
		if !c.Outcome(h, left, device).Quorate {
			break
		}
	}
	return s
}
