package lint

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

func linkRules() []Rule {
	return []Rule{
		{
			Code: "single-link", check: singleLink,
			Says: "the cluster has one link; serious where HA is armed",
			Why:  "Corosync's spare is a second link. With one, an outage of 0.15 T can lose the token and one of 0.4 T will, because knet mutes the link for longer than the outage lasts.",
			Fix:  "add a link over other hardware: another switch, not only another card",
		},
		{
			Code: "links-one-network", check: linksOneNetwork,
			Says: "the addresses of two links lie in one network on every node (/24 or /64 is assumed where this node's own networks are not known)",
			Why:  "Links whose addresses lie in one network usually share switches, so that one fault takes both, and the kernel may send both out of one interface.",
			Fix:  "give each link a network of its own, on hardware of its own",
		},
		{
			Code: "no-link-0", check: noLink0,
			Says: "no node has an address on link 0",
			Why:  "token_coefficient counts the nodes on link 0. Without a link 0 the token timeout does not grow with the cluster (totemconfig.c, totem_volatile_config_read).",
			Fix:  "number the links from 0, or set token for this many nodes",
		},
		{
			Code: "link-mode-rr", check: linkModeRR,
			Says: "packets take the links in turn",
			Why:  "Round robin sends one packet over each link in turn: links of different delay reorder the ring's packets, and a link that loses packets loses its share of every message.",
			Fix:  "set link_mode to passive",
		},
		{
			Code: "ring-host-name", check: ringHostName,
			Says: "ring addresses are host names",
			Why:  "Corosync resolves names at start and at reload only, and nodes whose resolvers disagree talk past each other.",
			Fix:  "write addresses into ringN_addr",
		},
	}
}

func singleLink(in *Input) []found {
	if len(in.Config.Links) != 1 || len(in.Config.Nodes) < 2 {
		return nil
	}
	n := in.Config.Links[0].Number
	t := in.Config.Timeouts().Token
	title := fmt.Sprintf("link %d is the only link: an outage of %s may lose the token, one of %s will", n, share(t, safeShare), share(t, fatalShare))
	if in.Armed {
		title += "; HA is armed: nodes that stay without quorum reset"
	}
	return one(in.Armed, linkName(n), title, nil)
}

// Measured, with one link and knet's own timers: an outage of 0.15 T never lost the token, one of 0.4 T always did.
const (
	safeShare  = 0.15
	fatalShare = 0.4
)

func share(t time.Duration, of float64) time.Duration {
	return time.Duration(of * float64(t)).Round(10 * time.Millisecond)
}

func linksOneNetwork(in *Input) []found {
	var out []found
	links := in.Config.Links
	for i := range links {
		for j := range i {
			a, b := links[j].Number, links[i].Number
			if _, known := networkOf(in, a); known {
				if _, known = networkOf(in, b); known {
					continue // networks-overlap knows better
				}
			}
			if network, same := sameNetwork(in.Config, a, b); same {
				out = append(out, found{
					subject: fmt.Sprintf("links %d and %d", a, b), evidence: map[string]string{"network": network},
					title: fmt.Sprintf("the addresses of links %d and %d lie in one network on every node, %s", a, b, network),
				})
			}
		}
	}
	return out
}

// usualNetwork and usualNetwork6 are the sizes of network that are taken for one where masks are not known.
const (
	usualNetwork  = 24
	usualNetwork6 = 64
)

// sameNetwork says whether the addresses of two links lie in one usual network on every node.
func sameNetwork(c *corosync.Config, a, b int) (string, bool) {
	network := ""
	for _, n := range c.Nodes {
		x, errX := netip.ParseAddr(n.Addrs[a])
		y, errY := netip.ParseAddr(n.Addrs[b])
		if errX != nil || errY != nil {
			return "", false
		}
		bits := usualNetwork
		if x.Is6() {
			bits = usualNetwork6
		}
		prefix, err := x.Prefix(bits)
		if err != nil || !prefix.Contains(y) {
			return "", false
		}
		network = prefix.String()
	}
	return network, network != ""
}

func noLink0(in *Input) []found {
	c := in.Config
	if len(c.Links) == 0 || c.Totem.HasLink0 || len(c.Nodes) <= 2 {
		return nil
	}
	return one(true, "totem.token", fmt.Sprintf("there is no link 0, so the token timeout stays at %s for %d nodes", c.Timeouts().Token, len(c.Nodes)), nil)
}

func linkModeRR(in *Input) []found {
	if in.Config.LinkMode != "rr" || len(in.Config.Links) < 2 {
		return nil
	}
	return one(true, "totem.link_mode", "packets take the links in turn (link_mode: rr)", nil)
}

func ringHostName(in *Input) []found {
	names, example := 0, ""
	for _, n := range in.Config.Nodes {
		for link := range corosyncLinks {
			addr, ok := n.Addrs[link]
			if !ok {
				continue
			}
			if _, err := netip.ParseAddr(addr); err != nil {
				names++
				example = addr
			}
		}
	}
	if names == 0 {
		return nil
	}
	return one(false, "nodelist", fmt.Sprintf("%d ring addresses are host names, for example %s", names, example), nil)
}

// corosyncLinks is how many links knet has at most.
const corosyncLinks = 8

func linkName(n int) string { return "link" + strconv.Itoa(n) }
