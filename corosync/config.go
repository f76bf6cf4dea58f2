package corosync

import (
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Config is a corosync.conf as Corosync itself would understand it.
type Config struct {
	File        string // where it was read, for messages
	Values      Map    // every key as Corosync's parser stores it in cmap (totem.*, nodelist.node.P.*, quorum.*, ...)
	ClusterName string // totem.cluster_name
	Version     uint64 // totem.config_version
	Transport   string // knet, udpu or udp
	LinkMode    string // passive, active or rr
	IPVersion   string // ipv4, ipv6, ipv4-6 or ipv6-4: how names in ringN_addr resolve
	Crypto      bool   // knet encrypts and authenticates
	KeyFile     string // totem.keyfile, default /etc/corosync/authkey
	DSCP        *int   // totem.ip_dscp; nil: knet's default TOS 0x10 (IPv4 only)
	NetMTU      int    // totem.knet_mtu; 0: discovered
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

// Problem is an error or a warning about one place of a file.
type Problem struct {
	File   string
	Line   int // 1-based; 0: the file as a whole
	Key    string
	Reason string
	Hint   string // what to do; may be empty
}

// Address is a resolved ring address.
type Address struct {
	Node uint32
	Link int
	Addr netip.Addr
}

// Status is what a running Corosync daemon says of itself at one instant. Fields are valid only as far as Daemon and the
// Known flags say; it is a value, never changed after it was made.
type Status struct {
	At       time.Time // when the newest part of it was read
	Daemon   Daemon
	Reason   string    // why Daemon is what it is, for people: the tool's own words
	Since    time.Time // when Daemon last changed, as far as was seen
	Software string    // corosync version, "" if unknown
	LocalID  uint32
	RingID   RingID
	Members  []Member     // ascending by ID; joined and left ones
	Quorum   QuorumStatus // votequorum's view
	Links    []LinkStatus // per peer and link
	SRP      SRPStats     // totemsrp counters
	Runtime  Runtime      // effective values as the daemon runs them
	Stale    bool         // nothing answered for longer than the polling period: the values are old
}

// Daemon is the state of the Corosync process.
type Daemon int

// The states of a daemon. Only Running makes the rest of a Status current.
const (
	DaemonUnknown Daemon = iota // not asked yet
	DaemonRunning
	DaemonStarting // process there, IPC not yet (or in sync: TRY_AGAIN)
	DaemonStopped  // installed, not running
	DaemonHanging  // a call did not return in its deadline
	DaemonAbsent   // no Corosync tools on this machine
	DaemonDenied   // not allowed to ask (needs root or a uidgid entry)
)

// RingID names a membership: the representative's nodeid and a sequence number. Logs print both parts in hexadecimal.
type RingID struct {
	Rep uint32
	Seq uint64
}

// Member is one entry of runtime.members.
type Member struct {
	ID            uint32
	Joined        bool // status joined (else left)
	JoinCount     uint32
	ConfigVersion uint64
	IP            string // as cmap prints it
}

// QuorumStatus is votequorum's view (corosync-quorumtool -s).
type QuorumStatus struct {
	Known           bool
	Provider        string
	Quorate         bool
	Expected        int
	HighestExpected int
	Total           int
	Quorum          int
	Flags           []string // Quorate, 2Node, WaitForAll, LastManStanding, AutoTieBreaker, AllowDownscale, Qdevice
	Votes           []MemberVotes
}

// MemberVotes is one row of quorumtool's membership table.
type MemberVotes struct {
	ID      uint32 // 0 for the qdevice itself
	Votes   int
	Qdevice string // e.g. "A,V,NMW"; "" without a qdevice
	Name    string
}

// LinkStatus is knet's view of one link to one peer (stats.knet.nodeN.linkL.*), seen from the local node.
type LinkStatus struct {
	Node       uint32
	Link       int
	Enabled    bool
	Connected  bool
	MTU        int
	DownCount  uint64
	UpCount    uint64
	TxPing     uint64
	RxPong     uint64
	TxErrors   uint64
	LatencyAvg time.Duration // knet's smoothed mean: cannot show jitter
}

// SRPStats are totemsrp's counters (stats.srp.*). They reset with the daemon.
type SRPStats struct {
	Known                bool
	OperationalTokenLost uint64
	GatherEntered        uint64
	CommitTokenLost      uint64
	ConsensusTimeouts    uint64
	McastRetx            uint64
	MessagesDropped      uint64
	TimeSinceToken       time.Duration // time_since_token_last_received
	MeanTokenInterval    time.Duration // mtt_rx_token
}

// Runtime are the daemon's effective values (runtime.config.totem.*).
type Runtime struct {
	Known    bool
	Timeouts totem.Timeouts
	Links    map[int]totem.LinkTimeouts // knet timers as cmap shows them
	Values   Map                        // runtime.config.*, raw
	Drift    []Problem                  // running values that differ from what the file would give
}
