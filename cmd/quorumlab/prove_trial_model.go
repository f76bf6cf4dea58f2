//go:build linux

package main

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// certain is how likely the model must say something is for it to be held to it.
const certain = 0.95

// trialModel is what the model says of a kind of trial. Times count from the beginning of the first cut.
type trialModel struct {
	Lost                  float64         // share of the phases in which the ring broke
	Breaks, Formed, Whole []time.Duration // of those, ascending
	Gap                   []time.Duration // longest of all nodes, ascending
}

// forecast runs the model over many phases, with the cell's configuration and cuts and nothing of what was measured.
func (c trialCell) forecast(seeds int) (trialModel, error) {
	var m trialModel
	for seed := range seeds {
		r, net, err := c.Ring.ringOf(uint64(seed))
		if err != nil {
			return m, err
		}
		begin := modelSettle + time.Duration(float64(spread)*(float64(seed)+0.5)/float64(seeds))
		c.Ring.cut(net, c.Cuts, begin)
		r.Run(begin)
		r.ResetGaps()
		events := slices.Clone(r.Run(begin + c.horizon()))
		w := watchEvents(c.Ring.nodes(), events, begin)
		broke := len(w.Breaks) > 0
		for limit := r.Now() + healLimit; broke && len(w.Healed) == 0 && r.Now() < limit; {
			events = append(events, r.Run(r.Now()+time.Second)...)
			w = watchEvents(c.Ring.nodes(), events, begin)
		}
		m.Gap = append(m.Gap, longestOf(r, c.Ring.nodes()))
		if broke && len(w.Healed) > 0 {
			m.Breaks, m.Formed, m.Whole = append(m.Breaks, w.Breaks[0]), append(m.Formed, w.Formed[0]), append(m.Whole, w.Healed[0])
		}
	}
	m.Lost = float64(len(m.Breaks)) / float64(seeds)
	for _, list := range [][]time.Duration{m.Breaks, m.Formed, m.Whole, m.Gap} {
		slices.Sort(list)
	}
	return m, nil
}

// cut puts the cuts on the lines between the sites.
func (s ringSpec) cut(net *totem.Lines, cuts []cutOf, begin time.Duration) {
	for link := range s.Links {
		var out []totem.Span
		for _, cut := range cuts {
			if len(cut.Links) == 0 || slices.Contains(cut.Links, link) {
				out = append(out, totem.Span{Start: begin + cut.After, End: begin + cut.After + cut.For})
			}
		}
		for from := range s.nodes() {
			for to := range s.nodes() {
				if s.siteOf(from) != s.siteOf(to) {
					net.Line(from, to, link).Outages = out
				}
			}
		}
	}
	net.Changed()
}

// certainty: the model claims one outcome.
func (m trialModel) certainty() bool { return m.Lost >= certain || m.Lost <= 1-certain }

// says is the outcome that it holds for the likelier.
func (m trialModel) says() bool { return m.Lost > 0.5 }

// middle is the median of an ascending list; 0 of none.
func middle(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}
