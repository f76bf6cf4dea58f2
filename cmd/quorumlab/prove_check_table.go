//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// checkQuick is how long check may take on a healthy cluster.
const checkQuick = 15 * time.Second

// checkShown is how often, at least, check has to tell a terminal how far it is.
const checkShown = 5

// checkRow is a case of one cluster with all its runs.
type checkRow struct {
	checkCase
	Cells []checkCell // none doubtful
	Odd   int         // doubtful ones
}

// rightly: the verdict is the one that was written down.
func (k checkCase) rightly(c checkCell) bool { return c.Said.Answer == k.Answer }

// firstly: the limit named first is the one that was written down.
func (k checkCase) firstly(c checkCell) bool { return c.Said.First == k.First }

// changed: the change that helps is among those that are named.
func (k checkCase) changed(c checkCell) bool {
	return slices.ContainsFunc(c.Said.Changes, func(text string) bool { return strings.Contains(text, k.Change) })
}

// kept: the run was as was written down, but for how long it took.
func (k checkCase) kept(c checkCell) bool {
	return k.rightly(c) && k.firstly(c) && (k.Change == "" || k.changed(c))
}

// steady: all runs said the same.
func (r checkRow) steady() bool {
	return !slices.ContainsFunc(r.Cells, func(c checkCell) bool {
		return c.Said.Answer != r.Cells[0].Said.Answer || c.Said.First != r.Cells[0].Said.First
	})
}

// healthy: a plain check of a cluster at one place over paths that lose nothing.
func (k checkCase) healthy() bool {
	return len(k.Args) == 0 && k.RTT == checkHere && k.There+k.Back == 0 && k.MTU == 0
}

// shown: a person was told how far it is, again and again, and it went on.
func (c checkCell) shown() bool { return len(c.Shares) >= checkShown && slices.IsSorted(c.Shares) }

// checkRows sorts cells by case, as the table of cases has them. A cell of a case that is there no longer is left out.
func checkRows(cells []checkCell, links int, answering string) (rows []checkRow) {
	for _, k := range checkCases(links) {
		r := checkRow{checkCase: k}
		for _, c := range cells {
			switch {
			case !c.of(k) || c.Ring.Links != links || c.Answering != answering:
			case len(c.Doubts) > 0:
				r.Odd++
			default:
				r.Cells = append(r.Cells, c)
			}
		}
		if len(r.Cells)+r.Odd > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

func tableCheck(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[checkCell](o.record, "check")
	if err != nil {
		return nil, err
	}
	return tabulateChecks(w, cells), nil
}

// tabulateChecks prints a table for each kind of cluster and of what answered.
func tabulateChecks(w io.Writer, cells []checkCell) []requirement {
	var all []checkRow
	for _, links := range []int{1, 2} {
		for _, answering := range []string{"reflect", "agent"} {
			rows := checkRows(cells, links, answering)
			if len(rows) == 0 {
				continue
			}
			words := []string{"one link", "two links"}[links-1]
			fmt.Fprintf(w, "\n%s, `quorumwatch %s` on the other nodes:\n\n", words, answering)
			head(w, "check", "path between the sites", "expected", "because", "said", "took s", "lost, of probes", "Corosync meanwhile", "kept")
			for _, r := range rows {
				r.print(w)
			}
			all = append(all, rows...)
		}
	}
	return requireChecks(all)
}

// print writes a row of the table.
func (r checkRow) print(w io.Writer) {
	var said, took, lost []string
	downs, losses, kept := 0, 0, 0
	for _, c := range r.Cells {
		said = append(said, answerText(string(c.Said.Answer), c.Said.First))
		took = append(took, fmt.Sprintf("%.1f", c.Took.Seconds()))
		lost = append(lost, c.worst())
		downs, losses = downs+c.Downs, losses+c.Losses
		if r.kept(c) {
			kept++
		}
	}
	verdict := fmt.Sprintf("%d of %d", kept, len(r.Cells))
	if kept < len(r.Cells) {
		verdict = "**" + verdict + "**"
	}
	if r.Odd > 0 {
		verdict += fmt.Sprintf(", %d doubtful", r.Odd)
	}
	line(w, "`"+strings.Join(append([]string{"check"}, r.Args...), " ")+"`", r.Name, answerText(string(r.Answer), r.First), r.Why,
		strings.Join(slices.Compact(said), "; "), strings.Join(took, ", "), strings.Join(lost, "; "), meanwhile(downs, losses), verdict)
}

// answerText is a verdict with the limit that broke first.
func answerText(answer, first string) string {
	if first == "" {
		return answer
	}
	return answer + ", " + first
}

// worst is the account of the path that lost most, small and full-size probes.
func (c checkCell) worst() string {
	if len(c.Said.Paths) == 0 {
		return "-"
	}
	p := slices.MaxFunc(c.Said.Paths, func(a, b checkPath) int {
		return cmp.Or(cmp.Compare(a.Lost+a.FullSent-a.FullReceived, b.Lost+b.FullSent-b.FullReceived), cmp.Compare(a.P50, b.P50))
	})
	return fmt.Sprintf("%d of %d, full-size %d of %d", p.Lost, p.Lost+p.Received, p.FullSent-p.FullReceived, p.FullSent)
}

func meanwhile(downs, losses int) string {
	if downs+losses == 0 {
		return "quiet"
	}
	return fmt.Sprintf("%d link downs, %d token losses", downs, losses)
}

// requireChecks are the promises of check.
func requireChecks(rows []checkRow) []requirement {
	right := requirement{Text: "the verdict is the one that was written down before"}
	first := requirement{Text: "the limit named first is the one that was written down before"}
	change := requirement{Text: "with GO WITH CHANGES, the change that helps is among those that are named", Idle: true}
	same := requirement{Text: "run twice, the same verdict and the same first limit"}
	quick := requirement{Text: fmt.Sprintf("`quorumwatch check` on a healthy cluster takes less than %v", checkQuick), Idle: true}
	shown := requirement{Text: "and tells a terminal how far it is", Idle: true}
	slowest := time.Duration(0)
	for _, r := range rows {
		for _, c := range r.Cells {
			right.count(r.rightly(c))
			first.count(r.firstly(c))
			if r.Change != "" {
				change.count(r.changed(c))
			}
			if r.healthy() {
				quick.count(c.Took < checkQuick)
				shown.count(c.shown())
				slowest = max(slowest, c.Took)
			}
		}
		if len(r.Cells) > 1 {
			same.count(r.steady())
		}
	}
	if slowest > 0 {
		quick.Note = fmt.Sprintf("slowest: %.1f s", slowest.Seconds())
	}
	return []requirement{right, first, same, change, quick, shown}
}

// String is a cell while it is measured.
func (c checkCell) String() string {
	return fmt.Sprintf("%s in %.1f s, progress told %d times, lost %s, Corosync: %s; doubts: %q", answerText(string(c.Said.Answer), c.Said.First),
		c.Took.Seconds(), len(c.Shares), c.worst(), meanwhile(c.Downs, c.Losses), c.Doubts)
}
