package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func hostRules() []Rule {
	return []Rule{
		{
			Code: "links-one-port", check: linksOnePort,
			Says: "two links leave this node by the same physical port or interface",
			Why:  "Links that leave this node by the same port die together: to the cluster they are one link.",
			Fix:  "give one of the links a port of its own, on another switch",
		},
		{
			Code: "bond-mode", check: bondMode,
			Says: "a link runs over a bond in a balance mode, or one that broadcasts",
			Why:  "Proxmox VE advises against these modes under Corosync: packets of one flow take several ways and overtake each other, and a half-dead member loses a share of them for good.",
			Fix:  "use separate Corosync links instead of a bond, or mode 802.3ad with bond-lacp-rate fast",
		},
		{
			Code: "bond-lacp-slow", check: bondLACPSlow,
			Says: "a link runs over an 802.3ad bond with the slow LACP rate",
			Why:  "With LACP frames every 30 s a dead member is noticed after 90 s; Proxmox VE's HA resets nodes after about 60.",
			Fix:  "set bond-lacp-rate fast on this node, and the same on the switch: 3 s",
		},
		{
			Code: "bond-active-backup", check: bondActiveBackup,
			Says: "a link runs over an active-backup bond",
			Why:  "An active-backup bond moves only when the carrier goes. A port whose link is up and whose traffic is dead keeps Corosync there.",
			Fix:  "give each port a Corosync link of its own instead",
		},
		{
			Code: "shared-with-guests", check: sharedWithGuests,
			Says: "guests are attached to the bridge that carries a link; serious when no link is free of them",
			Why:  "Guests share this link's bridge. A backup, a migration or a busy guest delays the token, and the most common cause of lost clusters is exactly that.",
			Fix:  "give Corosync a port of its own, 1 Gbit/s is enough, and use this network for the second link",
		},
		{
			Code: "shared-with-migration", check: sharedWithMigration,
			Says: "guests migrate over the network of a link; serious when no link is free of it",
			Why:  "One migration fills a port for minutes: the token waits behind it on this node, and on the one that it goes to.",
			Fix:  "set another network for migrations (Datacenter, Options, Migration settings), or limit their bandwidth there",
		},
		{
			Code: "mtu-port", check: mtuPort,
			Says: "an interface takes larger frames than the port below it",
			Why:  "Frames that the upper interface takes and the port does not are lost without a word, the large ones first: knet's pings pass and its data does not.",
			Fix:  "give the ports the MTU of the interface above, or lower that one",
		},
		{
			Code: "port-slow", check: portSlow,
			Says: "a port runs below 1 Gbit/s",
			Why:  "Proxmox VE asks for 1 Gbit/s. A port that came up with less is usually a bad cable or port.",
			Fix:  "replace the cable, look at the switch's port",
		},
		{
			Code: "nic-driver", check: nicDriver,
			Says: "a port has a driver whose cards are known to hang (e1000e, r8169)",
			Why:  "Cards with this driver are known to stop passing traffic, some with the carrier still up, where only an active probe sees it.",
			Fix:  "watch the kernel's log for hangs; for e1000e switch the segmentation offloads off (ethtool -K PORT tso off gso off), for r8169 try another kernel or driver",
		},
		{
			Code: "link-tunnel", check: linkTunnel,
			Says: "a link runs through a tunnel",
			Why:  "A tunnel hides its path: it is re-keyed, re-routed and throttled without a trace on this node, its MTU is smaller, and it goes when the process behind it stalls.",
			Fix:  "let a second link take another way, and look at the full-size probes before relying on it",
		},
		{
			Code: "clock-unsynchronized", check: clockUnsynchronized,
			Says: "the kernel says that this node's clock is not synchronized",
			Why:  "Corosync does not need clocks that agree, but Proxmox VE's HA compares times between nodes, and logs of several nodes cannot be put in order.",
			Fix:  "install chrony and let it reach its servers",
		},
	}
}

func linksOnePort(in *Input) []found {
	var out []found
	for i, x := range in.Interfaces {
		for _, y := range in.Interfaces[:i] {
			if x.Link == y.Link {
				continue
			}
			if shared := sharedPorts(x, y); len(shared) > 0 {
				a, b := min(x.Link, y.Link), max(x.Link, y.Link)
				out = append(out, found{
					serious: true, subject: fmt.Sprintf("links %d and %d", a, b),
					title:    fmt.Sprintf("links %d and %d both leave this node by %s", a, b, strings.Join(shared, ", ")),
					evidence: map[string]string{linkName(x.Link): x.Name, linkName(y.Link): y.Name},
				})
			}
		}
	}
	return out
}

