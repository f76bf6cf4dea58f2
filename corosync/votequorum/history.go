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
	Barrier  int      // ev_tracking_barrier, the highest expected votes ever; it survives a restart
	Floor    int      // ev_barrier, below which allow_downscale does not go; 0: as configured
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

// tracking tells whether the highest expected votes are kept in a file: allow_downscale switches that on.
func (c Config) tracking() bool { return c.ExpectedVotesTracking || c.AllowDownscale }

// startExpected is us->expected_votes as votequorum_readconfig leaves it: the device counts only if its votes are derived. With
// tracking, what the file says takes the place of quorum.expected_votes, even if it says nothing.
func (c Config) startExpected(barrier int) int {
	expected := c.ExpectedVotes
	if c.tracking() {
		expected = barrier
	}
	if expected > 0 {
		return expected
	}
	if c.Device != nil && c.Device.Votes == 0 {
		return c.nodeSum() + c.DeviceVotes()
	}
	return c.nodeSum()
}

// boot is a daemon that has just read its configuration (votequorum_exec_init_fn). barrier is what its file holds.
func (c Config) boot(node uint32, barrier int) History {
	h := History{
		Expected: c.startExpected(barrier), Members: []uint32{}, Counted: []uint32{},
		Waiting: c.WaitForAll, Lost: true, Barrier: barrier,
	}
	h.Floor = h.Expected
	r := c.decide(moment{h: h, members: []uint32{node}})
	h = c.settle(h, []uint32{node}, r)
	return h
}

// After is what votequorum remembers once the membership has shrunk to partition with result r.
func (c Config) After(h History, partition []uint32, r Result) History {
	if c.LastManStanding && c.windowBegins(h, partition) {
		h.Window = true
	}
	h = c.settle(h, partition, r)
	h.Members = slices.Clone(partition)
	return h
}

// settle takes over what a recalculation has found (recalculate_quorum, are_we_quorate).
func (c Config) settle(h History, present []uint32, r Result) History {
	h.Counted = c.counted(h)
	if r.Quorate && r.Votes >= r.Needed {
		h.Counted = slices.Clone(present)
	}
	h.Quorum, h.Expected, h.Lost = r.Needed, r.Expected, !r.Quorate
	if c.WaitForAll {
		h.Waiting = !r.Quorate
	}
	if c.tracking() {
		h.Barrier = max(h.Barrier, h.Expected)
	}
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
		quorum = c.whole().Needed
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
	return c.settle(h, c.members(h), c.fall(h, c.members(h)))
}

// fall is recalculate_quorum(1, 1): expected votes become the number of nodes, the threshold follows.
func (c Config) fall(h History, present []uint32) Result {
	nodes := len(present)
	h.Expected, h.Quorum = nodes, 0
	m := moment{h: h, members: present, fixed: nodes}
	if c.AllowDownscale {
		m.fixed = max(nodes, c.floor(h))
	}
	return c.decide(m)
}

func (c Config) floor(h History) int {
	if h.Floor == 0 {
		return c.startExpected(h.Barrier)
	}
	return h.Floor
}

// whole is the answer for all configured nodes with the device.
func (c Config) whole() Result {
	return c.decide(moment{members: c.Nodes(), device: c.Device != nil})
}
