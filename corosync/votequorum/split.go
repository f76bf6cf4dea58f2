package votequorum

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Split answers for every partition of a cluster that falls apart at once, in the order given. With a quorum device, its
// vote goes where its algorithm would send it if every partition reached its server.
func (c Config) Split(h History, partitions [][]uint32) []Result {
	winner := c.deviceChoice(partitions)
	results := make([]Result, len(partitions))
	for i, p := range partitions {
		results[i] = c.Outcome(h, p, i == winner)
	}
	return results
}

// deviceChoice is the partition that gets the device's vote, -1 for none. ffsplit gives it to a majority, or on an exact
// half to the tie-breaker's side if the count of nodes is even (qnetd-algo-ffsplit.c); lms to the largest partition, and
// on a draw to the tie-breaker's side (qnetd-algo-lms.c).
func (c Config) deviceChoice(partitions [][]uint32) int {
	if c.Device == nil || len(partitions) == 0 {
		return -1
	}
	largest := 0
	for i, p := range partitions {
		if len(p) > len(partitions[largest]) {
			largest = i
		}
	}
	draw := slices.IndexFunc(partitions, func(p []uint32) bool { return c.breaksTie(p, partitions, len(partitions[largest])) })
	switch c.Device.Algorithm {
	case "ffsplit":
		switch n := 2 * len(partitions[largest]); {
		case n > len(c.NodeVotes):
			return largest
		case n == len(c.NodeVotes):
			return draw
		}
		return -1
	case "lms", "2nodelms":
		return draw
	}
	return -1
}

// breaksTie tells whether p, being one of the partitions of that size, holds the tie-breaker among them.
func (c Config) breaksTie(p []uint32, partitions [][]uint32, size int) bool {
	if len(p) != size || size == 0 {
		return false
	}
	var all []uint32
	for _, q := range partitions {
		if len(q) == size {
			all = append(all, q...)
		}
	}
	winner := slices.Min(all)
	switch t := c.Device.TieBreaker; t {
	case "", "lowest":
	case "highest":
		winner = slices.Max(all)
	default:
		if id, err := strconv.ParseUint(t, 10, 32); err == nil && slices.Contains(all, uint32(id)) {
			winner = uint32(id)
		}
	}
	return slices.Contains(p, winner)
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

// Describe draws c for people: votes, threshold and options, one line each.
func (c Config) Describe() string {
	var b strings.Builder
	if c.Provider == "" {
		return "no quorum provider: every partition goes on\n"
	}
	e, notes, err := c.Effective()
	all := e.Outcome(History{}, e.Nodes(), e.Device != nil)
	fmt.Fprintf(&b, "expected votes %d, quorum %d\n", e.Expected(), all.Needed)
	for _, n := range e.Nodes() {
		fmt.Fprintf(&b, "  node %d: %d\n", n, e.NodeVotes[n])
	}
	if d := e.Device; d != nil {
		fmt.Fprintf(&b, "  device %s: %d\n", strings.TrimSpace(d.Model+" "+d.Algorithm), e.DeviceVotes())
	}
	for _, o := range []struct {
		on   bool
		name string
	}{
		{e.TwoNode, "two_node"}, {e.WaitForAll, "wait_for_all"}, {e.AutoTieBreaker, "auto_tie_breaker " + e.AutoTieBreakerNode},
		{e.LastManStanding, "last_man_standing"}, {e.AllowDownscale, "allow_downscale"},
	} {
		if o.on {
			fmt.Fprintln(&b, strings.TrimSpace(o.name))
		}
	}
	for _, n := range notes {
		fmt.Fprintln(&b, "note:", n)
	}
	if err != nil {
		fmt.Fprintln(&b, "refused:", err)
	}
	return b.String()
}
