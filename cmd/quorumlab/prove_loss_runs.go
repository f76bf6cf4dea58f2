//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// lossRuns are the runs of one cell: what a short one counts too few of, several count. At least one.
type lossRuns []lossCell

// pool puts the runs of each cell together, and sorts the cells. Doubtful runs count only where there is no other, and of these the last.
func pool(list []lossCell) []lossRuns {
	var cells []lossRuns
	for _, c := range list {
		i := slices.IndexFunc(cells, func(r lossRuns) bool { return r[0].same(c) })
		switch sound := len(c.Doubts) == 0; {
		case i < 0:
			cells = append(cells, lossRuns{c})
		case cells[i].doubtful():
			cells[i] = lossRuns{c}
		case sound:
			cells[i] = append(cells[i], c)
		}
	}
	slices.SortStableFunc(cells, func(r, s lossRuns) int {
		a, b := r[0], s[0]
		return cmp.Or(cmp.Compare(a.Ring.Timeout, b.Ring.Timeout), cmp.Compare(a.Ring.Links, b.Ring.Links), cmp.Compare(a.Ring.Coefficient, b.Ring.Coefficient),
			cmp.Compare(a.Ring.nodes(), b.Ring.nodes()), cmp.Compare(a.Loss, b.Loss))
	})
	return cells
}

// soundly is for how long a cell has been measured without a doubt.
func soundly(list []lossCell, c lossCell) time.Duration {
	sum := time.Duration(0)
	for _, d := range list {
		if d.same(c) && len(d.Doubts) == 0 {
			sum += d.For
		}
	}
	return sum
}

func (r lossRuns) doubtful() bool { return len(r[0].Doubts) > 0 }

func (r lossRuns) lasted() time.Duration {
	sum := time.Duration(0)
	for _, c := range r {
		sum += c.For
	}
	return sum
}

func (r lossRuns) count(of func(lossCell) int) int {
	n := 0
	for _, c := range r {
		n += of(c)
	}
	return n
}

func (r lossRuns) breaks() int { return r.count(func(c lossCell) int { return len(c.Breaks) }) }
func (r lossRuns) downs() int  { return r.count(func(c lossCell) int { return c.Downs }) }
func (r lossRuns) left() int   { return r.count(func(c lossCell) int { return c.Left }) }

// gap is the longest of all nodes.
func (r lossRuns) gap() time.Duration {
	most := time.Duration(0)
	for _, c := range r {
		most = max(most, longest(c.Gaps))
	}
	return most
}

// heal tells of each run how long after it all nodes were in one ring.
func (r lossRuns) heal() string {
	var text []string
	for _, c := range r {
		switch {
		case c.Stuck:
			text = append(text, "**never**")
		case c.Heal > 0:
			text = append(text, fmt.Sprintf("%.1f", c.Heal.Seconds()))
		}
	}
	return cmp.Or(strings.Join(text, ", "), "-")
}

// lossModel is what the model makes of a cell: of runs as long as those that were measured.
type lossModel struct {
	Breaks, Downs, Left spreadOf // of all runs together. Left: memberships that somebody left, each node's own
	Heal                spreadOf // of the runs that were not stuck, in seconds
	Stuck               float64  // share of the runs that were not whole in stuckAfter
	Gap                 spreadOf // in seconds: the longest of all nodes and runs
}

// forecast runs the model with the cell's configuration and loss, and nothing of what was measured.
func (r lossRuns) forecast(seeds int) (lossModel, error) {
	var breaks, downs, left, gaps, heals []float64
	for seed := range seeds {
		var sum lossOutcome
		for i, c := range r {
			one, err := c.play(uint64(i*seeds + seed))
			if err != nil {
				return lossModel{}, err
			}
			sum.add(one)
		}
		breaks, downs, left, gaps = append(breaks, sum.breaks), append(downs, sum.downs), append(left, sum.left), append(gaps, sum.gap)
		heals = append(heals, sum.heals...)
	}
	stuck := 1 - float64(len(heals))/float64(seeds*len(r))
	return lossModel{summarize(breaks), summarize(downs), summarize(left), summarize(heals), stuck, summarize(gaps)}, nil
}

// lossOutcome is what became of modelled runs.
type lossOutcome struct {
	breaks, downs, left, gap float64
	heals                    []float64
}

func (o *lossOutcome) add(p lossOutcome) {
	o.breaks, o.downs, o.left, o.gap = o.breaks+p.breaks, o.downs+p.downs, o.left+p.left, max(o.gap, p.gap)
	o.heals = append(o.heals, p.heals...)
}

// play runs the model once.
func (c lossCell) play(seed uint64) (o lossOutcome, err error) {
	r, net, err := c.Ring.ringOf(seed)
	if err != nil {
		return o, err
	}
	r.Run(modelSettle)
	r.ResetGaps()
	before := r.Stats()
	c.Ring.between(net, func(l *totem.Line) { l.Loss = c.Loss })
	events := r.Run(modelSettle + c.For)
	o.breaks = float64(len(watchEvents(c.Ring.nodes(), events, 0).Breaks))
	o.downs = float64(r.Stats().LinkDowns - before.LinkDowns)
	o.gap = longestOf(r, c.Ring.nodes()).Seconds()
	o.left = float64(leavings(events))
	c.Ring.between(net, func(l *totem.Line) { l.Loss = 0 })
	if heal, ok := healed(r, c.Ring.nodes()); ok {
		o.heals = append(o.heals, heal.Seconds())
	}
	return o, nil
}
