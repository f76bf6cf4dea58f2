package stats

import "time"

// pause is a stall of this host.
type pause struct {
	from, to int64
	next     uint32 // the first probe sent after it
}

// recentPauses is how many stalls are remembered.
const recentPauses = 8

type pauseList struct {
	n      int
	pauses [recentPauses]pause
}

func (l *pauseList) add(x pause) {
	if l.n == len(l.pauses) {
		copy(l.pauses[:], l.pauses[1:])
		l.n--
	}
	l.pauses[l.n] = x
	l.n++
}

// HostPause tells that this host did not run from one instant to another. Probes whose sending or whose reply's reading may have
// fallen into that time count as received when their reply shows up, and else as HostPaused, never as lost; the time is taken
// off the gaps, unless a probe sent after the stall goes unanswered too.
func (p *Path) HostPause(from, to time.Time) {
	a, b := p.since(from), p.since(to)
	if b <= a || !p.begun {
		return
	}
	reach := int64(p.overdue())
	x := pause{from: a, to: b, next: p.next}
	for seq := p.oldest(); seq != p.next; seq++ {
		r := p.record(seq)
		if r.at > b {
			x.next = seq
			break
		}
		if r.at+reach >= a {
			p.excuse(r)
		}
	}
	p.full.excuse(a-reach, b)
	p.pauses.add(x)
	p.gaps.reduce(a, b)
	p.reopen()
}

// Bounds of what a peer's stall explains.
const (
	// In a stall shorter than leastPeerPause packets waited in the peer's socket buffer, and what is lost meanwhile is the network's.
	leastPeerPause = 200 * time.Millisecond
	// A peer that is away for longer than mostPeerPause is away, whatever it says of it.
	mostPeerPause = 5 * time.Second
	// peerPauseSlack is how exactly it must be known when the stall was.
	peerPauseSlack = 2 * time.Second
)

// PeerPause tells that the peer said it had stalled, for longest at most, at some time between two instants. Runs of lost probes
// in that time that are no longer than such a stall count as HostPaused, and their gaps don't count: its machine may have been
// frozen. A peer whose process stalled while its kernel ran needs no such excuse, its residence is taken off already; so
// stalls below 200 ms are ignored. Of longer ones 5 s count, and of the time between the instants the last 7 s.
func (p *Path) PeerPause(from, to time.Time, longest time.Duration) {
	if longest < leastPeerPause || !p.begun {
		return
	}
	longest = min(longest, mostPeerPause)
	overdue := p.overdue()
	b := p.since(to)
	a := max(p.since(from), b-int64(mostPeerPause+peerPauseSlack)) - int64(overdue)
	reach := int64(longest + overdue)
	for seq := p.oldest(); seq != p.next; {
		first := seq
		for seq != p.next && p.record(seq).fate == gone {
			seq++
		}
		if seq == first {
			seq++
			continue
		}
		head, tail := p.record(first).at, p.record(seq-1).at
		if head >= a && tail <= b && tail-head <= reach {
			for ; first != seq; first++ {
				p.excuse(p.record(first))
			}
		}
	}
	p.gaps.forgive(a, b+int64(p.cfg.Interval+overdue), reach) // a gap ends with the answer to the next probe
	p.reopen()
}

// oldest is the first sequence number that the ring still holds.
func (p *Path) oldest() uint32 { return p.next - uint32(len(p.ring)) }

// excuse marks a probe that does not count if it stays without an answer.
func (p *Path) excuse(r *record) {
	switch r.fate {
	case pending:
		r.fate = shielded
	case gone:
		in := p.inRun(r)
		p.restore(r, false)
		r.fate = excused
		p.count(r.at, paused, 1)
		if in {
			p.run.excused++
		}
	}
}

// reopen looks anew for the probe that the present gap begins with.
func (p *Path) reopen() {
	g := &p.gap
	if g.open && p.lookup(g.seq) == nil {
		return // older than anything remembered: no stall of late explains it
	}
	g.open, g.excused = false, 0
	if _, ok := p.waiting(); !ok {
		return
	}
	for seq := g.seq + 1; seq != p.next; seq++ {
		if f := p.record(seq).fate; f == shielded || f == excused {
			g.excused++
		}
	}
}

// stalled is how much of a time without answers this host's own stalls explain. One after which a probe went unanswered too (not
// the one numbered except, whose answer is here) explains nothing: the network was away before and after it.
func (p *Path) stalled(start, end int64, except uint32) int64 {
	var sum int64
	for _, x := range p.pauses.pauses[:p.pauses.n] {
		cut := overlap(start, end, x.from, x.to)
		if cut > 0 && !p.awayAfter(x, end, except) {
			sum += cut
		}
	}
	return sum
}

// awayAfter says whether the first probe sent after a stall is overdue at an instant.
func (p *Path) awayAfter(x pause, at int64, except uint32) bool {
	if x.next == except || x.next == p.next {
		return false
	}
	r := p.lookup(x.next)
	if r == nil {
		return true
	}
	return (r.fate == pending || r.fate == gone) && time.Duration(at-r.at) > p.overdue()
}
