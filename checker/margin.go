package checker

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// The virtual token is gone by when it knows half of the paths and has run lately; the unknown ones count as healthy, so that with less it
// would promise too much.
const (
	basisVirtual    = "virtual-token"
	enoughCoverage  = 0.5
	virtualFreshFor = 10 * time.Second
)

// virtualToken says what the virtual token says, or why that is not to be gone by.
func (j *judge) virtualToken() (*risk.Margin, string) {
	switch m := j.in.Margin; {
	case m == nil:
		return nil, ""
	case !m.Known:
		return nil, m.Reason
	case m.Coverage < enoughCoverage:
		return nil, "too few paths are known (" + units.Percent(m.Coverage) + "): agents on the other nodes are missing"
	case j.now().Sub(m.At) > virtualFreshFor:
		return nil, "the virtual token could not keep up"
	default:
		return m, ""
	}
}

// margin is how far the token was from its timeout.
func (j *judge) margin() Margin {
	v := j.virtual
	if v == nil {
		m := j.gapMargin()
		m.Reason = j.noVirtual
		return m
	}
	m := Margin{Known: true, Basis: basisVirtual, Coverage: v.Coverage, Rings: v.Rings, At: v.At, Trend: marginTrend(v)}
	for _, w := range []*risk.Window{&v.Now, &v.Minute, &v.Ten, &v.Hour, &v.Day} {
		m.Windows = append(m.Windows, j.marginWindow(w))
	}
	present := j.presentGap()
	m.TenMin = min(v.Ten.Ratio(j.token), j.distance(present))
	m.Minute, m.Now = m.TenMin, m.TenMin // while new rings find out which links work, what was before is all that is known
	if v.Minute.Covered > 0 {
		m.Minute = min(v.Minute.Ratio(j.token), j.distance(present))
		m.Now = m.Minute
	}
	if v.Now.Covered > 0 {
		m.Now = min(v.Now.Ratio(j.token), j.distance(present))
	}
	m.WorstGap = Seconds(max(v.Ten.Gap(), present))
	m.Peer, m.Link = j.hopPeer(v.Ten.Hop), v.Ten.Hop.Link
	return m
}

// presentGap is for how long a member has been out of reach: the virtual token hears of it a moment later.
func (j *judge) presentGap() time.Duration {
	gap := time.Duration(0)
	for i := range j.peers {
		if p := &j.peers[i]; p.memo.inCut && p.verdict != reachable && p.member != No {
			gap = max(gap, p.gap)
		}
	}
	return gap
}

// hopPeer is the end of a hop that is not this node, the further one if neither is.
func (j *judge) hopPeer(h risk.Hop) NodeRef {
	switch {
	case h.Cause == risk.CauseNone:
		return NodeRef{}
	case h.To == j.local.ID:
		return j.ref(h.From)
	}
	return j.ref(h.To)
}

func (j *judge) marginWindow(w *risk.Window) MarginWindow {
	out := MarginWindow{
		Length: Seconds(w.Length), Covered: Seconds(w.Covered), Margin: w.Ratio(j.token), Low: w.Low(j.token),
		Gap: Seconds(w.Gap()), WorstGap: Seconds(max(w.Worst, w.Real.Gap)), At: w.At, Cause: w.Hop.Cause.String(), Link: w.Hop.Link,
		LinkDowns: w.LinkDowns, Near: w.Tight, Spells: w.Spells, Losses: w.Losses, LossShare: w.LossShare,
		TokenLosses: w.Real.Losses, TokenWarnings: w.Real.Warnings,
	}
	if w.Hop.Cause != risk.CauseNone {
		out.From, out.To = j.ref(w.Hop.From), j.ref(w.Hop.To)
	}
	return out
}

func marginTrend(m *risk.Margin) *MarginTrend {
	if !m.Trend.Known {
		return nil
	}
	return &MarginTrend{
		Before: 1 - min(1, ratio(m.Trend.Before, m.Token)), Now: 1 - min(1, ratio(m.Trend.Now, m.Token)), Falling: m.Trend.Falling(m.Token),
	}
}
