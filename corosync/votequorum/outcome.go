package votequorum

import (
	"fmt"
	"slices"
)

// History is what votequorum remembers when a membership changes. The zero value is a cluster in which every configured
// node is present and quorate.
type History struct {
	Quorum   int      // the present threshold: it never falls on a membership change
	Expected int      // present expected votes, as quorumtool shows them; 0: as configured
	Members  []uint32 // the membership before the change (previous_quorum_members); nil: all configured nodes
	Waiting  bool     // wait_for_all_status: no quorum until every vote is present
}

// Result is votequorum's answer for one partition.
type Result struct {
	Quorate  bool
	Votes    int    // present, the device's included if it votes here
	Needed   int    // the threshold
	Expected int    // expected votes
	Device   bool   // the quorum device's vote is among Votes
	Decisive bool   // the quorum device's server decides: without its vote the answer would be another
	Reason   string // why, for people
}

// Outcome tells whether partition stays quorate when the membership shrinks to it. device: the quorum device gives its vote
// to this partition. c is taken as Effective returns it.
//
// It follows recalculate_quorum, calculate_quorum and are_we_quorate with allow_decrease 0, as votequorum_sync_activate
// calls them.
func (c Config) Outcome(h History, partition []uint32, device bool) Result {
	r := c.decide(h, partition, device && c.Device != nil)
	if c.Device != nil {
		r.Decisive = c.decide(h, partition, !r.Device).Quorate != r.Quorate
	}
	return r
}

func (c Config) decide(h History, partition []uint32, device bool) Result {
	r := Result{Device: device, Votes: c.votes(partition)}
	voters := len(partition)
	present := r.Votes + c.DeviceVotes() // get_total_votes counts the device even when it does not vote
	if device {
		r.Votes, voters = present, voters+1
	}
	if c.Provider == "" {
		r.Quorate, r.Reason = true, "no quorum provider: every partition goes on"
		return r
	}
	r.Expected = h.Expected
	if r.Expected == 0 {
		r.Expected = c.Expected()
	}
	r.Expected = max(r.Expected, present)
	r.Needed = c.threshold(h, r, voters)

	switch {
	case len(partition) == 0:
		r.Reason = "no nodes"
	case c.WaitForAll && h.Waiting && r.Votes != r.Expected: // are_we_quorate compares for equality
		r.Reason = fmt.Sprintf("waits for all %d votes, %d present", r.Expected, r.Votes)
	case r.Votes >= r.Needed:
		r.Quorate, r.Reason = true, r.byVotes(c.TwoNode && voters <= 2)
	case c.tieBroken(h, r, partition):
		r.Quorate, r.Reason = true, fmt.Sprintf("half of %d votes, and auto_tie_breaker decides for this side", r.Expected)
	case device && c.Device.MasterWins: // check_qdevice_master
		r.Quorate, r.Reason = true, "the quorum device's master wins"
	default:
		r.Reason = r.byVotes(false)
	}
	return r
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
func (c Config) tieBroken(h History, r Result, partition []uint32) bool {
	previous := h.Members
	if previous == nil {
		previous = c.Nodes()
	}
	if !c.AutoTieBreaker || r.Votes != r.Expected/2 || len(previous)-len(partition) >= r.Needed || len(previous) == 0 {
		return false
	}
	if list := c.tieBreakers(); len(list) > 0 {
		for _, n := range list {
			if slices.Contains(partition, n) {
				return true
			}
			if slices.Contains(previous, n) {
				return false // it may live on the other side
			}
		}
		return false
	}
	if c.AutoTieBreakerNode == "highest" {
		return slices.Contains(partition, slices.Max(previous))
	}
	return slices.Contains(partition, slices.Min(previous))
}

// After is what votequorum remembers once the membership has shrunk to partition with result r.
func (c Config) After(h History, partition []uint32, r Result) History {
	h.Quorum, h.Expected, h.Members = r.Needed, r.Expected, slices.Clone(partition)
	if c.WaitForAll {
		h.Waiting = !r.Quorate
	}
	return h
}

// Window is what last_man_standing makes of h when a reduced but quorate membership has lasted for its window: expected
// votes and threshold fall to what is present (votequorum_last_man_standing_timer_fn, recalculate_quorum(1, 1)). Without
// last_man_standing h is returned as it is.
func (c Config) Window(h History) History {
	if !c.LastManStanding || len(h.Members) == 0 {
		return h
	}
	h.Expected = len(h.Members) // every node has one vote
	h.Quorum = h.Expected/2 + 1
	return h
}
