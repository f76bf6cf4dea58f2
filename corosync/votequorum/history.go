package votequorum

import "slices"

// History is what the votequorum of one node remembers when a membership changes. The zero value is that of a cluster in which every
// configured node is present and quorate.
type History struct {
	Quorum   int      // the present threshold: it never falls on a membership change
	Expected int      // present expected votes, as quorumtool shows them; 0: as configured
	Members  []uint32 // the membership before the change (quorum_members); nil: all configured nodes
	Waiting  bool     // wait_for_all_status: no quorum until every vote is present
	Lost     bool     // it has no quorum (cluster_is_quorate is 0)
	Window   bool     // last_man_standing_timer runs
	Counted  []uint32 // the last membership that had quorum by its votes, whence lowest_node_id and highest_node_id; nil: Members
}

func (c Config) members(h History) []uint32 {
	if h.Members == nil {
		return c.Nodes()
	}
	return h.Members
}

func (c Config) counted(h History) []uint32 {
	if h.Counted == nil {
		return c.members(h)
	}
	return h.Counted
}

// After is what votequorum remembers once the membership has shrunk to partition with result r.
func (c Config) After(h History, partition []uint32, r Result) History {
	if c.LastManStanding && c.windowBegins(h, partition) {
		h.Window = true
	}
	h.Counted = c.counted(h)
	if r.Quorate && r.Votes >= r.Needed {
		h.Counted = slices.Clone(partition)
	}
	h.Quorum, h.Expected, h.Lost = r.Needed, r.Expected, !r.Quorate
	if c.WaitForAll {
		h.Waiting = !r.Quorate
	}
	h.Members = slices.Clone(partition)
	return h
}

// windowBegins tells whether a change to partition starts last_man_standing_window (votequorum_sync_init): somebody left and as many
// nodes as the threshold are left; or not more than that, with auto_tie_breaker, and the lowest node of the last membership that had
// quorum by votes is still here.
func (c Config) windowBegins(h History, partition []uint32) bool {
	before := c.members(h)
	left := slices.ContainsFunc(before, func(n uint32) bool { return !slices.Contains(partition, n) })
	quorum := h.Quorum
	if quorum == 0 {
		quorum = c.Outcome(History{}, c.Nodes(), c.Device != nil).Needed
	}
	if len(partition) >= quorum && left {
		return true
	}
	counted := c.counted(h)
	if len(partition) > quorum || !c.AutoTieBreaker || len(counted) == 0 {
		return false
	}
	lowest := slices.Min(counted)
	return slices.Contains(before, lowest) && slices.Contains(partition, lowest)
}

// Window is what last_man_standing makes of h when its window has passed (votequorum_last_man_standing_timer_fn,
// recalculate_quorum(1, 1)): if the membership still has quorum, expected votes and threshold fall to the count of its nodes. If the
// window was never begun, h is returned as it is.
func (c Config) Window(h History) History {
	if !h.Window {
		return h
	}
	h.Window = false
	if h.Lost {
		return h
	}
	h.Expected = len(h.Members) // every node has one vote
	h.Quorum = h.Expected/2 + 1
	if c.AllowDownscale {
		h.Quorum = max(h.Quorum, c.Expected()/2+1)
	}
	return h
}
