package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

func networkRules() []Rule {
	return []Rule{
		{
			Code: "networks-overlap", check: networksOverlap,
			Says: "the networks of two links' interfaces overlap on this node",
			Why:  "The kernel chooses the interface by the destination, not by the address that a packet is sent from. With overlapping networks the packets of both links leave by one interface, and answers to ARP come from either: two links in name, one in fact.",
			Fix:  "give each link a network of its own",
		},
		{
			Code: "link-routed", check: linkRouted,
			Says: "nodes of a link are in another network than this node's interface: packets to them go through a router",
			Why:  "Routers between nodes are changed, restarted and re-routed by people who do not know of the cluster, and each one is another thing that can fail. Corosync's developers do not vouch for routed paths of a provider.",
			Fix:  "know who runs the routers and when they work on them; let the second link take another way",
		},
		{
			Code: "address-leased", check: addressLeased,
			Says: "a ring address comes from DHCP or a router's advertisement",
			Why:  "An address that is not renewed in time goes, and the link with it; one that comes only after Corosync has started is missed at boot. With another address after a restart the node is no member any more.",
			Fix:  "set ring addresses statically, in /etc/network/interfaces",
		},
	}
}

// networks are those of this node's links, as far as they are known.
func networks(in *Input) []Interface {
	return slices.DeleteFunc(slices.Clone(in.Interfaces), func(i Interface) bool { return !i.Network.IsValid() })
}

// networksOverlap: addresses that are a network of their own (/32, /128) come with routes of their own.
func networksOverlap(in *Input) []found {
	var out []found
	all := networks(in)
	for i, x := range all {
		for _, y := range all[:i] {
			if x.Link == y.Link || x.Name == y.Name || x.Network.IsSingleIP() || y.Network.IsSingleIP() || !x.Network.Overlaps(y.Network) {
				continue
			}
			if y.Link > x.Link {
				x, y = y, x
			}
			out = append(out, found{
				serious: true, subject: fmt.Sprintf("links %d and %d", y.Link, x.Link),
				title:    fmt.Sprintf("%s of link %d on %s and %s of link %d on %s overlap", y.Network, y.Link, y.Name, x.Network, x.Link, x.Name),
				evidence: map[string]string{linkName(x.Link): x.Network.String(), linkName(y.Link): y.Network.String()},
			})
		}
	}
	return out
}

// networkOf is the network of this node's address on a link.
func networkOf(in *Input, link int) (netip.Prefix, bool) {
	for _, i := range in.Interfaces {
		if i.Link == link && i.Network.IsValid() {
			return i.Network, true
		}
	}
	return netip.Prefix{}, false
}

// linkRouted: an address that is a network of its own says nothing of who is next to it.
func linkRouted(in *Input) []found {
	var out []found
	for _, i := range networks(in) {
		if i.Network.IsSingleIP() {
			continue
		}
		var ids []uint32
		for _, a := range in.Addresses {
			if a.Link == i.Link && a.Node != in.Local && in.Local != 0 && a.Addr.Is4() == i.Address.Is4() && !i.Network.Contains(a.Addr) {
				ids = append(ids, a.Node)
			}
		}
		if len(ids) > 0 {
			out = append(out, found{
				subject: linkName(i.Link), title: fmt.Sprintf("link %d reaches %s through a router: %s has %s", i.Link, nodeList(in, ids), i.Name, i.Network),
				evidence: map[string]string{"network": i.Network.String(), "nodes": names(in, ids)},
			})
		}
	}
	return out
}

// manyNames is how many nodes a title names.
const manyNames = 4

// nodeList names some nodes, and counts the others.
func nodeList(in *Input, ids []uint32) string {
	all := strings.Fields(names(in, ids))
	if len(all) <= manyNames {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:manyNames-1], ", "), len(all)-manyNames+1)
}

func addressLeased(in *Input) []found {
	var out []found
	for _, i := range in.Interfaces {
		if i.Leased {
			out = append(out, found{subject: linkName(i.Link), title: fmt.Sprintf("address %s of link %d on %s is leased, not set for good", i.Address, i.Link, i.Name)})
		}
	}
	return out
}
