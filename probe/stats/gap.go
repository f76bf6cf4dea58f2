package stats

import "time"

// A gap of the round trip begins when the first probe leaves that is not answered in time (overdue), and ends when an answer to
// it or to a newer one comes; the usual round trip and the reflector's residence are taken off. So a healthy path has none, a
// blackout of B reads B give or take one interval, and a stalled queue that delays everything by D reads D.

// openGap is the oldest probe that was not answered while nothing newer was.
type openGap struct {
	seq     uint32
	at      int64
	open    bool
	excused uint32 // probes after seq that a stall excuses
}

// waiting finds the oldest probe after the newest answered one that waits for its answer and is not excused.
func (p *Path) waiting() (at int64, ok bool) {
	if !p.begun {
		return 0, false
	}
	g := &p.gap
	if before(g.seq, p.newest.seq+1) {
		*g = openGap{seq: p.newest.seq + 1}
	}
	for !g.open && g.seq != p.next {
		r := p.lookup(g.seq)
		if r != nil && (r.fate == pending || r.fate == gone) {
			g.open, g.at = true, r.at
			break
		}
		if r != nil && r.fate != void && g.excused > 0 {
			g.excused--
		}
		g.seq++
	}
	return g.at, g.open
}

// ending is a reply that ends what may have been a gap.
type ending struct {
	start  int64         // when the oldest waiting probe left
	left   int64         // when the probe left that is answered
	t      int64         // when the reply came
	limit  time.Duration // what was overdue then
	before mark          // the newest answered probe before
	reply  Reply
}

// closeGap records the gap that a reply ends: from when the oldest waiting probe left until the reply came, less what does not
// count.
func (p *Path) closeGap(x *ending) {
	end := min(x.left+int64(max(x.reply.RTT, 0)), x.t)
	if time.Duration(end-x.start) <= x.limit {
		return
	}
	length := end - x.start - int64(p.rtt.smoothed) - p.stalled(x.start, end, x.reply.Seq)
	if length <= 0 {
		return
	}
	g := gap{start: x.start, end: end, round: length}
	g.forward, g.backward = p.direction(length, x)
	p.remember(g)
}

// direction splits a gap: by where its probes were lost or, if none was, by which way took longer than before.
func (p *Path) direction(length int64, x *ending) (forward, backward int64) {
	r := &x.reply
	if !x.before.known {
		return 0, 0
	}
	if missing := int64(r.Seq - x.before.seq - 1); missing > 0 {
		out, ok := lostOut(x.before, mark{seq: r.Seq, reflector: r.Reflector})
		if !ok {
			return 0, 0
		}
		forward = length * int64(out) / missing
		return forward, length - forward
	}
	if !r.Timed || !x.before.timed || !p.hasLatest {
		return 0, 0
	}
	more := r.RTT - p.latest
	moreOut := r.Outbound - x.before.outbound
	if moreOut < -overdueSlack || moreOut > more+overdueSlack {
		return 0, 0 // a clock was set in between
	}
	forward = min(max(int64(moreOut), 0), length)
	backward = min(max(int64(more-moreOut), 0), length)
	return forward, backward
}

// gap is one closed gap; the three lengths are net.
type gap struct {
	start, end               int64
	round, forward, backward int64
}

// recentGaps is how many closed gaps are kept apart, and for how long, before they go into the windows for good: a stall that
// explains them may be told a little later.
const (
	recentGaps   = 32
	recentGapAge = 12 * time.Second
)

// gapList holds the newest closed gaps, oldest first.
type gapList struct {
	n    int
	gaps [recentGaps]gap
}

// remember keeps a gap for a while.
func (p *Path) remember(g gap) {
	l := &p.gaps
	p.bury(g.end)
	if l.n == len(l.gaps) {
		p.store(l.gaps[0])
		l.remove(0)
	}
	l.gaps[l.n] = g
	l.n++
}

func (l *gapList) remove(i int) {
	copy(l.gaps[i:l.n], l.gaps[i+1:l.n])
	l.n--
}

// bury puts gaps into the windows that are too old to be explained away.
func (p *Path) bury(now int64) {
	l := &p.gaps
	for l.n > 0 && time.Duration(now-l.gaps[0].end) > recentGapAge {
		p.store(l.gaps[0])
		l.remove(0)
	}
}

// store puts a gap into the slots of its end.
func (p *Path) store(g gap) {
	for i := range p.levels {
		if s := p.levels[i].at(g.end); s != nil {
			s.round = max(s.round, g.round)
			s.forward = max(s.forward, g.forward)
			s.backward = max(s.backward, g.backward)
		}
	}
}

// reduce takes a stall off the gaps that it overlaps.
func (l *gapList) reduce(from, to int64) {
	for i := 0; i < l.n; i++ {
		g := &l.gaps[i]
		if cut := overlap(g.start, g.end, from, to); cut > 0 {
			g.round = max(g.round-cut, 0)
			g.forward = min(g.forward, g.round)
			g.backward = min(g.backward, g.round)
		}
	}
}

// forgive removes the gaps within a time that are no longer than the stall that a peer tells of.
func (l *gapList) forgive(from, to, longest int64) {
	for i := l.n - 1; i >= 0; i-- {
		g := l.gaps[i]
		if g.start >= from && g.end <= to && max(g.round, g.forward, g.backward) <= longest {
			l.remove(i)
		}
	}
}

// overlap is the length of what [a,b] and [c,d] have in common, at least 0.
func overlap(a, b, c, d int64) int64 { return max(min(b, d)-max(a, c), 0) }
