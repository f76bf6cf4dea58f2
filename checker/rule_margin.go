package checker

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// basis of the margin: delivery gaps of the paths, each peer's best link counting.
const basisGaps = "delivery-gap"

// gapMargin is how far the gaps were from the token timeout.
func (j *judge) gapMargin() Margin {
	m := Margin{Basis: basisGaps}
	now, minute, ten := time.Duration(0), time.Duration(-1), time.Duration(-1)
	for i := range j.peers {
		p := &j.peers[i]
		present := time.Duration(-1)
		if p.memo.inCut && p.verdict != reachable {
			present = p.gap
			now = max(now, present)
		}
		if g, _ := j.bestGap(p, time.Minute); max(g, present) > minute {
			minute = max(g, present)
		}
		g, link := j.bestGap(p, 10*time.Minute)
		if g < 0 && len(p.paths) > 0 {
			link = p.paths[0].obs.Link
		}
		if g = max(g, present); g > ten {
			ten = g
			m.Peer, m.Link = NodeRef{p.node.ID, p.node.Name}, link
		}
	}
	if minute < 0 && ten < 0 {
		return m
	}
	ten = max(ten, minute)
	m.Known, m.WorstGap = true, Seconds(ten)
	m.Now, m.Minute, m.TenMin = j.distance(now), j.distance(minute), j.distance(ten)
	return m
}

func (j *judge) distance(gap time.Duration) float64 { return 1 - min(1, ratio(gap, j.token)) }

// followGaps remembers the outages of a peer as a whole: what no link carried. Silence that is not the network's does not count.
func (j *judge) followGaps(p *peer) {
	g := &p.memo.gaps
	switch {
	case p.verdict == silentAgent, p.verdict == stoppedAgent, p.verdict == departed, p.verdict == neverHeard:
		g.open = 0
	case p.out:
		g.open = p.gap
	case g.open > 0:
		minute := j.minute()
		if m := &g.worst[minute%int64(len(g.worst))]; m.minute != minute || g.open > m.gap {
			*m = minuteGap{minute, g.open}
		}
		if g.open >= j.warnAfter(p.interval) {
			copy(g.episodes[1:], g.episodes[:])
			g.episodes[0] = j.now()
		}
		g.open = 0
	}
}

// minute counts the minutes of the agent's life, from 1.
func (j *judge) minute() int64 { return int64(max(0, j.now().Sub(j.next.started))/time.Minute) + 1 }

// worst is the longest outage of the peer that was open in that time.
func (j *judge) worst(p *peer, length time.Duration) time.Duration {
	g := &p.memo.gaps
	worst := g.open
	for _, m := range g.worst {
		if m.minute > 0 && time.Duration(j.minute()-m.minute)*time.Minute < length {
			worst = max(worst, m.gap)
		}
	}
	return worst
}

// bestGap is the worst gap of a window towards a peer; -1 if none is known. With one link it is that path's. With several it is
// what all of them missed at once, of which short gaps are not known better than to a few probes.
func (j *judge) bestGap(p *peer, length time.Duration) (time.Duration, int) {
	best, link, links := time.Duration(-1), 0, 0
	for i := range p.paths {
		l := &p.paths[i]
		if !l.heard || l.excused != notExcused {
			continue
		}
		links++
		if w := j.longestClean(l, length); w != nil && (best < 0 || w.WorstGap < best) {
			best, link = w.WorstGap, l.obs.Link
		}
	}
	if links > 1 && best >= 0 {
		best = max(j.worst(p, length), min(best, 3*p.interval))
	}
	return best, link
}

// longestClean is the longest window up to that length that does not reach back into a silence that was not the path's fault.
func (j *judge) longestClean(l *path, length time.Duration) *stats.Window {
	w := j.clean(l, length)
	if w == nil && length > time.Minute {
		w = j.clean(l, time.Minute)
	}
	if w == nil {
		w = j.clean(l, 10*time.Second)
	}
	return w
}

// ruleMargin tells of margins that were low in the last ten minutes: by the virtual token, or by gaps where that cannot tell.
func ruleMargin(j *judge) {
	if j.virtual != nil {
		j.virtualMargin()
		return
	}
	j.lowGaps()
}

// lowGaps tells of gaps in the last ten minutes that came close to the token timeout: one is worth a word, several are a trend.
func (j *judge) lowGaps() {
	for i := range j.peers {
		p := &j.peers[i]
		worst, link := j.bestGap(p, 10*time.Minute)
		if worst < j.share(safeShare) || p.memo.inCut {
			continue
		}
		often := 0
		for _, e := range p.memo.gaps.episodes {
			if !e.IsZero() && j.ago(e) < 10*time.Minute {
				often++
			}
		}
		d := draft{code: CodeLowMargin, severity: Info, subject: p.node.Name}
		times := ""
		if often == len(p.memo.gaps.episodes) {
			d.severity = Warning
			times = fmt.Sprintf(", %d times or more", often)
		}
		d.title = fmt.Sprintf("%s was out of reach for up to %s in the last 10 min%s: %s of the token timeout", p.node.Name, units.Time(worst), times, units.Percent(ratio(worst, j.token)))
		d.evidence = map[string]string{"worst_gap": units.Time(worst), "share_of_token": units.Percent(ratio(worst, j.token)), "link": linkName(link)}
		j.add(d)
	}
}
