package votequorum

import (
	"maps"
	"slices"
)

// daemon is the votequorum of one node, told literally: the variables and functions of exec/votequorum.c, changed by the messages that
// nodes send each other as a membership forms. Formulas are in outcome.go; the tests hold one against the other.
type daemon struct {
	cfg       Config
	id        uint32
	peers     map[uint32]peer // cluster_members_list, this node among them
	quorum    uint8
	quorate   bool     // cluster_is_quorate
	waiting   bool     // wait_for_all_status
	counted   []uint32 // the members when lowest_node_id and highest_node_id were taken; nil: never
	members   []uint32 // quorum_members
	previous  []uint32 // previous_quorum_members
	device    int      // qdevice->votes
	lms       bool     // last_man_standing, which a node of more than one vote switches off
	window    bool     // last_man_standing_timer_set
	evBarrier int      // ev_barrier
	tracked   int      // ev_tracking_barrier
	why       why      // of the last decision
}

// peer is a struct cluster_node.
type peer struct {
	state           peerState
	votes, expected int
	flags           flags
}

type peerState int

const (
	dead    peerState = iota // NODESTATE_DEAD
	member                   // NODESTATE_MEMBER
	leaving                  // NODESTATE_LEAVING
)

// flags are the NODE_FLAGS_ that decide something.
type flags struct{ quorate, leaving, waiting, first, vote, master bool }

// start is votequorum_exec_init_fn. tracked is what the node's ev_tracking file holds.
func (c Config) start(id uint32, tracked int) daemon {
	d := daemon{cfg: c, id: id, peers: map[uint32]peer{}, device: c.DeviceVotes(), lms: c.LastManStanding, waiting: c.WaitForAll, tracked: tracked}
	us := peer{state: member, votes: c.NodeVotes[id], expected: c.startExpected(tracked)}
	us.flags = flags{waiting: c.WaitForAll, first: true, master: c.Device != nil && c.Device.MasterWins}
	d.peers[id], d.evBarrier = us, us.expected
	d.recalculate(false, false)
	return d
}

func (d daemon) clone() daemon {
	d.peers = maps.Clone(d.peers)
	return d
}

func (d *daemon) us() peer { return d.peers[d.id] }

// edit changes this node's own entry.
func (d *daemon) edit(f func(*peer)) {
	us := d.peers[d.id]
	f(&us)
	d.peers[d.id] = us
}

func (d *daemon) setWaiting(on bool) { // update_wait_for_all_status
	d.waiting = on
	d.edit(func(us *peer) { us.flags.waiting = on })
}

// synchronize begins a new membership (votequorum_sync_init).
func (d *daemon) synchronize(members []uint32) {
	if len(members) > 1 {
		d.edit(func(us *peer) { us.flags.first = false })
	}
	left := false
	for _, m := range d.members {
		if p, known := d.peers[m]; !slices.Contains(members, m) {
			left = true
			if p.state = dead; known {
				d.peers[m] = p
			}
		}
	}
	enough := len(members) >= int(d.quorum) && left
	tie := len(members) <= int(d.quorum) && d.cfg.AutoTieBreaker && d.counted != nil && d.peers[slices.Min(d.counted)].state == member
	if d.lms && (enough || tie) {
		d.window = true
	}
	d.previous, d.members = d.members, members
}

// info is what votequorum_exec_send_nodeinfo tells the others.
func (d *daemon) info() peer { return d.us() }

// receive is message_handler_req_exec_votequorum_nodeinfo.
func (d *daemon) receive(from uint32, info peer) {
	old, known := d.peers[from]
	p := peer{state: member, votes: info.votes, expected: old.expected, flags: info.flags}
	if info.flags.leaving {
		p.state = leaving
	}
	d.peers[from] = p
	allow := info.flags.leaving
	if !d.quorate && info.flags.quorate {
		allow = true
		d.edit(func(us *peer) { us.expected = info.expected })
	}
	p = d.peers[from]
	p.expected = d.us().expected
	if info.flags.quorate || d.cfg.tracking() {
		p.expected = info.expected
	}
	d.peers[from] = p
	if p.votes > 1 {
		d.lms, d.window = false, false
	}
	if !known || from == d.id || p.flags.first || p != old {
		d.recalculate(allow, info.flags.leaving)
	}
	if told := d.peers[from].flags; d.cfg.WaitForAll && !told.waiting && told.quorate {
		d.setWaiting(false)
	}
}

// windowEnds is votequorum_last_man_standing_timer_fn.
func (d *daemon) windowEnds() {
	fires := d.window && d.quorate
	d.window = false
	if fires {
		d.recalculate(true, true)
	}
}
