//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// lossModel is what the model makes of a cell: of each run as long as the cell was measured.
type lossModel struct {
	Breaks, Downs, Left spreadOf // Left: memberships that somebody left, each node's own
	Heal                spreadOf // of the runs that were not stuck, in seconds
	Stuck               float64  // share of the runs that were not whole in stuckAfter
	Gap                 spreadOf // in seconds: the longest of all nodes
}

// forecast runs the model with the cell's configuration and loss, and nothing of what was measured.
func (c lossCell) forecast(seeds int) (lossModel, error) {
	var breaks, downs, left, gaps, heals []float64
	for seed := range seeds {
		r, net, err := c.Ring.ringOf(uint64(seed))
		if err != nil {
			return lossModel{}, err
		}
		r.Run(modelSettle)
		r.ResetGaps()
		before := r.Stats()
		c.Ring.between(net, func(l *totem.Line) { l.Loss = c.Loss })
		events := r.Run(modelSettle + c.For)
		after := r.Stats()
		breaks = append(breaks, float64(len(watchEvents(c.Ring.nodes(), events, 0).Breaks)))
		downs = append(downs, float64(after.LinkDowns-before.LinkDowns))
		gaps = append(gaps, longestOf(r, c.Ring.nodes()).Seconds())
		left = append(left, float64(leavings(events)))
		c.Ring.between(net, func(l *totem.Line) { l.Loss = 0 })
		if heal, ok := healed(r, c.Ring.nodes()); ok {
			heals = append(heals, heal.Seconds())
		}
	}
	return lossModel{
		summarize(breaks), summarize(downs), summarize(left), summarize(heals), 1 - float64(len(heals))/float64(seeds), summarize(gaps),
	}, nil
}

// healed runs a ring until all are in one; it reports false if they are not in time.
func healed(r *totem.Ring, nodes int) (time.Duration, bool) {
	const step = 100 * time.Millisecond
	for begun := r.Now(); r.Now() < begun+stuckAfter; r.Run(r.Now() + step) {
		one := true
		for i := range nodes {
			one = one && r.State(i) == totem.StateOperational && r.Members(i) == r.Members(0) && r.Members(i).Len() == nodes
		}
		if one {
			return r.Now() - begun, true
		}
	}
	return stuckAfter, false
}

// leavings counts the memberships that somebody left, each node's own.
func leavings(events []totem.Event) int {
	n := 0
	for _, e := range events {
		if e.Kind == totem.Membership && e.Left != 0 {
			n++
		}
	}
	return n
}

// ringOf makes the ring of a seed, and its network.
func (s ringSpec) ringOf(seed uint64) (*totem.Ring, *totem.Lines, error) {
	cfg, net := s.config(rand.New(rand.NewPCG(seed, 0x6d6f64656c)), totem.Line{})
	r, err := totem.New(cfg)
	return r, net, err
}

// between alters all lines between the sites.
func (s ringSpec) between(net *totem.Lines, alter func(*totem.Line)) {
	for from := range s.nodes() {
		for to := range s.nodes() {
			for link := range s.Links {
				if s.siteOf(from) != s.siteOf(to) {
					alter(net.Line(from, to, link))
				}
			}
		}
	}
	net.Changed()
}

func (s ringSpec) siteOf(node int) int {
	for site, size := range s.Sites {
		if node -= size; node < 0 {
			return site
		}
	}
	return len(s.Sites)
}

func longestOf(r *totem.Ring, nodes int) time.Duration {
	longest := time.Duration(0)
	for i := range nodes {
		longest = max(longest, r.LongestGap(i).Length)
	}
	return longest
}

func tableLoss(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[lossCell](o.record, "loss")
	if err != nil {
		return nil, err
	}
	return tabulateLoss(w, merged(cells), o.seeds)
}

// merged leaves out the doubtful cells that were measured again, and sorts the others.
func merged(cells []lossCell) []lossCell {
	var list []lossCell
	for i, c := range cells {
		if len(c.Doubts) == 0 || !slices.ContainsFunc(cells[i+1:], c.same) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b lossCell) int {
		return cmp.Or(cmp.Compare(a.Ring.Timeout, b.Ring.Timeout), cmp.Compare(a.Ring.Links, b.Ring.Links), cmp.Compare(a.Ring.Coefficient, b.Ring.Coefficient),
			cmp.Compare(a.Ring.nodes(), b.Ring.nodes()), cmp.Compare(a.Loss, b.Loss))
	})
	return list
}

// lossRow is a cell, its forecast and what is to be said of them.
type lossRow struct {
	lossCell
	Model         lossModel
	Breaks, Downs rateVerdict
}

func (c lossCell) row(m lossModel) lossRow {
	minutes := c.For.Minutes()
	return lossRow{c, m, judgeRate(m.Breaks.Mean, len(c.Breaks), minutes), judgeRate(m.Downs.Mean, c.Downs, minutes)}
}

