package votequorum

import (
	"slices"
)

// why is the reason of a decision.
type why int

const (
	byVotes why = iota
	byTwo
	byTie
	byDevice
	byWaiting
)

// present counts the members that have told of themselves: their number, their votes, the highest votes that one of them expects.
func (d *daemon) present() (nodes, votes, highest int) {
	for _, p := range d.peers {
		if p.state == member {
			nodes++
			votes += p.votes
			highest = max(highest, p.expected)
		}
	}
	return nodes, votes, highest
}

// here are these members, ascending.
func (d *daemon) here() []uint32 {
	var nodes []uint32
	for n, p := range d.peers {
		if p.state == member {
			nodes = append(nodes, n)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// recalculate is recalculate_quorum: allow lets the threshold fall, byNodes sets expected votes to the count of nodes.
func (d *daemon) recalculate(allow, byNodes bool) {
	nodes, votes, _ := d.present()
	if votes+d.device > d.us().expected {
		d.edit(func(us *peer) { us.expected = votes + d.device })
	}
	if d.cfg.tracking() {
		d.tracked = max(d.tracked, d.us().expected)
	}
	fixed := 0
	if byNodes {
		fixed = nodes
		if d.device > 0 {
			fixed++
		}
	}
	d.quorum = d.threshold(allow, fixed)
	for n, p := range d.peers { // update_node_expected_votes
		if fixed > 0 && p.state == member {
			p.expected = fixed
			d.peers[n] = p
		}
	}
	d.decide(d.total())
}

// total counts the device's votes where it casts them.
func (d *daemon) total() int {
	_, votes, _ := d.present()
	if d.us().flags.vote {
		votes += d.device
	}
	return votes
}

// threshold is calculate_quorum; fixed is its max_expected.
func (d *daemon) threshold(allow bool, fixed int) uint8 {
	_, _, highest := d.present()
	if fixed > 0 {
		highest = fixed
		if d.cfg.AllowDownscale && allow {
			highest = max(d.evBarrier, fixed)
		}
	}
	q := max((highest+2)/2, (d.total()+2)/2)
	if !allow {
		q = max(q, int(d.quorum))
	}
	if d.cfg.TwoNode && d.voters() <= 2 {
		q = 1
	}
	return uint8(q)
}

// voters counts the members, and the device where it votes.
func (d *daemon) voters() int {
	nodes, _, _ := d.present()
	if d.us().flags.vote {
		nodes++
	}
	return nodes
}

// decide is are_we_quorate.
func (d *daemon) decide(total int) {
	if d.cfg.WaitForAll && d.waiting {
		if total != d.us().expected {
			d.why = byWaiting
			return
		}
		d.setWaiting(false)
	}
	d.quorate, d.why = total >= int(d.quorum), byVotes
	switch {
	case d.quorate:
		d.counted = d.here()
		if d.cfg.TwoNode && d.voters() <= 2 {
			d.why = byTwo
		}
	case d.tieBroken(total):
		d.quorate, d.why = true, byTie
	case d.masterWins():
		d.quorate, d.why = true, byDevice
	}
	d.edit(func(us *peer) { us.flags.quorate = d.quorate })
	if d.cfg.WaitForAll {
		d.setWaiting(!d.quorate)
	}
}

// tieBroken is the auto_tie_breaker clause of are_we_quorate, with check_auto_tie_breaker. Its list looks at the membership, lowest and
// highest at those that have told of themselves.
func (d *daemon) tieBroken(total int) bool {
	if !d.cfg.AutoTieBreaker || total != d.us().expected/2 || len(d.previous)-len(d.members) >= int(d.quorum) {
		return false
	}
	if list := d.cfg.tieBreakers(); len(list) > 0 {
		i := slices.IndexFunc(list, func(n uint32) bool { return slices.Contains(d.members, n) })
		return i >= 0 && !slices.ContainsFunc(list[:i], func(n uint32) bool { return slices.Contains(d.previous, n) })
	}
	if d.counted == nil {
		return false
	}
	if d.cfg.AutoTieBreakerNode == "highest" {
		return d.peers[slices.Max(d.counted)].state == member
	}
	return d.peers[slices.Min(d.counted)].state == member
}

// masterWins is check_qdevice_master.
func (d *daemon) masterWins() bool {
	return d.us().flags.master && slices.ContainsFunc(d.here(), func(n uint32) bool { return d.peers[n].flags.master && d.peers[n].flags.vote })
}

// result is what corosync-quorumtool shows.
func (d *daemon) result() Result {
	if d.cfg.Provider == "" {
		return Result{Quorate: true, Votes: d.total(), Reason: withoutProvider}
	}
	r := Result{Quorate: d.quorate, Votes: d.total(), Needed: int(d.quorum), Expected: d.us().expected, Device: d.us().flags.vote}
	switch d.why {
	case byTie:
		r.Reason = r.byTieBreaker()
	case byDevice:
		r.Reason = byMaster
	case byWaiting:
		r.Reason = r.waits()
	default:
		r.Reason = r.byVotes(d.why == byTwo)
	}
	return r
}

// alike tells whether other shows the same and goes on alike.
func (d *daemon) alike(other *daemon) bool {
	return d.quorate == other.quorate && d.quorum == other.quorum && d.waiting == other.waiting && d.us().expected == other.us().expected
}

// history is what a formula needs to go on from here.
func (d *daemon) history() History {
	h := History{
		Quorum: int(d.quorum), Expected: d.us().expected, Members: slices.Clone(d.members), Waiting: d.waiting, Lost: !d.quorate,
		Window: d.window, Counted: slices.Clone(d.counted),
	}
	if h.Counted == nil {
		h.Counted = []uint32{}
	}
	return h
}
