package lint

import (
	"cmp"
	"fmt"
	"slices"
)

func mtuRules() []Rule {
	return []Rule{
		{
			Code: "mtu-port", check: mtuPort,
			Says: "an interface takes larger frames than the port below it",
			Why:  "Frames that the upper interface takes and the port does not are lost without a word, the large ones first: knet's pings pass and its data does not.",
			Fix:  "give the ports the MTU of the interface above, or lower that one",
		},
		{
			Code: "mtu-differs", check: mtuDiffers,
			Says: "knet found that larger packets reach some nodes of a site on a link than others",
			Why:  "A node, or a switch in front of it, has another MTU than the rest. knet sends all nodes the smallest size that it found, once it has found it: after a change that takes minutes, in which large packets are lost. Migrations and storage on the same network lose them for good.",
			Fix:  "compare `ip link` of the nodes, and the switch ports; give all the same MTU",
		},
		{
			Code: "mtu-path", check: mtuPath,
			Says: "knet found that no node of a site is reached with packets as large as this node's interface takes",
			Why:  "Something on the way takes less than the interface: a switch without jumbo frames, a tunnel, a provider's line. Until knet has found that out, and whenever the way changes, large packets are lost while pings pass.",
			Fix:  "set the MTU of the interface to what the path carries, or knet_mtu (Corosync 3.1.7 and later)",
		},
	}
}

// leastMTU is below what path MTU discovery finds: before it is done, 469 is shown.
const leastMTU = 600

// overhead is the most that headers, encryption and rounding take of a packet: 103 bytes of 1500 and 115 of 9000 over IPv4 with aes256 and sha256,
// as libknet 1.25 showed; IPv6 takes 32 more, a longer hash up to 32.
func overhead(in *Input, i Interface) int {
	n := 120
	if i.Address.Is6() {
		n += 32
	}
	if hash := in.Config.Values["totem.crypto_hash"].Text; hash == "sha384" || hash == "sha512" {
		n += 32
	}
	return n
}

// reached is what knet found for the nodes of one site on a link.
type reached struct {
	link  int
	site  string
	nodes []uint32 // ascending
	mtu   map[uint32]int
	most  int
	least int
}

// reachedBy sums up what knet found, by link and site. What knet_mtu sets was not found.
func reachedBy(in *Input) []reached {
	if in.Config.NetMTU != 0 {
		return nil
	}
	site := map[uint32]string{}
	for _, n := range in.Config.Nodes {
		site[n.ID] = siteOf(in, n)
	}
	var out []reached
	for _, l := range in.Status.Links {
		if !l.Connected || l.MTU < leastMTU || l.Node == in.Local {
			continue
		}
		i := slices.IndexFunc(out, func(r reached) bool { return r.link == l.Link && r.site == site[l.Node] })
		if i < 0 {
			i = len(out)
			out = append(out, reached{link: l.Link, site: site[l.Node], mtu: map[uint32]int{}, least: l.MTU})
		}
		r := &out[i]
		r.nodes, r.mtu[l.Node] = append(r.nodes, l.Node), l.MTU
		r.most, r.least = max(r.most, l.MTU), min(r.least, l.MTU)
	}
	slices.SortFunc(out, func(a, b reached) int { return cmp.Or(a.link-b.link, cmp.Compare(a.site, b.site)) })
	return out
}

func (r *reached) subject() string {
	if r.site == "" {
		return linkName(r.link)
	}
	return linkName(r.link) + " to site " + r.site
}

func mtuDiffers(in *Input) []found {
	var out []found
	for _, r := range reachedBy(in) {
		if r.least == r.most {
			continue
		}
		small := slices.DeleteFunc(slices.Clone(r.nodes), func(id uint32) bool { return r.mtu[id] == r.most })
		out = append(out, found{
			serious: true, subject: r.subject(),
			title:    fmt.Sprintf("on link %d knet reaches %s with %d bytes at most, others with %d", r.link, nodeList(in, small), r.least, r.most),
			evidence: map[string]string{"nodes": names(in, small)},
		})
	}
	return out
}

func mtuPath(in *Input) []found {
	var out []found
	for _, r := range reachedBy(in) {
		i := slices.IndexFunc(in.Interfaces, func(i Interface) bool { return i.Link == r.link })
		if i < 0 || r.most >= in.Interfaces[i].MTU-overhead(in, in.Interfaces[i]) {
			continue
		}
		out = append(out, found{
			subject: r.subject(),
			title:   fmt.Sprintf("on link %d knet reaches %s with %d bytes, though %s has an MTU of %d", r.link, nodeList(in, r.nodes), r.most, in.Interfaces[i].Name, in.Interfaces[i].MTU),
		})
	}
	return out
}

func mtuPort(in *Input) []found {
	var out []found
	for _, i := range in.Interfaces {
		for _, p := range i.Ports {
			if p.MTU > 0 && i.MTU > p.MTU {
				out = append(out, found{
					serious: true, subject: i.Name,
					title: fmt.Sprintf("%s has an MTU of %d and its port %s one of %d", i.Name, i.MTU, p.Name, p.MTU),
				})
			}
		}
	}
	return out
}