func tabulateLoss(w io.Writer, cells []lossCell, seeds int) ([]requirement, error) {
	fmt.Fprintf(w, "Per minute of the whole cluster; of the model the mean of %d runs and where nine of ten lie.\n\n", seeds)
	head(w, "loss", "nodes", "links", "token", "knet ping", "s", "disruptions", "/min", "model", "within 2", "link downs", "/min", "model", "within 2",
		"longest gap ms, if never broken", "model", "lines \"left\"", "model", "whole again s", "model", "stuck")
	var rows []lossRow
	for _, c := range cells {
		m, err := c.forecast(seeds)
		if err != nil {
			return nil, err
		}
		r := c.row(m)
		r.print(w)
		rows = append(rows, r)
	}
	return requireLoss(rows), nil
}

func (r lossRow) print(w io.Writer) {
	perMinute := 1 / r.For.Minutes()
	gap, modelGap := "-", "-"
	if len(r.Gaps) > 0 && len(r.lossCell.Breaks) == 0 { // the hub does not see the token of one that is alone in its ring
		gap, modelGap = cell(slices.Max(r.Gaps)), r.Model.Gap.scale(1000).text("%.0f")
	}
	heal := "-"
	switch {
	case r.Stuck:
		heal = "**never**"
	case r.lossCell.Heal > 0:
		heal = fmt.Sprintf("%.1f", r.lossCell.Heal.Seconds())
	}
	line(w, fmt.Sprintf("%g %%", 100*r.Loss), r.Ring.sites(), fmt.Sprint(r.Ring.Links), fmt.Sprint(r.Effective.Milliseconds()), r.Ring.knet(),
		fmt.Sprint(r.For.Seconds()), fmt.Sprint(len(r.lossCell.Breaks)), fmt.Sprintf("%.2f", float64(len(r.lossCell.Breaks))*perMinute),
		r.Model.Breaks.scale(perMinute).text("%.2f"), r.Breaks.text(r.Model.Breaks.Mean, len(r.lossCell.Breaks)),
		fmt.Sprint(r.lossCell.Downs), fmt.Sprintf("%.1f", float64(r.lossCell.Downs)*perMinute), r.Model.Downs.scale(perMinute).text("%.1f"),
		r.Downs.text(r.Model.Downs.Mean, r.lossCell.Downs), gap, modelGap,
		fmt.Sprint(r.lossCell.Left), r.Model.Left.text("%.0f"), heal, r.Model.Heal.text("%.1f"), fmt.Sprintf("%.0f %%", 100*r.Model.Stuck)+doubt(len(r.Doubts) > 0))
}

// text is mean and range.
func (s spreadOf) text(form string) string {
	return fmt.Sprintf(form+" ("+form+" to "+form+")", s.Mean, s.Low, s.High)
}

// sites is as people write it: 2+1.
func (s ringSpec) sites() string {
	text := ""
	for i, n := range s.Sites {
		if i > 0 {
			text += "+"
		}
		text += fmt.Sprint(n)
	}
	return text
}

// knet is knet's interval and timeout in ms where they are not Corosync's own.
func (s ringSpec) knet() string {
	if s.Interval == 0 && s.Timeout == 0 {
		return "default"
	}
	return cell(s.Interval) + "/" + cell(s.Timeout)
}

func requireLoss(rows []lossRow) []requirement {
	return []requirement{
		requireRate("token losses", rows, func(r lossRow) (rateVerdict, float64, int) {
			return r.Breaks, r.Model.Breaks.Mean, len(r.lossCell.Breaks)
		}),
		requireRate("link downs", rows, func(r lossRow) (rateVerdict, float64, int) { return r.Downs, r.Model.Downs.Mean, r.lossCell.Downs }),
	}
}

// requireRate counts the sound cells whose events are many enough to decide, and says of the others what they suggest.
func requireRate(what string, rows []lossRow, of func(lossRow) (rateVerdict, float64, int)) requirement {
	r := requirement{Idle: true, Text: fmt.Sprintf("%s per minute are forecast within a factor of %d, where the real rate is %g to %d and the count can say so",
		what, factor, rateLeast, rateMost)}
	unsaid, suggest, outside, all, expected := 0, 0, 0, 0, 0.0
	doubtful, doubtfulIn := 0, 0
	for _, row := range rows {
		v, forecast, counted := of(row)
		switch {
		case v == rateOutside:
			outside++
		case len(row.Doubts) > 0:
			doubtful++
			if pointWithin(forecast, counted) {
				doubtfulIn++
			}
		case v == rateUnsaid:
			unsaid, all, expected = unsaid+1, all+counted, expected+forecast
			if pointWithin(forecast, counted) {
				suggest++
			}
		default:
			r.Of++
			if v == rateWithin {
				r.Met++
			}
		}
	}
	r.Note = fmt.Sprintf("%d cells have too few events to say: in %d of these the count itself is inside, together they have %d, forecast %.1f; "+
		"%d are doubtful, inside in %d; %d have another rate", unsaid, suggest, all, expected, doubtful, doubtfulIn, outside)
	return r
}
