package corosync

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// sameAddress warns of an address that two nodes, or two links of a node, share. Host names are compared as written, and
// again by Resolve.
func (k *checker) sameAddress() {
	first := map[string]string{}
	for _, n := range k.Nodes {
		for _, link := range slices.Sorted(maps.Keys(n.Addrs)) {
			addr := n.Addrs[link]
			if a, ok := literalOf(addr, k.IPVersion); ok {
				addr = a.String()
			}
			who := fmt.Sprintf("node %s, link %d", nodeName(n), link)
			if other, taken := first[addr]; taken {
				k.add(fmt.Sprintf("nodelist.node.%d.ring%d_addr", n.Position, link), fmt.Sprintf("%s is also the address of %s", addr, other),
					"every node has an address of its own on every link")
				continue
			}
			first[addr] = who
		}
	}
}

func (k *checker) sameNames() {
	first := map[string]Node{}
	for _, n := range k.Nodes {
		if n.Name == "" {
			continue
		}
		if other, taken := first[n.Name]; taken {
			k.add(fmt.Sprintf("nodelist.node.%d.name", n.Position), fmt.Sprintf("nodes %d and %d have the same name, %s: both machines take themselves for the first",
				other.ID, n.ID, n.Name), "use each node's own host name")
			continue
		}
		first[n.Name] = n
	}
}

// linkSets warns where the nodes have different links although the links have equally many nodes, which is all that
// Corosync compares.
func (k *checker) linkSets() {
	if len(k.Nodes) == 0 || len(k.Links) < 2 {
		return
	}
	want := slices.Sorted(maps.Keys(k.Nodes[0].Addrs))
	for _, n := range k.Nodes[1:] {
		if have := slices.Sorted(maps.Keys(n.Addrs)); len(have) > 0 && !slices.Equal(have, want) {
			k.add(k.anyKey(fmt.Sprintf("nodelist.node.%d.", n.Position)), fmt.Sprintf("node %s has the links %v, node %s has %v: nodes talk only over links that both have",
				nodeName(n), have, nodeName(k.Nodes[0]), want), "give every node an address on every link")
		}
	}
}

// quorum warns of options that contradict each other: votequorum then refuses to start or drops one of them
// (exec/votequorum.c votequorum_readconfig).
func (k *checker) quorum() {
	q := k.Quorum
	switch q.Provider {
	case "corosync_votequorum":
	case "":
		k.add("quorum.provider", "no quorum provider: every partition runs on alone after a split", "add `provider: corosync_votequorum` to quorum{}")
		return
	default:
		k.add("quorum.provider", excerpt(q.Provider)+" is no quorum provider: Corosync does not start", "use corosync_votequorum")
		return
	}
	k.quorumOptions()
	if q.Device != nil {
		k.quorumDevice()
	}
}

func (k *checker) quorumOptions() {
	q := k.Quorum
	effective, notes, err := q.Effective()
	for _, note := range notes { // "two_node is ignored: ..."
		option, _, _ := strings.Cut(note, " ")
		k.add("quorum."+option, note, "remove the option, or what excludes it")
	}
	if err != nil {
		k.add(k.quorumKey(err), err.Error()+": Corosync does not start", "remove one of the two, or add what is missing")
	}
	if effective.TwoNode && len(k.Nodes) > 2 {
		k.add("quorum.two_node", fmt.Sprintf("there are %d nodes: with two_node every partition of one or two of them is quorate", len(k.Nodes)), "remove the line")
	}
	if _, written := k.Values.str("quorum.auto_tie_breaker_node"); written && !q.AutoTieBreaker {
		k.add("quorum.auto_tie_breaker_node", "no effect without `auto_tie_breaker: 1`", "remove the line or set auto_tie_breaker")
	}
	if q.LastManStanding && !q.WaitForAll {
		k.add("quorum.last_man_standing", "without wait_for_all a node that starts alone can become quorate beside the rest", "add `wait_for_all: 1`")
	}
	if n, ok := k.Values.u32("quorum.expected_votes"); ok && q.Device == nil && n != 0 && int(n) != k.votes() {
		k.add("quorum.expected_votes", fmt.Sprintf("%d, but the nodelist has %d votes: expected_votes wins", n, k.votes()), "remove the line")
	}
	for _, key := range []string{"two_node", "wait_for_all", "auto_tie_breaker", "last_man_standing", "allow_downscale", "expected_votes_tracking"} {
		if n, ok := k.Values.unsigned("quorum."+key, typeU8); ok && n > 1 {
			k.add("quorum."+key, fmt.Sprintf("%d counts as 1", n), "use 0 or 1")
		}
	}
}

// quorumKey finds the written key that votequorum's refusal is about.
func (k *checker) quorumKey(err error) string {
	keys := map[error]string{
		votequorum.ErrTwoNodeDevice: "quorum.two_node", votequorum.ErrTieBreakerLMS: "quorum.auto_tie_breaker",
		votequorum.ErrDeviceLMS: "quorum.last_man_standing", votequorum.ErrDeviceTieBreaker: "quorum.auto_tie_breaker",
		votequorum.ErrDeviceDownscale: "quorum.allow_downscale", votequorum.ErrDeviceVotesUnknown: "quorum.device.model",
		votequorum.ErrDeviceVotesHigh: "quorum.device.votes",
	}
	for target, key := range keys {
		if errors.Is(err, target) {
			return key
		}
	}
	return "quorum.provider"
}

func (k *checker) votes() int {
	sum := 0
	for _, n := range k.Nodes {
		sum += n.Votes
	}
	return sum
}

// quorumDevice warns of a device that cannot do anything.
func (k *checker) quorumDevice() {
	if votes, written := k.Values.u32("quorum.device.votes"); written && votes == 0 {
		k.add("quorum.device.votes", "a quorum device without a vote changes nothing", "use 1 vote, or remove the device")
	}
	if d := k.Quorum.Device; d.Model == "net" && d.Host == "" {
		k.add("quorum.device.model", "no net.host: corosync-qdevice does not start", "add net{} with `host: ` and the address of the qnetd server")
	}
}

// afterResolution compares resolved addresses: one family on a link, no address twice. What two literals do is known from
// the file and not said again.
func (k *checker) afterResolution(hosts map[string]bool, resolved map[string]netip.Addr) {
	type holder struct{ who, addr string }
	first := map[netip.Addr]holder{}
	family := map[int]netip.Addr{}
	for _, n := range k.Nodes {
		for _, link := range slices.Sorted(maps.Keys(n.Addrs)) {
			a, ok := resolved[n.Addrs[link]]
			if !ok {
				continue
			}
			key := fmt.Sprintf("nodelist.node.%d.ring%d_addr", n.Position, link)
			if other, seen := family[link]; seen && other.Is4() != a.Is4() {
				k.add(key, fmt.Sprintf("%s and %s on link %d are of different IP families: Corosync refuses that", a, other, link), "use one family on a link, or set ip_version")
			} else if !seen {
				family[link] = a
			}
			if other, taken := first[a]; taken {
				if hosts[n.Addrs[link]] || hosts[other.addr] {
					k.add(key, fmt.Sprintf("%s is %s, which is also the address of %s", n.Addrs[link], a, other.who), "every node has an address of its own on every link")
				}
				continue
			}
			first[a] = holder{fmt.Sprintf("node %s, link %d", nodeName(n), link), n.Addrs[link]}
		}
	}
}
