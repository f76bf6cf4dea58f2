package corosync

import (
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// Status is what a running Corosync daemon says of itself at one instant. Fields are valid only as far as Daemon and the
// Known flags say; it is a value, never changed after it was made.
type Status struct {
	At       time.Time // when the newest part of it was read
	Daemon   Daemon
	Reason   string    // why Daemon is what it is, for people: the tool's own words
	Since    time.Time // when Daemon last changed, as far as was seen
	Software string    // corosync version, "" if unknown
	Libknet  string    // version of the installed libknet, such as 1.25-1; "" if unknown
	LocalID  uint32
	RingID   RingID
	Members  []Member     // ascending by ID; joined and left ones
	Quorum   QuorumStatus // votequorum's view
	Links    []LinkStatus // per peer and link
	LinksAt  time.Time    // when Links were read; zero: At
	TokenAt  TokenEvents  // when Corosync last complained about its token, as its log said
	LogSince time.Time    // since when that log has been followed, with lines in it; zero: it is not, so that silence says nothing
	SRP      SRPStats     // totemsrp counters
	Runtime  Runtime      // effective values as the daemon runs them
	Stalls   []Stall      // newest first: when Corosync's own process got no CPU; at most ten
	Stale    bool         // nothing answered for longer than the polling period: the values are old
}

// Stall is one time in which Corosync's main loop was not scheduled (stats.schedmiss).
type Stall struct {
	At  time.Time // its end
	For time.Duration
}

// TokenEvents are the newest log lines about the token; zero: none seen since the agent began to follow the log.
type TokenEvents struct {
	Warned time.Time // "Token has not been received in N ms"
	Lost   time.Time // "A processor failed, forming new configuration: token timed out"
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
	JoinsSent            uint64 // memb_join_tx
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
	Values   Map                        // runtime.config.*, runtime.votequorum.*, and the daemon's copy of the file (totem.*, nodelist.*, quorum.*, ...), raw
	Drift    []Problem                  // running values that differ from what the file would give
}
