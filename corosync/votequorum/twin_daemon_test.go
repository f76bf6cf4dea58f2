package votequorum_test

import (
	"fmt"
	"slices"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// daemon is a slow, literal account of exec/votequorum.c: one per node, state kept in variables that bear its names,
// changed by messages. The package under test is compared with it.
type daemon struct {
	cfg       votequorum.Config
	us        *clusterNode
	nodes     map[uint32]*clusterNode
	quorum    uint8
	quorate   bool
	wfaStatus bool
	lowest    int64
	highest   int64
	members   []uint32 // quorum_members
	previous  []uint32 // previous_quorum_members
	qdevVotes uint     // qdevice->votes
	lms       bool
	lmsTimer  bool
	tracking  bool
	evBarrier uint
	file      uint // ev_tracking_barrier
}

type nodestate int

const (
	unknown nodestate = iota
	member
	dead
	leaving
)

type clusterNode struct {
	id              uint32
	state           nodestate
	votes, expected uint
	flags           flags
}

type flags struct{ quorate, leaving, wfa, first, castVote, masterWins bool }

type nodeinfo struct {
	from            uint32
	votes, expected uint
	flags           flags
}

// newDaemon is votequorum_exec_init_fn.
func newDaemon(us uint32, cfg votequorum.Config, file uint) *daemon {
	d := &daemon{cfg: cfg, nodes: map[uint32]*clusterNode{}, lowest: -1, highest: -1, lms: cfg.LastManStanding, file: file}
	d.tracking = cfg.ExpectedVotesTracking || cfg.AllowDownscale
	d.us = &clusterNode{id: us, state: member, votes: uint(cfg.NodeVotes[us]), flags: flags{first: true}}
	d.nodes[us] = d.us
	var nodeExpected uint
	for _, v := range cfg.NodeVotes {
		nodeExpected += uint(v)
	}
	expected := uint(cfg.ExpectedVotes)
	if cfg.Device != nil {
		d.qdevVotes = uint(cfg.Device.Votes)
		d.us.flags.masterWins = cfg.Device.MasterWins
		if cfg.Device.Votes == 0 && expected == 0 {
			d.qdevVotes = nodeExpected - 1
			nodeExpected += d.qdevVotes
		}
	}
	if d.tracking {
		expected = d.file
	}
	d.us.expected = nodeExpected
	if expected != 0 {
		d.us.expected = expected
	}
	d.evBarrier = d.us.expected
	if cfg.WaitForAll {
		d.setWFA(true)
	}
	d.recalculate(false, false)
	return d
}

func (d *daemon) setWFA(on bool) { d.wfaStatus, d.us.flags.wfa = on, on }

func (d *daemon) info() nodeinfo { return nodeinfo{d.us.id, d.us.votes, d.us.expected, d.us.flags} }

// syncInit is votequorum_sync_init.
func (d *daemon) syncInit(members []uint32) {
	if len(members) > 1 {
		d.us.flags.first = false
	}
	left := false
	for _, m := range d.members {
		if !slices.Contains(members, m) {
			left = true
			if n := d.nodes[m]; n != nil {
				n.state = dead
			}
		}
	}
	if d.lms {
		if len(members) >= int(d.quorum) && left || len(members) <= int(d.quorum) && d.cfg.AutoTieBreaker && d.has(d.lowest) {
			d.lmsTimer = true
		}
	}
	d.previous, d.members = d.members, members
}

func (d *daemon) has(id int64) bool {
	for _, n := range d.nodes {
		if n.state == member && int64(n.id) == id {
			return true
		}
	}
	return false
}

// receive is message_handler_req_exec_votequorum_nodeinfo.
func (d *daemon) receive(m nodeinfo) {
	n, isNew := d.nodes[m.from], false
	if n == nil {
		n, isNew = &clusterNode{id: m.from, state: dead}, true
		d.nodes[m.from] = n
	}
	old := *n
	if isNew {
		old = clusterNode{id: m.from, state: dead}
	}
	n.flags, n.votes, n.state = m.flags, m.votes, member
	allow, byNode := false, false
	if n.flags.leaving {
		n.state, allow, byNode = leaving, true, true
	}
	if !d.quorate && n.flags.quorate {
		allow = true
		d.us.expected = m.expected
	}
	if n.flags.quorate || d.tracking {
		n.expected = m.expected
	} else {
		n.expected = d.us.expected
	}
	if d.lms && n.votes > 1 {
		d.lms, d.lmsTimer = false, false
	}
	if isNew || n == d.us || n.flags.first || old != *n {
		d.recalculate(allow, byNode)
	}
	if d.cfg.WaitForAll && !n.flags.wfa && n.flags.quorate {
		d.setWFA(false)
	}
}

// recalculate is recalculate_quorum.
func (d *daemon) recalculate(allow, byNodes bool) {
	total, nodes := d.total()
	total += d.qdevVotes
	if d.qdevVotes > 0 {
		nodes++
	}
	if !byNodes {
		nodes = 0
	}
	if total > d.us.expected {
		d.us.expected = total
	}
	if d.tracking && d.us.expected > d.file {
		d.file = d.us.expected
	}
	total = d.calculate(allow, nodes)
	if nodes > 0 {
		for _, n := range d.nodes {
			if n.state == member {
				n.expected = nodes
			}
		}
	}
	d.areWeQuorate(total)
}

// total counts the votes and the nodes that are present.
func (d *daemon) total() (votes, nodes uint) {
	for _, n := range d.nodes {
		if n.state == member {
			votes += n.votes
			nodes++
		}
	}
	return votes, nodes
}

// calculate is calculate_quorum.
func (d *daemon) calculate(allow bool, maxExpected uint) uint {
	if d.cfg.AllowDownscale && allow && maxExpected > 0 {
		maxExpected = max(d.evBarrier, maxExpected)
	}
	var highest uint
	for _, n := range d.nodes {
		if n.state == member {
			highest = max(highest, n.expected)
		}
	}
	total, nodes := d.total()
	if d.us.flags.castVote {
		total += d.qdevVotes
		nodes++
	}
	if maxExpected > 0 {
		highest = maxExpected
	}
	q := max((highest+2)/2, (total+2)/2)
	if !allow {
		q = max(q, uint(d.quorum))
	}
	if d.cfg.TwoNode && nodes <= 2 {
		q = 1
	}
	d.quorum = uint8(q)
	return total
}

// areWeQuorate is are_we_quorate.
func (d *daemon) areWeQuorate(total uint) {
	if d.cfg.WaitForAll && d.wfaStatus {
		if total != d.us.expected {
			if d.quorate {
				panic("assert(!cluster_is_quorate)")
			}
			return
		}
		d.setWFA(false)
	}
	quorate := uint(d.quorum) <= total
	if quorate {
		d.lowest, d.highest = int64(d.us.id), int64(d.us.id)
		for _, n := range d.nodes {
			if n.state == member {
				d.lowest, d.highest = min(d.lowest, int64(n.id)), max(d.highest, int64(n.id))
			}
		}
	}
	if d.cfg.AutoTieBreaker && total == d.us.expected/2 &&
		len(d.previous)-len(d.members) < int(d.quorum) && d.tieBreaker() {
		quorate = true
	}
	if !quorate && d.cfg.Device != nil && d.cfg.Device.MasterWins && d.master() {
		quorate = true
	}
	d.quorate, d.us.flags.quorate = quorate, quorate
	if d.cfg.WaitForAll {
		d.setWFA(!quorate)
	}
}

// master is check_qdevice_master.
func (d *daemon) master() bool {
	for _, n := range d.nodes {
		if n.state == member && n.flags.masterWins && n.flags.castVote {
			return true
		}
	}
	return false
}

// tieBreaker is check_auto_tie_breaker.
func (d *daemon) tieBreaker() bool {
	switch d.cfg.AutoTieBreakerNode {
	case "", "lowest":
		return d.has(d.lowest)
	case "highest":
		return d.has(d.highest)
	}
	list := []uint32{2, 3} // the only list the test uses
	for i, id := range list {
		if slices.Contains(d.members, id) {
			return !slices.ContainsFunc(list[:i], func(e uint32) bool { return slices.Contains(d.previous, e) })
		}
	}
	return false
}

// window is votequorum_last_man_standing_timer_fn.
func (d *daemon) window() {
	fires := d.lmsTimer
	d.lmsTimer = false
	if fires && d.quorate {
		d.recalculate(true, true)
	}
}

// shown is what corosync-quorumtool would print.
func (d *daemon) shown() string {
	total, _ := d.total()
	if d.us.flags.castVote {
		total += d.qdevVotes
	}
	return fmt.Sprintf("quorate %v, votes %d of %d, quorum %d", d.quorate, total, d.us.expected, d.quorum)
}
