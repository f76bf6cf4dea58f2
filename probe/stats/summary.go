package stats

import "time"

// Summary tells all that is known at an instant, which must not lie before the events told so far by more than packets take.
func (p *Path) Summary(now time.Time) Summary {
	s := p.Present(now)
	s.Windows = p.windows(p.since(now), &s)
	return s
}

// Present is Summary without its Windows, which take nearly all of the time.
func (p *Path) Present(now time.Time) Summary {
	t := p.since(now)
	p.advance(t)
	p.bury(t)
	s := Summary{
		At:            now,
		RTT:           p.estimate(),
		Total:         p.counters(),
		Outage:        p.outage(p.active(t)),
		Full:          p.full.summary(t, p.lostAfter()),
		LongestLoss:   int(max(p.longest, p.run.lost)),
		Authenticated: p.cfg.Authenticated,
		EverHeard:     p.heard.ever,
		Unanswered:    p.unanswered(t),
	}
	if p.heard.ever {
		s.LastHeard = p.cfg.Start.Add(time.Duration(p.heard.last))
	}
	p.directions(t, &s)
	return s
}

// active is the present, or the end of probing before it.
func (p *Path) active(now int64) int64 {
	if p.hushed > 0 {
		return min(now, p.hushed)
	}
	return now
}

// Unanswered is Summary.Unanswered, for less than a Summary.
func (p *Path) Unanswered(now time.Time) int { return p.unanswered(p.since(now)) }

// OverdueFrom is the earliest instant at which a probe may be overdue, of those under way or yet to leave. It may come a moment earlier if
// answers become faster meanwhile.
func (p *Path) OverdueFrom(now time.Time) time.Time {
	limit := min(p.overdue(), 3*overdueSlack) // with the first answer it falls from a second to milliseconds
	if at, ok := p.waiting(); ok {
		return p.cfg.Start.Add(time.Duration(at) + limit)
	}
	return now.Add(limit)
}

func (p *Path) estimate() RTT {
	return RTT{Known: p.rtt.known, Smoothed: p.rtt.smoothed, Var: p.rtt.dev, Latest: p.latest, Min: p.least}
}

func (p *Path) counters() Counters {
	n := &p.total
	return Counters{
		Sent: n[sent], Received: n[received],
		Lost: n[lost], LostForward: n[lostForward], LostBackward: n[lostBackward],
		Late: n[late], Reordered: n[reordered], Duplicated: n[duplicated], Corrupt: n[corrupt],
		HostPaused: n[paused],
	}
}

// outage is the present lack of answers.
func (p *Path) outage(now int64) Outage {
	at, ok := p.waiting()
	if !ok || time.Duration(now-at) <= p.overdue() {
		return Outage{}
	}
	o := Outage{Since: p.cfg.Start.Add(time.Duration(at)), For: time.Duration(now - at)}
	if n := p.pauses.n; n > 0 {
		x := p.pauses.pauses[n-1]
		o.HostPaused = x.to > at && !p.awayAfter(x, now, p.newest.seq)
	}
	return o
}

// unanswered counts the probes of the present gap that are overdue.
func (p *Path) unanswered(now int64) int {
	at, ok := p.waiting()
	limit := p.overdue()
	if !ok || time.Duration(now-at) <= limit {
		return 0
	}
	n := p.next - p.gap.seq - p.gap.excused
	for seq := p.next - 1; seq != p.gap.seq; seq-- {
		r := p.lookup(seq)
		if r == nil || time.Duration(now-r.at) > limit {
			break
		}
		if r.fate == pending {
			n--
		}
	}
	return int(n)
}

// directions tells the present gaps. In an outage, a peer that is still heard shows that the way back works, hence that the way
// out does not; silence tells nothing about either.
func (p *Path) directions(now int64, s *Summary) {
	left := p.newest.at
	forward := max(now-left-p.stalled(left, now, p.newest.seq), 0)
	if !p.begun {
		forward = now
	}
	s.Forward.Gap = time.Duration(forward)
	quiet, every, peer := p.quiet(now)
	s.Backward.Gap = max(quiet+p.rtt.smoothed/2-time.Duration(p.stalled(p.heard.last, now, p.newest.seq)), 0)
	known := p.newest.known
	if o := s.Outage; o.For > 0 {
		due := p.since(o.Since) + int64(p.response.smoothed)
		known = peer && p.heard.last > due && quiet < max(4*every, 2*p.overdue())
	}
	s.Forward.Known, s.Backward.Known = known, known
}

// windows tells the sliding windows, with the gaps that are not in their slots yet and the one that is still open.
func (p *Path) windows(now int64, s *Summary) []Window {
	var scratch Histogram
	out := make([]Window, len(spans))
	bursts := make([]uint64, len(spans)*longestBurst)
	for i := range spans {
		w := &out[i]
		w.Bursts = bursts[i*longestBurst : (i+1)*longestBurst : (i+1)*longestBurst]
		w.Length = spans[i].length
		w.Covered = min(w.Length, time.Duration(now))
		scratch = Histogram{}
		p.levels[i].window(now, w, &scratch)
		w.Jitter = p.jitter
		for _, g := range p.gaps.gaps[:p.gaps.n] {
			if time.Duration(now-g.end) <= w.Length {
				w.WorstGap = max(w.WorstGap, time.Duration(g.round))
				w.WorstGapForward = max(w.WorstGapForward, time.Duration(g.forward))
				w.WorstGapBackward = max(w.WorstGapBackward, time.Duration(g.backward))
			}
		}
		p.ongoing(now, s, w)
	}
	return out
}

// ongoing takes the open gap into a window. Its direction is told when it is known: the peer is heard, so it is the way out.
func (p *Path) ongoing(now int64, s *Summary, w *Window) {
	if s.Outage.For <= 0 {
		return
	}
	start := p.since(s.Outage.Since)
	open := s.Outage.For - p.rtt.smoothed - time.Duration(p.stalled(start, now, p.newest.seq))
	if open <= 0 {
		return
	}
	w.WorstGap = max(w.WorstGap, open)
	if s.Forward.Known {
		w.WorstGapForward = max(w.WorstGapForward, open)
	}
}
