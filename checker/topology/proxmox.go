package topology

import (
	"fmt"
	"slices"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// proxmox compares what Proxmox VE knows with file and daemon. Membership and quorum are compared only where both are this node's own.
func (m *merger) proxmox() {
	p := &m.in.Proxmox
	m.proxmoxVersion(p)
	if !p.Known(proxmox.PartMembers) || p.Standalone != proxmox.No {
		return
	}
	m.proxmoxNodes(p)
	if local, ok := m.c.Node(m.c.Local); !ok || p.View != local.Name || !m.current {
		return
	}
	m.proxmoxMembers(p)
	m.proxmoxQuorum(p)
}

// proxmoxVersion: pmxcfs writes its corosync.conf over Corosync's as soon as it is newer (pmxcfs dcdb.c), so that they differ for a moment only.
// With one version and two contents somebody has edited one of them: pmxcfs leaves that alone, and the other nodes never hear of it.
func (m *merger) proxmoxVersion(p *proxmox.Snapshot) {
	theirs, mine := p.Conf.Version, m.c.ConfigVersion
	if !p.Known(proxmox.PartConf) || theirs == 0 || mine == 0 {
		return
	}
	if theirs != mine {
		m.report(Disagreement{ProxmoxConfig, "corosync.conf", fmt.Sprintf("/etc/pve/corosync.conf has config_version %d, the file that Corosync reads here %d", theirs, mine), true})
		return
	}
	if p.Conf.Digest != "" && m.in.Digest != "" && p.Conf.Digest != m.in.Digest {
		m.report(Disagreement{ProxmoxConfig, "corosync.conf",
			fmt.Sprintf("/etc/pve/corosync.conf and the file that Corosync reads here have different contents under one config_version, %d: one was edited", mine), true})
	}
}

func (m *merger) proxmoxNodes(p *proxmox.Snapshot) {
	if m.in.Config == nil {
		return
	}
	for _, n := range p.Nodes {
		if !slices.ContainsFunc(m.c.Nodes, func(c Node) bool { return c.Name == n.Name || n.ID != 0 && c.ID == n.ID }) {
			m.report(Disagreement{ProxmoxNodes, n.Name, fmt.Sprintf("Proxmox VE has a node %s, which the nodelist of %s has not", n.Name, m.in.Config.File), true})
		}
		if i := slices.IndexFunc(m.c.Nodes, func(c Node) bool { return n.ID != 0 && c.ID == n.ID && c.Name != n.Name }); i >= 0 {
			m.report(Disagreement{ProxmoxNodes, n.Name, fmt.Sprintf("node %d is %s to Proxmox VE and %s in the nodelist", n.ID, n.Name, m.c.Nodes[i].Name), true})
		}
	}
	for _, c := range m.c.Nodes {
		if !slices.ContainsFunc(m.in.Config.Nodes, func(n corosync.Node) bool { return n.ID == c.ID }) {
			continue // the daemon's own
		}
		if _, ok := p.Node(c.Name); !ok && !slices.ContainsFunc(p.Nodes, func(n proxmox.Node) bool { return n.ID == c.ID }) {
			m.report(Disagreement{ProxmoxNodes, c.Name, fmt.Sprintf("the nodelist has %s, which Proxmox VE does not know", c.Name), true})
		}
	}
}

// proxmoxMembers: who is in Corosync's ring and not in pmxcfs' group has a pmxcfs that is down or stuck.
func (m *merger) proxmoxMembers(p *proxmox.Snapshot) {
	for _, s := range m.in.Status.Members {
		n, ok := p.Node(m.nodeName(s.ID))
		if ok && s.Joined && n.Online == proxmox.No {
			m.report(Disagreement{ProxmoxMembers, n.Name, fmt.Sprintf("Corosync has %s in its ring, and pmxcfs does not reach it: is pve-cluster running there?", n.Name), true})
		}
	}
}

func (m *merger) proxmoxQuorum(p *proxmox.Snapshot) {
	q := m.in.Status.Quorum
	if !p.Known(proxmox.PartQuorum) || !q.Known {
		return
	}
	word := map[bool]string{true: "quorum", false: "no quorum"}
	if real := proxmox.TriOf(q.Quorate); p.Quorate != proxmox.Unknown && p.Quorate != real {
		m.report(Disagreement{ProxmoxQuorum, "quorum", fmt.Sprintf("votequorum says %s, pmxcfs says %s: /etc/pve is written by what pmxcfs says", word[q.Quorate], word[!q.Quorate]), true})
	}
	if p.StatusQuorate != proxmox.Unknown && p.Quorate != proxmox.Unknown && p.StatusQuorate != p.Quorate {
		m.report(Disagreement{ProxmoxStatus, "quorum", fmt.Sprintf("GET /cluster/status says %s, which is not so: what other tools show of it is wrong", word[p.StatusQuorate == proxmox.Yes]), false})
	}
}
