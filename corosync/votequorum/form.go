package votequorum

import "slices"

// form is what each member makes of a new membership: everybody tells everybody votes, expected votes and flags
// (message_handler_req_exec_votequorum_nodeinfo), then counts (votequorum_sync_activate). votes tells on whom the device votes.
func (c Config) form(before map[uint32]History, members []uint32, votes func(uint32) bool) map[uint32]Result {
	results := map[uint32]Result{}
	for _, n := range members {
		results[n] = c.answer(c.hear(before, members, n, votes))
	}
	return results
}

// hear is what node n knows when all have told. A node without quorum takes expected votes from one that has it, its own threshold
// may then fall (allow_downgrade), and it waits no longer if that one does not wait. Expected votes of nodes without quorum are not
// believed unless they are tracked.
func (c Config) hear(before map[uint32]History, members []uint32, n uint32, votes func(uint32) bool) moment {
	m := moment{h: before[n], members: members, device: votes(n), master: slices.ContainsFunc(members, votes)}
	for _, peer := range members {
		p := before[peer]
		told := c.expected(p)
		if !p.Lost || c.tracking() {
			m.highest = max(m.highest, told)
		}
		if p.Lost {
			continue
		}
		if before[n].Lost {
			m.h.Expected, m.h.Quorum = told, 0
		}
		m.h.Waiting = m.h.Waiting && p.Waiting
	}
	return m
}

// expected is what a daemon says that it expects.
func (c Config) expected(h History) int {
	if h.Expected == 0 {
		return c.whole().Expected
	}
	return h.Expected
}
