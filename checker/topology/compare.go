package topology

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// votes compares votequorum's numbers with the file's.
func (m *merger) votes() {
	q := m.in.Status.Quorum
	if !m.current || !q.Known || m.in.Config == nil || len(m.c.Quorum.NodeVotes) == 0 {
		return
	}
	want := m.c.Quorum.Expected()
	if withoutDevice := want - m.c.Quorum.DeviceVotes(); q.Expected != 0 && q.Expected != want && q.Expected != withoutDevice {
		m.report(Disagreement{ExpectedVotes, "quorum", fmt.Sprintf("votequorum expects %d votes, the file gives %d (somebody ran `pvecm expected` or `corosync-quorumtool -e`?)", q.Expected, want), true})
	}
	for _, v := range q.Votes {
		if configured, ok := m.c.Quorum.NodeVotes[v.ID]; ok && v.ID != 0 && configured != v.Votes {
			m.report(Disagreement{NodeVotes, m.nodeName(v.ID), fmt.Sprintf("%s has %d votes in the running cluster, %d in the file", m.nodeName(v.ID), v.Votes, configured), true})
		}
	}
}

// versions compares config_version among the file, the daemons and the peers' files.
func (m *merger) versions() {
	mine := m.c.ConfigVersion
	if mine == 0 {
		return
	}
	said := map[uint32]uint64{}
	if m.current {
		for _, s := range m.in.Status.Members {
			if s.Joined && s.ConfigVersion != 0 {
				said[s.ID] = s.ConfigVersion
			}
		}
	}
	for _, v := range m.in.Views {
		if v.ConfigVersion != 0 {
			said[v.Node] = v.ConfigVersion
		}
	}
	for _, n := range m.c.Nodes {
		if v, ok := said[n.ID]; ok && v != mine {
			m.report(Disagreement{ConfigVersion, n.Name, fmt.Sprintf("%s has config_version %d, the file here %d", n.Name, v, mine), true})
		}
	}
}

// tokens compares the effective tokens of the nodes: with different ones, the shortest loses first.
func (m *merger) tokens() {
	if m.c.TimeoutsFrom != "runtime" {
		return
	}
	views := slices.Clone(m.in.Views)
	slices.SortFunc(views, func(a, b mesh.View) int { return cmp.Compare(a.Node, b.Node) })
	for _, v := range views {
		if v.Corosync && v.Token != 0 && v.Token != m.c.Timeouts.Token {
			m.report(Disagreement{TokenDiffers, m.nodeName(v.Node), fmt.Sprintf("%s runs with a token timeout of %v, this node with %v", m.nodeName(v.Node), v.Token, m.c.Timeouts.Token), true})
		}
	}
}

func (m *merger) nodeName(id uint32) string {
	if n, ok := m.c.Node(id); ok {
		return n.Name
	}
	return fmt.Sprintf("node %d", id)
}
