package lint

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

func deviceRules() []Rule {
	return []Rule{
		{
			Code: "qdevice-odd", check: qdeviceOdd,
			Says: "there is a quorum device beside an odd number of nodes",
			Why:  "With an odd number of nodes the device has a vote less than all nodes together. Losing it then leaves no room for the loss of a single node.",
			Fix:  "remove the device, or add a node and set it up again",
		},
		{
			Code: "qdevice-inside", check: qdeviceInside,
			Says: "the quorum device's server is a node of the cluster",
			Why:  "A quorum device is the third opinion. On a node of the cluster it falls with that node, and its vote with it.",
			Fix:  "run corosync-qnetd on a machine outside of the cluster, on a site of its own",
		},
		{
			Code: "qdevice-near", check: qdeviceNear,
			Says: "the quorum device's server lies in the network of one of several sites (/24 or /64 is assumed)",
			Why:  "A quorum device decides between sites when they do not hear each other. One that stands in a site, or is reached by its network, is lost together with that site, and its vote with it.",
			Fix:  "run corosync-qnetd at a third place, with a way of its own to each site",
		},
		{
			Code: "qdevice-sync", check: qdeviceSync,
			Says: "token + consensus + the quorum device's sync_timeout take more than the 50 s that are certain before Proxmox VE's HA resets nodes",
			Why:  "After each change of the membership votequorum waits for the quorum device's answer, up to sync_timeout (30 s), before anybody goes on. It usually comes within a second or three; when the server is out of reach, too, the wait may be a long one, and armed nodes reset meanwhile.",
			Fix:  "set quorum.device.sync_timeout lower, 10000 ms for example, or shorten the token timeout",
		},
		{
			Code: "qdevice-master-wins", check: qdeviceMasterWins,
			Says: "quorum.device.master_wins is set, which nothing reads",
			Why:  "Neither votequorum nor corosync-qdevice reads the key (Corosync 3.1, corosync-qdevice 3.0): whoever relies on it is mistaken about who stays quorate.",
			Fix:  "remove the key; corosync-qdevice -S master_wins=on is what has the effect, and is seldom wanted",
		},
	}
}

func qdeviceOdd(in *Input) []found {
	q, nodes, ok := effective(in)
	if !ok || q.Device == nil || len(nodes)%2 == 0 || q.DeviceVotes() < 2 {
		return nil
	}
	spare := q.Spare(votequorum.History{}, nodes, false)
	return one(true, "quorum.device", fmt.Sprintf("a quorum device with %d votes beside %d nodes: without it %d nodes may still be lost", q.DeviceVotes(), len(nodes), spare.Nodes), nil)
}

func qdeviceInside(in *Input) []found {
	q, _, ok := effective(in)
	if !ok || q.Device == nil || q.Device.Host == "" {
		return nil
	}
	host := q.Device.Host
	for _, n := range in.Config.Nodes {
		if n.Name == host {
			return one(true, "quorum.device", "the quorum device's server runs on node "+n.Name, nil)
		}
		for _, addr := range n.Addrs {
			if addr == host {
				return one(true, "quorum.device", fmt.Sprintf("the quorum device's server, %s, is node %s", host, n.Name), nil)
			}
		}
	}
	return nil
}

// qdeviceNear: the server has a literal address in the network of nodes of one site only.
func qdeviceNear(in *Input) []found {
	q, _, ok := effective(in)
	sites := sitesOf(in)
	if !ok || q.Device == nil || len(sites) < 2 {
		return nil
	}
	host, err := netip.ParseAddr(q.Device.Host)
	if err != nil || len(qdeviceInside(in)) > 0 {
		return nil
	}
	var near []string
	for _, site := range slices.Sorted(maps.Keys(sites)) {
		if slices.ContainsFunc(in.Config.Nodes, func(n corosync.Node) bool { return slices.Contains(sites[site], n.ID) && isNear(n, host) }) {
			near = append(near, site)
		}
	}
	if len(near) != 1 {
		return nil
	}
	return one(true, "quorum.device", fmt.Sprintf("the quorum device's server, %s, lies in the network of site %s", host, near[0]), nil)
}

// isNear says whether an address lies in a usual network around one of a node's.
func isNear(n corosync.Node, host netip.Addr) bool {
	for _, text := range n.Addrs {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Is4() != host.Is4() {
			continue
		}
		bits := usualNetwork
		if a.Is6() {
			bits = usualNetwork6
		}
		if p, err := a.Prefix(bits); err == nil && p.Contains(host) {
			return true
		}
	}
	return false
}

func qdeviceSync(in *Input) []found {
	q, _, ok := effective(in)
	if !ok || !in.Proxmox || q.Device == nil {
		return nil
	}
	freeze := membership(in.Config)
	all := freeze + q.Device.SyncTimeout
	if freeze > fenceCertain || all <= fenceCertain { // the former is another rule's
		return nil
	}
	return one(true, "quorum.device", fmt.Sprintf("a failure may freeze the cluster for %s, of which %s for the quorum device's answer; %s are certain before nodes reset",
		all.Round(100*time.Millisecond), q.Device.SyncTimeout, fenceCertain), nil)
}

func qdeviceMasterWins(in *Input) []found {
	const key = "quorum.device.master_wins"
	v, ok := in.Config.Values[key]
	if !ok {
		return nil
	}
	return one(false, key, fmt.Sprintf("master_wins is %s, and nothing reads it", v.Text), nil)
}
