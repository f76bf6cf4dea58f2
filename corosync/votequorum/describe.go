package votequorum

import (
	"cmp"
	"fmt"
	"strings"
)

// Describe draws c for people: votes, threshold, options, and what may be lost, one line each.
func (c Config) Describe() string {
	var b strings.Builder
	if c.Provider == "" {
		return withoutProvider + "\n"
	}
	e, notes, err := c.Effective()
	all := e.Outcome(History{}, e.Nodes(), e.Device != nil)
	fmt.Fprintf(&b, "expected votes %d, quorum %d\n", all.Expected, all.Needed)
	for _, n := range e.Nodes() {
		fmt.Fprintf(&b, "  node %d: %d\n", n, e.NodeVotes[n])
	}
	if e.Device != nil {
		fmt.Fprintln(&b, " ", e.describeDevice())
	}
	for _, o := range []struct {
		on   bool
		name string
	}{
		{e.TwoNode, "two_node"}, {e.WaitForAll, "wait_for_all"}, {e.AutoTieBreaker, "auto_tie_breaker " + e.AutoTieBreakerNode},
		{e.LastManStanding, "last_man_standing"}, {e.AllowDownscale, "allow_downscale"}, {e.ExpectedVotesTracking, "expected_votes_tracking"},
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
		return b.String()
	}
	fmt.Fprintln(&b, e.describeSpare())
	return b.String()
}

func (c Config) describeDevice() string {
	d := c.Device
	text := fmt.Sprintf("device %s %s: %d", d.Model, cmp.Or(d.Algorithm, "ffsplit"), c.DeviceVotes())
	tie := cmp.Or(d.TieBreaker, "lowest")
	switch {
	case c.decides() == neverVotes:
		return text
	case d.named() != 0:
		tie = "node " + tie
	default:
		tie = "the " + tie + " node"
	}
	if c.decides() == ffsplit && !d.ForgetActive {
		return text + ", a draw stays where the vote was, else goes to " + tie
	}
	return text + ", a draw goes to " + tie
}

// describeSpare tells how many nodes may be lost at once, with the device and without.
func (c Config) describeSpare() string {
	nodes := func(device bool) string {
		switch s := c.Spare(History{}, c.Nodes(), device); {
		case !c.Outcome(History{}, c.Nodes(), device).Quorate:
			return "no quorum even with all nodes"
		case s.Nodes == 0:
			return "no node may be lost"
		case s.Nodes == 1:
			return "any 1 node may be lost"
		default:
			return fmt.Sprintf("any %d nodes may be lost", s.Nodes)
		}
	}
	if c.Device == nil {
		return nodes(false)
	}
	if c.decides() == neverVotes {
		return nodes(false)
	}
	return nodes(true) + " while the device votes here; without it " + nodes(false)
}
