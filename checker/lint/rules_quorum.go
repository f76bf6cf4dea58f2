package lint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

func quorumRules() []Rule {
	return []Rule{
		{
			Code: "even-split", check: evenSplit,
			Says: "there is an even number of votes, four or more, and nothing that breaks a tie",
			Why:  "When an even number of votes falls apart in halves, neither has a majority, and all nodes lose quorum at once.",
			Fix:  "add a quorum device on a third site (pvecm qdevice setup), or a node",
		},
		{
			Code: "site-decides", check: siteDecides,
			Says: "the loss of one site, configured or found by round trips, takes quorum from all others",
			Why:  "The loss of this one site takes quorum from everybody else too: the other sites are no refuge.",
			Fix:  "spread the votes so that no site has half of them or more; a quorum device belongs on a third site",
		},
		{
			Code: "two-nodes", check: twoNodes,
			Says: "there are two nodes and no third vote",
			Why:  "Of two nodes with a vote each, the loss of either stops the other.",
			Fix:  "add a quorum device (pvecm qdevice setup); two_node is no way out where HA runs",
		},
		{
			Code: "two-node-split", check: twoNodeSplit,
			Says: "two_node is set without wait_for_all",
			Why:  "With two_node and without wait_for_all, two nodes that start without hearing each other both have quorum, and both start the same guests.",
			Fix:  "remove wait_for_all: 0, or two_node",
		},
		{
			Code: "votes-uneven", check: votesUneven,
			Says: "nodes have different numbers of votes",
			Why:  "Nodes with other votes than one make it hard to foresee who stays quorate, and the loss of a heavy one counts for several.",
			Fix:  "give every node one vote, unless the weights are meant",
		},
	}
}

// effective returns the cluster's votequorum as it runs, all nodes together.
func effective(in *Input) (votequorum.Config, []uint32, bool) {
	q, _, err := in.Config.Quorum.Effective()
	if err != nil || q.Provider == "" || len(q.NodeVotes) < 2 {
		return q, nil, false
	}
	return q, q.Nodes(), true
}

func evenSplit(in *Input) []found {
	q, nodes, ok := effective(in)
	if !ok || q.Device != nil || q.AutoTieBreaker || q.TwoNode || len(nodes) < 4 || q.Expected()%2 != 0 {
		return nil
	}
	return one(false, "quorum", fmt.Sprintf("%d votes and no quorum device: two halves of %d would both lose quorum", q.Expected(), q.Expected()/2), nil)
}

// siteDecides takes each site away from a cluster that knows its sites, and looks who is left.
func siteDecides(in *Input) []found {
	q, nodes, ok := effective(in)
	sites := sitesOf(in)
	if !ok || len(sites) < 2 {
		return nil
	}
	var out []found
	for _, site := range slices.Sorted(maps.Keys(sites)) {
		rest := slices.DeleteFunc(slices.Clone(nodes), func(n uint32) bool { return slices.Contains(sites[site], n) })
		if len(rest) == 0 {
			continue
		}
		if r := q.Split(votequorum.History{}, [][]uint32{rest})[0]; !r.Quorate {
			out = append(out, found{
				serious: true, subject: "site " + site,
				title:    fmt.Sprintf("without site %s the other %d nodes have %d of %d votes and need %d", site, len(rest), r.Votes, r.Expected, r.Needed),
				evidence: map[string]string{"nodes": names(in, sites[site])},
			})
		}
	}
	return out
}

// sitesOf returns the nodes of each site; nodes without a site are left out.
func sitesOf(in *Input) map[string][]uint32 {
	out := map[string][]uint32{}
	for _, n := range in.Config.Nodes {
		if s := siteOf(in, n); s != "" {
			out[s] = append(out[s], n.ID)
		}
	}
	return out
}

// siteOf is where a node is; "" if that is not known.
func siteOf(in *Input, n corosync.Node) string {
	return cmp.Or(in.Sites[n.Name], in.Sites[fmt.Sprint(n.ID)])
}

func names(in *Input, ids []uint32) string {
	var out []string
	for _, n := range in.Config.Nodes {
		if slices.Contains(ids, n.ID) {
			out = append(out, n.Name)
		}
	}
	return strings.Join(out, " ")
}

func twoNodes(in *Input) []found {
	q, nodes, ok := effective(in)
	if !ok || len(nodes) != 2 || q.Device != nil || q.TwoNode || q.AutoTieBreaker {
		return nil
	}
	return one(true, "quorum", "two nodes and no third vote: the loss of either node stops the other", nil)
}

func twoNodeSplit(in *Input) []found {
	q, nodes, ok := effective(in)
	if !ok || !q.TwoNode || q.WaitForAll || len(nodes) != 2 {
		return nil
	}
	return one(true, "quorum.two_node", "two_node without wait_for_all: both nodes can be quorate at the same time", nil)
}

func votesUneven(in *Input) []found {
	q, nodes, ok := effective(in)
	if !ok {
		return nil
	}
	low, high := q.NodeVotes[nodes[0]], q.NodeVotes[nodes[0]]
	for _, n := range nodes {
		low, high = min(low, q.NodeVotes[n]), max(high, q.NodeVotes[n])
	}
	if low == high {
		return nil
	}
	return one(false, "nodelist", fmt.Sprintf("nodes have between %d and %d votes", low, high), nil)
}
