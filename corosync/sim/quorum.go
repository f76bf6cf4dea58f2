package sim

import (
	"slices"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// synchronized is the end of a freeze: votequorum has the votes of all members and decides.
func (n *node) synchronized() {
	before := n.result.Quorate
	n.decide()
	if n.result.Quorate != before {
		n.log("notice", "QUORUM", corosync.PrimaryComponent{Quorate: n.result.Quorate})
	}
	n.log("notice", "QUORUM", corosync.QuorumMembers{Nodes: n.decided})
	n.log("notice", "MAIN", corosync.SyncDone{})
}

// decide asks votequorum about the present members.
func (n *node) decide() {
	device := n.c.cfg.Device != nil && n.c.cfg.Device(n.present)
	if n.anyServed() {
		n.history.Waiting = false // votequorum_exec_nodeinfo: a quorate peer that does not wait clears the flag
	}
	n.result = n.c.votes.Outcome(n.history, n.present, device)
	n.history = n.c.votes.After(n.history, n.present, n.result)
	n.decided, n.ringOf = n.present, n.ring
}

// anyServed tells whether a member has quorum and does not wait for all.
func (n *node) anyServed() bool {
	return slices.ContainsFunc(n.c.nodes, func(m *node) bool {
		return slices.Contains(n.present, m.id) && m.result.Quorate && !m.history.Waiting
	})
}

// flags are those of corosync-quorumtool, in its order (tools/corosync-quorumtool.c display_quorum_data).
func (n *node) flags() []string {
	v := n.c.votes
	flags := []string{}
	add := func(name string, on bool) {
		if on {
			flags = append(flags, name)
		}
	}
	add("2Node", v.TwoNode)
	add("Quorate", n.result.Quorate)
	add("WaitForAll", v.WaitForAll)
	add("LastManStanding", v.LastManStanding)
	add("AutoTieBreaker", v.AutoTieBreaker)
	add("AllowDownscale", v.AllowDownscale)
	add("Qdevice", v.Device != nil)
	return flags
}

// quorumStatus is what corosync-quorumtool -s would print: of the membership that votequorum decided about.
func (n *node) quorumStatus() corosync.QuorumStatus {
	v := n.c.votes
	q := corosync.QuorumStatus{
		Known: len(n.decided) > 0, Provider: v.Provider, Quorate: n.result.Quorate,
		Expected: n.result.Expected, HighestExpected: n.result.Expected, Total: n.result.Votes, Quorum: n.result.Needed,
		Flags: n.flags(),
	}
	qdevice := ""
	if v.Device != nil {
		qdevice = "A,NV,NMW"
		if n.result.Device {
			qdevice = "A,V,NMW"
		}
	}
	for _, m := range n.c.nodes {
		if slices.Contains(n.decided, m.id) {
			q.Votes = append(q.Votes, corosync.MemberVotes{ID: m.id, Votes: v.NodeVotes[m.id], Qdevice: qdevice, Name: m.name})
		}
	}
	if v.Device != nil {
		row := corosync.MemberVotes{Name: "Qdevice"}
		if n.result.Device {
			row.Votes = v.DeviceVotes()
		}
		q.Votes = append(q.Votes, row)
	}
	return q
}
