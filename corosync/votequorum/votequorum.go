// Package votequorum decides who stays quorate: pure functions from configuration, history and partition to votequorum's
// own answer. It is a leaf.
//
// The rules are those of Corosync 3.1, exec/votequorum.c; symbols named in comments are functions and variables of that
// file. What it covers: expected votes, the sticky threshold, two_node, wait_for_all, auto_tie_breaker, and a quorum device
// as far as its vote is known. last_man_standing changes the answer only after its window has passed: see [Config.Window].
//
// What a quorum device decides is its server's business (corosync-qdevice, qnetd-algo-*.c); [Config.Split] assumes that
// every partition reaches that server, and marks each answer that hangs on it.
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
	Algorithm            string // net.algorithm: ffsplit, lms, 2nodelms, test
	TieBreaker           string // net.tie_breaker: lowest, highest, or a node id
	Host                 string
	MasterWins           bool
	Timeout, SyncTimeout time.Duration
}
