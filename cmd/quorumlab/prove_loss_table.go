//go:build linux

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

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
	return tabulateLoss(w, pool(cells), o.seeds)
}

// lossRow is a cell, its forecast and what is to be said of them.
type lossRow struct {
	lossRuns
	Model         lossModel
	Breaks, Downs rateVerdict
}

func (r lossRuns) row(m lossModel) lossRow {
	minutes := r.lasted().Minutes()
	return lossRow{r, m, judgeRate(m.Breaks.Mean, r.breaks(), minutes), judgeRate(m.Downs.Mean, r.downs(), minutes)}
}

func tabulateLoss(w io.Writer, cells []lossRuns, seeds int) ([]requirement, error) {
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
	perMinute := 1 / r.lasted().Minutes()
	gap, modelGap := "-", "-"
	if longest := r.gap(); longest > 0 && r.breaks() == 0 { // the hub does not see the token of one that is alone in its ring
		gap, modelGap = cell(longest), r.Model.Gap.scale(1000).text("%.0f")
	}
	c := r.lossRuns[0]
	line(w, fmt.Sprintf("%g %%", 100*c.Loss), c.Ring.sites(), fmt.Sprint(c.Ring.Links), fmt.Sprint(c.Effective.Milliseconds()), c.Ring.knet(),
		fmt.Sprint(r.lasted().Seconds()), fmt.Sprint(r.breaks()), fmt.Sprintf("%.2f", float64(r.breaks())*perMinute),
		r.Model.Breaks.scale(perMinute).text("%.2f"), r.Breaks.text(r.Model.Breaks.Mean, r.breaks()),
		fmt.Sprint(r.downs()), fmt.Sprintf("%.1f", float64(r.downs())*perMinute), r.Model.Downs.scale(perMinute).text("%.1f"),
		r.Downs.text(r.Model.Downs.Mean, r.downs()), gap, modelGap,
		fmt.Sprint(r.left()), r.Model.Left.text("%.0f"), r.heal(), r.Model.Heal.text("%.1f"), fmt.Sprintf("%.0f %%", 100*r.Model.Stuck)+doubt(r.doubtful()))
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
			return r.Breaks, r.Model.Breaks.Mean, r.breaks()
		}),
		requireRate("link downs", rows, func(r lossRow) (rateVerdict, float64, int) { return r.Downs, r.Model.Downs.Mean, r.downs() }),
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
		case row.doubtful():
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
