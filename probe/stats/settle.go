package stats

import "time"

// lostAfter is the age at which a probe is lost.
func (p *Path) lostAfter() time.Duration {
	return min(max(lostAfterRTTs*p.response.smoothed, lostAfterLeast), lostAfterMost)
}

// advance settles probes in the order of their numbers: a probe is settled when it was answered or is old enough to be lost.
func (p *Path) advance(t int64) {
	p.releaseOld(t)
	limit := int64(p.lostAfter())
	for p.settled != p.next {
		r := p.record(p.settled)
		if (r.fate == pending || r.fate == shielded) && t-r.at < limit {
			return
		}
		p.settle(r)
		p.settled++
	}
}

// settle gives the probe p.settled its fate. Runs of lost probes end at an answered one, whose reflector's sequence number tells
// where they were lost.
func (p *Path) settle(r *record) {
	switch r.fate {
	case pending:
		r.fate = gone
		p.lose(r.at)
	case shielded:
		r.fate = excused
		p.count(r.at, paused, 1)
		p.run.excused++
	case gone:
		p.extend(r.at)
	case excused:
		p.run.excused++
	case answered:
		p.endRun(mark{known: true, seq: p.settled, reflector: r.reflector})
	}
}

// lose counts a lost probe and lets the run grow.
func (p *Path) lose(at int64) {
	p.extend(at)
	p.total[lost]++
	for i := range p.levels {
		s := p.levels[i].at(at)
		if s == nil {
			continue
		}
		s.count[lost]++
		if s.run != p.runs {
			s.run, s.runLost = p.runs, 0
		}
		s.runLost++
	}
}

func (p *Path) extend(at int64) {
	if p.run.lost == 0 {
		p.run.first = at
	}
	p.run.lost++
	p.run.last = at
}

// restore takes back that a probe was lost: it was answered after all (late), or a stall excuses it.
func (p *Path) restore(r *record, replied bool) {
	if r.fate == excused {
		p.count(r.at, paused, -1)
		return
	}
	p.count(r.at, lost, -1)
	in := p.inRun(r)
	if in {
		p.run.lost--
	}
	way := r.way
	r.way = 0
	if way != 0 && replied {
		way = lostBackward // the reflector had answered it; in a mixed run a neighbour was booked in its place
	}
	if way != 0 {
		takeBack(&p.total, way)
	}
	for i := range p.levels {
		s := p.levels[i].at(r.at)
		if s == nil {
			continue
		}
		if in && s.run == p.runs && s.runLost > 0 {
			s.runLost--
		}
		if way != 0 {
			takeBack(&s.count, way)
		}
	}
}

// takeBack takes one loss from a direction, or from the other one if its neighbour of a mixed run was booked elsewhere.
func takeBack[T uint32 | uint64](c *[tallies]T, way tally) {
	other := lostForward + lostBackward - way
	if c[way] > 0 {
		c[way]--
	} else if c[other] > 0 {
		c[other]--
	}
}

// inRun says whether a lost probe is one of the present run.
func (p *Path) inRun(r *record) bool {
	return p.run.lost > 0 && r.at >= p.run.first && r.at <= p.run.last
}

// endRun closes the run of losses before the answered probe b: its length goes into the bursts, and the step of the reflector's
// sequence number between the answered neighbours a and b says how many requests it saw (RFC 8762 section 4.2, stateful
// reflector): of ds-1 probes between them it answered dr-1, so that dr-1 were lost on the way back and ds-dr on the way out.
func (p *Path) endRun(b mark) {
	if p.run.lost > 0 {
		p.longest = max(p.longest, p.run.lost)
		p.burst(p.run)
		if out, ok := lostOut(p.anchor, b); ok {
			p.direct(out, b.seq)
		}
	}
	p.anchor = b
	p.run = run{}
	p.runs++
}

// lostOut returns how many of the probes between two answered ones were lost on the way out; not ok when the reflector's numbers
// cannot tell: it restarted, is stateless, or saw them in another order.
func lostOut(a, b mark) (out uint32, ok bool) {
	if !a.known || a.seq == a.reflector && b.seq == b.reflector {
		return 0, false
	}
	ds, dr := b.seq-a.seq, b.reflector-a.reflector
	if dr == 0 || dr > ds {
		return 0, false
	}
	return ds - dr, true
}

// burst counts the run by its length.
func (p *Path) burst(r run) {
	i := min(r.lost, longestBurst) - 1
	for k := range p.levels {
		if s := p.levels[k].at(r.last); s != nil {
			s.bursts[i]++
		}
	}
}

// direct attributes the losses of the present run: the first out of them to the way out (excused ones, which are not among the
// losses, are taken to be lost there), the rest to the way back. In a mixed run their order is not known.
func (p *Path) direct(out, end uint32) {
	forward := min(out-min(out, p.run.excused), p.run.lost)
	p.total[lostForward] += uint64(forward)
	p.total[lostBackward] += uint64(p.run.lost - forward)
	for k := range p.levels {
		p.directLevel(&p.levels[k], forward)
	}
	p.tell(end, forward)
}

// tell notes at the probes of the run before the probe end, as far back as the ring goes, how they were booked.
func (p *Path) tell(end, forward uint32) {
	left := p.run.lost
	for seq := end - 1; left > 0 && seq != p.anchor.seq && end-seq < uint32(len(p.ring)); seq-- {
		r := p.record(seq)
		if r.fate != gone {
			continue
		}
		r.way = lostForward
		if left > forward {
			r.way = lostBackward
		}
		left--
	}
}

func (p *Path) directLevel(l *level, forward uint32) {
	n := int64(len(l.slots))
	first := max(p.run.first/l.width, p.run.last/l.width-n+1)
	for number := first; number <= p.run.last/l.width; number++ {
		s := &l.slots[number%n]
		if s.number != number || s.run != p.runs {
			continue
		}
		f := min(forward, s.runLost)
		forward -= f
		s.count[lostForward] += f
		s.count[lostBackward] += s.runLost - f
		s.runLost = 0
	}
}
