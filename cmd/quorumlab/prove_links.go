//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// linkCut is how long link 0 is away.
const linkCut = 20 * time.Second

// linkPhase is what was recorded of one cut of one or both links.
type linkPhase struct {
	FirstAny time.Time
	Nodes    []witness
	Did      []lab.Line
	Doubts   []string
}

// linkRow is what two phases came to.
type linkRow struct {
	Number   int
	First    []time.Duration // phase 1: first finding, by node
	Warning  []time.Duration // phase 1: first warning
	One      checker.Severity
	OneLost  bool            // phase 1: Corosync lost its token all the same
	Critical []time.Duration // phase 2
	Split    time.Duration   // phase 2
	Doubtful bool
}

func judgeLinks(number int, one, both linkPhase) linkRow {
	r := linkRow{Number: number, Split: never, Doubtful: len(one.Doubts)+len(both.Doubts) > 0}
	for _, w := range one.Nodes {
		r.First = append(r.First, one.when(w, checker.Info))
		r.Warning = append(r.Warning, one.when(w, checker.Warning))
		for _, s := range w.Said {
			if s.live() {
				r.One = max(r.One, s.Severity)
			}
		}
	}
	for _, l := range one.Did {
		r.OneLost = r.OneLost || l.Event == lab.EventTokenLost
	}
	for _, w := range both.Nodes {
		r.Critical = append(r.Critical, both.when(w, checker.Critical))
	}
	for _, l := range both.Did {
		if l.Event == lab.EventMembership && len(l.Left) > 0 {
			r.Split = l.At.Sub(both.FirstAny)
			break
		}
	}
	return r
}

// when is the first finding about the cut of this severity or worse.
func (p linkPhase) when(w witness, severity checker.Severity) time.Duration {
	s, ok := firstOf(w.Said, func(s saying) bool { return s.live() && s.about(w.Far) && s.Severity >= severity })
	if !ok {
		return never
	}
	return s.At.Sub(p.FirstAny)
}

func (r linkRow) warned() bool { return allHappened(r.Warning) }
func (r linkRow) modest() bool { return r.One < checker.Critical }
func (r linkRow) critical() bool {
	if !allHappened(r.Critical) || r.Split == never {
		return false
	}
	for _, d := range r.Critical {
		if d >= r.Split {
			return false
		}
	}
	return true
}

func allHappened(list []time.Duration) bool {
	for _, d := range list {
		if d == never {
			return false
		}
	}
	return len(list) > 0
}

func requireLinks(rows []linkRow) []requirement {
	return []requirement{
		require("link 0 cut: a warning on every node", rows, linkRow.warned),
		require("link 0 cut: nothing critical on any node", rows, linkRow.modest),
		require("both links cut: critical on every node before the first membership changes", rows, linkRow.critical),
	}
}

func headLinks(w io.Writer) {
	fmt.Fprint(w, "Times in ms from the first packet that the cut took, median / worst over the nodes.\n\n")
	head(w, "run", "link 0: finding", "warning", "worst severity", "token lost", "both: critical", "new membership", "kept")
}

func (r linkRow) print(w io.Writer) {
	lost := "no"
	if r.OneLost {
		lost = "yes"
	}
	line(w, fmt.Sprint(r.Number), pair(r.First), pair(r.Warning), r.One.String(), lost, pair(r.Critical), cell(r.Split),
		yes(r.warned() && r.modest() && r.critical())+doubt(r.Doubtful))
}

// proveLinks cuts one link of two, then both.
func proveLinks(ctx context.Context, b *bench) ([]requirement, error) {
	headLinks(b.w)
	var rows []linkRow
	for i := range b.o.runs {
		one, err := b.linkPhase(ctx, fmt.Sprintf("run %d, link 0", i+1), false)
		if err != nil {
			return requireLinks(rows), fmt.Errorf("run %d: link 0: %w", i+1, err)
		}
		both, err := b.linkPhase(ctx, fmt.Sprintf("run %d, both links", i+1), true)
		if err != nil {
			return requireLinks(rows), fmt.Errorf("run %d: both links: %w", i+1, err)
		}
		r := judgeLinks(i+1, one, both)
		r.print(b.w)
		rows = append(rows, r)
	}
	return requireLinks(rows), nil
}

// linkPhase cuts link 0 for a while, or both until the cluster splits.
func (b *bench) linkPhase(ctx context.Context, name string, both bool) (linkPhase, error) {
	var p linkPhase
	if err := b.calm(ctx); err != nil {
		return p, err
	}
	if err := b.somewhen(ctx); err != nil {
		return p, err
	}
	b.lab.MarkQuality()
	links := []int{0}
	if both {
		links = nil
	}
	at, err := b.cut(name, 0, links...)
	if err != nil {
		return p, err
	}
	if both {
		_, err = b.awaitSplit(ctx, at)
	} else {
		err = sleep(ctx, time.Until(at)+linkCut)
	}
	if err != nil {
		return p, err
	}
	drops, err := b.lab.Hub().Drops(name)
	if err != nil {
		return p, err
	}
	p.FirstAny = b.firstDrop(drops, func(impair.Drop) bool { return true })
	p.Did = b.lab.Lines(at)
	for _, n := range b.lab.Nodes() {
		said, err := b.said(n, at)
		if err != nil {
			return p, err
		}
		p.Nodes = append(p.Nodes, witness{Name: n.Name(), Far: b.far(n), Said: said})
	}
	p.Doubts = b.doubt(name)
	return p, b.lab.Hub().Remove(name)
}
