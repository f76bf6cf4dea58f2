package votequorum

import (
	"fmt"
	"strings"
)

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
