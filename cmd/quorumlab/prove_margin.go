//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// marginCell is a stretch of time in which the hub saw each token and the agents told the margin.
type marginCell struct {
	Loss  *lossCell  `json:"loss,omitempty"`  // of two, the one it was
	Trial *trialCell `json:"trial,omitempty"` // the other
}

// marginShares are the lengths of the blackouts, in tokens: those that are survived tell most of a margin.
var marginShares = []float64{0.05, 0.1, 0.15, 0.2, 0.3, 0.5}

// proveMargin holds what the agents tell of the worst token gap against what the hub saw, over blackouts and losses.
func proveMargin(ctx context.Context, b *bench) ([]requirement, error) {
	cells, err := readRecord[marginCell](b.o.record, "margin")
	if err != nil {
		return nil, err
	}
	keep := func(c marginCell) error {
		fmt.Fprintln(b.w, c)
		cells = append(cells, c)
		return appendRecord(b.o.record, "margin", c)
	}
	for range b.o.runs {
		for _, share := range marginShares {
			length := time.Duration(share * float64(b.token)).Round(time.Millisecond)
			t := trialCell{Ring: b.o.ring(), Effective: b.token, Case: fmt.Sprintf("blackout %.2f T", share), Cuts: []cutOf{{For: length}}}
			if err := errors.Join(b.calm(ctx), sleep(ctx, marginLong+hindsight), b.trial(ctx, &t)); err != nil { // nothing of the last one is in the windows
				return nil, err
			}
			if err := keep(marginCell{Trial: &t}); err != nil {
				return nil, err
			}
		}
	}
	for _, loss := range b.o.losses {
		c := lossCell{Ring: b.o.ring(), Effective: b.token, Loss: loss, For: b.o.lasts}
		if err := errors.Join(b.calm(ctx), sleep(ctx, marginLong+hindsight)); err != nil {
			return nil, err
		}
		if err := b.lose(ctx, &c); err != nil {
			return nil, err
		}
		if err := keep(marginCell{Loss: &c}); err != nil {
			return nil, err
		}
	}
	return tabulateMargin(b.w, cells), nil
}

func tableMargin(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[marginCell](o.record, "margin")
	if err != nil {
		return nil, err
	}
	return tabulateMargin(w, cells), nil
}

// marginRow is a stretch of time and what is to be said of it.
type marginRow struct {
	Case      string
	Ring      ringSpec
	Token     time.Duration
	Real      time.Duration // longest gap of all nodes
	Said      []marginSaid
	Doubtful  bool
	TokenLost bool
}

func (c marginCell) row() marginRow {
	if c.Loss != nil {
		l := c.Loss
		return marginRow{fmt.Sprintf("loss %g %%, %v", 100*l.Loss, l.For), l.Ring, l.Effective, longest(l.Gaps), l.Said, len(l.Doubts) > 0, len(l.Breaks) > 0}
	}
	t := c.Trial
	return marginRow{t.Case, t.Ring, t.Effective, longest(t.Gaps), t.Said, len(t.Doubts) > 0, t.Lost != 0}
}

// String is a cell while it is measured.
func (c marginCell) String() string {
	r := c.row()
	return fmt.Sprintf("%s: hub %s, token lost %v, said %v", r.Case, cell(r.Real), r.TokenLost, r.Said)
}

func longest(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return slices.Max(list)
}

// gapWithin is how far a gap that is told may be off, unless it is off by less than a retransmit interval.
const gapWithin = 0.15

// kept: what an agent tells is near what was. Beyond the token there is no margin left: a gap that long need not be told in full.
func (r marginRow) kept(told time.Duration) bool {
	return (min(told, r.Token) - min(r.Real, r.Token)).Abs() <= r.slack()
}

// bounded: the real gap is not beyond the worst ring's by more than that.
func (r marginRow) bounded(s marginSaid) bool {
	return min(r.Real, r.Token)-min(s.Worst, r.Token) <= r.slack()
}

// slack is one retransmit interval, or gapWithin of the real gap.
func (r marginRow) slack() time.Duration {
	return max(r.Ring.timeouts().TokenRetransmit, time.Duration(gapWithin*float64(min(r.Real, r.Token))))
}

// told are the agents that ran a virtual token.
func (r marginRow) told() []marginSaid {
	return slices.DeleteFunc(slices.Clone(r.Said), func(s marginSaid) bool { return s.Basis != "virtual-token" })
}

func tabulateMargin(w io.Writer, cells []marginCell) []requirement {
	fmt.Fprint(w, "Longest token gap of any node as the hub saw the tokens, and what the agents told of the same time (ring in the middle, least to most of the\n"+
		"agents; worst ring): ms.\n\n")
	head(w, "case", "nodes", "links", "token", "retransmit", "lost", "hub", "agents", "worst ring", "within 15 % or a retransmit")
	near := requirement{Text: "the worst token gap that an agent tells (the ring in the middle) is within 15 % or one retransmit interval of the real one"}
	bounded := requirement{Text: "the real one is not beyond an agent's worst ring by more than that"}
	missing := 0
	for _, c := range cells {
		r := c.row()
		r.print(w)
		missing += len(r.Said) - len(r.told())
		if r.Doubtful {
			continue
		}
		for _, s := range r.told() {
			near.count(r.kept(s.Gap))
			bounded.count(r.bounded(s))
		}
	}
	if missing > 0 {
		near.Note = fmt.Sprintf("%d more reports had no virtual token", missing)
	}
	return []requirement{near, bounded}
}

// count takes one more case.
func (r *requirement) count(kept bool) {
	r.Of++
	if kept {
		r.Met++
	}
}

func (r marginRow) print(w io.Writer) {
	var told, worst []time.Duration
	met := 0
	for _, s := range r.told() {
		if r.kept(s.Gap) {
			met++
		}
		told, worst = append(told, s.Gap), append(worst, s.Worst)
	}
	lost := "no"
	if r.TokenLost {
		lost = "yes"
	}
	line(w, r.Case, r.Ring.sites(), fmt.Sprint(r.Ring.Links), cell(r.Token), cell(r.Ring.timeouts().TokenRetransmit), lost, cell(r.Real),
		fromTo(told), fromTo(worst), fmt.Sprintf("%d of %d", met, len(told))+doubt(r.Doubtful))
}

// fromTo is least and most.
func fromTo(list []time.Duration) string {
	if len(list) == 0 {
		return "-"
	}
	least, most := cell(slices.Min(list)), cell(slices.Max(list))
	if least == most {
		return least
	}
	return least + " to " + most
}
