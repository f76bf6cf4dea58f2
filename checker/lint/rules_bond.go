package lint

import (
	"fmt"
	"strings"
)

func bondRules() []Rule {
	return []Rule{
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
			Code: "bond-alone", check: bondAlone,
			Says: "an 802.3ad bond that carries a link has no partner: the switch does not speak LACP",
			Why:  "Without a partner the bond uses one of its ports and leaves the others idle; when that one goes, or the switch sends answers to another, the link is dead although ports are up.",
			Fix:  "set up LACP on the switch's ports, in one group, or give each port a Corosync link of its own",
		},
		{
			Code: "bond-port-down", check: bondPortDown,
			Says: "a port of a bond that carries a link is down, or in no aggregate with the others",
			Why:  "The bond has lost its redundancy without a word to anybody above it: the next port to go takes the link along.",
			Fix:  "look at the port's cable, transceiver and switch port; cat /proc/net/bonding/BOND tells the bond's own view",
		},
	}
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

func bondAlone(in *Input) []found {
	return eachBond(in, func(link int, b Bond) (found, bool) {
		return found{serious: true, title: fmt.Sprintf("bond %s of link %d has no LACP partner: one of its %d ports is used", b.Name, link, b.Ports)}, b.Alone && b.Ports > 1
	})
}

func bondPortDown(in *Input) []found {
	return eachBond(in, func(link int, b Bond) (found, bool) {
		title := fmt.Sprintf("bond %s of link %d has lost %s: %d of %d ports carry", b.Name, link, strings.Join(b.Down, ", "), b.Ports-len(b.Down), b.Ports)
		return found{serious: true, title: title, evidence: map[string]string{"down": strings.Join(b.Down, " ")}}, len(b.Down) > 0
	})
}
