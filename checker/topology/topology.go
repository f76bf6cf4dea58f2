// Package topology makes one Cluster out of what corosync.conf, the running Corosync, Proxmox and the probes say. It is pure.
package topology

import (
	"net/netip"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Cluster is the one account of the cluster that everything else is judged on. It is a value.
type Cluster struct {
	Name          string
	ConfigVersion uint64
	Local         uint32         // nodeid of the node this agent runs on
	Nodes         []Node         // ascending by ID
	Links         []Link         // ascending by Number
	Timeouts      totem.Timeouts // as the daemon runs them, else as the file gives them
	TimeoutsFrom  string         // "runtime" or "corosync.conf"
	Quorum        votequorum.Config
}

// Node is one configured node.
type Node struct {
	ID    uint32
	Name  string
	Votes int
	Site  string             // "" if unknown
	Addrs map[int]netip.Addr // resolved ring addresses by link
}

// Link is one knet link with its effective timers.
type Link struct {
	Number   int
	Port     uint16
	Priority int
	Timers   totem.LinkTimeouts
}

// Node returns the node with that id.
func (c Cluster) Node(id uint32) (Node, bool) {
	for _, n := range c.Nodes {
		if n.ID == id {
			return n, true
		}
	}
	return Node{}, false
}

// Disagreement is something that the sources of a Cluster do not agree on, or that makes the account doubtful.
type Disagreement struct {
	Code    Code
	Subject string // node, key or "cluster"
	Text    string // one line for people
	Serious bool   // more than lint: the cluster may not behave as its file says
}

// Code names a kind of disagreement.
type Code string
