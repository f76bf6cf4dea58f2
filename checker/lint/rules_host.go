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
			if shared := shared(x, y); len(shared) > 0 {
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

// shared are the ports that two interfaces have in common; the uppermost interface where no port is known.
func shared(x, y Interface) []string {
	if x.Name == y.Name {
		return []string{x.Name}
	}
	var out []string
	for _, p := range x.Ports {
		if slices.ContainsFunc(y.Ports, func(q Port) bool { return q.Name == p.Name }) {
			out = append(out, p.Name)
		}
	}
	if len(out) > 0 {
		return out
	}
	mine, others := append([]string{x.Name}, x.Below...), append([]string{y.Name}, y.Below...)
	for _, name := range mine {
		if slices.Contains(others, name) {
			return []string{name}
		}
	}
	return nil
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
