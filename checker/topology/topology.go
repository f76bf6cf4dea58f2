// Package topology makes one Cluster out of what corosync.conf, the running Corosync and the peers' agents say, and tells
// where they disagree. It is pure.
//
// Who wins: the running daemon over the file for timers and for who the local node is, because it is the daemon that loses
// the token; the file for nodes, names, links and votes, because the daemon read it from there. A node that only the daemon
// knows is kept, without addresses.
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
	Local         uint32         // nodeid of the node this agent runs on; 0: not known
	Nodes         []Node         // ascending by ID
	Links         []Link         // ascending by Number
	Sites         []Site         // by the lowest id of their nodes; empty: there is one place, or nobody knows
	Timeouts      totem.Timeouts // as the daemon runs them, else as the file gives them
	TimeoutsFrom  string         // "runtime", "corosync.conf" or "" (unknown)
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
	for i := range c.Nodes {
		if c.Nodes[i].ID == id {
			return c.Nodes[i], true
		}
	}
	return Node{}, false
}

// Link returns the link with that number.
func (c Cluster) Link(number int) (Link, bool) {
	for i := range c.Links {
		if c.Links[i].Number == number {
			return c.Links[i], true
		}
	}
	return Link{}, false
}

// Disagreement is something that the sources of a Cluster do not agree on, or that makes the account doubtful.
type Disagreement struct {
	Code    Code
	Subject string // node name, key or "cluster"
	Text    string // one line for people
	Serious bool   // more than lint: the cluster may not behave as its file says
}

// Code names a kind of disagreement.
type Code string

// The kinds of disagreements.
const (
	LocalUnknown      Code = "local-unknown"      // this host is no node of the nodelist
	MemberUnknown     Code = "member-unknown"     // Corosync has a member that the nodelist has not
	RuntimeDrift      Code = "runtime-drift"      // a running value is not what the file gives
	ConfigVersion     Code = "config-version"     // config_version differs between nodes, or from the file
	TokenDiffers      Code = "token-differs"      // the nodes run different effective tokens
	ExpectedVotes     Code = "expected-votes"     // votequorum expects other votes than the file gives
	NodeVotes         Code = "node-votes"         // a member has other votes than the file gives
	QuorumOptions     Code = "quorum-options"     // quorum options that exclude each other
	AddressUnresolved Code = "address-unresolved" // a ring address does not resolve
	AddressDuplicate  Code = "address-duplicate"  // two nodes or links share an address
	ProxmoxConfig     Code = "proxmox-config"     // /etc/pve/corosync.conf has another config_version than the file here
	ProxmoxNodes      Code = "proxmox-nodes"      // Proxmox VE has other nodes than the nodelist
	ProxmoxMembers    Code = "proxmox-members"    // a member of Corosync's ring that pmxcfs does not reach
	ProxmoxQuorum     Code = "proxmox-quorum"     // pmxcfs and votequorum say different things of quorum
	ProxmoxStatus     Code = "proxmox-status"     // GET /cluster/status says what is not so
	AddressNotLocal   Code = "address-not-local"  // the local node's ring address is on none of this host's interfaces
)