// sharedPorts are the ports that two interfaces have in common; the interface itself where no ports are known.
func sharedPorts(x, y Interface) []string {
	if x.Name == y.Name {
		return []string{x.Name}
	}
	var out []string
	for _, p := range x.Ports {
		if slices.ContainsFunc(y.Ports, func(q Port) bool { return q.Name == p.Name }) {
			out = append(out, p.Name)
		}
	}
	return out
}

// eachBond calls f for every bond under a ring address once.
func eachBond(in *Input, f func(link int, b Bond) (found, bool)) []found {
	var out []found
	seen := map[string]bool{}
	for _, i := range in.Interfaces {
		for _, b := range i.Bonds {
			if seen[b.Name] {
				continue
			}
			seen[b.Name] = true
			if x, ok := f(i.Link, b); ok {
				x.subject = b.Name
				out = append(out, x)
			}
		}
	}
	return out
}

func bondMode(in *Input) []found {
	return eachBond(in, func(link int, b Bond) (found, bool) {
		return found{serious: true, title: fmt.Sprintf("link %d runs over bond %s in mode %s", link, b.Name, b.Mode)}, strings.HasPrefix(b.Mode, "balance-") || b.Mode == "broadcast"
	})
}

func bondLACPSlow(in *Input) []found {
	return eachBond(in, func(link int, b Bond) (found, bool) {
		return found{serious: true, title: fmt.Sprintf("link %d runs over bond %s with the slow LACP rate", link, b.Name)}, b.Mode == "802.3ad" && b.SlowLACP
	})
}

func bondActiveBackup(in *Input) []found {
	return eachBond(in, func(link int, b Bond) (found, bool) {
		return found{title: fmt.Sprintf("link %d runs over the active-backup bond %s", link, b.Name)}, b.Mode == "active-backup"
	})
}

// sharedWithGuests is serious when no link is free of guests.
func sharedWithGuests(in *Input) []found {
	var shared []Interface
	for _, i := range in.Interfaces {
		if i.Guests {
			shared = append(shared, i)
		}
	}
	var out []found
	for _, i := range shared {
		out = append(out, found{
			serious: len(shared) == len(in.Interfaces), subject: linkName(i.Link),
			title: fmt.Sprintf("link %d shares bridge %s with guests", i.Link, i.Name),
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

// eachPort calls f for every port under a ring address once.
func eachPort(in *Input, f func(link int, p Port) (found, bool)) []found {
	var out []found
	seen := map[string]bool{}
	for _, i := range in.Interfaces {
		for _, p := range i.Ports {
			if seen[p.Name] {
				continue
			}
			seen[p.Name] = true
			if x, ok := f(i.Link, p); ok {
				x.subject = p.Name
				out = append(out, x)
			}
		}
	}
	return out
}

func portSlow(in *Input) []found {
	return eachPort(in, func(link int, p Port) (found, bool) {
		return found{title: fmt.Sprintf("port %s of link %d runs at %d Mbit/s", p.Name, link, p.Speed)}, p.Speed > 0 && p.Speed < 1000
	})
}

func nicDriver(in *Input) []found {
	known := []string{"e1000e", "r8169"}
	return eachPort(in, func(link int, p Port) (found, bool) {
		x := found{title: fmt.Sprintf("port %s of link %d has the driver %s", p.Name, link, p.Driver), evidence: map[string]string{"driver": p.Driver}}
		return x, slices.Contains(known, p.Driver)
	})
}

func linkTunnel(in *Input) []found {
	var out []found
	for _, i := range in.Interfaces {
		if i.Tunnel != "" {
			out = append(out, found{
				subject: linkName(i.Link), title: fmt.Sprintf("link %d runs through a tunnel (%s, %s)", i.Link, i.Name, i.Tunnel),
				evidence: map[string]string{"mtu": strconv.Itoa(i.MTU)},
			})
		}
	}
	return out
}

func clockUnsynchronized(in *Input) []found {
	if !in.Unsynced {
		return nil
	}
	return one(false, "clock", "this node's clock is not synchronized", nil)
}
