package checker

import (
	"fmt"
	"time"
)

// basis of the margin: delivery gaps of the paths, each peer's best link counting.
const basisGaps = "delivery-gap"

// margin is how far the gaps were from the token timeout.
func (j *judge) margin() Margin {
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

// bestGap is the worst gap of a window on the peer's best link; -1 if none is known. A window that reaches back into a silence
// that was not the path's fault is left out, for a shorter one.
func (j *judge) bestGap(p *peer, length time.Duration) (time.Duration, int) {
	best, link := time.Duration(-1), 0
	for i := range p.paths {
		l := &p.paths[i]
		if !l.heard || l.excused != notExcused {
			continue
		}
		w := j.clean(l, length)
		if w == nil && length > time.Minute {
			w = j.clean(l, time.Minute)
		}
		if w == nil {
			w = j.clean(l, 10*time.Second)
		}
		if w != nil && (best < 0 || w.WorstGap < best) {
			best, link = w.WorstGap, l.obs.Link
		}
	}
	return best, link
}

// ruleMargin tells of gaps in the last ten minutes that came close to the token timeout: one is worth a word, several are a
// trend.
func ruleMargin(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		worst, link := j.bestGap(p, 10*time.Minute)
		if worst < j.share(safeShare) || p.memo.inCut {
			continue
		}
		l := p.link(link)
		often := 0
		for _, e := range l.memo.episodes {
			if !e.IsZero() && j.ago(e) < 10*time.Minute {
				often++
			}
		}
		d := draft{code: CodeLowMargin, severity: Info, subject: p.node.Name}
		times := ""
		if often == len(l.memo.episodes) {
			d.severity = Warning
			times = fmt.Sprintf(", %d times or more", often)
		}
		d.title = fmt.Sprintf("%s was out of reach for up to %s in the last 10 min%s: %s of the token timeout", p.node.Name, show(worst), times, percent(ratio(worst, j.token)))
		d.evidence = map[string]string{"worst_gap": show(worst), "share_of_token": percent(ratio(worst, j.token)), "link": linkName(link)}
		j.add(d)
	}
}
