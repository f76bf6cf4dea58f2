package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

func verdictPaths(p *planPrinter, v *verdict.Verdict) {
	if len(v.Paths) == 0 {
		return
	}
	printed := &printer{}
	if slices.ContainsFunc(v.Paths, func(x verdict.Path) bool { return x.Full != nil }) {
		printed.table(burstRows(v.Paths))
	} else {
		printed.table(pathRows(v.Paths))
	}
	p.b.WriteString(printed.b.String())
	for i := range v.Paths {
		if n := pathNote(&v.Paths[i]); n != "" {
			p.wrap("note", labels, fmt.Sprintf("%s: %s", onLink(&v.Paths[i]), n))
		}
	}
	r := &v.Ring
	p.line("")
	p.wrap("ring", labels, fmt.Sprintf("worst round trip %s (99.9 %%: %s); once around %d nodes, %d crossings between sites: %s (99.9 %%: %s), %s of the %s after which a token is sent again",
		units.Time(r.Pair.Duration()), units.Time(r.PairTail.Duration()), r.Nodes, r.Crossings, units.Time(r.Round.Duration()), units.Time(r.RoundTail.Duration()), units.Percent(r.Share), units.Time(r.Retransmit.Duration())))
}

func onLink(x *verdict.Path) string { return fmt.Sprintf("link%d %s", x.Link, x.Peer) }

// pathRows has two lines for each path, one for each direction.
func pathRows(all []verdict.Path) table {
	rows := table{{"\npath", "dir", "lost", "worst gap (of token)", "burst", "p50", "p99.9", "full size"}}
	for i := range all {
		x := &all[i]
		if x.Received == 0 {
			rows = append(rows, []string{onLink(x), "-", "", "no answer", "", "", "", ""})
			continue
		}
		full := "not sent"
		if x.FullSize > 0 {
			full = fmt.Sprintf("%d of %d", x.FullReceived, x.FullSent)
		}
		forward, backward := x.WorstGapForward, x.WorstGapBackward
		if forward == 0 && backward == 0 { // nobody knows which way it was
			forward, backward = x.WorstGap, x.WorstGap
		}
		rows = append(rows,
			[]string{onLink(x), "->", fmt.Sprint(x.LostForward), gapOf(&x.Figures, forward), fmt.Sprint(x.Burst), units.Time(x.P50.Duration()), units.Time(x.P999.Duration()), full},
			[]string{"", "<-", fmt.Sprint(x.LostBackward), gapOf(&x.Figures, backward), "", "", "", ""})
	}
	return rows
}

// gapOf is a gap with its share of the token.
func gapOf(f *verdict.Figures, d verdict.Seconds) string {
	if d == 0 || f.WorstGap == 0 {
		return "none"
	}
	return fmt.Sprintf("%s (%s)", units.Time(d.Duration()), units.Percent(f.GapShare*float64(d)/float64(f.WorstGap)))
}

// burstRows has two lines for each path, one for each size of probes.
func burstRows(all []verdict.Path) table {
	rows := table{{"\npath", "bytes", "lost of sent", "->", "<-", "in a row", "worst gap", "p50", "p99", "max"}}
	for i := range all {
		x := &all[i]
		rows = append(rows, burstRow(onLink(x), "small", &x.Figures))
		if x.Full != nil {
			rows = append(rows, burstRow("", fmt.Sprint(x.FullBytes()), x.Full))
		}
	}
	return rows
}

func burstRow(name, size string, f *verdict.Figures) []string {
	if f.Received == 0 {
		return []string{name, size, fmt.Sprintf("none of %d came back", f.Sent), "", "", "", "", "", "", ""}
	}
	return []string{
		name, size, fmt.Sprintf("%d of %d (%s)", f.Lost, f.Sent, units.Percent(f.LossRatio)), fmt.Sprint(f.LostForward), fmt.Sprint(f.LostBackward), fmt.Sprint(f.Burst),
		gapOf(f, f.WorstGap), units.Time(f.P50.Duration()), units.Time(f.P99.Duration()), units.Time(f.Max.Duration()),
	}
}

// pathNote is what else there is to say of a path.
func pathNote(x *verdict.Path) string {
	if x.Received == 0 {
		return x.Note
	}
	unknown := ""
	if n := x.Lost - x.LostForward - x.LostBackward; n > 0 && x.Lost >= x.LostForward+x.LostBackward {
		unknown = fmt.Sprintf("%d more lost, direction unknown", n)
	}
	return strings.Trim(x.Note+"; "+unknown, "; ")
}
