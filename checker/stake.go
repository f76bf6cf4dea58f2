package checker

import (
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// atStake says what would happen if the trouble behind a hop became a cut: of the two ends' sites (or nodes, where sites are not known)
// the one with the sicker paths would be on its own. Nil if there is nothing to divide.
func (j *judge) atStake(h risk.Hop) *Outcome {
	if h.Cause == risk.CauseNone {
		return nil
	}
	a, b := j.togetherWith(h.From, h.To), j.togetherWith(h.To, h.From)
	alone := b
	if sa, sb := j.sickness(a), j.sickness(b); sa > sb || sa == sb && len(a) < len(b) {
		alone = a
	}
	memo := j.cutMemory(nil)
	var rest, out []uint32
	for _, n := range memo.members {
		if slices.Contains(alone, n) {
			out = append(out, n)
		} else {
			rest = append(rest, n)
		}
	}
	if len(out) == 0 || len(rest) == 0 {
		return nil
	}
	parts := [][]uint32{rest, out}
	if slices.Contains(out, j.local.ID) {
		parts = [][]uint32{out, rest}
	}
	o := &Outcome{Transitive: true}
	expected := j.divide(o, memo, parts)
	o.Text = strings.TrimPrefix(outcomeText(o, expected), "if this lasts: ")
	return o
}

// togetherWith are the nodes of a node's site, or the node alone when its site is not known or is the other's too.
func (j *judge) togetherWith(id, other uint32) []uint32 {
	n, o := j.node(id), j.node(other)
	if n == nil || o == nil || n.Site == "" || n.Site == o.Site {
		return []uint32{id}
	}
	var out []uint32
	for _, m := range j.in.Cluster.Nodes {
		if m.Site == n.Site {
			out = append(out, m.ID)
		}
	}
	return out
}

// sickness sums up the loss of all paths between a group and the others, as all agents say: this node's own of ten minutes.
func (j *judge) sickness(group []uint32) float64 {
	sum := 0.0
	crosses := func(a, b uint32) bool { return slices.Contains(group, a) != slices.Contains(group, b) }
	for i := range j.next.mesh.rows {
		if r := &j.next.mesh.rows[i]; crosses(r.From.ID, r.To.ID) {
			sum += r.LossRatio
		}
	}
	for i := range j.paths {
		p := &j.paths[i]
		if w := window(&p.obs.Summary, 10*time.Minute); w != nil && crosses(j.local.ID, p.obs.Node) {
			sum += lossRatio(w.Counters)
		}
	}
	return sum
}
