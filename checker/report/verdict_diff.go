package report

import (
	"fmt"
	"io"
	"math"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// VerdictDiff compares two runs, the earlier one first. worse says that the later one has a worse answer, or a limit that broke meanwhile.
func VerdictDiff(w io.Writer, a, b *verdict.Verdict) (worse bool, err error) {
	p := &planPrinter{columns: Width}
	row := func(label, from, to string) {
		if from == to {
			p.wrap(label, labels, from)
			return
		}
		p.wrap(label, labels, from+"  ->  "+to)
	}
	row("verdict", string(a.Answer), string(b.Answer))
	worse = rank(b.Answer) > rank(a.Answer)
	row("measured", basis(a), basis(b))
	row("token", units.Time(a.Headroom.Token.Duration()), units.Time(b.Headroom.Token.Duration()))
	row("worst gap", gapText(a), gapText(b))
	row("ring", units.Time(a.Ring.Round.Duration()), units.Time(b.Ring.Round.Duration()))
	old := map[string]verdict.Limit{}
	for _, l := range a.Limits {
		old[l.Name] = l
	}
	for _, l := range b.Limits {
		if was := old[l.Name]; was.Status != l.Status {
			p.wrap("limit", labels, fmt.Sprintf("%s: %s  ->  %s: %s", l.Name, was.Status, l.Status, l.Text))
			worse = worse || l.Status == verdict.Fail || l.Status == verdict.Warn && was.Status == verdict.Pass
		}
	}
	diffPaths(p, a, b)
	_, err = io.WriteString(w, p.b.String())
	return worse, err
}

// rank orders answers from good to bad.
func rank(a verdict.Answer) int {
	switch a {
	case verdict.Go:
		return 0
	case verdict.GoWithChanges:
		return 1
	case verdict.NotEnough:
		return 2
	}
	return 3
}

func basis(v *verdict.Verdict) string {
	return fmt.Sprintf("%s, %d probes on %d paths", units.Time(v.Basis.Length.Duration()), v.Basis.Probes, v.Basis.Paths)
}

func gapText(v *verdict.Verdict) string {
	if !v.Headroom.Known {
		return "unknown"
	}
	return fmt.Sprintf("%s (%s of the token)", units.Time(v.Headroom.Gap.Duration()), units.Percent(v.Headroom.Share))
}

// diffPaths tells of paths that came, went, or changed by more than chance and a tenth.
func diffPaths(p *planPrinter, a, b *verdict.Verdict) {
	old := map[string]*verdict.Path{}
	for i := range a.Paths {
		old[onLink(&a.Paths[i])] = &a.Paths[i]
	}
	for i := range b.Paths {
		x := &b.Paths[i]
		was := old[onLink(x)]
		delete(old, onLink(x))
		switch {
		case was == nil:
			p.wrap(onLink(x), labels, "was not probed before: "+pathText(x))
		case changed(was, x):
			p.wrap(onLink(x), labels, pathText(was)+"  ->  "+pathText(x))
		}
	}
	for i := range a.Paths {
		if x := &a.Paths[i]; old[onLink(x)] != nil {
			p.wrap(onLink(x), labels, pathText(x)+"  ->  not probed")
		}
	}
}

func pathText(x *verdict.Path) string {
	if x.Received == 0 {
		return "no answer"
	}
	full := ""
	if x.Full != nil {
		full = fmt.Sprintf(" (full size %s)", units.Percent(x.Full.LossRatio))
	}
	return fmt.Sprintf("lost %s%s, RTT %s (99.9 %%: %s), worst gap %s", units.Percent(x.LossRatio), full, units.Time(x.P50.Duration()), units.Time(x.P999.Duration()), units.Time(x.WorstGap.Duration()))
}

func changed(a, b *verdict.Path) bool {
	apart := func(x, y verdict.Seconds) bool {
		return math.Abs(float64(x-y)) > 0.1*float64(max(x, y)) && math.Abs(float64(x-y)) > 2e5
	}
	return (a.Received == 0) != (b.Received == 0) || apart(a.P50, b.P50) || apart(a.P999, b.P999) || apart(a.WorstGap, b.WorstGap) ||
		math.Abs(a.LossRatio-b.LossRatio) > 0.001 || math.Abs(fullLoss(a)-fullLoss(b)) > 0.001
}

// fullLoss is that of full-size probes, if they were counted as small ones.
func fullLoss(x *verdict.Path) float64 {
	if x.Full == nil {
		return 0
	}
	return x.Full.LossRatio
}
