package corosync

import (
	"net/netip"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Config is a corosync.conf as Corosync itself would understand it.
type Config struct {
	File        string         // where it was read, for messages
	Values      Map            // every key as Corosync's parser stores it in cmap (totem.*, nodelist.node.P.*, quorum.*, ...)
	Lines       map[string]int // by key of Values: the line, 1-based, that gave it its value
	ClusterName string         // totem.cluster_name
	Version     uint64         // totem.config_version
	Transport   string         // knet, udpu or udp
	LinkMode    string         // passive, active or rr
	IPVersion   string         // ipv4, ipv6, ipv4-6 or ipv6-4: how names in ringN_addr resolve
	Crypto      bool           // knet encrypts and authenticates
	KeyFile     string         // totem.keyfile, default /etc/corosync/authkey
	DSCP        *int           // totem.ip_dscp; nil: knet's default TOS 0x10 (IPv4 only)
	NetMTU      int            // totem.knet_mtu; 0: discovered
	Totem       totem.Params
	Links       []Link // links that the nodes have, ascending; numbers may have holes
	Nodes       []Node // in nodelist order
	Quorum      votequorum.Config
	Warnings    []Problem // what Corosync accepts but warns about, or what it silently ignores and an operator would not expect
}

// Link is one knet link: the ringN_addr of all nodes and the interface{} section with that linknumber.
type Link struct {
	Number    int              // 0..7
	Transport string           // udp or sctp
	Port      uint16           // mcastport, default 5405 + Number
	Priority  int              // knet_link_priority: the higher is used first; default 1
	Params    totem.LinkParams // as written
}

// Node is one node{} of the nodelist.
type Node struct {
	Position int    // index in the nodelist: the P of nodelist.node.P
	ID       uint32 // nodeid
	Name     string
	Votes    int            // quorum_votes, default 1
	Addrs    map[int]string // by link number, as written: address or host name
}

// Timeouts are the effective timers that Corosync derives from this file.
func (c *Config) Timeouts() totem.Timeouts { return c.Totem.Timeouts() }

// Link returns the link with number n.
func (c *Config) Link(n int) (Link, bool) {
	for _, l := range c.Links {
		if l.Number == n {
			return l, true
		}
	}
	return Link{}, false
}

// Address is a resolved ring address.
type Address struct {
	Node uint32
	Link int
	Addr netip.Addr
}
