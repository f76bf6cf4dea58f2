// Package votequorum decides who stays quorate: pure functions from configuration, history and partition to votequorum's
// own answer. It is a leaf.
//
// The rules are those of Corosync 3.1, exec/votequorum.c, and of corosync-qdevice 3.0, qdevices/qnetd-algo-*.c; symbols named in
// comments are functions and variables of these files. DESIGN.md says what is covered, in how many cases the real daemons
// gave the same answer, and what is not claimed.
//
// There are two doors. [Config.Outcome], [Config.Split] and [Config.Spare] answer for a membership that shrinks, from the numbers
// that one daemon shows: what if this is lost now. [Cluster] follows all daemons and the quorum device's server through any
// sequence of memberships: splits, healing, restarts, orderly leaves, windows that pass, a server that is out of reach.
package votequorum

import "time"

// Config is the quorum{} section with the votes of the nodelist, as votequorum reads them.
type Config struct {
	Provider              string // corosync_votequorum, or "" for none: then every partition has quorum
	ExpectedVotes         int    // quorum.expected_votes; 0: sum of the nodes' votes
	NodeVotes             map[uint32]int
	TwoNode               bool
	WaitForAll            bool // effective: two_node implies it unless the key is written
	AutoTieBreaker        bool
	AutoTieBreakerNode    string // "lowest" (default), "highest" or a list of node ids
	LastManStanding       bool
	LastManStandingWindow time.Duration
	AllowDownscale        bool
	ExpectedVotesTracking bool
	Device                *Device // nil: no qdevice
}

// Device is quorum.device.
type Device struct {
	Model                string // net
	Votes                int    // quorum.device.votes; 0: sum of node votes - 1
	Algorithm            string // net.algorithm: ffsplit (also if empty), lms, 2nodelms, test
	TieBreaker           string // net.tie_breaker: lowest (also if empty), highest, or a node id
	ForgetActive         bool   // net.keep_active_partition_tie_breaker is off: a draw does not stay where the vote was
	Host                 string
	MasterWins           bool // corosync-qdevice runs with -S master_wins=on; no key of corosync.conf has that effect
	Timeout, SyncTimeout time.Duration
}
