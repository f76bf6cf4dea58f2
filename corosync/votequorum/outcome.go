package votequorum

import (
	"fmt"
	"slices"
)

// Result is votequorum's answer on one node.
type Result struct {
	Quorate  bool
	Votes    int    // present, the device's included if it votes here
	Needed   int    // the threshold
	Expected int    // expected votes
	Device   bool   // the quorum device's vote is among Votes
	Decisive bool   // the quorum device's server decides: without its vote the answer would be another (Outcome, Split)
	Chance   bool   // the order in which the nodes heard of each other decides: in another, this may be different (Cluster)
	Reason   string // why, for people
}

// Outcome tells whether partition stays quorate when the membership shrinks to it. device: the quorum device gives its vote
// to this partition. c is taken as Effective returns it.
//
// It is a formula for recalculate_quorum, calculate_quorum and are_we_quorate with allow_decrease 0, as votequorum_sync_activate
// calls them.
func (c Config) Outcome(h History, partition []uint32, device bool) Result {
	device = device && c.Device != nil
	return c.answer(moment{h: h, members: partition, device: device, master: device})
}

// answer is decide, and whether the device was decisive.
func (c Config) answer(m moment) Result {
	r := c.decide(m)
	if c.Device != nil {
		m.device, m.master = !m.device, !m.device
		r.Decisive = c.decide(m).Quorate != r.Quorate
	}
	return r
}

// moment is a recalculation: what one daemon knows as it counts.
type moment struct {
	h       History
	members []uint32
	device  bool // the device votes on this node
	master  bool // the device votes on some member
}

func (c Config) decide(m moment) Result {
	r := Result{Device: m.device, Votes: c.votes(m.members)}
	voters := len(m.members)
	present := r.Votes + c.DeviceVotes() // get_total_votes counts the device even when it does not vote
	if m.device {
		r.Votes, voters = present, voters+1
	}
	if c.Provider == "" {
		r.Quorate, r.Reason = true, withoutProvider
		return r
	}
	r.Expected = m.h.Expected
	if r.Expected == 0 {
		r.Expected = max(c.Expected(), c.nodeSum()+c.DeviceVotes())
	}
	r.Expected = max(r.Expected, present)
	r.Needed = c.threshold(m.h, r, voters)

	switch {
	case len(m.members) == 0:
		r.Reason = "no nodes"
	case c.WaitForAll && m.h.Waiting && r.Votes != r.Expected: // are_we_quorate compares for equality
		r.Reason = r.waits()
	case r.Votes >= r.Needed:
		r.Quorate, r.Reason = true, r.byVotes(c.TwoNode && voters <= 2)
	case c.tieBroken(m, r):
		r.Quorate, r.Reason = true, r.byTieBreaker()
	case m.master && c.Device.MasterWins: // check_qdevice_master
		r.Quorate, r.Reason = true, byMaster
	default:
		r.Reason = r.byVotes(false)
	}
	return r
}

const (
	withoutProvider = "no quorum provider: every partition goes on"
	byMaster        = "the quorum device's master wins"
)

func (r Result) waits() string {
	return fmt.Sprintf("waits for all %d votes, %d present", r.Expected, r.Votes)
}

func (r Result) byTieBreaker() string {
	return fmt.Sprintf("half of %d votes, and auto_tie_breaker decides for this side", r.Expected)
}

func (r Result) byVotes(two bool) string {
	if two {
		return "two_node: one node is enough"
	}
	return fmt.Sprintf("%d of %d votes, %d needed", r.Votes, r.Expected, r.Needed)
}

// threshold is calculate_quorum with allow_decrease 0. The daemon keeps the result in a uint8_t (quorum), so sums above 255
// wrap; so does this.
func (c Config) threshold(h History, r Result, voters int) int {
	if c.TwoNode && voters <= 2 {
		return 1
	}
	return int(uint8(max((r.Expected+2)/2, (r.Votes+2)/2, h.Quorum)))
}

// tieBroken is the auto_tie_breaker clause of are_we_quorate with check_auto_tie_breaker.
func (c Config) tieBroken(m moment, r Result) bool {
	previous := c.members(m.h)
	if !c.AutoTieBreaker || r.Votes != r.Expected/2 || len(previous)-len(m.members) >= r.Needed {
		return false
	}
	if list := c.tieBreakers(); len(list) > 0 {
		for _, n := range list {
			if slices.Contains(m.members, n) {
				return true
			}
			if slices.Contains(previous, n) {
				return false // it may live on the other side
			}
		}
		return false
	}
	counted := c.counted(m.h)
	switch {
	case len(counted) == 0:
		return false // this daemon never saw a quorum, so it knows of no lowest and highest node
	case c.AutoTieBreakerNode == "highest":
		return slices.Contains(m.members, slices.Max(counted))
	}
	return slices.Contains(m.members, slices.Min(counted))
}
